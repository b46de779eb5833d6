"""Commands: which family the debtors are that other software's files name."""

from pathlib import Path

import click

from kiosque.cli.author import AUTHOR
from kiosque.cli.entry import ROW, CommandFault, main, with_database
from kiosque.db.models import Debtor, Family
from kiosque.invoices import imports
from kiosque.invoices.imports import codes as book
from kiosque.language.formats import counted
from kiosque.settings import Settings

FILE = click.argument("file", type=click.Path(path_type=Path, allow_dash=True))


@main.group()
def codes() -> None:
    """Les débiteurs que nomment les fichiers d’autres logiciels, et leur code famille."""


@codes.command("list")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True), required=False)
@with_database
def list_(_settings: Settings, file: Path | None) -> None:
    """Montre les débiteurs d’un fichier et leur code, connu ou proposé ; sans fichier, ce que la
    ville a confirmé."""
    if file:
        for rank, found in enumerate(_debtors(file), 1):
            click.echo(f"{rank}  {found.named}  {_said(found)}")
        return
    for each in Debtor.select(Debtor, Family).join(Family).order_by(Debtor.id):
        named = ", ".join(filter(None, (each.name, each.address, each.reference)))
        click.echo(f"{each.id}  {named}  {each.family.code}, par {each.author}")


@codes.command()
@FILE
@click.argument("pairs", nargs=-1, metavar="[RANG=CODE]...")
@click.option("--proposed", is_flag=True, help="Confirme tout ce qui est proposé.")
@AUTHOR
@with_database
def confirm(
    _settings: Settings, file: Path, pairs: tuple[str, ...], author: str, *, proposed: bool
) -> None:
    """Retient le code famille de débiteurs d’un fichier, par leur rang dans « codes list FILE ».

    Les fichiers suivants les reconnaissent au même nom, à la même adresse et à la même référence.
    """
    found = _debtors(file)
    said = {each.named: each.proposed for each in found if proposed and each.proposed}
    for pair in pairs:
        rank, _, code = pair.partition("=")
        if not rank.isdecimal() or not 1 <= int(rank) <= len(found) or not code:
            raise CommandFault(f"Attendu RANG=CODE, comme 3=F1001 : {pair[:40]}")
        said[found[int(rank) - 1].named] = code.upper()
    try:
        book.confirm(said, author)
    except book.Unknown as refusal:
        raise CommandFault(str(refusal)) from None
    click.echo(f"Retenu : {counted(len(said), 'débiteur')}.")


@codes.command()
@click.argument("number", type=ROW)
@with_database
def forget(_settings: Settings, number: int) -> None:
    """Oublie un débiteur confirmé, par son numéro dans « codes list »."""
    try:
        book.forget(number)
    except book.Unknown as refusal:
        raise CommandFault(str(refusal)) from None
    click.echo(f"Débiteur n° {number} oublié.")


def _debtors(file: Path) -> list[imports.FoundDebtor]:
    try:
        return imports.debtors(file)
    except imports.BadFile as error:
        raise CommandFault(str(error)) from None


def _said(found: imports.FoundDebtor) -> str:
    if found.code:
        return found.code
    if found.proposed:
        return f"proposé : {found.proposed}"
    return f"peut-être {', '.join(found.candidates)}" if found.candidates else "inconnu"
