"""Ask the banks about every attempt and refund without a final answer. A timer calls it.

Safe to run twice at once: a lease lets only one run work, and asking twice would be harmless. A run
has a total deadline; the next run asks what it did not reach. A silent bank, or an adapter that has
a bug, takes no more than its share of the run.
"""

import logging
import queue
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from gateways.base import Gateway, Lists, Polls, Refunds
from kiosque.db import leases
from kiosque.payments import gateway_calls, gateway_usage, polling
from kiosque.payments.bank_questions import Call, Kind, Listings, Questions, Requests
from kiosque.payments.gateway_calls import CallOutcome
from kiosque.payments.receipts import Issuers

_log = logging.getLogger(__name__)

LEASE = "reconcile"
#: A timer calls each minute: a run ends before the next begins.
RUN_SECONDS = 50
#: Questions under way at once, for all banks together; they are shared between the lines.
AT_ONCE = 32
#: After so many unanswered questions in a row, a bank is left alone until the next run.
GIVE_UP_AFTER = 10
#: The last answer is recorded this long after the run's deadline, at most.
_LONGEST_ANSWER = timedelta(seconds=20)
_BATCH = 500


@dataclass
class Summary:
    """The outcome of a run. `busy` when another run was at work: nothing was done. `silent` are the
    gateways whose bank answered nothing of one kind, `broken` those whose adapter has a bug;
    `removed_gateways` says in French which gateways were removed too early."""

    busy: bool = False
    answered: int = 0
    unanswered: int = 0
    expired: int = 0
    refunds: int = 0
    left: int = 0
    silent: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    removed_gateways: list[str] = field(default_factory=list)


def run(
    gateways: Mapping[str, Gateway],
    public_url: str,
    issuers: Issuers,
    *,
    seconds: float = RUN_SECONDS,
) -> Summary:
    """Ask what is due, for `seconds` at most, and return what came of it."""
    deadline = time.monotonic() + seconds
    with leases.hold(LEASE, timedelta(seconds=seconds) + _LONGEST_ANSWER) as held:
        if not held:
            return Summary(busy=True)
        summary = Summary(expired=polling.expire_what_cannot_be_asked())
        _forget_what_cannot_be_asked(gateways)
        _tell_of_what_nobody_asks(gateways, summary)
        lines = _lines(gateways, public_url, issuers)
        _Run(lines, deadline).work()
        _sum_up(lines, summary)
    return summary


def last_finished_at() -> datetime | None:
    """Return when a run last came to its end; its age is to be watched."""
    return leases.finished_at(LEASE)


def _forget_what_cannot_be_asked(gateways: Mapping[str, Gateway]) -> None:
    mute = [name for name, each in gateways.items() if not isinstance(each, Polls)]
    for attempt in polling.attempts_due(mute, _BATCH):
        polling.stop_asking(attempt)


def _tell_of_what_nobody_asks(gateways: Mapping[str, Gateway], summary: Summary) -> None:
    summary.removed_gateways = gateway_usage.flag_gateways_removed_too_early(list(gateways))
    for words in summary.removed_gateways:
        _log.warning("%s", words)


class _Line:
    """The questions of one kind to one bank, in their order, each once a run."""

    def __init__(self, name: str, kind: Kind) -> None:
        self.gateway_name, self.kind = name, kind
        self.under_way = 0
        self.outcomes: list[CallOutcome] = []
        self._items = self._each_once()

    def next(self) -> Any:
        """Return the next thing to ask; None while the line has its share under way, or once its
        bank is given up."""
        if self.under_way >= self.kind.at_once or self.is_given_up():
            return None
        return next(self._items, None)

    def is_given_up(self) -> bool:
        last = self.outcomes[-GIVE_UP_AFTER:]
        return len(last) == GIVE_UP_AFTER and CallOutcome.GIVEN not in last

    def _each_once(self) -> Iterator[Any]:
        seen: set[int] = set()
        while batch := [each for each in self.kind.due(_BATCH) if each.id not in seen]:
            seen.update(each.id for each in batch)
            yield from batch


@dataclass(frozen=True)
class _Asked:
    """A question under way, and until when, by `time.monotonic()`, its answer is awaited."""

    line: _Line
    item: Any
    until: float


class _Run:
    """One run. Threads only talk to the banks; this thread alone reads and writes the database."""

    def __init__(self, lines: list[_Line], deadline: float) -> None:
        self._lines = deque(lines)
        self._deadline = deadline
        self._under_way: dict[Call, _Asked] = {}
        self._ended: queue.SimpleQueue[Call] = queue.SimpleQueue()

    def work(self) -> None:
        while True:
            self._ask_in_turn()
            if not self._under_way:
                return
            for call in self._next_ended():
                self._hear(call)

    def _ask_in_turn(self) -> None:
        """Ask as much as each line's share and the run's time allow."""
        resting = 0
        while resting < len(self._lines) and len(self._under_way) < AT_ONCE and not self._is_over():
            line = self._lines[0]
            self._lines.rotate(-1)
            item = line.next()
            resting = 0 if item else resting + 1
            if item:
                self._ask(line, item)

    def _ask(self, line: _Line, item: Any) -> None:
        try:
            call = line.kind.begin(item)
        except Exception as error:  # noqa: BLE001  # one item must not keep the others waiting
            line.outcomes.append(gateway_calls.outcome_of(error))
            gateway_calls.log_defect(f"{line.gateway_name} {item.id}", error)
            return
        if call is None:  # another process has just asked
            return
        until = min(time.monotonic() + line.kind.seconds, self._deadline)
        self._under_way[call] = _Asked(line, item, until)
        line.under_way += 1
        call.add_done_callback(self._ended.put)

    def _next_ended(self) -> list[Call]:
        """Return the next call to end, or those whose time has passed."""
        first = min(asked.until for asked in self._under_way.values())
        try:
            return [self._ended.get(timeout=max(first - time.monotonic(), 0))]
        except queue.Empty:
            now = time.monotonic()
            return [call for call, asked in self._under_way.items() if asked.until <= now]

    def _hear(self, call: Call) -> None:
        """Apply an answer, or the lack of one. Ignore the answer to a call already given up."""
        if asked := self._under_way.pop(call, None):
            asked.line.under_way -= 1
            asked.line.outcomes.append(asked.line.kind.finish(asked.item, call))

    def _is_over(self) -> bool:
        return time.monotonic() >= self._deadline


def _lines(gateways: Mapping[str, Gateway], public_url: str, issuers: Issuers) -> list[_Line]:
    """Return one line for each bank and kind of question."""
    return [
        *[
            _Line(name, Requests(name, each, public_url, issuers))
            for name, each in gateways.items()
            if isinstance(each, Refunds)
        ],
        *[
            _Line(name, Listings(name, each, issuers))
            for name, each in gateways.items()
            if isinstance(each, Lists)
        ],
        *[
            _Line(name, Questions(name, each, public_url, issuers))
            for name, each in gateways.items()
            if isinstance(each, Polls)
        ],
    ]


def _sum_up(lines: list[_Line], summary: Summary) -> None:
    for line in lines:
        given = line.outcomes.count(CallOutcome.GIVEN)
        if isinstance(line.kind, Requests):
            summary.refunds += len(line.kind.concluded)
        else:
            summary.answered += given
            summary.unanswered += len(line.outcomes) - given
        summary.left += len(line.kind.due(_BATCH))
    summary.silent = _names(line for line in lines if _is_silent(line.outcomes))
    summary.broken = _names(line for line in lines if CallOutcome.BROKEN in line.outcomes)


def _is_silent(outcomes: list[CallOutcome]) -> bool:
    return CallOutcome.MISSING in outcomes and CallOutcome.GIVEN not in outcomes


def _names(lines: Iterable[_Line]) -> list[str]:
    return sorted({line.gateway_name for line in lines})
