"""Tests of `start`: every order within the limits can be sent to the bank."""

from dataclasses import replace

import pytest

from gateways.base import Gateway, Handoff, Order, WrongEmail
from gateways.testing.hooks import Hooks


class StartTests(Hooks):
    def test_the_payer_is_sent_to_the_place_that_was_announced(
        self, gateway: Gateway, handoff: Handoff
    ) -> None:
        assert handoff.url.startswith(f"{gateway.form_origin}/")
        assert handoff.gateway_reference
        if handoff.fields is not None:
            assert handoff.fields, "None is a plain redirection"
            assert len({name for name, _ in handoff.fields}) == len(handoff.fields)
        assert not any(secret in str(handoff) for secret in self.secrets)

    def test_what_the_limits_allow_can_start(self, gateway: Gateway, order: Order) -> None:
        limits = gateway.limits
        assert 1 <= limits.minimum_cents <= limits.maximum_cents
        assert 1 <= limits.session_minutes <= 24 * 60
        for cents in (limits.minimum_cents, limits.maximum_cents):
            assert gateway.start(replace(order, cents=cents)).url

    @pytest.mark.parametrize("language", ["en", "pt-BR", "br", "zh-Hant", "ar"])
    def test_a_payer_who_reads_any_language_is_sent_on(
        self, gateway: Gateway, order: Order, language: str
    ) -> None:
        assert gateway.start(replace(order, language=language)).url

    def test_an_address_that_it_needs_is_asked_for(self, gateway: Gateway, order: Order) -> None:
        if not gateway.limits.requires_email:
            pytest.skip("it needs no address")
        for email in (None, "alice", "a" * gateway.limits.longest_email + "@example.org"):
            with pytest.raises(WrongEmail):
                gateway.start(replace(order, email=email))
