"""The payment of 1 € that an administrator tries: out, back, and no other money."""

import re
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gateways.base import Declined, Gateway, Handoff, Unreachable
from kiosque import payments
from kiosque.db.models import Attempt, Invoice, JournalEntry, OutboxMail, Settlement, StaffEvent
from kiosque.db.states import RepaymentKind
from kiosque.payments import verification
from kiosque.staff.roles import Role
from tests.agents import confirm, enter, make_agent, send
from tests.bank import REFUSED, handed_over
from tests.conftest import ISSUERS, Clock
from tests.talkative import TalkativeBank

SETTINGS = "/mairie/reglages"
PAGE = f"{SETTINGS}/essai/banque"
CREDIT = {"operation_type": "CREDIT", "trans_id": "912345", "trans_uuid": "c" * 32}
WHY = {"reason": "avant l’ouverture", "seen": "y"}


@pytest.fixture
def bank(app: Flask, gateway: Gateway) -> TalkativeBank:
    made = TalkativeBank(gateway)
    app.extensions["gateways"] = {"banque": made}
    return made


@pytest.fixture
def admin(app: Flask, bank: TalkativeBank, empty_database: None, frozen: Clock) -> FlaskClient:
    return enter(app, make_agent(Role.ADMINISTRATION))


@pytest.fixture
def handoff(admin: FlaskClient) -> Handoff:
    answer = send(admin, PAGE, **WHY)
    assert answer.status_code == 200
    return handed_over(answer.text)


@pytest.fixture
def paid(bank: TalkativeBank, handoff: Handoff) -> Settlement:
    payments.record("banque", bank.report(handoff, final=True), ISSUERS)
    return Settlement.get()


def ways(admin: FlaskClient) -> set[str]:
    """Return what the settings offer to do with the trial."""
    return set(re.findall(rf'href="{PAGE}/?(\w*)"', admin.get(SETTINGS).text))


def test_the_page_that_leads_to_the_bank_may_send_its_form_there_and_nowhere_else(
    admin: FlaskClient, bank: TalkativeBank
) -> None:
    assert bank.form_origin not in admin.get(PAGE).headers["Content-Security-Policy"]
    answer = send(admin, PAGE, **WHY)
    assert f"form-action 'self' {bank.form_origin};" in answer.headers["Content-Security-Policy"]
    assert handed_over(answer.text).url.startswith(bank.form_origin)


def test_nothing_is_made_before_it_is_confirmed(admin: FlaskClient) -> None:
    assert send(admin, PAGE, reason="essai").status_code == 422
    assert send(admin, PAGE, seen="y").status_code == 422
    assert not Invoice.select().exists()


def given_back(bank: TalkativeBank, handoff: Handoff) -> None:
    """The bank will say that it gives back what it is asked for."""
    bank.answers = [[bank.report(handoff, **CREDIT)]]


def test_one_euro_goes_and_comes_back_and_its_invoice_is_cancelled(
    admin: FlaskClient, bank: TalkativeBank, handoff: Handoff, paid: Settlement
) -> None:
    given_back(bank, handoff)
    assert (paid.amount_cents, paid.family.code) == (100, "OUVERTURE")
    assert ways(admin) == {"rendre"}
    done = confirm(admin, f"{PAGE}/rendre", reason="essai fait")
    assert done.location == SETTINGS
    assert [asked.cents for asked in bank.refunds] == [100]
    assert Invoice.get().state == "cancelled"
    assert Settlement.get().state == "refunded"
    assert JournalEntry.select().count() >= 2
    assert verification.faults() == []
    assert ways(admin) == {""}
    told = {line.action for line in StaffEvent.select()}
    assert {"payment_tried", "refund_asked", "invoice_cancelled"} <= told


def test_the_receipt_goes_to_who_tries(paid: Settlement) -> None:
    (mail,) = OutboxMail.select()
    assert mail.recipient == "administration@sautron.example.org"


def test_it_may_be_tried_again_once_over(
    admin: FlaskClient, bank: TalkativeBank, handoff: Handoff, paid: Settlement
) -> None:
    given_back(bank, handoff)
    assert send(admin, PAGE, **WHY).status_code == 422  # the first is not given back
    confirm(admin, f"{PAGE}/rendre", reason="essai fait")
    assert send(admin, PAGE, **WHY).status_code == 200
    assert [each.number for each in Invoice.select().order_by(Invoice.id)] == [
        "OUVERTURE-banque",
        "OUVERTURE-banque-2",
    ]


def test_a_refused_card_may_try_again_on_the_same_invoice_or_cancel_it(
    admin: FlaskClient, bank: TalkativeBank, handoff: Handoff
) -> None:
    payments.record("banque", bank.report(handoff, **REFUSED), ISSUERS)
    assert "refusé" in admin.get(SETTINGS).text
    assert ways(admin) == {"", "annuler"}
    assert send(admin, PAGE, **WHY).status_code == 200
    assert (Invoice.select().count(), Attempt.select().count()) == (1, 2)


def test_an_unpaid_invoice_is_cancelled(
    admin: FlaskClient, bank: TalkativeBank, handoff: Handoff
) -> None:
    assert "annuler" not in ways(admin)  # the agent may be at the bank
    assert send(admin, SETTINGS, f"{PAGE}/annuler", **WHY).location == SETTINGS
    payments.record("banque", bank.report(handoff, **REFUSED), ISSUERS)
    assert confirm(admin, f"{PAGE}/annuler", reason="plus tard").location == SETTINGS
    assert Invoice.get().state == "cancelled"
    assert ways(admin) == {""}


def test_a_bank_that_does_not_give_back_is_said_so_and_it_is_noted(
    app: Flask, admin: FlaskClient, gateway: Gateway, paid: Settlement
) -> None:
    app.extensions["gateways"] = {"banque": gateway}  # without REST, Lyra gives nothing back
    assert ways(admin) == {"noter"}
    done = confirm(admin, f"{PAGE}/noter", reason="rendu dans l’espace de la banque")
    assert done.location == SETTINGS
    assert Invoice.get().state == "cancelled"
    assert verification.faults() == []


def test_a_refund_that_the_bank_declines_leaves_both_ways(
    admin: FlaskClient, bank: TalkativeBank, paid: Settlement
) -> None:
    bank.answers = [Declined("plus de provision")]
    confirm(admin, f"{PAGE}/rendre", reason="essai fait")
    assert Invoice.get().state == "paid"
    assert ways(admin) == {"rendre", "noter"}


def test_a_bank_that_does_not_answer_is_asked_again_and_nothing_is_offered_meanwhile(
    admin: FlaskClient, bank: TalkativeBank, paid: Settlement
) -> None:
    bank.answers = [Unreachable("rien")]
    confirm(admin, f"{PAGE}/rendre", reason="essai fait")
    assert ways(admin) == set()
    assert send(admin, SETTINGS, f"{PAGE}/rendre", **WHY).location == SETTINGS


def test_given_back_by_the_regisseur_its_invoice_is_left_to_cancel(
    admin: FlaskClient, paid: Settlement
) -> None:
    payments.record_repayment(paid, RepaymentKind.REFUND, 100, "D. Aubry", "essai")
    assert ways(admin) == {"annuler"}
    confirm(admin, f"{PAGE}/annuler", reason="essai fait")
    assert Invoice.get().state == "cancelled"


def test_the_return_page_leads_back_to_the_settings(
    admin: FlaskClient, paid: Settlement, october: Invoice
) -> None:
    page = admin.get(f"/paiement/retour/{Attempt.get().reference}")
    assert f'href="{SETTINGS}"' in page.text


def test_an_administrator_has_no_other_money(admin: FlaskClient, paid: Settlement) -> None:
    for act in ("rembourser", "rendre", "impaye"):
        assert admin.get(f"/mairie/encaissements/{paid.id}/{act}").status_code == 403
    assert admin.get(f"{SETTINGS}/essai/autre").status_code == 404


def test_a_bank_out_of_reach_is_said_and_its_invoice_stays(
    admin: FlaskClient, frozen: Clock
) -> None:
    payments.close_bank("banque", "", frozen.at + timedelta(hours=1), "D. Aubry")
    answer = send(admin, PAGE, **WHY)
    assert answer.status_code == 422
    assert ways(admin) == {"", "annuler"}
