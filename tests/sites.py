"""The settings of a site that is run for real: by gunicorn, on a database of its own, with the mock
bank."""

import secrets
from pathlib import Path

from tests.bank import KEY

#: The password of the bank's REST service, where it can be asked.
BANK_PASSWORD = "testpassword_0123456789abcdef"
NOWHERE = "http://127.0.0.1:1"

_SETTINGS = """\
environment = "demo"
secret_key = "{secret}"
public_url = "{url}"
proxies = [{proxies}]
{database}[town]
name = "Ville de Sautron"
contact_email = "enfance@sautron.example.org"
technical_email = "info@sautron.example.org"
address = "6 rue de la Mairie"
postcode = "44880"
city = "Sautron"
phone = "02 51 77 86 97"
website = "https://www.sautron.example.org"
[regie]
name = "Régie Enfance"
regisseur = "Dominique Aubry"
[payment]
gateway = "banque"
[mail]
sender = "kiosque@sautron.example.org"
[gateways.banque]
adapter = "sandbox"
url = "{bank}"
key = "{key}"
password = "{password}"
"""
_NO_LETTERS = """\
[notices]
new_invoices = false
reminder = false
relance = false
"""


def settle(
    folder: Path,
    url: str,
    *,
    bank: str = NOWHERE,
    proxy: str = "",
    letters: bool = True,
    database: str = "",
) -> Path:
    """Write the settings of a site that answers at `url`; returns their file. Without `letters`,
    no family is written to about its invoices. `database` is the address of a PostgreSQL's."""
    path = folder / "kiosque.toml"
    path.touch(mode=0o600)
    text = _SETTINGS.format(
        secret=secrets.token_urlsafe(48),
        url=url,
        proxies=f'"{proxy}"' if proxy else "",
        database=f'database = "{database}"\n' if database else "",
        bank=bank,
        key=KEY,
        password=BANK_PASSWORD,
    )
    path.write_text(text if letters else text + _NO_LETTERS, encoding="utf-8")
    return path
