"""The mails that told a family of an invoice or of a payment, and to send one again."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from peewee import Expression

from kiosque.db import write
from kiosque.db.models import (
    Allocation,
    Anomaly,
    FamilyNoticeItem,
    Invoice,
    OutboxMail,
    Receipt,
    Settlement,
)
from kiosque.db.states import MailState, NoticeKind
from kiosque.families import contacts
from kiosque.invoices import announcements
from kiosque.mails import rendering
from kiosque.outbox import queue
from kiosque.payments import Refused
from kiosque.staff import events
from kiosque.staff.events import Action, Actor

#: States of a mail, in French.
_STATES = {
    MailState.WAITING: "en attente",
    MailState.SENT: "parti",
    MailState.FAILED: "abandonné",
    MailState.DROPPED: "sans objet",
}
_RECEIPT = "receipt"


def in_words(mails: Iterable[OutboxMail]) -> list[tuple[OutboxMail, str, str]]:
    """Return these mails, each with the French words of its kind and of its state."""
    return [(each, rendering.words_of(each), _STATES[MailState(each.state)]) for each in mails]


def about_invoice(invoice: Invoice) -> list[OutboxMail]:
    """Return the mails kept that told of an invoice, and the receipts of what paid it."""
    notices = FamilyNoticeItem.select(FamilyNoticeItem.notice).where(
        FamilyNoticeItem.invoice == invoice
    )
    paying = Allocation.select(Allocation.settlement).where(Allocation.invoice == invoice)
    told = OutboxMail.template.in_([*NoticeKind]) & OutboxMail.object_id.in_(notices)
    return _found(told | _receipts_of(Receipt.settlement.in_(paying)))


def about_settlement(settlement: Settlement) -> list[OutboxMail]:
    """Return the mails kept that carried the receipt of a payment."""
    return _found(_receipts_of(Receipt.settlement == settlement))


def of_regies(regies: Collection[str] | None) -> Expression:
    """Return the condition of the mails that are not about money, or that are about these *régies*,
    by their keys; of all mails for None."""
    if regies is None:
        return OutboxMail.id.is_null(False)
    own = [*regies]
    told = FamilyNoticeItem.select(FamilyNoticeItem.notice).join(Invoice)
    receipts = Receipt.select(Receipt.id).join(Settlement)
    of_money: Mapping[str, Any] = {
        **dict.fromkeys(NoticeKind, told.where(Invoice.regie.in_(own))),
        _RECEIPT: receipts.where(Settlement.regie.in_(own)),
        "anomaly": Anomaly.select(Anomaly.id).where(Anomaly.regie.in_(own)),
    }
    found = OutboxMail.template.not_in([*of_money])
    for kind, objects in of_money.items():
        found |= (OutboxMail.template == kind) & OutboxMail.object_id.in_(objects)
    return found


def _receipts_of(which: Expression) -> Expression:
    numbers = Receipt.select(Receipt.id).where(which)
    found: Expression = (OutboxMail.template == _RECEIPT) & OutboxMail.object_id.in_(numbers)
    return found


def _found(which: Expression) -> list[OutboxMail]:
    return list(OutboxMail.select().where(which).order_by(OutboxMail.id))


def send_notice_again(invoice: Invoice, by: Actor) -> int:
    """Queue once more what told a family of an invoice, for each of its addresses. Return how many.
    Raises Refused."""
    with write():
        count = announcements.tell_again(invoice)
        events.add(Action.NOTICE_SENT, by, invoice.number)
    return count


def send_receipt_again(receipt: Receipt, by: Actor) -> int:
    """Queue a receipt once more, for each address of its family. Return how many. Raise Refused
    where there is none, or where it has just left."""
    family = receipt.settlement.family
    addresses = contacts.addresses(family) if family else []
    if not addresses:
        raise Refused(["Aucune adresse n’est connue de la famille."])
    with write():
        if fault := queue.why_not_again(_RECEIPT, receipt.id):
            raise Refused([fault])
        for address in addresses:
            queue.add(queue.new_key(_RECEIPT), _RECEIPT, receipt.id, address)
        events.add(Action.RECEIPT_SENT, by, receipt.title)
    return len(addresses)
