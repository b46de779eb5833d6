"""Share between tests of payments: a bank that can be asked, its notices, books that are sound."""

from collections.abc import Callable, Iterator

import pytest

from gateways.base import (
    Gateway,
    Handoff,
)
from kiosque import payments, resources
from kiosque.db.models import (
    Allocation,
    Anomaly,
    Attempt,
    Fact,
    Family,
    Invoice,
    InvoiceLine,
    JournalEntry,
    OutboxMail,
    Receipt,
    Service,
    Settlement,
)
from kiosque.payments import (
    CounterPayment,
    Purchase,
    journal,
    verification,
)
from tests.conftest import ISSUERS, NOW, PUBLIC_URL, make_invoice
from tests.talkative import TalkativeBank

CREDIT = {"operation_type": "CREDIT", "trans_id": "912345", "trans_uuid": "c" * 32}
Pay = Callable[..., tuple[Attempt, Handoff]]
Hear = Callable[..., str]


def advised_lines(point: Anomaly) -> list[str]:
    """Return what `todo` says to do about an entry: a sentence, then commands as they are typed."""
    sentence, steps = payments.advice(point)
    return [sentence, *(resources.typed(step.command) for step in steps)]


@pytest.fixture
def bank(gateway: Gateway) -> TalkativeBank:
    """The gateway of the tests, that can be asked too."""
    return TalkativeBank(gateway)


@pytest.fixture
def gateways(bank: TalkativeBank) -> dict[str, Gateway]:
    return {"banque": bank}


@pytest.fixture
def go(bank: TalkativeBank, empty_database: None) -> Pay:
    """Send the family of these invoices to the bank that can be asked."""

    def start(*invoices: Invoice) -> tuple[Attempt, Handoff]:
        numbers = [invoice.number for invoice in invoices]
        total = sum(invoice.remaining_cents for invoice in invoices)
        purchase = Purchase(invoices[0].family, numbers, total)
        attempt, handoff = payments.start(purchase, bank, PUBLIC_URL)
        return Attempt.get_by_id(attempt.id), handoff

    return start


@pytest.fixture
def hear(bank: TalkativeBank) -> Hear:
    """The bank's notice arrives, verified by its gateway."""
    return lambda handoff, **changes: payments.record(
        bank.name, bank.report(handoff, **changes), ISSUERS
    )


@pytest.fixture
def two_services(alices_family: Family) -> Invoice:
    """An invoice of 30,00 for meals and 15,20 for care."""
    invoice = make_invoice(alices_family, "2026-11-0009", 4520)
    InvoiceLine.delete().where(InvoiceLine.invoice == invoice).execute()
    for name, cents in (("Repas", 3000), ("Accueil", 1520)):
        service = Service.create(name=name)
        InvoiceLine.create(invoice=invoice, child="Léa", service=service, label=name,
                           quantity_hundredths=100, unit_price_cents=cents,
                           amount_cents=cents)  # fmt: skip
    return invoice


@pytest.fixture
def sound_books(empty_database: None) -> Iterator[None]:
    """The books hold together once the test is over."""
    yield
    check_invariants()


def check_invariants() -> None:
    """Raise AssertionError where the books do not hold together."""
    assert sum(journal.balances().values()) == 0
    for settlement in Settlement.select():
        parts = Allocation.select().where(Allocation.settlement == settlement)
        assert sum(part.amount_cents for part in parts) == settlement.amount_cents
    for invoice in Invoice.select():
        counted = Allocation.select().where(
            Allocation.invoice == invoice,
            Allocation.kind == "invoice",
            Allocation.counts == True,  # noqa: E712
        )
        cents = sum(part.amount_cents for part in counted)
        assert cents == max(invoice.paid_cents, 0)
        assert (invoice.state == "paid") == (0 < cents == invoice.total_cents)
    for sequence in {receipt.sequence for receipt in Receipt.select()}:
        found = Receipt.select().where(Receipt.sequence == sequence).order_by(Receipt.number)
        assert [receipt.number for receipt in found] == list(range(1, len(found) + 1))
    assert verification.faults() == []


def state_of(row: Invoice | Attempt) -> str:
    """The state in the database, whatever this copy of the row says."""
    return type(row).get_by_id(row.id).state


def effects() -> dict[str, int]:
    """Everything a notice may leave behind, counted; the audit excepted."""
    tables = (Fact, Settlement, Allocation, Receipt, JournalEntry, OutboxMail, Anomaly)
    return {table.__name__: table.select().count() for table in tables}


def gave_back(cents: int, uuid: str = "c") -> dict[str, str]:
    amounts = {"amount": str(cents), "effective_amount": str(cents)}
    return {**CREDIT, **amounts, "trans_uuid": uuid * 32}


def change_total(invoice: Invoice, cents: int) -> None:
    """No screen does it: should a file do it one day."""
    Invoice.update(total_cents=cents).where(Invoice.id == invoice.id).execute()
    InvoiceLine.update(amount_cents=cents).where(InvoiceLine.invoice == invoice).execute()


def at_counter(invoice: Invoice, **changes: object) -> list[int]:
    """Return the cents of the payments that it added."""
    values = {
        "invoice_number": invoice.number, "amount_cents": invoice.total_cents, "mode": "cash",
        "settled_on": NOW.date(), "author": "Dominique", "reason": "guichet",
    }  # fmt: skip
    payment = CounterPayment(**{**values, **changes})  # type: ignore[arg-type]
    return [each.cents for each in payments.settle_at_counter([payment])]
