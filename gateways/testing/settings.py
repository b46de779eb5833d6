"""Tests of `configure`: every fault is named, no secret is shown."""

import socket
from copy import deepcopy
from urllib.parse import urlsplit

import pytest

from gateways.base import ConfigError, Gateway
from gateways.registry import available, configure
from gateways.testing.hooks import NAME, Hooks


class SettingsTests(Hooks):
    def test_it_is_found_by_its_entry_point_and_has_what_every_gateway_has(
        self, gateway: Gateway
    ) -> None:
        assert self.table["adapter"] in available()
        assert isinstance(gateway, Gateway)
        assert gateway.name == NAME
        assert gateway.label.strip()
        origin = urlsplit(gateway.form_origin)
        assert origin.scheme in ("http", "https")
        assert origin.netloc
        assert (origin.path, origin.query) == ("", "")

    def test_an_unknown_setting_refuses_to_start_and_is_named(self) -> None:
        with pytest.raises(ConfigError) as refused:
            configure(NAME, {**self.table, "reglage_inconnu": "x"}, environment="test")
        assert any("reglage_inconnu" in fault for fault in refused.value.faults)

    def test_a_setting_of_a_wrong_type_refuses_to_start_and_shows_no_secret(self) -> None:
        for name in self.table:
            if name == "adapter":
                continue
            with pytest.raises(ConfigError) as refused:
                configure(NAME, {**self.table, name: 1.5}, environment="test")
            assert any(
                fault.startswith(f"gateways.{NAME}.{name}") for fault in refused.value.faults
            )
            assert not any(secret in str(refused.value) for secret in self.secrets)

    def test_a_test_mode_is_refused_in_production(self) -> None:
        with pytest.raises(ConfigError) as refused:
            configure(NAME, self.table, environment="production")
        assert not any(secret in str(refused.value) for secret in self.secrets)

    def test_a_production_mode_works_in_production_and_is_refused_elsewhere(self) -> None:
        if self.production_table is None:
            pytest.skip("it exists outside production only")
        gateway = configure(NAME, self.production_table, environment="production")
        assert gateway.form_origin.startswith("https://")
        for environment in ("test", "demo"):
            with pytest.raises(ConfigError):
                configure(NAME, self.production_table, environment=environment)

    def test_no_secret_is_in_what_a_gateway_shows_of_itself(self, gateway: Gateway) -> None:
        shown = [repr(gateway), str(gateway), *map(repr, vars(gateway).values())]
        assert not [secret for secret in self.secrets if any(secret in text for text in shown)]

    def test_configuring_asks_nobody_and_changes_nothing(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It is done by every process, and again by `check` and each command."""

        def refuse(*_: object, **__: object) -> None:
            pytest.fail("a network was asked for")

        monkeypatch.setattr(socket, "socket", refuse)
        monkeypatch.setattr(socket, "getaddrinfo", refuse)
        table = deepcopy(self.table)
        gateways = [configure(NAME, table, environment="test") for _ in range(2)]
        assert table == self.table
        assert gateways[0].limits == gateways[1].limits
