"""The mock PayFiP is as strict as the real one, and its adapter speaks to it as to the real one."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from gateways.base import Callback, ConfigError, Handoff, Mode, Order, Outcome, Unreachable
from gateways.payfip import PayfipGateway, orders, soap
from gateways.registry import configure
from gateways.sandbox import notifications, payfip_payments, server
from tests.bank import KEY
from tests.payfip import ORDER

TABLE = {"adapter": "sandbox-payfip", "url": "http://127.0.0.1:8001"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "bank.sqlite3"


@pytest.fixture
def posted(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, str]]]:
    """Collect the notifications of the service, to which the town answers OK."""
    sent: list[tuple[str, dict[str, str]]] = []

    class Answer:
        status_code, text = 200, "OK"

    def post(_self: object, url: str, *, data: dict[str, str], **_options: Any) -> Answer:
        sent.append((url, data))
        return Answer()

    monkeypatch.setattr(notifications.requests.Session, "post", post)
    return sent


@pytest.fixture
def bank(path: Path, monkeypatch: pytest.MonkeyPatch, posted: object) -> FlaskClient:
    monkeypatch.setenv("SANDBOX_KEY", KEY)
    monkeypatch.setenv("SANDBOX_NOTIFY_URL", "http://127.0.0.1:9/")
    monkeypatch.setenv("SANDBOX_DATABASE", str(path))
    return server.create_bank().test_client()


@pytest.fixture
def gateway(bank: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> Iterator[PayfipGateway]:
    """The adapter, whose questions go straight to the service."""

    def post(_endpoint: object, path: str, body: bytes, *, seconds: float) -> bytes:
        answer = bank.post(path, data=body, content_type="text/xml; charset=utf-8")
        assert answer.content_type == "text/xml; charset=utf-8"
        assert answer.status_code in (200, 500)
        return answer.data

    monkeypatch.setattr(soap, "post_soap", post)
    found = configure("tresor", TABLE, environment="test")
    assert isinstance(found, PayfipGateway)
    return found


@pytest.fixture
def order() -> Order:
    return replace(ORDER, started_at=datetime.now(UTC), gateway_reference="")


@pytest.fixture
def go(gateway: PayfipGateway, bank: FlaskClient, order: Order) -> Callable[..., tuple[Order, Any]]:
    """A payment ended at the payment page: the order, and how the payer is sent back."""

    def end(ending: str, **form: str) -> tuple[Order, Any]:
        handoff = gateway.start(order)
        page = arrive(bank, handoff)
        sent_back = bank.post(page, data={"ending": ending, **form})
        return replace(order, gateway_reference=handoff.gateway_reference), sent_back

    return end


def arrive(bank: FlaskClient, handoff: Handoff) -> str:
    answer = bank.get(handoff.url.removeprefix("http://127.0.0.1:8001"))
    assert answer.status_code == 303, answer.text
    return str(answer.location)


def age(path: Path, **by: float) -> None:
    """Make every payment older."""
    with closing(sqlite3.connect(path)) as base, base:
        for idop, at in base.execute("SELECT idop, created_at FROM idop").fetchall():
            older = (datetime.fromisoformat(at) - timedelta(**by)).isoformat()
            base.execute("UPDATE idop SET created_at = ? WHERE idop = ?", (older, idop))


Go = Callable[..., tuple[Order, Any]]


@pytest.mark.parametrize(
    ("ending", "outcome", "mode"),
    [
        ("card", Outcome.PAID, Mode.CARD),
        ("debit", Outcome.PAID, Mode.DIRECT_DEBIT),
        ("card-refused", Outcome.REFUSED, Mode.CARD),
        ("debit-refused", Outcome.REFUSED, Mode.DIRECT_DEBIT),
        ("old-abandon", Outcome.CANCELLED, Mode.CARD),
    ],
)
def test_each_ending_is_told_and_its_notification_says_only_an_idop(
    go: Go,
    gateway: PayfipGateway,
    posted: list[tuple[str, dict[str, str]]],
    ending: str,
    outcome: Outcome,
    mode: Mode,
) -> None:
    order, sent_back = go(ending)
    assert (sent_back.status_code, sent_back.location) == (307, ORDER.return_url)
    (report,) = gateway.poll(order)
    assert (report.outcome, report.mode) == (outcome, mode)
    assert bool(report.authorisation) == (outcome is Outcome.PAID)
    assert posted == [(ORDER.notification_url, {"idop": order.gateway_reference})]
    heard = gateway.read_notification(Callback.of_form(posted[0][1].items()))
    assert heard.ask
    assert heard.gateway_reference == order.gateway_reference


def test_an_abandonment_of_this_minute_is_told_and_not_believed(
    go: Go, gateway: PayfipGateway
) -> None:
    order, _ = go("abandon")
    assert gateway.poll(order) == []
    gateway._now = lambda: datetime.now(UTC) + timedelta(minutes=4)
    assert gateway.poll(order)[0].outcome is Outcome.CANCELLED


def test_a_result_is_unknown_for_a_while_or_for_ever(
    go: Go, gateway: PayfipGateway, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order, _ = go("card", known="later")
    assert gateway.poll(order) == []
    with closing(sqlite3.connect(path)) as base, base:
        base.execute("UPDATE idop SET known_at = ended_at")
    assert gateway.poll(order)[0].outcome is Outcome.PAID
    for ending, known in (("card", "never"), ("leave", "now")):
        order, _ = go(ending, known=known)
        assert gateway.poll(order) == []


@pytest.mark.parametrize(("delivery", "count"), [("normal", 1), ("twice", 2), ("lost", 0)])
def test_the_notification_travels_as_chosen(
    go: Go, posted: list[object], delivery: str, count: int
) -> None:
    go("card", delivery=delivery)
    assert len(posted) == count


def test_a_late_notification_leaves_after_the_payer_is_back(
    go: Go, posted: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    later: list[Callable[[], None]] = []

    class Timer:
        def __init__(self, seconds: float, post: Callable[..., None], what: tuple[Any]) -> None:
            assert seconds == 6
            self.start = lambda: later.append(lambda: post(*what))

    monkeypatch.setattr(notifications.threading, "Timer", Timer)
    go("card", delivery="late")
    assert posted == []
    later[0]()
    assert len(posted) == 1


def test_who_leaves_without_a_result_is_not_told_of(go: Go, posted: list[object]) -> None:
    go("leave")
    assert posted == []


def test_an_idop_serves_once_and_for_fifteen_minutes(
    gateway: PayfipGateway, bank: FlaskClient, order: Order, path: Path
) -> None:
    first, second = gateway.start(order), gateway.start(order)
    page = arrive(bank, first)
    address = first.url.removeprefix("http://127.0.0.1:8001")
    assert "P3" in bank.get(address).text
    age(path, minutes=16)
    assert "P4" in bank.get(second.url.removeprefix("http://127.0.0.1:8001")).text
    assert "P1" in bank.get("/tpa/paiementws.web?idop=x").text
    assert bank.post(page, data={"ending": "card"}).status_code == 307
    assert bank.post(page, data={"ending": "debit"}).status_code == 303
    assert gateway.poll(replace(order, gateway_reference=first.gateway_reference))[0].status == "P"


def test_the_night_purges_what_was_never_opened(
    gateway: PayfipGateway, order: Order, path: Path
) -> None:
    order = replace(order, gateway_reference=gateway.start(order).gateway_reference)
    assert gateway.poll(order) == []
    age(path, days=2)
    with pytest.raises(Unreachable, match="P1"):
        gateway.poll(order)
    assert gateway.poll(replace(order, started_at=order.started_at - timedelta(days=2))) == []


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("exer", "26", "E1"),
        ("mel", "", "A1"),
        ("mel", "alice", "A2"),
        ("montant", "99", "M3"),
        ("montant", "0099", "M1"),
        ("montant", "87,45", "M1"),
        ("montant", "1000000", "M5"),
        ("numcli", "6382", "T1"),
        ("numcli", "006383", "T2"),
        ("objet", "été", "O1"),
        ("refdet", "ABCD", "R3"),
        ("refdet", "KF-123456", "R3"),
        ("saisie", "W", "S1"),
        ("saisie", "M", "S1"),
        ("urlnotif", "x", "N1"),
        ("urlredirect", "https://x.fr/" + "a" * 250, "D1"),
    ],
)
def test_what_is_wrong_is_refused_with_its_code(
    gateway: PayfipGateway, order: Order, name: str, value: str, code: str
) -> None:
    values = {**orders.creation(order, gateway._contract), name: value}
    with pytest.raises(soap.FunctionalFault) as refused:
        gateway._ask("creerPaiementSecurise", values)
    assert refused.value.code == code
    assert payfip_payments.LABELS[code].strip() in str(refused.value)


def test_the_question_must_spell_the_idop_as_the_service_does(go: Go, gateway: Any) -> None:
    order, _ = go("card")
    with pytest.raises(soap.FunctionalFault, match="P1"):
        gateway._ask("recupererDetailPaiementSecurise", {"idop": order.gateway_reference})


def test_the_settings_can_be_tried_at_it(gateway: PayfipGateway) -> None:
    assert gateway.check() == []


@pytest.mark.parametrize("body", [b"", b"<a/>", soap.request("rembourser", {}), b"\xff"])
def test_what_is_no_question_is_a_technical_fault(bank: FlaskClient, body: bytes) -> None:
    answer = bank.post("/tpa/services/securite", data=body)
    assert answer.status_code == 500
    assert b"TechProtocolaireErreur" in answer.data


def test_the_back_office_notifies_again(go: Go, bank: FlaskClient, posted: list[object]) -> None:
    go("card", delivery="lost")
    page = bank.get("/tpa/").text
    address = page.partition('action="')[2].partition('"')[0]
    assert bank.post(address).status_code == 303
    assert len(posted) == 1
    assert bank.post("/tpa/paiement/x/notification").status_code == 404
    assert bank.get("/tpa/paiement/x").status_code == 404


def test_an_unknown_ending_is_none(gateway: PayfipGateway, bank: FlaskClient, order: Order) -> None:
    page = arrive(bank, gateway.start(order))
    assert bank.post(page, data={"ending": "x"}).status_code == 404
    assert bank.post(page, data={"ending": "card", "known": "x"}).status_code == 404


@pytest.mark.parametrize("environment", ["production", ""])
def test_it_exists_outside_production_only(environment: str) -> None:
    with pytest.raises(ConfigError, match="interdite"):
        configure("t", TABLE, environment=environment)
    with pytest.raises(ConfigError, match="url"):
        configure("t", {**TABLE, "url": "127.0.0.1"}, environment="test")
