"""The town hall's lists ask the same queries however many rows they have."""

from collections.abc import Callable, Iterable
from datetime import date, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from kiosque.db.models import Family, PaymentExport, Statement, StatementFile, StatementLine
from kiosque.language import clock
from kiosque.staff import events
from kiosque.staff.events import TERMINAL, Action
from kiosque.staff.roles import Role
from tests.agents import enter, make_agent
from tests.conftest import make_family, make_invoice
from tests.kiosque.payments.conftest import at_counter

Add = Callable[[Iterable[int]], None]


@pytest.fixture
def client(app: Flask, alices_family: Family) -> FlaskClient:
    agent = make_agent(Role.REGISSEUR)
    return enter(app, make_agent(Role.CONTROLE, agent.email))


def invoices(numbers: Iterable[int]) -> None:
    for number in numbers:
        make_invoice(Family.get(), f"2025-{number}")


def payments(numbers: Iterable[int]) -> None:
    for number in numbers:
        at_counter(make_invoice(Family.get(), f"2025-{number}"))


def acts(numbers: Iterable[int]) -> None:
    for number in numbers:
        events.note(Action.FAMILY_READ, TERMINAL, f"F{number}")


def families(numbers: Iterable[int]) -> None:
    for number in numbers:
        make_family(f"F9{number:03d}", "Martin")


def lines(numbers: Iterable[int]) -> None:
    """Lines of the account, all to explain."""
    for number in numbers:
        file = StatementFile.create(
            sha256=str(number), name="x", kind="cfonb", loaded_at=clock.now(), author="Dominique",
            regies='[""]',
        )  # fmt: skip
        on = date(2026, 11, 1) + timedelta(days=number)
        statement = Statement.create(file=file, regie="", opened_on=on, closed_on=on)
        StatementLine.create(
            statement=statement, regie="", booked_on=on, amount_cents=4520, label="VIR",
            reference=str(number), occurrence=1,
        )  # fmt: skip


def exports(numbers: Iterable[int]) -> None:
    for number in numbers:
        PaymentExport.create(
            consumer=f"Logiciel {number}", regie="", former=0, reached=1,
            exported_at=clock.now(), author="Dominique",
        )  # fmt: skip


#: The most queries of each: three are of the session, the agent and the roles.
LISTS: dict[str, tuple[Add, int]] = {
    "/mairie/factures": (invoices, 8),
    "/mairie/encaissements": (payments, 8),
    "/mairie/journal": (payments, 5),
    "/mairie/journal-des-actions": (acts, 6),
    "/mairie/familles?q=martin": (families, 5),
    "/mairie/banque": (lines, 21),
    "/mairie/encaissements/export": (exports, 6),
}


@pytest.mark.parametrize("page", LISTS)
def test_a_list_asks_as_many_queries_whatever_its_rows(
    client: FlaskClient, queries: list[str], page: str
) -> None:
    add, most = LISTS[page]
    add([1])
    asked = []
    for more in (range(2, 30), range(30, 60)):
        add(more)
        client.get(page)
        queries.clear()
        assert client.get(page).status_code == 200
        asked.append(len(queries))
    assert asked[0] == asked[1] <= most, queries
