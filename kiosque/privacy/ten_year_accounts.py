"""Remove all names from the accounts after ten years.

The books are closed each 31 December; they are kept ten years from then (code du patrimoine,
instruction codificatrice on the archives of accounts). Numbers, amounts and the journal stay for
ever: without names, codes and papers they are nobody's.
"""

from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path

from peewee import Expression, fn

from kiosque.db import write
from kiosque.db.models import (
    Allocation,
    Attempt,
    Family,
    Invoice,
    InvoiceLine,
    JournalEntry,
    Settlement,
    StatementLine,
)
from kiosque.db.states import InvoiceState, PrivacyActKind
from kiosque.language import clock
from kiosque.privacy import acts

YEARS = 10
#: Rows in one transaction, so that others can write in between.
BATCH = 200


def kept_since() -> date:
    """Return the first day of the oldest year whose accounts are kept."""
    return date(clock.today().year - YEARS, 1, 1)


def _instant() -> datetime:
    return datetime.combine(kept_since(), time(), clock.PARIS)


def old_invoices() -> Expression:
    """Select the invoices whose papers and names are past the time, and still there."""
    moved = (
        Allocation.select()
        .join(JournalEntry, on=JournalEntry.settlement == Allocation.settlement)
        .where(Allocation.invoice == Invoice.id, JournalEntry.at >= _instant())
    )
    old: Expression = (
        (Invoice.issued_on < kept_since())
        & (Invoice.state != InvoiceState.OPEN)
        & ((Invoice.children != "") | (Invoice.pdf_name != ""))
        & ~fn.EXISTS(moved)
    )
    return old


def old_payments() -> Expression:
    """Select the payments whose card and authorisation are past the time, and still there."""
    moved = JournalEntry.select().where(
        JournalEntry.settlement == Settlement.id, JournalEntry.at >= _instant()
    )
    old: Expression = (
        (Settlement.settled_at < _instant())
        & ((Settlement.card_last4 != "") | (Settlement.authorisation != ""))
        & ~fn.EXISTS(moved)
    )
    return old


def old_statement_lines() -> Expression:
    """Select the lines of the bank's statements that are past the time, and still have words: those
    of a transfer name who made it."""
    has_words = (StatementLine.label != "") | (StatementLine.reference != "")
    old: Expression = (StatementLine.booked_on < kept_since()) & has_words
    return old


def unnamed_families() -> Expression:
    """Select the families forgotten whose accounts are all past the time, and their codes there."""
    moved = JournalEntry.select().join(Settlement)
    traces = (
        Invoice.select().where(
            Invoice.family == Family.id,
            (Invoice.issued_on >= kept_since()) | (Invoice.state == InvoiceState.OPEN),
        ),
        Attempt.select().where(Attempt.family == Family.id, Attempt.started_at >= _instant()),
        moved.where(Settlement.family == Family.id, JournalEntry.at >= _instant()),
    )
    named = ~Family.code.startswith("(")  # no code of a file begins so
    expression: Expression = Family.forgotten_at.is_null(False) & named
    for trace in traces:
        expression &= ~fn.EXISTS(trace)
    return expression


def close(pdf_folder: Path) -> tuple[int, int, int, int]:
    """Take the names off the invoices, payments, statement lines and families that are past the
    time. Return how many of each."""
    invoices = sum(_batches_of_invoices(pdf_folder))
    payments = sum(_batches_of_payments())
    lines = sum(_batches_of_statement_lines())
    families = list(Family.select().where(unnamed_families()))
    for family in families:
        _unname(family)
    return invoices, payments, lines, len(families)


def _batches_of_invoices(pdf_folder: Path) -> Iterator[int]:
    """Do some invoices at a time, and yield how many. Delete the paper first, so that an
    interrupted run is repeated."""
    while batch := list(Invoice.select().where(old_invoices()).limit(BATCH)):
        for invoice in batch:
            if invoice.pdf_name:
                (pdf_folder / invoice.pdf_name).unlink(missing_ok=True)
        ids = [invoice.id for invoice in batch]
        with write():
            Invoice.update(children="", pdf_name="").where(Invoice.id.in_(ids)).execute()
            InvoiceLine.update(child="").where(InvoiceLine.invoice.in_(ids)).execute()
        yield len(ids)


def _batches_of_payments() -> Iterator[int]:
    """Do some payments at a time, and yield how many."""
    bare = {"card_last4": "", "card_brand": "", "authorisation": ""}
    while ids := [each.id for each in Settlement.select().where(old_payments()).limit(BATCH)]:
        with write():
            Settlement.update(bare).where(Settlement.id.in_(ids)).execute()
        yield len(ids)


def _batches_of_statement_lines() -> Iterator[int]:
    """Do some lines at a time, and yield how many. Lines that differed only by their words get a
    rank of their own."""
    bare = {"label": "", "reference": "", "occurrence": StatementLine.id}
    while ids := [it.id for it in StatementLine.select().where(old_statement_lines()).limit(BATCH)]:
        with write():
            StatementLine.update(bare).where(StatementLine.id.in_(ids)).execute()
        yield len(ids)


def _unname(family: Family) -> None:
    with write():
        again = Family.select().where(Family.id == family.id, unnamed_families())
        if again.exists():
            values = {"code": f"(oubliée {family.id})", "name": ""}
            Family.update(values).where(Family.id == family.id).execute()
            acts.note(PrivacyActKind.UNNAMED, family, reason=f"comptes de plus de {YEARS} ans")
