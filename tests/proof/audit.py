"""The base, row by row, against what the books of the proof say."""

from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING

from kiosque.payments import verification
from tests.proof.stage import GATEWAYS, NAME, balances, rows

if TYPE_CHECKING:
    from tests.proof.machine import Town


def compare(town: "Town") -> None:
    """Raises AssertionError, naming what differs."""
    # Here time passes without its timer, and totals change under payments.
    played = ["« reconcile »"] + [
        f"la facture {bill.number} a changé de total"
        for bill in town.books.bills.values()
        if bill.altered
    ]
    faults = [fault for fault in verification.faults() if not any(each in fault for each in played)]
    assert faults == []
    _compare_states(town)
    _compare_money(town)
    _compare_papers(town)
    _compare_journal(town)


def _compare_states(town: "Town") -> None:
    books = town.books
    invoices = rows("SELECT number, state, paid_cents FROM invoice")
    assert sorted(invoices) == sorted(
        (bill.number, bill.state, books.paid(bill)) for bill in books.bills.values()
    )
    assert dict(rows("SELECT reference, state FROM attempt")) == {
        order.reference: order.state for order in books.orders.values()
    }
    answered = {
        reference: at and datetime.fromisoformat(at)
        for reference, at in rows("SELECT reference, answered_at FROM attempt")
    }
    assert answered == {order.reference: order.answered_at for order in books.orders.values()}
    live = rows(
        """
        SELECT invoice.number, reference FROM attempt_item JOIN invoice ON invoice.id = invoice_id
            JOIN attempt ON attempt.id = attempt_id WHERE live = 1
        """
    )
    assert len(live) == len(dict(live)), "two live attempts for one invoice"
    assert dict(live) == {number: order.reference for number, order in books.holds.items()}


def _compare_money(town: "Town") -> None:
    debits = [debit for together in town.books.payments() for debit in together]
    settled = rows(f"SELECT {NAME}, amount_cents, returned_cents, state, regie FROM settlement")
    wanted = sorted(
        (debit.name, debit.cents, debit.returned, debit.state, town.books.regie_of(debit))
        for debit in debits
    )
    assert sorted(settled) == wanted, f"{sorted(settled)} settled, not {wanted}"
    parts = rows(
        f"""
        SELECT {NAME}, COALESCE(number, ''), kind, allocation.amount_cents, counts
        FROM allocation JOIN settlement ON settlement.id = settlement_id
            LEFT JOIN invoice ON invoice.id = invoice_id
        """
    )
    assert Counter(parts) == Counter(
        (part.debit.name, part.number or "", part.kind, part.cents, part.debit.state == "counted")
        for part in town.books.parts
    )
    asked = rows(
        f"""
        SELECT {NAME}, repayment.amount_cents FROM repayment
            JOIN settlement ON settlement.id = settlement_id WHERE repayment.state = 'asked'
        """
    )
    assert dict(asked) == {debit.name: debit.asked for debit in debits if debit.asked}
    _compare_regies()


def _compare_regies() -> None:
    """No money of one régie pays another's invoice, and each bank's is its régie's."""
    strayed = rows(
        """
        SELECT settlement.id FROM settlement JOIN allocation ON settlement.id = settlement_id
            JOIN invoice ON invoice.id = invoice_id WHERE invoice.regie <> settlement.regie
        """
    )
    assert not strayed, "money of one régie pays another's invoice"
    banks = rows("SELECT DISTINCT regie, gateway FROM settlement WHERE gateway IS NOT NULL")
    assert set(banks) <= set(GATEWAYS.items()), "money of one régie is in another's bank"


def _compare_papers(town: "Town") -> None:
    books = town.books
    receipts = rows(
        f"""
        SELECT {NAME}, sequence, receipt.number, receipt.id FROM receipt
            JOIN settlement ON settlement.id = settlement_id
        """
    )
    numbered = {(sequence, number): name for name, sequence, number, _ in receipts}
    assert len(numbered) == len(receipts), "one number of two receipts"
    assert numbered == _receipts(town), "a receipt too many, missing, or a gap"
    mails = Counter(key for (key,) in rows("SELECT key FROM outbox_mail"))
    numbers = {name: number for name, _, _, number in receipts}
    points = [f"anomaly:{key}" for (key,) in rows("SELECT id FROM anomaly")]
    assert mails == Counter([*points, *(f"receipt:{numbers[debit.name]}" for debit in books.mails)])
    listed = rows(
        f"""
        SELECT {NAME}, number, anomaly.amount_cents FROM anomaly
            JOIN settlement ON settlement.id = settlement_id
            JOIN invoice ON invoice.id = invoice_id
        WHERE kind = 'overpayment' AND resolved_at IS NULL
        """
    )
    owed: Counter[tuple[str, str | None]] = Counter()
    for part in books.parts:
        if part.listed:
            owed[part.debit.name, part.number] += part.cents
    assert sorted(listed) == sorted((*key, cents) for key, cents in owed.items())
    _compare_points(town)
    # What is odd in a debit whose departure is on the list is joined to the words of that entry.
    told = rows(
        """
        SELECT COUNT(*) FROM anomaly WHERE kind IN ('mismatch', 'unknown_order')
            OR kind IN ('reversed', 'refunded') AND replace(detail, ' ; ', '') <> detail
        """
    )[0][0]
    assert bool(told) >= bool(books.told), "what a human must see was not told"


def _receipts(town: "Town") -> dict[tuple[str, int], str]:
    """The debits that have a receipt, by its sequence, each régie's own, and its number."""
    last: Counter[str] = Counter()
    found = {}
    for debit in town.books.receipts:
        regie = town.books.regie_of(debit)
        last[regie] += 1
        found[regie, last[regie]] = debit.name
    return found


def _compare_points(town: "Town") -> None:
    """What a human must look at, where money was guessed or given twice."""
    orders = town.books.orders.values()
    points = set(
        rows(
            """
            SELECT repayment.gateway || ':' || repayment.transaction_id FROM anomaly JOIN repayment
                ON anomaly.key = 'guessed_refund:' || CAST(repayment.id AS TEXT)
            """
        )
    )
    guesses = {uuid for each in orders for uuid in each.credits_ if town.books.is_guess(each, uuid)}
    assert {uuid for (uuid,) in points} == guesses, "a guess was not told, or was none"
    twice = rows(
        f"""
        SELECT {NAME} FROM anomaly
            JOIN settlement ON settlement.id = settlement_id
        WHERE kind = 'given_twice'
        """
    )
    assert {uuid for (uuid,) in twice} == town.books.given_twice, "given twice, and not told"


def _compare_journal(town: "Town") -> None:
    """The accounts of each payment; and entries only where something changed."""
    held = balances()
    wanted: dict[str, dict[str, int]] = {}
    for together in town.books.payments():
        first = together[0]
        wanted[first.owner.reference if first.owner else first.name] = town.books.accounts(together)
    nothing: dict[str, int] = {}
    differ = {
        name: (held.get(name, nothing), wanted.get(name, nothing))
        for name in held.keys() | wanted.keys()
        if held.get(name, nothing) != wanted.get(name, nothing)
    }
    assert not differ, "the journal says other than what was heard"
    entries = rows("SELECT COUNT(*) FROM journal_entry")[0][0]
    known = sum(map(len, town.books.payments()))
    if held == town.balances and known == town.known:
        assert entries == town.entries, "journal entries for nothing"
    town.balances, town.entries, town.known = held, entries, known
