"""Faults of the core, put in one at a time to see that each is found.

Each is a piece of a module's source and its replacement. The functions that differ, methods too,
take the new code in place, so that every module that has imported them runs it; a module's
prepared queries are replaced.
"""

import inspect
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from types import FunctionType, ModuleType
from typing import Any

from kiosque.closings import closing, steps
from kiosque.db import states
from kiosque.db.prepared import PreparedQuery
from kiosque.deposits import drafts, final
from kiosque.invoices.imports import undoing as load_undoing
from kiosque.outbox import queue
from kiosque.payments import (
    allocations,
    anomalies,
    attempt_facts,
    bank_messages,
    bank_refunds,
    by_hand,
    cancellations,
    checkout,
    counter,
    counter_rules,
    credit_notes,
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
    transmissions,
)
from kiosque.privacy import merging
from kiosque.statements import (
    booking,
    cut_days,
    loading,
    matching,
    opening,
    overlaps,
    rules,
    undoing,
    unexplained_money,
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
        "(Invoice.state == InvoiceState.OPEN) | (Invoice.state == also),\n",
        "",
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
        attempt_facts,
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
        "    book(settlement, label, () if is_news else formers(settlement))\n",
        "",
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
        counter_rules,
        "is_due = state in (InvoiceState.OPEN, payable_by(payment.mode))",
        "is_due = state != InvoiceState.CANCELLED",
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
        rare=True,
    ),
    Bug(
        "late money pays what the Treasury collects",
        allocations,
        "    state = payable_by(settlement.mode)\n",
        "    state = InvoiceState.TRANSMITTED\n",
        histories.late_money_for_the_treasury,
        rare=True,
    ),
    Bug(
        "what is taken off an invoice is paid there still",
        overpayments,
        "            unpay(part)\n",
        "",
        histories.what_came_twice_paid_the_wrong_invoice,
        rare=True,
    ),
    Bug(
        "a trop-perçu does not pay what is taken back from the Treasury",
        transmissions,
        "        pay_with_overpayments(Invoice.get_by_id(invoice.id))\n",
        "",
        histories.late_money_for_the_treasury,
        rare=True,
    ),
    Bug(
        "the Treasury collects what a family is paying",
        transmissions,
        "elif number in paying:",
        "elif number in ():",
        histories.transmitted_while_at_the_bank,
        rare=True,
    ),
    Bug(
        "what the Treasury loses again is to pay here",
        allocations,
        "state = InvoiceState.TRANSMITTED if theirs.exists() else InvoiceState.OPEN",
        "state = InvoiceState.OPEN",
        histories.paid_to_the_treasury_in_parts,
        rare=True,
    ),
    Bug(
        "a credit note is worth for ever what it was",
        credit_notes,
        "    _add(note.id, -cents)\n",
        "    pass\n",
        histories.a_credit_note_pays_twice_at_most_its_worth,
    ),
    Bug(
        "a credit note pays more than it is worth",
        credit_notes,
        "elif cents > note.credit_cents:",
        "elif cents > -note.total_cents:",
        histories.a_credit_note_pays_twice_at_most_its_worth,
        rare=True,
    ),
    Bug(
        "a credit note pays another family's invoice",
        credit_notes,
        "if note.family_id != invoice.family_id:",
        "if False:",
        histories.a_credit_note_is_of_one_family_and_regie,
        rare=True,
    ),
    Bug(
        "what a credit note paid by mistake is lost",
        credit_notes,
        "    _add(settlement.credit_id, settlement.amount_cents)\n",
        "",
        histories.a_credit_note_taken_off,
        rare=True,
    ),
    Bug(
        "what a credit note paid of a cancelled invoice is a trop-perçu",
        staff_decisions,
        "            if part.settlement.credit_id:\n",
        "            if False:\n",
        histories.cancelled_once_a_credit_note_paid,
        rare=True,
    ),
    Bug(
        "a debit heard of under another number pays nothing once awaited",
        incoming,
        "elif settlement and awaited and attempt.state == AttemptState.PAID:",
        "elif False:",
        histories.one_debit_under_two_numbers,
        rare=True,
    ),
    Bug(
        "what a family has paid does not follow it into another",
        merging,
        "        for model in _MOVED.values():\n",
        "        for model in list(_MOVED.values())[:2]:\n",
        histories.one_family_then_two,
    ),
    Bug(
        "a family made two again stays put away",
        merging,
        "        archiving.take_out(made.gone)\n",
        "",
        histories.one_family_then_two,
    ),
    Bug(
        "a family is made two again whenever it was made one",
        merging,
        "if made.undone_at or made.merged_at <= clock.now() - KEPT:",
        "if made.undone_at:",
        histories.one_family_then_two,
        rare=True,
    ),
    Bug(
        "families are merged while the bank has something to say",
        merging,
        "Attempt.state.in_(list(UNDECIDED)) | Attempt.ask_at.is_null(False)",
        "Attempt.id < 0",
        histories.merged_while_at_the_bank,
    ),
    Bug(
        "families are made two again over money of both",
        merging,
        "        _refuse(_why_mixed([made.kept_id, made.gone_id]))\n",
        "",
        histories.money_of_both,
        rare=True,
    ),
    Bug(
        "what was paid over is paid over again",
        drafts,
        "~fn.EXISTS(paid_over) & ",
        "",
        histories.paid_over_then_given_back,
        rare=True,
    ),
    Bug(
        "a régie pays over what is another's",
        drafts,
        "(Settlement.regie == regie) & ",
        "",
        histories.each_regie_pays_over_its_own,
    ),
    Bug(
        "what is kept back is paid over",
        drafts,
        " & Revenue.id.not_in(kept)",
        "",
        histories.kept_back_then_paid_over,
        rare=True,
    ),
    Bug(
        "what was kept back is never paid over",
        drafts,
        " | Revenue.id.in_(once_kept)",
        "",
        histories.kept_back_then_paid_over,
        rare=True,
    ),
    Bug(
        "what was refunded stays in the accounts once paid over",
        final,
        '        yield from _move(source, "remboursé", journal.REFUNDS, found.refunded)\n',
        "",
        histories.paid_over_then_given_back,
        rare=True,
    ),
    Bug(
        "what the Treasury had is paid over",
        final,
        "amount_cents=made.amount_cents",
        "amount_cents=sum(line.cents for line in made.lines)",
        histories.told_and_not_paid_over,
        rare=True,
    ),
    Bug(
        "a deposit's number leaves a gap",
        final,
        "if each.year == year)]) + 1",
        "if each.year == year)]) + 2",
        histories.paid_over_then_given_back,
    ),
    Bug(
        "a deposit's paper says other than the books",
        final,
        "content=made.written",
        """content=made.written.replace('"collected"', '"cancelled"')""",
        histories.paid_over_then_given_back,
    ),
    Bug(
        "the journal cites the print of another paper",
        final,
        "PDF {sha256}",
        "PDF {sha256[::-1]}",
        histories.paid_over_then_given_back,
        rare=True,
    ),
    Bug(
        "two who press at once make two deposits",
        final,
        """            _require(draft(regie, up_to), agreed)
            if _next_number(regie, made.on.year) == number:
""",
        "            if number:\n",
        histories.two_press_at_once,
        rare=True,
    ),
    Bug(
        "what is kept back while its paper is made is paid over",
        final,
        "            _require(draft(regie, up_to), agreed)\n",
        "",
        histories.kept_back_while_its_paper_is_made,
        rare=True,
    ),
    Bug(
        "a deposit's paper is made again without who made it",
        final,
        "Bordereau.read(deposit.content)",
        'Bordereau.read(deposit.content.replace(deposit.author, ""))',
        histories.paid_over_then_given_back,
        rare=True,
    ),
    Bug(
        "the paper of a deposit is not kept",
        final,
        "        pdf=pdf,\n",
        "",
        histories.paid_over_then_given_back,
        rare=True,
    ),
    Bug(
        "money is dated in a month that was closed",
        counter_rules,
        "if is_closed(invoice.regie, payment.settled_on):",
        "if False:",
        histories.closed_once_paid_over,
        rare=True,
    ),
    Bug(
        "a month is closed with the balances of the next",
        closing,
        "balances = journal.balances(number, regie)",
        "balances = journal.balances(None, regie)",
        histories.closed_once_paid_over,
        rare=True,
    ),
    Bug(
        "a month is closed before all of it is paid over",
        closing,
        "if not step.done and step.key not in _WITH_REASON]",
        'if not step.done and step.key == "ended"]',
        histories.closed_once_paid_over,
        rare=True,
    ),
    Bug(
        "what the bank undid cites no entry",
        reversals,
        "is_news = repayment.kind == RepaymentKind.REFUND",
        "is_news = True",
        histories.debit_undone,
    ),
    Bug(
        "money that is there after all cites no entry",
        restorations,
        "book(settlement, label, formers(settlement))",
        "book(settlement, label)",
        histories.given_back_in_vain,
        rare=True,
    ),
    Bug(
        "fees are booked as if they had come in",
        booking,
        "is_credit=cents > 0)",
        "is_credit=True)",
        histories.told_by_the_statement_then_undone,
        rare=True,
    ),
    Bug(
        "a match undone is booked again",
        booking,
        "account, -match.amount_cents, label",
        "account, match.amount_cents, label",
        histories.told_by_the_statement_then_undone,
        rare=True,
    ),
    Bug(
        "a line whose match is undone is still explained",
        booking,
        "    StatementLine.update(state=LineState.OPEN)",
        "    StatementLine.update(state=StatementLine.state)",
        histories.told_by_the_statement_then_undone,
        rare=True,
    ),
    Bug(
        "all that explains a line is undone with one match",
        booking,
        ".where(LineMatch.id == match.id, ",
        ".where(LineMatch.line == match.line_id, ",
        histories.a_remittance_net_of_its_fees,
        rare=True,
    ),
    Bug(
        "what the bank kept of a remittance is not told",
        booking,
        "    if found.fee_cents:\n",
        "    if False:\n",
        histories.a_remittance_net_of_its_fees,
        rare=True,
    ),
    Bug(
        "what a person undid is matched again",
        matching,
        "_open(regie, touched=False)",
        "_open(regie, touched=None)",
        histories.what_a_person_undid_stays_a_persons,
        rare=True,
    ),
    Bug(
        "a debit explains two lines",
        unexplained_money,
        ".where(Settlement.regie == regie, since, _COMES, Settlement.id.not_in(matched))",
        ".where(Settlement.regie == regie, since, _COMES)",
        histories.told_again_of_one_debit,
        rare=True,
    ),
    Bug(
        "a line is matched with a debit of another sum",
        rules,
        "each in named if each.cents == line.cents",
        "each in named if each.cents >= line.cents",
        histories.told_again_of_one_debit,
        rare=True,
    ),
    Bug(
        "of two lines that name one debit, the first has it",
        rules,
        "alone[claimed[0]] = None if claimed[0] in alone else line",
        "alone.setdefault(claimed[0], line)",
        histories.two_lines_name_one_debit,
        rare=True,
    ),
    Bug(
        "the rest of a day is found at the next file only",
        rules,
        "        lines = left\n",
        "        lines = []\n",
        histories.the_rest_of_a_day,
        rare=True,
    ),
    Bug(
        "a file told again brings its lines again",
        overlaps,
        "            if known[self._name(movement)] > 0:",
        "            if False:",
        histories.told_by_the_statement_then_undone,
    ),
    Bug(
        "two movements that are the same are one",
        loading,
        "        rank = ranks[content] = ",
        "        if ranks[content]:\n            continue\n        rank = ranks[content] = ",
        histories.told_by_the_statement_then_undone,
        rare=True,
    ),
    Bug(
        "a day cut between two files has the lines of the larger",
        cut_days,
        "        found |= _total(some)\n",
        "        for each in some:\n            found |= each.counts\n",
        histories.told_in_pieces_backwards,
        rare=True,
    ),
    Bug(
        "parts of a day that may tell the same movement are added up",
        cut_days,
        "        return False\n    if (one.starts and other.starts)",
        "        return False\n    return True\n    if (one.starts and other.starts)",
        histories.told_in_pieces_backwards,
        rare=True,
    ),
    Bug(
        "what explains a file undone stays in the books",
        undoing,
        "Move(about, label, entry.credit, entry.debit,",
        "Move(about, label, entry.debit, entry.credit,",
        histories.told_by_the_statement_then_undone,
        rare=True,
    ),
    Bug(
        "a file undone leaves its lines",
        undoing,
        "regie=StatementLine.regie.concat(ASIDE), occ",
        "regie=StatementLine.regie, occ",
        histories.told_by_the_statement_then_undone,
        rare=True,
    ),
    Bug(
        "what a journal undone alone explained stays explained",
        undoing,
        "    lines = LineMatch.select(LineMatch.line).where(sure, about)\n",
        "    lines = LineMatch.select(LineMatch.line).where(sure, about, LineMatch.id < 0)\n",
        histories.a_remittance_net_of_its_fees,
        rare=True,
    ),
    Bug(
        "another kind of file tells other movements",
        overlaps,
        "_words if len({*kinds}) < 2 else _cents",
        "_words",
        histories.told_in_pieces_backwards,
        rare=True,
    ),
    Bug(
        "an older statement leaves the opening of the account as it was",
        opening,
        "    if wanted == held:\n",
        "    if held:\n",
        histories.told_in_pieces_backwards,
        rare=True,
    ),
    Bug(
        "a deposit is seen at the bank in another account",
        unexplained_money,
        "else journal.PAID_OVER",
        "else journal.OTHERS",
        histories.paid_over_as_the_statement_tells,
        rare=True,
    ),
    Bug(
        "a month is closed before its end",
        steps,
        "done = clock.now() >= month.ends_at",
        "done = True",
        histories.closed_once_paid_over,
        rare=True,
    ),
    Bug(
        "a month is closed with the hash of another entry",
        closing,
        "JournalEntry.get_or_none(JournalEntry.number == number)",
        "JournalEntry.get_or_none(JournalEntry.number == number - 1)",
        histories.closed_once_paid_over,
        rare=True,
    ),
    Bug(
        "the balances at a past number lack its entry",
        journal,
        "JournalEntry.number <= up_to",
        "JournalEntry.number < up_to",
        histories.one_debit,
    ),
    Bug(
        "what leaves an account comes to itself",
        journal,
        "debit=debit, credit=credit, cents=cents, corrects=cited)\n        if owed",
        "debit=debit, credit=debit, cents=cents, corrects=cited)\n        if owed",
        histories.one_debit,
        rare=True,
    ),
    Bug(
        "a line that is explained is still open",
        booking,
        "    execute_many(_MATCHED, [(last,)])\n",
        "",
        histories.told_by_the_statement_then_undone,
        rare=True,
    ),
    Bug(
        "a family that a load undone had changed stays as the file has it",
        load_undoing,
        "ImportChange.former.is_null(False)",
        "(ImportChange.former == '')",
        histories.files_loaded_by_mistake,
    ),
    Bug(
        "a load undone leaves the families that it brought",
        load_undoing,
        "    _refuse(why_needed(added))\n",
        "    return\n",
        histories.files_loaded_by_mistake,
    ),
)


@contextmanager
def put_in(bug: Bug) -> Iterator[None]:
    """Run with the bug, then without it. Raises AssertionError where `old` is not there once."""
    source = inspect.getsource(bug.module)
    assert source.count(bug.old) == 1, f"{bug.name}: {source.count(bug.old)} places"
    copy = dict(vars(bug.module))
    exec(compile(source.replace(bug.old, bug.new), bug.module.__name__, "exec"), copy)
    codes = {}
    for old, new in _functions(vars(bug.module), copy, bug.module.__name__):
        codes[old] = old.__code__
        old.__code__ = new.__code__
    queries = {
        name: value for name, value in vars(bug.module).items() if isinstance(value, PreparedQuery)
    }
    vars(bug.module).update({name: copy[name] for name in queries})
    try:
        yield
    finally:
        vars(bug.module).update(queries)
        for function, code in codes.items():
            function.__code__ = code


def _functions(
    of: Mapping[str, Any], others: Mapping[str, Any], module: str
) -> Iterator[tuple[FunctionType, FunctionType]]:
    """Give the functions that a module makes, those of its classes too, each with the other."""
    for name, value in list(of.items()):
        if getattr(value, "__module__", None) != module:
            continue
        if isinstance(value, FunctionType):
            yield value, others[name]
        elif isinstance(value, type) and not issubclass(value, Enum):
            yield from _functions(vars(value), vars(others[name]), module)
