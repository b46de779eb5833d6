"""Each entry of `todo` names commands that exist and take their words, and one deals with it."""

import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

import click
import pytest

from gateways.base import Declined, Gateway, Handoff, Unreachable
from kiosque import payments
from kiosque.cli import main
from kiosque.db import write
from kiosque.db.models import Anomaly, Attempt, Family, Invoice, Settlement
from kiosque.db.states import AnomalyKind, RepaymentKind
from kiosque.payments import gateway_usage, journal, reconcile
from kiosque.settings import Settings
from tests import sentences
from tests.conftest import ISSUERS, PUBLIC_URL, Clock, make_invoice
from tests.kiosque.conftest import Run
from tests.kiosque.payments.conftest import Hear, Pay, at_counter, check_invariants, gave_back
from tests.talkative import TalkativeBank

WHO = {"--author": "Dominique Aubry", "--reason": "vu à la banque", "--resolution": "vu"}
CAPTURED = {"trans_status": "CAPTURED"}
NOBODYS = {"order_id": "SITE-7", "trans_uuid": "d" * 32}


@dataclass
class Scene:
    """What may happen to Alice's invoice."""

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
    _sentence, *lines = payments.advice(point)
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
    (line,) = payments.advice(point)[1:]
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


# --- Money of nobody known ---


def test_money_of_nobody_known_is_in_the_journal_then_pays_an_invoice(
    run: Run, scene: Scene
) -> None:
    scene.says(**NOBODYS)
    lines = payments.advice(Anomaly.get())[1:]
    kept = run(*typed(next(line for line in lines if "--family-unknown" in line)))
    assert kept.exit_code == 0, kept.output
    assert "sans emploi" in kept.output
    check_invariants()
    balances = journal.balances()
    assert (balances["bank:banque"], balances["unmatched"]) == (4520, -4520)
    assert "famille inconnue" in run("todo").output
    used = run(*next(each for each in map(typed, payments.advice(payments.open_anomalies()[0])[1:])
                     if each[0] == "apply-overpayment"))  # fmt: skip
    assert used.exit_code == 0, used.output
    settlement = payments.find_settlement("2026-11-0001")
    assert settlement.family == scene.invoice.family
    assert run("todo").output == "0 à traiter.\n"
    check_invariants()


def test_money_of_nobody_known_can_be_given_back(run: Run, scene: Scene) -> None:
    scene.says(**NOBODYS)
    run(*typed(next(line for line in payments.advice(Anomaly.get())[1:] if "unknown" in line)))
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
    sentence, *lines = payments.advice(point)
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
    assert any("enter-payment" in line for line in payments.advice(point))


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
