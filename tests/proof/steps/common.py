"""Carry the steps of the machine: a portal, a bank, and the books that follow both."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine

from gateways.base import Unreachable
from kiosque import payments
from kiosque.payments import reconcile
from tests.conftest import PUBLIC_URL, make_family, make_invoice
from tests.proof.accounts import Account, Key
from tests.proof.bank import Message
from tests.proof.books import Bill, Books, Debit
from tests.proof.stage import GATEWAYS, Stage, debit_of, dump, rows

if TYPE_CHECKING:
    from tests.proof.merging import Merge

BILLS = (
    ("A1", "F1001", 4520, ""), ("A2", "F1001", 4520, ""), ("A3", "F1001", 3000, ""),
    ("A4", "F1001", 4520, ""), ("A5", "F1001", 1000, ""),
    ("B1", "F1001", 4520, "creche"), ("B2", "F1001", 3000, "creche"),
    ("V1", "F1001", -1500, ""), ("V2", "F1001", -6000, "creche"), ("V3", "F2002", -520, ""),
    ("C1", "F2002", 4520, ""), ("C2", "F2002", 3000, ""), ("D1", "F2002", 4520, "creche"),
)  # fmt: skip

CODES = ("F1001", "F2002")
#: Which of several: taken modulo how many there are, so that small ones stay the simple ones.
pick = st.integers(0, 63)


class Steps(RuleBasedStateMachine):
    """The state of a town, and what several subjects' steps do to it."""

    def __init__(self) -> None:
        super().__init__()
        self.stage = Stage()
        self.bank, self.clock = self.stage.bank, self.stage.clock
        self.issuers, self.gateways = self.stage.issuers, self.stage.gateways
        self.books = Books(lambda: self.clock.at, debit_of)
        self.entries = self.known = self.corrected = 0
        self.closed: dict[str, datetime] = {}
        self.balances: dict[str, dict[str, int]] = {}
        self.merges: list[Merge] = []
        self.paid_over: Counter[str] = Counter()
        self.kept: Counter[str] = Counter()
        #: What was paid over, by régie, as lines of the account name it.
        self.deposits: dict[str, list[Key]] = {regie: [] for regie in GATEWAYS}
        self.accounts = {regie: Account(regie) for regie in GATEWAYS}
        families = {code: make_family(code, code) for code in CODES}
        for number, code, cents, regie in BILLS:
            state = "open" if cents > 0 else "nothing_due"
            make_invoice(families[code], number, cents, regie=regie, state=state)
            self.books.bills[number] = Bill(number, code, cents, regie, state)

    def deliver_last(self, times: int) -> None:
        for _ in range(times):
            self.deliver(self.bank.sent[-1])

    def deliver(self, message: Message) -> None:
        report = self.gateways[message.gateway].report(message)
        before, audit = dump(), audit_length()
        payments.record(message.gateway, report, self.issuers)
        assert audit_length() == audit + 1, "a message that left no trace"
        if not self.books.hear(message):
            assert dump() == before, "a repetition changed something"

    def ask(
        self, mood: str, ask: Callable[[], object], before: Callable[[], object] = lambda: None
    ) -> None:
        """Have the portal ask, then let the books hear what the bank answered, in order."""
        self.bank.mood, self.bank.lie = mood, self._lie
        self.bank.log.clear()
        try:
            ask()
        finally:
            self.bank.mood = "true"
        before()
        for what, reference, said in self.bank.log:
            order = self.books.orders[reference]
            if what != "poll":
                order.debits[what.removeprefix("refund ")].sent_at = self.clock.at
            if isinstance(said, Exception):
                if not isinstance(said, Unreachable):
                    order.debits[what.removeprefix("refund ")].asked = None
                continue
            if any(message.reference != reference for message in said):
                continue
            for message in said:
                self.books.hear(message)
            if what == "poll":
                age = self.clock.at - order.started_at
                if not said and order.state == "handed_off" and age >= timedelta(minutes=30):
                    self.books.learn(order, "", "expired", "")
                order.answered_at = self.clock.at

    def reconcile(self, mood: str) -> reconcile.Summary:
        lapsed = self.clock.at - timedelta(minutes=15)
        mute = unasked()
        found: list[reconcile.Summary] = []
        self.ask(
            mood,
            lambda: found.append(reconcile.run(self.gateways, PUBLIC_URL, self.issuers)),
            before=lambda: [
                self.books.learn(order, "", "expired", "")
                for order in self.books.orders.values()
                if not found[0].busy
                and order.state == "handed_off"
                and order.reference in mute
                and order.until < lapsed
            ],
        )  # fmt: skip
        return found[0]

    def _lie(self, message: Message) -> Message:
        """Another amount, about what is in the books already: it cannot be believed."""
        booked = message.uuid in self.books.owners
        return replace(message, cents=message.cents + 7) if booked else message

    def code_of(self, code: str) -> str:
        """The code that a household has now."""
        return next((each.kept for each in self.merges if each.gone == code), code)

    def debits(self) -> list[Debit]:
        return [owner.debits[uuid] for uuid, owner in self.books.owners.items()]


def one(things: list[Any], which: int) -> Any:
    return things[which % len(things)]


def unasked() -> set[str]:
    """The orders that the portal asks nothing about any more."""
    return {name for (name,) in rows("SELECT reference FROM attempt WHERE ask_at IS NULL")}


def audit_length() -> int:
    return int(rows("SELECT COUNT(*) FROM bank_message")[0][0])
