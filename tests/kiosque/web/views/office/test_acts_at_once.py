"""Two agents act at one moment: each act does what its agent was told, or nothing."""

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from kiosque import payments
from kiosque.db import write
from kiosque.db.models import Anomaly, Family, Invoice, Repayment, Settlement
from kiosque.db.states import AnomalyKind, RepaymentKind
from kiosque.payments import CounterPayment, verification
from kiosque.payments.anomalies import flag_anomaly
from kiosque.payments.previews import Foreseen
from kiosque.staff.roles import Role
from kiosque.web.office.money_forms import ForeseenForm
from tests.agents import confirm, enter, make_agent, send
from tests.conftest import ISSUERS, NOW, csrf_token, make_invoice
from tests.threads import at_once

Meanwhile = Callable[[Callable[[], object]], None]
PAGE = "/mairie/factures/2026-10-0001"


@pytest.fixture
def client(app: Flask, october: Invoice) -> FlaskClient:
    return enter(app, make_agent(Role.REGISSEUR))


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Meanwhile:
    """Have something done between the agent's word, found to hold, and the act."""

    def arrange(happens: Callable[[], object]) -> None:
        confirms = ForeseenForm.confirms

        def held(form: ForeseenForm, foreseen: Foreseen) -> bool:
            if found := confirms(form, foreseen):
                happens()
            return found

        monkeypatch.setattr(ForeseenForm, "confirms", held)

    return arrange


def cash(number: str, cents: int, reason: str) -> CounterPayment:
    return CounterPayment(number, cents, "cash", NOW.date(), "Dominique", reason, is_extra=True)


def told(client: FlaskClient, page: str) -> list[str]:
    return re.findall('role="status">([^<]*)<', client.get(page).text)


@pytest.mark.parametrize("reason", ["chèque 12", "pièce 3"], ids=["same", "another"])
def test_money_taken_meanwhile_is_not_taken_again(
    client: FlaskClient, meanwhile: Meanwhile, october: Invoice, reason: str
) -> None:
    meanwhile(lambda: payments.settle_at_counter([cash(october.number, 4520, reason)]))
    asked = {"mode": "cash", "amount": "45,20", "settled_on": "2026-11-24", "reason": "chèque 12"}
    assert confirm(client, f"{PAGE}/encaisser", **asked).status_code == 422
    assert [each.amount_cents for each in Settlement.select()] == [4520]
    assert told(client, PAGE) == []


def test_an_invoice_paid_in_part_meanwhile_is_not_cancelled(
    client: FlaskClient, meanwhile: Meanwhile, october: Invoice
) -> None:
    meanwhile(lambda: payments.settle_at_counter([cash(october.number, 1000, "pièce 3")]))
    assert confirm(client, f"{PAGE}/annuler", reason="erreur").status_code == 422
    assert Invoice.get_by_id(october.id).state == "open"


def test_a_credit_note_used_meanwhile_is_not_said_to_pay(
    client: FlaskClient, meanwhile: Meanwhile, alices_family: Family, october: Invoice
) -> None:
    make_invoice(alices_family, "AV-1", -1200, state="nothing_due")
    meanwhile(lambda: payments.apply_credit("AV-1", october.number, 1200, "D", "accord"))
    page = "/mairie/factures/AV-1/affecter"
    answer = confirm(client, page, number=october.number, amount="", reason="accord")
    assert answer.status_code == 422
    assert Invoice.get_by_id(october.id).paid_cents == 1200


def test_more_of_a_credit_note_used_meanwhile_is_not_taken_off(
    client: FlaskClient, meanwhile: Meanwhile, alices_family: Family, october: Invoice
) -> None:
    note = make_invoice(alices_family, "AV-1", -1200, state="nothing_due")
    payments.apply_credit("AV-1", october.number, 500, "D", "accord")
    meanwhile(lambda: payments.apply_credit("AV-1", october.number, 700, "D", "suite"))
    answer = confirm(client, f"{PAGE}/avoirs/{note.id}", reason="erreur")
    assert answer.status_code == 422
    assert Invoice.get_by_id(october.id).paid_cents == 1200


def test_what_was_paid_too_much_and_used_meanwhile_is_not_said_to_pay(
    client: FlaskClient, meanwhile: Meanwhile, alices_family: Family, october: Invoice
) -> None:
    payments.settle_at_counter([cash(october.number, 5520, "pièce 3")])
    for number in ("2026-11-0001", "2026-11-0002"):
        make_invoice(alices_family, number, 800)
    found = Settlement.get()
    meanwhile(lambda: payments.apply_overpayment(found, "2026-11-0001", "D", "accord", ISSUERS))
    page = f"/mairie/encaissements/{found.id}"
    answer = confirm(client, f"{page}/affecter", number="2026-11-0002", amount="", reason="accord")
    assert answer.status_code == 422
    assert told(client, page) == []
    assert Invoice.get(Invoice.number == "2026-11-0002").paid_cents == 0


@pytest.mark.parametrize("act", ["impaye", "rendre"])
def test_what_left_meanwhile_makes_no_other_sum_leave(
    client: FlaskClient, meanwhile: Meanwhile, october: Invoice, act: str
) -> None:
    payments.settle_at_counter([cash(october.number, 4520, "pièce 3")])
    found = Settlement.get()
    left = found, RepaymentKind.REFUND, 1000, "D", "virement"
    meanwhile(lambda: payments.record_repayment(*left))
    page = f"/mairie/encaissements/{found.id}/{act}"
    assert confirm(client, page, amount="", reason="avis 123").status_code == 422
    assert [each.amount_cents for each in Repayment.select()] == [1000]
    assert verification.faults() == []


# --- The points to treat ---


@pytest.fixture
def point(october: Invoice) -> str:
    with write():
        flag_anomaly("x", AnomalyKind.UNKNOWN_ORDER, 4520, "commande inconnue", regie="")
    return f"/mairie/a-traiter/{Anomaly.get().id}"


@pytest.mark.parametrize("reason", ["   ", "\u200b", "fait\x00", "l’un\nl’autre"])
def test_a_point_is_not_concluded_by_what_does_not_show(
    client: FlaskClient, point: str, reason: str
) -> None:
    assert send(client, point, reason=reason, seen="y").status_code == 422
    assert Anomaly.get().resolved_at is None


def test_a_point_that_two_agents_conclude_is_concluded_once(
    client: FlaskClient, point: str
) -> None:
    token, answers = csrf_token(client.get(point).text), []

    def conclude() -> None:
        data = {"csrf_token": token, "reason": "fait", "seen": "y"}
        answers.append(client.post(point, data=data).status_code)

    at_once(conclude, conclude, conclude)
    assert 302 in answers
    assert set(answers) <= {302, 404}
