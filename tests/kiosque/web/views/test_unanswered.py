"""A payment that the bank never spoke of: the family is told to look at its account first."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from gateways.base import Callback, Gateway, Unreachable
from kiosque import payments
from kiosque.db.models import Attempt, Family, Invoice
from kiosque.payments import reconcile
from tests import sentences
from tests.bank import REFUSED, notice
from tests.conftest import ISSUERS, PUBLIC_URL, Clock, SignIn, make_invoice
from tests.talkative import TalkativeBank

#: 24 November 2026, 20 h 30 in Paris.
BEGUN = "24\u00a0novembre\u00a02026 à 20\u00a0h\u00a030"
SUMMARY = "/paiement/recapitulatif?invoice=2026-10-0001"
INVOICE = "/factures/2026-10-0001"


@pytest.fixture
def lost(pay: Any, alices_family: Family, october: Invoice, frozen: Clock) -> Attempt:
    """Alice paid at the bank at 20 h 30, where nobody can ask; its notice never came."""
    attempt, _ = pay(alices_family, october)
    frozen.advance(minutes=16)
    return attempt


@pytest.mark.parametrize("timer", [False, True], ids=["before the timer", "after the timer"])
@pytest.mark.parametrize("address", ["/factures", SUMMARY, INVOICE])
def test_a_lost_notice_is_told_before_the_family_pays_again(
    timer: bool,
    address: str,
    sign_in: SignIn,
    gateway: Gateway,
    lost: Attempt,
    frozen: Clock,
) -> None:
    if timer:
        frozen.advance(hours=1)
        reconcile.run({"banque": gateway}, PUBLIC_URL, ISSUERS)
        assert Attempt.get().state == "expired"
    page = sign_in(lost.family).get(address).text
    assert f"{sentences.BEGUN_AT} {BEGUN} {sentences.UNANSWERED}" in page
    assert sentences.LOOK_AT_ACCOUNT in page
    assert "enfance@sautron.example.org" in page


def test_of_two_lost_notices_the_last_is_told_and_none_that_was_answered(
    sign_in: SignIn,
    alices_family: Family,
    october: Invoice,
    lost: Attempt,
    pay: Any,
    gateway: Gateway,
    frozen: Clock,
) -> None:
    frozen.advance(hours=1)
    reconcile.run({"banque": gateway}, PUBLIC_URL, ISSUERS)
    pay(alices_family, october)
    frozen.advance(hours=1)
    page = sign_in(alices_family).get("/factures").text
    assert "paiement du 24\u00a0novembre\u00a02026 à 21\u00a0h\u00a046" in page
    assert f"paiement du {BEGUN}" not in page


def test_the_list_marks_the_very_invoice(
    alice: FlaskClient, alices_family: Family, lost: Attempt
) -> None:
    make_invoice(alices_family, "2026-10-0002")
    assert alice.get("/factures").text.count(f"paiement du {BEGUN}") == 1
    assert sentences.UNANSWERED not in alice.get("/factures/2026-10-0002").text
    other = alice.get("/paiement/recapitulatif?invoice=2026-10-0002").text
    assert sentences.UNANSWERED not in other


def test_charlie_hears_nothing_of_it(
    charlie: FlaskClient, charlies_family: Family, lost: Attempt
) -> None:
    make_invoice(charlies_family, "C1")
    for address in ("/factures", "/paiement/recapitulatif?invoice=C1"):
        assert sentences.LOOK_AT_ACCOUNT not in charlie.get(address).text


def test_back_from_the_bank_later_nothing_is_said_that_is_not_known(
    sign_in: SignIn, gateway: Gateway, lost: Attempt, frozen: Clock
) -> None:
    frozen.advance(hours=1)
    reconcile.run({"banque": gateway}, PUBLIC_URL, ISSUERS)
    page = sign_in(lost.family).get(f"/paiement/retour/{lost.reference}").text
    assert f"{sentences.BEGUN_AT} {BEGUN} {sentences.UNANSWERED}" in page
    assert sentences.LOOK_AT_ACCOUNT in page


def test_while_the_family_may_still_be_paying_nothing_is_said(
    pay: Any, alice: FlaskClient, alices_family: Family, october: Invoice
) -> None:
    pay(alices_family, october)
    assert sentences.LOOK_AT_ACCOUNT not in alice.get("/factures").text


def test_once_the_bank_has_spoken_nothing_is_said(
    pay: Any,
    alice: FlaskClient,
    gateway: Gateway,
    alices_family: Family,
    october: Invoice,
    frozen: Clock,
) -> None:
    _, handoff = pay(alices_family, october)
    said = Callback.of_form(notice(handoff, **REFUSED).items())
    payments.record(gateway.name, gateway.read_notification(said), ISSUERS)
    frozen.advance(minutes=20)
    assert sentences.LOOK_AT_ACCOUNT not in alice.get("/factures").text


def test_a_bank_that_was_asked_and_knows_of_nothing_makes_nobody_afraid(
    sign_in: SignIn, gateway: Gateway, alices_family: Family, october: Invoice, frozen: Clock
) -> None:
    bank = TalkativeBank(gateway)
    purchase = payments.Purchase(alices_family, [october.number], october.total_cents)
    attempt, _ = payments.start(purchase, bank, PUBLIC_URL)
    bank.answers = [Unreachable("panne"), []]
    frozen.advance(hours=1)
    reconcile.run({"banque": bank}, PUBLIC_URL, ISSUERS)
    assert payments.unanswered_of([october]) == attempt.started_at
    frozen.advance(hours=1)
    reconcile.run({"banque": bank}, PUBLIC_URL, ISSUERS)
    assert Attempt.get_by_id(attempt.id).state == "expired"
    alice = sign_in(alices_family)
    assert sentences.LOOK_AT_ACCOUNT not in alice.get("/factures").text
    page = alice.get(f"/paiement/retour/{attempt.reference}").text
    assert sentences.LOOK_AT_ACCOUNT not in page


def test_after_thirty_days_it_is_told_no_more(lost: Attempt, frozen: Clock) -> None:
    frozen.at = lost.started_at
    frozen.advance(days=30)
    assert payments.unanswered_of([Invoice.get()]) is None
    frozen.advance(seconds=-1)
    assert payments.unanswered_of([Invoice.get()]) == lost.started_at


def test_a_notice_that_comes_after_all_pays_and_the_warning_goes(
    alice: FlaskClient, pay: Any, gateway: Gateway, alices_family: Family, frozen: Clock
) -> None:
    make_invoice(alices_family, "N2")
    _, handoff = pay(alices_family, make_invoice(alices_family, "N1"))
    frozen.advance(minutes=20)
    assert sentences.LOOK_AT_ACCOUNT in alice.get("/factures").text
    payments.record(
        gateway.name, gateway.read_notification(Callback.of_form(notice(handoff).items())), ISSUERS
    )
    assert sentences.LOOK_AT_ACCOUNT not in alice.get("/factures").text
