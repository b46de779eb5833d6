"""The language of what people read: French in the sources, others by a catalogue.

French text is written where it is used, inside `gettext` (as `_`), `ngettext`, or `N_` for a
constant that is translated when it is shown. The language is that of the request, or of the
family that a mail goes to. Another language is one file, `locales/<code>.po`, read as it is
when somebody first asks for it; what it does not say stays French.
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
from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po

SOURCE = "fr"
LOCALES = Path(__file__).parent / "locales"

_language: ContextVar[str] = ContextVar("language", default=SOURCE)


@dataclass(frozen=True)
class Language:
    """A language people may choose. `code` is the one HTML wants (BCP 47), `name` the
    language's own name for itself, `direction` is ltr or rtl."""

    code: str
    name: str
    direction: str


@dataclass(frozen=True)
class _Catalogue:
    """A catalogue in memory: its texts, and the locale by which it writes amounts and dates,
    where it names one."""

    texts: NullTranslations
    locale: Locale | None = None


@cache
def languages() -> Mapping[str, Language]:
    """The languages there are, by code: French, then every catalogue of LOCALES."""
    codes = [SOURCE, *sorted(path.stem for path in LOCALES.glob("*.po"))]
    return {code: found for code in codes if (found := _describe(code))}


def language() -> str:
    """The language in force, as its code."""
    return _language.get()


def is_source() -> bool:
    """Whether French is in force."""
    return _language.get() == SOURCE


def locale() -> Locale:
    """The rules, by CLDR, of the language in force."""
    return _catalogue(language()).locale or _locale(language())


@contextmanager
def using(code: str) -> Iterator[None]:
    """Speak this language for the length of a block; French when there is no such language."""
    token = speak(code)
    try:
        yield
    finally:
        be_silent(token)


def speak(code: str) -> Token[str]:
    """Speak this language until `be_silent` is given what is returned."""
    return _language.set(code if code in languages() else SOURCE)


def be_silent(spoken: Token[str]) -> None:
    _language.reset(spoken)


def N_(message: str) -> str:  # noqa: N802  # gettext's own name for it
    """Mark a constant for translation; it is translated when shown."""
    return message


def gettext(message: str) -> str:
    """The message in the language in force."""
    # An empty message stands for the catalogue's header.
    return _catalogue(language()).texts.gettext(message) if message else message


def ngettext(singular: str, plural: str, count: int) -> str:
    """The singular or plural message in the language in force. In French 0 is singular."""
    return _catalogue(language()).texts.ngettext(singular, plural, count)


class _French(NullTranslations):
    """The sources themselves."""

    def ngettext(self, msgid1: str, msgid2: str, n: float) -> str:
        return msgid1 if n < 2 else msgid2


@cache
def _locale(code: str) -> Locale:
    return Locale.parse(code, sep="-")


def _describe(code: str) -> Language | None:
    if code == SOURCE:  # without the 4 MiB of all that CLDR knows of it
        return Language(SOURCE, "Français", "ltr")
    try:
        known = _locale(code)
    except (ValueError, UnknownLocaleError):
        logging.getLogger(__name__).error("%s.po is not named after a language", code)
        return None
    name = known.get_display_name() or code
    direction = "rtl" if known.text_direction == "rtl" else "ltr"
    return Language(code, name[0].upper() + name[1:], direction)


@cache
def _catalogue(code: str) -> _Catalogue:
    """The catalogue of a language. One that cannot be read says nothing: all stays French."""
    if code == SOURCE:
        return _Catalogue(_French())
    try:
        with (LOCALES / f"{code}.po").open("rb") as file:
            found = read_po(file, abort_invalid=True)
        # A header marked fuzzy would be left out, and the character set with it.
        found.fuzzy = False
        compiled = BytesIO()
        write_mo(compiled, found)
        compiled.seek(0)
        texts = GNUTranslations(compiled)
    except (OSError, ValueError, PoFileError):
        logging.getLogger(__name__).exception("catalogue %s.po cannot be read", code)
        return _Catalogue(_French())
    texts.add_fallback(_French())
    return _Catalogue(texts, found.locale)
