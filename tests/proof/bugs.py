"""Faults of the core, put in one at a time to see that each is found.

Each is a piece of a module's source and its replacement. The functions that differ take
the new code in place, so that every module that has imported them runs it; a module's prepared
queries are replaced.
"""

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FunctionType, ModuleType

from kiosque.db import states
from kiosque.db.prepared import PreparedQuery
from kiosque.outbox import queue
from kiosque.payments import (
    allocations,
    anomalies,
    bank_messages,
    bank_refunds,
    by_hand,
    cancellations,
    checkout,
    counter,
    facts,
    incoming,
    journal,
    overpayments,
    polling,
    queries,
    receipts,
    refund_requests,
    refunds,
    restorations,
    reversals,
    selection,
    staff_decisions,
)
from tests.proof import histories


@dataclass(frozen=True)
class Bug:
    """A fault: `old`, which is in the module's source exactly once, becomes `new`.

    `history` shows it. At random, a `rare` one is met after several histories, or minutes of them:
    `make soak` looks for it.
    """

    name: str
    module: ModuleType
    old: str
    new: str
    history: histories.History
    rare: bool = False


BUGS = (
    Bug(
        "an invoice is paid whatever its state",
        allocations,
        "Invoice.state == InvoiceState.OPEN,\n        Invoice.paid_cents",
        "Invoice.paid_cents",
        histories.paid_once_cancelled,
        rare=True,
    ),
    Bug(
        "an invoice is paid whatever its amount",
        allocations,
        "Invoice.paid_cents + cents <= Invoice.total_cents,\n    )\n",
        ")\n",
        histories.more_than_is_due_at_the_counter,
        rare=True,
    ),
    Bug(
        "a debit pays whatever its amount",
        bank_messages,
        "if report.cents == attempt.amount_cents",
        "if report.cents >= attempt.amount_cents - 1",
        histories.debit_of_another_amount,
    ),
    Bug(
        "a refusal hides money that nobody awaited",
        states,
        "    for transaction in held:\n",
        "    for transaction in ():\n",
        histories.debit_of_another_amount_then_refused,
        rare=True,
    ),
    Bug(
        "a debit that the bank undid once is entered without counting",
        by_hand,
        "    if is_taken_back(facts, payment.transaction_id):",
        "    if False:",
        histories.debit_undone_before_it_was_entered_by_hand,
        rare=True,
    ),
    Bug(
        "a debit made again by hand pays an invoice",
        bank_messages,
        "if not is_own(attempt, report):\n        return f",
        "if False:\n        return f",
        histories.debit_made_again_by_hand,
        rare=True,
    ),
    Bug(
        "dollars count as euros",
        incoming,
        'if report.currency != "EUR":\n        return flag_mismatch(attempt, report, "devise '
        'inattendue")\n    if settlement',
        "if settlement",
        histories.debit_in_dollars,
        rare=True,
    ),
    Bug(
        "a fact is learnt at each repetition",
        facts,
        "    if not _FACTS.add(fact):\n        return []\n",
        "    _FACTS.add(fact)\n",
        histories.notice_repeated,
    ),
    Bug(
        "what came twice is not told",
        allocations,
        "    if paid < cents:\n        list_overpayment",
        "    if 0:\n        list_overpayment",
        histories.two_debits,
        rare=True,
    ),
    Bug(
        "a debit leaves no journal entry",
        incoming,
        "book(settlement, _ONLINE[report.mode])",
        "pass",
        histories.one_debit,
        rare=True,
    ),
    Bug(
        "a receipt is issued at each repetition",
        incoming,
        "    if not facts:\n        return KNOWN\n    flag_denied",
        "    if not facts:\n        if settlement:\n"
        "            issue_receipt(settlement, issuers)\n        return KNOWN\n    flag_denied",
        histories.notice_repeated,
    ),
    Bug(
        "a mail is queued at each repetition",
        queue,
        "key=key,\n        template",
        "key=f'{key}:{OutboxMail.select().count()}',\n        template",
        histories.one_debit,
    ),
    Bug(
        "one who left has not paid",
        states,
        "return max(by_transaction.values(), key=_BETWEEN_TRANSACTIONS.index)",
        "return (AttemptState.CANCELLED if AttemptState.CANCELLED in by_transaction.values() else "
        "max(by_transaction.values(), key=_BETWEEN_TRANSACTIONS.index))",
        histories.payer_left_then_paid,
    ),
    Bug(
        "a cancellation undoes a debit whatever its amount",
        cancellations,
        "if report.cents != (settlement or attempt).amount_cents:",
        "if False:",
        histories.a_cent_of_a_debit_cancelled,
        rare=True,
    ),
    Bug(
        "an invoice opens again without a journal entry",
        reversals,
        "        _resolve_dealt_with(settlement, label)\n    book(settlement, label)\n",
        "        _resolve_dealt_with(settlement, label)\n",
        histories.debit_undone,
    ),
    Bug(
        "what left again leaves its invoice paid",
        reversals,
        "        unpay(part)\n",
        "        pass\n",
        histories.debit_undone,
        rare=True,
    ),
    Bug(
        "one credit of the bank's is given back twice",
        bank_refunds,
        "            Fact.transaction_id.not_in(matched),\n",
        "",
        histories.two_credits_of_one_debit,
        rare=True,
    ),
    Bug(
        "silence is taken for an end without asking",
        checkout,
        "if is_owed_an_answer(attempt):",
        "if False:",
        histories.opened_again_unanswered,
        rare=True,
    ),
    Bug(
        "two live attempts hold one invoice",
        selection,
        "        (AttemptItem.live == True)  # noqa: E712  # an SQL expression\n"
        "        & (Attempt.live_until > now)\n",
        "        (AttemptItem.live == False)\n",
        histories.opened_again_after_leaving,
        rare=True,
    ),
    Bug(
        "more may be given back than remains",
        refunds,
        "if not 0 < amount <= settlement.remaining_cents:",
        "if not 0 < amount:",
        histories.too_large_a_refund,
        rare=True,
    ),
    Bug(
        "a journal entry is chained to the first one",
        journal,
        "return (rows[0][0], rows[0][1]) if rows",
        "return (rows[0][0], GENESIS) if rows",
        histories.two_debits,
        rare=True,
    ),
    Bug(
        "another order's answer is believed",
        polling,
        "    if any(report.reference != attempt.reference for report in reports):\n",
        "    if False:\n",
        histories.answer_about_another_order,
        rare=True,
    ),
    Bug(
        "one debit serves two payments",
        incoming,
        "if settlement and settlement.attempt_id != attempt.id:",
        "if False:",
        histories.debit_claimed_for_another_order,
        rare=True,
    ),
    Bug(
        "a debit undone before it was heard of is money",
        incoming,
        "if not settlement and not undone:",
        "if not settlement:",
        histories.debit_undone_before_it_is_heard_of,
        rare=True,
    ),
    Bug(
        "what came twice pays nothing when the other payment leaves",
        reversals,
        "        pay_with_overpayments(invoice)",
        "        pass",
        histories.one_of_two_debits_undone,
        rare=True,
    ),
    Bug(
        "a counter takes money for what is paid",
        counter,
        "if state == InvoiceState.OPEN or is_extra:",
        "if state != InvoiceState.CANCELLED:",
        histories.paid_again_at_the_counter,
        rare=True,
    ),
    Bug(
        "a part pays the whole of an invoice",
        allocations,
        "[(Invoice.paid_cents + cents == Invoice.total_cents,",
        "[(Invoice.paid_cents + cents > 0,",
        histories.paid_in_parts,
    ),
    Bug(
        "a family pays the whole of what the counter took in part",
        checkout,
        "amount_cents=invoice.remaining_cents",
        "amount_cents=invoice.total_cents",
        histories.paid_in_parts,
        rare=True,
    ),
    Bug(
        "what is over of what came twice is lost once a part of it is due",
        allocations,
        "    if cents and over:\n",
        "    if False:\n",
        histories.a_part_bounces_after_the_whole_came,
        rare=True,
    ),
    Bug(
        "a part restored is not told when it is no longer due",
        restorations,
        "    for part in parts_of(settlement):\n        if part.kind == AllocationKind.OVERPAYMENT",
        "    for part in ():\n        if part.kind == AllocationKind.OVERPAYMENT",
        histories.a_part_restored_once_paid_otherwise,
        rare=True,
    ),
    Bug(
        "the parts of a cancelled invoice are nobody's",
        staff_decisions,
        "        for settlement in paid:\n",
        "        for settlement in ():\n",
        histories.cancelled_once_paid_in_part,
        rare=True,
    ),
    Bug(
        "what was dealt with hides what is owed since",
        anomalies,
        "| (Anomaly.amount_cents < more_than)",
        "",
        histories.more_is_owed_than_was_dealt_with,
        rare=True,
    ),
    Bug(
        "a refund heard of before a debit of a wrong amount stays loose",
        incoming,
        "book(settlement, label)\n    match_refunds(attempt, facts)\n",
        "book(settlement, label)\n",
        histories.credit_before_its_debit_of_another_amount,
        rare=True,
    ),
    Bug(
        "a refund under the name of its debit says that all was given back",
        states,
        "        if state == AttemptState.REFUNDED and source != FactSource.PORTAL:\n"
        "            continue\n",
        "",
        histories.credit_named_as_its_debit,
        rare=True,
    ),
    Bug(
        "a refund under the name of its debit is one of it",
        bank_refunds,
        "    if settlement_of(attempt.gateway, refund.transaction_id):\n        return None\n",
        "",
        histories.credit_named_as_its_debit,
        rare=True,
    ),
    Bug(
        "a refund of no debit is not told",
        bank_refunds,
        "    for fact in loose:\n        flag_anomaly(",
        "    for fact in ():\n        flag_anomaly(",
        histories.credit_of_nothing,
        rare=True,
    ),
    Bug(
        "a guess is not told",
        bank_refunds,
        "if len(enough) > 1 and not",
        "if len(enough) > 2 and not",
        histories.credit_of_one_of_two_debits,
        rare=True,
    ),
    Bug(
        "what was given by hand of a debit cancelled since is not told",
        cancellations,
        "if given := given_elsewhere(settlement):",
        "if given := 0:",
        histories.given_by_hand_then_cancelled,
        rare=True,
    ),
    Bug(
        "the counter's money is always the first family's",
        counter,
        "family=invoice.family_id,",
        "family=1,",
        histories.charlie_pays_at_the_counter,
        rare=True,
    ),
    Bug(
        "money that matches nothing is not told",
        incoming,
        "decision = flag_mismatch(attempt, report, unexpected) if unexpected else RECORDED",
        "decision = RECORDED",
        histories.debit_of_another_amount,
    ),
    Bug(
        "a repetition puts off the next question",
        incoming,
        "    if not facts:\n        return KNOWN\n    flag_denied",
        "    if not facts:\n        if settlement:\n            "
        "_follow_until_final(attempt, report, settlement)\n"
        "        return KNOWN\n    flag_denied",
        histories.notice_repeated,
        rare=True,
    ),
    Bug(
        "a receipt takes the first régie's next number",
        receipts,
        "last_receipt_number(settlement.regie) + 1",
        'last_receipt_number("") + 1',
        histories.one_debit_of_each_regie,
        rare=True,
    ),
    Bug(
        "a debit is looked up without its gateway",
        queries,
        "next(iter(_SETTLED.models(gateway=gateway, transaction=transaction_id)), None)",
        "Settlement.get_or_none(Settlement.transaction_id == transaction_id)",
        histories.one_debit_of_each_regie,
        rare=True,
    ),
    Bug(
        "an order is looked up without its gateway",
        queries,
        "next(iter(_BY_OURS.models(gateway=gateway, reference=reference)), None)",
        "Attempt.get_or_none(Attempt.reference == reference)",
        histories.notice_by_the_other_gateway,
        rare=True,
    ),
    Bug(
        "invoices of two régies are paid together",
        selection,
        "if len(chosen.parts) > 1:",
        "if len(chosen.parts) > 2:",
        histories.two_regies_in_one_payment,
        rare=True,
    ),
    Bug(
        "the money of every régie is in the first one's accounts",
        journal,
        "return name if not regie or",
        "return name if True or",
        histories.one_debit_of_each_regie,
    ),
    Bug(
        "what came twice pays another régie's invoice",
        overpayments,
        "elif invoice.regie != settlement.regie:",
        "elif False:",
        histories.what_came_twice_is_not_the_other_regies,
        rare=True,
    ),
    Bug(
        "a refund that was dropped is asked for ever",
        refund_requests,
        "        end_request(repayment, RepaymentState.DECLINED)\n        why =",
        "        why =",
        histories.refund_dropped_then_asked_again,
        rare=True,
    ),
    Bug(
        "a closed bank takes payments",
        checkout,
        "if closed := closure_words().get(gateway.name):",
        "if closed := closure_words().get(0):",
        histories.bank_closed_then_open,
    ),
    Bug(
        "a debit heard of under another number pays nothing once awaited",
        incoming,
        "elif settlement and awaited and attempt.state == AttemptState.PAID:",
        "elif False:",
        histories.one_debit_under_two_numbers,
        rare=True,
    ),
)


@contextmanager
def put_in(bug: Bug) -> Iterator[None]:
    """Run with the bug, then without it. Raises AssertionError where `old` is not there once."""
    source = inspect.getsource(bug.module)
    assert source.count(bug.old) == 1, f"{bug.name}: {source.count(bug.old)} places"
    copy = dict(vars(bug.module))
    exec(compile(source.replace(bug.old, bug.new), bug.module.__name__, "exec"), copy)
    codes, queries = {}, {}
    for name, value in vars(bug.module).items():
        if isinstance(value, FunctionType) and value.__module__ == bug.module.__name__:
            codes[value] = value.__code__
            value.__code__ = copy[name].__code__
        elif isinstance(value, PreparedQuery):
            queries[name] = value
    vars(bug.module).update({name: copy[name] for name in queries})
    try:
        yield
    finally:
        vars(bug.module).update(queries)
        for function, code in codes.items():
            function.__code__ = code
