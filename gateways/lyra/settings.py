"""A shop at a bank of Lyra's: what a town writes, and what the adapter keeps of it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo


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
    "osb": Brand("secure.osb.pf", "", "OSB"),
    "epaync": Brand("epaync.nc", "epaync.nc", "EpayNC"),
}

PARIS = ZoneInfo("Europe/Paris")
LONG_AGO = datetime.min.replace(tzinfo=UTC)
#: A key that was changed is not kept for ever.
LONGEST_OVERLAP = timedelta(days=366)
_HOST = re.compile(r"([a-z0-9-]+(\.[a-z0-9-]+)+)?", re.ASCII)


@dataclass(frozen=True)
class Shop:
    """One shop in one mode, TEST or PRODUCTION. Origins are a scheme and a host; `password` is
    the REST service's, empty for a shop without it. `confirm` asks the bank about every paid
    notice before it counts. `in_clear` lets the password travel over HTTP: at the mock bank.

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


@dataclass(frozen=True)
class LyraSettings:
    """`[gateways.NAME]` with `adapter = "lyra"`. `mode` is TEST or PRODUCTION; it chooses the
    key and the REST password, whatever a message says. `host` and `api_host`, when given,
    replace the brand's own; `label` is the bank's name as the payer knows it. With a password
    the bank can be asked and told to give money back; with `confirm` it is asked about every
    payment that a notice announces, before the payment counts. `previous_key` is the key that the
    one in force replaced: notices it signs are accepted to the end of `previous_key_until`, a
    Paris date."""

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
        )

    def faults(self, environment: str) -> list[str]:
        """Every fault, in French, without the secrets' text."""
        key_name = "production_key" if self.mode == "PRODUCTION" else "test_key"
        wanted = "PRODUCTION" if environment == "production" else "TEST"
        checks = {
            "site_id : attendu 8 chiffres": re.fullmatch(r"[0-9]{8}", self.site_id, re.ASCII),
            "mode : attendu TEST ou PRODUCTION": self.mode in ("TEST", "PRODUCTION"),
            f"mode : attendu {wanted} quand environment vaut {environment}": self.mode == wanted,
            f"{key_name} : attendu au moins 16 caractères sans espace": re.fullmatch(
                rb"[!-~]{16,128}", self.key
            ),
            "production_key : c’est la clé de test": self.mode != "PRODUCTION"
            or self.production_key.strip() != self.test_key.strip(),
            f"{key_name} : écrite à la main ; copiez celle de la banque": len(self.key) < 16
            or len(set(self.key)) >= 6,
            f"brand : attendu l’un de {', '.join(sorted(BRANDS))}": self.brand in BRANDS,
            "host : attendu un nom d’hôte, sans https:// ni chemin": _HOST.fullmatch(self.host),
        }
        return [fault for fault, holds in checks.items() if not holds] + [
            *self._rest_faults(),
            *self._rotation_faults(),
        ]

    def _rest_faults(self) -> list[str]:
        """The faults of what concerns the REST service. Each mode's password says which it is:
        one in the other's place could pay a real invoice with a card of test."""
        brand = BRANDS.get(self.brand)
        checks = {
            "test_password : attendu testpassword_ suivi d’au moins 16 caractères": _is_password(
                self.test_password, "testpassword_"
            ),
            "production_password : attendu prodpassword_ suivi d’au moins 16 caractères": (
                _is_password(self.production_password, "prodpassword_")
            ),
            "confirm : sans mot de passe REST, la banque ne peut pas être interrogée": self.password
            or not self.confirm,
            "api_host : attendu un nom d’hôte, sans https:// ni chemin": _HOST.fullmatch(
                self.api_host
            ),
            "api_host : à copier du back office de la banque, onglet « Clés d’API REST »": (
                not (self.password and brand) or self.api_host or brand.api_host
            ),
        }
        return [fault for fault, holds in checks.items() if not holds]

    def _rotation_faults(self) -> Iterator[str]:
        """The faults of the key that was replaced. One whose time has passed is none: the site
        must start the day after."""
        previous, until = self.previous_key.strip(), self.previous_key_until
        if not self.previous_key and until is None:
            return
        if not re.fullmatch(r"[!-~]{16,128}", previous, re.ASCII) or len(set(previous)) < 6:
            yield "previous_key : attendu l’ancienne clé de la banque, 16 caractères au moins"
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


def _is_password(text: str, prefix: str) -> bool:
    """Whether a REST password is absent, or a bank's: printable, begun as its mode asks."""
    own = text.strip().removeprefix(prefix)
    return not text or (
        text.strip().startswith(prefix)
        and bool(re.fullmatch(r"[!-~]{16,128}", own, re.ASCII))
        and len(set(own)) >= 6
    )
