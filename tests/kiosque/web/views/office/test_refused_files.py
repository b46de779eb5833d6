"""An agent says what a file does not: whose its debts are, what its columns are."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from kiosque.db.models import (
    ColumnMapping,
    Debtor,
    Family,
    Guardian,
    Invoice,
    StaffEvent,
    Upload,
)
from kiosque.invoices.imports import mappings
from kiosque.settings import Settings
from kiosque.staff.roles import Role
from tests.agents import enter, make_agent, send
from tests.conftest import make_family
from tests.kiosque.invoices.synthetic import line, pes, piece
from tests.kiosque.invoices.test_mappings import TABLE
from tests.uploads import make_upload

pytestmark = pytest.mark.usefixtures("empty_database", "frozen")


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return enter(app, make_agent(Role.FACTURATION))


@pytest.fixture
def export(settings: Settings) -> Upload:
    """A PES of Alice, whom the record knows at that address, and of Bob, whom it does not."""
    family = make_family("F1001", "Martin")
    Family.update(address="1 rue des Lilas", postcode="44880").execute()
    Guardian.create(family=family, first_name="Alice", last_name="Martin")
    make_family("F2002", "Petit")
    other = piece(line("1.00", name="PETIT", first="BOB"), number="2", at=7)
    return make_upload(settings, pes(piece(line()), other, total="88.45"), "export.xml")


def page_of(upload: Upload) -> str:
    return f"/mairie/imports/{upload.id}"


def acts() -> list[str]:
    return [event.action for event in StaffEvent.select().order_by(StaffEvent.id)]


def test_a_file_of_unknown_debtors_leads_to_where_they_are_named(
    client: FlaskClient, export: Upload
) -> None:
    page = client.get(page_of(export)).text
    assert "Pièce 7" in page
    assert f'href="{page_of(export)}/familles"' in page
    form = client.get(f"{page_of(export)}/familles").text
    assert re.findall(r'name="debtor_\d" value="(\w*)"', form) == ["F1001", ""]
    assert "upload_read" in acts()


def test_debtors_once_named_let_the_file_be_judged(client: FlaskClient, export: Upload) -> None:
    address = f"{page_of(export)}/familles"
    answer = send(client, address, address, debtor_0="F1001", debtor_1=" f2002 ")
    assert answer.location == page_of(export)
    assert "Charger 2 factures" in client.get(page_of(export)).text.replace("\u00a0", " ")
    assert {each.author for each in Debtor.select()} == {"facturation@sautron.example.org"}
    assert "debtors_named" in acts()
    assert client.get(address).location == page_of(export), "nobody is unknown any more"
    assert Invoice.select().count() == 0


def test_one_debtor_may_be_named_now_and_the_other_later(
    client: FlaskClient, export: Upload
) -> None:
    address = f"{page_of(export)}/familles"
    send(client, address, address, debtor_0="F1001", debtor_1="")
    left = client.get(address).text
    assert "PETIT BOB" in left
    assert "MARTIN ALICE" not in left


@pytest.mark.parametrize("typed", [{"debtor_0": "F9999"}, {"debtor_0": "", "debtor_1": " "}])
def test_a_code_of_nobody_or_none_at_all_keeps_nothing(
    client: FlaskClient, export: Upload, typed: dict[str, str]
) -> None:
    address = f"{page_of(export)}/familles"
    answer = send(client, address, address, **{"debtor_1": "F2002", **typed})
    assert answer.status_code == 422
    assert "À corriger" in answer.text
    assert Debtor.select().count() == 0


@pytest.fixture
def table(settings: Settings) -> Upload:
    return make_upload(settings, TABLE, "table.csv")


#: N° pièce, Famille, Émise le, Total TTC, Nom, Prénom.
CHOSEN = {
    "column_0": "numero_facture", "column_1": "code_famille", "column_2": "date_emission",
    "column_3": "montant", "column_4": "enfant", "column_5": "enfant", "service": "Cantine",
}  # fmt: skip


def test_a_table_of_unknown_columns_leads_to_where_they_are_named(
    client: FlaskClient, table: Upload
) -> None:
    address = f"{page_of(table)}/colonnes"
    assert f'href="{address}"' in client.get(page_of(table)).text
    form = client.get(address).text
    assert "N° pièce" in form
    assert "12,50, -3,00" in form
    assert send(client, address, address, **CHOSEN).location == page_of(table)
    assert "Charger 2 factures" in client.get(page_of(table)).text.replace("\u00a0", " ")
    assert (ColumnMapping.get().name, ColumnMapping.get().author) == (
        "table.csv", "facturation@sautron.example.org",
    )  # fmt: skip
    assert "columns_named" in acts()


def test_columns_that_are_not_enough_say_what_is_missing(
    client: FlaskClient, table: Upload
) -> None:
    address = f"{page_of(table)}/colonnes"
    answer = send(client, address, address, **{**CHOSEN, "column_1": ""})
    assert answer.status_code == 422
    assert "code_famille" in answer.text
    wrong = send(client, address, address, **{**CHOSEN, "column_1": "iban"})
    assert wrong.status_code == 422
    long = send(client, address, address, **{**CHOSEN, "service": "x" * 201})
    assert long.status_code == 422
    assert ColumnMapping.select().count() == 0


@pytest.mark.parametrize("what", ["familles", "colonnes"])
def test_a_file_that_is_loaded_or_is_none_has_nothing_to_be_said(
    client: FlaskClient, table: Upload, what: str
) -> None:
    assert client.get(f"/mairie/imports/999/{what}").status_code == 404
    Upload.update(state="loaded").execute()
    assert client.get(f"{page_of(table)}/{what}").status_code == 404


# --- What is kept, and forgotten ---

KEPT = "/mairie/imports/reconnus"


def test_a_debtor_said_wrongly_is_forgotten_and_asked_again(
    client: FlaskClient, export: Upload
) -> None:
    address = f"{page_of(export)}/familles"
    send(client, address, address, debtor_0="F1001", debtor_1="F1001")
    wrong = Debtor.get(Debtor.name.contains("PETIT"))
    page = client.get(KEPT).text
    assert "PETIT" in page
    assert "facturation@sautron.example.org" in page
    assert send(client, KEPT, f"{KEPT}/debiteurs/{wrong.id}").location == KEPT
    assert Debtor.select().count() == 1
    assert f"debiteurs/{wrong.id}" not in client.get(KEPT).text
    assert acts()[-1] == "debtor_forgotten"
    assert send(client, KEPT, f"{KEPT}/debiteurs/{wrong.id}").status_code == 404


def test_debtors_are_found_by_their_name_or_their_family(
    client: FlaskClient, export: Upload
) -> None:
    address = f"{page_of(export)}/familles"
    send(client, address, address, debtor_0="F1001", debtor_1="F2002")
    for asked, there, absent in (("petit", "F2002", "F1001"), ("f1001", "F1001", "F2002")):
        page = client.get(KEPT, query_string={"debiteur": asked}).text
        assert f"famille {there}" in page
        assert f"famille {absent}" not in page
    assert acts()[-1] == "families_searched"


def test_columns_said_wrongly_are_forgotten(client: FlaskClient, settings: Settings) -> None:
    columns = ["N°", "Famille", "Le", "Total"]
    row = {
        "numero_facture": "N°", "code_famille": "Famille", "date_emission": "Le",
        "montant": "Total", "service": "=Cantine",
    }  # fmt: skip
    mappings.keep("clic.csv", columns, row, "marie@example.org")
    page = client.get(KEPT).text
    assert "clic.csv" in page
    assert "montant\u00a0: Total" in page
    kept = ColumnMapping.get()
    assert send(client, KEPT, f"{KEPT}/colonnes/{kept.id}").location == KEPT
    assert ColumnMapping.select().count() == 0
    assert acts()[-1] == "columns_forgotten"
    assert send(client, KEPT, f"{KEPT}/colonnes/{kept.id}").status_code == 404


def test_who_loads_no_file_forgets_nothing(app: Flask, client: FlaskClient) -> None:
    assert KEPT in client.get("/mairie/imports").text
    for role in set(Role) - {Role.FACTURATION, Role.REGISSEUR}:
        agent = enter(app, make_agent(role))
        for page in (f"{KEPT}/debiteurs/1", f"{KEPT}/colonnes/1"):
            assert send(agent, "/mairie/mon-acces", page).status_code == 403
        assert agent.get(KEPT).status_code == 403
