"""The contract of `gateways.base` as a suite of tests that any adapter runs.

    from gateways.testing import GatewayContract

    class TestMine(GatewayContract):
        table = {"adapter": "mine", "key": "..."}

        def notice(self, order, handoff, said): ...

Fill in the attributes and the hooks below; pytest does the rest. What an adapter cannot do is
skipped. Only tests import this module: it needs pytest.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import urlsplit

import pytest

from gateways.base import (
    BadCallback,
    Callback,
    Checks,
    ConfigError,
    Declined,
    Gateway,
    Handoff,
    Order,
    Outcome,
    Polls,
    RefundRequest,
    Refunds,
    Report,
    SigningKey,
    Unreachable,
    WrongEmail,
)
from gateways.registry import available, configure

#: What the bank may say of an order, in `notice` and `answer`.
PAID, REFUSED, UNKNOWN_STATUS = "paid", "refused", "unknown status"
#: In `answer` only: it knows nothing; it speaks of another order; nobody is there.
NOTHING, OTHER_ORDER, UNREACHABLE = "nothing", "other order", "unreachable"

NAME = "contrat"
#: What a card number looks like: longer than a date and time, which have fourteen digits.
_CARD = re.compile(r"(?<![0-9A-Fa-f])[0-9]{15,19}(?![0-9A-Fa-f])")


class GatewayContract:
    """Subclass it, with a name that begins with `Test`."""

    #: A `[gateways.NAME]` table that works outside production.
    table: ClassVar[dict[str, object]]
    #: One that works in production; None where the adapter must refuse to.
    production_table: ClassVar[dict[str, object] | None] = None
    #: Texts that must never be shown.
    secrets: ClassVar[tuple[str, ...]] = ()

    def after_key_change(self, until: str) -> dict[str, object] | None:
        """`table` once another key has replaced its own, which is accepted until the end of a day
        (ISO); None where keys do not change, or there is none."""
        del until
        return None

    def prepare(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Put your fake in the place of the network, before each test. It answers well."""

    def notice(self, order: Order, handoff: Handoff, said: str) -> Callback:
        """The bank's genuine message about this order: PAID, REFUSED or UNKNOWN_STATUS."""
        raise NotImplementedError

    def answer(self, order: Order, said: str) -> None:
        """From now on your fake bank answers so when it is asked. UNREACHABLE also holds for
        `start` and `check`, where they ask. Needed where the bank can be asked."""
        raise NotImplementedError

    # --- The stage ---

    @pytest.fixture(autouse=True)
    def _prepared(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.prepare(monkeypatch)

    @pytest.fixture
    def gateway(self) -> Gateway:
        return configure(NAME, self.table, environment="test")

    @pytest.fixture
    def order(self, gateway: Gateway) -> Order:
        """A small payment that began an hour ago."""
        return Order(
            reference="KF0123456789abcdef01",
            number=421,
            cents=max(4520, gateway.limits.minimum_cents),
            description="Factures 2026-09-0012, 2026-10-0340",
            started_at=datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1),
            return_url="https://kiosque.example.org/paiement/retour/KF0123456789abcdef01",
            notification_url=f"https://kiosque.example.org/paiement/notification/{NAME}",
            email="alice@example.org" if gateway.limits.requires_email else None,
        )

    @pytest.fixture
    def handoff(self, gateway: Gateway, order: Order) -> Handoff:
        return gateway.start(order)

    @pytest.fixture
    def opened(self, order: Order, handoff: Handoff) -> Order:
        """The order once the payer is on the way."""
        return replace(order, gateway_reference=handoff.gateway_reference)

    @pytest.fixture
    def bank(self, gateway: Gateway) -> Any:
        if not isinstance(gateway, Polls):
            pytest.skip("this bank cannot be asked")
        return gateway

    def _read(
        self, gateway: Gateway, order: Order, handoff: Handoff, said: str
    ) -> tuple[Callback, Report]:
        callback = self.notice(order, handoff, said)
        return callback, gateway.read_notification(callback)

    def _is_refused(self, gateway: Gateway, fields: list[tuple[str, str]]) -> bool:
        """Whether a message is refused, or proves nothing: it only makes us ask the bank."""
        try:
            return gateway.read_notification(Callback(tuple(fields))).ask
        except BadCallback as error:
            assert len(str(error)) <= 80, "a short reason"
            assert not any(value in str(error) for _, value in fields if len(value) > 3)
            return True

    # --- Settings ---

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

    # --- The way out ---

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

    # --- Notices ---

    def test_a_genuine_notice_is_about_its_order(
        self, gateway: Gateway, order: Order, handoff: Handoff
    ) -> None:
        for said, outcome in ((PAID, Outcome.PAID), (REFUSED, Outcome.REFUSED)):
            _, report = self._read(gateway, order, handoff, said)
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
        callback, report = self._read(gateway, order, handoff, PAID)
        assert gateway.read_notification(callback) == report

    def test_nothing_like_a_card_number_nor_a_secret_is_kept(
        self, gateway: Gateway, order: Order, handoff: Handoff
    ) -> None:
        _, report = self._read(gateway, order, handoff, PAID)
        kept = [*report.raw.values(), report.card_last4, report.authorisation]
        assert not [text for text in kept if _CARD.search(text)]
        assert not any(secret in repr(report) for secret in self.secrets)
        assert len(report.card_last4) in (0, 4)

    def test_a_status_that_nobody_knows_pays_nothing_and_is_told(
        self, gateway: Gateway, order: Order, handoff: Handoff
    ) -> None:
        _, report = self._read(gateway, order, handoff, UNKNOWN_STATUS)
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
                assert self._is_refused(gateway, forged), name

    def test_a_notice_that_lacks_any_field_proves_nothing(
        self, gateway: Gateway, order: Order, handoff: Handoff
    ) -> None:
        fields = self.notice(order, handoff, PAID).fields
        for index, (name, _) in enumerate(fields):
            assert self._is_refused(gateway, [*fields[:index], *fields[index + 1 :]]), name

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
            assert self._is_refused(gateway, [(name, value) for name, value in fields])

    # --- Where keys change ---

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
        changed, fields = self._after_key_change(days=1), self.notice(order, handoff, PAID).fields
        for index, (name, value) in enumerate(fields):
            forged = [*fields[:index], (name, f"{value}0"), *fields[index + 1 :]]
            assert self._is_refused(changed, forged), name

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
        """The gateway whose former key is accepted for so many days yet."""
        until = (datetime.now(UTC) + timedelta(days=days)).date().isoformat()
        table = self.after_key_change(until)
        if table is None:
            pytest.skip("it has no key that changes")
        return configure(NAME, table, environment="test")

    # --- Where the bank can be asked ---

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
            _, heard = self._read(bank, order, handoff, said)
            if not heard.ask:
                assert heard.transaction_id == report.transaction_id

    def test_a_bank_that_knows_nothing_yet_says_so(self, bank: Any, opened: Order) -> None:
        self.answer(opened, NOTHING)
        assert bank.poll(opened) == []

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

    def test_the_settings_can_be_tried(self, gateway: Gateway, opened: Order) -> None:
        if not isinstance(gateway, Checks):
            pytest.skip("its settings cannot be tried")
        assert gateway.check() == []
        self.answer(opened, UNREACHABLE)
        faults = gateway.check()
        assert faults
        assert not [fault for fault in faults if any(secret in fault for secret in self.secrets)]

    # --- Where the bank can give money back ---

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
