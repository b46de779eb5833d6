"""Call an adapter, ours or a stranger's, so that neither its bugs nor its bank stop the site.

Each call runs in a thread of its own, which the caller may abandon. A bug of the adapter counts as
a bank that does not answer. Log its kind and place, never its text, which may hold a secret.
"""

import logging
import traceback
from collections.abc import Callable
from concurrent.futures import Future
from datetime import datetime
from enum import Enum, auto
from threading import Thread
from typing import TypeVar

from peewee import DatabaseError

from gateways.base import (
    BadCallback,
    Callback,
    Gateway,
    GatewayError,
    Handoff,
    Lists,
    Order,
    Polls,
    RefundRequest,
    Refunds,
    Report,
    Resumes,
    Unreachable,
)
from kiosque import db

_log = logging.getLogger(__name__)
Result = TypeVar("Result")

#: Longest time to open a payment or ask about it. PayFiP may take all of it, Lyra half.
CALL_SECONDS = 15.0
#: The longest that money takes to be given back: the bank is asked before and after.
REFUND_SECONDS = 45.0
#: The longest that a bank takes to tell of all its payments of some days.
LIST_SECONDS = 45.0
_DEFECT = "le programme de cette banque a un défaut"


class Defect(Unreachable):
    """The adapter has a bug, or returned something that its contract does not allow."""


class CallOutcome(Enum):
    """The outcome of a question or a request. `MISSING`: no credible answer from the bank;
    `BROKEN`: the adapter has a bug."""

    GIVEN = auto()
    MISSING = auto()
    BROKEN = auto()


def start(gateway: Gateway, order: Order) -> "Future[Handoff]":
    """Have a payment opened. The future raises WrongEmail or Unreachable."""
    return _begin(f"start of {order.reference}", lambda: _handoff(gateway.start(order)))


def resume(gateway: Resumes, order: Order) -> "Future[Handoff]":
    """Have the page of a payment opened before shown again. The future raises Unreachable."""
    return _begin(f"return to {order.reference}", lambda: _handoff(gateway.resume(order)))


def poll(gateway: Polls, order: Order) -> "Future[list[Report]]":
    """Ask about an order. The future raises a GatewayError."""
    return _begin(f"question about {order.reference}", lambda: _reports(gateway.poll(order)))


def list_reports(gateway: Lists, since: datetime, until: datetime) -> "Future[list[Report]]":
    """Ask for all that a bank did in a time. The future raises a GatewayError."""
    return _begin("list of payments", lambda: _reports(gateway.list_reports(since, until)))


def refund(gateway: Refunds, order: Order, request: RefundRequest) -> "Future[list[Report]]":
    """Have money given back. The future raises Declined, or another GatewayError."""
    what = f"refund of {order.reference}"
    return _begin(what, lambda: _reports(gateway.refund(order, request)))


def read_notification(gateway: Gateway, callback: Callback) -> Report:
    """Have a message of the bank verified, at once. Raises BadCallback, Defect."""
    try:
        report = gateway.read_notification(callback)
        if not isinstance(report, Report):
            raise TypeError("not a Report")
    except BadCallback:
        raise
    except Exception as error:  # noqa: BLE001  # a stranger's adapter may raise anything
        log_defect(f"message to {gateway.name}", error)
        raise Defect(_DEFECT) from None
    return report


def wait_for(call: "Future[Result]", seconds: float) -> Result:
    """Return the outcome of a call, or raise its error; Unreachable after `seconds`."""
    try:
        return call.result(timeout=seconds)
    except TimeoutError:
        raise Unreachable("la banque répond trop lentement") from None


def outcome_of(error: Exception) -> CallOutcome:
    """Return the outcome that an error means, be it raised by the call or while applying its
    result.

    Raise the error again if it is the database's: nothing can be done meanwhile.
    """
    if isinstance(error, DatabaseError) and not isinstance(error, db.OUR_FAULTS):
        raise error
    known = isinstance(error, GatewayError) and not isinstance(error, Defect)
    return CallOutcome.MISSING if known else CallOutcome.BROKEN


def log_defect(what: str, error: Exception) -> None:
    """Log a bug by its kind and its place."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    _log.error("%s: %s at %s:%s", what, type(error).__name__, place.filename, place.lineno)


def _begin(what: str, work: Callable[[], Result]) -> "Future[Result]":
    call: Future[Result] = Future()

    def run() -> None:
        try:
            call.set_result(work())
        except GatewayError as error:
            call.set_exception(error)
        except Exception as error:  # noqa: BLE001  # a stranger's adapter may raise anything
            log_defect(what, error)
            call.set_exception(Defect(_DEFECT))

    Thread(target=run, name=what, daemon=True).start()
    return call


def _handoff(given: object) -> Handoff:
    if not isinstance(given, Handoff):
        raise TypeError("not a Handoff")
    return given


def _reports(given: object) -> list[Report]:
    if not isinstance(given, list) or not all(isinstance(each, Report) for each in given):
        raise TypeError("not a list of Reports")
    return given
