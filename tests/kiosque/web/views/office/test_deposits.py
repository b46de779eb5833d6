"""A deposit goes by the browser: seen, checked, made final once, and its papers."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from kiosque import create_app, deposits, payments
from kiosque.db import write
from kiosque.db.models import (
    Deposit,
    DepositAnswer,
    Family,
    Imputation,
    Invoice,
    KeptBack,
    Settlement,
    StaffEvent,
)
from kiosque.deposits import Imputed
from kiosque.language import clock
from kiosque.payments import verification
from kiosque.settings import OtherRegie, Settings
from kiosque.staff.roles import Role
from tests import fresh_databases, pdfs, sentences
from tests.agents import confirm, enter, make_agent, send, shown
from tests.conftest import Clock, make_invoice
from tests.kiosque.payments.conftest import at_counter

PAGE, FINAL = "/mairie/bordereaux", "/mairie/bordereaux/definitif"
IMPUTATIONS = "/mairie/reglages/imputations"
MEALS = {"service": "Restauration scolaire", "article": "70632", "fonction": "281"}
CRECHE = OtherRegie("Régie Crèche", "Camille Roux", gateway="banque-creche")


@pytest.fixture
def app(settings: Settings, empty_database: None, frozen: Clock) -> Iterator[Flask]:
    made = create_app(replace(settings, regies={"creche": CRECHE}))
    yield made
    made.extensions["at_work"]()


@pytest.fixture
def regisseur(app: Flask, october: Invoice) -> FlaskClient:
    """The first régie's, whose counter took 45,20 € by cheque."""
    at_counter(october, mode="cheque")
    return enter(app, make_agent(Role.REGISSEUR))


@pytest.fixture
def imputed(regisseur: FlaskClient) -> None:
    assert send(regisseur, IMPUTATIONS, **MEALS).status_code == 302


def make_final(client: FlaskClient, page: str = FINAL) -> Deposit:
    answer = send(client, page, **shown(client.get(page).text), seen="y")
    assert answer.location == PAGE
    made: Deposit = Deposit.select().order_by(Deposit.id.desc()).get()
    return made


def plain(text: str) -> str:
    return text.replace("\u00a0", " ").replace("\u202f", " ").replace("&nbsp;", " ")


def test_a_service_without_imputation_is_named_and_offers_no_button(
    regisseur: FlaskClient,
) -> None:
    for page in (PAGE, FINAL):
        text = regisseur.get(page).text
        assert "Restauration scolaire n’a pas d’imputation" in text
        assert "fingerprint" not in text
    assert FINAL not in regisseur.get(PAGE).text


def test_no_other_paper_is_given_than_the_one_that_was_made_final(
    regisseur: FlaskClient, imputed: None
) -> None:
    deposit = make_final(regisseur)
    fresh_databases.damage("UPDATE deposit SET pdf = 'JVBERi0='")
    answer = regisseur.get(f"/mairie/documents/bordereaux/{deposit.id}.pdf")
    assert answer.location == PAGE
    assert sentences.NOT_ITS_PAPER in regisseur.get(PAGE).text


def test_what_was_seen_is_made_final_and_its_papers_say_the_same(
    regisseur: FlaskClient, imputed: None
) -> None:
    assert "70632, fonction 281" in regisseur.get(PAGE).text
    assert "Rendre définitif : 45,20 €" in plain(regisseur.get(FINAL).text)
    deposit = make_final(regisseur)
    page = plain(regisseur.get(PAGE).text)
    assert "2026-001" in page
    assert sentences.NOTHING_TO_PAY_OVER in page
    paper = regisseur.get(f"/mairie/documents/bordereaux/{deposit.id}.pdf").data
    assert hashlib.sha256(paper).hexdigest() == deposit.pdf_sha256
    listed = regisseur.get(f"/mairie/documents/bordereaux/{deposit.id}/liste.pdf").data
    assert "Martin" in pdfs.text(listed)
    table = regisseur.get(f"/mairie/documents/bordereaux/{deposit.id}.csv").text
    assert table.rstrip().endswith(";45,20")
    assert deposit.pdf_sha256 in regisseur.get("/mairie/journal").text
    done = {str(it.action) for it in StaffEvent.select()}
    assert {"deposit_made", "imputation_set", "exported"} <= done
    assert verification.faults() == []


def test_nothing_is_final_unseen(regisseur: FlaskClient, imputed: None) -> None:
    seen = shown(regisseur.get(FINAL).text)
    for sent in (
        seen,
        {**seen, "fingerprint": "x", "seen": "y"},
        {**seen, "up_to": "1", "seen": "y", "fingerprint": ""},
        {**seen, "up_to": "²", "seen": "y", "fingerprint": "x"},
        {"seen": "y"},
    ):
        assert send(regisseur, FINAL, **sent).status_code == 422
    assert not Deposit.select().exists()


def test_what_comes_meanwhile_waits_for_the_next(
    regisseur: FlaskClient, imputed: None, alices_family: Family
) -> None:
    seen = shown(regisseur.get(FINAL).text)
    at_counter(make_invoice(alices_family, "2026-11-0012", 100))
    assert send(regisseur, FINAL, **seen, seen="y").status_code == 302
    assert Deposit.get().amount_cents == 4520
    assert make_final(regisseur).amount_cents == 100


def test_the_end_of_a_month_is_offered_apart_from_what_came_since(
    app: Flask, october: Invoice, frozen: Clock, alices_family: Family
) -> None:
    deposits.set_imputation("", "Restauration scolaire", Imputed("70632"), "Dominique")
    at_counter(october, mode="cheque")
    frozen.advance(days=8)
    at_counter(make_invoice(alices_family, "2026-11-0012", 100))
    client = enter(app, make_agent(Role.REGISSEUR))
    page = plain(client.get(PAGE).text)
    assert "jusqu’à fin novembre 2026 : 45,20 €" in page
    assert make_final(client, f"{FINAL}?jusqua=1").amount_cents == 4520
    assert "jusqu’à fin" not in client.get(PAGE).text
    assert make_final(client).amount_cents == 100


def test_the_second_of_two_agents_is_told(regisseur: FlaskClient, imputed: None) -> None:
    seen = shown(regisseur.get(FINAL).text)
    make_final(regisseur)
    late = send(regisseur, FINAL, **seen, seen="y")
    assert late.status_code == 422
    assert Deposit.select().count() == 1


def test_a_code_is_asked_anew_before(regisseur: FlaskClient, imputed: None, frozen: Clock) -> None:
    frozen.advance(minutes=20)
    assert regisseur.get(FINAL).location.startswith("/mairie/code")
    assert regisseur.get(PAGE).status_code == 200


def test_control_reads_and_writes_nothing(
    app: Flask, regisseur: FlaskClient, imputed: None, october: Invoice
) -> None:
    deposit = make_final(regisseur)
    control = enter(app, make_agent(Role.CONTROLE))
    assert "2026-001" in control.get(PAGE).text
    assert control.get(f"/mairie/documents/bordereaux/{deposit.id}.pdf").status_code == 200
    settlement = Settlement.get()
    for page in (
        FINAL,
        IMPUTATIONS,
        f"{PAGE}/{deposit.id}/reponse",
        f"/mairie/encaissements/{settlement.id}/garder",
    ):
        assert control.get(page).status_code == 403


def test_another_regies_money_is_not_there(
    app: Flask, regisseur: FlaskClient, imputed: None
) -> None:
    deposit = make_final(regisseur)
    other = enter(app, make_agent(Role.REGISSEUR, "camille@sautron.example.org", regie="creche"))
    page = other.get(PAGE).text
    assert "45,20" not in page
    assert "2026-001" not in page
    for kind in (".pdf", "/liste.pdf", ".csv"):
        address = f"/mairie/documents/bordereaux/{deposit.id}{kind}"
        assert other.get(address).status_code == 403
    assert other.get(FINAL).status_code == 403
    assert other.get(f"{FINAL}/creche").status_code == 200
    assert other.get(f"{FINAL}/piscine").status_code == 404
    assert other.get(f"{PAGE}/{deposit.id}/reponse").status_code == 403
    assert other.get(f"/mairie/documents/bordereaux/{2**64}.pdf").status_code == 404


def test_a_regisseur_sets_his_own_regies_imputations_and_an_administrator_all(
    app: Flask, october: Invoice
) -> None:
    camille = make_agent(Role.REGISSEUR, "camille@sautron.example.org", regie="creche")
    send(enter(app, camille), IMPUTATIONS, **MEALS)
    admin = enter(app, make_agent(Role.ADMINISTRATION))
    assert send(admin, IMPUTATIONS, **MEALS, regie="-").status_code == 302
    assert sorted(it.regie for it in Imputation.select()) == ["", "creche"]
    assert send(admin, IMPUTATIONS, **MEALS, regie="piscine").status_code == 422
    assert send(admin, IMPUTATIONS, **{**MEALS, "since": "hier"}, regie="-").status_code == 422


def test_a_payment_is_kept_back_then_taken_up(regisseur: FlaskClient, imputed: None) -> None:
    page = f"/mairie/encaissements/{Settlement.get().id}"
    assert sentences.KEEP_BACK in regisseur.get(page).text
    assert confirm(regisseur, f"{page}/garder", reason="contestée").status_code == 302
    assert "contestée" in regisseur.get(PAGE).text
    assert sentences.NOTHING_TO_PAY_OVER in regisseur.get(PAGE).text
    assert "Reprendre au bordereau" in regisseur.get(page).text
    assert confirm(regisseur, f"{page}/reprendre", reason="vu").status_code == 302
    assert [it.ended_at is None for it in KeptBack.select()] == [False]
    make_final(regisseur)
    assert send(regisseur, f"{page}/garder", reason="trop tard").status_code == 422
    assert sentences.KEEP_BACK not in regisseur.get(page).text


def test_the_comptables_answer_is_noted(regisseur: FlaskClient, imputed: None) -> None:
    deposit = make_final(regisseur)
    page = f"{PAGE}/{deposit.id}/reponse"
    for on, reference in (("hier", "x"), ("2020-01-01", "x"), ("", ""), ("2026-11-24", "x" * 61)):
        assert send(regisseur, page, on=on, reference=reference).status_code == 422
    today = clock.today().isoformat()
    assert send(regisseur, page, on=today, reference="P503 12").status_code == 302
    assert DepositAnswer.get().reference == "P503 12"
    assert "P503 12" in regisseur.get(PAGE).text


def test_what_left_since_makes_a_negative_deposit_that_says_so(
    regisseur: FlaskClient, imputed: None, october: Invoice
) -> None:
    make_final(regisseur)
    settlement = payments.find_settlement(f"encaissement-{Settlement.get().id}")
    payments.record_repayment(settlement, "chargeback", 4520, "Dominique", "impayé")
    assert "négatif" in regisseur.get(FINAL).text
    assert make_final(regisseur).amount_cents == -4520
    assert deposits.draft("", 10**6).lines == ()


def test_after_a_restoration_the_last_number_is_said_before_another_is_given(
    regisseur: FlaskClient, imputed: None, app: Flask, settings: Settings
) -> None:
    with write():
        payments.note_restoration(settings, clock.now(), {})
    refused = send(regisseur, FINAL, **shown(regisseur.get(FINAL).text), seen="y")
    assert refused.status_code == 422
    page = re.findall(r'href="([^"]*/reprendre/[0-9]+)"', regisseur.get(PAGE).text)[0]
    for last, seen in (("x", "y"), ("4", ""), ("9000", "y")):
        assert send(regisseur, page, last=last, seen=seen).status_code == 422
    assert send(regisseur, page, last="4", seen="y").location == PAGE
    assert "2026-001 à 2026-004" in regisseur.get(PAGE).text
    assert regisseur.get(page).location == PAGE
    assert make_final(regisseur).number == 5
    control = enter(app, make_agent(Role.CONTROLE))
    assert control.get(page).status_code == 403
    assert verification.faults() == []
