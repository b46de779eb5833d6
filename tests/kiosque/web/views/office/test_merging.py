"""An agent makes one family of two codes of a household, and two again."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from kiosque.db.models import Attempt, Family, FamilyMerge, Invoice, StaffEvent
from kiosque.staff.roles import Role
from tests.agents import enter, make_agent, send
from tests.conftest import csrf_token, make_family, make_invoice

RECORD = "/mairie/familles/F1001"
MERGE = f"{RECORD}/fusionner"
WHY = {"reason": "chargée deux fois", "seen": "y"}


@pytest.fixture
def client(app: Flask, alices_family: Family, october: Invoice) -> FlaskClient:
    make_invoice(make_family("01001", "Martin"), "D-1", 9990)
    return enter(app, make_agent(Role.FACTURATION))


def merge(client: FlaskClient, double: str, **fields: str) -> TestResponse:
    token = csrf_token(client.get("/mairie/mon-acces").text)
    return client.post(MERGE, data={"csrf_token": token, "double": double, **fields})


def owner(number: str) -> str:
    return str(Invoice.get(Invoice.number == number).family.code)


def last_line() -> tuple[str, str, str]:
    line = StaffEvent.select().order_by(StaffEvent.id.desc()).get()
    return line.action, line.object, line.reason


def test_two_become_one_and_two_again(client: FlaskClient) -> None:
    page = client.get(f"{MERGE}?double=01001").text
    assert "99,90" in page
    assert last_line() == ("family_read", "01001", "")
    assert merge(client, "01001", **WHY).location == RECORD
    assert owner("D-1") == "F1001"
    assert last_line() == ("families_merged", "F1001, 01001", "chargée deux fois")
    undo = f"/mairie/familles/fusions/{FamilyMerge.get().id}"
    assert undo in client.get(RECORD).text
    assert send(client, undo, reason="deux foyers", seen="y").location == RECORD
    assert owner("D-1") == "01001"
    assert last_line() == ("merge_undone", "F1001, 01001", "deux foyers")
    assert undo not in client.get(RECORD).text
    assert send(client, undo, reason="encore", seen="y").status_code == 422


@pytest.mark.parametrize("double", ["", "F9999", "F1001", "x" * 500, "\0"])
def test_what_is_no_double_is_merged_with_nothing(client: FlaskClient, double: str) -> None:
    answer = client.get(MERGE, query_string={"double": double})
    assert answer.status_code in (200, 422)
    assert merge(client, double, **WHY).status_code == 422
    assert FamilyMerge.select().count() == 0


def test_nothing_is_done_without_a_reason_and_a_tick(client: FlaskClient) -> None:
    for fields in ({}, {"reason": "doublon"}, {"seen": "y"}):
        assert merge(client, "01001", **fields).status_code == 422
    merge(client, "01001", **WHY)
    undo = f"/mairie/familles/fusions/{FamilyMerge.get().id}"
    assert send(client, undo, reason="", seen="y").status_code == 422
    assert owner("D-1") == "F1001"


def test_a_family_at_the_bank_is_not_merged_and_it_is_said(
    client: FlaskClient, october: Invoice, pay: object
) -> None:
    pay(october.family, october)  # type: ignore[operator]
    answer = merge(client, "01001", **WHY)
    assert answer.status_code == 422
    assert FamilyMerge.select().count() == 0
    assert Attempt.select().count() == 1


def test_a_merge_that_nobody_made_is_not_there(client: FlaskClient) -> None:
    for number in (1, 2**63):
        assert client.get(f"/mairie/familles/fusions/{number}").status_code == 404
