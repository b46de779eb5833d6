"""A call to a bank has a thread of its own; a bug of an adapter is a defect, told by its place."""

import logging
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from gateways.base import BadCallback, Callback, Order, RefundRequest, Unreachable
from kiosque.payments import gateway_calls
from kiosque.payments.gateway_calls import CallOutcome, Defect
from tests.conftest import NOW

ORDER = Order("KF1", 1, 4520, "Factures", NOW, "http://x", "http://x", None)
REQUEST = RefundRequest("R1", "d" * 32, 4520, 1000)

Call = Callable[[Any], Any]

#: Each call that waits for a bank, and what a log names it.
CALLS: dict[str, Call] = {
    "start of KF1": lambda bank: gateway_calls.start(bank, ORDER),
    "return to KF1": lambda bank: gateway_calls.resume(bank, ORDER),
    "question about KF1": lambda bank: gateway_calls.poll(bank, ORDER),
    "list of payments": lambda bank: gateway_calls.list_reports(bank, NOW, NOW),
    "refund of KF1": lambda bank: gateway_calls.refund(bank, ORDER, REQUEST),
}


class Bank:
    """Every method does the same, and keeps what it was given."""

    name = "banque"

    def __init__(self, does: Callable[[], object]) -> None:
        self.given: list[tuple[object, ...]] = []
        self._does = does

    def __getattr__(self, _name: str) -> Callable[..., object]:
        return self._called

    def _called(self, *given: object) -> object:
        self.given.append(given)
        return self._does()


def fail(error: Exception) -> object:
    raise error


@pytest.mark.parametrize("what", CALLS)
@pytest.mark.parametrize("bug", [partial(fail, KeyError("secret")), lambda: "no report", dict])
def test_a_bug_of_an_adapter_is_a_defect_logged_by_its_kind_and_its_place(
    what: str, bug: Callable[[], object], caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(Defect, match=r"^le programme de cette banque a un défaut$"):
        gateway_calls.wait_for(CALLS[what](Bank(bug)), 5)
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith((f"{what}: KeyError at {__file__}:", f"{what}: TypeError at "))
    assert line.rpartition(":")[2].isdigit()
    assert "secret" not in line


@pytest.mark.parametrize("what", CALLS)
def test_what_an_adapter_says_of_its_bank_is_no_bug(
    what: str, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(Unreachable, match=r"^panne$"):
        gateway_calls.wait_for(CALLS[what](Bank(partial(fail, Unreachable("panne")))), 5)
    assert caplog.records == []


@pytest.mark.parametrize("what", CALLS)
def test_a_bank_that_hangs_keeps_no_process_from_ending_and_its_thread_says_what_it_waits_for(
    what: str,
) -> None:
    threads = []
    with pytest.raises(Defect):
        bank = Bank(lambda: threads.append(threading.current_thread()))
        gateway_calls.wait_for(CALLS[what](bank), 5)
    assert [(each.name, each.daemon) for each in threads] == [(what, True)]


def test_each_call_gives_the_adapter_what_it_is_about() -> None:
    bank = Bank(list)
    for what in ("question about KF1", "list of payments", "refund of KF1"):
        assert gateway_calls.wait_for(CALLS[what](bank), 5) == []
    assert bank.given == [(ORDER,), (NOW, NOW), (ORDER, REQUEST)]


def test_a_message_that_an_adapter_refuses_is_no_bug_and_anything_else_is(
    caplog: pytest.LogCaptureFixture,
) -> None:
    said = Callback.of_form([("a", "b")])
    with pytest.raises(BadCallback):
        gateway_calls.read_notification(Bank(partial(fail, BadCallback("signature"))), said)
    assert caplog.records == []
    for bug in (partial(fail, KeyError("secret")), lambda: None):
        caplog.clear()
        with pytest.raises(Defect, match=r"^le programme de cette banque a un défaut$"):
            gateway_calls.read_notification(Bank(bug), said)
        ((level, line),) = [(each.levelno, each.getMessage()) for each in caplog.records]
        assert level == logging.ERROR
        assert line.startswith("message to banque: ")
        assert "secret" not in line


def test_an_error_of_the_bank_is_a_missing_answer_and_a_bug_a_broken_one() -> None:
    assert gateway_calls.outcome_of(Unreachable("panne")) is CallOutcome.MISSING
    for bug in (Defect("x"), KeyError("x")):
        assert gateway_calls.outcome_of(bug) is CallOutcome.BROKEN
