"""Receipts, invoices and attestations as PDF: what they state, and that all can read them."""

import re
from datetime import UTC, date, datetime

import pytest

from kiosque.db.models import Family, Invoice, InvoiceLine, Receipt, Service, Settlement
from kiosque.invoices.attestation import Attestation, Sum
from kiosque.language import catalogue
from kiosque.language.parsing import MAX_CENTS
from kiosque.papers import receipts_and_invoices, tax_attestation
from kiosque.papers.content import (
    InvoiceDocument,
    InvoicePart,
    Overpaid,
    ReceiptDocument,
    ReceiptLine,
)
from kiosque.settings import Settings
from tests import pdfs, sentences
from tests.conftest import Clock

NAMES = [
    "#panic()[$x$]<b>*_`\\//@a",
    "محمد بن علي",
    "שרה 😀 👨\u200d👧",
    "王小明",
    "\x00\u202eLéa\ud800",
    "a" * 200,
    "Jean " * 40,
    "",
]
PAID_AT = datetime(2026, 11, 24, 19, 30, tzinfo=UTC)


def family(name: str = "Martin") -> Family:
    return Family(
        code="F1001", name=name, address="1 rue des Lilas", postcode="44880", city="Sautron"
    )


def a_receipt(
    state: str = "counted",
    name: str = "Martin",
    cents: int = 8745,
    overpaid: Overpaid | None = None,
) -> ReceiptDocument:
    settlement = Settlement(
        family=family(name),
        transaction_id="9f3c1a7e",
        amount_cents=cents,
        settled_at=PAID_AT,
        state=state,
        authorisation="3fe8a1",
        card_brand="VISA",
        card_last4="0001",
    )
    line = ReceiptLine("2026-10-0001", "octobre 2026", "Léa", "Restauration", cents, overpaid)
    return ReceiptDocument(
        Receipt(number=12, settlement=settlement, issued_at=PAID_AT), settlement, [line]
    )


def an_invoice(
    lines: int = 2, name: str = "Léa Martin", state: str = "open", **values: object
) -> InvoiceDocument:
    details: dict[str, object] = {"closes_on": None, "total_cents": 4520, **values}
    invoice = Invoice(
        number="2026-10-0001",
        family=family(name),
        issued_on=date(2026, 11, 5),
        due_on=date(2026, 11, 30),
        period="octobre 2026",
        state=state,
        **details,
    )
    line = InvoiceLine(
        invoice=invoice,
        child=name,
        service=Service(name="Restauration scolaire"),
        label="Repas, tarif B",
        quantity_hundredths=1250,
        unit_price_cents=185,
        amount_cents=2313,
    )
    paid = Settlement(mode="cheque", settled_at=PAID_AT)
    parts = [InvoicePart(paid, None, 4520)] if state == "paid" else []
    return InvoiceDocument(invoice, [line] * lines, parts)


def an_attestation(name: str = "Léa Martin", cents: int = 123456, year: int = 2025) -> Attestation:
    counted = [Sum(name, date(2021, 7, 7), "Multi-accueil", cents)]
    unknown = [Sum("Tom Martin", None, "Mercredi", 2000)]
    return Attestation(family(), [name], year, date(2026, 11, 24), counted, unknown)


# --- What they state ---


def test_a_receipt_states_all_that_a_regie_must(settings: Settings) -> None:
    words = pdfs.text(receipts_and_invoices.receipt(settings, a_receipt()))
    for expected in (
        "Ville de Sautron",
        "Reçu de paiement R000012",
        "24 novembre 2026 à 20 h 30",
        "Famille Martin, code famille F1001",
        "Régie Enfance",
        "Carte bancaire en ligne (VISA se terminant par 0001)",
        "3fe8a1",
        "9f3c1a7e",
        "2026-10-0001",
        "87,45 €",
        "Acquitté",
        "Dominique Aubry",
    ):
        assert expected in words


def test_a_receipt_whose_money_left_again_is_not_worth_a_discharge(settings: Settings) -> None:
    words = pdfs.text(receipts_and_invoices.receipt(settings, a_receipt("refunded")))
    assert sentences.RECEIPT_VOID in words
    assert "Acquitté" not in words


def test_a_receipt_says_what_was_paid_twice(settings: Settings) -> None:
    words = pdfs.text(receipts_and_invoices.receipt(settings, a_receipt(overpaid=Overpaid.OWED)))
    assert sentences.OWED_TO_YOU in words


def test_an_invoice_details_child_service_quantity_and_price(
    settings: Settings, frozen: Clock
) -> None:
    words = pdfs.text(receipts_and_invoices.invoice(settings, an_invoice()))
    for expected in (
        "Facture 2026-10-0001",
        "octobre 2026",
        "5 novembre 2026",
        "30 novembre 2026",
        "Léa Martin",
        "Restauration scolaire – Repas, tarif B",
        "12,5",
        "1,85 €",
        "23,13 €",
        "Total 45,20 €",
        "avec votre code famille F1001, sur http://127.0.0.1:8000.",
    ):
        assert expected in words
    assert "Acquitté" not in words


@pytest.mark.parametrize(
    ("document", "said", "unsaid"),
    [
        (an_invoice(state="paid"), "Acquitté Le 24 novembre 2026", "Réglez en ligne"),
        (an_invoice(state="cancelled"), sentences.INVOICE_CANCELLED, "Réglez en ligne"),
        (an_invoice(closes_on=date(2026, 11, 23)), "transmise au Trésor", "Réglez en ligne"),
        (an_invoice(closes_on=date(2026, 12, 15)), "jusqu’au 15 décembre 2026", "Trésor"),
    ],
)
def test_an_invoice_says_where_it_stands(
    settings: Settings, frozen: Clock, document: InvoiceDocument, said: str, unsaid: str
) -> None:
    words = pdfs.text(receipts_and_invoices.invoice(settings, document))
    assert said in words
    assert unsaid not in words


def test_an_attestation_names_payer_child_year_and_sum(settings: Settings, frozen: Clock) -> None:
    words = pdfs.text(tax_attestation.attestation(settings, an_attestation()))
    for expected in (
        "Attestation fiscale 2025",
        "Régie Enfance",
        "reçu de : Léa Martin, code famille F1001",
        "07/07/2021",
        "Multi-accueil",
        "Total payé 1 234,56 €",
        "20,00 € payés pour Tom Martin (Mercredi) ne sont pas comptés",
        "Le 24 novembre 2026",
    ):
        assert expected in words
    assert "Provisoire" not in words


def test_an_attestation_of_a_year_not_over_is_provisional(settings: Settings) -> None:
    words = pdfs.text(tax_attestation.attestation(settings, an_attestation(year=2026)))
    assert re.search("Provisoire.*24 novembre 2026", words)


def test_the_language_of_the_family_is_said_but_the_taxes_read_french(settings: Settings) -> None:
    with catalogue.using("en"):
        receipt = receipts_and_invoices.receipt(settings, a_receipt())
        attestation = tax_attestation.attestation(settings, an_attestation())
    assert pdfs.reader(receipt).trailer["/Root"]["/Lang"] == "en"
    assert pdfs.reader(attestation).trailer["/Root"]["/Lang"] == "fr-FR"


# --- Read aloud ---


def test_they_can_be_read_aloud_in_order(settings: Settings) -> None:
    for made in (
        receipts_and_invoices.receipt(settings, a_receipt()),
        receipts_and_invoices.invoice(settings, an_invoice()),
        tax_attestation.attestation(settings, an_attestation()),
    ):
        assert not pdfs.faults(made)
        catalog = pdfs.reader(made).trailer["/Root"]
        assert catalog["/Lang"] == "fr-FR"
        assert catalog["/ViewerPreferences"]["/DisplayDocTitle"]
        tags = pdfs.tags(made)
        assert [tag for tag in tags if tag[0] == "H"] == ["H1"]
        assert tags.index("H1") < tags.index("Table") < tags.index("THead") < tags.index("TFoot")
        assert "TH/Column" in tags
        assert "TH" not in tags
        assert len(pdfs.reader(made).pages) == 1


def test_a_file_without_tags_would_be_seen(settings: Settings) -> None:
    made = receipts_and_invoices.receipt(settings, a_receipt())
    assert pdfs.faults(made.replace(b"/StructTreeRoot", b"/StructTreeXoot"))


def test_many_lines_go_over_pages_under_the_same_head(settings: Settings) -> None:
    made = receipts_and_invoices.invoice(settings, an_invoice(lines=120))
    assert not pdfs.faults(made)
    pages = [page.extract_text() for page in pdfs.reader(made).pages]
    assert len(pages) > 2
    assert all("Prix unitaire" in page for page in pages)
    assert f"2 / {len(pages)}" in pages[1]
    assert "Total" in pages[-1]
    assert "Total" not in pages[0]
    assert pdfs.tags(made).count("Table") == 1


# --- Hostile ---


@pytest.mark.parametrize("name", NAMES)
def test_no_name_spoils_a_document(settings: Settings, frozen: Clock, name: str) -> None:
    for made in (
        receipts_and_invoices.receipt(settings, a_receipt(name=name)),
        receipts_and_invoices.invoice(settings, an_invoice(1, name)),
        tax_attestation.attestation(settings, an_attestation(name=name)),
    ):
        assert not pdfs.faults(made)
        assert len(pdfs.reader(made).pages) == 1
        assert "€" in pdfs.text(made)


def test_a_long_name_covers_nothing_else(settings: Settings) -> None:
    """The words of each line stay apart: none is written over another."""
    long = "Anne-Sophie-Marguerite-Alexandrine de La Rochefoucauld-Montmorency-Luxembourg"
    made = receipts_and_invoices.invoice(settings, an_invoice(name=long))
    found = [(round(x), round(y)) for x, y, _ in pdfs.runs(made)]
    assert len(found) == len(set(found))
    heads = {words: x for x, _, words in pdfs.runs(made)}
    assert heads["Prestation"] + 20 < heads["Quantité"]
    title = next(y for _, y, words in pdfs.runs(made) if words.startswith("Facture"))
    assert all(y > title for x, y, words in pdfs.runs(made) if x > 108 and words == "44880 Sautron")


def test_markup_in_a_name_is_printed_as_it_is(settings: Settings) -> None:
    assert NAMES[0] in pdfs.text(receipts_and_invoices.invoice(settings, an_invoice(name=NAMES[0])))


@pytest.mark.parametrize(
    ("cents", "words"), [(0, "0,00 €"), (MAX_CENTS, "1 000 000,00 €"), (-4520, "-45,20 €")]
)
def test_any_amount_is_written_whole(settings: Settings, cents: int, words: str) -> None:
    assert words in pdfs.text(receipts_and_invoices.receipt(settings, a_receipt(cents=cents)))
    assert words in pdfs.text(
        receipts_and_invoices.invoice(settings, an_invoice(total_cents=cents))
    )
