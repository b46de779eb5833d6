"""An act on one payment changes nothing of another's, whatever state that one is in."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from gateways.base import Declined, Gateway, Handoff, Outcome, Unreachable
from kiosque import payments
from kiosque.db.models import Anomaly, Attempt, AttemptItem, Family, Invoice, Repayment, Settlement
from kiosque.db.states import RepaymentKind
from kiosque.payments import CounterPayment, Purchase, reconcile, verification
from kiosque.payments.polling import postpone_question, stop_asking
from tests import fresh_databases
from tests.bank import REFUSED
from tests.conftest import ISSUERS, NOW, PUBLIC_URL, Clock, make_invoice
from tests.talkative import TalkativeBank

CREDIT = {"operation_type": "CREDIT", "trans_id": "912345"}
PENDING = {"trans_status": "UNDER_VERIFICATION"}
CANCELLED = {"trans_status": "CANCELLED"}
Rows = dict[tuple[str, int], object]


class Stage:
    """Families that pay at a bank that can be asked."""

    def __init__(self, gateway: Gateway) -> None:
        self.bank = TalkativeBank(gateway)
        self._invoices = 0

    def invoice(self, family: Family, cents: int = 4520) -> Invoice:
        self._invoices += 1
        return make_invoice(family, f"2026-11-{self._invoices:04d}", cents)

    def open(self, invoice: Invoice) -> tuple[Attempt, Handoff]:
        purchase = Purchase(
            invoice.family, [invoice.number], invoice.total_cents, "parent@example.org"
        )
        return payments.start(purchase, self.bank, PUBLIC_URL)

    def hear(self, handoff: Handoff, **changes: str | None) -> str:
        return payments.record(self.bank.name, self.bank.report(handoff, **changes), ISSUERS)

    def paid(self, family: Family) -> tuple[Invoice, Handoff, Settlement]:
        invoice = self.invoice(family)
        attempt, handoff = self.open(invoice)
        self.hear(handoff)
        return invoice, handoff, Settlement.get(Settlement.attempt == attempt)

    def paid_twice(self, family: Family, uuid: str) -> tuple[Invoice, Handoff]:
        invoice, handoff, _ = self.paid(family)
        self.hear(handoff, trans_uuid=uuid * 32)
        return invoice, handoff

    def gave_back(self, handoff: Handoff, cents: int, uuid: str) -> dict[str, str]:
        amounts = {"amount": str(cents), "effective_amount": str(cents)}
        return {**CREDIT, **amounts, "trans_uuid": uuid * 32}

    def asked_back(self, family: Family, answer: Exception) -> Repayment:
        _, _, settlement = self.paid(family)
        asked = payments.ask_refund(settlement, 1000, "Dominique", "absence", self.bank)
        self.bank.answers = [answer]
        payments.send_refund(asked, self.bank, PUBLIC_URL, ISSUERS)
        self.bank.answers = [[]]
        return asked


def everything() -> Rows:
    """Every row of every table, by its place; the running of the machine excepted."""
    found = fresh_databases.rows(without=("lease", "message_count", "sqlite_sequence"))
    return {(name, row[0]): row for name, rows in found.items() for row in rows}


@pytest.fixture
def stage(gateway: Gateway, empty_database: None) -> Stage:
    return Stage(gateway)


@pytest.fixture
def bystanders(stage: Stage, charlies_family: Family) -> Rows:
    """Charlie's payments, in every state, and all that they left."""
    charlie = charlies_family
    stage.invoice(charlie)
    stage.open(stage.invoice(charlie))
    for changes in (REFUSED, PENDING, CANCELLED):
        stage.hear(stage.open(stage.invoice(charlie))[1], **changes)
    stage.paid_twice(charlie, "1")
    _, handoff, _ = stage.paid(charlie)
    stage.hear(handoff, **CANCELLED)
    _, handoff, _ = stage.paid(charlie)
    stage.hear(handoff, **stage.gave_back(handoff, 500, "2"))
    _, handoff = stage.open(stage.invoice(charlie))
    stage.hear(handoff, **stage.gave_back(handoff, 500, "3"))  # of a debit not known yet
    stage.hear(stage.open(stage.invoice(charlie))[1], amount="100")
    stage.asked_back(charlie, Unreachable("coupée"))
    stage.asked_back(charlie, Declined("non"))
    at_counter(stage.invoice(charlie))
    stage.open(stage.invoice(charlie))  # last: nothing of Charlie's own has released it since
    return everything()


def at_counter(invoice: Invoice) -> None:
    payments.settle_at_counter(
        [CounterPayment(invoice.number, invoice.total_cents, "cash", NOW.date(), "Dom", "guichet")]
    )


def pays(stage: Stage, alice: Family) -> None:
    stage.paid(alice)


def is_refused(stage: Stage, alice: Family) -> None:
    stage.hear(stage.open(stage.invoice(alice))[1], **REFUSED)


def is_refused_then_examined(stage: Stage, alice: Family) -> None:
    attempt, handoff = stage.open(stage.invoice(alice))
    stage.hear(handoff, **REFUSED)
    stage.hear(handoff, **PENDING, trans_uuid="a" * 32)
    assert AttemptItem.get(AttemptItem.attempt == attempt).live, "held again"


def pays_twice_and_the_first_is_cancelled(stage: Stage, alice: Family) -> None:
    invoice, handoff = stage.paid_twice(alice, "a")
    stage.hear(handoff, **CANCELLED)
    assert Invoice.get_by_id(invoice.id).state == "paid"


def pays_and_it_is_cancelled(stage: Stage, alice: Family) -> None:
    invoice, handoff, _ = stage.paid(alice)
    stage.hear(handoff, **CANCELLED)
    assert Invoice.get_by_id(invoice.id).state == "open"


def pays_a_strange_amount(stage: Stage, alice: Family) -> None:
    stage.hear(stage.open(stage.invoice(alice))[1], amount="1")


def is_given_all_back_by_the_bank(stage: Stage, alice: Family) -> None:
    invoice, handoff, _ = stage.paid(alice)
    stage.hear(handoff, **stage.gave_back(handoff, 4520, "a"))
    assert Invoice.get_by_id(invoice.id).state == "open"


def is_given_back_before_the_debit_is_known(stage: Stage, alice: Family) -> None:
    _, handoff = stage.open(stage.invoice(alice))
    stage.hear(handoff, **stage.gave_back(handoff, 500, "a"))
    stage.hear(handoff)


def is_given_back_what_came_twice(stage: Stage, alice: Family) -> None:
    _, handoff = stage.paid_twice(alice, "a")
    stage.hear(handoff, **stage.gave_back(handoff, 4520, "b"))


def asks_for_money_back(stage: Stage, alice: Family) -> None:
    _, handoff, settlement = stage.paid(alice)
    asked = payments.ask_refund(settlement, 1000, "Dominique", "absence", stage.bank)
    told = stage.bank.report(handoff, **stage.gave_back(handoff, 1000, "a"))
    stage.bank.answers = [[told]]
    assert payments.send_refund(asked, stage.bank, PUBLIC_URL, ISSUERS).state == "done"


def asks_for_money_back_in_vain(stage: Stage, alice: Family) -> None:
    assert stage.asked_back(alice, Declined("non")).state == "asked"
    stage.asked_back(alice, Unreachable("coupée"))


def asks_for_money_back_and_the_debit_is_undone(stage: Stage, alice: Family) -> None:
    asked = stage.asked_back(alice, Unreachable("coupée"))
    attempt = asked.settlement.attempt
    report = stage.bank.report(Handoff("", attempt.gateway_reference, _sent(attempt)), **CANCELLED)
    payments.record(stage.bank.name, report, ISSUERS)


def _sent(attempt: Attempt) -> tuple[tuple[str, str], ...]:
    """Return what a form already gone had told the bank."""
    date, number = attempt.gateway_reference.split("-")
    fields = {
        "vads_amount": str(attempt.amount_cents), "vads_ctx_mode": "TEST",
        "vads_currency": "978", "vads_order_id": attempt.reference,
        "vads_page_action": "PAYMENT", "vads_payment_config": "SINGLE",
        "vads_site_id": "12345678", "vads_trans_date": date, "vads_trans_id": number,
        "vads_version": "V2",
    }  # fmt: skip
    return tuple(fields.items())


def is_repaid_in_cash(stage: Stage, alice: Family) -> None:
    _, _, settlement = stage.paid(alice)
    payments.record_repayment(settlement, RepaymentKind.REFUND, None, "Dominique", "espèces")


def contests_a_payment(stage: Stage, alice: Family) -> None:
    _, _, settlement = stage.paid(alice)
    payments.record_repayment(settlement, RepaymentKind.CHARGEBACK, None, "Dominique", "contesté")


def pays_at_the_counter(stage: Stage, alice: Family) -> None:
    at_counter(stage.invoice(alice))


def has_an_invoice_cancelled(stage: Stage, alice: Family) -> None:
    payments.cancel_invoice(stage.invoice(alice).number, "Dominique", "erreur")


def has_a_payment_examined_for_long_closed(stage: Stage, alice: Family) -> None:
    attempt, handoff = stage.open(stage.invoice(alice))
    stage.hear(handoff, **PENDING)
    payments.close_attempt(attempt.reference, "Dominique", "vu à la banque")


def has_a_point_dealt_with(stage: Stage, alice: Family) -> None:
    stage.paid_twice(alice, "a")
    point = Anomaly.select().order_by(Anomaly.id.desc()).first()
    payments.resolve_anomaly(point.id, "Dominique", "rendu")


def comes_back_and_the_bank_is_asked(stage: Stage, alice: Family) -> None:
    attempt, handoff = stage.open(stage.invoice(alice))
    stage.bank.answers = [[stage.bank.report(handoff)]]
    attempt = Attempt.get_by_id(attempt.id)
    payments.ask_soon(attempt, {"banque": stage.bank}, PUBLIC_URL, ISSUERS)
    assert Attempt.get_by_id(attempt.id).state == "paid"


def comes_back_and_the_bank_is_silent(stage: Stage, alice: Family) -> None:
    attempt, _ = stage.open(stage.invoice(alice))
    postpone_question(attempt)


def paid_at_a_bank_no_longer_asked(stage: Stage, alice: Family) -> None:
    stop_asking(stage.open(stage.invoice(alice))[0])


def is_announced_by_a_mere_trigger(stage: Stage, alice: Family) -> None:
    _, handoff = stage.open(stage.invoice(alice))
    report = replace(stage.bank.report(handoff), ask=True, outcome=Outcome.PAID)
    payments.record(stage.bank.name, report, ISSUERS)


EVENTS: list[Callable[[Stage, Family], None]] = [
    pays,
    is_refused,
    is_refused_then_examined,
    pays_twice_and_the_first_is_cancelled,
    pays_and_it_is_cancelled,
    pays_a_strange_amount,
    is_given_all_back_by_the_bank,
    is_given_back_before_the_debit_is_known,
    is_given_back_what_came_twice,
    asks_for_money_back,
    asks_for_money_back_in_vain,
    asks_for_money_back_and_the_debit_is_undone,
    is_repaid_in_cash,
    contests_a_payment,
    pays_at_the_counter,
    has_an_invoice_cancelled,
    has_a_payment_examined_for_long_closed,
    has_a_point_dealt_with,
    comes_back_and_the_bank_is_asked,
    comes_back_and_the_bank_is_silent,
    paid_at_a_bank_no_longer_asked,
    is_announced_by_a_mere_trigger,
]


@pytest.mark.parametrize("happens", EVENTS)
def test_charlies_payments_are_as_they_were_whatever_becomes_of_alices(
    happens: Callable[[Stage, Family], None],
    stage: Stage,
    frozen: Clock,
    bystanders: Rows,
    alices_family: Family,
) -> None:
    frozen.advance(minutes=3)  # long enough for each request to the bank to be sent again
    happens(stage, alices_family)
    now = everything()
    changed = {place: now.get(place) for place, row in bystanders.items() if now.get(place) != row}
    assert changed == {}
    assert verification.faults() == []


def test_an_attempt_that_lapses_is_replaced_alone(
    stage: Stage, frozen: Clock, charlies_family: Family, alices_family: Family
) -> None:
    stage.bank.answers = [[]]
    theirs, _ = stage.open(stage.invoice(charlies_family))
    invoice = stage.invoice(alices_family)
    mine, _ = stage.open(invoice)
    for attempt in (theirs, mine):
        stop_asking(attempt)
    frozen.at += timedelta(minutes=16)
    before = everything()
    again, _ = stage.open(invoice)
    assert Attempt.get_by_id(mine.id).state == "expired"
    assert Attempt.get_by_id(again.id).state == "handed_off"
    place = ("attempt", theirs.id)
    assert everything()[place] == before[place]
    assert reconcile.run({}, PUBLIC_URL, ISSUERS).expired == 0
