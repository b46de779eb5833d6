"""A payment's history is told in order, whichever of its names one knows."""

import pytest

from kiosque import payments
from kiosque.db.models import Family, Invoice
from kiosque.db.states import RepaymentKind
from kiosque.payments.history import events_of
from tests.conftest import ISSUERS, NOW, Clock, make_invoice
from tests.kiosque.payments.conftest import Hear, Pay
from tests.kiosque.payments.test_counter import counter_payment


@pytest.fixture
def paid(october: Invoice, alices_family: Family, pay: Pay, hear: Hear, frozen: Clock) -> str:
    """Alice paid October online, a minute after she left for the bank; the payment's reference."""
    attempt, handoff = pay(alices_family, october)
    frozen.advance(minutes=1)
    hear(handoff)
    return attempt.reference


def test_a_payment_has_one_story_under_its_three_names(paid: str, october: Invoice) -> None:
    story = events_of(paid)
    assert story == events_of(october.number) == events_of("R000001") == events_of("r1")
    assert [event.at for event in story] == sorted(event.at for event in story)
    told = " / ".join(f"{event.who} : {event.text}" for event in story)
    for word in ("45,20", october.number, "débit", "enregistré", "à recevoir", "R000001"):
        assert word in told
    assert all("45,20" in event.text for event in story if "AUTHORISED" in event.text)
    assert "0,00" not in told.replace("R000001", "")


def test_the_counter_and_what_left_again_are_told_each_with_its_author(october: Invoice) -> None:
    payments.settle_at_counter([counter_payment(october)])
    taken = payments.find_settlement(october.number)
    payments.record_repayment(taken, RepaymentKind.CHARGEBACK, None, "Bruno", "sans provision")
    story = events_of(october.number)
    assert ["chèque 123" in event.text for event in story if event.who == "Dominique"] == [True]
    assert ["sans provision" in event.text for event in story if event.who == "Bruno"] == [True]
    entries = [event.text for event in story if event.who == "journal"]
    assert ["encaissé ailleurs, chèque" in entry for entry in entries] == [True] * 2


def test_a_debit_entered_by_hand_is_found_by_its_receipt_and_by_its_name(
    alices_family: Family, october: Invoice
) -> None:
    debit = payments.BankPayment(
        "banque", "u1", october.total_cents, NOW.date(), "Dominique", "vu au back office"
    )
    payments.enter(debit, october, ISSUERS)
    assert events_of("R000001") == events_of("u1") == events_of(october.number) != []


def test_the_story_of_one_payment_tells_nothing_of_charlies(
    paid: str, october: Invoice, charlies_family: Family, pay: Pay
) -> None:
    attempt, _handoff = pay(charlies_family, make_invoice(charlies_family, "C-1", 700))
    theirs = " ".join(event.text for event in events_of("C-1"))
    assert attempt.reference in theirs
    assert paid not in theirs
    assert october.number not in theirs


def test_what_charlie_paid_and_was_given_back_is_in_no_other_story(
    paid: str, october: Invoice, charlies_family: Family
) -> None:
    theirs = make_invoice(charlies_family, "C-1", 700)
    payments.settle_at_counter([counter_payment(theirs)])
    payments.record_repayment(
        payments.find_settlement("C-1"), RepaymentKind.CHARGEBACK, None, "Bruno", "sans provision"
    )
    assert {event.who for event in events_of("C-1")} >= {"Dominique", "Bruno", "journal"}
    assert not {event.who for event in events_of(october.number)} & {"Dominique", "Bruno"}


@pytest.mark.parametrize("name", ["", "R000009", "R", "inconnu", "R99999999999999999999", "%"])
def test_a_name_that_no_payment_has_tells_nothing(paid: str, name: str) -> None:
    assert events_of(name) == []
