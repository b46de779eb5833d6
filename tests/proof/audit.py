"""The database, row by row, against what the books of the proof say."""

import json
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from kiosque.payments import journal, verification
from tests.proof.bank_statements import look
from tests.proof.paying_over import compare_papers
from tests.proof.stage import GATEWAYS, NAME, balances, rows

if TYPE_CHECKING:
    from tests.proof.machine import Town


def faults(town: "Town") -> list[str]:
    """Return what `verify` says, but for what is played here."""
    # Here time passes without its timer, and totals change under payments.
    played = ["« reconcile »"] + [
        f"la facture {bill.number} a changé de total"
        for bill in town.books.bills.values()
        if bill.altered
    ]
    return [fault for fault in verification.faults() if not any(each in fault for each in played)]


def compare(town: "Town") -> None:
    """Raises AssertionError, naming what differs."""
    assert faults(town) == []
    _compare_states(town)
    _compare_families(town)
    _compare_money(town)
    _compare_papers(town)
    compare_papers()
    _compare_journal(town)
    _compare_citations(town)
    _compare_balances(town)
    look(town)


def _compare_states(town: "Town") -> None:
    books = town.books
    invoices = rows("SELECT number, state, paid_cents FROM invoice")
    assert sorted(invoices) == sorted(
        (bill.number, bill.state, books.paid(bill)) for bill in books.bills.values()
    )
    assert dict(rows("SELECT reference, state FROM attempt")) == {
        order.reference: order.state for order in books.orders.values()
    }
    collected = rows(
        """
        SELECT number FROM transmission JOIN invoice ON invoice.id = invoice_id
        WHERE ended_at IS NULL
        """
    )
    treasurys = [(bill.number,) for bill in books.bills.values() if bill.treasury]
    assert sorted(collected) == sorted(treasurys)
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


def _compare_families(town: "Town") -> None:
    """Whose each invoice, payment at the bank and sum received is; and who was put away."""
    books = town.books
    of = "JOIN family ON family.id = family_id"
    assert dict(rows(f"SELECT number, code FROM invoice {of}")) == {
        bill.number: bill.family for bill in books.bills.values()
    }
    assert dict(rows(f"SELECT reference, code FROM attempt {of}")) == {
        order.reference: order.family for order in books.orders.values()
    }
    assert dict(rows(f"SELECT {NAME}, code FROM settlement {of}")) == {
        debit.name: debit.family for together in books.payments() for debit in together
    }
    away = rows("SELECT code FROM family WHERE archived_at IS NOT NULL")
    assert away == [(each.gone,) for each in town.merges]


def _compare_money(town: "Town") -> None:
    debits = [debit for together in town.books.payments() for debit in together]
    settled = rows(f"SELECT {NAME}, amount_cents, returned_cents, state, regie FROM settlement")
    wanted = sorted(
        (debit.name, debit.cents, debit.returned, debit.state, town.books.regie_of(debit))
        for debit in debits
    )
    assert sorted(settled) == wanted, f"{sorted(settled)} settled, not {wanted}"
    modes = rows(
        """
        SELECT CAST(settlement.id AS TEXT), mode, number FROM settlement
            LEFT JOIN invoice ON invoice.id = credit_id WHERE gateway IS NULL
        """
    )
    wanted_modes = [(debit.name, debit.mode, debit.note) for debit in town.books.counter]
    assert sorted(modes, key=repr) == sorted(wanted_modes, key=repr)
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
    """Compare the points that a human must look at, where money was guessed or given twice."""
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
    entries = rows("SELECT COUNT(*) FROM journal_entry WHERE settlement_id > 0")[0][0]
    known = sum(map(len, town.books.payments()))
    if held == town.balances and known == town.known:
        assert entries == town.entries, "journal entries for nothing"
    town.balances, town.entries, town.known = held, entries, known


def _compare_citations(town: "Town") -> None:
    """To the cent, entries cite those they take back, wherever money left as if it had not come, or
    is there after all."""
    cited = rows(
        f"""
        SELECT {NAME}, SUM(CASE WHEN substr(credit, 1, 4) IN ('bank', 'coun', 'cred')
                THEN journal_entry.amount_cents ELSE 0 END),
            SUM(CASE WHEN substr(debit, 1, 4) IN ('bank', 'coun', 'cred')
                THEN journal_entry.amount_cents ELSE 0 END)
        FROM journal_entry JOIN settlement ON settlement.id = settlement_id
        WHERE corrects IS NOT NULL GROUP BY 1
        """
    )
    wanted = {
        (debit.name, debit.undone, debit.righted)
        for together in town.books.payments()
        for debit in together
    }
    money = {each for each in cited if any(each[1:])}
    assert money == {each for each in wanted if any(each[1:])}, "what is taken back is not cited"


def _compare_balances(town: "Town") -> None:
    """Debits are credits; the balances at any past number, and those that a month closed with, are
    what the entries until there add up to."""
    entries = rows(
        "SELECT number, regie, debit, credit, amount_cents FROM journal_entry ORDER BY 1"
    )
    assert all(cents >= 0 for *_, cents in entries)
    assert all(
        debit and credit and debit != credit for *_, debit, credit, cents in entries if cents
    )
    past = (len(entries) * 7 + 8) // 9
    assert _nonzero(journal.balances(past)) == _added_up(entries, past)
    for regie, up_to, said in rows("SELECT regie, up_to, balances FROM month_closing"):
        assert _nonzero(json.loads(said)) == _added_up(entries, up_to, regie)


def _added_up(
    entries: list[tuple[Any, ...]], up_to: int, regie: str | None = None
) -> dict[str, int]:
    found: Counter[str] = Counter()
    for number, of, debit, credit, cents in entries:
        if number <= up_to and regie in (None, of):
            found[debit] += cents
            found[credit] -= cents
    assert not found.total()
    return _nonzero(found)


def _nonzero(balances: Mapping[str, int]) -> dict[str, int]:
    return {account: cents for account, cents in balances.items() if cents}
