"""The names by which a person may ask for a payment: its receipt's number, that of an invoice that
it paid, the bank's name of the debit, or our own number."""

import re

from peewee import ModelSelect

from kiosque.db.models import Allocation, Invoice, Repayment, Settlement
from kiosque.db.states import AllocationKind, RepaymentState
from kiosque.language import clock, formats
from kiosque.language.formats import format_euros
from kiosque.payments.receipts import receipt_of, receipts_named
from kiosque.payments.refusals import Refused

#: Excludes the use of a credit note, which is no money to give back or restore.
_IS_MONEY = Settlement.credit_note.is_null()
_OURS = re.compile("encaissement-([0-9]{1,9})", re.ASCII)


def find_settlement(name: str) -> Settlement:
    """Return the payment that a name stands for: the number of its receipt (`R000123`, `R123`) or
    of an invoice that it pays, the bank's name of the debit, or our own number (`encaissement-12`).
    Raises Refused."""
    receipt = receipts_named(name).first()
    return receipt.settlement if receipt else _only(_payers_of(name), name) or _named(name)


def find_departed(name: str, cents: int | None) -> Settlement:
    """Return a payment by its name, as `find_settlement` does; but an invoice's number means first
    a payment that came for it and whose money has left, by a repayment of `cents` if given. Raises
    Refused, naming them, if there are several."""
    if receipts_named(name).exists():
        return find_settlement(name)
    left = Repayment.select(Repayment.settlement).where(Repayment.state == RepaymentState.DONE)
    if cents is not None:
        left = left.where(Repayment.amount_cents == cents)
    of_invoice = Settlement.id.in_(_parts_for(name).select(Allocation.settlement))
    found = Settlement.select().where(of_invoice, Settlement.id.in_(left), _IS_MONEY)
    found = found.order_by(Settlement.id)
    return _only(list(found), name) or find_settlement(name)


def name_of(settlement: Settlement) -> str:
    """Return the name of a payment in commands: its receipt's, else the bank's, else our own."""
    receipt = receipt_of(settlement)
    return receipt.title if receipt else settlement.transaction_id or _our_name(settlement)


def _our_name(settlement: Settlement) -> str:
    return f"encaissement-{settlement.id}"


def bank_name(text: str) -> str:
    """Return a debit's name, copied from the bank's back office, in the form that the adapters use:
    hexadecimal digits in lower case."""
    name = text.strip()
    return name.lower() if re.fullmatch(r"[0-9A-Fa-f-]{32,36}", name, re.ASCII) else name


def other_uses(settlement: Settlement, name: str, cents: int) -> list[str]:
    """When a payment was named by an invoice's number, say in French all that it was for, part by
    part. Return nothing if `cents` is exactly its part for that invoice, or if it was named
    otherwise."""
    parts = list(Allocation.select().where(Allocation.settlement == settlement))
    named = [part for part in parts if part.invoice and part.invoice.number == name.strip()]
    if not named or cents == sum(part.amount_cents for part in named):
        return []
    return [_use(part) for part in sorted(parts, key=lambda part: part.id)]


def _use(part: Allocation) -> str:
    what = f"facture {part.invoice.number}" if part.invoice else "sans emploi"
    twice = ", trop-perçu" if part.kind == AllocationKind.OVERPAYMENT else ""
    return f"{what}{twice} : {format_euros(part.amount_cents)}"


def _parts_for(number: str) -> "ModelSelect[Allocation]":
    """Return a query of the parts of payments that came for the invoice of this number."""
    return Allocation.select().join(Invoice).where(Invoice.number == number.strip())


def _payers_of(number: str) -> list[Settlement]:
    paying = _parts_for(number).where(
        Allocation.kind == AllocationKind.INVOICE,
        Allocation.counts == True,  # noqa: E712  # an SQL expression
    )
    return list(
        Settlement.select().where(
            Settlement.id.in_(paying.select(Allocation.settlement)), _IS_MONEY
        )
    )


def _named(name: str) -> Settlement:
    number = _OURS.fullmatch(name.strip())
    which = Settlement.transaction_id == bank_name(name)
    if number:
        which |= Settlement.id == int(number[1])
    found = _only(list(Settlement.select().where(which)), name)
    if found is None:
        raise Refused(
            [f"Aucun reçu, aucune facture payée ni aucun débit ne porte le numéro {name[:30]}."]
        )
    return found


def _only(found: list[Settlement], name: str) -> Settlement | None:
    """Return the one found, or None. Raises Refused where there are several."""
    if len(found) > 1:
        several = " ; ".join(map(_described, found))
        raise Refused([f"Plusieurs paiements répondent à {name[:30]}. Dites lequel : {several}."])
    return found[0] if found else None


def _described(settlement: Settlement) -> str:
    day = formats.short_date(clock.paris_date(settlement.settled_at))
    because = f", {settlement.reason}" if settlement.reason else ""
    return f"{_our_name(settlement)} (le {day}, {format_euros(settlement.amount_cents)}{because})"
