"""An agent types an invoice: judged as a file is, then due by the family."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from kiosque.db.models import Family, Invoice, InvoiceLine, Upload
from kiosque.staff.roles import Role
from tests.agents import enter, make_agent, send

PAGE = "/mairie/factures/nouvelle"
FIELDS = ("service", "child", "label", "quantity", "price")
TYPED = {
    "family": "f1001", "period": "novembre 2026", "due_on": "2026-12-31",
    # As a browser sends them: every field, filled or not.
    **{f"lines-{at}-{name}": "" for at in range(6) for name in FIELDS},
    "lines-0-service": "Restauration", "lines-0-child": "Léa", "lines-0-label": "Repas",
    "lines-0-quantity": "10", "lines-0-price": "4,52",
    "lines-2-service": "Mercredi", "lines-2-price": "8,45",
}  # fmt: skip


@pytest.fixture
def agent(app: Flask, alices_family: Family) -> FlaskClient:
    return enter(app, make_agent(Role.FACTURATION))


def confirm(agent: FlaskClient, page: str) -> None:
    shown = agent.get(page).text
    (fingerprint,) = re.findall('name="fingerprint" value="([^"]+)"', shown)
    boxes = dict.fromkeys(re.findall('type="checkbox" id="([^"]+)"', shown), "y")
    send(agent, page, f"{page}/charger", fingerprint=fingerprint, **boxes)


def test_it_is_seen_before_it_is_there_and_then_numbered(agent: FlaskClient) -> None:
    answer = send(agent, PAGE, **TYPED)
    shown = agent.get(answer.location).text
    assert "S2026-0001" in shown
    assert "53,65" in shown
    assert Invoice.select().count() == 0
    confirm(agent, answer.location)
    invoice = Invoice.get()
    assert (invoice.number, invoice.total_cents, invoice.state) == ("S2026-0001", 5365, "open")
    assert invoice.batch.author == "facturation@sautron.example.org"
    lines = InvoiceLine.select().order_by(InvoiceLine.id)
    assert [line.amount_cents for line in lines] == [4520, 845]
    confirm(agent, send(agent, PAGE, **TYPED).location)
    assert {each.number for each in Invoice.select()} == {"S2026-0001", "S2026-0002"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"family": "F9999"},
        {"family": ""},
        {"period": ""},
        {"due_on": "2026-13-01"},
        {"due_on": ""},
        {"lines-0-service": "", "lines-2-service": ""},
        {"lines-0-service": ""},  # the rest of its line stays
        {"lines-0-price": ""},
        {"lines-0-price": "quatre"},
        {"lines-2-quantity": "9" * 50},
    ],
    ids=str,
)
def test_one_badly_typed_is_said_and_kept_nowhere(
    agent: FlaskClient, wrong: dict[str, str]
) -> None:
    answer = send(agent, PAGE, **{**TYPED, **wrong})
    assert answer.status_code == 422
    assert "À corriger" in answer.text
    assert Upload.select().count() == 0


def test_two_typed_before_either_is_loaded_have_each_a_number(agent: FlaskClient) -> None:
    pages = [send(agent, PAGE, **{**TYPED, "lines-0-price": price}).location for price in "45"]
    for page in pages * 2:  # the first brings a service: the second is judged again
        if Upload.get_by_id(int(page.rpartition("/")[2])).state == "read":
            confirm(agent, page)
    assert [each.total_cents for each in Invoice.select().order_by(Invoice.number)] == [4845, 5845]


def test_a_negative_price_makes_a_credit_note_and_the_pages_say_so(agent: FlaskClient) -> None:
    assert "avoir" in agent.get(PAGE).text
    answer = send(agent, PAGE, **{**TYPED, "lines-0-price": "-4,52"})
    shown = agent.get(answer.location).text.replace("\u00a0", " ").replace("\u202f", " ")
    assert "Charger un avoir de 36,75 €" in shown
    confirm(agent, answer.location)
    assert (Invoice.get().total_cents, Invoice.get().state) == (-3675, "nothing_due")


def test_what_the_rules_of_files_refuse_is_refused(agent: FlaskClient) -> None:
    answer = send(agent, PAGE, **{**TYPED, "due_on": "1990-01-01"})
    assert "ne peut pas être chargé" in agent.get(answer.location).text
    assert Invoice.select().count() == 0


def test_a_formula_stays_a_text(agent: FlaskClient) -> None:
    confirm(agent, send(agent, PAGE, **{**TYPED, "lines-0-label": '=1+1;"x"'}).location)
    assert InvoiceLine.select().order_by(InvoiceLine.id).get().label == '=1+1;"x"'
