"""The commands by which the régisseur puts the books right, as `todo` names them."""

import shlex
from collections.abc import Callable

import pytest

from gateways.base import Callback, Gateway, Handoff
from kiosque import payments
from kiosque.db.models import Attempt, Family, Invoice
from tests.bank import notice
from tests.conftest import ISSUERS, make_invoice
from tests.kiosque.conftest import Run
from tests.kiosque.payments.conftest import at_counter, gave_back, state_of

Pay = Callable[..., tuple[Attempt, Handoff]]
PERSON = ("--author", "Dominique Aubry", "--reason", "vu au back office")
UUID = "e" * 32


@pytest.fixture
def hear(gateway: Gateway) -> Callable[..., None]:
    def told(handoff: Handoff, **changes: str) -> None:
        said = Callback.of_form(notice(handoff, **changes).items())
        payments.record("banque", gateway.read_notification(said), ISSUERS)

    return told


def advised(run: Run, command: str, **placeholders: str) -> list[str]:
    """The arguments of a command as `todo` names it, its placeholders filled in."""
    output = run("todo").output
    line = next(line for line in output.splitlines() if f"app.py {command} " in line)
    for word, value in placeholders.items():
        line = line.replace(word, value)
    return [*shlex.split(line.partition(" --author")[0])[2:], *PERSON]


def test_what_todo_names_restores_a_refund_that_the_bank_cancelled(
    run: Run, pay: Pay, hear: Callable[..., None], october: Invoice
) -> None:
    attempt, handoff = pay(october.family, october)
    hear(handoff, trans_status="CAPTURED")
    hear(handoff, **gave_back(4520))
    hear(handoff, **{**gave_back(4520), "trans_status": "CANCELLED"})
    done = run(*advised(run, "restore-payment"))
    assert done.exit_code == 0, done.output
    assert "45,20\u00a0€ rétablis" in done.output
    assert (state_of(attempt), state_of(october)) == ("paid", "paid")
    assert run("todo").output == "0 à traiter.\n"
    again = run("restore-payment", "R000001", *PERSON)
    assert again.exit_code == 1
    assert "Erreur" in again.output
    assert run("verify").exit_code == 0


def test_what_todo_names_gives_a_use_to_what_came_twice(
    run: Run, pay: Pay, hear: Callable[..., None], october: Invoice, alices_family: Family
) -> None:
    _, handoff = pay(october.family, october)
    at_counter(october)
    hear(handoff)
    november = make_invoice(alices_family, "2026-11-0001", 4520)
    done = run(*advised(run, "apply-overpayment", FACTURE=november.number))
    assert done.output == "Facture 2026-11-0001 : payée par R000001.\n"
    assert state_of(november) == "paid"
    assert run("apply-overpayment", "R000001", november.number, *PERSON).exit_code == 1
    assert run("todo").output == "0 à traiter.\n"


def test_what_todo_names_enters_a_debit_of_an_order_that_a_restored_copy_forgot(
    run: Run, pay: Pay, hear: Callable[..., None], october: Invoice, september: Invoice
) -> None:
    _, handoff = pay(september.family, september)
    hear(handoff, order_id="KF000000000000000000", trans_uuid=UUID, amount="4520")
    arguments = advised(
        run, "enter-payment", FACTURE=october.number, **{"AAAA-MM-JJ": "2026-11-24"}
    )
    done = run(*arguments)
    assert done.exit_code == 0, done.output
    assert "reçu R000001" in done.output
    assert state_of(october) == "paid"
    assert run(*arguments).exit_code == 1
    assert run("verify").exit_code == 0


def test_a_debit_is_kept_for_a_family_or_is_that_of_an_attempt(
    run: Run, pay: Pay, october: Invoice
) -> None:
    day = ("--on", "2026-11-24")
    kept = run("enter-payment", UUID.upper(), "--amount", "12,50", *day, "--family", "F1001",
               *PERSON)  # fmt: skip
    assert kept.exit_code == 0, kept.output
    assert "sans emploi" in kept.output
    attempt, _ = pay(october.family, october)
    entered = run("enter-payment", "f" * 32, "--amount", "45,20", *day, "--attempt",
                  attempt.reference, *PERSON)  # fmt: skip
    assert entered.exit_code == 0, entered.output
    assert state_of(october) == "paid"
    assert payments.find_settlement(UUID).amount_cents == 1250


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--invoice", "2026-10-0001", "--family", "F1001"),
        ("--invoice", "INCONNUE"),
        ("--attempt", "KF0"),
        ("--family", "F9"),
        ("--invoice", "2026-10-0001", "--gateway", "ailleurs"),
        ("--invoice", "2026-10-0001", "--amount", "beaucoup"),
        ("--invoice", "2026-10-0001", "--amount", "45,21"),
        ("--invoice", "2026-10-0001", "--on", "2099-01-01"),
    ],
)
def test_a_debit_that_cannot_be_is_refused_in_a_line_or_two(
    run: Run, october: Invoice, arguments: tuple[str, ...]
) -> None:
    usual = ("--amount", "45,20", "--on", "2026-11-24")
    refused = run("enter-payment", UUID, *usual, *arguments, *PERSON)
    assert refused.exit_code == 1
    assert refused.output.startswith("Erreur :")
    assert state_of(october) == "open"
