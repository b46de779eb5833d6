"""Money that leaves on the régisseur's decision: with a name, a reason, and never twice."""

import re
from collections.abc import Callable

import pytest

from gateways.base import Declined, Gateway, Handoff, Report, Unreachable
from kiosque import payments
from kiosque.db import write
from kiosque.db.models import Anomaly, Attempt, Family, Invoice, Receipt, Repayment, Settlement
from kiosque.db.states import AttemptState, FactSource, RepaymentKind
from kiosque.payments import (
    CounterPayment,
    Purchase,
    Refused,
    journal,
    polling,
    reconcile,
)
from kiosque.payments.attempt_facts import add_fact
from tests import sentences
from tests.conftest import ISSUERS, NOW, PUBLIC_URL, Clock, make_invoice
from tests.kiosque.payments.conftest import at_counter
from tests.talkative import TalkativeBank

pytestmark = pytest.mark.usefixtures("sound_books")

CREDIT = {"operation_type": "CREDIT", "trans_id": "912345", "trans_uuid": "c" * 32}


@pytest.fixture
def bank(gateway: Gateway) -> TalkativeBank:
    return TalkativeBank(gateway)


@pytest.fixture
def paid(bank: TalkativeBank, october: Invoice, september: Invoice) -> Handoff:
    """Alice paid two invoices at once, 87,45 €; the bank has captured them."""
    numbers = [october.number, september.number]
    _, handoff = payments.start(Purchase(october.family, numbers, 8745), bank, PUBLIC_URL)
    payments.record(bank.name, bank.report(handoff, final=True), ISSUERS)
    return handoff


@pytest.fixture
def refund(bank: TalkativeBank) -> Callable[..., Repayment]:
    """The régisseur has a payment given back."""

    def go(cents: int | None = None, receipt: str = "R000001") -> Repayment:
        settlement = payments.find_settlement(receipt)
        asked = payments.ask_refund(settlement, cents, "Dominique", "absence justifiée", bank)
        return payments.send_refund(asked, bank, PUBLIC_URL, ISSUERS)

    return go


Refund = Callable[..., Repayment]


def states() -> list[str]:
    return [invoice.state for invoice in Invoice.select().order_by(Invoice.number)]


def told(bank: TalkativeBank, handoff: Handoff, cents: int, uuid: str = "c") -> Report:
    amounts = {"amount": str(cents), "effective_amount": str(cents)}
    return bank.report(handoff, **{**CREDIT, "trans_uuid": uuid * 32, **amounts})


# --- By the bank ---


def test_a_whole_refund_opens_the_invoices_again(
    bank: TalkativeBank, paid: Handoff, refund: Refund
) -> None:
    bank.answers = [[bank.report(paid), told(bank, paid, 8745)]]
    assert refund().state == "done"
    assert states() == ["open", "open"]
    assert set(journal.balances().values()) == {0}
    assert payments.open_anomalies() == []


def test_a_partial_refund_leaves_them_paid(
    bank: TalkativeBank, paid: Handoff, refund: Refund
) -> None:
    bank.answers = [[told(bank, paid, 1000)]]
    assert refund(1000).state == "done"
    assert states() == ["paid", "paid"]
    assert journal.balances() == {"bank:banque": 7745, "invoices": -8745, "refunds": 1000}


def test_the_bank_is_told_what_we_know_so_that_repeating_is_harmless(
    bank: TalkativeBank, paid: Handoff, refund: Refund
) -> None:
    bank.answers = [[told(bank, paid, 1000)], [told(bank, paid, 1000), told(bank, paid, 500, "d")]]
    first, second = refund(1000), refund(500)
    assert [(r.cents, r.returned_cents) for r in bank.refunds] == [(1000, 0), (500, 1000)]
    assert [r.key for r in bank.refunds] == [first.key, second.key]
    assert Settlement.get().returned_cents == 1500


def test_a_cancellation_before_capture_is_the_refund_asked_for(
    bank: TalkativeBank, paid: Handoff, refund: Refund
) -> None:
    bank.answers = [[bank.report(paid, trans_status="CANCELLED", final=True)]]
    assert refund().state == "done"
    assert Repayment.select().count() == 1
    assert states() == ["open", "open"]


def test_a_lost_answer_is_asked_for_again_by_the_timer_and_books_once(
    bank: TalkativeBank, paid: Handoff, refund: Refund, frozen: Clock
) -> None:
    bank.answers = [Unreachable("coupée")]
    assert refund(1000).state == "asked"
    assert Settlement.get().returned_cents == 0
    with pytest.raises(Refused, match=sentences.ALREADY_ASKED):
        refund(1000)
    bank.answers = [[told(bank, paid, 1000)]]
    assert reconcile.run({"banque": bank}, PUBLIC_URL, ISSUERS).refunds == 0
    frozen.advance(minutes=2)
    assert reconcile.run({"banque": bank}, PUBLIC_URL, ISSUERS).refunds == 1
    assert Repayment.get().state == "done"
    assert len({request.key for request in bank.refunds}) == 1
    frozen.advance(minutes=10)
    reconcile.run({"banque": bank}, PUBLIC_URL, ISSUERS)
    assert len(bank.refunds) == 2
    assert journal.balances()["refunds"] == 1000


def test_two_who_send_the_same_request_at_once_send_it_once(
    bank: TalkativeBank, paid: Handoff
) -> None:
    settlement = payments.find_settlement("R1")
    asked = payments.ask_refund(settlement, 1000, "Dominique", "absence", bank)
    give = bank.refund

    def meanwhile(*call: object) -> list[Report]:
        assert payments.send_refund(asked, bank, PUBLIC_URL, ISSUERS).state == "asked"
        return give(*call)  # type: ignore[arg-type]

    bank.refund = meanwhile  # type: ignore[method-assign, assignment]
    bank.answers = [[told(bank, paid, 1000)]]
    assert payments.send_refund(asked, bank, PUBLIC_URL, ISSUERS).state == "done"
    assert len(bank.refunds) == 1


def test_a_lost_answer_is_made_good_by_the_banks_own_notice(
    bank: TalkativeBank, paid: Handoff, refund: Refund
) -> None:
    bank.answers = [Unreachable("coupée")]
    refund(1000)
    payments.record(bank.name, told(bank, paid, 1000), ISSUERS)
    assert [(r.state, r.author) for r in Repayment.select()] == [("done", "Dominique")]


def test_a_refund_made_at_the_bank_meanwhile_is_not_taken_for_ours(
    bank: TalkativeBank, paid: Handoff, refund: Refund, frozen: Clock
) -> None:
    bank.answers = [[told(bank, paid, 700)]]
    assert refund(1000).state == "asked"
    assert Settlement.get().returned_cents == 700
    bank.answers = [[told(bank, paid, 700), told(bank, paid, 1000, "d")]]
    frozen.advance(minutes=2)
    reconcile.run({"banque": bank}, PUBLIC_URL, ISSUERS)
    assert bank.refunds[-1].returned_cents == 700
    assert sorted((r.amount_cents, r.state) for r in Repayment.select()) == [
        (700, "done"),
        (1000, "done"),
    ]


def test_a_refund_that_the_bank_declines_changes_nothing_and_is_told(
    bank: TalkativeBank, paid: Handoff, refund: Refund
) -> None:
    bank.answers = [Declined(sentences.NOT_YET_CAPTURED)]
    declined = refund(1000)
    assert declined.state == "declined"
    assert sentences.NOT_YET_CAPTURED in declined.reason
    assert states() == ["paid", "paid"]
    assert [point.kind for point in payments.open_anomalies()] == ["declined"]
    bank.answers = [[told(bank, paid, 1000)]]
    assert refund(1000).state == "done"


def test_a_refund_that_the_bank_declines_leaves_the_reasons_of_others_as_they_were(
    bank: TalkativeBank, paid: Handoff, refund: Refund
) -> None:
    bank.answers = [[told(bank, paid, 700)]]
    assert refund(700).state == "done"
    bank.answers = [Declined(sentences.NOT_YET_CAPTURED)]
    refund(1000)
    first, second = Repayment.select().order_by(Repayment.id)
    assert (first.reason, first.state) == ("absence justifiée", "done")
    assert re.match(f"absence justifiée .*{sentences.NOT_YET_CAPTURED}", second.reason)


def test_no_bank_is_told_anything_inside_a_transaction(
    bank: TalkativeBank, paid: Handoff, refund: Refund
) -> None:
    settlement = payments.find_settlement("R1")
    asked = payments.ask_refund(settlement, 1000, "Dominique", "absence", bank)
    with pytest.raises(RuntimeError), write():
        payments.send_refund(asked, bank, PUBLIC_URL, ISSUERS)
    with pytest.raises(RuntimeError), write():
        polling.begin_question(settlement.attempt, bank, PUBLIC_URL)
    assert (bank.refunds, bank.asked) == ([], [])


def test_part_of_a_debit_that_the_bank_has_undone_is_no_longer_to_be_given_back(
    bank: TalkativeBank, paid: Handoff, refund: Refund
) -> None:
    bank.answers = [Unreachable("coupée")]
    refund(1000)
    payments.record(
        bank.name, bank.report(paid, trans_status="CAPTURE_FAILED", final=True), ISSUERS
    )
    assert sorted((r.kind, r.state) for r in Repayment.select()) == [
        ("refund", "declined"),
        ("reversal", "done"),
    ]
    assert states() == ["open", "open"]


def test_the_refund_of_what_came_twice_leaves_the_invoice_paid(
    bank: TalkativeBank, paid: Handoff, refund: Refund
) -> None:
    payments.record(bank.name, bank.report(paid, trans_uuid="b" * 32, final=True), ISSUERS)
    assert {point.kind for point in payments.open_anomalies()} == {"overpayment"}
    bank.answers = [[told(bank, paid, 8745)]]
    refund(receipt="R000002")
    assert states() == ["paid", "paid"]
    assert payments.open_anomalies() == []
    assert [s.state for s in Settlement.select().order_by(Settlement.id)] == ["counted", "refunded"]


# --- By other ways ---


@pytest.mark.parametrize("kind", [RepaymentKind.REFUND, RepaymentKind.CHARGEBACK])
def test_money_lost_or_given_back_elsewhere_is_entered_with_a_name_and_a_reason(
    bank: TalkativeBank, paid: Handoff, kind: RepaymentKind
) -> None:
    settlement = payments.find_settlement("r1")
    with pytest.raises(Refused, match="auteur"):
        payments.record_repayment(settlement, kind, None, " ", "x")
    payments.record_repayment(settlement, kind, 1000, "Dominique", "virement 12")
    assert states() == ["paid", "paid"]
    payments.record_repayment(settlement, kind, None, "Dominique", "virement 13")
    assert states() == ["open", "open"]
    assert set(journal.balances().values()) == {0}
    with pytest.raises(Refused, match=sentences.ALREADY_GIVEN_BACK):
        payments.record_repayment(settlement, kind, None, "Dominique", "virement 14")


def test_a_cheque_that_bounced_opens_its_invoice_again(october: Invoice) -> None:
    cheque = CounterPayment(october.number, 4520, "cheque", NOW.date(), "Dominique", "chèque 1")
    payments.settle_at_counter([cheque])
    settlement = payments.find_settlement(october.number)
    payments.record_repayment(settlement, RepaymentKind.CHARGEBACK, None, "Dominique", "impayé")
    assert states() == ["open"]
    assert journal.balances() == {"counter:cheque": 0, "invoices": 0}
    payments.settle_at_counter([CounterPayment(**{**cheque.__dict__, "reason": "chèque 2"})])


def test_a_chargeback_leaves_its_mark_on_the_attempt_and_its_invoice_may_be_paid_again(
    bank: TalkativeBank, paid: Handoff, october: Invoice
) -> None:
    settlement = payments.find_settlement("R000001")
    payments.record_repayment(settlement, RepaymentKind.CHARGEBACK, None, "Dominique", "contesté")
    attempt = Settlement.get().attempt
    assert attempt.state == "reversed"
    _, handoff = payments.start(Purchase(october.family, [october.number], 4520), bank, PUBLIC_URL)
    payments.record(bank.name, bank.report(handoff, trans_uuid="e" * 32), ISSUERS)
    assert Invoice.get_by_id(october.id).state == "paid"
    assert Receipt.select().count() == 2


# --- What is refused ---


@pytest.mark.parametrize("cents", [0, -1, 8746])
def test_no_more_is_given_back_than_remains(
    bank: TalkativeBank, paid: Handoff, refund: Refund, cents: int
) -> None:
    with pytest.raises(Refused, match=f"{sentences.AT_MOST} 87,45"):
        refund(cents)
    assert bank.refunds == []


def test_the_command_repeated_once_the_bank_has_answered_gives_nothing_back_again(
    bank: TalkativeBank, paid: Handoff, refund: Refund
) -> None:
    """As one does who was told that the bank did not answer, and did not see the timer ask it."""
    bank.answers = [[told(bank, paid, 500)]]
    assert refund(500).state == "done"
    with pytest.raises(Refused, match=r"24\u00a0novembre\u00a02026.*motif"):
        refund(500)
    assert (len(bank.refunds), Settlement.get().returned_cents) == (1, 500)
    # Another amount, or another reason, is another refund.
    bank.answers = [[told(bank, paid, 600, "d")], [told(bank, paid, 500, "e")]]
    refund(600)
    settlement = payments.find_settlement("R000001")
    asked = payments.ask_refund(settlement, 500, "Dominique", "second repas", bank)
    payments.send_refund(asked, bank, PUBLIC_URL, ISSUERS)
    assert Settlement.get().returned_cents == 1600


def test_what_was_noted_elsewhere_is_not_noted_twice_either(paid: Handoff) -> None:
    settlement = payments.find_settlement("R000001")
    for kind in (RepaymentKind.CHARGEBACK, RepaymentKind.REFUND):
        payments.record_repayment(settlement, kind, 500, "Dominique", "avis 123")
        with pytest.raises(Refused, match=sentences.ALREADY_DONE):
            payments.record_repayment(settlement, kind, 500, "Camille", " avis 123 ")
    assert Settlement.get().returned_cents == 1000


def test_a_request_that_the_bank_declined_may_be_made_again(
    bank: TalkativeBank, paid: Handoff, refund: Refund
) -> None:
    bank.answers = [Declined(sentences.NOT_YET_CAPTURED), [told(bank, paid, 500)]]
    assert [refund(500).state, refund(500).state] == ["declined", "done"]


def test_a_bank_that_gives_nothing_back_on_demand_is_said_so(
    bank: TalkativeBank, gateway: Gateway, paid: Handoff
) -> None:
    settlement = payments.find_settlement("R000001")
    for mute in (gateway, None):
        with pytest.raises(Refused, match="--elsewhere"):
            payments.ask_refund(settlement, None, "Dominique", "x", mute)


@pytest.mark.parametrize("name", ["R000002", "1", "", "R", "é" * 500, "1 OR 1=1", "-1", "9" * 30])
def test_a_payment_that_is_not_found_is_said_so(paid: Handoff, name: str) -> None:
    with pytest.raises(Refused, match=sentences.NOTHING_PAID_BY_IT):
        payments.find_settlement(name)


def test_a_paid_invoice_names_its_payment(paid: Handoff, october: Invoice) -> None:
    assert payments.find_settlement(october.number) == payments.find_settlement("R000001")


def test_charlies_receipt_number_names_charlies_payment_only(
    bank: TalkativeBank, paid: Handoff, charlies_family: Family
) -> None:
    theirs = make_invoice(charlies_family, "2026-10-0002", 100)
    _, handoff = payments.start(Purchase(charlies_family, [theirs.number], 100), bank, PUBLIC_URL)
    payments.record(bank.name, bank.report(handoff, trans_uuid="f" * 32), ISSUERS)
    assert payments.find_settlement("R000002").family == charlies_family


def test_a_refund_given_up_changes_no_other(
    bank: TalkativeBank, paid: Handoff, refund: Refund, frozen: Clock
) -> None:
    settlement = payments.find_settlement("R1")
    payments.record_repayment(settlement, RepaymentKind.REFUND, 520, "Dominique", "absence")
    bank.answers = [Unreachable("panne")]
    refund(1000)
    frozen.advance(minutes=3)
    payments.drop_refund(settlement, "Dominique", "rien vu")
    kept, dropped = Repayment.select().order_by(Repayment.id)
    assert kept.reason == "absence"
    assert (dropped.state, "rien vu" in dropped.reason) == ("declined", True)


# --- Seen at the bank ---

GIVEN = "c" * 32


def enter_refund(settlement: Settlement, name: str = GIVEN, reason: str = "vu") -> Repayment:
    return payments.record_repayment(
        settlement, RepaymentKind.REFUND, 500, "Dominique", reason, transaction_id=name
    )


def test_a_refund_is_entered_once_by_its_name(paid: Handoff) -> None:
    settlement = payments.find_settlement("R1")
    entered = enter_refund(settlement)
    assert (entered.state, entered.transaction_id, entered.amount_cents) == ("done", GIVEN, 500)
    with pytest.raises(Refused, match=sentences.RECORDED_ALREADY):
        enter_refund(settlement, reason="encore")
    enter_refund(settlement, "d" * 32, reason="encore")
    assert Settlement.get().returned_cents == 1000


@pytest.mark.parametrize(
    ("changes", "left"),
    [
        ({}, False),
        ({"kind": "unmatched_refund"}, False),
        ({"kind": "unknown_order"}, False),
        ({"kind": "silent"}, True),
        ({"gateway": "autre"}, True),
        ({"transaction_id": "d" * 32}, True),
    ],
    ids=str,
)
def test_a_refund_entered_takes_off_the_list_what_its_bank_said_of_it_and_nothing_else(
    paid: Handoff, changes: dict[str, str], left: bool
) -> None:
    said = {"kind": "mismatch", "gateway": "banque", "transaction_id": GIVEN, **changes}
    Anomaly.create(key="x", noted_at=NOW, amount_cents=500, detail="?", **said)
    enter_refund(payments.find_settlement("R1"))
    point = Anomaly.get(Anomaly.key == "x")
    assert (point.resolved_at is None) == left
    if not left:
        assert (point.resolved_by, bool(point.resolution)) == ("Dominique", True)


@pytest.mark.parametrize("cents", [500, 0])
def test_a_refund_is_entered_for_what_the_bank_said_that_it_gave_back(
    paid: Handoff, cents: int
) -> None:
    with write():
        source = FactSource.BANK
        add_fact(Attempt.get(), GIVEN, AttemptState.REFUNDED, source=source, cents=cents)
    enter_refund(payments.find_settlement("R1"))
    assert Settlement.get().returned_cents == 500


def test_a_refund_is_not_entered_for_less_than_the_bank_said_of_that_one(
    bank: TalkativeBank, paid: Handoff
) -> None:
    payments.record(bank.name, told(bank, paid, 9000), ISSUERS)
    settlement = payments.find_settlement("R1")
    with pytest.raises(Refused, match="90,00"):
        enter_refund(settlement)
    enter_refund(settlement, "d" * 32)
    assert Settlement.get().returned_cents == 500


def test_what_no_bank_gave_back_has_no_name_at_a_bank(october: Invoice, paid: Handoff) -> None:
    with pytest.raises(Refused):
        enter_refund(payments.find_settlement("R1"), "")
    at_counter(make_invoice(october.family, "2026-11-0001", 4520))
    with pytest.raises(Refused):
        enter_refund(Settlement.get(Settlement.gateway.is_null()))
    assert Repayment.select().count() == 0


def test_a_single_cent_is_given_back_of_money_and_nothing_of_a_credit_note(
    october: Invoice,
) -> None:
    at_counter(october, amount_cents=1000)
    payments.record_repayment(Settlement.get(), RepaymentKind.REFUND, 1, "Dominique", "arrondi")
    note = make_invoice(october.family, "AV-1", -1200, state="nothing_due")
    payments.apply_credit(note.number, october.number, None, "Dominique", "accord")
    credit = Settlement.get(Settlement.credit_note == note)
    with pytest.raises(Refused, match="avoir"):
        payments.record_repayment(credit, RepaymentKind.REFUND, 1, "Dominique", "arrondi")
    assert Repayment.select().count() == 1
