"""A notice pays what it says, once, whatever the order and the repetitions."""

from datetime import timedelta
from itertools import permutations

import pytest
from flask.testing import FlaskClient

from gateways.base import Callback, Gateway, Handoff, Limits, Order, Unreachable
from kiosque import payments
from kiosque.db import database, write
from kiosque.db.models import (
    Allocation,
    Anomaly,
    Attempt,
    BankMessage,
    Family,
    Invoice,
    JournalEntry,
    OutboxMail,
    Receipt,
    Settlement,
)
from kiosque.db.states import AttemptState, FactSource
from kiosque.payments import CounterPayment, Purchase, journal
from kiosque.payments.attempt_facts import add_fact
from kiosque.payments.words import ATTEMPT_STATES
from tests import fresh_databases, sentences
from tests.bank import ABANDONED, REFUSED, notice
from tests.conftest import ISSUERS, NOW, PUBLIC_URL, Clock, make_invoice
from tests.kiosque.payments.conftest import Hear, Pay, effects, state_of

pytestmark = pytest.mark.usefixtures("sound_books")


# --- Paying ---


def test_a_debit_is_booked_as_the_bank_tells_it(
    go: Pay, hear: Hear, alices_family: Family, frozen: Clock
) -> None:
    attempt, handoff = go(make_invoice(alices_family, "2026-11-0011", 700, regie="creche"))
    frozen.advance(minutes=5)
    hear(handoff, trans_uuid="a" * 32)
    paid = Settlement.get()
    assert (paid.attempt_id, paid.family_id, paid.regie) == (attempt.id, alices_family.id, "creche")
    assert (paid.gateway, paid.transaction_id, paid.mode) == ("banque", "a" * 32, "card")
    assert (paid.amount_cents, paid.settled_at, paid.state) == (700, frozen.at, "counted")
    assert (paid.authorisation, paid.card_brand, paid.card_last4) == ("3fe69a", "CB", "0001")
    entry = JournalEntry.get()
    assert (entry.label, entry.debit, entry.credit, entry.amount_cents, entry.settlement_id) == (
        "paiement en ligne", "bank:banque", "invoices/creche", 700, paid.id)  # fmt: skip


def test_a_debit_is_asked_about_each_day_until_the_bank_can_no_longer_undo_it(
    go: Pay, hear: Hear, october: Invoice, september: Invoice, frozen: Clock
) -> None:
    (attempt, handoff), (other, _) = go(october), go(september)
    hear(handoff)
    assert Settlement.get().final_at is None
    assert Attempt.get_by_id(attempt.id).ask_at == NOW + timedelta(days=1)
    assert Attempt.get_by_id(other.id).ask_at == other.ask_at
    frozen.advance(minutes=30)
    hear(handoff, trans_status="CAPTURED")
    assert Settlement.get().final_at == NOW + timedelta(minutes=30)
    assert Attempt.get_by_id(attempt.id).ask_at is None
    frozen.advance(minutes=30)
    hear(handoff, trans_status="CAPTURED", auth_number="another")
    assert Settlement.get().final_at == NOW + timedelta(minutes=30)


def test_one_of_two_debits_that_may_be_undone_is_still_asked_about(
    go: Pay, hear: Hear, october: Invoice
) -> None:
    attempt, handoff = go(october)
    hear(handoff, trans_uuid="a" * 32)
    hear(handoff, trans_uuid="b" * 32, trans_status="CAPTURED")
    final = {each.transaction_id[0]: each.final_at is not None for each in Settlement.select()}
    assert final == {"a": False, "b": True}
    assert Attempt.get_by_id(attempt.id).ask_at == NOW + timedelta(days=1)


def test_two_invoices_paid_at_once_leave_one_journal_line_one_receipt_and_one_mail(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice, september: Invoice
) -> None:
    attempt, handoff = pay(alices_family, october, september, email="alice@example.org")
    assert state_of(attempt) == "handed_off"
    assert hear(handoff) == "recorded"
    assert (state_of(attempt), state_of(october), state_of(september)) == ("paid", "paid", "paid")
    entry = JournalEntry.get()
    assert (entry.debit, entry.credit, entry.amount_cents) == ("bank:banque", "invoices", 8745)
    assert Receipt.get().number == 1
    assert OutboxMail.get().recipient == "alice@example.org"
    assert Anomaly.select().count() == 0


def test_a_notice_asks_little_of_the_database(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice, queries: list[str]
) -> None:
    _, handoff = pay(alices_family, october)
    queries.clear()
    hear(handoff)
    paid = len(queries)
    queries.clear()
    hear(handoff)
    assert (paid, len(queries)) == (25, 6)


@fresh_databases.on_sqlite
def test_what_a_family_or_a_notice_asks_for_is_found_by_an_index(
    alice: FlaskClient,
    pay: Pay,
    hear: Hear,
    alices_family: Family,
    october: Invoice,
) -> None:
    _, handoff = pay(alices_family, october)
    asked: list[str] = []
    database.connection().exec_trace = lambda _cursor, sql, _bound: asked.append(sql) is None
    alice.get("/factures")
    hear(handoff)
    database.connection().exec_trace = None
    plans = [
        row[3]
        for sql in asked
        if sql.startswith(("SELECT", "UPDATE"))
        and "WHERE" in sql
        and "bank_closure" not in sql  # a row a bank
        for row in database.execute_sql(f"EXPLAIN QUERY PLAN {sql}", [None] * sql.count("?"))
    ]
    assert [plan for plan in plans if plan.startswith("SCAN")] == []
    for of_some_rows in ("attempt_item_one_live", "allocation_invoice"):
        assert any(of_some_rows in plan for plan in plans)


def test_the_receipts_address_is_forgotten_by_the_attempt_once_queued(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice
) -> None:
    attempt, handoff = pay(alices_family, october, email="alice@example.org")
    hear(handoff)
    assert Attempt.get_by_id(attempt.id).receipt_email is None


def test_the_address_of_a_payment_that_came_to_nothing_is_erased_after_a_month(
    pay: Pay, frozen: Clock, alices_family: Family, october: Invoice
) -> None:
    attempt, _ = pay(alices_family, october, email="alice@example.org")
    for days, kept in ((29, "alice@example.org"), (2, None)):
        frozen.advance(days=days)
        payments.forget_old_addresses()
        assert Attempt.get_by_id(attempt.id).receipt_email == kept


def test_without_an_address_no_mail_is_queued(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice
) -> None:
    hear(pay(alices_family, october)[1])
    assert OutboxMail.select().count() == 0


def test_the_attempt_is_committed_before_the_gateway_is_called(
    alices_family: Family, october: Invoice, gateway: Gateway
) -> None:
    seen = []

    class Watching:
        name, limits = "banque", gateway.limits

        def start(self, order: Order) -> Handoff:
            seen.append((state_of(Attempt.get()), database.in_transaction()))
            return gateway.start(order)

    purchase = Purchase(alices_family, [october.number], 4520)
    payments.start(purchase, Watching(), PUBLIC_URL)  # type: ignore[arg-type]
    assert seen == [("created", False)]


def test_a_bank_that_cannot_be_reached_leaves_the_invoice_free(
    alices_family: Family, october: Invoice, pay: Pay
) -> None:
    class Down:
        name, limits = "banque", Limits()

        def start(self, order: Order) -> Handoff:
            raise Unreachable

    with pytest.raises(Unreachable):
        payments.start(
            Purchase(alices_family, [october.number], 4520),
            Down(),  # type: ignore[arg-type]
            PUBLIC_URL,
        )
    assert state_of(Attempt.get()) == "cancelled"
    pay(alices_family, october)


# --- The bank repeats itself and keeps no order ---


def test_the_same_notice_again_changes_nothing_but_the_audit(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice
) -> None:
    _, handoff = pay(alices_family, october, email="alice@example.org")
    hear(handoff)
    before = effects()
    assert hear(handoff) == "known"
    assert hear(handoff, url_check_src="RETRY") == "known"
    assert effects() == before
    assert BankMessage.select().where(BankMessage.accepted == True).count() == 3  # noqa: E712


MESSAGES = {
    "refused": {**REFUSED, "trans_uuid": "a" * 32},
    "accepted": {"trans_uuid": "b" * 32},
    "captured": {"trans_uuid": "b" * 32, "trans_status": "CAPTURED"},
    "abandoned": ABANDONED,
}


@pytest.mark.parametrize("order", list(permutations(MESSAGES)), ids="-".join)
def test_in_any_order_the_money_counts_once(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice, order: tuple[str, ...]
) -> None:
    attempt, handoff = pay(alices_family, october, email="alice@example.org")
    for name in order:
        hear(handoff, **MESSAGES[name])
    assert (state_of(attempt), state_of(october)) == ("paid", "paid")
    counts = effects()
    assert (counts["Receipt"], counts["JournalEntry"], counts["OutboxMail"]) == (1, 1, 1)
    assert counts["Anomaly"] == 0


@pytest.mark.parametrize("order", list(permutations(["accepted", "cancelled"])), ids="-".join)
def test_a_debit_the_bank_took_back_pays_nothing_in_either_order(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice, order: tuple[str, ...]
) -> None:
    attempt, handoff = pay(alices_family, october)
    messages = {"accepted": {}, "cancelled": {"trans_status": "CANCELLED"}}
    for name in order:
        hear(handoff, **messages[name])
    assert (state_of(attempt), state_of(october)) == ("reversed", "open")
    assert set(journal.balances().values()) <= {0}


def test_money_that_comes_late_is_money(
    pay: Pay, hear: Hear, frozen: Clock, alices_family: Family, october: Invoice
) -> None:
    attempt, handoff = pay(alices_family, october)
    hear(handoff, **{**ABANDONED, "payment_error": "149"})
    assert state_of(attempt) == "expired"
    frozen.advance(days=365)
    hear(handoff)
    assert (state_of(attempt), state_of(october)) == ("paid", "paid")


# --- Paid twice ---


def test_a_second_payment_of_a_paid_invoice_is_an_overpayment_told_once(
    pay: Pay, hear: Hear, frozen: Clock, alices_family: Family, october: Invoice
) -> None:
    first, first_handoff = pay(alices_family, october)
    frozen.advance(minutes=16)
    second, second_handoff = pay(alices_family, october)
    hear(second_handoff)
    hear(first_handoff)
    hear(first_handoff)
    assert (state_of(first), state_of(second), state_of(october)) == ("paid", "paid", "paid")
    assert journal.balances() == {
        "bank:banque": 9040, "invoices": -4520, "overpayments": -4520,
    }  # fmt: skip
    anomaly = Anomaly.get()
    assert (anomaly.kind, anomaly.amount_cents) == ("overpayment", 4520)
    assert Receipt.select().count() == 2
    assert [mail.recipient for mail in OutboxMail.select()] == ["regie"]


def test_two_cards_accepted_for_one_attempt_pay_once(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice
) -> None:
    _, handoff = pay(alices_family, october)
    hear(handoff, trans_uuid="a" * 32)
    hear(handoff, trans_uuid="b" * 32)
    assert sorted(part.kind for part in Allocation.select()) == ["invoice", "overpayment"]


def test_the_counter_paid_one_of_two_while_the_parent_was_at_the_bank(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice, september: Invoice
) -> None:
    _, handoff = pay(alices_family, october, september)
    payments.settle_at_counter(
        [CounterPayment(september.number, 4225, "cash", NOW.date(), "Dominique", "guichet")]
    )
    hear(handoff)
    kinds = {part.invoice.number: part.kind for part in Settlement.get_by_id(2).allocations}
    assert kinds == {october.number: "invoice", september.number: "overpayment"}
    assert Anomaly.get().invoice == september


def test_an_invoice_cancelled_while_the_parent_was_at_the_bank_keeps_the_money(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice
) -> None:
    _, handoff = pay(alices_family, october)
    payments.cancel_invoice(october.number, "Dominique", "double saisie")
    hear(handoff)
    assert state_of(october) == "cancelled"
    assert Anomaly.get().detail == sentences.CANCELLED_MEANWHILE
    assert journal.balances()["overpayments"] == -4520


# --- A bank that is wrong, or lies ---


@pytest.mark.parametrize("amount", ["4519", "4521", "452000", "1"])
def test_a_debit_of_another_amount_pays_nothing_and_is_booked_apart(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice, amount: str
) -> None:
    attempt, handoff = pay(alices_family, october)
    changes = {"amount": amount, "effective_amount": amount}
    assert hear(handoff, **changes) == "mismatch"
    before = effects()
    assert hear(handoff, **changes) == "known"
    assert effects() == before
    hear(handoff, trans_status="CAPTURED", **changes)
    assert (state_of(attempt), state_of(october)) == ("pending", "open")
    assert journal.balances() == {"bank:banque": int(amount), "unmatched": -int(amount)}
    assert Receipt.select().count() == 0


def test_one_debit_announced_with_two_amounts_is_booked_once_and_told(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice
) -> None:
    _, handoff = pay(alices_family, october)
    hear(handoff)
    assert hear(handoff, amount="9999") == "mismatch"
    assert journal.balances() == {"bank:banque": 4520, "invoices": -4520}
    assert Anomaly.select().count() == 1


def test_another_currency_pays_nothing_and_is_told(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice
) -> None:
    _, handoff = pay(alices_family, october)
    assert hear(handoff, currency="840") == "mismatch"
    assert state_of(october) == "open"
    assert Anomaly.select().count() == 1


def test_an_unknown_order_is_kept_and_told_once(hear: Hear, pay: Pay, october: Invoice) -> None:
    _, handoff = pay(october.family, october)
    for _ in range(3):
        assert hear(handoff, order_id="KF000000000000000000") == "unknown_order"
    assert Anomaly.select().count() == 1
    assert state_of(october) == "open"


def test_what_is_said_next_of_an_unknown_order_joins_what_was_told_of_it(
    hear: Hear, pay: Pay, october: Invoice
) -> None:
    _, handoff = pay(october.family, october)
    for status in ("AUTHORISED", "CANCELLED", "AUTHORISED"):
        hear(handoff, order_id="KFperdue", trans_status=status)
    (point,) = payments.open_anomalies()
    told = point.detail.split(" ; ")
    assert ["KFperdue" in each for each in told] == [True, True]
    paid, undone = (ATTEMPT_STATES[each] for each in (AttemptState.PAID, AttemptState.REVERSED))
    assert told[0].endswith(f", {paid}")
    assert f", {undone} (" in told[1]


def test_each_wrong_amount_of_one_transaction_is_told_once(
    hear: Hear, pay: Pay, october: Invoice
) -> None:
    _, handoff = pay(october.family, october)
    for cents in ("100", "200", "300", "300"):
        assert hear(handoff, amount=cents) == "mismatch"
    (point,) = payments.open_anomalies()
    assert (point.amount_cents, point.detail.count(" ; ")) == (100, 2)
    assert [euros in point.detail for euros in ("2,00", "3,00")] == [True, True]
    details = [each.detail for each in BankMessage.select().order_by(BankMessage.id)]
    assert ["montant" in each for each in details] == [True] * 4


def test_one_attempts_notice_under_another_attempts_ids_pays_neither(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice, september: Invoice
) -> None:
    first, _ = pay(alices_family, october)
    _, handoff = pay(alices_family, september)
    hear(handoff, order_id=first.reference)
    hear(handoff, trans_id="000000")
    hear(handoff, trans_date="20200101000000")
    assert (state_of(october), state_of(september)) == ("open", "open")
    # One transaction of the bank's is one sum of money, kept apart whatever it is said to be for.
    assert [part.kind for part in Allocation.select()] == ["unmatched"]


def test_another_gateway_cannot_speak_for_this_one(
    pay: Pay, gateway: Gateway, alices_family: Family, october: Invoice
) -> None:
    _, handoff = pay(alices_family, october)
    report = gateway.read_notification(Callback.of_form(notice(handoff).items()))
    assert payments.record("autre", report, ISSUERS) == "unknown_order"
    assert state_of(october) == "open"


def test_an_unknown_status_pays_nothing_and_is_told(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice
) -> None:
    attempt, handoff = pay(alices_family, october)
    hear(handoff, trans_status="INVENTED")
    assert (state_of(attempt), state_of(october)) == ("pending", "open")
    assert Anomaly.get().detail == sentences.STATUS_UNKNOWN


# --- All or nothing ---


def test_an_error_half_way_leaves_nothing_of_a_notice(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt, handoff = pay(alices_family, october, email="alice@example.org")
    before = effects()

    def broken(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("kiosque.payments.incoming.queue.add", broken)
    with pytest.raises(OSError, match="disk full"):
        hear(handoff)
    assert effects() == before
    assert BankMessage.select().count() == 0
    assert (state_of(attempt), state_of(october)) == ("handed_off", "open")
    monkeypatch.undo()
    hear(handoff)
    assert state_of(october) == "paid"


def test_a_change_decided_on_a_state_that_is_no_longer_is_refused(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice
) -> None:
    stale, handoff = pay(alices_family, october)
    hear(handoff)
    with pytest.raises(RuntimeError, match="outside its transaction"), write():
        add_fact(stale, "", AttemptState.CANCELLED, source=FactSource.PORTAL)
    assert state_of(stale) == "paid"
