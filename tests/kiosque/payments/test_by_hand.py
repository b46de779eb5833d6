"""A debit that a human saw at the bank: what the bank said of it, and what is kept of who did."""

from datetime import timedelta

import pytest

from kiosque import payments
from kiosque.db import write
from kiosque.db.models import Anomaly, Fact, Family, Invoice, Settlement
from kiosque.db.states import AttemptState, FactSource
from kiosque.language import formats
from kiosque.payments import BankPayment, Refused
from kiosque.payments.attempt_facts import add_fact
from tests.conftest import ISSUERS, NOW
from tests.kiosque.payments.conftest import Hear, Pay, at_counter, gave_back, state_of

NAME = "e" * 32
SAID = {"gateway": "banque", "name": NAME, "state": "cancelled", "source": "bank"}
#: All but the first is of another debit, or does not say that it was undone.
OTHERWISE = [{}, {"gateway": "autre"}, {"name": "f" * 32}, {"state": "paid"}]


def seen(gateway: str = "banque", **changes: object) -> BankPayment:
    values = {"gateway": gateway, "transaction_id": NAME, "amount_cents": 4520,
              "paid_on": NOW.date(), "author": "Dominique", "reason": "vu"}  # fmt: skip
    return BankPayment(**{**values, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize("changes", [*OTHERWISE, {"source": "regisseur"}], ids=str)
def test_a_debit_was_undone_where_its_bank_said_so_of_its_attempt(
    go: Pay, october: Invoice, changes: dict[str, str]
) -> None:
    attempt, _ = go(october)
    said = {**SAID, **changes}
    with write():
        add_fact(
            attempt, said["name"], AttemptState(said["state"]), source=FactSource(said["source"])
        )
    gateway = said["gateway"]
    assert payments.was_said_undone(seen(gateway)) == (not changes)


@pytest.mark.parametrize("changes", OTHERWISE, ids=str)
def test_a_debit_was_undone_where_its_bank_said_so_of_no_order_of_ours(
    empty_database: None, changes: dict[str, str]
) -> None:
    said = {**SAID, **changes}
    Anomaly.create(
        key="x", kind="unknown_order", noted_at=NOW, amount_cents=0, detail="?",
        gateway="banque", transaction_id=said["name"], outcome=said["state"],
    )  # fmt: skip
    assert payments.was_said_undone(seen(said["gateway"])) == (not changes)


@pytest.mark.usefixtures("sound_books")
def test_what_the_bank_gave_back_of_a_debit_before_it_was_entered_has_left_of_it(
    go: Pay, hear: Hear, october: Invoice
) -> None:
    attempt, handoff = go(october)
    hear(handoff, **gave_back(1000), parent=NAME)
    payments.enter(seen(), attempt, ISSUERS)
    assert (state_of(october), Settlement.get().returned_cents) == ("paid", 1000)


@pytest.mark.usefixtures("sound_books")
def test_who_entered_a_debit_and_why_is_said_once_with_its_amount(
    go: Pay, october: Invoice
) -> None:
    attempt, _ = go(october)
    payments.enter(seen(reason="x" * 500), attempt, ISSUERS)
    (said,) = Fact.select().where(Fact.source == FactSource.REGISSEUR)
    assert (said.transaction_id, said.state, said.amount_cents) == (NAME, "paid", 4520)
    assert said.status == f"Dominique : {'x' * 500}"[:200]


@pytest.mark.usefixtures("sound_books")
def test_a_debit_of_one_cent_is_kept_and_one_at_another_bank_is_not_that_of_an_attempt(
    go: Pay, october: Invoice
) -> None:
    attempt, _ = go(october)
    with pytest.raises(Refused, match=attempt.reference):
        payments.enter(seen("autre"), attempt, ISSUERS)
    assert Settlement.select().count() == 0
    payments.enter(seen(amount_cents=1), october.family, ISSUERS)
    (point,) = payments.open_anomalies()
    assert (point.amount_cents, point.transaction_id, point.kind) == (1, NAME, "mismatch")


@pytest.mark.usefixtures("sound_books")
def test_a_debit_of_more_than_is_left_of_an_invoice_is_not_entered_for_it(
    october: Invoice,
) -> None:
    shown = Invoice.get_by_id(october.id)
    at_counter(october, amount_cents=4000)
    with pytest.raises(Refused, match=r"en reste.*5,20"):
        payments.enter(seen(amount_cents=521), shown, ISSUERS)
    payments.enter(seen(amount_cents=520), shown, ISSUERS)
    assert state_of(october) == "paid"


@pytest.mark.usefixtures("sound_books")
def test_a_debit_for_an_invoice_paid_since_is_of_its_amount_at_most(october: Invoice) -> None:
    at_counter(october)
    invoice = Invoice.get_by_id(october.id)
    with pytest.raises(Refused, match=r"montant.*45,20"):
        payments.enter(seen(amount_cents=4521), invoice, ISSUERS)
    payments.enter(seen(), invoice, ISSUERS)
    assert [point.kind for point in payments.open_anomalies()] == ["overpayment"]


@pytest.mark.usefixtures("sound_books")
def test_a_debit_made_before_its_invoice_was_is_not_entered_for_it(october: Invoice) -> None:
    made = NOW.date() - timedelta(days=3)
    Invoice.update(issued_on=made).where(Invoice.id == october.id).execute()
    invoice = Invoice.get_by_id(october.id)
    with pytest.raises(Refused, match=formats.short_date(made)):
        payments.enter(seen(paid_on=made - timedelta(days=1)), invoice, ISSUERS)
    payments.enter(seen(paid_on=made), invoice, ISSUERS)
    assert state_of(october) == "paid"


def test_who_enters_a_debit_for_an_invoice_at_the_bank_is_told_until_when(
    go: Pay, october: Invoice
) -> None:
    attempt, _ = go(october)
    with pytest.raises(Refused, match=formats.long_instant(attempt.live_until)):
        payments.enter(seen(), october, ISSUERS)


@pytest.mark.parametrize("known", [True, False])
def test_a_debit_without_a_use_is_said_to_be_of_an_unknown_family_where_it_is(
    alices_family: Family, known: bool
) -> None:
    payments.enter(seen(), alices_family if known else None, ISSUERS)
    (point,) = payments.open_anomalies()
    assert point.detail.endswith("inconnue" if not known else "sans emploi")
