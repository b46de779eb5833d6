"""Households as a families file gives them, row by row, before anything is written."""

import hashlib
import json
from dataclasses import dataclass, field, replace
from datetime import date

from kiosque.invoices.imports.reading import Row, Sheet
from kiosque.outbox import addresses
from kiosque.spelling import child_key, fold


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
    """Gather the rows of each family, by its code. Raise BadFile naming every fault."""
    faults, households = sheet.faults, dict[str, Household]()
    for row in sheet.rows():
        try:
            household = households.setdefault(row.code(), Household(row.line))
            row.text("nom")
            row.text("prenom")
            if row["role"] == "responsable":
                household.guardians.append(_with_kept_address(row))
            elif row["role"] == "enfant":
                _add_child(household, row)
            else:
                raise ValueError("role : attendu responsable ou enfant")
        except ValueError as error:
            faults.add(row.line, str(error))
    for code, household in households.items():
        if not household.guardians:
            faults.add(household.first_line, f"la famille {code} n’a pas de responsable")
    faults.raise_any()
    return households


def _with_kept_address(row: Row) -> Row:
    """Return the row with its e-mail address in the one form that is kept and compared."""
    if not (email := row.get("courriel")):
        return row
    return replace(row, cells={**row.cells, "courriel": addresses.kept(email)})


def _add_child(household: Household, row: Row) -> None:
    born_on(row)
    key = child_key(full_name(row))
    if any(child_key(full_name(child)) == key for child in household.children):
        raise ValueError(f"{full_name(row)} figure deux fois dans la même famille")
    household.children.append(row)


def full_name(row: Row) -> str:
    """Return the full name of a person, the first name first."""
    return f"{row['prenom']} {row['nom']}"


def born_on(row: Row) -> date | None:
    """Return the date of birth of a child, or None where the file gives none."""
    return row.date("date_naissance") if row.get("date_naissance") else None


def service_names(row: Row) -> list[str]:
    """Return the services of a child, each once, as first spelt."""
    names: dict[str, str] = {}
    for name in row.get("services").split("|"):
        names.setdefault(fold(name), name.strip())
    return [name for key, name in names.items() if key]
