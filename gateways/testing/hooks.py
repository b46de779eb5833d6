"""The part of the suite that an adapter fills in, and the fixtures of every test."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest

from gateways.base import BadCallback, Callback, Gateway, Handoff, Order, Outcome, Report
from gateways.reading import MAX_CENTS
from gateways.registry import configure

#: Words for what the bank says of an order, given to `notice` and `answer`.
PAID, REFUSED, UNKNOWN_STATUS = "paid", "refused", "unknown status"
#: For `answer` only: the bank knows nothing; it speaks of another order; it does not answer; the
#: payer is still on its page.
NOTHING, OTHER_ORDER, UNREACHABLE = "nothing", "other order", "unreachable"
ON_THE_PAGE = "on the page"

NAME = "contrat"


class Hooks:
    """Set the attributes and override the methods down to `answer`."""

    #: A `[gateways.NAME]` table that works outside production.
    table: ClassVar[dict[str, object]]
    #: A table that works in production; None if the adapter must refuse to.
    production_table: ClassVar[dict[str, object] | None] = None
    #: Texts that must never be shown.
    secrets: ClassVar[tuple[str, ...]] = ()
    #: Wrong spellings of 45,20 €, put into `Order.cents` for `notice` and `answer` to write
    #: unchanged. Leave out those that your bank does write, such as "45.20".
    odd_amounts: ClassVar[tuple[object, ...]] = (
        1e2, 4520.0, 45.2, True, -4520, 10**30, "10.00", "1e2", "45,20", " 4520", "", None,
    )  # fmt: skip
    #: The fake bank's answer, a JSON object or bytes: `answer` sets it, the suite spoils it.
    #: None where the bank cannot be asked, or does not answer.
    said: Any = None

    def after_key_change(self, until: str) -> dict[str, object] | None:
        """Return `table` with a new key; its present key stays accepted until the end of a day
        (ISO).

        Return None if keys do not change, or there is none.
        """
        del until
        return None

    def prepare(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Put a fake bank that answers well in the place of the network, before each test."""

    def notice(self, order: Order, handoff: Handoff, said: str) -> Callback:
        """Return the bank's genuine message: `said` is PAID, REFUSED or UNKNOWN_STATUS.

        Its amount is `order.cents`, whatever that is. Its headers are those that count.
        """
        raise NotImplementedError

    def answer(self, order: Order, said: str) -> None:
        """Make the fake bank give this answer from now on (`self.said`). Needed if it can be asked.

        UNREACHABLE also applies to `start` and `check`, if they ask the bank.
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

    def is_refused(self, gateway: Gateway, callback: Callback) -> bool:
        """Return True if a message is refused, or proves only that the bank must be asked."""
        try:
            return gateway.read_notification(callback).ask
        except BadCallback as error:
            assert len(str(error)) <= 80, "a short reason"
            texts = (value for name, value in callback.headers.items() if name != "Content-Type")
            assert not any(text in str(error) for text in texts if len(text) > 3)
            return True

    def is_sound(self, report: Report, order: Order) -> bool:
        """Return True if a report is about this order, and its fields are of the right kinds."""
        paid = report.outcome is not Outcome.PAID or (
            report.cents > 0 and bool(report.transaction_id) and len(report.currency) == 3
        )
        return (
            report.reference == order.reference
            and isinstance(report.outcome, Outcome)
            and type(report.cents) is int
            and 0 <= report.cents < MAX_CENTS
            and paid
            and all(isinstance(text, str) for text in (report.transaction_id, report.currency))
        )
