"""Settings start the site, or say everything that is wrong with them."""

import dataclasses
from pathlib import Path

import pytest

from gateways.base import ConfigError
from gateways.lyra import LyraSettings
from kiosque import config, create_app, load_gateways
from kiosque.config import Mail, Payment, Regie, Settings, Town
from tests.bank import KEY

TOML = f"""
environment = "test"
secret_key = "abcdefghijklmnopqrstuvwxyz0123456789"
public_url = "http://127.0.0.1:8000"

[town]
name = "Ville de Sautron"
contact_email = "enfance@sautron.example.org"
technical_email = "info@sautron.example.org"

[regie]
name = "Régie Enfance"
regisseur = "Dominique Aubry"

[payment]
gateway = "banque"

[mail]
sender = "kiosque@sautron.example.org"

[gateways.banque]
adapter = "sandbox"
url = "http://127.0.0.1:8001"
key = "{KEY}"
"""


def load(tmp_path: Path, toml: str = TOML, **environ: str) -> config.Settings:
    path = tmp_path / "kiosque.toml"
    path.write_text(toml, encoding="utf-8")
    return config.load({"KIOSQUE_CONFIG": str(path), "KIOSQUE_DATA": str(tmp_path), **environ})


def faults(tmp_path: Path, toml: str = TOML, **environ: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, toml, **environ)
    return str(caught.value)


def test_a_file_is_read_and_the_environment_lies_over_it(tmp_path: Path) -> None:
    settings = load(
        tmp_path,
        KIOSQUE_SECRET_KEY="z9" * 5 + "abcdefghijklmnopqrstuvwxyz",
        KIOSQUE_DATABASE="/tmp/autre.sqlite3",
        KIOSQUE_TOWN_NAME="Ville d’Ailleurs",
        KIOSQUE_TOWN_CONTACT_EMAIL="a@example.org",
        KIOSQUE_MAIL_PORT="2525",
        KIOSQUE_PAYMENT_CLOSES_AFTER_DAYS="45",
        KIOSQUE_GATEWAYS_BANQUE_URL="http://127.0.0.1:9001",
        PATH="/usr/bin",
    )
    assert settings.secret_key.startswith("z9z9")
    assert settings.database_path == Path("/tmp/autre.sqlite3")
    assert (settings.town.name, settings.town.contact_email) == (
        "Ville d’Ailleurs",
        "a@example.org",
    )
    assert (settings.mail.port, settings.payment.closes_after_days) == (2525, 45)
    assert settings.gateways["banque"]["url"] == "http://127.0.0.1:9001"


def test_what_is_written_at_run_time_lies_under_the_data_folder(tmp_path: Path) -> None:
    settings = load(tmp_path)
    assert settings.data == tmp_path
    assert settings.database_path == tmp_path / "kiosque.sqlite3"


def test_secrets_show_in_no_representation(tmp_path: Path) -> None:
    settings = load(tmp_path, KIOSQUE_MAIL_PASSWORD="motdepasse-smtp")
    shown = repr(settings)
    assert not [word for word in ("abcdefgh", KEY, "motdepasse-smtp") if word in shown]


@pytest.mark.parametrize(
    ("variable", "value", "fault"),
    [
        ("KIOSQUE_SECRETKEY", "x", "KIOSQUE_SECRETKEY : variable d’environnement inconnue"),
        ("KIOSQUE_TOWN_NOM", "x", "KIOSQUE_TOWN_NOM : variable d’environnement inconnue"),
        ("KIOSQUE_GATEWAYS_AUTRE_KEY", "x", "KIOSQUE_GATEWAYS_AUTRE_KEY : variable"),
        ("KIOSQUE_ENVIRONMENT", "prod", "environment : attendu"),
        ("KIOSQUE_SECRET_KEY", "court", "secret_key : attendu au moins 32"),
        ("KIOSQUE_SECRET_KEY", "a" * 40, "secret_key : attendu au moins 32"),
        ("KIOSQUE_PUBLIC_URL", "kiosque.example.org", "public_url"),
        ("KIOSQUE_PUBLIC_URL", "https://kiosque.example.org/", "public_url"),
        ("KIOSQUE_PUBLIC_URL", "https://a+b.example.org", "public_url"),
        ("KIOSQUE_DATABASE", "postgresql://x", "database : seul un chemin"),
        ("KIOSQUE_TOWN_COLOUR", "#99ccf", "town.colour"),
        ("KIOSQUE_TOWN_COLOUR", "bleu", "town.colour"),
        ("KIOSQUE_TOWN_WEBSITE", "javascript:alert(1)", "town.website"),
        ("KIOSQUE_TOWN_LOGO", __file__, "town.logo : attendu un fichier .svg"),
        ("KIOSQUE_TOWN_LOGO", "/nulle/part.svg", "town.logo"),
        ("KIOSQUE_TOWN_CONTACT_EMAIL", "enfance", "town.contact_email"),
        ("KIOSQUE_PAYMENT_GATEWAY", "autre", "payment.gateway"),
        ("KIOSQUE_PAYMENT_CLOSES_AFTER_DAYS", "bientôt", "payment.closes_after_days : attendu un"),
        ("KIOSQUE_PAYMENT_CLOSES_AFTER_DAYS", "-1", "payment.closes_after_days : attendu 0"),
        ("KIOSQUE_MAIL_SECURITY", "ssl3", "mail.security"),
        ("KIOSQUE_MAIL_PORT", "vingt-cinq", "mail.port : attendu un nombre entier"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, variable: str, value: str, fault: str) -> None:
    assert fault in faults(tmp_path, **{variable: value})


def test_every_fault_is_named_at_once(tmp_path: Path) -> None:
    found = faults(
        tmp_path, TOML.replace("[mail]", "[mail]\nunknown = 1").replace('name = "V', "#")
    )
    assert "mail.unknown : réglage inconnu" in found
    assert "town.name : réglage manquant" in found


@pytest.mark.parametrize(
    "toml", ["", "x = ", 'town = "Sautron"', "\ufeff", 'gateways = "x"', '[gateways]\nbanque = "x"']
)
def test_a_broken_file_is_a_sentence_not_a_traceback(tmp_path: Path, toml: str) -> None:
    assert faults(tmp_path, toml)


def test_a_missing_file_says_where_it_is_looked_for(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"absent\.toml : fichier de réglages absent"):
        config.load({"KIOSQUE_CONFIG": str(tmp_path / "absent.toml")})


def test_production_wants_https_and_a_mail_server(tmp_path: Path) -> None:
    found = faults(tmp_path, KIOSQUE_ENVIRONMENT="production")
    assert "https est obligatoire" in found
    assert "serveur SMTP obligatoire" in found


def test_production_refuses_the_mock_bank(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(
        tmp_path,
        KIOSQUE_ENVIRONMENT="production",
        KIOSQUE_PUBLIC_URL="https://kiosque.example.org",
        KIOSQUE_MAIL_HOST="smtp.example.org",
    )
    with pytest.raises(SystemExit, match="interdite"):
        create_app(settings)


def test_a_site_that_cannot_start_says_why_in_french(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIOSQUE_CONFIG", str(tmp_path / "absent.toml"))
    with pytest.raises(SystemExit, match="Réglages refusés"):
        create_app()


def test_the_documented_example_is_whole_and_starts(tmp_path: Path) -> None:
    """docs/configuration.md shows every setting there is, and a town can copy it."""
    document = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text("utf-8")
    example = document.partition("```toml\n")[2].partition("```")[0]
    settings = load(
        tmp_path,
        example,
        KIOSQUE_SECRET_KEY="abcdefghijklmnopqrstuvwxyz0123456789",
        KIOSQUE_TOWN_LOGO=str(Path(__file__).parents[2] / "data" / "demo" / "logo.svg"),
        KIOSQUE_GATEWAYS_BANQUE_PRODUCTION_KEY=KEY,
    )
    assert load_gateways(settings)["banque"].form_origin == "https://paiement.systempay.fr"
    for part in (Settings, Town, Regie, Payment, Mail, LyraSettings):
        for setting in dataclasses.fields(part):
            shown = setting.name if setting.name != "gateways" else "[gateways."
            assert shown in example or setting.name == "data", setting.name
