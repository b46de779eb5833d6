"""`verify` names whatever is wrong with the statements and their matches."""

import pytest

from kiosque.db.models import Family
from kiosque.statements import matching
from tests import fresh_databases
from tests.kiosque.statements import books
from tests.kiosque.statements.books import (
    day,
    given_back,
    jrb,
    load,
    movement,
    operation,
    paid,
    period,
    reference,
    statement,
)

DAMAGES = {
    "matched to less than it is": (
        "UPDATE line_match SET undone_at = '2026-11-24', undone_by = 'x' WHERE kind = 'fee'",
        "mouvement 1 du 2026-11-04",
    ),
    "open though explained": (
        "UPDATE statement_line SET state = 'open' WHERE id = 1",
        "mouvement 1 du",
    ),
    "other movements than its statement tells": (
        "UPDATE statement_line SET amount_cents = amount_cents - 1 WHERE id = 2",
        "relevé jusqu’au 2026-11-07 :",
    ),
    "another amount": (
        "UPDATE settlement SET amount_cents = 1 WHERE id = 1",
        "mouvement 1 : rapproché d’un autre montant",
    ),
    "another régie": (
        "UPDATE settlement SET regie = 'creche' WHERE id = 1",
        "mouvement 1 : rapproché d’un autre montant, ou d’une autre régie",
    ),
    "a repayment of another amount": (
        "UPDATE repayment SET amount_cents = 1",
        "mouvement 2 : rapproché",
    ),
    "no entry": (
        "DELETE FROM journal_entry WHERE line_id = 3",
        "mouvement 3 : le journal ne dit pas",
    ),
    "an entry of another account": (
        "UPDATE journal_entry SET credit = 'others' WHERE line_id = 1 AND credit = 'bank:banque'",
        "mouvement 1 : le journal ne dit pas",
    ),
    "an opening of another amount": (
        "UPDATE journal_entry SET credit = 'others' WHERE statement_id IS NOT NULL",
        "compte",
    ),
}


@pytest.fixture
def matched(alices_family: Family) -> None:
    """A net remittance of two payments, a refund, and what a person called something else."""
    payments = [paid(alices_family, cents, day(2)) for cents in (4520, 3000)]
    given_back(payments[0], 500, day(5))
    load(jrb(*(operation(each, 20, remittance="R1") for each in payments)))
    said = [
        movement(day(4), 7480),
        movement(day(6), -500, reference(payments[0])),
        movement(day(7), 33),
    ]
    load(statement(period(said, 1000)))
    matching.match_all("")
    (left,) = matching.open_lines("")
    matching.classify(left.id, matching.MatchKind.OTHER, "Dominique", "intérêts")


def test_sound_statements_have_no_fault(matched: None) -> None:
    assert books.faults() == []
    assert len(books.matches()) == 5


@pytest.mark.parametrize(("damage", "fault"), DAMAGES.values(), ids=DAMAGES)
def test_damage_is_named(matched: None, damage: str, fault: str) -> None:
    fresh_databases.damage(damage)
    assert fault in "\n".join(books.faults())


def test_one_payment_of_two_lines_is_named(matched: None) -> None:
    fresh_databases.damage("DROP INDEX line_match_settlement")
    fresh_databases.damage("UPDATE line_match SET settlement_id = 1 WHERE settlement_id = 2")
    assert "settlement 1 explique deux mouvements" in "\n".join(books.faults())
