"""A correction is a new entry, today, that cites the one it takes back; what is news cites none."""

import pytest

from kiosque import payments
from kiosque.db.models import Family, Invoice, JournalEntry, Settlement
from kiosque.db.states import RepaymentKind
from kiosque.payments import journal
from tests.conftest import ISSUERS, make_invoice
from tests.kiosque.payments.conftest import Hear, Pay, at_counter, gave_back

pytestmark = pytest.mark.usefixtures("sound_books")
WHO = ("Dominique", "vu au back office")
Entry = tuple[int, str, str, int, int | None]


def entries(after: int = 0) -> list[Entry]:
    """Return the entries of the journal: number, debit, credit, cents, the one that it corrects."""
    columns = (
        JournalEntry.number,
        JournalEntry.debit,
        JournalEntry.credit,
        JournalEntry.amount_cents,
        JournalEntry.corrects,
    )
    found = JournalEntry.select(*columns).where(JournalEntry.number > after)
    return [tuple(row) for row in found.order_by(JournalEntry.number).tuples()]


def leaves(settlement: Settlement, kind: RepaymentKind, cents: int | None, reason: str) -> None:
    payments.record_repayment(settlement, kind, cents, "Dominique", reason)


@pytest.fixture
def cheque(october: Invoice) -> Settlement:
    """Alice pays October by cheque: entry 1."""
    at_counter(october, mode="cheque")
    return Settlement.get()


@pytest.fixture
def twice(october: Invoice) -> Settlement:
    """Make money come a second time for October: entries 1 and 2."""
    at_counter(october)
    at_counter(october, reason="encore", is_extra=True)
    return Settlement.get(Settlement.reason == "encore")


def test_an_unpaid_cheque_cites_its_encaissement_and_a_chargeback_won_the_unpaid_cheque(
    cheque: Settlement,
) -> None:
    leaves(cheque, RepaymentKind.CHARGEBACK, None, "rejet")
    payments.restore(cheque, None, "Dominique", "représenté")
    leaves(cheque, RepaymentKind.CHARGEBACK, None, "rejet encore")
    assert entries() == [
        (1, "counter:cheque", "invoices", 4520, None),
        (2, "invoices", "counter:cheque", 4520, 1),
        (3, "counter:cheque", "invoices", 4520, 2),
        (4, "invoices", "counter:cheque", 4520, 3),
    ]


def test_a_debit_that_the_bank_undid_cites_its_encaissement(
    go: Pay, hear: Hear, october: Invoice
) -> None:
    _, handoff = go(october)
    hear(handoff)
    hear(handoff, trans_status="CAPTURE_FAILED")
    assert entries() == [
        (1, "bank:banque", "invoices", 4520, None),
        (2, "invoices", "bank:banque", 4520, 1),
    ]


def test_money_given_back_is_news_and_a_refund_in_vain_cites_it(
    go: Pay, hear: Hear, october: Invoice
) -> None:
    _, handoff = go(october)
    hear(handoff)
    settlement = Settlement.get()
    for cents, reason in ((1000, "absence"), (700, "sortie")):
        leaves(settlement, RepaymentKind.REFUND, cents, reason)
    payments.restore(settlement, 1000, *WHO)
    hear(handoff, **gave_back(3820))
    payments.restore(settlement, 3820, "Dominique", "virement rejeté")
    assert entries(after=1) == [
        (2, "refunds", "bank:banque", 1000, None),
        (3, "refunds", "bank:banque", 700, None),
        (4, "bank:banque", "refunds", 1000, 2),
        (5, "invoices", "bank:banque", 3820, None),
        (6, "invoices", "refunds", 700, None),
        (7, "bank:banque", "invoices", 3820, 5),
        (8, "refunds", "invoices", 700, 6),
    ]


def test_a_credit_note_taken_off_cites_what_it_paid(
    october: Invoice, alices_family: Family
) -> None:
    note = make_invoice(alices_family, "AV-1", -1200, state="nothing_due")
    payments.apply_credit(note.number, october.number, None, *WHO)
    payments.unapply_credit(note.number, october.number, *WHO)
    assert entries() == [
        (1, "credits", "invoices", 1200, None),
        (2, "invoices", "credits", 1200, 1),
    ]


def test_a_trop_percu_taken_back_cites_what_paid_that_very_invoice(
    twice: Settlement, october: Invoice
) -> None:
    bills = [make_invoice(october.family, f"2026-{month}-0001", 1000) for month in (11, 12)]
    for bill in bills:
        payments.apply_overpayment(twice, bill.number, *WHO, ISSUERS)
    payments.withdraw_overpayment(twice, bills[0].number, *WHO)
    assert entries(after=2) == [
        (3, "overpayments", "invoices", 1000, None),
        (4, "overpayments", "invoices", 1000, None),
        (5, "invoices", "overpayments", 1000, 3),
    ]
    payments.apply_overpayment(twice, bills[0].number, *WHO, ISSUERS)
    assert entries(after=5) == [(6, "overpayments", "invoices", 1000, None)]


def test_money_that_leaves_after_another_use_cites_each_entry_for_what_it_takes_back(
    twice: Settlement, september: Invoice
) -> None:
    payments.apply_overpayment(twice, september.number, *WHO, ISSUERS, 1000)
    leaves(twice, RepaymentKind.CHARGEBACK, None, "rejet")
    assert entries(after=1) == [
        (2, "counter:cash", "overpayments", 4520, None),
        (3, "overpayments", "invoices", 1000, None),
        (4, "invoices", "counter:cash", 1000, 2),
        (5, "overpayments", "counter:cash", 3520, 2),
    ]


def test_what_an_older_version_took_back_without_saying_so_is_not_in_the_way(
    cheque: Settlement, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as before:
        before.setattr(journal, "take_back", lambda _known, _debit, _credit, cents: (None, cents))
        leaves(cheque, RepaymentKind.CHARGEBACK, None, "rejet")
        payments.restore(cheque, None, "Dominique", "représenté")
    leaves(cheque, RepaymentKind.CHARGEBACK, None, "rejet encore")
    assert entries(after=3) == [(4, "invoices", "counter:cheque", 4520, 3)]
