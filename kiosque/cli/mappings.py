"""Command: which columns of another software's table are the town's own."""

from pathlib import Path

import click

from kiosque.cli.author import AUTHOR
from kiosque.cli.entry import CommandFault, main, with_database
from kiosque.invoices import imports
from kiosque.invoices.imports import mappings
from kiosque.language.formats import counted
from kiosque.settings import Settings


@main.command("map")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.argument("pairs", nargs=-1, metavar="[NOTRE=LEUR]...")
@click.option("--forget", is_flag=True, help="Oublie ce qui a été dit de ces colonnes.")
@AUTHOR
@with_database
def map_(
    _settings: Settings, file: Path, pairs: tuple[str, ...], author: str, *, forget: bool
) -> None:
    """Dit quelles colonnes d’un tableau sont les nôtres ; sans paire, montre ce qui en est su.

    « montant=Total TTC », « service==Cantine » pour toutes les lignes, « enfant=Nom + Prénom » pour
    deux colonnes. C’est retenu pour tout tableau de mêmes colonnes, que « import » charge alors.
    """
    try:
        columns = imports.columns(file)
    except imports.BadFile as error:
        raise CommandFault(str(error)) from None
    if forget:
        if not mappings.forget(columns):
            raise CommandFault("Rien n’a été dit de ces colonnes.")
        click.echo("Oublié.")
    elif pairs:
        click.echo(_keep(file, columns, pairs, author))
    else:
        _show(columns)


def _keep(file: Path, columns: list[str], pairs: tuple[str, ...], author: str) -> str:
    row: dict[str, mappings.Source] = {}
    for pair in pairs:
        ours, equals, theirs = pair.partition("=")
        if not equals:
            raise CommandFault(f"Attendu NOTRE=LEUR, comme montant=Total : {pair[:40]}")
        together = [name.strip() for name in theirs.split(" + ")]
        is_one = theirs.startswith("=") or len(together) == 1
        row[ours.strip()] = theirs.strip() if is_one else together
    try:
        mapping = mappings.keep(file.stem, columns, row, author)
    except mappings.Unusable as refusal:
        raise CommandFault("\n".join(refusal.faults)) from None
    return f"Retenu : {counted(len(mapping.targets), 'colonne')}."


def _show(columns: list[str]) -> None:
    click.echo(f"Ses colonnes : {', '.join(columns)}")
    mapping = mappings.find(columns)
    if mapping is None:
        click.echo("Aucune correspondance connue.")
        return
    click.echo(f"{mapping.name} :")
    for row in mapping.rows:
        click.echo("- " + ", ".join(f"{ours}={_written(theirs)}" for ours, theirs in row.items()))


def _written(source: mappings.Source) -> str:
    return source if isinstance(source, str) else " + ".join(source)
