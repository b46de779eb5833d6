"""A payment says what its money is for, as its family and the régisseur read it."""

from kiosque import payments
from kiosque.db.models import Family, Invoice, Settlement
from kiosque.db.states import AllocationKind
from kiosque.payments import Money, accounting_rules, journal
from tests.conftest import make_invoice
from tests.kiosque.payments.conftest import CREDIT, Hear, Pay, at_counter, gave_back


def balances(returned: int, **parts: int) -> dict[str, int]:
    """Return what 100,00 at the bank is for, once so much of it was given back."""
    given = {kind: parts.get(kind, 0) for kind in AllocationKind}
    return accounting_rules.balances_for("bank:banque", 10000 - returned, given, returned)


def test_what_is_given_back_is_taken_from_what_came_twice_then_from_what_nobody_awaited() -> None:
    parts = {"invoice": 5000, "overpayment": 3000, "unmatched": 2000}
    for returned, left in ((0, (3000, 2000, 0)), (1000, (2000, 2000, 0)), (3500, (0, 1500, 0)),
                           (5000, (0, 0, 0)), (7000, (0, 0, 2000))):  # fmt: skip
        twice, unawaited, refunded = left
        assert balances(returned, **parts) == {
            "bank:banque": 10000 - returned,
            "invoices": -5000,
            "overpayments": -twice,
            "unmatched": -unawaited,
            "refunds": refunded,
        }


def test_a_payment_that_brought_nothing_has_no_money(go: Pay, october: Invoice) -> None:
    attempt, _ = go(october)
    assert payments.money_of(attempt) == Money(0, 0, 0)
    assert not accounting_rules.may_be_undone(attempt)


def test_what_came_twice_is_owed_to_its_family_alone(
    go: Pay, hear: Hear, october: Invoice, september: Invoice, charlies_family: Family
) -> None:
    attempt, handoff = go(october, september)
    at_counter(october)
    at_counter(september)
    hear(handoff)
    paid = Settlement.get(Settlement.attempt == attempt)
    assert payments.money_of(attempt) == Money(8745, 0, 0)
    assert (payments.overpaid_cents(paid), accounting_rules.owed_cents(paid)) == (8745, 8745)
    assert payments.overpaid_to(october.family) == 8745
    assert payments.overpaid_to(october.family, {""}) == 8745
    assert payments.overpaid_to(october.family, {"creche"}) == 0
    assert payments.overpaid_to(charlies_family) == 0


def test_what_came_twice_in_several_payments_is_added_up(
    go: Pay, hear: Hear, october: Invoice, september: Invoice
) -> None:
    for invoice in (october, september):
        _, handoff = go(invoice)
        at_counter(invoice)
        hear(handoff)
    assert payments.overpaid_to(october.family) == 8745
    assert sorted(payments.overpaid_cents(each) for each in Settlement.select()) == [
        0,
        0,
        4225,
        4520,
    ]


def test_money_that_nobody_awaited_is_owed_and_did_not_come_twice(
    go: Pay, hear: Hear, october: Invoice
) -> None:
    attempt, handoff = go(october)
    hear(handoff, amount="100", effective_amount="100")
    kept = Settlement.get()
    assert payments.money_of(attempt) == Money(0, 100, 0)
    assert (payments.overpaid_cents(kept), accounting_rules.owed_cents(kept)) == (0, 100)


def test_a_part_given_back_of_a_paid_invoice_is_a_refund(
    go: Pay, hear: Hear, october: Invoice
) -> None:
    attempt, handoff = go(october)
    hear(handoff)
    assert payments.money_of(attempt) == Money(0, 0, 0)
    hear(handoff, **gave_back(1000))
    assert payments.money_of(attempt) == Money(0, 0, 1000)
    assert payments.overpaid_to(october.family) == 0


def test_a_debit_may_be_undone_until_it_is_final_or_gone(
    go: Pay, hear: Hear, october: Invoice
) -> None:
    attempt, handoff = go(october)
    hear(handoff)
    assert accounting_rules.may_be_undone(attempt)
    hear(handoff, **CREDIT)
    assert not accounting_rules.may_be_undone(attempt)


def test_a_debit_that_is_final_may_no_longer_be_undone(
    go: Pay, hear: Hear, october: Invoice
) -> None:
    attempt, handoff = go(october)
    hear(handoff, trans_status="CAPTURED")
    assert not accounting_rules.may_be_undone(attempt)


def test_two_debits_of_one_payment_that_came_twice_are_each_counted_once(
    go: Pay, hear: Hear, october: Invoice
) -> None:
    _, handoff = go(october)
    at_counter(october)
    hear(handoff)
    hear(handoff, trans_uuid="e" * 32)
    assert payments.overpaid_to(october.family) == 9040


def test_what_was_paid_at_the_counter_is_counted_beside_what_was_paid_at_the_bank(
    go: Pay, hear: Hear, october: Invoice, september: Invoice
) -> None:
    at_counter(october, amount_cents=2000)
    payments.cancel_invoice(october.number, "Dominique", "jamais venue")
    attempt, handoff = go(september)
    assert Settlement.get().id == attempt.id  # of two tables: not to be taken for each other
    at_counter(september)
    hear(handoff)
    assert payments.overpaid_to(october.family) == 2000 + 4225


def test_each_regie_has_its_books_and_a_credit_note_is_no_money(october: Invoice) -> None:
    creche = make_invoice(october.family, "2026-11-0011", 700, regie="creche")
    note = make_invoice(october.family, "AV-1", -1200, state="nothing_due")
    at_counter(creche)
    payments.apply_credit(note.number, october.number, 1000, "Dominique", "accord")
    assert journal.balances() == {
        "counter:cash/creche": 700,
        "invoices/creche": -700,
        "credits": 1000,
        "invoices": -1000,
    }
