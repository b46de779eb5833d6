"""Tests of `read_notification`: only a genuine message counts, and it keeps no card data."""

import re
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest

from gateways.base import BadCallback, Callback, Gateway, Handoff, Order, Outcome
from gateways.testing.hooks import PAID, REFUSED, UNKNOWN_STATUS, Hooks

#: The shape of a card number: longer than a date and time, which have fourteen digits.
_CARD = re.compile(r"(?<![0-9A-Fa-f])[0-9]{15,19}(?![0-9A-Fa-f])")


class NotificationTests(Hooks):
    def test_a_genuine_notice_is_about_its_order(
        self, gateway: Gateway, order: Order, handoff: Handoff
    ) -> None:
        for said, outcome in ((PAID, Outcome.PAID), (REFUSED, Outcome.REFUSED)):
            report = gateway.read_notification(self.notice(order, handoff, said))
            assert report.gateway_reference == handoff.gateway_reference
            if report.ask:
                assert report.reference in ("", order.reference)
                continue
            assert report.reference == order.reference
            assert report.outcome is outcome
            assert (report.cents, report.currency) == (order.cents, "EUR")
            assert not report.anomaly
            assert report.transaction_id or said == REFUSED

    def test_a_replayed_notice_says_the_same(
        self, gateway: Gateway, order: Order, handoff: Handoff
    ) -> None:
        callback = self.notice(order, handoff, PAID)
        report = gateway.read_notification(callback)
        assert gateway.read_notification(callback) == report

    def test_nothing_like_a_card_number_nor_a_secret_is_kept(
        self, gateway: Gateway, order: Order, handoff: Handoff
    ) -> None:
        report = gateway.read_notification(self.notice(order, handoff, PAID))
        kept = [*report.raw.values(), report.card_last4, report.authorisation]
        assert not [text for text in kept if _CARD.search(text)]
        assert not any(secret in repr(report) for secret in self.secrets)
        assert len(report.card_last4) in (0, 4)

    def test_a_status_that_nobody_knows_pays_nothing_and_is_told(
        self, gateway: Gateway, order: Order, handoff: Handoff
    ) -> None:
        report = gateway.read_notification(self.notice(order, handoff, UNKNOWN_STATUS))
        assert report.outcome is not Outcome.PAID
        assert report.anomaly or report.ask

    @pytest.mark.parametrize(
        "change", [lambda value: f"{value}0", lambda value: f"9{value[1:]}", lambda _: ""],
        ids=["longer", "other", "empty"],
    )  # fmt: skip
    def test_a_notice_tampered_with_in_any_field_proves_nothing(
        self, gateway: Gateway, order: Order, handoff: Handoff, change: Callable[[str], str]
    ) -> None:
        fields = self.notice(order, handoff, PAID).fields
        for index, (name, value) in enumerate(fields):
            if (changed := change(value)) != value:
                forged = [*fields[:index], (name, changed), *fields[index + 1 :]]
                assert self.is_refused(gateway, forged), name

    def test_a_notice_that_lacks_any_field_proves_nothing(
        self, gateway: Gateway, order: Order, handoff: Handoff
    ) -> None:
        fields = self.notice(order, handoff, PAID).fields
        for index, (name, _) in enumerate(fields):
            assert self.is_refused(gateway, [*fields[:index], *fields[index + 1 :]]), name

    def test_a_notice_that_repeats_any_field_is_refused(
        self, gateway: Gateway, order: Order, handoff: Handoff
    ) -> None:
        fields = self.notice(order, handoff, PAID).fields
        for name, value in fields:
            for again in (value, f"{value}0"):
                with pytest.raises(BadCallback):
                    gateway.read_notification(Callback((*fields, (name, again))))

    @pytest.mark.parametrize(
        "fields",
        [(), (("", ""),), (("x", "1"),), (("é\0", "\ud7ff" * 10_000),), (("signature", ""),)],
    )
    def test_what_is_no_notice_is_refused_in_good_order(
        self, gateway: Gateway, fields: tuple[tuple[str, str], ...]
    ) -> None:
        with pytest.raises(BadCallback):
            gateway.read_notification(Callback(fields))

    def test_what_we_send_is_no_notice(self, gateway: Gateway, handoff: Handoff) -> None:
        query = urlsplit(handoff.url).query
        pairs = [tuple(pair.split("=", 1)) for pair in query.split("&") if "=" in pair]
        for fields in ([*(handoff.fields or ())], pairs):
            assert self.is_refused(gateway, [(name, value) for name, value in fields])
