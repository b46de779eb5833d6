"""Words that say what is known, and what is left to do as things are now.

Alice pays twice, or by another way since; Dominique gives back what is owed.
"""

from dataclasses import replace
from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from gateways.base import Declined, Gateway, Handoff, Unreachable
from kiosque import payments
from kiosque.db.models import Attempt, Family, Invoice, Receipt, Settlement
from kiosque.db.states import RepaymentKind
from kiosque.papers import content, receipts_and_invoices
from kiosque.payments import Purchase, Refused
from kiosque.settings import Settings
from tests import pdfs, sentences
from tests.bank import ABANDONED, REFUSED
from tests.conftest import ISSUERS, PUBLIC_URL, Clock, csrf_token, make_invoice
from tests.kiosque.payments.conftest import advised_lines, at_counter, gave_back
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
    return [
        alice.get("/recus/1").text,
        pdfs.text(receipts_and_invoices.receipt(settings, document)),
    ]


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
        assert sentences.GIVEN_BACK_TO_YOU in words
    assert payments.open_anomalies() == []


def test_the_regisseur_is_not_told_to_cancel_what_stays_paid(
    bank: TalkativeBank, october: Invoice
) -> None:
    _, handoff = go(october, bank)
    at_counter(october)
    hear(bank, handoff)
    hear(bank, handoff, **gave_back(4520))
    (point,) = payments.open_anomalies()
    words = " ".join(advised_lines(point))
    assert sentences.NONE_TO_PAY in words
    assert "annulez" not in words
    assert "cancel-invoice" not in words


def test_the_regisseur_is_told_the_very_command_where_an_invoice_is_open_again(
    bank: TalkativeBank, october: Invoice
) -> None:
    _, handoff = go(october, bank)
    hear(bank, handoff)
    hear(bank, handoff, **gave_back(4520))
    (point,) = payments.open_anomalies()
    assert f"cancel-invoice {october.number}" in " ".join(advised_lines(point))


def test_what_came_twice_and_was_given_back_in_part_is_said_so(
    alice: FlaskClient, twice: Attempt, settings: Settings
) -> None:
    del twice
    for words in receipt_in_all_forms(alice, settings):
        assert sentences.OWED_TO_YOU in words
    give_back(1000)
    for words in receipt_in_all_forms(alice, settings):
        assert sentences.OWED_TO_YOU not in words
        assert sentences.PART_OF_IT in words


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


def test_another_invoice_that_the_money_paid_is_said_to_be_to_pay_again(
    alice: FlaskClient, bank: TalkativeBank, october: Invoice, september: Invoice
) -> None:
    attempt, handoff = go(october, bank)
    at_counter(october)
    hear(bank, handoff)
    settlement = payments.find_settlement("R1")
    payments.apply_overpayment(settlement, september.number, "Dominique", "accord", ISSUERS)
    hear(bank, handoff, trans_status="CANCELLED")
    page = page_of(alice, attempt)
    assert SETTLED not in page
    assert sentences.PARTLY_TO_PAY in page


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
    assert sentences.PARTLY_TO_PAY in page_of(alice, attempt)


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


def test_what_todo_names_for_a_declined_refund_is_at_most_what_remains(
    bank: TalkativeBank, october: Invoice
) -> None:
    _, handoff = go(october, bank)
    hear(bank, handoff)
    asked = payments.ask_refund(Settlement.get(), 1200, "Dominique", "absence", bank)
    bank.answers = [Declined("non")]
    payments.send_refund(asked, bank, PUBLIC_URL, ISSUERS)
    give_back(4020)
    [point] = payments.open_anomalies()
    assert any("refund R000001 --amount 5,00 --elsewhere" in line for line in advised_lines(point))


def test_a_debit_that_is_in_the_books_is_not_to_be_entered_again(
    bank: TalkativeBank, october: Invoice
) -> None:
    _, handoff = go(october, bank)
    hear(bank, handoff)
    payments.record(bank.name, replace(bank.report(handoff), reference="KFzzz"), ISSUERS)
    [point] = payments.open_anomalies()
    assert point.kind == "unknown_order"
    assert not any("enter-payment" in line for line in advised_lines(point))


def test_why_an_invoice_is_not_to_pay_is_said_in_french(
    october: Invoice, alices_family: Family
) -> None:
    at_counter(october)
    other = make_invoice(alices_family, "2026-11-0009", 4520)
    at_counter(other)
    payments.record_repayment(
        payments.find_settlement(other.number), RepaymentKind.CHARGEBACK, None, "Dominique", "rejet"
    )
    payments.cancel_invoice(other.number, "Dominique", "erreur")
    for invoice in (october, other):
        with pytest.raises(Refused) as refused:
            at_counter(invoice, reason="encore")
        state = Invoice.get_by_id(invoice.id).state
        assert state not in str(refused.value)


def test_who_closes_a_bank_is_asked_for_no_reason(empty_database: None, frozen: Clock) -> None:
    with pytest.raises(Refused) as refused:
        payments.close_bank("banque", "", frozen.at + timedelta(hours=1), "")
    assert "motif" not in str(refused.value)


# --- The page that says why a payment cannot go on ---


def press(alice: FlaskClient, *numbers: str) -> str:
    """Alice goes back twice, and confirms the same payment again."""
    token = csrf_token(alice.get("/famille").text)
    data = {"csrf_token": token, "invoice": list(numbers), "expected_cents": "4520", "email": ""}
    return str(alice.post("/paiement/banque", data=data, follow_redirects=True).text)


def test_a_card_maybe_debited_is_not_called_nothing_paid(
    alice: FlaskClient, bank: TalkativeBank, october: Invoice, frozen: Clock
) -> None:
    attempt, _ = go(october, bank)  # she pays, and the notice is lost
    page = press(alice, october.number)
    assert sentences.NOTHING_PAID not in page
    assert sentences.CANNOT_TELL in page
    assert f"/paiement/retour/{attempt.reference}" in page
    frozen.advance(minutes=16)
    page = press(alice, october.number, "INCONNUE")
    assert sentences.NOTHING_PAID not in page
    assert sentences.WITHOUT_ANSWER in page


def test_nothing_paid_is_said_where_it_is_known(
    alice: FlaskClient, bank: TalkativeBank, october: Invoice
) -> None:
    assert sentences.NOTHING_PAID in press(alice, october.number, "INCONNUE")
    _, handoff = go(october, bank)
    hear(bank, handoff, **REFUSED)
    assert sentences.NOTHING_PAID in press(alice, october.number, "INCONNUE")


@pytest.mark.parametrize(
    "told",
    [{"currency": "840", "trans_uuid": "d" * 32}, gave_back(4520)],
    ids=["dollars", "refund"],
)
def test_no_debit_is_called_surely_not_made_while_the_bank_tells_money_of_it(
    alice: FlaskClient, bank: TalkativeBank, october: Invoice, told: dict[str, str]
) -> None:
    attempt, handoff = go(october, bank)
    hear(bank, handoff, **REFUSED)
    hear(bank, handoff, **told)
    page = page_of(alice, attempt)
    assert sentences.REFUSED_BY_BANK not in page
    assert sentences.LOOK_AT_ACCOUNT in page
    assert sentences.NOTHING_PAID not in press(alice, october.number, "INCONNUE")
    (point,) = payments.open_anomalies()
    payments.resolve_anomaly(point.id, "Dominique", "rien à la banque")
    assert sentences.REFUSED_BY_BANK in page_of(alice, attempt)
    assert sentences.NOTHING_PAID in press(alice, october.number, "INCONNUE")


def test_money_of_another_amount_waits_for_the_regisseur_and_not_for_the_bank(
    alice: FlaskClient, bank: TalkativeBank, october: Invoice
) -> None:
    attempt, handoff = go(october, bank)
    addresses = [
        f"/paiement/retour/{attempt.reference}", "/factures", f"/factures/{october.number}"
    ]  # fmt: skip
    hear(bank, handoff, trans_status="AUTHORISED_TO_VALIDATE")
    assert all(sentences.BANK_EXAMINES in alice.get(address).text for address in addresses)
    hear(bank, handoff, amount="4000")
    for address in addresses:
        page = alice.get(address).text
        assert sentences.BANK_EXAMINES not in page
        assert sentences.ANOTHER_DEBIT in page


def test_already_paid_is_good_news_with_its_receipt(
    alice: FlaskClient, bank: TalkativeBank, october: Invoice, september: Invoice
) -> None:
    _, handoff = go(october, bank)
    hear(bank, handoff)
    page = press(alice, october.number)
    assert 'role="alert"' not in page
    assert 'href="/recus/1"' in page
    assert sentences.NOTHING_PAID not in page
    # With another that is not paid, the reason is said, and the receipt is there too.
    page = press(alice, october.number, september.number)
    assert sentences.ALREADY_PAID in page
    assert 'href="/recus/1"' in page
    at_counter(september)
    page = press(alice, october.number, september.number)
    assert sentences.INVOICES_PAID in page


def test_charlie_learns_nothing_of_alices_payments(
    charlie: FlaskClient, bank: TalkativeBank, october: Invoice, september: Invoice
) -> None:
    _, handoff = go(october, bank)
    hear(bank, handoff)
    attempt, _ = go(september, bank)
    page = press(charlie, october.number, september.number)
    assert sentences.ALREADY_PAID not in page
    assert "/recus/" not in page
    assert attempt.reference not in page
    assert sentences.NOTHING_PAID in page


@pytest.mark.parametrize("earlier", [False, True])
def test_a_bank_out_of_reach_says_nothing_paid_only_where_it_is_known(
    alice: FlaskClient,
    gateway: Gateway,
    october: Invoice,
    frozen: Clock,
    monkeypatch: pytest.MonkeyPatch,
    *,
    earlier: bool,
) -> None:
    def down(*_: object) -> Handoff:
        raise Unreachable("panne")

    if earlier:
        payments.start(Purchase(october.family, [october.number], 4520), gateway, PUBLIC_URL)
    for _ in range(2):
        frozen.advance(minutes=8)
        token = csrf_token(alice.get("/famille").text)
    monkeypatch.setattr(type(gateway), "start", down)
    data = {"csrf_token": token, "invoice": october.number, "expected_cents": "4520", "email": ""}
    page = alice.post("/paiement/banque", data=data).text
    assert sentences.BANK_SILENT in page
    assert (sentences.NOTHING_PAID in page) is not earlier
    assert (sentences.WITHOUT_ANSWER in page) is earlier
