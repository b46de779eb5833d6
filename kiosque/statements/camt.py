"""CAMT.053, the statements of ISO 20022: versions 02, 08 and 13, the same in all that is read here.

Only booked entries (`BOOK`) are movements. An entry's sign is its own, reversal or not. What is
kept of its details are words and references: no IBAN but that of the account. Source:
ISO 20022, camt.053.001, *BankToCustomerStatement*.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from kiosque.invoices.imports.formats.xml_steps import forget, local, steps
from kiosque.invoices.imports.reading import Faults, every, quoted
from kiosque.statements.cells import (
    MAX_REFERENCE,
    account_in,
    cents_in,
    day_in,
    imbalance,
    one_line,
)
from kiosque.statements.records import FileKind, Movement, ParsedFile, Period

_DAY = timedelta(days=1)
#: Most beginnings and ends of elements: enough for 200 000 entries, or a few with many details.
MAX_STEPS = 12_000_000
#: Most details of one entry, which may stand for a thousand payments.
MAX_TEXTS = 20
_OPENING, _CLOSING = ("OPBD", "PRCD"), ("CLBD",)
_TEXTS = (
    "{*}AddtlNtryInf", "{*}NtryDtls/{*}TxDtls/{*}RltdPties/{*}Dbtr/{*}Nm",
    "{*}NtryDtls/{*}TxDtls/{*}RltdPties/{*}Dbtr/{*}Pty/{*}Nm",
    "{*}NtryDtls/{*}TxDtls/{*}RmtInf/{*}Ustrd",
    "{*}NtryDtls/{*}TxDtls/{*}RmtInf/{*}Strd/{*}CdtrRefInf/{*}Ref",
    "{*}NtryDtls/{*}TxDtls/{*}AddtlTxInf",
)  # fmt: skip
_NAMED = "{*}NtryDtls/{*}TxDtls/{*}Refs/{*}EndToEndId"
#: Written by banks where a payer gave no reference.
_NO_REFERENCE = frozenset({"NOTPROVIDED", "NONREF"})


@dataclass
class _Statement:
    """A statement that is being read. `balances` are cents and day by code."""

    account: str = ""
    balances: dict[str, tuple[int, date | None]] = field(default_factory=dict)
    movements: list[Movement] = field(default_factory=list)


def read(data: bytes) -> ParsedFile:
    """Read a file. Raise BadFile, naming each entry that cannot be."""
    faults = Faults()
    periods = list(_periods(data, faults))
    if not periods:
        faults.add(0, "ce fichier camt.053 ne contient aucun relevé (Stmt)")
    faults.raise_any()
    return ParsedFile(FileKind.CAMT, tuple(periods))


def _periods(data: bytes, faults: Faults) -> Iterator[Period]:
    current = _Statement()
    for event, element in steps(data, MAX_STEPS, "à la banque"):
        tag, parent = local(element), element.getparent()
        if event == "start":
            current = _Statement() if tag == "Stmt" else current
        elif tag == "Stmt":
            yield _period(current, element, faults)
            forget(element)
        elif parent is not None and local(parent) == "Stmt":
            try:
                _take(current, tag, element)
            except ValueError as error:
                faults.add(element.sourceline or 0, *error.args)
            forget(element)


def _take(current: _Statement, tag: str, element: Any) -> None:
    """Take in a part of a statement. Raise ValueError, in French."""
    if tag == "Acct":
        iban, other = _text(element, "Id/IBAN"), _text(element, "Id/Othr/Id")
        current.account = account_in(iban or other)
    elif tag == "Bal":
        code = _text(element, "Tp/CdOrPrtry/Cd")
        current.balances[code] = _cents(element), _day(element, "Dt")
    elif tag == "Ntry" and (_text(element, "Sts/Cd") or _text(element, "Sts")) == "BOOK":
        current.movements.append(_movement(element))


def _period(current: _Statement, element: Any, faults: Faults) -> Period:
    opening_cents, opened_on = _balance(current, _OPENING)
    closing_cents, closed_on = _balance(current, _CLOSING)
    movements = tuple(each for each in current.movements if each.cents)
    if opened_on:  # some banks date the balance of the first day itself, which is told whole
        opened_on = min([opened_on, *(each.booked_on - _DAY for each in movements)])
    period = Period(current.account, opened_on, opening_cents, closed_on, closing_cents, movements)
    if not faults and (fault := imbalance(period)):
        faults.add(element.sourceline or 0, fault)
    return period


def _balance(current: _Statement, codes: tuple[str, ...]) -> tuple[int | None, date | None]:
    found = (current.balances[code] for code in codes if code in current.balances)
    return next(found, (None, None))


def _movement(entry: Any) -> Movement:
    """Read a booked entry. Its reference is what the payer called the payment, where it is one.
    Raise ValueError, in French."""
    booked_on, value_on, cents = every(
        lambda: _day(entry, "BookgDt") or day_in(""),
        lambda: _day(entry, "ValDt"),
        lambda: _cents(entry),
    )
    named = [each for each in _texts(entry, _NAMED) if each not in _NO_REFERENCE]
    texts = [text for path in _TEXTS for text in _texts(entry, path)[:MAX_TEXTS]]
    if len(named) != 1:
        texts += named[:MAX_TEXTS]
        named = [_text(entry, "AcctSvcrRef") or _text(entry, "NtryRef")]
    return Movement(
        booked_on, value_on, cents, one_line(*dict.fromkeys(texts)),
        one_line(named[0], most=MAX_REFERENCE),
    )  # fmt: skip


def _cents(element: Any) -> int:
    """Read an amount in euros and its sign."""
    amount, side = element.find("{*}Amt"), _text(element, "CdtDbtInd")
    if amount is None or amount.get("Ccy") != "EUR":
        currency = "" if amount is None else amount.get("Ccy", "")
        raise ValueError(f"devise {quoted(currency)} : attendu EUR")
    if side not in {"CRDT", "DBIT"}:
        raise ValueError(f"sens {quoted(side)} : attendu CRDT ou DBIT")
    return cents_in(amount.text or "") * (1 if side == "CRDT" else -1)


def _day(element: Any, name: str) -> date | None:
    """Read a day: that of an instant too, in the bank's own time."""
    text = _text(element, f"{name}/Dt") or _text(element, f"{name}/DtTm")
    return day_in(text[:10]) if text else None


def _text(element: Any, path: str) -> str:
    found = element.findtext("/".join(f"{{*}}{name}" for name in path.split("/")))
    return (found or "").strip()


def _texts(element: Any, path: str) -> list[str]:
    return [text for each in element.findall(path) if (text := (each.text or "").strip())]
