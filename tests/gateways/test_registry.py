"""Adapters come through one door, and only when the settings name them."""

import sys
from importlib.metadata import EntryPoint

import pytest

from gateways import registry
from gateways.base import ConfigError, Gateway
from gateways.sandbox import SandboxGateway
from tests import sentences
from tests.bank import KEY

SANDBOX = {"adapter": "sandbox", "url": "http://127.0.0.1:8001", "key": KEY}


LYRA = {"adapter": "lyra", "site_id": "12345678", "test_key": KEY}


PAYFIP = {"adapter": "payfip", "numcli": "006382"}
MOCK_PAYFIP = {"adapter": "sandbox-payfip", "url": "http://127.0.0.1:8001"}


@pytest.mark.parametrize("table", [LYRA, SANDBOX, PAYFIP, MOCK_PAYFIP])
def test_our_adapters_are_there_and_keep_the_contract(table: dict[str, str]) -> None:
    gateway = registry.configure("b", table, environment="test")
    assert isinstance(gateway, Gateway)
    assert gateway.name == "b"


def test_a_strangers_adapter_comes_through_the_same_door_but_cannot_take_our_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    strangers = [
        EntryPoint("other", "gateways.sandbox:SandboxGateway", registry.GROUP),
        EntryPoint("lyra", "os:system", registry.GROUP),
    ]
    monkeypatch.setattr(registry, "entry_points", lambda **_: strangers)
    gateway = registry.configure("b", {**SANDBOX, "adapter": "other"}, environment="test")
    assert isinstance(gateway, SandboxGateway)
    assert registry.available()["lyra"].value == "gateways.lyra:LyraGateway"


def test_an_unknown_adapter_refuses_to_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "entry_points", lambda **_: [])  # none of a stranger's
    with pytest.raises(
        ConfigError, match=f"{sentences.ONE_OF} lyra, payfip, sandbox, sandbox-payfip"
    ):
        registry.configure("b", {"adapter": "nothing"}, environment="test")


def test_an_adapter_whose_library_is_absent_refuses_to_start_and_names_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "lilas", None)  # as if it were not installed
    stranger = EntryPoint("other", "lilas:Gateway", registry.GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda **_: [stranger])
    with pytest.raises(ConfigError, match=rf"b\.adapter : {sentences.LIBRARY_WANTED} lilas "):
        registry.configure("b", {"adapter": "other"}, environment="test")


@pytest.mark.parametrize("environment", ["production", "", "Demo"])
def test_the_mock_bank_exists_only_in_the_demo_and_in_tests(environment: str) -> None:
    with pytest.raises(ConfigError, match="interdite"):
        registry.configure("b", SANDBOX, environment=environment)


@pytest.mark.parametrize(
    ("change", "fault"),
    [({"url": "127.0.0.1:8001"}, "url"), ({"key": "court"}, "key"), ({"site_id": "1"}, "site_id")],
)
def test_the_mock_banks_settings_are_checked(change: dict[str, str], fault: str) -> None:
    with pytest.raises(ConfigError, match=f"gateways.b.{fault}"):
        registry.configure("b", {**SANDBOX, **change}, environment="test")


def test_a_strangers_adapter_with_a_bug_refuses_to_start_and_tells_no_secret(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def configure(*_: object, **__: object) -> Gateway:
        raise KeyError(KEY)

    monkeypatch.setattr(SandboxGateway, "configure", configure)
    with pytest.raises(ConfigError, match=r"gateways\.b\.adapter .*KeyError") as caught:
        registry.configure("b", SANDBOX, environment="test")
    assert KEY not in str(caught.value)
