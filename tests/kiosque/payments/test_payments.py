"""The payment core, through its one door. Sentences of the rules, one test each."""

from collections.abc import Callable
from datetime import date, timedelta
from itertools import permutations

import pytest
from flask.testing import FlaskClient
from peewee import IntegrityError

from gateways.base import Callback, Gateway, Handoff, Limits, Order, Unreachable
from kiosque import payments
from kiosque.db import database, write
from kiosque.db.models import (
    Allocation,
    Anomaly,
    Attempt,
    AttemptItem,
    BankMessage,
    Fact,
    Family,
    Invoice,
    JournalEntry,
    OutboxMail,
    Receipt,
    Settlement,
)
from kiosque.db.states import AttemptState, FactSource, RepaymentKind
from kiosque.payments import CounterPayment, Purchase, Refused, journal, verification
from kiosque.payments.facts import add_fact
from tests import bases
from tests.bank import ABANDONED, REFUSED, notice
from tests.conftest import ISSUERS, PUBLIC_URL, Clock, make_invoice

Pay = Callable[..., tuple[Attempt, Handoff]]
Hear = Callable[..., str]


@pytest.fixture
def hear(gateway: Gateway) -> Hear:
    """The bank's notice arrives, verified by its gateway."""

    def go(handoff: Handoff, **changes: str | None) -> str:
        fields = notice(handoff, **changes)
        report = gateway.read_notification(Callback(tuple(fields.items())))
        return payments.record(gateway.name, report, ISSUERS)

    return go


def state(row: Invoice | Attempt) -> str:
    return type(row).get_by_id(row.id).state


def effects() -> dict[str, int]:
    """Everything a notice may leave behind, counted; the audit excepted."""
    tables = (Fact, Settlement, Allocation, Receipt, JournalEntry, OutboxMail, Anomaly)
    return {table.__name__: table.select().count() for table in tables}


def check_invariants() -> None:
    """What must hold after any test."""
    assert journal.verify() == []
    assert sum(journal.balances().values()) == 0
    for settlement in Settlement.select():
        parts = Allocation.select().where(Allocation.settlement == settlement)
        assert sum(part.amount_cents for part in parts) == settlement.amount_cents
    for invoice in Invoice.select():
        counted = Allocation.select().where(
            Allocation.invoice == invoice,
            Allocation.kind == "invoice",
            Allocation.counts == True,  # noqa: E712
        )
        assert counted.count() == (1 if invoice.state == "paid" else 0)
    numbers = [receipt.number for receipt in Receipt.select().order_by(Receipt.number)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert verification.faults() == []


@pytest.fixture(autouse=True)
def _sound_books(base: None) -> object:
    yield
    check_invariants()


# --- Paying ---


def test_two_invoices_paid_at_once_leave_one_journal_line_one_receipt_and_one_mail(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice, september: Invoice
) -> None:
    attempt, handoff = pay(alices_family, october, september, email="alice@example.org")
    assert state(attempt) == "handed_off"
    assert hear(handoff) == "recorded"
    assert (state(attempt), state(october), state(september)) == ("paid", "paid", "paid")
    entry = JournalEntry.get()
    assert (entry.debit, entry.credit, entry.amount_cents) == ("bank:banque", "invoices", 8745)
    assert Receipt.get().number == 1
    assert OutboxMail.get().recipient == "alice@example.org"
    assert Anomaly.select().count() == 0


def test_a_notice_asks_little_of_the_base(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice, queries: list[str]
) -> None:
    _, handoff = pay(alices_family, october)
    queries.clear()
    hear(handoff)
    paid = len(queries)
    queries.clear()
    hear(handoff)
    assert (paid, len(queries)) == (20, 4)


@bases.on_sqlite
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
        if sql.startswith(("SELECT", "UPDATE")) and "WHERE" in sql
        for row in database.execute_sql(f"EXPLAIN QUERY PLAN {sql}", [None] * sql.count("?"))
    ]
    assert [plan for plan in plans if plan.startswith("SCAN")] == []
    for of_some_rows in ("attempt_item_one_live", "allocation_one_payment"):
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
            seen.append((state(Attempt.get()), database.in_transaction()))
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
    assert state(Attempt.get()) == "cancelled"
    pay(alices_family, october)


# --- What is refused before the bank ---


def reasons(family: Family, *numbers: str, limits: Limits | None = None) -> str:
    return "\n".join(payments.select_for_one_payment(family, numbers, limits or Limits()).reasons)


def test_another_familys_invoice_is_refused_like_one_that_does_not_exist(
    alices_family: Family, charlies_family: Family
) -> None:
    theirs = make_invoice(charlies_family, "2026-10-0002")
    for number in (theirs.number, "2026-10-9999", "x' OR 1=1 --", "é" * 500, "\0"):
        assert "ne figure pas dans votre dossier" in reasons(alices_family, number)


def test_what_is_paid_cancelled_or_closed_is_refused_in_plain_words(alices_family: Family) -> None:
    make_invoice(alices_family, "A", state="paid")
    make_invoice(alices_family, "B", state="cancelled")
    make_invoice(alices_family, "C", closes_on=date(2026, 11, 23))
    make_invoice(alices_family, "D", closes_on=date(2026, 11, 24))
    assert "déjà payée" in reasons(alices_family, "A")
    assert "a été annulée" in reasons(alices_family, "B")
    assert "clos depuis le 23 novembre 2026" in reasons(alices_family, "C")
    assert reasons(alices_family, "D") == ""
    Invoice.update(state="open").where(Invoice.number == "A").execute()


def test_nothing_ticked_too_much_ticked_and_amounts_beyond_the_bank_are_refused(
    alices_family: Family, october: Invoice
) -> None:
    assert "Cochez" in reasons(alices_family)
    assert "au plus 50" in reasons(alices_family, *(f"N{i}" for i in range(51)))
    assert "accepte de" in reasons(alices_family, october.number, limits=Limits(5000, 9000))
    assert "accepte de" in reasons(alices_family, october.number, limits=Limits(1, 4519))


def test_one_bad_invoice_refuses_the_whole_and_opens_nothing(
    pay: Pay, alices_family: Family, october: Invoice, september: Invoice
) -> None:
    payments.cancel_invoice(september.number, "Dominique", "erreur")
    with pytest.raises(Refused, match="annulée"):
        pay(alices_family, october, september)
    assert Attempt.select().count() == 0


def test_a_total_that_changed_since_it_was_read_is_refused(
    gateway: Gateway, alices_family: Family, october: Invoice
) -> None:
    with pytest.raises(Refused, match="montant"):
        payments.start(Purchase(alices_family, [october.number], 4519), gateway, PUBLIC_URL)
    assert Attempt.select().count() == 0


def test_the_same_invoice_asked_twice_is_paid_once(
    gateway: Gateway, alices_family: Family, october: Invoice
) -> None:
    purchase = Purchase(alices_family, [october.number] * 2, 4520)
    attempt, _ = payments.start(purchase, gateway, PUBLIC_URL)
    assert attempt.amount_cents == 4520


# --- Two tabs ---


def test_a_second_tab_is_told_until_when_to_wait(
    pay: Pay, alices_family: Family, october: Invoice
) -> None:
    pay(alices_family, october)
    with pytest.raises(Refused, match="recommencez après 20\u00a0h\u00a045"):
        pay(alices_family, october)


def test_after_that_time_a_silent_attempt_expires_and_another_may_start(
    pay: Pay, frozen: Clock, alices_family: Family, october: Invoice
) -> None:
    first, _ = pay(alices_family, october)
    frozen.advance(minutes=15)
    pay(alices_family, october)
    assert state(first) == "expired"


def test_two_live_attempts_for_one_invoice_are_refused_by_the_base_itself(
    pay: Pay, alices_family: Family, october: Invoice
) -> None:
    attempt, _ = pay(alices_family, october)
    other = Attempt.create(
        **{**attempt.__data__, "id": None, "reference": "other", "number": 1, "day": "20200101"}
        | {"gateway_reference": None}
    )
    with pytest.raises(IntegrityError), write():
        AttemptItem.create(attempt=other, invoice=october, amount_cents=4520)
    other.delete_instance()


def test_a_refused_card_frees_the_invoice_at_once(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice
) -> None:
    first, handoff = pay(alices_family, october)
    hear(handoff, **REFUSED)
    assert (state(first), state(october)) == ("refused", "open")
    pay(alices_family, october)


def test_a_pending_payment_holds_the_invoice_for_days(
    pay: Pay, hear: Hear, frozen: Clock, alices_family: Family, october: Invoice
) -> None:
    attempt, handoff = pay(alices_family, october)
    hear(handoff, trans_status="UNDER_VERIFICATION")
    frozen.advance(days=6)
    with pytest.raises(Refused, match="examine encore"):
        pay(alices_family, october)
    hear(handoff)
    assert (state(attempt), state(october)) == ("paid", "paid")


def test_a_payment_pending_for_too_long_no_longer_keeps_the_family_from_paying(
    pay: Pay, hear: Hear, frozen: Clock, alices_family: Family, october: Invoice
) -> None:
    first, handoff = pay(alices_family, october)
    hear(handoff, trans_status="UNDER_VERIFICATION")
    frozen.advance(days=8)
    _, second = pay(alices_family, october)
    assert state(first) == "pending"
    hear(second)
    hear(handoff)
    assert state(october) == "paid"
    assert Anomaly.get().kind == "overpayment"


def test_a_card_refused_then_one_the_bank_examines_holds_the_invoice_again(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice
) -> None:
    _, handoff = pay(alices_family, october)
    hear(handoff, **REFUSED, trans_uuid="a" * 32)
    hear(handoff, trans_status="AUTHORISED_TO_VALIDATE", trans_uuid="b" * 32)
    with pytest.raises(Refused, match="examine encore"):
        pay(alices_family, october)


def test_what_another_attempt_holds_is_not_taken_back_from_it(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice
) -> None:
    first, handoff = pay(alices_family, october)
    hear(handoff, **REFUSED, trans_uuid="a" * 32)
    second, _ = pay(alices_family, october)
    hear(handoff, trans_status="AUTHORISED_TO_VALIDATE", trans_uuid="b" * 32)
    assert payments.live_attempts([october]) == {october.id: second}
    assert state(first) == "pending"


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
    assert (state(attempt), state(october)) == ("paid", "paid")
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
    assert (state(attempt), state(october)) == ("reversed", "open")
    assert set(journal.balances().values()) <= {0}


def test_money_that_comes_late_is_money(
    pay: Pay, hear: Hear, frozen: Clock, alices_family: Family, october: Invoice
) -> None:
    attempt, handoff = pay(alices_family, october)
    hear(handoff, **{**ABANDONED, "payment_error": "149"})
    assert state(attempt) == "expired"
    frozen.advance(days=365)
    hear(handoff)
    assert (state(attempt), state(october)) == ("paid", "paid")


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
    assert (state(first), state(second), state(october)) == ("paid", "paid", "paid")
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
    assert [part.kind for part in Allocation.select()] == ["invoice", "overpayment"]


def test_the_counter_paid_one_of_two_while_the_parent_was_at_the_bank(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice, september: Invoice
) -> None:
    _, handoff = pay(alices_family, october, september)
    payments.settle_at_counter([counter(september)])
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
    assert state(october) == "cancelled"
    assert Anomaly.get().detail == "facture annulée entre-temps"
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
    assert (state(attempt), state(october)) == ("pending", "open")
    assert journal.balances() == {"bank:banque": int(amount), "unmatched": -int(amount)}
    assert Receipt.select().count() == 0


def test_one_debit_announced_with_two_amounts_is_booked_once_and_told(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice
) -> None:
    _, handoff = pay(alices_family, october)
    hear(handoff)
    assert hear(handoff, effective_amount="9999") == "mismatch"
    assert journal.balances() == {"bank:banque": 4520, "invoices": -4520}
    assert Anomaly.select().count() == 1


def test_another_currency_pays_nothing_and_is_told(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice
) -> None:
    _, handoff = pay(alices_family, october)
    assert hear(handoff, effective_currency="840") == "mismatch"
    assert state(october) == "open"
    assert Anomaly.select().count() == 1


def test_an_unknown_order_is_kept_and_told_once(hear: Hear, pay: Pay, october: Invoice) -> None:
    _, handoff = pay(october.family, october)
    for _ in range(3):
        assert hear(handoff, order_id="KF000000000000000000") == "unknown_order"
    assert Anomaly.select().count() == 1
    assert state(october) == "open"


def test_one_attempts_notice_under_another_attempts_ids_pays_neither(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice, september: Invoice
) -> None:
    first, _ = pay(alices_family, october)
    _, handoff = pay(alices_family, september)
    hear(handoff, order_id=first.reference)
    hear(handoff, trans_id="000000")
    hear(handoff, trans_date="20200101000000")
    assert (state(october), state(september)) == ("open", "open")
    assert Settlement.select().count() == 0


def test_another_gateway_cannot_speak_for_this_one(
    pay: Pay, gateway: Gateway, alices_family: Family, october: Invoice
) -> None:
    _, handoff = pay(alices_family, october)
    report = gateway.read_notification(Callback(tuple(notice(handoff).items())))
    assert payments.record("autre", report, ISSUERS) == "unknown_order"
    assert state(october) == "open"


def test_an_unknown_status_pays_nothing_and_is_told(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice
) -> None:
    attempt, handoff = pay(alices_family, october)
    hear(handoff, trans_status="INVENTED")
    assert (state(attempt), state(october)) == ("pending", "open")
    assert Anomaly.get().detail == "statut inconnu de la banque"


# --- Money that leaves again ---


@pytest.mark.parametrize("status", ["CANCELLED", "EXPIRED", "CAPTURE_FAILED"])
def test_a_payment_the_bank_takes_back_opens_the_invoice_again(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice, status: str
) -> None:
    attempt, handoff = pay(alices_family, october)
    hear(handoff)
    hear(handoff, trans_status=status)
    hear(handoff, trans_status=status)
    assert (state(attempt), state(october)) == ("reversed", "open")
    assert journal.balances() == {"bank:banque": 0, "invoices": 0}
    assert JournalEntry.select().count() == 2
    assert Receipt.select().count() == 1
    assert "reversed" in {anomaly.kind for anomaly in Anomaly.select()}


@pytest.mark.parametrize(
    "order", [("a", "b", "cancel a"), ("a", "cancel a", "b"), ("b", "a", "cancel a")], ids="-".join
)
def test_money_that_came_twice_pays_when_the_other_payment_is_cancelled(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice, order: tuple[str, ...]
) -> None:
    attempt, handoff = pay(alices_family, october)
    messages = {
        "a": {"trans_uuid": "a" * 32},
        "b": {"trans_uuid": "b" * 32},
        "cancel a": {"trans_uuid": "a" * 32, "trans_status": "CANCELLED"},
    }
    for name in order:
        hear(handoff, **messages[name])
    assert (state(attempt), state(october)) == ("paid", "paid")
    assert journal.balances()["invoices"] == -4520
    assert journal.balances().get("overpayments", 0) == 0
    assert [point.kind for point in payments.open_anomalies() if point.kind == "overpayment"] == []


def test_money_a_human_has_dealt_with_is_not_used_again(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice
) -> None:
    _, handoff = pay(alices_family, october)
    hear(handoff, trans_uuid="a" * 32)
    hear(handoff, trans_uuid="b" * 32)
    payments.resolve_anomaly(payments.open_anomalies()[0].id, "Dominique", "remboursé par virement")
    hear(handoff, trans_uuid="a" * 32, trans_status="CANCELLED")
    assert state(october) == "open"
    assert journal.balances()["overpayments"] == -4520


def test_a_cancelled_invoice_stays_so_when_its_payment_is_taken_back(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice
) -> None:
    _, handoff = pay(alices_family, october)
    payments.cancel_invoice(october.number, "Dominique", "erreur")
    hear(handoff)
    hear(handoff, trans_status="CANCELLED")
    assert state(october) == "cancelled"


def test_a_debit_announced_again_after_its_reversal_is_told(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice
) -> None:
    _, handoff = pay(alices_family, october)
    for status in ("AUTHORISED", "CAPTURE_FAILED", "CAPTURED"):
        hear(handoff, trans_status=status)
    assert "débit annoncé de nouveau après son annulation" in {
        p.detail for p in payments.open_anomalies()
    }


RECAPTURED = ("AUTHORISED", "CAPTURE_FAILED", "CAPTURED")


@pytest.mark.parametrize("amount", [None, "4519"], ids=["right amount", "wrong amount"])
@pytest.mark.parametrize("order", [*permutations(RECAPTURED), RECAPTURED[1:]], ids="-".join)
def test_a_debit_captured_after_all_is_told_in_any_order(
    pay: Pay,
    hear: Hear,
    alices_family: Family,
    october: Invoice,
    order: tuple[str, ...],
    amount: str | None,
) -> None:
    _, handoff = pay(alices_family, october)
    changes = {"amount": amount, "effective_amount": amount} if amount else {}
    for status in order * 2:
        hear(handoff, trans_status=status, **changes)
    assert state(october) == "open"
    told = [p.detail for p in payments.open_anomalies()]
    assert told.count("débit annoncé de nouveau après son annulation") == 1


def test_a_capture_heard_of_after_a_chargeback_is_no_contradiction(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice
) -> None:
    _, handoff = pay(alices_family, october)
    hear(handoff)
    settlement = payments.find_settlement("R1")
    payments.record_repayment(settlement, RepaymentKind.CHARGEBACK, None, "Dominique", "contesté")
    hear(handoff, trans_status="CAPTURED")
    assert payments.open_anomalies() == []


def test_one_debit_never_serves_two_attempts(
    pay: Pay, hear: Hear, alices_family: Family, charlies_family: Family, october: Invoice
) -> None:
    _, handoff = pay(alices_family, october)
    hear(handoff, trans_uuid="a" * 32)
    theirs = make_invoice(charlies_family, "2026-10-0002", 4520)
    attempt, other = pay(charlies_family, theirs)
    for status in ("AUTHORISED", "CANCELLED"):
        hear(other, trans_uuid="a" * 32, trans_status=status)
    assert (state(attempt), state(theirs), state(october)) == ("handed_off", "open", "paid")
    assert Anomaly.get().detail == "débit déjà enregistré pour un autre paiement"


def test_a_debit_said_to_be_taken_back_in_two_ways_is_taken_back_once(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice
) -> None:
    _, handoff = pay(alices_family, october)
    for status in ("AUTHORISED", "CAPTURE_FAILED", "CANCELLED"):
        hear(handoff, trans_status=status)
    assert journal.balances() == {"bank:banque": 0, "invoices": 0}
    assert JournalEntry.select().count() == 2


def test_a_refund_made_at_the_bank_is_seen_once(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice
) -> None:
    attempt, handoff = pay(alices_family, october)
    hear(handoff)
    credit = {"operation_type": "CREDIT", "trans_id": "912345", "trans_uuid": "c" * 32}
    hear(handoff, **credit)
    before = effects()
    assert hear(handoff, **credit) == "known"
    assert effects() == before
    assert (state(attempt), state(october)) == ("refunded", "open")
    assert journal.balances() == {"bank:banque": 0, "invoices": 0}


CREDIT = {"operation_type": "CREDIT", "trans_id": "912345", "trans_uuid": "c" * 32}
TAKEN_BACK = {
    "refund": ({}, CREDIT),
    "wrong amount": (
        {"amount": "4519", "effective_amount": "4519"},
        {"amount": "4519", "effective_amount": "4519", "trans_status": "CANCELLED"},
    ),
}


@pytest.mark.parametrize("swapped", [False, True], ids=["in order", "swapped"])
@pytest.mark.parametrize("case", TAKEN_BACK)
def test_money_that_left_again_ends_the_same_in_either_order(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice, case: str, *, swapped: bool
) -> None:
    attempt, handoff = pay(alices_family, october)
    messages = list(TAKEN_BACK[case])
    for changes in reversed(messages) if swapped else messages:
        hear(handoff, **changes)
    ended = (state(attempt), state(october), [s.state for s in Settlement.select()])
    expected = {"refund": ("refunded", "open"), "wrong amount": ("reversed", "open")}[case]
    assert ended[:2] == expected
    assert "counted" not in ended[2]
    assert set(journal.balances().values()) <= {0}
    before = effects()
    for changes in messages * 2:
        hear(handoff, **changes)
    assert effects() == before


def test_one_wrong_debit_is_told_once_however_often_it_is_announced(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice
) -> None:
    _, handoff = pay(alices_family, october)
    for status in ("AUTHORISED", "CAPTURED"):
        hear(handoff, trans_status=status, amount="1", effective_amount="1")
    assert Anomaly.select().count() == 1


def test_a_refund_that_goes_on_is_told_once_and_one_that_failed_is_told(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice
) -> None:
    _, handoff = pay(alices_family, october)
    hear(handoff)
    hear(handoff, **{**CREDIT, "trans_uuid": "d" * 32}, trans_status="REFUSED")
    assert [p.detail for p in payments.open_anomalies()] == ["remboursement non abouti à la banque"]
    hear(handoff, **CREDIT)
    told = Anomaly.select().count()
    assert hear(handoff, **CREDIT, trans_status="CAPTURED") == "known"
    assert Anomaly.select().count() == told


TWICE_AND_REFUNDED = {
    "a": {"trans_uuid": "a" * 32},
    "b": {"trans_uuid": "b" * 32},
    "refund": CREDIT,
}


@pytest.mark.parametrize("order", list(permutations(TWICE_AND_REFUNDED)), ids="-".join)
def test_the_refund_of_one_of_two_debits_leaves_the_invoice_paid_in_any_order(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice, order: tuple[str, ...]
) -> None:
    attempt, handoff = pay(alices_family, october)
    for name in order * 2:
        hear(handoff, **TWICE_AND_REFUNDED[name])
    assert (state(attempt), state(october)) == ("paid", "paid")
    assert sorted(s.state for s in Settlement.select()) == ["counted", "refunded"]
    accounts = {name: cents for name, cents in journal.balances().items() if cents}
    assert accounts == {"bank:banque": 4520, "invoices": -4520}
    assert {p.kind for p in payments.open_anomalies()} == {"refunded"}


def test_a_refund_is_of_the_debit_captured_rather_than_of_one_only_authorised(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice
) -> None:
    _, handoff = pay(alices_family, october)
    hear(handoff, trans_uuid="a" * 32, trans_status="CAPTURED")
    hear(handoff, trans_uuid="b" * 32)
    hear(handoff, **CREDIT)
    hear(handoff, trans_uuid="b" * 32, trans_status="CANCELLED")
    assert state(october) == "open"
    assert set(journal.balances().values()) == {0}


def test_a_refund_taken_for_one_of_a_debit_cancelled_since_is_told(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice
) -> None:
    """The bank refunds only what it captured: the refund was of a debit not heard of yet."""
    _, handoff = pay(alices_family, october)
    hear(handoff, trans_uuid="b" * 32)
    hear(handoff, **CREDIT)
    hear(handoff, trans_uuid="a" * 32, trans_status="CAPTURED")
    assert "mismatch" not in {point.kind for point in payments.open_anomalies()}
    hear(handoff, trans_uuid="b" * 32, trans_status="CANCELLED")
    told = [point.detail for point in payments.open_anomalies()]
    assert "débit annulé que la banque semblait avoir remboursé" in told


PARTLY = {
    "debit": {},
    "ten": {**CREDIT, "amount": "1000", "effective_amount": "1000"},
    "five": {**CREDIT, "trans_uuid": "d" * 32, "amount": "500", "effective_amount": "500"},
}


@pytest.mark.parametrize("order", list(permutations(PARTLY)), ids="-".join)
def test_partial_refunds_leave_the_invoice_paid_and_are_told_in_any_order(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice, order: tuple[str, ...]
) -> None:
    attempt, handoff = pay(alices_family, october)
    for name in order * 2:
        hear(handoff, **PARTLY[name])
    assert (state(attempt), state(october)) == ("paid", "paid")
    assert Settlement.get().returned_cents == 1500
    assert journal.balances() == {"bank:banque": 3020, "invoices": -4520, "refunds": 1500}
    assert [point.kind for point in payments.open_anomalies()] == [
        "partial_refund",
        "partial_refund",
    ]


def test_refunds_that_add_up_to_the_whole_open_the_invoice_again(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice
) -> None:
    attempt, handoff = pay(alices_family, october)
    hear(handoff)
    for letter, cents in (("c", 1000), ("d", 3520)):
        amounts = {"amount": str(cents), "effective_amount": str(cents)}
        hear(handoff, **{**CREDIT, "trans_uuid": letter * 32, **amounts})
    assert (state(attempt), state(october)) == ("refunded", "open")
    assert set(journal.balances().values()) == {0}


def test_a_refund_takes_first_what_had_come_twice(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice
) -> None:
    _, handoff = pay(alices_family, october)
    hear(handoff, trans_uuid="a" * 32)
    hear(handoff, trans_uuid="b" * 32)
    hear(handoff, **CREDIT, amount="1000", effective_amount="1000")
    assert journal.balances() == {
        "bank:banque": 8040, "invoices": -4520, "overpayments": -3520,
    }  # fmt: skip


def test_a_refund_larger_than_the_payment_is_left_to_a_human(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice
) -> None:
    _, handoff = pay(alices_family, october)
    hear(handoff)
    too_much = {**CREDIT, "amount": "4521", "effective_amount": "4521"}
    assert hear(handoff, **too_much) == "unmatched_refund"
    assert state(october) == "paid"
    assert [point.kind for point in payments.open_anomalies()] == ["unmatched_refund"]


def test_a_refund_heard_of_before_its_debit_leaves_the_list_when_the_debit_comes(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice
) -> None:
    _, handoff = pay(alices_family, october)
    hear(handoff, **CREDIT)
    assert [point.kind for point in payments.open_anomalies()] == ["unmatched_refund"]
    hear(handoff)
    assert [point.kind for point in payments.open_anomalies()] == ["refunded"]


def test_a_refund_heard_of_before_a_debit_of_another_amount_is_given_back_of_it(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice
) -> None:
    _, handoff = pay(alices_family, october)
    amounts = {"amount": "4519", "effective_amount": "4519"}
    hear(handoff, **CREDIT, **amounts)
    hear(handoff, **amounts)
    assert set(journal.balances().values()) == {0}
    assert "unmatched_refund" not in {point.kind for point in payments.open_anomalies()}


# --- Staff ---


def counter(invoice: Invoice, **changes: object) -> CounterPayment:
    values = {
        "invoice_number": invoice.number,
        "amount_cents": invoice.total_cents,
        "mode": "cheque",
        "settled_on": date(2026, 11, 20),
        "author": "Dominique",
        "reason": "chèque 123",
    }
    return CounterPayment(**{**values, **changes})  # type: ignore[arg-type]


def test_the_counter_pays_an_invoice_with_a_name_and_a_reason(october: Invoice) -> None:
    assert payments.settle_at_counter([counter(october)]) == [("", 4520)]
    assert payments.settle_at_counter([counter(october)]) == []
    assert state(october) == "paid"
    assert journal.balances() == {"counter:cheque": 4520, "invoices": -4520}
    assert Receipt.select().count() == 0


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"author": " "}, "auteur"),
        ({"reason": ""}, "motif"),
        ({"mode": "card"}, "mode inconnu"),
        ({"amount_cents": 4519}, "son montant"),
        ({"invoice_number": "nulle"}, "n’existe pas"),
    ],
)
def test_a_wrong_counter_payment_refuses_the_whole_batch(
    october: Invoice, september: Invoice, changes: dict[str, object], reason: str
) -> None:
    with pytest.raises(Refused, match=reason):
        payments.settle_at_counter([counter(september), counter(october, **changes)])
    assert (state(october), state(september)) == ("open", "open")
    assert JournalEntry.select().count() == 0


def test_a_paid_invoice_is_neither_paid_again_nor_cancelled(october: Invoice) -> None:
    payments.settle_at_counter([counter(october)])
    with pytest.raises(Refused, match="pas à régler"):
        payments.settle_at_counter([counter(october, reason="autre", mode="cash")])
    with pytest.raises(Refused, match="pas à régler"):
        payments.cancel_invoice(october.number, "Dominique", "erreur")
    with pytest.raises(Refused, match="auteur"):
        payments.cancel_invoice(october.number, "", "erreur")


def test_what_the_regisseur_has_dealt_with_leaves_the_list(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice
) -> None:
    hear(pay(alices_family, october)[1], trans_status="INVENTED")
    (point,) = payments.open_anomalies()
    with pytest.raises(Refused, match="auteur"):
        payments.resolve_anomaly(point.id, "Dominique", "")
    payments.resolve_anomaly(point.id, "Dominique", "vu avec la banque")
    assert payments.open_anomalies() == []
    with pytest.raises(Refused, match="Aucun point"):
        payments.resolve_anomaly(point.id, "Dominique", "encore")


# --- The rest ---


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
    assert (state(attempt), state(october)) == ("handed_off", "open")
    monkeypatch.undo()
    hear(handoff)
    assert state(october) == "paid"


def test_a_change_decided_on_a_state_that_is_no_longer_is_refused(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice
) -> None:
    stale, handoff = pay(alices_family, october)
    hear(handoff)
    with pytest.raises(RuntimeError, match="outside its transaction"), write():
        add_fact(stale, "", AttemptState.CANCELLED, source=FactSource.PORTAL)
    assert state(stale) == "paid"


def test_the_numbers_given_to_the_bank_never_repeat_in_a_day(
    pay: Pay, alices_family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    draws = iter([7, 7, 7, 8])
    monkeypatch.setattr("kiosque.payments.checkout.secrets.randbelow", lambda _: next(draws))
    first, _ = pay(alices_family, make_invoice(alices_family, "A"))
    second, _ = pay(alices_family, make_invoice(alices_family, "B"))
    assert (first.number, second.number) == (7, 8)


def test_the_numbers_of_the_banks_own_back_office_are_left_to_it(
    pay: Pay, alices_family: Family, october: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kiosque.payments.checkout.secrets.randbelow", lambda bound: bound - 1)
    assert pay(alices_family, october)[0].number == 899_999


def test_the_bank_reads_invoice_numbers_and_nothing_of_the_services_or_children(
    pay: Pay, alices_family: Family, october: Invoice, september: Invoice
) -> None:
    _, handoff = pay(alices_family, october, september, email="a+b@example.org")
    fields = dict(handoff.fields or ())
    assert fields["vads_order_info"] == "Factures 2026-09-0001, 2026-10-0001"
    sent = " ".join(fields.values())
    assert not [word for word in ("Léa", "Restauration", "Martin", "F1001", "@") if word in sent]


def test_a_long_list_of_invoices_is_counted_rather_than_cut(
    pay: Pay, alices_family: Family
) -> None:
    invoices = [make_invoice(alices_family, f"FACTURE-{i:022d}") for i in range(12)]
    _, handoff = pay(alices_family, *invoices)
    assert dict(handoff.fields or ())["vads_order_info"] == "12 factures"


def test_an_attempt_remembers_the_amounts_it_was_opened_with(
    pay: Pay, hear: Hear, alices_family: Family, october: Invoice
) -> None:
    """Should an invoice's total change after all, the money is kept and a human told."""
    _, handoff = pay(alices_family, october)
    Invoice.update(total_cents=4600).where(Invoice.id == october.id).execute()
    hear(handoff)
    assert state(october) == "open"
    assert Anomaly.get().detail == "facture changée : 45,20\u00a0€ payés, 46,00\u00a0€ dus"


def test_attempts_older_than_their_time_no_longer_hold_their_invoices(
    pay: Pay, frozen: Clock, alices_family: Family, october: Invoice
) -> None:
    attempt, _ = pay(alices_family, october)
    assert payments.live_attempts([october]) == {october.id: attempt}
    frozen.at = attempt.live_until + timedelta(seconds=1)
    assert payments.live_attempts([october]) == {}
