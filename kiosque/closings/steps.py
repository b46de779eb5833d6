"""Say which steps of a month are proven, and what is missing for each of the others."""

from typing import NamedTuple

from peewee import ModelSelect, fn

from kiosque.closings import bank_position
from kiosque.closings.bank_position import Position
from kiosque.closings.months import Month, last_number
from kiosque.closings.starting_point import starting_point
from kiosque.db.models import (
    Anomaly,
    Attempt,
    CarriedAnomaly,
    DepositLine,
    KeptBack,
    MonthClosing,
    Revenue,
    Settlement,
)
from kiosque.db.states import UNDECIDED
from kiosque.deposits import kept_back
from kiosque.language import clock
from kiosque.language.formats import counted, format_euros, short_date
from kiosque.statements import coverage

_DECEMBER = 12


class MonthStep(NamedTuple):
    """A step of the month: `done` when it is proven, else `words` says what is missing. `key` names
    the page where it is done."""

    key: str
    title: str
    done: bool
    words: str


def steps(regie: str, month: Month, found: Position | None = None) -> list[MonthStep]:
    """Return the steps of a month of a *régie*, in order. `found` is its position at the bank,
    where that was computed already."""
    found = found or bank_position.position(regie, month)
    every = [
        _ended(month),
        _payments(regie, month),
        _points(regie, month),
        _statements(regie, month),
        _position(found),
        _deposits(regie, month),
    ]
    return [*every, _year(regie, month)] if month.number == _DECEMBER else every


def closing_of(regie: str, month: Month) -> MonthClosing | None:
    """Return the closing of a month, None while it is open."""
    which = (MonthClosing.regie == regie) & (MonthClosing.month == month.name)
    found: MonthClosing | None = MonthClosing.get_or_none(which)
    return found


def _ended(month: Month) -> MonthStep:
    done = clock.now() >= month.ends_at
    return MonthStep(
        "ended", "Le mois est fini", done, "" if done else f"Il finit le {month.last_on:%d/%m}."
    )


def payments_waiting(regie: str, month: Month) -> "ModelSelect[Attempt]":
    """Select the payments begun until the end of a month that the bank has not decided."""
    return Attempt.select().where(
        Attempt.regie == regie,
        Attempt.state.in_(sorted(UNDECIDED)),
        Attempt.started_at < month.ends_at,
    )


def _payments(regie: str, month: Month) -> MonthStep:
    """A payment begun in the month has an end, which the bank has told."""
    waiting = payments_waiting(regie, month).count()
    words = f"{counted(waiting, 'paiement commencé')} sans réponse de la banque."
    return MonthStep("payments", "Paiements aboutis", not waiting, words if waiting else "")


def points_left(regie: str, month: Month) -> list[Anomaly]:
    """Return the open anomalies of a *régie* noted before the end of a month and not carried
    over."""
    carried = CarriedAnomaly.select(CarriedAnomaly.anomaly).where(
        CarriedAnomaly.month == month.name
    )
    return list(
        Anomaly.select()
        .where(
            Anomaly.regie == regie,
            Anomaly.resolved_at.is_null(),
            Anomaly.noted_at < month.ends_at,
            Anomaly.id.not_in(carried),
        )
        .order_by(Anomaly.id)
    )


def _points(regie: str, month: Month) -> MonthStep:
    left = len(points_left(regie, month))
    words = f"{counted(left, 'point')} à traiter, ou à reporter avec un motif."
    return MonthStep("points", "Rien à traiter", not left, words if left else "")


def _statements(regie: str, month: Month) -> MonthStep:
    missing = coverage.missing_days(regie, month.name)
    words = " ".join(
        f"Il manque un relevé du {short_date(first)} au {short_date(last)}."
        for first, last in missing
    )
    return MonthStep("statements", "Relevés entiers", not missing, words)


def _position(found: Position) -> MonthStep:
    if found.statement_cents is None:
        words = "Sans relevé, rien ne dit ce que la banque a vraiment reçu."
        return MonthStep("position", "Rapprochement", done=False, words=words)
    gap = found.gap_cents
    words = f"Écart non expliqué\u00a0: {format_euros(gap)}."
    return MonthStep("position", "Rapprochement", not gap, words if gap else "")


def unpaid_over_cents(regie: str, month: Month) -> int | None:
    """Return the cents collected until the end of a month that are neither in a final deposit nor
    kept back; None when there are none."""
    # Up to the last closed month, all that was collected is in a deposit or was kept back.
    since = Revenue.entry > starting_point(regie, month).number
    rows, cents = (
        Revenue.select(fn.COUNT(Revenue.id), fn.SUM(Revenue.amount_cents))
        .join(Settlement)
        .where(
            Settlement.regie == regie,
            since | Revenue.id.in_(KeptBack.select(KeptBack.revenue)),
            Revenue.entry <= last_number(month),
            Revenue.id.not_in(DepositLine.select(DepositLine.revenue)),
            Revenue.id.not_in(KeptBack.select(KeptBack.revenue).where(KeptBack.ended_at.is_null())),
        )
        .tuples()[0]
    )
    return int(cents) if rows else None


def _deposits(regie: str, month: Month) -> MonthStep:
    left = unpaid_over_cents(regie, month)
    words = "" if left is None else f"{format_euros(left)} de recettes dans aucun bordereau."
    return MonthStep("deposits", "Bordereau définitif", left is None, words)


def _year(regie: str, month: Month) -> MonthStep:
    """The receipts of a year are paid over in its books: nothing is kept back at its end."""
    kept = [it.line.cents for it in kept_back(regie) if it.line.day <= str(month.last_on)]
    words = f"{format_euros(sum(kept))} gardés hors du bordereau\u00a0: reprenez-les."
    return MonthStep("year", f"Recettes de {month.year} versées", not kept, words if kept else "")
