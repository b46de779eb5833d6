"""The command line's own words in French: usage, options, and what is wrong with a command.

Click asks the standard library's `gettext` for them: here it is given a catalogue, for the
length of a command.
"""

import gettext
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

#: `fr/LC_MESSAGES/click.po`, and the file made of it by `make messages`.
CATALOGUES = Path(__file__).parents[1] / "language" / "locales"
_DOMAIN = "click"


class FrenchGroup(click.Group):
    """Commands that never answer in English."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        with _french():
            return super().main(*args, **kwargs)


@contextmanager
def _french() -> Iterator[None]:
    """`gettext` chooses among catalogues by the environment, whatever the terminal's language."""
    domain, language = gettext.textdomain(), os.environ.get("LANGUAGE")
    gettext.bindtextdomain(_DOMAIN, str(CATALOGUES))
    gettext.textdomain(_DOMAIN)
    os.environ["LANGUAGE"] = "fr"
    try:
        yield
    finally:
        gettext.textdomain(domain)
        if language is None:
            del os.environ["LANGUAGE"]
        else:
            os.environ["LANGUAGE"] = language
