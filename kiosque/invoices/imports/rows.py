"""The rows that a file's new invoices become, in the order of `sql`."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from kiosque.db.models import ImportBatch
from kiosque.db.states import InvoiceState
from kiosque.invoices.imports.drafts import Draft, pdf_name
from kiosque.invoices.imports.reading import quoted
from kiosque.payments import begin_transmission
from kiosque.payments.anomalies import OURSELVES


def of_invoice(draft: Draft, closes_on: date | None, kept: Mapping[str, str]) -> tuple[object, ...]:
    """Return the row of an invoice without what only the database knows: its batch and its family.
    `kept` gives the name of each service by its spelling."""
    return (
        draft.number,
        draft.issued_on.isoformat(),
        draft.due_on.isoformat(),
        closes_on.isoformat() if closes_on else None,
        draft.period,
        ", ".join(dict.fromkeys([kept[line["service"]] for line in draft.lines])),
        draft.children,
        draft.total_cents,
        pdf_name(draft) if draft.paper else "",
        draft.digest,
        draft.regie,
        draft.state,
    )


def of_lines(
    drafts: Iterable[Draft], ids: Mapping[str, int], services: Mapping[str, int]
) -> Iterator[tuple[object, ...]]:
    """Yield the rows of the lines; `ids` gives the database's id of each invoice by its number,
    `services` that of each service by its spelling."""
    for draft in drafts:
        invoice = ids[draft.number]
        for line in draft.lines:
            yield (
                invoice,
                line["child"],
                services[line["service"]],
                line["label"],
                line["quantity_hundredths"],
                line["unit_price_cents"],
                line["amount_cents"],
            )


def give_to_treasury(drafts: Iterable[Draft], batch: ImportBatch, ids: Mapping[str, int]) -> None:
    """Store the transmissions of the invoices that the Treasury has already, as the file says."""
    lists: dict[tuple[str, date], list[int]] = {}
    for draft in drafts:
        if draft.state == InvoiceState.TRANSMITTED:
            lists.setdefault((draft.treasury_list, draft.issued_on), []).append(ids[draft.number])
    author, file = batch.author or OURSELVES, quoted(batch.file_name)
    for (name, on), invoice_ids in lists.items():
        begin_transmission(invoice_ids, name, on, author, f"fichier {file}", batch)
