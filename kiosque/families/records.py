"""A family's record: found by any word of it, and read."""

from typing import NamedTuple

from kiosque.db.models import Child, Enrolment, Family, Guardian, Service
from kiosque.families.accounts import normalise_code

#: Families that a search shows; it says when there are more.
SHOWN = 50
#: Words of a search that are looked for.
_WORDS = 5


class Record(NamedTuple):
    """What the town holds of a family; `services` are the names of those that each child attends,
    by the child's id."""

    guardians: list[Guardian]
    children: list[Child]
    services: dict[int, list[str]]


def read(family: Family) -> Record:
    return Record(
        list(Guardian.select().where(Guardian.family == family).order_by(Guardian.id)),
        list(Child.select().where(Child.family == family).order_by(Child.name)),
        _services_by_child(family),
    )


def search(words: str) -> list[Family]:
    """Return the families whose code begins so, or whose name and parents have every word, in the
    order of their names: SHOWN of them and one more where there are more."""
    looked_for = words.split()[:_WORDS]
    if not looked_for:
        return []
    by_name = Family.id.is_null(False)
    for word in looked_for:
        parents = Guardian.select(Guardian.family).where(
            Guardian.first_name.contains(word) | Guardian.last_name.contains(word)
        )
        by_name &= Family.name.contains(word) | Family.id.in_(parents)
    by_code = Family.code.startswith(normalise_code(words))
    found = Family.select().where(Family.forgotten_at.is_null(), by_code | by_name)
    return list(found.order_by(Family.name, Family.code).limit(SHOWN + 1))


def _services_by_child(family: Family) -> dict[int, list[str]]:
    taken = (
        Enrolment.select(Enrolment, Child, Service)
        .join(Child)
        .switch(Enrolment)
        .join(Service)
        .where(Child.family == family)
        .order_by(Service.name)
    )
    services: dict[int, list[str]] = {}
    for enrolment in taken:
        services.setdefault(enrolment.child.id, []).append(enrolment.service.name)
    return services
