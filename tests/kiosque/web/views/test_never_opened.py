"""A payment that stopped before its way to the bank was shown: nobody can have paid it."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from gateways.base import Gateway, Handoff
from kiosque import payments
from kiosque.db.models import Attempt, Family, Invoice
from kiosque.payments import Refused, checkout, reconcile
from tests import sentences
from tests.conftest import ISSUERS, PUBLIC_URL, Clock, SignIn

Pay = Callable[..., tuple[Attempt, Handoff]]
SUMMARY = "/paiement/recapitulatif?invoice=2026-10-0001"


@pytest.fixture
def never_opened(
    monkeypatch: pytest.MonkeyPatch,
    pay: Pay,
    alices_family: Family,
    october: Invoice,
    frozen: Clock,
) -> Attempt:
    """The machine stopped while the bank was opening Alice's payment, a moment ago."""

    def stopped(*_: object) -> Handoff:
        raise KeyboardInterrupt

    with monkeypatch.context() as machine, pytest.raises(KeyboardInterrupt):
        machine.setattr(checkout, "hand_over", stopped)
        pay(alices_family, october)
    attempt: Attempt = Attempt.get()
    assert attempt.state == "created"
    frozen.advance(seconds=31)
    return attempt


def test_its_invoices_are_payable_and_another_payment_closes_it(
    alice: FlaskClient, never_opened: Attempt, pay: Pay, alices_family: Family, october: Invoice
) -> None:
    page = alice.get("/factures").text
    assert 'value="2026-10-0001"' in page
    assert never_opened.reference not in page
    for address in (SUMMARY, "/factures/2026-10-0001"):
        page = alice.get(address)
        assert page.status_code == 200
        assert sentences.RESUME not in page.text
    second, _ = pay(alices_family, october)
    assert Attempt.get_by_id(never_opened.id).state == "cancelled"
    assert Attempt.get_by_id(second.id).state == "handed_off"


@pytest.mark.parametrize("minutes", [0, 60])
def test_nobody_is_told_to_wait_nor_to_look_at_an_account(
    sign_in: SignIn, never_opened: Attempt, gateway: Gateway, frozen: Clock, minutes: int
) -> None:
    frozen.advance(minutes=minutes)
    alice = sign_in(never_opened.family)
    reconcile.run({"banque": gateway}, PUBLIC_URL, ISSUERS)
    pages = ("/factures", SUMMARY, f"/paiement/retour/{never_opened.reference}")
    for address in pages:
        page = alice.get(address).text
        assert sentences.LOOK_AT_ACCOUNT not in page
        assert sentences.NO_SECOND_PAYMENT not in page.lower()
    assert payments.unanswered_of([Invoice.get()]) is None


def test_at_the_counter_the_family_is_not_said_to_be_at_the_bank(never_opened: Attempt) -> None:
    assert payments.at_bank([Invoice.get().number]) == {}


def test_while_the_bank_opens_it_the_counter_is_warned(
    never_opened: Attempt, frozen: Clock
) -> None:
    frozen.advance(seconds=-2)
    number = Invoice.get().number
    assert never_opened.reference in payments.at_bank([number])[number]


def test_while_the_bank_opens_it_no_other_is_opened_and_nothing_is_offered(
    alice: FlaskClient, never_opened: Attempt, pay: Pay, alices_family: Family, frozen: Clock
) -> None:
    frozen.advance(seconds=-29)
    with pytest.raises(Refused):
        pay(alices_family, Invoice.get())
    here = f"/paiement/retour/{never_opened.reference}"
    assert alice.get(SUMMARY).location == here
    for address in (here, "/factures", "/factures/2026-10-0001"):
        page = alice.get(address).text
        assert sentences.NOT_OPENED_YET in page
        assert sentences.RESUME not in page


def test_of_two_tabs_the_slow_one_learns_that_the_other_has_the_payment(
    monkeypatch: pytest.MonkeyPatch,
    pay: Pay,
    alices_family: Family,
    october: Invoice,
    frozen: Clock,
) -> None:
    hand_over = checkout.hand_over

    def slowly(*how: object) -> Handoff:
        frozen.advance(seconds=31)
        monkeypatch.setattr(checkout, "hand_over", hand_over)
        pay(alices_family, october)
        return hand_over(*how)  # type: ignore[arg-type]

    monkeypatch.setattr(checkout, "hand_over", slowly)
    with pytest.raises(Refused):
        pay(alices_family, october)
    assert [each.state for each in Attempt.select().order_by(Attempt.id)] == [
        "cancelled",
        "handed_off",
    ]
    held = payments.live_attempts([october])
    assert held[october.id].state == "handed_off"
    assert held[october.id].live_until - held[october.id].started_at == timedelta(minutes=15)
