"""OFX, the statements made for Money and Quicken: SGML (1.x) or XML (2.x), read alike.

An element is a tag and a text, whose end tag may be missing; an aggregate has its end tag. The
charset declared in the header is often wrong: the text comes already decoded, by its content. The
bank's id of a movement, `FITID`, is not kept: some banks make another at each download.
Source: Open Financial Exchange, 1.0.2 and 2.2, chapter 11.
"""

import html
import re
from collections.abc import Iterator, Mapping
from datetime import date, timedelta

from kiosque.invoices.imports.reading import Faults, every, quoted
from kiosque.statements.cells import MAX_REFERENCE, cents_in, day_in, french_iban, one_line
from kiosque.statements.records import FileKind, Movement, ParsedFile, Period

_ELEMENT = re.compile(r"<(/?[A-Z0-9._]{1,32})>([^<]*)")
_CDATA = re.compile(r"<!\[CDATA\[([^\]<]*)\]\]>")
_STATEMENTS = frozenset({"STMTRS", "CCSTMTRS"})
_TRANSACTION, _TRANSACTIONS, _BALANCE = "STMTTRN", "BANKTRANLIST", "LEDGERBAL"
_ACCOUNTS = frozenset({"BANKACCTFROM", "CCACCTFROM"})
#: The aggregates whose elements are read, and where their values go; others are ignored.
_READ = frozenset({*_ACCOUNTS, _TRANSACTION, _TRANSACTIONS, _BALANCE})
_COUNTED = frozenset({*_STATEMENTS, _TRANSACTION})
_BEFORE_LIST = timedelta(days=1)


def is_ofx(head: str) -> bool:
    """Tell whether a file that begins so is one of these."""
    return "OFXHEADER" in head or "<OFX>" in head


def read(text: str) -> ParsedFile:
    """Read a file. Raise BadFile, naming each movement that cannot be."""
    reader = _Reader()
    for at, tag, value in _elements(text):
        try:
            reader.take(tag, value)
        except ValueError as error:
            reader.faults.add(text.count("\n", 0, at) + 1, *error.args)
    reader.end()
    reader.faults.raise_any()
    return ParsedFile(FileKind.OFX, tuple(reader.periods))


def _elements(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield where each tag begins, its name, and the text that follows."""
    sound = _CDATA.sub(lambda found: html.escape(found[1]), text)
    for match in _ELEMENT.finditer(sound):
        value = match[2].strip()
        yield match.start(), match[1], html.unescape(value) if "&" in value else value


class _Reader:
    """Takes in one tag after another."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.periods: list[Period] = []
        self._begun: set[str] = set()
        self._group = ""
        self._values: dict[str, dict[str, str]] = {}
        self._movements: list[Movement] = []

    def take(self, tag: str, value: str) -> None:
        """Raise ValueError, in French, for a movement or a statement that cannot be read."""
        name = tag.removeprefix("/")
        if name in _COUNTED:
            self._begin_or_end(name, is_end=tag != name)
        if name in _STATEMENTS:
            self._turn() if tag == name else self._close()
        elif tag in _READ:
            self._group, self._values[tag] = tag, {}
        elif name == _TRANSACTION:
            self._group = _TRANSACTIONS
            self._movements.append(_movement(self._values.pop(_TRANSACTION, {})))
        elif name in _READ:
            self._group = ""
        elif tag == name and value:
            self._values.setdefault(self._group, {}).setdefault(tag, value)

    def _begin_or_end(self, name: str, *, is_end: bool) -> None:
        """Refuse an aggregate that begins twice, or ends without having begun: money would count
        twice, or be lost."""
        if (name in self._begun) is not is_end:
            raise ValueError(f"<{name}> {'finit' if is_end else 'commence'} deux fois")
        self._begun ^= {name}

    def end(self) -> None:
        if self._begun or not self.periods:
            self.faults.add(0, "ce fichier OFX est coupé, ou ne contient aucun relevé")

    def _turn(self) -> None:
        self._group, self._values, self._movements = "", {}, []

    def _close(self) -> None:
        currency = self._values.get("", {}).get("CURDEF", "")
        if currency.upper() != "EUR":
            raise ValueError(f"devise {quoted(currency)} : attendu EUR")
        moved = (movement for movement in self._movements if movement.cents)
        movements = sorted(moved, key=lambda movement: movement.booked_on)
        self.periods.append(_period(self._values, tuple(movements)))


def _movement(told: Mapping[str, str]) -> Movement:
    """Return a movement. Raise ValueError, in French."""
    if (currency := told.get("CURSYM", "EUR")) != "EUR":
        raise ValueError(f"devise {quoted(currency)} : attendu EUR")
    booked_on, value_on, cents = every(
        lambda: _day(told.get("DTPOSTED", "")),
        lambda: _day(told["DTAVAIL"]) if "DTAVAIL" in told else None,
        lambda: cents_in(told.get("TRNAMT", "")),
    )
    reference = told.get("REFNUM") or told.get("CHECKNUM", "")
    return Movement(
        booked_on, value_on, cents, one_line(told.get("NAME", ""), told.get("MEMO", "")),
        one_line(reference, most=MAX_REFERENCE),
    )  # fmt: skip


def _day(text: str) -> date:
    """Read the day of an instant, which begins with it, in the bank's own time."""
    return day_in(text[:8])


def _period(values: Mapping[str, Mapping[str, str]], movements: tuple[Movement, ...]) -> Period:
    """Return a statement. Take its closing balance only if it is that of the list's last day, since
    many banks give today's. OFX has no opening balance: compute it from the movements."""
    account = next((values[name] for name in _ACCOUNTS if name in values), {})
    listed, balance = values.get(_TRANSACTIONS, {}), values.get(_BALANCE, {})
    number = french_iban(
        account.get("BANKID", ""), account.get("BRANCHID", ""), account.get("ACCTID", "")
    )
    start, end, on = (
        _day(text) if text else None
        for text in (listed.get("DTSTART"), listed.get("DTEND"), balance.get("DTASOF"))
    )
    closing = cents_in(balance.get("BALAMT", "")) if on and on == end else None
    opening = None if closing is None else closing - sum(each.cents for each in movements)
    opened_on = start - _BEFORE_LIST if start and opening is not None else None
    return Period(one_line(number), opened_on, opening, end, closing, movements)
