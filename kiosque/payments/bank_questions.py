"""The questions of a run of `reconcile` to one bank: about attempts, about the time that a
restoration lost, and to give money back.

All kinds have the same shape: list what is due, begin a call, apply its answer.
"""

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from gateways.base import GatewayError, Lists, Outcome, Polls, Refunds, Report
from kiosque.db.models import Anomaly, Attempt, Repayment
from kiosque.db.states import RepaymentState
from kiosque.payments import gateway_calls, incoming, lost_time, polling, refund_requests
from kiosque.payments.gateway_calls import (
    CALL_SECONDS,
    LIST_SECONDS,
    REFUND_SECONDS,
    CallOutcome,
)
from kiosque.payments.receipts import Issuers

Call = Future[list[Report]]


#: States worth reporting for an order that a restoration lost; a refused card, for one, is not.
_MONEY = (Outcome.PAID, Outcome.REFUNDED, Outcome.REVERSED)


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

    def finish(self, row: Any, call: Call) -> CallOutcome:
        """Apply the answer. A call that has not ended counts as a bank that does not answer."""
        ...


@dataclass(frozen=True)
class Questions:
    """The questions to a bank about attempts."""

    name: str
    gateway: Polls
    public_url: str
    issuers: Issuers
    at_once: ClassVar[int] = 8
    seconds: ClassVar[float] = CALL_SECONDS

    def due(self, limit: int) -> Sequence[Attempt]:
        return polling.attempts_due([self.name], limit)

    def begin(self, row: Attempt) -> Call | None:
        return polling.begin_question(row, self.gateway, self.public_url)

    def finish(self, row: Attempt, call: Call) -> CallOutcome:
        return polling.finish_question(row, self.gateway, call, self.issuers)


@dataclass(frozen=True)
class Requests:
    """The requests to a bank for money back whose outcome is not known. `concluded` are those that
    this run has learnt the outcome of."""

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

    def finish(self, row: Repayment, call: Call) -> CallOutcome:
        answer = refund_requests.finish_sending(row, call, self.issuers)
        now = Repayment.get_by_id(row.id)
        if now.state != RepaymentState.ASKED:
            self.concluded.append(now)
        return answer


@dataclass(frozen=True)
class Listings:
    """The questions to a bank about all that it did in the time that a restoration lost. Its
    answers are recorded as its messages are."""

    name: str
    gateway: Lists
    issuers: Issuers
    at_once: ClassVar[int] = 1
    seconds: ClassVar[float] = LIST_SECONDS

    def due(self, limit: int) -> Sequence[Anomaly]:
        return lost_time.to_list(self.name)[:limit]

    def begin(self, row: Anomaly) -> Call | None:
        return gateway_calls.list_reports(self.gateway, *lost_time.time_of(row))

    def finish(self, row: Anomaly, call: Call) -> CallOutcome:
        try:
            for report in gateway_calls.wait_for(call, 0.0):
                if report.outcome in _MONEY or incoming.attempt_of(self.name, report):
                    incoming.record(self.name, report, self.issuers)
            lost_time.note_listed(row)
        except GatewayError as error:
            return gateway_calls.outcome_of(error)
        except Exception as error:  # noqa: BLE001  # an answer may hold anything
            gateway_calls.log_defect(f"list of {self.name}", error)
            return gateway_calls.outcome_of(error)
        return CallOutcome.GIVEN
