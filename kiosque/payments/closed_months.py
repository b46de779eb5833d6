"""The months that a *régie* has closed: nothing is dated in them any more."""

import hashlib
from datetime import date

from peewee import fn

from kiosque.db.models import MonthClosing
from kiosque.db.prepared import PreparedQuery

#: Before the digest of the *état de rapprochement*, in the entry of a closing.
PROOF = "état de rapprochement"


def last_closed(regie: str) -> str:
    """Return the last month that a *régie* closed, such as `2026-10`; empty when it closed none."""
    ((last,),) = _LAST.rows(regie=regie)
    return last or ""


def is_closed(regie: str, on: date) -> bool:
    """Return True if a day is in a month that a *régie* has closed, or before it."""
    return f"{on:%Y-%m}" <= last_closed(regie)


def proof_of(closing: MonthClosing) -> str:
    """Return the words by which the entry of a closing holds what was printed of its position: a
    digest of the two balances, their differences and the gap."""
    said = f"{closing.gap_cents} {closing.content}"
    return f"{PROOF} {hashlib.sha256(said.encode()).hexdigest()[:16]}"


_LAST = PreparedQuery(
    lambda regie: MonthClosing.select(fn.MAX(MonthClosing.month)).where(MonthClosing.regie == regie)
)
