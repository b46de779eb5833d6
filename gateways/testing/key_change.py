"""Tests of a change of key, for adapters that accept the former one for a time."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gateways.base import BadCallback, ConfigError, Gateway, Handoff, Order, SigningKey
from gateways.registry import configure
from gateways.testing import tampering
from gateways.testing.hooks import NAME, PAID, Hooks


class KeyChangeTests(Hooks):
    def test_a_key_that_was_changed_is_accepted_for_a_set_time_only(
        self, gateway: Gateway, order: Order, handoff: Handoff
    ) -> None:
        said = self.notice(order, handoff, PAID)
        report = self._after_key_change(days=1).read_notification(said)
        assert isinstance(report.signing_key, SigningKey), "the audit says which key proved it"
        assert replace(report, signing_key=None) == gateway.read_notification(said)
        with pytest.raises(BadCallback):
            self._after_key_change(days=-2).read_notification(said)

    def test_what_no_key_signed_is_refused_while_two_are_accepted(
        self, order: Order, handoff: Handoff
    ) -> None:
        changed, said = self._after_key_change(days=1), self.notice(order, handoff, PAID)
        for name, forged in tampering.changed(said, lambda value: f"{value}0"):
            assert self.is_refused(changed, forged), name

    def test_the_new_key_signs_and_neither_is_shown(self, order: Order, handoff: Handoff) -> None:
        changed = self._after_key_change(days=1)
        started = changed.start(order)
        assert started.fields != handoff.fields
        shown = [repr(changed), str(started), *map(repr, vars(changed).values())]
        assert not [secret for secret in self.secrets if any(secret in text for text in shown)]

    def test_a_changed_key_is_not_accepted_for_ever(self) -> None:
        for days in (800, 40_000):
            with pytest.raises(ConfigError) as refused:
                self._after_key_change(days=days)
            assert not any(secret in str(refused.value) for secret in self.secrets)

    def _after_key_change(self, *, days: int) -> Gateway:
        """Return a gateway whose former key is accepted for `days` more days."""
        until = (datetime.now(UTC) + timedelta(days=days)).date().isoformat()
        table = self.after_key_change(until)
        if table is None:
            pytest.skip("it has no key that changes")
        return configure(NAME, table, environment="test")
