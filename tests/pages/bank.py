"""The mock bank and the mock PayFiP."""

import re
from collections.abc import Callable
from dataclasses import replace

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from gateways.base import Handoff
from gateways.lyra import sign
from gateways.payfip import Contract
from gateways.payfip.orders import creation
from tests.bank import KEY
from tests.payfip import NUMCLI, ORDER

BankScene = Callable[[FlaskClient, Handoff], TestResponse]
BANK_SCENES: list[BankScene] = []


def bank_scene(function: BankScene) -> BankScene:
    BANK_SCENES.append(function)
    return function


def arrive(bank: FlaskClient, handoff: Handoff, **changes: str) -> str:
    """Open a payment page; its address. The form may ask for another page than ours does."""
    fields = dict(handoff.fields or ()) | {f"vads_{name}": it for name, it in changes.items()}
    fields["signature"] = sign(fields, KEY.encode())
    return bank.post("/vads-payment/", data=fields).location


@bank_scene
def the_bank_asks_for_a_card(bank: FlaskClient, handoff: Handoff) -> TestResponse:
    return bank.get(arrive(bank, handoff))


@bank_scene
def the_bank_does_not_know_the_card(bank: FlaskClient, handoff: Handoff) -> TestResponse:
    return bank.post(f"{arrive(bank, handoff)}/carte", data={"card": "1"})


@bank_scene
def the_bank_refuses_the_card(bank: FlaskClient, handoff: Handoff) -> TestResponse:
    card = {"card": "4970100000000055", "delivery": "lost"}
    return bank.post(f"{arrive(bank, handoff)}/carte", data=card)


@bank_scene
def the_bank_speaks_english_and_takes_two_cards(
    bank: FlaskClient, handoff: Handoff
) -> TestResponse:
    theme = "SIMPLIFIED_DISPLAY=true;CANCEL_FOOTER_MSG_RETURN=Back to the town"
    chosen = {"language": "en", "payment_cards": "MASTERCARD;E-CARTEBLEUE", "theme_config": theme}
    return bank.get(arrive(bank, handoff, **chosen))


@bank_scene
def the_bank_has_been_paid_and_soon_sends_back(bank: FlaskClient, handoff: Handoff) -> TestResponse:
    address = arrive(bank, handoff, redirect_success_timeout="9", return_mode="GET")
    return bank.post(f"{address}/carte", data={"card": "4970100000000000", "delivery": "lost"})


@bank_scene
def the_banks_page_is_over(bank: FlaskClient, handoff: Handoff) -> TestResponse:
    address = arrive(bank, handoff)
    bank.post(f"{address}/abandon", data={"delivery": "lost"})
    return bank.get(address)


@bank_scene
def the_bank_refuses_the_form(bank: FlaskClient, handoff: Handoff) -> TestResponse:
    return bank.post("/vads-payment/", data={"vads_amount": "1"})


@bank_scene
def the_banks_empty_back_office(bank: FlaskClient, handoff: Handoff) -> TestResponse:
    return bank.get("/")


@bank_scene
def the_banks_back_office_after_a_payment(bank: FlaskClient, handoff: Handoff) -> TestResponse:
    card = {"card": "4970100000000000", "delivery": "lost"}
    bank.post(f"{arrive(bank, handoff)}/carte", data=card)
    return bank.get("/")


def pay_at_the_bank(bank: FlaskClient, handoff: Handoff, *operations: str) -> str:
    """A card accepted, then operations of the back office; the address of one more, a refund."""
    card = {"card": "4970100000000000", "delivery": "lost"}
    bank.post(f"{arrive(bank, handoff)}/carte", data=card)
    address = re.search(r"(/operations/\w+)/resend", bank.get("/").text)[1]
    for operation in operations:
        bank.post(f"{address}/{operation}")
    return f"{address}/refund"


@bank_scene
def the_banks_back_office_with_a_debit_to_give_back(
    bank: FlaskClient, handoff: Handoff
) -> TestResponse:
    address = pay_at_the_bank(bank, handoff, "capture")
    bank.post(address, data={"amount": "10,00"})
    return bank.get("/")


@bank_scene
def the_banks_back_office_does_not_understand_the_amount(
    bank: FlaskClient, handoff: Handoff
) -> TestResponse:
    return bank.post(pay_at_the_bank(bank, handoff, "capture"), data={"amount": "dix"})


@bank_scene
def the_banks_back_office_refuses_an_operation(bank: FlaskClient, handoff: Handoff) -> TestResponse:
    return bank.post(pay_at_the_bank(bank, handoff), data={"amount": "10"})


@bank_scene
def the_banks_key_just_changed(bank: FlaskClient, handoff: Handoff) -> TestResponse:
    bank.post("/cle")
    return bank.get("/cle")


@bank_scene
def the_banks_breakdowns_none(bank: FlaskClient, handoff: Handoff) -> TestResponse:
    return bank.get("/pannes")


@bank_scene
def the_banks_breakdowns_one_in_force_and_its_calls(
    bank: FlaskClient, handoff: Handoff
) -> TestResponse:
    bank.post("/pannes", data={"fault": "lost", "scope": "refund", "calls": "3"})
    for service in ("Order/Get", "Transaction/CancelOrRefund"):
        bank.post(f"/api-payment/V4/{service}", json={"orderId": "KF" + "f" * 18})
    return bank.get("/pannes")


@bank_scene
def the_banks_breakdowns_for_a_number_that_is_none(
    bank: FlaskClient, handoff: Handoff
) -> TestResponse:
    return bank.post("/pannes", data={"fault": "drip", "scope": "ask", "calls": "deux"})


@bank_scene
def an_unknown_address_at_the_bank(bank: FlaskClient, handoff: Handoff) -> TestResponse:
    return bank.get("/paiement/inconnu")


def arrive_at_payfip(bank: FlaskClient) -> str:
    """Open a payment page by the service; its address."""
    order = replace(ORDER, gateway_reference="")
    told = creation(order, Contract(NUMCLI, "T", "", 999_999))
    idop = bank.application.extensions["treasury"].create(told)
    return bank.get(f"/tpa/paiementws.web?idop={idop}").location


@bank_scene
def payfip_offers_a_card_and_a_direct_debit(bank: FlaskClient, handoff: Handoff) -> TestResponse:
    return bank.get(arrive_at_payfip(bank))


@bank_scene
def payfips_page_is_over(bank: FlaskClient, handoff: Handoff) -> TestResponse:
    page = arrive_at_payfip(bank)
    bank.post(page, data={"ending": "debit", "delivery": "lost"})
    return bank.get(page)


@bank_scene
def payfip_does_not_know_the_payment(bank: FlaskClient, handoff: Handoff) -> TestResponse:
    return bank.get("/tpa/paiementws.web?idop=x")


@bank_scene
def payfips_empty_back_office(bank: FlaskClient, handoff: Handoff) -> TestResponse:
    return bank.get("/tpa/")


@bank_scene
def payfips_back_office(bank: FlaskClient, handoff: Handoff) -> TestResponse:
    arrive_at_payfip(bank)
    bank.post(arrive_at_payfip(bank), data={"ending": "card", "delivery": "lost"})
    return bank.get("/tpa/")
