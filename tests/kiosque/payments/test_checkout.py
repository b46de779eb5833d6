"""A family goes to the bank: what is refused first, two tabs, and what the bank is told."""

from concurrent.futures import Future
from dataclasses import replace
from datetime import date

import pytest
from peewee import IntegrityError

from gateways.base import Gateway, Handoff, Limits, Order
from kiosque import payments
from kiosque.db import write
from kiosque.db.models import (
    Anomaly,
    Attempt,
    AttemptItem,
    Fact,
    Family,
    Invoice,
)
from kiosque.payments import Purchase, Refused, checkout, polling
from tests import sentences
from tests.bank import ABANDONED, REFUSED
from tests.conftest import ISSUERS, PUBLIC_URL, Clock, make_invoice
from tests.kiosque.payments.conftest import Hear, Pay, change_total, state_of
from tests.talkative import TalkativeBank

pytestmark = pytest.mark.usefixtures("sound_books")


# --- What is refused before the bank ---


def reasons(family: Family, *numbers: str, limits: Limits | None = None) -> str:
    return "\n".join(payments.select_for_one_payment(family, numbers, limits or Limits()).reasons)


def test_another_familys_invoice_is_refused_like_one_that_does_not_exist(
    alices_family: Family, charlies_family: Family
) -> None:
    theirs = make_invoice(charlies_family, "2026-10-0002")
    for number in (theirs.number, "2026-10-9999", "x' OR 1=1 --", "é" * 500, "\0"):
        assert sentences.NOT_YOURS in reasons(alices_family, number)


def test_what_is_paid_cancelled_or_closed_is_refused_in_plain_words(alices_family: Family) -> None:
    make_invoice(alices_family, "A", state="paid")
    make_invoice(alices_family, "B", state="cancelled")
    make_invoice(alices_family, "C", closes_on=date(2026, 11, 23))
    make_invoice(alices_family, "D", closes_on=date(2026, 11, 24))
    assert sentences.ALREADY_PAID in reasons(alices_family, "A")
    assert sentences.INVOICE_CANCELLED in reasons(alices_family, "B")
    assert "23\u00a0novembre\u00a02026" in reasons(alices_family, "C")
    assert reasons(alices_family, "D") == ""
    Invoice.update(state="open", paid_cents=0).where(Invoice.number == "A").execute()


def test_nothing_ticked_too_much_ticked_and_amounts_beyond_the_bank_are_refused(
    alices_family: Family, october: Invoice
) -> None:
    assert "Cochez" in reasons(alices_family)
    assert "50" in reasons(alices_family, *(f"N{i}" for i in range(51)))
    assert sentences.BANK_TAKES in reasons(alices_family, october.number, limits=Limits(5000, 9000))
    assert sentences.BANK_TAKES in reasons(alices_family, october.number, limits=Limits(1, 4519))
    assert reasons(alices_family, october.number, limits=Limits(4520, 4520)) == ""


def test_one_bad_invoice_refuses_the_whole_and_opens_nothing(
    pay: Pay, alices_family: Family, october: Invoice, september: Invoice
) -> None:
    payments.cancel_invoice(september.number, "Dominique", "erreur")
    with pytest.raises(Refused, match="annulée"):
        pay(alices_family, october, september)
    assert Attempt.select().count() == 0


def test_a_total_that_changed_since_it_was_read_is_refused(
    gateway: Gateway, alices_family: Family, october: Invoice
) -> None:
    with pytest.raises(Refused, match="montant"):
        payments.start(Purchase(alices_family, [october.number], 4519), gateway, PUBLIC_URL)
    assert Attempt.select().count() == 0


def test_the_same_invoice_asked_twice_is_paid_once(
    gateway: Gateway, alices_family: Family, october: Invoice
) -> None:
    purchase = Purchase(alices_family, [october.number] * 2, 4520)
    attempt, _ = payments.start(purchase, gateway, PUBLIC_URL)
    assert attempt.amount_cents == 4520


def test_of_two_regies_the_oldest_invoices_is_meant_then_the_first_numbers(
    alices_family: Family, october: Invoice, september: Invoice
) -> None:
    make_invoice(alices_family, "2026-10-0000", regie="multi-accueil")
    make_invoice(alices_family, "2026-10-0002", regie="multi-accueil")

    def meant(*numbers: str) -> str:
        assert payments.regie_of(alices_family, numbers) == payments.regie_of(
            alices_family, reversed(numbers)
        )
        return payments.regie_of(alices_family, numbers)

    assert meant("2026-10-0000", october.number) == "multi-accueil"
    assert meant("2026-10-0002", october.number) == october.regie
    assert meant("2026-10-0000", september.number) == september.regie


# --- Two tabs ---


def test_a_second_tab_is_told_since_when_the_first_is_at_the_bank(
    pay: Pay, alices_family: Family, october: Invoice
) -> None:
    pay(alices_family, october)
    with pytest.raises(Refused, match="20\u00a0h\u00a030"):
        pay(alices_family, october)


def test_after_that_time_a_silent_attempt_expires_and_another_may_start(
    pay: Pay, frozen: Clock, alices_family: Family, october: Invoice
) -> None:
    first, _ = pay(alices_family, october)
    frozen.advance(minutes=15)
    pay(alices_family, october)
    assert state_of(first) == "expired"


def test_two_live_attempts_for_one_invoice_are_refused_by_the_database_itself(
    pay: Pay, alices_family: Family, october: Invoice
) -> None:
    attempt, _ = pay(alices_family, october)
    other = Attempt.create(
        **{**attempt.__data__, "id": None, "reference": "other", "number": 1, "day": "20200101"}
        | {"gateway_reference": None}
    )
    with pytest.raises(IntegrityError), write():
        AttemptItem.create(attempt=other, invoice=october, amount_cents=4520)
    other.delete_instance()


def test_a_refused_card_frees_the_invoice_at_once(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice
) -> None:
    first, handoff = pay(alices_family, october)
    hear(handoff, **REFUSED)
    assert (state_of(first), state_of(october)) == ("refused", "open")
    pay(alices_family, october)


def test_a_pending_payment_holds_the_invoice_for_days(
    pay: Pay, hear: Hear, frozen: Clock, alices_family: Family, october: Invoice
) -> None:
    attempt, handoff = pay(alices_family, october)
    hear(handoff, trans_status="UNDER_VERIFICATION")
    frozen.advance(days=6)
    with pytest.raises(Refused, match="examine encore"):
        pay(alices_family, october)
    hear(handoff)
    assert (state_of(attempt), state_of(october)) == ("paid", "paid")


def test_a_payment_pending_for_too_long_no_longer_keeps_the_family_from_paying(
    pay: Pay, hear: Hear, frozen: Clock, alices_family: Family, october: Invoice
) -> None:
    first, handoff = pay(alices_family, october)
    hear(handoff, trans_status="UNDER_VERIFICATION")
    frozen.advance(days=8)
    _, second = pay(alices_family, october)
    assert state_of(first) == "pending"
    hear(second)
    hear(handoff)
    assert state_of(october) == "paid"
    assert Anomaly.get().kind == "overpayment"


def test_a_card_refused_then_one_the_bank_examines_holds_the_invoice_again(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice
) -> None:
    _, handoff = pay(alices_family, october)
    hear(handoff, **REFUSED, trans_uuid="a" * 32)
    hear(handoff, trans_status="AUTHORISED_TO_VALIDATE", trans_uuid="b" * 32)
    with pytest.raises(Refused, match="examine encore"):
        pay(alices_family, october)


def test_what_another_attempt_holds_is_not_taken_back_from_it(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice
) -> None:
    first, handoff = pay(alices_family, october)
    hear(handoff, **REFUSED, trans_uuid="a" * 32)
    second, _ = pay(alices_family, october)
    hear(handoff, trans_status="AUTHORISED_TO_VALIDATE", trans_uuid="b" * 32)
    assert payments.live_attempts([october]) == {october.id: second}
    assert state_of(first) == "pending"


# --- What the bank is told ---


def test_a_bank_is_given_the_address_that_it_asks_for_and_no_other(
    bank: TalkativeBank, october: Invoice, september: Invoice
) -> None:
    given: list[Order] = []
    form = bank.start
    bank.start = lambda order: given.append(order) or form(order)  # type: ignore[method-assign, func-returns-value]
    for invoice, wanted in ((october, True), (september, False)):
        bank.limits = replace(bank.limits, requires_email=wanted)
        purchase = Purchase(invoice.family, [invoice.number], invoice.total_cents, "a@example.org")
        attempt, _ = payments.start(purchase, bank, PUBLIC_URL)
        assert Attempt.get_by_id(attempt.id).receipt_email == "a@example.org"
    assert [order.email for order in given] == ["a@example.org", None]


def test_a_payment_is_to_the_regie_of_its_invoices(pay: Pay, alices_family: Family) -> None:
    care = make_invoice(alices_family, "B1", regie="multi-accueil")
    assert pay(alices_family, care)[0].regie == "multi-accueil"


def test_a_payment_that_could_not_be_asked_for_keeps_no_place_at_the_bank() -> None:
    def fails() -> Future[Handoff]:
        raise RuntimeError("can't start new thread")

    for _ in range(checkout.STARTS_AT_ONCE + 1):
        with pytest.raises(RuntimeError):
            checkout.hand_over("banque sans fil", fails)


def test_the_bank_is_asked_about_a_familys_own_payments_of_these_invoices_alone(
    bank: TalkativeBank,
    go: Pay,
    frozen: Clock,
    october: Invoice,
    september: Invoice,
    charlies_family: Family,
) -> None:
    theirs = make_invoice(charlies_family, "C-1")
    hers, *_others = [go(invoice)[0] for invoice in (october, september, theirs)]
    frozen.advance(minutes=1)
    numbers = [october.number, theirs.number]
    payments.ask_about_holders(october.family, numbers, {"banque": bank}, PUBLIC_URL, ISSUERS)
    assert [order.reference for order in bank.asked] == [hers.reference]


def test_the_numbers_given_to_the_bank_never_repeat_in_a_day(
    pay: Pay, alices_family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    draws = iter([7, 7, 7, 8])
    monkeypatch.setattr("kiosque.payments.checkout.secrets.randbelow", lambda _: next(draws))
    first, _ = pay(alices_family, make_invoice(alices_family, "A"))
    second, _ = pay(alices_family, make_invoice(alices_family, "B"))
    assert (first.number, second.number) == (7, 8)


def test_the_numbers_of_the_banks_own_back_office_are_left_to_it(
    pay: Pay, alices_family: Family, october: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kiosque.payments.checkout.secrets.randbelow", lambda bound: bound - 1)
    assert pay(alices_family, october)[0].number == 899_999


def test_the_bank_reads_invoice_numbers_and_nothing_of_the_services_or_children(
    pay: Pay, alices_family: Family, october: Invoice, september: Invoice
) -> None:
    _, handoff = pay(alices_family, october, september, email="a+b@example.org")
    fields = dict(handoff.fields or ())
    assert fields["vads_order_info"] == "Factures 2026-09-0001, 2026-10-0001"
    sent = " ".join(fields.values())
    assert not [word for word in ("Léa", "Restauration", "Martin", "F1001", "@") if word in sent]


def test_one_invoice_is_named_while_the_bank_can_show_its_number(
    pay: Pay, alices_family: Family
) -> None:
    _, handoff = pay(alices_family, make_invoice(alices_family, "9" * 247))
    assert dict(handoff.fields or ())["vads_order_info"] == "Facture " + "9" * 247


def test_a_long_list_of_invoices_is_counted_rather_than_cut(
    pay: Pay, alices_family: Family
) -> None:
    invoices = [make_invoice(alices_family, f"FACTURE-{i:022d}") for i in range(12)]
    _, handoff = pay(alices_family, *invoices)
    assert dict(handoff.fields or ())["vads_order_info"] == "12 factures"


def test_an_attempt_remembers_the_amounts_it_was_opened_with(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice
) -> None:
    """Should an invoice's total change after all, the money pays what it can."""
    _, handoff = pay(alices_family, october)
    change_total(october, 4600)
    hear(handoff)
    assert state_of(october) == "open"
    assert Invoice.get().remaining_cents == 80


def test_attempts_older_than_their_time_no_longer_hold_their_invoices(
    pay: Pay, frozen: Clock, alices_family: Family, october: Invoice
) -> None:
    attempt, _ = pay(alices_family, october)
    assert payments.live_attempts([october]) == {october.id: attempt}
    frozen.at = attempt.live_until
    assert payments.live_attempts([october]) == {}


def test_an_address_is_kept_thirty_days_to_the_second(
    bank: TalkativeBank, frozen: Clock, october: Invoice
) -> None:
    purchase = Purchase(october.family, [october.number], 4520, "alice@example.org")
    attempt, handoff = payments.start(purchase, bank, PUBLIC_URL)
    payments.record("banque", bank.report(handoff, **ABANDONED), ISSUERS)
    frozen.advance(days=30)
    payments.forget_old_addresses()
    assert Attempt.get_by_id(attempt.id).receipt_email == "alice@example.org"
    frozen.advance(seconds=1)
    payments.forget_old_addresses()
    assert Attempt.get_by_id(attempt.id).receipt_email is None
    polling.stop_asking(attempt)


def test_all_that_lapsed_is_closed_before_another_payment_is_opened(
    pay: Pay, frozen: Clock, october: Invoice, september: Invoice
) -> None:
    unopened, silent = (pay(each.family, each)[0] for each in (october, september))
    Attempt.update(state="created").where(Attempt.id == unopened.id).execute()
    frozen.at = silent.live_until
    pay(october.family, october, september)
    assert (state_of(unopened), state_of(silent)) == ("cancelled", "expired")
    assert not Fact.select().where(Fact.transaction_id != "").exists()
