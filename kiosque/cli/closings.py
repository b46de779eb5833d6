"""Commands: close a month, carry over what is to treat, write its papers."""

from pathlib import Path

import click

from kiosque import os_errors
from kiosque.cli.author import AUTHOR
from kiosque.cli.entry import ROW, CommandFault, NamedPath, main, with_database
from kiosque.closings import closing
from kiosque.closings.months import Month
from kiosque.closings.steps import closing_of, steps
from kiosque.language.formats import capital
from kiosque.papers.month import papers
from kiosque.settings import Settings


@main.command("close-month")
@click.argument("month")
@click.option("--regie", default="", help="Clé de la régie ; par défaut, la première.")
@click.option("--reason", default="", help="Motif, si le rapprochement n’est pas prouvé.")
@AUTHOR
@with_database
def close_month(settings: Settings, month: str, regie: str, reason: str, author: str) -> None:
    """Arrête le mois MONTH (2026-10) : plus rien n’y sera daté.

    Ses soldes et l’empreinte de sa dernière écriture sont écrits au journal. Refuse tant qu’une
    étape du mois n’est pas faite, et dit laquelle.
    """
    found = _month(settings, month, regie)
    for step in steps(regie, found):
        click.echo(f"{'fait' if step.done else 'à faire'} : {step.title}. {step.words}".rstrip())
    closed = closing.close(regie, found, closing.Request(author, reason))
    click.echo(f"{capital(found.words)} est arrêté, à l’écriture {closed.up_to}.")


@main.command("carry-over")
@click.argument("point", type=ROW)
@click.argument("month")
@click.option("--reason", required=True, help="Pourquoi le mois peut être arrêté sans lui.")
@AUTHOR
@with_database
def carry_over(settings: Settings, point: int, month: str, reason: str, author: str) -> None:
    """Reporte le point POINT de « todo » : le mois MONTH peut être arrêté, il reste à traiter."""
    closing.carry_over(point, _month(settings, month, ""), author, reason)
    click.echo(f"Point n° {point} : reporté.")


@main.command("month-papers")
@click.argument("month")
@click.argument("folder", type=NamedPath(file_okay=False))
@click.option("--regie", default="", help="Clé de la régie ; par défaut, la première.")
@with_database
def month_papers(settings: Settings, month: str, folder: Path, regie: str) -> None:
    """Écrit dans un dossier les papiers d’un mois arrêté : journal, rapprochement, bordereaux..."""
    found = _month(settings, month, regie)
    closed = closing_of(regie, found)
    if closed is None:
        raise CommandFault(f"{capital(found.words)} n’est pas encore arrêté.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, pdf in papers(settings, closed):
            (folder / name).write_bytes(pdf)
    except OSError as error:
        raise CommandFault(f"{folder} ne peut pas être écrit ({os_errors.why(error)}).") from None
    click.echo(str(folder))


def _month(settings: Settings, name: str, regie: str) -> Month:
    """Return the month of this name. Raises CommandFault for none, or for no such *régie*."""
    if regie not in settings.regies_by_key:
        raise CommandFault(f"Aucune régie {regie}.")
    try:
        return Month.named(name)
    except ValueError:
        raise CommandFault(f"{name} n’est pas un mois. Exemple : 2026-10.") from None
