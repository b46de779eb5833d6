"""A bank that says one thing twice, and differently: nothing is paid or undone, a human is told."""

import pytest

from kiosque import payments
from kiosque.db.models import Anomaly, Fact, Invoice, Settlement
from kiosque.db.states import RepaymentKind
from kiosque.payments import journal
from tests.bank import REFUSED
from tests.conftest import ISSUERS
from tests.kiosque.payments.conftest import Hear, Pay, gave_back, state_of
from tests.talkative import TalkativeBank

pytestmark = pytest.mark.usefixtures("sound_books")


def told() -> list[str]:
    """Return what the régisseur reads."""
    return [point.detail for point in payments.open_anomalies()]


@pytest.mark.parametrize(
    "changes",
    [
        # The awaited amount, in euros, is one of the two each time.
        {"amount": "77", "effective_amount": "4520"},
        {"effective_amount": "77"},
        {"currency": "840", "effective_currency": "978"},
        {"effective_currency": "840"},
        {"auth_result": "05"},
        {"trans_status": "CAPTURED", "auth_result": "51"},
    ],
)
def test_a_debit_that_contradicts_itself_pays_nothing_and_is_told(
    go: Pay, hear: Hear, october: Invoice, changes: dict[str, str]
) -> None:
    attempt, handoff = go(october)
    hear(handoff, **changes)
    hear(handoff, **changes)
    assert (state_of(attempt), state_of(october)) == ("pending", "open")
    assert Settlement.select().count() == 0
    assert len(told()) == 1


def test_a_debit_that_contradicted_itself_pays_once_the_bank_is_clear(
    go: Pay, hear: Hear, october: Invoice
) -> None:
    attempt, handoff = go(october)
    hear(handoff, auth_result="05")
    hear(handoff, trans_status="CAPTURED")
    assert (state_of(attempt), state_of(october)) == ("paid", "paid")


@pytest.mark.parametrize("status", ["REFUSED", "ABANDONED"])
@pytest.mark.parametrize("refused_first", [True, False])
def test_money_that_nobody_awaited_is_in_the_books_whatever_refusal_the_bank_says_of_it(
    go: Pay, hear: Hear, october: Invoice, status: str, refused_first: bool
) -> None:
    attempt, handoff = go(october)
    debit = {"trans_uuid": "e" * 32, "amount": "5000"}
    said = [{**debit, "trans_status": status}, debit]
    for changes in said if refused_first else reversed(said):
        hear(handoff, **changes)
    assert (state_of(attempt), state_of(october)) == ("pending", "open")
    assert journal.balances() == {"bank:banque": 5000, "unmatched": -5000}
    assert len(told()) == 1
    payments.record_repayment(
        payments.find_settlement("e" * 32), RepaymentKind.REFUND, None, "Dominique", "virement"
    )
    assert (state_of(attempt), told()) == ("refunded", [])


@pytest.mark.parametrize(
    "changes",
    [
        {"effective_amount": "1"},
        {"effective_currency": "840"},
        {"operation_type": "VERIFICATION"},
    ],
)
def test_a_cancellation_that_contradicts_itself_undoes_nothing_and_is_told(
    go: Pay, hear: Hear, october: Invoice, changes: dict[str, str]
) -> None:
    attempt, handoff = go(october)
    hear(handoff)
    hear(handoff, trans_status="CANCELLED", **changes)
    assert (state_of(attempt), state_of(october)) == ("paid", "paid")
    assert len(told()) == 1


# --- A cancellation has the checks of a debit ---

CANCELLED = {"trans_status": "CANCELLED"}
NOT_THE_AMOUNT = "annulation d’un autre montant que le débit"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"amount": "1"}, NOT_THE_AMOUNT),
        ({"amount": "4519"}, NOT_THE_AMOUNT),
        ({"amount": "9040"}, NOT_THE_AMOUNT),
        ({"currency": "840"}, "devise inattendue"),
        ({"operation_type": "VERIFICATION"}, "sans débit"),
        ({"payment_config": "MULTI:first=4520;count=3;period=30"}, "vads_payment_config"),
    ],
)
@pytest.mark.parametrize("status", ["CANCELLED", "EXPIRED", "CAPTURE_FAILED"])
@pytest.mark.parametrize("first", [False, True])
def test_a_cancellation_of_something_else_undoes_nothing_whenever_it_comes(
    go: Pay,
    hear: Hear,
    october: Invoice,
    changes: dict[str, str],
    words: str,
    status: str,
    *,
    first: bool,
) -> None:
    attempt, handoff = go(october)
    said = [{}, {"trans_status": status, **changes}]
    for each in said[::-1] if first else said:
        hear(handoff, **each)
    assert (state_of(attempt), state_of(october)) == ("paid", "paid")
    assert journal.balances() == {"bank:banque": 4520, "invoices": -4520}
    assert any(words in detail for detail in told())


def test_a_debit_undone_before_it_is_final_is_told_by_its_departure_alone(
    go: Pay, hear: Hear, october: Invoice
) -> None:
    attempt, handoff = go(october)
    hear(handoff)
    hear(handoff, **CANCELLED)
    assert (state_of(attempt), state_of(october)) == ("reversed", "open")
    assert [(each.kind, each.detail, each.amount_cents) for each in Anomaly.select()] == [
        ("reversed", "annulation à la banque", 4520)
    ]


def test_a_cancellation_of_a_transaction_that_is_not_ours_is_recorded_and_told(
    go: Pay, hear: Hear, october: Invoice
) -> None:
    attempt, handoff = go(october)
    by_hand = {"trans_id": "654321", "trans_uuid": "d" * 32, **CANCELLED}
    assert hear(handoff, **by_hand) == "mismatch"
    assert told() == ["opération faite à la banque sous une autre transaction que la nôtre"]
    assert Anomaly.get().attempt_id == attempt.id
    assert hear(handoff, **by_hand) == "known"


def test_a_cancellation_that_undid_nothing_is_no_denial_of_the_debit(
    go: Pay, hear: Hear, october: Invoice
) -> None:
    _, handoff = go(october)
    hear(handoff)
    hear(handoff, amount="1", **CANCELLED)
    assert told() == [NOT_THE_AMOUNT]
    hear(handoff, trans_status="CAPTURED")
    assert told() == [NOT_THE_AMOUNT]


@pytest.mark.parametrize("first", [False, True])
def test_a_debit_of_another_amount_and_its_cancellation_end_alike_in_both_orders(
    go: Pay, hear: Hear, october: Invoice, *, first: bool
) -> None:
    attempt, handoff = go(october)
    said = [{"amount": "5000"}, {"amount": "5000", **CANCELLED}]
    for each in said[::-1] if first else said:
        hear(handoff, **each)
    assert (state_of(attempt), state_of(october)) == ("reversed", "open")
    assert {name: cents for name, cents in journal.balances().items() if cents} == {}


def test_a_cancellation_heard_first_is_remembered_as_the_bank_said_it(
    go: Pay, hear: Hear, october: Invoice
) -> None:
    attempt, handoff = go(october)
    hear(handoff, amount="5000", **CANCELLED)
    first = Fact.get(Fact.amount_cents == 5000)
    hear(handoff, amount="5000")
    undone = Fact.get(Fact.state == "reversed", Fact.source == "bank")
    assert (first.attempt_id, first.state, first.source) == (attempt.id, "cancelled", "bank")
    assert first.status
    for each in (first, undone):
        assert (each.transaction_id, each.status, each.amount_cents) == (
            first.transaction_id, first.status, 5000)  # fmt: skip


def test_a_page_given_up_undoes_no_debit_that_is_told_after_it(
    go: Pay, hear: Hear, october: Invoice
) -> None:
    attempt, handoff = go(october)
    hear(handoff, trans_uuid="a" * 32, trans_status="ABANDONED", result="17")
    hear(handoff, trans_uuid="a" * 32)
    assert (state_of(attempt), state_of(october)) == ("paid", "paid")


@pytest.mark.parametrize("uuid", ["b" * 32, ""])
def test_a_cancellation_of_another_debit_or_of_none_is_told(
    go: Pay, hear: Hear, october: Invoice, uuid: str
) -> None:
    attempt, handoff = go(october)
    hear(handoff)
    hear(handoff, trans_uuid=uuid, **CANCELLED)
    assert (state_of(attempt), state_of(october)) == ("paid", "paid")
    assert len(told()) == 1


# --- One transaction, two fates ---


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("denial", [REFUSED, {"trans_status": "NOT_CREATED", "result": "05"}])
def test_a_debit_said_made_and_refused_is_told_whichever_came_first(
    go: Pay, hear: Hear, october: Invoice, denial: dict[str, str], *, first: bool
) -> None:
    attempt, handoff = go(october)
    for each in [denial, {}] if first else [{}, denial]:
        hear(handoff, **each)
    assert (state_of(attempt), state_of(october)) == ("paid", "paid")
    assert told() == ["débit que la banque dit à la fois fait et refusé"]


def test_a_card_refused_then_another_accepted_is_nothing_to_tell(
    go: Pay, hear: Hear, october: Invoice
) -> None:
    _, handoff = go(october)
    hear(handoff, trans_uuid="b" * 32, **REFUSED)
    hear(handoff)
    assert (state_of(october), told()) == ("paid", [])


# --- Refunds ---


def test_one_refund_told_with_another_amount_is_told_and_given_once(
    go: Pay, hear: Hear, october: Invoice
) -> None:
    _, handoff = go(october)
    hear(handoff)
    hear(handoff, **gave_back(1000))
    before = told()
    assert hear(handoff, **gave_back(1000)) == "known"
    assert told() == before
    assert hear(handoff, **gave_back(2000)) == "mismatch"
    assert Settlement.get().returned_cents == 1000
    assert len(told()) == len(before) + 1


@pytest.mark.parametrize("first", [False, True])
def test_a_refund_that_bears_the_name_of_another_payments_debit_is_not_taken(
    bank: TalkativeBank, go: Pay, hear: Hear, october: Invoice, september: Invoice, *, first: bool
) -> None:
    (_, one), (_, two) = go(october), go(september)
    hear(two)
    taken = "d" * 32
    if first:  # the refund is told, then a debit takes its name
        hear(two, **gave_back(1000, "d"))
        hear(one, trans_uuid=taken)
        assert state_of(october) == "open"
    else:  # the REST service answers about the second order
        hear(one, trans_uuid=taken)
        report = bank.report(two, **gave_back(1000, "d"))
        assert payments.record(bank.name, report, ISSUERS) == "mismatch"
        assert [each.returned_cents for each in Settlement.select()] == [0, 0]
    assert any("du nom d’un" in detail for detail in told())
