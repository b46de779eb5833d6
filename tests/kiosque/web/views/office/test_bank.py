"""The régisseur loads the bank's files, and says what each line of the account is."""

import html
import io
import re
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from kiosque import create_app
from kiosque.db.models import (
    ColumnMapping,
    Family,
    Invoice,
    LineMatch,
    StaffEvent,
    StatementFile,
    StatementLine,
)
from kiosque.settings import OtherRegie, Settings
from kiosque.staff.roles import Role
from kiosque.statements.coverage import Grade
from kiosque.statements.words import GRADES
from tests.agents import enter, make_agent
from tests.conftest import Clock, csrf_token
from tests.kiosque.invoices import treasury
from tests.kiosque.statements import books
from tests.kiosque.statements.books import day, paid

PAGE = "/mairie/banque"
HEAD = "Date;Libellé;Montant\n"


@pytest.fixture
def agent(app: Flask, empty_database: None, frozen: Clock) -> FlaskClient:
    return enter(app, make_agent(Role.REGISSEUR))


def send(client: FlaskClient, page: str, **fields: object) -> TestResponse:
    token = csrf_token(client.get(PAGE).text)
    headers = {"Referer": f"http://localhost{PAGE}"}
    return client.post(page, data={"csrf_token": token, **fields}, headers=headers)


def shown(client: FlaskClient, content: str, **fields: str) -> TestResponse:
    """Drop a file; a table of columns that nobody has said is shown."""
    file = (io.BytesIO(content.encode()), "releve.csv")
    return send(client, PAGE, file=file, **fields)


def fields_of(page: str) -> dict[str, list[str]]:
    """Return what the form of the columns of a table says, of which the page is."""
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page):
        found.setdefault(name, []).append(html.unescape(value))
    for name, options in re.findall(r'(?s)<select id="\w+" name="(\w+)".*?>(.*?)</select>', page):
        chosen = re.search(r'value="([^"]*)" selected', options)
        found[name] = [html.unescape(chosen[1])] if chosen else [""]
    return found


def answer(client: FlaskClient, page: str, **changes: str) -> TestResponse:
    """Send the form of the columns of a table, with changes."""
    address = re.findall(r'action="([^"]*/colonnes/\w{64})"', page)[0]
    told = {name: value for name, value in fields_of(page).items() if name != "csrf_token"}
    return send(client, address, **{**told, **changes})


def drop(client: FlaskClient, content: str, **fields: str) -> TestResponse:
    """Drop a file, and agree to what is understood of it."""
    told = shown(client, content, **fields)
    return answer(client, told.text, load="1") if 'name="load"' in told.text else told


def line_of(cents: int) -> StatementLine:
    return StatementLine.get(StatementLine.amount_cents == cents)


def test_a_statement_is_loaded_matched_and_shown(agent: FlaskClient, alices_family: Family) -> None:
    reference = books.reference(paid(alices_family, 4520, day(2)))
    told = drop(agent, f"{HEAD}04/11/2026;VIR {reference};45,20\n05/11/2026;ABONNEMENT;-2,00\n")
    assert told.status_code == 302
    page = agent.get(told.location).text
    assert "ABONNEMENT" in page
    assert reference in page
    assert [each.state for each in StatementLine.select().order_by(StatementLine.id)] == [
        "matched", "open",
    ]  # fmt: skip
    assert books.faults() == []


def test_a_proposal_is_confirmed_by_its_button(agent: FlaskClient, alices_family: Family) -> None:
    payments = [paid(alices_family, 4520, day(number)) for number in (2, 3)]
    drop(agent, f"{HEAD}04/11/2026;VIR;45,20\n")
    keys = re.findall(r'name="proposal" value="(\w+)"', agent.get(PAGE).text)
    assert len(keys) == 2
    assert send(agent, f"{PAGE}/{line_of(4520).id}", proposal=keys[0]).status_code == 302
    match = LineMatch.get()
    assert match.settlement_id in {each.id for each in payments}
    assert match.author == "regisseur@sautron.example.org"
    assert send(agent, f"{PAGE}/{line_of(4520).id}", proposal=keys[1]).status_code == 422


def test_what_is_sure_since_payments_came_is_matched_and_noted(
    agent: FlaskClient, alices_family: Family
) -> None:
    drop(agent, f"{HEAD}04/11/2026;VIR;55,20\n")
    again, matched = f"{PAGE}/rapprocher", StaffEvent.action == "line_matched"
    assert send(agent, again).status_code == 302
    assert not StaffEvent.select().where(matched).exists()
    for cents in (4520, 1000):
        paid(alices_family, cents, day(2))
    assert send(agent, again).status_code == 302
    assert line_of(5520).state == "matched"
    assert StaffEvent.get(matched).object == "1 mouvement"


def test_a_line_is_called_a_fee_then_that_is_undone_with_a_reason(agent: FlaskClient) -> None:
    drop(agent, f"{HEAD}05/11/2026;ABONNEMENT;-2,00\n")
    line = f"{PAGE}/{line_of(-200).id}"
    assert send(agent, line, kind="fee", reason="").status_code == 422
    assert send(agent, line, kind="fee", reason="abonnement").status_code == 302
    assert books.balances() == {"account": -200, "fees": 200}
    undo = f"{PAGE}/rapprochements/{LineMatch.get().id}/annuler"
    assert undo in agent.get(line).text
    assert send(agent, undo, reason="", seen="y").status_code == 422
    assert send(agent, undo, reason="erreur", seen="y").status_code == 302
    assert books.balances() == {}
    assert "erreur" in agent.get(line).text


UNKNOWN = "Jour;Texte;Euros\n04/11/2026;VIR;45,20\n"


def test_unknown_columns_are_asked_for_and_remembered(agent: FlaskClient) -> None:
    asked = shown(agent, UNKNOWN)
    assert asked.status_code == 200
    said = {"booked_on": "Jour", "label": "Texte"}
    assert answer(agent, asked.text, **said).status_code == 422
    assert answer(agent, asked.text, **said, amount="Dollars", load="1").status_code == 422
    read = answer(agent, asked.text, **said, amount="Euros")
    assert "45,20" in read.text
    assert StatementLine.select().count() == ColumnMapping.select().count() == 0
    assert answer(agent, read.text, load="1").status_code == 302
    assert line_of(4520).label == "VIR"
    assert shown(agent, UNKNOWN.replace("04/11", "05/11")).status_code == 302
    assert StatementLine.select().count() == 2


GUESSED_WRONG = "Date;Libellé;Montant;Montant EUR\n04/11/2026;VIR;1;45,20\n05/11/2026;TPE;2;-2,00\n"


def test_columns_guessed_wrong_are_corrected_before_anything_is_booked(agent: FlaskClient) -> None:
    told = shown(agent, GUESSED_WRONG)
    assert told.status_code == 200
    assert "1,00" in told.text
    assert StatementLine.select().count() == 0
    unseen = answer(agent, told.text, amount="Montant EUR", load="1")
    assert "45,20" in unseen.text, "what was changed is shown before it is loaded"
    assert StatementLine.select().count() == 0
    assert answer(agent, unseen.text, load="1").status_code == 302
    assert [each.amount_cents for each in StatementLine.select().order_by(StatementLine.id)] == [
        4520,
        -200,
    ]


def test_lines_that_the_guess_does_not_fit_lead_to_the_columns_too(agent: FlaskClient) -> None:
    balances = "Date;Libellé;Montant;Solde;Euros\n04/11/2026;A;1;5,00;9\n05/11/2026;B;2;7,00;2\n"
    told = shown(agent, balances.replace("B;2;", "B;9;"))
    assert "solde" in told.text
    assert StatementLine.select().count() == 0
    read = answer(agent, told.text, amount="Euros")
    assert read.status_code == 200
    assert answer(agent, read.text, load="1").status_code == 302
    assert [each.amount_cents for each in StatementLine.select().order_by(StatementLine.id)] == [
        900,
        200,
    ]


def test_what_is_remembered_of_columns_is_forgotten_then_said_anew(agent: FlaskClient) -> None:
    drop(agent, f"{HEAD}04/11/2026;VIR;45,20\n")
    assert shown(agent, f"{HEAD}05/11/2026;VIR;1,20\n").status_code == 302
    forget = re.findall(r'action="([^"]*/oublier)"', agent.get(PAGE).text)
    assert send(agent, forget[0]).status_code == 302
    assert shown(agent, f"{HEAD}06/11/2026;VIR;1,20\n").status_code == 200
    assert "/oublier" not in agent.get(PAGE).text


def test_a_table_that_is_not_kept_any_more_is_dropped_again(agent: FlaskClient) -> None:
    told = shown(agent, UNKNOWN)
    for digest in ("0" * 64, "..", "x"):
        page = told.text.replace(re.findall(r"/colonnes/(\w{64})", told.text)[0], digest)
        address = f"{PAGE}/colonnes/{digest}"
        assert send(agent, address, **fields_of(page)).status_code in (302, 404)
    assert StatementLine.select().count() == 0


@pytest.mark.parametrize("content", ["", "%PDF-1.7", f"{HEAD}hier;x;1\n", "\0\0\0", "a" * 5000])
def test_a_file_that_cannot_be_read_is_told_and_changes_nothing(
    agent: FlaskClient, content: str
) -> None:
    assert drop(agent, content).status_code in (200, 422)
    assert StatementLine.select().count() == 0


def test_the_same_file_again_changes_nothing(agent: FlaskClient) -> None:
    for _ in range(2):
        assert drop(agent, f"{HEAD}04/11/2026;VIR;45,20\n").status_code == 302
    assert StatementLine.select().count() == 1


def test_lines_are_filtered_and_found_by_their_amount(agent: FlaskClient) -> None:
    drop(agent, f"{HEAD}04/11/2026;VIR UN;45,20\n05/11/2026;VIR DEUX;12,00\n")
    found = agent.get(f"{PAGE}?montant=12,00&etat=open&libelle=deux").text
    rows = re.findall(r'<th scope="row"><a [^>]*>(VIR \w+)', found)
    assert rows == ["VIR DEUX"]
    assert agent.get(f"{PAGE}?montant=x").status_code == 422


def test_a_line_open_in_two_tabs_is_explained_once(
    agent: FlaskClient, alices_family: Family
) -> None:
    payment = paid(alices_family, 4520, day(2))
    paid(alices_family, 4520, day(3))
    drop(agent, f"{HEAD}04/11/2026;VIR;45,20\n")
    line = f"{PAGE}/{line_of(4520).id}"
    (first, _other) = re.findall(r'name="proposal" value="(\w+)"', agent.get(line).text)
    assert send(agent, line, kind="other", reason="pas à nous").status_code == 302
    for answer in ({"proposal": first}, {"kind": "fee", "reason": "frais"}, {"proposal": "x"}):
        assert send(agent, line, **answer).status_code == 422
    assert [each.kind for each in LineMatch.select()] == ["other"]
    undo = f"{PAGE}/rapprochements/{LineMatch.get().id}/annuler"
    for _ in range(2):
        assert send(agent, undo, reason="erreur", seen="y").status_code == 302
    assert send(agent, line, proposal=first).status_code == 302
    assert LineMatch.get(LineMatch.undone_at.is_null()).settlement_id == payment.id
    assert books.faults() == []


def test_the_page_says_what_the_bank_tells_of_the_last_month_that_it_told(
    agent: FlaskClient,
) -> None:
    none = agent.get(PAGE).text
    assert GRADES[Grade.NONE] in none
    drop(agent, f"{HEAD}30/10/2026;VIR;45,20\n")
    shown = agent.get(PAGE).text
    assert GRADES[Grade.STATEMENT] in shown
    assert "Octobre 2026" in shown


def test_a_gap_is_told(agent: FlaskClient) -> None:
    for on, opening in ((4, 1000), (9, 5000)):
        books.load(books.statement(books.period([books.movement(day(on), 100)], opening)))
    assert "Il manque un relevé" in agent.get(PAGE).text


@pytest.fixture
def two_regies(settings: Settings) -> Flask:
    creche = OtherRegie("Régie Petite enfance", "Camille", services=("x",), gateway="creche")
    gateways = {**settings.gateways, "creche": settings.gateways["banque"]}
    return create_app(replace(settings, regies={"creche": creche}, gateways=gateways))


def test_each_regisseur_sees_and_loads_the_account_of_the_own_regie(
    two_regies: Flask, empty_database: None, frozen: Clock
) -> None:
    both = enter(two_regies, make_agent(Role.REGISSEUR, "deux@x.fr"))
    assert drop(both, f"{HEAD}04/11/2026;VIR;45,20\n").status_code == 302
    other = enter(two_regies, make_agent(Role.REGISSEUR, "creche@x.fr", regie="creche"))
    line = f"{PAGE}/{line_of(4520).id}"
    assert other.get(line).status_code == 403
    assert other.get(f"{PAGE}?regie=").status_code == 403
    assert "VIR" not in other.get(PAGE).text
    assert send(other, line, kind="other", reason="x").status_code == 403
    assert drop(other, f"{HEAD}04/11/2026;VIR;45,21\n").status_code == 302
    assert {each.regie for each in StatementLine.select()} == {"", "creche"}


def test_the_comptable_reads_and_changes_nothing(
    agent: FlaskClient, app: Flask, alices_family: Family
) -> None:
    paid(alices_family, 4520, day(2))
    drop(agent, f"{HEAD}04/11/2026;VIR;45,19\n")
    reader = enter(app, make_agent(Role.CONTROLE))
    line = f"{PAGE}/{line_of(4519).id}"
    for page in (PAGE, line):
        assert reader.get(page).status_code == 200
        assert "proposal" not in reader.get(page).text
    assert reader.get(f"{PAGE}/999999").status_code == 404


def test_what_the_treasury_returns_is_led_to_where_it_is_loaded(
    agent: FlaskClient, alices_family: Family
) -> None:
    titre = treasury.titre(alices_family)
    content = treasury.returned(treasury.piece(treasury.received("45.20")))
    told = drop(agent, content.decode("latin-1"))
    assert told.status_code == 302
    page = agent.get(told.location).text
    assert "45,20" in page
    assert Invoice.get_by_id(titre.id).paid_cents == 0
    fingerprint = re.findall(r'name="fingerprint" value="(\w+)"', page)[0]
    assert send(agent, f"{told.location}/charger", fingerprint=fingerprint).status_code == 302
    assert Invoice.get_by_id(titre.id).paid_cents == 4520


def _undo_page() -> str:
    return f"{PAGE}/fichiers/{StatementFile.get().id}/annuler"


def test_a_load_is_undone_with_a_reason_and_its_line_stays_for_the_journal(
    agent: FlaskClient, alices_family: Family
) -> None:
    reference = books.reference(paid(alices_family, 4520, day(2)))
    drop(agent, f"{HEAD}04/11/2026;VIR {reference};45,20\n05/11/2026;FRAIS;-2,00\n")
    line = line_of(4520)
    assert _undo_page() in agent.get(PAGE).text
    assert agent.get(_undo_page()).status_code == 200
    assert send(agent, _undo_page(), reason="", seen="y").status_code == 422
    assert StatementLine.select().where(StatementLine.regie == "").count() == 2
    assert send(agent, _undo_page(), reason="mauvais fichier", seen="y").status_code == 302
    assert StatementLine.select().where(StatementLine.regie == "").count() == 0
    assert books.faults() == []
    assert _undo_page() not in agent.get(PAGE).text
    assert send(agent, _undo_page(), reason="encore", seen="y").status_code == 422
    assert f"{PAGE}/{line.id}" in agent.get("/mairie/journal").text
    aside = agent.get(f"{PAGE}/{line.id}")
    assert aside.status_code == 200
    assert 'name="kind"' not in aside.text
    assert send(agent, f"{PAGE}/{line.id}", kind="fee", reason="x").status_code == 422
    assert books.faults() == []


def test_the_load_of_another_regie_is_not_undone(
    two_regies: Flask, empty_database: None, frozen: Clock
) -> None:
    first = enter(two_regies, make_agent(Role.REGISSEUR, regie=""))
    drop(first, f"{HEAD}04/11/2026;VIR;45,20\n", regie="-")
    other = enter(two_regies, make_agent(Role.REGISSEUR, "creche@x.fr", regie="creche"))
    assert other.get(_undo_page()).status_code == 403
    assert send(other, _undo_page(), reason="x", seen="y").status_code == 403
    assert "releve.csv" not in other.get(PAGE).text
    assert StatementFile.get().undone_at is None
