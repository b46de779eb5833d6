"""Signing in, the account, links and mails to stop."""

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from kiosque.db import write
from kiosque.db.models import (
    Account,
    Family,
    Guardian,
)
from kiosque.families import accounts, tokens
from kiosque.families.tokens import Purpose
from kiosque.invoices import announcements
from tests.conftest import PASSWORD
from tests.pages.stage import LONG_EMAIL, Stage, scene


@scene
def the_sign_in(stage: Stage) -> TestResponse:
    return stage.stranger.get("/connexion")


@scene
def a_sign_in_left_empty(stage: Stage) -> TestResponse:
    return stage.send(stage.stranger, "/connexion", code="", password="")


@scene
def a_sign_in_with_a_wrong_password(stage: Stage) -> TestResponse:
    return stage.send(stage.stranger, "/connexion", code="F1001", password="faux")


@scene
def too_many_tries_to_sign_in(stage: Stage) -> TestResponse:
    wrong = {"code": "F1001", "password": "faux"}
    for _ in range(12):
        page = stage.send(stage.stranger, "/connexion", **wrong)
    assert page.status_code == 429
    return page


@scene
def just_signed_out(stage: Stage) -> TestResponse:
    client = stage.enter(stage.family())
    stage.send(client, "/compte", "/deconnexion")
    return client.get("/connexion")


@scene
def the_account(stage: Stage) -> TestResponse:
    return stage.enter(stage.family()).get("/compte")


@scene
def a_change_of_password(stage: Stage) -> TestResponse:
    return stage.enter(stage.family()).get("/compte/mot-de-passe")


@scene
def the_first_choice_of_a_password(stage: Stage) -> TestResponse:
    family = stage.family()
    client = stage.enter(family)
    Account.update(must_change_password=True).where(Account.family == family).execute()
    return client.get("/compte/mot-de-passe")


@scene
def a_given_password_to_replace_at_once(stage: Stage) -> TestResponse:
    family, client = stage.family(), stage.stranger
    given = accounts.issue_password(family, must_change=True)
    stage.send(client, "/connexion", code=family.code, password=given)
    return client.get("/compte/mot-de-passe")


@scene
def a_change_of_password_left_empty(stage: Stage) -> TestResponse:
    client = stage.enter(stage.family())
    return stage.send(client, "/compte/mot-de-passe", current="", new="")


@scene
def a_new_password_that_is_too_short(stage: Stage) -> TestResponse:
    client = stage.enter(stage.family())
    return stage.send(client, "/compte/mot-de-passe", current=PASSWORD, new="court")


@scene
def the_password_just_changed(stage: Stage) -> TestResponse:
    client = stage.enter(stage.family())
    new = "une autre phrase assez longue"
    assert stage.send(client, "/compte/mot-de-passe", current=PASSWORD, new=new).location
    return client.get("/factures")


@scene
def an_account_with_two_addresses_and_another_device(stage: Stage) -> TestResponse:
    family = stage.family()
    for email in (LONG_EMAIL, "bob@example.org"):
        Guardian.create(family=family, first_name="A", last_name="Martin", email=email)
    stage.enter(family)
    client = stage.enter(family)
    wanted = {"current": PASSWORD, "email": "new@example.org"}
    assert stage.send(client, "/compte/adresse", **wanted).location == "/compte"
    return client.get("/compte")


@scene
def an_account_without_notices(stage: Stage) -> TestResponse:
    family = stage.family()
    Guardian.create(family=family, first_name="A", last_name="Martin", email="a@example.org")
    Family.update(wants_mail=False).where(Family.id == family.id).execute()
    return stage.enter(family).get("/compte")


@scene
def a_change_of_address(stage: Stage) -> TestResponse:
    return stage.enter(stage.family()).get("/compte/adresse")


@scene
def a_wrong_new_address(stage: Stage) -> TestResponse:
    client = stage.enter(stage.family())
    return stage.send(client, "/compte/adresse", current="faux", email="alice@")


@scene
def a_first_sign_in(stage: Stage) -> TestResponse:
    return stage.stranger.get("/activer")


@scene
def a_first_sign_in_left_empty(stage: Stage) -> TestResponse:
    return stage.send(stage.stranger, "/activer", code="", activation="", new="")


@scene
def a_first_sign_in_with_a_wrong_code(stage: Stage) -> TestResponse:
    wrong = {"code": "F1001", "activation": "faux", "new": PASSWORD}
    return stage.send(stage.stranger, "/activer", **wrong)


@scene
def a_forgotten_password(stage: Stage) -> TestResponse:
    return stage.stranger.get("/mot-de-passe/oublie")


@scene
def a_forgotten_password_with_a_wrong_address(stage: Stage) -> TestResponse:
    return stage.send(stage.stranger, "/mot-de-passe/oublie", email="alice@")


@scene
def a_link_asked_for(stage: Stage) -> TestResponse:
    return stage.stranger.get("/mot-de-passe/envoye")


def open_link(stage: Stage, client: FlaskClient, purpose: Purpose) -> TestResponse:
    """Open the link of a mail; the page it leads to."""
    family = stage.family()
    family.email = LONG_EMAIL
    family.save()
    with write():
        token = tokens.prepare_link(purpose, family, LONG_EMAIL)
    return client.get(client.get(f"/lien/{tokens.draw_link(token.id)}").location)


@scene
def a_password_to_choose_by_a_link(stage: Stage) -> TestResponse:
    return open_link(stage, stage.stranger, Purpose.RESET)


@scene
def a_password_chosen_by_a_link_that_is_too_short(stage: Stage) -> TestResponse:
    client = stage.stranger
    open_link(stage, client, Purpose.RESET)
    return stage.send(client, "/mot-de-passe/nouveau", new="court")


@scene
def an_address_to_confirm(stage: Stage) -> TestResponse:
    return open_link(stage, stage.stranger, Purpose.EMAIL)


@scene
def a_sign_in_to_disown(stage: Stage) -> TestResponse:
    return open_link(stage, stage.stranger, Purpose.NOT_ME)


@scene
def a_link_that_opens_nothing(stage: Stage) -> TestResponse:
    return stage.stranger.get("/lien/x")


def stop_address(stage: Stage) -> str:
    token = announcements.stop_token(stage.app.config["SECRET_KEY"], stage.family())
    return f"/courriels/arret/{token}"


@scene
def mails_to_stop(stage: Stage) -> TestResponse:
    return stage.stranger.get(stop_address(stage))


@scene
def mails_stopped(stage: Stage) -> TestResponse:
    return stage.stranger.post(stop_address(stage))


@scene
def a_link_to_stop_mails_that_is_cut(stage: Stage) -> TestResponse:
    return stage.stranger.get(stop_address(stage)[:-3])
