"""The adapter and the mock bank's REST service, over real HTTP: what is paid, given back, lost."""

import base64
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.serving import make_server

from gateways.base import (
    Callback,
    Declined,
    Order,
    Outcome,
    RefundRequest,
    Report,
    Unreachable,
)
from gateways.lyra import rest
from gateways.registry import configure
from gateways.sandbox import notifications, server
from gateways.sandbox.faults import FAULTS, ChosenFault
from tests import sentences
from tests.bank import KEY

PASSWORD = "testpassword_Xq8wLz3RvT6nKp2MBd5yHs9J"
ACCEPTED, REFUSED, TO_VALIDATE = "4970100000000000", "4970100000000055", "4970100000000001"
REFERENCE = "KF0123456789abcdef01"
SAME = (
    "reference", "outcome", "cents", "currency", "transaction_id", "status", "authorisation",
    "card_brand", "card_last4", "final", "anomaly",
)  # fmt: skip


@dataclass
class Street:
    """The bank on a port of this machine, its back office, and the shop that asks it."""

    app: Flask
    gateway: Any
    order: Order
    posted: list[dict[str, str]] = field(default_factory=list)

    @property
    def office(self) -> FlaskClient:
        return self.app.test_client()

    def pay(self, *cards: str, end: str = "") -> None:
        """Open the payment page, try cards there, perhaps leave."""
        form = dict(self.gateway.start(self.order).fields)
        page = self.office.post("/vads-payment/", data=form).location
        for card in cards:
            self.office.post(f"{page}/carte", data={"card": card})
        if end:
            self.office.post(f"{page}/{end}")

    def operate(self, operation: str, **data: str) -> None:
        """An operation of the back office, on the first transaction."""
        uuid = self.posted[0]["vads_trans_uuid"]
        done = self.office.post(f"/operations/{uuid}/{operation}", data=data)
        assert done.status_code == 303

    def break_down(self, name: str, scope: str = "all", calls: str = "") -> None:
        chosen = {"fault": name, "scope": scope, "calls": calls}
        assert self.office.post("/pannes", data=chosen).status_code == 303

    def noticed(self) -> Report:
        """Report the last notification."""
        return self.gateway.read_notification(Callback.of_form(self.posted[-1].items()))

    def poll(self) -> list[Report]:
        return self.gateway.poll(self.order)

    def refund(self, cents: int, returned: int = 0) -> list[Report]:
        uuid = self.posted[0]["vads_trans_uuid"]
        return self.gateway.refund(self.order, RefundRequest(uuid, cents, returned, f"r{returned}"))

    def raw(self, service: str, headers: dict[str, str] | None = None, **request: Any) -> Any:
        """A call as a program of somebody else's would make it."""
        credentials = base64.b64encode(f"12345678:{PASSWORD}".encode()).decode()
        return self.office.post(
            f"/api-payment/V4/{service}",
            headers={"Authorization": f"Basic {credentials}"} if headers is None else headers,
            **request,
        )


def money(reports: list[Report]) -> list[tuple[str, int]]:
    return [(report.outcome.value, report.cents) for report in reports]


def take_notices(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
    """Give what the bank posts from now on, in place of sending it."""
    posted: list[dict[str, str]] = []

    class Post:
        """Takes the bank's notices; its REST service is asked for real."""

        trust_env = True
        status_code, text = 200, "OK"

        def __enter__(self) -> "Post":
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def post(self, _url: str, *, data: dict[str, str], **_: object) -> "Post":
            posted.append(data)
            return self

    fake = SimpleNamespace(Session=Post, RequestException=OSError)
    monkeypatch.setattr(notifications, "requests", fake)
    return posted


def an_order(gateway: Any) -> Order:
    order = Order(
        reference=REFERENCE,
        number=421,
        cents=8745,
        description="Factures A, B",
        started_at=datetime.now(UTC),
        return_url="http://127.0.0.1:8000/paiement/retour/KF0123456789abcdef01",
        notification_url="http://127.0.0.1:8000/paiement/notification/banque",
    )
    return replace(order, gateway_reference=gateway.start(order).gateway_reference)


@pytest.fixture
def street(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Street]:
    posted = take_notices(monkeypatch)
    monkeypatch.setenv("SANDBOX_KEY", KEY)
    monkeypatch.setenv("SANDBOX_PASSWORD", PASSWORD)
    monkeypatch.setenv("SANDBOX_NOTIFY_URL", "http://127.0.0.1:8000/paiement/notification/banque")
    monkeypatch.setenv("SANDBOX_DATABASE", str(tmp_path / "bank.sqlite3"))
    monkeypatch.setenv("SANDBOX_DRIP_SECONDS", "0.02")
    app = server.create_bank()
    served = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    url = f"http://127.0.0.1:{served.port}"
    table = {"adapter": "sandbox", "url": url, "key": KEY, "password": PASSWORD}
    gateway = configure("banque", table, environment="test")
    yield Street(app, gateway, an_order(gateway), posted)
    served.shutdown()
    thread.join(5)
    served.server_close()


# --- Asking ---


def test_the_settings_are_tried(street: Street) -> None:
    assert street.gateway.check() == []
    wrong = {"adapter": "sandbox", "url": street.gateway.form_origin, "key": KEY}
    stranger: Any = configure(
        "banque", {**wrong, "password": PASSWORD.swapcase().lower()}, environment="test"
    )
    assert stranger.check() == [f"gateways.banque : {sentences.SHOP_REFUSED}"]
    with pytest.raises(Unreachable, match="identifiants"):
        stranger.poll(street.order)


@pytest.mark.parametrize("end", ["", "abandon", "expiration"])
def test_an_order_without_a_transaction_is_unknown(street: Street, end: str) -> None:
    assert street.poll() == []
    street.pay(end=end)
    assert street.poll() == []


@pytest.mark.parametrize(
    ("card", "operations", "outcome"),
    [
        (ACCEPTED, [], Outcome.PAID),
        (ACCEPTED, ["capture"], Outcome.PAID),
        (ACCEPTED, ["cancel"], Outcome.REVERSED),
        (ACCEPTED, ["expire"], Outcome.REVERSED),
        (ACCEPTED, ["fail"], Outcome.REVERSED),
        (REFUSED, [], Outcome.REFUSED),
        (TO_VALIDATE, [], Outcome.PENDING),
        (TO_VALIDATE, ["validate"], Outcome.PAID),
        (TO_VALIDATE, ["expire"], Outcome.REVERSED),
    ],
)
def test_the_bank_says_when_asked_what_it_said_in_its_notice(
    street: Street, card: str, operations: list[str], outcome: Outcome
) -> None:
    street.pay(card)
    for operation in operations:
        street.operate(operation)
    (asked,), noticed = street.poll(), street.noticed()
    assert asked.outcome is outcome
    assert asked.gateway_reference == street.order.gateway_reference
    for name in (*SAME, "gateway_reference"):
        assert getattr(asked, name) == getattr(noticed, name), name


def test_a_refund_of_the_back_office_is_the_same_said_and_asked(street: Street) -> None:
    street.pay(ACCEPTED)
    street.operate("capture")
    street.operate("refund", amount="10,00")
    debit, refund = street.poll()
    for name in SAME:
        assert getattr(refund, name) == getattr(street.noticed(), name), name
    assert (refund.parent_id, refund.cents) == (debit.transaction_id, 1000)
    assert debit.cents == 8745


def test_a_card_refused_then_another_are_two_transactions(street: Street) -> None:
    street.pay(REFUSED, ACCEPTED)
    assert money(street.poll()) == [("refused", 8745), ("paid", 8745)]


def test_another_attempt_of_the_same_order_is_told_under_its_own_name(street: Street) -> None:
    street.pay(ACCEPTED)
    other = replace(street.order, number=422, gateway_reference="")
    first, street.order = street.order, other
    street.pay(ACCEPTED)
    street.order = first
    own, others = street.poll()
    assert own.gateway_reference == first.gateway_reference
    assert others.gateway_reference == first.gateway_reference[:15] + "000422"


def test_an_order_of_more_than_thirty_transactions_is_beyond_the_service(street: Street) -> None:
    street.pay(*[REFUSED] * 30)
    assert len(street.poll()) == 30
    street.operate("resend")
    street.order = replace(street.order, number=422)
    street.pay(ACCEPTED)
    with pytest.raises(Unreachable, match="PSP_015"):
        street.poll()


# --- Giving back ---


def test_a_captured_debit_is_given_back_in_parts_never_beyond(street: Street) -> None:
    street.pay(ACCEPTED)
    street.operate("capture")
    assert money(street.refund(2000)) == [("paid", 8745), ("refunded", 2000)]
    reports = street.refund(6000, returned=2000)
    assert money(reports) == [("paid", 8745), ("refunded", 2000), ("refunded", 6000)]
    with pytest.raises(Declined, match=r"dépasse.*PSP_020"):
        street.refund(746, returned=8000)
    assert money(street.refund(745, returned=8000))[-1] == ("refunded", 745)
    assert len({report.transaction_id for report in street.poll()}) == 4


def test_a_debit_not_captured_is_cancelled_whole_or_not_at_all(street: Street) -> None:
    street.pay(ACCEPTED)
    with pytest.raises(Declined, match=sentences.NOT_YET_CAPTURED):
        street.refund(2000)
    assert money(street.poll()) == [("paid", 8745)]
    assert money(street.refund(8745)) == [("reversed", 8745)]
    # Repeated, it is only told.
    assert money(street.refund(8745)) == [("reversed", 8745)]


def test_a_refused_debit_is_not_given_back(street: Street) -> None:
    street.pay(REFUSED)
    with pytest.raises(Declined, match="PSP_011"):
        street.refund(8745)


@pytest.mark.parametrize("captured", [True, False])
def test_a_refund_whose_answer_was_lost_is_not_made_twice(street: Street, captured: bool) -> None:
    street.pay(ACCEPTED)
    if captured:
        street.operate("capture")
    cents = 2000 if captured else 8745
    street.break_down("lost", calls="1")
    with pytest.raises(Unreachable):
        street.refund(cents)
    done = [("paid", 8745), ("refunded", 2000)] if captured else [("reversed", 8745)]
    for _ in range(3):
        assert money(street.refund(cents)) == done
    assert money(street.poll()) == done


def test_without_asking_first_the_same_repetition_would_pay_twice(street: Street) -> None:
    """The negative control: the bank itself takes the same request again."""
    street.pay(ACCEPTED)
    street.operate("capture")
    street.break_down("lost", calls="1")
    with pytest.raises(Unreachable):
        street.refund(2000)
    request = RefundRequest(street.posted[0]["vads_trans_uuid"], 2000, 0, "r")
    street.gateway._send_back(street.order, request)
    assert money(street.poll())[1:] == [("refunded", 2000), ("refunded", 2000)]


def test_a_second_part_whose_answer_was_lost_is_not_made_twice_either(street: Street) -> None:
    street.pay(ACCEPTED)
    street.operate("capture")
    street.refund(2000)
    street.break_down("lost", calls="1")
    with pytest.raises(Unreachable):
        street.refund(1000, returned=2000)
    reports = street.refund(1000, returned=2000)
    assert money(reports) == [("paid", 8745), ("refunded", 2000), ("refunded", 1000)]


def test_a_refund_that_the_bank_did_not_hear_is_made_when_repeated(street: Street) -> None:
    street.pay(ACCEPTED)
    street.operate("capture")
    street.break_down("hangup", scope="refund", calls="1")
    with pytest.raises(Unreachable):
        street.refund(2000)
    assert money(street.poll()) == [("paid", 8745)]
    assert money(street.refund(2000)) == [("paid", 8745), ("refunded", 2000)]


def test_what_was_made_is_told_though_the_bank_falls_silent_after(street: Street) -> None:
    street.pay(ACCEPTED)
    street.operate("capture")
    made: Callable[..., Report] = street.gateway._send_back

    def then_down(*arguments: Any) -> Report:
        report = made(*arguments)
        street.break_down("down", scope="ask")
        return report

    street.gateway._send_back = then_down
    assert money(street.refund(2000)) == [("refunded", 2000)]


def test_ten_requests_at_once_never_give_back_more_than_was_paid(street: Street) -> None:
    street.pay(ACCEPTED)
    street.operate("capture")
    request = RefundRequest(street.posted[0]["vads_trans_uuid"], 2000, 0, "r")

    def one(_: int) -> bool:
        try:
            return bool(street.gateway._send_back(street.order, request))
        except Declined:
            return False

    with ThreadPoolExecutor(10) as pool:
        assert sum(pool.map(one, range(10))) == 4
    assert sum(report.cents for report in street.poll() if report.parent_id) == 8000


# --- The breakdowns ---

#: What each fault makes of a question, and of a refund that it strikes.
EXPECTED = {
    "down": ("panne", "panne"),
    "credentials": ("identifiants", "identifiants"),
    "html": ("autre chose", "autre chose"),
    "truncated": ("autre chose", "autre chose"),
    "redirect": ("autre adresse", "autre adresse"),
    "drip": ("lentement", "lentement"),
    "hangup": ("connexion", "connexion"),
    "lost": ("", "connexion"),
    "amount": ("", ""),
    "currency": ("", ""),
    "shop": ("autre boutique", "autre boutique"),
    "order": ("autre commande", "autre commande"),
    "mode": ("autre mode", "autre mode"),
    "crowd": ("PSP_015", ""),
}


def test_every_breakdown_there_is_is_expected() -> None:
    assert FAULTS.keys() == {"normal", *EXPECTED}


@contextmanager
def patience(fault: str) -> Iterator[None]:
    """Wait little for an answer without end; as ever for the others: the machine may be busy."""
    if fault != "drip":
        yield
        return
    with mock.patch.multiple(rest, ANSWER_SECONDS=0.4, REFUND_SECONDS=0.4):
        yield


@pytest.mark.parametrize(("name", "words"), [(name, it[0]) for name, it in EXPECTED.items()])
def test_a_bank_that_breaks_down_says_nothing_wrong(street: Street, name: str, words: str) -> None:
    street.pay(ACCEPTED)
    street.break_down(name)
    if words:
        with patience(name), pytest.raises(Unreachable, match=words):
            street.poll()
    else:  # well formed: the portal compares it with what it asked for
        told = {"amount": (8845, "EUR"), "currency": (8745, "USD")}.get(name, (8745, "EUR"))
        (report,) = street.poll()
        assert (report.cents, report.currency) == told
    street.break_down("normal")
    assert money(street.poll()) == [("paid", 8745)]


@pytest.mark.parametrize(("name", "words"), [(name, it[1]) for name, it in EXPECTED.items()])
def test_a_refund_during_a_breakdown_is_never_made_twice(
    street: Street, name: str, words: str
) -> None:
    street.pay(ACCEPTED)
    street.operate("capture")
    street.break_down(name, scope="refund", calls="1")
    if words:
        with patience(name), pytest.raises(Unreachable, match=words):
            street.refund(2000)
    else:
        assert street.refund(2000)
    reports = street.refund(2000)
    assert money(reports) == [("paid", 8745), ("refunded", 2000)]


def test_a_breakdown_lasts_the_calls_it_was_given_or_until_changed(street: Street) -> None:
    street.pay(ACCEPTED)
    street.break_down("down", calls="2")
    for _ in range(2):
        with pytest.raises(Unreachable):
            street.poll()
    assert street.poll()
    street.break_down("down", scope="ask")
    for _ in range(3):
        with pytest.raises(Unreachable):
            street.poll()
    assert street.raw("Transaction/CancelOrRefund", json={}).status_code == 200


# --- The control page ---


def test_the_control_page_says_what_is_in_force_and_what_was_asked(street: Street) -> None:
    page = street.office.get("/pannes").text
    assert sentences.NO_FAULT in page
    assert "Aucun." in page
    street.poll()
    street.break_down("amount", calls="3")
    street.poll()
    page = " ".join(re.sub("<[^>]+>", " ", street.office.get("/pannes").text).split())
    assert re.search(rf"{sentences.WRONG_AMOUNT} \. .* 2 appels", page)
    assert f"Order/Get {REFERENCE} PSP_010" in page
    street.break_down("lost", scope="ask")
    page = street.office.get("/pannes").text
    assert f"{sentences.GIVING_BACK}, {sentences.UNTIL_CHANGED}" in page


@pytest.mark.parametrize("calls", ["0", "-1", "1000", "deux", "1e2", "é", "1\0"])
def test_a_number_of_calls_that_is_none_is_asked_again(street: Street, calls: str) -> None:
    chosen = {"fault": "html", "scope": "ask", "calls": calls}
    answer = street.office.post("/pannes", data=chosen)
    assert answer.status_code == 422
    assert sentences.CALLS_WANTED in answer.text
    assert '<option value="html" selected>' in answer.text
    assert street.app.extensions["faults"].current() == ChosenFault()


def test_a_breakdown_that_does_not_exist_is_not_found(street: Street) -> None:
    for chosen in ({"fault": "x", "scope": "all"}, {"fault": "down", "scope": "x"}, {}):
        assert street.office.post("/pannes", data=chosen).status_code == 404


# --- The service as anybody may call it ---


@pytest.mark.parametrize(
    "credentials", ["", f"12345678:{PASSWORD}x", f"87654321:{PASSWORD}", f"12345678:{KEY}", "é:é"]
)
def test_without_the_shops_credentials_nothing_is_told(street: Street, credentials: str) -> None:
    street.pay(ACCEPTED)
    basic = base64.b64encode(credentials.encode()).decode()
    headers = {"Authorization": f"Basic {basic}"} if credentials else {}
    answer = street.raw("Order/Get", headers, json={"orderId": REFERENCE})
    assert answer.status_code == 401
    assert answer.json["answer"]["errorCode"] == "INT_905"
    assert "transactions" not in answer.text


def test_a_bank_without_a_password_has_no_service(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SANDBOX_PASSWORD")
    street.app = server.create_bank()
    for password in ("", PASSWORD):
        basic = base64.b64encode(f"12345678:{password}".encode()).decode()
        headers = {"Authorization": f"Basic {basic}"}
        assert street.raw("Charge/SDKTest", headers, json={"value": "x"}).status_code == 401


@pytest.mark.parametrize(
    ("service", "asked", "code"),
    [
        ("Order/Delete", {}, "INT_901"),
        ("", {}, None),
        ("Order/Get", {}, "INT_902"),
        ("Order/Get", {"orderId": 1}, "INT_902"),
        ("Order/Get", {"orderId": "é" * 256}, "INT_902"),
        ("Order/Get", {"orderId": "KF' OR 1=1 --"}, "PSP_010"),
        ("Order/Get", {"orderId": REFERENCE, "operationType": "CREDIT"}, "PSP_010"),
        ("Transaction/CancelOrRefund", {"uuid": "0" * 32}, "PSP_020"),
        (
            "Transaction/CancelOrRefund",
            {"uuid": "0" * 32, "amount": 1, "currency": "EUR"},
            "PSP_010",
        ),
        (
            "Transaction/CancelOrRefund",
            {"uuid": "{uuid}", "amount": 8745, "currency": "USD"},
            "PSP_020",
        ),
        (
            "Transaction/CancelOrRefund",
            {"uuid": "{uuid}", "amount": True, "currency": "EUR"},
            "PSP_020",
        ),
        (
            "Transaction/CancelOrRefund",
            {"uuid": "{uuid}", "amount": 1, "currency": "EUR", "resolutionMode": "MAGIC"},
            "INT_902",
        ),
        (
            "Transaction/CancelOrRefund",
            {"uuid": "{uuid}", "amount": 8745, "currency": "EUR", "resolutionMode": "REFUND_ONLY"},
            "PSP_043",
        ),
        (
            "Transaction/CancelOrRefund",
            {"uuid": "{uuid}", "amount": 1, "currency": "EUR"},
            "PSP_043",
        ),
        (
            "Transaction/CancelOrRefund",
            {
                "uuid": "{uuid}",
                "amount": 1,
                "currency": "EUR",
                "resolutionMode": "CANCELLATION_ONLY",
            },
            "PSP_020",
        ),
    ],
)
def test_what_the_service_cannot_do_is_an_error_that_says_why(
    street: Street, service: str, asked: dict[str, object], code: str | None
) -> None:
    street.pay(ACCEPTED)
    uuid = street.posted[0]["vads_trans_uuid"]
    filled = {name: uuid if value == "{uuid}" else value for name, value in asked.items()}
    answer = street.raw(service, json=filled)
    if code is None:
        assert answer.status_code == 404
        return
    assert (answer.status_code, answer.json["status"]) == (200, "ERROR")
    assert answer.json["answer"]["errorCode"] == code
    assert money(street.poll()) == [("paid", 8745)]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b"\xff"])
def test_a_body_that_is_not_an_object_is_refused(street: Street, body: bytes) -> None:
    answer = street.raw("Order/Get", data=body, content_type="application/json")
    assert answer.json["answer"]["errorCode"] == "INT_902"


def test_the_service_tells_no_whole_card_number(street: Street) -> None:
    street.pay(ACCEPTED)
    told = street.raw("Order/Get", json={"orderId": REFERENCE}).text
    assert "497010XXXXXX0000" in told
    assert ACCEPTED not in told
