"""The town hall's area."""

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from kiosque.db import write
from kiosque.db.models import Child, Guardian, Staff
from kiosque.staff import events, invitations, second_factor
from kiosque.staff.events import TERMINAL, Action
from kiosque.staff.roles import Role
from tests.agents import begin, enter, make_agent, send, telephone_of
from tests.pages.stage import LONG_EMAIL, LONG_NAME, Stage, scene


def admin(stage: Stage) -> FlaskClient:
    return enter(stage.app, make_agent(Role.ADMINISTRATION, "marie@sautron.example.org"))


def link_of(email: str = "neuf@sautron.example.org") -> str:
    """The link of an agent who has not come in yet."""
    agent = make_agent(None, email)
    with write():
        invitations.forget_telephone(agent, TERMINAL)
        invitation = invitations.prepare(agent, TERMINAL)
    return f"/mairie/invitation/{invitations.draw_link(invitation.id)}"


@scene
def the_agents_sign_in(stage: Stage) -> TestResponse:
    return stage.stranger.get("/mairie/connexion")


@scene
def an_agents_sign_in_left_empty(stage: Stage) -> TestResponse:
    return send(stage.stranger, "/mairie/connexion")


@scene
def an_agents_wrong_password(stage: Stage) -> TestResponse:
    return send(stage.stranger, "/mairie/connexion", email="marie@example.org", password="faux")


@scene
def an_agent_who_tries_too_often(stage: Stage) -> TestResponse:
    for _ in range(6):
        page = send(stage.stranger, "/mairie/connexion", email="x@example.org", password="faux")
    assert page.status_code == 429
    return page


@scene
def an_agent_who_comes_from_a_webmail(stage: Stage) -> TestResponse:
    return stage.stranger.get("/mairie", headers={"Sec-Fetch-Site": "cross-site"})


@scene
def the_code_of_the_telephone(stage: Stage) -> TestResponse:
    return begin(stage.app, make_agent(Role.REGISSEUR)).get("/mairie/code")


@scene
def a_wrong_code_of_the_telephone(stage: Stage) -> TestResponse:
    return send(begin(stage.app, make_agent(Role.REGISSEUR)), "/mairie/code", code="123456")


@scene
def a_code_asked_for_again(stage: Stage) -> TestResponse:
    return admin(stage).get("/mairie/code")


@scene
def an_invitation(stage: Stage) -> TestResponse:
    return stage.stranger.get(link_of(LONG_EMAIL))


@scene
def an_invitation_left_empty(stage: Stage) -> TestResponse:
    return send(stage.stranger, link_of())


@scene
def an_invitation_of_an_agent_who_has_his_telephone(stage: Stage) -> TestResponse:
    agent = make_agent(None, "sans.mot.de.passe@sautron.example.org")
    with write():
        invitation = invitations.prepare(agent, TERMINAL)
    return stage.stranger.get(f"/mairie/invitation/{invitations.draw_link(invitation.id)}")


@scene
def an_invitation_that_has_served(stage: Stage) -> TestResponse:
    return stage.stranger.get("/mairie/invitation/x")


@scene
def the_first_recovery_codes(stage: Stage) -> TestResponse:
    link = link_of()
    agent = Staff.get(Staff.email == "neuf@sautron.example.org")
    code = telephone_of(stage.app.extensions["settings"], agent)
    return send(stage.stranger, link, new="un parapluie vert dans la cour", code=code)


@scene
def new_recovery_codes(stage: Stage) -> TestResponse:
    return send(admin(stage), "/mairie/mon-acces", "/mairie/mon-acces/codes")


@scene
def an_agents_own_access(stage: Stage) -> TestResponse:
    client = admin(stage)
    second_factor.renew_recovery_codes(
        Staff.get(Staff.email == "marie@sautron.example.org"), TERMINAL
    )
    return client.get("/mairie/mon-acces")


@scene
def an_agents_day(stage: Stage) -> TestResponse:
    return admin(stage).get("/mairie")


@scene
def a_page_that_a_role_does_not_open(stage: Stage) -> TestResponse:
    return enter(stage.app, make_agent(Role.CONSULTATION)).get("/mairie/agents")


@scene
def an_address_of_the_area_that_is_not_there(stage: Stage) -> TestResponse:
    return admin(stage).get("/mairie/inconnue")


@scene
def the_agents(stage: Stage) -> TestResponse:
    make_agent(Role.REGISSEUR, LONG_EMAIL)
    return admin(stage).get("/mairie/agents")


@scene
def an_agent_to_invite(stage: Stage) -> TestResponse:
    return admin(stage).get("/mairie/agents/nouveau")


@scene
def an_agent_to_invite_left_empty(stage: Stage) -> TestResponse:
    return send(admin(stage), "/mairie/agents/nouveau", ends_on="demain")


@scene
def an_agent_seen_by_an_administrator(stage: Stage) -> TestResponse:
    agent = make_agent(Role.REGISSEUR, LONG_EMAIL)
    return admin(stage).get(f"/mairie/agents/{agent.id}")


@scene
def a_role_that_cannot_be_given(stage: Stage) -> TestResponse:
    page = f"/mairie/agents/{make_agent(Role.CONTROLE).id}"
    return send(admin(stage), page, f"{page}/roles", role="controle")


@scene
def a_familys_record_read_by_an_agent(stage: Stage) -> TestResponse:
    family = stage.family(LONG_NAME)
    Guardian.create(family=family, first_name="Alice", last_name=LONG_NAME, email=LONG_EMAIL)
    Child.create(family=family, name=f"Léa {LONG_NAME}")
    return enter(stage.app, make_agent(Role.REGISSEUR)).get(f"/mairie/familles/{family.code}")


@scene
def families_to_look_for(stage: Stage) -> TestResponse:
    return enter(stage.app, make_agent(Role.REGISSEUR)).get("/mairie/familles")


@scene
def families_found_among_too_many(stage: Stage) -> TestResponse:
    for _ in range(51):
        stage.family(LONG_NAME)
    page = "/mairie/familles?q=Montmorency"
    return enter(stage.app, make_agent(Role.REGISSEUR)).get(page)


@scene
def no_family_found(stage: Stage) -> TestResponse:
    page = "/mairie/familles?q=personne"
    return enter(stage.app, make_agent(Role.REGISSEUR)).get(page)


@scene
def who_did_what(stage: Stage) -> TestResponse:
    for number in range(60):
        events.note(Action.FAMILY_READ, TERMINAL, f"F{number:04d}")
    return admin(stage).get("/mairie/journal-des-actions")
