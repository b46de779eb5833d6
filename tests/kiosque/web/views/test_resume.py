"""A payer who left the bank's page: back to it, or out of it, and never shut out without a word."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from gateways.base import Gateway, Handoff, Order, Polling, Unreachable, WrongEmail
from kiosque import payments
from kiosque.db.models import Attempt, Family, Invoice, Receipt, Settlement
from kiosque.language import clock
from tests import sentences
from tests.bank import notice
from tests.conftest import Clock, csrf_token, make_invoice
from tests.pages.family import at_the_counter
from tests.talkative import TalkativeBank

Pay = Callable[..., tuple[Attempt, Handoff]]
NOTIFY = "/paiement/notification/banque"
SUMMARY = "/paiement/recapitulatif?invoice=2026-10-0001"


class BankWithPages(TalkativeBank):
    """A bank that keeps one page a payment, and shows it again."""

    def resume(self, order: Order) -> Handoff:
        return Handoff(f"{self.form_origin}/page/{order.number}", order.gateway_reference)


@pytest.fixture
def bank(app: Flask, gateway: Gateway) -> TalkativeBank:
    return _installed(app, TalkativeBank(gateway))


@pytest.fixture
def bank_with_pages(app: Flask, gateway: Gateway) -> BankWithPages:
    return _installed(app, BankWithPages(gateway))


def _installed(app: Flask, bank: Any) -> Any:
    app.extensions["gateways"] = {"banque": bank}
    return bank


@pytest.fixture
def left(pay: Pay, alices_family: Family, october: Invoice) -> tuple[Attempt, Handoff]:
    """Alice went to the bank for October, and left its page."""
    return pay(alices_family, october, email="alice@example.org")


def press(client: FlaskClient, action: str, attempt: Attempt) -> TestResponse:
    token = csrf_token(client.get("/famille").text)
    address = f"/paiement/{action}/{attempt.reference}"
    return client.post(address, data={"csrf_token": token})


def form_of(page: str) -> dict[str, str]:
    return dict(re.findall(r'name="(vads_\w+)" value="([^"]*)"', page))


def offers(page: str, action: str, attempt: Attempt) -> bool:
    return f'action="/paiement/{action}/{attempt.reference}"' in page


@pytest.mark.parametrize(
    "address", ["/factures", "/factures/2026-10-0001", "/paiement/retour/{}", SUMMARY]
)
def test_a_payer_who_left_the_bank_finds_the_way_back_wherever_she_looks(
    alice: FlaskClient, bank: TalkativeBank, left: tuple[Attempt, Handoff], address: str
) -> None:
    attempt, _ = left
    page = alice.get(address.format(attempt.reference), follow_redirects=True)
    assert page.status_code == 200
    assert offers(page.text, "reprendre", attempt)
    assert offers(page.text, "abandonner", attempt)
    assert sentences.RESUME in page.text


def test_what_is_open_at_the_bank_is_still_counted(
    alice: FlaskClient, bank: TalkativeBank, left: tuple[Attempt, Handoff], september: Invoice
) -> None:
    page = alice.get("/factures").text
    assert re.search("2 factures.*87,45", page)
    assert re.search('class="total">42,25', page), "what can be ticked, above the list of it"
    assert "20\u00a0h\u00a030" in page, "since when"
    assert 'value="2026-10-0001"' not in page, "it cannot be ticked"
    assert 'value="2026-09-0001"' in page


def test_a_bank_that_decided_nothing_gets_another_number_never_the_same_form_again(
    alice: FlaskClient, bank: TalkativeBank, left: tuple[Attempt, Handoff]
) -> None:
    first, handoff = left
    answer = press(alice, "reprendre", first)
    assert answer.status_code == 200
    assert len(bank.asked) == 1, "the bank is asked first"
    second = Attempt.get(Attempt.id != first.id)
    fields = form_of(answer.text)
    assert fields["vads_trans_id"] == f"{second.number:06}"
    assert fields["vads_trans_id"] != dict(handoff.fields or ())["vads_trans_id"]
    assert Attempt.get_by_id(first.id).state == "cancelled"
    assert (second.state, second.amount_cents) == ("handed_off", first.amount_cents)
    assert second.receipt_email == "alice@example.org"


def test_a_payer_who_had_paid_is_shown_the_receipt_and_pays_nothing_more(
    alice: FlaskClient, bank: TalkativeBank, left: tuple[Attempt, Handoff]
) -> None:
    attempt, handoff = left
    bank.answers = [[bank.report(handoff)]]
    for action in ("reprendre", "abandonner"):
        answer = press(alice, action, attempt)
        assert answer.status_code == 303
        page = alice.get(answer.location).text
        assert f'href="/recus/{Receipt.get().id}"' in page
    assert Attempt.select().count() == 1
    assert Settlement.select().count() == 1


@pytest.mark.parametrize("action", ["reprendre", "abandonner"])
def test_a_bank_that_does_not_answer_lets_nothing_go(
    alice: FlaskClient, bank: TalkativeBank, left: tuple[Attempt, Handoff], action: str
) -> None:
    attempt, _ = left
    bank.answers = [Unreachable("silence")]
    page = alice.get(press(alice, action, attempt).location).text
    assert sentences.NO_ANSWER in page
    assert Attempt.select().count() == 1
    assert Attempt.get().state == "handed_off"


@pytest.mark.parametrize("action", ["reprendre", "abandonner"])
def test_a_bank_that_nobody_can_ask_is_waited_for_and_the_page_says_until_when_and_why(
    alice: FlaskClient, left: tuple[Attempt, Handoff], action: str
) -> None:
    attempt, _ = left
    for address in ("/factures", "/factures/2026-10-0001", SUMMARY):
        page = alice.get(address, follow_redirects=True).text
        assert not offers(page, action, attempt)
        assert f"{sentences.PAYABLE_AGAIN} 20\u00a0h\u00a045" in page
        assert sentences.CANNOT_TELL in page
    answer = press(alice, action, attempt)
    assert answer.status_code == 303
    assert Attempt.get().state == "handed_off"
    assert Attempt.select().count() == 1


def test_a_bank_that_keeps_the_page_leads_back_to_that_very_page(
    alice: FlaskClient, bank_with_pages: BankWithPages, left: tuple[Attempt, Handoff]
) -> None:
    attempt, _ = left
    page = press(alice, "reprendre", attempt).text
    assert f'href="http://127.0.0.1:8001/page/{attempt.number}"' in page
    assert Attempt.select().count() == 1
    assert Attempt.get().state == "handed_off"


def test_a_page_that_is_out_of_reach_is_said_so_and_changes_nothing(
    alice: FlaskClient,
    bank_with_pages: BankWithPages,
    left: tuple[Attempt, Handoff],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unreachable(_order: Order) -> Handoff:
        raise Unreachable("silence")

    monkeypatch.setattr(bank_with_pages, "resume", unreachable)
    assert press(alice, "reprendre", left[0]).status_code == 503
    assert Attempt.get().state == "handed_off"


def test_a_payment_given_up_lets_its_invoices_go(
    alice: FlaskClient, bank: TalkativeBank, left: tuple[Attempt, Handoff]
) -> None:
    attempt, _ = left
    page = alice.get(press(alice, "abandonner", attempt).location).text
    assert sentences.PAYMENT_GIVEN_UP in page
    assert 'href="/paiement/recapitulatif?invoice=2026-10-0001"' in page
    assert 'value="2026-10-0001"' in alice.get("/factures").text
    assert alice.get(SUMMARY).status_code == 200


def test_late_money_of_a_payment_given_up_is_money(
    alice: FlaskClient, bank: TalkativeBank, left: tuple[Attempt, Handoff], october: Invoice
) -> None:
    first, handoff = left
    anew = press(alice, "reprendre", first).text
    assert alice.post(NOTIFY, data=notice(handoff)).status_code == 200
    assert Invoice.get_by_id(october.id).state == "paid"
    both = Handoff("", "", tuple(form_of(anew).items()))
    assert alice.post(NOTIFY, data=notice(both)).status_code == 200
    second = Attempt.get(Attempt.id != first.id)
    assert payments.money_of(second).overpaid_cents == october.total_cents


def test_charlie_and_a_stranger_touch_nothing_of_alices(
    charlie: FlaskClient,
    stranger: FlaskClient,
    bank: TalkativeBank,
    left: tuple[Attempt, Handoff],
) -> None:
    attempt, _ = left
    for action in ("reprendre", "abandonner"):
        assert press(charlie, action, attempt).status_code == 404
        token = csrf_token(stranger.get("/connexion").text)
        address = f"/paiement/{action}/{attempt.reference}"
        refused = stranger.post(address, data={"csrf_token": token})
        assert refused.location.startswith("/connexion")
    assert bank.asked == []
    assert Attempt.get().state == "handed_off"


def test_whoever_the_bank_has_just_sent_back_is_not_offered_to_pay_again(
    alice: FlaskClient, bank: TalkativeBank, left: tuple[Attempt, Handoff]
) -> None:
    attempt, _ = left
    address = f"/paiement/retour/{attempt.reference}"
    page = alice.get(address, headers={"Sec-Fetch-Site": "cross-site"}).text
    assert sentences.WAITING in page
    assert not offers(page, "reprendre", attempt)
    assert not offers(alice.get("/factures").text, "reprendre", attempt)


def test_a_browser_that_does_not_say_where_it_comes_from_reads_one_sentence_not_two(
    alice: FlaskClient, bank: TalkativeBank, left: tuple[Attempt, Handoff]
) -> None:
    attempt, _ = left
    page = alice.get(f"/paiement/retour/{attempt.reference}").text
    assert offers(page, "reprendre", attempt)
    assert sentences.NO_SECOND_PAYMENT not in page.lower()
    assert "data-refresh-after" in page, "one may have paid, too"


@pytest.mark.parametrize("said", [{}, {"trans_status": "UNDER_VERIFICATION"}])
def test_while_the_banks_answer_is_awaited_every_page_gives_the_same_advice(
    alice: FlaskClient,
    bank: TalkativeBank,
    left: tuple[Attempt, Handoff],
    said: dict[str, str],
) -> None:
    attempt, handoff = left
    if said:
        alice.post(NOTIFY, data=notice(handoff, **said))
    address = f"/paiement/retour/{attempt.reference}"
    page = alice.get(address, headers={"Sec-Fetch-Site": "cross-site"}).text
    (advice,) = re.findall(r"</h1>\s*<p>(.+?)</p>", page)
    for where in ("/factures", "/factures/2026-10-0001", SUMMARY):
        assert advice in alice.get(where, follow_redirects=True).text


def test_a_payment_whose_invoices_were_paid_otherwise_says_so_while_the_bank_may_still_answer(
    alice: FlaskClient, bank: TalkativeBank, left: tuple[Attempt, Handoff], october: Invoice
) -> None:
    attempt, handoff = left
    payments.settle_at_counter([at_the_counter(october)])
    page = alice.get(f"/paiement/retour/{attempt.reference}").text
    assert sentences.INVOICES_PAID in page
    assert sentences.WAITING not in page
    assert "result-paid" in page
    assert not offers(page, "reprendre", attempt)
    alice.post(NOTIFY, data=notice(handoff))
    assert sentences.PAID_TOO_MUCH in alice.get(f"/paiement/retour/{attempt.reference}").text


def test_back_twice_after_paying_shows_the_receipt(
    alice: FlaskClient, left: tuple[Attempt, Handoff]
) -> None:
    attempt, handoff = left
    alice.post(NOTIFY, data=notice(handoff))
    for page in (alice.get(SUMMARY), press_pay_again(alice, attempt)):
        assert page.location == f"/paiement/retour/{attempt.reference}"
    assert f'href="/recus/{Receipt.get().id}"' in alice.get(page.location).text


def press_pay_again(client: FlaskClient, attempt: Attempt) -> TestResponse:
    """Send again the form that opened the payment, as Back twice and a reload do."""
    data = {
        "csrf_token": csrf_token(client.get("/famille").text),
        "invoice": "2026-10-0001",
        "expected_cents": str(attempt.amount_cents),
    }
    return client.post("/paiement/banque", data=data)


def test_of_several_invoices_the_one_at_the_bank_is_said_with_its_way_out(
    alice: FlaskClient,
    bank: TalkativeBank,
    left: tuple[Attempt, Handoff],
    alices_family: Family,
) -> None:
    make_invoice(alices_family, "2026-11-0001")
    answer = alice.get(f"{SUMMARY}&invoice=2026-11-0001")
    assert answer.status_code == 409
    assert offers(answer.text, "reprendre", left[0])


def test_a_payment_whose_time_has_passed_is_not_resumed(
    alice: FlaskClient, bank: TalkativeBank, left: tuple[Attempt, Handoff], frozen: Clock
) -> None:
    frozen.advance(minutes=16)
    attempt, _ = left
    assert not offers(alice.get("/factures").text, "reprendre", attempt)
    assert press(alice, "reprendre", attempt).status_code == 303
    assert Attempt.select().count() == 1


def test_while_the_bank_is_closed_nothing_is_closed_that_could_not_be_opened_again(
    alice: FlaskClient, bank: TalkativeBank, left: tuple[Attempt, Handoff], frozen: Clock
) -> None:
    payments.close_bank("banque", "", clock.now().replace(hour=23), "Mme Petit")
    attempt, _ = left
    assert not offers(alice.get("/factures").text, "reprendre", attempt)
    press(alice, "reprendre", attempt)
    assert Attempt.get().state == "handed_off"


def test_resuming_twice_leads_to_the_payment_opened_the_first_time(
    alice: FlaskClient, bank: TalkativeBank, left: tuple[Attempt, Handoff]
) -> None:
    first, _ = left
    press(alice, "reprendre", first)
    second = Attempt.get(Attempt.id != first.id)
    answer = press(alice, "reprendre", first)
    assert answer.location == f"/paiement/retour/{second.reference}"
    assert offers(alice.get(answer.location).text, "reprendre", second)
    assert Attempt.select().count() == 2


def test_once_the_old_page_has_paid_the_new_payment_is_offered_no_more(
    alice: FlaskClient, bank: TalkativeBank, left: tuple[Attempt, Handoff]
) -> None:
    first, handoff = left
    press(alice, "reprendre", first)
    second = Attempt.get(Attempt.id != first.id)
    alice.post(NOTIFY, data=notice(handoff))
    page = alice.get(f"/paiement/retour/{second.reference}").text
    assert not offers(page, "reprendre", second)
    assert sentences.INVOICES_PAID in page
    assert f'href="/recus/{Receipt.get().id}"' in page
    answer = press(alice, "reprendre", second)
    assert answer.location == f"/paiement/retour/{first.reference}"
    assert f'href="/recus/{Receipt.get().id}"' in alice.get(answer.location).text


def test_of_a_payment_that_cannot_be_resumed_what_was_paid_meanwhile_is_said(
    alice: FlaskClient,
    bank: TalkativeBank,
    pay: Pay,
    alices_family: Family,
    october: Invoice,
    september: Invoice,
) -> None:
    _, handoff = pay(alices_family, october)
    press(alice, "abandonner", Attempt.get())
    both, _ = pay(alices_family, october, september)
    alice.post(NOTIFY, data=notice(handoff))
    answer = press(alice, "reprendre", both)
    assert answer.status_code == 409
    assert f"/recus/{Receipt.get().id}" in answer.text
    assert sentences.NOTHING_PAID not in answer.text


@pytest.mark.parametrize("action", ["reprendre", "abandonner"])
def test_a_payer_who_paid_just_after_the_bank_was_asked_is_not_led_to_pay_again(
    alice: FlaskClient,
    bank: TalkativeBank,
    left: tuple[Attempt, Handoff],
    frozen: Clock,
    action: str,
) -> None:
    attempt, handoff = left
    alice.get(f"/paiement/retour/{attempt.reference}")
    bank.answers = [[bank.report(handoff)]]
    frozen.advance(seconds=5)
    page = alice.get(press(alice, action, attempt).location).text
    assert f'href="/recus/{Receipt.get().id}"' in page
    assert Attempt.select().count() == 1


def test_a_payment_that_another_took_the_place_of_leads_to_it_in_place_of_a_new_one(
    alice: FlaskClient, bank: TalkativeBank, left: tuple[Attempt, Handoff]
) -> None:
    first, _ = left
    press(alice, "reprendre", first)
    second = Attempt.get(Attempt.id != first.id)
    page = alice.get(f"/paiement/retour/{first.reference}").text
    assert f'href="/paiement/retour/{second.reference}"' in page
    assert sentences.START_AGAIN not in page


def test_a_bank_whose_silence_proves_nothing_lets_nobody_give_a_payment_up(
    alice: FlaskClient, bank: TalkativeBank, left: tuple[Attempt, Handoff]
) -> None:
    """Of a payment just made, too, it may know no result yet."""
    attempt, _ = left
    bank.polling = Polling(silence_proves_unpaid=False)
    page = alice.get("/factures").text
    assert offers(page, "reprendre", attempt)
    assert not offers(page, "abandonner", attempt)
    press(alice, "abandonner", attempt)
    assert Attempt.get().state == "handed_off"


def test_an_address_that_the_bank_takes_no_more_is_asked_for_again(
    alice: FlaskClient,
    bank: TalkativeBank,
    left: tuple[Attempt, Handoff],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(_order: Order) -> Handoff:
        raise WrongEmail("adresse refusée")

    monkeypatch.setattr(bank, "start", refuse)
    assert press(alice, "reprendre", left[0]).location == SUMMARY
