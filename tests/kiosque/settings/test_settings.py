"""Settings start the site, or say everything that is wrong with them."""

import dataclasses
import secrets
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import trustme

from gateways import network, registry
from gateways.base import ConfigError, Polls
from gateways.lyra import LyraSettings
from kiosque import create_app, settings
from kiosque.settings import (
    AttestationRules,
    Legal,
    Mail,
    Notices,
    Payment,
    Regie,
    Server,
    Settings,
    Town,
    loading,
    machine,
)
from tests import sentences
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


def load(tmp_path: Path, toml: str = TOML, **environ: str) -> settings.Settings:
    path = tmp_path / "kiosque.toml"
    path.write_text(toml, encoding="utf-8")
    path.chmod(0o640)
    return loading.load({"KIOSQUE_CONFIG": str(path), "KIOSQUE_DATA": str(tmp_path), **environ})


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


def test_the_services_of_the_attestation_are_a_list_or_a_text_with_commas(tmp_path: Path) -> None:
    listed = TOML + '[attestation]\nservices = ["Multi-accueil", "Périscolaire"]\n'
    assert load(tmp_path, listed).attestation.services == ("Multi-accueil", "Périscolaire")
    over = load(tmp_path, listed, KIOSQUE_ATTESTATION_SERVICES="Mercredi, Multi-accueil")
    assert over.attestation.services == ("Mercredi", "Multi-accueil")
    assert load(tmp_path).attestation.services == ()
    wrong = TOML + "[attestation]\nservices = [1]\n"
    assert f"attestation.services : attendu {sentences.LIST_WANTED}" in faults(tmp_path, wrong)


def test_proxies_are_a_list_in_the_file_and_a_text_in_the_environment(tmp_path: Path) -> None:
    listed = TOML.replace("[town]", 'proxies = ["unix", "10.0.0.0/8"]\n[town]', 1)
    assert load(tmp_path, listed).proxies == ("unix", "10.0.0.0/8")
    assert load(tmp_path, KIOSQUE_PROXIES="127.0.0.1, ::1").proxies == ("127.0.0.1", "::1")
    assert load(tmp_path).proxies == ()
    wrong = TOML.replace("[town]", "proxies = [1]\n[town]", 1)
    assert f"proxies : attendu {sentences.LIST_WANTED}" in faults(tmp_path, wrong)


def test_what_is_written_at_run_time_lies_under_the_data_folder(tmp_path: Path) -> None:
    settings = load(tmp_path)
    assert settings.data == tmp_path
    assert settings.database_path == tmp_path / "kiosque.sqlite3"


def test_secrets_show_in_no_representation(tmp_path: Path) -> None:
    settings = load(tmp_path, KIOSQUE_MAIL_PASSWORD="motdepasse-smtp")
    shown = repr(settings)
    assert not [word for word in ("abcdefgh", KEY, "motdepasse-smtp") if word in shown]
    live = repr(load(tmp_path, LIVE_TOML, **LIVE))
    assert not [word for word in ("Xq8wLz3RvT6nKp2M", "Bd5yHs9J") if word in live]


@pytest.mark.parametrize(
    ("variable", "value", "fault"),
    [
        ("KIOSQUE_SECRETKEY", "x", f"KIOSQUE_SECRETKEY : {sentences.UNKNOWN_VARIABLE}"),
        ("KIOSQUE_TOWN_NOM", "x", f"KIOSQUE_TOWN_NOM : {sentences.UNKNOWN_VARIABLE}"),
        (
            "KIOSQUE_GATEWAYS_AUTRE_KEY",
            "x",
            f"KIOSQUE_GATEWAYS_AUTRE_KEY : {sentences.UNKNOWN_VARIABLE}",
        ),
        ("KIOSQUE_ENVIRONMENT", "prod", "environment : attendu"),
        ("KIOSQUE_SECRET_KEY", "court", "secret_key : attendu au moins 32"),
        ("KIOSQUE_SECRET_KEY", "a" * 40, "secret_key : attendu au moins 32"),
        ("KIOSQUE_PUBLIC_URL", "kiosque.example.org", "public_url"),
        ("KIOSQUE_PUBLIC_URL", "https://kiosque.example.org/", "public_url"),
        ("KIOSQUE_PUBLIC_URL", "https://a+b.example.org", "public_url"),
        ("KIOSQUE_DATABASE", "postgresql://x", f"database : {sentences.PATH_WANTED}"),
        ("KIOSQUE_DATABASE", "postgresql:base", f"database : {sentences.PATH_WANTED}"),
        ("KIOSQUE_DATABASE", "postgresql://u:p@[x/base", f"database : {sentences.PATH_WANTED}"),
        ("KIOSQUE_DATABASE", "mysql://u:p@x/base", f"database : {sentences.PATH_WANTED}"),
        ("KIOSQUE_TOWN_COLOUR", "#99ccf", "town.colour"),
        ("KIOSQUE_TOWN_COLOUR", "bleu", "town.colour"),
        ("KIOSQUE_TOWN_WEBSITE", "javascript:alert(1)", "town.website"),
        ("KIOSQUE_TOWN_LOGO", __file__, "town.logo : "),
        ("KIOSQUE_TOWN_LOGO", "/nulle/part.svg", "town.logo"),
        ("KIOSQUE_TOWN_CONTACT_EMAIL", "enfance", "town.contact_email"),
        ("KIOSQUE_PAYMENT_GATEWAY", "autre", "payment.gateway"),
        ("KIOSQUE_NETWORK_PROXY", "mandataire.ville.fr:3128", "network.proxy"),
        ("KIOSQUE_NETWORK_PROXY", "http://mandataire.ville.fr", "network.proxy"),
        ("KIOSQUE_NETWORK_PROXY", "socks5://mandataire.ville.fr:1080", "network.proxy"),
        ("KIOSQUE_NETWORK_PROXY", "http://mandataire.ville.fr:x", "network.proxy"),
        ("KIOSQUE_NETWORK_PROXY", "http://mandataire.ville.fr:3128/x", "network.proxy"),
        ("KIOSQUE_NETWORK_AUTHORITIES", "/nulle/part.pem", "network.authorities"),
        ("KIOSQUE_NETWORK_AUTHORITIES", __file__, "network.authorities"),
        (
            "KIOSQUE_PAYMENT_CLOSES_AFTER_DAYS",
            "bientôt",
            f"payment.closes_after_days : attendu {sentences.NUMBER_WANTED}",
        ),
        ("KIOSQUE_PAYMENT_CLOSES_AFTER_DAYS", "-1", "payment.closes_after_days : attendu 0"),
        ("KIOSQUE_MAIL_SECURITY", "ssl3", "mail.security"),
        ("KIOSQUE_MAIL_PORT", "vingt-cinq", f"mail.port : attendu {sentences.NUMBER_WANTED}"),
        ("KIOSQUE_MAIL_PORT", "--5", f"mail.port : attendu {sentences.NUMBER_WANTED}"),
        ("KIOSQUE_MAIL_PORT", "9" * 5000, f"mail.port : attendu {sentences.NUMBER_WANTED}"),
        ("KIOSQUE_MAIL_PORT", "0", "mail.port : "),
        ("KIOSQUE_MAIL_SENDER", "a@example.org\r\nBcc: b@example.org", "mail.sender : "),
        ("KIOSQUE_TOWN_NAME", " ", f"town.name : {sentences.TEXT_WANTED}"),
        ("KIOSQUE_PUBLIC_URL", "https://kiosque.example.org:0", "public_url"),
        ("KIOSQUE_PUBLIC_URL", "https://kiosque.example.org:99999", "public_url"),
        ("KIOSQUE_PUBLIC_URL", "https://.", "public_url"),
        ("KIOSQUE_PROXIES", "*", f"proxies : {sentences.ADDRESSES_WANTED}"),
        ("KIOSQUE_PROXIES", "127.0.0.1, ::/0", f"proxies : {sentences.ADDRESSES_WANTED}"),
        ("KIOSQUE_PROXIES", "10.0.0.1/8", f"proxies : {sentences.ADDRESSES_WANTED}"),
        ("KIOSQUE_LEGAL_ACCESSIBILITY", "oui", "legal.accessibility : attendu l’un de non"),
        ("KIOSQUE_LEGAL_ACCESSIBILITY", "totalement", "legal.declared_on : "),
        ("KIOSQUE_LEGAL_DECLARED_ON", "24/11/2026", "legal.declared_on : "),
        ("KIOSQUE_LEGAL_DPO", "le maire", "legal.dpo : "),
        ("KIOSQUE_SERVER_WORKERS", "0", "server.workers : attendu"),
        ("KIOSQUE_SERVER_THREADS", "300", "server.threads : attendu"),
        ("KIOSQUE_MONITORING_TOKEN", "trop-court", "monitoring.token : "),
        ("KIOSQUE_MONITORING_TOKEN", "é" * 40, "monitoring.token : "),
        ("KIOSQUE_OFFICE_NETWORKS", "192.0.2.7/24", "office.networks : "),
        ("KIOSQUE_MONITORING_WEEKDAY", "jamais", "monitoring.weekday : "),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, variable: str, value: str, fault: str) -> None:
    assert fault in faults(tmp_path, **{variable: value})


CRECHE = f"""
[regies.creche]
name = "Régie de la crèche"
regisseur = "Camille Roy"
email = "creche@sautron.example.org"
services = ["Multi-accueil", "Halte"]
gateway = "seconde"

[gateways.seconde]
adapter = "sandbox"
url = "http://127.0.0.1:8001"
key = "{KEY}"
"""


def test_a_second_regie_has_its_names_services_bank_and_closing(tmp_path: Path) -> None:
    settings = load(tmp_path, TOML + CRECHE, KIOSQUE_REGIES_CRECHE_CLOSES_AFTER_DAYS="30")
    creche = settings.regies["creche"]
    assert (creche.name, creche.services) == ("Régie de la crèche", ("Multi-accueil", "Halte"))
    assert creche.closes_after_days == 30
    assert settings.gateways_in_force == ["banque", "seconde"]
    assert settings.gateway_of("") == "banque"
    assert settings.gateway_of("creche") == "seconde"
    assert settings.gateway_of("autre") is None
    assert settings.regie_of_gateway("seconde") == "creche"
    assert settings.regie_of_gateway("banque") == ""
    assert [each.name for each in settings.every_regie] == ["Régie Enfance", "Régie de la crèche"]
    assert settings.regies_of([]) == settings.regies_of(["Cantine"]) == [settings.regie]


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('regisseur = "Camille Roy"', "", f"regisseur : {sentences.MISSING_SETTING}"),
        ('regisseur = "Camille Roy"', 'regisseur = " "', f"regisseur : {sentences.TEXT_WANTED}"),
        ("Régie de la crèche", " ", f"name : {sentences.TEXT_WANTED}"),
        ("Régie de la crèche", "Régie Enfance", f"name : {sentences.NAME_OF_ANOTHER}"),
        ("creche@sautron.example.org", "creche", "email : "),
        ('["Multi-accueil", "Halte"]', "[]", f"services : {sentences.SERVICE_WANTED}"),
        ('["Multi-accueil", "Halte"]', "[1]", f"services : attendu {sentences.LIST_WANTED}"),
        ('gateway = "seconde"', "", f"gateway : {sentences.NO_SUCH_GATEWAY}"),
        ('gateway = "seconde"', 'gateway = "autre"', f"gateway : {sentences.NO_SUCH_GATEWAY}"),
        ('gateway = "seconde"', 'gateway = "banque"', f"gateway : {sentences.BANK_OF_ANOTHER}"),
        ('gateway = "seconde"', 'gateway = "seconde"\ncloses_after_days = -1',
         "closes_after_days : attendu 0"),
        ('gateway = "seconde"', 'gateway = "seconde"\nbanque = 1',
         f"banque : {sentences.UNKNOWN_SETTING}"),
        ("[regies.creche]", "[regies.Crèche]", "Crèche : "),
        ("[regies.creche]", "[regies]\ncreche = 1\n[autre]", "regies.creche : attendu une table"),
    ],
)  # fmt: skip
def test_a_second_regie_that_cannot_be_told_apart_refuses_to_start(
    tmp_path: Path, old: str, new: str, fault: str
) -> None:
    toml = TOML + CRECHE.replace(old, new, 1)
    if "Crèche :" in fault:
        toml = toml.replace("[regies.Crèche]", '[regies."Crèche"]')
    assert fault in faults(tmp_path, toml)


def test_a_service_is_of_one_regie_only(tmp_path: Path) -> None:
    third = CRECHE.replace("creche", "halte").replace("seconde", "tierce").replace("de la", "de l")
    found = faults(tmp_path, TOML + CRECHE + third)
    assert f"regies.halte.services : {sentences.SERVICE_OF_ANOTHER}" in found
    assert found.count("\n") == 0
    own = TOML.replace("[regie]", '[regie]\nservices = ["Halte"]')
    found = faults(tmp_path, own + CRECHE)
    assert f"regies.creche.services : {sentences.SERVICE_OF_ANOTHER}" in found


def test_a_regie_takes_no_mode_that_does_not_exist(tmp_path: Path) -> None:
    own = TOML.replace("[regie]", '[regie]\nmodes = ["or"]')
    assert "regie.modes : attendu parmi cash, cheque" in faults(tmp_path, own)
    other = CRECHE.replace("[regies.creche]", '[regies.creche]\nmodes = ["or"]')
    assert "regies.creche.modes : attendu parmi cash" in faults(tmp_path, TOML + other)


A_TOKEN = "un-jeton-assez-long-pour-etre-accepte-0123"


def test_each_token_of_the_exchange_opens_one_regie_or_all(tmp_path: Path) -> None:
    toml = TOML + CRECHE.replace("[regies.creche]", f'[regies.creche]\napi_token = "c{A_TOKEN}"')
    own = {"KIOSQUE_REGIE_API_TOKEN": f"r{A_TOKEN}", "KIOSQUE_OFFICE_API_TOKEN": A_TOKEN}
    settings = load(tmp_path, toml, **own)
    known = {f"r{A_TOKEN}": "", f"c{A_TOKEN}": "creche", A_TOKEN: None}
    assert settings.regie_by_token == known
    assert A_TOKEN not in repr(settings)
    assert load(tmp_path, TOML).regie_by_token == {}


@pytest.mark.parametrize(
    ("first", "creche", "every", "fault"),
    [
        ("court", "", "", "regie.api_token : "),
        ("", "court", "", "regies.creche.api_token : "),
        ("", "", "court", "office.api_token : "),
        (A_TOKEN, A_TOKEN, "", "regies.creche.api_token : "),
        (A_TOKEN, "", A_TOKEN, "regie.api_token : "),
        ("", A_TOKEN, A_TOKEN, "regies.creche.api_token : "),
    ],
)
def test_a_token_that_is_short_or_of_another_refuses_to_start(
    tmp_path: Path, first: str, creche: str, every: str, fault: str
) -> None:
    toml = TOML + CRECHE.replace("[regies.creche]", f'[regies.creche]\napi_token = "{creche}"')
    own = {"KIOSQUE_REGIE_API_TOKEN": first, "KIOSQUE_OFFICE_API_TOKEN": every}
    (found,) = faults(tmp_path, toml, **own).splitlines()
    assert found.startswith(fault)
    assert A_TOKEN not in found


def test_every_fault_is_named_at_once(tmp_path: Path) -> None:
    found = faults(
        tmp_path, TOML.replace("[mail]", "[mail]\nunknown = 1").replace('name = "V', "#")
    )
    assert f"mail.unknown : {sentences.UNKNOWN_SETTING}" in found
    assert f"town.name : {sentences.MISSING_SETTING}" in found


@pytest.mark.parametrize(
    "toml", ["", "x = ", 'town = "Sautron"', "\ufeff", 'gateways = "x"', '[gateways]\nbanque = "x"']
)
def test_a_broken_file_is_a_sentence_not_a_traceback(tmp_path: Path, toml: str) -> None:
    assert faults(tmp_path, toml)


def test_a_missing_file_says_where_it_is_looked_for(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=rf"absent\.toml : {sentences.NO_SETTINGS}"):
        loading.load({"KIOSQUE_CONFIG": str(tmp_path / "absent.toml")})


def test_production_wants_https_and_a_mail_server(tmp_path: Path) -> None:
    found = faults(tmp_path, KIOSQUE_ENVIRONMENT="production")
    assert sentences.HTTPS_WANTED in found
    assert sentences.MAIL_SERVER_WANTED in found


LIVE = {
    "KIOSQUE_ENVIRONMENT": "production",
    "KIOSQUE_SECRET_KEY": "Jm5-2vX_qT9rWz8LkPn4sYb7HdGc3FaEuRoiQ1xB",
    "KIOSQUE_PUBLIC_URL": "https://kiosque.example.org",
    "KIOSQUE_MAIL_HOST": "smtp.example.org",
}
LYRA = """
adapter = "lyra"
site_id = "12345678"
mode = "PRODUCTION"
production_key = "Xq8wLz3RvT6nKp2M"
production_password = "prodpassword_Xq8wLz3RvT6nKp2MBd5yHs9J"
test_key = "Bd5yHs9JcF4gWa7E"
"""
LIVE_TOML = TOML.partition('adapter = "sandbox"')[0] + LYRA


def test_a_town_in_production_starts(tmp_path: Path) -> None:
    settings = load(tmp_path, LIVE_TOML, **LIVE)
    assert settings.environment == "production"
    # With the password of its REST service, the bank can be asked.
    assert isinstance(
        registry.configure_all(settings.gateways, environment="production")["banque"], Polls
    )


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (
            {"KIOSQUE_SECRET_KEY": "Change-Me_5vX_qT9rWz8LkPn4sYb7HdGc3F"},
            f"secret_key : {sentences.OF_AN_EXAMPLE}",
        ),
        (
            {"KIOSQUE_SECRET_KEY": "abcdefghijklmnopqrstuvwxyz0123456789"},
            f"secret_key : {sentences.OF_AN_EXAMPLE}",
        ),
        ({"KIOSQUE_SECRET_KEY": "dev"}, "secret_key : attendu au moins 32"),
        ({"KIOSQUE_SECRET_KEY": ""}, "secret_key : attendu au moins 32"),
        (
            {"KIOSQUE_PUBLIC_URL": "http://kiosque.example.org"},
            f"public_url : {sentences.HTTPS_WANTED}",
        ),
        ({"KIOSQUE_MAIL_HOST": ""}, f"mail.host : {sentences.MAIL_SERVER_WANTED}"),
        (
            {"KIOSQUE_MAIL_SECURITY": "none", "KIOSQUE_MAIL_USERNAME": "kiosque"},
            f"mail.security : {sentences.PASSWORD_IN_CLEAR}",
        ),
        ({"KIOSQUE_GATEWAYS_BANQUE_MODE": "TEST"}, "gateways.banque.mode : attendu PRODUCTION"),
        (
            {"KIOSQUE_GATEWAYS_BANQUE_PRODUCTION_KEY": "Bd5yHs9JcF4gWa7E"},
            f"gateways.banque.production_key : {sentences.TEST_KEY}",
        ),
        (
            {"KIOSQUE_GATEWAYS_BANQUE_PRODUCTION_KEY": "0" * 16},
            f"gateways.banque.production_key : {sentences.TYPED_BY_HAND}",
        ),
        (
            {"KIOSQUE_GATEWAYS_BANQUE_PRODUCTION_PASSWORD": "testpassword_Xq8wLz3RvT6nKp2M"},
            "gateways.banque.production_password : attendu prodpassword_",
        ),
        ({"FLASK_DEBUG": "1"}, "FLASK_DEBUG : "),
    ],
)
def test_production_refuses_what_is_dangerous(
    tmp_path: Path, change: dict[str, str], fault: str
) -> None:
    assert fault in faults(tmp_path, LIVE_TOML, **(LIVE | change))


def test_production_refuses_the_mock_bank(tmp_path: Path) -> None:
    found = faults(tmp_path, TOML, **LIVE)
    assert f"gateways.banque.adapter : {sentences.NO_MOCK_BANK_HERE}" in found


def test_production_refuses_secrets_that_every_account_may_read(tmp_path: Path) -> None:
    path = tmp_path / "kiosque.toml"
    environ = LIVE | {"KIOSQUE_CONFIG": str(path), "KIOSQUE_DATA": str(tmp_path)}
    path.write_text(LIVE_TOML, encoding="utf-8")
    path.chmod(0o644)
    with pytest.raises(ConfigError, match=sentences.OPEN_TO_ALL):
        loading.load(environ)
    path.chmod(0o640)
    tmp_path.chmod(0o755)
    with pytest.raises(ConfigError, match=rf"{sentences.FOLDER_OPEN_TO_ALL} \(chmod 750\)"):
        loading.load(environ)
    tmp_path.chmod(0o750)
    assert loading.load(environ)


@pytest.mark.parametrize("secret", ["production_key", "production_password"])
def test_each_of_a_gateways_secrets_is_one(tmp_path: Path, secret: str) -> None:
    """A file that holds one of them only, read by all, is refused all the same."""
    path = tmp_path / "kiosque.toml"
    others = {"secret_key", "test_key", "production_key", "production_password"} - {secret}
    lines = [line for line in LIVE_TOML.splitlines() if line.partition(" ")[0] not in others]
    path.write_text("\n".join(lines), encoding="utf-8")
    path.chmod(0o644)
    keys = {"KIOSQUE_GATEWAYS_BANQUE_PRODUCTION_KEY": "Xq8wLz3RvT6nKp2M"}
    environ = LIVE | keys | {"KIOSQUE_CONFIG": str(path), "KIOSQUE_DATA": str(tmp_path)}
    with pytest.raises(ConfigError, match=sentences.OPEN_TO_ALL):
        loading.load(environ)


@pytest.mark.parametrize("table", ["regie", "office"])
def test_a_token_of_the_exchange_is_a_secret(table: str) -> None:
    readable = Path(__file__)  # by every account
    tree = {table: {"api_token": A_TOKEN}}
    assert machine.readable_secrets(readable, tree)
    assert machine.readable_secrets(readable, {"regies": {"creche": tree[table]}})
    assert not machine.readable_secrets(readable, {table: {"api_token": ""}})


def test_a_file_without_secrets_may_be_read_by_all(tmp_path: Path) -> None:
    path = tmp_path / "kiosque.toml"
    secrets = ("key", "password")
    lines = [line for line in LIVE_TOML.splitlines() if not any(it in line for it in secrets)]
    path.write_text("\n".join(lines), encoding="utf-8")
    path.chmod(0o644)
    keys = {"KIOSQUE_GATEWAYS_BANQUE_PRODUCTION_KEY": "Xq8wLz3RvT6nKp2M"}
    environ = LIVE | keys | {"KIOSQUE_CONFIG": str(path), "KIOSQUE_DATA": str(tmp_path)}
    assert loading.load(environ).environment == "production"


def test_a_command_that_cannot_start_names_everything_at_once_without_a_secret(
    tmp_path: Path,
) -> None:
    """Wrong types, missing, unknown, dangerous, of every table and of the gateway, in one go."""
    path = tmp_path / "kiosque.toml"
    toml = TOML.replace('name = "Ville de Sautron"', 'colour = "bleu"\nport = "x"')
    toml = toml.replace("[mail]", '[mail]\nport = "vingt"\npassword = "motdepasse-smtp"')
    toml = toml.replace('secret_key = "abc', 'secret_key = "changeme-abc')
    path.write_text(toml.replace('adapter = "sandbox"', LYRA).replace("Xq8", "Bd5"), "utf-8")
    path.chmod(0o644)
    environ = {
        "PATH": "/usr/bin:/bin",
        "KIOSQUE_CONFIG": str(path),
        "KIOSQUE_DATA": str(tmp_path),
        "KIOSQUE_ENVIRONMENT": "production",
        "KIOSQUE_PROXIES": "0.0.0.0/0",
        "KIOSQUE_INCONNU": "x",
        "FLASK_DEBUG": "true",
    }
    command = [sys.executable, "app.py", "migrate"]
    root = Path(__file__).parents[3]
    ran = subprocess.run(
        command, env=environ, cwd=root, capture_output=True, text=True, check=False
    )
    assert ran.returncode != 0
    for fault in (
        f"town.port : {sentences.UNKNOWN_SETTING}", f"town.name : {sentences.MISSING_SETTING}",
        "town.colour : attendu",
        "mail.port : attendu un nombre", "mail.host : serveur SMTP", "secret_key : tirée",
        "public_url : https", "proxies : attendu", "KIOSQUE_INCONNU : variable", "FLASK_DEBUG",
        sentences.OPEN_TO_ALL, f"gateways.banque.url : {sentences.UNKNOWN_SETTING}",
    ):  # fmt: skip
        assert fault in ran.stderr, fault
    assert "Traceback" not in ran.stderr
    for secret in ("changeme-abc", "motdepasse-smtp", KEY, "wLz3RvT6nKp2M", "Hs9JcF4gWa7E"):
        assert secret not in ran.stderr + ran.stdout


def test_a_site_that_cannot_start_says_why_in_french(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIOSQUE_CONFIG", str(tmp_path / "absent.toml"))
    with pytest.raises(SystemExit, match=sentences.SETTINGS_REFUSED):
        create_app()


def test_a_server_that_cannot_start_stops_and_says_why(tmp_path: Path) -> None:
    """Gunicorn goes on starting workers for ever unless their status says not to."""
    command = [sys.executable, "-m", "gunicorn", "app:create_app()", "--no-control-socket"]
    ran = subprocess.run(
        [*command, "--bind", f"unix:{tmp_path}/socket"],
        env={"PATH": "/usr/bin:/bin", "KIOSQUE_DATA": str(tmp_path)},
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 3
    assert sentences.NO_SETTINGS in ran.stderr
    assert "Traceback" not in ran.stderr


def test_the_documented_example_is_whole_and_starts(tmp_path: Path) -> None:
    """docs/configuration.md shows every setting there is, and a town can copy it."""
    document = (Path(__file__).parents[3] / "docs" / "configuration.md").read_text("utf-8")
    example = document.partition("```toml\n")[2].partition("```")[0]
    settings = load(
        tmp_path,
        example,
        KIOSQUE_SECRET_KEY=secrets.token_urlsafe(48),
        KIOSQUE_TOWN_LOGO=str(Path(__file__).parents[3] / "data" / "demo" / "logo.svg"),
        KIOSQUE_GATEWAYS_BANQUE_PRODUCTION_KEY=KEY,
    )
    gateways = registry.configure_all(settings.gateways, environment=settings.environment)
    assert gateways["banque"].form_origin == "https://paiement.systempay.fr"
    for part in (
        Settings,
        Town,
        Regie,
        Payment,
        Mail,
        AttestationRules,
        Notices,
        Legal,
        Server,
        LyraSettings,
    ):
        for setting in dataclasses.fields(part):
            shown = setting.name if setting.name != "gateways" else "[gateways."
            assert shown in example or setting.name in ("data", "own_logo"), setting.name


def test_a_site_whose_database_is_not_made_yet_starts_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = load(tmp_path)
    create_app(settings)
    assert not settings.database_path.exists()
    assert caplog.text == ""
    settings.database_path.touch()
    create_app(settings)
    assert "migrate" in caplog.text


def test_the_network_of_the_town_is_in_force_once_its_gateways_are_made(tmp_path: Path) -> None:
    authority = tmp_path / "ville.pem"
    trustme.CA().cert_pem.write_to_path(str(authority))
    closed = f"""
[network]
proxy = "http://kiosque:canari@mandataire.ville.fr:3128"
authorities = "{authority}"
"""
    settings = load(tmp_path, TOML + closed)
    assert "canari" not in repr(settings)
    loading.gateways_of(settings)
    assert network.current() == settings.network
    assert network.current().proxy_parts.hostname == "mandataire.ville.fr"
    loading.gateways_of(load(tmp_path))
    assert network.current() == network.DIRECT


def test_a_readable_file_that_holds_the_secret_of_a_proxy_is_refused_in_production(
    tmp_path: Path,
) -> None:
    bare = '[network]\nproxy = "http://mandataire.ville.fr:3128"\n'
    path = tmp_path / "kiosque.toml"
    for toml, told in ((bare, []), (bare.replace("//", "//nom:secret@"), [str(path)])):
        path.write_text(toml, encoding="utf-8")
        path.chmod(0o644)
        found = machine.readable_secrets(path, tomllib.loads(toml))
        assert [fault.partition(" : ")[0] for fault in found] == told
