"""The page of what is to do: each point tells whom it is about, however many there are."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from kiosque.db import write
from kiosque.db.models import Anomaly, Attempt, Family, FamilyRequest, Invoice, OutboxMail
from kiosque.db.states import AnomalyKind, AttemptState, MailState
from kiosque.outbox import queue
from kiosque.payments.anomalies import flag_anomaly
from kiosque.settings import OtherRegie
from kiosque.staff.roles import Role
from tests.agents import enter, make_agent, send
from tests.conftest import NOW, make_invoice
from tests.uploads import make_upload

LIST = "/mairie/a-traiter"


@pytest.fixture
def client(app: Flask, october: Invoice) -> FlaskClient:
    return enter(app, make_agent(Role.REGISSEUR))


@pytest.fixture
def attempt(
    pay: Callable[..., tuple[Attempt, Any]], october: Invoice, september: Invoice
) -> Attempt:
    return pay(october.family, october, september)[0]


def flag(key: str, **about: Any) -> None:
    with write():
        flag_anomaly(key, AnomalyKind.MISMATCH, 100, f"écart {key}", regie="", **about)


def test_a_point_tells_the_family_and_the_invoices_that_it_is_about(
    client: FlaskClient, attempt: Attempt, charlies_family: Family
) -> None:
    flag("a", attempt=attempt)
    flag("b", invoice=make_invoice(charlies_family, "2026-10-0002"))
    flag("c")
    points = client.get(LIST).text.split("Point n°")[1:]
    told = [re.findall(r"F\d{4}|2026-\d\d-\d{4}", each) for each in points]
    assert told == [["F1001", "2026-09-0001", "2026-10-0001"], ["F2002", "2026-10-0002"], []]


def test_the_list_costs_as_many_queries_whatever_its_points(
    client: FlaskClient, attempt: Attempt, charlies_family: Family, queries: list[str]
) -> None:
    flag("first", attempt=attempt)
    client.get(LIST)
    queries.clear()
    client.get(LIST)
    few = len(queries)
    for number in range(10):
        flag(f"a{number}", attempt=attempt)
        flag(f"b{number}", invoice=make_invoice(charlies_family, f"2025-{number}"))
    queries.clear()
    assert "21 points" in client.get(LIST).text
    assert len(queries) == few, queries


def test_only_the_points_of_ones_own_regies_are_counted(app: Flask, client: FlaskClient) -> None:
    creche = OtherRegie("Régie Crèche", "Camille Roux", gateway="banque")
    app.extensions["settings"] = replace(app.extensions["settings"], regies={"creche": creche})
    flag("own")
    with write():
        flag_anomaly("other", AnomalyKind.MISMATCH, 100, "écart", regie="creche")
    assert re.search(r">\s*1 point", client.get("/mairie").text)
    assert "1 point," in client.get(LIST).text


def test_hundreds_of_mails_given_up_are_counted_and_a_few_are_shown(client: FlaskClient) -> None:
    with write():
        for number in range(120):
            queue.add(f"lost:{number}", "anomaly", number, "alice@exemple.fr")
        OutboxMail.update(state=MailState.FAILED).execute()
    page = client.get(LIST).text
    assert "120 courriels" in page
    assert 0 < page.count("Renvoyer") < 50


def lose_mails(many: int, **changes: str) -> None:
    with write():
        for number in range(many):
            queue.add(f"lost:{changes}:{number}", "anomaly", number, "alice@exemple.fr")
        OutboxMail.update(state=MailState.FAILED, **changes).where(
            OutboxMail.key.startswith(f"lost:{changes}")
        ).execute()


def test_all_the_mails_that_may_leave_again_are_sent_by_one_button_that_says_how_many(
    client: FlaskClient,
) -> None:
    lose_mails(30)
    lose_mails(3, recipient="")
    page = client.get(LIST).text
    assert "33 courriels" in page
    assert "Tout renvoyer\u00a0: 30 courriels" in page.replace("&nbsp;", "\u00a0")
    assert send(client, LIST, f"{LIST}/courriels").location == LIST
    waits = OutboxMail.select().where(OutboxMail.state == MailState.WAITING)
    assert waits.count() == 30
    after = client.get(LIST).text
    assert "Tout renvoyer" not in after
    assert not re.search(r"<button[^>]*>Renvoyer", after)


def test_nothing_is_said_to_be_left_only_where_nothing_is(
    app: Flask, client: FlaskClient, alices_family: Family
) -> None:
    agent = enter(app, make_agent(Role.FACTURATION))
    for page in (LIST, "/mairie"):
        assert "Rien à traiter" in agent.get(page).text
    lose_mails(1)
    assert re.search(r">\s*1 courriel abandonné</a>\.", client.get("/mairie").text)
    assert "Rien à traiter" not in client.get(LIST).text
    administrator = enter(app, make_agent(Role.ADMINISTRATION))
    assert "Rien à traiter" in administrator.get("/mairie").text
    OutboxMail.delete().execute()
    make_upload(app.extensions["settings"])
    FamilyRequest.create(family=alices_family, topic="other", message="Bonjour.", asked_at=NOW)
    assert "1 demande" in agent.get(LIST).text
    for page in (LIST, "/mairie"):
        assert "Rien à traiter" not in agent.get(page).text


def test_advice_names_buttons_and_no_command(client: FlaskClient) -> None:
    with write():
        flag_anomaly(
            "refund", AnomalyKind.UNKNOWN_ORDER, 100, "commande inconnue", regie="",
            gateway="banque", transaction_id="d" * 32,
        )  # fmt: skip
    Anomaly.update(outcome=AttemptState.REFUNDED).execute()
    page = client.get(f"{LIST}/{Anomaly.get().id}").text
    assert "Entrer le débit" in page
    assert "enter-payment" not in page
