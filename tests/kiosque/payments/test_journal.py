"""The journal proves itself: numbers, chain, content, balance."""

import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from peewee import IntegrityError

from kiosque.db import write
from kiosque.db.models import Family, JournalEntry, Settlement
from kiosque.payments import journal
from tests import fresh_databases
from tests.conftest import NOW, Clock


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


def about(settlement: Settlement) -> journal.About:
    return journal.About("", settlement_id=settlement.id)


@pytest.fixture
def three_entries(settlement: Settlement) -> None:
    for cents in (500, 700, 900):
        with write():
            journal.append(
                about(settlement), "essai", debit="counter:cash", credit="invoices", cents=cents
            )


def test_entries_are_numbered_without_gaps_and_add_up_to_zero(three_entries: None) -> None:
    assert sorted(entry.number for entry in JournalEntry.select()) == [1, 2, 3]
    assert journal.balances() == {"counter:cash": 2100, "invoices": -2100}
    assert journal.verify() == []


def test_a_failed_write_leaves_no_gap(three_entries: None, settlement: Settlement) -> None:
    with pytest.raises(ZeroDivisionError), write():
        journal.append(about(settlement), "essai", debit="a", credit="b", cents=1)
        raise ZeroDivisionError
    with write():
        journal.append(about(settlement), "essai", debit="a", credit="b", cents=1)
    assert JournalEntry.select().count() == 4
    assert journal.verify() == []


def test_an_entry_is_never_written_outside_a_write(settlement: Settlement) -> None:
    with pytest.raises(RuntimeError, match="inside"):
        journal.append(about(settlement), "essai", debit="a", credit="b", cents=1)


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


def test_many_entries_are_written_as_one_after_the_other(three_entries: None) -> None:
    one = JournalEntry.get_by_id(1)
    move = journal.Move(journal.About("creche", settlement_id=one.settlement_id), "x", "a", "b", 5)
    with write():
        journal.append_all([move, move._replace(cents=6, corrects=4)])
    assert [(entry.number, entry.amount_cents, entry.corrects, entry.regie) for entry in
            JournalEntry.select().where(JournalEntry.number > 3).order_by(JournalEntry.number)] == [
        (4, 5, None, "creche"), (5, 6, 4, "creche")]  # fmt: skip
    assert journal.verify() == []
    with pytest.raises(RuntimeError, match="inside"):
        journal.append_all([move])


def test_an_entry_is_the_same_written_alone_or_with_others(
    settlement: Settlement, frozen: Clock
) -> None:
    about = journal.About("creche", settlement_id=settlement.id)
    with write():
        number = journal.append(about, "x", debit="a", credit="b", cents=5)
        journal.append(about, "y", debit="b", credit="c", cents=6, corrects=number)
        moves = [
            journal.Move(about, "x", "a", "b", 5),
            journal.Move(about, "y", "b", "c", 6, number),
        ]
        journal.append_all(moves)
    entries = list(JournalEntry.select().order_by(JournalEntry.number))
    assert [entry.number for entry in entries] == [1, 2, 3, 4]
    for entry in entries:
        assert (entry.at, entry.regie, entry.version) == (NOW, "creche", journal.VERSION)
        assert entry.settlement_id == settlement.id
    for alone, with_others in zip(entries[:2], entries[2:], strict=True):
        for column in ("label", "debit", "credit", "amount_cents", "corrects"):
            assert getattr(alone, column) == getattr(with_others, column)
    assert [(entry.label, entry.debit, entry.credit, entry.corrects) for entry in entries[:2]] == [
        ("x", "a", "b", None), ("y", "b", "c", 1)]  # fmt: skip


def test_the_balances_are_of_the_books_and_of_the_entries_asked_for(
    three_entries: None, settlement: Settlement
) -> None:
    known = ("family", "mode", "amount_cents", "settled_at", "state", "author", "reason")
    other = Settlement.create(**{name: getattr(settlement, name) for name in known})
    at_creche = journal.About("creche", settlement_id=other.id)
    with write():
        journal.append(at_creche, "x", debit="bank:b", credit="invoices/creche", cents=5)
    of_creche = {"bank:b": 5, "invoices/creche": -5}
    assert journal.balances(0) == {}
    assert journal.balances(2) == {"counter:cash": 1200, "invoices": -1200}
    assert journal.balances(after=2) == {"counter:cash": 900, "invoices": -900, **of_creche}
    assert journal.balances(3, after=1) == {"counter:cash": 1600, "invoices": -1600}
    assert journal.balances(regie="creche") == of_creche
    assert journal.balances(regie="") == {"counter:cash": 2100, "invoices": -2100}
    assert journal.balances_of([settlement.id]) == {"counter:cash": 2100, "invoices": -2100}
    assert journal.balances_of([]) == {}


def test_the_last_entry_is_told_by_its_number_and_hash(settlement: Settlement) -> None:
    assert journal.last() == (0, journal.GENESIS)
    for cents, number in ((5, 1), (8, 2), (8, 2)):
        with write():
            reached = journal.bring_to({"a": cents, "b": -cents}, settlement, [settlement.id], "x")
        assert reached == number
        assert journal.last() == (number, JournalEntry.get(JournalEntry.number == number).hash)
    assert {(entry.label, entry.settlement_id) for entry in JournalEntry.select()} == {
        ("x", settlement.id)
    }


@pytest.mark.parametrize(
    ("name", "regie", "account"),
    [
        ("invoices", "", "invoices"),
        ("invoices", "creche", "invoices/creche"),
        ("counter:cash", "creche", "counter:cash/creche"),
        ("bank:banque", "creche", "bank:banque"),
    ],
)
def test_each_regie_has_accounts_of_its_own(name: str, regie: str, account: str) -> None:
    assert journal.account(name, regie) == account


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
            journal.append(about(settlement), "essai", debit=debit, credit=credit, cents=cents)


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
    fresh_databases.damage(tampering)
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
        version=1,
        previous_hash=journal.GENESIS,
    )
    known = "a85e82b86bd553b455ddf82ae22ce168d74040ba082901aa16fbba762506fd0a"
    assert journal._hash(entry) == known
    entry.version, entry.regie, entry.corrects = 2, "creche", 3
    assert journal._hash(entry) == (
        "510f5d8c1ebddb80fb5d45c8883740e4153d96e6b77c6d3204e32ee05dd28ac6"
    )


def test_the_hash_of_an_entry_is_that_of_its_json_whatever_its_signs() -> None:
    """Whoever verifies a journal without this software has any library of JSON."""
    signs = "".join(map(chr, [*range(0xD800), *range(0xE000, 0x110000)]))
    entry = JournalEntry(
        number=1, at=NOW, settlement_id=7, label=signs, debit="invoices", credit="a\"b\\\n",
        amount_cents=2**53 + 1, version=1, previous_hash=journal.GENESIS,
    )  # fmt: skip
    at = NOW.astimezone(UTC).isoformat(timespec="microseconds")
    told = [1, at, 7, signs, "invoices", 'a"b\\\n', 2**53 + 1, journal.GENESIS]
    content = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
    assert journal._hash(entry) == hashlib.sha256(content.encode()).hexdigest()
