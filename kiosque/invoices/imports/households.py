"""Households as a families file gives them, row by row, before anything is written."""

import hashlib
import json
import re
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial

from kiosque.invoices.imports.reading import Row, every, quoted
from kiosque.invoices.imports.sheet import Sheet
from kiosque.language import clock
from kiosque.outbox import addresses
from kiosque.spelling import child_key, fold

#: Separators that people write between two addresses.
_BETWEEN = re.compile(r"[\s,;/|]+")


@dataclass
class Household:
    """The rows of one family, and the line of the first."""

    first_line: int
    guardians: list[Row] = field(default_factory=list)
    children: list[Row] = field(default_factory=list)

    @property
    def rows(self) -> list[Row]:
        return [*self.guardians, *self.children]

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the record, kept to tell whether it comes again unchanged."""
        rows = [dict(row.cells) for row in self.rows]
        return hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()


def read_households(sheet: Sheet) -> dict[str, Household]:
    """Gather the rows of each family, by its code. The sheet takes the faults."""
    faults, households = sheet.faults, dict[str, Household]()
    broken = set[str]()
    for row in sheet.rows():
        try:
            code, role, *_ = every(
                row.code,
                partial(_role, row),
                partial(row.text, "nom"),
                partial(row.text, "prenom"),
                partial(born_on, row),
            )
            household = households.setdefault(code, Household(row.line))
            if role == "responsable":
                household.guardians.append(_with_kept_address(row, sheet))
            else:
                _add_child(household, row)
        except ValueError as error:
            faults.add(row.line, *error.args)
            broken.add(row["code_famille"].upper())
    for code, household in households.items():
        if not household.guardians and code not in broken:
            faults.add(household.first_line, f"la famille {code} n’a pas de responsable")
    return households


def _role(row: Row) -> str:
    if row["role"] not in ("responsable", "enfant"):
        raise ValueError(f"role {quoted(row['role'])} : attendu responsable ou enfant")
    return row["role"]


def _with_kept_address(row: Row, sheet: Sheet) -> Row:
    """Return the row with its e-mail address in the form that is stored and compared; empty if no
    mail can be sent to what the cell says."""
    if not (written := row.get("courriel")):
        return row
    first, *others = _addresses(written) or [""]
    if not first:
        sheet.warn(row.line, f"courriel {quoted(written)} n’est pas une adresse : laissé de côté")
    for other in others:
        sheet.warn(
            row.line,
            f"courriel {quoted(written)} : {first} est gardé, {quoted(other)} laissé de côté. "
            "Donnez-le à l’autre responsable.",
        )
    return replace(row, cells={**row.cells, "courriel": first})


def _addresses(written: str) -> list[str]:
    """Return the addresses that a cell holds, in the form we keep."""
    if whole := addresses.normal(written):
        return [whole]
    parts = (part.removeprefix("mailto:").strip("<>()\"'") for part in _BETWEEN.split(written))
    return addresses.distinct(filter(None, map(addresses.normal, parts)))


def _add_child(household: Household, row: Row) -> None:
    key = child_key(full_name(row))
    if any(child_key(full_name(child)) == key for child in household.children):
        raise ValueError(f"{full_name(row)} figure deux fois dans la même famille")
    household.children.append(row)


def full_name(row: Row) -> str:
    """Return the full name of a person, the first name first."""
    return f"{row['prenom']} {row['nom']}"


def born_on(row: Row) -> date | None:
    """Return the date of birth of a child, or None if the file gives none. Raise ValueError for a
    future date."""
    if not row.get("date_naissance"):
        return None
    born = row.date("date_naissance")
    if born > clock.today():
        raise ValueError(f"date_naissance {quoted(row['date_naissance'])} : pas encore passée")
    return born


def service_names(row: Row) -> list[str]:
    """Return the services of a child, each once, as first spelt."""
    names: dict[str, str] = {}
    for name in row.get("services").split("|"):
        names.setdefault(fold(name), name.strip())
    return [name for key, name in names.items() if key]
