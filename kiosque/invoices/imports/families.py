"""Families: one row a person, parents and children."""

from collections.abc import Mapping

from peewee import Expression, ModelDelete

from kiosque.db import execute_many, write
from kiosque.db.models import Child, Enrolment, Family, Guardian, NumberedModel, Service
from kiosque.invoices.imports.already_loaded import ids
from kiosque.invoices.imports.households import (
    Household,
    born_on,
    full_name,
    read_households,
    service_names,
)
from kiosque.invoices.imports.joining import Codes, Services, forgotten, forgotten_fault
from kiosque.invoices.imports.reading import (
    MAX_FAULTS,
    BadFile,
    Confirmed,
    Fault,
    FileSummary,
    Progress,
    digest,
)
from kiosque.invoices.imports.removals import removals
from kiosque.invoices.imports.request_conflicts import overruled
from kiosque.invoices.imports.sheet import Sheet
from kiosque.invoices.imports.undo_log import RECORD, Changes
from kiosque.language import clock
from kiosque.language.formats import counted
from kiosque.settings import OtherRegie
from kiosque.spelling import fold, fold_words

_SEEN = "UPDATE family SET seen_on = ? WHERE code = ?"


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
        self._households = read_households(sheet)

    def prepare(self, regies: Mapping[str, OtherRegie], confirmed: Confirmed) -> None:
        """Compare with the database. Raise BadFile, unless confirmed, for a service whose *régie*
        nobody said, a code that another family has but for its zeros or that is forgotten, and what
        the record would lose."""
        known, faults = _known_digests(), self._sheet.faults
        rows = [row for home in self._households.values() for row in home.children]
        self._services = Services([name for row in rows for name in service_names(row)], regies)
        for row in rows:
            for fault in filter(None, map(self._services.unseen_fault, service_names(row))):
                self._sheet.surprise(confirmed, "new_services", row.line, fault)
        codes = Codes(known)
        told = {
            code: codes.unknown_fault(code)
            for code in self._households
            if code not in known and codes.nearly(code)
        }
        told |= {code: forgotten_fault(code) for code in forgotten(self._households)}
        for code, text in told.items():
            line = self._households[code].first_line
            self._sheet.surprise(confirmed, "new_families", line, text)
        faults.raise_any()
        self._removals = [
            (code, text)
            for code, home in self._differing(known).items()
            if code in known
            for text in removals(code, home)
        ]
        for line, text in overruled(self._differing(known)):
            self._sheet.warn(line, text)
        if self._removals and not confirmed.removals:
            raise BadFile(self._removal_faults())
        self._sheet.surprises.extend(self._removal_faults()[:-1])

    def _removal_faults(self) -> list[Fault]:
        found = [
            Fault(
                self._households[code].first_line, f"famille {code}, retrait : {text}", "removals"
            )
            for code, text in self._removals[:MAX_FAULTS]
        ]
        count = counted(len(self._removals), "retrait")
        return [
            *found,
            Fault(0, f"{count}. Complétez le fichier, ou confirmez.", "removals"),
        ]

    def summary(self) -> FileSummary:
        known, changed = _known_digests(), self._changed()
        return FileSummary(
            kind="familles",
            rows=sum(len(home.rows) for home in self._households.values()),
            added=len(changed),
            unchanged=len(self._households) - len(changed),
            new_families=len(self._households.keys() - known.keys()),
            new_services=tuple(sorted(self._services.new)),
            joined_services=self._services.joined,
            warnings=self._sheet.warned,
            without_email=tuple(
                code
                for code, home in self._households.items()
                if not any(row.get("courriel") for row in home.guardians)
            ),
            removals=tuple(f"{code} : {text}" for code, text in self._removals),
            to_confirm=tuple(self._sheet.surprises),
            plan=digest([(code, known.get(code), home.digest) for code, home in changed.items()]),
        )

    def store(self) -> FileSummary:
        with write():
            summary = self.summary()
            changes = Changes(self._sheet.log(summary))
            services = {service.key: service for service in Service.select()}
            changed, today = self._changed(), clock.today()
            changes.keep(ids(Family.code, changed).values(), Family, *RECORD)
            others = self._households.keys() - changed.keys()
            changes.keep_days(ids(Family.code, others).values(), today)
            for code, household in self._progress(list(changed.items()), "Familles"):
                _store(code, household, services)
            execute_many(_SEEN, [(today.isoformat(), code) for code in self._households])
            changes.note_new(Family, Service)
            changes.note_record(ids(Family.code, changed).values())
        return summary

    def _changed(self) -> dict[str, Household]:
        """Return the households whose record the file changes, by code."""
        return self._differing(_known_digests())

    def _differing(self, known: Mapping[str, str]) -> dict[str, Household]:
        every = self._households.items()
        return {code: home for code, home in every if known.get(code) != home.digest}


def _known_digests() -> dict[str, str]:
    """Return the digest of each record by its code; leave out archived ones, which a file brings
    back even if unchanged."""
    found = Family.select(Family.code, Family.digest, Family.archived_at)
    return {family.code: "" if family.archived_at else family.digest for family in found}


def _store(code: str, household: Household, services: dict[str, Service]) -> None:
    first = household.guardians[0]
    values = {
        "name": " - ".join(dict.fromkeys(row["nom"] for row in household.guardians)),
        "address": first["adresse"],
        "postcode": first["code_postal"],
        "city": first["ville"],
        "updated_on": clock.today(),
        "digest": household.digest,
        "forgotten_at": None,
        "archived_at": None,
        "words": fold_words(" ".join(map(full_name, household.rows))),
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
        child = Child.create(family=family, name=full_name(row), born_on=born_on(row))
        for name in service_names(row):
            if (key := fold(name)) not in services:
                services[key] = Service.create(name=name)
            Enrolment.create(child=child, service=services[key])


def _forget(table: type[NumberedModel], which: Expression) -> None:
    """Delete from the record what the new file no longer says."""
    ModelDelete(table).where(which).execute()
