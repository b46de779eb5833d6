"""The family's documents as PDF: what is served, under which name, and to whom."""

import dataclasses
import re
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gateways.base import Callback, Gateway
from kiosque import create_app, payments
from kiosque.db.models import Child, Family, Invoice, OutboxMail, Receipt
from kiosque.mails import rendering
from kiosque.payments import CounterPayment, Issuers
from kiosque.settings import AttestationRules, Regie, Settings
from kiosque.web.views import papers
from tests import pdfs, sentences
from tests.bank import notice
from tests.conftest import ISSUERS, PASSWORD, choose_password, csrf_token, make_invoice


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Those of a town that counts the meals' service, for want of another in the cast."""
    return dataclasses.replace(
        settings, attestation=AttestationRules(("Restauration scolaire",), ("goûter",))
    )


@pytest.fixture
def paid(pay: Any, gateway: Gateway) -> Callable[[Invoice], None]:
    def go(invoice: Invoice) -> None:
        _, handoff = pay(invoice.family, invoice)
        callback = Callback.of_form(notice(handoff).items())
        payments.record(gateway.name, gateway.read_notification(callback), ISSUERS)

    return go


@pytest.fixture
def lea(alices_family: Family) -> Child:
    return Child.create(family=alices_family, name="Léa Martin", born_on=date(2022, 3, 1))


# --- Receipts and invoices ---


def test_the_receipt_leads_to_its_pdf(alice: FlaskClient, paid: Any, october: Invoice) -> None:
    paid(october)
    assert 'href="/recus/1.pdf"' in alice.get("/recus/1").text
    answer = alice.get("/recus/1.pdf")
    assert answer.mimetype == "application/pdf"
    assert answer.headers["Content-Disposition"] == 'inline; filename="2026-11-24-recu-R000001.pdf"'
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert not pdfs.faults(answer.data)
    assert f"{sentences.RECEIPT} R000001" in pdfs.text(answer.data)


NEXT_YEAR = {"town": "Ville nouvelle", "regie": "Régie unique", "regisseur": "Camille Roy"}


@pytest.fixture
def later(settings: Settings, alices_family: Family) -> Callable[[], tuple[Settings, FlaskClient]]:
    """The site after the town, its régie and its régisseur have changed, and Alice there."""

    def go() -> tuple[Settings, FlaskClient]:
        town = dataclasses.replace(settings.town, name=NEXT_YEAR["town"])
        regie = Regie(NEXT_YEAR["regie"], NEXT_YEAR["regisseur"])
        changed = dataclasses.replace(settings, town=town, regie=regie)
        client = create_app(changed).test_client()
        choose_password(alices_family)
        page = client.get("/connexion").text
        data = {"code": "F1001", "password": PASSWORD, "csrf_token": csrf_token(page)}
        assert client.post("/connexion", data=data).status_code == 302
        return changed, client

    return go


def receipt_words(settings: Settings, client: FlaskClient) -> list[str]:
    """Return the words of the receipt on the page, on paper and in a mail's two parts."""
    letter = rendering.render_mail(settings, OutboxMail.get(template="receipt"))
    assert letter
    table = letter.html.partition("<table")[2].rpartition("</table>")[0]
    page = client.get("/recus/1").text.partition("<article")[2].partition("</article>")[0]
    paper = pdfs.reader(client.get("/recus/1.pdf").data)
    author = paper.metadata.author if paper.metadata else ""
    text = letter.text.partition("http")[0]
    return [page, f"{author} {pdfs.text(client.get('/recus/1.pdf').data)}", text, table]


def test_a_receipt_keeps_the_names_it_was_issued_with(
    app: Flask, pay: Any, alice: FlaskClient, october: Invoice, later: Any
) -> None:
    _, handoff = pay(october.family, october, email="alice@example.org")
    bank = app.test_client()
    assert bank.post("/paiement/notification/banque", data=notice(handoff)).status_code == 200
    for words in receipt_words(*later()):
        assert "Régie Enfance" in words
        assert "Dominique Aubry" in words
        assert not [new for new in NEXT_YEAR.values() if new in words]
    page, paper, *_ = receipt_words(*later())
    assert "Ville de Sautron" in page
    assert paper.count("Ville de Sautron") == 3  # author, head and foot


def test_a_receipt_issued_by_a_command_keeps_them_too(
    settings: Settings, pay: Any, gateway: Gateway, october: Invoice, later: Any
) -> None:
    _, handoff = pay(october.family, october, email="alice@example.org")
    report = gateway.read_notification(Callback.of_form(notice(handoff).items()))
    payments.record(gateway.name, report, Issuers.from_settings(settings))
    assert all("Dominique Aubry" in words for words in receipt_words(*later()))


def test_a_receipt_older_than_the_names_kept_shows_those_of_today(
    pay: Any, gateway: Gateway, october: Invoice, later: Any
) -> None:
    _, handoff = pay(october.family, october, email="alice@example.org")
    report = gateway.read_notification(Callback.of_form(notice(handoff).items()))
    nobody = Issuers("", {"": Regie("", "", "")}, {})
    payments.record(gateway.name, report, nobody)
    assert Receipt.get().regisseur == ""
    assert all("Camille Roy" in words for words in receipt_words(*later()))


def test_an_invoice_without_the_towns_pdf_is_made_from_its_lines(
    alice: FlaskClient, october: Invoice
) -> None:
    assert 'href="/documents/factures/2026-10-0001.pdf"' in alice.get("/factures/2026-10-0001").text
    answer = alice.get("/documents/factures/2026-10-0001.pdf")
    assert (
        answer.headers["Content-Disposition"]
        == 'inline; filename="2026-11-05-facture-2026-10-0001.pdf"'
    )
    words = pdfs.text(answer.data)
    assert "Facture 2026-10-0001" in words
    assert "Total 45,20 €" in words


def test_a_lost_file_of_the_towns_is_replaced_by_ours(alice: FlaskClient, october: Invoice) -> None:
    Invoice.update(pdf_name="lost.pdf").execute()
    assert "45,20 €" in pdfs.text(alice.get("/documents/factures/2026-10-0001.pdf").data)


def test_a_hostile_number_gives_a_harmless_file_name(
    alice: FlaskClient, alices_family: Family
) -> None:
    make_invoice(alices_family, 'F/2026"é 12')
    answer = alice.get("/documents/factures/F/2026%22%C3%A9%2012.pdf")
    assert (
        answer.headers["Content-Disposition"]
        == 'inline; filename="2026-11-05-facture-F-2026-12.pdf"'
    )


@pytest.mark.parametrize("address", ["/recus/7.pdf", "/recus/0.pdf", f"/recus/{2**63}.pdf"])
def test_a_receipt_that_is_not_there_is_not_found(alice: FlaskClient, address: str) -> None:
    assert alice.get(address).status_code == 404


def test_papers_made_without_end_are_told_to_wait_and_no_other_family_is(
    alice: FlaskClient,
    charlie: FlaskClient,
    charlies_family: Family,
    october: Invoice,
    paid: Any,
    lea: Child,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each costs a tenth of a second of a processor; the town's own file costs nothing."""
    monkeypatch.setattr(papers, "PAPERS", dataclasses.replace(papers.PAPERS, free=3))
    paid(october)
    hers = ["/recus/1.pdf", "/attestations/2026.pdf", "/documents/factures/2026-10-0001.pdf"]
    assert [alice.get(address).status_code for address in hers] == [200, 200, 200]
    for address in hers:
        answer = alice.get(address)
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "5")
    make_invoice(charlies_family, "2026-10-0002")
    assert charlie.get("/documents/factures/2026-10-0002.pdf").status_code == 200
    (settings.data / "pdf").mkdir()
    (settings.data / "pdf" / "abc.pdf").write_bytes(b"%PDF-1.7")
    Invoice.update(pdf_name="abc.pdf").execute()
    assert alice.get(hers[2]).status_code == 200


# --- Attestations ---


def test_a_family_finds_its_attestations_from_its_invoices(
    alice: FlaskClient, paid: Any, october: Invoice, lea: Child
) -> None:
    paid(october)
    assert 'href="/attestations"' in alice.get("/factures").text
    page = alice.get("/attestations").text
    for words in ("2026", "Léa Martin", "45,20\u00a0€", "situation au 24\u00a0novembre\u00a02026"):
        assert words in page
    assert 'href="/attestations/2026.pdf"' in page
    answer = alice.get("/attestations/2026.pdf")
    assert (
        answer.headers["Content-Disposition"]
        == 'inline; filename="2026-11-24-attestation-fiscale-2026-F1001.pdf"'
    )
    assert not pdfs.faults(answer.data)
    assert "Attestation fiscale 2026" in pdfs.text(answer.data)


@pytest.mark.parametrize("year", ["2025", "2027", "0", "1", "9999", "99999999999999999999", "-1"])
def test_a_year_with_nothing_paid_is_not_found(
    alice: FlaskClient, paid: Any, october: Invoice, lea: Child, year: str
) -> None:
    paid(october)
    assert alice.get(f"/attestations/{year}.pdf").status_code == 404


def test_a_child_of_unknown_age_is_told_and_gives_no_file(
    alice: FlaskClient, paid: Any, october: Invoice, lea: Child
) -> None:
    Child.update(born_on=None).execute()
    paid(october)
    page = alice.get("/attestations").text
    assert re.search(f"45,20.*Léa Martin {sentences.NOT_COUNTED}", page)
    assert "/attestations/2026.pdf" not in page
    assert alice.get("/attestations/2026.pdf").status_code == 404


def test_a_family_that_paid_nothing_is_told_so(alice: FlaskClient) -> None:
    assert sentences.NOTHING_TO_ATTEST in alice.get("/attestations").text


def test_where_the_town_marked_no_service_there_is_no_attestation(
    alice: FlaskClient, settings: Settings
) -> None:
    none = dataclasses.replace(settings, attestation=AttestationRules())
    alice.application.extensions["settings"] = none
    alice.application.jinja_env.globals["settings"] = none
    assert "attestations" not in alice.get("/factures").text
    assert alice.get("/attestations").status_code == 404
    assert alice.get("/attestations/2026.pdf").status_code == 404


def test_charlie_sees_nothing_of_alices_attestations(
    charlie: FlaskClient, alices_family: Family, october: Invoice, lea: Child
) -> None:
    payments.settle_at_counter(
        [CounterPayment(october.number, 4520, "cash", date(2026, 11, 20), "D. Aubry", "guichet")]
    )
    page = charlie.get("/attestations").text
    assert "Léa" not in page
    assert "Aucune somme" in page
    assert charlie.get("/attestations/2026.pdf").status_code == 404


@pytest.mark.parametrize("address", ["/recus/1.pdf", "/attestations", "/attestations/2026.pdf"])
def test_a_stranger_is_asked_to_sign_in(stranger: FlaskClient, address: str) -> None:
    answer = stranger.get(address)
    assert answer.status_code == 302
    assert "/connexion" in answer.location
