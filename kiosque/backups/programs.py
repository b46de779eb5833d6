"""Run a program of this machine: without a shell, with a time limit, and without our secrets."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence

from kiosque.settings.loading import PREFIX

_LONGEST_WORDS = 300


class ProgramFailed(Exception):
    """A program did not do its work; the text says why, in French, with its own last words. `why`
    is without them, and `said` is all of them: those of a town's own program may hold a secret."""

    def __init__(self, why: str, said: bytes = b"") -> None:
        self.why, self.said = why, said
        last = " ".join(said.decode("utf-8", "replace").split())[-_LONGEST_WORDS:]
        super().__init__(f"{why}\u00a0: {last}" if last else why)


def run(
    words: Sequence[str],
    *,
    seconds: float,
    given: bytes = b"",
    environment: Mapping[str, str] | None = None,
) -> bytes:
    """Run a program and return its output. The processes that it started are ended with it.

    Raises ProgramFailed.
    """
    kept = {name: it for name, it in os.environ.items() if not name.startswith(PREFIX)}
    try:
        process = subprocess.Popen(  # noqa: S603  # the town's own words, without a shell
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**kept, **(environment or {})},
            start_new_session=True,
        )
    except OSError:
        raise ProgramFailed(f"{words[0]} n’est pas installé, ou ne se lance pas") from None
    try:
        written, said = process.communicate(given, timeout=seconds)
    except subprocess.TimeoutExpired:
        said = _end(process)
        why = f"{words[0]} n’a pas fini en {seconds / 60:.0f} minutes"
        raise ProgramFailed(why, said) from None
    except BaseException:
        _end(process)
        raise
    if process.returncode:
        raise ProgramFailed(f"{words[0]} a échoué (code {process.returncode})", said)
    return written


def _end(process: "subprocess.Popen[bytes]") -> bytes:
    """End a program, and return what it had said."""
    os.killpg(process.pid, signal.SIGKILL)
    return process.communicate()[1]
