"""Each entry of `todo` names commands that exist and take their words, and one deals with it."""

import html
import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

import click
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from gateways.base import Declined, Gateway, Handoff, Unreachable
from kiosque import payments
from kiosque.cli import main
from kiosque.db import write
from kiosque.db.models import Anomaly, Attempt, Family, Invoice, OutboxMail, Settlement, StaffEvent
from kiosque.db.states import AnomalyKind, RepaymentKind
from kiosque.payments import gateway_usage, journal, reconcile
from kiosque.payments.anomalies import flag_anomaly
from kiosque.payments.words import ADVICE
from kiosque.settings import Settings
from kiosque.staff.roles import Role
from tests import sentences
from tests.agents import enter, make_agent, send
from tests.conftest import ISSUERS, PUBLIC_URL, Clock, make_invoice
from tests.kiosque.conftest import Run
from tests.kiosque.payments.conftest import (
    Hear,
    Pay,
    advised_lines,
    at_counter,
    check_invariants,
    gave_back,
)
from tests.talkative import TalkativeBank

WHO = {"--author": "Dominique Aubry", "--reason": "vu à la banque", "--resolution": "vu"}
CAPTURED = {"trans_status": "CAPTURED"}
NOBODYS = {"order_id": "SITE-7", "trans_uuid": "d" * 32}


@dataclass
class Scene:
    """List what may happen to Alice's invoice."""

    attempt: Attempt
    handoff: Handoff
    invoice: Invoice
    bank: TalkativeBank
    hear: Hear
    clock: Clock
    settings: Settings

    @property
    def gateways(self) -> Mapping[str, Gateway]:
        return {self.bank.name: self.bank}

    def says(self, **changes: str) -> None:
        self.hear(self.handoff, **changes)

    def paid(self) -> Settlement:
        self.says(**CAPTURED)
        return payments.find_settlement(self.invoice.number)

    def ask_back(self, answer: Exception) -> None:
        settlement = self.paid()
        asked = payments.ask_refund(settlement, 1000, "Dominique", "absence", self.bank)
        self.bank.answers = [answer]
        payments.send_refund(asked, self.bank, PUBLIC_URL, ISSUERS)

    def wait(self, **time: int) -> None:
        self.clock.advance(**time)
        reconcile.run(self.gateways, PUBLIC_URL, ISSUERS)


def overpaid(scene: Scene) -> None:
    at_counter(scene.invoice)
    scene.says(**CAPTURED)


def unknown_order(scene: Scene) -> None:
    scene.says(**NOBODYS)


def reversed_(scene: Scene) -> None:
    scene.says()
    scene.says(trans_status="CANCELLED")


def refunded(scene: Scene) -> None:
    scene.paid()
    scene.says(**gave_back(4520))


def refunded_in_part(scene: Scene) -> None:
    scene.paid()
    scene.says(**gave_back(1000))


def refund_of_nothing(scene: Scene) -> None:
    scene.says(**gave_back(4520))


def guessed(scene: Scene) -> None:
    for letter in "ab":
        scene.says(trans_uuid=letter * 32, **CAPTURED)
    payments.resolve_anomaly(Anomaly.get().id, "Dominique", "vu")
    scene.says(**gave_back(1000))


def given_twice(scene: Scene) -> None:
    scene.says()
    settlement = payments.find_settlement(scene.invoice.number)
    payments.record_repayment(settlement, RepaymentKind.REFUND, 1000, "Dominique", "absence")
    scene.says(trans_status="CANCELLED")


def uncaptured(scene: Scene) -> None:
    scene.bank.answers = [[scene.bank.report(scene.handoff)]]
    scene.says()
    for _ in range(12):
        scene.wait(days=1)


def unsettled(scene: Scene) -> None:
    pending = scene.bank.report(scene.handoff, trans_status="UNDER_VERIFICATION")
    scene.bank.answers = [[pending]]
    scene.says(trans_status="UNDER_VERIFICATION")
    scene.wait(days=61)


def silent(scene: Scene) -> None:
    scene.bank.answers = [Unreachable("panne")]
    for _ in range(3):
        scene.wait(hours=13)


def unserved(_scene: Scene) -> None:
    gateway_usage.flag_gateways_removed_too_early([])


def declined(scene: Scene) -> None:
    scene.ask_back(Declined("trop tard"))


def unanswered_refund(scene: Scene) -> None:
    scene.ask_back(Unreachable("panne"))
    for _ in range(3):
        scene.wait(hours=13)
    scene.clock.advance(minutes=3)


def restored(scene: Scene) -> None:
    with write():
        payments.note_restoration(scene.settings, scene.clock.at - timedelta(days=1), {})


def closed_with_a_gap(_scene: Scene) -> None:
    with write():
        words = "octobre arrêté avec un écart"
        flag_anomaly("gap:1", AnomalyKind.GAP, 1240, words, regie="")


def made_by_hand(scene: Scene) -> None:
    scene.says(trans_id="654321", trans_uuid="d" * 32)


SCENES: Mapping[AnomalyKind, Callable[[Scene], None]] = {
    AnomalyKind.OVERPAYMENT: overpaid,
    AnomalyKind.MISMATCH: made_by_hand,
    AnomalyKind.UNKNOWN_ORDER: unknown_order,
    AnomalyKind.REVERSED: reversed_,
    AnomalyKind.REFUNDED: refunded,
    AnomalyKind.PARTIAL_REFUND: refunded_in_part,
    AnomalyKind.UNMATCHED_REFUND: refund_of_nothing,
    AnomalyKind.GUESSED_REFUND: guessed,
    AnomalyKind.GIVEN_TWICE: given_twice,
    AnomalyKind.UNCAPTURED: uncaptured,
    AnomalyKind.UNSETTLED: unsettled,
    AnomalyKind.SILENT: silent,
    AnomalyKind.UNSERVED: unserved,
    AnomalyKind.DECLINED: declined,
    AnomalyKind.UNANSWERED_REFUND: unanswered_refund,
    AnomalyKind.RESTORED: restored,
    AnomalyKind.GAP: closed_with_a_gap,
}
#: The advised command that takes the entry off the list; another way where there is none.
DEALS_WITH: Mapping[AnomalyKind, str] = {
    AnomalyKind.OVERPAYMENT: "apply-overpayment",
    AnomalyKind.MISMATCH: "apply-overpayment",
    AnomalyKind.UNKNOWN_ORDER: "enter-payment",
    AnomalyKind.REVERSED: "restore-payment",
    AnomalyKind.REFUNDED: "cancel-invoice",
    AnomalyKind.PARTIAL_REFUND: "todo",
    AnomalyKind.UNMATCHED_REFUND: "enter-payment",
    AnomalyKind.GUESSED_REFUND: "restore-payment",
    AnomalyKind.GIVEN_TWICE: "todo",
    AnomalyKind.UNCAPTURED: "chargeback",
    AnomalyKind.UNSETTLED: "close-attempt",
    AnomalyKind.SILENT: "close-attempt",
    AnomalyKind.UNSERVED: "gateways",
    AnomalyKind.DECLINED: "refund",
    AnomalyKind.UNANSWERED_REFUND: "drop-refund",
    AnomalyKind.RESTORED: "todo",
    AnomalyKind.GAP: "todo",
}


@pytest.fixture
def scene(
    go: Pay,
    hear: Hear,
    bank: TalkativeBank,
    october: Invoice,
    frozen: Clock,
    alices_family: Family,
    settings: Settings,
) -> Scene:
    make_invoice(alices_family, "2026-11-0001", 4520)
    attempt, handoff = go(october)
    return Scene(attempt, handoff, october, bank, hear, frozen, settings)


def test_each_kind_has_its_scene() -> None:
    assert set(SCENES) == set(DEALS_WITH) == set(AnomalyKind)


@pytest.mark.parametrize("kind", AnomalyKind)
def test_what_todo_advises_can_be_typed_and_deals_with_it(
    run: Run, scene: Scene, kind: AnomalyKind
) -> None:
    SCENES[kind](scene)
    point = Anomaly.get(Anomaly.kind == kind, Anomaly.resolved_at.is_null())
    _sentence, *lines = advised_lines(point)
    listed = run("todo").output
    assert lines
    assert all(line in listed for line in lines)
    commands = [typed(line) for line in lines]
    for command in commands:
        parse(command)
    done = run(*next(each for each in commands if each[0] == DEALS_WITH[kind]))
    assert done.exit_code == 0, done.output
    if kind == AnomalyKind.UNSERVED:  # it leaves by itself, once the gateway is back
        reconcile.run(scene.gateways, PUBLIC_URL, ISSUERS)
    assert Anomaly.get_by_id(point.id).resolved_at is not None
    check_invariants()


WORDS = {"invoice": "2026-11-0001", "family": "F1001", "day": "2026-11-24", "amount": "45,20",
         "transaction": "e" * 32, "payment": "R000001"}  # fmt: skip


def press(regisseur: FlaskClient, point: Anomaly, place: int, **changes: str) -> TestResponse:
    """Open the page of a step, fill in what it leaves to fill in, and confirm."""
    page = f"/mairie/a-traiter/{point.id}/{place}"
    shown = regisseur.get(page).text
    wanted = {name: WORDS[name] for name in WORDS if f'name="{name}"' in shown}
    (command,) = re.findall('name="command" value="([^"]*)"', shown)
    fields = {"command": html.unescape(command), "reason": "vu à la banque", "seen": "y"}
    return send(regisseur, page, **{**fields, **wanted, **changes})


@pytest.mark.parametrize("kind", AnomalyKind)
def test_what_is_advised_can_be_pressed_and_deals_with_it(
    app: Flask, scene: Scene, kind: AnomalyKind
) -> None:
    SCENES[kind](scene)
    point = Anomaly.get(Anomaly.kind == kind, Anomaly.resolved_at.is_null())
    regisseur = enter(app, make_agent(Role.REGISSEUR))
    assert f"/mairie/a-traiter/{point.id}" in regisseur.get("/mairie/a-traiter").text
    page = f"/mairie/a-traiter/{point.id}"
    if DEALS_WITH[kind] in ("todo", "gateways"):
        answer = send(regisseur, page, reason="vu à la banque", seen="y")
    else:
        place = next(
            place
            for place, step in enumerate(payments.advice(point).steps)
            if step.act == DEALS_WITH[kind]
        )
        assert f"{page}/{place}" in regisseur.get(page).text
        answer = press(regisseur, point, place)
    assert answer.location == "/mairie/a-traiter", answer.text
    treated = Anomaly.get_by_id(point.id)
    assert treated.resolved_at is not None
    assert StaffEvent.select().order_by(StaffEvent.id.desc()).get().reason == "vu à la banque"
    check_invariants()


def typed(line: str) -> list[str]:
    """A line of `todo` as a human types it, with what is left to fill in."""
    words = {"FACTURE": "2026-11-0001", "CODE": "F1001", "AAAA-MM-JJ": "2026-11-24",
             "MONTANT": "45,20", "IDENTIFIANT": "e" * 32, "PAIEMENT": "R000001"}  # fmt: skip
    arguments = [words.get(word, word) for word in shlex.split(line)[2:]]
    for place, word in enumerate(arguments):
        if word in WHO:
            arguments[place + 1] = WHO[word]
    assert line.startswith("python app.py ")
    return arguments


def parse(arguments: list[str]) -> None:
    """Raises click's errors for a command or an option that does not exist."""
    with click.Context(main) as context:
        name, command, rest = main.resolve_command(context, list(arguments))
        assert command is not None
        command.make_context(name, rest)


# --- Advice follows the state ---


def advised(run: Run) -> set[str]:
    return set(re.findall(r"python app\.py ([a-z-]+)", run("todo").output))


@pytest.mark.parametrize("status", ["AUTHORISED", "CAPTURED"])
def test_an_odd_notice_of_a_debit_in_the_books_advises_nothing_but_to_look(
    run: Run, scene: Scene, status: str
) -> None:
    scene.says(trans_status=status)
    scene.says(trans_status=status, amount="5000", effective_amount="5000")
    assert advised(run) == {"todo"}


def test_one_that_the_bank_denies_advises_to_note_it(run: Run, scene: Scene) -> None:
    scene.says()
    scene.says(trans_status="REFUSED", result="05", auth_result="51")
    assert advised(run) == {"chargeback", "todo"}


def test_a_debit_of_an_order_of_nobody_that_is_in_the_books_is_not_entered_again(
    run: Run, scene: Scene
) -> None:
    scene.says(trans_uuid="d" * 32, **CAPTURED)
    scene.says(**NOBODYS)
    assert advised(run) == {"todo"}


def test_a_refund_in_the_books_that_an_order_of_nobody_names_is_not_entered_as_a_payment(
    run: Run, scene: Scene
) -> None:
    scene.paid()
    scene.says(**gave_back(1000))
    payments.resolve_anomaly(Anomaly.get().id, "Dominique", "vu")
    scene.says(**{**gave_back(1000), "order_id": "SITE-7"})
    assert advised(run) == {"todo"}


def test_a_refund_of_an_order_of_nobody_is_noted_on_the_debit_that_it_gives_back(
    run: Run, scene: Scene
) -> None:
    scene.paid()
    scene.says(**{**gave_back(1000), "order_id": "SITE-7"})
    point = Anomaly.get()
    (line,) = advised_lines(point)[1:]
    done = run(*typed(line))
    assert done.exit_code == 0, done.output
    assert run("todo").output == "0 à traiter.\n"
    assert payments.find_settlement("R000001").returned_cents == 1000
    assert run(*typed(line)).exit_code == 1
    check_invariants()


@pytest.mark.parametrize("status", ["REFUSED", "CANCELLED"])
def test_an_order_of_nobody_without_money_is_only_to_look_at(
    run: Run, scene: Scene, status: str
) -> None:
    scene.says(**NOBODYS, trans_status=status, result="05", auth_result="51")
    assert advised(run) == {"todo"}


def test_what_is_decided_since_is_closed_no_more(run: Run, scene: Scene) -> None:
    silent(scene)
    scene.says(**CAPTURED)
    assert "close-attempt" not in advised(run)


def steps_of(kind: AnomalyKind) -> list[str]:
    point = Anomaly.get(Anomaly.kind == kind, Anomaly.resolved_at.is_null())
    return [step.command.removesuffix(' --reason "…"') for step in payments.advice(point).steps]


@pytest.mark.parametrize("status", ["REFUSED", "CANCELLED", "UNDER_VERIFICATION"])
def test_a_refund_that_failed_is_not_told_as_money_to_enter(scene: Scene, status: str) -> None:
    scene.paid()
    scene.says(**gave_back(1000), trans_status=status)
    failed = payments.advice(Anomaly.get())
    made_by_hand(scene)
    seen = Anomaly.select().order_by(Anomaly.id.desc()).get()
    assert failed.sentence != ADVICE[AnomalyKind.MISMATCH]
    assert failed.steps[-1].act == "todo"
    assert payments.advice(seen).sentence != failed.sentence


def test_what_was_given_back_in_another_currency_is_of_one_of_the_debits_that_are_there(
    scene: Scene,
) -> None:
    for letter in "de":
        scene.says(trans_uuid=letter * 32, **CAPTURED)
    gone = payments.find_settlement("R000001")
    payments.record_repayment(gone, RepaymentKind.CHARGEBACK, None, "Dominique", "impayé")
    scene.says(**gave_back(1000), currency="840", effective_currency="840")
    first, *others = steps_of(AnomalyKind.MISMATCH)
    assert first == f"refund R000002 --amount MONTANT --elsewhere --transaction {'c' * 32}"
    assert [other.split()[0] for other in others] == ["todo"]


def test_a_debit_given_back_in_another_currency_is_noted_on_it_for_an_amount_to_be_seen(
    scene: Scene,
) -> None:
    scene.says(trans_uuid="d" * 32, **CAPTURED)
    back = {**gave_back(1000), "trans_uuid": "d" * 32}
    scene.says(**back, currency="840", effective_currency="840")
    first, _other = steps_of(AnomalyKind.MISMATCH)
    assert first == "refund R000001 --amount MONTANT --elsewhere"


def test_a_debit_that_gave_all_away_may_have_its_last_departure_undone(scene: Scene) -> None:
    settlement = scene.paid()
    for kind, cents in ((RepaymentKind.REFUND, 1000), (RepaymentKind.CHARGEBACK, None)):
        payments.record_repayment(settlement, kind, cents, "Dominique", "noté")
    scene.says(**gave_back(1000))
    first, other = steps_of(AnomalyKind.UNMATCHED_REFUND)
    assert first == "restore-payment R000001 --amount 35,20"
    assert other.startswith("todo")


def test_a_refund_told_again_with_another_amount_is_undone_by_what_was_noted(
    scene: Scene,
) -> None:
    scene.paid()
    for cents in (1000, 2000):
        scene.says(**gave_back(cents))
    assert steps_of(AnomalyKind.MISMATCH)[0] == "restore-payment R000001 --amount 10,00"


def test_a_refund_of_an_order_of_nobody_waits_for_its_debit(scene: Scene) -> None:
    refund_of_nothing(scene)
    (only,) = steps_of(AnomalyKind.UNMATCHED_REFUND)
    assert only.startswith("enter-payment IDENTIFIANT --gateway banque --amount MONTANT")


@pytest.mark.parametrize(("cents", "words"), [(1000, "10,00"), (4520, "45,20")])
def test_a_refund_that_was_guessed_may_be_of_any_debit_that_is_large_enough(
    scene: Scene, cents: int, words: str
) -> None:
    for letter in "ab":
        scene.says(trans_uuid=letter * 32, **CAPTURED)
    scene.says(**gave_back(cents))
    guessed = steps_of(AnomalyKind.GUESSED_REFUND)
    assert guessed[:2] == [
        f"restore-payment R000002 --amount {words}",
        f"refund R000001 --amount {words} --elsewhere",
    ]


def test_only_what_is_still_there_of_a_payment_is_noted_as_never_captured(scene: Scene) -> None:
    uncaptured(scene)
    assert steps_of(AnomalyKind.UNCAPTURED) == ["chargeback R000001"]
    payments.record_repayment(
        payments.find_settlement("R000001"), RepaymentKind.REFUND, None, "Dominique", "rendu"
    )
    point = Anomaly.get(Anomaly.kind == AnomalyKind.UNCAPTURED)
    assert [step.act for step in payments.advice(point).steps] == ["todo"]


def test_what_the_bank_declined_to_give_back_is_given_elsewhere_as_far_as_there_is(
    scene: Scene,
) -> None:
    declined(scene)
    assert steps_of(AnomalyKind.DECLINED) == ["refund R000001 --amount 10,00 --elsewhere"]
    settlement = payments.find_settlement("R000001")
    payments.record_repayment(settlement, RepaymentKind.REFUND, 4000, "Dominique", "rendu")
    assert steps_of(AnomalyKind.DECLINED) == ["refund R000001 --amount 5,20 --elsewhere"]


# --- Money of nobody known ---


def test_money_of_nobody_known_is_in_the_journal_then_pays_an_invoice(
    run: Run, scene: Scene
) -> None:
    scene.says(**NOBODYS)
    lines = advised_lines(Anomaly.get())[1:]
    kept = run(*typed(next(line for line in lines if "--family-unknown" in line)))
    assert kept.exit_code == 0, kept.output
    assert "sans emploi" in kept.output
    check_invariants()
    balances = journal.balances()
    assert (balances["bank:banque"], balances["unmatched"]) == (4520, -4520)
    assert "famille inconnue" in run("todo").output
    used = run(*next(each for each in map(typed, advised_lines(payments.open_anomalies()[0])[1:])
                     if each[0] == "apply-overpayment"))  # fmt: skip
    assert used.exit_code == 0, used.output
    settlement = payments.find_settlement("2026-11-0001")
    assert settlement.family == scene.invoice.family
    assert run("todo").output == "0 à traiter.\n"
    check_invariants()


def test_money_of_nobody_known_can_be_given_back(run: Run, scene: Scene) -> None:
    scene.says(**NOBODYS)
    run(*typed(next(line for line in advised_lines(Anomaly.get())[1:] if "unknown" in line)))
    done = run("refund", "d" * 32, "--elsewhere", "--author", "Dominique", "--reason", "rendu")
    assert done.exit_code == 0, done.output
    assert run("todo").output == "0 à traiter.\n"
    check_invariants()
    again = run("restore-payment", "d" * 32, "--author", "Dominique", "--reason", "revenu")
    assert again.exit_code == 0, again.output
    assert "sans emploi" in run("todo").output


def test_money_of_nobody_known_becomes_that_of_the_payment_that_the_bank_names_later(
    run: Run, scene: Scene
) -> None:
    entered = run("enter-payment", "d" * 32, "--amount", "45,20", "--on", "2026-11-24",
                  "--family-unknown", "--author", "Dominique", "--reason", "vu")  # fmt: skip
    assert entered.exit_code == 0, entered.output
    scene.says(trans_uuid="d" * 32, **CAPTURED)
    settlement = payments.find_settlement(scene.invoice.number)
    assert (settlement.transaction_id, settlement.family) == ("d" * 32, scene.invoice.family)
    assert run("todo").output == "0 à traiter.\n"
    check_invariants()


@pytest.mark.parametrize("extra", [("--family", "F1001"), ("--invoice", "2026-11-0001")])
def test_nobody_known_is_not_somebody(run: Run, scene: Scene, extra: tuple[str, ...]) -> None:
    refused = run("enter-payment", "d" * 32, "--amount", "45,20", "--on", "2026-11-24",
                  "--family-unknown", *extra, "--author", "D", "--reason", "vu")  # fmt: skip
    assert refused.exit_code == 1
    assert Settlement.select().count() == 0


# --- A refund that the bank told of, entered on a debit ---


def test_a_refund_entered_by_its_name_is_not_counted_again_when_the_bank_tells_of_it(
    run: Run, scene: Scene
) -> None:
    scene.paid()
    command = ("refund", "R000001", "--amount", "10", "--elsewhere", "--transaction", "c" * 32,
               "--author", "Dominique", "--reason", "back office")  # fmt: skip
    assert run(*command).exit_code == 0
    scene.says(**gave_back(1000))
    scene.says(**gave_back(1000))
    assert payments.find_settlement("R000001").returned_cents == 1000
    assert run("todo").output == "0 à traiter.\n"
    check_invariants()


@pytest.mark.parametrize(
    "arguments",
    [
        ("--transaction", "c" * 32, "--amount", "10"),
        ("--transaction", "c" * 32, "--amount", "10", "--elsewhere"),
        ("--transaction", "", "--amount", "10", "--elsewhere"),
    ],
)
def test_a_refund_of_another_amount_or_without_a_name_is_refused(
    run: Run, scene: Scene, arguments: tuple[str, ...]
) -> None:
    scene.says(**gave_back(5000))  # more than the debit: it matches nothing
    scene.paid()
    refused = run("refund", "R000001", *arguments, "--author", "D", "--reason", "vu")
    assert refused.exit_code == 1
    assert refused.output.startswith("Erreur")
    assert payments.find_settlement("R000001").returned_cents == 0


@pytest.mark.parametrize("cents", [None, 500], ids=["charged back", "part given back elsewhere"])
def test_a_refund_of_a_debit_whose_money_has_left_is_asked_of_the_family_not_entered(
    run: Run, scene: Scene, cents: int | None
) -> None:
    scene.paid()
    kind = RepaymentKind.REFUND if cents else RepaymentKind.CHARGEBACK
    settlement = payments.find_settlement("R1")
    payments.record_repayment(settlement, kind, cents, "Dominique", "vu")
    scene.says(**gave_back(4520))
    point = Anomaly.get(Anomaly.kind == AnomalyKind.UNMATCHED_REFUND)
    sentence, *lines = advised_lines(point)
    assert sentences.ASK_THE_FAMILY in sentence
    assert not any("enter-payment" in line for line in lines)
    for line in lines:
        assert run(*typed(line)).exit_code == 0
    check_invariants()


def test_a_refund_of_another_debit_than_the_one_that_has_left_may_be_entered(
    scene: Scene,
) -> None:
    scene.paid()
    settlement = payments.find_settlement("R1")
    payments.record_repayment(settlement, RepaymentKind.CHARGEBACK, None, "Dominique", "vu")
    scene.says(**gave_back(4520), parent="9" * 32)
    point = Anomaly.get(Anomaly.kind == AnomalyKind.UNMATCHED_REFUND)
    assert any("enter-payment" in line for line in advised_lines(point))


@pytest.mark.parametrize("denied", [True, False], ids=["said undone", "never heard of"])
@pytest.mark.parametrize("about", ["--invoice", "--family"])
def test_a_debit_that_the_bank_said_undone_is_entered_with_a_warning(
    run: Run, scene: Scene, about: str, denied: bool
) -> None:
    if denied:
        scene.says(trans_uuid="e" * 32, trans_status="CANCELLED")
    named = "2026-11-0001" if about == "--invoice" else "F1001"
    who = ("--author", "Dominique", "--reason", "vu")
    done = run(
        "enter-payment", "e" * 32, "--amount", "45,20", "--on", "2026-11-24", about, named, *who
    )
    assert done.exit_code == 0, done.output
    assert (sentences.SAID_UNDONE in done.output) is denied


# --- Pressed by whom, and as things are now ---


def test_a_step_is_refused_once_the_point_has_changed(app: Flask, scene: Scene) -> None:
    overpaid(scene)
    point = Anomaly.get()
    regisseur = enter(app, make_agent(Role.REGISSEUR))
    answer = press(regisseur, point, 1, command="refund R000001 --amount 1,00")
    assert answer.location == f"/mairie/a-traiter/{point.id}"
    assert Anomaly.get_by_id(point.id).resolved_at is None


@pytest.mark.parametrize(
    "changes",
    [{"reason": ""}, {"seen": ""}, {"invoice": ""}, {"invoice": "2099-1"}, {"invoice": "\0"}],
)
def test_a_step_filled_badly_changes_nothing(
    app: Flask, scene: Scene, changes: dict[str, str]
) -> None:
    overpaid(scene)
    point, before = Anomaly.get(), journal.balances()
    regisseur = enter(app, make_agent(Role.REGISSEUR))
    answer = press(regisseur, point, 1, **changes)
    assert answer.status_code == 422
    assert "À corriger" in answer.text
    assert journal.balances() == before
    assert Anomaly.get_by_id(point.id).resolved_at is None


def test_a_number_pasted_with_spaces_around_is_the_number(app: Flask, scene: Scene) -> None:
    overpaid(scene)
    point = Anomaly.get()
    regisseur = enter(app, make_agent(Role.REGISSEUR))
    place = next(
        place
        for place, step in enumerate(payments.advice(point).steps)
        if step.act == "apply-overpayment"
    )
    answer = press(regisseur, point, place, invoice="\u00a02026-11-0001\u00a0")
    assert answer.location
    assert Anomaly.get_by_id(point.id).resolved_at is not None


def test_a_point_is_for_the_regisseur_of_its_regie(app: Flask, scene: Scene) -> None:
    overpaid(scene)
    page = f"/mairie/a-traiter/{Anomaly.get().id}"
    creche = enter(app, make_agent(Role.REGISSEUR, regie="creche"))
    assert page not in creche.get("/mairie/a-traiter").text
    for address in (page, f"{page}/0"):
        assert creche.get(address).status_code == 403
    facturation = enter(app, make_agent(Role.FACTURATION))
    assert facturation.get(page).status_code == 200
    assert f"{page}/0" not in facturation.get(page).text
    assert send(facturation, page, reason="vu").status_code == 403


def test_a_step_that_is_not_there_is_not_found(app: Flask, scene: Scene) -> None:
    overpaid(scene)
    regisseur = enter(app, make_agent(Role.REGISSEUR))
    number = Anomaly.get().id
    for page in (f"{number}/9", "999", str(2**64)):
        assert regisseur.get(f"/mairie/a-traiter/{page}").status_code == 404


def test_a_mail_given_up_is_sent_again(app: Flask, scene: Scene) -> None:
    overpaid(scene)
    agent = enter(app, make_agent(Role.FACTURATION))
    OutboxMail.update(state="failed", last_error="550").execute()
    mail = OutboxMail.get()
    shown = agent.get("/mairie/a-traiter").text
    assert "550" in shown
    assert mail.recipient not in shown
    send(agent, "/mairie/a-traiter", f"/mairie/a-traiter/courriels/{mail.id}")
    assert OutboxMail.get_by_id(mail.id).state == "waiting"
