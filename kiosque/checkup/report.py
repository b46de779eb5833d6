"""Print the results: as text for people, as JSON for scripts."""

import json
import re
import textwrap
from collections.abc import Iterator, Sequence
from itertools import groupby

from kiosque.checkup.findings import WORDS, Level, Result
from kiosque.version import VERSION

_COLOURS = {Level.GOOD: "32", Level.UNKNOWN: "33", Level.LOOK: "33", Level.BROKEN: "31"}
#: For scripts: no accent, no space.
_CODES = {
    Level.GOOD: "bon",
    Level.UNKNOWN: "non-verifie",
    Level.LOOK: "a-regarder",
    Level.BROKEN: "en-panne",
}


def as_text(results: Sequence[Result], *, colour: bool, columns: int = 100) -> str:
    """Return one aligned line for each subject; under it its troubles, each with its remedy."""
    width = max(len(result.subject) for result in results)
    wide = max(map(len, WORDS.values()))
    lines = []
    for result in results:
        word = WORDS[result.level]
        told = _wrap(f"{result.subject:{width}}  {word:{wide}}  ", result.detail, columns)
        if colour:  # after wrapping: the codes of a colour take no column
            told = told[: width + 2] + _paint(result.level, word) + told[width + 2 + len(word) :]
        lines.append(told)
        for begin, text in _told(result):
            lines.append(_wrap(f"{'':{width}}  {begin}", text, columns))
    return "\n".join([*lines, "", conclusion(results)])


def _wrap(begin: str, text: str, columns: int) -> str:
    """Wrap a text at `columns`, never inside a word: a path must be copied whole."""
    return (
        textwrap.fill(
            _typeset(text),
            columns,
            initial_indent=begin,
            subsequent_indent=" " * len(begin),
            break_long_words=False,
            break_on_hyphens=False,
        ).rstrip()
        or begin.rstrip()
    )


def _typeset(text: str) -> str:
    """Put the no-break spaces that French wants."""
    return re.sub(r" (?=[:;?!»])|(?<=«) ", "\u00a0", text)


def _told(result: Result) -> Iterator[tuple[str, str]]:
    """Yield (beginning, text) of each line; troubles with one remedy together, the remedy once."""
    several = len({trouble.level for trouble in result.troubles}) > 1
    for advice, troubles in groupby(result.troubles, key=lambda trouble: trouble.advice):
        for trouble in troubles:
            sign = f"{WORDS[trouble.level]}\u00a0: " if several else ""
            yield "- ", f"{sign}{trouble.what}"
        if advice:
            yield "  → ", advice


def _paint(level: Level, text: str) -> str:
    return f"\033[{_COLOURS[level]}m{text}\033[0m"


def conclusion(results: Sequence[Result]) -> str:
    """Return the number of troubles of each level, in one sentence."""
    levels = [result.level for result in results]
    counts = [
        f"{WORDS[level]}\u00a0: {levels.count(level)}"
        for level in (Level.BROKEN, Level.LOOK, Level.UNKNOWN)
        if level in levels
    ]
    return f"{', '.join(counts)}.".capitalize() if counts else "Tout est bon."


def as_json(results: Sequence[Result]) -> str:
    """Return the results in JSON; each `etat` is bon, a-regarder, en-panne or non-verifie."""
    worst = max(result.level for result in results)
    subjects = [
        {
            "sujet": result.subject,
            "etat": _CODES[result.level],
            "constat": _typeset(result.detail),
            "ennuis": [
                {
                    "etat": _CODES[trouble.level],
                    "constat": _typeset(trouble.what),
                    "conseil": _typeset(trouble.advice),
                }
                for trouble in result.troubles
            ],
        }
        for result in results
    ]
    told = {"etat": _CODES[worst], "version": VERSION, "sujets": subjects}
    return json.dumps(told, ensure_ascii=False, indent=2)
