"""From a bank's verified report to our books."""

import json

from gateways.base import Callback, Outcome, Report
from kiosque import clock, mail
from kiosque.database import write
from kiosque.models import Allocation, Attempt, AttemptItem, Fact, Notice, Settlement
from kiosque.payments.ledger import allocate, enter, issue_receipt, learn, note, take_back
from kiosque.states import AllocationKind, AttemptState, SettlementState, attempt_state


def record(gateway_name: str, report: Report) -> str:
    """Apply a verified report and leave its audit row, in one transaction.

    Returns a short verdict in French. Returning means committed: only then may the bank be
    told so. A repetition is as good as the first.
    """
    with write():
        verdict = _apply(gateway_name, report)
        _audit(gateway_name, verdict, report.reference, dict(report.raw), accepted=True)
    return verdict


def record_rejected(gateway_name: str, verdict: str, callback: Callback | None) -> None:
    """Leave the audit row of a message that was forged or garbled: its fields' names only."""
    names = [name[:40] for name, _ in callback.fields[:100]] if callback else []
    with write():
        _audit(gateway_name, verdict, "", {"champs": " ".join(names)}, accepted=False)


def _audit(
    gateway_name: str, verdict: str, reference: str, fields: dict[str, str], *, accepted: bool
) -> None:
    Notice.create(
        received_at=clock.now(),
        gateway=gateway_name,
        accepted=accepted,
        verdict=verdict,
        reference=reference,
        fields=json.dumps(fields, ensure_ascii=False, sort_keys=True),
    )


def _apply(gateway_name: str, report: Report) -> str:
    attempt = Attempt.get_or_none(
        Attempt.reference == report.reference, Attempt.gateway == gateway_name
    )
    if attempt is None:
        return _note_unknown(gateway_name, report)
    if report.outcome is Outcome.REFUNDED:
        return _refund(attempt, report)
    if report.gateway_reference != attempt.gateway_reference:
        return _note_unknown(gateway_name, report)
    if report.outcome is Outcome.PAID:
        return _apply_paid(attempt, report)
    if not _learn_report(attempt, report):
        return "déjà connu"
    settlement = _settlement_of(attempt, report)
    if report.outcome is Outcome.REVERSED and settlement:
        take_back(settlement, SettlementState.REVERSED, "annulation à la banque")
    return "enregistré"


def _apply_paid(attempt: Attempt, report: Report) -> str:
    if report.currency != "EUR":
        return _note_mismatch(attempt, report, "devise inattendue")
    settlement = _settlement_of(attempt, report)
    if settlement and settlement.amount_cents != report.cents:
        return _note_mismatch(attempt, report, "montant différent pour un même débit")
    if report.cents != attempt.amount_cents:
        return _receive_unmatched(attempt, report, settlement)
    if not _learn_report(attempt, report):
        return "déjà connu"
    if not settlement:
        _receive(attempt, report)
    return "enregistré"


def _learn_report(attempt: Attempt, report: Report) -> bool:
    """Add what a report says to what is known. False when it was known already."""
    state = AttemptState(report.outcome.value)
    new = learn(attempt, report.transaction_id, state, report.status, source=attempt.gateway)
    if new and report.anomaly:
        _note_mismatch(attempt, report, report.anomaly)
    return new


def _settlement_of(attempt: Attempt, report: Report) -> Settlement | None:
    """What we booked for the bank transaction that a report is about."""
    return Settlement.get_or_none(
        Settlement.gateway == attempt.gateway, Settlement.transaction_id == report.transaction_id
    )


def _receive(attempt: Attempt, report: Report) -> None:
    """Money came, of the amount awaited: pay what is open, keep the rest as *trop-perçu*."""
    facts = Fact.select().where(
        Fact.attempt == attempt, Fact.transaction_id == report.transaction_id
    )
    state = attempt_state(("", AttemptState(fact.state)) for fact in facts)
    if state is not AttemptState.PAID:
        return  # The bank took this debit back before we heard of it.
    settlement = _settle_attempt(attempt, report)
    for item in AttemptItem.select().where(AttemptItem.attempt == attempt).order_by(AttemptItem.id):
        allocate(settlement, item.invoice, item.amount_cents)
    enter(settlement, "paiement en ligne")
    receipt = issue_receipt(settlement)
    if attempt.receipt_email:
        mail.queue(f"receipt:{receipt.number}", "receipt", receipt.number, attempt.receipt_email)
        # The address was given for this receipt and nothing else.
        Attempt.update(receipt_email=None).where(Attempt.id == attempt.id).execute()


def _receive_unmatched(attempt: Attempt, report: Report, booked: Settlement | None) -> str:
    """Money came, of another amount: it pays nothing until a human has looked."""
    status = f"{report.status} montant inattendu"
    if not learn(
        attempt, report.transaction_id, AttemptState.PENDING, status, source=attempt.gateway
    ):
        return "déjà connu"
    if not booked:
        settlement = _settle_attempt(attempt, report)
        Allocation.create(
            settlement=settlement, kind=AllocationKind.UNMATCHED, amount_cents=report.cents
        )
        enter(settlement, "débit d’un montant inattendu")
    return _note_mismatch(attempt, report, "montant inattendu")


def _settle_attempt(attempt: Attempt, report: Report) -> Settlement:
    return Settlement.create(
        attempt=attempt,
        family=attempt.family,
        gateway=attempt.gateway,
        transaction_id=report.transaction_id,
        mode="card",
        amount_cents=report.cents,
        settled_at=clock.now(),
        state=SettlementState.COUNTED,
        authorisation=report.authorisation,
        card_brand=report.card_brand,
        card_last4=report.card_last4,
    )


def _refund(attempt: Attempt, report: Report) -> str:
    """A refund made at the bank: of the whole of one debit, or a human sorts it out."""
    counted = list(
        Settlement.select().where(
            Settlement.attempt == attempt,
            Settlement.state == SettlementState.COUNTED,
            Settlement.amount_cents == report.cents,
        )
    )
    status = f"{report.status} {report.transaction_id}"
    if Fact.select().where(Fact.attempt == attempt, Fact.status == status).exists():
        return "déjà connu"
    if len(counted) != 1 or report.currency != "EUR":
        return _note_mismatch(attempt, report, "remboursement à rapprocher")
    refunded = counted[0]
    learn(
        attempt,
        refunded.transaction_id or "",
        AttemptState.REFUNDED,
        status,
        source=attempt.gateway,
    )
    take_back(refunded, SettlementState.REFUNDED, "remboursement à la banque")
    return "enregistré"


def _note_unknown(gateway_name: str, report: Report) -> str:
    """A genuine message about an order that is not one of ours: kept, told, never repeated."""
    facts = (gateway_name, report.reference, report.transaction_id, report.outcome, report.status)
    note(
        "unknown:" + ":".join(facts), "unknown_order", report.cents, f"commande {report.reference}"
    )
    return "commande inconnue"


def _note_mismatch(attempt: Attempt, report: Report, detail: str) -> str:
    facts = (attempt.reference, report.transaction_id, report.status, str(report.cents))
    note("mismatch:" + ":".join(facts), "mismatch", report.cents, detail, attempt=attempt)
    return detail
