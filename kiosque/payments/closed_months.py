"""The months that a *régie* has closed: nothing new may be dated in them."""

import hashlib
from datetime import date

from peewee import fn

from kiosque.db.models import MonthClosing
from kiosque.db.prepared import PreparedQuery

#: Precedes the digest of the *état de rapprochement* in the label of a closing's entry.
PROOF = "état de rapprochement"


def last_closed(regie: str) -> str:
    """Return the last month that a *régie* closed, such as `2026-10`; empty when it closed none."""
    ((last,),) = _LAST.rows(regie=regie)
    return last or ""


def is_closed(regie: str, on: date) -> bool:
    """Return True if a day is in a month that a *régie* has closed, or before it."""
    return f"{on:%Y-%m}" <= last_closed(regie)


def proof_of(closing: MonthClosing) -> str:
    """Return the words, in the entry of a closing, that prove what was printed: a digest of the two
    balances, their differences and the gap."""
    said = f"{closing.gap_cents} {closing.content}"
    return f"{PROOF} {hashlib.sha256(said.encode()).hexdigest()[:16]}"


_LAST = PreparedQuery(
    lambda regie: MonthClosing.select(fn.MAX(MonthClosing.month)).where(MonthClosing.regie == regie)
)
