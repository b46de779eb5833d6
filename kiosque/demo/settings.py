"""The settings of the demo: written on the first run, with secrets drawn at random."""

import os
import re
import secrets
from collections.abc import Mapping
from pathlib import Path

from kiosque.demo.town import FILES
from kiosque.settings import Settings, loading

_MOCKS = {"sandbox", "sandbox-payfip"}

_SETTINGS = """\
# Réglages de la démonstration, faits au premier lancement. Les secrets sont tirés au hasard.
environment = "demo"
secret_key = "{secret_key}"
public_url = "http://127.0.0.1:8000"

[town]
name = "Ville de Clairvigne"
address = "1 place de la Mairie"
postcode = "44999"
city = "Clairvigne"
phone = "02 61 91 00 00"
contact_email = "enfance@clairvigne.example.org"
technical_email = "informatique@clairvigne.example.org"
publication_director = "le maire de Clairvigne"
host = "cette machine"

[regie]
name = "Régie de recettes Enfance et Jeunesse"
regisseur = "Dominique Aubry"
email = "regie@clairvigne.example.org"

[legal]
declared_on = "2026-11-24"
dpo = "dpo@clairvigne.example.org"

[payment]
gateway = "banque"

[mail]
sender = "kiosque@clairvigne.example.org"

[attestation]
services = ["Multi-accueil", "Périscolaire", "Mercredi"]

# La ville entière serait avertie ; une famille l’est au premier lancement, pour montrer.
[notices]
new_invoices = false
reminder = false
relance = false

[gateways.banque]
adapter = "sandbox"
url = "http://127.0.0.1:8001"
key = "{bank_key}"
password = "testpassword_{bank_password}"

# make run BANK=payfip
[gateways.payfip]
adapter = "sandbox-payfip"
url = "http://127.0.0.1:8001"
"""

#: The address of the portal, and those of its banks, but for their ports.
_PUBLIC_URL = re.compile(r'(?m)^(public_url = "http://127\.0\.0\.1:)[0-9]+(")')
_BANK_URL = re.compile(r'(?m)^(url = "http://127\.0\.0\.1:)[0-9]+(")')


class DemoError(Exception):
    """The demo cannot start or go on; the text says why and what to do, in French."""


def prepare(
    environ: Mapping[str, str], *, port: int, bank_port: int, bank: str = ""
) -> dict[str, str]:
    """Write the settings if there are none, and return the environment of the demo's processes.

    It lays over the settings the ports of this run and, if given, the gateway `bank`; the ports
    are written there too, where commands find them. Raises DemoError for settings that are not a
    demo's or an unknown gateway, ConfigError for wrong ones.
    """
    path = loading.config_path(environ)
    if not path.exists() and "KIOSQUE_CONFIG" not in environ:
        _write(path)
    # The logo is not named in the file, since the project's folder may move.
    environment = {"KIOSQUE_TOWN_LOGO": str(FILES / "logo.svg"), **environ}
    settings = loading.load(environment)
    adapters = {name: table.get("adapter") for name, table in settings.gateways.items()}
    if settings.environment != "demo" or not set(adapters.values()) <= _MOCKS:
        raise DemoError("Ces réglages ne sont pas ceux d’une démonstration (environment, adapter).")
    if bank:
        if bank not in adapters:
            raise DemoError(f"Aucune banque {bank[:30]}. Il y a : {', '.join(adapters)}.")
        environment["KIOSQUE_PAYMENT_GATEWAY"] = bank
    _set_ports(path, port, bank_port)
    environment["KIOSQUE_PUBLIC_URL"] = f"http://127.0.0.1:{port}"
    for name in adapters:
        environment[f"KIOSQUE_GATEWAYS_{name.upper()}_URL"] = f"http://127.0.0.1:{bank_port}"
    return environment


def _write(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = _SETTINGS.format(
        secret_key=secrets.token_urlsafe(48),
        bank_key=secrets.token_hex(16),
        bank_password=secrets.token_hex(20),
    )
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def _set_ports(path: Path, port: int, bank_port: int) -> None:
    """Write the ports of this run over those of the run before."""
    before = path.read_text(encoding="utf-8")
    text = _PUBLIC_URL.sub(rf"\g<1>{port}\g<2>", before)
    text = _BANK_URL.sub(rf"\g<1>{bank_port}\g<2>", text)
    if text != before:
        draft = path.with_suffix(".part")
        draft.touch(mode=0o600)
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)


def mock_bank(settings: Settings) -> str:
    """Return the name of the gateway whose secrets the mock bank shares. Raises DemoError."""
    for name, table in settings.gateways.items():
        if table.get("adapter") == "sandbox":
            return name
    raise DemoError('Ces réglages n’ont pas de banque de démonstration (adapter = "sandbox").')
