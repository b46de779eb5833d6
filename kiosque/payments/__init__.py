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

from kiosque.payments.accounting_rules import Money, money_of, overpaid_cents, overpaid_to
from kiosque.payments.anomalies import (
    concerned,
    concerned_by,
    count_open_anomalies,
    open_anomalies,
    resolve_anomaly,
)
from kiosque.payments.bank_messages import past as past_refused_messages
from kiosque.payments.bank_messages import purge as forget_refused_messages
from kiosque.payments.bank_messages import record_rejected
from kiosque.payments.by_hand import BankPayment, enter, was_said_undone
from kiosque.payments.checkout import (
    Purchase,
    ask_about_holders,
    forget_old_addresses,
    past_addresses,
    start,
)
from kiosque.payments.closures import close_bank, closed_banks, closure_words, open_bank
from kiosque.payments.counter import (
    Taken,
    apply_credit,
    at_bank,
    left_since,
    settle_at_counter,
)
from kiosque.payments.counter_rules import CounterPayment
from kiosque.payments.credit_notes import credit_uses, unapply_credit
from kiosque.payments.gateway_usage import (
    GatewayUsage,
    describe_closed_regies,
    describe_removed_gateway,
    gateway_usages,
    gateways_removed_too_early,
    is_removed,
)
from kiosque.payments.incoming import attempt_of, record
from kiosque.payments.lost_time import lost_time_of, lost_times, note_restoration
from kiosque.payments.overpayments import apply_overpayment, withdraw_overpayment
from kiosque.payments.payment_names import bank_name, find_departed, find_settlement, other_uses
from kiosque.payments.payment_status import (
    Paid,
    is_doubted,
    keeps_another_amount,
    payment_status_of,
)
from kiosque.payments.polling import ask_soon
from kiosque.payments.queries import attempt_by_id, invoices_paid_by, numbers_of
from kiosque.payments.receipts import Issuers
from kiosque.payments.refund_requests import drop_refund, send_refund
from kiosque.payments.refunds import ask_refund, record_repayment
from kiosque.payments.refusals import LONGEST_AUTHOR, LONGEST_REASON, Refused
from kiosque.payments.restorations import restore
from kiosque.payments.resumption import OpenPayment, give_up, is_still_due, open_payment, resume
from kiosque.payments.selection import (
    MAX_INVOICES,
    Selection,
    holders_of,
    holds,
    live_attempts,
    opening_since,
    payable_now,
    regie_of,
    select_for_one_payment,
    select_invoices,
)
from kiosque.payments.staff_decisions import cancel_invoice, close_attempt
from kiosque.payments.to_do_advice import advice
from kiosque.payments.transmissions import (
    MOST_TRANSMITTED,
    begin_transmission,
    take_back,
    transmission_of,
    transmit,
)
from kiosque.payments.unanswered import (
    is_unanswered,
    told_since,
    unanswered_at,
    unanswered_of,
    was_given_up,
)
from kiosque.payments.unreadable import record_unreadable
from kiosque.payments.words import ADVICE, COUNTER_MODES

__all__ = [
    "ADVICE",
    "COUNTER_MODES",
    "LONGEST_AUTHOR",
    "LONGEST_REASON",
    "MAX_INVOICES",
    "MOST_TRANSMITTED",
    "BankPayment",
    "CounterPayment",
    "GatewayUsage",
    "Issuers",
    "Money",
    "OpenPayment",
    "Paid",
    "Purchase",
    "Refused",
    "Selection",
    "Taken",
    "advice",
    "apply_credit",
    "apply_overpayment",
    "ask_about_holders",
    "ask_refund",
    "ask_soon",
    "at_bank",
    "attempt_by_id",
    "attempt_of",
    "bank_name",
    "begin_transmission",
    "cancel_invoice",
    "close_attempt",
    "close_bank",
    "closed_banks",
    "closure_words",
    "concerned",
    "concerned_by",
    "count_open_anomalies",
    "credit_uses",
    "describe_closed_regies",
    "describe_removed_gateway",
    "drop_refund",
    "enter",
    "find_departed",
    "find_settlement",
    "forget_old_addresses",
    "forget_refused_messages",
    "gateway_usages",
    "gateways_removed_too_early",
    "give_up",
    "holders_of",
    "holds",
    "invoices_paid_by",
    "is_doubted",
    "is_removed",
    "is_still_due",
    "is_unanswered",
    "keeps_another_amount",
    "left_since",
    "live_attempts",
    "lost_time_of",
    "lost_times",
    "money_of",
    "note_restoration",
    "numbers_of",
    "open_anomalies",
    "open_bank",
    "open_payment",
    "opening_since",
    "other_uses",
    "overpaid_cents",
    "overpaid_to",
    "past_addresses",
    "past_refused_messages",
    "payable_now",
    "payment_status_of",
    "record",
    "record_rejected",
    "record_repayment",
    "record_unreadable",
    "regie_of",
    "resolve_anomaly",
    "restore",
    "resume",
    "select_for_one_payment",
    "select_invoices",
    "send_refund",
    "settle_at_counter",
    "start",
    "take_back",
    "told_since",
    "transmission_of",
    "transmit",
    "unanswered_at",
    "unanswered_of",
    "unapply_credit",
    "was_given_up",
    "was_said_undone",
    "withdraw_overpayment",
]
