"""The journal in the browser, and as a file: in the words of who keeps the books."""

import csv
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from kiosque.db import write
from kiosque.db.models import Invoice, Settlement
from kiosque.language import clock
from kiosque.payments import journal
from kiosque.payments.account_words import named
from kiosque.staff.roles import Role
from tests.agents import enter, make_agent
from tests.kiosque.conftest import Run
from tests.kiosque.payments.conftest import at_counter

PAGE = "/mairie/journal"


@pytest.fixture
def regisseur(app: Flask, october: Invoice) -> FlaskClient:
    at_counter(october)
    return enter(app, make_agent(Role.REGISSEUR))


def test_each_entry_is_there_in_the_words_of_the_books(regisseur: FlaskClient) -> None:
    page = regisseur.get(PAGE).text
    for words in ("recettes", "encaissé ailleurs", "45,20"):
        assert words in page


def test_it_is_read_by_day(regisseur: FlaskClient) -> None:
    today = clock.today()
    assert "recettes" in regisseur.get(f"{PAGE}?du={today}&au={today}").text
    for page in (
        f"{PAGE}?au={today - timedelta(days=1)}",
        f"{PAGE}?du={today + timedelta(days=1)}",
    ):
        assert "recettes" not in regisseur.get(page).text


@pytest.mark.parametrize("page", [PAGE, "/mairie/encaissements", "/mairie/factures"])
@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "20261301", "hier", "2026-02-30"])
def test_no_day_is_a_fault_of_ours(app: Flask, october: Invoice, page: str, day: str) -> None:
    agent = enter(app, make_agent(Role.REGISSEUR))
    for name in ("du", "au"):
        assert agent.get(f"{page}?{name}={day}").status_code in (200, 422)


def test_another_regies_entries_are_not_there(app: Flask, regisseur: FlaskClient) -> None:
    other = enter(app, make_agent(Role.REGISSEUR, "creche@sautron.example.org", regie="creche"))
    assert "recettes" not in other.get(PAGE).text
    assert "recettes" not in other.get(f"{PAGE}.csv").text


def test_the_page_its_file_and_the_command_tell_the_same_cents(
    regisseur: FlaskClient, run: Run
) -> None:
    told = regisseur.get(f"{PAGE}.csv").text.removeprefix("\ufeff").split()
    typed = run("journal", "--csv").stdout.split()
    assert told == typed
    assert journal.last()[1] in typed[-1]
    assert "45,20" in run("journal").stdout


def test_an_entry_that_corrects_another_cites_it_on_the_page_in_the_file_and_by_hand(
    regisseur: FlaskClient, run: Run
) -> None:
    with write():
        about = journal.About("", Settlement.get().id)
        journal.append(about, "repris", debit="invoices", credit="x", cents=1, corrects=1)
    cited = "repris (corrige l’écriture 1)"
    assert regisseur.get(PAGE).text.count(cited) == 1
    assert run("journal").stdout.count(cited) == 1
    file = csv.DictReader(run("journal", "--csv").stdout.splitlines(), delimiter=";")
    assert [(row["libelle"], row["corrige"]) for row in file][1:] == [("repris", "1")]


@pytest.mark.parametrize(
    ("account", "words"),
    [
        ("bank:banque", "carte bancaire à recevoir (banque)"),
        ("counter:cheque/creche", "encaissé ailleurs, chèque (creche)"),
        ("invoices/creche", "recettes à verser (creche)"),
        ("unmatched", "à classer"),
        ("counter:dreams", "encaissé ailleurs, dreams"),
        ("dreams", "dreams"),
    ],
)
def test_each_account_has_its_words(account: str, words: str) -> None:
    assert named(account) == words
