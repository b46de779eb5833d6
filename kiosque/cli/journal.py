"""Command: the journal, as it is or as a file."""

import csv
import sys

import click

from kiosque.cli.entry import main, with_database
from kiosque.db.models import JournalEntry
from kiosque.language.formats import decimal, format_euros
from kiosque.payments.account_words import COLUMNS, labelled, row_of
from kiosque.settings import Settings


@main.command("journal")
@click.option("--csv", "as_csv", is_flag=True, help="Une table pour un tableur (« ; », virgule).")
@with_database
def journal_(_settings: Settings, *, as_csv: bool) -> None:
    """Écrit le journal des encaissements, écriture par écriture, la première d’abord."""
    every = JournalEntry.select().order_by(JournalEntry.number)
    if as_csv:
        rows = csv.writer(sys.stdout, delimiter=";", lineterminator="\n")
        rows.writerow(COLUMNS)
        for entry in every.iterator():
            *words, cents, fingerprint, corrects = row_of(entry)
            rows.writerow([*words, decimal(cents), fingerprint, corrects])
        return
    for entry in every.iterator():
        number, day, _at, _label, debit, credit, cents, *_ = row_of(entry)
        moved = f"{debit} ← {credit}, {format_euros(cents)}"
        click.echo(f"{number}  {day}  {labelled(entry)} : {moved}")
