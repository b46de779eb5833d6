"""The journal proves itself: numbers, chain, content, balance."""

from datetime import datetime, timedelta, timezone

import pytest
from peewee import IntegrityError

from kiosque.db import write
from kiosque.db.models import Family, JournalEntry, Settlement
from kiosque.payments import journal
from tests import bases
from tests.conftest import NOW


@pytest.fixture
def settlement(alices_family: Family) -> Settlement:
    return Settlement.create(
        family=alices_family,
        mode="cash",
        amount_cents=500,
        settled_at=NOW,
        state="counted",
        author="Dominique",
        reason="espèces",
    )


@pytest.fixture
def three_entries(settlement: Settlement) -> None:
    for cents in (500, 700, 900):
        with write():
            journal.append(
                settlement, "essai", debit="counter:cash", credit="invoices", cents=cents
            )


def test_entries_are_numbered_without_gaps_and_add_up_to_zero(three_entries: None) -> None:
    assert [entry.number for entry in JournalEntry.select()] == [1, 2, 3]
    assert journal.balances() == {"counter:cash": 2100, "invoices": -2100}
    assert journal.verify() == []


def test_a_failed_write_leaves_no_gap(three_entries: None, settlement: Settlement) -> None:
    with pytest.raises(ZeroDivisionError), write():
        journal.append(settlement, "essai", debit="a", credit="b", cents=1)
        raise ZeroDivisionError
    with write():
        journal.append(settlement, "essai", debit="a", credit="b", cents=1)
    assert JournalEntry.select().count() == 4
    assert journal.verify() == []


def test_an_entry_is_never_written_outside_a_write(settlement: Settlement) -> None:
    with pytest.raises(RuntimeError, match="inside"):
        journal.append(settlement, "essai", debit="a", credit="b", cents=1)


def test_the_accounts_of_a_payment_are_brought_to_what_its_money_is_for(
    settlement: Settlement,
) -> None:
    steps: list[dict[str, int]] = [
        {"counter:cash": 500, "invoices": -500},
        {"counter:cash": 500, "overpayments": -300, "unmatched": -200},
        {"counter:cash": 100, "refunds": 400, "invoices": -500},
        {"counter:cash": 500, "invoices": -500},
    ]
    for target in steps:
        with write():
            journal.bring_to(target, settlement, [settlement.id], "essai")
        held = journal.balances_of([settlement.id])
        assert {account: cents for account, cents in held.items() if cents} == target
    written = JournalEntry.select().count()
    with write():
        journal.bring_to(steps[-1], settlement, [settlement.id], "essai")
    assert JournalEntry.select().count() == written


@pytest.mark.parametrize("target", [{"a": 500, "b": -400}, {"a": 400, "b": -500}, {"a": 1}])
def test_accounts_that_do_not_add_up_are_never_written(
    settlement: Settlement, target: dict[str, int]
) -> None:
    with pytest.raises(RuntimeError, match="add up"), write():
        journal.bring_to(target, settlement, [settlement.id], "essai")
    assert JournalEntry.select().count() == 0


def test_an_entry_moves_an_amount_between_two_accounts(settlement: Settlement) -> None:
    for debit, credit, cents in (("a", "a", 1), ("a", "b", 0), ("a", "b", -1)):
        with pytest.raises(IntegrityError), write():
            journal.append(settlement, "essai", debit=debit, credit=credit, cents=cents)


@pytest.mark.parametrize(
    ("tampering", "fault"),
    [
        ("UPDATE journal_entry SET amount_cents = 1 WHERE number = 2", "2 : contenu altéré"),
        ("UPDATE journal_entry SET at = '2020-01-01T00:00:00.000000Z' WHERE number = 2", "2 : con"),
        ("DELETE FROM journal_entry WHERE number = 2", "2 : absente"),
        ("UPDATE journal_entry SET previous_hash = 'x' WHERE number = 3", "3 : chaînage rompu"),
        ("UPDATE journal_entry SET number = 9 WHERE number = 3", "3 : absente"),
    ],
)
def test_whoever_tampers_past_the_triggers_is_found(
    three_entries: None, tampering: str, fault: str
) -> None:
    bases.damage(tampering)
    assert fault in "\n".join(journal.verify())


def test_the_hash_of_an_entry_is_the_same_from_one_version_to_the_next() -> None:
    """Else the journals that towns keep would all seem to be altered."""
    entry = JournalEntry(
        number=1,
        at=datetime(2026, 11, 24, 20, 30, tzinfo=timezone(timedelta(hours=1))),
        settlement_id=7,
        label="Encaissé à l’été",
        debit="bank:banque",
        credit="invoices",
        amount_cents=4520,
        previous_hash=journal.GENESIS,
    )
    known = "a85e82b86bd553b455ddf82ae22ce168d74040ba082901aa16fbba762506fd0a"
    assert journal._hash(entry) == known
