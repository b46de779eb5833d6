"""A shop at a bank of Lyra's: what a town writes, and what the adapter keeps of it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from gateways.base import PARIS
from gateways.lyra.credentials import API_KEYS, BACK_OFFICE, KEYS, key_fault, password_fault
from gateways.lyra.page import Page


class Brand(NamedTuple):
    """Hosts follow no rule; `api_host` is empty where it is not publicly known."""

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
#: A key that was changed is not kept for ever.
LONGEST_OVERLAP = timedelta(days=366)
_HOST = re.compile(r"([a-z0-9-]+(\.[a-z0-9-]+)+)?", re.ASCII)
_HOST_EXPECTED = "attendu un nom d’hôte, sans https:// ni chemin, par exemple paiement.systempay.fr"


@dataclass(frozen=True)
class Shop:
    """One shop in one mode, TEST or PRODUCTION. Origins are a scheme and a host; `password` is
    the REST service's, empty for a shop without it. `confirm` asks the bank about every paid
    notice before it counts. `in_clear` lets the password travel over HTTP: at the mock bank.
    `page` is what the town chose of the bank's page.

    `key` signs what we send. What the bank says may also be signed by `previous_key`, empty
    unless the key was changed, before the instant `previous_until`."""

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
    """`[gateways.NAME]` with `adapter = "lyra"`. `mode` is TEST or PRODUCTION; it chooses the
    key and the REST password, whatever a message says. `host` and `api_host`, when given,
    replace the brand's own; `label` is the bank's name as the payer knows it. With a password
    the bank can be asked and told to give money back; with `confirm` it is asked about every
    payment that a notice announces, before the payment counts. `cards`, `theme`, `return_mode`
    and `return_seconds` are the page's. `previous_key` is the key that the one in force replaced:
    notices it signs are accepted to the end of `previous_key_until`, a Paris date."""

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
        """The key in force. Banks' pages add white space to what is copied from them."""
        chosen = self.production_key if self.mode == "PRODUCTION" else self.test_key
        return chosen.strip().encode()

    @property
    def password(self) -> str:
        """The REST password in force, empty for a shop without the REST service."""
        chosen = self.production_password if self.mode == "PRODUCTION" else self.test_password
        return chosen.strip()

    @property
    def page(self) -> Page:
        return Page(self.cards, self.theme, self.return_mode, self.return_seconds)

    @property
    def bank(self) -> str:
        """The bank's name for the payer: never a brand's where the form goes to another host."""
        return self.label or self.host or BRANDS[self.brand].label

    def shop(self) -> Shop:
        """What the adapter keeps, once there are no faults."""
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
        """Every fault, in French, without the secrets' text."""
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
        """The faults of both modes' keys: the one not in force too, which will be one day."""
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
        """The faults of what concerns the REST service. Each mode's password says which it is:
        one in the other's place could pay a real invoice with a card of test."""
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
            # The password must not go to the brand's own bank when the form goes to another.
            yield f"api_host : copiez le nom du serveur de l’API REST ({API_KEYS})"

    def _rotation_faults(self) -> Iterator[str]:
        """The faults of the key that was replaced. One whose time has passed is none: the site
        must start the day after."""
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
    """The instant at which a Paris day ends; long ago when there is none."""
    if day is None:
        return LONG_AGO
    return datetime.combine(day + timedelta(days=1), time(), tzinfo=PARIS)
