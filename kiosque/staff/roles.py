"""The roles of agents, each for one *régie*, from a day to another. What a role opens is said by
the table of pages, in `kiosque/web/office/pages_and_roles.py`."""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from kiosque.db import require_write, write
from kiosque.db.models import Staff, StaffRole
from kiosque.db.prepared import PreparedQuery
from kiosque.language import clock
from kiosque.payments import Refused
from kiosque.staff import events
from kiosque.staff.events import Action, Actor


class Role(StrEnum):
    """A kind of work at the town hall."""

    CONSULTATION = "consultation"
    FACTURATION = "facturation"
    REGISSEUR = "regisseur"
    CONTROLE = "controle"
    ADMINISTRATION = "administration"


#: The French name of each.
NAMES: Mapping[Role, str] = {
    Role.CONSULTATION: "Consultation",
    Role.FACTURATION: "Facturation",
    Role.REGISSEUR: "Régisseur",
    Role.CONTROLE: "Contrôle",
    Role.ADMINISTRATION: "Administration",
}
#: The work that each role allows, in French.
OPENS: Mapping[Role, str] = {
    Role.CONSULTATION: "lire, sans rien changer",
    Role.FACTURATION: "les factures et les familles",
    Role.REGISSEUR: "tout l’argent de sa régie",
    Role.CONTROLE: "lire les comptes et qui a fait quoi, sans contact d’une famille",
    Role.ADMINISTRATION: "les agents et les réglages, pas d’argent sauf 1 € d’essai",
}
_LAST = (
    "C’est le dernier administrateur\u00a0: donnez d’abord ce rôle, sans date de fin, à un agent "
    "qui se connecte déjà."
)


class HeldRole(NamedTuple):
    """A role in force, and the key of the *régie* that it is for."""

    role: Role
    regie: str


def in_force(staff: Staff) -> frozenset[HeldRole]:
    """Return the roles that the agent has today."""
    rows = _IN_FORCE.rows(staff=staff.id, first=clock.today(), last=clock.today())
    return frozenset(HeldRole(Role(role), regie) for role, regie in rows)


_IN_FORCE = PreparedQuery(
    lambda staff, first, last: StaffRole.select(StaffRole.role, StaffRole.regie).where(
        StaffRole.staff == staff,
        StaffRole.starts_on <= first,
        StaffRole.ends_on.is_null() | (StaffRole.ends_on >= last),
        StaffRole.ended_at.is_null(),
    )
)


def of(staff: Staff) -> list[StaffRole]:
    """Return every role that the agent has, will have or had, the latest first."""
    rows = StaffRole.select().where(StaffRole.staff == staff)
    return list(rows.order_by(StaffRole.starts_on.desc(), StaffRole.id.desc()))


def give(staff: Staff, held: HeldRole, starts_on: date, ends_on: date | None, by: Actor) -> None:
    """Give an agent a role in a transaction of its own; see `add`."""
    with write():
        add(staff, held, starts_on, ends_on, by)


def add(staff: Staff, held: HeldRole, starts_on: date, ends_on: date | None, by: Actor) -> None:
    """Give an agent a role, both days included, as part of the transaction under way. Raises
    Refused: nobody gives himself one, and none is held twice at once."""
    require_write()
    if by.staff == staff:
        raise Refused(
            ["Personne ne se donne un rôle\u00a0: demandez-le à un autre administrateur."]
        )
    if ends_on and ends_on < starts_on:
        raise Refused(["Le rôle finirait avant d’avoir commencé."])
    role, regie = held
    same = StaffRole.select().where(
        StaffRole.staff == staff,
        StaffRole.role == role,
        StaffRole.regie == regie,
        StaffRole.ended_at.is_null(),
        StaffRole.ends_on.is_null() | (StaffRole.ends_on >= starts_on),
    )
    if any(ends_on is None or each.starts_on <= ends_on for each in same):
        raise Refused(["Cet agent a déjà ce rôle à ces dates."])
    given = StaffRole.create(
        staff=staff, role=role, regie=regie, starts_on=starts_on, ends_on=ends_on
    )
    events.add(Action.ROLE_GIVEN, by, staff.email, _described(given))


def end(given: StaffRole, by: Actor) -> None:
    """Take a role away from this moment on. Raises Refused for the last administrator's."""
    with write():
        if given.role == Role.ADMINISTRATION:
            require_another_administrator(given.staff)
        StaffRole.update(ended_at=clock.now()).where(StaffRole.id == given.id).execute()
        events.add(Action.ROLE_ENDED, by, given.staff.email, _described(given))


def end_all(staff: Staff) -> None:
    """Take every role away from an agent, as part of the transaction under way."""
    require_write()
    mine = StaffRole.staff == staff, StaffRole.ended_at.is_null()
    StaffRole.update(ended_at=clock.now()).where(*mine).execute()


def require_another_administrator(staff: Staff) -> None:
    """Raise Refused unless somebody else may open the door to agents, today and from now on."""
    require_write()
    others = (
        StaffRole.select()
        .join(Staff)
        .where(
            StaffRole.role == Role.ADMINISTRATION,
            StaffRole.starts_on <= clock.today(),
            StaffRole.ends_on.is_null(),
            StaffRole.ended_at.is_null(),
            Staff.id != staff.id,
            Staff.enrolled_at.is_null(False),
            Staff.closed_at.is_null(),
        )
    )
    if not others.exists():
        raise Refused([_LAST])


def _described(given: StaffRole) -> str:
    """Return a role as the log keeps it: `regisseur creche, 2026-11-24 à 2026-12-31`."""
    what = f"{given.role} {given.regie}".strip()
    return f"{what}, {given.starts_on} à {given.ends_on or '...'}"
