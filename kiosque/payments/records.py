"""All that is kept of one payment, for the staff who answer for it."""

from typing import NamedTuple

from peewee import JOIN

from kiosque.db.models import Allocation, Invoice, Receipt, Repayment, Settlement
from kiosque.payments.accounting_rules import owed_cents
from kiosque.payments.receipts import receipt_of
from kiosque.payments.reversals import asked_of


class PaymentRecord(NamedTuple):
    """A payment, and what its money pays or paid. `owed_cents` pay nothing and are still there;
    `asked` is a refund whose outcome the bank has not yet told."""

    settlement: Settlement
    receipt: Receipt | None
    parts: list[Allocation]
    owed_cents: int
    asked: Repayment | None


def read(settlement: Settlement) -> PaymentRecord:
    parts = (
        Allocation.select(Allocation, Invoice)
        .join(Invoice, JOIN.LEFT_OUTER)
        .where(Allocation.settlement == settlement)
    )
    return PaymentRecord(
        settlement,
        receipt_of(settlement),
        list(parts.order_by(Allocation.id)),
        owed_cents(settlement),
        asked_of(settlement),
    )
