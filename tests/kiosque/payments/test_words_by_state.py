"""Words that say what is known, and what is left to do as things are now.

Alice pays twice, or by another way since; Dominique gives back what is owed.
"""

import pytest
from flask.testing import FlaskClient

from gateways.base import Declined, Handoff
from kiosque import payments
from kiosque.db.models import Attempt, Family, Invoice, Receipt, Settlement
from kiosque.db.states import RepaymentKind
from kiosque.papers import content, pdf
from kiosque.payments import Purchase
from kiosque.settings import Settings
from tests import pdfs, sentences
from tests.bank import ABANDONED, REFUSED
from tests.conftest import ISSUERS, PUBLIC_URL
from tests.kiosque.payments.conftest import at_counter, gave_back
from tests.talkative import TalkativeBank

pytestmark = pytest.mark.usefixtures("sound_books")

AGAIN = "de nouveau à régler"
SETTLED = "Vos factures sont déjà payées"
NOTHING_LEFT = "plus rien à payer"


def go(invoice: Invoice, bank: TalkativeBank) -> tuple[Attempt, Handoff]:
    purchase = Purchase(invoice.family, [invoice.number], invoice.total_cents)
    return payments.start(purchase, bank, PUBLIC_URL)


def hear(bank: TalkativeBank, handoff: Handoff, **changes: str) -> None:
    payments.record(bank.name, bank.report(handoff, **changes), ISSUERS)


@pytest.fixture
def twice(bank: TalkativeBank, october: Invoice) -> Attempt:
    """October, paid at the counter then online: the money online is owed to Alice."""
    attempt, handoff = go(october, bank)
    at_counter(october)
    hear(bank, handoff)
    return Attempt.get_by_id(attempt.id)


def give_back(cents: int | None = None) -> None:
    settlement = payments.find_settlement("R1")
    payments.record_repayment(settlement, RepaymentKind.REFUND, cents, "Dominique", "virement")


def page_of(alice: FlaskClient, attempt: Attempt) -> str:
    return alice.get(f"/paiement/retour/{attempt.reference}").text


def receipt_in_all_forms(alice: FlaskClient, settings: Settings) -> list[str]:
    """The receipt on its page and as a PDF."""
    document = content.receipt_document(Receipt.get())
    return [alice.get("/recus/1").text, pdfs.text(pdf.receipt(settings, document))]


def test_what_came_twice_and_was_given_back_leaves_nothing_to_pay_nor_to_cancel(
    alice: FlaskClient, twice: Attempt, settings: Settings
) -> None:
    give_back()
    assert Invoice.get().state == "paid"
    page = page_of(alice, twice)
    assert AGAIN not in page
    assert SETTLED in page
    for words in receipt_in_all_forms(alice, settings):
        assert sentences.OWED_TO_YOU not in words
        assert "vous a été rendue" in words
    assert payments.open_anomalies() == []


def test_the_regisseur_is_not_told_to_cancel_what_stays_paid(
    bank: TalkativeBank, october: Invoice
) -> None:
    _, handoff = go(october, bank)
    at_counter(october)
    hear(bank, handoff)
    hear(bank, handoff, **gave_back(4520))
    (point,) = payments.open_anomalies()
    words = " ".join(payments.advice(point))
    assert "Aucune facture n’est à régler" in words
    assert "annulez" not in words
    assert "cancel-invoice" not in words


def test_the_regisseur_is_told_the_very_command_where_an_invoice_is_open_again(
    bank: TalkativeBank, october: Invoice
) -> None:
    _, handoff = go(october, bank)
    hear(bank, handoff)
    hear(bank, handoff, **gave_back(4520))
    (point,) = payments.open_anomalies()
    assert f"cancel-invoice {october.number}" in " ".join(payments.advice(point))


def test_what_came_twice_and_was_given_back_in_part_is_said_so(
    alice: FlaskClient, twice: Attempt, settings: Settings
) -> None:
    del twice
    for words in receipt_in_all_forms(alice, settings):
        assert sentences.OWED_TO_YOU in words
    give_back(1000)
    for words in receipt_in_all_forms(alice, settings):
        assert sentences.OWED_TO_YOU not in words
        assert "une partie de cette somme" in words


def test_a_refund_of_what_paid_an_invoice_leaves_it_to_pay(
    alice: FlaskClient, bank: TalkativeBank, october: Invoice
) -> None:
    attempt, handoff = go(october, bank)
    hear(bank, handoff)
    give_back()
    assert AGAIN in page_of(alice, attempt)
    at_counter(october)
    page = page_of(alice, attempt)
    assert AGAIN not in page
    assert SETTLED in page


@pytest.mark.parametrize("changes", [REFUSED, ABANDONED, {**ABANDONED, "payment_error": "149"}])
def test_a_payment_that_came_to_nothing_is_not_to_be_made_again_once_settled_otherwise(
    alice: FlaskClient, bank: TalkativeBank, october: Invoice, changes: dict[str, str]
) -> None:
    attempt, handoff = go(october, bank)
    hear(bank, handoff, **changes)
    assert SETTLED not in page_of(alice, attempt)
    at_counter(october)
    page = page_of(alice, attempt)
    assert SETTLED in page
    assert "recommencer" not in page
    assert "réessayer" not in page


def test_a_payment_of_cancelled_invoices_leaves_nothing_to_pay(
    alice: FlaskClient, bank: TalkativeBank, october: Invoice
) -> None:
    attempt, handoff = go(october, bank)
    hear(bank, handoff, **REFUSED)
    payments.cancel_invoice(october.number, "Dominique", "erreur")
    assert NOTHING_LEFT in page_of(alice, attempt)


def test_of_several_invoices_only_those_still_open_are_to_pay(
    alice: FlaskClient,
    bank: TalkativeBank,
    october: Invoice,
    september: Invoice,
    alices_family: Family,
) -> None:
    purchase = Purchase(alices_family, [october.number, september.number], 8745)
    attempt, handoff = payments.start(purchase, bank, PUBLIC_URL)
    hear(bank, handoff, **REFUSED)
    at_counter(september)
    assert "Une partie de vos factures est encore à régler" in page_of(alice, attempt)


@pytest.mark.parametrize("cents", [1000, None])
def test_a_declined_refund_leaves_the_list_once_given_back_otherwise(
    bank: TalkativeBank, october: Invoice, cents: int | None
) -> None:
    _, handoff = go(october, bank)
    hear(bank, handoff)
    settlement = Settlement.get()
    asked = payments.ask_refund(settlement, 1000, "Dominique", "absence", bank)
    bank.answers = [Declined("non")]
    payments.send_refund(asked, bank, PUBLIC_URL, ISSUERS)
    give_back(500)
    assert [point.kind for point in payments.open_anomalies()] == ["declined"]
    give_back(cents)
    assert payments.open_anomalies() == []
