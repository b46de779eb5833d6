"""The legal pages: what the law asks, from the settings or in the town's own words."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gateways.base import ConfigError
from kiosque import create_app
from kiosque.language import catalogue
from kiosque.settings import Legal, Settings
from kiosque.web import legal
from kiosque.web.legal import LegalPages
from tests import sentences

FULL = Legal("partiellement", date(2026, 11, 24), "dpo@sautron.example.org")


def write(settings: Settings, name: str, text: str | bytes) -> None:
    folder = settings.data / "texts"
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(text.encode() if isinstance(text, str) else text)


def read(settings: Settings, address: str) -> str:
    return create_app(settings).test_client().get(address).text.replace("&nbsp;", "\u00a0")


def test_the_privacy_page_says_what_why_how_long_and_whom_to_ask(
    empty_database: None, settings: Settings
) -> None:
    page = read(replace(settings, legal=FULL), "/confidentialite")
    for words in (
        "combien de temps", "dix ans", "douze mois", "trente jours au plus", "obligation légale",
        "cookie de session", "gardé trois mois", "permet de l’arrêter", "jamais le mot de passe",
        'href="mailto:enfance@sautron.example.org"', 'href="mailto:dpo@sautron.example.org"',
        "https://www.cnil.fr/plaintes", "Votre numéro de carte",
    ):  # fmt: skip
        assert words in page, words


def test_the_legal_notice_names_publisher_director_host_and_regie(
    empty_database: None, settings: Settings
) -> None:
    town = replace(
        settings.town,
        address="6 rue de la Mairie", postcode="44880", city="Sautron", phone="02 51 77 86 97",
        publication_director="la maire de Sautron", host="Hébergeur & fils, Nantes",
    )  # fmt: skip
    page = read(replace(settings, town=town), "/mentions-legales")
    for words in (
        "6 rue de la Mairie, 44880 Sautron", "02 51 77 86 97", "la maire de Sautron",
        "Hébergeur &amp; fils, Nantes", "Régie Enfance", "Dominique Aubry",
    ):  # fmt: skip
        assert words in page, words


@pytest.mark.parametrize(
    ("state", "words", "detail"),
    [
        ("non", "non conforme", "pas encore été audité"),
        ("partiellement", "partiellement conforme", "une partie des critères"),
        ("totalement", "totalement conforme", "tous les critères"),
    ],
)
def test_the_state_of_accessibility_is_in_the_footer_and_in_a_dated_declaration(
    empty_database: None, settings: Settings, state: str, words: str, detail: str
) -> None:
    settings = replace(settings, legal=Legal(state, date(2026, 11, 24)))
    assert f'href="/accessibilite">{sentences.ACCESSIBILITY}\u00a0: {words}</a>' in read(
        settings, "/connexion"
    )
    page = read(settings, "/accessibilite")
    assert f"<h1>{sentences.ACCESSIBILITY}\u00a0: {words}</h1>" in page
    for expected in (detail, "24\u00a0novembre\u00a02026", "Défenseur des droits", "info@sautron"):
        assert expected in page


def test_the_towns_own_text_takes_the_place_of_ours(
    empty_database: None, settings: Settings
) -> None:
    write(
        settings, "confidentialite.md", "\ufeff# Vos données\n\n- **rien**\n\n|a|b|\n|-|-|\n|1|2|"
    )
    page = read(settings, "/confidentialite")
    assert "<h1>Vos données</h1>" in page
    assert "<strong>rien</strong>" in page
    assert "<td>2</td>" in page
    assert "douze mois" not in page
    assert "<h1>Mentions légales</h1>" in read(settings, "/mentions-legales")


def test_a_reader_of_another_language_gets_that_text_if_there_is_one(settings: Settings) -> None:
    own = {"confidentialite": "fr", "confidentialite.en": "en"}
    with catalogue.using("en"):
        assert "en" in LegalPages(settings, own).html("confidentialite")
        assert "fr" in LegalPages(settings, {"confidentialite": "fr"}).html("confidentialite")
    assert "fr" in LegalPages(settings, own).html("confidentialite")


def test_html_in_a_text_is_shown_and_never_obeyed(empty_database: None, settings: Settings) -> None:
    write(
        settings,
        "confidentialite.md",
        '# A\n\n<script>alert(1)</script> <b onclick="x">y</b>\n\n[z](javascript:alert(1))\n\n'
        "![i](https://evil.example.org/pixel.png) {{ 7 * 7 }} \0",
    )
    page = read(settings, "/confidentialite")
    for harm in ("<script>alert", "<b ", 'href="javascript', "<img", "49", "\0"):
        assert harm not in page.partition("<main")[2].partition("</main>")[0], harm


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("confidentialite.md", b"# \xe9t\xe9", "pas en UTF-8"),
        ("confidentialite.md", "", "attendu un titre"),
        ("confidentialite.md", " \n", "attendu un titre"),
        ("confidentialite.md", "Sans titre", "attendu un titre"),
        ("confidentialite.md", "# Un\n\n# Deux", "et un seul"),
        ("confidentialite.md", "# A\n" + "x" * 100_000, "trop long"),
        ("confidentialité.md", "# A", "nom inconnu"),
        ("confidentialite.txt", "# A", "nom inconnu"),
        ("confidentialite.xx.md", "# A", "nom inconnu"),
    ],
)
def test_a_text_that_cannot_serve_refuses_to_start(
    settings: Settings, name: str, text: str | bytes, fault: str
) -> None:
    write(settings, name, text)
    write(settings, "accessibilite.md", "Sans titre")
    with pytest.raises(ConfigError) as caught:
        legal.load(settings.data / "texts")
    assert fault in str(caught.value)
    assert len(caught.value.faults) == 2
    with pytest.raises(SystemExit, match=r"texts/accessibilite\.md"):
        create_app(settings)


def test_a_folder_in_place_of_a_text_is_a_fault(settings: Settings) -> None:
    (settings.data / "texts" / "accessibilite.md").mkdir(parents=True)
    with pytest.raises(ConfigError, match="illisible"):
        legal.load(settings.data / "texts")


def test_what_an_editor_leaves_behind_is_passed_over(settings: Settings) -> None:
    for name in (".confidentialite.md.swp", "confidentialite.md~"):
        write(settings, name, b"\xff")
    assert legal.load(settings.data / "texts") == {}


def test_the_faults_of_texts_and_settings_are_named_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "accessibilite.md").write_text("", encoding="utf-8")
    monkeypatch.setenv("KIOSQUE_DATA", str(tmp_path))
    monkeypatch.setenv("KIOSQUE_CONFIG", str(tmp_path / "absent.toml"))
    with pytest.raises(SystemExit, match=r"(?s)absent.*texts/accessibilite\.md"):
        create_app()


@pytest.mark.parametrize("name", legal.TITLES)
def test_the_default_text_is_itself_a_text_that_can_be_changed(
    settings: Settings, name: str
) -> None:
    write(settings, f"{name}.md", LegalPages(settings, {}).default(name))
    own = legal.load(settings.data / "texts")
    assert LegalPages(settings, own).html(name) == LegalPages(settings, {}).html(name)


def test_in_production_what_the_law_asks_and_the_settings_lack_is_logged(
    empty_database: None, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    live = replace(settings, environment="production", gateways={}, public_url="https://k.example")
    create_app(live)
    assert "town.publication_director" in caplog.text
    assert "legal.dpo" in caplog.text
    write(settings, "confidentialite.md", "# A")
    caplog.clear()
    create_app(live)
    assert "legal.dpo" not in caplog.text


def test_the_pages_are_the_same_for_a_stranger_and_a_family(
    app: Flask, stranger: FlaskClient, alice: FlaskClient
) -> None:
    for name in legal.TITLES:
        pages = [client.get(f"/{name}").text.partition("<main")[2] for client in (stranger, alice)]
        assert pages[0] == pages[1]
