"""The bank is asked what became of a payment, and believed as much as a notice."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from gateways.base import Gateway, Unreachable
from kiosque import db, payments
from kiosque.db import leases
from kiosque.db.models import (
    Attempt,
    BankMessage,
    Fact,
    Family,
    Invoice,
    Lease,
    Settlement,
)
from kiosque.payments import Refused, journal, polling, reconcile, verification
from kiosque.payments.reconcile import Summary
from tests import sentences
from tests.bank import REFUSED
from tests.conftest import ISSUERS, PUBLIC_URL, Clock, make_invoice
from tests.kiosque.payments.conftest import Pay, state_of
from tests.talkative import TalkativeBank

pytestmark = pytest.mark.usefixtures("sound_books")

Run = Callable[..., Summary]


@pytest.fixture
def run(bank: TalkativeBank) -> Run:
    """The timer's call."""
    return lambda **options: reconcile.run({bank.name: bank}, PUBLIC_URL, ISSUERS, **options)


# --- The schedule ---


def test_an_attempt_is_left_alone_while_the_parent_may_still_be_paying(
    go: Pay, run: Run, bank: TalkativeBank, frozen: Clock, october: Invoice
) -> None:
    go(october)
    frozen.advance(minutes=14, seconds=59)
    assert run() == Summary()
    frozen.advance(seconds=1)
    assert run().answered == 1
    assert run().answered == 0


def test_a_lost_notice_is_made_good_by_asking(
    go: Pay, run: Run, bank: TalkativeBank, frozen: Clock, october: Invoice
) -> None:
    attempt, handoff = go(october)
    bank.answers = [[bank.report(handoff)]]
    frozen.advance(minutes=15)
    run()
    assert (state_of(attempt), state_of(october)) == ("paid", "paid")
    assert Settlement.get().transaction_id == bank.report(handoff).transaction_id
    assert BankMessage.get().verdict == "recorded"


def test_a_silent_attempt_expires_only_once_the_bank_has_said_it_knows_nothing(
    go: Pay, run: Run, bank: TalkativeBank, frozen: Clock, october: Invoice
) -> None:
    attempt, _ = go(october)
    frozen.advance(minutes=15)
    run()
    assert state_of(attempt) == "handed_off"
    bank.answers = [Unreachable("lente")]
    frozen.advance(hours=3)
    assert run().unanswered == 1
    assert state_of(attempt) == "handed_off"
    bank.answers = [[]]
    frozen.advance(hours=1)
    run()
    assert state_of(attempt) == "expired"


def test_late_money_is_looked_for_once_more_the_next_day(
    go: Pay, run: Run, bank: TalkativeBank, frozen: Clock, october: Invoice
) -> None:
    attempt, handoff = go(october)
    for minutes in (15, 15):
        frozen.advance(minutes=minutes)
        run()
    assert state_of(attempt) == "expired"
    bank.answers = [[bank.report(handoff, final=True)]]
    frozen.advance(days=1)
    run()
    assert (state_of(attempt), state_of(october)) == ("paid", "paid")
    asked = len(bank.asked)
    frozen.advance(days=30)
    run()
    assert len(bank.asked) == asked


def test_the_bank_is_left_in_peace_from_the_end_of_its_page_to_the_next_day(
    go: Pay, run: Run, bank: TalkativeBank, frozen: Clock, october: Invoice
) -> None:
    attempt, _ = go(october)
    for minutes in (15, 15):
        frozen.advance(minutes=minutes)
        run()
    assert state_of(attempt) == "expired"
    assert Fact.get(Fact.state == "expired").transaction_id == ""
    for _ in range(23):
        frozen.advance(hours=1)
        assert run() == Summary()


def test_an_answer_is_dated_and_ends_the_count_of_silences(
    go: Pay, run: Run, bank: TalkativeBank, frozen: Clock, october: Invoice
) -> None:
    attempt, _ = go(october)
    bank.answers = [Unreachable("lente"), Unreachable("lente"), []]
    for minutes in (15, 1, 2):
        frozen.advance(minutes=minutes)
        run()
    attempt = Attempt.get_by_id(attempt.id)
    assert (attempt.unanswered, attempt.asked_at, attempt.answered_at) == (0, frozen.at, frozen.at)


def test_those_who_wait_longest_are_asked_about_first(
    go: Pay, frozen: Clock, october: Invoice, september: Invoice
) -> None:
    one, two = go(october)[0], go(september)[0]
    Attempt.update(ask_at=frozen.at - timedelta(minutes=1)).where(Attempt.id == two.id).execute()
    frozen.advance(minutes=20)
    assert [each.id for each in polling.attempts_due(["banque"], 9)] == [two.id, one.id]
    assert [each.id for each in polling.attempts_due(["banque"], 1)] == [two.id]


def test_a_card_refused_is_asked_about_too_since_another_may_have_been_tried(
    go: Pay, run: Run, bank: TalkativeBank, frozen: Clock, october: Invoice
) -> None:
    attempt, handoff = go(october)
    refused = bank.report(handoff, **REFUSED, trans_uuid="a" * 32)
    payments.record(bank.name, refused, ISSUERS)
    bank.answers = [[refused, bank.report(handoff, trans_uuid="b" * 32)]]
    frozen.advance(minutes=15)
    run()
    assert (state_of(attempt), state_of(october)) == ("paid", "paid")


def test_an_authorised_payment_is_followed_each_day_until_it_is_captured(
    go: Pay, run: Run, bank: TalkativeBank, frozen: Clock, october: Invoice
) -> None:
    attempt, handoff = go(october)
    payments.record(bank.name, bank.report(handoff), ISSUERS)
    bank.answers = [
        [bank.report(handoff)],
        [bank.report(handoff)],
        [bank.report(handoff, trans_status="CAPTURED", final=True)],
    ]
    for _ in range(6):
        frozen.advance(days=1)
        run()
    assert len(bank.asked) == 3
    assert Settlement.get().final_at
    assert state_of(attempt) == "paid"
    # What repeats itself each day leaves no trace each day.
    assert [notice.verdict for notice in BankMessage.select()] == ["recorded", "recorded"]


def test_a_notice_repeated_each_hour_does_not_keep_the_bank_from_being_asked(
    go: Pay, run: Run, bank: TalkativeBank, frozen: Clock, october: Invoice
) -> None:
    _, handoff = go(october)
    bank.answers = [[bank.report(handoff)]]
    for _ in range(25):
        payments.record(bank.name, bank.report(handoff), ISSUERS)
        run()
        frozen.advance(hours=1)
    assert len(bank.asked) == 1


def test_a_payment_cancelled_before_its_capture_is_seen_the_next_day(
    go: Pay, run: Run, bank: TalkativeBank, frozen: Clock, october: Invoice
) -> None:
    attempt, handoff = go(october)
    payments.record(bank.name, bank.report(handoff), ISSUERS)
    bank.answers = [[bank.report(handoff, trans_status="CANCELLED", final=True)]]
    frozen.advance(days=1)
    run()
    assert (state_of(attempt), state_of(october)) == ("reversed", "open")
    assert journal.balances() == {"bank:banque": 0, "invoices": 0}


def test_ten_days_without_capture_are_told_to_the_regisseur_once(
    go: Pay, run: Run, bank: TalkativeBank, frozen: Clock, october: Invoice
) -> None:
    _, handoff = go(october)
    payments.record(bank.name, bank.report(handoff), ISSUERS)
    bank.answers = [[bank.report(handoff)]]
    for _ in range(20):
        frozen.advance(days=1)
        run()
    assert len(bank.asked) == 10
    assert [point.kind for point in payments.open_anomalies()] == ["uncaptured"]


def test_a_payment_under_examination_is_asked_about_ever_more_rarely(
    go: Pay, run: Run, bank: TalkativeBank, frozen: Clock, october: Invoice
) -> None:
    attempt, handoff = go(october)
    pending = bank.report(handoff, trans_status="UNDER_VERIFICATION")
    bank.answers = [[pending]]
    while (due := Attempt.get_by_id(attempt.id).ask_at) is not None:
        frozen.at = due
        run()
    assert timedelta(days=60) < frozen.at - attempt.started_at < timedelta(days=62)
    assert 60 < len(bank.asked) < 90
    assert state_of(attempt) == "pending"
    assert [point.kind for point in payments.open_anomalies()] == ["unsettled"]


@pytest.mark.parametrize(
    ("age", "pause"),
    [
        (timedelta(minutes=15), timedelta(minutes=15)),
        (timedelta(hours=2), timedelta(minutes=30)),
        (timedelta(days=8), timedelta(days=1)),
    ],
)
def test_a_payment_under_examination_is_asked_about_again_after_a_quarter_of_its_age(
    go: Pay,
    run: Run,
    bank: TalkativeBank,
    frozen: Clock,
    october: Invoice,
    age: timedelta,
    pause: timedelta,
) -> None:
    attempt, handoff = go(october)
    bank.answers = [[bank.report(handoff, trans_status="UNDER_VERIFICATION")]]
    frozen.at += age
    run()
    assert Attempt.get_by_id(attempt.id).ask_at == frozen.at + pause


def test_a_bank_that_does_not_answer_is_asked_again_after_growing_pauses(
    go: Pay, run: Run, bank: TalkativeBank, frozen: Clock, october: Invoice
) -> None:
    attempt, handoff = go(october)
    bank.answers = [Unreachable("panne")]
    frozen.advance(minutes=15)
    while frozen.at - attempt.started_at < timedelta(hours=36):
        run()
        frozen.at = Attempt.get_by_id(attempt.id).ask_at
    assert 36 < len(bank.asked) < 46
    assert (state_of(attempt), state_of(october)) == ("handed_off", "open")
    assert [point.kind for point in payments.open_anomalies()] == ["silent"]
    bank.answers = [[bank.report(handoff)]]
    frozen.advance(hours=1)
    run()
    assert state_of(october) == "paid"


# --- Lies ---


@pytest.mark.parametrize(
    ("changes", "state", "told"),
    [
        ({"amount": "1", "effective_amount": "1"}, "pending", "mismatch"),
        ({"currency": "840"}, "handed_off", "mismatch"),
        ({"trans_id": "000001"}, "pending", "mismatch"),
    ],
)
def test_an_answer_that_is_not_what_was_awaited_pays_nothing_and_is_told(
    go: Pay,
    run: Run,
    bank: TalkativeBank,
    frozen: Clock,
    october: Invoice,
    changes: dict[str, str],
    state: str,
    told: str,
) -> None:
    attempt, handoff = go(october)
    bank.answers = [[bank.report(handoff, **changes)]]
    frozen.advance(minutes=15)
    run()
    assert (state_of(attempt), state_of(october)) == (state, "open")
    assert [point.kind for point in payments.open_anomalies()] == [told]


def test_an_answer_about_another_order_is_no_answer(
    go: Pay, run: Run, bank: TalkativeBank, frozen: Clock, october: Invoice, september: Invoice
) -> None:
    first, handoff = go(october)
    second, _ = go(september)
    Attempt.update(ask_at=None).where(Attempt.id == first.id).execute()
    bank.answers = [[bank.report(handoff)]]
    frozen.advance(minutes=15)
    assert run().unanswered == 1
    assert (state_of(first), state_of(second)) == ("handed_off", "handed_off")
    second = Attempt.get_by_id(second.id)
    assert (second.answered_at, second.unanswered) == (None, 1)
    assert second.ask_at == frozen.at + timedelta(minutes=1)


def test_an_adapter_that_fails_on_one_order_keeps_no_other_waiting(
    go: Pay,
    run: Run,
    bank: TalkativeBank,
    frozen: Clock,
    october: Invoice,
    september: Invoice,
    caplog: pytest.LogCaptureFixture,
) -> None:
    broken, _ = go(october)
    _, handoff = go(september)
    answer = [bank.report(handoff)]
    bank.poll = lambda order: {}["secret"] if order.reference == broken.reference else answer  # type: ignore[method-assign, assignment]
    frozen.advance(minutes=15)
    run()
    assert (state_of(october), state_of(september)) == ("open", "paid")
    assert f"question about {broken.reference}: KeyError at " in caplog.text
    assert "secret" not in caplog.text


# --- One run at a time, bounded ---


def test_two_runs_at_once_ask_once(
    go: Pay, run: Run, bank: TalkativeBank, frozen: Clock, october: Invoice
) -> None:
    go(october)
    frozen.advance(minutes=15)
    seen: list[Summary] = []
    poll = bank.poll

    def meanwhile(order: object) -> object:
        frozen.advance(seconds=reconcile.RUN_SECONDS)  # as long as the first may last
        with db.connection():
            seen.append(run())
        return poll(order)  # type: ignore[arg-type]

    bank.poll = meanwhile  # type: ignore[method-assign, assignment]
    run()
    assert seen == [Summary(busy=True)]
    assert len(bank.asked) == 1


def test_the_lease_of_a_run_that_died_lapses_by_itself(empty_database: None, frozen: Clock) -> None:
    with pytest.raises(KeyboardInterrupt), leases.hold("x", timedelta(minutes=2)):
        Lease.update(expires_at=frozen.at + timedelta(minutes=2)).execute()
        raise KeyboardInterrupt
    assert leases.finished_at("x") is None
    Lease.update(expires_at=frozen.at + timedelta(minutes=2)).execute()
    with leases.hold("x", timedelta(minutes=2)) as held:
        assert not held
    frozen.advance(minutes=2)
    with leases.hold("x", timedelta(minutes=2)) as held:
        assert held
    assert leases.finished_at("x") == frozen.at


def test_a_run_that_may_last_longer_than_ours_keeps_its_lease(
    empty_database: None, frozen: Clock
) -> None:
    with leases.hold("x", timedelta(hours=1)):
        frozen.advance(minutes=30)
        with leases.hold("x", timedelta(minutes=2)) as held:
            assert not held


def test_a_lease_taken_before_the_clock_was_put_back_does_not_last_for_ever(
    empty_database: None, frozen: Clock
) -> None:
    with leases.hold("x", timedelta(minutes=2)):
        frozen.advance(days=-1)
        with leases.hold("x", timedelta(minutes=2)) as held:
            assert held


def test_a_run_ends_at_its_deadline_and_the_next_goes_on(
    go: Pay, run: Run, bank: TalkativeBank, frozen: Clock, alices_family: Family
) -> None:
    for number in range(3):
        go(make_invoice(alices_family, f"N{number}"))
    frozen.advance(minutes=15)
    assert run(seconds=0) == Summary(left=3)
    assert bank.asked == []
    assert run() == Summary(answered=3)


def test_a_bank_that_is_down_is_given_up_for_the_run(
    go: Pay, run: Run, bank: TalkativeBank, frozen: Clock, alices_family: Family
) -> None:
    for number in range(40):
        go(make_invoice(alices_family, f"N{number}"))
    bank.answers = [Unreachable("panne")]
    frozen.advance(minutes=15)
    summary = run()
    assert reconcile.GIVE_UP_AFTER <= summary.unanswered < reconcile.GIVE_UP_AFTER + 10
    assert (summary.left, summary.silent) == (40 - summary.unanswered, ["banque"])
    assert Attempt.select().where(Attempt.unanswered == 0).count() == 40 - summary.unanswered


def test_where_the_bank_cannot_be_asked_a_silent_attempt_expires_by_its_time(
    pay: Pay, gateway: Gateway, frozen: Clock, october: Invoice
) -> None:
    attempt, _ = pay(october.family, october)
    for seconds, state in ((30 * 60, "handed_off"), (1, "expired")):
        frozen.advance(seconds=seconds)
        reconcile.run({"banque": gateway}, PUBLIC_URL, ISSUERS)
        assert state_of(attempt) == state


def test_a_payment_is_no_longer_asked_about_where_its_bank_cannot_be_asked_any_more(
    go: Pay, gateway: Gateway, frozen: Clock, october: Invoice
) -> None:
    attempt, _ = go(october)
    frozen.advance(minutes=45)
    reconcile.run({"banque": gateway}, PUBLIC_URL, ISSUERS)
    assert Attempt.get_by_id(attempt.id).ask_at is None
    reconcile.run({"banque": gateway}, PUBLIC_URL, ISSUERS)
    assert state_of(attempt) == "expired"


def test_a_timer_that_does_not_run_is_a_fault_of_the_books(
    go: Pay, run: Run, frozen: Clock, october: Invoice
) -> None:
    go(october)
    frozen.advance(hours=3)
    assert "« reconcile »" in verification.faults()[0]
    run()
    assert verification.faults() == []


# --- Before a second attempt ---


def test_the_bank_is_asked_before_the_same_invoice_is_paid_again(
    go: Pay, bank: TalkativeBank, frozen: Clock, october: Invoice
) -> None:
    first, handoff = go(october)
    frozen.advance(minutes=16)
    bank.answers = [[bank.report(handoff)]]
    payments.ask_about_holders(
        october.family, [october.number], {bank.name: bank}, PUBLIC_URL, ISSUERS
    )
    assert state_of(first) == "paid"
    with pytest.raises(Refused, match=sentences.ALREADY_PAID):
        go(october)


def test_while_the_bank_does_not_answer_the_parent_is_told_to_wait(
    go: Pay, bank: TalkativeBank, frozen: Clock, october: Invoice
) -> None:
    first, _ = go(october)
    frozen.advance(minutes=16)
    bank.answers = [Unreachable("panne")]
    payments.ask_about_holders(
        october.family, [october.number], {bank.name: bank}, PUBLIC_URL, ISSUERS
    )
    with pytest.raises(Refused, match=sentences.BANK_STILL_AWAITED):
        go(october)
    assert state_of(first) == "handed_off"


def test_once_the_bank_knows_of_nothing_after_its_page_has_closed_another_may_start(
    go: Pay, bank: TalkativeBank, frozen: Clock, october: Invoice
) -> None:
    first, _ = go(october)
    frozen.advance(minutes=16)
    payments.ask_about_holders(
        october.family, [october.number], {bank.name: bank}, PUBLIC_URL, ISSUERS
    )
    go(october)
    assert state_of(first) == "expired"


def test_an_answer_given_while_the_page_was_open_is_not_enough(
    go: Pay, bank: TalkativeBank, frozen: Clock, october: Invoice
) -> None:
    go(october)
    frozen.advance(minutes=1)
    payments.ask_about_holders(
        october.family, [october.number], {bank.name: bank}, PUBLIC_URL, ISSUERS
    )
    with pytest.raises(Refused, match=sentences.AT_THE_BANK):
        go(october)
    frozen.advance(minutes=15)
    with pytest.raises(Refused, match="Nous attendons encore"):
        go(october)


def test_staff_free_an_invoice_that_the_bank_says_nothing_about(
    go: Pay, bank: TalkativeBank, frozen: Clock, october: Invoice
) -> None:
    attempt, handoff = go(october)
    with pytest.raises(Refused, match="peut encore payer"):
        payments.close_attempt(attempt.reference, "Dominique", "vu à la banque")
    frozen.advance(minutes=16)
    with pytest.raises(Refused, match="auteur"):
        payments.close_attempt(attempt.reference, "", "vu à la banque")
    payments.close_attempt(attempt.reference, "Dominique", "vu à la banque")
    go(october)
    payments.record(bank.name, bank.report(handoff), ISSUERS)
    assert (state_of(attempt), state_of(october)) == ("paid", "paid")
    with pytest.raises(Refused, match=sentences.IS_DECIDED):
        payments.close_attempt(attempt.reference, "Dominique", "encore")
    with pytest.raises(Refused, match=sentences.NO_SUCH_INVOICE):
        payments.close_attempt("KF", "Dominique", "encore")
