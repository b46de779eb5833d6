"""A command of the site that stops at a place of its work, says so, and waits for a line:
`python -m tests.proof.deposit_process PLACE deposit final ...`. One that is killed there dies as a
machine would."""

import sys
from collections.abc import Callable
from functools import cache
from typing import Any
from unittest import mock

from kiosque import deposits
from kiosque.cli import main
from kiosque.deposits import final
from kiosque.papers import deposits as papers
from kiosque.payments import journal

#: Once its paper is made; while it is written; once it is in the books.
PLACES: dict[str, tuple[Any, str]] = {
    "rendered": (papers, "bordereau"),
    "written": (journal, "append"),
    "booked": (deposits, "finalize"),
}


def stopping(at: str, do: Callable[..., Any]) -> Callable[..., Any]:
    """Do it, then stop and wait."""

    def done(*arguments: Any, **named: Any) -> Any:
        made = do(*arguments, **named)
        print(at, flush=True)
        sys.stdin.readline()
        return made

    return done


if __name__ == "__main__":
    place, *arguments = sys.argv[1:]
    if place == "unguarded":  # what was drafted is not looked at again
        mock.patch.object(final, "draft", cache(final.draft)).start()
        place = "rendered"
    of, name = PLACES[place]
    mock.patch.object(of, name, stopping(place, getattr(of, name))).start()
    main(arguments)
