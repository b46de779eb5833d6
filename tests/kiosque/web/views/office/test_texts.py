"""The texts of the pages for everybody, written at the town hall and seen before they are shown."""

import html
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from kiosque import create_app
from kiosque.db.models import OfficeSetting, StaffEvent
from kiosque.settings import Settings
from kiosque.staff import town_settings
from kiosque.staff.roles import Role
from kiosque.web import legal
from tests.agents import enter, make_agent, send
from tests.conftest import Clock

PAGE = "/mairie/reglages/textes/confidentialite"
OURS = "douze mois"
TEXT = "# Vos données\r\n\r\nElles sont **gardées** à la mairie.\r\n"


@pytest.fixture
def admin(app: Flask, empty_database: None, frozen: Clock) -> FlaskClient:
    return enter(app, make_agent(Role.ADMINISTRATION))


def main_of(client: FlaskClient, address: str) -> str:
    return client.get(address).text.partition("<main")[2].partition("</main>")[0]


def test_a_text_is_seen_before_it_is_shown(admin: FlaskClient, stranger: FlaskClient) -> None:
    seen = send(admin, PAGE, text=TEXT)
    assert "<strong>gardées</strong>" in seen.text
    assert OURS in main_of(stranger, "/confidentialite")
    (kept,) = re.findall(r'name="text" value="([^"]*)"', seen.text)
    assert send(admin, PAGE, text=html.unescape(kept), save="1").location == "/mairie/reglages"
    page = main_of(stranger, "/confidentialite")
    assert "<strong>gardées</strong>" in page
    assert OURS not in page
    line = StaffEvent.select().order_by(StaffEvent.id.desc()).get()
    assert (line.action, line.object) == ("settings_changed", "text.confidentialite")
    assert "administration@sautron.example.org" in main_of(admin, "/mairie/reglages")


def test_one_looks_again_at_what_one_wrote_to_change_it(admin: FlaskClient) -> None:
    assert "Elles sont **gardées**" in send(admin, PAGE, text=TEXT, change="1").text
    assert OfficeSetting.select().count() == 0


def test_the_text_is_begun_from_the_one_in_force(admin: FlaskClient) -> None:
    assert "douze mois" in admin.get(PAGE).text
    send(admin, PAGE, text=TEXT, save="1")
    assert "Elles sont **gardées**" in admin.get(PAGE).text


def test_another_process_shows_it_and_its_taking_off_within_seconds(
    admin: FlaskClient, settings: Settings, frozen: Clock
) -> None:
    other = create_app(settings)
    other.extensions["at_work"]()
    reader = other.test_client()
    send(admin, PAGE, text=TEXT, save="1")
    frozen.advance(seconds=6)
    assert OURS not in main_of(reader, "/confidentialite")
    frozen.advance(seconds=6)
    assert send(admin, f"{PAGE}/origine").location == "/mairie/reglages"
    frozen.advance(seconds=6)
    assert OURS in main_of(reader, "/confidentialite")
    assert town_settings.texts() == {}


def test_it_stands_over_the_text_of_the_file_which_comes_back(
    settings: Settings, empty_database: None, frozen: Clock
) -> None:
    (settings.data / "texts").mkdir()
    (settings.data / "texts" / "confidentialite.md").write_text("# Du fichier\n", "utf-8")
    app = create_app(settings)
    app.extensions["at_work"]()
    admin = enter(app, make_agent(Role.ADMINISTRATION))
    assert "# Du fichier" in admin.get(PAGE).text
    send(admin, PAGE, text=TEXT, save="1")
    assert "Du fichier" not in main_of(app.test_client(), "/confidentialite")
    assert "<h1>Du fichier</h1>" in admin.get(f"{PAGE}/origine").text
    send(admin, f"{PAGE}/origine")
    assert "Du fichier" in main_of(app.test_client(), "/confidentialite")


def test_readers_of_another_language_have_a_text_of_their_own(
    admin: FlaskClient, stranger: FlaskClient
) -> None:
    send(admin, f"{PAGE}.en", text="# Your data\n", save="1")
    assert OURS in main_of(stranger, "/confidentialite")
    send(stranger, "/confidentialite", "/langue", language="en", next="/confidentialite")
    assert "<h1>Your data</h1>" in main_of(stranger, "/confidentialite")


@pytest.mark.parametrize(
    "text", ["", "Sans titre", "# Un\n\n# Deux", "# A\n" + "x" * 40_000], ids=lambda text: text[:6]
)
def test_what_cannot_serve_is_refused_and_the_text_stays_in_the_form(
    admin: FlaskClient, text: str
) -> None:
    answer = send(admin, PAGE, text=text, save="1")
    assert answer.status_code == 422
    assert 'id="text-error"' in answer.text
    assert text[:10] in answer.text
    assert OfficeSetting.select().count() == 0


def test_nothing_in_a_text_acts(admin: FlaskClient, stranger: FlaskClient) -> None:
    harm = "# A\n\n<script>alert(1)</script> [z](javascript:alert(1)) ![i](https://x.fr/i.png) \0"
    seen = send(admin, PAGE, text=harm).text.partition('<div class="text">')[2]
    send(admin, PAGE, text=harm, save="1")
    for page in (seen.partition("</div>")[0], main_of(stranger, "/confidentialite")):
        for word in ("<script>alert", 'href="javascript', "<img", "\0"):
            assert word not in page, word


def test_more_than_a_form_holds_is_refused_with_a_sentence(admin: FlaskClient) -> None:
    assert send(admin, PAGE, text="# A\n" + "x" * 70_000).status_code == 413


@pytest.mark.parametrize("name", ["secrets", "confidentialite.xx", "town.name"])
def test_a_page_that_is_not_there_is_not_found(admin: FlaskClient, name: str) -> None:
    assert admin.get(f"/mairie/reglages/textes/{name}").status_code == 404
    assert admin.get(f"/mairie/reglages/textes/{name}/origine").status_code == 404


def test_every_text_may_be_written_as_it_is(admin: FlaskClient) -> None:
    for name in legal.file_names():
        text = admin.get(f"/mairie/reglages/textes/{name}").text
        (begun,) = re.findall(r"<textarea[^>]*>\n(.*?)</textarea>", text, re.S)
        address = f"/mairie/reglages/textes/{name}"
        assert send(admin, address, text=html.unescape(begun)).status_code == 200, name


def test_a_database_without_the_table_yet_has_no_text(empty_database: None) -> None:
    OfficeSetting.drop_table()
    assert town_settings.texts() == {}
