"""A message of a bank reads only what is of its own bank, payment or debit."""

from dataclasses import replace

import pytest

from kiosque import payments
from kiosque.db import write
from kiosque.db.models import Attempt, Invoice, Receipt, Settlement
from kiosque.payments import Issuers, queries
from kiosque.payments.receipts import issue_receipt, receipt_of, receipts_named
from kiosque.settings import OtherRegie, Regie, Settings
from tests.conftest import REGIE, Clock
from tests.kiosque.payments.conftest import Hear, Pay, at_counter, gave_back

CRECHE = Regie("Régie Crèche", "A. Roy", "creche@example.org")


def pay_both(go: Pay, hear: Hear, october: Invoice, september: Invoice) -> None:
    """Pay an invoice of each of two *régies*."""
    Invoice.update(regie="creche").where(Invoice.id == september.id).execute()
    for invoice, uuid in ((october, "a"), (Invoice.get_by_id(september.id), "b")):
        hear(go(invoice)[1], trans_uuid=uuid * 32)


@pytest.fixture
def attempts(go: Pay, hear: Hear, october: Invoice, september: Invoice) -> list[Attempt]:
    """A payment by the bank of the tests, then one by another bank that names its own alike: both
    made, and 5 € of each given back."""
    found = []
    for invoice, uuid in ((october, "a"), (september, "b")):
        attempt, handoff = go(invoice)
        hear(handoff, trans_uuid=uuid * 32)
        hear(handoff, **gave_back(500, "e" if uuid == "a" else "f"))
        found.append(attempt)
    for model in (Attempt, Settlement):
        model.update(gateway="autre").where(model.id == 2).execute()
    return [Attempt.get_by_id(each.id) for each in found]


def test_an_attempt_is_found_by_either_name_at_its_own_bank_alone(attempts: list[Attempt]) -> None:
    for attempt, other in zip(attempts, reversed(attempts), strict=True):
        ours, theirs = attempt.reference, attempt.gateway_reference or ""
        for gateway, found in ((attempt.gateway, attempt), (other.gateway, None)):
            assert queries.attempt_by_reference(gateway, ours) == found
            assert queries.attempt_by_gateway_reference(gateway, theirs) == found
        assert queries.attempt_by_id(attempt.id).reference == ours


def test_what_is_of_an_attempt_is_of_it_alone(
    attempts: list[Attempt], october: Invoice, september: Invoice
) -> None:
    for attempt, invoice, name in zip(attempts, (october, september), "ab", strict=True):
        assert [item.invoice for item in queries.items_of(attempt)] == [invoice]
        assert queries.numbers_of(attempt) == [invoice.number]
        assert {fact.attempt_id for fact in queries.facts_of(attempt)} == {attempt.id}
        (debit,) = queries.settlements_of(attempt.id)
        assert debit.transaction_id == name * 32
        assert {part.settlement_id for part in queries.parts_of(debit)} == {debit.id}
        assert all(part.counts for part in queries.parts_of(debit))


def test_the_invoices_of_an_attempt_are_in_the_order_chosen_and_their_numbers_sorted(
    go: Pay, hear: Hear, october: Invoice, september: Invoice
) -> None:
    attempt, handoff = go(october, september)
    assert queries.numbers_of(attempt) == sorted([october.number, september.number])
    ids = [item.id for item in queries.items_of(attempt)]
    assert ids == sorted(ids)
    at_counter(october)
    hear(handoff)
    assert queries.invoices_paid_by(attempt) == [september], "the rest is money too much"


def test_money_is_found_by_the_name_that_its_own_bank_gives_it(attempts: list[Attempt]) -> None:
    debit = queries.settlement_of("banque", "a" * 32)
    assert debit is not None
    assert debit.attempt == attempts[0]
    given_back = queries.repayment_of("banque", "e" * 32)
    assert given_back is not None
    assert given_back.settlement == debit
    for gateway, name in (("autre", "a"), ("banque", "b"), ("banque", "9")):
        assert queries.settlement_of(gateway, name * 32) is None
    for gateway, name in (("autre", "e"), ("banque", "a"), ("banque", "9")):
        assert queries.repayment_of(gateway, name * 32) is None


def test_a_gateway_is_of_the_regie_whose_it_is_or_last_was(
    attempts: list[Attempt], settings: Settings
) -> None:
    Attempt.update(regie="creche").where(Attempt.id == attempts[1].id).execute()
    issuers = Issuers("Sautron", {"": REGIE, "creche": CRECHE}, {"banque": "", "neuve": "creche"})
    for name, key in (("banque", ""), ("neuve", "creche"), ("autre", "creche"), ("inconnue", "")):
        assert issuers.regie_of_gateway(name) == key
    Attempt.update(regie="creche", day="20261125").where(Attempt.id == attempts[0].id).execute()
    Attempt.update(regie="").where(Attempt.id == attempts[1].id).execute()
    Attempt.update(gateway="banque").execute()
    assert Issuers("Sautron", {"": REGIE}, {}).regie_of_gateway("banque") == "creche"
    assert (issuers.regie_named("creche"), issuers.regie_named("fermée")) == (CRECHE, REGIE)
    other = OtherRegie("Crèche", "A. Roy", "creche@example.org", ("Accueil",), "neuve")
    told = Issuers.from_settings(replace(settings, regies={"creche": other}))
    assert told.town_name == settings.town.name
    assert told.regies == {"": settings.regie, "creche": other}
    assert told.regie_by_gateway == {settings.payment.gateway: "", "neuve": "creche"}


def test_each_regie_numbers_its_own_receipts_after_those_that_were_skipped(
    go: Pay, hear: Hear, october: Invoice, september: Invoice, settings: Settings, frozen: Clock
) -> None:
    assert queries.last_receipt_number("") == 0
    pay_both(go, hear, october, september)
    assert [queries.last_receipt_number(name) for name in ("", "creche", "port")] == [1, 1, 0]
    with write():
        payments.note_restoration(settings, frozen.at, {"creche": 40_500})
    assert [queries.last_receipt_number(name) for name in ("", "creche", "port")] == [
        2000,
        41_000,
        0,
    ]


@pytest.mark.parametrize(
    ("name", "sequence"),
    [
        ("R1", ""), (" r000001\n", ""), ("R1-creche", "creche"), ("r01-CRECHE", "creche"),
        ("R2", None), ("R0", None), ("R", None), ("1", None), ("R1-", None), ("XR1", None),
        ("R1 R1", None), ("R0000000001", None), ("R1-crèche", None), ("R1-port", None), ("", None),
    ],
)  # fmt: skip
def test_a_receipt_is_found_by_its_title(
    go: Pay, hear: Hear, october: Invoice, september: Invoice, name: str, sequence: str | None
) -> None:
    pay_both(go, hear, october, september)
    found = [receipt.sequence for receipt in receipts_named(name)]
    assert found == ([] if sequence is None else [sequence])


def test_a_payment_at_the_counter_has_no_receipt_of_the_site(
    go: Pay, hear: Hear, october: Invoice, september: Invoice
) -> None:
    hear(go(october)[1])
    at_counter(september)
    online, cash = Settlement.select().order_by(Settlement.id)
    assert receipt_of(online) == payments.find_settlement("R1").receipts.get()
    assert receipt_of(cash) is None


def test_a_receipt_bears_the_names_of_its_regie_and_is_numbered_in_a_write(
    october: Invoice, frozen: Clock
) -> None:
    at_counter(october)
    Settlement.update(regie="creche").execute()
    issuers = Issuers("Sautron", {"": REGIE, "creche": CRECHE}, {})
    with pytest.raises(RuntimeError):
        issue_receipt(Settlement.get(), issuers)
    with write():
        issued = issue_receipt(Settlement.get(), issuers)
    kept = Receipt.get()
    assert issued.title == kept.title
    assert (kept.sequence, kept.number, kept.issued_at) == ("creche", 1, frozen.at)
    assert kept.settlement == Settlement.get()
    names = ("Sautron", CRECHE.name, CRECHE.regisseur)
    assert (kept.town_name, kept.regie_name, kept.regisseur) == names
