"""The first administrator is made at a terminal."""

import re

from kiosque.db.models import Staff, StaffRole
from kiosque.settings import Settings
from kiosque.staff import accounts, invitations, roles
from kiosque.staff.roles import HeldRole, Role
from tests.agents import PASSWORD, make_agent
from tests.conftest import Clock
from tests.kiosque.conftest import Run

EMAIL = "marie@sautron.example.org"


def test_the_first_administrator_is_given_a_link(run: Run, frozen: Clock) -> None:
    told = run("staff", "add", EMAIL, "--role", "administration").output
    link = re.search(r"/mairie/invitation/(\S+)", told)
    assert link
    found = invitations.find(link[1])
    assert found
    assert found.staff.email == EMAIL
    assert roles.in_force(found.staff) == {HeldRole(Role.ADMINISTRATION, "")}


def test_an_agent_who_is_known_keeps_role_and_telephone_and_gets_another_link(
    run: Run, frozen: Clock
) -> None:
    staff = make_agent(Role.ADMINISTRATION, EMAIL)
    told = run("staff", "add", EMAIL.upper(), "--role", "administration").output
    assert "/mairie/invitation/" in told
    assert StaffRole.select().count() == 1
    assert accounts.authenticate(EMAIL, PASSWORD) == staff
    assert Staff.get().enrolled_at


def test_an_agent_who_has_lost_his_telephone_begins_again(run: Run, frozen: Clock) -> None:
    make_agent(Role.ADMINISTRATION, EMAIL)
    run("staff", "add", EMAIL, "--role", "administration", "--new-phone")
    assert Staff.get().enrolled_at is None
    assert accounts.authenticate(EMAIL, PASSWORD) is None


def test_what_cannot_be_is_refused_with_a_sentence(run: Run, settings: Settings) -> None:
    for wrong in (
        ("marie", "--role", "regisseur"),
        ("accentué@sautron.example.org", "--role", "regisseur"),
        (EMAIL, "--role", "maire"),
        (EMAIL, "--role", "regisseur", "--regie", "inconnue"),
        (EMAIL, "--role", "regisseur", "--until", "2020-01-01"),
    ):
        result = run("staff", "add", *wrong)
        assert result.exit_code != 0, wrong
        assert "Traceback" not in result.output
    assert not Staff.select().exists()


def test_the_list_says_who_comes_in(run: Run, frozen: Clock) -> None:
    make_agent(Role.REGISSEUR, EMAIL, regie="creche")
    run("staff", "add", "neuf@sautron.example.org", "--role", "facturation")
    assert run("staff", "list").output.splitlines() == [
        "marie@sautron.example.org  regisseur creche  se connecte",
        "neuf@sautron.example.org  facturation  ne s’est pas encore connecté",
    ]
