"""Find the families that have gone: nothing in the database is about them since some years."""

from datetime import date, datetime, time

from peewee import Case, ModelSelect, fn

from kiosque.db.models import (
    Account,
    Attempt,
    Child,
    Enrolment,
    Family,
    FamilyRequest,
    Invoice,
    Settlement,
    Token,
)
from kiosque.language import clock


def years_before(day: date, years: int) -> date:
    """Return the same day some years before; 28 February for a 29 February that did not exist."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)


def gone(years: int) -> "ModelSelect[Family]":
    """Return the query of the families that have gone, in the order of their codes.

    No invoice, payment, sign-in nor request for that many years, no letter whose code still opens,
    and a record as old. A record with children enrolled is as old as the last file that listed it,
    else as its last change: a family that left is no longer in the town's files.
    """
    since = years_before(clock.today(), years)
    instant = datetime.combine(since, time(), clock.PARIS)
    enrolled = fn.EXISTS(Enrolment.select().join(Child).where(Child.family == Family.id))
    listed_on = fn.COALESCE(Family.seen_on, Family.updated_on)
    traces = (
        Invoice.select().where(Invoice.family == Family.id, Invoice.issued_on >= since),
        Settlement.select().where(Settlement.family == Family.id, Settlement.settled_at >= instant),
        Attempt.select().where(Attempt.family == Family.id, Attempt.started_at >= instant),
        Account.select().where(Account.family == Family.id, Account.signed_in_on >= since),
        FamilyRequest.select().where(
            FamilyRequest.family == Family.id, FamilyRequest.asked_at >= instant
        ),
        Token.select().where(Token.family == Family.id, Token.expires_at > clock.now()),
    )
    return (
        Family.select()
        .where(
            Family.forgotten_at.is_null(),
            Family.updated_on < since,
            Case(None, [(enrolled, listed_on)], Family.updated_on) < since,
            *(~fn.EXISTS(trace) for trace in traces),
        )
        .order_by(Family.code)
    )
