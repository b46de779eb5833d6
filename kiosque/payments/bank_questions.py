"""The questions of a run of `reconcile` to one bank: about attempts, and to give money back.

Both kinds have the same shape: what is due, a call that begins, and the answer that ends it.
"""

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from gateways.base import Polls, Refunds, Report
from kiosque.db.models import Attempt, Repayment
from kiosque.db.states import RepaymentState
from kiosque.payments import polling, refund_requests
from kiosque.payments.gateway_calls import ANSWER_SECONDS, REFUND_SECONDS, Answer
from kiosque.payments.receipts import Issuers

Call = Future[list[Report]]


class Kind(Protocol):
    """A kind of question to a bank.

    `at_once` is how many questions of the kind may be under way, `seconds` how long each may last.
    """

    at_once: ClassVar[int]
    seconds: ClassVar[float]

    def due(self, limit: int) -> Sequence[Any]:
        """Return the rows to ask about now, in order."""
        ...

    def begin(self, row: Any) -> Call | None:
        """Ask. Return None for what another process has just asked."""
        ...

    def finish(self, row: Any, call: Call) -> Answer:
        """Apply the answer; a call that has not ended is a bank that does not answer."""
        ...


@dataclass(frozen=True)
class Questions:
    """The questions to a bank about attempts."""

    name: str
    gateway: Polls
    public_url: str
    issuers: Issuers
    at_once: ClassVar[int] = 8
    seconds: ClassVar[float] = ANSWER_SECONDS

    def due(self, limit: int) -> Sequence[Attempt]:
        return polling.attempts_due([self.name], limit)

    def begin(self, row: Attempt) -> Call | None:
        return polling.begin_question(row, self.gateway, self.public_url)

    def finish(self, row: Attempt, call: Call) -> Answer:
        return polling.finish_question(row, self.gateway, call, self.issuers)


@dataclass(frozen=True)
class Requests:
    """The requests to a bank for money back whose outcome is not known. `concluded` are those of
    this run whose outcome is."""

    name: str
    gateway: Refunds
    public_url: str
    issuers: Issuers
    concluded: list[Repayment] = field(default_factory=list)
    at_once: ClassVar[int] = 2
    seconds: ClassVar[float] = REFUND_SECONDS

    def due(self, limit: int) -> Sequence[Repayment]:
        return refund_requests.refunds_due(self.name, limit)

    def begin(self, row: Repayment) -> Call | None:
        return refund_requests.begin_sending(row, self.gateway, self.public_url)

    def finish(self, row: Repayment, call: Call) -> Answer:
        answer = refund_requests.finish_sending(row, call, self.issuers)
        now = Repayment.get_by_id(row.id)
        if now.state != RepaymentState.ASKED:
            self.concluded.append(now)
        return answer
