"""The language of what people read: French in the sources, any other in `locales/<code>.po`.

French text is written where it is used, inside `gettext` (as `_`), `ngettext`, or `N_` for a
constant that is translated when it is shown. The language in force is that of the request, or of
the family that a mail goes to. A catalogue is read when its language is first asked for; what it
does not translate stays French.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar, Token
from dataclasses import dataclass
from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

from babel import Locale, UnknownLocaleError
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po

SOURCE = "fr"
LOCALES = Path(__file__).parent / "locales"

_logger = logging.getLogger(__name__)
_language: ContextVar[str] = ContextVar("language", default=SOURCE)


@dataclass(frozen=True)
class Language:
    """A language people may choose. `code` is the one HTML wants (BCP 47), `name` the
    language's own name for itself, `direction` is ltr or rtl."""

    code: str
    name: str
    direction: str


@cache
def languages() -> Mapping[str, Language]:
    """Return the languages people may choose, by code: French, then those of LOCALES."""
    codes = [SOURCE, *sorted(path.stem for path in LOCALES.glob("*.po"))]
    return {code: found for code in codes if (found := _describe(code))}


def language() -> str:
    """Return the code of the language in force."""
    return _language.get()


def is_source() -> bool:
    """Tell whether French is in force."""
    return _language.get() == SOURCE


def locale() -> Locale:
    """Return the rules of Unicode's CLDR for the language in force."""
    return _catalogue(language()).locale


@contextmanager
def using(code: str) -> Iterator[None]:
    """Put a language in force for the length of a block; French when there is no such one."""
    token = speak(code)
    try:
        yield
    finally:
        be_silent(token)


def speak(code: str) -> Token[str]:
    """Put a language in force until `be_silent` is given the token; prefer `using`."""
    return _language.set(code if code in languages() else SOURCE)


def be_silent(spoken: Token[str]) -> None:
    """Put the language in force that was so before `speak`."""
    _language.reset(spoken)


def N_(message: str) -> str:  # noqa: N802  # gettext's own name for it
    """Mark a constant for translation; it is translated when shown."""
    return message


def gettext(message: str) -> str:
    """Translate a message into the language in force."""
    # An empty message stands for the catalogue's header.
    return _catalogue(language()).texts.gettext(message) if message else message


def ngettext(singular: str, plural: str, count: int) -> str:
    """Translate the form of a message that a count asks for. In French 0 is singular."""
    return _catalogue(language()).texts.ngettext(singular, plural, count)


class _French(NullTranslations):
    """The texts of the sources themselves."""

    def ngettext(self, msgid1: str, msgid2: str, n: float) -> str:
        return msgid1 if n < 2 else msgid2


@dataclass(frozen=True)
class _Catalogue:
    texts: NullTranslations
    locale: Locale


def _describe(code: str) -> Language | None:
    if code == SOURCE:  # without the 4 MiB of all that CLDR knows of it
        return Language(SOURCE, "Français", "ltr")
    try:
        known = Locale.parse(code, sep="-")
    except (ValueError, UnknownLocaleError):
        _logger.error("%s.po is not named after a language", code)
        return None
    name = known.get_display_name() or code
    return Language(code, name[0].upper() + name[1:], known.text_direction)


@cache
def _catalogue(code: str) -> _Catalogue:
    """Read the catalogue of a language. All stays French when it cannot be read."""
    locale = Locale.parse(code, sep="-")
    if code == SOURCE:
        return _Catalogue(_French(), locale)
    try:
        with (LOCALES / f"{code}.po").open("rb") as file:
            found = read_po(file, abort_invalid=True)
        texts = GNUTranslations(BytesIO(compiled(found)))
    except (OSError, ValueError, PoFileError):
        _logger.exception("catalogue %s.po cannot be read", code)
        return _Catalogue(_French(), locale)
    texts.add_fallback(_French())
    # The header may name a country, which tells how dates are written.
    return _Catalogue(texts, found.locale or locale)


def compiled(catalogue: Catalog) -> bytes:
    """Return a catalogue as the standard library's gettext reads it."""
    # A header marked fuzzy would be left out, and the character set with it.
    catalogue.fuzzy = False
    buffer = BytesIO()
    write_mo(buffer, catalogue)
    return buffer.getvalue()
