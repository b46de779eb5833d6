"""The settings of a shop: as a town writes them, and as the adapter keeps them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from gateways.base import PARIS
from gateways.lyra.credentials import API_KEYS, BACK_OFFICE, KEYS, key_fault, password_fault
from gateways.lyra.page import Page


class Brand(NamedTuple):
    """A brand's hosts, which follow no rule; `api_host` is empty if it is not publicly known."""

    form_host: str
    api_host: str
    label: str


BRANDS = {
    "systempay": Brand("paiement.systempay.fr", "api.systempay.fr", "Caisse d’Epargne"),
    "payzen": Brand("secure.payzen.eu", "api.payzen.eu", "PayZen"),
    "lyra": Brand("secure.lyra.com", "api.lyra.com", "Lyra Collect"),
    "sogecommerce": Brand(
        "sogecommerce.societegenerale.eu",
        "api-sogecommerce.societegenerale.eu",
        "Société Générale",
    ),
    "scellius": Brand(
        "scelliuspaiement.labanquepostale.fr",
        "api.scelliuspaiement.labanquepostale.fr",
        "La Banque Postale",
    ),
    "clicandpay": Brand("clicandpay.groupecdn.fr", "api-clicandpay.groupecdn.fr", "Clic&Pay"),
    "monetico": Brand(
        "secure.gateway.monetico-retail.com",
        "api.gateway.monetico-retail.com",
        "Monetico Retail",
    ),
    "osb": Brand("secure.osb.pf", "", "OSB"),
    "epaync": Brand("epaync.nc", "epaync.nc", "EpayNC"),
    "payzen-de": Brand("de.payzen.eu", "", "PayZen"),
    "payzen-br": Brand("secure.payzen.com.br", "api.payzen.com.br", "PayZen"),
    "payzen-lat": Brand("secure.payzen.lat", "api.payzen.lat", "PayZen"),
    "micuentaweb": Brand("secure.micuentaweb.pe", "api.micuentaweb.pe", "Mi Cuenta Web"),
    "payty": Brand("secure.payty.com", "", "Payty"),
}

LONG_AGO = datetime.min.replace(tzinfo=UTC)
#: Longest time for which a former key may be accepted.
LONGEST_OVERLAP = timedelta(days=366)
_HOST = re.compile(r"([a-z0-9-]+(\.[a-z0-9-]+)+)?", re.ASCII)
_HOST_EXPECTED = "attendu un nom d’hôte, sans https:// ni chemin, par exemple paiement.systempay.fr"


@dataclass(frozen=True)
class Shop:
    """One shop in one mode, TEST or PRODUCTION.

    Origins are a scheme and a host. `password` is that of the REST service, empty without it.
    With `confirm`, the bank is asked about every notification of a payment before it counts.
    `in_clear` lets the password travel over HTTP, to the mock bank only.

    `key` signs what we send. The bank may also sign with `previous_key`, empty unless the key was
    changed, until the instant `previous_until`.
    """

    site_id: str
    mode: str
    key: bytes = field(repr=False)
    form_origin: str
    api_origin: str = ""
    password: str = field(default="", repr=False)
    confirm: bool = False
    in_clear: bool = False
    previous_key: bytes = field(default=b"", repr=False)
    previous_until: datetime = LONG_AGO
    page: Page = field(default_factory=Page)


@dataclass(frozen=True)
class LyraSettings:
    """The table `[gateways.NAME]` with `adapter = "lyra"`.

    `mode`, TEST or PRODUCTION, chooses the key and the REST password, whatever a message says.
    `host` and `api_host`, if given, replace those of the brand; `label` is the bank's name for the
    payer. With a password the bank can be asked and told to give money back; with `confirm` it is
    asked about every notification of a payment before the payment counts. `cards`, `theme`,
    `return_mode` and `return_seconds` are those of `page.Page`. Messages signed by `previous_key`,
    the former key, are accepted until the end of `previous_key_until`, a Paris date.
    """

    adapter: str
    site_id: str
    mode: str = "TEST"
    test_key: str = field(default="", repr=False)
    production_key: str = field(default="", repr=False)
    previous_key: str = field(default="", repr=False)
    previous_key_until: date | None = None
    test_password: str = field(default="", repr=False)
    production_password: str = field(default="", repr=False)
    confirm: bool = False
    brand: str = "systempay"
    host: str = ""
    api_host: str = ""
    label: str = ""
    cards: tuple[str, ...] = ()
    theme: str = ""
    return_mode: str = "NONE"
    return_seconds: int = 5

    @property
    def key(self) -> bytes:
        """The key in force, without the white space that copying from the bank's page adds."""
        chosen = self.production_key if self.mode == "PRODUCTION" else self.test_key
        return chosen.strip().encode()

    @property
    def password(self) -> str:
        """The REST password in force, empty without the REST service."""
        chosen = self.production_password if self.mode == "PRODUCTION" else self.test_password
        return chosen.strip()

    @property
    def page(self) -> Page:
        return Page(self.cards, self.theme, self.return_mode, self.return_seconds)

    @property
    def bank(self) -> str:
        """The bank's name for the payer; never that of the brand if `host` is another one."""
        return self.label or self.host or BRANDS[self.brand].label

    def shop(self) -> Shop:
        """Return what the adapter keeps. Call it only if there are no faults."""
        brand = BRANDS[self.brand]
        return Shop(
            self.site_id,
            self.mode,
            self.key,
            f"https://{self.host or brand.form_host}",
            f"https://{self.api_host or brand.api_host}",
            self.password,
            confirm=self.confirm,
            previous_key=self.previous_key.strip().encode(),
            previous_until=_end_of(self.previous_key_until),
            page=self.page,
        )

    def faults(self, environment: str) -> list[str]:
        """Return every fault, in French, without any secret."""
        wanted = "PRODUCTION" if environment == "production" else "TEST"
        checks = {
            "site_id : attendu l’identifiant de la boutique, 8 chiffres entre guillemets, sans "
            f"espace ni tiret ({BACK_OFFICE})": re.fullmatch(r"[0-9]{8}", self.site_id, re.ASCII),
            f"mode : attendu {wanted} quand environment vaut {environment}": self.mode == wanted,
            f"brand : attendu l’un de {', '.join(sorted(BRANDS))} ; une autre banque de la même "
            "plateforme se nomme par host et api_host": self.brand in BRANDS,
            f"host : {_HOST_EXPECTED}": _HOST.fullmatch(self.host),
            "label : attendu le nom de la banque, sur une ligne, 60 caractères au plus": (
                len(self.label) <= 60 and self.label.isprintable()
            ),
        }
        return [
            *(fault for fault, holds in checks.items() if not holds),
            *self._key_faults(),
            *self._rotation_faults(),
            *self._rest_faults(),
            *self.page.faults(confirm=self.confirm),
        ]

    def _key_faults(self) -> Iterator[str]:
        """Check the keys of both modes, since the one not in force will be one day."""
        keys = {"test_key": self.test_key, "production_key": self.production_key}
        in_force = "production_key" if self.mode == "PRODUCTION" else "test_key"
        for name, key in keys.items():
            kind = "test" if name == "test_key" else "production"
            if not key.strip():
                if name == in_force:
                    yield f"{name} : copiez la clé de {kind} ({KEYS})"
            elif fault := key_fault(key):
                yield f"{name} : {fault} ({KEYS})"
        if self.production_key.strip() and self.production_key.strip() == self.test_key.strip():
            yield f"production_key : c’est la clé de test ({KEYS})"

    def _rest_faults(self) -> Iterator[str]:
        """Check the settings of the REST service.

        A password names its mode: that of TEST in production could pay an invoice by a test card.
        """
        passwords = {
            "test_password": (self.test_password, "testpassword_"),
            "production_password": (self.production_password, "prodpassword_"),
        }
        for name, (password, prefix) in passwords.items():
            if password and (fault := password_fault(password, prefix)):
                yield f"{name} : {fault} ({API_KEYS})"
        if self.confirm and not self.password:
            yield (
                "confirm : sans mot de passe du service REST, la banque ne peut pas être "
                f"interrogée ({API_KEYS})"
            )
        brand = BRANDS.get(self.brand)
        if not _HOST.fullmatch(self.api_host):
            yield f"api_host : {_HOST_EXPECTED}"
        elif self.password and brand and not self.api_host and (self.host or not brand.api_host):
            # The password must not go to the brand's bank if the form goes to another one.
            yield f"api_host : copiez le nom du serveur de l’API REST ({API_KEYS})"

    def _rotation_faults(self) -> Iterator[str]:
        """Check the former key. A date in the past is no fault, since the site must still start."""
        previous, until = self.previous_key.strip(), self.previous_key_until
        if not self.previous_key and until is None:
            return
        if not previous:
            yield "previous_key : attendu l’ancienne clé de la banque"
        elif fault := key_fault(previous):
            yield f"previous_key : {fault}"
        elif previous.encode() == self.key:
            yield "previous_key : c’est la clé en service"
        elif self.mode == "PRODUCTION" and previous == self.test_key.strip():
            yield "previous_key : c’est la clé de test"
        if until is None:
            yield "previous_key_until : attendu le dernier jour où l’ancienne clé est acceptée"
        elif until - datetime.now(PARIS).date() > LONGEST_OVERLAP:
            yield "previous_key_until : attendu un jour à moins d’un an d’ici"


def _end_of(day: date | None) -> datetime:
    """Return the instant at which a Paris day ends; long ago for None."""
    if day is None:
        return LONG_AGO
    return datetime.combine(day + timedelta(days=1), time(), tzinfo=PARIS)
