"""The group of all commands, and their common needs: settings, database, faults, progress."""

import os
import sys
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from functools import wraps
from operator import length_hint
from pathlib import Path
from typing import IO, Any, TypeVar

import click
from peewee import DatabaseError

from gateways.base import ConfigError
from kiosque import db, payments
from kiosque.cli.french import FrenchGroup
from kiosque.db import deployment, presence
from kiosque.language.parsing import parse_hundredths
from kiosque.settings import Settings, loading
from kiosque.staff import town_settings
from kiosque.version import VERSION


class CommandFault(click.ClickException):
    """A command cannot do its work; the text says why in French, on a few lines at most."""

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(f"Erreur : {self.message}", err=True, file=file)


class NamedPath(click.Path):
    """A path that was typed. Refuse a blank one, such as an unset shell variable gives: it would
    mean the current folder."""

    def __init__(self, **kinds: bool) -> None:
        super().__init__(path_type=Path, **kinds)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not str(value).strip():
            self.fail("un nom vide ne désigne ni fichier ni dossier.", param, ctx)
        return super().convert(value, param, ctx)


Command = TypeVar("Command", bound=Callable[..., Any])
#: The id of a row, within what a database can hold.
ROW = click.IntRange(1, 2**63 - 1)
#: Fewest rows for which a progress bar is shown.
LONG_FILE = 2000


@click.group(
    cls=FrenchGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(VERSION, message="Kiosque Famille %(version)s", help="Affiche la version.")
def main() -> None:
    """Kiosque Famille : les commandes de la mairie."""


def with_database(command: Command) -> Command:
    """Give a command its settings and a connection to the database; turn errors into Faults."""
    return _prepared(command, presence.at_work)


def with_database_alone(command: Command) -> Command:
    """Do the same as `with_database`, and keep the site and other commands from running
    meanwhile."""
    return _prepared(command, presence.alone)


def read_settings() -> Settings:
    """Read the settings without connecting to the database, which may not open. Raises
    CommandFault."""
    try:
        settings = loading.load(os.environ)
        db.configure(settings.database_location, durable=settings.environment == "production")
    except ConfigError as error:
        raise CommandFault(loading.refusal(error)) from None
    return settings


def _prepared(
    command: Command, beside: Callable[[Settings], AbstractContextManager[None]]
) -> Command:
    @wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        settings = read_settings()
        try:
            with beside(settings), db.connection():
                db.require_known()
                deployment.require(settings.environment)
                return command(town_settings.in_force(settings), *args, **kwargs)
        except (db.NewerDatabase, deployment.OtherEnvironment) as error:
            raise CommandFault(str(error)) from None
        except db.OUR_FAULTS:
            raise
        except DatabaseError as error:
            raise CommandFault(_silence(error)) from None
        except presence.InUse as refusal:
            raise CommandFault(str(refusal)) from None
        except payments.Refused as refusal:
            raise CommandFault("\n".join(refusal.reasons)) from None

    return wrapped  # type: ignore[return-value]  # the settings are given here, not by click


def _silence(error: DatabaseError) -> str:
    """Say in French why the database does not answer, and what to do."""
    if db.is_full(error):
        return "Le disque est plein. Faites de la place, puis relancez la même commande."
    return f"La base ne répond pas ({db.why(error)}). A-t-elle été créée par « migrate » ?"


def cents_typed(amount: str | None) -> int | None:
    """Read an amount typed in euros; None when there is none. Raises CommandFault."""
    if amount is None:
        return None
    try:
        return parse_hundredths(amount)
    except ValueError:
        raise CommandFault(
            f"Montant illisible : {amount[:30]}. Écrivez par exemple 12,50."
        ) from None


def require_yes(question: str) -> None:
    """Ask before what cannot be undone; Click's own question does not accept « oui ». Raises
    Abort."""
    answer = click.prompt(f"{question} [o/N]", default="", show_default=False)
    if answer.strip().lower() not in ("o", "oui", "y", "yes"):
        raise click.Abort


def say_unless_idle(words: str, *, idle: bool) -> None:
    """Print what a timer's chore did. If it did nothing, print that on a terminal only, not in the
    journal each minute."""
    if not idle or sys.stdout.isatty():
        click.echo(words)


def progress_bar(items: Iterable[Any], what: str) -> Iterable[Any]:
    """Show progress over many items, on a terminal."""
    if length_hint(items) < LONG_FILE or not sys.stdout.isatty():
        yield from items
        return
    with click.progressbar(items, label=what, width=30) as bar:
        yield from bar
