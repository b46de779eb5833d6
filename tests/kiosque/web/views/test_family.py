"""The private space: what a family sees of its own, and that nobody else sees any of it."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from markupsafe import escape

from gateways.base import Callback, Gateway
from kiosque import payments
from kiosque.db.models import Child, Enrolment, Family, Guardian, Invoice, Service
from kiosque.payments import CounterPayment
from kiosque.settings import Settings
from tests import sentences
from tests.bank import notice
from tests.conftest import ISSUERS, make_invoice
from tests.kiosque.payments.conftest import at_counter


@pytest.fixture
def paid(pay: Any, gateway: Gateway) -> Callable[..., None]:
    def go(*invoices: Invoice) -> None:
        _, handoff = pay(invoices[0].family, *invoices)
        callback = Callback.of_form(notice(handoff).items())
        payments.record(gateway.name, gateway.read_notification(callback), ISSUERS)

    return go


# --- Mes factures ---


def test_the_first_sentence_says_how_many_and_how_much(
    alice: FlaskClient, october: Invoice, september: Invoice
) -> None:
    page = alice.get("/factures").text
    assert re.search("2 factures.*87,45", page)
    assert 'name="invoice" value="2026-10-0001"' in page
    assert page.index("2026-09-0001") < page.index("2026-10-0001")


def test_each_invoice_shows_period_services_child_amount_and_date(
    alice: FlaskClient, october: Invoice
) -> None:
    page = alice.get("/factures").text
    for words in (
        "Octobre 2026",
        "Restauration scolaire",
        "Léa Martin",
        "45,20\u00a0€",
        "au plus tard le 30\u00a0novembre\u00a02026",
    ):
        assert words in page


def test_a_late_invoice_is_softly_marked_and_still_payable(
    alice: FlaskClient, september: Invoice
) -> None:
    page = alice.get("/factures").text
    assert sentences.LATE in page
    assert 'value="2026-09-0001"' in page


def test_an_empty_space_says_so(alice: FlaskClient) -> None:
    page = alice.get("/factures").text
    assert sentences.NOTHING_DUE in page
    assert sentences.NOTHING_SETTLED in page


def test_what_is_at_the_bank_is_apart_and_cannot_be_ticked(
    alice: FlaskClient, pay: Any, alices_family: Family, october: Invoice, september: Invoice
) -> None:
    pay(alices_family, october)
    page = alice.get("/factures").text
    assert 'value="2026-10-0001"' not in page
    assert re.search("2 factures.*87,45.*1 ouverte", page)


def test_what_is_closed_is_said_to_be_at_the_treasury(
    alice: FlaskClient, alices_family: Family
) -> None:
    make_invoice(alices_family, "2025-01-0001", closes_on=date(2025, 4, 1))
    page = alice.get("/factures").text
    assert sentences.AT_THE_TREASURY in page
    assert 'value="2025-01-0001"' not in page


def test_what_is_paid_lies_below_by_school_year_with_its_receipt(
    alice: FlaskClient, paid: Any, october: Invoice, alices_family: Family
) -> None:
    old = make_invoice(alices_family, "2025-10-0001", issued_on=date(2025, 8, 5))
    payments.settle_at_counter(
        [CounterPayment(old.number, 4520, "cash", date(2025, 9, 1), "Dominique", "espèces")]
    )
    paid(october)
    page = alice.get("/factures").text
    assert page.index(f"{sentences.SCHOOL_YEAR} 2026-2027") < page.index(
        f"{sentences.SCHOOL_YEAR} 2024-2025"
    )
    assert 'href="/recus/1"' in page
    assert "01/09/2025" in page


def test_an_invoice_paid_in_part_says_what_was_paid_how_and_what_is_left(
    alice: FlaskClient, october: Invoice
) -> None:
    payment = CounterPayment(
        october.number, 3000, "cesu", date(2026, 11, 20), "Dominique", "CESU 12"
    )
    payments.settle_at_counter([payment])
    for page in ("/factures", f"/factures/{october.number}"):
        text = alice.get(page).text
        assert "15,20\u00a0€" in text
        assert "45,20\u00a0€" in text
    page = alice.get(f"/factures/{october.number}").text
    assert "30,00\u00a0€ le 20\u00a0novembre\u00a02026, par CESU, au guichet" in page
    assert "Payer 15,20\u00a0€" in page
    summary = alice.get(f"/paiement/recapitulatif?invoice={october.number}").text
    assert 'name="expected_cents" value="1520"' in summary
    payments.settle_at_counter([replace(payment, amount_cents=None, mode="cash")])
    page = alice.get(f"/factures/{october.number}").text
    assert "15,20\u00a0€ le 20\u00a0novembre\u00a02026, en espèces, au guichet" in page
    assert alice.get("/factures").text.count(f"/factures/{october.number}") == 1


def test_a_cancelled_invoice_says_there_is_nothing_to_pay(
    alice: FlaskClient, october: Invoice
) -> None:
    payments.cancel_invoice(october.number, "Dominique", "erreur")
    assert "Annulée" in alice.get("/factures").text
    assert sentences.NOTHING_TO_PAY in alice.get("/factures/2026-10-0001").text


def test_without_a_script_the_way_to_pay_is_always_in_sight(
    alice: FlaskClient, october: Invoice
) -> None:
    bar = alice.get("/factures").text.partition('<div class="bar">')[2].partition("</div>")[0]
    assert re.search(r"<button>.*</button>", bar)


def test_select_all_works_without_a_script(
    alice: FlaskClient, october: Invoice, september: Invoice
) -> None:
    assert alice.get("/factures?tout=1").text.count(" checked") == 2
    assert alice.get("/factures?invoice=2026-10-0001").text.count(" checked") == 1


def test_ten_years_are_shown_by_pages_in_a_fixed_number_of_queries(
    alice: FlaskClient, alices_family: Family, queries: list[str]
) -> None:
    make_invoice(alices_family, "N000", state="cancelled")
    queries.clear()
    alice.get("/factures")
    few = len(queries)
    for i in range(1, 120):
        make_invoice(alices_family, f"N{i:03d}", state="cancelled")
    queries.clear()
    first = alice.get("/factures").text
    # The session, what is open, one page of the rest, what the town owes.
    assert len(queries) == few == 5
    assert "N119" in first
    assert "N108" in first
    assert "N107" not in first
    assert "Plus anciennes" in first
    last = alice.get("/factures?page=10").text
    assert "N000" in last
    assert "Plus anciennes" not in last


@pytest.mark.parametrize("page", ["0", "-1", "x", "99999999999999999999", "1e9", ""])
def test_a_page_number_that_makes_no_sense_is_harmless(alice: FlaskClient, page: str) -> None:
    assert alice.get("/factures", query_string={"page": page}).status_code == 200


def test_more_open_invoices_than_can_be_paid_at_once_are_announced(
    alice: FlaskClient, alices_family: Family
) -> None:
    for i in range(53):
        make_invoice(alices_family, f"N{i:03d}", 100)
    page = alice.get("/factures").text
    assert re.search("53 factures.*53,00", page)
    assert page.count('name="invoice"') == 50
    assert "50 plus anciennes" in page


# --- One invoice ---


def test_an_invoice_shows_its_lines_so_that_it_can_be_understood(
    alice: FlaskClient, october: Invoice
) -> None:
    page = alice.get("/factures/2026-10-0001").text
    for words in (
        "Repas",
        "Restauration scolaire",
        "Léa Martin",
        "1 × 45,20\u00a0€",
        "30\u00a0novembre\u00a02026",
    ):
        assert words in page
    assert "Payer 45,20\u00a0€" in page


def test_an_invoice_with_a_slash_in_its_number_has_its_page(
    alice: FlaskClient, alices_family: Family
) -> None:
    make_invoice(alices_family, "F/2026/12")
    assert "Facture F/2026/12" in alice.get("/factures/F/2026/12").text


def test_the_towns_own_pdf_is_offered_when_there_is_one(
    alice: FlaskClient, october: Invoice, settings: Settings
) -> None:
    (settings.data / "pdf").mkdir()
    (settings.data / "pdf" / "abc.pdf").write_bytes(b"%PDF-1.7")
    Invoice.update(pdf_name="abc.pdf").execute()
    assert sentences.DOWNLOAD_INVOICE in alice.get("/factures/2026-10-0001").text
    with alice.get("/documents/factures/2026-10-0001.pdf") as answer:
        assert answer.data == b"%PDF-1.7"
        assert "2026-11-05-facture-2026-10-0001.pdf" in answer.headers["Content-Disposition"]
        assert answer.headers["Cache-Control"] == "no-store"


# --- The receipt ---


def test_a_receipt_states_all_that_a_receipt_must(
    alice: FlaskClient, paid: Any, october: Invoice, september: Invoice
) -> None:
    paid(october, september)
    page = alice.get("/recus/1").text
    for words in (
        "Reçu de paiement R000001", "24\u00a0novembre\u00a02026 à 20\u00a0h\u00a030",
        "Ville de Sautron",
        "Régie Enfance", "Dominique Aubry", "code famille F1001", "Carte bancaire en ligne",
        "2026-10-0001", "2026-09-0001", "87,45\u00a0€", "3fe69a", "Acquitté.",
    ):  # fmt: skip
        assert words in page


def test_a_receipt_of_money_taken_back_is_void(
    alice: FlaskClient, pay: Any, gateway: Gateway, alices_family: Family, october: Invoice
) -> None:
    _, handoff = pay(alices_family, october)
    for status in ("AUTHORISED", "CANCELLED"):
        callback = Callback.of_form(notice(handoff, trans_status=status).items())
        payments.record(gateway.name, gateway.read_notification(callback), ISSUERS)
    page = alice.get("/recus/1").text
    assert sentences.RECEIPT_VOID in page
    assert "Acquitté." not in page


# --- Ma famille ---


def test_the_record_is_what_the_town_holds_and_says_how_to_change_it(
    alice: FlaskClient, alices_family: Family
) -> None:
    Guardian.create(
        family=alices_family,
        first_name="Alice",
        last_name="Martin",
        email="alice@example.org",
        phone="02 61 91 00 01",
    )
    child = Child.create(family=alices_family, name="Léa Martin", born_on=date(2018, 5, 1))
    Enrolment.create(child=child, service=Service.create(name="Mercredi"))
    page = alice.get("/famille").text
    for words in (
        "Alice Martin", "alice@example.org", "02 61 91 00 01", "1 rue des Lilas", "Léa Martin",
        "1er\u00a0mai\u00a02018", "Mercredi", "Situation au 5\u00a0novembre\u00a02026",
        "enfance@sautron.example.org",
    ):  # fmt: skip
        assert words in page


# --- Charlie must see nothing ---

PRIVATE = [
    "/factures/2026-10-0001",
    "/documents/factures/2026-10-0001.pdf",
    "/recus/1",
    "/recus/1.pdf",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_charlie_finds_nothing_where_alice_finds_her_own(
    charlie: FlaskClient,
    alice: FlaskClient,
    paid: Any,
    october: Invoice,
    settings: Settings,
    address: str,
) -> None:
    paid(october)
    (settings.data / "pdf").mkdir()
    (settings.data / "pdf" / "abc.pdf").write_bytes(b"%PDF-1.7")
    Invoice.update(pdf_name="abc.pdf").execute()
    with alice.get(address) as hers:
        assert hers.status_code == 200
    theirs = charlie.get(address)
    assert theirs.status_code == 404
    assert "Martin" not in theirs.text
    nothing = charlie.get(address.replace("1", "7"))
    assert nothing.status_code == 404


def test_charlies_lists_hold_nothing_of_alices(
    charlie: FlaskClient, alices_family: Family, paid: Any, october: Invoice, september: Invoice
) -> None:
    Guardian.create(family=alices_family, first_name="Alice", last_name="Martin")
    paid(september)
    for address in ("/factures", "/famille", "/compte", "/factures?tout=1&invoice=2026-10-0001"):
        # The language switch leads back to the address, which Charlie typed himself.
        page = charlie.get(address).text.replace(str(escape(address)), "")
        assert not [w for w in ("Martin", "2026-10", "2026-09", "Léa", "R0000") if w in page]


def test_bob_shares_what_alice_has(alice: FlaskClient, bob: FlaskClient, october: Invoice) -> None:
    assert bob.get("/factures/2026-10-0001").status_code == 200


@pytest.mark.parametrize("address", [*PRIVATE, "/factures", "/famille", "/compte"])
def test_a_stranger_is_asked_to_sign_in(stranger: FlaskClient, address: str) -> None:
    assert stranger.get(address).location.startswith("/connexion?next=")


@pytest.mark.parametrize(
    "address",
    [
        "/factures/-1",
        "/factures/9223372036854775808",
        "/factures/%00",
        "/factures/..%2F..%2Fetc%2Fpasswd",
        "/factures/' OR 1=1 --",
        "/factures/%F0%9F%98%80",
        "/factures/%FF",
        "/factures/" + "9" * 3000,
        "/recus/9223372036854775808",
        "/recus/-1",
        "/recus/1.0",
        "/documents/factures/../../../etc/passwd.pdf",
        "/documents/factures/%00.pdf",
        "/fichiers/../kiosque.toml",
        "/fichiers/absent.css",
    ],
)
def test_hostile_addresses_are_not_found(alice: FlaskClient, address: str) -> None:
    answer = alice.get(address)
    assert answer.status_code == 404
    assert "Page introuvable" in answer.text


def test_a_credit_note_is_shown_and_asks_for_nothing(
    alice: FlaskClient, alices_family: Family
) -> None:
    for number, cents in (("AVOIR", -345), ("ZERO", 0)):
        make_invoice(alices_family, number, cents, state="nothing_due")
    page = alice.get("/factures").text
    assert sentences.NOTHING_DUE in page
    assert "Avoir" in page
    assert "Rien à payer" in page
    assert "-3,45\u00a0€" in page
    one = alice.get("/factures/AVOIR").text
    assert f"{sentences.IN_YOUR_FAVOUR} {sentences.NOTHING_TO_PAY}" in one
    assert sentences.PAY_BEFORE not in one
    assert alice.get("/documents/factures/AVOIR.pdf").status_code == 200
    refused = alice.get("/paiement/recapitulatif", query_string={"invoice": "AVOIR"})
    assert sentences.SETTLE_ONLY_WHAT_IS_DUE in refused.text


def test_a_credit_note_says_what_it_paid_and_what_it_is_still_worth(
    alice: FlaskClient, alices_family: Family, october: Invoice, september: Invoice
) -> None:
    make_invoice(alices_family, "AV-1", -5000, state="nothing_due")
    assert "50,00\u00a0€ d’avoir" in alice.get("/factures").text
    payments.apply_credit("AV-1", october.number, None, "Dominique", "accord")
    listed = alice.get("/factures").text
    assert re.search("1 facture.*42,25", listed)
    assert "4,80\u00a0€ d’avoir" in listed
    assert "reste 4,80\u00a0€ à déduire" in listed
    assert "avec un avoir" in listed
    one = alice.get("/factures/AV-1").text
    assert f'href="/factures/{october.number}"' in one
    for words in ("45,20\u00a0€", "4,80\u00a0€"):
        assert words in one
    assert "par l’avoir AV-1" in alice.get(f"/factures/{october.number}").text
    payments.apply_credit("AV-1", september.number, None, "Dominique", "accord")
    listed = alice.get("/factures").text
    assert "d’avoir" not in listed
    assert "déduit en entier" in listed
    assert alice.get("/documents/factures/AV-1.pdf").status_code == 200


def test_a_credit_note_is_shown_to_its_own_family_only(
    charlie: FlaskClient, alices_family: Family, october: Invoice
) -> None:
    make_invoice(alices_family, "AV-1", -5000, state="nothing_due")
    payments.apply_credit("AV-1", october.number, 1000, "Dominique", "accord")
    assert "d’avoir" not in charlie.get("/factures").text
    assert charlie.get("/factures/AV-1").status_code == 404


def test_an_invoice_of_the_treasurys_says_where_it_is_paid(
    alice: FlaskClient, october: Invoice, september: Invoice
) -> None:
    at_counter(october, amount_cents=1520)
    payments.transmit([october.number], "B-12", date(2026, 11, 20), "Dominique", "impayée")
    listed = alice.get("/factures").text
    assert sentences.AT_THE_TREASURY in listed
    assert sentences.PAY_THE_TREASURY in listed
    assert f'value="{october.number}"' not in listed
    assert re.search("1 facture.*42,25", listed)
    one = alice.get(f"/factures/{october.number}").text
    for words in ("20\u00a0novembre\u00a02026", "B-12", "30,00\u00a0€", sentences.PAY_THE_TREASURY):
        assert words in one
    assert alice.get(f"/documents/factures/{october.number}.pdf").status_code == 200
    refused = alice.get("/paiement/recapitulatif", query_string={"invoice": october.number})
    assert (refused.status_code, "Trésor public" in refused.text) == (409, True)


def test_the_town_says_in_its_own_words_where_the_treasury_is_paid(
    alice: FlaskClient, app: Flask, october: Invoice
) -> None:
    payments.transmit([october.number], "B-12", date(2026, 11, 20), "Dominique", "impayée")
    own = "Payez à la trésorerie de Saint-Herblain."
    ours = app.extensions["settings"]
    payment = replace(ours.payment, treasury_sentence=own)
    app.jinja_env.globals["settings"] = replace(ours, payment=payment)
    for address in ("/factures", f"/factures/{october.number}"):
        page = alice.get(address).text
        assert own in page
        assert sentences.PAY_THE_TREASURY not in page
