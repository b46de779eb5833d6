"""Tests of the optional capabilities: `poll`, `list_reports`, `resume`, `check`, `refund`."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from gateways.base import (
    Checks,
    Declined,
    Gateway,
    Handoff,
    Lists,
    Order,
    Outcome,
    Polls,
    RefundRequest,
    Refunds,
    Resumes,
    Unreachable,
)
from gateways.testing import tampering
from gateways.testing.hooks import (
    NOTHING,
    ON_THE_PAGE,
    OTHER_ORDER,
    PAID,
    REFUSED,
    UNKNOWN_STATUS,
    UNREACHABLE,
    Hooks,
)


class PollTests(Hooks):
    @pytest.fixture
    def bank(self, gateway: Gateway) -> Any:
        if not isinstance(gateway, Polls):
            pytest.skip("this bank cannot be asked")
        return gateway

    def test_the_plan_to_ask_makes_sense(self, bank: Any) -> None:
        plan = bank.polling
        assert list(plan.ages_minutes) == sorted(set(plan.ages_minutes))
        assert plan.ages_minutes[0] > 0
        assert bank.limits.session_minutes <= plan.expires_minutes <= plan.ages_minutes[-1]

    def test_its_answer_proves_what_a_notice_would(
        self, bank: Any, order: Order, handoff: Handoff, opened: Order
    ) -> None:
        for said, outcome in ((PAID, Outcome.PAID), (REFUSED, Outcome.REFUSED)):
            self.answer(opened, said)
            reports = bank.poll(opened)
            assert [report.outcome for report in reports] == [outcome]
            (report,) = reports
            assert report.reference == order.reference
            assert report.gateway_reference == opened.gateway_reference
            assert (report.cents, report.currency) == (order.cents, "EUR")
            assert not report.ask
            assert bank.poll(opened) == reports
            heard = bank.read_notification(self.notice(order, handoff, said))
            if not heard.ask:
                assert heard.transaction_id == report.transaction_id

    def test_a_bank_that_knows_nothing_yet_says_so(self, bank: Any, opened: Order) -> None:
        self.answer(opened, NOTHING)
        assert bank.poll(opened) == []

    def test_a_payer_still_on_the_page_is_nothing_decided_yet(
        self, bank: Any, opened: Order
    ) -> None:
        """PENDING would hold the family's invoices for a week; a final outcome would free them."""
        self.answer(opened, ON_THE_PAGE)
        just_now = datetime.now(UTC).replace(microsecond=0)
        for order in (opened, replace(opened, started_at=just_now)):
            assert bank.poll(order) == []

    def test_an_amount_that_is_none_is_never_an_answer(self, bank: Any, opened: Order) -> None:
        for odd in self.odd_amounts:
            self.answer(replace(opened, cents=cast("int", odd)), PAID)
            with suppress(Unreachable):
                for report in bank.poll(opened):
                    assert report.outcome is not Outcome.PAID, f"{odd!r} paid"

    def test_an_answer_spoilt_anywhere_is_sound_or_none(self, bank: Any, opened: Order) -> None:
        for said in (PAID, REFUSED):
            self.answer(opened, said)
            for answer in tampering.spoilt(self.said):
                self.said = answer
                with suppress(Unreachable):
                    assert all(self.is_sound(it, opened) for it in bank.poll(opened)), answer

    def test_an_answer_with_an_unknown_status_pays_nothing_and_is_told(
        self, bank: Any, opened: Order
    ) -> None:
        self.answer(opened, UNKNOWN_STATUS)
        reports = bank.poll(opened)
        assert reports
        assert all(report.outcome is not Outcome.PAID and report.anomaly for report in reports)

    @pytest.mark.parametrize("said", [OTHER_ORDER, UNREACHABLE])
    def test_no_answer_is_never_an_answer(self, bank: Any, opened: Order, said: str) -> None:
        self.answer(opened, said)
        with pytest.raises(Unreachable) as failed:
            bank.poll(opened)
        assert not any(secret in str(failed.value) for secret in self.secrets)

    def test_a_start_that_needs_the_bank_says_when_it_is_out_of_reach(
        self, bank: Any, order: Order
    ) -> None:
        self.answer(order, UNREACHABLE)
        try:
            assert bank.start(order).gateway_reference, "it needs no network"
        except Unreachable as error:
            assert not any(secret in str(error) for secret in self.secrets)


class ListTests(Hooks):
    @pytest.fixture
    def lister(self, gateway: Gateway) -> Any:
        if not isinstance(gateway, Lists):
            pytest.skip("this bank tells of one order at a time")
        return gateway

    def everything(self, lister: Any, order: Order) -> Any:
        return lister.list_reports(order.started_at - timedelta(days=1), datetime.now(UTC))

    def test_a_list_tells_what_was_decided_of_each_order(self, lister: Any, opened: Order) -> None:
        for said, outcome in ((PAID, Outcome.PAID), (REFUSED, Outcome.REFUSED)):
            self.answer(opened, said)
            (report,) = self.everything(lister, opened)
            assert report.outcome is outcome
            assert self.is_sound(report, opened)
        self.answer(opened, ON_THE_PAGE)
        assert self.everything(lister, opened) == []

    def test_an_amount_that_is_none_is_never_in_a_list(self, lister: Any, opened: Order) -> None:
        for odd in self.odd_amounts:
            self.answer(replace(opened, cents=cast("int", odd)), PAID)
            with suppress(Unreachable):
                assert not [each for each in self.everything(lister, opened) if not each.anomaly]

    def test_a_bank_that_gives_no_list_is_unreachable(self, lister: Any, opened: Order) -> None:
        self.answer(opened, UNREACHABLE)
        with pytest.raises(Unreachable):
            self.everything(lister, opened)


class ResumeTests(Hooks):
    def test_a_payer_is_led_back_to_the_same_payment(
        self, gateway: Gateway, opened: Order, handoff: Handoff
    ) -> None:
        if not isinstance(gateway, Resumes):
            pytest.skip("its page is opened once")
        self.answer(opened, ON_THE_PAGE)
        for again in (gateway.resume(opened), gateway.resume(opened)):
            assert again.gateway_reference == opened.gateway_reference
            assert again.url.startswith(f"{gateway.form_origin}/")
            assert again.url == handoff.url or handoff.fields is not None
            assert not any(secret in again.url for secret in self.secrets)


class CheckTests(Hooks):
    def test_the_settings_can_be_tried(self, gateway: Gateway, opened: Order) -> None:
        if not isinstance(gateway, Checks):
            pytest.skip("its settings cannot be tried")
        assert gateway.check() == []
        self.answer(opened, UNREACHABLE)
        faults = gateway.check()
        assert faults
        assert not [fault for fault in faults if any(secret in fault for secret in self.secrets)]


class RefundTests(Hooks):
    def test_money_is_not_given_back_of_what_the_bank_does_not_know_or_cannot_tell(
        self, gateway: Gateway, opened: Order
    ) -> None:
        if not isinstance(gateway, Refunds):
            pytest.skip("it gives nothing back")
        request = RefundRequest("f" * 32, opened.cents, 0, "R1")
        for said, error in ((NOTHING, Declined), (UNREACHABLE, Unreachable)):
            self.answer(opened, said)
            with pytest.raises(error):
                gateway.refund(opened, request)

    def test_a_refund_answered_by_anything_is_told_soundly_or_not_known(
        self, gateway: Gateway, opened: Order
    ) -> None:
        if not isinstance(gateway, Refunds):
            pytest.skip("it gives nothing back")
        self.answer(opened, PAID)
        request = RefundRequest("f" * 32, opened.cents, 0, "R1")
        for answer in tampering.spoilt(self.said):
            self.said = answer
            with suppress(Declined, Unreachable):
                reports = gateway.refund(opened, request)
                assert all(self.is_sound(report, opened) for report in reports), answer
