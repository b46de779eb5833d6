"""Each of our adapters keeps the contract, by the suite that strangers use."""

from typing import Any, ClassVar

import pytest

from gateways import testing
from gateways.base import Callback, Handoff, Order, Unreachable
from gateways.lyra import rest
from gateways.payfip import soap
from gateways.testing import GatewayContract
from tests import payfip
from tests.bank import KEY, REFUSED, envelope, error_envelope, notice, order_answer, transaction
from tests.payfip import IDOP

PASSWORD = "testpassword_Xq8wLz3RvT6nKp2MBd5yHs9J"
NEW_KEY = "Qd7rVn2LxBw9TgKc4PzMh6Ys"
PRODUCTION_KEY = "Jm5vXqT9rWz8LkPn4sYb7HdGc3FaEu"
AMOUNTS = ("amount", "effective_amount")
SAID = {
    testing.PAID: {},
    testing.REFUSED: REFUSED,
    testing.UNKNOWN_STATUS: {"trans_status": "SOMETHING_NEW"},
}


class TestLyra(GatewayContract):
    table: ClassVar = {"adapter": "lyra", "site_id": "12345678", "test_key": KEY}
    production_table: ClassVar = {
        "adapter": "lyra",
        "site_id": "12345678",
        "mode": "PRODUCTION",
        "production_key": PRODUCTION_KEY,
    }
    secrets = (KEY, NEW_KEY)

    def notice(self, order: Order, handoff: Handoff, said: str) -> Callback:
        amounts = {} if said == testing.REFUSED else dict.fromkeys(AMOUNTS, str(order.cents))
        return Callback.of_form(notice(handoff, **{**amounts, **SAID[said]}).items())

    def after_key_change(self, until: str) -> dict[str, object]:
        name = "key" if "key" in self.table else "test_key"
        return {**self.table, name: NEW_KEY, "previous_key": KEY, "previous_key_until": until}


class TestSandbox(TestLyra):
    table: ClassVar = {"adapter": "sandbox", "url": "http://127.0.0.1:8001", "key": KEY}
    production_table = None


class TestLyraRest(TestLyra):
    table: ClassVar = {**TestLyra.table, "test_password": PASSWORD}
    production_table: ClassVar = {
        **TestLyra.production_table,
        "production_password": PASSWORD.replace("test", "prod"),
    }
    secrets = (KEY, NEW_KEY, PASSWORD)

    def prepare(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.said = {}
        monkeypatch.setattr(rest, "post_json", self.service)

    def service(self, _endpoint: object, path: str, body: Any, *, seconds: float) -> Any:
        if self.said is None:
            raise Unreachable("la banque ne répond pas")
        service = path.removeprefix("/api-payment/V4/")
        return envelope(service, body) if service == "Charge/SDKTest" else self.said

    def answer(self, order: Order, said: str) -> None:
        changes = {
            testing.REFUSED: {"detailedStatus": "REFUSED", "status": "UNPAID"},
            testing.UNKNOWN_STATUS: {"detailedStatus": "SOMETHING_NEW"},
            testing.OTHER_ORDER: {"orderDetails__orderId": "KF" + "f" * 18},
        }
        debit = transaction(order, **changes.get(said, {}))
        self.said = {
            testing.UNREACHABLE: None,
            testing.NOTHING: error_envelope("Order/Get", "PSP_010"),
            testing.ON_THE_PAGE: error_envelope("Order/Get", "PSP_010"),
        }.get(said, envelope("Order/Get", order_answer(order, debit)))


class TestLyraConfirm(TestLyraRest):
    table: ClassVar = {**TestLyraRest.table, "confirm": True}
    production_table: ClassVar = {**TestLyraRest.production_table, "confirm": True}


class TestSandboxRest(TestLyraRest):
    table: ClassVar = {**TestSandbox.table, "password": PASSWORD}
    production_table = None


class TestPayfip(GatewayContract):
    table: ClassVar = {**payfip.TABLE, "mode": "T"}
    production_table: ClassVar = {**payfip.TABLE, "mode": "W"}
    # White space around a text of XML is no part of it.
    odd_amounts = tuple(odd for odd in GatewayContract.odd_amounts if odd != " 4520")

    def prepare(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.said = b""
        monkeypatch.setattr(soap, "post_soap", self.service)

    def service(self, _endpoint: object, _path: str, sent: bytes, *, seconds: float) -> bytes:
        if self.said is None:
            raise Unreachable("la banque ne répond pas")
        if b"creerPaiementSecurise" in sent:
            return payfip.created()
        if b"recupererDetailClient" in sent:
            return payfip.answer("recupererDetailClient", numcli=payfip.NUMCLI)
        return self.said

    def notice(self, order: Order, handoff: Handoff, said: str) -> Callback:
        return Callback.of_form([("idop", handoff.gateway_reference)])

    def answer(self, order: Order, said: str) -> None:
        results = {testing.PAID: "P", testing.REFUSED: "R", testing.UNKNOWN_STATUS: "Q"}
        self.said = {
            testing.UNREACHABLE: None,
            testing.NOTHING: payfip.fault("P5"),
            testing.ON_THE_PAGE: payfip.fault("P5"),
            testing.OTHER_ORDER: payfip.detail(order, idOp=IDOP.replace("d2fa", "0000")),
        }.get(said, payfip.detail(order, resultrans=results.get(said)))


class TestSandboxPayfip(TestPayfip):
    table: ClassVar = {"adapter": "sandbox-payfip", "url": "http://127.0.0.1:8001"}
    production_table = None
