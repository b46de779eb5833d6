"""Money that leaves again: undone or given back by the bank, taken back by the payer's bank.

These steps belong inside `write()`. What a settlement paid of an invoice is due again once
all of that settlement has left; a part given back leaves it paid, and a human decides.
"""

from kiosque.db import require_write
from kiosque.db.models import Allocation, Anomaly, Invoice, Repayment, Settlement
from kiosque.db.states import (
    AllocationKind,
    AnomalyKind,
    AttemptState,
    FactSource,
    InvoiceState,
    RepaymentKind,
    RepaymentState,
    SettlementState,
)
from kiosque.language import clock
from kiosque.payments import journal
from kiosque.payments.accounting_rules import (
    book,
    expected_balances,
    may_be_undone,
    owed_cents,
    settlements_of_payment,
)
from kiosque.payments.allocations import pay_with_overpayments, resolve_overpayments, unpay
from kiosque.payments.anomalies import flag_anomaly, resolve_by_itself, take_over
from kiosque.payments.attempt_facts import add_fact
from kiosque.payments.queries import facts_of, parts_of
from kiosque.payments.taken_back import formers

#: The status of the fact that says that all the money of a debit has left again.
RETURNED = "returned"


def reverse_debit(settlement: Settlement, label: str) -> None:
    """Take out of the books what remained of a debit that the bank undid."""
    if settlement.state != SettlementState.COUNTED:
        return
    asked = asked_of(settlement)
    if asked and asked.amount_cents == settlement.remaining_cents:
        repayment = mark_done(asked)
    else:
        if asked:  # no refund can be made of a debit that the bank undid
            end_request(asked, RepaymentState.DECLINED)
        repayment = create_repayment(
            settlement,
            RepaymentKind.REVERSAL,
            settlement.remaining_cents,
            key=f"reversal:{settlement.id}",
        )
    book_repayment(repayment, label)


def book_repayment(repayment: Repayment, label: str) -> None:
    """Book a repayment that is done. Its amount is at most what remained of its settlement."""
    require_write()
    cents = repayment.amount_cents
    changed = (
        Settlement.update(returned_cents=Settlement.returned_cents + cents)
        .where(
            Settlement.id == repayment.settlement_id,
            Settlement.state == SettlementState.COUNTED,
            Settlement.returned_cents + cents <= Settlement.amount_cents,
        )
        .execute()
    )
    if not changed:
        raise RuntimeError("more was given back than had come")
    settlement = Settlement.get_by_id(repayment.settlement_id)
    reopened = [] if settlement.remaining_cents else _withdraw(settlement)
    _resolve_overpayments_given_back(settlement, label)
    _resolve_declined(settlement, cents, label)
    if repayment.author:
        _resolve_dealt_with(settlement, label)
    # A refund is a new event; a debit undone or an *impayé* corrects the earlier entries.
    is_news = repayment.kind == RepaymentKind.REFUND
    book(settlement, label, () if is_news else formers(settlement))
    for invoice in reopened:
        pay_with_overpayments(invoice)
    if not repayment.author:
        _flag_money_gone(repayment, settlement, label)


def _withdraw(settlement: Settlement) -> list[Invoice]:
    """Make due again what a settlement paid, now that all its money has left. Return these
    invoices."""
    kinds = {each.kind for each in repayments_done(settlement)}
    refunded = kinds == {RepaymentKind.REFUND}
    state = SettlementState.REFUNDED if refunded else SettlementState.REVERSED
    Settlement.update(state=state).where(Settlement.id == settlement.id).execute()
    settlement.state = state
    if settlement.attempt:
        add_fact(
            settlement.attempt,
            transaction_name(settlement),
            AttemptState.REFUNDED if refunded else AttemptState.REVERSED,
            RETURNED,
            source=FactSource.PORTAL,
            cents=settlement.amount_cents,
        )
    paying = [part for part in parts_of(settlement) if part.kind == AllocationKind.INVOICE]
    Allocation.update(counts=False).where(Allocation.settlement == settlement).execute()
    for part in paying:
        unpay(part)
    return list(dict.fromkeys(part.invoice for part in paying if part.invoice))


def transaction_name(settlement: Settlement, *, restored: bool = False) -> str:
    """Return the transaction id for facts about a debit: the bank's name, and how often a human
    restored it, since the facts from before a restoration remain."""
    name = settlement.transaction_id or ""
    facts = facts_of(settlement.attempt) if settlement.attempt else []
    times = restored + sum(
        fact.source == FactSource.REGISSEUR and fact.transaction_id.startswith(f"{name}+")
        for fact in facts
    )
    return f"{name}+{times}" if times else name


def _resolve_overpayments_given_back(settlement: Settlement, label: str) -> None:
    """Take off the list the *trop-perçus* of this payment that have been given back."""
    settlements = settlements_of_payment(settlement)
    owed = expected_balances(settlements)[journal.ACCOUNTS[AllocationKind.OVERPAYMENT]]
    gone = [each.id for each in settlements if not owed or each.state != SettlementState.COUNTED]
    resolve_overpayments(Anomaly.settlement.in_(gone), label)


def _resolve_declined(settlement: Settlement, cents: int, label: str) -> None:
    """Resolve the entries about declined refunds: those of this amount, now given back after all,
    or all of them once nothing is left to give back."""
    declined = (Anomaly.settlement == settlement.id) & (Anomaly.kind == AnomalyKind.DECLINED)
    if settlement.remaining_cents:
        declined &= Anomaly.amount_cents == cents
    resolve_by_itself(declined, label)


def _resolve_dealt_with(settlement: Settlement, label: str) -> None:
    """Resolve the entries that a human has dealt with by this repayment: about a debit without a
    use that is no longer owed, or about an odd or uncaptured one of which nothing is left."""
    kinds = {part.kind for part in parts_of(settlement)}
    if settlement.remaining_cents and (
        AllocationKind.UNMATCHED not in kinds or owed_cents(settlement)
    ):
        return
    named = (Anomaly.gateway == settlement.gateway) & (
        Anomaly.transaction_id == settlement.transaction_id
    )
    which = named & (Anomaly.kind == AnomalyKind.MISMATCH)
    if settlement.attempt and not may_be_undone(settlement.attempt):
        which |= (Anomaly.attempt == settlement.attempt) & (Anomaly.kind == AnomalyKind.UNCAPTURED)
    resolve_by_itself(which, label)


def reopened_by(settlement: Settlement) -> list[str]:
    """Return the numbers of the invoices that a payment paid and that are to be paid again."""
    return _paid_by(settlement, InvoiceState.OPEN)


def taken_over_by_treasury(settlement: Settlement) -> list[str]:
    """Return the numbers of the invoices that a payment paid and that the Treasury now collects."""
    return _paid_by(settlement, InvoiceState.TRANSMITTED)


def _paid_by(settlement: Settlement, state: InvoiceState) -> list[str]:
    paid = (
        Invoice.select(Invoice.number)
        .join(Allocation)
        .where(
            Allocation.settlement == settlement,
            Allocation.kind == AllocationKind.INVOICE,
            Invoice.state == state,
        )
        .order_by(Invoice.number)
    )
    return [invoice.number for invoice in paid]


def _flag_money_gone(repayment: Repayment, settlement: Settlement, label: str) -> None:
    whole = not settlement.remaining_cents
    gateway, transaction = settlement.gateway or "", settlement.transaction_id or ""
    said = take_over(gateway, transaction, settlement.attempt, label) if whole else ""
    flag_anomaly(
        gone_key(repayment),
        AnomalyKind(settlement.state) if whole else AnomalyKind.PARTIAL_REFUND,
        repayment.amount_cents,
        said or f"{label}, en partie",
        gateway=gateway,
        transaction_id=transaction,
        attempt=settlement.attempt,
        settlement=settlement,
    )


def repayments_done(settlement: Settlement) -> list[Repayment]:
    """Return the completed repayments of a settlement, in the order in which the money left, which
    may not be that in which they were asked for."""
    return list(
        Repayment.select()
        .where(Repayment.settlement == settlement, Repayment.state == RepaymentState.DONE)
        .order_by(Repayment.done_at, Repayment.id)
    )


def gone_key(repayment: Repayment) -> str:
    """Return the key of the anomaly about money that left."""
    return f"gone:{repayment.id}"


def guess_key(repayment: Repayment) -> str:
    """Return the key of the anomaly about a refund whose debit was guessed."""
    return f"guessed_refund:{repayment.id}"


def was_credited(settlement: Settlement) -> bool:
    """Return whether a refund that the bank told of was matched with this debit."""
    return any(each.transaction_id for each in repayments_done(settlement))


def given_elsewhere(settlement: Settlement) -> int:
    """Return the cents of a settlement that the town gave back without the bank."""
    return sum(
        each.amount_cents
        for each in repayments_done(settlement)
        # A refund asked of the bank has a `sent_at`; without one, the town made it by itself.
        if each.author and each.kind == RepaymentKind.REFUND
        if each.sent_at is None and each.transaction_id is None
    )


def asked_of(settlement: Settlement) -> Repayment | None:
    return Repayment.get_or_none(
        Repayment.settlement == settlement, Repayment.state == RepaymentState.ASKED
    )


def end_request(
    repayment: Repayment, state: RepaymentState, transaction_id: str | None = None
) -> bool:
    """End a request. Return False when it had ended before."""
    changed: int = (
        Repayment.update(
            state=state,
            transaction_id=transaction_id,
            done_at=clock.now() if state == RepaymentState.DONE else None,
        )
        .where(Repayment.id == repayment.id, Repayment.state == RepaymentState.ASKED)
        .execute()
    )
    if changed:
        resolve_by_itself(Anomaly.key == silence_key(repayment), "demande terminée")
    return changed == 1


def silence_key(repayment: Repayment) -> str:
    """Return the key of the anomaly about a request that the bank leaves without an answer."""
    return f"unanswered_refund:{repayment.key}"


def mark_done(repayment: Repayment, transaction_id: str | None = None) -> Repayment:
    end_request(repayment, RepaymentState.DONE, transaction_id)
    return Repayment.get_by_id(repayment.id)


def create_repayment(
    settlement: Settlement,
    kind: RepaymentKind,
    cents: int,
    *,
    key: str,
    transaction_id: str | None = None,
) -> Repayment:
    return Repayment.create(
        settlement=settlement,
        kind=kind,
        state=RepaymentState.DONE,
        amount_cents=cents,
        key=key,
        gateway=settlement.gateway,
        transaction_id=transaction_id,
        asked_at=clock.now(),
        done_at=clock.now(),
    )
