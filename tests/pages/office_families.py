"""The families, as the town hall meets them."""

from contextlib import suppress
from datetime import date

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from kiosque.db import write
from kiosque.db.models import Child, Family, Guardian, Invoice, OutboxMail
from kiosque.db.states import MailState
from kiosque.families import signin
from kiosque.families.own_changes import issue_codes
from kiosque.families.signin import Visitor
from kiosque.families.throttle import TooManyTries
from kiosque.outbox import queue
from kiosque.privacy import archiving, merging
from kiosque.staff.roles import Role
from tests.agents import enter, make_agent, send
from tests.kiosque.payments.conftest import at_counter
from tests.pages.stage import LONG_EMAIL, LONG_NAME, LONG_NUMBER, Stage, scene


def clerk(stage: Stage) -> FlaskClient:
    return enter(stage.app, make_agent(Role.FACTURATION))


@scene
def the_record_of_a_family_of_long_standing(stage: Stage) -> TestResponse:
    """All that a record may say: money both ways, a way in that waits, mails of every state."""
    family = stage.family(LONG_NAME)
    stage.paid(family, stage.invoice(family))
    for _ in range(2):
        at_counter(stage.invoice(family, 99999999, number=f"{LONG_NUMBER}-{_}"))
    at_counter(Invoice.get(Invoice.number == f"{LONG_NUMBER}-0"), is_extra=True)
    stage.invoice(family, 99999999, due_on=date(2026, 10, 31))
    Family.update(email=LONG_EMAIL, wants_mail=False).where(Family.id == family.id).execute()
    issue_codes([(family, "abc")])
    for _ in range(6):
        with suppress(TooManyTries):
            signin.attempt(family.code, "faux", Visitor("203.0.113.9"))
    with write():
        for state in MailState:
            queue.add(f"scene {state}", "password_changed", family.id, LONG_EMAIL)
    OutboxMail.update(state="failed", last_error="550 5.1.1 " + "x" * 60).where(
        OutboxMail.key == "scene failed"
    ).execute()
    return clerk(stage).get(f"/mairie/familles/{family.code}")


def acted_on(stage: Stage, **changes: str) -> str:
    """The page of a family with two addresses."""
    family = stage.family(LONG_NAME)
    for name, email in (("Alice", LONG_EMAIL), ("Bob", "bob@example.org")):
        Guardian.create(family=family, first_name=name, last_name=LONG_NAME, email=email)
    Family.update(changes or {"name": LONG_NAME}).where(Family.id == family.id).execute()
    return f"/mairie/familles/{family.code}"


@scene
def a_letter_to_confirm(stage: Stage) -> TestResponse:
    return clerk(stage).get(f"{acted_on(stage, address='')}/lettre")


@scene
def a_letter_without_a_reason(stage: Stage) -> TestResponse:
    return send(clerk(stage), f"{acted_on(stage)}/lettre")


@scene
def a_link_to_one_of_two_addresses(stage: Stage) -> TestResponse:
    return clerk(stage).get(f"{acted_on(stage)}/lien")


@scene
def a_link_to_no_address_chosen(stage: Stage) -> TestResponse:
    return send(clerk(stage), f"{acted_on(stage)}/lien")


@scene
def a_link_for_a_family_without_an_address(stage: Stage) -> TestResponse:
    return clerk(stage).get(f"/mairie/familles/{stage.family().code}/lien")


@scene
def a_provisional_password_to_confirm(stage: Stage) -> TestResponse:
    return clerk(stage).get(f"{acted_on(stage)}/mot-de-passe")


@scene
def a_provisional_password_without_a_reason(stage: Stage) -> TestResponse:
    return send(clerk(stage), f"{acted_on(stage)}/mot-de-passe")


@scene
def a_provisional_password_given(stage: Stage) -> TestResponse:
    page = f"{acted_on(stage)}/mot-de-passe"
    return send(clerk(stage), page, reason="au guichet", seen="y")


@scene
def the_list_of_a_family_as_an_agent_sees_it(stage: Stage) -> TestResponse:
    family = stage.family(LONG_NAME)
    stage.open_payment(family, stage.invoice(family))
    stage.paid(family, stage.invoice(family))
    for number in range(3):
        stage.invoice(family, 99999999, number=f"{LONG_NUMBER}-VUE-{number}")
    return clerk(stage).get(f"/mairie/familles/{family.code}/vue")


@scene
def an_invoice_as_an_agent_sees_it(stage: Stage) -> TestResponse:
    family = stage.family(LONG_NAME)
    invoice = stage.invoice(family)
    return clerk(stage).get(f"/mairie/familles/{family.code}/vue/factures/{invoice.number}")


@scene
def a_record_as_an_agent_sees_it(stage: Stage) -> TestResponse:
    return clerk(stage).get(f"{acted_on(stage)}/vue/famille")


@scene
def a_family_to_put_away(stage: Stage) -> TestResponse:
    return clerk(stage).get(f"{acted_on(stage)}/archiver")


@scene
def a_family_that_owes_too_much_to_be_put_away(stage: Stage) -> TestResponse:
    family = stage.family(LONG_NAME)
    stage.open_payment(family, stage.invoice(family))
    return clerk(stage).get(f"/mairie/familles/{family.code}/archiver")


@scene
def a_family_put_away_without_a_reason(stage: Stage) -> TestResponse:
    return send(clerk(stage), f"{acted_on(stage)}/archiver")


@scene
def the_record_of_a_family_put_away(stage: Stage) -> TestResponse:
    family = stage.family(LONG_NAME)
    archiving.archive(family)
    return clerk(stage).get(f"/mairie/familles/{family.code}")


@scene
def families_found_among_those_put_away(stage: Stage) -> TestResponse:
    archiving.archive(stage.family(LONG_NAME))
    return clerk(stage).get("/mairie/familles?q=Montmorency&archivees=1")


def two_codes(stage: Stage) -> tuple[Family, Family]:
    """A household that was loaded under two codes."""
    kept, double = stage.family(LONG_NAME), stage.family(LONG_NAME)
    for family in (kept, double):
        Guardian.create(family=family, first_name="Alice", last_name=LONG_NAME)
        Child.create(family=family, name=f"Léa {LONG_NAME}")
        stage.invoice(family, 99999999)
    return kept, double


@scene
def a_double_to_name(stage: Stage) -> TestResponse:
    return clerk(stage).get(f"/mairie/familles/{stage.family().code}/fusionner")


@scene
def a_double_that_nobody_is(stage: Stage) -> TestResponse:
    return clerk(stage).get(f"/mairie/familles/{stage.family().code}/fusionner?double=F9999")


@scene
def a_double_to_confirm(stage: Stage) -> TestResponse:
    kept, double = two_codes(stage)
    return clerk(stage).get(f"/mairie/familles/{kept.code}/fusionner?double={double.code}")


@scene
def a_double_while_its_family_is_at_the_bank(stage: Stage) -> TestResponse:
    kept, double = two_codes(stage)
    stage.open_payment(double, stage.invoice(double))
    page = f"/mairie/familles/{kept.code}/fusionner"
    asked = f"{page}?double={double.code}"
    return send(clerk(stage), asked, page, double=double.code, reason="doublon", seen="y")


@scene
def a_merge_to_undo(stage: Stage) -> TestResponse:
    made = merging.merge(*two_codes(stage), "marie@example.org", "doublon")
    return clerk(stage).get(f"/mairie/familles/fusions/{made.id}")


@scene
def the_record_of_a_family_merged(stage: Stage) -> TestResponse:
    kept, double = two_codes(stage)
    merging.merge(kept, double, "marie@example.org", LONG_NAME)
    return clerk(stage).get(f"/mairie/familles/{kept.code}")


@scene
def letters_for_the_families_without_a_way_in(stage: Stage) -> TestResponse:
    family = stage.family()
    Family.update(address="1 rue X", postcode="44000", city="Y").where(
        Family.id == family.id
    ).execute()
    return send(clerk(stage), "/mairie/familles/lettres", reason="")


@scene
def no_family_awaits_a_letter(stage: Stage) -> TestResponse:
    Family.update(address="").execute()
    return clerk(stage).get("/mairie/familles/lettres")
