"""Each anomaly tells a human of the right thing, to the exact cent."""

import json

import pytest

from gateways.base import (
    Callback,
)
from kiosque import payments
from kiosque.db.models import (
    Anomaly,
    Attempt,
    BankMessage,
    Fact,
    Family,
    Invoice,
    OutboxMail,
    Receipt,
    Settlement,
)
from kiosque.db.states import AnomalyKind, AttemptState, FactSource, RepaymentKind
from kiosque.language import catalogue
from kiosque.payments import (
    Money,
    Purchase,
    anomalies,
    attempt_facts,
    journal,
    reconcile,
)
from kiosque.payments.incoming import record_answer
from kiosque.settings import Settings
from tests import sentences
from tests.conftest import ISSUERS, PUBLIC_URL, Clock, make_invoice
from tests.kiosque.payments.conftest import (
    Hear,
    Pay,
    advised_lines,
    at_counter,
    change_total,
    gave_back,
    state_of,
)
from tests.talkative import TalkativeBank

pytestmark = pytest.mark.usefixtures("sound_books")
PENDING = {"trans_status": "UNDER_VERIFICATION"}
CANCELLED = {"trans_status": "CANCELLED"}


def test_money_too_much_is_told_with_its_reason_and_its_payment(
    go: Pay, hear: Hear, alices_family: Family
) -> None:
    paid, cancelled, changed = (
        make_invoice(alices_family, f"2026-10-{number}") for number in ("1", "2", "3")
    )
    handoffs = [go(invoice)[1] for invoice in (paid, cancelled, changed)]
    at_counter(paid)
    payments.cancel_invoice(cancelled.number, "Dominique", "erreur")
    change_total(changed, 4000)
    with catalogue.using("en"):
        for handoff in handoffs:
            hear(handoff)
    points = payments.open_anomalies()
    assert [point.detail for point in points] == [
        sentences.PAID_TWICE,
        sentences.CANCELLED_MEANWHILE,
        sentences.MORE_THAN_DUE,
    ]
    assert [point.amount_cents for point in points] == [4520, 4520, 520]
    assert [point.invoice for point in points] == [paid, cancelled, changed]
    assert all(point.settlement.attempt == point.attempt for point in points)


def test_money_that_came_twice_pays_what_the_other_payment_no_longer_does(
    go: Pay, hear: Hear, october: Invoice
) -> None:
    _, early = go(october)
    at_counter(october, amount_cents=3000)
    hear(early)
    assert [point.amount_cents for point in payments.open_anomalies()] == [3000]
    payments.record_repayment(
        Settlement.get(Settlement.mode == "cash"), RepaymentKind.CHARGEBACK, None, "D.", "faux"
    )
    assert state_of(october) == "paid"
    assert payments.open_anomalies() == []


@pytest.mark.parametrize(
    ("changes", "kind", "cents", "detail"),
    [
        ({"amount": "100"}, "mismatch", 100, "montant inattendu"),
        ({"currency": "840"}, "mismatch", 0, "devise inattendue (45,20 en devise 840)"),
        (gave_back(4520), "unmatched_refund", 4520, "remboursement à rapprocher"),
    ],
    ids=["amount", "currency", "refund"],
)
def test_what_a_human_must_look_at_names_its_payment(
    go: Pay,
    hear: Hear,
    october: Invoice,
    changes: dict[str, str],
    kind: str,
    cents: int,
    detail: str,
) -> None:
    attempt, handoff = go(october)
    hear(handoff, **changes)
    (point,) = payments.open_anomalies()
    assert (point.kind, point.amount_cents, point.detail) == (kind, cents, detail)
    assert point.attempt == attempt


def test_each_wrong_amount_of_one_debit_is_told_once_in_one_entry(
    go: Pay, hear: Hear, october: Invoice
) -> None:
    _, handoff = go(october)
    hear(handoff)
    for _ in range(2):
        for cents in ("100", "200", "200"):
            assert hear(handoff, amount=cents) == "mismatch"
    (point,) = payments.open_anomalies()
    assert point.amount_cents == 100
    assert point.detail.count("2,00\u00a0€") == 1


def test_what_a_debit_is_odd_in_is_one_entry_and_one_mail_that_say_it_all(
    go: Pay, hear: Hear, october: Invoice
) -> None:
    """Of another amount, made by hand, denied, cancelled, then announced again."""
    _, handoff = go(october)
    odd = {"trans_id": "654321", "trans_uuid": "d" * 32}
    other = {"amount": "5000", "effective_amount": "5000"}
    hear(handoff, **odd, **other)
    for changes in (
        {"amount": "4000"},
        {"trans_status": "REFUSED", "result": "05"},
        {"trans_status": "CANCELLED", "amount": "5000"},
        {"trans_status": "CAPTURED", "amount": "5000"},
    ):
        hear(handoff, **{**odd, **changes})
    with catalogue.using("en"):
        hear(handoff, **odd, currency="840", effective_currency="840")
    (point,) = payments.open_anomalies()
    for told in ("d" * 32, "40,00\u00a0€", sentences.DEBIT_AGAIN, "devise", "annulation"):
        assert told in point.detail, told
    assert OutboxMail.select().count() == Anomaly.select().count() == 2


def test_what_is_said_once_the_entry_is_done_with_is_an_entry_of_its_own(
    go: Pay, hear: Hear, october: Invoice
) -> None:
    _, handoff = go(october)
    hear(handoff)
    hear(handoff, amount="100")
    hear(handoff, amount="200")
    payments.resolve_anomaly(payments.open_anomalies()[0].id, "Dominique", "vu")
    for cents in ("100", "200", "300", "100"):
        hear(handoff, amount=cents)
    (point,) = payments.open_anomalies()
    assert (point.amount_cents, "1,00" in point.detail) == (300, False)


def test_more_than_one_entry_can_hold_is_said_in_the_next(
    go: Pay, hear: Hear, october: Invoice
) -> None:
    _, handoff = go(october)
    hear(handoff)
    for cents in range(100, 140):
        hear(handoff, amount=str(cents))
    points = payments.open_anomalies()
    assert 1 < len(points) < 5
    assert all(len(point.detail) <= 1000 for point in points)
    told = " ".join(f"{point.amount_cents / 100:.2f} {point.detail}" for point in points)
    assert all(f"1.{cents}" in told or f"1,{cents}" in told for cents in range(10, 40))


def test_what_a_debit_of_an_order_of_nobody_becomes_is_one_entry(
    go: Pay, hear: Hear, october: Invoice
) -> None:
    _, handoff = go(october)
    nobodys = {"order_id": "SITE-7", "trans_uuid": "d" * 32}
    for status in ("AUTHORISED", "CAPTURED", "CANCELLED", "AUTHORISED"):
        hear(handoff, **nobodys, trans_status=status)
    (point,) = payments.open_anomalies()
    assert "SITE-7" in point.detail
    assert "débit annulé" in point.detail
    assert not any("enter-payment" in line for line in advised_lines(point))


def test_a_refund_in_another_currency_gives_nothing_back_and_is_told(
    go: Pay, hear: Hear, october: Invoice
) -> None:
    attempt, handoff = go(october)
    hear(handoff)
    foreign = {**gave_back(4520), "currency": "840", "effective_currency": "840"}
    assert hear(handoff, **foreign) == "mismatch"
    assert state_of(october) == "paid"
    (point,) = payments.open_anomalies()
    assert (point.kind, point.attempt) == ("mismatch", attempt)


def test_a_refund_announced_before_it_is_done_is_booked_once_done(
    go: Pay, hear: Hear, october: Invoice
) -> None:
    _, handoff = go(october)
    hear(handoff)
    own = {**gave_back(1000), "trans_id": str(dict(handoff.fields or ())["vads_trans_id"])}
    hear(handoff, **own, trans_status="AUTHORISED_TO_VALIDATE")
    assert Settlement.get().returned_cents == 0
    assert hear(handoff, **own) == "recorded"
    assert Settlement.get().returned_cents == 1000


def test_a_strange_amount_is_a_fact_of_its_own(go: Pay, hear: Hear, october: Invoice) -> None:
    _, handoff = go(october)
    hear(handoff, amount="100")
    assert Fact.get(Fact.state == "pending").status == "DEBIT AUTHORISED unexpected amount"


def test_money_that_left_is_told_whole_or_in_part_with_its_payment(
    go: Pay, hear: Hear, october: Invoice, september: Invoice
) -> None:
    (one, first), (two, second) = go(october), go(september)
    for handoff in (first, second):
        hear(handoff)
    hear(first, **gave_back(500))
    hear(second, **gave_back(4225, "d"))
    part, whole = payments.open_anomalies()
    assert part.kind == "partial_refund"
    assert part.detail.startswith(sentences.REFUNDED_BY_BANK)
    assert (whole.kind, whole.detail) == ("refunded", sentences.REFUNDED_BY_BANK)
    assert (part.attempt, part.settlement.attempt, part.amount_cents) == (one, one, 500)
    assert (whole.attempt, whole.settlement.attempt, whole.amount_cents) == (two, two, 4225)


def test_what_the_bank_says_is_kept_as_it_said_it_whether_it_speaks_or_is_asked(
    bank: TalkativeBank, go: Pay, hear: Hear, frozen: Clock, october: Invoice, september: Invoice
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
    bank: TalkativeBank, go: Pay, october: Invoice
) -> None:
    attempt, handoff = go(october)
    with pytest.raises(RuntimeError):
        record_answer(attempt, [bank.report(handoff)], ISSUERS)
    assert state_of(attempt) == "handed_off"


def test_a_debit_cancelled_before_its_capture_is_told_once_and_as_nothing_else(
    go: Pay, hear: Hear, october: Invoice
) -> None:
    _, handoff = go(october)
    hear(handoff)
    hear(handoff, **CANCELLED)
    assert [point.kind for point in payments.open_anomalies()] == ["reversed"]


def test_an_authorisation_that_comes_after_its_cancellation_is_no_debit_to_look_for(
    go: Pay, hear: Hear, october: Invoice
) -> None:
    attempt, handoff = go(october)
    hear(handoff, **CANCELLED)
    hear(handoff)
    assert payments.open_anomalies() == []
    assert (state_of(attempt), Settlement.select().count()) == ("reversed", 0)


def test_a_refund_that_matches_nothing_is_told_of_each_payment_it_is_said_of(
    go: Pay, hear: Hear, october: Invoice, september: Invoice
) -> None:
    for invoice in (october, september):
        hear(go(invoice)[1], **gave_back(1000))
    told = [(point.kind, point.attempt) for point in Anomaly.select().order_by(Anomaly.id)]
    assert told == [
        ("unmatched_refund", attempt) for attempt in Attempt.select().order_by(Attempt.id)
    ]


def test_a_debit_of_a_strange_amount_leaves_the_next_question_where_it_was(
    go: Pay, hear: Hear, october: Invoice
) -> None:
    attempt, handoff = go(october)
    hear(handoff, amount="100")
    assert Attempt.get_by_id(attempt.id).ask_at == attempt.ask_at


def test_a_refund_known_of_another_payment_gives_nothing_back_and_is_told(
    go: Pay, hear: Hear, october: Invoice, september: Invoice
) -> None:
    (_, first), (_, second) = go(october), go(september)
    hear(first)
    hear(first, **gave_back(1000))
    hear(second, trans_uuid="d" * 32)
    assert hear(second, **gave_back(1000)) == "mismatch"
    assert "mismatch" in [point.kind for point in payments.open_anomalies()]
    assert Settlement.get(Settlement.transaction_id == "d" * 32).returned_cents == 0


def test_the_card_is_kept_by_its_brand_and_four_digits(
    go: Pay, hear: Hear, october: Invoice
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
    go: Pay, hear: Hear, october: Invoice, settings: Settings
) -> None:
    hear(go(october)[1])
    receipt = Receipt.get()
    names = (receipt.town_name, receipt.regie_name, receipt.regisseur)
    assert names == (settings.town.name, settings.regie.name, settings.regie.regisseur)


def test_nothing_is_put_on_the_list_outside_a_write(empty_database: None) -> None:
    with pytest.raises(RuntimeError):
        anomalies.flag_anomaly("x", AnomalyKind.MISMATCH, 1, "essai", regie="")
    assert not Anomaly.select().exists()


def test_nothing_is_learnt_outside_a_write(go: Pay, october: Invoice) -> None:
    attempt, _ = go(october)
    with pytest.raises(RuntimeError):
        attempt_facts.add_fact(attempt, "", AttemptState.CANCELLED, source=FactSource.PORTAL)
    assert state_of(attempt) == "handed_off"


def test_each_payment_at_the_counter_has_accounts_of_its_own(
    october: Invoice, september: Invoice
) -> None:
    at_counter(october)
    at_counter(september, mode="cheque")
    balances = journal.balances()
    assert balances["counter:cash"] == october.total_cents
    assert balances["counter:cheque"] == september.total_cents


def test_a_payment_captured_is_followed_no_more_whatever_becomes_of_others(
    bank: TalkativeBank, go: Pay, hear: Hear, october: Invoice, september: Invoice
) -> None:
    hear(go(september)[1], trans_uuid="e" * 32)  # not captured yet
    attempt, handoff = go(october)
    hear(handoff)
    hear(handoff, **CANCELLED)
    captured = bank.report(handoff, trans_status="CAPTURED", trans_uuid="d" * 32, final=True)
    payments.record(bank.name, captured, ISSUERS)
    assert Attempt.get_by_id(attempt.id).ask_at is None


def test_a_refund_that_matches_nothing_keeps_no_other_from_being_matched(
    go: Pay, hear: Hear, october: Invoice
) -> None:
    attempt, handoff = go(october)
    hear(handoff)
    hear(handoff, **gave_back(9999))
    hear(handoff, **gave_back(1000, "d"))
    assert Settlement.get(Settlement.attempt == attempt).returned_cents == 1000


def test_a_refund_that_matches_nothing_of_its_payment_takes_nothing_from_another(
    go: Pay, hear: Hear, october: Invoice, september: Invoice
) -> None:
    hear(go(october)[1], **gave_back(500))
    attempt, handoff = go(september)
    hear(handoff)
    assert Settlement.get(Settlement.attempt == attempt).returned_cents == 0


def test_a_payment_wholly_refunded_is_so_though_another_was_cancelled(
    go: Pay, hear: Hear, october: Invoice, september: Invoice
) -> None:
    (_, cancelled), (refunded, handoff) = go(october), go(september)
    hear(cancelled)
    hear(cancelled, **CANCELLED)
    hear(handoff)
    hear(handoff, **gave_back(september.total_cents))
    assert Settlement.get(Settlement.attempt == refunded).state == "refunded"


def test_a_forged_message_leaves_the_names_of_its_fields_and_no_value(empty_database: None) -> None:
    fields = (("signature", "secret"), *((f"n{i:02d}" + "x" * 40, "secret") for i in range(40)))
    payments.record_rejected("banque", "signature fausse", Callback.of_form(fields))
    row = BankMessage.get()
    kept = json.loads(row.fields)["champs"].split(" ")
    assert kept == ["signature", *(f"n{i:02d}" + "x" * 27 for i in range(29))]
    assert (row.accepted, row.reference, row.verdict) == (False, "", "rejected")
    assert row.detail == "signature fausse"
    assert "secret" not in row.fields


def test_what_sorted_itself_out_is_taken_off_in_our_name_but_not_twice(
    go: Pay, hear: Hear, october: Invoice, september: Invoice
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
        ("Kiosque Famille", sentences.FOUND_AFTER_ALL),
        ("Dominique", "vu avec la banque"),
    ]


def test_what_a_family_reads_of_its_money(
    go: Pay, hear: Hear, october: Invoice, september: Invoice
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
