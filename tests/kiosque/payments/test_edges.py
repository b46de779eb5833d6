"""The payment core at its edges: the exact instant, the exact cent, and what exactly is told."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from gateways.base import (
    Callback,
    Declined,
    Gateway,
    Handoff,
    Order,
    RefundRequest,
    Report,
    Unreachable,
    WrongEmail,
)
from kiosque import payments
from kiosque.db import write
from kiosque.db.models import (
    Anomaly,
    Attempt,
    AttemptItem,
    BankMessage,
    Fact,
    Family,
    Invoice,
    OutboxMail,
    Receipt,
    Repayment,
    Settlement,
)
from kiosque.db.states import AnomalyKind, AttemptState, FactSource, RepaymentKind
from kiosque.language import catalogue, clock, formats
from kiosque.payments import (
    CounterPayment,
    Money,
    Purchase,
    Refused,
    anomalies,
    facts,
    journal,
    polling,
    reconcile,
    refunds,
    reversals,
    verification,
)
from kiosque.payments.incoming import record_answer
from kiosque.payments.selection import payable_now
from kiosque.settings import Settings
from tests.bank import ABANDONED
from tests.conftest import ISSUERS, NOW, PUBLIC_URL, Clock, make_invoice
from tests.talkative import TalkativeBank

CREDIT = {"operation_type": "CREDIT", "trans_id": "912345", "trans_uuid": "c" * 32}
PENDING = {"trans_status": "UNDER_VERIFICATION"}
CANCELLED = {"trans_status": "CANCELLED"}
Go = Callable[..., tuple[Attempt, Handoff]]
Hear = Callable[..., str]


@pytest.fixture
def bank(gateway: Gateway) -> TalkativeBank:
    return TalkativeBank(gateway)


@pytest.fixture
def gateways(bank: TalkativeBank) -> dict[str, Gateway]:
    return {"banque": bank}


@pytest.fixture
def go(bank: TalkativeBank, base: None) -> Go:
    def start(*invoices: Invoice) -> tuple[Attempt, Handoff]:
        numbers = [invoice.number for invoice in invoices]
        total = sum(invoice.total_cents for invoice in invoices)
        purchase = Purchase(invoices[0].family, numbers, total)
        attempt, handoff = payments.start(purchase, bank, PUBLIC_URL)
        return Attempt.get_by_id(attempt.id), handoff

    return start


@pytest.fixture
def hear(bank: TalkativeBank) -> Hear:
    return lambda handoff, **changes: payments.record(
        bank.name, bank.report(handoff, **changes), ISSUERS
    )


@pytest.fixture(autouse=True)
def _sound_books(base: None) -> object:
    yield
    assert verification.faults() == []


def gave_back(cents: int, uuid: str = "c") -> dict[str, str]:
    amounts = {"amount": str(cents), "effective_amount": str(cents)}
    return {**CREDIT, **amounts, "trans_uuid": uuid * 32}


def at_counter(invoice: Invoice, **changes: object) -> list[tuple[str, int]]:
    values = {
        "invoice_number": invoice.number, "amount_cents": invoice.total_cents, "mode": "cash",
        "settled_on": NOW.date(), "author": "Dominique", "reason": "guichet",
    }  # fmt: skip
    return payments.settle_at_counter([CounterPayment(**{**values, **changes})])  # type: ignore[arg-type]


def fresh(row: Attempt | Invoice) -> str:
    return type(row).get_by_id(row.id).state


# --- Asking ---


def test_whoever_makes_us_ask_the_bank_is_asked_about_the_very_same_order(
    bank: TalkativeBank, gateways: dict[str, Gateway], go: Go, frozen: Clock, october: Invoice
) -> None:
    attempt, handoff = go(october)
    payments.ask_soon(attempt, gateways, PUBLIC_URL, ISSUERS)
    frozen.advance(minutes=1)
    payments.ask_about_holders(october.family, [october.number], gateways, PUBLIC_URL, ISSUERS)
    frozen.advance(minutes=15)
    reconcile.run(gateways, PUBLIC_URL, ISSUERS)
    assert len(bank.asked) == 3
    for order in bank.asked:
        assert (order.reference, order.cents) == (attempt.reference, 4520)
        assert order.gateway_reference == handoff.gateway_reference
        assert order.return_url == f"{PUBLIC_URL}/paiement/retour/{attempt.reference}"
        assert order.notification_url == f"{PUBLIC_URL}/paiement/notification/banque"


def test_no_bank_is_asked_while_the_base_is_being_written(
    bank: TalkativeBank, go: Go, october: Invoice
) -> None:
    attempt, _ = go(october)
    with pytest.raises(RuntimeError), write():
        polling.ask_bank(attempt, bank, PUBLIC_URL, ISSUERS)
    assert bank.asked == []


def test_only_the_payments_of_the_invoices_ticked_are_asked_about(
    bank: TalkativeBank, gateways: dict[str, Gateway], go: Go, october: Invoice, september: Invoice
) -> None:
    first, _ = go(october)
    go(september)
    payments.ask_about_holders(october.family, [october.number], gateways, PUBLIC_URL, ISSUERS)
    assert [order.reference for order in bank.asked] == [first.reference]


def test_a_bank_silent_to_a_parent_is_asked_again_a_minute_later(
    bank: TalkativeBank, gateways: dict[str, Gateway], go: Go, october: Invoice
) -> None:
    attempt, _ = go(october)
    bank.answers = [Unreachable("panne")]
    payments.ask_soon(attempt, gateways, PUBLIC_URL, ISSUERS)
    attempt = Attempt.get_by_id(attempt.id)
    assert (attempt.unanswered, attempt.ask_at) == (1, NOW + timedelta(minutes=1))


def test_a_bank_that_answers_a_parent_about_another_order_has_not_answered(
    bank: TalkativeBank, gateways: dict[str, Gateway], go: Go, october: Invoice, september: Invoice
) -> None:
    (attempt, _), (other, handoff) = go(october), go(september)
    bank.answers = [[bank.report(handoff)]]
    payments.ask_soon(attempt, gateways, PUBLIC_URL, ISSUERS)
    assert Attempt.get_by_id(attempt.id).unanswered == 1
    assert (fresh(attempt), fresh(other)) == ("handed_off", "handed_off")


def test_of_two_who_want_to_ask_at_once_one_does_and_fifteen_seconds_later_another_may(
    go: Go, frozen: Clock, october: Invoice
) -> None:
    attempt, _ = go(october)
    assert polling._claim_question(attempt)
    assert not polling._claim_question(attempt)
    frozen.advance(seconds=14.999)
    assert not polling._claim_question(attempt)
    frozen.advance(seconds=0.001)
    assert polling._claim_question(attempt)


def test_an_answer_at_the_instant_when_the_page_closes_is_enough(
    gateways: dict[str, Gateway], go: Go, frozen: Clock, october: Invoice
) -> None:
    attempt, _ = go(october)
    frozen.at = attempt.live_until
    reconcile.run(gateways, PUBLIC_URL, ISSUERS)
    again, _ = go(october)
    assert (fresh(attempt), fresh(again)) == ("expired", "handed_off")


def test_what_was_heard_while_lapsed_payments_are_closed_is_not_undone(
    bank: TalkativeBank, go: Go, hear: Hear, october: Invoice, september: Invoice
) -> None:
    paid, handoff = go(october)
    asked, _ = go(september)
    hear(handoff, final=True)
    for attempt in (paid, asked):
        assert polling._expire_if_silent(attempt.id) is False
    assert (fresh(paid), fresh(asked)) == ("paid", "handed_off")


def test_a_payment_that_lapsed_says_so_of_no_bank_transaction(
    go: Go, frozen: Clock, october: Invoice
) -> None:
    attempt, _ = go(october)
    polling.stop_asking(attempt)
    frozen.advance(minutes=30, seconds=1)
    assert polling.expire_what_cannot_be_asked() == 1
    fact = Fact.get(Fact.state == "expired")
    assert (fact.transaction_id, fact.source) == ("", "timeout")
    assert (fact.status, fact.parent_id, fact.amount_cents) == ("", "", 0)


def test_a_payment_that_lapsed_frees_its_invoice_and_is_of_no_bank_transaction_either(
    go: Go, frozen: Clock, october: Invoice
) -> None:
    attempt, _ = go(october)
    polling.stop_asking(attempt)
    frozen.advance(minutes=30, seconds=1)
    go(october)
    fact = Fact.get(Fact.state == "expired")
    assert (fact.attempt, fact.transaction_id, fact.source) == (attempt, "", "timeout")


def test_a_payment_begins_by_what_the_site_alone_says_of_it(go: Go, october: Invoice) -> None:
    go(october)
    facts = Fact.select(Fact.state, Fact.transaction_id, Fact.status, Fact.source)
    assert list(facts.order_by(Fact.id).tuples()) == [
        ("created", "", "", "portal"),
        ("handed_off", "", "", "portal"),
    ]
    assert Attempt.get().day == "20261124", "of UTC, as the number it goes with"


@pytest.mark.parametrize(
    ("error", "words"),
    [(Unreachable("coupée"), "bank_unreachable"), (WrongEmail("non"), "email_refused")],
)
def test_a_payment_that_the_bank_does_not_open_says_why(
    bank: TalkativeBank, go: Go, october: Invoice, error: Exception, words: str
) -> None:
    def refuse(_order: Order) -> Handoff:
        raise error

    bank.start = refuse  # type: ignore[method-assign]
    with pytest.raises(type(error)):
        go(october)
    fact = Fact.get(Fact.state == "cancelled")
    assert (fact.transaction_id, fact.source) == ("", words)


def test_a_bank_is_told_of_an_order_what_it_needs(
    bank: TalkativeBank, october: Invoice, september: Invoice
) -> None:
    """The payer's address only where it wants one; his language; no reference before its own."""
    orders: list[Order] = []
    begin = bank.start
    bank.start = lambda order: orders.append(order) or begin(order)  # type: ignore[method-assign,func-returns-value]
    for invoice, language in ((october, "fr"), (september, "en")):
        purchase = Purchase(invoice.family, [invoice.number], invoice.total_cents, "a@example.org")
        with catalogue.using(language):
            payments.start(purchase, bank, PUBLIC_URL)
        bank.limits = replace(bank.limits, requires_email=True)
    assert [(order.email, order.language) for order in orders] == [
        (None, "fr"),
        ("a@example.org", "en"),
    ]
    assert [order.gateway_reference for order in orders] == ["", ""]


@pytest.mark.parametrize(("length", "shown"), [(255, True), (256, False)])
def test_what_the_bank_shows_holds_255_letters(
    bank: TalkativeBank, alices_family: Family, length: int, shown: bool
) -> None:
    numbers = ["A" * 122, "B" * (length - 133)]
    for number in numbers:
        make_invoice(alices_family, number)
    orders: list[Order] = []
    begin = bank.start
    bank.start = lambda order: orders.append(order) or begin(order)  # type: ignore[method-assign,func-returns-value]
    payments.start(Purchase(alices_family, numbers, 9040), bank, PUBLIC_URL)
    expected = f"Factures {', '.join(numbers)}" if shown else "2 factures"
    assert orders[0].description == expected


@pytest.mark.parametrize(
    ("least", "most", "taken"), [(4520, 4520, True), (4521, 9999, False), (100, 4519, False)]
)
def test_a_bank_takes_from_its_least_to_its_most_to_the_cent(
    gateway: Gateway, october: Invoice, least: int, most: int, taken: bool
) -> None:
    limits = replace(gateway.limits, minimum_cents=least, maximum_cents=most)
    reasons = payments.select_for_one_payment(october.family, [october.number], limits).reasons
    assert (reasons == []) is taken


def test_fifty_invoices_are_paid_at_once_and_no_more(
    gateway: Gateway, alices_family: Family
) -> None:
    numbers = [make_invoice(alices_family, f"N{n}", 100).number for n in range(51)]
    for count, taken in ((50, True), (51, False)):
        reasons = payments.select_for_one_payment(
            alices_family, numbers[:count], gateway.limits
        ).reasons
        assert (reasons == []) is taken


def test_a_number_that_nobody_wrote_is_told_in_thirty_letters(
    gateway: Gateway, alices_family: Family
) -> None:
    (reason,) = payments.select_for_one_payment(alices_family, ["9" * 31], gateway.limits).reasons
    assert "9" * 30 in reason
    assert "9" * 31 not in reason


def test_when_the_last_run_ended_is_known(
    gateways: dict[str, Gateway], frozen: Clock, october: Invoice
) -> None:
    assert reconcile.last_finished_at() is None
    reconcile.run(gateways, PUBLIC_URL, ISSUERS)
    frozen.advance(minutes=3)
    assert reconcile.last_finished_at() == NOW


def test_a_trigger_makes_its_payment_due_and_one_of_an_unknown_order_is_told(
    bank: TalkativeBank, go: Go, frozen: Clock, october: Invoice
) -> None:
    attempt, handoff = go(october)
    frozen.advance(seconds=5)
    report = replace(bank.report(handoff), ask=True)
    assert payments.record("banque", report, ISSUERS) == "to_confirm"
    assert Attempt.get_by_id(attempt.id).ask_at == frozen.at
    unknown = replace(report, reference="KF-inconnue")
    assert payments.record("banque", unknown, ISSUERS) == "unknown_order"
    (point,) = payments.open_anomalies()
    assert (point.kind, point.detail) == ("unknown_order", "commande KF-inconnue")


def test_each_silence_doubles_the_pause_up_to_an_hour_and_a_day_of_it_is_told_once(
    go: Go, frozen: Clock, october: Invoice, september: Invoice
) -> None:
    silent, _ = go(october)
    decided, _ = go(september)
    Attempt.update(state="refused").where(Attempt.id == decided.id).execute()
    pauses = []
    for count in range(1, 9):
        polling.postpone_question(silent)
        silent = Attempt.get_by_id(silent.id)
        assert (silent.asked_at, silent.unanswered) == (frozen.at, count)
        pauses.append((silent.ask_at - frozen.at) // timedelta(minutes=1))
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]
    frozen.advance(hours=23, minutes=59, seconds=59)
    polling.postpone_question(silent)
    assert payments.open_anomalies() == []
    frozen.advance(seconds=1)
    for attempt in (silent, silent, decided):
        polling.postpone_question(attempt)
    (point,) = payments.open_anomalies()
    assert (point.kind, point.attempt, point.amount_cents) == ("silent", silent, 4520)
    Attempt.update(state="handed_off", ask_at=None).where(Attempt.id == decided.id).execute()
    polling.stop_asking(silent)


def test_a_payment_examined_for_sixty_days_is_told_and_asked_about_no_more(
    bank: TalkativeBank, gateways: dict[str, Gateway], go: Go, frozen: Clock, october: Invoice
) -> None:
    attempt, handoff = go(october)
    bank.answers = [[bank.report(handoff, **PENDING)]]
    frozen.advance(days=60)
    reconcile.run(gateways, PUBLIC_URL, ISSUERS)
    assert payments.open_anomalies() == []
    frozen.advance(days=1)
    reconcile.run(gateways, PUBLIC_URL, ISSUERS)
    (point,) = payments.open_anomalies()
    assert (point.kind, point.attempt) == ("unsettled", attempt)
    assert Attempt.get_by_id(attempt.id).ask_at is None


# --- What is told, and of what ---


def test_money_too_much_is_told_with_its_reason_and_its_payment(
    go: Go, hear: Hear, alices_family: Family
) -> None:
    paid, cancelled, changed = (
        make_invoice(alices_family, f"2026-10-{number}") for number in ("1", "2", "3")
    )
    handoffs = [go(invoice)[1] for invoice in (paid, cancelled, changed)]
    at_counter(paid)
    payments.cancel_invoice(cancelled.number, "Dominique", "erreur")
    Invoice.update(total_cents=5000).where(Invoice.id == changed.id).execute()
    with catalogue.using("en"):
        for handoff in handoffs:
            hear(handoff)
    points = payments.open_anomalies()
    assert [point.detail for point in points] == [
        "facture déjà payée",
        "facture annulée entre-temps",
        "facture changée : 45,20\u00a0€ payés, 50,00\u00a0€ dus",
    ]
    assert [point.invoice for point in points] == [paid, cancelled, changed]
    assert all(point.settlement.attempt == point.attempt for point in points)


def test_money_that_came_twice_pays_an_invoice_of_its_own_amount_only(
    go: Go, hear: Hear, october: Invoice
) -> None:
    _, early = go(october)
    Invoice.update(total_cents=5000).where(Invoice.id == october.id).execute()
    hear(early)
    at_counter(Invoice.get_by_id(october.id))
    settlement = payments.find_settlement(october.number)
    payments.record_repayment(
        settlement, RepaymentKind.CHARGEBACK, None, "Dominique", "faux billet"
    )
    assert fresh(october) == "open"
    assert [point.kind for point in payments.open_anomalies()] == ["overpayment"]


@pytest.mark.parametrize(
    ("changes", "kind", "detail"),
    [
        ({"effective_amount": "100"}, "mismatch", "montant inattendu"),
        ({"effective_currency": "840"}, "mismatch", "devise inattendue"),
        (gave_back(4520), "unmatched_refund", "remboursement à rapprocher"),
    ],
    ids=["amount", "currency", "refund"],
)
def test_what_a_human_must_look_at_names_its_payment(
    go: Go, hear: Hear, october: Invoice, changes: dict[str, str], kind: str, detail: str
) -> None:
    attempt, handoff = go(october)
    hear(handoff, **changes)
    (point,) = payments.open_anomalies()
    assert (point.kind, point.detail, point.attempt) == (kind, detail, attempt)


def test_each_wrong_amount_of_one_debit_is_told(go: Go, hear: Hear, october: Invoice) -> None:
    _, handoff = go(october)
    hear(handoff)
    for cents in ("100", "200", "200"):
        assert hear(handoff, effective_amount=cents) == "mismatch"
    assert [point.amount_cents for point in payments.open_anomalies()] == [100, 200]


def test_a_refund_in_another_currency_gives_nothing_back_and_is_told(
    go: Go, hear: Hear, october: Invoice
) -> None:
    attempt, handoff = go(october)
    hear(handoff)
    foreign = {**gave_back(4520), "currency": "840", "effective_currency": "840"}
    assert hear(handoff, **foreign) == "mismatch"
    assert fresh(october) == "paid"
    (point,) = payments.open_anomalies()
    assert (point.kind, point.attempt) == ("mismatch", attempt)


def test_a_refund_announced_before_it_is_done_is_booked_once_done(
    go: Go, hear: Hear, october: Invoice
) -> None:
    _, handoff = go(october)
    hear(handoff)
    own = {**gave_back(1000), "trans_id": str(dict(handoff.fields or ())["vads_trans_id"])}
    hear(handoff, **own, trans_status="AUTHORISED_TO_VALIDATE")
    assert Settlement.get().returned_cents == 0
    assert hear(handoff, **own) == "recorded"
    assert Settlement.get().returned_cents == 1000


def test_a_strange_amount_is_a_fact_of_its_own(go: Go, hear: Hear, october: Invoice) -> None:
    _, handoff = go(october)
    hear(handoff, effective_amount="100")
    assert Fact.get(Fact.state == "pending").status == "DEBIT AUTHORISED unexpected amount"


def test_money_that_left_is_told_whole_or_in_part_with_its_payment(
    go: Go, hear: Hear, october: Invoice, september: Invoice
) -> None:
    (one, first), (two, second) = go(october), go(september)
    for handoff in (first, second):
        hear(handoff)
    hear(first, **gave_back(500))
    hear(second, **gave_back(4225, "d"))
    part, whole = payments.open_anomalies()
    assert (part.kind, part.detail) == ("partial_refund", "remboursement à la banque, en partie")
    assert (whole.kind, whole.detail) == ("refunded", "remboursement à la banque")
    assert (part.attempt, part.settlement.attempt, part.amount_cents) == (one, one, 500)
    assert (whole.attempt, whole.settlement.attempt, whole.amount_cents) == (two, two, 4225)
    assert whole.key == f"refunded:{whole.settlement.id}"


def test_what_the_bank_says_is_kept_as_it_said_it_whether_it_speaks_or_is_asked(
    bank: TalkativeBank, go: Go, hear: Hear, frozen: Clock, october: Invoice, september: Invoice
) -> None:
    hear(go(october)[1])
    _, handoff = go(september)
    bank.answers = [[bank.report(handoff)]]
    frozen.advance(minutes=15)
    reconcile.run({"banque": bank}, PUBLIC_URL, ISSUERS)
    heard = list(BankMessage.select().order_by(BankMessage.id))
    assert [(each.accepted, each.verdict) for each in heard] == [(True, "recorded")] * 2
    assert [each.reference for each in heard] == [
        each.reference for each in Attempt.select().order_by(Attempt.id)
    ]
    for each in heard:
        fields = json.loads(each.fields)
        assert fields["vads_trans_status"] == "AUTHORISED"
        assert "clé" not in fields  # it has one key only
        assert list(fields) == sorted(fields)


def test_an_answer_is_applied_as_part_of_a_write(
    bank: TalkativeBank, go: Go, october: Invoice
) -> None:
    attempt, handoff = go(october)
    with pytest.raises(RuntimeError):
        record_answer(attempt, [bank.report(handoff)], ISSUERS)
    assert fresh(attempt) == "handed_off"


def test_a_debit_cancelled_before_its_capture_is_told_once_and_as_nothing_else(
    go: Go, hear: Hear, october: Invoice
) -> None:
    _, handoff = go(october)
    hear(handoff)
    hear(handoff, **CANCELLED)
    assert [point.kind for point in payments.open_anomalies()] == ["reversed"]


def test_an_authorisation_that_comes_after_its_cancellation_is_no_debit_to_look_for(
    go: Go, hear: Hear, october: Invoice
) -> None:
    attempt, handoff = go(october)
    hear(handoff, **CANCELLED)
    hear(handoff)
    assert payments.open_anomalies() == []
    assert (fresh(attempt), Settlement.select().count()) == ("reversed", 0)


def test_a_refund_that_matches_nothing_is_told_of_each_payment_it_is_said_of(
    go: Go, hear: Hear, october: Invoice, september: Invoice
) -> None:
    for invoice in (october, september):
        hear(go(invoice)[1], **gave_back(1000))
    told = [(point.kind, point.attempt) for point in Anomaly.select().order_by(Anomaly.id)]
    assert told == [
        ("unmatched_refund", attempt) for attempt in Attempt.select().order_by(Attempt.id)
    ]


def test_a_debit_of_a_strange_amount_leaves_the_next_question_where_it_was(
    go: Go, hear: Hear, october: Invoice
) -> None:
    attempt, handoff = go(october)
    hear(handoff, effective_amount="100")
    assert Attempt.get_by_id(attempt.id).ask_at == attempt.ask_at


def test_a_refund_known_of_another_payment_gives_nothing_back_and_is_told(
    go: Go, hear: Hear, october: Invoice, september: Invoice
) -> None:
    (_, first), (_, second) = go(october), go(september)
    hear(first)
    hear(first, **gave_back(1000))
    hear(second, trans_uuid="d" * 32)
    assert hear(second, **gave_back(1000)) == "mismatch"
    assert "mismatch" in [point.kind for point in payments.open_anomalies()]
    assert Settlement.get(Settlement.transaction_id == "d" * 32).returned_cents == 0


def test_the_card_is_kept_by_its_brand_and_four_digits(
    go: Go, hear: Hear, october: Invoice
) -> None:
    hear(go(october)[1], card_brand="VISA", card_number="497010XXXXXX0055")
    settlement = Settlement.get()
    assert (settlement.card_brand, settlement.card_last4) == ("VISA", "0055")


def test_the_address_given_for_a_receipt_is_forgotten_once_it_is_queued(
    bank: TalkativeBank, hear: Hear, october: Invoice, september: Invoice
) -> None:
    for invoice, email in ((october, "alice@example.org"), (september, None)):
        purchase = Purchase(invoice.family, [invoice.number], invoice.total_cents, email)
        hear(payments.start(purchase, bank, PUBLIC_URL)[1], trans_uuid=str(invoice.id) * 32)
    assert [mail.recipient for mail in OutboxMail.select()] == ["alice@example.org"]
    assert [attempt.receipt_email for attempt in Attempt.select()] == [None, None]


def test_a_receipt_bears_the_names_of_whoever_issues_it(
    go: Go, hear: Hear, october: Invoice, settings: Settings
) -> None:
    hear(go(october)[1])
    receipt = Receipt.get()
    names = (receipt.town_name, receipt.regie_name, receipt.regisseur)
    assert names == (settings.town.name, settings.regie.name, settings.regie.regisseur)


def test_nothing_is_put_on_the_list_outside_a_write(base: None) -> None:
    with pytest.raises(RuntimeError):
        anomalies.flag_anomaly("x", AnomalyKind.MISMATCH, 1, "essai", regie="")
    assert not Anomaly.select().exists()


def test_nothing_is_learnt_outside_a_write(go: Go, october: Invoice) -> None:
    attempt, _ = go(october)
    with pytest.raises(RuntimeError):
        facts.add_fact(attempt, "", AttemptState.CANCELLED, source=FactSource.PORTAL)
    assert fresh(attempt) == "handed_off"


def test_each_payment_at_the_counter_has_accounts_of_its_own(
    october: Invoice, september: Invoice
) -> None:
    at_counter(october)
    at_counter(september, mode="cheque")
    balances = journal.balances()
    assert balances["counter:cash"] == october.total_cents
    assert balances["counter:cheque"] == september.total_cents


def test_a_payment_captured_is_followed_no_more_whatever_becomes_of_others(
    bank: TalkativeBank, go: Go, hear: Hear, october: Invoice, september: Invoice
) -> None:
    hear(go(september)[1], trans_uuid="e" * 32)  # not captured yet
    attempt, handoff = go(october)
    hear(handoff)
    hear(handoff, **CANCELLED)
    captured = bank.report(handoff, trans_status="CAPTURED", trans_uuid="d" * 32, final=True)
    payments.record(bank.name, captured, ISSUERS)
    assert Attempt.get_by_id(attempt.id).ask_at is None


def test_a_refund_that_matches_nothing_keeps_no_other_from_being_matched(
    go: Go, hear: Hear, october: Invoice
) -> None:
    attempt, handoff = go(october)
    hear(handoff)
    hear(handoff, **gave_back(9999))
    hear(handoff, **gave_back(1000, "d"))
    assert Settlement.get(Settlement.attempt == attempt).returned_cents == 1000


def test_a_refund_that_matches_nothing_of_its_payment_takes_nothing_from_another(
    go: Go, hear: Hear, october: Invoice, september: Invoice
) -> None:
    hear(go(october)[1], **gave_back(500))
    attempt, handoff = go(september)
    hear(handoff)
    assert Settlement.get(Settlement.attempt == attempt).returned_cents == 0


def test_a_payment_wholly_refunded_is_so_though_another_was_cancelled(
    go: Go, hear: Hear, october: Invoice, september: Invoice
) -> None:
    (_, cancelled), (refunded, handoff) = go(october), go(september)
    hear(cancelled)
    hear(cancelled, **CANCELLED)
    hear(handoff)
    hear(handoff, **gave_back(september.total_cents))
    assert Settlement.get(Settlement.attempt == refunded).state == "refunded"


def test_a_forged_message_leaves_the_names_of_its_fields_and_no_value(base: None) -> None:
    fields = (("signature", "secret"), *((f"n{i:02d}" + "x" * 40, "secret") for i in range(40)))
    payments.record_rejected("banque", "signature fausse", Callback(fields))
    row = BankMessage.get()
    kept = json.loads(row.fields)["champs"].split(" ")
    assert kept == ["signature", *(f"n{i:02d}" + "x" * 27 for i in range(29))]
    assert (row.accepted, row.reference, row.verdict) == (False, "", "rejected")
    assert row.detail == "signature fausse"
    assert "secret" not in row.fields


def test_what_sorted_itself_out_is_taken_off_in_our_name_but_not_twice(
    go: Go, hear: Hear, october: Invoice, september: Invoice
) -> None:
    (_, first), (_, second) = go(october), go(september)
    hear(first, **gave_back(500))
    hear(second, **gave_back(600, "d"))
    by_hand = payments.open_anomalies()[1]
    payments.resolve_anomaly(by_hand.id, "Dominique", "vu avec la banque")
    hear(first)
    hear(second)
    rows = Anomaly.select().where(Anomaly.kind == "unmatched_refund").order_by(Anomaly.id)
    assert [(row.resolved_by, row.resolution) for row in rows] == [
        ("Kiosque Famille", "débit retrouvé"),
        ("Dominique", "vu avec la banque"),
    ]


def test_what_a_family_reads_of_its_money(
    go: Go, hear: Hear, october: Invoice, september: Invoice
) -> None:
    (one, first), (two, second) = go(october), go(september)
    assert payments.money_of(one) == Money(0, 0, 0)
    hear(first)
    hear(first, trans_uuid="b" * 32)
    hear(first, **gave_back(1000))
    assert payments.money_of(one) == Money(3520, 0, 0)
    assert payments.money_of(two) == Money(0, 0, 0)
    hear(second)
    hear(second, **gave_back(300, "d"))
    assert payments.money_of(two) == Money(0, 0, 300)


# --- Money that leaves ---


def test_a_refund_is_of_the_debit_it_was_asked_for_though_another_came_twice(
    bank: TalkativeBank, go: Go, hear: Hear, october: Invoice
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
    bank: TalkativeBank, go: Go, hear: Hear, october: Invoice
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
    go: Go, hear: Hear, october: Invoice
) -> None:
    _, handoff = go(october)
    at_counter(october)
    hear(handoff)
    hear(handoff, trans_uuid="b" * 32, effective_amount="4000")
    hear(handoff, **gave_back(100))
    online = Settlement.select().where(Settlement.attempt.is_null(False)).order_by(Settlement.id)
    assert [each.returned_cents for each in online] == [100, 0]


def test_of_two_payments_too_much_the_one_given_back_leaves_the_list(
    go: Go, hear: Hear, october: Invoice
) -> None:
    _, handoff = go(october)
    for letter in "abd":
        hear(handoff, trans_uuid=letter * 32)
    hear(handoff, **gave_back(4520), parent="b" * 32)
    left = [point.settlement for point in payments.open_anomalies() if point.kind == "overpayment"]
    assert [each.transaction_id for each in left] == ["d" * 32]
    gone = Anomaly.get(Anomaly.kind == "overpayment", Anomaly.resolved_at.is_null(False))
    assert (gone.resolved_by, gone.resolution) == ("Kiosque Famille", "remboursement à la banque")


def test_more_than_came_is_never_given_back(go: Go, hear: Hear, october: Invoice) -> None:
    _, handoff = go(october)
    hear(handoff)
    settlement = Settlement.get()

    def give(cents: int) -> None:
        repayment = reversals._create_repayment(
            settlement, RepaymentKind.REFUND, cents, key=f"essai-{cents}"
        )
        reversals.book_repayment(repayment, "essai")

    with pytest.raises(RuntimeError, match="more was given back than had come"), write():
        give(4521)
    with write():
        give(4520)
    with pytest.raises(RuntimeError, match="more was given back"), write():
        give(1)
    repayment = Repayment.get()
    with pytest.raises(RuntimeError, match="write"):
        reversals.book_repayment(repayment, "essai")


def test_money_given_back_elsewhere_ends_the_payment_as_refunded(
    go: Go, hear: Hear, october: Invoice
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
    assert (fresh(attempt), fresh(october)) == ("refunded", "open")
    fact = Fact.get(Fact.state == "refunded")
    assert (fact.status, fact.source, fact.amount_cents) == ("returned", "portal", 4520)
    assert fact.transaction_id == settlement.transaction_id


def test_a_single_cent_may_be_given_back_and_the_bank_is_told_of_which_debit(
    bank: TalkativeBank, go: Go, hear: Hear, october: Invoice
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
    bank: TalkativeBank, gateway: Gateway, go: Go, hear: Hear, october: Invoice, september: Invoice
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
    bank: TalkativeBank, go: Go, hear: Hear, october: Invoice, september: Invoice
) -> None:
    (_, first), (_, second) = go(october), go(september)
    for handoff in (first, second):
        hear(handoff)
    asked = payments.ask_refund(payments.find_settlement("R1"), 1000, "Dominique", "absence", bank)
    bank.answers = [[bank.report(second, **gave_back(1000))]]
    assert payments.send_refund(asked, bank, PUBLIC_URL, ISSUERS).state == "asked"
    assert [each.returned_cents for each in Settlement.select()] == [0, 0]


def test_requests_without_an_answer_are_sent_again_in_their_order_and_so_many_at_a_time(
    bank: TalkativeBank, go: Go, hear: Hear, frozen: Clock, alices_family: Family
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
    assert [each.id for each in refunds.unanswered_refunds(9)] == waiting
    assert [each.id for each in refunds.unanswered_refunds(1)] == waiting[:1]
    frozen.advance(minutes=2)
    assert [each.id for each in refunds.unanswered_refunds(9)] == [asked[0].id, *waiting]


def test_what_the_bank_declines_names_its_payment(
    bank: TalkativeBank, go: Go, hear: Hear, october: Invoice
) -> None:
    hear(go(october)[1])
    settlement = payments.find_settlement("R1")
    asked = payments.ask_refund(settlement, 1000, "Dominique", "absence", bank)
    bank.answers = [Declined("non")]
    payments.send_refund(asked, bank, PUBLIC_URL, ISSUERS)
    (point,) = payments.open_anomalies()
    assert (point.settlement, point.amount_cents) == (settlement, 1000)


def test_a_refusal_that_comes_after_the_news_of_the_refund_changes_nothing(
    bank: TalkativeBank, go: Go, hear: Hear, october: Invoice
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
    go: Go, hear: Hear, october: Invoice, september: Invoice
) -> None:
    (_, first), (_, second) = go(october), go(september)
    payments.cancel_invoice(october.number, "Dominique", "erreur")
    hear(first)
    hear(second)
    hear(second, **CANCELLED)
    for invoice in (october, september):
        with pytest.raises(Refused, match=f"porte le numéro {invoice.number}"):
            payments.find_settlement(invoice.number)
    with pytest.raises(Refused) as caught:
        payments.find_settlement("x" * 500)
    assert caught.value.reasons == [
        f"Aucun reçu ni aucune facture payée ne porte le numéro {'x' * 30}."
    ]


# --- Staff ---


def test_two_invoices_of_one_amount_are_both_paid_at_the_counter_the_same_day(
    alices_family: Family,
) -> None:
    one, two, three = (make_invoice(alices_family, f"2026-10-{number}") for number in "123")
    assert at_counter(one) == [("", 4520)]
    batch = [
        CounterPayment(invoice.number, 4520, "cash", NOW.date(), "Dominique", "guichet")
        for invoice in (one, two, three)
    ]
    assert payments.settle_at_counter(batch, preview=True) == [("", 4520), ("", 4520)]
    assert [fresh(invoice) for invoice in (one, two, three)] == ["paid", "open", "open"]
    assert payments.settle_at_counter(batch) == [("", 4520), ("", 4520)]
    assert [fresh(invoice) for invoice in (one, two, three)] == ["paid", "paid", "paid"]


@pytest.mark.parametrize(
    "changes", [{"amount_cents": 4521}, {"settled_on": datetime(2026, 11, 23, tzinfo=UTC).date()}]
)
def test_what_resembles_a_payment_recorded_before_is_not_passed_over(
    october: Invoice, changes: dict[str, object]
) -> None:
    at_counter(october)
    with pytest.raises(Refused) as caught:
        at_counter(october, **changes)
    assert caught.value.numbers == [october.number]
    assert Settlement.select().count() == 1


def test_a_day_at_the_counter_is_its_noon_in_paris(october: Invoice) -> None:
    at_counter(october)
    noon = datetime.combine(NOW.date(), time(12), tzinfo=clock.PARIS)
    assert Settlement.get().settled_at == noon == datetime(2026, 11, 24, 11, tzinfo=UTC)


def test_a_payment_closed_by_staff_says_who_and_why(
    go: Go, hear: Hear, frozen: Clock, october: Invoice, september: Invoice
) -> None:
    (silent, _), (examined, handoff) = go(october), go(september)
    with pytest.raises(Refused) as caught:
        payments.close_attempt(silent.reference, "Dominique", "vu")
    until = formats.long_instant(silent.live_until)
    assert caught.value.reasons == [f"La famille peut encore payer à la banque jusqu’au {until}."]
    frozen.at = silent.live_until
    payments.close_attempt(silent.reference, " Dominique ", " " + "x" * 300)
    fact = Fact.get(Fact.state == "expired")
    assert (fact.attempt, fact.transaction_id, fact.source) == (silent, "", "regisseur")
    assert fact.status == "Dominique : " + "x" * 188
    assert fresh(silent) == "expired"
    hear(handoff, **PENDING)
    payments.close_attempt(examined.reference, "Dominique", "la banque ne sait rien")
    assert fresh(examined) == "pending"
    assert fresh(go(september)[0]) == "handed_off"
    with pytest.raises(Refused) as caught:
        payments.close_attempt("x" * 500, "Dominique", "vu")
    assert caught.value.reasons == [f"Paiement {'x' * 30}\u00a0: il n’existe pas ou est décidé."]


def test_what_is_dealt_with_says_by_whom_and_how(go: Go, hear: Hear, october: Invoice) -> None:
    hear(go(october)[1], effective_amount="1")
    (point,) = payments.open_anomalies()
    payments.resolve_anomaly(point.id, "Dominique", "remboursé")
    point = Anomaly.get_by_id(point.id)
    assert (point.resolved_by, point.resolution, point.resolved_at) == (
        "Dominique",
        "remboursé",
        NOW,
    )


@pytest.mark.parametrize(
    ("live", "minutes", "closes_in_days", "payable"),
    [
        (False, 30, None, True),
        (True, 0, None, True),
        (True, 1, None, False),
        (False, 30, 0, True),
        (False, 30, -1, False),
    ],
)
def test_an_invoice_is_payable_to_the_end_of_its_last_day_unless_held_at_the_bank(
    go: Go,
    frozen: Clock,
    october: Invoice,
    live: bool,
    minutes: int,
    closes_in_days: int | None,
    payable: bool,
) -> None:
    go(october)
    AttemptItem.update(live=live).execute()
    Attempt.update(live_until=frozen.at + timedelta(minutes=minutes)).execute()
    if closes_in_days is not None:
        closes_on = clock.today() + timedelta(days=closes_in_days)
        Invoice.update(closes_on=closes_on).execute()
    make_invoice(october.family, "une autre")
    found = [invoice.number for invoice in Invoice.select().where(payable_now())]
    assert found == [october.number] * payable + ["une autre"]


def test_an_address_is_kept_thirty_days_to_the_second(
    bank: TalkativeBank, frozen: Clock, october: Invoice
) -> None:
    purchase = Purchase(october.family, [october.number], 4520, "alice@example.org")
    attempt, handoff = payments.start(purchase, bank, PUBLIC_URL)
    payments.record("banque", bank.report(handoff, **ABANDONED), ISSUERS)
    frozen.advance(days=30)
    payments.forget_old_addresses()
    assert Attempt.get_by_id(attempt.id).receipt_email == "alice@example.org"
    frozen.advance(seconds=1)
    payments.forget_old_addresses()
    assert Attempt.get_by_id(attempt.id).receipt_email is None
    polling.stop_asking(attempt)
