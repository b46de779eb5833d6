"""Commands: load a statement of the bank's, or the acquirer's journal; list the files, undo one."""

import shlex
from collections.abc import Sequence
from pathlib import Path

import click

from kiosque.cli.author import AUTHOR
from kiosque.cli.entry import ROW, CommandFault, main, with_database
from kiosque.cli.imports import load_file
from kiosque.db.models import StatementFile
from kiosque.language.formats import counted, format_euros, long_instant, short_date
from kiosque.settings import Settings
from kiosque.statements import coverage, matching, receiving, undoing
from kiosque.statements.accounts import AccountHolder, WhichRegie
from kiosque.statements.columns import Columns, missing, signature
from kiosque.statements.records import (
    Meaning,
    OfInvoices,
    ParsedFile,
    TableReading,
    Unit,
    UnknownColumns,
    UnreadableFile,
)
from kiosque.statements.table_preview import understood
from kiosque.statements.words import MEANINGS, RULES

#: Most items of a list that are shown.
SHOWN = 20
_MEANINGS = ", ".join(Meaning)


@main.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--regie", help="La régie dont c’est le compte, si rien ne le dit ; « - » : la première."
)
@click.option("--columns", multiple=True, metavar="SENS=COLONNE", help="Dit ce qu’est une colonne.")
@click.option("--unit", type=click.Choice(list(Unit)), help="Ce que comptent les montants.")
@click.option(
    "--preview", is_flag=True, help="Dit ce qui est compris du tableau, sans rien garder."
)
@AUTHOR
@with_database
def statement(  # its options
    settings: Settings,
    file: Path,
    *,
    regie: str | None,
    columns: tuple[str, ...],
    unit: str | None,
    preview: bool,
    author: str,
) -> None:
    """Charge un relevé de banque, ou le journal des paiements par carte, et le rapproche.

    CFONB 120, OFX, CAMT.053, tout tableau ; JRB, JO, JT de Lyra. Recharger le même fichier, ou un
    autre qui le recouvre, ne change rien. Rien n’est envoyé, aucune facture n’est payée.
    Un PES se charge comme par « import ».
    """
    content, regies = file.read_bytes(), AccountHolder.all_of(settings)
    chosen = None if regie is None else regie.strip("-")
    try:
        read = _read(file.name, content, Unit(unit) if unit else None, columns)
        if preview:
            _tell(read)
            return
        _require_agreed(read, columns)
        found = receiving.receive(read, file.name, content, regies, author, regie=chosen)
    except OfInvoices:
        load_file(settings, file, author, preview=preview)
        return
    except UnreadableFile as refusal:
        more = "\nDites-le par --unit cents, ou --unit euros." if refusal.wants_unit else ""
        raise CommandFault("\n".join(refusal.faults) + more) from None
    except WhichRegie:
        keys = ", ".join(key or "-" for key in settings.regies_by_key)
        raise CommandFault(f"Dites de quelle régie est ce compte, par --regie : {keys}.") from None
    if columns and read.table:
        receiving.remember(read.table.header, read.table.columns, author)
    click.echo(_said(file, found))
    for key in found.loaded.regies:
        _show(settings, key)


def _read(name: str, content: bytes, unit: Unit | None, columns: tuple[str, ...]) -> ParsedFile:
    """Read a file, with the columns given, else those known. Raises UnreadableFile, or
    CommandFault with the question if a person has to name the columns."""
    asked: UnknownColumns | None = None
    table: TableReading | None = None
    try:
        found = receiving.read(name, content, unit=unit)
        table = found.table
    except UnknownColumns as question:
        asked = question
        table = TableReading(question.header, question.proposal, is_answered=False)
    if not columns and not asked:
        return found
    if table is None:
        raise CommandFault("Ce fichier n’est pas un tableau : il n’y a pas de colonnes à dire.")
    named = _named(table, columns, asked.faults if asked else ())
    return receiving.read(name, content, columns={signature(table.header): named})


def _named(table: TableReading, columns: tuple[str, ...], faults: Sequence[str]) -> Columns:
    """Return the columns given for a table, completed by those known. Raises CommandFault with the
    question if some are missing."""
    pairs = [each.partition("=")[::2] for each in columns]
    if unknown := [meaning for meaning, _ in pairs if meaning not in set(Meaning)]:
        raise CommandFault(f"Sens inconnu : {unknown[0][:40]}. Connus : {_MEANINGS}.")
    said = {Meaning(meaning): column for meaning, column in pairs}
    named = {meaning: name for meaning, name in {**table.columns, **said}.items() if name}
    absent = [each for each in named.values() if each not in table.header]
    left = [*missing(named), *(f"colonne absente : {each[:40]}" for each in absent)]
    if not left and columns:
        return named
    guessed = ", ".join(f"{meaning}={name}" for meaning, name in table.columns.items())
    known = [f"Reconnues : {guessed}"] if guessed else []
    how = f"Dites-les par --columns SENS=COLONNE, pour chacune. Sens : {_MEANINGS}."
    raise CommandFault(
        "\n".join([*(left or faults), f"Ses colonnes : {', '.join(table.header)}", how, *known])
    )


def _require_agreed(read: ParsedFile, columns: tuple[str, ...]) -> None:
    """Raise CommandFault for a table whose columns were only guessed by name: a person must read
    how it was understood, and agree, once for all files with this header."""
    table = read.table
    if table is None or table.is_answered or columns:
        return
    said = [word for each in table.columns.items() for word in ("--columns", "=".join(each))]
    raise CommandFault(
        "Les colonnes de ce tableau n’ont pas encore été approuvées : regardez par --preview ce "
        f"qui en est compris. Si c’est juste, une fois pour toutes :\n{shlex.join(said)}"
    )


def _tell(read: ParsedFile) -> None:
    """Say what was understood of a file."""
    for meaning, name in (read.table.columns if read.table else {}).items():
        click.echo(f"{MEANINGS[meaning]} : {name}")
    for each in understood(read):
        days = f"du {short_date(each.first_on)} au {short_date(each.last_on)}"
        click.echo(f"{each.account or 'compte'} : {counted(each.movements, 'mouvement')}, {days}")
        sums = format_euros(each.credits_cents), format_euros(each.debits_cents)
        click.echo(f"Crédits : {sums[0]} ; débits : {sums[1]}")
        if each.opening_cents is not None and each.closing_cents is not None:
            balances = format_euros(each.opening_cents), format_euros(each.closing_cents)
            click.echo(f"Solde avant : {balances[0]} ; après : {balances[1]}")
        for line in each.first:
            click.echo(f"- {short_date(line.booked_on)}  {format_euros(line.cents)}  {line.label}")
    if read.operations:
        click.echo(counted(len(read.operations), "opération"))


def _said(file: Path, found: receiving.Received) -> str:
    loaded = found.loaded
    if loaded.is_known:
        return f"{file.name} : déjà chargé, rien ne change."
    told = [counted(loaded.lines, "mouvement") + f", {loaded.known_lines} déjà là"]
    if loaded.operations or loaded.known_operations:
        known = loaded.known_operations
        told = [counted(loaded.operations, "opération") + f" par carte, {known} déjà là"]
    told += [f"{RULES[rule]} : {lines}" for rule, lines in found.matched.items()]
    return f"{file.name} ({loaded.kind}) : " + "\n".join(told)


def _show(settings: Settings, key: str) -> None:
    """Say what is still to explain, and what is missing."""
    left = matching.open_lines(key)
    click.echo(
        f"{settings.regie_named(key).name} : {counted(left.count(), 'mouvement')} à expliquer"
    )
    for line in left.limit(SHOWN):
        cents = format_euros(line.amount_cents)
        click.echo(f"- {short_date(line.booked_on)}  {cents}  {line.label}")
    for gap in coverage.gaps(key):
        click.echo(gap)


@main.command("statement-files")
@with_database
def statement_files(_settings: Settings) -> None:
    """Liste les fichiers de la banque qui sont chargés, les derniers d’abord."""
    for file in undoing.files().limit(SHOWN):
        click.echo(
            f"{file.id}  {long_instant(file.loaded_at)}  {file.kind}, « {file.name} », par "
            f"{file.author}{_undone(file)}"
        )


def _undone(file: StatementFile) -> str:
    if file.undone_at is None:
        return ""
    at = long_instant(file.undone_at)
    return f". Annulé le {at} par {file.undone_by} : {file.undo_reason}"


@main.command("undo-statement")
@click.argument("number", type=ROW)
@AUTHOR
@click.option("--reason", required=True, help="Pourquoi.")
@with_database
def undo_statement(_settings: Settings, number: int, author: str, reason: str) -> None:
    """Annule le chargement de numéro NUMBER (« statement-files ») : tout redevient comme avant.

    Ses rapprochements sont annulés, par des écritures contraires. Refusé si un fichier chargé
    depuis le recouvre, ou s’il parle d’un mois arrêté.
    """
    file = undoing.undo(number, author, reason)
    click.echo(f"Chargement n° {file.id} annulé : « {file.name} ».")
