"""After a restoration, each régie says which receipts it gave and what its bank took."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from gateways.base import Gateway, Order, Outcome, Report, Unreachable
from kiosque import payments
from kiosque.db import write
from kiosque.db.models import (
    Anomaly,
    Attempt,
    BankMessage,
    DepositGap,
    Invoice,
    OutboxMail,
    ReceiptGap,
    Restoration,
)
from kiosque.language import clock
from kiosque.payments import lost_time, reconcile, verification
from kiosque.payments.queries import last_receipt_number
from kiosque.payments.step_actions import Doer, Filled, do
from kiosque.payments.steps import Whose
from kiosque.settings import OtherRegie, Settings
from tests.conftest import ISSUERS, PUBLIC_URL, Clock, make_family
from tests.kiosque.payments.conftest import Pay
from tests.talkative import TalkativeBank

CRECHE = OtherRegie("Crèche", "A. Roy", "creche@example.org", ("Multi-accueil",), "creche")


def two_regies(settings: Settings) -> Settings:
    gateways = {**settings.gateways, "creche": settings.gateways["banque"]}
    return replace(settings, regies={"creche": CRECHE}, gateways=gateways)


def test_each_regie_skips_its_own_numbers_and_has_its_bank_to_look_at(
    empty_database: None, settings: Settings, frozen: Clock
) -> None:
    with write():
        payments.note_restoration(
            two_regies(settings), frozen.at - timedelta(hours=30), {"creche": 40_500, "fermee": 3}
        )
    numbers = {name: last_receipt_number(name) for name in ("", "creche", "fermee", "jamais")}
    assert numbers == {"": 30_000, "creche": 41_000, "fermee": 30_000, "jamais": 0}
    assert {gap.regie for gap in DepositGap.select()} == {"", "creche"}
    told = {point.gateway: point for point in Anomaly.select()}
    assert {name: point.regie for name, point in told.items()} == {"banque": "", "creche": "creche"}
    assert "R041001-creche" in told["creche"].detail
    assert told["banque"].detail.endswith("R030001")
    assert OutboxMail.select().count() == 2


def test_two_restorations_are_one_time_until_both_are_looked_at(
    empty_database: None, settings: Settings, frozen: Clock
) -> None:
    first = frozen.at
    for _ in range(2):
        frozen.advance(days=2)
        with write():
            payments.note_restoration(settings, frozen.at - timedelta(days=1), {})
    since = first + timedelta(days=1)
    assert payments.lost_times() == {"banque": (since, frozen.at)}
    one, other = Anomaly.select().order_by(Anomaly.id)
    assert lost_time.to_list("banque") == [one, other]
    payments.resolve_anomaly(one.id, "Dominique", "pointé")
    assert payments.lost_times() == {"banque": (frozen.at - timedelta(days=1), frozen.at)}
    payments.resolve_anomaly(other.id, "Dominique", "pointé")
    assert payments.lost_times() == {}


def test_the_time_lost_goes_back_to_the_oldest_backup(
    empty_database: None, settings: Settings, frozen: Clock
) -> None:
    first = frozen.at
    for days in (1, 5, 1):
        frozen.advance(days=2)
        with write():
            payments.note_restoration(settings, frozen.at - timedelta(days=days), {})
    assert payments.lost_times() == {"banque": (first - timedelta(days=1), frozen.at)}


def test_a_restoration_is_noted_in_the_transaction_that_made_it(
    empty_database: None, settings: Settings, frozen: Clock
) -> None:
    with pytest.raises(RuntimeError):
        payments.note_restoration(settings, frozen.at, {})
    assert Restoration.select().count() == 0


def test_a_restoration_of_a_restored_database_skips_what_the_first_may_have_given(
    empty_database: None, settings: Settings, frozen: Clock
) -> None:
    """The one that it replaces had skipped to 40,000 two hours and a half before."""
    before = frozen.at - timedelta(hours=2, minutes=30)
    with write():
        payments.note_restoration(settings, frozen.at, {}, {"": (40_000, before)})
    assert last_receipt_number("") == 43_000


@pytest.mark.parametrize(
    ("minutes", "families", "given"), [(0, 0, 5), (60, 0, 5), (61, 5, 10), (90, 7, 14)]
)
def test_so_many_receipts_are_skipped_for_each_hour_begun_and_each_family(
    empty_database: None,
    settings: Settings,
    frozen: Clock,
    monkeypatch: pytest.MonkeyPatch,
    minutes: int,
    families: int,
    given: int,
) -> None:
    monkeypatch.setattr(lost_time, "_AN_HOUR", 5)
    monkeypatch.setattr(lost_time, "_ROUND", 1)
    for number in range(families):
        make_family(f"F{number}", "Martin")
    backup_at = frozen.at - timedelta(minutes=minutes)
    with write():
        payments.note_restoration(settings, backup_at, {})
    (gap,) = ReceiptGap.select()
    assert (gap.sequence, gap.first, gap.last) == ("", 1, given)
    assert (gap.restoration.backup_at, gap.restoration.restored_at) == (backup_at, frozen.at)
    with write():
        payments.note_restoration(settings, frozen.at, {"": 100})
        payments.note_restoration(settings, frozen.at, {"": 100}, {"": (200, backup_at)})
    gaps = [(each.first, each.last) for each in ReceiptGap.select().order_by(ReceiptGap.id)]
    assert gaps[1:] == [(given + 1, 100), (101, 200 + given)]


def test_invoices_are_warned_of_the_whole_time_in_which_they_may_have_been_paid_unknown(
    empty_database: None, settings: Settings, frozen: Clock
) -> None:
    assert payments.lost_time_of([("banque", frozen.at.date())]) is None
    first = frozen.at
    with write():
        payments.note_restoration(two_regies(settings), first - timedelta(days=1), {})
    frozen.advance(days=3)
    put_back(settings, frozen)
    day, next_day = first.date(), first.date() + timedelta(days=1)
    of_bank, of_creche = (first - timedelta(days=1), frozen.at), (first - timedelta(days=1), first)
    for invoices, lost in (
        ([("banque", next_day)], of_bank),
        ([("creche", day)], of_creche),
        ([("creche", next_day)], None),
        ([("creche", next_day), ("banque", frozen.at.date())], of_bank),
        ([("creche", day), ("banque", day)], of_bank),
        ([(None, day), ("ailleurs", day)], None),
        ([], None),
    ):
        assert payments.lost_time_of(invoices) == lost, invoices


def test_payments_of_about_the_backup_are_asked_of_the_bank_again_and_no_older_one(
    go: Pay, october: Invoice, september: Invoice, settings: Settings, frozen: Clock
) -> None:
    go(september)
    frozen.advance(days=3)
    recent, _ = go(october)
    Attempt.update(ask_at=None).execute()
    frozen.advance(days=1)
    put_back(settings, frozen)
    asked = [each.id for each in Attempt.select().where(Attempt.ask_at == frozen.at)]
    assert asked == [recent.id]


def test_only_what_is_still_to_look_at_of_this_bank_is_asked_as_a_list(
    empty_database: None, settings: Settings, frozen: Clock
) -> None:
    with write():
        payments.note_restoration(two_regies(settings), frozen.at - timedelta(days=1), {})
    (point,) = lost_time.to_list("creche")
    assert point.gateway == "creche"
    payments.resolve_anomaly(point.id, "Dominique", "pointé")
    assert lost_time.to_list("creche") == []


class ListingBank(TalkativeBank):
    """A bank that tells of all its payments of a time."""

    def __init__(self, gateway: Gateway) -> None:
        super().__init__(gateway)
        self.listed: list[list[Report] | Exception] = []
        self.times: list[tuple[datetime, datetime]] = []

    def list_reports(self, since: datetime, until: datetime) -> list[Report]:
        self.times.append((since, until))
        answer = self.listed.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def bank(gateway: Gateway) -> ListingBank:
    return ListingBank(gateway)


def put_back(settings: Settings, frozen: Clock) -> None:
    with write():
        payments.note_restoration(settings, frozen.at - timedelta(days=1), {})


def test_a_bank_that_lists_makes_good_what_was_lost(
    go: Pay, bank: ListingBank, october: Invoice, settings: Settings, frozen: Clock
) -> None:
    _, handoff = go(october)
    put_back(settings, frozen)
    known = bank.report(handoff, trans_status="CAPTURED")
    lost = replace(known, reference="KFperdu", transaction_id="d" * 32, cents=4225)
    refused = replace(lost, outcome=Outcome.REFUSED, transaction_id="e" * 32)
    bank.listed = [Unreachable("panne"), [known, lost, refused]]
    for _ in range(3):
        assert not reconcile.run({"banque": bank}, PUBLIC_URL, ISSUERS).broken
    assert len(bank.times) == 2, "asked until there is an answer, then no more"
    assert bank.times[0][0] <= frozen.at - timedelta(days=1)
    assert bank.times[0][1] == frozen.at
    assert Invoice.get_by_id(october.id).state == "paid"
    told = {(point.kind, point.amount_cents) for point in payments.open_anomalies()}
    assert told == {("restored", 0), ("unknown_order", 4225)}
    assert verification.faults() == []


@pytest.mark.parametrize(
    ("answer", "named"), [(Unreachable("panne"), "silent"), (KeyError("secret"), "broken")]
)
def test_a_bank_that_cannot_list_is_named_and_asked_again(
    bank: ListingBank,
    answer: Exception,
    named: str,
    october: Invoice,
    settings: Settings,
    frozen: Clock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    put_back(settings, frozen)
    bank.listed = [answer, []]
    summary = reconcile.run({"banque": bank}, PUBLIC_URL, ISSUERS)
    assert {"silent": summary.silent, "broken": summary.broken}[named] == ["banque"]
    assert "secret" not in caplog.text
    again = reconcile.run({"banque": bank}, PUBLIC_URL, ISSUERS)
    assert (again.silent, again.broken, again.unanswered) == ([], [], 0)
    assert len(bank.times) == 2


def test_a_list_that_cannot_be_recorded_is_a_bug_told_with_its_place_and_asked_again(
    go: Pay,
    bank: ListingBank,
    october: Invoice,
    settings: Settings,
    frozen: Clock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    _, handoff = go(october)
    put_back(settings, frozen)
    unreadable = replace(bank.report(handoff), transaction_id=object())  # type: ignore[arg-type]
    bank.listed = [[unreadable], []]
    assert reconcile.run({"banque": bank}, PUBLIC_URL, ISSUERS).broken == ["banque"]
    assert "list of banque: " in caplog.text
    assert not reconcile.run({"banque": bank}, PUBLIC_URL, ISSUERS).broken
    assert len(bank.times) == 2


def test_of_a_list_only_money_and_orders_of_ours_are_recorded(
    bank: ListingBank, october: Invoice, settings: Settings, frozen: Clock
) -> None:
    put_back(settings, frozen)
    order = Order("KFautre", 1, 4520, "x", frozen.at, "http://x", "http://x", None)
    refused = replace(bank.report(bank.start(order)), outcome=Outcome.REFUSED)
    bank.listed = [[refused]]
    reconcile.run({"banque": bank}, PUBLIC_URL, ISSUERS)
    assert BankMessage.select().count() == 0
    assert [point.kind for point in payments.open_anomalies()] == ["restored"]


def test_the_money_of_an_order_that_was_lost_is_entered_by_the_step_advised(
    bank: ListingBank, october: Invoice, settings: Settings, frozen: Clock
) -> None:
    put_back(settings, frozen)
    order = Order("KFperdu", 1, 4520, "x", frozen.at, "http://x", "http://x", None)
    said = bank.report(bank.start(order), trans_status="CAPTURED")
    bank.listed = [[said]]
    reconcile.run({"banque": bank}, PUBLIC_URL, ISSUERS)
    (point,) = (each for each in payments.open_anomalies() if each.kind == "unknown_order")
    step = next(each for each in payments.advice(point).steps if each.whose == Whose.INVOICE)
    by = Doer("Dominique", "", ISSUERS, {}, PUBLIC_URL)
    do(step, Filled("relevé", invoice=october.number, day=clock.today()), by)
    assert Invoice.get_by_id(october.id).state == "paid"
    assert verification.faults() == []


def test_a_bank_is_not_asked_for_a_list_but_of_a_time_that_was_lost(
    go: Pay, bank: ListingBank, october: Invoice
) -> None:
    go(october)
    reconcile.run({"banque": bank}, PUBLIC_URL, ISSUERS)
    assert bank.times == []
