"""What became of a payment is told in order, whichever of its names one knows."""

import pytest

from kiosque import payments
from kiosque.db.models import Family, Invoice
from kiosque.payments.history import events_of
from tests.conftest import Clock, make_invoice
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
    for word in ("45,20", october.number, "débit", "enregistré", "bank:banque", "R000001"):
        assert word in told


def test_the_counter_is_told_with_who_took_the_money(october: Invoice) -> None:
    payments.settle_at_counter([counter_payment(october)])
    (entry,) = events_of(october.number)
    assert entry.who == "Dominique"
    assert "counter:cheque" in entry.text


def test_the_story_of_one_payment_tells_nothing_of_charlies(
    paid: str, october: Invoice, charlies_family: Family, pay: Pay
) -> None:
    attempt, _handoff = pay(charlies_family, make_invoice(charlies_family, "C-1", 700))
    theirs = " ".join(event.text for event in events_of("C-1"))
    assert attempt.reference in theirs
    assert paid not in theirs
    assert october.number not in theirs


@pytest.mark.parametrize("name", ["", "R000009", "R", "inconnu", "R99999999999999999999", "%"])
def test_a_name_that_no_payment_has_tells_nothing(paid: str, name: str) -> None:
    assert events_of(name) == []
