"""The texts of the accounts that people wrote: reasons, labels, resolutions. They are kept as they
are when a family is erased, even where they name it: whoever erases is told which."""

import re

from kiosque.db.models import (
    Allocation,
    Anomaly,
    Child,
    Family,
    Guardian,
    Invoice,
    InvoiceLine,
    JournalEntry,
    Repayment,
    Settlement,
    StatementLine,
    Transmission,
)
from kiosque.privacy.personal_data import tables

_ACCOUNTS = (
    Invoice, InvoiceLine, Settlement, Allocation, Repayment, JournalEntry, Anomaly, Transmission,
    StatementLine,
)  # fmt: skip
_COLUMNS = {"state_reason", "label", "reason", "detail", "resolution", "end_reason"}
#: Shorter words, such as « de » or « Le », name nobody.
_SHORTEST = 3


def naming(family: Family) -> list[str]:
    """Return the texts kept in the accounts that hold one of the family's names, each once."""
    names = _names(family)
    found = {
        text: None
        for table in tables(family)
        if table.model in _ACCOUNTS
        for row in table.rows
        for column, text in zip(table.columns, row, strict=True)
        if column in _COLUMNS and names & _words(text)
    }
    return list(found)


def _names(family: Family) -> set[str]:
    guardians = Guardian.select().where(Guardian.family == family)
    children = Child.select().where(Child.family == family)
    whole = [family.name, *(f"{it.first_name} {it.last_name}" for it in guardians)]
    whole += [child.name for child in children]
    return {word for name in whole for word in _words(name) if len(word) >= _SHORTEST}


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.casefold()))
