"""The lines that tests execute in the functions that have faults, and the line of each fault."""

import contextlib
import inspect
import re
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from types import FrameType

from mutmut.utils.format_utils import mangled_name_from_mutant_name

#: A function as it is, or with a fault, as mutmut writes them one after the other in a module.
_WRITTEN = re.compile(r"^ *(?:async )?def (\w+__mutmut_(?:orig|\d+))\(", re.MULTILINE)
_AS_IT_IS = "__mutmut_orig"


@contextlib.contextmanager
def lines_gone_through() -> Iterator[dict[str, set[int]]]:
    """Collect, during the block, the lines executed in the functions that have faults, each
    numbered from the first line of its function."""
    found: defaultdict[str, set[int]] = defaultdict(set)

    def called(frame: FrameType, _event: str, _: object) -> Callable[..., object] | None:
        code = frame.f_code
        if not code.co_name.endswith(_AS_IT_IS):
            return None
        name = f"{frame.f_globals['__name__']}.{code.co_name.removesuffix(_AS_IT_IS)}"
        lines = found[name]
        lines.add(0)

        def gone_through(frame: FrameType, _event: str, _: object) -> Callable[..., object]:
            lines.add(frame.f_lineno - code.co_firstlineno)
            return gone_through

        return gone_through

    threading.settrace(called)
    sys.settrace(called)
    try:
        yield found
    finally:
        sys.settrace(None)
        threading.settrace(None)  # type: ignore[arg-type]


@cache
def lines_of_faults(module: str) -> dict[str, int]:
    """Return the line of each fault of a module, numbered from the first line of its function."""
    written = _WRITTEN.split(inspect.getsource(import_module(module)))
    texts = dict(zip(written[1::2], (each.splitlines() for each in written[2::2]), strict=True))
    return {
        name: next(
            number
            for number, (one, other) in enumerate(
                zip(text, texts[mangled_name_from_mutant_name(name) + _AS_IT_IS], strict=False)
            )
            if one != other
        )
        for name, text in texts.items()
        if not name.endswith(_AS_IT_IS)
    }
