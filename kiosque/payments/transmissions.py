"""Invoices that the Treasury collects in place of the *régie*: transmitted with a list, taken back
when that was a mistake. What was paid before still counts; afterwards only the Treasury is paid.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from kiosque.db import require_write, write
from kiosque.db.models import ImportBatch, Invoice, Transmission
from kiosque.db.states import InvoiceState
from kiosque.language import clock, formats
from kiosque.payments import journal
from kiosque.payments.allocations import pay_with_overpayments
from kiosque.payments.counter import at_bank
from kiosque.payments.refusals import CHANGED, Refused, require_author_and_reason
from kiosque.payments.words import INVOICE_STATES

#: In characters: the town's name of a list.
LONGEST_LIST = 60
#: Most invoices at a time: they are all in one query.
MOST_TRANSMITTED = 500


def transmit(
    numbers: Iterable[str],
    list_name: str,
    on: date,
    author: str,
    reason: str,
    *,
    agreed: int | None = None,
) -> list[str]:
    """Note that the Treasury now collects these invoices, all or none of them. Return the numbers
    of those that were not on this list before. Raises Refused, naming every invoice that is not to
    pay, that its family is paying now, or that the date does not suit; and if the cents left to
    collect are not those `agreed`."""
    require_author_and_reason(author, reason)
    wanted, name = list(dict.fromkeys(numbers)), list_name.strip()
    with write():
        if fault := _why_not_list(wanted, name, on):
            raise Refused([fault])
        known = {invoice.number: invoice for invoice in _invoices(wanted)}
        listed = _listed(name)
        paying = at_bank(wanted)
        new = [number for number in wanted if number not in listed]
        if faults := [f for number in new for f in _faults(number, known.get(number), on, paying)]:
            raise Refused(faults)
        if agreed not in (None, sum(known[number].remaining_cents for number in new)):
            raise Refused([CHANGED])
        begin_transmission(
            [known[number].id for number in new], name, on, author.strip(), reason.strip()
        )
        Invoice.update(state=InvoiceState.TRANSMITTED).where(Invoice.number.in_(new)).execute()
    return new


def begin_transmission(
    ids: Iterable[int],
    list_name: str,
    on: date,
    author: str,
    reason: str,
    batch: ImportBatch | None = None,
) -> None:
    """Store since when, and by which list, the Treasury collects these invoices; `batch` is the
    load of the file that says so, if any."""
    require_write()
    number, _hash = journal.last()
    for invoice_id in ids:
        Transmission.create(
            invoice=invoice_id,
            list_name=list_name,
            transmitted_on=on,
            noted_at=clock.now(),
            journal_number=number,
            batch=batch,
            author=author,
            reason=reason,
        )


def take_back(number: str, author: str, reason: str) -> Invoice:
    """Make payable here again an invoice that was transmitted to the Treasury by mistake; a
    *trop-perçu* that came for it meanwhile pays it. Return it as it is now. Raises Refused if it is
    not transmitted, or is paid."""
    require_author_and_reason(author, reason)
    with write():
        invoice = Invoice.get_or_none(Invoice.number == number.strip())
        if invoice is None or invoice.state != InvoiceState.TRANSMITTED:
            words = INVOICE_STATES[InvoiceState(invoice.state)] if invoice else "elle n’existe pas"
            raise Refused([f"Facture {number[:30]}\u00a0: le Trésor public ne l’a pas ({words})."])
        Transmission.update(
            ended_at=clock.now(), ended_by=author.strip(), end_reason=reason.strip()
        ).where(Transmission.invoice == invoice, Transmission.ended_at.is_null()).execute()
        Invoice.update(state=InvoiceState.OPEN).where(Invoice.id == invoice.id).execute()
        pay_with_overpayments(Invoice.get_by_id(invoice.id))
    return Invoice.get_by_id(invoice.id)


def transmission_of(invoice: Invoice) -> Transmission | None:
    """Return since when the Treasury collects an invoice; None for one that is paid here."""
    found: Transmission | None = Transmission.get_or_none(
        Transmission.invoice == invoice, Transmission.ended_at.is_null()
    )
    return found


def _why_not_list(numbers: list[str], name: str, on: date) -> str:
    if not 0 < len(numbers) <= MOST_TRANSMITTED:
        return f"Donnez de 1 à {MOST_TRANSMITTED} factures."
    if not name or len(name) > LONGEST_LIST or not name.isprintable():
        return f"La liste a un nom, de {LONGEST_LIST} lettres visibles au plus."
    if on > clock.today():
        return f"Le {formats.short_date(on)} n’est pas encore passé."
    return ""


def _invoices(numbers: list[str]) -> list[Invoice]:
    return list(Invoice.select().where(Invoice.number.in_(numbers)))


def _listed(name: str) -> set[str]:
    """Return the numbers of the invoices that this list took to the Treasury."""
    found = Transmission.select(Transmission, Invoice).join(Invoice)
    of_list = found.where(Transmission.list_name == name, Transmission.ended_at.is_null())
    return {each.invoice.number for each in of_list}


def _faults(
    number: str, invoice: Invoice | None, on: date, paying: Mapping[str, str]
) -> Iterator[str]:
    """Say in French why an invoice cannot be transmitted."""
    named = f"Facture {number[:30]}\u00a0:"
    if invoice is None:
        yield f"{named} elle n’existe pas."
    elif invoice.state != InvoiceState.OPEN:
        yield f"{named} elle n’est pas à régler ({INVOICE_STATES[InvoiceState(invoice.state)]})."
    elif number in paying:
        yield f"{named} {paying[number]}."
    elif on < invoice.issued_on:
        issued = formats.short_date(invoice.issued_on)
        yield f"{named} elle date du {issued}, après sa transmission."
