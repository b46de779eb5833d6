"""The only door to the state of payments and invoices.

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

from kiosque.payments.ledger import Refused
from kiosque.payments.opening import (
    MAX_INVOICES,
    Purchase,
    Selection,
    forget_old_addresses,
    live_attempts,
    payable_now,
    select,
    start,
)
from kiosque.payments.reports import record, record_rejected
from kiosque.payments.staff import (
    COUNTER_MODES,
    CounterPayment,
    cancel_invoice,
    resolve,
    settle_at_counter,
    todo,
)

__all__ = [
    "COUNTER_MODES",
    "MAX_INVOICES",
    "CounterPayment",
    "Purchase",
    "Refused",
    "Selection",
    "cancel_invoice",
    "forget_old_addresses",
    "live_attempts",
    "payable_now",
    "record",
    "record_rejected",
    "resolve",
    "select",
    "settle_at_counter",
    "start",
    "todo",
]
