"""A human puts right what only a human knows, by one command each, with a name and a reason.

Alice pays; Charlie has another family; Dominique keeps the books.
"""

from dataclasses import replace
from datetime import timedelta

import pytest

from kiosque import payments
from kiosque.db.models import (
    Allocation,
    Anomaly,
    Attempt,
    Family,
    Invoice,
    JournalEntry,
    Receipt,
    Repayment,
    Settlement,
)
from kiosque.db.states import InvoiceState, RepaymentKind
from kiosque.language import formats
from kiosque.payments import BankPayment, Refused, journal, verification
from kiosque.payments.words import INVOICE_STATES
from tests import sentences
from tests.conftest import ISSUERS, NOW, Clock, make_family, make_invoice
from tests.kiosque.payments.conftest import (
    Hear,
    Pay,
    advised_lines,
    at_counter,
    effects,
    gave_back,
    state_of,
)
from tests.talkative import TalkativeBank

pytestmark = pytest.mark.usefixtures("sound_books")

WHO = ("Dominique", "vu au back office")
CANCELLED = {"trans_status": "CANCELLED"}
FAILED, CAPTURED = {"trans_status": "CAPTURE_FAILED"}, {"trans_status": "CAPTURED"}


def on_list(kind: str = "") -> list[str]:
    """Return what the régisseur has to deal with."""
    return [each.detail for each in payments.open_anomalies() if kind in ("", each.kind)]


def advised() -> list[str]:
    return [line for point in payments.open_anomalies() for line in advised_lines(point)]


def accounts() -> dict[str, int]:
    """Return what the journal holds."""
    return {name: cents for name, cents in journal.balances().items() if cents}


def owed() -> int:
    return -journal.balances().get("overpayments", 0)


def seen(cents: int = 4520, uuid: str = "e" * 32, **changes: object) -> BankPayment:
    """A debit that the bank shows and that our books lack."""
    values = {"gateway": "banque", "transaction_id": uuid, "amount_cents": cents,
              "paid_on": NOW.date(), "author": WHO[0], "reason": WHO[1]}  # fmt: skip
    return BankPayment(**{**values, **changes})  # type: ignore[arg-type]


def apply(settlement: Settlement, number: str) -> None:
    payments.apply_overpayment(settlement, number, *WHO, ISSUERS)


# --- Restored ---


def test_a_refund_that_the_bank_cancelled_is_restored_and_the_invoice_is_paid_again(
    go: Pay, hear: Hear, october: Invoice
) -> None:
    attempt, handoff = go(october)
    hear(handoff, **CAPTURED)
    hear(handoff, **gave_back(4520))
    hear(handoff, **{**gave_back(4520), **CANCELLED})
    assert (state_of(attempt), state_of(october)) == ("refunded", "open")
    assert any("restore-payment R000001 --amount 45,20" in line for line in advised())
    payments.restore(payments.find_settlement("R1"), None, *WHO)
    assert (state_of(attempt), state_of(october)) == ("paid", "paid")
    assert accounts() == {"bank:banque": 4520, "invoices": -4520}
    last = JournalEntry.select().order_by(JournalEntry.number.desc()).get()
    assert "Dominique : vu au back office" in last.label
    assert on_list() == []


def test_a_remittance_that_failed_then_passed_is_restored(
    go: Pay, hear: Hear, october: Invoice
) -> None:
    attempt, handoff = go(october)
    for status in ({}, FAILED, CAPTURED):
        hear(handoff, **status)
    assert (state_of(attempt), state_of(october)) == ("reversed", "open")
    assert any("restore-payment R000001" in line for line in advised())
    payments.restore(payments.find_settlement("R1"), None, *WHO)
    assert (state_of(attempt), state_of(october)) == ("paid", "paid")
    assert Receipt.select().count() == 1
    assert on_list() == []


def test_what_was_restored_may_leave_again_and_be_restored_again(
    go: Pay, hear: Hear, october: Invoice
) -> None:
    attempt, handoff = go(october)
    hear(handoff)
    hear(handoff, **FAILED)
    settlement = payments.find_settlement("R1")
    payments.restore(settlement, None, *WHO)
    hear(handoff, **CANCELLED)
    assert (state_of(attempt), state_of(october)) == ("reversed", "open")
    assert on_list("reversed") != []
    payments.restore(settlement, None, "Dominique", "remis le 4")
    assert (state_of(attempt), state_of(october)) == ("paid", "paid")
    payments.record_repayment(settlement, RepaymentKind.REFUND, None, "Dominique", "virement")
    assert (state_of(attempt), state_of(october)) == ("refunded", "open")


def test_restored_money_of_an_invoice_paid_otherwise_since_is_owed_to_the_family(
    go: Pay, hear: Hear, october: Invoice
) -> None:
    attempt, handoff = go(october)
    hear(handoff)
    hear(handoff, **FAILED)
    at_counter(october)
    payments.restore(payments.find_settlement("R1"), None, *WHO)
    assert (state_of(attempt), state_of(october), owed()) == ("paid", "paid", 4520)
    assert on_list("overpayment") != []


def test_a_part_given_back_in_vain_is_restored_and_what_came_twice_is_owed_again(
    go: Pay, hear: Hear, october: Invoice
) -> None:
    _, handoff = go(october)
    hear(handoff)
    hear(handoff, trans_uuid="b" * 32)
    hear(handoff, **gave_back(4520), parent="b" * 32)
    assert on_list("overpayment") == []
    payments.restore(payments.find_settlement("R2"), 4520, *WHO)
    assert owed() == 4520
    assert on_list("overpayment") != []
    payments.record_repayment(
        payments.find_settlement("R1"), RepaymentKind.REFUND, 1000, "Dominique", "absence"
    )
    payments.restore(payments.find_settlement("R1"), 1000, "Dominique", "chèque jamais parti")
    assert owed() == 4520


def test_a_chargeback_won_is_restored_at_the_counter_too(october: Invoice) -> None:
    at_counter(october, mode="cheque")
    settlement = payments.find_settlement(october.number)
    payments.record_repayment(settlement, RepaymentKind.CHARGEBACK, None, "Dominique", "rejet")
    assert state_of(october) == "open"
    payments.restore(settlement, None, "Dominique", "représenté, payé")
    assert state_of(october) == "paid"
    assert journal.balances()["counter:cheque"] == 4520


def test_nothing_is_restored_twice_nor_without_a_name_nor_by_guessing(
    go: Pay, hear: Hear, october: Invoice
) -> None:
    _, handoff = go(october)
    hear(handoff)
    settlement = payments.find_settlement("R1")
    for cents, why in ((1000, "absence"), (500, "erreur")):
        payments.record_repayment(settlement, RepaymentKind.REFUND, cents, "Dominique", why)
    before = effects()
    for cents, author, reason in (
        (None, *WHO),
        (700, *WHO),
        (1000, "", "vu"),
        (1000, "Dominique", " "),
    ):
        with pytest.raises(Refused):
            payments.restore(settlement, cents, author, reason)
    assert effects() == before
    payments.restore(settlement, 1000, *WHO)
    with pytest.raises(Refused, match=sentences.ALREADY_DONE):
        payments.restore(settlement, 500, *WHO)
    assert Settlement.get_by_id(settlement.id).returned_cents == 500


def test_a_part_restored_pays_no_invoice_while_the_bank_has_the_rest(
    go: Pay, hear: Hear, october: Invoice
) -> None:
    attempt, handoff = go(october)
    hear(handoff)
    hear(handoff, **gave_back(500))
    hear(handoff, **CANCELLED)
    before, listed = effects(), on_list()
    with pytest.raises(Refused, match="40,20"):
        payments.restore(payments.find_settlement("R1"), 500, *WHO)
    assert (effects(), on_list()) == (before, listed)
    assert (state_of(attempt), state_of(october)) == ("reversed", "open")
    assert any("restore-payment R000001 --amount 40,20" in line for line in advised())
    payments.restore(payments.find_settlement("R1"), 4020, *WHO)
    assert state_of(october) == "paid"
    assert [point.kind for point in payments.open_anomalies()] == ["partial_refund"]
    payments.restore(payments.find_settlement("R1"), 500, "Dominique", "annulé aussi")
    assert accounts() == {"bank:banque": 4520, "invoices": -4520}
    assert on_list("partial_refund") == []


def test_what_a_chargeback_left_is_restored_before_what_was_given_by_hand(
    october: Invoice,
) -> None:
    at_counter(october, mode="cheque")
    settlement = payments.find_settlement(october.number)
    payments.record_repayment(settlement, RepaymentKind.REFUND, 300, "Dominique", "absence")
    payments.record_repayment(settlement, RepaymentKind.CHARGEBACK, None, "Dominique", "rejet")
    with pytest.raises(Refused, match="42,20"):
        payments.restore(settlement, 300, *WHO)
    assert state_of(october) == "open"
    payments.restore(settlement, 4220, *WHO)
    assert state_of(october) == "paid"
    assert accounts() == {"counter:cheque": 4220, "invoices": -4520, "refunds": 300}


def test_a_refund_after_a_restoration_is_asked_of_the_bank_for_the_same_debit(
    bank: TalkativeBank, go: Pay, hear: Hear, october: Invoice
) -> None:
    _, handoff = go(october)
    hear(handoff, **CAPTURED)
    hear(handoff, **gave_back(4520))
    settlement = payments.find_settlement("R1")
    payments.restore(settlement, None, *WHO)
    hear(handoff, **gave_back(4520, "d"))
    assert Settlement.get_by_id(settlement.id).state == "refunded"
    assert state_of(october) == "open"


# --- A trop-perçu for another invoice ---


def test_what_came_twice_pays_another_invoice_of_the_family(
    go: Pay, hear: Hear, october: Invoice, alices_family: Family
) -> None:
    _, handoff = go(october)
    at_counter(october)
    hear(handoff)
    november = make_invoice(alices_family, "2026-11-0001", 4520)
    assert any("apply-overpayment R000001 FACTURE" in line for line in advised())
    assert any("refund R000001 --amount 45,20" in line for line in advised())
    apply(payments.find_settlement("R1"), november.number)
    assert (state_of(november), owed(), on_list()) == ("paid", 0, [])
    part = Allocation.get(Allocation.invoice == november)
    assert (part.author, part.reason) == WHO
    last = JournalEntry.select().order_by(JournalEntry.number.desc()).get()
    assert (last.debit, last.credit, last.amount_cents) == ("overpayments", "invoices", 4520)
    assert "Dominique : vu au back office" in last.label


def test_what_is_over_stays_owed_and_listed(
    go: Pay, hear: Hear, october: Invoice, alices_family: Family
) -> None:
    _, handoff = go(october)
    at_counter(october)
    hear(handoff)
    november = make_invoice(alices_family, "2026-11-0001", 3000)
    apply(payments.find_settlement("R1"), november.number)
    assert (state_of(november), owed()) == ("paid", 1520)
    (point,) = payments.open_anomalies()
    assert point.amount_cents == 1520
    # Its invoice opens again once all of that payment has left.
    hear(handoff, **CANCELLED)
    assert (state_of(november), state_of(october), owed()) == ("open", "paid", 0)


def withdraw(settlement: Settlement, number: str, **agreed: int) -> int:
    return payments.withdraw_overpayment(settlement, number, "Camille", "erreur", **agreed)


def test_what_was_applied_to_the_wrong_invoice_is_owed_again_and_may_pay_another(
    go: Pay, hear: Hear, october: Invoice, alices_family: Family
) -> None:
    _, handoff = go(october)
    at_counter(october)
    hear(handoff)
    rows = Allocation.select().order_by(Allocation.id).dicts()
    before = (accounts(), on_list(), [*rows.clone()])
    november, december = (make_invoice(alices_family, f"2026-{n}-0001", 4520) for n in (11, 12))
    twice = payments.find_settlement("R1")
    apply(twice, november.number)
    applied = JournalEntry.select().order_by(JournalEntry.number.desc()).get()
    assert withdraw(twice, november.number) == 4520
    assert (state_of(november), owed(), len(on_list("overpayment"))) == ("open", 4520, 1)
    assert (accounts(), on_list(), [*rows.clone()]) == before
    last = JournalEntry.select().order_by(JournalEntry.number.desc()).get()
    assert (last.debit, last.credit, last.amount_cents) == ("invoices", "overpayments", 4520)
    assert (last.corrects, "(Camille : erreur)" in last.label) == (applied.number, True)
    apply(twice, december.number)
    assert (state_of(december), owed(), on_list()) == ("paid", 0, [])


def test_a_part_that_was_applied_is_taken_back_and_told_with_the_rest(
    go: Pay, hear: Hear, october: Invoice, alices_family: Family
) -> None:
    _, handoff = go(october)
    at_counter(october)
    hear(handoff)
    november = make_invoice(alices_family, "2026-11-0001", 3000)
    apply(payments.find_settlement("R1"), november.number)
    withdraw(payments.find_settlement("R1"), november.number)
    (point,) = payments.open_anomalies()
    assert (point.amount_cents, owed(), state_of(november)) == (4520, 4520, "open")
    assert Invoice.get_by_id(november.id).paid_cents == 0


def test_money_of_another_amount_that_was_applied_matches_nothing_again(
    go: Pay, hear: Hear, october: Invoice
) -> None:
    _, handoff = go(october)
    hear(handoff, amount="5000")
    debit = Settlement.get()
    apply(debit, october.number)
    withdraw(debit, october.number)
    assert (state_of(october), journal.balances()["unmatched"]) == ("open", -5000)
    assert sum(each.amount_cents for each in payments.open_anomalies()) >= 5000
    apply(debit, october.number)
    assert state_of(october) == "paid"


def test_what_is_taken_off_an_invoice_is_paid_by_what_came_for_it_meanwhile(
    october: Invoice, alices_family: Family
) -> None:
    november = make_invoice(alices_family, "2026-11-0001", 4520)
    at_counter(october)
    at_counter(october, reason="encore", is_extra=True)
    twice = Settlement.get(Settlement.reason == "encore")
    apply(twice, november.number)
    at_counter(november, is_extra=True)
    assert owed() == 4520
    withdraw(twice, november.number)
    assert (state_of(november), owed()) == ("paid", 4520)
    (point,) = payments.open_anomalies()
    assert point.settlement == twice


def test_only_what_a_human_applied_is_taken_back_and_once(
    go: Pay, hear: Hear, october: Invoice, alices_family: Family
) -> None:
    _, handoff = go(october)
    at_counter(october)
    hear(handoff)
    november = make_invoice(alices_family, "2026-11-0001", 4520)
    twice = payments.find_settlement("R1")
    apply(twice, november.number)
    counter = Settlement.get(Settlement.gateway.is_null())
    before = JournalEntry.select().count()
    for settlement, number in ((counter, october.number), (twice, october.number), (twice, "X")):
        with pytest.raises(Refused):
            withdraw(settlement, number)
    for wrong in ("", " "):
        with pytest.raises(Refused):
            payments.withdraw_overpayment(twice, november.number, "Camille", wrong)
    with pytest.raises(Refused):
        withdraw(twice, november.number, agreed=4519)
    assert JournalEntry.select().count() == before
    withdraw(twice, november.number, agreed=4520)
    with pytest.raises(Refused):
        withdraw(twice, november.number)


def test_what_the_treasury_collects_since_is_the_treasurys_again(
    go: Pay, hear: Hear, october: Invoice, alices_family: Family
) -> None:
    _, handoff = go(october)
    at_counter(october)
    hear(handoff)
    november = make_invoice(alices_family, "2026-11-0001", 9000)
    apply(payments.find_settlement("R1"), november.number)
    payments.transmit([november.number], "B-12", NOW.date(), *WHO)
    withdraw(payments.find_settlement("R1"), november.number)
    assert (state_of(november), Invoice.get_by_id(november.id).paid_cents) == ("transmitted", 0)


@pytest.mark.parametrize("closed", [False, True], ids=["held by it", "closed"])
def test_a_debit_of_another_amount_pays_an_invoice_once_a_human_says_so(
    go: Pay, hear: Hear, october: Invoice, closed: bool
) -> None:
    _, handoff = go(october)
    hear(handoff, amount="5000")
    settlement = Settlement.get()
    if closed:
        payments.close_attempt(Attempt.get().reference, *WHO)
    assert any(f"apply-overpayment {settlement.transaction_id}" in line for line in advised())
    found = payments.find_settlement(settlement.transaction_id.upper())
    apply(found, october.number)
    assert state_of(october) == "paid"
    assert journal.balances()["unmatched"] == -480


def test_no_money_goes_to_an_invoice_that_the_family_is_at_the_bank_for_with_another_payment(
    go: Pay, hear: Hear, october: Invoice
) -> None:
    _, handoff = go(october)
    hear(handoff, amount="5000")
    payments.close_attempt(Attempt.get().reference, *WHO)
    go(october)
    until = formats.long_instant(Attempt.get(Attempt.state == "handed_off").live_until)
    with pytest.raises(Refused, match=f"{sentences.AT_THE_BANK_FOR_IT}, jusqu’au {until}"):
        apply(Settlement.get(), october.number)
    assert state_of(october) == "open"


@pytest.mark.parametrize("case", ["charlie", "paid", "unknown", "regie", "nothing"])
def test_an_overpayment_goes_to_no_invoice_that_it_cannot_pay(
    go: Pay, hear: Hear, october: Invoice, alices_family: Family, case: str
) -> None:
    _, handoff = go(october)
    at_counter(october)
    hear(handoff)
    other = {
        "charlie": lambda: make_invoice(make_family("F2002", "Charlie"), "C1", 4520),
        "paid": lambda: october,
        "unknown": lambda: Invoice(number="9" * 31),
        "regie": lambda: make_invoice(alices_family, "B1", 4520, regie="multi-accueil"),
        "nothing": lambda: make_invoice(alices_family, "B1", 4520),
    }[case]()
    if case == "nothing":
        payments.record_repayment(
            payments.find_settlement("R1"), RepaymentKind.REFUND, None, "Dominique", "virement"
        )
    before, balances = effects(), journal.balances()
    why = {
        "charlie": "famille",
        "regie": "régie",
        "paid": f"pas à régler \\({INVOICE_STATES[InvoiceState.PAID]}\\)",
        "unknown": f"^Facture {'9' * 30}\u00a0:",
    }
    with pytest.raises(Refused, match=why.get(case)):
        apply(payments.find_settlement("R1"), other.number)
    with pytest.raises(Refused):
        payments.apply_overpayment(payments.find_settlement("R1"), other.number, "", "", ISSUERS)
    assert (effects(), journal.balances()) == (before, balances)


# --- A payment that only the bank knows ---


def test_a_payment_lost_with_the_database_pays_its_invoice_with_a_receipt(october: Invoice) -> None:
    payments.enter(seen(), october, ISSUERS)
    assert state_of(october) == "paid"
    settlement = payments.find_settlement("R1")
    assert (settlement.author, settlement.reason, settlement.mode) == (*WHO, "card")
    assert journal.balances() == {"bank:banque": 4520, "invoices": -4520}
    assert "Dominique : vu au back office" in JournalEntry.get().label
    with pytest.raises(Refused, match=sentences.RECORDED_ALREADY):
        payments.enter(seen(), october, ISSUERS)


def test_a_payment_made_by_hand_is_the_debit_of_the_attempt_and_its_late_notice_changes_nothing(
    go: Pay, hear: Hear, october: Invoice
) -> None:
    attempt, handoff = go(october)
    payments.enter(seen(), attempt, ISSUERS)
    assert (state_of(attempt), state_of(october)) == ("paid", "paid")
    before = journal.last()
    hear(handoff, trans_uuid="e" * 32)
    assert journal.last() == before
    assert on_list() == []


def test_an_invoice_that_the_family_is_at_the_bank_for_is_not_paid_by_hand_but_its_attempt_is(
    go: Pay, october: Invoice
) -> None:
    attempt, _ = go(october)
    before = effects()
    with pytest.raises(Refused, match=attempt.reference):
        payments.enter(seen(), october, ISSUERS)
    assert effects() == before
    payments.enter(seen(), attempt, ISSUERS)
    assert (state_of(attempt), state_of(october)) == ("paid", "paid")


@pytest.mark.parametrize("kept", [False, True], ids=["for its invoice", "for the family"])
def test_a_debit_entered_by_hand_is_its_attempts_once_the_bank_says_so(
    go: Pay, hear: Hear, frozen: Clock, october: Invoice, kept: bool
) -> None:
    attempt, handoff = go(october)
    frozen.advance(minutes=16)
    payments.enter(seen(), october.family if kept else october, ISSUERS)
    hear(handoff, trans_uuid="e" * 32)
    hear(handoff, trans_uuid="e" * 32)
    assert (state_of(attempt), state_of(october)) == ("paid", "paid")
    assert accounts() == {"bank:banque": 4520, "invoices": -4520}
    assert (Settlement.select().count(), Receipt.select().count()) == (1, 1)
    assert on_list() == []
    hear(handoff, **gave_back(4520))
    assert (state_of(attempt), state_of(october)) == ("refunded", "open")


def test_a_debit_that_the_bank_cancelled_before_it_was_entered_stays_apart_from_its_attempt(
    go: Pay, hear: Hear, october: Invoice
) -> None:
    _, handoff = go(october)
    hear(handoff, trans_uuid="e" * 32, **CANCELLED)
    payments.enter(seen(), october.family, ISSUERS)
    hear(handoff, trans_uuid="e" * 32)
    assert (Settlement.get().attempt, state_of(october)) == (None, "open")


@pytest.mark.parametrize("cents", [4520, 5000])
@pytest.mark.parametrize("passed", [False, True], ids=["unsaid", "said to have passed since"])
def test_a_debit_that_the_bank_undid_first_is_entered_for_its_attempt_and_may_leave_again(
    go: Pay, hear: Hear, october: Invoice, passed: bool, cents: int
) -> None:
    attempt, handoff = go(october)
    said = {"trans_uuid": "e" * 32, "amount": str(cents), "effective_amount": str(cents)}
    hear(handoff, **said, **FAILED)
    if passed:
        hear(handoff, **said, **CAPTURED)
    awaited = cents == 4520
    payments.enter(seen(cents), attempt, ISSUERS)
    entered = ("paid", "paid") if awaited else ("pending", "open")
    assert (state_of(attempt), state_of(october)) == entered
    assert verification.faults() == []
    hear(handoff, **said, **CANCELLED)
    assert (state_of(attempt), state_of(october)) == ("reversed", "open")
    assert accounts() == {}


def test_a_refund_of_a_debit_entered_without_its_attempt_leads_to_it(
    go: Pay, hear: Hear, frozen: Clock, october: Invoice
) -> None:
    _, handoff = go(october)
    frozen.advance(minutes=16)
    payments.enter(seen(), october, ISSUERS)
    hear(handoff, **gave_back(4520), parent="e" * 32)
    command = f"refund R000001 --amount 45,20 --elsewhere --transaction {'c' * 32}"
    assert any(command in line for line in advised())
    payments.record_repayment(
        payments.find_settlement("R1"), RepaymentKind.REFUND, 4520, *WHO, transaction_id="c" * 32
    )
    assert (state_of(october), accounts(), on_list()) == ("open", {}, [])


def test_a_refund_that_the_bank_told_of_is_not_entered_again(
    go: Pay, hear: Hear, october: Invoice
) -> None:
    _, handoff = go(october)
    hear(handoff)
    hear(handoff, **gave_back(1000))
    debit, before = payments.find_settlement("R1"), effects()
    with pytest.raises(Refused, match=sentences.RECORDED_ALREADY):
        payments.record_repayment(debit, RepaymentKind.REFUND, 1000, *WHO, transaction_id="c" * 32)
    assert effects() == before


def test_a_debit_is_not_said_undone_for_another_that_is(
    go: Pay, hear: Hear, october: Invoice
) -> None:
    hear(go(october)[1], **CANCELLED, amount="1", effective_amount="1", trans_uuid="e" * 32)
    assert payments.was_said_undone(seen())
    assert not payments.was_said_undone(seen(uuid="f" * 32))


def test_the_name_of_a_refund_is_not_entered_as_a_debit(
    go: Pay, hear: Hear, october: Invoice, alices_family: Family
) -> None:
    _, handoff = go(october)
    hear(handoff, **CAPTURED)
    hear(handoff, **gave_back(1000))
    before = effects()
    with pytest.raises(Refused, match="remboursement de 10,00"):
        payments.enter(seen(1000, "c" * 32), alices_family, ISSUERS)
    assert effects() == before


def test_a_debit_entered_for_another_family_is_told_and_stays_theirs(
    go: Pay, hear: Hear, october: Invoice
) -> None:
    _, handoff = go(october)
    charlies = make_family("F2002", "Charlie")
    payments.enter(seen(), charlies, ISSUERS)
    hear(handoff, trans_uuid="e" * 32)
    assert (Settlement.get().family, state_of(october)) == (charlies, "open")
    assert len(on_list("mismatch")) == 2


def test_a_payment_of_another_amount_is_kept_until_it_has_a_use(
    go: Pay, october: Invoice, alices_family: Family
) -> None:
    attempt, _ = go(october)
    payments.enter(seen(5000), attempt, ISSUERS)
    assert (state_of(attempt), state_of(october)) == ("pending", "open")
    payments.enter(seen(2000, "f" * 32), alices_family, ISSUERS)
    assert journal.balances()["unmatched"] == -7000
    assert len(on_list("mismatch")) == 2
    november = make_invoice(alices_family, "2026-11-0001", 2000)
    apply(payments.find_settlement("f" * 32), november.number)
    assert state_of(november) == "paid"
    assert len(on_list("mismatch")) == 1


def test_a_payment_of_an_invoice_paid_since_is_owed_to_the_family(october: Invoice) -> None:
    at_counter(october)
    payments.enter(seen(), october, ISSUERS)
    assert owed() == 4520
    assert on_list("overpayment") != []
    # The bank knows nothing of an order of ours: it is given back otherwise.
    assert any("--elsewhere" in line for line in advised())


def test_an_unknown_order_leads_to_the_command_that_enters_it(
    go: Pay, hear: Hear, october: Invoice, september: Invoice
) -> None:
    _, handoff = go(september)
    hear(handoff, order_id="KF000000000000000000", trans_uuid="e" * 32, amount="4520")
    command = next(line for line in advised() if "enter-payment" in line)
    assert f"enter-payment {'e' * 32} --gateway banque --amount 45,20" in command
    payments.enter(seen(), october, ISSUERS)
    assert on_list() == []


def test_a_payment_whose_currency_was_odd_is_entered_from_the_list(
    go: Pay, hear: Hear, october: Invoice
) -> None:
    attempt, handoff = go(october)
    hear(handoff, currency="840", trans_uuid="e" * 32)
    (point,) = payments.open_anomalies()
    assert point.amount_cents == 0
    (command,) = (line for line in advised_lines(point) if "enter-payment" in line)
    assert f"--attempt {attempt.reference}" in command
    assert "--amount MONTANT" in command  # what 45.20 dollars are in euros, nobody said
    payments.enter(seen(), attempt, ISSUERS)
    assert (state_of(october), on_list()) == ("paid", [])


@pytest.mark.parametrize(
    "changes",
    [
        {"amount_cents": 4521},
        {"amount_cents": 0},
        {"amount_cents": -4520},
        {"paid_on": NOW.date() + timedelta(days=1)},
        {"paid_on": NOW.date() - timedelta(days=4000)},
        {"transaction_id": ""},
        {"transaction_id": "a" * 65},
        {"transaction_id": "vu le 3"},
        {"transaction_id": "é"},
        {"transaction_id": "a\n"},
        {"transaction_id": "a\x00"},
        {"author": ""},
        {"reason": " "},
    ],
)
def test_a_payment_that_cannot_be_is_not_entered(
    october: Invoice, frozen: Clock, changes: dict[str, object]
) -> None:
    del frozen
    before = effects()
    with pytest.raises(Refused):
        payments.enter(seen(**changes), october, ISSUERS)
    assert effects() == before


def test_a_payment_at_the_bank_of_another_regie_pays_no_invoice(october: Invoice) -> None:
    issuers = replace(ISSUERS, regie_by_gateway={"petite-enfance": "multi-accueil"})
    with pytest.raises(Refused, match=sentences.OF_ANOTHER_REGIE):
        payments.enter(seen(gateway="petite-enfance"), october, issuers)
    assert Settlement.select().count() == 0


def test_a_debit_at_the_former_bank_of_a_regie_is_of_that_regie(
    go: Pay, bank: TalkativeBank, frozen: Clock, october: Invoice, alices_family: Family
) -> None:
    issuers = replace(ISSUERS, regie_by_gateway={"nouvelle": "creche"})
    Invoice.update(regie="creche").where(Invoice.id == october.id).execute()
    _, handoff = go(Invoice.get_by_id(october.id))
    frozen.advance(minutes=16)
    unknown = bank.report(handoff, order_id="KF000000000000000000", trans_uuid="d" * 32)
    payments.record(bank.name, unknown, issuers)
    assert [point.regie for point in payments.open_anomalies()] == ["creche"]
    payments.enter(seen(2000, "f" * 32), alices_family, issuers)
    assert Settlement.get().regie == "creche"
    payments.enter(seen(), Invoice.get_by_id(october.id), issuers)
    assert state_of(october) == "paid"


def test_a_debit_that_has_left_is_restored_rather_than_entered_again(
    go: Pay, hear: Hear, october: Invoice
) -> None:
    attempt, handoff = go(october)
    hear(handoff)
    hear(handoff, **FAILED)
    known = str(Settlement.get().transaction_id)
    with pytest.raises(Refused, match="restore-payment"):
        payments.enter(seen(uuid=known), attempt, ISSUERS)


def test_a_debit_older_than_its_payment_or_than_two_years_is_not_entered(
    go: Pay, october: Invoice
) -> None:
    attempt, _ = go(october)
    for about, days in ((attempt, 1), (october.family, 732)):
        with pytest.raises(Refused):
            payments.enter(seen(paid_on=NOW.date() - timedelta(days=days)), about, ISSUERS)
    assert Settlement.select().count() == 0
    payments.enter(seen(paid_on=NOW.date() - timedelta(days=731)), october.family, ISSUERS)


def entered(cents: int, about: Invoice, name: str = "u" * 32) -> Settlement:
    payment = BankPayment("banque", name, cents, NOW.date(), *WHO)
    return payments.enter(payment, about.family, ISSUERS)


@pytest.mark.parametrize("cents", [0, -1, 1001, 4521])
def test_a_part_that_cannot_be_is_not_taken_of_money_without_a_use(
    october: Invoice, cents: int
) -> None:
    debit = entered(1000, october)
    before = effects()
    with pytest.raises(Refused):
        payments.apply_overpayment(debit, october.number, *WHO, ISSUERS, cents)
    assert effects() == before


def test_without_an_amount_money_that_was_given_back_in_part_pays_what_is_left_of_it(
    october: Invoice,
) -> None:
    debit = entered(5000, october)
    payments.record_repayment(debit, RepaymentKind.REFUND, 3000, *WHO)
    apply(debit, october.number)
    assert Invoice.get_by_id(october.id).remaining_cents == 2520


def test_of_two_parts_without_a_use_the_one_that_is_enough_is_taken(
    go: Pay, hear: Hear, october: Invoice, september: Invoice
) -> None:
    _, handoff = go(october, september)
    for invoice in (october, september):
        at_counter(invoice)
    hear(handoff)
    november = make_invoice(october.family, "2026-11-0001", 6000)
    debit = payments.find_settlement("R1")
    payments.apply_overpayment(debit, november.number, *WHO, ISSUERS, 4400)
    assert (Invoice.get_by_id(november.id).remaining_cents, owed()) == (1600, 4345)


def test_what_was_dealt_with_before_keeps_its_amount(
    go: Pay, hear: Hear, october: Invoice, september: Invoice
) -> None:
    hear(go(october)[1], amount="5000", effective_amount="5000", **CAPTURED)
    payments.resolve_anomaly(Anomaly.get().id, *WHO)
    payments.apply_overpayment(Settlement.get(), september.number, *WHO, ISSUERS, 4225)
    assert Anomaly.get(Anomaly.kind == "mismatch").amount_cents == 5000


def test_a_part_entered_by_hand_is_final_and_each_use_has_its_author_and_reason(
    october: Invoice, september: Invoice
) -> None:
    debit = entered(5000, october)
    assert Settlement.get_by_id(debit.id).final_at is not None
    for invoice, cents, reason in ((october, 1000, "accord"), (september, 500, "deuxième")):
        payments.apply_overpayment(debit, invoice.number, "Camille", reason, ISSUERS, cents)
    uses = Allocation.select().where(Allocation.kind == "invoice").order_by(Allocation.id)
    assert [(use.amount_cents, use.author, use.reason) for use in uses] == [
        (1000, "Camille", "accord"),
        (500, "Camille", "deuxième"),
    ]


def test_a_departure_that_was_an_error_keeps_the_name_of_who_noted_it(october: Invoice) -> None:
    at_counter(october)
    settlement = Settlement.get()
    payments.record_repayment(settlement, RepaymentKind.CHARGEBACK, None, "Bruno", "impayé")
    payments.restore(settlement, None, "Camille", "erreur de saisie")
    departure = Repayment.get()
    assert departure.author == "Bruno"
    assert "Camille" in departure.reason


def test_departures_of_several_amounts_are_named_for_one_to_be_chosen(october: Invoice) -> None:
    at_counter(october)
    settlement = Settlement.get()
    for cents in (1000, 520):
        payments.record_repayment(settlement, RepaymentKind.REFUND, cents, "Bruno", "rendu")
    with pytest.raises(Refused, match=r"10,00.*5,20"):
        payments.restore(settlement, None, "Camille", "erreur")


def test_what_is_left_of_money_of_another_amount_is_what_stays_on_the_list(
    go: Pay, hear: Hear, october: Invoice, september: Invoice
) -> None:
    hear(go(october)[1], amount="5000", effective_amount="5000", **CAPTURED)
    debit = Settlement.get()
    payments.apply_overpayment(debit, september.number, *WHO, ISSUERS, 4225)
    (point,) = payments.open_anomalies()
    assert point.amount_cents == 775


def test_a_use_that_is_given_again_keeps_its_author_and_reason(
    october: Invoice, september: Invoice
) -> None:
    debit = entered(5000, october)
    payments.apply_overpayment(debit, september.number, "Camille", "accord", ISSUERS)
    payments.record_repayment(debit, RepaymentKind.CHARGEBACK, None, "Bruno", "impayé")
    payments.restore(debit, None, "Bruno", "erreur")
    use = Allocation.get(Allocation.kind == "invoice")
    assert (use.author, use.reason) == ("Camille", "accord")


def test_a_departure_is_dealt_with_once_all_that_it_left_to_pay_is_cancelled(
    go: Pay, hear: Hear, october: Invoice, september: Invoice
) -> None:
    _, handoff = go(october, september)
    hear(handoff)
    hear(handoff, **CANCELLED)
    for invoice, left in ((october, 1), (september, 0)):
        payments.cancel_invoice(invoice.number, "Dominique", "départ")
        assert len(on_list("reversed")) == left


def test_a_departure_dealt_with_by_a_cancellation_says_why(
    go: Pay, hear: Hear, october: Invoice
) -> None:
    _, handoff = go(october)
    hear(handoff)
    hear(handoff, **CANCELLED)
    payments.cancel_invoice(october.number, "Dominique", "départ en mars")
    point = Anomaly.get()
    assert "départ en mars" in point.resolution
