"""The language of what people read: French in the sources, others by a catalogue.

French text is written where it is used, inside `gettext` (as `_`), `ngettext`, or `N_` for a
constant that is translated when it is shown. The language is that of the request, or of the
family that a mail goes to.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

SOURCE = "fr"

_language: ContextVar[str] = ContextVar("language", default=SOURCE)


def language() -> str:
    """The language in force, as a two-letter code."""
    return _language.get()


@contextmanager
def using(code: str) -> Iterator[None]:
    """Speak this language for the length of a block."""
    token = _language.set(code)
    try:
        yield
    finally:
        _language.reset(token)


def N_(message: str) -> str:  # noqa: N802  # gettext's own name for it
    """Mark a constant for translation; it is translated when shown."""
    return message


def gettext(message: str) -> str:
    """The message in the language in force."""
    return message


def ngettext(singular: str, plural: str, count: int) -> str:
    """The singular or plural message in the language in force. In French 0 is singular."""
    return singular if count < 2 else plural
