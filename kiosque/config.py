"""Settings: one TOML file named by KIOSQUE_CONFIG, any key overridden by the environment.

`[town] name` is overridden by KIOSQUE_TOWN_NAME, `[gateways.bank] key` by
KIOSQUE_GATEWAYS_BANK_KEY, a key outside any table by KIOSQUE_KEY. What is unknown, missing or
wrong refuses to start, every fault named at once.
"""

import dataclasses
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from gateways.base import ConfigError
from gateways.settings import read_table
from kiosque.colours import is_colour

PREFIX = "KIOSQUE_"
LOGO_TYPES = {".svg": "image/svg+xml", ".png": "image/png", ".webp": "image/webp"}
ENVIRONMENTS = ("production", "demo", "test")
#: Read before the settings themselves: where they are, and where we may write.
_LOCATIONS = ("KIOSQUE_CONFIG", "KIOSQUE_DATA")


@dataclass(frozen=True)
class Town:
    """Who the families deal with. `contact_email` takes their questions and changes to their
    record; `technical_email` their trouble with the site."""

    name: str
    contact_email: str
    technical_email: str
    address: str = ""
    postcode: str = ""
    city: str = ""
    phone: str = ""
    service: str = "Service famille"
    website: str = ""
    colour: str = "#0b4a75"
    logo: str = ""
    publication_director: str = ""
    host: str = ""


@dataclass(frozen=True)
class Regie:
    """The *régie de recettes* and the official answerable for it. Anomalies are mailed to
    `email` when it is given."""

    name: str
    regisseur: str
    email: str = ""


@dataclass(frozen=True)
class Payment:
    """`gateway` names the table in force. Online payment of an invoice closes
    `closes_after_days` after its due date; never, when that is absent."""

    gateway: str
    closes_after_days: int | None = None


@dataclass(frozen=True)
class Mail:
    """How e-mail leaves: by SMTP, or as files under KIOSQUE_DATA/outbox when `host` is empty,
    which only the demo and tests may do. `security` is starttls, tls or none."""

    sender: str
    host: str = ""
    port: int = 587
    security: str = "starttls"
    username: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True)
class Settings:
    """Everything that differs from one town to another."""

    environment: str
    secret_key: str = field(repr=False)
    public_url: str
    database: str
    data: Path
    town: Town
    regie: Regie
    payment: Payment
    mail: Mail
    gateways: Mapping[str, Mapping[str, object]] = field(repr=False)

    @property
    def https(self) -> bool:
        return self.public_url.startswith("https://")

    @property
    def database_path(self) -> Path:
        return Path(self.database) if self.database else self.data / "kiosque.sqlite3"


@dataclass(frozen=True)
class _TopLevel:
    """The keys outside any table."""

    environment: str
    secret_key: str
    public_url: str
    database: str = ""


_TABLES: Mapping[str, type[Any]] = {"town": Town, "regie": Regie, "payment": Payment, "mail": Mail}


def data_directory(environ: Mapping[str, str]) -> Path:
    """Where everything written at run time lies: KIOSQUE_DATA, else `data/` in the project."""
    default = Path(__file__).parent.parent / "data"
    return Path(environ.get("KIOSQUE_DATA") or default).resolve()


def config_path(environ: Mapping[str, str]) -> Path:
    """The settings file: KIOSQUE_CONFIG, else `kiosque.toml` in the data directory."""
    return Path(environ.get("KIOSQUE_CONFIG") or data_directory(environ) / "kiosque.toml")


def load(environ: Mapping[str, str]) -> Settings:
    """Read and check the settings. Raises ConfigError naming every fault, in French."""
    tree = _read_file(config_path(environ))
    if faults := _shape_faults(tree):
        raise ConfigError(faults)
    faults = _override(tree, environ)
    gateways = tree.pop("gateways", {})
    parts: dict[str, Any] = {}
    for name, cls in _TABLES.items():
        parts[name] = _collect(faults, cls, tree.pop(name, {}), f"{name}.")
    top = _collect(faults, _TopLevel, tree, "")
    if faults:
        raise ConfigError(faults)
    settings = Settings(
        **dataclasses.asdict(top), **parts, data=data_directory(environ), gateways=gateways
    )
    if faults := _faults(settings):
        raise ConfigError(faults)
    return settings


def _read_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(
            [f"{path} : fichier de réglages absent (KIOSQUE_CONFIG dit où il se trouve)"]
        ) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError([f"{path} : fichier de réglages illisible ({error})"]) from None


def _shape_faults(tree: Mapping[str, object]) -> list[str]:
    """What is a value where a table is expected."""
    tables = {name: tree[name] for name in (*_TABLES, "gateways") if name in tree}
    gateways = tables.get("gateways")
    if isinstance(gateways, dict):
        tables |= {f"gateways.{name}": table for name, table in gateways.items()}
    return [
        f"{name} : attendu une table" for name, it in tables.items() if not isinstance(it, dict)
    ]


def _override(tree: dict[str, Any], environ: Mapping[str, str]) -> list[str]:
    """Lay the environment over the file. Returns the variables that name no setting."""
    faults = []
    for variable, value in environ.items():
        if not variable.startswith(PREFIX) or variable in _LOCATIONS:
            continue
        table, key = _place(tree, variable.removeprefix(PREFIX).lower())
        if table is None:
            faults.append(f"{variable} : variable d’environnement inconnue")
        else:
            table[key] = value
    return faults


def _place(tree: dict[str, Any], name: str) -> tuple[dict[str, Any] | None, str]:
    """The table and key that a variable's name, without its prefix, stands for."""
    section, _, key = name.partition("_")
    if section == "gateways":
        gateway, _, key = key.partition("_")
        known = isinstance(tree.get("gateways"), dict) and gateway in tree["gateways"]
        return (tree["gateways"][gateway], key) if known and key else (None, key)
    if section in _TABLES:
        found = key in {item.name for item in dataclasses.fields(_TABLES[section])}
        return (tree.setdefault(section, {}), key) if found else (None, key)
    found = name in {item.name for item in dataclasses.fields(_TopLevel)}
    return (tree, name) if found else (None, name)


def _collect(faults: list[str], cls: type[Any], table: Mapping[str, object], where: str) -> Any:
    try:
        return read_table(cls, table, where)
    except ConfigError as error:
        faults.extend(error.faults)
        return None


def _faults(settings: Settings) -> list[str]:
    """What is of the right type but cannot serve."""
    url = urlsplit(settings.public_url)
    mail, live = settings.mail, settings.environment == "production"
    checks = {
        f"environment : attendu l’un de {', '.join(ENVIRONMENTS)}": settings.environment
        in ENVIRONMENTS,
        "secret_key : attendu au moins 32 caractères tirés au hasard": len(settings.secret_key)
        >= 32
        and len(set(settings.secret_key)) >= 10,
        # The address goes into the form we sign: no `+`, nothing to escape.
        "public_url : attendu https://nom-du-site, sans chemin": url.scheme in ("https", "http")
        and bool(re.fullmatch(r"https?://[a-z0-9.-]+(:[0-9]+)?", settings.public_url)),
        "public_url : https est obligatoire en production": settings.https or not live,
        "database : seul un chemin de fichier SQLite est accepté": "://" not in settings.database,
        "town.colour : attendu #rrggbb": is_colour(settings.town.colour),
        "town.website : attendu https://...": bool(
            re.fullmatch(r"(https?://[^\s<>\"']+)?", settings.town.website)
        ),
        f"town.logo : attendu un fichier {', '.join(LOGO_TYPES)}": not settings.town.logo
        or (Path(settings.town.logo).is_file() and Path(settings.town.logo).suffix in LOGO_TYPES),
        "payment.gateway : aucune table [gateways.…] de ce nom": settings.payment.gateway
        in settings.gateways,
        "payment.closes_after_days : attendu 0 ou plus": (settings.payment.closes_after_days or 0)
        >= 0,
        "mail.security : attendu starttls, tls ou none": mail.security
        in ("starttls", "tls", "none"),
        "mail.host : serveur SMTP obligatoire en production": bool(mail.host) or not live,
        "gateways : noms en lettres minuscules et chiffres, 20 au plus": all(
            re.fullmatch(r"[a-z][a-z0-9]{0,19}", name) for name in settings.gateways
        ),
    }
    for name, address in (
        ("town.contact_email", settings.town.contact_email),
        ("town.technical_email", settings.town.technical_email),
        ("mail.sender", mail.sender),
        ("regie.email", settings.regie.email or mail.sender),
    ):
        checks[f"{name} : attendu une adresse électronique"] = bool(
            re.fullmatch(r"[^@\s,<>]+@[^@\s,<>]+\.[^@\s,<>]+", address)
        )
    return [fault for fault, holds in checks.items() if not holds]
