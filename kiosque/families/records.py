"""A family's record: found by any word of it, and read."""

from functools import reduce
from itertools import starmap
from operator import and_
from typing import Any, NamedTuple

from peewee import Expression, ModelSelect

from kiosque.db.models import Child, Enrolment, Family, Guardian, Service
from kiosque.families.codes import normalise_family_code
from kiosque.spelling import fold_words

#: Families that a search shows; it says when there are more.
SHOWN = 40
#: Words of a search that are looked for.
_WORDS = 5


class FoundFamily(NamedTuple):
    """A family as a search shows it."""

    code: str
    name: str
    address: str
    postcode: str
    city: str


class FamilyRecord(NamedTuple):
    """A family's members as the town has them; `services` gives, by a child's id, the names of the
    services that the child attends."""

    guardians: list[Guardian]
    children: list[Child]
    services: dict[int, list[str]]


def named(code: str) -> Family | None:
    """Return the family of this code, as it is stored or as people type it, unless its record is
    erased."""
    stored = normalise_family_code(code)
    found: Family | None = None
    if stored.isprintable():
        found = Family.get_or_none(Family.code == stored, Family.forgotten_at.is_null())
    return found


def read(family: Family) -> FamilyRecord:
    return FamilyRecord(
        list(Guardian.select().where(Guardian.family == family).order_by(Guardian.id)),
        list(Child.select().where(Child.family == family).order_by(Child.name)),
        _services_by_child(family),
    )


def search(words: str, *, archived: bool = False) -> list[FoundFamily]:
    """Return the families whose code begins so, or whose household has every word in its names or
    as its code, ignoring accents and case. Return one more than SHOWN if there are more. With
    `archived`, search the archived families instead."""
    if not words:
        return []
    shown = (Family.code, Family.name, Family.address, Family.postcode, Family.city)
    families = matching(words, archived=archived).select(*shown)
    rows: Any = families.order_by(Family.words, Family.code).limit(SHOWN + 1).tuples()
    return [*starmap(FoundFamily, rows)]


def matching(words: str, *, archived: bool = False) -> "ModelSelect[Family]":
    """Select these families; all without words."""
    found = Family.code.startswith(normalise_family_code(words))
    if looked_for := fold_words(words).split()[:_WORDS]:
        found |= reduce(and_, map(_has, looked_for))
    return Family.select().where(
        Family.forgotten_at.is_null(), Family.archived_at.is_null(not archived), found
    )


def _has(word: str) -> Expression:
    """Select the households that have a word, or whose code it is: lists write both together."""
    has: Expression = Family.words.contains(word) | (Family.code == word.upper())
    return has


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
