"""Families: one row a person, parents and children."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from peewee import Expression, ModelDelete

from kiosque.db import write
from kiosque.db.models import Child, Enrolment, Family, Guardian, NumberedModel, Service
from kiosque.invoices.imports.joining import Services
from kiosque.invoices.imports.reading import Faults, Progress, Row, Sheet, Summary
from kiosque.language import clock
from kiosque.outbox import addresses
from kiosque.settings import OtherRegie
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


class FamiliesFile:
    """`code_famille;role;nom;...`: the file is the whole truth for each family it lists.

    `role` is `responsable` or `enfant`; `services` separates its names with `|`; the address
    is the first parent's.
    """

    COLUMNS = (
        "code_famille", "role", "nom", "prenom", "courriel", "telephone", "adresse",
        "code_postal", "ville", "date_naissance", "services",
    )  # fmt: skip
    OPTIONAL = frozenset({"courriel", "telephone", "date_naissance", "services"})
    KEY_COLUMNS = frozenset({"code_famille", "role"})

    def __init__(self, sheet: Sheet, progress: Progress) -> None:
        self._sheet = sheet
        self._progress = progress
        self._households = _households(sheet)

    def prepare(self, regies: Mapping[str, OtherRegie], *, new_services: bool = False) -> None:
        """Compare with the database. Raise BadFile, unless `new_services`, for a service whose
        *régie* nobody said."""
        rows = [row for home in self._households.values() for row in home.children]
        self._services = Services([name for row in rows for name in _service_names(row)], regies)
        faults = Faults()
        for row in [] if new_services else rows:
            for fault in filter(None, map(self._services.unseen_fault, _service_names(row))):
                faults.add(row.line, fault)
        faults.raise_any()

    def summary(self) -> Summary:
        known = _known_digests()
        changed = [
            code for code, home in self._households.items() if known.get(code) != home.digest
        ]
        return Summary(
            kind="familles",
            rows=sum(len(home.rows) for home in self._households.values()),
            added=len(changed),
            unchanged=len(self._households) - len(changed),
            new_families=len(self._households.keys() - known.keys()),
            new_services=tuple(sorted(self._services.new)),
            joined_services=self._services.joined,
        )

    def store(self) -> Summary:
        with write():
            summary = self.summary()
            self._sheet.log(summary)
            services = {service.key: service for service in Service.select()}
            known = _known_digests()
            for code, household in self._progress(list(self._households.items()), "Familles"):
                if known.get(code) != household.digest:
                    _store(code, household, services)
        return summary


def _known_digests() -> dict[str, str]:
    return {family.code: family.digest for family in Family.select(Family.code, Family.digest)}


def _households(sheet: Sheet) -> dict[str, Household]:
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
    _born_on(row)
    key = child_key(_child_name(row))
    if any(child_key(_child_name(child)) == key for child in household.children):
        raise ValueError(f"{_child_name(row)} figure deux fois dans la même famille")
    household.children.append(row)


def _child_name(row: Row) -> str:
    return f"{row['prenom']} {row['nom']}"


def _store(code: str, household: Household, services: dict[str, Service]) -> None:
    first = household.guardians[0]
    values = {
        "name": " - ".join(dict.fromkeys(row["nom"] for row in household.guardians)),
        "address": first["adresse"],
        "postcode": first["code_postal"],
        "city": first["ville"],
        "updated_on": clock.today(),
        "digest": household.digest,
    }
    family = Family.get_or_none(Family.code == code) or Family.create(code=code, **values)
    Family.update(values).where(Family.id == family.id).execute()
    _forget(Guardian, Guardian.family == family)
    for row in household.guardians:
        Guardian.create(
            family=family,
            first_name=row["prenom"],
            last_name=row["nom"],
            email=row.get("courriel"),
            phone=row.get("telephone"),
        )
    gone = Child.select(Child.id).where(Child.family == family)
    _forget(Enrolment, Enrolment.child.in_(gone))
    _forget(Child, Child.family == family)
    for row in household.children:
        child = Child.create(family=family, name=_child_name(row), born_on=_born_on(row))
        for name in _service_names(row):
            if (key := fold(name)) not in services:
                services[key] = Service.create(name=name)
            Enrolment.create(child=child, service=services[key])


def _forget(table: type[NumberedModel], which: Expression) -> None:
    """Delete from the record what the new file no longer says."""
    ModelDelete(table).where(which).execute()


def _born_on(row: Row) -> object:
    return row.date("date_naissance") if row.get("date_naissance") else None


def _service_names(row: Row) -> list[str]:
    """Return the services of a child, each once, as first spelt."""
    names: dict[str, str] = {}
    for name in row.get("services").split("|"):
        names.setdefault(fold(name), name.strip())
    return [name for key, name in names.items() if key]
