"""Ask the bank what became of an attempt, and believe its answer as much as its messages.

No network is used inside a transaction: a question is prepared, sent, and its answer applied, one
after the other. Asking twice is harmless.
"""

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future
from datetime import datetime, timedelta
from functools import cache
from threading import BoundedSemaphore

from gateways.base import Gateway, GatewayError, Polling, Polls, Report, Unreachable
from kiosque.db import require_no_write, require_write, write
from kiosque.db.models import Attempt, AttemptItem
from kiosque.db.prepared import PreparedQuery
from kiosque.db.states import UNDECIDED, AnomalyKind, AttemptState, FactSource
from kiosque.language import clock
from kiosque.payments import gateway_calls
from kiosque.payments.accounting_rules import may_be_undone
from kiosque.payments.anomalies import flag_anomaly
from kiosque.payments.attempt_facts import add_fact
from kiosque.payments.gateway_calls import CALL_SECONDS, CallOutcome
from kiosque.payments.incoming import ask_at, record_answer
from kiosque.payments.orders import order_of
from kiosque.payments.queries import attempt_by_id
from kiosque.payments.receipts import Issuers

#: Shortest time between two questions about an attempt on behalf of a waiting parent.
PATIENCE = timedelta(seconds=15)
#: The longest pause between two questions that the bank does not answer.
LONGEST_PAUSE = timedelta(hours=1)
#: A payment that the bank has been examining for longer is for a human to ask about.
PENDING_FOLLOWED = timedelta(days=60)
#: After this without an answer about an attempt, a human is told, once.
SILENCE = timedelta(days=1)
#: After this without an answer, stop asking about a decided attempt.
GIVEN_UP_AFTER = timedelta(days=10)
#: How long after its time an attempt whose bank cannot be asked is declared expired: the result
#: may follow the end of the bank's page by a few minutes.
GRACE = timedelta(minutes=15)
#: How many threads of a process may wait for one bank on behalf of visitors.
AT_ONCE = 2
_SILENT = (AttemptState.CREATED, AttemptState.HANDED_OFF)

_ANSWERED = PreparedQuery(
    lambda attempt, at, again: Attempt.update(
        asked_at=at, answered_at=at, unanswered=0, ask_at=again
    ).where(Attempt.id == attempt)
)


def first_question(attempt: Attempt, gateway: Gateway) -> datetime | None:
    """Return when to ask about an attempt just handed over; None where the bank cannot be asked."""
    if not isinstance(gateway, Polls):
        return None
    return attempt.started_at + timedelta(minutes=gateway.polling.ages_minutes[0])


def attempts_due(gateway_names: Collection[str], limit: int) -> list[Attempt]:
    """Return the attempts to ask about now, those that have waited longest first."""
    return list(
        Attempt.select()
        .where(Attempt.ask_at <= clock.now(), Attempt.gateway.in_(list(gateway_names)))
        .order_by(Attempt.ask_at, Attempt.id)
        .limit(limit)
    )


def begin_question(attempt: Attempt, gateway: Polls, public_url: str) -> "Future[list[Report]]":
    """Ask about one attempt. `finish_question` takes the answer."""
    order = order_of(attempt, public_url)
    require_no_write()
    return gateway_calls.poll(gateway, order)


def finish_question(
    attempt: Attempt,
    gateway: Polls,
    question: "Future[list[Report]]",
    issuers: Issuers,
    *,
    seconds: float = 0.0,
) -> CallOutcome:
    """Wait at most `seconds` for the bank's answer and apply it. If there is none, or it cannot be
    recorded, ask again later: one payment must not keep others waiting."""
    try:
        reports = gateway_calls.wait_for(question, seconds)
        _apply(attempt, gateway, reports, issuers)
    except GatewayError as error:
        outcome = gateway_calls.outcome_of(error)
    except Exception as error:  # noqa: BLE001  # an answer may hold anything
        outcome = gateway_calls.outcome_of(error)
        gateway_calls.log_defect(f"attempt {attempt.reference}", error)
    else:
        return CallOutcome.GIVEN
    postpone_question(attempt)
    return outcome


def ask_soon(
    attempt: Attempt,
    gateways: Mapping[str, Gateway],
    public_url: str,
    issuers: Issuers,
    *,
    patience: timedelta = PATIENCE,
) -> None:
    """Ask on behalf of somebody who waits, unless the bank was asked within `patience`, cannot be
    asked, or has AT_ONCE others waiting: a slow bank must not take all the threads of the site."""
    gateway = gateways.get(attempt.gateway)
    if not isinstance(gateway, Polls) or not attempt.gateway_reference:
        return
    places = _places(attempt.gateway)
    if not places.acquire(blocking=False):
        return
    question = None
    try:
        if _claim_question(attempt, patience):
            question = begin_question(attempt, gateway, public_url)
    finally:
        if question is None:
            places.release()
    if question is not None:
        # The place is free only when the call ends, maybe long after we stopped waiting for it.
        question.add_done_callback(lambda _: places.release())
        finish_question(attempt, gateway, question, issuers, seconds=CALL_SECONDS)


@cache
def _places(_gateway_name: str) -> BoundedSemaphore:
    return BoundedSemaphore(AT_ONCE)


def attempts_holding(invoice_ids: Sequence[int]) -> list[Attempt]:
    """Return the attempts that hold these invoices, within their time or beyond it."""
    return list(
        Attempt.select()
        .join(AttemptItem)
        .where(
            AttemptItem.invoice.in_(invoice_ids),
            AttemptItem.live == True,  # noqa: E712  # an SQL expression
        )
        .distinct()
    )


def is_owed_an_answer(attempt: Attempt) -> bool:
    """Return whether the bank can say what became of this attempt, and has not since its time
    ended."""
    if attempt.ask_at is None:
        return False
    return attempt.answered_at is None or attempt.answered_at < attempt.live_until


def _apply(attempt: Attempt, gateway: Polls, reports: Sequence[Report], issuers: Issuers) -> None:
    """Apply what the bank answered, and set when to ask next. Raises Unreachable for an answer
    about another order, which is as good as none."""
    if any(report.reference != attempt.reference for report in reports):
        raise Unreachable("la banque répond pour une autre commande")
    with write():
        record_answer(attempt, reports, issuers)
        now = clock.now()
        attempt = attempt_by_id(attempt.id)
        age = now - attempt.started_at
        expires = timedelta(minutes=gateway.polling.expires_minutes)
        if not reports and _is_silent(attempt) and age >= expires:
            add_fact(attempt, "", AttemptState.EXPIRED, source=FactSource.BANK_ASKED)
        again = _next_question(attempt, gateway.polling)
        _ANSWERED.execute(attempt=attempt.id, at=now, again=again)


def postpone_question(attempt: Attempt) -> None:
    """Ask again later, after growing pauses; stop asking about a decided attempt after
    GIVEN_UP_AFTER. Tell a human when the silence lasts."""
    with write():
        attempt = Attempt.get_by_id(attempt.id)
        now = clock.now()
        silence = now - (attempt.answered_at or attempt.started_at)
        undecided = AttemptState(attempt.state) in UNDECIDED
        given_up = not undecided and silence >= GIVEN_UP_AFTER
        pause = min(timedelta(minutes=2 ** min(attempt.unanswered, 9)), LONGEST_PAUSE)
        Attempt.update(
            asked_at=now,
            unanswered=attempt.unanswered + 1,
            ask_at=None if given_up else now + pause,
        ).where(Attempt.id == attempt.id).execute()
        if given_up or (undecided and silence >= SILENCE):
            flag_anomaly(
                f"silent:{attempt.reference}",
                AnomalyKind.SILENT,
                attempt.amount_cents,
                "la banque ne répond pas sur ce paiement depuis "
                + ("dix jours" if given_up else "un jour"),
                attempt=attempt,
            )


def expire_what_cannot_be_asked() -> int:
    """Declare expired, GRACE after their time, the silent attempts whose bank cannot be asked;
    close those that were never handed over. Return how many."""
    lapsed = Attempt.select().where(
        Attempt.state.in_(_SILENT),
        Attempt.live_until < clock.now() - GRACE,
        Attempt.ask_at.is_null(),
    )
    return sum(_expire_if_silent(attempt.id) for attempt in list(lapsed.limit(1000)))


def _expire_if_silent(attempt_id: int) -> bool:
    with write():
        attempt = Attempt.get_by_id(attempt_id)
        if not _is_silent(attempt) or attempt.ask_at is not None:
            return False
        if attempt.state == AttemptState.CREATED:
            state, why = AttemptState.CANCELLED, FactSource.BANK_UNREACHABLE
        else:
            state, why = AttemptState.EXPIRED, FactSource.TIMEOUT
        return bool(add_fact(attempt, "", state, source=why))


def stop_asking(attempt: Attempt) -> None:
    """Stop asking about an attempt whose gateway cannot be asked, or no longer can."""
    with write():
        ask_at(attempt, None)


def _claim_question(attempt: Attempt, patience: timedelta) -> bool:
    """Reserve the right to ask now. Return False if somebody else asked within `patience`."""
    now = clock.now()
    with write():
        claimed: int = (
            Attempt.update(asked_at=now)
            .where(
                Attempt.id == attempt.id,
                Attempt.asked_at.is_null() | (Attempt.asked_at <= now - patience),
            )
            .execute()
        )
    return claimed == 1


def _is_silent(attempt: Attempt) -> bool:
    return attempt.state in _SILENT


def _next_question(attempt: Attempt, polling: Polling) -> datetime | None:
    """Return when to ask again about an attempt that the bank has just answered about."""
    require_write()
    now = clock.now()
    age: timedelta = now - attempt.started_at
    if attempt.state == AttemptState.PAID:
        return _next_question_once_paid(attempt, age, timedelta(days=polling.follow_days))
    if attempt.state == AttemptState.PENDING:
        if age > PENDING_FOLLOWED:
            _flag(
                attempt,
                AnomalyKind.UNSETTLED,
                "la banque examine ce paiement depuis soixante jours",
            )
            return None
        return now + min(max(age / 4, timedelta(minutes=15)), timedelta(days=1))
    ages = (timedelta(minutes=minutes) for minutes in polling.ages_minutes)
    return next((attempt.started_at + next_age for next_age in ages if next_age > age), None)


def _next_question_once_paid(
    attempt: Attempt, age: timedelta, longest: timedelta
) -> datetime | None:
    """Return tomorrow, while the bank may still undo a debit of this attempt by itself."""
    if not may_be_undone(attempt):
        return None
    if age >= longest:
        _flag(attempt, AnomalyKind.UNCAPTURED, "autorisé, mais pas encore remis en banque")
        return None
    return clock.now() + timedelta(days=1)


def _flag(attempt: Attempt, kind: AnomalyKind, detail: str) -> None:
    flag_anomaly(f"{kind}:{attempt.reference}", kind, attempt.amount_cents, detail, attempt=attempt)
