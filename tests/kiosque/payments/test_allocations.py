"""Each part of a payment is for an invoice that it was made for, or for nothing yet."""

import pytest

from kiosque.db import write
from kiosque.db.models import Allocation, Anomaly, Family, Invoice, Settlement, Transmission
from kiosque.db.states import AllocationKind
from kiosque.language import clock
from kiosque.payments import allocations
from kiosque.payments.anomalies import OURSELVES
from tests.conftest import NOW, Clock, make_invoice


def receive(family: Family, cents: int, mode: str = "card") -> Settlement:
    """Money, before it is said what it is for."""
    return Settlement.create(
        family=family, gateway="banque", transaction_id=f"t{Settlement.select().count()}",
        mode=mode, amount_cents=cents, settled_at=NOW, state="counted",
        author="Dominique", reason="vu à la banque",
    )  # fmt: skip


def spend(settlement: Settlement, invoice: Invoice, cents: int) -> None:
    with write():
        allocations.allocate(settlement, invoice.id, cents)


def parts(settlement: Settlement) -> list[tuple[str, int, int | None]]:
    found = Allocation.select().where(Allocation.settlement == settlement).order_by(Allocation.id)
    return [(part.kind, part.amount_cents, part.invoice_id) for part in found]


def of(invoice: Invoice) -> tuple[str, int]:
    """Its state and what is paid of it, in the database."""
    now = Invoice.get_by_id(invoice.id)
    return now.state, now.paid_cents


def transmitted(invoice: Invoice) -> Invoice:
    Invoice.update(state="transmitted").where(Invoice.id == invoice.id).execute()
    Transmission.create(
        invoice=invoice, list_name="B-1", transmitted_on=NOW.date(), noted_at=NOW,
        journal_number=0, author="Dominique", reason="impayée",
    )  # fmt: skip
    return invoice


def listed() -> list[tuple[int, str, bool]]:
    """Return the points about money that came twice, and whether each is still to treat."""
    found = Anomaly.select().where(Anomaly.kind == "overpayment").order_by(Anomaly.id)
    return [(each.amount_cents, each.detail, each.resolved_at is None) for each in found]


def test_money_pays_what_is_to_pay_and_the_rest_waits(october: Invoice, september: Invoice) -> None:
    first = receive(october.family, 2000)
    spend(first, october, 2000)
    assert (parts(first), of(october)) == ([("invoice", 2000, october.id)], ("open", 2000))
    second = receive(october.family, 4520)
    spend(second, october, 4520)
    assert of(october) == ("paid", 4520)
    assert parts(second) == [("invoice", 2520, october.id), ("overpayment", 2000, october.id)]
    third = receive(october.family, 700)
    spend(third, october, 700)
    assert (parts(third), of(october)) == ([("overpayment", 700, october.id)], ("paid", 4520))
    assert of(september) == ("open", 0)
    assert listed() == [
        (2000, "reçu en plus de ce qui restait à payer", True),
        (700, "facture déjà payée", True),
    ]


def test_money_in_full_leaves_nothing_to_tell(october: Invoice) -> None:
    paid = receive(october.family, 4520)
    spend(paid, october, 4520)
    assert (of(october), parts(paid), listed()) == (
        ("paid", 4520), [("invoice", 4520, october.id)], [])  # fmt: skip


@pytest.mark.parametrize(
    ("state", "why"),
    [
        ("cancelled", "facture annulée entre-temps"),
        ("transmitted", "facture transmise au Trésor public entre-temps"),
    ],
)
def test_money_for_an_invoice_that_is_no_longer_to_pay_waits(
    october: Invoice, state: str, why: str
) -> None:
    Invoice.update(state=state).where(Invoice.id == october.id).execute()
    paid = receive(october.family, 4520)
    spend(paid, october, 4520)
    assert (of(october), parts(paid)) == ((state, 0), [("overpayment", 4520, october.id)])
    assert listed() == [(4520, why, True)]
    about = Anomaly.get()
    assert (about.gateway, about.transaction_id) == ("banque", paid.transaction_id)
    assert (about.settlement_id, about.invoice_id) == (paid.id, october.id)


def test_the_treasurys_money_pays_what_it_collects_and_what_is_open(
    october: Invoice, september: Invoice
) -> None:
    transmitted(october)
    for invoice, more in ((october, 480), (september, 0)):
        cents = invoice.total_cents
        part = receive(october.family, 1000, "treasury")
        spend(part, invoice, 1000)
        assert of(invoice) == (invoice.state if more == 0 else "transmitted", 1000)
        rest = receive(october.family, cents - 1000 + more, "treasury")
        spend(rest, invoice, cents - 1000 + more)
        assert of(invoice) == ("paid", cents)
        assert [each[:2] for each in parts(rest)] == [
            ("invoice", cents - 1000), *([("overpayment", more)] if more else [])]  # fmt: skip


def test_a_part_that_had_no_use_takes_the_first(october: Invoice) -> None:
    paid = receive(october.family, 5000)
    spare = Allocation.create(settlement=paid, kind=AllocationKind.UNMATCHED, amount_cents=5000)
    with write():
        allocations.allocate(paid, october.id, 5000, spare=spare)
    assert parts(paid) == [("invoice", 4520, october.id), ("overpayment", 480, october.id)]
    assert Allocation.get_by_id(spare.id).amount_cents == 4520


@pytest.mark.parametrize("to_treasury", [False, True])
def test_what_is_no_longer_paid_is_due_where_it_was(
    october: Invoice, september: Invoice, charlies_family: Family, *, to_treasury: bool
) -> None:
    """And its family, put away meanwhile, is back; no other is."""
    if to_treasury:
        transmitted(october)
    transmitted(make_invoice(charlies_family, "2026-10-0002"))
    paid = receive(october.family, 5520, "treasury")
    spend(paid, october, 4520)
    spend(paid, september, 1000)
    Family.update(archived_at=NOW).execute()
    with write():
        allocations.unpay(Allocation.get(Allocation.invoice == october))
    assert of(october) == ("transmitted" if to_treasury else "open", 0)
    assert of(september) == ("open", 1000)
    assert Family.get_by_id(october.family_id).archived_at is None
    assert Family.get_by_id(charlies_family.id).archived_at == NOW


def test_what_the_treasury_gave_back_is_due_here_once_it_is_unpaid(october: Invoice) -> None:
    transmitted(october)
    paid = receive(october.family, 4520, "treasury")
    spend(paid, october, 4520)
    Transmission.update(ended_at=NOW, ended_by="Dominique", end_reason="reprise").execute()
    with write():
        allocations.unpay(Allocation.get())
    assert of(october) == ("open", 0)


@pytest.mark.parametrize(
    ("most", "taken", "left"), [(None, 4225, 775), (1000, 1000, 4000), (9000, 4225, 775)]
)
def test_a_part_without_a_use_pays_another_invoice(
    october: Invoice, september: Invoice, most: int | None, taken: int, left: int
) -> None:
    paid = receive(october.family, 5000)
    spare = Allocation.create(
        settlement=paid, kind=AllocationKind.OVERPAYMENT, amount_cents=5000, invoice=october
    )
    other = receive(october.family, 300)
    spend(other, october, 300)
    with write():
        assert allocations.use_part(spare, september, "Dominique", "vu", most=most) == taken
    assert parts(other) == [("invoice", 300, october.id)]
    assert of(september) == ("paid" if taken == 4225 else "open", taken)
    assert parts(paid) == [("overpayment", left, october.id), ("invoice", taken, september.id)]
    paying = Allocation.get(Allocation.invoice == september)
    assert (paying.author, paying.reason, paying.counts) == ("Dominique", "vu", True)


def test_a_part_that_an_invoice_takes_whole_is_the_same_part(
    october: Invoice, september: Invoice
) -> None:
    paid = receive(october.family, 4225 + 1)
    spare, other = (
        Allocation.create(settlement=paid, kind=AllocationKind.UNMATCHED, amount_cents=cents)
        for cents in (4225, 1)
    )
    with write():
        assert allocations.use_part(spare, september) == 4225
    assert parts(paid) == [("invoice", 4225, september.id), ("unmatched", 1, None)]
    spare, other = Allocation.get_by_id(spare.id), Allocation.get_by_id(other.id)
    assert (spare.author, spare.reason) == ("", "")
    with write():
        assert allocations.use_part(other, september, "Dominique", "vu") == 0
    assert parts(paid) == [("invoice", 4225, september.id), ("unmatched", 1, None)]
    with write():
        assert allocations.use_part(other, october, "Dominique", "vu") == 1
    assert of(october) == ("open", 1)
    other = Allocation.get_by_id(other.id)
    assert (other.kind, other.invoice_id, other.author, other.reason) == (
        "invoice", october.id, "Dominique", "vu")  # fmt: skip


def test_what_paid_a_cancelled_invoice_waits(october: Invoice, september: Invoice) -> None:
    paid = receive(october.family, 3000)
    spend(paid, october, 2000)
    spend(paid, september, 1000)
    with write():
        allocations.keep_as_overpayment(Allocation.get(Allocation.invoice == october))
    assert parts(paid) == [("overpayment", 2000, october.id), ("invoice", 1000, september.id)]
    assert (of(october), of(september)) == (("open", 0), ("open", 1000))


def twice(invoice: Invoice) -> Settlement:
    """An invoice paid, then paid again."""
    first, second = (receive(invoice.family, invoice.total_cents) for _ in range(2))
    spend(first, invoice, invoice.total_cents)
    spend(second, invoice, invoice.total_cents)
    return second


def test_money_that_came_twice_pays_its_own_invoice_once_it_is_due_again(
    october: Invoice, september: Invoice
) -> None:
    spare, other = twice(october), twice(september)
    with write():
        allocations.unpay(Allocation.get(Allocation.invoice == october))
        allocations.pay_with_overpayments(october)
    assert parts(spare) == [("invoice", 4520, october.id)]
    assert parts(other) == [("overpayment", 4225, september.id)]
    assert of(october) == ("paid", 4520)
    assert listed() == [
        (4520, "facture déjà payée", False),
        (4225, "facture déjà payée", True),
    ]
    done = Anomaly.get_by_id(1)
    assert (done.resolved_by, done.resolution) == (OURSELVES, "affecté à la facture")


def test_money_that_a_human_has_dealt_with_pays_nothing_by_itself(
    october: Invoice, september: Invoice
) -> None:
    spare = twice(october)
    Anomaly.update(resolved_at=NOW, resolved_by="Dominique").execute()
    twice(september)
    with write():
        allocations.unpay(Allocation.get(Allocation.invoice == october))
        allocations.pay_with_overpayments(october)
    assert (parts(spare), of(october)) == ([("overpayment", 4520, october.id)], ("open", 0))


def test_a_part_of_what_came_twice_that_is_used_is_told_with_what_is_left(
    october: Invoice, september: Invoice, frozen: Clock
) -> None:
    spare = twice(october)
    other = twice(make_invoice(october.family, "2026-11-0004", 700))
    for cents, left, stays in ((4000, 520, True), (225, 295, True), (295, 295, False)):
        part = Allocation.get(
            Allocation.settlement == spare, Allocation.kind == AllocationKind.OVERPAYMENT
        )
        target = september if stays else make_invoice(october.family, "2026-11-0003", 295)
        with write():
            allocations.use_part(part, target, most=cents)
            allocations.shorten_list(spare, october, "Dominique", "rendu")
        assert listed()[0] == (left, "facture déjà payée", stays)
    assert parts(other)[0][:2] == ("overpayment", 700)
    assert listed()[1] == (700, "facture déjà payée", True)
    done = Anomaly.get_by_id(1)
    assert (done.resolved_by, done.resolution, done.resolved_at) == (
        "Dominique", "rendu", clock.now())  # fmt: skip


@pytest.mark.parametrize("by", [OURSELVES, "Dominique"])
def test_more_that_came_twice_is_listed_again_and_as_much_only_if_we_had_taken_it_off(
    october: Invoice, by: str
) -> None:
    spare = twice(october)
    Anomaly.update(resolved_at=NOW, resolved_by=by).execute()
    with write():
        allocations.list_overpayment(spare, october.id)
    assert listed() == [(4520, "facture déjà payée", by == OURSELVES)]
    Allocation.update(amount_cents=4000).where(Allocation.settlement == spare).execute()
    Anomaly.update(resolved_at=NOW, resolved_by="Dominique").execute()
    with write():
        allocations.list_overpayment(spare, october.id)
    assert listed() == [(4520, "facture déjà payée", False)]  # of which he gave an account
    Anomaly.update(resolved_at=NOW, resolved_by=by).execute()
    Allocation.update(amount_cents=4521).where(Allocation.settlement == spare).execute()
    with write():
        allocations.list_overpayment(spare, october.id)
    assert listed() == [(4521, "facture déjà payée", True)]


def test_what_a_human_took_off_the_list_stays_as_he_saw_it(october: Invoice) -> None:
    spare = twice(october)
    Anomaly.update(resolved_at=NOW, resolved_by="Dominique").execute()
    Allocation.update(amount_cents=1000).where(Allocation.settlement == spare).execute()
    with write():
        allocations.shorten_list(spare, october, "Dominique", "rendu")
    assert listed() == [(4520, "facture déjà payée", False)]


def test_money_of_the_counter_that_came_twice_names_no_bank(october: Invoice) -> None:
    Invoice.update(state="cancelled").where(Invoice.id == october.id).execute()
    paid = receive(october.family, 4520, "cash")
    Settlement.update(gateway=None, transaction_id=None).execute()
    spend(Settlement.get_by_id(paid.id), october, 4520)
    assert (Anomaly.get().gateway, Anomaly.get().transaction_id) == ("", "")


def test_what_came_twice_leaves_the_list_alone(october: Invoice, september: Invoice) -> None:
    spare, _ = twice(october), twice(september)
    Anomaly.update(kind="reversed").where(Anomaly.id == 2).execute()
    with write():
        assert allocations.resolve_overpayments(Anomaly.settlement == spare, "rendu") == 1
        assert allocations.resolve_overpayments(Anomaly.id == 2, "rendu") == 0
    assert [each.resolved_at is None for each in Anomaly.select().order_by(Anomaly.id)] == [
        False, True]  # fmt: skip
