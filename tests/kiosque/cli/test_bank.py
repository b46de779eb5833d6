"""The commands by which money leaves and banks are asked, closed and opened."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest

from gateways.base import Callback, Gateway, Handoff
from kiosque import payments
from kiosque.db import leases
from kiosque.db.models import (
    Attempt,
    BankClosure,
    Family,
    Invoice,
)
from kiosque.payments import reconcile
from kiosque.payments.orders import order_of
from tests import sentences
from tests.bank import notice
from tests.conftest import (
    ISSUERS,
    NOW,
    PUBLIC_URL,
    Clock,
    make_invoice,
)
from tests.kiosque.conftest import Run
from tests.talkative import TalkativeBank

Pay = Callable[..., tuple[Attempt, Handoff]]
PERSON = ("--author", "Dominique Aubry", "--reason", "absence justifiée")


@pytest.fixture
def paid(empty_database: None, gateway: Gateway, alices_family: Family) -> str:
    """Alice paid an invoice online; the number of its receipt."""
    invoice = make_invoice(alices_family, "2026-10-0001")
    purchase = payments.Purchase(alices_family, [invoice.number], 4520)
    _, handoff = payments.start(purchase, gateway, PUBLIC_URL)
    said = Callback.of_form(notice(handoff).items())
    payments.record("banque", gateway.read_notification(said), ISSUERS)
    return "R000001"


def test_a_bank_that_gives_nothing_back_on_demand_leads_to_the_other_way(
    run: Run, paid: str
) -> None:
    refused = run("refund", paid, *PERSON)
    assert refused.exit_code == 1
    assert "--elsewhere" in refused.output
    part = run("refund", paid, "--amount", "10,00", "--elsewhere", *PERSON)
    assert part.output.startswith("R000001 : 10,00\u00a0€")
    assert Invoice.get().state == "paid"
    assert run("refund", paid, "--elsewhere", *PERSON).exit_code == 0
    assert Invoice.get().state == "open"
    again = run("refund", paid, "--elsewhere", *PERSON)
    assert sentences.ALREADY_GIVEN_BACK in again.output


@pytest.mark.parametrize("amount", ["dix", "1e3", "10.001", "-5", "0", "45,21", ""])
def test_an_amount_that_makes_no_sense_gives_nothing_back(run: Run, paid: str, amount: str) -> None:
    result = run("refund", paid, "--elsewhere", "--amount", amount, *PERSON)
    assert result.exit_code == 1
    assert result.output.startswith("Erreur : ")
    assert Invoice.get().state == "paid"


def test_a_chargeback_is_entered_and_its_invoice_is_open_again(run: Run, paid: str) -> None:
    result = run("chargeback", "2026-10-0001", *PERSON)
    assert re.match("2026-10-0001 : .*45,20\u00a0€", result.output)
    assert Invoice.get().state == "open"


def test_the_list_says_what_there_is_to_do(run: Run, paid: str, gateway: Gateway) -> None:
    attempt = Attempt.get()
    handoff = gateway.start(order_of(attempt, PUBLIC_URL))
    said = Callback.of_form(notice(handoff, trans_uuid="b" * 32).items())
    payments.record("banque", gateway.read_notification(said), ISSUERS)
    lines = run("todo").output.splitlines()
    assert sentences.PAID_TWICE in lines[0]
    assert "R000002" in lines[0]
    assert sentences.GIVE_IT_BACK in lines[1]
    assert "refund R000002 --amount 45,20" in lines[2]
    assert "apply-overpayment R000002" in lines[3]
    assert sentences.numbers(lines[-1]) == [1]


def test_the_bank_is_asked_by_a_command_that_says_what_came_of_it(run: Run, paid: str) -> None:
    asked = run("reconcile", "--seconds", "5")
    assert asked.exit_code == 0
    assert "Dernier rapprochement : " in run("verify").output


@pytest.mark.parametrize(
    ("summary", "status", "named"),
    [
        (reconcile.Summary(answered=9, unanswered=1), 0, ""),
        (reconcile.Summary(busy=True), 0, ""),
        (reconcile.Summary(unanswered=1, silent=["tresor"], left=2), 3, "tresor"),
        (reconcile.Summary(answered=9, broken=["creche"]), 3, "creche"),
        (reconcile.Summary(removed_gateways=["passerelle ancienne retirée"]), 3, "ancienne"),
        (reconcile.Summary(left=2), 4, ""),
    ],
)
def test_the_status_of_reconcile_tells_monitors_and_names_the_bank(
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    summary: reconcile.Summary,
    status: int,
    named: str,
) -> None:
    monkeypatch.setattr(reconcile, "run", lambda *_, **__: summary)
    told = run("reconcile")
    assert (told.exit_code, named in told.output) == (status, True)


def test_staff_drop_a_refund_that_the_bank_does_not_answer(
    run: Run, paid: str, frozen: Clock, gateway: Gateway
) -> None:
    bank = TalkativeBank(gateway)
    settlement = payments.find_settlement(paid)
    payments.ask_refund(settlement, 1000, "Dominique", "absence", bank)
    frozen.advance(hours=1)
    assert "10,00\u00a0€" in run("drop-refund", paid, *PERSON).output
    assert run("drop-refund", paid, *PERSON).exit_code == 1


def test_a_run_under_way_is_left_to_its_work(run: Run, empty_database: None) -> None:
    with leases.hold(reconcile.LEASE, timedelta(minutes=2)):
        assert sentences.ANOTHER_RECONCILES in run("reconcile").output


def test_staff_close_a_payment_that_came_to_nothing(
    run: Run, pay: Pay, alices_family: Family, frozen: Clock
) -> None:
    attempt, _ = pay(alices_family, make_invoice(alices_family, "2026-10-0001"))
    early = run("close-attempt", attempt.reference, *PERSON)
    assert early.exit_code == 1
    assert sentences.STILL_PAYABLE in early.output
    frozen.advance(hours=1)
    assert "sans suite" in run("close-attempt", attempt.reference, *PERSON).output


def test_a_town_closes_and_opens_its_bank_by_commands(run: Run, frozen: Clock) -> None:
    sentence, ends = (
        "Le Trésor entretient son service.",
        "24\u00a0novembre\u00a02026 à 23\u00a0h\u00a030",
    )
    close = ("close-bank", "banque", "--until", "2026-11-24 23:30", "--author", "Dominique")
    told = run(*close, "--sentence", sentence)
    assert told.exit_code == 0, told.output
    assert sentence in told.output
    assert BankClosure.get().until_at == NOW + timedelta(hours=3)
    assert run(*close).exit_code == 0
    assert BankClosure.get().sentence == "", "the last word counts"
    assert f"jusqu’au {ends}, par Dominique" in run("gateways").output
    assert "rouverte" in run("open-bank", "banque").output
    assert "pas fermée" in run("open-bank", "banque").output
    assert run("open-bank", "autre").exit_code == 1
