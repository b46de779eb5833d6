"""The part of the suite that an adapter fills in, and the fixtures of every test."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import pytest

from gateways.base import BadCallback, Callback, Gateway, Handoff, Order
from gateways.registry import configure

#: Words for what the bank says of an order, given to `notice` and `answer`.
PAID, REFUSED, UNKNOWN_STATUS = "paid", "refused", "unknown status"
#: To `answer` only: the bank knows nothing, speaks of another order, does not answer.
NOTHING, OTHER_ORDER, UNREACHABLE = "nothing", "other order", "unreachable"

NAME = "contrat"


class Hooks:
    """Set the attributes and override the methods down to `answer`."""

    #: A `[gateways.NAME]` table that works outside production.
    table: ClassVar[dict[str, object]]
    #: A table that works in production; None if the adapter must refuse to.
    production_table: ClassVar[dict[str, object] | None] = None
    #: Texts that must never be shown.
    secrets: ClassVar[tuple[str, ...]] = ()

    def after_key_change(self, until: str) -> dict[str, object] | None:
        """Return `table` with another key, its own being accepted until the end of a day (ISO).

        None if keys do not change, or there is none.
        """
        del until
        return None

    def prepare(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Put a fake bank that answers well in the place of the network, before each test."""

    def notice(self, order: Order, handoff: Handoff, said: str) -> Callback:
        """Return the bank's genuine message: `said` is PAID, REFUSED or UNKNOWN_STATUS."""
        raise NotImplementedError

    def answer(self, order: Order, said: str) -> None:
        """Make the fake bank answer so from now on. Needed if the bank can be asked.

        UNREACHABLE also holds for `start` and `check`, where they ask.
        """
        raise NotImplementedError

    # Fixtures and helpers of the tests: not to be overridden.

    @pytest.fixture(autouse=True)
    def _prepared(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.prepare(monkeypatch)

    @pytest.fixture
    def gateway(self) -> Gateway:
        return configure(NAME, self.table, environment="test")

    @pytest.fixture
    def order(self, gateway: Gateway) -> Order:
        """Return a small payment that began an hour ago."""
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
        """Return the order once the payer has been sent to the bank."""
        return replace(order, gateway_reference=handoff.gateway_reference)

    def is_refused(self, gateway: Gateway, fields: list[tuple[str, str]]) -> bool:
        """Return True if a message is refused, or proves only that the bank must be asked."""
        try:
            return gateway.read_notification(Callback(tuple(fields))).ask
        except BadCallback as error:
            assert len(str(error)) <= 80, "a short reason"
            assert not any(value in str(error) for _, value in fields if len(value) > 3)
            return True
