"""Ask the banks about every attempt without a final answer. A timer calls it.

Safe to run twice at once: a lease lets one run work, and what two runs would ask twice is
harmless. A run has a total deadline; what it did not reach is asked by the next.
"""

import logging
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice

from peewee import DatabaseError

from gateways.base import Gateway, Polls, Refunds, Report, Unreachable
from kiosque.db import leases
from kiosque.db.models import Attempt
from kiosque.db.states import RepaymentState
from kiosque.payments import gateway_usage, polling, refunds
from kiosque.payments.orders import order_of
from kiosque.payments.receipts import Issuers

_log = logging.getLogger(__name__)

LEASE = "reconcile"
#: A timer calls each minute: a run ends before the next begins.
RUN_SECONDS = 50
#: Questions under way at once, for all banks together.
AT_ONCE = 8
#: A bank that leaves so many questions in a row unanswered is left alone until the next run.
GIVE_UP_AFTER = 10
#: A question may end this long after the run's deadline.
_LONGEST_QUESTION = timedelta(seconds=60)
_BATCH = 500


@dataclass
class Summary:
    """The outcome of a run. `busy` when another run was at work: nothing was done.
    `removed_gateways` says in French which gateways were removed too early."""

    busy: bool = False
    answered: int = 0
    unanswered: int = 0
    expired: int = 0
    refunds: int = 0
    left: int = 0
    removed_gateways: list[str] = field(default_factory=list)


def run(
    gateways: Mapping[str, Gateway],
    public_url: str,
    issuers: Issuers,
    *,
    seconds: float = RUN_SECONDS,
) -> Summary:
    """Ask what is due, for `seconds` at most, and return what came of it."""
    summary = Summary()
    longest = timedelta(seconds=seconds) + _LONGEST_QUESTION
    with leases.hold(LEASE, longest) as held:
        if not held:
            return Summary(busy=True)
        _Run(gateways, public_url, issuers, time.monotonic() + seconds, summary).work()
    return summary


def last_finished_at() -> datetime | None:
    """Return when a run last came to its end; its age is to be watched."""
    return leases.finished_at(LEASE)


class _Run:
    """One run. Threads only talk to the banks; this thread alone reads and writes the database."""

    def __init__(
        self,
        gateways: Mapping[str, Gateway],
        public_url: str,
        issuers: Issuers,
        deadline: float,
        summary: Summary,
    ) -> None:
        self._gateways = gateways
        self._public_url = public_url
        self._issuers = issuers
        self._deadline = deadline
        self._summary = summary
        self._silences = dict.fromkeys(gateways, 0)

    def work(self) -> None:
        self._summary.expired = polling.expire_what_cannot_be_asked()
        self._send_refunds_again()
        self._forget_what_cannot_be_asked()
        self._tell_of_what_nobody_asks()
        asked: set[int] = set()
        while not self._is_over():
            batch = [each for each in self._due() if each.id not in asked]
            if not batch:
                break
            asked.update(each.id for each in batch)
            self._ask_all(batch)
        self._summary.left = len(self._due())

    def _due(self) -> list[Attempt]:
        return polling.attempts_due(self._talkative(), _BATCH)

    def _talkative(self) -> list[str]:
        """Return the banks that can be asked, and answer."""
        return [
            name
            for name, gateway in self._gateways.items()
            if isinstance(gateway, Polls) and self._silences[name] < GIVE_UP_AFTER
        ]

    def _forget_what_cannot_be_asked(self) -> None:
        mute = [name for name, each in self._gateways.items() if not isinstance(each, Polls)]
        for attempt in polling.attempts_due(mute, _BATCH):
            polling.stop_asking(attempt)

    def _tell_of_what_nobody_asks(self) -> None:
        self._summary.removed_gateways = gateway_usage.flag_gateways_removed_too_early(
            list(self._gateways)
        )
        for words in self._summary.removed_gateways:
            _log.warning("%s", words)

    def _is_over(self) -> bool:
        return time.monotonic() >= self._deadline

    def _send_refunds_again(self) -> None:
        for repayment in refunds.unanswered_refunds(_BATCH):
            gateway = self._gateways.get(repayment.gateway or "")
            if self._is_over() or not isinstance(gateway, Refunds):
                continue
            sent = refunds.send_refund(repayment, gateway, self._public_url, self._issuers)
            self._summary.refunds += sent.state != RepaymentState.ASKED

    def _ask_all(self, batch: Iterable[Attempt]) -> None:
        """Keep AT_ONCE questions under way, and apply each answer as it comes."""
        # Lazily: whether there is still time, and whether the bank still answers, changes.
        waiting = (
            attempt
            for attempt in batch
            if not self._is_over() and attempt.gateway in self._talkative()
        )
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="ask") as pool:
            under_way: dict[Future[list[Report]], Attempt] = {}
            while True:
                for attempt in islice(waiting, AT_ONCE - len(under_way)):
                    under_way[self._question(pool, attempt)] = attempt
                if not under_way:
                    break
                done, _ = wait(under_way, return_when=FIRST_COMPLETED)
                for future in done:
                    self._apply(under_way.pop(future), future)

    def _question(self, pool: ThreadPoolExecutor, attempt: Attempt) -> Future[list[Report]]:
        gateway = _asked(self._gateways[attempt.gateway])
        return pool.submit(gateway.poll, order_of(attempt, self._public_url))

    def _apply(self, attempt: Attempt, future: Future[list[Report]]) -> None:
        answered = False
        try:
            gateway = _asked(self._gateways[attempt.gateway])
            answered = polling.apply_answer(attempt, gateway, future.result(), self._issuers)
        except Unreachable:
            polling.postpone_question(attempt)
        except DatabaseError:
            raise
        except Exception as error:  # noqa: BLE001  # one attempt must not keep the others waiting
            _log.error("attempt %s: %s", attempt.reference, type(error).__name__)
            polling.postpone_question(attempt)
        self._silences[attempt.gateway] = 0 if answered else self._silences[attempt.gateway] + 1
        self._summary.answered += answered
        self._summary.unanswered += not answered


def _asked(gateway: Gateway) -> Polls:
    if not isinstance(gateway, Polls):
        raise TypeError(gateway.name)
    return gateway
