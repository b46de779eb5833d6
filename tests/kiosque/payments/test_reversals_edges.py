"""Money that leaves again, to the exact cent."""

import pytest

from gateways.base import (
    Declined,
    Gateway,
    Order,
    RefundRequest,
    Report,
    Unreachable,
)
from kiosque import payments
from kiosque.db import write
from kiosque.db.models import (
    Anomaly,
    Fact,
    Family,
    Invoice,
    Repayment,
    Settlement,
)
from kiosque.db.states import RepaymentKind
from kiosque.payments import (
    BankPayment,
    Refused,
    refund_requests,
    reversals,
)
from tests import sentences
from tests.conftest import ISSUERS, NOW, PUBLIC_URL, Clock, make_invoice
from tests.kiosque.payments.conftest import Hear, Pay, at_counter, gave_back, state_of
from tests.talkative import TalkativeBank

pytestmark = pytest.mark.usefixtures("sound_books")
PENDING = {"trans_status": "UNDER_VERIFICATION"}
CANCELLED = {"trans_status": "CANCELLED"}


def test_a_refund_is_of_the_debit_it_was_asked_for_though_another_came_twice(
    bank: TalkativeBank, go: Pay, hear: Hear, october: Invoice
) -> None:
    _, handoff = go(october)
    hear(handoff)
    hear(handoff, trans_uuid="b" * 32)
    settlement = payments.find_settlement("R1")
    asked = payments.ask_refund(settlement, 1000, "Dominique", "absence", bank)
    hear(handoff, **gave_back(1000))
    assert Repayment.get_by_id(asked.id).state == "done"
    assert [each.returned_cents for each in Settlement.select().order_by(Settlement.id)] == [
        1000,
        0,
    ]


def test_a_refund_of_exactly_what_remains_of_a_debit_is_of_that_one(
    bank: TalkativeBank, go: Pay, hear: Hear, october: Invoice
) -> None:
    _, handoff = go(october)
    hear(handoff)
    hear(handoff, trans_uuid="b" * 32)
    first = payments.find_settlement("R1")
    hear(handoff, **gave_back(500), parent=first.transaction_id)
    hear(handoff, **gave_back(4020, "d"))
    assert [each.state for each in Settlement.select().order_by(Settlement.id)] == [
        "refunded",
        "counted",
    ]


def test_a_refund_of_nothing_in_particular_is_of_what_came_twice_before_what_came_last(
    go: Pay, hear: Hear, october: Invoice
) -> None:
    _, handoff = go(october)
    at_counter(october)
    hear(handoff)
    hear(handoff, trans_uuid="b" * 32, amount="4000")
    hear(handoff, **gave_back(100))
    online = Settlement.select().where(Settlement.attempt.is_null(False)).order_by(Settlement.id)
    assert [each.returned_cents for each in online] == [100, 0]


def test_of_two_payments_too_much_the_one_given_back_leaves_the_list(
    go: Pay, hear: Hear, october: Invoice
) -> None:
    _, handoff = go(october)
    for letter in "abd":
        hear(handoff, trans_uuid=letter * 32)
    hear(handoff, **gave_back(4520), parent="b" * 32)
    left = [point.settlement for point in payments.open_anomalies() if point.kind == "overpayment"]
    assert [each.transaction_id for each in left] == ["d" * 32]
    gone = Anomaly.get(Anomaly.kind == "overpayment", Anomaly.resolved_at.is_null(False))
    assert (gone.resolved_by, gone.resolution) == ("Kiosque Famille", sentences.REFUNDED_BY_BANK)


def test_more_than_came_is_never_given_back(go: Pay, hear: Hear, october: Invoice) -> None:
    """Not by who looks at the payment as it was before the money left, nor by the bank's word."""
    _, handoff = go(october)
    hear(handoff)
    before = Settlement.get()

    def give(kind: RepaymentKind, cents: int) -> None:
        payments.record_repayment(before, kind, cents, "Dominique", "essai")

    with pytest.raises(Refused):
        give(RepaymentKind.REFUND, 4521)
    give(RepaymentKind.REFUND, 4520)
    for kind in RepaymentKind.REFUND, RepaymentKind.CHARGEBACK:
        with pytest.raises(Refused):
            give(kind, 1)
    hear(handoff, **gave_back(1))
    assert Settlement.get().returned_cents == 4520


def test_money_given_back_elsewhere_ends_the_payment_as_refunded(
    go: Pay, hear: Hear, october: Invoice
) -> None:
    attempt, handoff = go(october)
    hear(handoff)
    settlement = payments.find_settlement("R1")
    repayment = payments.record_repayment(
        settlement, RepaymentKind.REFUND, None, " Dominique ", " virement 12 "
    )
    assert (repayment.state, repayment.author, repayment.reason) == (
        "done",
        "Dominique",
        "virement 12",
    )
    assert (state_of(attempt), state_of(october)) == ("refunded", "open")
    fact = Fact.get(Fact.state == "refunded")
    assert (fact.status, fact.source, fact.amount_cents) == ("returned", "portal", 4520)
    assert fact.transaction_id == settlement.transaction_id


def test_a_single_cent_may_be_given_back_and_the_bank_is_told_of_which_debit(
    bank: TalkativeBank, go: Pay, hear: Hear, october: Invoice
) -> None:
    attempt, handoff = go(october)
    hear(handoff)
    heard: list[tuple[Order, RefundRequest]] = []

    def refund(order: Order, request: RefundRequest) -> list[Report]:
        heard.append((order, request))
        return [bank.report(handoff, **gave_back(1))]

    bank.refund = refund  # type: ignore[method-assign]
    settlement = payments.find_settlement("R1")
    asked = payments.ask_refund(settlement, 1, "Dominique", "arrondi", bank)
    assert payments.send_refund(asked, bank, PUBLIC_URL, ISSUERS).state == "done"
    ((order, request),) = heard
    assert (order.reference, order.cents) == (attempt.reference, 4520)
    assert order.return_url.startswith(PUBLIC_URL)
    assert (request.transaction_id, request.cents) == (settlement.transaction_id, 1)
    assert len(request.key) == len("KFR") + 18


def test_a_bank_that_gives_nothing_back_is_told_nothing(
    bank: TalkativeBank, gateway: Gateway, go: Pay, hear: Hear, october: Invoice, september: Invoice
) -> None:
    _, handoff = go(october)
    hear(handoff)
    asked = payments.ask_refund(payments.find_settlement("R1"), 1000, "Dominique", "absence", bank)
    with pytest.raises(TypeError, match="gives nothing back"):
        payments.send_refund(asked, gateway, PUBLIC_URL, ISSUERS)
    at_counter(september)
    cash = payments.find_settlement(september.number)
    paid_back = payments.record_repayment(cash, RepaymentKind.REFUND, 100, "Dominique", "espèces")
    with pytest.raises(TypeError, match="gives nothing back"):
        payments.send_refund(paid_back, bank, PUBLIC_URL, ISSUERS)
    assert bank.refunds == []


def test_an_answer_about_another_order_gives_nothing_back(
    bank: TalkativeBank, go: Pay, hear: Hear, october: Invoice, september: Invoice
) -> None:
    (_, first), (_, second) = go(october), go(september)
    for handoff in (first, second):
        hear(handoff)
    asked = payments.ask_refund(payments.find_settlement("R1"), 1000, "Dominique", "absence", bank)
    bank.answers = [[bank.report(second, **gave_back(1000))]]
    assert payments.send_refund(asked, bank, PUBLIC_URL, ISSUERS).state == "asked"
    assert [each.returned_cents for each in Settlement.select()] == [0, 0]


def test_requests_without_an_answer_are_sent_again_in_their_order_and_so_many_at_a_time(
    bank: TalkativeBank, go: Pay, hear: Hear, frozen: Clock, alices_family: Family
) -> None:
    asked = []
    for number in range(3):
        attempt, handoff = go(make_invoice(alices_family, f"N{number}"))
        hear(handoff, trans_uuid=f"{number}" * 32)
        settlement = Settlement.get(Settlement.attempt == attempt)
        asked.append(payments.ask_refund(settlement, 100, "Dominique", "absence", bank))
    bank.answers = [Unreachable("coupée")]
    payments.send_refund(asked[0], bank, PUBLIC_URL, ISSUERS)
    waiting = [asked[1].id, asked[2].id]
    assert [each.id for each in refund_requests.refunds_due("banque", 9)] == waiting
    assert [each.id for each in refund_requests.refunds_due("banque", 1)] == waiting[:1]
    frozen.advance(minutes=2)
    assert [each.id for each in refund_requests.refunds_due("banque", 9)] == [asked[0].id, *waiting]


def test_what_the_bank_declines_names_its_payment(
    bank: TalkativeBank, go: Pay, hear: Hear, october: Invoice
) -> None:
    hear(go(october)[1])
    settlement = payments.find_settlement("R1")
    asked = payments.ask_refund(settlement, 1000, "Dominique", "absence", bank)
    bank.answers = [Declined("non")]
    payments.send_refund(asked, bank, PUBLIC_URL, ISSUERS)
    (point,) = payments.open_anomalies()
    assert (point.settlement, point.amount_cents) == (settlement, 1000)


def test_a_refusal_that_comes_after_the_news_of_the_refund_changes_nothing(
    bank: TalkativeBank, go: Pay, hear: Hear, october: Invoice
) -> None:
    _, handoff = go(october)
    hear(handoff)
    asked = payments.ask_refund(payments.find_settlement("R1"), 1000, "Dominique", "absence", bank)

    def refund(_order: Order, _request: RefundRequest) -> list[Report]:
        hear(handoff, **gave_back(1000))
        raise Declined("déjà fait")

    bank.refund = refund  # type: ignore[method-assign]
    done = payments.send_refund(asked, bank, PUBLIC_URL, ISSUERS)
    assert (done.state, done.reason) == ("done", "absence")
    assert payments.open_anomalies() == []


def test_an_invoice_whose_money_pays_it_no_more_names_no_payment(
    go: Pay, hear: Hear, october: Invoice, september: Invoice
) -> None:
    (_, first), (_, second) = go(october), go(september)
    payments.cancel_invoice(october.number, "Dominique", "erreur")
    hear(first)
    hear(second)
    hear(second, **CANCELLED)
    for invoice in (october, september):
        with pytest.raises(Refused, match=invoice.number):
            payments.find_settlement(invoice.number)
    with pytest.raises(Refused) as caught:
        payments.find_settlement("x" * 500)
    (reason,) = caught.value.reasons
    assert reason.endswith(f"{sentences.NOTHING_PAID_BY_IT} {'x' * 30}.")


@pytest.mark.parametrize("cents", [4521, 4520, 1])
@pytest.mark.parametrize("left", [False, True], ids=["there", "left"])
def test_no_more_than_a_payment_has_is_booked_as_given_back(
    october: Invoice, cents: int, left: bool
) -> None:
    at_counter(october, mode="cheque")
    settlement = Settlement.get()
    if left:
        payments.record_repayment(settlement, RepaymentKind.CHARGEBACK, None, "Camille", "rejet")

    def give() -> None:
        with write():
            given = Repayment.create(
                settlement=settlement, kind="refund", state="done", amount_cents=cents, key="x",
                asked_at=NOW, done_at=NOW, author="Camille", reason="rendu",
            )  # fmt: skip
            reversals.book_repayment(given, "rendu")

    if left or cents > 4520:
        with pytest.raises(RuntimeError, match="than had come"):
            give()
    else:
        give()
        assert Settlement.get().returned_cents == cents


def test_nothing_is_booked_as_given_back_outside_a_write(october: Invoice) -> None:
    at_counter(october)
    given = Repayment(
        settlement=Settlement.get(), kind="refund", amount_cents=1, author="Camille", reason="rendu"
    )
    with pytest.raises(RuntimeError):
        reversals.book_repayment(given, "rendu")
    assert Settlement.get().returned_cents == 0


# --- What leaves the list as money leaves ---


def told(key: str, kind: str, cents: int = 1000, **about: object) -> None:
    values = {"noted_at": NOW, "amount_cents": cents, "detail": "?", **about}
    Anomaly.create(key=key, kind=kind, **values)


def left() -> set[str]:
    """Return the keys of what was told and is still on the list."""
    listed = payments.open_anomalies()
    return {point.key for point in listed if point.detail == "?"}


def give(settlement: Settlement, cents: int | None, reason: str = "rendu") -> None:
    payments.record_repayment(settlement, RepaymentKind.REFUND, cents, "Dominique", reason)


def test_a_refund_once_declined_leaves_the_list_when_as_much_is_given_back_or_all_of_it(
    october: Invoice, september: Invoice
) -> None:
    for invoice in (october, september):
        at_counter(invoice, mode="cheque")
    mine, other = (payments.find_settlement(each.number) for each in (october, september))
    told("as much", "declined", settlement=mine)
    told("more", "declined", 1200, settlement=mine)
    told("something else", "silent", settlement=mine)
    told("of the other", "declined", settlement=other)
    give(mine, 1000)
    assert left() == {"more", "something else", "of the other"}
    assert Anomaly.get(Anomaly.key == "as much").resolution
    give(mine, None)
    assert left() == {"something else", "of the other"}


@pytest.mark.parametrize("captured", [True, False])
def test_what_was_odd_in_a_debit_leaves_the_list_once_staff_have_given_all_of_it_back(
    go: Pay, hear: Hear, october: Invoice, september: Invoice, captured: bool
) -> None:
    """And that its attempt was never captured, unless another debit of it may still be undone."""
    attempt, handoff = go(october)
    hear(handoff)
    if not captured:
        hear(handoff, trans_uuid="b" * 32)
    another, _ = go(september)
    settlement = payments.find_settlement("R1")
    name = settlement.transaction_id
    told("odd", "mismatch", gateway="banque", transaction_id=name)
    told("not odd", "silent", gateway="banque", transaction_id=name)
    told("another's name", "mismatch", gateway="banque", transaction_id="x")
    told("another bank", "mismatch", gateway="autre", transaction_id=name)
    told("uncaptured", "uncaptured", attempt=attempt)
    told("silent", "silent", attempt=attempt)
    told("of another", "uncaptured", attempt=another)
    every = left()
    give(settlement, 1000)
    assert left() == every
    give(settlement, None)
    assert every - left() == ({"odd", "uncaptured"} if captured else {"odd"})


def test_an_odd_debit_leaves_the_list_once_what_paid_nothing_of_it_is_given_back(
    go: Pay, hear: Hear, october: Invoice, september: Invoice
) -> None:
    _, handoff = go(october)
    hear(handoff, amount="1000", effective_amount="1000")
    settlement = Settlement.get()
    told("odd", "mismatch", gateway="banque", transaction_id=settlement.transaction_id)
    payments.apply_overpayment(settlement, september.number, "Dominique", "accord", ISSUERS, 600)
    give(settlement, 300)
    assert left() == {"odd"}
    give(settlement, 100)
    assert left() == set()
    assert Settlement.get().remaining_cents == 600


def test_the_treasury_is_told_of_its_invoices_that_this_payment_paid(
    go: Pay, hear: Hear, october: Invoice, september: Invoice
) -> None:
    """In their order, and not for what came twice."""
    _, handoff = go(october, september)
    hear(handoff)
    hear(handoff, trans_uuid="b" * 32)
    first, twice = Settlement.select().order_by(Settlement.id)
    for settlement in (twice, first):
        give(settlement, None)
    assert reversals.taken_over_by_treasury(first) == []
    numbers = [october.number, september.number]
    payments.transmit(numbers, "B-12", NOW.date(), "Dominique", "impayées")
    assert reversals.taken_over_by_treasury(first) == [september.number, october.number]
    assert reversals.taken_over_by_treasury(twice) == []


def test_a_payment_whose_debits_have_all_left_is_no_longer_paid_though_staff_entered_one_of_them(
    go: Pay, hear: Hear, october: Invoice
) -> None:
    attempt, handoff = go(october)
    seen = BankPayment("banque", "b" * 32, 4520, NOW.date(), "Dominique", "vu à la banque")
    payments.enter(seen, attempt, ISSUERS)
    hear(handoff)
    for settlement in Settlement.select().order_by(Settlement.id):
        payments.record_repayment(settlement, RepaymentKind.CHARGEBACK, None, "Camille", "rejet")
    assert state_of(attempt) == "reversed"
