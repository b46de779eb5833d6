"""A family asks for a change; an agent accepts or refuses it with a sentence, and it is told."""

import json

import pytest
from flask import Flask
from flask.testing import FlaskClient

from kiosque.db.models import Family, FamilyRequest, Guardian, ImportBatch, OutboxMail, StaffEvent
from kiosque.families import requests
from kiosque.invoices import imports
from kiosque.invoices.imports import undoing
from kiosque.mails import rendering
from kiosque.payments import Refused
from kiosque.settings import Settings
from kiosque.staff.roles import Role
from tests.agents import enter, make_agent, send
from tests.conftest import TOWN

FILE = (
    "code_famille;role;nom;prenom;courriel;telephone;adresse;code_postal;ville\n"
    "F1001;responsable;Martin;Alice;alice@example.org;0612345678;1 rue A;44880;Sautron\n"
    "F1001;responsable;Martin;Bob;bob@example.org;;1 rue A;44880;Sautron\n"
)


def load(settings: Settings, text: str) -> imports.FileSummary:
    path = settings.data / "familles.csv"
    path.write_text(text)
    removals = imports.Confirmed(removals=True)
    return imports.load(path, pdf_folder=settings.data / "pdf", confirmed=removals)


@pytest.fixture
def family(alices_family: Family, settings: Settings) -> Family:
    load(settings, FILE)
    return Family.get(Family.code == "F1001")


@pytest.fixture
def agent(app: Flask, family: Family) -> FlaskClient:
    return enter(app, make_agent(Role.FACTURATION))


def ask(family: Family, topic: str) -> str:
    requests.ask(family, topic, "Nous déménageons.", TOWN)
    return f"/mairie/demandes/{FamilyRequest.select().order_by(FamilyRequest.id.desc()).get().id}"


MOVED = {"address": "4 rue du Bac", "postcode": "44300", "city": "Nantes"}
YES = {"decision": "accept", "words": "C’est fait."}


def test_an_accepted_address_is_in_the_record_and_both_parents_are_told(
    agent: FlaskClient, family: Family, settings: Settings
) -> None:
    page = ask(family, "address")
    assert page in agent.get("/mairie/demandes").text
    assert "1 rue A" in agent.get(page).text
    assert send(agent, page, **YES, **MOVED).location == "/mairie/demandes"
    now = Family.get_by_id(family.id)
    assert (now.address, now.postcode, now.city) == ("4 rue du Bac", "44300", "Nantes")
    answered = FamilyRequest.get()
    assert (answered.state, answered.answered_by) == (
        "accepted",
        "facturation@sautron.example.org",
    )
    mails = list(OutboxMail.select().where(OutboxMail.template == "request_answer"))
    assert {row.recipient for row in mails} == {"alice@example.org", "bob@example.org"}
    told = rendering.render_mail(settings, mails[0])
    assert told
    assert "C’est fait." in told.text
    assert page not in agent.get("/mairie/demandes").text
    assert StaffEvent.select().order_by(StaffEvent.id.desc()).get().action == "request_accepted"


def test_a_refused_request_changes_nothing_and_the_family_is_told_why(
    agent: FlaskClient, family: Family, settings: Settings
) -> None:
    page = ask(family, "address")
    send(agent, page, decision="refuse", words="Il manque un justificatif.", **MOVED)
    assert Family.get_by_id(family.id).address == "1 rue A"
    (mail, *_) = OutboxMail.select().where(OutboxMail.template == "request_answer")
    told = rendering.render_mail(settings, mail)
    assert told
    assert "Il manque un justificatif." in told.text


def test_a_parents_new_e_mail_is_told_to_the_old_one_too(
    agent: FlaskClient, family: Family
) -> None:
    send(agent, ask(family, "email"), **YES, parent="Bob Martin", email="bob@Exemple.FR")
    assert Guardian.get(Guardian.first_name == "Bob").email == "bob@exemple.fr"
    told = OutboxMail.select().where(OutboxMail.template == "request_answer")
    assert {row.recipient for row in told} == {
        "alice@example.org",
        "bob@example.org",
        "bob@exemple.fr",
    }


def test_a_parents_telephone_changes_alone(agent: FlaskClient, family: Family) -> None:
    send(agent, ask(family, "phone"), **YES, parent="Alice Martin", phone="06 11 22 33 44")
    alice = Guardian.get(Guardian.first_name == "Alice")
    assert (alice.phone, alice.email) == ("06 11 22 33 44", "alice@example.org")


@pytest.mark.parametrize(
    ("topic", "typed"),
    [
        ("address", {**YES, **MOVED, "city": ""}),
        ("address", {**YES, **MOVED, "postcode": "\0"}),
        ("address", {**YES, **MOVED, "address": "x" * 201}),
        ("address", {**YES, **MOVED, "words": ""}),
        ("address", {**YES, **MOVED, "words": "x" * 501}),
        ("address", {**YES, **MOVED, "decision": ""}),
        ("phone", {**YES, "parent": "Alice Martin", "phone": "appeler le soir"}),
        ("phone", {**YES, "parent": "Charlie Petit", "phone": "0612345678"}),
        ("email", {**YES, "parent": "Alice Martin", "email": "alice"}),
        ("email", {**YES, "parent": "", "email": "alice@example.fr"}),
    ],
    ids=str,
)
def test_an_answer_that_will_not_do_changes_nothing(
    agent: FlaskClient, family: Family, topic: str, typed: dict[str, str]
) -> None:
    page, before = ask(family, topic), list(Guardian.select().tuples())
    answer = send(agent, page, **typed)
    assert answer.status_code == 422
    assert "À corriger" in answer.text
    assert FamilyRequest.get().state == "open"
    assert Family.get_by_id(family.id).address == "1 rue A"
    assert list(Guardian.select().tuples()) == before


def test_two_agents_answer_once(agent: FlaskClient, family: Family) -> None:
    page = ask(family, "other")
    first = agent.get(page)
    assert first.status_code == 200
    send(agent, page, **YES)
    again = send(agent, page, to=page, **{**YES, "decision": "refuse"})
    assert again.status_code == 422
    assert FamilyRequest.get().state == "accepted"


def test_the_next_file_that_says_otherwise_wins_and_its_preview_says_so(
    agent: FlaskClient, family: Family, settings: Settings
) -> None:
    send(agent, ask(family, "address"), **YES, **MOVED)
    send(agent, ask(family, "phone"), **YES, parent="Alice Martin", phone="06 11 22 33 44")
    assert not load(settings, FILE).warnings  # unchanged: what was accepted stays
    assert Family.get_by_id(family.id).address == "4 rue du Bac"
    told = " ".join(
        str(each) for each in load(settings, FILE.replace("1 rue A", "2 rue A")).warnings
    )
    for words in ("4 rue du Bac", "2 rue A", "06 11 22 33 44"):
        assert words in told
    assert Family.get_by_id(family.id).address == "2 rue A"


def test_a_load_before_an_accepted_request_is_undone_no_more(
    agent: FlaskClient, family: Family, settings: Settings
) -> None:
    send(agent, ask(family, "address"), **YES, **MOVED)
    with pytest.raises(Refused, match="demande acceptée"):
        undoing.undo(ImportBatch.get(kind="familles").id, "Marie", "erreur", settings.data / "pdf")
    assert json.loads(FamilyRequest.get().applied) == MOVED
