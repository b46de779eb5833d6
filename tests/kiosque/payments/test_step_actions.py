"""A step that was advised, done as the button of a page does it."""

from dataclasses import replace

import pytest

from gateways.base import Declined, Handoff, Order, RefundRequest, Report, Unreachable
from kiosque import payments
from kiosque.db.models import (
    Allocation,
    Fact,
    Family,
    Invoice,
    Repayment,
    Settlement,
    Transmission,
)
from kiosque.language import clock
from kiosque.payments import Refused, steps
from kiosque.payments.payment_names import name_of
from kiosque.payments.step_actions import Doer, Filled, do, refund_by_bank, said_of_refund
from kiosque.payments.steps import Act, Blank, Step, Whose
from tests.conftest import ISSUERS, NOW, PUBLIC_URL, Clock, make_invoice
from tests.kiosque.payments.conftest import Hear, Pay, at_counter, check_invariants, effects
from tests.talkative import TalkativeBank

SEEN = Filled("vu à la banque")


@pytest.fixture
def by(bank: TalkativeBank) -> Doer:
    return Doer("Dominique", "", ISSUERS, {bank.name: bank}, PUBLIC_URL)


@pytest.fixture
def handoff(go: Pay, hear: Hear, october: Invoice) -> Handoff:
    _, handoff = go(october)
    hear(handoff, trans_status="CAPTURED")
    return handoff


@pytest.fixture
def paid(handoff: Handoff) -> Settlement:
    found = Settlement.get()
    assert isinstance(found, Settlement)
    return found


def test_an_invoice_at_the_bank_is_not_cancelled(go: Pay, october: Invoice, by: Doer) -> None:
    go(october)
    with pytest.raises(Refused, match=october.number):
        do(steps.cancel(october.number), SEEN, by)
    assert Invoice.get_by_id(october.id).state == "open"


def test_an_invoice_is_cancelled_and_named(
    october: Invoice, september: Invoice, go: Pay, by: Doer
) -> None:
    go(september)
    assert october.number in do(steps.cancel(october.number), SEEN, by)
    assert Invoice.get_by_id(october.id).state == "cancelled"


@pytest.mark.parametrize("cents", [None, 1000])
def test_the_bank_gives_back_a_part_or_all_and_only_it_says_so(
    paid: Settlement, handoff: Handoff, bank: TalkativeBank, by: Doer, cents: int | None
) -> None:
    wanted = cents or 4520
    given = {"amount": str(wanted), "effective_amount": str(wanted)}
    done = {"operation_type": "CREDIT", "trans_uuid": "c" * 32, "trans_id": "912345"}
    bank.answers = [[bank.report(handoff, **done, **given)]]
    said = do(Step(Act.REFUND, "R000001", cents=cents), SEEN, by)
    assert [each.cents for each in bank.refunds] == [wanted]
    assert Settlement.get_by_id(paid.id).returned_cents == wanted
    assert f"{wanted // 100},{wanted % 100:02}" in said
    check_invariants()


def test_what_the_bank_declined_or_left_unsaid_is_not_told_as_done(
    paid: Settlement, bank: TalkativeBank, by: Doer
) -> None:
    told = []
    for answer in (Declined("trop tard"), Unreachable("panne")):
        bank.answers = [answer]
        told.append(do(Step(Act.REFUND, "R000001", cents=1000), SEEN, by))
    assert "trop tard" in told[0]
    assert "10,00" in told[1]
    assert "trop tard" not in told[1]
    asked = Repayment.get(Repayment.state == "asked")
    left_unsaid = said_of_refund(asked)
    asked.state = "done"
    assert left_unsaid in told[1]
    assert said_of_refund(asked) != left_unsaid
    assert Settlement.get_by_id(paid.id).returned_cents == 0


def test_money_of_the_counter_is_asked_of_no_bank(october: Invoice, by: Doer) -> None:
    at_counter(october)
    before = effects()
    with pytest.raises(Refused):
        refund_by_bank(Settlement.get(), None, "absence", by)
    assert effects() == before


def test_what_the_bank_is_seen_to_have_given_back_bears_its_name(
    paid: Settlement, by: Doer
) -> None:
    step = Step(Act.REFUND, "R000001", cents=1000, transaction_id=Blank.TRANSACTION, elsewhere=True)
    do(step, Filled("vu", transaction_id="c" * 32), by)
    repayment = Repayment.get()
    assert (repayment.transaction_id, repayment.amount_cents) == ("c" * 32, 1000)
    assert (repayment.author, repayment.reason) == ("Dominique", "vu")
    check_invariants()


def test_another_regies_money_is_not_touched(paid: Settlement, by: Doer) -> None:
    stranger = Doer("Camille", "creche", ISSUERS, by.gateways, PUBLIC_URL)
    before = effects()
    for step in (steps.chargeback(paid), steps.refund_elsewhere(paid, 1000)):
        with pytest.raises(Refused):
            do(step, SEEN, stranger)
    assert effects() == before


def entered(whose: Whose) -> Step:
    return Step(Act.ENTER, "d" * 32, cents=4520, gateway="banque", whose=whose)


def test_a_debit_is_entered_for_the_family_or_the_invoice_that_is_named(
    october: Invoice, charlies_family: Family, by: Doer, frozen: Clock
) -> None:
    day = clock.today()
    for whose in (Whose.FAMILY, Whose.INVOICE):
        with pytest.raises(Refused):
            do(entered(whose), Filled("vu", family="F9999", invoice="X", day=day), by)
        with pytest.raises(Refused):
            do(entered(whose), Filled("vu", family="F1001", invoice=october.number), by)
    do(entered(Whose.FAMILY), Filled("vu", family=" F2002 ", day=day), by)
    assert Settlement.get().family == charlies_family
    check_invariants()


def test_a_debit_of_nobody_known_is_of_no_family(october: Invoice, by: Doer) -> None:
    do(entered(Whose.UNKNOWN), Filled("vu", family="F1001", day=clock.today()), by)
    assert Settlement.get().family is None


def test_a_debit_of_an_invoice_pays_it(october: Invoice, by: Doer) -> None:
    said = do(entered(Whose.INVOICE), Filled("vu", invoice=october.number, day=clock.today()), by)
    assert "R000001" in said
    assert Invoice.get_by_id(october.id).state == "paid"


def test_a_refund_that_the_bank_never_answered_is_given_up(
    paid: Settlement, bank: TalkativeBank, by: Doer, frozen: Clock
) -> None:
    bank.answers = [Unreachable("panne")]
    do(Step(Act.REFUND, "R000001", cents=1000), SEEN, by)
    frozen.advance(minutes=3)
    assert "10,00" in do(steps.drop_refund(paid), SEEN, by)
    assert Repayment.get().state == "declined"


def test_what_came_twice_pays_what_it_can_of_another_invoice(
    october: Invoice, september: Invoice, by: Doer
) -> None:
    at_counter(october, amount_cents=5520, is_extra=True)
    step = Step(Act.APPLY, name_of(Settlement.get()))
    said = do(step, Filled("accord", invoice=september.number), by)
    assert "32,25" in said
    assert Invoice.get_by_id(september.id).paid_cents == 1000
    check_invariants()


def test_what_a_chargeback_took_is_put_back(paid: Settlement, by: Doer) -> None:
    assert "45,20" in do(steps.chargeback(paid), SEEN, by)
    (back,) = steps.ways_to_restore(Settlement.get_by_id(paid.id))
    assert "45,20" in do(back, SEEN, by)
    assert Invoice.get().state == "paid"
    check_invariants()


def test_the_treasury_gives_an_invoice_back(october: Invoice, by: Doer) -> None:
    payments.transmit([october.number], "B-1", NOW.date(), "Dominique", "accord")
    assert "45,20" in do(steps.untransmit(october.number), SEEN, by)
    assert Invoice.get_by_id(october.id).state == "open"


def test_a_payment_without_an_answer_is_closed_by_who_says_so(
    go: Pay, october: Invoice, by: Doer, frozen: Clock
) -> None:
    attempt, _ = go(october)
    frozen.advance(days=2)
    assert attempt.reference in do(steps.close(attempt), SEEN, by)
    said = Fact.select().order_by(Fact.id.desc()).get()
    assert (said.state, said.status) == ("expired", f"{by.author} : {SEEN.reason}")


def test_a_refund_of_a_payment_that_the_step_leaves_to_name(paid: Settlement, by: Doer) -> None:
    step = Step(Act.REFUND, Blank.PAYMENT, Blank.AMOUNT, transaction_id="C" * 32, elsewhere=True)
    said = do(step, Filled("vu", cents=700, payment="R000001"), by)
    assert "R000001" in said
    assert "7,00" in said
    repayment = Repayment.get()
    assert (repayment.transaction_id, repayment.amount_cents) == ("c" * 32, 700)


def test_who_does_a_step_and_why_is_kept_with_it(
    october: Invoice, september: Invoice, by: Doer
) -> None:
    who = (by.author, SEEN.reason)
    do(steps.cancel(september.number), SEEN, by)
    assert Invoice.get_by_id(september.id).state_reason == " : ".join(who)
    payments.transmit([october.number], "B-1", NOW.date(), "Camille", "accord")
    do(steps.untransmit(october.number), SEEN, by)
    ended = Transmission.get()
    assert (ended.ended_by, ended.end_reason) == who
    at_counter(october, mode="cheque")
    settlement = Settlement.get()
    do(steps.chargeback(settlement), SEEN, by)
    repayment = Repayment.get()
    assert (repayment.kind, repayment.author, repayment.reason) == ("chargeback", *who)
    do(Step(Act.RESTORE, name_of(settlement), cents=Blank.AMOUNT), Filled("revenu", 4520), by)
    restored = Repayment.get()
    assert by.author in restored.reason
    assert "revenu" in restored.reason


def test_a_part_of_what_came_twice_pays_another_invoice_for_who_says_so(
    october: Invoice, september: Invoice, by: Doer
) -> None:
    at_counter(october, amount_cents=5520, is_extra=True)
    do(Step(Act.APPLY, name_of(Settlement.get())), Filled("vu", 300, september.number), by)
    part = Allocation.get(Allocation.invoice == september)
    assert (part.amount_cents, part.author, part.reason) == (300, by.author, "vu")


def test_a_debit_without_an_amount_is_refused_and_one_entered_bears_who_says_so(
    go: Pay, october: Invoice, september: Invoice, by: Doer
) -> None:
    go(september)
    attempt, _ = go(october)
    step = Step(
        Act.ENTER,
        Blank.TRANSACTION,
        Blank.AMOUNT,
        gateway="banque",
        whose=Whose.ATTEMPT,
        reference=attempt.reference,
    )
    filled = Filled("vu", day=clock.today(), transaction_id="D" * 32)
    with pytest.raises(Refused):
        do(step, filled, by)
    said = do(step, replace(filled, cents=1000), by)
    assert "10,00" in said
    assert "R000001" not in said
    made = Settlement.get()
    assert (made.attempt, made.transaction_id, made.gateway) == (attempt, "d" * 32, "banque")
    assert (made.author, made.reason) == (by.author, "vu")


def test_an_invoice_of_another_regie_is_not_paid_by_a_debit_of_this_one(
    alices_family: Family, by: Doer
) -> None:
    theirs = make_invoice(alices_family, "2026-11-0009", 4520, regie="creche")
    by = replace(by, issuers=replace(ISSUERS, regie_by_gateway={"banque": "creche"}))
    with pytest.raises(Refused):
        do(entered(Whose.INVOICE), Filled("vu", invoice=theirs.number, day=clock.today()), by)


def test_of_two_sums_that_left_the_one_that_the_step_says_is_put_back(
    paid: Settlement, by: Doer
) -> None:
    for cents in (1000, 300):
        do(steps.refund_elsewhere(paid, cents), Filled(f"rendu {cents}"), by)
    said = do(Step(Act.RESTORE, "R000001", cents=1000), SEEN, by)
    assert "10,00" in said
    assert Settlement.get().returned_cents == 300
    check_invariants()


def test_money_without_a_use_pays_an_invoice_whole_with_a_receipt(
    october: Invoice, by: Doer
) -> None:
    do(entered(Whose.FAMILY), Filled("vu", family="F1001", day=clock.today()), by)
    said = do(Step(Act.APPLY, "d" * 32), Filled("accord", invoice=october.number), by)
    assert said.endswith(f"{'d' * 32}.")
    assert name_of(Settlement.get()) == "R000001"
    assert Invoice.get_by_id(october.id).state == "paid"
    check_invariants()


def test_the_bank_is_asked_for_a_refund_from_the_address_of_this_site(
    paid: Settlement, bank: TalkativeBank, by: Doer, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[Order] = []

    def refund(order: Order, _request: RefundRequest) -> list[Report]:
        heard.append(order)
        raise Unreachable("panne")

    monkeypatch.setattr(bank, "refund", refund)
    said = do(Step(Act.REFUND, "R000001", cents=1000), SEEN, by)
    assert "interrogée" in said
    (order,) = heard
    assert order.return_url.startswith(PUBLIC_URL)
