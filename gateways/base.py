"""The gateway contract: one payment attempt goes out, verified facts come back.

A gateway turns an `Order` into a `Handoff` (where to send the payer), and a message of the bank
(`Callback`) into a `Report` that it vouches for. It knows nothing of the database, of the web
framework or of sessions, and decides nothing about invoices.

Every gateway has the methods of `Gateway`; those of `Polls`, `Refunds` and `Checks` are optional,
and found by `isinstance`. Standard library only. How to write a gateway: docs/gateways.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable
from zoneinfo import ZoneInfo

from gateways.callback import Callback
from gateways.errors import (
    BadAmount,
    BadCallback,
    ConfigError,
    Declined,
    GatewayError,
    Unreachable,
    WrongEmail,
)

__all__ = [
    "PARIS",
    "BadAmount",
    "BadCallback",
    "Callback",
    "Checks",
    "ConfigError",
    "Declined",
    "Gateway",
    "GatewayError",
    "Handoff",
    "Limits",
    "Mode",
    "Order",
    "Outcome",
    "Polling",
    "Polls",
    "RefundRequest",
    "Refunds",
    "Report",
    "SigningKey",
    "Unreachable",
    "WrongEmail",
]

PARIS = ZoneInfo("Europe/Paris")


class SigningKey(StrEnum):
    """One of two accepted keys, while one replaces the other: the one in force, or the former."""

    CURRENT = "current"
    PREVIOUS = "previous"


class Mode(StrEnum):
    """The means of a payment."""

    CARD = "card"
    DIRECT_DEBIT = "direct_debit"


class Outcome(StrEnum):
    """The state of a transaction, in a `Report`."""

    #: The bank is still examining it: the invoices stay reserved.
    PENDING = "pending"
    PAID = "paid"
    REFUSED = "refused"
    #: The payer gave up, or did not finish in time.
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    #: A payment was undone before the money moved: nothing is debited.
    REVERSED = "reversed"
    #: The money of a payment, or a part of it, was given back.
    REFUNDED = "refunded"


@dataclass(frozen=True)
class Limits:
    """Limits that the bank sets to an order; amounts are of one payment."""

    minimum_cents: int = 1
    maximum_cents: int = 99_999_999
    #: Time that the payer may spend on the bank's page, the bank's message included.
    session_minutes: int = 15
    #: True if the bank demands the payer's e-mail address.
    requires_email: bool = False
    longest_email: int = 254


@dataclass(frozen=True)
class Polling:
    """When the site asks the bank about an attempt.

    It asks at each of `ages_minutes` after the start, until the attempt is decided; an attempt
    that the bank does not know from `expires_minutes` on has expired. It asks about a payment that
    the bank may still undo (`Report.final` is False) once a day, for `follow_days` at most.
    """

    ages_minutes: tuple[int, ...] = (15, 30, 24 * 60)
    expires_minutes: int = 30
    follow_days: int = 10


@dataclass(frozen=True)
class Order:
    """One payment attempt, as a gateway sees it. The amount is in euro cents."""

    #: The site's own unique name of the attempt: 20 letters and digits.
    reference: str
    #: Unique for this gateway and UTC day, from 0 to 899999.
    number: int
    cents: int
    #: The numbers of the invoices, and nothing else.
    description: str
    #: Aware, in UTC.
    started_at: datetime
    #: Where the bank sends the payer back, and where it posts its message.
    return_url: str
    notification_url: str
    #: The payer's address, where the site has one; never None where `Limits.requires_email`.
    email: str | None = None
    #: The bank's own name of the attempt: empty before `start`, then that of its `Handoff`.
    gateway_reference: str = ""
    #: The language of the payer (BCP 47), for the bank's page if the bank speaks it.
    language: str = "fr"


@dataclass(frozen=True)
class Handoff:
    """Where to send the payer: by a form that posts `fields`, or a redirection if they are None."""

    url: str
    gateway_reference: str
    fields: tuple[tuple[str, str], ...] | None = None


@dataclass(frozen=True)
class Report:
    """One statement of the bank about an order, verified by its gateway."""

    #: `Order.reference`; may be empty with `ask`.
    reference: str
    outcome: Outcome
    #: The amount really debited or given back where the bank tells it, else the amount asked.
    cents: int
    #: Three letters, ISO 4217.
    currency: str
    #: The bank's unique id of the transaction, empty if there is none; one id counts once.
    transaction_id: str = ""
    #: `Order.gateway_reference`; never empty with `ask`.
    gateway_reference: str = ""
    #: The bank's own word for the outcome, and the number of its authorisation.
    status: str = ""
    authorisation: str = ""
    card_brand: str = ""
    #: At most the last four digits of the card.
    card_last4: str = ""
    #: Of a refund, the `transaction_id` of the debit it gives back; empty if the bank does not say.
    parent_id: str = ""
    #: False while the bank may still undo the outcome by itself.
    final: bool = True
    #: True if the message proves only that there is news: the site must ask the bank.
    ask: bool = False
    #: Why a human must look at it, in French; empty if nobody must.
    anomaly: str = ""
    mode: Mode = Mode.CARD
    #: Which of two accepted keys signed the message; None if only one is accepted.
    signing_key: SigningKey | None = None
    #: Fields of the message kept for the audit. Never card data.
    raw: Mapping[str, str] = field(default_factory=dict)


@runtime_checkable
class Gateway(Protocol):
    """A bank, as every adapter presents it.

    `name` is the NAME of its table `[gateways.NAME]`, `label` the bank's name as the payer reads
    it, `form_origin` the scheme and host of the page where the payer is sent.
    """

    @property
    def name(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def form_origin(self) -> str: ...
    @property
    def limits(self) -> Limits: ...

    @classmethod
    def configure(cls, name: str, table: Mapping[str, object], *, environment: str) -> "Gateway":
        """Make the gateway of one `[gateways.NAME]` table. Raises ConfigError naming every fault.

        `environment` is demo, test or production. The gateway has only the optional capabilities
        that its settings allow.
        """
        ...

    def start(self, order: Order) -> Handoff:
        """Prepare the payment; return where to send the payer. Raises Unreachable, WrongEmail."""
        ...

    def read_notification(self, callback: Callback) -> Report:
        """Verify a message of the bank and translate it. Raises BadCallback."""
        ...


@runtime_checkable
class Polls(Protocol):
    """A gateway whose bank can be asked about an order."""

    @property
    def polling(self) -> Polling: ...

    def poll(self, order: Order) -> list[Report]:
        """Ask the bank for everything it knows of an order; an empty list if it knows nothing.

        A report counts as much as one of a notification. Raises Unreachable, within a bounded
        time whatever the bank does. Must be safe to call from several threads.
        """
        ...


@dataclass(frozen=True)
class RefundRequest:
    """A request to give back `cents` of the debit `transaction_id`, a part or the whole of it."""

    transaction_id: str
    cents: int
    #: The amount that the site knows to have been given back of this debit before.
    returned_cents: int
    #: A unique name of this request at the bank.
    key: str


@runtime_checkable
class Refunds(Protocol):
    """A gateway whose bank can be told to give money back."""

    def refund(self, order: Order, request: RefundRequest) -> list[Report]:
        """Give money back, and return what the bank then says of the order.

        The site may repeat a request whose answer was lost: if the bank has already given back
        more than `returned_cents`, send nothing and only report. Raises Declined if the bank did
        not do it, Unreachable if that is not known.
        """
        ...


@runtime_checkable
class Checks(Protocol):
    """A gateway whose settings can be tried at the bank."""

    def check(self) -> list[str]:
        """Return the faults found, in French; an empty list if the bank accepts the settings."""
        ...
