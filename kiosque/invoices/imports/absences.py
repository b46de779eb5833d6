"""Find the invoices loaded earlier that a new export of their month no longer contains."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from peewee import fn

from kiosque.db.models import Family, ImportBatch, Invoice, InvoiceLine, Service
from kiosque.db.states import InvoiceState
from kiosque.invoices.imports.already_loaded import chunks
from kiosque.invoices.imports.drafts import Draft
from kiosque.invoices.imports.reading import Absent
from kiosque.payments.words import INVOICE_STATES
from kiosque.spelling import fold

#: A period, and the key of a *régie*.
Month = tuple[str, str]


def absences(drafts: Sequence[Draft], known: Collection[str]) -> tuple[Absent, ...]:
    """Return the invoices that the file of these drafts lacks, in the order of their loads. `known`
    are the numbers of those of its own that are loaded.

    Look only in the earlier loads that the file repeats, and in later loads that were repetitions
    too, for invoices that share a period, a *régie* and a service with one that the file repeats.
    If more are missing than repeated, the file is a part of the month: it lacks none.
    """
    repeated = [draft for draft in drafts if draft.number in known]
    counts, batches = _repeated([draft.number for draft in repeated])
    if not batches:
        return ()
    of_file: dict[str, set[str]] = {}
    for draft in repeated:
        of_file.setdefault(draft.period, set()).update(line["service"] for line in draft.lines)
    keys = {period: set(map(fold, names)) for period, names in of_file.items()}
    others = {row[0]: row for row in _loaded(batches, [*keys]) if row[1] not in known}
    of_others = _services(others)
    found: dict[Month, list[Absent]] = {}
    for id_, number, code, cents, state, *month in others.values():
        period, regie = month
        if of_others[id_] & keys[period]:
            words = INVOICE_STATES[InvoiceState(state)]
            absent = Absent(number, code, cents, words, regie)
            found.setdefault((period, regie), []).append(absent)
    return tuple(
        each for month, lacks in found.items() if len(lacks) <= counts[month] for each in lacks
    )


def _repeated(numbers: Sequence[str]) -> tuple[Counter[Month], set[int]]:
    """Count the invoices of these numbers by month, and return the loads that brought them."""
    counts, batches = Counter[Month](), set[int]()
    for part in chunks(numbers):
        columns = (Invoice.period, Invoice.regie, Invoice.batch)
        query = Invoice.select(*columns, fn.COUNT(Invoice.id)).where(Invoice.number.in_(part))
        rows: Any = query.group_by(*columns).tuples()
        for period, regie, batch, count in rows:
            counts[period, regie] += count
            batches.add(batch)
    return counts, batches


def _loaded(batches: Collection[int], periods: Sequence[str]) -> Any:
    """Select the invoices of these periods, but cancelled ones, from these loads and from later
    loads that were repetitions: loads with more rows than the invoices they brought have lines."""
    brought = Invoice.select().where(Invoice.batch == ImportBatch.id, Invoice.period.in_(periods))
    lines = InvoiceLine.select(fn.COUNT(InvoiceLine.id)).join(Invoice)
    since = ImportBatch.select(ImportBatch.id).where(
        ImportBatch.id > min(batches),
        fn.EXISTS(brought),
        ImportBatch.row_count > lines.where(Invoice.batch == ImportBatch.id),
    )
    return (
        Invoice.select(
            Invoice.id, Invoice.number, Family.code, Invoice.total_cents, Invoice.state,
            Invoice.period, Invoice.regie,
        )
        .join(Family)
        .where(
            Invoice.period.in_(periods),
            Invoice.batch.in_(sorted(batches)) | Invoice.batch.in_(since),
            Invoice.state != InvoiceState.CANCELLED,
        )
        .order_by(Invoice.id)
        .tuples()
    )  # fmt: skip


def _services(invoices: Iterable[int]) -> dict[int, set[str]]:
    """Return the keys of the services of these invoices."""
    found: dict[int, set[str]] = {id_: set() for id_ in invoices}
    for part in chunks(found):
        lines = InvoiceLine.select(InvoiceLine.invoice, Service.key).join(Service).distinct()
        rows: Any = lines.where(InvoiceLine.invoice.in_(part)).tuples()
        for invoice, key in rows:
            found[invoice].add(key)
    return found
