"""Money that the bank announces by its signature, in a form or under a transaction that nobody
awaited: never refused, never hidden, never taken for what was awaited."""

from itertools import permutations

import pytest
from flask.testing import FlaskClient

from kiosque import payments
from kiosque.db.models import Anomaly, BankMessage, Family, Invoice, OutboxMail, Receipt, Settlement
from kiosque.language import templates
from kiosque.mails import rendering
from kiosque.payments import journal
from kiosque.settings import Settings
from tests import sentences
from tests.bank import notice
from tests.conftest import ISSUERS, make_invoice
from tests.kiosque.conftest import Run
from tests.kiosque.payments.conftest import Hear, Pay, effects, gave_back, state_of

pytestmark = pytest.mark.usefixtures("sound_books")

NOTIFY = "/paiement/notification/banque"
UUID = "d" * 32
#: A transaction of the same order, made again by hand at the bank's back office.
BY_HAND = {"trans_id": "654321", "trans_uuid": UUID, "url_check_src": "BO"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("payment_config", "MULTI:first=1500;count=3;period=30"),
        ("page_action", "REGISTER_PAY"),
        ("version", "V3"),
        ("trans_uuid", ""),
        ("hash", ""),
    ],
)
def test_a_signed_debit_of_another_shape_is_answered_kept_told_and_pays_nothing(
    stranger: FlaskClient, pay: Pay, run: Run, october: Invoice, name: str, value: str
) -> None:
    attempt, handoff = pay(october.family, october)
    said = notice(handoff, **{name: value})
    for _ in range(2):
        answer = stranger.post(NOTIFY, data=said)
        assert (answer.status_code, answer.text) == (200, "OK")
    assert (state_of(attempt), state_of(october)) == ("pending", "open")
    assert Settlement.select().count() == 0
    first = BankMessage.select().order_by(BankMessage.id).get()
    assert (first.accepted, first.reference) == (True, attempt.reference)
    listed, *_advice = [
        line for line in run("todo").output.splitlines() if attempt.reference in line
    ]
    for known in ("45,20\u00a0€", f"vads_{name}", october.number, october.family.code):
        assert known in listed
    assert (said["vads_trans_uuid"] or handoff.gateway_reference) in listed
    assert OutboxMail.select().count() == 1


def test_a_signed_debit_of_another_shape_and_of_no_order_of_ours_is_told_with_what_is_known(
    stranger: FlaskClient, pay: Pay, run: Run, october: Invoice
) -> None:
    _, handoff = pay(october.family, october)
    said = notice(handoff, order_id="SITE-7", payment_config="MULTI")
    assert stranger.post(NOTIFY, data=said).status_code == 200
    listed = run("todo").output
    for known in ("SITE-7", said["vads_trans_uuid"], "45,20\u00a0€", "vads_payment_config"):
        assert known in listed


def test_the_same_message_unsigned_is_refused_as_before(
    stranger: FlaskClient, pay: Pay, october: Invoice
) -> None:
    attempt, handoff = pay(october.family, october)
    said = {**notice(handoff), "vads_payment_config": "MULTI"}
    assert stranger.post(NOTIFY, data=said).status_code == 400
    assert (state_of(attempt), Anomaly.select().count()) == ("handed_off", 0)


def test_a_debit_in_the_shape_awaited_pays_after_one_that_was_not(
    pay: Pay, hear: Hear, october: Invoice
) -> None:
    attempt, handoff = pay(october.family, october)
    hear(handoff, hash="")
    hear(handoff)
    assert (state_of(attempt), state_of(october)) == ("paid", "paid")


@pytest.mark.parametrize("before", ["paid", "refused", ""])
def test_a_debit_made_again_at_the_back_office_is_booked_and_names_family_and_invoice(
    pay: Pay, hear: Hear, run: Run, october: Invoice, before: str
) -> None:
    attempt, handoff = pay(october.family, october)
    if before == "paid":
        hear(handoff)
    elif before:
        hear(handoff, trans_status="REFUSED", result="05", trans_uuid="e" * 32)
    assert hear(handoff, **BY_HAND) == "mismatch"
    once = effects()
    for status in ("AUTHORISED", "CAPTURED"):
        hear(handoff, trans_status=status, **BY_HAND)
    assert {**effects(), "Fact": once["Fact"]} == once
    paid = before == "paid"
    assert state_of(october) == ("paid" if paid else "open")
    assert state_of(attempt) == ("paid" if paid else "pending")
    assert journal.balances()["unmatched"] == -4520
    assert journal.balances()["bank:banque"] == (9040 if paid else 4520)
    listed, *_advice = [line for line in run("todo").output.splitlines() if UUID in line]
    for known in ("45,20\u00a0€", october.number, october.family.code, attempt.reference):
        assert known in listed


def test_the_mail_about_it_names_the_invoices_and_the_list_the_family_too(
    pay: Pay, hear: Hear, october: Invoice, september: Invoice, settings: Settings
) -> None:
    _, handoff = pay(october.family, october, september)
    hear(handoff, **BY_HAND)
    point = Anomaly.get()
    family, numbers = payments.concerned(point)
    assert (family, numbers) == (october.family.code, [september.number, october.number])
    facts = rendering.KINDS["anomaly"].facts(settings, OutboxMail.get())
    assert facts
    assert (facts["anomaly"], facts["invoice_numbers"]) == (point, numbers)
    template = templates.environment().get_template("mail/anomaly.txt")
    text = template.render(settings=settings, **facts)
    assert f"{september.number}, {october.number}" in text
    assert family not in text


STEPS: dict[str, dict[str, str]] = {
    "accepted": {},
    "cancelled": {"trans_status": "CANCELLED"},
}


@pytest.mark.parametrize("order", list(permutations(STEPS)), ids="-".join)
def test_a_debit_made_again_then_cancelled_leaves_no_money_in_either_order(
    pay: Pay, hear: Hear, october: Invoice, order: tuple[str, ...]
) -> None:
    _, handoff = pay(october.family, october)
    for step in order:
        hear(handoff, **{**BY_HAND, **STEPS[step]})
    assert set(journal.balances().values()) <= {0}
    assert state_of(october) == "open"
    assert Anomaly.select().where(Anomaly.attempt.is_null(False)).count() > 0


NOTICES: dict[str, dict[str, str]] = {
    "as awaited": {"trans_uuid": UUID},
    "under another transaction": {"trans_uuid": UUID, "trans_id": "000001"},
    "on another day": {"trans_uuid": UUID, "trans_date": "20200101120000"},
}


@pytest.mark.parametrize("order", list(permutations(NOTICES)), ids="-".join)
def test_one_debit_told_as_awaited_and_otherwise_pays_in_every_order(
    pay: Pay, hear: Hear, run: Run, october: Invoice, september: Invoice, order: tuple[str, ...]
) -> None:
    attempt, handoff = pay(october.family, october, september)
    for _ in range(2):
        for notice_heard in order:
            hear(handoff, **NOTICES[notice_heard])
    states = (state_of(attempt), state_of(october), state_of(september))
    assert states == ("paid", "paid", "paid")
    balances = journal.balances()
    assert balances.get("unmatched", 0) == 0
    assert balances["bank:banque"] == -balances["invoices"] > 0
    assert (Settlement.select().count(), Receipt.select().count()) == (1, 1)
    assert {point.transaction_id for point in payments.open_anomalies()} == {UUID}
    assert run("verify").exit_code == 0


@pytest.mark.parametrize("before", [True, False])
def test_what_was_given_back_of_such_a_debit_is_so_before_and_after_it_is_awaited(
    pay: Pay, hear: Hear, october: Invoice, before: bool
) -> None:
    attempt, handoff = pay(october.family, october)
    hear(handoff, **NOTICES["under another transaction"])
    steps = [gave_back(1000), NOTICES["as awaited"]]
    for step in steps if before else reversed(steps):
        hear(handoff, **step)
    assert (state_of(attempt), state_of(october)) == ("paid", "paid")
    assert journal.balances() | {"unmatched": 0} == {
        "bank:banque": 3520, "refunds": 1000, "invoices": -4520, "unmatched": 0
    }  # fmt: skip


def test_what_a_human_found_a_use_for_meanwhile_keeps_it(
    pay: Pay, hear: Hear, october: Invoice, alices_family: Family
) -> None:
    attempt, handoff = pay(october.family, october)
    hear(handoff, **NOTICES["under another transaction"])
    november = make_invoice(alices_family, "2026-11-0001", 4520)
    payments.apply_overpayment(Settlement.get(), november.number, "Dominique", "accord", ISSUERS)
    hear(handoff, **NOTICES["as awaited"])
    states = (state_of(attempt), state_of(october), state_of(november))
    assert states == ("paid", "open", "paid")


def test_a_debit_made_again_then_given_back_leaves_the_journal_even(
    pay: Pay, hear: Hear, october: Invoice
) -> None:
    attempt, handoff = pay(october.family, october)
    hear(handoff)
    hear(handoff, trans_status="CAPTURED", **BY_HAND)
    hear(handoff, **gave_back(4520))
    assert journal.balances()["unmatched"] == 0
    assert (state_of(attempt), state_of(october)) == ("paid", "paid")


def test_what_brings_no_money_under_another_transaction_is_told_and_changes_nothing(
    pay: Pay, hear: Hear, october: Invoice
) -> None:
    attempt, handoff = pay(october.family, october)
    hear(handoff, trans_status="REFUSED", result="05", **BY_HAND)
    assert state_of(attempt) == "handed_off"
    assert Anomaly.get().attempt == attempt
    hear(handoff)
    assert state_of(october) == "paid"


def test_alice_reads_that_a_debit_nobody_awaited_was_announced_and_charlie_nothing(
    alice: FlaskClient, charlie: FlaskClient, pay: Pay, hear: Hear, october: Invoice
) -> None:
    attempt, handoff = pay(october.family, october)
    hear(handoff, **BY_HAND)
    address = f"/paiement/retour/{attempt.reference}"
    assert sentences.UNEXPECTED_DEBIT in alice.get(address).text
    assert sentences.UNEXPECTED_DEBIT not in charlie.get(address).text


def test_the_same_order_of_anothers_family_stays_theirs(
    pay: Pay, hear: Hear, run: Run, october: Invoice, charlies_family: Family
) -> None:
    theirs = make_invoice(charlies_family, "2026-10-0900")
    pay(october.family, october)
    _, handoff = pay(charlies_family, theirs)
    hear(handoff, **BY_HAND)
    assert payments.concerned(Anomaly.get()) == (charlies_family.code, [theirs.number])
    assert Settlement.get().family == charlies_family
