"""Read the invoices and children of a file that the database has already."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from kiosque.db import database
from kiosque.db.models import Child, Family, Invoice, InvoiceLine, Service
from kiosque.invoices.imports.drafts import Draft, pdf_name
from kiosque.spelling import fold

#: SQLite takes at most 32766 values a statement.
CHUNK = 500

_DIGESTS = "SELECT number, digest FROM invoice WHERE number IN ({})"
_IDS = "SELECT number, id FROM invoice WHERE id > {}"


def why_another(draft: Draft) -> str:
    """Say in French why an invoice is not the one that has its number; nothing when it is, with
    its lines in another order or a service spelt otherwise."""
    stored = Invoice.select(Invoice, Family).join(Family).where(Invoice.number == draft.number)
    invoice = stored.get()
    if invoice.family.code != draft.code:
        return (
            f"le numéro {draft.number} est déjà celui d’une facture d’une autre famille, "
            f"{invoice.family.code}. Donnez un autre numéro à celle de {draft.code}."
        )
    if _head(invoice, draft) == _draft_head(draft) and _lines(invoice) == _draft_lines(draft):
        return ""
    return (
        f"la facture {draft.number} est déjà enregistrée avec un autre contenu. "
        "Annulez-la puis émettez-en une autre sous un nouveau numéro."
    )


def _head(invoice: Invoice, draft: Draft) -> tuple[object, ...]:
    """Return what is compared of an invoice; leave out its PDF if the file names none."""
    paper = invoice.pdf_name if draft.pdf else ""
    return (invoice.issued_on, invoice.due_on, invoice.period, paper)


def _draft_head(draft: Draft) -> tuple[object, ...]:
    return (draft.issued_on, draft.due_on, draft.period, pdf_name(draft) if draft.pdf else "")


def _lines(invoice: Invoice) -> Sequence[tuple[object, ...]]:
    found = InvoiceLine.select(InvoiceLine, Service).join(Service)
    return sorted(
        (
            line.child,
            line.service.key,
            line.label,
            line.quantity_hundredths,
            line.unit_price_cents,
            line.amount_cents,
        )
        for line in found.where(InvoiceLine.invoice == invoice)
    )


def _draft_lines(draft: Draft) -> Sequence[tuple[object, ...]]:
    return sorted(
        (
            line["child"],
            fold(line["service"]),
            line["label"],
            line["quantity_hundredths"],
            line["unit_price_cents"],
            line["amount_cents"],
        )
        for line in draft.lines
    )


def known_digests(numbers: Sequence[str]) -> dict[str, str]:
    """Return the digests of those invoices that are in the database, by number.

    Use plain SQL: Peewee would handle each of 25 000 numbers and rows one at a time.
    """
    found: dict[str, str] = {}
    for part in chunks(numbers):
        places = ", ".join([database.param] * len(part))
        found.update(database.execute_sql(_DIGESTS.format(places), part).fetchall())
    return found


def ids_after(last: int) -> dict[str, int]:
    """Return the ids of the invoices inserted after the id `last`, by number."""
    return dict(database.execute_sql(_IDS.format(database.param), (last,)))


def known_children(codes: Iterable[str]) -> dict[str, set[str]]:
    """Return the names of the children of each family, by its code."""
    names: dict[str, set[str]] = {}
    for part in chunks(sorted(codes)):
        found = Child.select(Child.name, Family.code).join(Family).where(Family.code.in_(part))
        for child in found:
            names.setdefault(child.family.code, set()).add(child.name)
    return names


def ids(column: Any, values: Iterable[str]) -> dict[str, int]:
    """Return the ids of the rows that have these values in a column, by the value."""
    found: dict[str, int] = {}
    for part in chunks(sorted(set(values))):
        found.update(column.model.select(column, column.model.id).where(column.in_(part)).tuples())
    return found


def chunks(items: Iterable[Any]) -> Iterator[list[Any]]:
    """Yield the items by lists of CHUNK at most."""
    iterator = iter(items)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk
