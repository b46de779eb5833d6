"""Actions of a test that happen at one instant, each in a thread of its own."""

import threading
from collections.abc import Callable


def at_once(*actions: Callable[[], object]) -> None:
    """Start the actions together, and wait for them all."""
    threads = [threading.Thread(target=action, daemon=True) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
