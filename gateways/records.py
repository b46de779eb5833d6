"""The records that pass between the site and a gateway."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from gateways.reading import MAX_CENTS

PARIS = ZoneInfo("Europe/Paris")


class SigningKey(StrEnum):
    """Which of the two keys accepted during a change of key: the current one, or the former one."""

    CURRENT = "current"
    PREVIOUS = "previous"


class Mode(StrEnum):
    """The means of a payment."""

    CARD = "card"
    DIRECT_DEBIT = "direct_debit"


class Outcome(StrEnum):
    """The state of a transaction, in a `Report`, and its effect for the family.

    While the payer is on the bank's page and nothing is decided, none of them applies: `poll` then
    returns an empty list, and the report of a notification has `ask`.
    """

    #: The payer is done, and the bank examines the payment: the family reads so, and cannot pay
    #: these invoices again for seven days.
    PENDING = "pending"
    #: The invoices are paid at once, whatever was reported before, and a receipt is issued.
    PAID = "paid"
    #: The family reads that nothing was debited, and may pay again at once.
    REFUSED = "refused"
    #: The payer gave up: the family reads so, and may pay again at once.
    CANCELLED = "cancelled"
    #: The payer did not finish in time: likewise.
    EXPIRED = "expired"
    #: A payment was undone before the money moved: its invoices are to be paid again, the family
    #: reads so, the régisseur is told.
    REVERSED = "reversed"
    #: `cents` were given back; once the whole payment is, its invoices are to be paid again.
    REFUNDED = "refunded"


@dataclass(frozen=True)
class Limits:
    """Limits of a payment at the bank (amounts are of one payment), and the cards it takes."""

    minimum_cents: int = 1
    maximum_cents: int = 99_999_999
    #: Time that the payer may spend on the bank's page, plus the time for the bank's message to
    #: come.
    session_minutes: int = 15
    #: True if the bank demands the payer's e-mail address.
    requires_email: bool = False
    longest_email: int = 254
    #: Cards that the bank takes, by the names that payers know; empty if the adapter cannot tell.
    cards: tuple[str, ...] = ()


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
    #: False if an empty answer may also mean that the payer has paid and the result is still to
    #: come: the site then lets nobody give the payment up before its time has passed.
    silence_proves_unpaid: bool = True


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
    """Where to send the payer: by a form that posts `fields`, or by a redirect if they are None."""

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
    #: For a refund, the `transaction_id` of the debit given back; empty if the bank does not say.
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

    def __post_init__(self) -> None:
        """Raise TypeError or ValueError for an amount that is not a number of cents: an adapter
        that passes on the bank's `true`, `45.2` or `-1` unchecked has a bug."""
        if type(self.cents) is not int:
            raise TypeError("cents must be an int")
        if not 0 <= self.cents < MAX_CENTS:
            raise ValueError("cents out of range")


@dataclass(frozen=True)
class RefundRequest:
    """A request to give back `cents` of the debit `transaction_id`, a part or the whole of it."""

    transaction_id: str
    cents: int
    #: The amount that the site knows to have been given back of this debit before.
    returned_cents: int
    #: A unique name of this request at the bank.
    key: str
