"""A line that leaves no doubt is matched by itself, and booked at once; a person says the rest."""

from collections.abc import Callable

import pytest

from kiosque.db.models import (
    Anomaly,
    BankOperation,
    Deposit,
    Family,
    LineMatch,
    Receipt,
    Settlement,
    StatementLine,
)
from kiosque.db.statement_words import MatchKind, MatchRule
from kiosque.language import clock
from kiosque.payments import Refused
from kiosque.statements import coverage, matching
from kiosque.statements.records import Direction
from tests.conftest import make_family
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

pytestmark = pytest.mark.usefixtures("empty_database", "frozen")


@pytest.fixture
def family(alices_family: Family) -> Family:
    return alices_family


@pytest.fixture(autouse=True)
def _sound(empty_database: None) -> object:
    """Whatever was done, the books hold together."""
    yield
    assert books.faults() == []


def the_line() -> StatementLine:
    return StatementLine.get()


def kinds() -> list[tuple[str, int]]:
    """Return what explains the lines, by kind and cents."""
    return [(kind, cents) for _, _, cents, kind, _ in books.matches()]


def test_a_credit_that_bears_our_reference_is_the_payment(family: Family) -> None:
    payment = paid(family, 4520, day(2))
    label = f"VIR CB {reference(payment).upper()} SAUTRON"
    load(statement(period([movement(day(4), 4520, label)], 1000)))
    assert matching.match_all("") == {MatchRule.REFERENCE: 1}
    assert the_line().state == "matched"
    assert books.balances() == {"account": 5520, "opening": -1000}
    assert not list(matching.open_lines(""))


def test_a_reference_of_another_amount_proves_nothing(family: Family) -> None:
    payment = paid(family, 4520, day(2))
    load(statement(period([movement(day(4), 4519, reference(payment))])))
    assert matching.match_all("") == {}
    assert [line.amount_cents for line in matching.open_lines("")] == [4519]


def test_a_repayment_leaves_the_account(family: Family) -> None:
    payment = paid(family, 4520, day(2))
    given_back(payment, 1000, day(5))
    said = [
        movement(day(3), 4520, reference(payment)),
        movement(day(6), -1000, f"REMB {reference(payment)}"),
    ]
    load(statement(period(said)))
    assert matching.match_all("") == {MatchRule.REFERENCE: 2}
    assert books.balances() == {"account": 3520}


def test_a_receipt_in_a_label_is_found_whatever_its_zeros(family: Family) -> None:
    payment = paid(family, 4520, day(2))
    paid(family, 4520, day(2))
    Receipt.create(number=42, settlement=payment, issued_at=clock.now())
    load(statement(period([movement(day(3), 4520, "VIREMENT RECU R42 MARTIN")])))
    assert matching.match_all("") == {MatchRule.NUMBER: 1}


def test_the_sum_of_a_day_of_a_gateway_is_its_payments(family: Family) -> None:
    for cents in (4520, 3000, 1234):
        paid(family, cents, day(2))
    paid(family, 999, day(3))
    load(statement(period([movement(day(3), 8754, "REMISE CB 02/11")])))
    assert matching.match_all("") == {MatchRule.DAY: 1}
    assert kinds() == [("settlement", 1234), ("settlement", 3000), ("settlement", 4520)]
    assert books.balances() == {"account": 8754, "bank:banque": 999}


def test_the_rest_of_a_day_is_found_at_once_whatever_names_the_others(family: Family) -> None:
    """Else it would be found at the next file only, and the order of files would tell."""
    named, *others = (paid(family, cents, day(2)) for cents in (4520, 3000, 1234))
    said = [movement(day(3), 4520, reference(named)), movement(day(3), 4234, "REMISE CB")]
    load(statement(period(said)))
    assert matching.match_all("") == {MatchRule.REFERENCE: 1, MatchRule.DAY: 1}
    assert {match.settlement_id for match in LineMatch.select()} == {
        named.id, *(each.id for each in others)
    }  # fmt: skip
    assert matching.match_all("") == {}


def test_what_a_number_explains_leaves_the_rest_of_its_day_at_once(family: Family) -> None:
    named, *_others = (paid(family, cents, day(2)) for cents in (4520, 3000, 1234))
    Receipt.create(number=7, settlement=named, issued_at=clock.now())
    said = [movement(day(3), 4520, "REGLEMENT R7"), movement(day(3), 4234, "REMISE CB")]
    load(statement(period(said)))
    assert matching.match_all("") == {MatchRule.NUMBER: 1, MatchRule.DAY: 1}
    assert matching.match_all("") == {}


def test_refunds_are_remitted_with_the_payments_of_their_day_or_apart(family: Family) -> None:
    for number in (2, 19):
        payment = paid(family, 4520, day(number))
        paid(family, 3000, day(number))
        given_back(payment, 500 + number, day(number))
    said = [
        movement(day(3), 7520 - 502, "REMISE CB"),
        movement(day(20), 7520, "REMISE CB"), movement(day(20), -519, "REMBOURSEMENTS CB"),
    ]  # fmt: skip
    load(statement(period(said)))
    assert matching.match_all("") == {MatchRule.DAY: 3}
    assert books.balances() == {"account": sum(each.cents for each in said)}


def test_what_the_bank_undid_before_it_was_remitted_is_not_awaited(family: Family) -> None:
    given_back(paid(family, 4520, day(2)), 4520, day(2), "reversal")
    paid(family, 3000, day(2))
    load(statement(period([movement(day(3), 3000, "REMISE CB")])))
    assert matching.match_all("") == {MatchRule.DAY: 1}
    assert books.balances() == {"account": 3000}


def test_a_net_remittance_is_its_payments_gross_and_its_fees(family: Family) -> None:
    payments = [paid(family, cents, day(2)) for cents in (4520, 3000)]
    told = [operation(each, 20, remittance="R7") for each in payments]
    load(jrb(*told))
    load(statement(period([movement(day(4), 7480, "REMISE CB NETTE")])))
    assert matching.match_all("") == {MatchRule.REMITTANCE: 1}
    assert kinds() == [("fee", -40), ("settlement", 3000), ("settlement", 4520)]
    assert books.balances() == {"account": 7480, "fees": 40}
    assert coverage.grade("", "2026-11") == coverage.Grade.JOURNAL


def test_the_journal_of_the_bank_may_come_after_its_statement(family: Family) -> None:
    payments = [paid(family, cents, day(2)) for cents in (4520, 3000)]
    load(statement(period([movement(day(4), 7480, "REMISE CB NETTE")])))
    assert matching.match_all("") == {}
    load(jrb(*(operation(each, 20, remittance="R7") for each in payments)))
    assert matching.match_all("") == {MatchRule.REMITTANCE: 1}


def test_two_remittances_of_a_day_are_told_apart(family: Family) -> None:
    payments = [paid(family, cents, day(2)) for cents in (4520, 3000, 700)]
    numbers = ("R1", "R1", "R2")
    load(jrb(*(operation(each, 0, remittance=number)
               for each, number in zip(payments, numbers, strict=True))))  # fmt: skip
    said = [movement(day(3), 7520, "REMISE CB 1"), movement(day(3), 700, "REMISE CB 2")]
    load(statement(period(said)))
    assert matching.match_all("") == {MatchRule.REMITTANCE: 2}


def test_a_remittance_that_holds_a_payment_unknown_here_is_left_and_told(family: Family) -> None:
    known, lost = (paid(family, cents, day(2)) for cents in (4520, 3000))
    told = [operation(known, 20, remittance="R7")]
    told.append(operation(lost, 20, remittance="R7", order_reference="KF" + "f" * 18,
                          transaction_id="899999"))  # fmt: skip
    load(jrb(*told))
    load(statement(period([movement(day(4), 7480)])))
    assert matching.match_all("") == {}
    (point,) = Anomaly.select()
    assert (point.amount_cents, point.gateway) == (3000, "banque")
    matching.match_all("")
    assert Anomaly.select().count() == 1


def test_a_stranger_s_payment_at_the_same_bank_is_not_told(family: Family) -> None:
    payment = paid(family, 4520, day(2))
    load(jrb(operation(payment, order_reference="BOUTIQUE-1", transaction_id="899999")))
    matching.match_all("")
    assert Anomaly.select().count() == 0
    assert BankOperation.get().settlement_id is None


def test_an_operation_is_found_by_its_day_and_number(family: Family) -> None:
    payment = paid(family, 4520, day(2))
    load(jrb(operation(payment, order_reference="")))
    matching.match_all("")
    assert BankOperation.get().settlement_id == payment.id


def test_a_refund_of_the_journal_is_the_repayment(family: Family) -> None:
    payment = paid(family, 4520, day(2))
    repayment = given_back(payment, 4520, day(3))
    back = operation(payment, 0, cents=-4520, direction=Direction.CREDIT, remitted_on=day(3))
    load(jrb(operation(payment, 0), back))
    load(statement(period([movement(day(3), 4520), movement(day(4), -4520)])))
    assert matching.match_all("") == {MatchRule.REMITTANCE: 2}
    assert [each.repayment_id for each in BankOperation.select().order_by(BankOperation.id)] == [
        None,
        repayment.id,
    ]


def test_an_operation_told_by_several_journals_is_one(family: Family) -> None:
    payment = paid(family, 4520, day(2))
    bare = operation(payment, None, remitted_on=None, remittance="")
    load(jrb(bare))
    load(jrb(operation(payment, 20, remittance="R7")))
    loaded = load(jrb(operation(payment, 20, remittance="R7"), operation(payment, 20,
                  remittance="R8", transaction_id="000777")))  # fmt: skip
    assert (loaded.operations, loaded.known_operations) == (1, 1)
    first = BankOperation.get_by_id(1)
    assert (first.remittance, first.fee_cents, first.remitted_on) == ("R7", 20, day(2))


def test_a_credit_smaller_than_the_remittance_is_only_proposed(family: Family) -> None:
    for cents in (4520, 3000):
        paid(family, cents, day(2))
    load(statement(period([movement(day(4), 7480)])))
    assert matching.match_all("") == {}
    (proposal,) = matching.proposals(the_line())
    matching.confirm(the_line().id, proposal.key, "Dominique")
    assert kinds() == [("fee", -40), ("settlement", 3000), ("settlement", 4520)]
    assert {match.author for match in LineMatch.select()} == {"Dominique"}
    assert books.balances() == {"account": 7480, "fees": 40}


def test_a_remittance_less_three_percent_is_another(family: Family) -> None:
    paid(family, 10_000, day(2))
    load(statement(period([movement(day(4), 9700)])))
    assert matching.proposals(the_line()) == []


def test_an_amount_within_three_working_days_is_proposed(family: Family) -> None:
    """The 11th is a public holiday, the 14th and 15th a weekend."""
    paid(family, 4520, day(10), gateway="autre")
    load(statement(period([movement(day(16), 4520, "REMISE")])))
    StatementLine.update(amount_cents=4520).execute()
    assert [each.explanation.rule for each in matching.proposals(the_line())] == [MatchRule.DAY]


def test_two_payments_of_one_amount_leave_a_doubt(family: Family) -> None:
    payments = [paid(family, 4520, day(number)) for number in (2, 3)]
    load(statement(period([movement(day(4), 4520)])))
    assert matching.match_all("") == {}
    assert len(matching.proposals(the_line())) == 2
    chosen = matching.proposals(the_line())[1]
    matching.confirm(the_line().id, chosen.key, "Dominique")
    assert LineMatch.get().settlement_id == payments[1].id
    with pytest.raises(Refused):
        matching.confirm(the_line().id, chosen.key, "Dominique")


def test_two_lines_that_may_be_of_one_payment_leave_a_doubt(family: Family) -> None:
    payment = paid(family, 4520, day(2))
    said = [movement(day(number), 4520, reference(payment)) for number in (4, 5)]
    load(statement(period(said)))
    assert matching.match_all("") == {}


def test_as_many_lines_as_payments_that_are_the_same_leave_none(family: Family) -> None:
    payment = paid(family, 4520, day(2))
    assert payment.attempt
    twice = Settlement.create(
        attempt=payment.attempt, family=family, gateway="banque", transaction_id="2" * 32,
        mode="card", amount_cents=4520, settled_at=payment.settled_at, state="counted",
    )  # fmt: skip
    load(statement(period([movement(day(4), 4520, reference(payment))] * 2)))
    assert matching.match_all("") == {MatchRule.REFERENCE: 2}
    assert {match.settlement_id for match in LineMatch.select()} == {payment.id, twice.id}


def test_a_debit_pays_a_deposit_over(family: Family) -> None:
    deposit = Deposit.create(
        regie="", year=2026, number=1, up_to=1, amount_cents=9000, made_at=clock.now(),
        author="Dominique", pdf_sha256="", content="",
    )  # fmt: skip
    load(statement(period([movement(day(24), -9000, "VIREMENT TRESOR")], 10_000)))
    assert matching.match_all("") == {MatchRule.DEPOSIT: 1}
    assert books.matches()[0][3:] == ("deposit", deposit.id)
    assert books.balances() == {"account": 1000, "opening": -10_000, "paid_over": 9000}


@pytest.mark.parametrize(
    ("kind", "cents", "account"),
    [(MatchKind.FEE, -250, "fees"), (MatchKind.OTHER, 700, "others"),
     (MatchKind.OTHER, -700, "others")],
)  # fmt: skip
def test_a_person_says_what_a_line_is(kind: MatchKind, cents: int, account: str) -> None:
    load(statement(period([movement(day(4), cents)])))
    matching.classify(the_line().id, kind, "Dominique", "abonnement")
    assert books.balances() == {"account": cents, account: -cents}
    with pytest.raises(Refused):
        matching.classify(the_line().id, kind, "Dominique", "abonnement")


def test_whoever_says_so_gives_a_name_and_a_reason() -> None:
    load(statement(period([movement(day(4), -250)])))
    with pytest.raises(Refused):
        matching.classify(the_line().id, MatchKind.FEE, "Dominique", " ")
    with pytest.raises(Refused):
        matching.confirm(the_line().id, "x", "")


Undo = Callable[[], None]


def test_undoing_a_match_leaves_every_row_as_before(family: Family) -> None:
    payment = paid(family, 4520, day(2))
    load(statement(period([movement(day(4), 4520, reference(payment))], 100)))
    tables = ("statement_line", "settlement", "allocation", "attempt", "statement")
    before = [books.rows(table) for table in tables]
    held = books.balances()
    matching.match_all("")
    matching.undo(LineMatch.get().id, "Dominique", "autre famille")
    assert [books.rows(table) for table in tables] == before
    assert books.balances() == held
    with pytest.raises(Refused):
        matching.undo(LineMatch.get().id, "Dominique", "encore")


def test_what_a_person_undid_is_not_matched_again_but_proposed(family: Family) -> None:
    payment = paid(family, 4520, day(2))
    load(statement(period([movement(day(4), 4520, reference(payment))])))
    matching.match_all("")
    matching.undo(LineMatch.get().id, "Dominique", "à voir")
    assert matching.match_all("") == {}
    (proposal,) = matching.proposals(the_line())
    matching.confirm(the_line().id, proposal.key, "Dominique")
    assert LineMatch.select().count() == 2


def test_undoing_one_match_of_a_remittance_leaves_the_others(family: Family) -> None:
    payments = [paid(family, cents, day(2)) for cents in (4520, 3000)]
    load(statement(period([movement(day(4), 7520)])))
    matching.match_all("")
    match = LineMatch.get(LineMatch.settlement == payments[1])
    matching.undo(match.id, "Dominique", "pas celui-là")
    assert kinds() == [("settlement", 4520)]
    assert [each.id for each in matching.open_lines("")] == [the_line().id]
    (proposal,) = matching.proposals(the_line())
    assert proposal.explanation.cents == 3000
    matching.classify(the_line().id, MatchKind.OTHER, "Dominique", "versé par une autre ville")
    assert kinds() == [("other", 3000), ("settlement", 4520)]


def test_each_regie_has_its_own_lines_and_payments(family: Family) -> None:
    paid(family, 4520, day(2), gateway="creche", regie="creche")
    load(statement(period([movement(day(4), 4520)])), "", books.TWO)
    assert matching.match_all("") == {}
    assert matching.proposals(the_line()) == []
    other = statement(period([movement(day(4), 4520)], account="FR7612345678901234567890123"))
    load(other, "creche", books.TWO)
    assert matching.match_all("creche") == {MatchRule.DAY: 1}
    assert books.balances("creche") == {"account/creche": 4520, "unmatched/creche": -4520}


def test_charlie_s_payment_is_not_taken_for_alice_s(family: Family) -> None:
    charlies = make_family("F2002", "Petit")
    mine, theirs = paid(family, 4520, day(2)), paid(charlies, 4520, day(2))
    load(statement(period([movement(day(4), 4520, reference(theirs))])))
    matching.match_all("")
    assert LineMatch.get().settlement_id == theirs.id != mine.id
