"""The mock bank's REST service, version V4: only the calls that the portal makes.

Errors come with HTTP 200 as on the real platform, bad credentials with 401. The answers hold every
field that the documentation lists, nulls included.
Source: docs.lyra.com, REST V4: Charge/SDKTest, Order/Get, Transaction/CancelOrRefund.
"""

import contextlib
import json
import secrets
import socket
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Request, Response, current_app, redirect, request

from gateways.sandbox import SITE_ID, extensions
from gateways.sandbox.extensions import bank
from gateways.sandbox.faults import CANCEL_OR_REFUND, LOST, spoil
from gateways.sandbox.movements import AgainstRules, CardMovement, cancelled_or_refunded
from gateways.sandbox.rest_answers import order_answer, transaction_answer

MAX_TRANSACTIONS = 30
_HTML = "<!doctype html><title>Maintenance</title><p>Revenez plus tard.</p>"
_MESSAGES = {
    "INT_901": "Invalid Web-service, the requested web-service does not exist.",
    "INT_902": "Invalid Web-service input JSON data.",
    "INT_905": "Invalid shopId or password.",
    "PSP_010": "Transaction not found.",
    "PSP_011": "The status of this transaction does not allow the operation.",
    "PSP_015": "Too many results found.",
    "PSP_020": "Invalid amount.",
    "PSP_043": "Refund not allowed.",
    "PSP_075": "This transaction cannot be cancelled.",
    "PSP_105": "This transaction is already cancelled.",
}

Input = dict[str, Any]
Answer = dict[str, Any]

api = Blueprint("api", __name__, url_prefix="/api-payment/V4")


class ServiceError(Exception):
    """The service refuses, with an error `code` of the platform."""

    def __init__(self, code: str):
        super().__init__(code)
        self.code = code


@api.post("/<path:service>")
def call(service: str) -> Any:
    """Answer one call well, or badly if the back office chose a fault."""
    faults = extensions.faults()
    fault = faults.take(service)
    authorised = _is_authorised(request) and fault != "credentials"
    if not authorised:
        faults.log(service, "", "401", fault)
        return _json(_error(service, "INT_905"), 401)
    if early := _EARLY.get(fault):
        faults.log(service, "", "–", fault)
        return early()
    envelope, subject = _answer(service, fault)
    faults.log(service, subject, envelope["answer"].get("errorCode") or "SUCCESS", fault)
    return _send(json.dumps(spoil(envelope, fault)), fault)


def _is_authorised(asked: Request) -> bool:
    """Return True for the shop's credentials. Without a password there is no REST service."""
    given, expected = asked.authorization, current_app.extensions["rest_password"]
    if not expected or given is None or given.type != "basic" or given.username != SITE_ID:
        return False
    return secrets.compare_digest((given.password or "").encode(), expected.encode())


def _answer(service: str, fault: str) -> tuple[Answer, str]:
    """Return the envelope of an honest answer, and the order or transaction asked about."""
    asked = request.get_json(silent=True)
    if not isinstance(asked, dict):
        return _error(service, "INT_902"), ""
    subject = str(asked.get("orderId") or asked.get("uuid") or "")
    try:
        if service not in SERVICES:
            raise ServiceError("INT_901")
        if fault == "crowd" and service == "Order/Get":
            raise ServiceError("PSP_015")
        return _envelope(service, SERVICES[service](asked)), subject
    except (ServiceError, AgainstRules) as error:
        return _error(service, error.code), subject


def _sdk_test(asked: Input) -> Answer:
    return {"value": _text(asked, "value"), "_type": "V4/Charge/SDKTestResponse"}


def _order_get(asked: Input) -> Answer:
    order_id = _text(asked, "orderId")
    wanted = asked.get("operationType")
    found = [it for it in bank().movements_of(order_id) if wanted in (None, it.operation)]
    if not found:
        raise ServiceError("PSP_010")
    if len(found) > MAX_TRANSACTIONS:
        raise ServiceError("PSP_015")
    return order_answer(found)


def _cancel_or_refund(asked: Input) -> Answer:
    uuid, cents = _text(asked, "uuid"), asked.get("amount")
    resolution = asked.get("resolutionMode", "AUTO")
    if type(cents) is not int or asked.get("currency") != "EUR":
        raise ServiceError("PSP_020")
    if resolution not in ("AUTO", "CANCELLATION_ONLY", "REFUND_ONLY"):
        raise ServiceError("INT_902")

    def make(movement: CardMovement) -> CardMovement:
        return cancelled_or_refunded(movement, cents, resolution)

    try:
        made = bank().operate(uuid, make)
    except KeyError:
        raise ServiceError("PSP_010") from None
    return transaction_answer(made)


SERVICES: dict[str, Callable[[Input], Answer]] = {
    "Charge/SDKTest": _sdk_test,
    "Order/Get": _order_get,
    CANCEL_OR_REFUND: _cancel_or_refund,
}


def _text(asked: Input, name: str) -> str:
    value = asked.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= 255:
        raise ServiceError("INT_902")
    return value


def _envelope(service: str, answer: Answer, status: str = "SUCCESS") -> Answer:
    return {
        "webService": service,
        "version": "V4",
        "applicationVersion": "6.24.0",
        "status": status,
        "answer": answer,
        "ticket": secrets.token_hex(16),
        "serverDate": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}+00:00",
        "applicationProvider": "SYSTEMPAY",
        "metadata": None,
        "mode": "TEST",
        "_type": "V4/WebService/Response",
    }


def _error(service: str, code: str) -> Answer:
    answer = {
        "errorCode": code,
        "errorMessage": _MESSAGES[code],
        "detailedErrorCode": None,
        "detailedErrorMessage": None,
        "_type": "V4/WebService/WebServiceError",
    }
    return _envelope(service, answer, "ERROR")


def _json(envelope: Answer, status: int = 200) -> Response:
    return Response(json.dumps(envelope), status, content_type="application/json;charset=UTF-8")


def _send(text: str, fault: str) -> Response:
    """Send the answer, cut, slowed or dropped by the fault."""
    if fault == LOST:
        return _hang_up()
    if fault == "truncated":
        text = text[: len(text) // 2]
    content: Any = text
    if fault == "drip":
        content = _drip(text, current_app.extensions["drip_seconds"])
    return Response(content, content_type="application/json;charset=UTF-8")


def _drip(text: str, seconds: float) -> Iterator[str]:
    """Yield one letter at a time, for as long as the client stays."""
    for letter in text:
        yield letter
        time.sleep(seconds)


def _hang_up() -> Response:
    """Close the connection without an answer, by the socket that gunicorn or werkzeug gives.

    With another server, answer an empty body.
    """
    for name in ("gunicorn.socket", "werkzeug.socket"):
        if wire := request.environ.get(name):
            with contextlib.suppress(OSError):  # the client closed it first
                wire.shutdown(socket.SHUT_RDWR)
    return Response("", content_type="application/json;charset=UTF-8")


_EARLY: dict[str, Callable[[], Any]] = {
    "down": lambda: (_HTML, 503),
    "html": lambda: _HTML,
    "redirect": lambda: redirect("/", 302),
    "hangup": _hang_up,
}
