"""Messages from the bank, or that pass for its: again, forged, untrue, while the process dies."""

from dataclasses import replace

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from gateways.base import BadCallback, Callback
from kiosque import payments
from tests.proof.bank import Message
from tests.proof.stage import Crash, crash_at, dump
from tests.proof.steps.common import Steps, audit_length, one, pick

FORGERIES = {
    "unsigned": lambda fields: {k: v for k, v in fields.items() if k != "signature"},
    "wrong signature": lambda fields: fields | {"signature": "A" * 43 + "="},
    "other amount": lambda fields: fields | {"vads_effective_amount": "77"},
    "accepted after all": lambda fields: fields | {"vads_trans_status": "CAPTURED!"},
    "cut": lambda fields: dict(list(fields.items())[: len(fields) // 2]),
    "moved": lambda fields: fields | {"vads_amount": fields["vads_amount"] + "0"},
    "production": lambda fields: fields | {"vads_ctx_mode": "PRODUCTION"},
}


class MessageSteps(Steps):
    @precondition(lambda self: self.bank.sent)
    @rule(which=pick, times=st.integers(1, 3))
    def a_message_arrives_again_or_at_last(self, which: int, times: int) -> None:
        message = one(self.bank.sent, which)
        for _ in range(times):
            self.deliver(message)

    @precondition(lambda self: self.bank.sent)
    @rule(which=pick, how=st.sampled_from([*sorted(FORGERIES), "our own form", "other address"]))
    def a_forged_message_arrives(self, which: int, how: str) -> None:
        """Or a true one at the other gateway's address: its contract has another key."""
        message = one(self.bank.sent, which)
        name = message.gateway
        if how == "other address":
            fields, name = self.bank.fields(message), self.other_gateway(message)
        elif how == "our own form":
            fields = dict(self.bank.accounts[message.reference].handoff.fields or ())
        else:
            fields = FORGERIES[how](self.bank.fields(message))
        before, audit = dump(), audit_length()
        callback = Callback.of_form(fields.items())
        with pytest.raises(BadCallback) as refused:
            self.gateways[name].read_notification(callback)
        payments.record_rejected(name, str(refused.value), callback)
        assert dump() == before
        assert audit_length() == audit + 1

    def other_gateway(self, message: Message) -> str:
        """The gateway that a message is not of."""
        return next(name for name in self.gateways if name != message.gateway)

    @precondition(lambda self: self.books.owners)
    @rule(
        which=pick,
        how=st.sampled_from(
            ["amount", "order", "unknown", "credit", "cent", "gateway", "number", "refusal"]
        ),
    )
    def the_bank_contradicts_itself(self, which: int, how: str) -> None:
        """Genuine words about a debit in the books already, that cannot be true."""
        message = self._as_booked(one(list(self.books.owners), which))
        if how == "amount":
            self.deliver(replace(message, cents=message.cents + 1))
        elif how == "refusal":
            self.deliver(replace(message, status="REFUSED"))
        elif how == "cent":
            self.deliver(replace(message, status="CANCELLED", cents=1))
        elif how == "credit":
            self.a_credit_is_named_as_its_debit(which)
        elif how == "number":
            self.a_debit_is_told_under_another_number(which)
        elif how == "unknown":
            self.deliver(replace(message, reference="KF000000000000000000"))
        elif how == "gateway":
            self.a_notice_goes_astray(which)
        else:
            for reference in self.books.orders:
                if reference != message.reference:
                    self.deliver(replace(message, reference=reference))

    def a_credit_is_named_as_its_debit(self, which: int) -> None:
        """It can be of no debit: the money stays where it is, and a human is told."""
        message = self._as_booked(one(list(self.books.owners), which))
        self.deliver(replace(message, operation="CREDIT", status="CAPTURED", number="912345"))

    def a_debit_is_told_under_another_number(self, which: int) -> None:
        """One transaction, heard of as made by hand and as awaited, in any order."""
        debits = [each for each in self.bank.sent if each.operation == "DEBIT"]
        if debits:
            message = one(debits, which)
            self.deliver(replace(message, number="" if message.number else "654321"))

    def a_notice_goes_astray(self, which: int) -> None:
        """It comes by the other gateway, signed with its key: no order of its own is meant, so it
        pays nothing, and a human is told."""
        message = one(self.bank.sent, which)
        self.deliver(replace(message, gateway=self.other_gateway(message)))

    def _as_booked(self, uuid: str) -> Message:
        return replace(
            self.bank.accounts[self.books.owners[uuid].reference].transactions[uuid],
            status="AUTHORISED",
            currency="978",
        )

    @precondition(lambda self: self.bank.sent)
    @rule(which=pick, statement=st.integers(1, 40))
    def the_process_dies_while_a_message_is_recorded(self, which: int, statement: int) -> None:
        message = one(self.bank.sent, which)
        report = self.gateways[message.gateway].report(replace(message, parent=""))
        before, audit = dump(), audit_length()
        try:
            with crash_at(statement):
                payments.record(message.gateway, report, self.issuers)
        except Crash:
            self.stage.restart()
            assert (dump(), audit_length()) == (before, audit), "half a message was kept"
        else:
            self.books.hear(message)
