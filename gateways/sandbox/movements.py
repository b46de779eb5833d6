"""The transactions of the mock bank, and the operations that its rules allow on them.

A debit can be cancelled before it is captured, and refunded afterwards, in part or in full. Rules
and error codes: docs.lyra.com, REST V4, Transaction/CancelOrRefund, the reference of PSP errors.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

_CANCELLABLE = frozenset(
    {
        "AUTHORISED", "AUTHORISED_TO_VALIDATE", "WAITING_AUTHORISATION",
        "WAITING_AUTHORISATION_TO_VALIDATE",
    }
)  # fmt: skip


class AgainstRules(Exception):
    """The bank's rules forbid the operation, with an error `code` of the platform."""

    def __init__(self, code: str):
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Change:
    """An operation that changes a status; `source` is the notification's `vads_url_check_src`."""

    words: str
    before: frozenset[str]
    after: str
    source: str


CHANGES = {
    "validate": Change("Valider", frozenset({"AUTHORISED_TO_VALIDATE"}), "AUTHORISED", "MERCH_BO"),
    "capture": Change("Remettre", frozenset({"AUTHORISED"}), "CAPTURED", "BATCH"),
    "fail": Change("Échec de remise", frozenset({"AUTHORISED"}), "CAPTURE_FAILED", "BATCH"),
    "cancel": Change("Annuler", _CANCELLABLE, "CANCELLED", "MERCH_BO"),
    "expire": Change("Laisser expirer", _CANCELLABLE, "EXPIRED", "BATCH"),
}


@dataclass(frozen=True)
class CardMovement:
    """One transaction, a debit or a refund.

    `notice` holds the fields of its notification, unsigned; `parent` is the debit that a refund
    gives back; `returned_cents` is the sum that refunds have given back of a debit.
    """

    uuid: str
    token: str
    created_at: datetime
    notice: Mapping[str, str]
    parent: str = ""
    returned_cents: int = 0

    @property
    def order_id(self) -> str:
        return self.notice.get("vads_order_id", "")

    @property
    def operation(self) -> str:
        return self.notice.get("vads_operation_type", "")

    @property
    def status(self) -> str:
        return self.notice["vads_trans_status"]

    @property
    def cents(self) -> int:
        return int(self.notice["vads_amount"])

    @property
    def is_returned(self) -> bool:
        """True for a refund whose money went back, or is on its way."""
        return self.operation == "CREDIT" and self.status in ("AUTHORISED", "CAPTURED")

    @property
    def left_cents(self) -> int:
        """The cents that may still be refunded: only a captured debit has any."""
        if (self.operation, self.status) != ("DEBIT", "CAPTURED"):
            return 0
        return self.cents - self.returned_cents

    @property
    def changes(self) -> dict[str, str]:
        """The changes that the rules allow now: {name: words}."""
        return {
            name: change.words for name, change in CHANGES.items() if self.status in change.before
        }


def changed(movement: CardMovement, operation: str) -> CardMovement:
    """Return the transaction after one of CHANGES. Raises KeyError, AgainstRules."""
    change = CHANGES[operation]
    if movement.status not in change.before:
        raise AgainstRules(_why_not(movement.status))
    return replace(movement, notice={**movement.notice, "vads_trans_status": change.after})


def refunded(movement: CardMovement, cents: int) -> CardMovement:
    """Return a new transaction that gives back part of a debit. Raises AgainstRules."""
    if movement.operation != "DEBIT":
        raise AgainstRules("PSP_043")
    if movement.status != "CAPTURED":
        waits = movement.status in _CANCELLABLE
        raise AgainstRules("PSP_043" if waits else _why_not(movement.status))
    if not 0 < cents <= movement.left_cents:
        raise AgainstRules("PSP_020")
    now = datetime.now(UTC)
    notice = {
        **movement.notice,
        "vads_amount": str(cents),
        "vads_auth_number": "",
        "vads_effective_amount": str(cents),
        "vads_effective_creation_date": f"{now:%Y%m%d%H%M%S}",
        "vads_operation_type": "CREDIT",
        "vads_presentation_date": f"{now:%Y%m%d%H%M%S}",
        # A number of the back office's own range, which no shop may use.
        "vads_trans_id": f"9{secrets.randbelow(100_000):05d}",
        "vads_trans_status": "AUTHORISED",
        "vads_trans_uuid": secrets.token_hex(16),
    }
    return CardMovement(notice["vads_trans_uuid"], movement.token, now, notice, movement.uuid)


def cancelled_or_refunded(movement: CardMovement, cents: int, resolution: str) -> CardMovement:
    """Do `CancelOrRefund`: return the debit cancelled, or a refund of it. Raises AgainstRules."""
    whole = movement.status in _CANCELLABLE and cents == movement.cents
    if resolution == "CANCELLATION_ONLY" or (resolution == "AUTO" and whole):
        if movement.status in _CANCELLABLE and not whole:
            raise AgainstRules("PSP_020")
        return changed(movement, "cancel")
    return refunded(movement, cents)


def _why_not(status: str) -> str:
    return {"CANCELLED": "PSP_105", "CAPTURED": "PSP_075"}.get(status, "PSP_011")
