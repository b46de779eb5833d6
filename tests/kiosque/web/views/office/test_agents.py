"""The page of agents: invite, give and take roles, send a link, close; each told in the log."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from kiosque.db.models import OutboxMail, Staff, StaffEvent, StaffRole
from kiosque.staff import roles
from kiosque.staff.roles import HeldRole, Role
from tests.agents import enter, make_agent, send
from tests.conftest import Clock

NEW = "/mairie/agents/nouveau"


@pytest.fixture
def admin(empty_database: None, frozen: Clock) -> Staff:
    return make_agent(Role.ADMINISTRATION)


@pytest.fixture
def client(app: Flask, admin: Staff) -> FlaskClient:
    return enter(app, admin)


@pytest.fixture
def bob(client: FlaskClient) -> Staff:
    return make_agent(Role.FACTURATION, "bob@sautron.example.org")


def told() -> list[tuple[str, str]]:
    return [(line.action, line.object) for line in StaffEvent.select().order_by(StaffEvent.id)]


def test_an_agent_is_invited_with_a_role_and_dates(client: FlaskClient, admin: Staff) -> None:
    form = {"role": "regisseur", "starts_on": "2026-12-01", "ends_on": "2026-12-31"}
    answer = send(client, NEW, agent_email=" Bob@Sautron.example.org ", **form)
    bob = Staff.get(Staff.email == "bob@sautron.example.org")
    assert answer.location == f"/mairie/agents/{bob.id}"
    given = StaffRole.get(StaffRole.staff == bob)
    assert (given.role, str(given.starts_on), str(given.ends_on)) == tuple(form.values())
    mail = OutboxMail.get()
    assert (mail.template, mail.recipient) == ("staff_invitation", bob.email)
    assert told()[-2:] == [("role_given", bob.email), ("invited", bob.email)]
    assert {line.staff for line in StaffEvent.select()} == {None, admin}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("agent_email", "bob"),
        ("agent_email", ""),
        ("agent_email", "bôb@sautron.example.org"),
        ("role", "maire"),
        ("starts_on", "31/12/2026"),
        ("ends_on", "2026-02-30"),
        ("ends_on", "2020-01-01"),
    ],
)
def test_what_cannot_be_invites_nobody(client: FlaskClient, field: str, value: str) -> None:
    form = {"agent_email": "bob@sautron.example.org", "role": "regisseur", field: value}
    assert send(client, NEW, **form).status_code == 422
    assert Staff.select().count() == 1
    assert not OutboxMail.select().exists()


def test_nobody_raises_himself(client: FlaskClient, admin: Staff) -> None:
    page = f"/mairie/agents/{admin.id}"
    assert "Donner un rôle" not in client.get(page).text
    assert send(client, page, f"{page}/roles", role="regisseur").status_code == 422
    assert send(client, NEW, agent_email=admin.email, role="regisseur").status_code == 422
    assert roles.in_force(admin) == {HeldRole(Role.ADMINISTRATION, "")}


def test_a_role_given_then_taken_away(client: FlaskClient, bob: Staff) -> None:
    page = f"/mairie/agents/{bob.id}"
    assert send(client, page, f"{page}/roles", role="consultation").location == page
    given = StaffRole.get(StaffRole.role == "consultation")
    assert send(client, page, f"{page}/roles/{given.id}/fin").location == page
    assert roles.in_force(bob) == {HeldRole(Role.FACTURATION, "")}


def test_the_last_administrator_stays_and_the_page_says_why(
    client: FlaskClient, admin: Staff
) -> None:
    page = f"/mairie/agents/{admin.id}"
    given = StaffRole.get(StaffRole.staff == admin)
    send(client, page, f"{page}/roles/{given.id}/fin")
    assert "dernier administrateur" in client.get(page).text
    assert roles.in_force(admin)


def test_a_role_of_another_agent_is_not_taken_by_this_ones_page(
    client: FlaskClient, admin: Staff, bob: Staff
) -> None:
    page = f"/mairie/agents/{admin.id}"
    given = StaffRole.get(StaffRole.staff == bob)
    assert send(client, page, f"{page}/roles/{given.id}/fin").status_code == 404
    assert roles.in_force(bob)


def test_a_link_is_sent_a_telephone_dissociated_an_access_closed(
    client: FlaskClient, bob: Staff
) -> None:
    page = f"/mairie/agents/{bob.id}"
    for act in ("lien", "telephone", "fermer"):
        assert send(client, page, f"{page}/{act}").location == page
    assert Staff.get_by_id(bob.id).closed_at
    acts = [action for action, about in told() if about == bob.email]
    assert acts == ["role_given", "invited", "second_factor_reset", "invited", "closed"]
    assert send(client, page, f"{page}/lien").status_code == 404


def test_an_agent_who_comes_back_has_no_role_of_before(client: FlaskClient, bob: Staff) -> None:
    page = f"/mairie/agents/{bob.id}"
    send(client, page, f"{page}/fermer")
    send(client, NEW, agent_email=bob.email, role="consultation")
    assert Staff.get_by_id(bob.id).closed_at is None
    assert roles.in_force(bob) == {HeldRole(Role.CONSULTATION, "")}


@pytest.mark.parametrize("number", ["0", "999", str(2**63), "9" * 40])
def test_an_agent_who_is_not_there(client: FlaskClient, number: str) -> None:
    assert client.get(f"/mairie/agents/{number}").status_code == 404
