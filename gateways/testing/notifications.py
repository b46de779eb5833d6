"""Tests of `read_notification`: only a genuine message counts, and it keeps no card data."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import cast
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from gateways.base import BadCallback, Callback, Gateway, Handoff, Order, Outcome, Unreadable
from gateways.testing import tampering
from gateways.testing.hooks import PAID, REFUSED, UNKNOWN_STATUS, Hooks

#: The shape of a card number: longer than a date and time, which have fourteen digits.
_CARD = re.compile(r"(?<![0-9A-Fa-f])[0-9]{15,19}(?![0-9A-Fa-f])")

_VALUES: tuple[object, ...] = ({}, [], None, 1, "x", {"x": [{}]}, {"id": 1e2})
_JSON = {"Content-Type": "application/json"}
#: Bodies that anyone may post.
NO_NOTICES = (
    Callback("POST"),
    Callback("GET"),
    Callback("GET", query="%"),
    Callback.of_form([]),
    Callback.of_form([("", "")]),
    Callback.of_form([("x", "1")]),
    Callback.of_form([("é\0", "\ud7ff" * 10_000)]),
    Callback.of_form([("signature", "")]),
    Callback.of_form([(f"f{number}", "1") for number in range(5_000)]),
    Callback("POST", {"Content-Type": "application/x-www-form-urlencoded"}, b"\xff=%FF"),
    *(Callback.of_json(value) for value in _VALUES),
    *(
        Callback("POST", _JSON, body)
        for body in (b"", b"{", b"\xff", b'{"x": NaN}', b'{"x": 1, "x": 1}', b"[" * 20_000)
    ),
)


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

    def test_an_amount_that_is_none_pays_nothing_and_is_told(
        self, gateway: Gateway, order: Order, handoff: Handoff
    ) -> None:
        """The bank proves that it wrote the message: there may be money in it."""
        for odd in self.odd_amounts:
            said = self.notice(replace(order, cents=cast("int", odd)), handoff, PAID)
            try:
                report = gateway.read_notification(said)
            except BadCallback as error:
                assert isinstance(error, Unreadable), f"{odd!r} refused as if forged"
                assert error.reference in ("", order.reference)
                assert not _CARD.search(error.transaction_id)
                assert not any(secret in str(error) for secret in self.secrets)
                continue
            assert report.ask or report.outcome is not Outcome.PAID, f"{odd!r} paid"
            assert report.ask or report.anomaly, f"{odd!r} not told"
            assert type(report.cents) is int

    @pytest.mark.parametrize(
        "change", [lambda value: f"{value}0", lambda value: f"9{value[1:]}", lambda _: ""],
        ids=["longer", "other", "empty"],
    )  # fmt: skip
    def test_a_notice_tampered_with_in_any_part_proves_nothing(
        self, gateway: Gateway, order: Order, handoff: Handoff, change: Callable[[str], str]
    ) -> None:
        """A field of its form, a value of its JSON, a part of its address, a header."""
        for name, forged in tampering.changed(self.notice(order, handoff, PAID), change):
            assert self.is_refused(gateway, forged), name

    def test_a_notice_that_lacks_any_part_proves_nothing(
        self, gateway: Gateway, order: Order, handoff: Handoff
    ) -> None:
        for name, forged in tampering.lacking(self.notice(order, handoff, PAID)):
            assert self.is_refused(gateway, forged), name

    def test_a_notice_that_repeats_any_field_is_refused(
        self, gateway: Gateway, order: Order, handoff: Handoff
    ) -> None:
        for name, forged in tampering.repeated(self.notice(order, handoff, PAID)):
            assert _is_bad(gateway, forged), name

    def test_a_header_that_is_not_ascii_is_refused_in_good_order(
        self, gateway: Gateway, order: Order, handoff: Handoff
    ) -> None:
        """`hmac.compare_digest` raises TypeError for such a text."""
        said = self.notice(order, handoff, PAID)
        for name, forged in tampering.changed(replace(said, body=b"", query=""), lambda _: "é"):
            assert _is_bad(gateway, replace(forged, body=said.body, query=said.query)), name

    @pytest.mark.parametrize("callback", NO_NOTICES, ids=range(len(NO_NOTICES)))
    def test_what_is_no_notice_is_refused_in_good_order(
        self, gateway: Gateway, callback: Callback
    ) -> None:
        with pytest.raises(BadCallback):
            gateway.read_notification(callback)

    def test_a_genuine_body_of_another_kind_or_method_is_refused(
        self, gateway: Gateway, order: Order, handoff: Handoff
    ) -> None:
        said = self.notice(order, handoff, PAID)
        others = [replace(said, method=method) for method in ("PUT", "HEAD")]
        if said.body:
            others.append(replace(said, headers={**said.headers, "Content-Type": "text/plain"}))
        for other in others:
            with pytest.raises(BadCallback):
                gateway.read_notification(other)

    def test_what_we_send_is_no_notice(self, gateway: Gateway, handoff: Handoff) -> None:
        sent = [*(handoff.fields or ())]
        query = urlsplit(handoff.url).query
        for fields in (sent, parse_qsl(query, keep_blank_values=True)):
            assert self.is_refused(gateway, Callback.of_form(fields))
            assert self.is_refused(gateway, Callback.of_json(dict(fields)))
            assert self.is_refused(gateway, Callback("GET", query=urlencode(fields)))

    def test_it_reads_notices_in_several_threads_at_once(
        self, gateway: Gateway, order: Order, handoff: Handoff
    ) -> None:
        said = self.notice(order, handoff, PAID)
        with ThreadPoolExecutor(4) as pool:
            reports = list(pool.map(gateway.read_notification, [said] * 12))
        assert all(report == reports[0] for report in reports)


def _is_bad(gateway: Gateway, callback: Callback) -> bool:
    try:
        gateway.read_notification(callback)
    except BadCallback:
        return True
    return False
