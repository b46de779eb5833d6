"""The unit of a Lyra journal: whole cents, or euros with decimals, as the shop has set.

A file in which every amount has decimals is in euros. One without decimals is in cents if something
proves it: it is a JO, always in cents by its documentation; or a payment of ours has that amount;
or a fee would otherwise be of ten whole euros or more. Else both readings are possible, a
hundredfold apart, and a person has to say.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date
from itertools import islice

from kiosque.invoices.imports.reading import quoted
from kiosque.statements.cells import MAX_CENTS, cents_in, day_in
from kiosque.statements.records import FileKind, Unit, UnreadableFile

#: Returns the cents of a payment of ours, by its UTC day and its number there; None for none.
Known = Callable[[date, str], int | None]
#: The number of a line, and the cells that are read, by their meaning.
Line = tuple[int, Mapping[str, str]]

#: Columns of amounts: the payment, the part that reaches the account, the fee that the bank keeps.
AMOUNTS = ("gross", "net", "fee")
_WHOLE = re.compile(r"[+-]?[0-9]{1,13}", re.ASCII)
#: `vads_trans_id` has six characters; a spreadsheet removes its leading zeros.
_ID_SIGNS = 6
#: A whole fee of this much or more is in cents: a family's payment never has a fee of ten euros.
_SURE_FEE = 10
#: Most payments that are looked up.
_MOST_ASKED = 200
_WANTED = (
    "rien ne dit si les montants sont des centimes ou des euros : dites-le. Leur format se règle "
    "dans le back-office de la banque, Paramétrage > Boutique > Journaux."
)


def unit_of(kind: FileKind, lines: Sequence[Line], known: Known | None) -> Unit:
    """Return the unit of all the amounts of a journal. Raise UnreadableFile where nothing tells."""
    amounts = [amount for _, line in lines if (amount := line.get("gross", "")).strip("0")]
    with_decimals = sum(map(_has_decimals, amounts))
    if amounts and with_decimals == len(amounts):
        return Unit.EUROS
    if not with_decimals:
        # Amounts in whole euros are checked line by line against their net.
        if any(_has_decimals(line.get("net", "")) for _, line in lines):
            return Unit.EUROS
        if kind is FileKind.JO or not amounts or _has_sure_fee(lines):
            return Unit.CENTS
    if known and (unit := _as_known(lines, known)):
        return unit
    raise UnreadableFile([_WANTED], wants_unit=True)


def _has_decimals(amount: str) -> bool:
    return "." in amount or "," in amount


def _has_sure_fee(lines: Iterable[Line]) -> bool:
    return any(abs(fee) >= _SURE_FEE for fee in _whole(lines, "fee"))


def _whole(lines: Iterable[Line], name: str) -> Iterator[int]:
    for _number, line in lines:
        if _WHOLE.fullmatch(text := line.get(name, "")):
            yield int(text)


def _as_known(lines: Iterable[Line], known: Known) -> Unit | None:
    """Return the unit in which an amount equals that of our own payment."""
    for _number, line in islice(lines, _MOST_ASKED):
        with suppress(ValueError):
            amount = abs(int(line.get("gross", "")))
            cents = known(day_in(line.get("day", "")), transaction_id(line.get("transaction", "")))
            if cents in {amount, amount * 100}:
                return Unit.CENTS if cents == amount else Unit.EUROS
    return None


def transaction_id(text: str) -> str:
    """Return the number of a payment at the gateway, with the zeros that a spreadsheet took."""
    return text.zfill(_ID_SIGNS) if text.isdecimal() else text


def amount_in(text: str, unit: Unit) -> int | None:
    """Read an amount as cents; None where there is none. Raise ValueError, in French."""
    if not text:
        return None
    if unit is Unit.EUROS:
        return cents_in(text)
    if not _WHOLE.fullmatch(text) or abs(int(text)) > MAX_CENTS:
        raise ValueError(f"montant {quoted(text)} illisible : attendu des centimes, sans virgule")
    return int(text)
