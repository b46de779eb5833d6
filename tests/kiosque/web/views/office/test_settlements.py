"""Payments received as agents look them up, and what a régisseur does with one."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gateways.base import Declined, Gateway, Handoff, Unreachable
from kiosque import payments
from kiosque.db.models import (
    Family,
    Guardian,
    Invoice,
    OutboxMail,
    Repayment,
    Settlement,
    StaffEvent,
)
from kiosque.outbox import queue
from kiosque.payments import CounterPayment, Purchase, verification
from kiosque.staff.roles import Role
from tests import sentences
from tests.agents import confirm, enter, fill, make_agent, send
from tests.conftest import ISSUERS, NOW, PUBLIC_URL, Clock, make_invoice
from tests.talkative import TalkativeBank

LIST = "/mairie/encaissements"
CREDIT = {"operation_type": "CREDIT", "trans_id": "912345", "trans_uuid": "c" * 32}


@pytest.fixture
def bank(app: Flask, gateway: Gateway) -> TalkativeBank:
    made = TalkativeBank(gateway)
    app.extensions["gateways"] = {"banque": made}
    return made


@pytest.fixture
def handoff(bank: TalkativeBank, october: Invoice, september: Invoice) -> Handoff:
    purchase = Purchase(october.family, [october.number, september.number], 8745)
    return payments.start(purchase, bank, PUBLIC_URL)[1]


@pytest.fixture
def online(bank: TalkativeBank, handoff: Handoff) -> Settlement:
    """Alice paid two invoices at once, 87,45 €."""
    payments.record(bank.name, bank.report(handoff, final=True), ISSUERS)
    return Settlement.get()


@pytest.fixture
def cheque(online: Settlement, charlies_family: Family, frozen: Clock) -> Settlement:
    """Charlie paid 10,00 € too much by a cheque, the day after."""
    frozen.advance(days=1)
    invoice = make_invoice(charlies_family, "2026-10-0002", 2000)
    payment = CounterPayment(
        invoice.number, 3000, "cheque", frozen.at.date(), "Dominique", "chèque 12"
    )
    payments.settle_at_counter([payment])
    return Settlement.get(Settlement.mode == "cheque")


@pytest.fixture
def client(app: Flask, cheque: Settlement) -> FlaskClient:
    return enter(app, make_agent(Role.REGISSEUR))


def page_of(settlement: Settlement) -> str:
    return f"{LIST}/{settlement.id}"


def shown(page: str) -> list[int]:
    """The amounts of the list, in its order."""
    amounts = {8745: "87,45", 3000: "30,00"}
    return sorted(
        (c for c, words in amounts.items() if words in page), key=lambda c: page.index(amounts[c])
    )


def last_event() -> tuple[str, str]:
    line = StaffEvent.select().order_by(StaffEvent.id.desc()).get()
    return line.action, line.object


BOTH = [3000, 8745]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, BOTH),
        ({"reference": "R000001"}, [8745]),
        ({"reference": "r1"}, [8745]),
        ({"reference": "R000002"}, []),
        ({"reference": "KF"}, [8745]),
        ({"reference": "*"}, []),
        ({"famille": "F1001"}, [8745]),
        ({"mode": "online"}, [8745]),
        ({"mode": "cheque"}, [3000]),
        ({"mode": "card"}, []),
        ({"etat": "counted"}, BOTH),
        ({"etat": "refunded"}, []),
        ({"etat": "partly"}, []),
        ({"du": "2026-11-25"}, [3000]),
        ({"au": "2026-11-24"}, [8745]),
        ({"montant": "87,45"}, [8745]),
    ],
)
def test_the_list_answers_the_filters_of_its_address(
    client: FlaskClient, asked: dict[str, str], found: list[int]
) -> None:
    assert shown(client.get(LIST, query_string=asked).text) == found


def test_the_beginning_of_the_banks_name_finds_a_debit(
    client: FlaskClient, online: Settlement
) -> None:
    assert shown(client.get(f"{LIST}?reference={online.transaction_id[:6]}").text) == [8745]


def test_a_list_costs_as_many_queries_whatever_its_rows(
    client: FlaskClient, alices_family: Family, queries: list[str]
) -> None:
    client.get(LIST)
    queries.clear()
    client.get(LIST)
    few = len(queries)
    for number in range(20):
        invoice = make_invoice(alices_family, f"2025-{number}")
        payments.settle_at_counter(
            [CounterPayment(invoice.number, 4520, "cash", NOW.date(), "Dominique", str(number))]
        )
    queries.clear()
    assert "22 encaissements" in client.get(LIST).text
    assert len(queries) == few <= 8, queries


def test_a_record_tells_what_the_money_pays_and_what_the_bank_said(
    client: FlaskClient, online: Settlement
) -> None:
    for name in (online.id, "R000001", "r1"):
        page = client.get(f"{LIST}/{name}").text
        assert last_event() == ("payment_read", "R000001")
        for words in (
            "87,45\u00a0€", "F1001 Martin", "2026-10-0001", "2026-09-0001", online.transaction_id,
            "3fe69a", "CB se terminant par 0001", "criture 1", "Reçu (PDF)",
        ):  # fmt: skip
            assert words in page, words
        assert "Petit" not in page


def test_a_payment_that_is_not_there_is_not_found(client: FlaskClient) -> None:
    for name in ("999", "R000999", "9" * 30, "9" * 5000, "x"):
        assert client.get(f"{LIST}/{name}").status_code == 404
    assert client.get(f"{LIST}/999/rembourser").status_code == 404
    assert client.get("/mairie/documents/recus/999.pdf").status_code == 404


def test_a_receipt_is_sent_again_to_its_family(
    client: FlaskClient, online: Settlement, alices_family: Family
) -> None:
    send(client, page_of(online), f"{page_of(online)}/recu")
    assert OutboxMail.select().where(OutboxMail.template == "receipt").count() == 0
    Guardian.create(
        family=alices_family, first_name="Alice", last_name="Martin", email="alice@example.org"
    )
    assert send(client, page_of(online), f"{page_of(online)}/recu").location == page_of(online)
    assert [
        each.recipient for each in OutboxMail.select().where(OutboxMail.template == "receipt")
    ] == ["alice@example.org"]
    assert last_event() == ("receipt_sent", "R000001")


def test_a_use_of_money_that_came_twice_is_undone_once_read(
    client: FlaskClient, alices_family: Family
) -> None:
    make_invoice(alices_family, "W-0", 4225)
    cash = CounterPayment("W-0", 9000, "cash", NOW.date(), "Dominique", "pièce 3", is_extra=True)
    payments.settle_at_counter([cash])
    paid = Settlement.get(Settlement.amount_cents == 9000)
    wrong = make_invoice(alices_family, "W-1", 1000)
    page, given = f"{page_of(paid)}/desaffecter", {"number": "W-1", "reason": "mauvaise facture"}
    assert page not in client.get(page_of(paid)).text
    assert fill(client, page, **given).status_code == 422
    confirm(client, f"{page_of(paid)}/affecter", number="W-1", amount="", reason="accord")
    assert page in client.get(page_of(paid)).text
    assert confirm(client, page, **given).location == page_of(paid)
    assert Invoice.get_by_id(wrong.id).state == "open"
    assert last_event()[0] == "overpayment_withdrawn"
    for number in ("W-1", "W-0", "X"):
        assert fill(client, page, **{**given, "number": number}).status_code == 422
    assert verification.faults() == []


def test_a_receipt_is_not_sent_twice_within_minutes(
    client: FlaskClient, online: Settlement, alices_family: Family, frozen: Clock
) -> None:
    Guardian.create(
        family=alices_family, first_name="Alice", last_name="Martin", email="alice@example.org"
    )
    page, mails = page_of(online), OutboxMail.select().where(OutboxMail.template == "receipt")

    def press() -> int:
        send(client, page, f"{page}/recu")
        return int(mails.count())

    assert press() == press() == 1
    queue.mark_sent(mails.get())
    frozen.advance(minutes=5)
    assert press() == 1
    assert "20\u00a0h\u00a030" in client.get(page).text
    frozen.advance(minutes=6)
    assert press() == press() == 2
    page = client.get(page_of(online)).text
    assert "en attente" in page
    assert "alice@example.org" not in page


def test_only_a_regisseur_of_the_regie_may_move_money(
    app: Flask, client: FlaskClient, online: Settlement
) -> None:
    other = enter(app, make_agent(Role.REGISSEUR, "creche@x.fr", regie="creche"))
    billing = enter(app, make_agent(Role.FACTURATION))
    for act in ("rembourser", "rendre", "impaye", "affecter", "abandonner", "retablir"):
        page = f"{page_of(online)}/{act}"
        assert client.get(page).status_code == 200
        for agent in (other, billing):
            assert agent.get(page).status_code == 403
            assert page not in agent.get(page_of(online)).text


# --- Money leaves ---


def test_a_payment_is_refunded_by_the_bank_wholly(
    client: FlaskClient, bank: TalkativeBank, handoff: Handoff, online: Settlement
) -> None:
    page = f"{page_of(online)}/rembourser"
    bank.answers = [[bank.report(handoff, **CREDIT)]]
    told = fill(client, page, reason="départ").text
    assert sentences.TO_PAY_AGAIN in told
    assert "87,45\u00a0€" in told
    assert bank.refunds == []
    assert confirm(client, page, reason="départ").location == page_of(online)
    assert bank.refunds[0].cents == 8745
    assert last_event() == ("refund_asked", "R000001")
    assert Settlement.get_by_id(online.id).state == "refunded"
    assert page not in client.get(page_of(online)).text
    assert verification.faults() == []


def test_a_bank_that_does_not_answer_leaves_the_request_open(
    client: FlaskClient, bank: TalkativeBank, online: Settlement
) -> None:
    bank.answers = [Unreachable("x")]
    confirm(client, f"{page_of(online)}/rembourser", reason="départ")
    shown = client.get(page_of(online)).text
    assert "n’a pas répondu" in shown
    assert f"{page_of(online)}/abandonner" in shown
    assert f"{page_of(online)}/impaye" not in shown


def test_a_part_is_refunded_and_the_invoices_stay_paid(
    client: FlaskClient, bank: TalkativeBank, online: Settlement
) -> None:
    bank.answers = [Declined("plafond")]
    page = f"{page_of(online)}/rembourser"
    told = fill(client, page, amount="12,40", reason="absence").text
    assert "reste payée" in told
    confirm(client, page, amount="12,40", reason="absence")
    assert bank.refunds[0].cents == 1240
    assert Repayment.get().state == "declined"
    assert "plafond" in client.get(page_of(online)).text


@pytest.mark.parametrize("amount", ["87,46", "0", "-1", "x"])
def test_more_than_what_is_left_is_refused(
    client: FlaskClient, online: Settlement, amount: str
) -> None:
    for act in ("rembourser", "rendre", "impaye"):
        answer = fill(client, f"{page_of(online)}/{act}", amount=amount, reason="départ")
        assert answer.status_code == 422
    assert Repayment.select().count() == 0


def test_a_refund_asked_of_the_bank_that_says_nothing_is_dropped(
    client: FlaskClient, bank: TalkativeBank, online: Settlement, frozen: Clock
) -> None:
    bank.answers = [Unreachable("x")]
    confirm(client, f"{page_of(online)}/rembourser", amount="5", reason="absence")
    frozen.advance(minutes=5)
    assert confirm(client, f"{page_of(online)}/abandonner", reason="vu au relevé").location
    assert Repayment.get().state == "declined"


def test_money_given_back_elsewhere_is_noted(client: FlaskClient, cheque: Settlement) -> None:
    page = f"{page_of(cheque)}/rendre"
    assert confirm(client, page, amount="10", reason="virement du 24").location == page_of(cheque)
    assert Settlement.get_by_id(cheque.id).returned_cents == 1000
    assert last_event()[0] == "repayment_noted"
    assert fill(client, page, amount="10", reason="virement du 24").status_code == 422
    assert verification.faults() == []


def test_a_refund_that_the_bank_made_is_noted_under_its_name(
    client: FlaskClient, online: Settlement
) -> None:
    page = f"{page_of(online)}/rendre"
    confirm(client, page, amount="10", reason="vu au relevé", transaction="C" * 32)
    assert Repayment.get().transaction_id == "c" * 32


def test_an_unpaid_cheque_leaves_its_invoice_to_pay(
    client: FlaskClient, cheque: Settlement
) -> None:
    page = f"{page_of(cheque)}/impaye"
    assert sentences.TO_PAY_AGAIN in fill(client, page, reason="avis 123").text
    assert confirm(client, page, reason="avis 123").location == page_of(cheque)
    assert Invoice.get(Invoice.number == "2026-10-0002").state == "open"
    assert "Annulé ou impayé" in client.get(page_of(cheque)).text
    assert verification.faults() == []


def test_the_agent_with_the_longest_address_signs_an_act(app: Flask, cheque: Settlement) -> None:
    longest = "d" * 64 + "@" + ("m" * 61 + ".") * 3 + "com"
    agent = make_agent(Role.REGISSEUR, longest)
    page = f"{page_of(cheque)}/impaye"
    confirm(enter(app, agent), page, reason="avis 123")
    assert Repayment.get().author == agent.email == longest


def test_what_was_paid_too_much_pays_another_invoice(
    client: FlaskClient, cheque: Settlement, charlies_family: Family
) -> None:
    make_invoice(charlies_family, "2026-11-0002", 800)
    page = f"{page_of(cheque)}/affecter"
    told = fill(client, page, number="2026-11-0002", reason="accord du 3").text
    assert "8,00\u00a0€" in told
    assert confirm(client, page, number="2026-11-0002", reason="accord du 3").location
    assert Invoice.get(Invoice.number == "2026-11-0002").state == "paid"
    assert last_event()[0] == "overpayment_applied"
    assert verification.faults() == []


@pytest.mark.parametrize("number", ["", "2026-10-0001", "inconnue", "2026-10-0002"])
def test_an_invoice_that_this_money_cannot_pay_is_refused(
    client: FlaskClient, cheque: Settlement, number: str
) -> None:
    answer = fill(client, f"{page_of(cheque)}/affecter", number=number, reason="accord")
    assert answer.status_code == 422


def test_what_is_taken_at_the_counter_is_not_refunded_by_a_bank(
    client: FlaskClient, cheque: Settlement
) -> None:
    page = f"{page_of(cheque)}/rembourser"
    assert page not in client.get(page_of(cheque)).text
    assert confirm(client, page, amount="5", reason="x").status_code == 422


def test_what_a_credit_note_pays_is_no_payment_to_list_nor_to_give_back(
    client: FlaskClient, alices_family: Family
) -> None:
    listed = shown(client.get(LIST).text)
    make_invoice(alices_family, "AV-1", -1200, state="nothing_due")
    make_invoice(alices_family, "2026-11-0001")
    payments.apply_credit("AV-1", "2026-11-0001", None, "Dominique", "accord")
    used = Settlement.get(Settlement.mode == "credit")
    assert shown(client.get(LIST).text) == listed
    page = client.get(page_of(used)).text
    assert "AV-1" in page
    assert f"{page_of(used)}/" not in page


def test_the_search_box_goes_to_a_payment_by_each_of_its_names(
    client: FlaskClient, online: Settlement, cheque: Settlement
) -> None:
    assert online.attempt
    bank, ours = online.transaction_id or "", online.attempt.reference
    for asked in ("R000001", "r1", "Reçu R 000001", bank, bank.upper(), ours, ours.lower()):
        answer = client.get("/mairie/aller", query_string={"q": asked})
        assert answer.location == page_of(online), asked
    numbers = {f"n°\u00a0{cheque.id}": cheque, f"Encaissement n° {cheque.id}": cheque, "1": online}
    for asked, paid in numbers.items():
        answer = client.get("/mairie/aller", query_string={"q": asked})
        assert answer.location == page_of(paid), asked
    answer = client.get("/mairie/aller", query_string={"q": bank[:8]})
    assert answer.location == f"{LIST}?reference={bank[:8]}"


# --- Noted by mistake ---


def test_what_was_noted_as_gone_by_mistake_is_put_back(
    client: FlaskClient, cheque: Settlement
) -> None:
    page = f"{page_of(cheque)}/retablir"
    assert page not in client.get(page_of(cheque)).text
    assert fill(client, page, amount="", reason="erreur").status_code == 422
    confirm(client, f"{page_of(cheque)}/impaye", amount="", reason="rejet")
    assert Settlement.get_by_id(cheque.id).remaining_cents == 0
    assert page in client.get(page_of(cheque)).text
    assert "n’a pas eu lieu" in fill(client, page, amount="", reason="erreur de reçu").text
    assert confirm(client, page, amount="", reason="erreur de reçu").location == page_of(cheque)
    assert Settlement.get_by_id(cheque.id).remaining_cents == cheque.amount_cents
    assert last_event()[0] == "restored"
    assert verification.faults() == []


def test_of_several_sums_gone_the_agent_says_which_is_there(
    client: FlaskClient, cheque: Settlement
) -> None:
    for amount in ("10", "5"):
        confirm(client, f"{page_of(cheque)}/rendre", amount=amount, reason=f"rendu {amount}")
    page = f"{page_of(cheque)}/retablir"
    answer = fill(client, page, amount="", reason="erreur")
    assert answer.status_code == 422
    assert "--amount" not in answer.text
    confirm(client, page, amount="5", reason="erreur")
    assert Settlement.get_by_id(cheque.id).returned_cents == 1000
    assert verification.faults() == []
