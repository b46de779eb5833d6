"""Two strangers' gateways, installed by pip for real: a bank of forms, in sixty lines, and a bank
of JSON with signed headers, questions and refunds. Each keeps the contract, and pays an invoice
over the running site."""

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from importlib import import_module
from inspect import signature
from pathlib import Path
from secrets import token_hex
from typing import Any, ClassVar

import pytest
import requests
from flask import Flask

from gateways import registry, testing
from gateways.base import (
    BadCallback,
    Callback,
    ConfigError,
    Handoff,
    Order,
    Outcome,
    Report,
    Unreachable,
)
from gateways.http import Answer
from gateways.registry import configure
from gateways.testing import GatewayContract
from kiosque import payments
from kiosque.db.models import Attempt, Family, Invoice, Receipt
from kiosque.payments import journal, reconcile, verification
from kiosque.settings import Payment, Settings
from tests import sentences
from tests.conftest import (
    ISSUERS,
    PASSWORD,
    Clock,
    choose_password,
    csrf_token,
    free_port,
    listening,
)
from tests.jonquille import SECRET, TOKEN, Daffodils, bank_of_the_daffodils, sealed
from tests.kiosque.payments.conftest import state_of
from tests.payfip import ORDER

Failed = pytest.fail.Exception

SOURCES = Path(__file__).parent / "thirdparty"
MODULE, JSON_MODULE = "kiosque_lilas", "kiosque_jonquille"
PAGE = Path(__file__).parents[1] / "docs" / "gateways.md"
KEY = "u7Kp2MBd5yHs9JXq8wLz3RvT6n"
TABLE = {"adapter": "lilas", "key": KEY}
JSON_TABLE = {"adapter": "jonquille", "token": TOKEN, "secret": SECRET}


@pytest.fixture(scope="session")
def target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pip has installed both packages, without a network: each builds by what is there."""
    folder = tmp_path_factory.mktemp("strangers")
    # pip builds in the sources' own folder: a copy.
    shutil.copytree(SOURCES, folder / "sources", ignore=shutil.ignore_patterns("__pycache__"))
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "install"),
            *("--no-index", "--no-deps", "--no-build-isolation", "--no-cache-dir", "--target"),
            *(str(folder / "installed"), *map(str, sorted((folder / "sources").iterdir()))),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "installed"


@pytest.fixture
def installed(target: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(str(target))
    yield
    for module in (MODULE, JSON_MODULE):
        sys.modules.pop(module, None)


def said_by_the_bank(fields: dict[str, str]) -> dict[str, str]:
    """A notice, signed by the very key."""
    lilas = configure("lilas", TABLE, environment="test")
    return {**fields, "signature": lilas.sign(fields)}  # type: ignore[attr-defined]


@pytest.mark.usefixtures("installed")
class TestLilas(GatewayContract):
    table: ClassVar = TABLE
    production_table: ClassVar = {**TABLE, "mode": "live"}
    secrets = (KEY,)

    def notice(self, order: Order, handoff: Handoff, said: str) -> Callback:
        words = {testing.PAID: "accepted", testing.REFUSED: "refused"}
        fields = {
            "cents": str(order.cents),
            "mode": "test",
            "order": order.reference,
            "status": words.get(said, "dreaming"),
            "transaction": "T1",
        }
        return Callback.of_form(said_by_the_bank(fields).items())


class TestJonquille(GatewayContract):
    table: ClassVar = JSON_TABLE
    production_table: ClassVar = {**JSON_TABLE, "token": "live_9fK2mQx7Lp4R"}
    secrets = (TOKEN, SECRET)

    @pytest.fixture(autouse=True)
    def _prepared(self, installed: None, monkeypatch: pytest.MonkeyPatch) -> None:
        self.prepare(monkeypatch)  # in this order

    def prepare(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.said, self.status = {}, 200
        monkeypatch.setattr(f"{JSON_MODULE}.get_json", self.asked)
        monkeypatch.setattr(f"{JSON_MODULE}.post_json", self.told)

    def asked(self, endpoint: object, path: str, *_query: object, **_more: object) -> Answer:
        found = self.told(endpoint, "")
        return Answer({"payments": [self.said]}, 200) if path == "/v1/payments" else found

    def told(self, _endpoint: object, path: str, *_body: object, **_more: object) -> Answer:
        if self.said is None:
            raise Unreachable("la banque ne répond pas")
        if path == "/v1/payments":
            return Answer({"id": "jq_1"}, 201)
        return Answer(self.said, self.status)

    def answer(self, order: Order, said: str) -> None:
        self.status = 404 if said == testing.NOTHING else 200
        self.said = None if said == testing.UNREACHABLE else payment(order, said)

    def notice(self, order: Order, handoff: Handoff, said: str) -> Callback:
        body = json.dumps(payment(order, said)).encode()
        return Callback("POST", {"Content-Type": "application/json", **sealed(body)}, body)


def payment(order: Order, said: str) -> dict[str, object]:
    """Return what the Bank of the Daffodils shows of an order."""
    words = {testing.PAID: "paid", testing.REFUSED: "refused", testing.ON_THE_PAGE: "open"}
    return {
        "id": "jq_1",
        "order": "KFffff" if said == testing.OTHER_ORDER else order.reference,
        "status": words.get(said, "paid" if said == testing.OTHER_ORDER else "dreaming"),
        "amount": order.cents,
        "currency": "EUR",
        "refunds": [],
    }


@pytest.mark.usefixtures("installed")
def test_a_sealed_message_of_another_hour_proves_nothing() -> None:
    gateway = configure("jonquille", JSON_TABLE, environment="test")
    body = json.dumps(payment(ORDER, testing.PAID)).encode()
    for late in (-600, 600):
        seal = sealed(body, int(time.time()) + late)
        with pytest.raises(BadCallback, match="ancienne"):
            gateway.read_notification(Callback("POST", seal, body))


class Gullible(dict[str, Outcome]):
    """A bank's words, of which the unknown ones mean paid."""

    def get(self, key: str, default: object = None) -> Outcome:  # type: ignore[override]
        return super().get(key, Outcome.PAID)


#: What a careless adapter does, and the test of the suite that must notice.
SABOTAGES: dict[str, tuple[str, object, str, dict[str, Any]]] = {
    "any signature will do": (
        f"{MODULE}.hmac.compare_digest",
        lambda *_: True,
        "test_a_notice_tampered_with_in_any_part_proves_nothing",
        {"change": lambda value: f"{value}0"},
    ),
    "any field may be missing": (
        f"{MODULE}.FIELDS",
        type("Anything", (), {"__ne__": lambda *_: False, "__eq__": lambda *_: True})(),
        "test_what_is_no_notice_is_refused_in_good_order",
        {"callback": Callback.of_form([("x", "1")])},
    ),
    "the last of two fields counts": (
        "gateways.base.Callback.form",
        lambda callback: dict(callback.pairs()),
        "test_a_notice_that_repeats_any_field_is_refused",
        {},
    ),
    "what is not known is paid": (
        f"{MODULE}.OUTCOMES",
        Gullible(),
        "test_a_status_that_nobody_knows_pays_nothing_and_is_told",
        {},
    ),
    "a replay is news": (
        f"{MODULE}.Report",
        lambda *values, **told: Report(*values, **{**told, "status": token_hex()}),
        "test_a_replayed_notice_says_the_same",
        {},
    ),
    "the secret is shown": (
        f"{MODULE}.LilasGateway.__repr__",
        lambda _: KEY,
        "test_no_secret_is_in_what_a_gateway_shows_of_itself",
        {},
    ),
    "a test mode in production": (
        f"{MODULE}.LilasGateway.configure",
        lambda *_, **__: None,
        "test_a_test_mode_is_refused_in_production",
        {},
    ),
    "the payer is sent elsewhere": (
        f"{MODULE}.Handoff",
        lambda _url, *rest: Handoff("https://elsewhere.example/pay", *rest),
        "test_the_payer_is_sent_to_the_place_that_was_announced",
        {},
    ),
}


@pytest.mark.parametrize("what", SABOTAGES)
def test_the_suite_notices_a_careless_adapter(
    installed: None, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    path, careless, name, more = SABOTAGES[what]
    gateway, order = configure(testing.NAME, TABLE, environment="test"), ORDER
    check = getattr(TestLilas(), name)
    at_hand = {"gateway": gateway, "order": order, "handoff": gateway.start(order), **more}
    asked = {each: at_hand[each] for each in signature(check).parameters}
    check(**asked)
    monkeypatch.setattr(path, careless)
    if "handoff" in asked:
        asked["handoff"] = gateway.start(order)
    # Failed: an error was expected that did not come.
    with pytest.raises((AssertionError, Failed, KeyError)):
        check(**asked)


#: The same, of the bank of JSON.
JSON_SABOTAGES: dict[str, tuple[str, object, str]] = {
    "any seal will do": (
        "hmac.compare_digest",
        lambda *_: True,
        "test_a_notice_tampered_with_in_any_part_proves_nothing",
    ),
    "a float is an amount": ("cents", int, "test_an_amount_that_is_none_pays_nothing_and_is_told"),
    "a payer on the page holds the invoices for a week": (
        "JonquilleGateway.poll",
        lambda _, order: [Report(order.reference, Outcome.PENDING, order.cents, "EUR", "", "jq_1")],
        "test_a_payer_still_on_the_page_is_nothing_decided_yet",
    ),
    "an answer is taken for granted": (
        "tables",
        lambda value: value,
        "test_an_answer_spoilt_anywhere_is_sound_or_none",
    ),
}


@pytest.mark.parametrize("what", JSON_SABOTAGES)
def test_the_suite_notices_a_careless_adapter_of_json(
    installed: None, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    path, careless, name = JSON_SABOTAGES[what]
    suite = TestJonquille()
    suite.prepare(monkeypatch)
    gateway = configure(testing.NAME, JSON_TABLE, environment="test")
    opened = replace(ORDER, gateway_reference="jq_1")
    at_hand = {
        "gateway": gateway, "bank": gateway, "order": ORDER, "opened": opened,
        "handoff": gateway.start(ORDER), "change": lambda value: f"{value}0",
    }  # fmt: skip
    check = getattr(suite, name)
    asked = {each: at_hand[each] for each in signature(check).parameters}
    check(**asked)
    monkeypatch.setattr(f"{JSON_MODULE}.{path}", careless)
    with pytest.raises((AssertionError, AttributeError, TypeError)):
        check(**asked)


def test_without_the_package_its_name_means_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "entry_points", lambda **_: [])  # were it installed for good
    with pytest.raises(ConfigError, match=sentences.ONE_OF):
        configure("lilas", TABLE, environment="test")


@pytest.fixture
def daffodils() -> Iterator[Daffodils]:
    with bank_of_the_daffodils() as bank:
        yield bank


@pytest.fixture
def gateway_name() -> str:
    return "lilas"


@pytest.fixture
def settings(
    settings: Settings, installed: None, daffodils: Daffodils, gateway_name: str
) -> Settings:
    return replace(
        settings,
        public_url=f"http://127.0.0.1:{free_port()}",
        payment=Payment(gateway=gateway_name),
        gateways={"lilas": TABLE, "jonquille": {**JSON_TABLE, "url": daffodils.url}},
    )


@pytest.fixture
def running(app: Flask, settings: Settings) -> Iterator[str]:
    """The site, listening: its address."""
    with listening(app, settings.public_url):
        yield settings.public_url


@dataclass
class Browser:
    """Alice's browser, on the running site."""

    url: str
    session: requests.Session = field(default_factory=requests.Session)

    def sign_in(self, code: str) -> None:
        page = self.session.get(f"{self.url}/connexion", timeout=5).text
        form = {"code": code, "password": PASSWORD, "csrf_token": csrf_token(page)}
        assert self.session.post(f"{self.url}/connexion", form, timeout=5).ok

    def pay(self, invoice: Invoice) -> requests.Response:
        """Go as far as the way to the bank."""
        query = {"invoice": invoice.number}
        self.session.get(f"{self.url}/paiement/recapitulatif", params=query, timeout=5)
        form = {
            "csrf_token": csrf_token(self.read("/famille")),
            "invoice": invoice.number,
            "expected_cents": str(invoice.total_cents),
        }
        return self.session.post(
            f"{self.url}/paiement/banque", form, allow_redirects=False, timeout=5
        )

    def resume(self, reference: str) -> requests.Response:
        form = {"csrf_token": csrf_token(self.read("/famille"))}
        return self.session.post(f"{self.url}/paiement/reprendre/{reference}", form, timeout=5)

    def read(self, path: str) -> str:
        return self.session.get(f"{self.url}{path}", timeout=5).text


@pytest.fixture
def alices_browser(running: str, alices_family: Family) -> Browser:
    choose_password(alices_family)
    browser = Browser(running)
    browser.sign_in(alices_family.code)
    return browser


def test_the_bank_of_forms_pays_an_invoice_over_the_running_site(
    alices_browser: Browser, running: str, october: Invoice
) -> None:
    page = alices_browser.pay(october)
    origin = "https://paiement.banque-des-lilas.example"
    assert f'<form method="post" action="{origin}/pay"' in page.text
    assert f"form-action 'self' {origin};" in page.headers["Content-Security-Policy"]
    sent: dict[str, Any] = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page.text))
    told = {name: sent[name] for name in ("cents", "mode", "order")}
    notice = said_by_the_bank({**told, "status": "accepted", "transaction": "T1"})
    assert sent["notify"] == f"{running}/paiement/notification/lilas"
    forged = requests.post(sent["notify"], {**notice, "cents": "1"}, timeout=5)
    assert (forged.status_code, state_of(october)) == (400, "open")
    for _ in range(2):
        assert requests.post(sent["notify"], notice, timeout=5).text == "OK"
    assert state_of(october) == "paid"
    assert "Acquitté." in alices_browser.read(f"/recus/{Receipt.get().id}")
    assert verification.faults() == []


def _go_back_and_forth(browser: Browser, daffodils: Daffodils, october: Invoice) -> None:
    """Press Back at the bank: the summary leads to the payment, and that to the very page of the
    bank."""
    way = f'href="{daffodils.url}/pay/jq_1"'
    assert way in browser.pay(october).text
    assert browser.pay(october).status_code == 303
    assert way in browser.resume(Attempt.get().reference).text
    assert list(daffodils.payments) == ["jq_1"]


@pytest.mark.parametrize("gateway_name", ["jonquille"])
def test_the_bank_of_json_pays_is_asked_and_gives_back_over_the_running_site(
    alices_browser: Browser,
    running: str,
    daffodils: Daffodils,
    october: Invoice,
    september: Invoice,
    frozen: Clock,
) -> None:
    gateway = configure("jonquille", {**JSON_TABLE, "url": daffodils.url}, environment="test")
    town: Any = ({"jonquille": gateway}, running, ISSUERS)
    _go_back_and_forth(alices_browser, daffodils, october)
    told = daffodils.payments["jq_1"]
    forged = requests.post(daffodils.asked["jq_1"]["webhook"], json=told, timeout=5)
    assert (forged.status_code, state_of(october)) == (400, "open")
    frozen.advance(minutes=5)
    reconcile.run(*town)
    assert Attempt.get().state == "handed_off", "the payer is still on the page"
    for _ in range(2):
        assert daffodils.tell("jq_1", "paid").text == "OK"
    assert state_of(october) == "paid"
    assert "Acquitté." in alices_browser.read(f"/recus/{Receipt.get().id}")

    # Its message is lost: the bank is asked.
    alices_browser.pay(september)
    daffodils.payments["jq_2"]["status"] = "paid"
    frozen.advance(minutes=6)
    reconcile.run(*town)
    assert state_of(september) == "paid"

    # Given back by the command, then by the bank's back office, which only says that there is news.
    paid = payments.find_settlement(october.number)
    asked = payments.ask_refund(paid, None, "Dominique", "absence", gateway)
    assert payments.send_refund(asked, gateway, running, ISSUERS).state == "done"
    daffodils.post("/v1/payments/jq_2/refunds", {"amount": 1000}, "back office")
    frozen.advance(minutes=1)
    assert daffodils.tell("jq_2").text == "OK"
    assert (state_of(october), state_of(september)) == ("open", "paid")
    given = sum(each["amount"] for it in daffodils.payments.values() for each in it["refunds"])
    assert journal.balances()["bank:jonquille"] == 4520 + 4225 - given
    assert verification.faults() == []


def test_the_page_that_teaches_it_shows_the_very_files() -> None:
    page = PAGE.read_text(encoding="utf-8")
    blocks = re.findall(r"^```(?:python|toml)\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    lilas, jonquille = SOURCES / "lilas", SOURCES / "jonquille"
    for path in (lilas / f"{MODULE}.py", lilas / "pyproject.toml", jonquille / f"{JSON_MODULE}.py"):
        assert path.read_text(encoding="utf-8") in blocks, path.name
    assert len((lilas / f"{MODULE}.py").read_text(encoding="utf-8").splitlines()) <= 60


def test_the_module_that_was_installed_is_that_file(installed: None) -> None:
    found = Path(str(import_module(MODULE).__file__))
    assert found.read_bytes() == (SOURCES / "lilas" / f"{MODULE}.py").read_bytes()
    assert SOURCES not in found.parents
