"""The states of an invoice and of a payment attempt, and how facts decide them.

A bank repeats itself and does not keep order. So an attempt's state is never "moved" by a
message: each message adds a *fact* to a set, and the state is a pure function of that set
(`attempt_state`). The same facts in any order, any number of times, give the same state.
"""

from collections.abc import Iterable
from enum import StrEnum


class InvoiceState(StrEnum):
    """`TRANSMITTED` is still to pay, to the Treasury. `NOTHING_DUE` asks for no payment: a credit
    note (*avoir*) below zero, or a total of zero."""

    OPEN = "open"
    TRANSMITTED = "transmitted"
    PAID = "paid"
    CANCELLED = "cancelled"
    NOTHING_DUE = "nothing_due"


class UploadState(StrEnum):
    """Where a deposited file stands: to be read, read, refused, to be loaded, loaded."""

    STORED = "stored"
    READ = "read"
    REFUSED = "refused"
    AGREED = "agreed"
    LOADED = "loaded"


class AttemptState(StrEnum):
    CREATED = "created"
    HANDED_OFF = "handed_off"
    PENDING = "pending"
    PAID = "paid"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REVERSED = "reversed"
    REFUNDED = "refunded"


class SettlementState(StrEnum):
    COUNTED = "counted"
    REVERSED = "reversed"
    REFUNDED = "refunded"


class RepaymentKind(StrEnum):
    """Why money left again: given back, undone by the bank before it was really ours, or taken
    back by the payer's bank (*impayé*)."""

    REFUND = "refund"
    REVERSAL = "reversal"
    CHARGEBACK = "chargeback"


class RepaymentState(StrEnum):
    """`ASKED` may or may not have been done by the bank: it is asked again, for days."""

    ASKED = "asked"
    DONE = "done"
    DECLINED = "declined"


class RequestState(StrEnum):
    """The state of a family's request; one that nobody has answered is `OPEN`."""

    OPEN = "open"
    ACCEPTED = "accepted"
    REFUSED = "refused"


class RequestTopic(StrEnum):
    """The subject of a family's request: its record, then one of its invoices."""

    ADDRESS = "address"
    PHONE = "phone"
    EMAIL = "email"
    CHILD_LEAVES = "child_leaves"
    OTHER = "other"
    ABSENCE = "absence"
    QUANTITY = "quantity"
    PRICE = "price"
    PAID = "paid"
    OTHER_ERROR = "other_error"


class MailState(StrEnum):
    """`FAILED`: given up. `DROPPED`: no longer true, or no longer wanted, when its turn came."""

    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"
    DROPPED = "dropped"


class NoticeKind(StrEnum):
    """A mail that tells a family of its invoices, unless it would rather not: they are there
    (*avis*), the limit is near (*rappel*), the limit has passed (*relance*)."""

    NEW_INVOICES = "new-invoices"
    REMINDER = "reminder"
    RELANCE = "relance"


class PrivacyActKind(StrEnum):
    """An act on a family's data.

    `FORGOTTEN` with age or `ERASED` on request: its record is gone, its name is reduced in the
    accounts. `UNNAMED`: the accounts are so old that even its code is gone.
    """

    FORGOTTEN = "forgotten"
    ERASED = "erased"
    EXPORTED = "exported"
    UNNAMED = "unnamed"


class Verdict(StrEnum):
    """The decision about a bank's message.

    `KNOWN` repeats what was recorded before; `TO_CONFIRM` only says that the bank must be asked;
    `UNKNOWN_ORDER`, `MISMATCH` and `UNMATCHED_REFUND` are for the régisseur to look at; `REJECTED`
    was forged or garbled, and changed nothing.
    """

    RECORDED = "recorded"
    KNOWN = "known"
    TO_CONFIRM = "to_confirm"
    UNKNOWN_ORDER = "unknown_order"
    MISMATCH = "mismatch"
    UNMATCHED_REFUND = "unmatched_refund"
    REJECTED = "rejected"


class FactSource(StrEnum):
    """Who said a fact about an attempt.

    `PORTAL`: we did or decided it. `BANK`: the bank, by a message or an answer. `BANK_ASKED`: the
    bank, when asked, did not know the order. `BANK_UNREACHABLE`, `EMAIL_REFUSED`: why the payment
    could not be opened at the bank. `TIMEOUT`: its time ended, and the bank cannot be asked.
    `FAMILY`: the payer gave it up on our page, after the bank said that nothing was decided.
    """

    PORTAL = "portal"
    BANK = "bank"
    BANK_ASKED = "bank_asked"
    BANK_UNREACHABLE = "bank_unreachable"
    EMAIL_REFUSED = "email_refused"
    TIMEOUT = "timeout"
    REGISSEUR = "regisseur"
    FAMILY = "family"


class AnomalyKind(StrEnum):
    """Why the régisseur must look at something.

    `GUESSED_REFUND`: the bank does not say which debit it gave back. `GIVEN_TWICE`: it undid one
    that the town had given back already. `UNCAPTURED`: authorised, and not remitted in time.
    `UNSETTLED`: examined by the bank for too long. `SILENT`: the bank does not answer about it.
    `UNSERVED`: its gateway was removed too early. `DECLINED`: the bank refused a refund that we
    asked for; `UNANSWERED_REFUND`: nobody knows whether it made it. `RESTORED`: the database was
    put back, and payments made since the backup may be missing. `GAP`: a month was closed with
    a gap that nothing explains.
    """

    OVERPAYMENT = "overpayment"
    MISMATCH = "mismatch"
    UNKNOWN_ORDER = "unknown_order"
    REVERSED = "reversed"
    REFUNDED = "refunded"
    PARTIAL_REFUND = "partial_refund"
    UNMATCHED_REFUND = "unmatched_refund"
    GUESSED_REFUND = "guessed_refund"
    GIVEN_TWICE = "given_twice"
    UNCAPTURED = "uncaptured"
    UNSETTLED = "unsettled"
    SILENT = "silent"
    UNSERVED = "unserved"
    DECLINED = "declined"
    UNANSWERED_REFUND = "unanswered_refund"
    RESTORED = "restored"
    GAP = "gap"


class CounterMode(StrEnum):
    """How a family paid at the counter."""

    CASH = "cash"
    CHEQUE = "cheque"
    CESU = "cesu"
    CARD = "card"
    TRANSFER = "transfer"
    DIRECT_DEBIT = "direct_debit"
    TREASURY = "treasury"


#: The mode of what a credit note (*avoir*) pays: nobody paid.
CREDIT = "credit"


class AllocationKind(StrEnum):
    """The use of one part of the money received."""

    INVOICE = "invoice"
    OVERPAYMENT = "overpayment"
    UNMATCHED = "unmatched"


class RevenueKind(StrEnum):
    """Why a payment's revenue changed: it was collected, the whole payment left again, or a part
    was given back while the invoice stays paid."""

    COLLECTED = "collected"
    CANCELLED = "cancelled"
    REFUNDED = "refunded"


#: States in which the payer may still be on the bank's page, or the bank still deciding.
UNDECIDED = frozenset({AttemptState.CREATED, AttemptState.HANDED_OFF, AttemptState.PENDING})

# Within one bank transaction, what is later in this list makes what is earlier obsolete.
_WITHIN_TRANSACTION = (
    AttemptState.CREATED,
    AttemptState.HANDED_OFF,
    AttemptState.PENDING,
    AttemptState.EXPIRED,
    AttemptState.CANCELLED,
    AttemptState.REFUSED,
    AttemptState.PAID,
    AttemptState.REVERSED,
    AttemptState.REFUNDED,
)

#: States that a bank gives to a debit that was never made.
_WITHOUT_MONEY = frozenset({AttemptState.EXPIRED, AttemptState.CANCELLED, AttemptState.REFUSED})
#: States that a bank gives to a debit whose money the town does not have, whether it was made or
#: not.
DENIED = _WITHOUT_MONEY | {AttemptState.REVERSED}

# Between the transactions of one attempt, the strongest wins: a card refused then another
# accepted is paid; a transaction under way outweighs one refused before it.
_BETWEEN_TRANSACTIONS = (
    AttemptState.CREATED,
    AttemptState.HANDED_OFF,
    AttemptState.EXPIRED,
    AttemptState.CANCELLED,
    AttemptState.REFUSED,
    AttemptState.REVERSED,
    AttemptState.REFUNDED,
    AttemptState.PENDING,
    AttemptState.PAID,
)


def strongest_within(*said: AttemptState) -> AttemptState:
    """Return the state of one bank transaction, given all the states reported for it."""
    return max(said, key=_WITHIN_TRANSACTION.index)


def attempt_state(facts: Iterable[tuple[str, AttemptState, FactSource]]) -> AttemptState:
    """Return the state that a set of facts (transaction id, state, source) amounts to.

    The transaction id is empty where the fact is not about a bank transaction: the form was shown,
    the payer gave up, the session ran out. Raises ValueError when there is no fact.

    A refund that the bank reports decides nothing: it bears a transaction id of its own, or even
    that of the debit. A payment is refunded once its debit has left the books: a fact of `PORTAL`.
    Nor does a refusal that the bank reports decide while we hold unexpected money of that
    transaction: we or a human have a pending fact for it.
    """
    by_transaction: dict[str, AttemptState] = {}
    held: set[str] = set()
    for transaction, state, source in facts:
        if state == AttemptState.REFUNDED and source != FactSource.PORTAL:
            continue
        if state == AttemptState.PENDING and source != FactSource.BANK:
            held.add(transaction)
        known = by_transaction.get(transaction, state)
        by_transaction[transaction] = strongest_within(known, state)
    for transaction in held:
        if by_transaction[transaction] in _WITHOUT_MONEY:
            by_transaction[transaction] = AttemptState.PENDING
    return max(by_transaction.values(), key=_BETWEEN_TRANSACTIONS.index)
