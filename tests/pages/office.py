"""The town hall's area."""

import html
import re
from datetime import timedelta

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from kiosque import payments
from kiosque.db import write
from kiosque.db.models import Anomaly, Child, Family, FamilyRequest, Guardian, OutboxMail, Staff
from kiosque.db.states import AnomalyKind
from kiosque.invoices import trial
from kiosque.language import clock
from kiosque.payments.anomalies import flag_anomaly
from kiosque.staff import events, invitations, second_factor
from kiosque.staff.events import TERMINAL, Action
from kiosque.staff.roles import Role
from tests.agents import begin, enter, fill, make_agent, send, telephone_of
from tests.bank import handed_over
from tests.conftest import NOW
from tests.pages.stage import LONG_EMAIL, LONG_NAME, LONG_WORD, Stage, scene


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
def a_regisseurs_day(stage: Stage) -> TestResponse:
    client, _number = what_is_to_treat(stage)
    return client.get("/mairie")


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


@scene
def data_of_a_family_to_give_or_erase(stage: Stage) -> TestResponse:
    return admin(stage).get(f"/mairie/donnees?famille={stage.family(LONG_NAME).code}")


@scene
def data_of_nobody(stage: Stage) -> TestResponse:
    return admin(stage).get("/mairie/donnees?famille=X999")


@scene
def data_to_give_to_a_family(stage: Stage) -> TestResponse:
    code = stage.family(LONG_NAME).code
    return admin(stage).get(f"/mairie/donnees/{code}/remettre")


@scene
def a_family_to_erase_that_owes(stage: Stage) -> TestResponse:
    family = stage.family(LONG_NAME)
    stage.invoice(family)
    page = f"/mairie/donnees/{family.code}/effacer"
    return send(admin(stage), page, reason=LONG_WORD, seen="y")


@scene
def a_bank_to_close(stage: Stage) -> TestResponse:
    return admin(stage).get("/mairie/reglages/banques/banque/suspendre")


@scene
def a_bank_closed_without_an_end(stage: Stage) -> TestResponse:
    return send(admin(stage), "/mairie/reglages/banques/banque/suspendre", until="hier")


@scene
def settings_while_a_bank_is_closed(stage: Stage) -> TestResponse:
    client, page = admin(stage), "/mairie/reglages/banques/banque/suspendre"
    until, said = f"{NOW + timedelta(days=1):%Y-%m-%dT%H:%M}", f"{LONG_WORD} se repose."
    send(client, page, until=until, sentence=said, seen="y")
    shown = client.get("/mairie/reglages")
    payments.open_bank("banque")
    return shown


@scene
def nobody_did_that(stage: Stage) -> TestResponse:
    return admin(stage).get("/mairie/journal-des-actions?action=merge_undone")


@scene
def filters_of_the_log_that_are_none(stage: Stage) -> TestResponse:
    return admin(stage).get("/mairie/journal-des-actions?du=hier&action=x")


def what_is_to_treat(stage: Stage) -> tuple[FlaskClient, int]:
    """A régisseur, with money of nobody known and a mail given up."""
    with write():
        flag_anomaly(
            "scene", AnomalyKind.UNKNOWN_ORDER, 99999999, "commande inconnue", regie="",
            gateway="banque", transaction_id="d" * 32,
        )  # fmt: skip
    OutboxMail.update(state="failed", last_error="550 5.1.1 " + "x" * 60).execute()
    client = enter(stage.app, make_agent(Role.REGISSEUR, "dominique@sautron.example.org"))
    return client, Anomaly.get().id


@scene
def nothing_to_treat(stage: Stage) -> TestResponse:
    return enter(stage.app, make_agent(Role.REGISSEUR)).get("/mairie/a-traiter")


@scene
def points_to_treat(stage: Stage) -> TestResponse:
    return what_is_to_treat(stage)[0].get("/mairie/a-traiter")


@scene
def a_point_to_treat(stage: Stage) -> TestResponse:
    client, number = what_is_to_treat(stage)
    return client.get(f"/mairie/a-traiter/{number}")


@scene
def a_point_concluded_without_a_word(stage: Stage) -> TestResponse:
    client, number = what_is_to_treat(stage)
    return send(client, f"/mairie/a-traiter/{number}")


@scene
def a_point_concluded(stage: Stage) -> TestResponse:
    client, number = what_is_to_treat(stage)
    send(client, f"/mairie/a-traiter/{number}", reason="vu à la banque", seen="y")
    return client.get(f"/mairie/a-traiter/{number}")


@scene
def a_step_to_confirm(stage: Stage) -> TestResponse:
    client, number = what_is_to_treat(stage)
    return client.get(f"/mairie/a-traiter/{number}/0")


@scene
def a_step_badly_filled(stage: Stage) -> TestResponse:
    client, number = what_is_to_treat(stage)
    page = f"/mairie/a-traiter/{number}/0"
    (command,) = re.findall('name="command" value="([^"]*)"', client.get(page).text)
    return send(client, page, command=html.unescape(command))


def a_family_asks(stage: Stage, topic: str) -> tuple[FlaskClient, str]:
    """An agent, and the address of what a family asks."""
    asked = FamilyRequest.create(
        family=Family.get(), topic=topic, message="Bonjour,\n" + "x" * 200, asked_at=clock.now()
    )
    return enter(stage.app, make_agent(Role.FACTURATION)), f"/mairie/demandes/{asked.id}"


@scene
def no_request(stage: Stage) -> TestResponse:
    FamilyRequest.update(state="refused").execute()
    return enter(stage.app, make_agent(Role.FACTURATION)).get("/mairie/demandes")


@scene
def the_requests_of_families(stage: Stage) -> TestResponse:
    return a_family_asks(stage, "address")[0].get("/mairie/demandes")


@scene
def another_address_is_asked_for(stage: Stage) -> TestResponse:
    client, page = a_family_asks(stage, "address")
    return client.get(page)


@scene
def another_telephone_is_asked_for_and_badly_typed(stage: Stage) -> TestResponse:
    client, page = a_family_asks(stage, "phone")
    return send(client, page, decision="accept", parent=LONG_NAME, phone="le soir", words="")


@scene
def a_request_that_changes_nothing_of_the_record(stage: Stage) -> TestResponse:
    client, page = a_family_asks(stage, "other")
    return client.get(page)


@scene
def a_request_already_answered(stage: Stage) -> TestResponse:
    client, page = a_family_asks(stage, "other")
    send(client, page, decision="refuse", words="Ce n’est pas possible avant la rentrée.")
    return client.get(page)


@scene
def the_settings(stage: Stage) -> TestResponse:
    return admin(stage).get("/mairie/reglages")


TEXT = "/mairie/reglages/textes/confidentialite"


@scene
def a_text_to_write(stage: Stage) -> TestResponse:
    return admin(stage).get(TEXT)


@scene
def a_text_without_its_title(stage: Stage) -> TestResponse:
    return send(admin(stage), TEXT, text="Vos données")


@scene
def a_text_as_it_will_be_read(stage: Stage) -> TestResponse:
    page = send(admin(stage), TEXT, text=f"# Vos données\n\n{LONG_WORD}")
    send(admin(stage), TEXT, text="# Vos données", save="1")
    return page


@scene
def the_text_of_before(stage: Stage) -> TestResponse:
    page = admin(stage).get(f"{TEXT}/origine")
    send(admin(stage), f"{TEXT}/origine")
    return page


TRIAL = "/mairie/reglages/essai/banque"


@scene
def a_payment_to_try(stage: Stage) -> TestResponse:
    return admin(stage).get(TRIAL)


@scene
def a_payment_to_try_left_empty(stage: Stage) -> TestResponse:
    return send(admin(stage), TRIAL)


@scene
def an_euro_that_nobody_paid(stage: Stage) -> TestResponse:
    trial.obtain(stage.app.extensions["settings"], "banque")
    return admin(stage).get(f"{TRIAL}/annuler")


@scene
def a_payment_tried_on_its_way_to_the_bank(stage: Stage) -> TestResponse:
    """It is paid once the page is shown, for the scenes that follow."""
    page = send(admin(stage), TRIAL, reason="avant l’ouverture", seen="y")
    stage.hear(handed_over(page.text))
    return page


@scene
def the_settings_once_a_payment_is_tried(stage: Stage) -> TestResponse:
    return admin(stage).get("/mairie/reglages")


@scene
def an_euro_to_give_back(stage: Stage) -> TestResponse:
    return admin(stage).get(f"{TRIAL}/rendre")


@scene
def an_euro_that_was_given_back(stage: Stage) -> TestResponse:
    return fill(admin(stage), f"{TRIAL}/noter", reason="rendu à la banque")


@scene
def the_town_to_change(stage: Stage) -> TestResponse:
    return admin(stage).get("/mairie/reglages/ville")


@scene
def the_mails_to_families_badly_set(stage: Stage) -> TestResponse:
    page = "/mairie/reglages/courriels"
    return send(admin(stage), page, reminder_days="0", relance_days="x")


@scene
def services_to_count(stage: Stage) -> TestResponse:
    stage.invoice(stage.family())
    return admin(stage).get("/mairie/reglages/attestation")


@scene
def a_service_that_is_not_counted(stage: Stage) -> TestResponse:
    return send(admin(stage), "/mairie/reglages/attestation", services=LONG_WORD)


LOGO = "/mairie/reglages/logo"


@scene
def a_logo_to_choose(stage: Stage) -> TestResponse:
    return admin(stage).get(LOGO)


@scene
def a_logo_that_is_none(stage: Stage) -> TestResponse:
    return send(admin(stage), LOGO, file="x")


@scene
def an_invoice_to_type(stage: Stage) -> TestResponse:
    return enter(stage.app, make_agent(Role.FACTURATION)).get("/mairie/factures/nouvelle")


@scene
def an_invoice_badly_typed(stage: Stage) -> TestResponse:
    client, page = enter(stage.app, make_agent(Role.FACTURATION)), "/mairie/factures/nouvelle"
    line = {"lines-0-service": "Repas", "lines-0-price": "quatre"}
    return send(client, page, family="inconnue", period="", due_on="demain", **line)


@scene
def the_journal(stage: Stage) -> TestResponse:
    return enter(stage.app, make_agent(Role.CONTROLE)).get("/mairie/journal")


@scene
def the_journal_of_days_without_entries(stage: Stage) -> TestResponse:
    return enter(stage.app, make_agent(Role.CONTROLE)).get(
        "/mairie/journal?du=2020-01-01&au=2020-01-02"
    )


@scene
def the_journal_of_a_day_that_is_none(stage: Stage) -> TestResponse:
    return enter(stage.app, make_agent(Role.CONTROLE)).get("/mairie/journal?du=hier")
