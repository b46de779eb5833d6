"""Share between tests of deposits: services with imputations, and deposits made final."""

from collections.abc import Callable

import pytest

from kiosque import deposits
from kiosque.db.models import Deposit, Family, Invoice, InvoiceLine, Service
from kiosque.deposits import DepositDraft, Imputed
from kiosque.papers.deposits import bordereau
from kiosque.payments import journal, verification
from kiosque.settings import Settings
from tests.conftest import make_invoice
from tests.kiosque.payments.conftest import (  # noqa: F401
    at_counter,
    bank,
    gateways,
    go,
    hear,
    sound_books,
)

MEALS, CARE = Imputed("70632", "281"), Imputed("7066", "331", "A2")
CAPTURED = {"trans_status": "CAPTURED"}
Final = Callable[[], Deposit]


def services_of(invoice: Invoice, **cents: int) -> Invoice:
    """Give an invoice these services in place of its own."""
    InvoiceLine.delete().where(InvoiceLine.invoice == invoice).execute()
    for name, amount in cents.items():
        service, _new = Service.get_or_create(name=name)
        InvoiceLine.create(invoice=invoice, child="Léa", service=service, label=name,
                           quantity_hundredths=100, unit_price_cents=amount,
                           amount_cents=amount)  # fmt: skip
    return invoice


@pytest.fixture
def two_services(alices_family: Family) -> Invoice:
    """An invoice of 30,00 for meals and 15,20 for care."""
    return services_of(make_invoice(alices_family, "2026-11-0009", 4520), Repas=3000, Accueil=1520)


@pytest.fixture
def imputed(two_services: Invoice) -> None:
    """Both services have their imputation."""
    deposits.set_imputation("", "Repas", MEALS, "Dominique")
    deposits.set_imputation("", "Accueil", CARE, "Dominique")


def now(regie: str = "") -> DepositDraft:
    """Return what is to be paid over up to now."""
    return deposits.draft(regie, journal.last()[0])


def make_final(settings: Settings, regie: str = "", author: str = "Dominique") -> Deposit:
    """Make the draft of now final; the books hold together."""
    found = now(regie)
    made = deposits.finalize(settings, regie, found.up_to, author, found.fingerprint, bordereau)
    assert verification.faults() == []
    return made


@pytest.fixture
def final(settings: Settings) -> Final:
    return lambda: make_final(settings)
