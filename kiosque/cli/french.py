"""Put Click's own texts in French: usage, options, errors of a command line.

Click asks the standard library's `gettext` for them, which is given a catalogue while a command
runs.
"""

import gettext
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from kiosque import os_errors

#: Folder of `fr/LC_MESSAGES/click.po`, and of the `.mo` that `make messages` makes of it.
CATALOGUES = Path(__file__).parent / "locales"
_DOMAIN = "click"


class FrenchGroup(click.Group):
    """A group of commands whose texts, and those of the system, are in French."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        kwargs["prog_name"] = os.environ.get("KIOSQUE_COMMAND") or kwargs.get("prog_name")
        with _french():
            return super().main(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command. Print a refusal of the system as one line: it is no fault of ours."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # the reader of our output has gone: let Click stop quietly
            raise
        except OSError as error:
            where = f"{error.filename} : " if error.filename else ""
            raise click.ClickException(f"{where}{os_errors.why(error)}.") from None


@contextmanager
def _french() -> Iterator[None]:
    """Make `gettext` use our catalogue, whatever the language of the terminal."""
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
