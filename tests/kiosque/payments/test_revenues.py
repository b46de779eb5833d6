"""A payment's share for each service of its invoices is kept, and so is what leaves again."""

from kiosque import payments
from kiosque.db.models import Invoice, Revenue
from kiosque.db.states import RepaymentKind
from kiosque.language import clock
from kiosque.payments import journal, verification
from tests import fresh_databases
from tests.kiosque.payments.conftest import Hear, Pay, at_counter

CAPTURED = {"trans_status": "CAPTURED"}


def revenues() -> list[tuple[str, str, int]]:
    return [
        (it.service.name, it.kind, it.amount_cents) for it in Revenue.select().order_by(Revenue.id)
    ]


def test_each_service_has_its_lines_of_a_whole_payment(two_services: Invoice) -> None:
    at_counter(two_services)
    assert revenues() == [("Repas", "collected", 3000), ("Accueil", "collected", 1520)]
    assert {it.journal_number for it in Revenue.select()} == {journal.last()[0]}


def test_a_part_is_shared_by_line_to_the_cent(two_services: Invoice) -> None:
    payment = payments.CounterPayment(two_services.number, 1000, "cash", clock.today(), "D", "reçu")
    payments.settle_at_counter([payment], {})
    assert revenues() == [("Repas", "collected", 664), ("Accueil", "collected", 336)]


def test_a_cent_is_collected_by_one_service(two_services: Invoice) -> None:
    at_counter(two_services, amount_cents=1)
    assert revenues() == [("Repas", "collected", 1)]


def test_what_is_given_back_in_part_is_taken_from_all(
    go: Pay, hear: Hear, two_services: Invoice
) -> None:
    hear(go(two_services)[1], **CAPTURED)
    settlement = payments.find_settlement(two_services.number)
    payments.record_repayment(settlement, RepaymentKind.REFUND, 1000, "D", "absence")
    assert revenues()[2:] == [("Repas", "refunded", -664), ("Accueil", "refunded", -336)]
    assert verification.faults() == []


def test_what_leaves_whole_is_cancelled_and_may_be_collected_again(
    go: Pay, hear: Hear, two_services: Invoice
) -> None:
    handoff = go(two_services)[1]
    hear(handoff, **CAPTURED)
    settlement = payments.find_settlement(two_services.number)
    payments.record_repayment(settlement, RepaymentKind.CHARGEBACK, 4520, "D", "impayé")
    assert revenues()[2:] == [("Repas", "cancelled", -3000), ("Accueil", "cancelled", -1520)]
    at_counter(two_services)
    assert revenues()[4:] == [("Repas", "collected", 3000), ("Accueil", "collected", 1520)]
    assert verification.faults() == []


def test_money_that_pays_nothing_is_no_revenue(go: Pay, hear: Hear, two_services: Invoice) -> None:
    handoff = go(two_services)[1]
    at_counter(two_services)
    hear(handoff, **CAPTURED)
    assert len(revenues()) == 2


def test_a_revenue_that_the_journal_does_not_tell_is_found(two_services: Invoice) -> None:
    at_counter(two_services)
    fresh_databases.damage("UPDATE revenue SET amount_cents = 1 WHERE id = 1")
    assert "45,20 € de recettes au journal, 15,21 € par prestation" in "\n".join(
        verification.faults()
    ).replace("\u00a0", " ").replace("\u202f", " ")
