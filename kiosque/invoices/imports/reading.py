"""Read the cells of a file, collect their faults, and sum up what the file brings."""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any, TypeVar

from kiosque.invoices.imports.dates import parse_date
from kiosque.language.parsing import parse_hundredths

#: Shows progress over many items: (items, what is being done) -> the same items.
Progress = Callable[[Iterable[Any], str], Iterable[Any]]

Number = TypeVar("Number")

#: The number of a line in its file, and its cells.
NumberedLine = tuple[int, list[str]]

#: The two answers that may make a refused file loadable: who its debtors are, or its columns.
DEBTORS, COLUMNS = "debtors", "columns"

#: Beyond this many faults the file is simply not of the right kind.
MAX_FAULTS = 100

CODE = re.compile(r"[A-Z0-9][A-Z0-9-]{0,19}", re.ASCII)
NUMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,29}", re.ASCII)
#: In no number, since its page's address has it: parts that browsers remove, another page's name.
_NO_ADDRESS = re.compile(r"/\.{0,2}(?:/|$)|/question$")


@dataclass(frozen=True)
class Fault:
    """A fault of one line, or of the whole file for line 0, and what to do about it, in French.
    `needs` names what a person can do: confirm a surprise of `Confirmed`, or say who the DEBTORS or
    what the COLUMNS are. `unit` is what `line` counts if not lines: pieces of a PES file."""

    line: int
    text: str
    needs: str = ""
    unit: str = "ligne"

    def __str__(self) -> str:
        return f"{self.unit} {self.line} : {self.text}" if self.line else self.text


class BadFile(Exception):  # the word of the domain
    """The file cannot be loaded; nothing of it was."""

    def __init__(self, faults: Sequence[Fault]):
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = list(faults)


@dataclass(frozen=True)
class Confirmed:
    """The surprises of a file that a person has confirmed; any other makes the file refused."""

    new_services: bool = False
    new_families: bool = False
    removals: bool = False
    overpayments: bool = False


#: Confirm no surprise; confirm every one, to see them all.
NOTHING, EVERYTHING = Confirmed(), Confirmed(*[True] * 4)


@dataclass(frozen=True)
class SampleLine:
    """A line of an invoice, as its family will read it."""

    label: str
    service: str
    child: str
    quantity_hundredths: int
    unit_price_cents: int
    amount_cents: int


@dataclass(frozen=True)
class Sample:
    """An invoice that a file brings, as its family will see it; `line` is where it begins there."""

    line: int
    code: str
    number: str
    period: str
    issued_on: date
    due_on: date
    closes_on: date | None
    regie: str
    total_cents: int
    lines: tuple[SampleLine, ...]


@dataclass(frozen=True)
class Absent:
    """An invoice loaded before that its month, exported again, lacks; `state` is in French."""

    number: str
    code: str
    total_cents: int
    state: str
    regie: str


@dataclass(frozen=True)
class FileSummary:
    """Counts of what a file brought, or would bring. `regies` gives the cents that belong to each
    *régie*, by its key. `joined_services` are (spelling in the file, name kept), `joined_children`
    (family code, spelling, name kept); `removals` say in French what leaves the record;
    `left_since` names the invoices of known payments whose money no longer pays them; `warnings`
    are what a person should look at, by line; `to_confirm` are the surprises confirmed;
    `without_email` are the codes of families with no address in the file.

    For invoices, `services` gives the cents by name, `issued_on` is the last date, `samples` are
    some of them, `told` is how many families a mail will reach; nothing is done to those that are
    `absent`. `plan` is a digest of what the load does to the database."""

    kind: str
    rows: int
    added: int
    unchanged: int
    total_cents: int = 0
    new_families: int = 0
    new_services: tuple[str, ...] = ()
    regies: Mapping[str, int] = field(default_factory=dict)
    joined_services: tuple[tuple[str, str], ...] = ()
    joined_children: tuple[tuple[str, str, str], ...] = ()
    removals: tuple[str, ...] = ()
    left_since: tuple[str, ...] = ()
    nothing_due: int = 0
    without_email: tuple[str, ...] = ()
    warnings: tuple[Fault, ...] = ()
    to_confirm: tuple[Fault, ...] = ()
    services: Mapping[str, int] = field(default_factory=dict)
    issued_on: date | None = None
    samples: tuple[Sample, ...] = ()
    told: int = 0
    absent: tuple[Absent, ...] = ()
    plan: str = ""


def digest(*parts: object) -> str:
    """Return a digest of these values, the same only for the same ones."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def sums(amounts: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Add up the amounts of each name."""
    found: dict[str, int] = {}
    for name, cents in amounts:
        found[name] = found.get(name, 0) + cents
    return found


@dataclass(frozen=True)
class Row:
    """One line of a file. Its methods raise ValueError, in French, for a cell that is not valid."""

    line: int
    cells: Mapping[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells[column]

    def get(self, column: str) -> str:
        """Return the text of a column that the file may lack."""
        return self.cells.get(column, "")

    def text(self, column: str) -> str:
        """Return the text of a cell that must not be empty."""
        if not (value := self[column]):
            raise ValueError(f"{column} est vide")
        return value

    def code(self) -> str:
        """Return the *code famille*, in capitals and without spaces."""
        return _code(self["code_famille"])

    def number(self) -> str:
        """Read an invoice's number, which addresses can hold. Raises ValueError, in French."""
        number = self["numero_facture"].removeprefix("'")
        if not NUMBER.fullmatch(number) or ("/" in number and _NO_ADDRESS.search(number)):
            raise ValueError(
                f"numero_facture {quoted(self['numero_facture'])} : attendu 1 à 30 lettres sans "
                "accent, chiffres, points, tirets ou barres, sans partie vide, « . », « .. », ni "
                "« question » à la fin"
            )
        return number

    def date(self, column: str) -> date:
        """Read `2026-10-31` or `31/10/2026`. Raises ValueError, in French."""
        if (found := parse_date(self[column])) is None:
            raise ValueError(
                f"{column} {quoted(self[column])} : attendu une date comme 2026-10-31 ou 31/10/2026"
            )
        return found


@lru_cache(maxsize=10_000)  # a family has many lines
def _code(text: str) -> str:
    code = "".join(text.split()).upper().removeprefix("'")
    if not CODE.fullmatch(code):
        raise ValueError(
            f"code_famille {quoted(text)} : attendu 1 à 20 lettres sans accent, chiffres ou tirets"
        )
    return code


def quoted(text: str) -> str:
    """Return a value to show in a fault: not too long, and with its invisible characters
    escaped, since a terminal obeys some of them."""
    shown = "".join(
        sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text[:41]
    )
    return f"« {shown[:40]}… »" if len(shown) > 40 else f"« {shown} »"


def number_in(column: str, text: str, parse: Callable[[str], Number]) -> Number:
    """Read the number in a cell. Raise ValueError, in French."""
    try:
        return parse(text)
    except ValueError:
        decimals = " à deux décimales au plus" if parse is parse_hundredths else ""
        raise ValueError(
            f"{column} {quoted(text)} : attendu un nombre{decimals}, comme 12,50"
        ) from None


def every(*readings: Callable[[], Any]) -> list[Any]:
    """Return the result of each reading. Raise one ValueError with the texts of all that fail."""
    values: list[Any] = []
    texts: list[str] = []
    for reading in readings:
        try:
            values.append(reading())
        except ValueError as error:
            texts += error.args
    if texts:
        raise ValueError(*texts)
    return values


class Faults:
    """Collect the faults of all lines, so that one reading names them all.

    Too many of them raise BadFile at once.
    """

    def __init__(self, unit: str = "ligne") -> None:
        self._found: list[Fault] = []
        self.unit = unit

    def add(self, line: int, *texts: str, needs: str = "") -> None:
        """Add the faults of one line."""
        self._found += [Fault(line, text, needs, self.unit) for text in texts]
        if len(self._found) >= MAX_FAULTS:
            del self._found[MAX_FAULTS:]
            self.raise_any()

    def __bool__(self) -> bool:
        return bool(self._found)

    def raise_any(self) -> None:
        if self._found:
            raise BadFile(sorted(self._found, key=lambda fault: fault.line))


def silent(items: Iterable[Any], _what: str) -> Iterable[Any]:
    """Show no progress."""
    return items
