"""The gateway contract: one payment attempt out, verified facts back. Standard library only.

A gateway turns an `Order` into a `Handoff` (where to send the payer), and a bank's message
(`Callback`) into a `Report` it vouches for. It knows nothing of the database, of the web
framework or of sessions, and decides nothing about invoices.

Optional capabilities are methods, found by `isinstance` against the small protocols below.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol, Self, runtime_checkable
from urllib.parse import parse_qsl


class GatewayError(Exception):
    """Any error of this contract; its class carries the decision."""


class ConfigError(GatewayError):
    """The settings cannot be used: refuse to start. `faults` names every one, in French."""

    def __init__(self, faults: list[str]):
        super().__init__("\n".join(faults))
        self.faults = faults


class BadCallback(GatewayError):
    """Forged or garbled: change nothing, answer 4xx. The text is short and carries no value."""


class Unreachable(GatewayError):
    """The bank did not answer, or its answer cannot be believed (another shop, another order, a
    page where data was expected): nothing is known, ask again later. The text is short, in
    French, and carries no value."""


class Declined(GatewayError):
    """The bank answered no: nothing was done. The text says why, in French."""


class WrongEmail(Declined):
    """The bank refuses the payer's e-mail address: it is for the payer to correct."""


class SigningKey(StrEnum):
    """Which of our two keys signed a message, while a gateway believes both: the one in force, or
    the one that it replaces."""

    CURRENT = "current"
    PREVIOUS = "previous"


class Mode(StrEnum):
    """What the payer paid with."""

    CARD = "card"
    DIRECT_DEBIT = "direct_debit"


class Outcome(StrEnum):
    """What a report says of a transaction."""

    PENDING = "pending"
    PAID = "paid"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REVERSED = "reversed"
    REFUNDED = "refunded"


@dataclass(frozen=True)
class Limits:
    """What the bank accepts, as data."""

    minimum_cents: int = 1
    maximum_cents: int = 99_999_999
    #: How long the payer may stay on the bank's page, and the bank may take to tell us.
    session_minutes: int = 15
    #: Whether the bank itself needs the payer's address, and how long that may be.
    requires_email: bool = False
    longest_email: int = 254


@dataclass(frozen=True)
class Polling:
    """When the bank is worth asking about an attempt, as data.

    An attempt not paid is asked for at each of these ages, in minutes; found unknown at the bank
    from `expires_minutes` on, it has expired. A payment that the bank may still undo is asked for
    once a day until it is final, at most `follow_days`.
    """

    ages_minutes: tuple[int, ...] = (15, 30, 24 * 60)
    expires_minutes: int = 30
    follow_days: int = 10


@dataclass(frozen=True)
class Order:
    """One payment attempt, as a gateway sees it.

    `number` is unique for this gateway and UTC day, from 0 to 899999; `started_at` is aware
    UTC; `description` names the invoices and nothing else; `gateway_reference` is empty
    before `start` and what `start` returned afterwards. `language` is the one the payer reads,
    as HTML names it (BCP 47): a bank that speaks it shows its page in it, another in its own.
    """

    reference: str
    number: int
    cents: int
    description: str
    started_at: datetime
    return_url: str
    notification_url: str
    email: str | None = None
    gateway_reference: str = ""
    language: str = "fr"


@dataclass(frozen=True)
class Handoff:
    """Where to send the payer: `fields` to post to `url`, or None for a plain redirection."""

    url: str
    gateway_reference: str
    fields: tuple[tuple[str, str], ...] | None = None


@dataclass(frozen=True)
class Callback:
    """An HTTP request of the bank's, stripped of its framework: ordered field pairs."""

    fields: tuple[tuple[str, str], ...]
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    #: A bank's notice has some 80 fields; far more is an attack on the parser.
    MAX_FIELDS = 300

    @classmethod
    def from_form(cls, body: bytes, headers: Mapping[str, str]) -> Self:
        """Read a form-encoded body strictly. Raises BadCallback when it is anything else.

        Blank values are kept, since they are part of what is signed; what is not UTF-8 is
        refused rather than replaced.
        """
        content_type = headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if content_type != "application/x-www-form-urlencoded":
            raise BadCallback("type de contenu inattendu")
        try:
            pairs = parse_qsl(
                body.decode("ascii"),
                keep_blank_values=True,
                strict_parsing=True,
                errors="strict",
                max_num_fields=cls.MAX_FIELDS,
            )
        except ValueError as error:
            raise BadCallback("formulaire illisible") from error
        return cls(tuple(pairs), headers, body)

    def single_values(self) -> dict[str, str]:
        """The fields by name. Raises BadCallback when a name is repeated."""
        values = dict(self.fields)
        if len(values) != len(self.fields):
            raise BadCallback("champ répété")
        return values


@dataclass(frozen=True)
class Report:
    """What a bank says of one order, verified by its gateway.

    `cents` and `currency` (ISO 4217 letters) are what was really debited where the bank says
    so. `transaction_id` is the bank's own unique id, empty where no transaction exists;
    `parent_id`, for a refund, the id of the debit it gives back, empty where the bank does not
    say. `final` is False while the bank may still undo the outcome by itself. `ask` says that
    the message proves nothing but that there is news: the bank must be asked before anything
    counts; `reference` may then be empty, `gateway_reference` never. `anomaly`, when not empty,
    says in French why a human must look. `mode` is what was paid with. `signing_key` says
    which of the keys we share with the bank proved it; None where there is one at most. `raw`
    is kept for the audit and never holds card data.
    """

    reference: str
    outcome: Outcome
    cents: int
    currency: str
    transaction_id: str = ""
    gateway_reference: str = ""
    status: str = ""
    authorisation: str = ""
    card_brand: str = ""
    card_last4: str = ""
    parent_id: str = ""
    final: bool = True
    ask: bool = False
    anomaly: str = ""
    mode: Mode = Mode.CARD
    signing_key: SigningKey | None = None
    raw: Mapping[str, str] = field(default_factory=dict)


@runtime_checkable
class Gateway(Protocol):
    """What every adapter provides. `form_origin` is the scheme and host the payer is sent to."""

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
        """Read one `[gateways.NAME]` table. Raises ConfigError naming every fault.

        The gateway made has the optional capabilities that the settings allow, no other.
        """
        ...

    def start(self, order: Order) -> Handoff:
        """Prepare the way to the bank. Raises Unreachable or WrongEmail, and then there is none:
        nobody can pay this order."""
        ...

    def read_notification(self, callback: Callback) -> Report:
        """Verify and translate the bank's message. Raises BadCallback."""
        ...


@runtime_checkable
class Polls(Protocol):
    """The bank can be asked."""

    @property
    def polling(self) -> Polling: ...

    def poll(self, order: Order) -> list[Report]:
        """Everything the bank knows of this order now; empty when it knows nothing.

        Reports go through the same decision as notifications, and prove as much. Raises
        Unreachable, within a bounded time whatever the bank does.
        """
        ...


@dataclass(frozen=True)
class RefundRequest:
    """Give back `cents` of the debit `transaction_id`. `returned_cents` is what we know to have
    been given back of it before; `key`, unique, names this request at the bank."""

    transaction_id: str
    cents: int
    returned_cents: int
    key: str


@runtime_checkable
class Refunds(Protocol):
    """The bank can be told to give money back."""

    def refund(self, order: Order, request: RefundRequest) -> list[Report]:
        """Give money back, and report what the bank now says of the order.

        Repeating a request whose answer was lost is harmless: where the bank has given back more
        than `returned_cents`, nothing is sent and the reports tell of it. Raises Unreachable
        when it is not known whether the bank did it; Declined when it did not.
        """
        ...


@runtime_checkable
class Checks(Protocol):
    """The configuration can be tried: the faults found, in French, none when it is live."""

    def check(self) -> list[str]: ...
