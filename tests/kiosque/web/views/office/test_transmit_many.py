"""Many invoices go to the Treasury at once: those of a list, or those that are ticked of it."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from kiosque import payments
from kiosque.db.models import Family, Invoice, StaffEvent
from kiosque.payments import CounterPayment
from kiosque.staff.roles import Role
from tests.agents import confirm, enter, fill, make_agent, send
from tests.conftest import NOW, make_invoice
from tests.kiosque.payments.conftest import Pay

LIST = "/mairie/factures"
PAGE = f"{LIST}/transmettre"
GIVEN = {"list_name": "titres 2026-11", "on": "2026-11-24", "reason": "impayées"}


@pytest.fixture
def client(app: Flask, october: Invoice, september: Invoice) -> FlaskClient:
    return enter(app, make_agent(Role.REGISSEUR))


def ticked(*invoices: Invoice) -> dict[str, list[str]]:
    return {"invoices": [str(each.id) for each in invoices]}


def states() -> dict[str, str]:
    return {each.number: each.state for each in Invoice.select()}


def offered(page: str) -> list[int]:
    """The rows that may be ticked, in order."""
    return [int(each) for each in re.findall('name="invoices" value="([0-9]*)"', page)]


def test_all_that_is_to_pay_of_a_list_goes_to_the_treasury_once_read(
    client: FlaskClient, october: Invoice, september: Invoice
) -> None:
    assert PAGE in client.get(LIST).text
    assert offered(client.get(PAGE).text) == [september.id, october.id]
    told = fill(client, PAGE, **ticked(september, october), **GIVEN).text
    assert all(words in told for words in (october.number, september.number))
    assert set(states().values()) == {"open"}
    done = confirm(client, PAGE, **ticked(september, october), **GIVEN)
    assert set(states().values()) == {"transmitted"}
    line = StaffEvent.select().order_by(StaffEvent.id.desc()).get()
    assert (line.action, line.reason) == ("transmitted", "impayées")
    assert "titres 2026-11" in line.object
    after = client.get(done.location).text
    assert october.number in after
    assert september.number in after


def test_only_what_is_ticked_goes(
    client: FlaskClient, october: Invoice, september: Invoice
) -> None:
    confirm(client, PAGE, **ticked(october), **GIVEN)
    assert states() == {october.number: "transmitted", september.number: "open"}
    assert f">{september.number}<" not in client.get(f"{LIST}?liste=titres 2026-11").text


def test_a_list_offers_what_its_filters_find_and_is_to_pay(
    client: FlaskClient, charlies_family: Family, october: Invoice, september: Invoice
) -> None:
    late = f"{PAGE}?etat=late"
    make_invoice(charlies_family, "P-1", state="paid")
    assert offered(client.get(late).text) == [september.id]
    assert client.get(f"{PAGE}?etat=paid").location == f"{LIST}?etat=paid"
    assert fill(client, late, **ticked(october), **GIVEN).status_code == 422
    assert client.get(f"{PAGE}?du=hier").status_code == 404
    assert PAGE not in client.get(f"{LIST}?etat=paid").text


def test_all_are_ticked_or_none_at_one_press(client: FlaskClient, october: Invoice) -> None:
    few = {**ticked(october), **GIVEN}
    assert client.get(PAGE).text.count(" checked") == 2
    assert send(client, PAGE, change="none", **few).text.count(" checked") == 0
    assert send(client, PAGE, change="all", **few).text.count(" checked") == 2
    kept = send(client, PAGE, change="1", **few).text
    assert (kept.count(" checked"), "titres 2026-11" in kept) == (1, True)


@pytest.mark.parametrize(
    "wrong",
    [
        {"invoices": []},
        {"invoices": ["x"]},
        {"list_name": ""},
        {"on": "2027-01-01"},
        {"reason": ""},
    ],
)
def test_what_cannot_be_is_said_and_nothing_goes(
    client: FlaskClient, october: Invoice, wrong: dict[str, str | list[str]]
) -> None:
    given = {**ticked(october), **GIVEN, **wrong}
    if fill(client, PAGE, **given).status_code == 200:
        assert confirm(client, PAGE, **given).status_code == 422
    assert set(states().values()) == {"open"}


def test_an_invoice_that_its_family_is_paying_is_not_offered(
    client: FlaskClient, pay: Pay, october: Invoice, september: Invoice
) -> None:
    pay(october.family, october)
    assert offered(client.get(PAGE).text) == [september.id]
    assert fill(client, PAGE, **ticked(october, september), **GIVEN).status_code == 422
    assert set(states().values()) == {"open"}


def test_what_was_paid_since_it_was_told_is_told_again(
    client: FlaskClient, october: Invoice, september: Invoice
) -> None:
    told = fill(client, PAGE, **ticked(october, september), **GIVEN)
    (fingerprint,) = re.findall('name="fingerprint" value="([^"]*)"', told.text)
    payments.settle_at_counter(
        [CounterPayment(october.number, 1000, "cash", NOW.date(), "Dominique", "pièce 3")]
    )
    read = {"fingerprint": fingerprint, "seen": "y"}
    assert fill(client, PAGE, **ticked(october, september), **GIVEN, **read).status_code == 422
    assert set(states().values()) == {"open"}


def test_the_same_form_sent_twice_transmits_once(client: FlaskClient, october: Invoice) -> None:
    told = fill(client, PAGE, **ticked(october), **GIVEN)
    (fingerprint,) = re.findall('name="fingerprint" value="([^"]*)"', told.text)
    read = {**ticked(october), **GIVEN, "fingerprint": fingerprint, "seen": "y"}
    assert send(client, PAGE, **read).status_code == 302
    assert send(client, PAGE, **read).status_code == 422


def test_a_regisseur_transmits_what_is_of_his_regie(
    app: Flask, client: FlaskClient, alices_family: Family, october: Invoice
) -> None:
    other = enter(app, make_agent(Role.REGISSEUR, "creche@x.fr", regie="creche"))
    assert other.get(PAGE).location == LIST
    own = make_invoice(alices_family, "C-1", regie="creche")
    assert offered(other.get(PAGE).text) == [own.id]
    assert fill(other, PAGE, **ticked(own, october), **GIVEN).status_code == 422
    assert set(states().values()) == {"open"}


def test_a_list_of_many_costs_as_many_queries(
    client: FlaskClient, alices_family: Family, queries: list[str]
) -> None:
    counts = []
    for more in range(0, 40, 20):
        for number in range(more):
            make_invoice(alices_family, f"Q-{number:02d}")
        queries.clear()
        client.get(PAGE)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_as_many_as_go_at_once_are_offered_the_oldest_first(
    client: FlaskClient, september: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(payments, "MOST_TRANSMITTED", 1)
    assert offered(client.get(PAGE).text) == [september.id]
