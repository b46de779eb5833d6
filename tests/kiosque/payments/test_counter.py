"""The staff take money at the counter, cancel invoices and close attempts."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from gateways.base import Gateway
from kiosque import payments
from kiosque.db.models import (
    Anomaly,
    Attempt,
    AttemptItem,
    Fact,
    Family,
    Invoice,
    JournalEntry,
    Receipt,
    Settlement,
)
from kiosque.db.states import RepaymentKind
from kiosque.language import clock, formats
from kiosque.payments import (
    BankPayment,
    CounterPayment,
    Refused,
    journal,
    polling,
)
from kiosque.payments.selection import payable_now
from kiosque.settings import Regie
from tests import sentences
from tests.conftest import ISSUERS, NOW, PUBLIC_URL, Clock, make_invoice
from tests.kiosque.payments.conftest import Hear, Pay, at_counter, state_of

pytestmark = pytest.mark.usefixtures("sound_books")
PENDING = {"trans_status": "UNDER_VERIFICATION"}
CANCELLED = {"trans_status": "CANCELLED"}


def counter_payment(invoice: Invoice, **changes: object) -> CounterPayment:
    values = {
        "invoice_number": invoice.number,
        "amount_cents": invoice.total_cents,
        "mode": "cheque",
        "settled_on": date(2026, 11, 20),
        "author": "Dominique",
        "reason": "chèque 123",
    }
    return CounterPayment(**{**values, **changes})  # type: ignore[arg-type]


def taken(payments_: list[CounterPayment], **options: bool) -> list[int]:
    """Return the cents of the payments that the counter adds."""
    return [each.cents for each in payments.settle_at_counter(payments_, **options)]


def test_the_counter_pays_an_invoice_with_a_name_and_a_reason(october: Invoice) -> None:
    assert taken([counter_payment(october)]) == [4520]
    assert taken([counter_payment(october)]) == []
    assert state_of(october) == "paid"
    assert journal.balances() == {"counter:cheque": 4520, "invoices": -4520}
    assert Receipt.select().count() == 0


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"author": " "}, "auteur"),
        ({"reason": ""}, "motif"),
        ({"mode": "wero"}, "mode inconnu"),
        ({"amount_cents": 0}, "au-dessus de zéro"),
        ({"invoice_number": "nulle"}, "n’existe pas"),
    ],
)
def test_a_wrong_counter_payment_refuses_the_whole_batch(
    october: Invoice, september: Invoice, changes: dict[str, object], reason: str
) -> None:
    with pytest.raises(Refused, match=reason):
        payments.settle_at_counter(
            [counter_payment(september), counter_payment(october, **changes)]
        )
    assert (state_of(october), state_of(september)) == ("open", "open")
    assert JournalEntry.select().count() == 0


def test_a_batch_is_refused_with_every_reason_and_where_each_is(
    october: Invoice, september: Invoice
) -> None:
    wrong = [counter_payment(september, author=" "), counter_payment(october, mode="wero")]
    with pytest.raises(Refused) as caught:
        payments.settle_at_counter(wrong)
    assert caught.value.positions == [0, 1]
    first, second = caught.value.reasons
    assert (september.number in first, october.number in second) == (True, True)


def test_what_is_taken_says_for_which_regie_and_where_it_was_in_the_batch(
    october: Invoice, alices_family: Family
) -> None:
    creche = make_invoice(alices_family, "C-1", 1000, regie="creche")
    batch = [counter_payment(october), counter_payment(creche)]
    payments.settle_at_counter(batch[:1])
    assert payments.settle_at_counter(batch) == [("creche", 1000, 0, 1)]
    assert [each.regie for each in Settlement.select().order_by(Settlement.id)] == ["", "creche"]


@pytest.mark.parametrize("kind", [RepaymentKind.CHARGEBACK, RepaymentKind.REFUND])
def test_a_second_cheque_pays_what_the_first_one_did_not(
    october: Invoice, kind: RepaymentKind
) -> None:
    first = counter_payment(october)
    payments.settle_at_counter([first])
    payments.record_repayment(Settlement.get(), kind, None, "Dominique", "rejeté")
    assert state_of(october) == "open"
    assert taken([first]) == []  # a file loaded once more
    assert payments.left_since([first]) == [october.number]
    second = counter_payment(october, reason="chèque 124")
    assert payments.left_since([second]) == []
    assert taken([second]) == [4520]
    assert state_of(october) == "paid"


def test_a_cheque_that_serves_otherwise_is_not_counted_twice_when_its_file_is_loaded_again(
    october: Invoice, alices_family: Family
) -> None:
    first, second = counter_payment(october), counter_payment(october, reason="chèque 124")
    payments.settle_at_counter([first])
    cheque = Settlement.get()
    payments.record_repayment(cheque, RepaymentKind.CHARGEBACK, None, "Dominique", "rejeté")
    payments.settle_at_counter([second])
    payments.restore(cheque, None, "Dominique", "passé")
    november = make_invoice(alices_family, "2026-11-0001", october.total_cents)
    payments.apply_overpayment(cheque, november.number, "Dominique", "accord", ISSUERS)
    other = Settlement.select().order_by(Settlement.id.desc()).get()
    payments.record_repayment(other, RepaymentKind.CHARGEBACK, None, "Dominique", "rejeté")
    before = journal.last()
    assert taken([first]) == []
    assert journal.last() == before
    assert payments.left_since([first]) == [october.number]


def test_a_cheque_kept_for_later_says_that_it_pays_nothing_when_its_file_is_loaded_again(
    october: Invoice,
) -> None:
    first, second = counter_payment(october), counter_payment(october, reason="chèque 124")
    payments.settle_at_counter([first])
    cheque = Settlement.get()
    payments.record_repayment(cheque, RepaymentKind.CHARGEBACK, None, "Dominique", "rejeté")
    payments.settle_at_counter([second])
    assert payments.left_since([first]) == [october.number]
    payments.restore(cheque, None, "Dominique", "passé")
    assert taken([first]) == []
    assert payments.left_since([first]) == [october.number]


def test_a_cheque_that_still_pays_its_invoice_has_not_left(
    october: Invoice, september: Invoice
) -> None:
    stays, leaves = counter_payment(october), counter_payment(september)
    for payment in (stays, leaves):
        payments.settle_at_counter([payment])
    cheque = Settlement.select().order_by(Settlement.id.desc()).get()
    payments.record_repayment(cheque, RepaymentKind.CHARGEBACK, None, "Dominique", "rejeté")
    assert payments.left_since([stays, leaves]) == [september.number]


def test_another_cheque_for_what_is_paid_is_not_taken_for_the_first(october: Invoice) -> None:
    payments.settle_at_counter([counter_payment(october)])
    with pytest.raises(Refused):
        payments.settle_at_counter([counter_payment(october, reason="chèque 124")])


@pytest.mark.parametrize(
    "days", [{"before_issue": 1}, {"after_today": 1}, {"after_today": 365 * 73}]
)
def test_the_counter_takes_no_money_before_the_invoice_nor_in_the_future(
    october: Invoice, days: dict[str, int]
) -> None:
    on = (
        october.issued_on - timedelta(days["before_issue"])
        if "before_issue" in days
        else clock.today() + timedelta(days["after_today"])
    )
    with pytest.raises(Refused) as caught:
        payments.settle_at_counter([counter_payment(october, settled_on=on)])
    assert state_of(october) == "open"
    days_told = [on, october.issued_on] if on < october.issued_on else [on]
    (reason,) = caught.value.reasons
    assert all(formats.short_date(each) in reason for each in days_told)


def test_the_counter_takes_a_cent_and_money_of_the_very_day_of_the_invoice(
    october: Invoice,
) -> None:
    assert at_counter(october, amount_cents=1, settled_on=october.issued_on) == [1]


@pytest.mark.parametrize(
    "words", [{"author": "D" * 5000}, {"reason": "\033[2Jchèque"}, {"reason": "un\ndeux"}]
)
def test_who_answers_is_named_in_a_line_that_a_terminal_can_show(
    october: Invoice, words: dict[str, str]
) -> None:
    with pytest.raises(Refused):
        payments.settle_at_counter([counter_payment(october, **words)])
    who = {"author": "Dominique", "reason": "erreur", **words}
    with pytest.raises(Refused):
        payments.cancel_invoice(october.number, **who)
    assert state_of(october) == "open"


def test_a_paid_invoice_is_neither_paid_again_nor_cancelled(october: Invoice) -> None:
    payments.settle_at_counter([counter_payment(october)])
    with pytest.raises(Refused, match=sentences.NOT_TO_PAY) as caught:
        payments.settle_at_counter([counter_payment(october, reason="autre", mode="cash")])
    assert "en plus" in caught.value.reasons[0], "unless somebody says so"
    with pytest.raises(Refused, match=sentences.NOT_TO_PAY):
        payments.cancel_invoice(october.number, "Dominique", "erreur")
    with pytest.raises(Refused, match="auteur"):
        payments.cancel_invoice(october.number, "", "erreur")
    with pytest.raises(Refused, match="n’existe pas"):
        payments.cancel_invoice("nulle", "Dominique", "erreur")


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


# --- At the edges ---


def test_two_invoices_of_one_amount_are_both_paid_at_the_counter_the_same_day(
    alices_family: Family,
) -> None:
    one, two, three = (make_invoice(alices_family, f"2026-10-{number}") for number in "123")
    assert at_counter(one) == [4520]
    batch = [
        CounterPayment(invoice.number, 4520, "cash", NOW.date(), "Dominique", "guichet")
        for invoice in (one, two, three)
    ]
    assert taken(batch, preview=True) == [4520, 4520]
    assert [state_of(invoice) for invoice in (one, two, three)] == ["paid", "open", "open"]
    assert taken(batch) == [4520, 4520]
    assert [state_of(invoice) for invoice in (one, two, three)] == ["paid", "paid", "paid"]


@pytest.mark.parametrize(
    "changes", [{"amount_cents": 4521}, {"settled_on": datetime(2026, 11, 23, tzinfo=UTC).date()}]
)
def test_what_resembles_a_payment_recorded_before_is_not_passed_over(
    october: Invoice, changes: dict[str, object]
) -> None:
    at_counter(october)
    with pytest.raises(Refused) as caught:
        at_counter(october, **changes)
    assert caught.value.positions == [0]
    assert Settlement.select().count() == 1


def test_a_day_at_the_counter_is_its_noon_in_paris(october: Invoice) -> None:
    at_counter(october)
    noon = datetime.combine(NOW.date(), time(12), tzinfo=clock.PARIS)
    assert Settlement.get().settled_at == noon == datetime(2026, 11, 24, 11, tzinfo=UTC)


def test_a_payment_closed_by_staff_says_who_and_why(
    go: Pay, hear: Hear, frozen: Clock, october: Invoice, september: Invoice
) -> None:
    (silent, _), (examined, handoff) = go(october), go(september)
    with pytest.raises(Refused) as caught:
        payments.close_attempt(silent.reference, "Dominique", "vu")
    until = formats.long_instant(silent.live_until)
    (reason,) = caught.value.reasons
    assert until in reason
    frozen.at = silent.live_until
    with pytest.raises(Refused, match="auteur"):
        payments.close_attempt(silent.reference, " ", "vu")
    payments.close_attempt(silent.reference, " Dominique ", " " + "x" * 300)
    fact = Fact.get(Fact.state == "expired")
    assert (fact.attempt, fact.transaction_id, fact.source) == (silent, "", "regisseur")
    assert fact.status == "Dominique : " + "x" * 188
    assert state_of(silent) == "expired"
    hear(handoff, **PENDING)
    payments.close_attempt(examined.reference, "Dominique", "la banque ne sait rien")
    assert state_of(examined) == "pending"
    assert state_of(go(september)[0]) == "handed_off"
    with pytest.raises(Refused) as caught:
        payments.close_attempt("x" * 500, "Dominique", "vu")
    (reason,) = caught.value.reasons
    assert "x" * 30 in reason
    assert "x" * 31 not in reason


def test_a_payment_closed_by_staff_is_no_longer_told_as_silent_and_another_still_is(
    go: Pay, frozen: Clock, october: Invoice, september: Invoice
) -> None:
    closed, other = go(october)[0], go(september)[0]
    frozen.advance(days=1)
    for attempt in (closed, other):
        polling.postpone_question(attempt)
    payments.close_attempt(closed.reference, "Dominique", "rien à la banque")
    first, second = Anomaly.select().order_by(Anomaly.id)
    assert (first.attempt, first.resolved_by) == (closed, "Dominique")
    assert first.resolution.endswith("rien à la banque")
    assert (second.attempt, second.resolved_at) == (other, None)


def test_what_is_dealt_with_says_by_whom_and_how(go: Pay, hear: Hear, october: Invoice) -> None:
    hear(go(october)[1], amount="1")
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
    go: Pay,
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
    assert sorted(found) == [october.number] * payable + ["une autre"]


# --- In parts ---


def test_a_family_pays_in_parts_and_the_last_one_pays_the_invoice(october: Invoice) -> None:
    assert at_counter(october, amount_cents=3000, mode="cesu") == [3000]
    october = Invoice.get()
    assert (october.state, october.paid_cents, october.remaining_cents) == ("open", 3000, 1520)
    assert at_counter(october, amount_cents=1520) == [1520]
    october = Invoice.get()
    assert (october.state, october.paid_cents, october.remaining_cents) == ("paid", 4520, 0)
    assert journal.balances() == {"counter:cesu": 3000, "counter:cash": 1520, "invoices": -4520}


def test_without_an_amount_the_counter_takes_all_that_is_still_to_pay(october: Invoice) -> None:
    at_counter(october, amount_cents=3000, mode="cesu")
    assert at_counter(october, amount_cents=None) == [1520]
    assert at_counter(october, amount_cents=None) == []
    with pytest.raises(Refused, match=sentences.NOT_TO_PAY):
        at_counter(october, amount_cents=None, reason="autre")


def test_what_is_left_is_taken_though_a_part_came_the_same_day_in_the_same_way(
    october: Invoice,
) -> None:
    at_counter(october, amount_cents=3000)
    assert at_counter(october, amount_cents=None) == [1520]


def test_what_is_over_at_the_counter_is_owed_and_told(october: Invoice) -> None:
    (taken_,) = payments.settle_at_counter([counter_payment(october, amount_cents=5000)])
    assert (taken_.cents, taken_.extra_cents) == (5000, 480)
    assert state_of(october) == "paid"
    (point,) = payments.open_anomalies()
    assert (point.amount_cents, point.detail) == (480, sentences.MORE_THAN_DUE)
    assert journal.balances() == {"counter:cheque": 5000, "invoices": -4520, "overpayments": -480}


def test_money_for_what_is_paid_already_is_taken_once_somebody_says_so(october: Invoice) -> None:
    at_counter(october)
    assert at_counter(october, reason="le père aussi", is_extra=True) == [4520]
    (point,) = payments.open_anomalies()
    assert (point.amount_cents, point.detail) == (4520, sentences.PAID_TWICE)


def test_no_money_comes_in_addition_for_what_is_cancelled(october: Invoice) -> None:
    payments.cancel_invoice(october.number, "Dominique", "double saisie")
    for is_extra in (False, True):
        with pytest.raises(Refused, match="pas à régler") as caught:
            payments.settle_at_counter([counter_payment(october, is_extra=is_extra)])
        assert caught.value.reasons[0].endswith(").")


def test_a_part_that_bounces_is_due_again_and_the_other_stays(october: Invoice) -> None:
    at_counter(october, amount_cents=3000, mode="cheque", reason="chèque 1")
    at_counter(october, amount_cents=1520)
    cheque = Settlement.get(Settlement.mode == "cheque")
    payments.record_repayment(cheque, RepaymentKind.CHARGEBACK, None, "Dominique", "rejet")
    assert (state_of(october), Invoice.get().remaining_cents) == ("open", 3000)
    at_counter(october, amount_cents=1000)
    payments.restore(cheque, None, "Dominique", "représenté")
    assert state_of(october) == "paid"
    assert [point.amount_cents for point in payments.open_anomalies()] == [1000]


def test_the_family_pays_online_what_the_counter_left(
    go: Pay, hear: Hear, october: Invoice
) -> None:
    at_counter(october, amount_cents=3000)
    attempt, handoff = go(Invoice.get())
    assert attempt.amount_cents == 1520
    hear(handoff)
    assert (state_of(attempt), state_of(october)) == ("paid", "paid")
    assert payments.open_anomalies() == []


def test_money_of_the_counter_while_the_family_is_at_the_bank_leaves_too_much(
    go: Pay, hear: Hear, october: Invoice
) -> None:
    attempt, handoff = go(october)
    at_counter(october, amount_cents=3000)
    assert not payments.is_still_due(attempt)
    hear(handoff)
    assert (state_of(attempt), state_of(october)) == ("paid", "paid")
    assert [point.amount_cents for point in payments.open_anomalies()] == [3000]


def test_the_counter_is_told_of_those_invoices_alone_that_it_asks_about(
    go: Pay, october: Invoice, september: Invoice
) -> None:
    for invoice in (october, september):
        go(invoice)
    assert list(payments.at_bank([october.number, "nulle"])) == [october.number]


def test_the_counter_is_not_told_of_a_family_that_left_the_bank_or_has_nothing_to_pay(
    go: Pay, hear: Hear, october: Invoice, september: Invoice
) -> None:
    hear(go(october)[1], **CANCELLED)
    go(september)
    at_counter(september)
    assert payments.at_bank([october.number, september.number]) == {}


def test_a_family_does_not_resume_a_payment_of_more_than_is_still_to_pay(
    go: Pay, gateways: dict[str, Gateway], october: Invoice
) -> None:
    attempt, _ = go(october)
    at_counter(october, amount_cents=3000)
    with pytest.raises(Refused):
        payments.resume(attempt, gateways, PUBLIC_URL, ISSUERS)


def test_the_parts_of_a_cancelled_invoice_are_owed_to_the_family(october: Invoice) -> None:
    at_counter(october, amount_cents=3000)
    payments.cancel_invoice(october.number, "Dominique", "double saisie")
    assert state_of(october) == "cancelled"
    (point,) = payments.open_anomalies()
    assert (point.amount_cents, point.detail) == (3000, sentences.CANCELLED_MEANWHILE)
    assert journal.balances()["overpayments"] == -3000


def test_each_part_of_a_cancelled_invoice_is_owed_for_that_invoice_in_the_order_it_came(
    october: Invoice, september: Invoice
) -> None:
    for invoice in (october, september):
        for cents in (1000, 2000):
            at_counter(invoice, amount_cents=cents)
    for invoice in (september, october):
        payments.cancel_invoice(invoice.number, "Dominique", "double saisie")
    points = Anomaly.select().order_by(Anomaly.id)
    assert [(each.invoice, each.amount_cents) for each in points] == [
        (september, 1000), (september, 2000), (october, 1000), (october, 2000),
    ]  # fmt: skip


def test_an_invoice_is_cancelled_only_with_what_was_agreed_to(october: Invoice) -> None:
    at_counter(october, amount_cents=1000)
    with pytest.raises(Refused) as caught:
        payments.cancel_invoice(october.number, "Dominique", "double saisie", agreed=october)
    assert (len(caught.value.reasons), state_of(october)) == (1, "open")
    agreed = Invoice.get_by_id(october.id)
    payments.cancel_invoice(october.number, "Dominique", "double saisie", agreed=agreed)
    assert state_of(october) == "cancelled"


def test_what_was_dealt_with_keeps_its_words_when_the_invoice_is_cancelled(
    go: Pay, hear: Hear, october: Invoice, september: Invoice
) -> None:
    for invoice in (october, september):
        handoff = go(invoice)[1]
        hear(handoff)
        hear(handoff, **CANCELLED)
    first, _ = payments.open_anomalies()
    payments.resolve_anomaly(first.id, "Camille", "vu avec la famille")
    for invoice in (october, september):
        payments.cancel_invoice(invoice.number, "Dominique", "double saisie")
    said = [each.resolved_by for each in Anomaly.select().order_by(Anomaly.id)]
    assert said == ["Camille", "Dominique"]


def test_an_invoice_cancelled_leaves_alone_what_was_owed_of_it_already(
    go: Pay, hear: Hear, october: Invoice
) -> None:
    handoff = go(october)[1]
    for name in "ab":
        hear(handoff, trans_uuid=name * 32)
    (point,) = payments.open_anomalies()
    payments.resolve_anomaly(point.id, "Camille", "à rendre")
    hear(handoff, trans_uuid="a" * 32, **CANCELLED)
    assert state_of(october) == "open"
    payments.cancel_invoice(october.number, "Dominique", "double saisie")
    assert journal.balances()["overpayments"] == -4520
    assert Anomaly.get_by_id(point.id).resolved_by == "Camille"


def test_an_invoice_cancelled_takes_off_the_list_no_money_that_left_another(
    go: Pay, hear: Hear, october: Invoice, september: Invoice
) -> None:
    handoff = go(september)[1]
    hear(handoff)
    hear(handoff, **CANCELLED)
    at_counter(september)
    payments.cancel_invoice(october.number, "Dominique", "double saisie")
    (left,) = payments.open_anomalies()
    assert left.kind == "reversed"


def test_two_payments_alike_in_one_file_count_twice_and_once_more_changes_nothing(
    october: Invoice,
) -> None:
    batch = [counter_payment(october, amount_cents=1000, mode="cesu", reason="CESU")] * 2
    assert taken(batch) == [1000, 1000]
    assert taken(batch) == []
    assert Invoice.get().remaining_cents == 2520


def test_a_regie_takes_only_the_means_that_its_deed_lists(october: Invoice) -> None:
    regie = Regie("Régie Enfance", "Dominique", modes=("cash", "cheque"))
    with pytest.raises(Refused, match=r"carte.*, seulement par espèces, chèque"):
        payments.settle_at_counter([counter_payment(october, mode="card")], {"": regie})
    payments.settle_at_counter([counter_payment(october)], {"": regie})
    assert state_of(october) == "paid"


def test_what_came_twice_pays_another_invoice_in_part(
    october: Invoice, alices_family: Family
) -> None:
    november = make_invoice(alices_family, "2026-11-0001", 6000)
    payments.settle_at_counter([counter_payment(october, amount_cents=8520)])
    cheque = Settlement.get()
    who = ("Dominique", "accord")
    paid = payments.apply_overpayment(cheque, november.number, *who, ISSUERS, 1500)
    assert paid.remaining_cents == 4500
    with pytest.raises(Refused):
        payments.apply_overpayment(cheque, november.number, *who, ISSUERS, 2501)
    paid = payments.apply_overpayment(cheque, november.number, *who, ISSUERS)
    assert paid.remaining_cents == 2000
    assert payments.open_anomalies() == []


def test_a_debit_entered_by_hand_pays_a_part_of_an_invoice(october: Invoice) -> None:
    seen = BankPayment("banque", "e" * 32, 1520, NOW.date(), "Dominique", "vu à la banque")
    payments.enter(seen, october, ISSUERS)
    assert (state_of(october), Invoice.get().remaining_cents) == ("open", 3000)


def test_what_changed_since_it_was_agreed_to_takes_nothing(october: Invoice) -> None:
    asked = counter_payment(october)
    agreed = payments.settle_at_counter([asked], preview=True)
    at_counter(october, amount_cents=1000)
    with pytest.raises(Refused):
        payments.settle_at_counter([asked], agreed=agreed)
    assert Invoice.get_by_id(october.id).paid_cents == 1000
    assert Settlement.select().count() == 1


def test_nothing_is_no_payment_recorded_before(october: Invoice) -> None:
    payment = counter_payment(october)
    payments.settle_at_counter([payment])
    with pytest.raises(Refused):
        payments.settle_at_counter([counter_payment(october, amount_cents=0)])
