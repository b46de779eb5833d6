"""The only door to the state of payments and invoices.

It may import `outbox` and what is below; it knows of no page. The way in: the names below.

The rules kept here:
1. an invoice becomes paid by a verified report of the same amount and currency for that
   attempt, or by a staff action with a name and a reason;
2. every change is one `write()` holding the guarded update, the journal entry, the fact and
   the queued e-mail;
3. the same report again changes nothing, and the order of reports does not matter;
4. money is never refused nor hidden: what pays nothing is a *trop-perçu* or *unmatched*;
5. two live attempts for one invoice cannot exist;
6. nothing is deleted;
7. card data never gets here.
"""

from kiosque.payments.anomalies import resolve, todo
from kiosque.payments.checkout import (
    MAX_INVOICES,
    Purchase,
    Selection,
    ask_about_holders,
    choose,
    forget_old_addresses,
    live_attempts,
    payable_now,
    regie_of,
    select,
    start,
)
from kiosque.payments.counter import (
    CounterPayment,
    cancel_invoice,
    close_attempt,
    settle_at_counter,
)
from kiosque.payments.gateway_usage import Use, closed_regies, is_removed, unserved, uses, words
from kiosque.payments.incoming import attempt_of, record, record_rejected
from kiosque.payments.issuers import Issuers
from kiosque.payments.ledger import Money, Refused, money_of
from kiosque.payments.polling import ask_soon
from kiosque.payments.refunds import ask_refund, find_settlement, note_repayment, send
from kiosque.payments.words import ADVICE, COUNTER_MODES

__all__ = [
    "ADVICE",
    "COUNTER_MODES",
    "MAX_INVOICES",
    "CounterPayment",
    "Issuers",
    "Money",
    "Purchase",
    "Refused",
    "Selection",
    "Use",
    "ask_about_holders",
    "ask_refund",
    "ask_soon",
    "attempt_of",
    "cancel_invoice",
    "choose",
    "close_attempt",
    "closed_regies",
    "find_settlement",
    "forget_old_addresses",
    "is_removed",
    "live_attempts",
    "money_of",
    "note_repayment",
    "payable_now",
    "record",
    "record_rejected",
    "regie_of",
    "resolve",
    "select",
    "send",
    "settle_at_counter",
    "start",
    "todo",
    "unserved",
    "uses",
    "words",
]
