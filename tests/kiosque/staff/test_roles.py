"""Roles: dated, of one régie, given by others; and there is always an administrator."""

from datetime import date

import pytest

from kiosque.db.models import Staff, StaffRole
from kiosque.payments import Refused
from kiosque.staff import accounts, roles
from kiosque.staff.events import TERMINAL, Actor
from kiosque.staff.roles import HeldRole, Role
from tests.agents import make_agent
from tests.conftest import Clock


@pytest.fixture
def admin(empty_database: None, frozen: Clock) -> Staff:
    return make_agent(Role.ADMINISTRATION)


@pytest.fixture
def agent(admin: Staff) -> Staff:
    return make_agent(None)


def give(agent: Staff, first: str, last: str | None = None, role: Role = Role.REGISSEUR) -> None:
    days = date.fromisoformat(first), date.fromisoformat(last) if last else None
    roles.give(agent, HeldRole(role, ""), *days, TERMINAL)


def test_a_role_is_in_force_from_its_first_day_to_its_last(agent: Staff, frozen: Clock) -> None:
    give(agent, "2026-11-25", "2026-11-26")
    found = []
    for _day in range(4):
        found.append(bool(roles.in_force(agent)))
        frozen.advance(days=1)
    assert found == [False, True, True, False]


def test_nobody_gives_himself_a_role(admin: Staff) -> None:
    with pytest.raises(Refused):
        roles.give(admin, HeldRole(Role.REGISSEUR, ""), date(2026, 11, 24), None, Actor(admin))
    assert roles.in_force(admin) == {HeldRole(Role.ADMINISTRATION, "")}


def test_a_role_is_of_one_regie(agent: Staff) -> None:
    roles.give(agent, HeldRole(Role.REGISSEUR, "creche"), date(2026, 11, 24), None, TERMINAL)
    assert roles.in_force(agent) == {HeldRole(Role.REGISSEUR, "creche")}


@pytest.mark.parametrize(
    ("first", "last", "taken"),
    [
        ("2026-12-01", None, False),
        ("2026-12-31", "2027-01-05", False),
        ("2027-01-01", None, True),
        ("2026-11-24", "2026-11-30", True),
        ("2026-11-24", None, False),
        ("2026-12-02", "2026-12-01", False),
    ],
)
def test_a_role_is_not_held_twice_at_once(
    agent: Staff, first: str, last: str | None, *, taken: bool
) -> None:
    give(agent, "2026-12-01", "2026-12-31")
    try:
        give(agent, first, last)
    except Refused:
        assert not taken
    else:
        assert taken


def test_a_role_taken_away_ends_at_once_and_may_be_given_again(agent: Staff) -> None:
    give(agent, "2026-11-24")
    roles.end(StaffRole.get(StaffRole.staff == agent), TERMINAL)
    assert not roles.in_force(agent)
    give(agent, "2026-11-24")
    assert roles.in_force(agent)


def test_the_last_administrator_stays(admin: Staff, agent: Staff) -> None:
    given = StaffRole.get(StaffRole.staff == admin)
    for change in (
        lambda: roles.end(given, TERMINAL),
        lambda: accounts.close(admin, TERMINAL),
    ):
        with pytest.raises(Refused):
            change()
    assert roles.in_force(admin)


@pytest.mark.parametrize("lacking", ["telephone", "end", "begin", "open"])
def test_another_administrator_who_may_not_come_in_for_good_does_not_count(
    admin: Staff, agent: Staff, lacking: str
) -> None:
    last = "2027-01-01" if lacking == "end" else None
    give(agent, "2026-11-25" if lacking == "begin" else "2026-11-24", last, Role.ADMINISTRATION)
    if lacking == "telephone":
        Staff.update(enrolled_at=None).where(Staff.id == agent.id).execute()
    if lacking == "open":
        accounts.close(agent, TERMINAL)
    with pytest.raises(Refused):
        accounts.close(admin, TERMINAL)


def test_with_another_the_first_may_leave(admin: Staff, agent: Staff) -> None:
    give(agent, "2026-11-24", role=Role.ADMINISTRATION)
    with pytest.raises(Refused):
        accounts.close(admin, Actor(admin))
    accounts.close(admin, Actor(agent))
    assert not roles.in_force(admin)
    assert accounts.authenticate(admin.email, "la mairie ouvre a huit heures") is None
