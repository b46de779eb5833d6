"""The time limits for a bank's answer, and how to abandon a call when they are over."""

import queue
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

#: Total time that a bank has to answer: a payer who is back may be waiting on our page.
ANSWER_SECONDS = 6.0
#: Time to find the host and connect; a bank is one hop away or down.
CONNECT_SECONDS = 3.0
#: Longest silence within an answer; a bank may have to ask another one first.
SILENCE_SECONDS = 20.0


def within(seconds: float, work: Callable[[], T]) -> T:
    """Do the work in a thread, and abandon it after `seconds`. Raises TimeoutError, or its error.

    Nothing else limits the whole call: neither the system's name look-up nor headers sent byte by
    byte have a time-out.
    """
    outcome: queue.SimpleQueue[T | Exception] = queue.SimpleQueue()

    def run() -> None:
        try:
            outcome.put(work())
        except Exception as error:  # noqa: BLE001  # raised again by whoever waits
            outcome.put(error)

    threading.Thread(target=run, daemon=True).start()
    try:
        found = outcome.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError from None
    if isinstance(found, Exception):
        raise found
    return found
