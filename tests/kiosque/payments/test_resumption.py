"""A payer goes back to the bank, or gives the payment up: only what the bank just said counts."""

from datetime import timedelta

import pytest

from gateways.base import Gateway, Handoff, Order
from kiosque import payments
from kiosque.db import write
from kiosque.db.models import Attempt, Fact, Invoice
from kiosque.payments import resumption
from tests.conftest import ISSUERS, PUBLIC_URL, Clock
from tests.kiosque.payments.conftest import Pay, at_counter, state_of
from tests.talkative import TalkativeBank

pytestmark = pytest.mark.usefixtures("sound_books")
Gateways = dict[str, Gateway]


class BankWithPages(TalkativeBank):
    """A bank that keeps one page a payment, and shows it again."""

    def __init__(self, gateway: Gateway) -> None:
        super().__init__(gateway)
        self.shown: list[Order] = []

    def resume(self, order: Order) -> Handoff:
        self.shown.append(order)
        return Handoff(f"{self.form_origin}/page", order.gateway_reference)


def resume(attempt: Attempt, gateways: Gateways) -> tuple[Attempt, Handoff] | None:
    return payments.resume(attempt, gateways, PUBLIC_URL, ISSUERS)


def give_up(attempt: Attempt, gateways: Gateways) -> bool:
    return payments.give_up(attempt, gateways, PUBLIC_URL, ISSUERS)


def test_the_bank_is_asked_about_the_very_order_that_is_resumed_or_given_up(
    bank: TalkativeBank, gateways: Gateways, go: Pay, october: Invoice, september: Invoice
) -> None:
    (resumed, _), (given_up, _) = go(october), go(september)
    assert resume(resumed, gateways)
    assert give_up(given_up, gateways) is True
    assert [(order.reference, order.return_url) for order in bank.asked] == [
        (each.reference, f"{PUBLIC_URL}/paiement/retour/{each.reference}")
        for each in (resumed, given_up)
    ]


def test_what_is_given_up_is_so_by_the_family_and_of_no_bank_transaction(
    gateways: Gateways, go: Pay, october: Invoice
) -> None:
    attempt, _ = go(october)
    assert give_up(attempt, gateways)
    fact = Fact.get(Fact.state == "cancelled")
    assert (fact.attempt, fact.transaction_id, fact.source) == (attempt, "", "family")


def test_no_page_of_a_bank_is_asked_for_while_the_database_is_being_written(
    bank: TalkativeBank, gateways: Gateways, go: Pay, october: Invoice
) -> None:
    attempt, _ = go(october)
    for act in (resume, give_up):
        with pytest.raises(RuntimeError), write():
            act(attempt, gateways)
    assert bank.asked == []
    assert state_of(attempt) == "handed_off"


def test_a_bank_that_keeps_its_page_shows_it_for_what_is_still_due_and_for_nothing_else(
    gateway: Gateway, go: Pay, october: Invoice, september: Invoice
) -> None:
    bank = BankWithPages(gateway)
    (whole, _), (less, _) = go(october), go(september)
    at_counter(september, amount_cents=1000)
    assert payments.is_still_due(whole)
    found = resume(whole, {"banque": bank})
    assert found
    assert found[0] == whole
    with pytest.raises(payments.Refused):
        resume(less, {"banque": bank})
    (order,) = bank.shown
    assert order.return_url == f"{PUBLIC_URL}/paiement/retour/{whole.reference}"


def test_nothing_is_offered_from_the_instant_when_the_banks_page_closes(
    gateways: Gateways, go: Pay, frozen: Clock, october: Invoice
) -> None:
    attempt, _ = go(october)
    frozen.at = attempt.live_until - timedelta(microseconds=1)
    assert payments.open_payment(attempt, gateways, ())
    frozen.at = attempt.live_until
    assert payments.open_payment(attempt, gateways, ()) is None


@pytest.mark.parametrize(("late", "closed"), [(0, True), (1, False)])
def test_an_answer_of_the_bank_is_acted_on_for_seven_seconds(
    bank: TalkativeBank,
    gateways: Gateways,
    go: Pay,
    frozen: Clock,
    monkeypatch: pytest.MonkeyPatch,
    october: Invoice,
    late: int,
    closed: bool,
) -> None:
    attempt, _ = go(october)
    ask = resumption.ask_soon

    def slowly(*given: object, **more: object) -> None:
        ask(*given, **more)  # type: ignore[arg-type]
        frozen.advance(seconds=7, microseconds=late)

    monkeypatch.setattr(resumption, "ask_soon", slowly)
    assert give_up(attempt, gateways) is closed
