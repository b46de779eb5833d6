"""Close a month of a *régie*, for good."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from kiosque.closings import bank_position
from kiosque.closings.bank_position import Position
from kiosque.closings.months import Month, last_number
from kiosque.closings.steps import MonthStep, closing_of, points_left, steps
from kiosque.db import write
from kiosque.db.models import Anomaly, CarriedAnomaly, JournalEntry, MonthClosing
from kiosque.db.states import AnomalyKind
from kiosque.language import clock
from kiosque.language.formats import capital, format_euros
from kiosque.payments import account_words, journal
from kiosque.payments.anomalies import flag_anomaly
from kiosque.payments.closed_months import last_closed, proof_of
from kiosque.payments.refusals import (
    Refused,
    require_author_and_reason,
    why_no_author,
    why_not_answered_for,
)

#: The steps that a reason can replace: the bank's side, and what is kept back at the year's end.
_WITH_REASON = frozenset({"statements", "position", "year"})


@dataclass(frozen=True)
class Request:
    """The agent who closes a month, with the reason to do so though the bank's side is not
    proven."""

    author: str
    reason: str = ""


def close(regie: str, month: Month, request: Request) -> MonthClosing:
    """Close a month: write its balances and its last entry's hash in the journal. Nothing is dated
    in it after that. Raises Refused, changing nothing, naming every step that is not done."""
    with write():
        found = bank_position.position(regie, month)
        if faults := _why_not(regie, month, steps(regie, month, found), request):
            raise Refused(faults)
        return _write(regie, month, found, request)


def _why_not(regie: str, month: Month, every: Sequence[MonthStep], request: Request) -> list[str]:
    if fault := why_no_author(request.author):
        return [fault]
    if request.reason and (fault := why_not_answered_for(request.author, request.reason)):
        return [fault]
    if closing_of(regie, month):
        return [f"{capital(month.words)} est déjà arrêté."]
    if fault := _why_not_next(regie, month):
        return [fault]
    needed = [step for step in every if not step.done and step.key not in _WITH_REASON]
    faults = [f"{step.title}\u00a0: {step.words}" for step in needed]
    unproven = [step for step in every if not step.done and step.key in _WITH_REASON]
    if unproven and not request.reason.strip():
        faults += [f"{step.title}\u00a0: {step.words} Donnez un motif." for step in unproven]
    return faults


def _why_not_next(regie: str, month: Month) -> str:
    """Say in French why this is not the next month to close: months are closed in order, without
    gaps."""
    last = last_closed(regie)
    if last and month != Month.named(last).following:
        return f"Le mois à arrêter est {Month.named(last).following.words}."
    return ""


def _write(regie: str, month: Month, found: Position, request: Request) -> MonthClosing:
    number = last_number(month)
    balances = journal.balances(number, regie)
    entry = JournalEntry.get_or_none(JournalEntry.number == number)
    closing = MonthClosing.create(
        regie=regie,
        month=month.name,
        up_to=number,
        last_hash=entry.hash if entry else journal.GENESIS,
        balances=json.dumps(balances, sort_keys=True),
        gap_cents=found.gap_cents,
        gap_reason=request.reason.strip(),
        closed_at=clock.now(),
        author=request.author.strip(),
        content=json.dumps({"position": _told(found)}, ensure_ascii=False),
    )
    about = journal.About(regie, closing_id=closing.id)
    journal.append(about, _label(closing, month), debit="", credit="", cents=0)
    if closing.gap_cents:
        _flag_gap(closing, month)
    return closing


def _flag_gap(closing: MonthClosing, month: Month) -> None:
    """Put the gap on the list, until a person says what it was."""
    cents = closing.gap_cents
    words = f"{month.words} arrêté avec un écart non expliqué de {format_euros(cents)}"
    flag_anomaly(
        f"gap:{closing.id}",
        AnomalyKind.GAP,
        abs(cents),
        f"{words}\u00a0: {closing.gap_reason}",
        regie=closing.regie,
    )


def _told(found: Position) -> dict[str, object]:
    """Return a position in the form that is stored: what its paper says, and where the next month
    begins."""
    items = [{**item._asdict(), "on": item.on.isoformat()} for item in found.items]
    return {
        **asdict(found),
        "items": items,
        "causes": list(found.causes),
        "seen": journal.last()[0],
    }


def _label(closing: MonthClosing, month: Month) -> str:
    """Return the words of the journal: what was closed, every balance, and the reason for what was
    not proven."""
    said = ", ".join(
        f"{account_words.named(account)} {format_euros(cents)}"
        for account, cents in sorted(json.loads(closing.balances).items())
        if cents
    )
    reason = f"\u00a0; motif\u00a0: {closing.gap_reason}" if closing.gap_reason else ""
    return (
        f"{month.words} arrêté à l’écriture {closing.up_to} ({closing.last_hash[:16]}), "
        f"{proof_of(closing)}, {closing.author}\u00a0; soldes\u00a0: {said or 'aucun'}{reason}"
    )


def is_carried(anomaly: int, month: Month) -> bool:
    """Return True if an anomaly was carried over to the next month."""
    which = CarriedAnomaly.anomaly == anomaly, CarriedAnomaly.month == month.name
    return bool(CarriedAnomaly.select().where(*which).exists())


def carry_over(anomaly: int, month: Month, author: str, reason: str) -> None:
    """Allow a month to be closed although this anomaly is open. Raises Refused if it is not open,
    or was carried over already."""
    require_author_and_reason(author, reason)
    with write():
        regie = Anomaly.select(Anomaly.regie).where(Anomaly.id == anomaly).scalar() or ""
        if anomaly not in [point.id for point in points_left(regie, month)]:
            raise Refused([f"Le point {anomaly} n’est pas à traiter, ou est déjà reporté."])
        CarriedAnomaly.create(
            anomaly=anomaly,
            month=month.name,
            reason=reason.strip(),
            noted_at=clock.now(),
            author=author.strip(),
        )
