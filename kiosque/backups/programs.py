"""Run a program of this machine: word by word, without a shell, a time limit, our secrets apart."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from typing import IO

from kiosque.settings.loading import PREFIX

_LONGEST_WORDS = 300


class ProgramFailed(Exception):
    """A program did not do its work; the text says why, in French, with its own last words."""


def run(
    words: Sequence[str],
    *,
    seconds: float,
    given: bytes = b"",
    environment: Mapping[str, str] | None = None,
    out: IO[bytes] | int = subprocess.PIPE,
) -> bytes:
    """Run a program and return what it wrote. Whatever it started is ended with it.

    Raises ProgramFailed.
    """
    kept = {name: it for name, it in os.environ.items() if not name.startswith(PREFIX)}
    try:
        process = subprocess.Popen(  # noqa: S603  # the town's own words, without a shell
            words,
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=subprocess.PIPE,
            env={**kept, **(environment or {})},
            start_new_session=True,
        )
    except OSError:
        raise ProgramFailed(f"{words[0]} n’est pas installé, ou ne se lance pas") from None
    try:
        written, said = process.communicate(given, timeout=seconds)
    except subprocess.TimeoutExpired:
        _end(process)
        raise ProgramFailed(f"{words[0]} n’a pas fini en {seconds / 60:.0f} minutes") from None
    except BaseException:
        _end(process)
        raise
    if process.returncode:
        last = " ".join(said.decode("utf-8", "replace").split())[-_LONGEST_WORDS:]
        said_words = f"\u00a0: {last}" if last else ""
        raise ProgramFailed(f"{words[0]} a échoué (code {process.returncode}){said_words}")
    return written or b""


def _end(process: "subprocess.Popen[bytes]") -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
