"""The steps every change of money is made of. They belong inside `write()`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from peewee import Expression

from kiosque.db import require_write
from kiosque.db.models import (
    Allocation,
    Anomaly,
    Attempt,
    AttemptItem,
    Fact,
    Invoice,
    Receipt,
    Settlement,
)
from kiosque.db.prepared import PreparedQuery
from kiosque.db.states import (
    UNDECIDED,
    AllocationKind,
    AnomalyKind,
    AttemptState,
    FactSource,
    InvoiceState,
    SettlementState,
    attempt_state,
)
from kiosque.language import catalogue, clock
from kiosque.language.formats import format_euros
from kiosque.outbox import queue
from kiosque.payments import journal
from kiosque.payments.issuers import Issuers
from kiosque.payments.queries import facts_of, last_receipt_number, parts_of, settlements_of

#: How long an attempt that the bank calls pending keeps its invoices from another attempt.
PENDING_DAYS = 7


class Refused(Exception):
    """What was asked cannot be done; `reasons` are French sentences. Nothing was changed."""

    def __init__(self, reasons: Sequence[str], numbers: Sequence[str] = ()):
        """`numbers`, when given, are the invoices that the reasons are about, one each."""
        super().__init__("\n".join(reasons))
        self.reasons = list(reasons)
        self.numbers = list(numbers)


def learn(
    attempt: Attempt,
    transaction_id: str,
    state: AttemptState,
    status: str = "",
    *,
    source: FactSource,
    cents: int = 0,
    parent_id: str = "",
) -> list[Fact]:
    """Add a fact and recompute the attempt's state. Returns all that is now known of it; nothing
    when the fact was known before."""
    require_write()
    added = Fact.insert(
        attempt=attempt,
        at=clock.now(),
        transaction_id=transaction_id,
        state=state,
        status=status,
        amount_cents=cents,
        source=source,
        parent_id=parent_id,
    ).on_conflict("NOTHING")
    if not added.as_rowcount().execute():
        return []
    facts = facts_of(attempt)
    _decide_again(attempt, facts)
    return facts


def _decide_again(attempt: Attempt, facts: Sequence[Fact]) -> None:
    """Bring the attempt's state to what its facts amount to."""
    new = attempt_state((fact.transaction_id, AttemptState(fact.state)) for fact in facts)
    if not _CHANGE_STATE.execute(attempt=attempt.id, known=attempt.state, new=new):
        raise RuntimeError("attempt changed outside its transaction")
    attempt.state = new
    _keep_or_release(attempt)


_CHANGE_STATE = PreparedQuery(
    lambda attempt, known, new: Attempt.update(state=new).where(
        Attempt.id == attempt, Attempt.state == known
    )
)


def _keep_or_release(attempt: Attempt) -> None:
    """A decided attempt frees its invoices; a pending one holds them for days, taking back
    those that a refusal before it had freed and nobody else holds."""
    if attempt.state not in UNDECIDED:
        release(attempt)
    elif attempt.state == AttemptState.PENDING:
        attempt.live_until = clock.now() + timedelta(days=PENDING_DAYS)
        Attempt.update(live_until=attempt.live_until).where(Attempt.id == attempt.id).execute()
        held = AttemptItem.alias()
        held_invoices = held.select(held.invoice).where(held.live == True)  # noqa: E712
        AttemptItem.update(live=True).where(
            AttemptItem.attempt == attempt, AttemptItem.invoice.not_in(held_invoices)
        ).execute()


def release(attempt: Attempt) -> None:
    """Let another attempt take this one's invoices."""
    _RELEASE.execute(attempt=attempt.id)


_RELEASE = PreparedQuery(
    lambda attempt: AttemptItem.update(live=False).where(AttemptItem.attempt == attempt)
)


def allocate(settlement: Settlement, invoice_id: int, cents: int) -> None:
    """Pay the invoice if it is still open at this amount, else keep the money for a human."""
    paid = _PAY.execute(invoice=invoice_id, cents=cents)
    kind = AllocationKind.INVOICE if paid else AllocationKind.OVERPAYMENT
    Allocation.create(settlement=settlement, invoice=invoice_id, kind=kind, amount_cents=cents)
    if not paid:
        invoice = Invoice.get_by_id(invoice_id)
        note(
            _overpayment_key(settlement.id, invoice.id),
            AnomalyKind.OVERPAYMENT,
            cents,
            _why_overpaid(invoice, cents),
            attempt=settlement.attempt,
            settlement=settlement,
            invoice=invoice,
        )


_PAY = PreparedQuery(
    lambda invoice, cents: Invoice.update(state=InvoiceState.PAID).where(
        Invoice.id == invoice,
        Invoice.state == InvoiceState.OPEN,
        Invoice.total_cents == cents,
    )
)


def _overpayment_key(settlement_id: int, invoice_id: int) -> str:
    return f"overpayment:{settlement_id}:{invoice_id}"


def _why_overpaid(invoice: Invoice, cents: int) -> str:
    if invoice.state == InvoiceState.CANCELLED:
        return "facture annulée entre-temps"
    if invoice.state == InvoiceState.PAID:
        return "facture déjà payée"
    # For the régisseur, whose language is French, whatever the family's.
    with catalogue.using(catalogue.SOURCE):
        paid, due = format_euros(cents), format_euros(invoice.total_cents)
    return f"facture changée : {paid} payés, {due} dus"


def pay_with_overpayment(invoice: Invoice) -> None:
    """Pay an invoice open again with money that came twice for it, unless a human has already
    dealt with that money."""
    candidates = (
        Allocation.select(Allocation, Settlement)
        .join(Settlement)
        .where(
            Allocation.invoice == invoice,
            Allocation.kind == AllocationKind.OVERPAYMENT,
            Allocation.counts == True,  # noqa: E712  # an SQL expression
            Allocation.amount_cents == invoice.total_cents,
        )
        .order_by(Allocation.id)
    )
    for spare in list(candidates):
        key = _overpayment_key(spare.settlement.id, invoice.id)
        if resolve_overpayments(Anomaly.key == key, "affecté à la facture"):
            Allocation.update(kind=AllocationKind.INVOICE).where(
                Allocation.id == spare.id
            ).execute()
            Invoice.update(state=InvoiceState.PAID).where(Invoice.id == invoice.id).execute()
            book(spare.settlement, "trop-perçu affecté à la facture")
            return


def resolve_overpayments(which: Expression, resolution: str) -> int:
    """Take off the list the *trop-perçus* that are none any more. Returns how many."""
    taken_off: int = (
        Anomaly.update(
            resolved_at=clock.now(), resolved_by="Kiosque Famille", resolution=resolution
        )
        .where(which, Anomaly.kind == AnomalyKind.OVERPAYMENT, Anomaly.resolved_at.is_null())
        .execute()
    )
    return taken_off


def may_be_undone(attempt: Attempt) -> bool:
    """Whether the bank may still undo a debit of this attempt by itself."""
    return any(
        each.state == SettlementState.COUNTED and each.final_at is None
        for each in settlements_of(attempt.id)
    )


def book(settlement: Settlement, label: str) -> None:
    """Bring the journal to what the money of this payment is now for, by new entries."""
    settlements = of_one_payment(settlement)
    ids = [each.id for each in settlements]
    accounts = {
        journal.account(name, settlement.regie): cents
        for name, cents in balances(settlements).items()
    }
    journal.bring_to(accounts, settlement, ids, label)


def of_one_payment(settlement: Settlement) -> list[Settlement]:
    """The settlements, as they are now, of the attempt that this one belongs to; itself alone
    when it was taken at the counter."""
    if settlement.attempt_id is None:
        return [Settlement.get_by_id(settlement.id)]
    return settlements_of(settlement.attempt_id)


def balances(settlements: Sequence[Settlement]) -> dict[str, int]:
    """What the journal's accounts must hold, in cents, for the settlements of one payment: the
    accounts of their *régie*."""
    first = settlements[0]
    source = f"bank:{first.gateway}" if first.gateway else f"counter:{first.mode}"
    counted = [each for each in settlements if each.state == SettlementState.COUNTED]
    parts = dict.fromkeys(AllocationKind, 0)
    for settlement in counted:
        for part in parts_of(settlement):
            parts[AllocationKind(part.kind)] += part.amount_cents
    kept = sum(each.remaining_cents for each in settlements)
    return purposes(source, kept, parts, sum(each.returned_cents for each in counted))


@dataclass(frozen=True)
class Money:
    """What a family may read of the money of one payment, in cents: owed back to it because it
    came twice, or of another amount than awaited; given back though its invoices stay paid."""

    overpaid_cents: int
    unmatched_cents: int
    refunded_cents: int


def money_of(attempt: Attempt) -> Money:
    settlements = list(Settlement.select().where(Settlement.attempt == attempt))
    if not settlements:
        return Money(0, 0, 0)
    accounts = balances(settlements)
    return Money(
        -accounts[journal.ACCOUNTS[AllocationKind.OVERPAYMENT]],
        -accounts[journal.ACCOUNTS[AllocationKind.UNMATCHED]],
        accounts[journal.REFUNDS],
    )


def purposes(
    source: str, kept: int, parts: Mapping[AllocationKind, int], returned: int
) -> dict[str, int]:
    """The accounts of one payment: `kept` cents are still there, `parts` says what the money that
    counts was for, `returned` how much of that has been given back.

    What was given back is taken first from what was owed back, the *trop-perçus* then what
    matched nothing; only the rest is a refund of invoices, which stay paid until a settlement
    has left again wholly. So the order in which debits and refunds are heard of is of no account.
    """
    accounts = {source: kept}
    for kind in (AllocationKind.OVERPAYMENT, AllocationKind.UNMATCHED):
        taken = min(parts[kind], returned)
        accounts[journal.ACCOUNTS[kind]] = taken - parts[kind]
        returned -= taken
    accounts[journal.ACCOUNTS[AllocationKind.INVOICE]] = -parts[AllocationKind.INVOICE]
    accounts[journal.REFUNDS] = returned
    return accounts


def issue_receipt(settlement: Settlement, issuers: Issuers) -> Receipt:
    regie = issuers.regie_named(settlement.regie)
    return Receipt.create(
        number=last_receipt_number() + 1,
        settlement=settlement,
        issued_at=clock.now(),
        town_name=issuers.town_name,
        regie_name=regie.name,
        regisseur=regie.regisseur,
    )


def note(
    key: str,
    kind: AnomalyKind,
    cents: int,
    detail: str,
    *,
    regie: str | None = None,
    **about: Attempt | Settlement | Invoice | None,
) -> None:
    """Put something in the régisseur's list, once, and tell him by mail, once. `regie` is whose
    list; by default, that of what it is about."""
    require_write()
    if Anomaly.select().where(Anomaly.key == key).exists():
        return
    if regie is None:
        regie = next(each.regie for each in about.values() if each)
    anomaly = Anomaly.create(
        key=key,
        kind=kind,
        noted_at=clock.now(),
        amount_cents=cents,
        detail=detail,
        regie=regie,
        **about,
    )
    queue.add(f"anomaly:{anomaly.id}", "anomaly", anomaly.id, queue.regisseur_of(regie))


def resolve_note(key: str, resolution: str) -> None:
    """Take off the régisseur's list what has sorted itself out since."""
    Anomaly.update(
        resolved_at=clock.now(), resolved_by="Kiosque Famille", resolution=resolution
    ).where(Anomaly.key == key, Anomaly.resolved_at.is_null()).execute()
