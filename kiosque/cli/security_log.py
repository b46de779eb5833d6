"""A command: read the security log."""

from datetime import timedelta

import click

from kiosque.cli.entry import CommandFault, main, with_database
from kiosque.db.models import Family
from kiosque.families import security_log
from kiosque.families.codes import normalise_family_code
from kiosque.families.security_log import WORDS, Event
from kiosque.language import clock, formats
from kiosque.settings import Settings


@main.command("security-log")
@click.option("--family", "code", help="Le code d’une famille ; sinon toutes, et les inconnus.")
@click.option(
    "--days",
    type=click.IntRange(1, security_log.KEPT.days),
    default=30,
    show_default=True,
    help="Les lignes de ces derniers jours.",
)
@with_database
def show_security_log(_settings: Settings, code: str | None, days: int) -> None:
    """Montre qui est entré ou a essayé, et ce qui a changé : date, famille, adresse réseau.

    Ces lignes sont effacées au bout d’un an.
    """
    family = None
    if code is not None:
        family = Family.get_or_none(Family.code == normalise_family_code(code))
        if family is None:
            raise CommandFault(f"Code famille inconnu : {code}")
    for line in security_log.read(clock.now() - timedelta(days=days), family):
        who = line.family.code if line.family else "inconnu"
        address = line.address or "mairie"
        words = WORDS[Event(line.kind)]
        click.echo(f"{formats.long_instant(line.at)}  {who}  {address}  {words}")
