"""List what the record would lose by a families file, which replaces whole records."""

from collections.abc import Iterator

from kiosque.db.models import Child, Enrolment, Family, Guardian, Service
from kiosque.invoices.imports.households import Household, born_on, full_name, service_names
from kiosque.invoices.imports.reading import Row
from kiosque.outbox import addresses
from kiosque.spelling import child_key, fold


def removals(code: str, household: Household) -> Iterator[str]:
    """Say in French each person, date, address and enrolment that the file would take away."""
    family = Family.get(Family.code == code)
    if family.address and not household.guardians[0]["adresse"]:
        yield "l’adresse"
    rows = _by_name(household.guardians)
    for guardian in Guardian.select().where(Guardian.family == family).order_by(Guardian.id):
        yield from _of_guardian(guardian, rows)
    rows = _by_name(household.children)
    for child in Child.select().where(Child.family == family).order_by(Child.id):
        yield from _of_child(child, rows.get(child_key(child.name)))


def _by_name(rows: list[Row]) -> dict[str, Row]:
    return {child_key(full_name(row)): row for row in rows}


def _of_guardian(guardian: Guardian, rows: dict[str, Row]) -> Iterator[str]:
    name = f"{guardian.first_name} {guardian.last_name}"
    row = rows.get(child_key(name))
    if row is None:
        yield f"{name}, responsable"
        return
    if addresses.normal(guardian.email) and not row.get("courriel"):
        yield f"le courriel de {name}"
    if guardian.phone and not row.get("telephone"):
        yield f"le téléphone de {name}"


def _of_child(child: Child, row: Row | None) -> Iterator[str]:
    if row is None:
        yield f"{child.name}, enfant"
        return
    if child.born_on and not born_on(row):
        yield f"la date de naissance de {child.name}"
    kept = set(map(fold, service_names(row)))
    for enrolment in Enrolment.select().join(Service).where(Enrolment.child == child):
        if enrolment.service.key not in kept:
            yield f"l’inscription de {child.name} à {enrolment.service.name}"
