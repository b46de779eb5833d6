"""Money that leaves again, or comes back: nothing moves beside the invoice that was named unless it
is asked for."""

from collections.abc import Callable

import pytest

from gateways.base import Callback, Gateway, Handoff
from kiosque import payments
from kiosque.db.models import Attempt, Family, Invoice, Settlement
from kiosque.db.states import RepaymentKind
from tests.bank import notice
from tests.conftest import ISSUERS, make_invoice
from tests.kiosque.conftest import Run
from tests.kiosque.payments.conftest import at_counter, state_of

Pay = Callable[..., tuple[Attempt, Handoff]]
PERSON = ("--author", "Dominique Aubry", "--reason", "double saisie")
ELSEWHERE = ("refund", "--elsewhere")


@pytest.fixture
def paid(gateway: Gateway, pay: Pay) -> Callable[..., Settlement]:
    """One debit pays these invoices, all of one family."""

    def made(*invoices: Invoice) -> Settlement:
        _, handoff = pay(invoices[0].family, *invoices)
        said = Callback.of_form(notice(handoff, trans_status="CAPTURED").items())
        payments.record("banque", gateway.read_notification(said), ISSUERS)
        return payments.find_settlement(invoices[0].number)

    return made


@pytest.mark.parametrize("command", [ELSEWHERE, ("chargeback",)], ids=lambda each: each[0])
def test_what_was_paid_with_other_invoices_leaves_whole_only_once_it_is_said(
    run: Run,
    paid: Callable[..., Settlement],
    october: Invoice,
    september: Invoice,
    command: tuple[str, ...],
) -> None:
    whole = paid(october, september).amount_cents
    refused = run(*command, october.number, *PERSON)
    assert refused.exit_code == 1
    for invoice in (october, september):
        assert f"facture {invoice.number} : {invoice.total_cents // 100}," in refused.output
        assert state_of(invoice) == "paid"
    assert Settlement.get().remaining_cents == whole
    done = run(*command, october.number, *PERSON, "--yes")
    assert done.exit_code == 0, done.output
    assert september.number in done.output
    assert (state_of(october), state_of(september)) == ("open", "open")


@pytest.mark.parametrize("command", [ELSEWHERE, ("chargeback",)], ids=lambda each: each[0])
def test_an_amount_or_a_receipt_says_enough(
    run: Run,
    paid: Callable[..., Settlement],
    october: Invoice,
    september: Invoice,
    command: tuple[str, ...],
) -> None:
    paid(october, september)
    part = run(*command, october.number, "--amount", "45,20", *PERSON)
    assert part.exit_code == 0, part.output
    assert (state_of(october), state_of(september)) == ("paid", "paid")
    rest = run(*command, "R000001", *PERSON)
    assert rest.exit_code == 0, rest.output
    assert (state_of(october), state_of(september)) == ("open", "open")


def test_what_has_left_in_part_is_said_before_the_rest_leaves(
    run: Run, paid: Callable[..., Settlement], october: Invoice
) -> None:
    paid(october)
    assert run(*ELSEWHERE, october.number, "--amount", "10", *PERSON).exit_code == 0
    refused = run(*ELSEWHERE, october.number, *PERSON)
    assert refused.exit_code == 1
    for known in ("45,20\u00a0€", "10,00\u00a0€", "35,20\u00a0€"):
        assert known in refused.output
    assert run(*ELSEWHERE, october.number, *PERSON, "--yes").exit_code == 0
    assert state_of(october) == "open"


def test_one_invoice_paid_by_itself_is_given_back_without_a_question(
    run: Run, paid: Callable[..., Settlement], october: Invoice
) -> None:
    paid(october)
    assert run(*ELSEWHERE, october.number, *PERSON).exit_code == 0
    assert state_of(october) == "open"


def test_what_comes_back_pays_other_invoices_only_once_it_is_said(
    run: Run, paid: Callable[..., Settlement], october: Invoice, september: Invoice
) -> None:
    paid(october, september)
    assert run("chargeback", "R000001", *PERSON).exit_code == 0
    refused = run("restore-payment", october.number, *PERSON)
    assert refused.exit_code == 1
    assert september.number in refused.output
    assert (state_of(october), state_of(september)) == ("open", "open")
    assert run("restore-payment", october.number, *PERSON, "--yes").exit_code == 0
    assert (state_of(october), state_of(september)) == ("paid", "paid")


def test_a_cheque_that_passed_after_all_is_found_by_its_invoice(run: Run, october: Invoice) -> None:
    at_counter(october, mode="cheque", reason="chèque 1")
    assert run("chargeback", october.number, *PERSON).exit_code == 0
    assert state_of(october) == "open"
    done = run("restore-payment", october.number, *PERSON)
    assert done.exit_code == 0, done.output
    assert state_of(october) == "paid"
    assert run("verify").exit_code == 0


def test_of_two_cheques_that_bounced_the_one_to_restore_is_named(
    run: Run, october: Invoice
) -> None:
    for number in (1, 2):
        at_counter(october, mode="cheque", reason=f"chèque {number}")
        assert run("chargeback", october.number, *PERSON).exit_code == 0
    refused = run("restore-payment", october.number, *PERSON)
    assert refused.exit_code == 1
    for cheque, settlement in enumerate(Settlement.select().order_by(Settlement.id), start=1):
        assert f"encaissement-{settlement.id}" in refused.output
        assert f"chèque {cheque}" in refused.output
    first = Settlement.select().order_by(Settlement.id).first()
    done = run("restore-payment", f"encaissement-{first.id}", *PERSON)
    assert done.exit_code == 0, done.output
    assert Settlement.get_by_id(first.id).state == "counted"
    assert state_of(october) == "paid"


def test_a_cheque_restored_once_the_invoice_is_paid_otherwise_is_owed_and_can_be_given_back(
    run: Run, october: Invoice
) -> None:
    """It has neither receipt nor name at the bank: the advice must still name it."""
    at_counter(october, mode="cheque", reason="chèque 1")
    run("chargeback", october.number, *PERSON)
    at_counter(october, mode="cash")
    assert run("restore-payment", october.number, *PERSON).exit_code == 0
    cheque = Settlement.get(Settlement.mode == "cheque")
    assert f"refund encaissement-{cheque.id} --amount 45,20 --elsewhere" in run("todo").output
    done = run("refund", f"encaissement-{cheque.id}", "--amount", "45,20", "--elsewhere", *PERSON)
    assert done.exit_code == 0, done.output
    assert run("todo").output == "0 à traiter.\n"


def test_a_name_that_nothing_has_is_refused_in_one_line(run: Run, alices_family: Family) -> None:
    make_invoice(alices_family, "2026-11-0001", 4520)
    for name in ("2026-11-0001", "encaissement-99", "encaissement-x", ""):
        for command in ("refund", "chargeback", "restore-payment"):
            refused = run(command, name, *PERSON)
            assert refused.exit_code == 1
            assert refused.output.startswith("Erreur : Aucun reçu")


def test_what_left_of_a_payment_is_found_by_its_amount_where_another_pays_now(
    run: Run, paid: Callable[..., Settlement], october: Invoice
) -> None:
    at_counter(october, mode="cheque", reason="chèque 1")
    run("chargeback", october.number, *PERSON)
    online = paid(october)
    payments.record_repayment(online, RepaymentKind.REFUND, 1000, "Dominique", "absence")
    assert run("restore-payment", october.number, *PERSON).exit_code == 1
    assert run("restore-payment", october.number, "--amount", "10", *PERSON).exit_code == 0
    assert Settlement.get_by_id(online.id).returned_cents == 0
