"""Settings made at the town hall are shown at once, by every process, in pages and in mails."""

import struct
import zlib
from dataclasses import replace
from io import BytesIO

import pytest
from flask import Flask
from flask.testing import FlaskClient

from kiosque import create_app
from kiosque.db.models import OfficeSetting, Service, StaffEvent
from kiosque.monitoring import memory
from kiosque.monitoring.memory import Memory, ToldTrouble
from kiosque.papers import typesetting
from kiosque.settings import Settings
from kiosque.staff import town_settings
from kiosque.staff.roles import Role
from tests.agents import enter, make_agent, send
from tests.conftest import NOW, Clock, csrf_token
from tests.kiosque.conftest import Run

TOWN = {
    "name": "Ville de Jonquille", "service": "Pôle enfance", "address": "2 rue Neuve",
    "postcode": "44000", "city": "Jonquille", "phone": "02 40 00 00 00",
    "contact_email": "enfance@jonquille.example.org", "website": "", "colour": "#5a1a5a",
}  # fmt: skip
PAGE = "/mairie/reglages/ville"


@pytest.fixture
def admin(app: Flask) -> FlaskClient:
    return enter(app, make_agent(Role.ADMINISTRATION))


def test_what_is_changed_is_shown_at_once_and_who_did_it_is_kept(
    app: Flask, admin: FlaskClient, stranger: FlaskClient
) -> None:
    assert "Jonquille" not in stranger.get("/connexion").text
    assert send(admin, PAGE, **TOWN).location == "/mairie/reglages"
    page = stranger.get("/connexion").text
    assert "Ville de Jonquille" in page
    assert "enfance@jonquille.example.org" in stranger.get("/mentions-legales").text
    assert "administration@sautron.example.org" in admin.get("/mairie/reglages").text
    line = StaffEvent.select().order_by(StaffEvent.id.desc()).get()
    assert line.action == "settings_changed"
    assert "town.name" in line.object


def test_another_process_shows_it_within_seconds(
    app: Flask, admin: FlaskClient, settings: Settings, frozen: Clock
) -> None:
    other = create_app(settings)
    other.extensions["at_work"]()
    send(admin, PAGE, **TOWN)
    frozen.advance(seconds=6)
    page = other.test_client().get("/connexion").text
    assert "Ville de Jonquille" in page
    # One that began after the change knows it from the first page.
    third = create_app(settings)
    third.extensions["at_work"]()
    assert "Ville de Jonquille" in third.test_client().get("/connexion").text


def test_a_new_colour_is_found_by_a_process_that_does_not_show_it_yet(
    app: Flask, admin: FlaskClient, settings: Settings
) -> None:
    other = create_app(settings)
    other.extensions["at_work"]()
    send(admin, PAGE, **TOWN)
    name = app.extensions["assets"].stylesheet.name
    assert other.test_client().get(f"/fichiers/{name}").status_code == 200


def test_commands_obey_it_too(admin: FlaskClient, settings: Settings) -> None:
    page = "/mairie/reglages/courriels"
    send(admin, page, reminder="y", reminder_days="3", relance_days="20")
    found = town_settings.in_force(settings).notices
    assert (found.reminder_days, found.relance_days) == (3, 20)
    assert (found.new_invoices, found.reminder, found.relance) == (False, True, False)
    assert town_settings.in_force(settings).town == settings.town


def test_what_nobody_changed_follows_the_file(admin: FlaskClient, settings: Settings) -> None:
    kept = {name: getattr(settings.town, name) for name in TOWN}
    send(admin, PAGE, **{**kept, "phone": "02 40 00 00 00"})
    assert [row.name for row in OfficeSetting.select()] == ["town.phone"]
    file = replace(settings, town=replace(settings.town, name="Ville de Nantes"))
    assert town_settings.in_force(file).town.name == "Ville de Nantes"
    assert town_settings.in_force(file).town.phone == "02 40 00 00 00"


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": " "},
        {"name": "x" * 201},
        {"phone": "02\u202840"},
        {"colour": "red"},
        {"contact_email": "enfance"},
        {"website": "javascript:alert(1)"},
    ],
    ids=str,
)
def test_what_cannot_serve_is_refused_beside_its_field(
    admin: FlaskClient, wrong: dict[str, str]
) -> None:
    answer = send(admin, PAGE, **{**TOWN, **wrong})
    assert answer.status_code == 422
    assert f'id="{next(iter(wrong))}-error"' in answer.text
    assert OfficeSetting.select().count() == 0


@pytest.mark.parametrize("days", ["", "0", "31", "x", "9" * 30])
def test_days_are_counted_within_bounds(admin: FlaskClient, days: str) -> None:
    answer = send(admin, "/mairie/reglages/courriels", reminder_days=days, relance_days="7")
    assert answer.status_code == 422
    assert OfficeSetting.select().count() == 0


def test_no_secret_is_shown(admin: FlaskClient, settings: Settings) -> None:
    page = admin.get("/mairie/reglages").text
    for secret in (settings.secret_key, *map(str, settings.gateways["banque"].values())):
        assert len(secret) < 8 or secret not in page


def test_the_last_check_of_the_site_is_told(admin: FlaskClient, settings: Settings) -> None:
    def told() -> str:
        return (
            admin.get("/mairie/reglages")
            .text.partition("Vérification du site")[2]
            .replace("\u00a0", " ")
        )

    assert "pas encore été vérifié" in told()
    trouble = ToldTrouble(2, "Banque", "la clé de « banque » est de test", NOW)
    memory.change(settings.data, lambda _: Memory({"bank": trouble}, NOW))
    assert "la clé de « banque » est de test" in told()
    assert "24 novembre 2026" in told()
    assert "rien à signaler" not in told()
    memory.change(settings.data, lambda _: Memory({}, NOW))
    assert "rien à signaler" in told()
    assert "de test" not in told()


def test_a_section_that_is_not_there_is_not_found(admin: FlaskClient) -> None:
    assert admin.get("/mairie/reglages/secrets").status_code == 404


def test_a_database_without_the_table_yet_is_the_files(run: Run, settings: Settings) -> None:
    OfficeSetting.drop_table()
    assert town_settings.in_force(settings) == settings
    assert run("todo").exit_code == 0


# --- What the yearly attestation counts ---

COUNTED = "/mairie/reglages/attestation"


@pytest.fixture
def services(empty_database: None) -> None:
    for name in ("Accueil périscolaire", "Restauration scolaire"):
        Service.create(name=name)


def test_an_administrator_says_which_services_the_attestation_counts(
    admin: FlaskClient, settings: Settings, services: None
) -> None:
    assert "Accueil périscolaire" in admin.get(COUNTED).text
    assert send(admin, COUNTED, services="Accueil périscolaire").location == "/mairie/reglages"
    found = town_settings.in_force(settings).attestation
    assert found.services == ("Accueil périscolaire",)
    assert found.meal_labels == settings.attestation.meal_labels
    assert 'value="Accueil périscolaire" checked' in admin.get(COUNTED).text
    send(admin, COUNTED)
    assert town_settings.in_force(settings).attestation.services == ()


def test_a_service_of_the_file_is_kept_however_it_is_spelt(
    app: Flask, admin: FlaskClient, settings: Settings, services: None
) -> None:
    named = replace(settings.attestation, services=("ACCUEIL PERISCOLAIRE", "Crèche"))
    app.extensions["settings"] = replace(settings, attestation=named)
    page = admin.get(COUNTED).text
    assert 'value="Accueil périscolaire" checked' in page
    assert 'value="Crèche" checked' in page
    assert 'value="Restauration scolaire">' in page


def test_a_service_that_the_town_does_not_have_is_refused(
    admin: FlaskClient, services: None
) -> None:
    assert send(admin, COUNTED, services="Piscine").status_code == 422
    assert OfficeSetting.select().count() == 0


# --- The logo ---

LOGO = "/mairie/reglages/logo"


def png(side: int = 64, *, extra: bytes = b"") -> bytes:
    """A square of one colour."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        crc = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", crc)

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    rows = zlib.compress((b"\0" + b"\x0b\x4a\x75" * side) * side)
    chunks = [chunk(b"IHDR", header), chunk(b"tEXt", b"x\0" + extra), chunk(b"IDAT", rows)]
    return b"\x89PNG\r\n\x1a\n" + b"".join([*chunks, chunk(b"IEND", b"")])


def give(client: FlaskClient, content: bytes, name: str = "logo.png"):
    token = csrf_token(client.get(LOGO).text)
    return client.post(LOGO, data={"csrf_token": token, "file": (BytesIO(content), name)})


def test_a_logo_given_at_the_office_is_on_pages_papers_and_in_the_tab(
    app: Flask, admin: FlaskClient, stranger: FlaskClient, settings: Settings
) -> None:
    plain = typesetting.typeset("logo", settings, {})
    assert give(admin, png()).location == "/mairie/reglages"
    name = app.extensions["assets"].logo.name
    page = stranger.get("/connexion").text
    assert f'rel="icon" href="/fichiers/{name}"' in page
    assert f'<img src="/fichiers/{name}"' in page
    served = stranger.get(f"/fichiers/{name}")
    assert (served.data, served.mimetype) == (png(), "image/png")
    assert served.headers["X-Content-Type-Options"] == "nosniff"
    own = town_settings.in_force(settings)
    assert len(typesetting.typeset("logo", own, {})) > len(plain)
    line = StaffEvent.select().order_by(StaffEvent.id.desc()).get()
    assert (line.action, line.object) == ("settings_changed", "town.logo")


def test_a_logo_taken_off_gives_way_to_the_files(app: Flask, admin: FlaskClient) -> None:
    before = app.extensions["assets"].logo
    give(admin, png())
    assert app.extensions["assets"].logo != before
    assert send(admin, LOGO, f"{LOGO}/retirer").location == "/mairie/reglages"
    assert app.extensions["assets"].logo == before
    assert f"{LOGO}/retirer" not in admin.get(LOGO).text


SVG = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"


@pytest.mark.parametrize(
    "wrong",
    [
        b"",
        b"GIF89a",
        SVG,
        png()[:20],
        png()[:60],
        png(31),
        png(2001),
        png(extra=b"x" * 100_000),
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + b"\xff" * 13,
        png()[:33] + SVG,
    ],
    ids=["empty", "gif", "svg", "cut", "damaged", "small", "large", "heavy", "bomb", "disguised"],
)
def test_what_is_no_small_png_is_refused_with_a_sentence(
    app: Flask, admin: FlaskClient, wrong: bytes
) -> None:
    before = app.extensions["assets"].logo
    answer = give(admin, wrong)
    assert answer.status_code == 422
    assert 'id="file-error"' in answer.text
    assert app.extensions["assets"].logo == before
    assert OfficeSetting.select().count() == 0


def test_a_logo_far_too_large_is_not_read(admin: FlaskClient) -> None:
    assert give(admin, png() + b"x" * 200_000).status_code == 413
    assert OfficeSetting.select().count() == 0
