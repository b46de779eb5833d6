"""Apply a bank's verified report to the books."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from gateways.base import Mode, Outcome, Report
from kiosque.db import require_write, write
from kiosque.db.models import Allocation, Anomaly, Attempt, Fact, Settlement
from kiosque.db.prepared import PreparedQuery
from kiosque.db.states import (
    AllocationKind,
    AttemptState,
    FactSource,
    SettlementState,
    Verdict,
)
from kiosque.language import clock
from kiosque.outbox import queue
from kiosque.payments.accounting_rules import book, may_be_undone
from kiosque.payments.allocations import allocate
from kiosque.payments.anomalies import kept_key, resolve_by_itself
from kiosque.payments.attempt_facts import add_fact
from kiosque.payments.bank_messages import (
    BY_HAND,
    KNOWN,
    RECORDED,
    Decision,
    flag_mismatch,
    flag_unknown_order,
    is_own,
    keep_verified,
    why_unexpected,
)
from kiosque.payments.bank_refunds import is_refund_of_another, match_refunds, record_refund
from kiosque.payments.cancellations import (
    AGAIN,
    apply_cancellation,
    flag_denied,
    is_taken_back,
    recall,
)
from kiosque.payments.queries import (
    ALLOCATIONS,
    SETTLEMENTS,
    attempt_by_gateway_reference,
    attempt_by_reference,
    facts_of,
    items_of,
    parts_of,
    settlement_of,
)
from kiosque.payments.receipts import Issuers, issue_receipt
from kiosque.payments.reported_facts import add_reported_fact

_ONLINE = {Mode.CARD: "paiement en ligne", Mode.DIRECT_DEBIT: "prélèvement en ligne"}


def record(gateway_name: str, report: Report, issuers: Issuers) -> Verdict:
    """Apply a verified report and leave its audit row, in one transaction.

    It returns once committed: only then may the bank be answered. Repeating a report is harmless. A
    report that only says that there is news makes its attempt due to be asked about, and changes
    nothing else.
    """
    with write():
        decide = _make_due if report.ask else _apply
        decision = decide(gateway_name, report, issuers)
        keep_verified(gateway_name, decision, report)
    return decision.verdict


def record_answer(attempt: Attempt, reports: Sequence[Report], issuers: Issuers) -> None:
    """Apply what the bank answered about an attempt, by the same decision as for its messages.

    Belongs inside `write()`. What was news leaves an audit row.
    """
    require_write()
    for report in reports:
        decision = _apply(attempt.gateway, report, issuers)
        if decision != KNOWN:
            keep_verified(attempt.gateway, decision, report)


def attempt_of(gateway_name: str, report: Report) -> Attempt | None:
    """Return the attempt that a report is about, by our reference or else by the bank's."""
    if report.reference:
        return attempt_by_reference(gateway_name, report.reference)
    return attempt_by_gateway_reference(gateway_name, report.gateway_reference)


def _make_due(gateway_name: str, report: Report, issuers: Issuers) -> Decision:
    attempt = attempt_of(gateway_name, report)
    if attempt is None:
        # Without a reference of ours, anyone may have written it: do not bother a human.
        if report.reference:
            return flag_unknown_order(gateway_name, report, issuers)
        return Decision(Verdict.UNKNOWN_ORDER)
    ask_at(attempt, clock.now())
    return Decision(Verdict.TO_CONFIRM)


def _apply(gateway_name: str, report: Report, issuers: Issuers) -> Decision:
    attempt = attempt_of(gateway_name, report)
    if attempt is None:
        return flag_unknown_order(gateway_name, report, issuers)
    if report.outcome is Outcome.REFUNDED:
        return record_refund(attempt, report)
    settlement = settlement_of(gateway_name, report.transaction_id)
    if settlement and _was_entered_for(attempt, report, settlement):
        _give_to_attempt(settlement, attempt)
    if settlement and settlement.attempt_id != attempt.id:
        return flag_mismatch(attempt, report, "débit déjà enregistré pour un autre paiement")
    if not is_own(attempt, report) and report.outcome not in (Outcome.PAID, Outcome.REVERSED):
        # Such as a refund that failed: it has an identifier of its own.
        return flag_mismatch(attempt, report, report.anomaly or BY_HAND)
    if report.outcome is Outcome.PAID:
        return _apply_paid(attempt, report, settlement, issuers)
    if report.outcome is Outcome.REVERSED:
        return apply_cancellation(attempt, report, settlement)
    if not (facts := add_reported_fact(attempt, report)):
        return KNOWN
    flag_denied(attempt, report, settlement, facts)
    return RECORDED


def _apply_paid(
    attempt: Attempt, report: Report, settlement: Settlement | None, issuers: Issuers
) -> Decision:
    if report.currency != "EUR":
        return flag_mismatch(attempt, report, "devise inattendue")
    if settlement and settlement.amount_cents != report.cents:
        return flag_mismatch(attempt, report, "montant différent pour un même débit")
    if settlement is None and is_refund_of_another(attempt, report.transaction_id):
        return flag_mismatch(attempt, report, "débit du nom d’un remboursement")
    unexpected = why_unexpected(attempt, report)
    awaited = not unexpected
    facts = (add_reported_fact if awaited else _add_unmatched_fact)(attempt, report)
    if not facts:
        return KNOWN
    flag_denied(attempt, report, settlement, facts)
    undone = is_taken_back(recall(attempt, report, facts), report.transaction_id)
    # It arrives after the cancellation, or its money is not in the books: a human must look.
    again = undone and (settlement is not None or report.final)
    if not settlement and not undone:
        if awaited:
            settlement = _book_awaited(attempt, report, facts, issuers)
        else:
            settlement = _book_unmatched(attempt, report, facts, f"débit : {unexpected}")
    elif settlement and awaited and attempt.state == AttemptState.PAID:
        _use_as_awaited(attempt, report, settlement, facts, issuers)
    decision = flag_mismatch(attempt, report, unexpected) if unexpected else RECORDED
    if again:
        flag_mismatch(attempt, report, AGAIN)
    if settlement:
        _follow_until_final(attempt, report, settlement)
    return decision


def _follow_until_final(attempt: Attempt, report: Report, settlement: Settlement) -> None:
    """Note that a debit is final; ask again tomorrow while the bank may still undo a debit of this
    attempt."""
    if report.final and settlement.final_at is None:
        Settlement.update(final_at=clock.now()).where(Settlement.id == settlement.id).execute()
    if attempt.state == AttemptState.PAID:
        tomorrow = clock.now() + timedelta(days=1)
        ask_at(attempt, tomorrow if may_be_undone(attempt) else None)


def ask_at(attempt: Attempt, at: datetime | None) -> None:
    """Set when to ask the bank about an attempt next; None for never."""
    _ASK_AT.execute(attempt=attempt.id, at=at)


_ASK_AT = PreparedQuery(lambda attempt, at: Attempt.update(ask_at=at).where(Attempt.id == attempt))


def _book_awaited(
    attempt: Attempt, report: Report, facts: Sequence[Fact], issuers: Issuers
) -> Settlement:
    """Book a debit of the awaited amount: pay what is open, keep the rest as *trop-perçu*."""
    settlement = _settle_attempt(attempt, report)
    _pay(attempt, report, settlement, facts, issuers)
    return settlement


def _pay(
    attempt: Attempt,
    report: Report,
    settlement: Settlement,
    facts: Sequence[Fact],
    issuers: Issuers,
    spare: Allocation | None = None,
) -> None:
    for item in items_of(attempt):
        allocate(settlement, item.invoice_id, item.amount_cents, spare=spare)
        spare = None
    book(settlement, _ONLINE[report.mode])
    receipt = issue_receipt(settlement, issuers)
    if attempt.receipt_email:
        queue.add(f"receipt:{receipt.id}", "receipt", receipt.id, attempt.receipt_email)
        # The address was given for this receipt and nothing else.
        Attempt.update(receipt_email=None).where(Attempt.id == attempt.id).execute()
    match_refunds(attempt, facts)


def _use_as_awaited(
    attempt: Attempt,
    report: Report,
    settlement: Settlement,
    facts: Sequence[Fact],
    issuers: Issuers,
) -> None:
    """Pay with a debit that was booked as unexpected before the bank reported it as awaited, unless
    a human found a use for its money meanwhile. Its entry stays on the list: the result must not
    depend on the order of the reports."""
    parts = parts_of(settlement)
    if [part.kind for part in parts] == [AllocationKind.UNMATCHED]:
        resolve_by_itself(Anomaly.key == kept_key(settlement), "affecté comme attendu")
        _pay(attempt, report, settlement, facts, issuers, parts[0])


def _was_entered_for(attempt: Attempt, report: Report, settlement: Settlement) -> bool:
    """Return whether the debit of a report was entered by hand, as awaited but without its
    attempt."""
    return (
        settlement.attempt_id is None
        and settlement.state == SettlementState.COUNTED
        and report.outcome is Outcome.PAID
        and (report.currency, report.cents) == ("EUR", settlement.amount_cents)
        and not why_unexpected(attempt, report)
        and settlement.family in (None, attempt.family)
        and settlement.regie == attempt.regie
        and not is_taken_back(facts_of(attempt), report.transaction_id)
    )


def _give_to_attempt(settlement: Settlement, attempt: Attempt) -> None:
    settlement.attempt, settlement.family = attempt, attempt.family
    Settlement.update(attempt=attempt, family=attempt.family).where(
        Settlement.id == settlement.id
    ).execute()
    book(settlement, "débit entré à la main, annoncé par la banque")


def _add_unmatched_fact(attempt: Attempt, report: Report) -> list[Fact]:
    """Add the fact of an unexpected debit, as pending until a human has looked."""
    status = f"{report.status} unexpected amount"
    return add_fact(
        attempt, report.transaction_id, AttemptState.PENDING, status, source=FactSource.PORTAL
    )


def _book_unmatched(
    attempt: Attempt, report: Report, facts: Sequence[Fact], label: str
) -> Settlement:
    """Book an unexpected debit: it pays nothing."""
    settlement = _settle_attempt(attempt, report)
    kept = Allocation(
        settlement=settlement, kind=AllocationKind.UNMATCHED, amount_cents=report.cents
    )
    ALLOCATIONS.add(kept)
    book(settlement, label)
    match_refunds(attempt, facts)
    return settlement


def _settle_attempt(attempt: Attempt, report: Report) -> Settlement:
    settlement = Settlement(
        attempt=attempt,
        family=attempt.family_id,
        regie=attempt.regie,
        gateway=attempt.gateway,
        transaction_id=report.transaction_id,
        mode=report.mode,
        amount_cents=report.cents,
        settled_at=clock.now(),
        state=SettlementState.COUNTED,
        authorisation=report.authorisation,
        card_brand=report.card_brand,
        card_last4=report.card_last4,
    )
    SETTLEMENTS.add(settlement)
    return settlement
