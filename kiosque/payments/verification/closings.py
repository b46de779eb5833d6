"""Closed months: compute again what was printed, and check that nothing was dated in them since."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, timedelta

from peewee import fn

from kiosque.db.models import JournalEntry, MonthClosing
from kiosque.language import clock
from kiosque.language.formats import format_euros
from kiosque.payments import journal
from kiosque.payments.closed_months import PROOF, proof_of
from kiosque.payments.verification.queries import rows

_PROVED = re.compile(rf"\), {PROOF} [0-9a-f]{{16}}, ")


def balances() -> Iterator[str]:
    """A closing's balances and hash are those of the journal at its number; its entry says so."""
    held: dict[str, Counter[str]] = defaultdict(Counter)
    reached: Counter[str] = Counter()
    for closing in MonthClosing.select().order_by(MonthClosing.up_to):
        regie, name = closing.regie, f"mois {closing.month}{_of(closing.regie)}"
        held[regie].update(journal.balances(closing.up_to, regie, after=reached[regie]))
        reached[regie] = closing.up_to
        told = {name: cents for name, cents in json.loads(closing.balances).items() if cents}
        if told != {name: cents for name, cents in held[regie].items() if cents}:
            yield f"{name} : ses soldes ne sont plus ceux du journal"
        last = JournalEntry.get_or_none(JournalEntry.number == closing.up_to)
        if closing.last_hash != (last.hash if last else journal.GENESIS):
            yield f"{name} : l’empreinte de sa dernière écriture a changé"
        entry = JournalEntry.get_or_none(JournalEntry.closing == closing.id)
        if entry is None:
            yield f"{name} : arrêté sans écriture"
        # An entry of an older version says nothing of it.
        elif _PROVED.search(entry.label) and proof_of(closing) not in entry.label:
            yield f"{name} : son {PROOF} n’est plus celui de l’écriture {entry.number}"


def _of(regie: str) -> str:
    return f" de la régie {regie}" if regie else ""


def entries() -> Iterator[str]:
    """No entry written after a month was closed is dated in it, or before."""
    for closing in MonthClosing.select(MonthClosing.id, MonthClosing.regie, MonthClosing.month):
        first = date.fromisoformat(f"{closing.month}-01")
        following = (first + timedelta(days=31)).replace(day=1)
        own = JournalEntry.select(fn.MIN(JournalEntry.number))
        late = own.where(
            JournalEntry.regie == closing.regie,
            JournalEntry.at < clock.midnight_in_paris(following),
            JournalEntry.number > own.where(JournalEntry.closing == closing.id),
        )
        if number := late.scalar():
            name = f"{closing.month}{_of(closing.regie)}"
            yield f"écriture {number} : datée de {name}, arrêté avant elle"


def days() -> Iterator[str]:
    """Nothing that a person dates is in a month that was closed before."""
    for settlement, month in rows(
        """
        WITH closed AS (SELECT month_closing.regie, month, MIN(number) AS number
            FROM month_closing JOIN journal_entry ON closing_id = month_closing.id
            GROUP BY month_closing.id, month_closing.regie, month),
        written AS (SELECT settlement_id, MIN(number) AS number FROM journal_entry
            WHERE settlement_id IS NOT NULL GROUP BY settlement_id)
        SELECT settlement.id, MIN(closed.month) FROM settlement
            JOIN written ON written.settlement_id = settlement.id
            JOIN closed ON closed.regie = settlement.regie
                AND closed.month >= substr(settled_at, 1, 7) AND closed.number < written.number
        WHERE gateway IS NULL GROUP BY settlement.id
        """
    ):
        yield f"encaissement {settlement} : daté de {month}, arrêté avant qu’il soit noté"


def deposits() -> Iterator[str]:
    """Revenue collected until a month closed is in a deposit, or kept back with a reason."""
    for regie, month, cents in rows(
        """
        WITH closed AS (SELECT regie, MAX(month) AS month, MAX(up_to) AS up_to,
                MAX(closed_at) AS closed_at
            FROM month_closing GROUP BY regie)
        SELECT closed.regie, closed.month, SUM(revenue.amount_cents)
        FROM revenue
            JOIN settlement ON settlement.id = revenue.settlement_id
            JOIN closed ON closed.regie = settlement.regie
                AND revenue.journal_number <= closed.up_to
            LEFT JOIN deposit_line ON deposit_line.revenue_id = revenue.id
            LEFT JOIN kept_back ON kept_back.revenue_id = revenue.id
                AND (ended_at IS NULL OR ended_at > closed_at)
        WHERE deposit_line.id IS NULL AND kept_back.id IS NULL
        GROUP BY closed.regie, closed.month
        """
    ):
        yield f"mois {month}{_of(regie)} : arrêté, {format_euros(cents)} dans aucun bordereau"
