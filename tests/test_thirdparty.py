"""A stranger's gateway, of sixty lines, installed by pip for real: it keeps the contract and pays
an invoice through the very core."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import import_module
from inspect import signature
from pathlib import Path
from secrets import token_hex
from typing import Any, ClassVar

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gateways import registry, testing
from gateways.base import Callback, ConfigError, Handoff, Order, Outcome, Report
from gateways.registry import configure
from gateways.testing import GatewayContract
from kiosque.db.models import Family, Invoice, Receipt
from kiosque.payments import verification
from kiosque.settings import Payment, Settings
from tests import sentences
from tests.conftest import csrf_token, make_invoice
from tests.payfip import ORDER

Failed = pytest.fail.Exception

SOURCE = Path(__file__).parent / "thirdparty"
MODULE = "kiosque_lilas"
PAGE = Path(__file__).parents[1] / "docs" / "gateways.md"
KEY = "u7Kp2MBd5yHs9JXq8wLz3RvT6n"
TABLE = {"adapter": "lilas", "key": KEY}


@pytest.fixture(scope="session")
def target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pip has installed the package, without a network: setuptools builds it."""
    folder = tmp_path_factory.mktemp("lilas")
    # pip builds in the sources' own folder: a copy.
    shutil.copytree(SOURCE, folder / "source", ignore=shutil.ignore_patterns("__pycache__"))
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "install"),
            *("--no-index", "--no-deps", "--no-build-isolation", "--no-cache-dir"),
            *("--target", str(folder / "installed"), str(folder / "source")),
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
    sys.modules.pop(MODULE, None)


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


def test_without_the_package_its_name_means_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "entry_points", lambda **_: [])  # were it installed for good
    with pytest.raises(ConfigError, match=sentences.ONE_OF):
        configure("lilas", TABLE, environment="test")


@pytest.fixture
def settings(settings: Settings, installed: None) -> Settings:
    return replace(settings, payment=Payment(gateway="lilas"), gateways={"lilas": TABLE})


def test_it_pays_an_invoice_through_the_core(
    app: Flask,
    sign_in: Callable[[Family], FlaskClient],
    stranger: FlaskClient,
    alices_family: Family,
) -> None:
    october, alice = make_invoice(alices_family, "2026-10-0001", 4520), sign_in(alices_family)
    summary = alice.get("/paiement/recapitulatif?invoice=2026-10-0001").text
    assert "Banque des Lilas" in summary
    form = {
        "csrf_token": csrf_token(summary),
        "invoice": october.number,
        "expected_cents": "4520",
    }
    page = alice.post("/paiement/banque", data=form)
    origin = "https://paiement.banque-des-lilas.example"
    assert f'<form method="post" action="{origin}/pay"' in page.text
    assert f"form-action 'self' {origin};" in page.headers["Content-Security-Policy"]
    sent: dict[str, Any] = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page.text))
    told = {name: sent[name] for name in ("cents", "mode", "order")}
    notice = said_by_the_bank({**told, "status": "accepted", "transaction": "T1"})
    address = "/paiement/notification/lilas"
    assert sent["notify"].endswith(address)
    forged = stranger.post(address, data={**notice, "cents": "1"})
    assert (forged.status_code, Invoice.get().state) == (400, "open")
    for _ in range(2):
        assert stranger.post(address, data=notice).status_code == 200
    assert Invoice.get().state == "paid"
    assert "Acquitté." in alice.get(f"/recus/{Receipt.get().number}").text
    assert verification.faults() == []


def test_the_page_that_teaches_it_shows_the_very_files() -> None:
    page = PAGE.read_text(encoding="utf-8")
    blocks = re.findall(r"^```(?:python|toml)\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    module = (SOURCE / f"{MODULE}.py").read_text(encoding="utf-8")
    assert module in blocks
    assert (SOURCE / "pyproject.toml").read_text(encoding="utf-8") in blocks
    assert len(module.splitlines()) <= 60


def test_the_module_that_was_installed_is_that_file(installed: None) -> None:
    found = Path(str(import_module(MODULE).__file__))
    assert found.read_bytes() == (SOURCE / f"{MODULE}.py").read_bytes()
    assert SOURCE not in found.parents
