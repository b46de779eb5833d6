"""From a bank's verified report to our books."""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple

from gateways.base import Callback, Mode, Outcome, Report, SigningKey
from kiosque.db import require_write, write
from kiosque.db.models import Allocation, Attempt, BankMessage, Fact, Repayment, Settlement
from kiosque.db.prepared import PreparedQuery
from kiosque.db.states import (
    AllocationKind,
    AnomalyKind,
    AttemptState,
    FactSource,
    SettlementState,
    Verdict,
)
from kiosque.language import clock
from kiosque.outbox import queue
from kiosque.payments.issuers import Issuers
from kiosque.payments.ledger import allocate, book, issue_receipt, learn, may_be_undone, note
from kiosque.payments.queries import (
    attempt_by_gateway_reference,
    attempt_by_reference,
    items_of,
    settlement_of,
)
from kiosque.payments.reversals import RETURNED, match_refunds, refund_key, reverse, was_credited

_ONLINE = {Mode.CARD: "paiement en ligne", Mode.DIRECT_DEBIT: "prélèvement en ligne"}
AGAIN = "débit annoncé de nouveau après son annulation"


class Decision(NamedTuple):
    """A verdict, and what it says more to a human, in French."""

    verdict: Verdict
    detail: str = ""


RECORDED, KNOWN = Decision(Verdict.RECORDED), Decision(Verdict.KNOWN)


def record(gateway_name: str, report: Report, issuers: Issuers) -> Verdict:
    """Apply a verified report and leave its audit row, in one transaction.

    Returning means committed: only then may the bank be told so. A repetition is as good as the
    first. A report that only says that there is news makes its attempt due to be asked about,
    and changes nothing else.
    """
    with write():
        decide = _make_due if report.ask else _apply
        decision = decide(gateway_name, report, issuers)
        _audit_verified(gateway_name, decision, report)
    return decision.verdict


def record_answer(attempt: Attempt, reports: Sequence[Report], issuers: Issuers) -> None:
    """Apply what the bank answered about an attempt, as part of the transaction under way: by
    the same decision as what it tells by itself. What was news leaves an audit row."""
    require_write()
    for report in reports:
        decision = _apply(attempt.gateway, report, issuers)
        if decision != KNOWN:
            _audit_verified(attempt.gateway, decision, report)


def attempt_of(gateway_name: str, report: Report) -> Attempt | None:
    """The attempt that a report is about, by our reference or else by the bank's."""
    if report.reference:
        return attempt_by_reference(gateway_name, report.reference)
    return attempt_by_gateway_reference(gateway_name, report.gateway_reference)


def _make_due(gateway_name: str, report: Report, issuers: Issuers) -> Decision:
    attempt = attempt_of(gateway_name, report)
    if attempt is None:
        # Without a reference of ours, anyone may have written it: not worth anyone's time.
        if report.reference:
            return _note_unknown(gateway_name, report, issuers)
        return Decision(Verdict.UNKNOWN_ORDER)
    Attempt.update(ask_at=clock.now()).where(Attempt.id == attempt.id).execute()
    return Decision(Verdict.TO_CONFIRM)


def record_rejected(gateway_name: str, detail: str, callback: Callback | None) -> None:
    """Leave the audit row of a message that was forged or garbled, with the names of its fields
    and no value; `detail` says in French what is wrong with it."""
    names = [name[:30] for name, _ in callback.fields[:30]] if callback else []
    with write():
        _audit(gateway_name, Decision(Verdict.REJECTED, detail), {"champs": " ".join(names)})


def _audit_verified(gateway_name: str, decision: Decision, report: Report) -> None:
    _audit(gateway_name, decision, report.raw, report.reference, report.signing_key)


def _audit(
    gateway_name: str,
    decision: Decision,
    fields: Mapping[str, str],
    reference: str = "",
    signing_key: SigningKey | None = None,
) -> None:
    BankMessage.create(
        received_at=clock.now(),
        gateway=gateway_name,
        accepted=decision.verdict != Verdict.REJECTED,
        verdict=decision.verdict,
        detail=decision.detail,
        reference=reference,
        fields=json.dumps(dict(fields), ensure_ascii=False, sort_keys=True),
        signing_key=signing_key,
    )


def _apply(gateway_name: str, report: Report, issuers: Issuers) -> Decision:
    attempt = attempt_of(gateway_name, report)
    if attempt is None:
        return _note_unknown(gateway_name, report, issuers)
    if report.outcome is Outcome.REFUNDED:
        return _refund(attempt, report)
    if report.gateway_reference != attempt.gateway_reference:
        if report.anomaly:  # such as a refund that failed: it has an identifier of its own
            return _note_mismatch(attempt, report, report.anomaly)
        return _note_unknown(gateway_name, report, issuers)
    settlement = settlement_of(gateway_name, report.transaction_id)
    if settlement and settlement.attempt_id != attempt.id:
        return _note_mismatch(attempt, report, "débit déjà enregistré pour un autre paiement")
    if report.outcome is Outcome.PAID:
        return _apply_paid(attempt, report, settlement, issuers)
    if not _learn_report(attempt, report):
        return KNOWN
    if report.outcome is Outcome.REVERSED and settlement:
        _undo(attempt, report, settlement)
    return RECORDED


def _undo(attempt: Attempt, report: Report, settlement: Settlement) -> None:
    """The bank took a debit back; and had said something else of it, that a human must see."""
    if settlement.final_at:  # heard in the other order
        _note_mismatch(attempt, report, AGAIN)
    elif was_credited(settlement):
        _note_mismatch(attempt, report, "débit annulé que la banque semblait avoir remboursé")
    reverse(settlement, "annulation à la banque")


def _apply_paid(
    attempt: Attempt, report: Report, settlement: Settlement | None, issuers: Issuers
) -> Decision:
    if report.currency != "EUR":
        return _note_mismatch(attempt, report, "devise inattendue")
    if settlement and settlement.amount_cents != report.cents:
        return _note_mismatch(attempt, report, "montant différent pour un même débit")
    awaited = report.cents == attempt.amount_cents
    facts = (_learn_report if awaited else _learn_unmatched)(attempt, report)
    if not facts:
        return KNOWN
    undone = _is_taken_back(facts, report.transaction_id)
    # Late news of a debit undone since, or real money that is not in the books?
    again = undone and (settlement is not None or report.final)
    if not settlement and not undone:
        if awaited:
            settlement = _book_awaited(attempt, report, facts, issuers)
        else:
            settlement = _book_unmatched(attempt, report, facts)
    decision = RECORDED if awaited else _note_mismatch(attempt, report, "montant inattendu")
    if again:
        _note_mismatch(attempt, report, AGAIN)
    if settlement:
        _follow(attempt, report, settlement)
    return decision


def _follow(attempt: Attempt, report: Report, settlement: Settlement) -> None:
    """Ask again tomorrow about money that the bank may still undo; not about the rest."""
    if report.final and settlement.final_at is None:
        Settlement.update(final_at=clock.now()).where(Settlement.id == settlement.id).execute()
    if attempt.state == AttemptState.PAID:
        tomorrow = clock.now() + timedelta(days=1)
        _ASK_AT.execute(attempt=attempt.id, at=tomorrow if may_be_undone(attempt) else None)


_ASK_AT = PreparedQuery(lambda attempt, at: Attempt.update(ask_at=at).where(Attempt.id == attempt))


def _learn_report(attempt: Attempt, report: Report) -> list[Fact]:
    """Add what a report says to what is known. Returns all of that; nothing when it is no news."""
    state = AttemptState(report.outcome.value)
    facts = learn(
        attempt,
        report.transaction_id,
        state,
        report.status,
        source=FactSource.BANK,
        cents=report.cents,
        parent_id=report.parent_id,
    )
    if facts and report.anomaly:
        _note_mismatch(attempt, report, report.anomaly)
    return facts


def _book_awaited(
    attempt: Attempt, report: Report, facts: Sequence[Fact], issuers: Issuers
) -> Settlement:
    """Money came, of the amount awaited: pay what is open, keep the rest as *trop-perçu*."""
    settlement = _settle_attempt(attempt, report)
    for item in items_of(attempt):
        allocate(settlement, item.invoice_id, item.amount_cents)
    book(settlement, _ONLINE[report.mode])
    receipt = issue_receipt(settlement, issuers)
    if attempt.receipt_email:
        queue.add(f"receipt:{receipt.number}", "receipt", receipt.number, attempt.receipt_email)
        # The address was given for this receipt and nothing else.
        Attempt.update(receipt_email=None).where(Attempt.id == attempt.id).execute()
    match_refunds(attempt, facts)
    return settlement


def _learn_unmatched(attempt: Attempt, report: Report) -> list[Fact]:
    """Money came, of another amount than awaited: nothing is decided until a human has looked."""
    status = f"{report.status} unexpected amount"
    return learn(
        attempt, report.transaction_id, AttemptState.PENDING, status, source=FactSource.BANK
    )


def _book_unmatched(attempt: Attempt, report: Report, facts: Sequence[Fact]) -> Settlement:
    """Money came, of another amount: it pays nothing."""
    settlement = _settle_attempt(attempt, report)
    Allocation.create(
        settlement=settlement, kind=AllocationKind.UNMATCHED, amount_cents=report.cents
    )
    book(settlement, "débit d’un montant inattendu")
    match_refunds(attempt, facts)
    return settlement


def _is_taken_back(facts: Sequence[Fact], transaction_id: str) -> bool:
    """Whether the bank has said that this debit was cancelled."""
    # That all of it has left otherwise is not the bank's word.
    return any(
        fact.transaction_id == transaction_id
        and fact.state == AttemptState.REVERSED
        and fact.status != RETURNED
        for fact in facts
    )


def _settle_attempt(attempt: Attempt, report: Report) -> Settlement:
    return Settlement.create(
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


def _refund(attempt: Attempt, report: Report) -> Decision:
    """Money that the bank gave back, wholly or in part."""
    if report.currency != "EUR":
        return _note_mismatch(attempt, report, "devise inattendue")
    if _is_refund_of_another(attempt, report):
        return _note_mismatch(
            attempt, report, "remboursement déjà enregistré pour un autre paiement"
        )
    known = Fact.select().where(
        Fact.attempt == attempt,
        Fact.transaction_id == report.transaction_id,
        Fact.state == AttemptState.REFUNDED,
    )
    if known.exists() or not (facts := _learn_report(attempt, report)):
        return KNOWN
    if not match_refunds(attempt, facts):
        note(
            refund_key(attempt, report.transaction_id),
            AnomalyKind.UNMATCHED_REFUND,
            report.cents,
            "remboursement à rapprocher",
            attempt=attempt,
        )
        return Decision(Verdict.UNMATCHED_REFUND)
    return RECORDED


def _is_refund_of_another(attempt: Attempt, report: Report) -> bool:
    return (
        Repayment.select()
        .join(Settlement)
        .where(
            Repayment.gateway == attempt.gateway,
            Repayment.transaction_id == report.transaction_id,
            Settlement.attempt != attempt,
        )
        .exists()
    )


def _note_unknown(gateway_name: str, report: Report, issuers: Issuers) -> Decision:
    """A genuine message about an order that is not one of ours: kept, told, never repeated."""
    facts = (gateway_name, report.reference, report.transaction_id, report.outcome, report.status)
    note(
        "unknown:" + ":".join(facts),
        AnomalyKind.UNKNOWN_ORDER,
        report.cents,
        f"commande {report.reference}",
        regie=issuers.regie_of_gateway(gateway_name),
    )
    return Decision(Verdict.UNKNOWN_ORDER)


def _note_mismatch(attempt: Attempt, report: Report, detail: str) -> Decision:
    facts = (attempt.reference, report.transaction_id, str(report.cents), detail)
    note("mismatch:" + ":".join(facts), AnomalyKind.MISMATCH, report.cents, detail, attempt=attempt)
    return Decision(Verdict.MISMATCH, detail)
