"""Settings: one TOML file named by KIOSQUE_CONFIG, any key overridden by the environment.

`[town] name` is overridden by KIOSQUE_TOWN_NAME, `[gateways.bank] key` by
KIOSQUE_GATEWAYS_BANK_KEY, a key outside any table by KIOSQUE_KEY. What is unknown, missing or
wrong refuses to start, every fault named at once.
"""

import dataclasses
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateways import registry
from gateways.base import ConfigError
from gateways.settings import read_values
from kiosque import checks
from kiosque.colours import readable_on

PREFIX = "KIOSQUE_"
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

    @property
    def ink(self) -> str:
        """The town's colour, darkened where needed to be read on white: paper, mails."""
        return readable_on(self.colour, ["#ffffff"], towards="#000000")


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
class Attestation:
    """Which `services` the yearly attestation for the taxes counts, none by default, and which
    of their lines it leaves out: those whose label contains one of `meal_labels`."""

    services: tuple[str, ...] = ()
    meal_labels: tuple[str, ...] = ("repas", "goûter", "déjeuner")


@dataclass(frozen=True)
class Notices:
    """Which mails tell families of their invoices, and when: when they are there, `reminder_days`
    before the due date, `relance_days` after it."""

    new_invoices: bool = True
    reminder: bool = True
    reminder_days: int = 5
    relance: bool = True
    relance_days: int = 7


@dataclass(frozen=True)
class Legal:
    """What the legal pages state. `accessibility` is `non`, `partiellement` or `totalement`
    (conforme to the RGAA), as declared on `declared_on`, an ISO date. `dpo` is the e-mail of
    the data protection officer."""

    accessibility: str = "non"
    declared_on: str = ""
    dpo: str = ""


@dataclass(frozen=True)
class Settings:
    """Everything that differs from one town to another."""

    environment: str
    secret_key: str = field(repr=False)
    public_url: str
    database: str = field(repr=False)  # an address may hold a password
    data: Path
    town: Town
    regie: Regie
    payment: Payment
    mail: Mail
    gateways: Mapping[str, Mapping[str, object]] = field(repr=False)
    attestation: Attestation = Attestation()
    notices: Notices = Notices()
    proxies: tuple[str, ...] = ()
    legal: Legal = Legal()

    @property
    def https(self) -> bool:
        return self.public_url.startswith("https://")

    @property
    def database_path(self) -> Path:
        """SQLite's file: the one configured, or where it is by default."""
        named = self.database and not self.on_postgresql
        return Path(self.database) if named else self.data / "kiosque.sqlite3"

    @property
    def on_postgresql(self) -> bool:
        return self.database.startswith("postgresql://")

    @property
    def database_location(self) -> Path | str:
        """Where the base is: SQLite's file, or the address of a PostgreSQL."""
        return self.database if self.on_postgresql else self.database_path


@dataclass(frozen=True)
class _TopLevel:
    """The keys outside any table."""

    environment: str
    secret_key: str
    public_url: str
    database: str = ""
    proxies: tuple[str, ...] = ()


_TABLES: Mapping[str, type[Any]] = {
    "town": Town,
    "regie": Regie,
    "payment": Payment,
    "mail": Mail,
    "attestation": Attestation,
    "notices": Notices,
    "legal": Legal,
}


def data_directory(environ: Mapping[str, str]) -> Path:
    """Where everything written at run time lies: KIOSQUE_DATA, else `data/` in the project."""
    default = Path(__file__).parent.parent / "data"
    return Path(environ.get("KIOSQUE_DATA") or default).resolve()


def config_path(environ: Mapping[str, str]) -> Path:
    """The settings file: KIOSQUE_CONFIG, else `kiosque.toml` in the data directory."""
    return Path(environ.get("KIOSQUE_CONFIG") or data_directory(environ) / "kiosque.toml")


def postgresql_address(text: str) -> str:
    """The address of a PostgreSQL, as the setting `database` takes it. Raises ConfigError."""
    if not text.startswith("postgresql://") or not checks.is_database(text):
        raise ConfigError(["adresse attendue : postgresql://utilisateur@machine/base"])
    return text


def load(environ: Mapping[str, str]) -> Settings:
    """Read and check the settings. Raises ConfigError naming every fault, in French, and no
    value: some are secrets."""
    path, data = config_path(environ), data_directory(environ)
    tree = _read_file(path)
    if faults := _shape_faults(tree):
        raise ConfigError(faults)
    readable = checks.readable_secrets(path, tree)
    faults = _override(tree, environ)
    gateways = tree.pop("gateways", {})
    values: dict[str, Any] = {"gateways": gateways}
    for name, cls in _TABLES.items():
        faults += _read(values, cls, tree.pop(name, {}), f"{name}.")
    faults += _read(values, _TopLevel, tree, "")
    faults += checks.faults(values) + _gateway_faults(values)
    if values.get("environment") == "production":
        faults += readable + checks.machine_faults(data, environ)
    if faults:
        raise ConfigError(faults)
    parts = {name: cls(**_under(values, f"{name}.")) for name, cls in _TABLES.items()}
    return Settings(**_under(values, ""), **parts, data=data)


def _read(
    values: dict[str, Any], cls: type[Any], table: Mapping[str, object], where: str
) -> list[str]:
    """Add what a table holds to the values, under full names. Returns its faults."""
    found, faults = read_values(cls, table, where)
    values |= {f"{where}{name}": value for name, value in found.items()}
    return faults


def _under(values: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The values whose full name begins so, under their short names."""
    names = {name: name.removeprefix(where) for name in values if name.startswith(where)}
    return {short: values[name] for name, short in names.items() if "." not in short}


def _gateway_faults(values: Mapping[str, Any]) -> list[str]:
    """The faults of every gateway, in the environment that is asked for."""
    environment = values.get("environment", "production")
    try:
        registry.configure_all(values["gateways"], environment=environment)
    except ConfigError as error:
        return error.faults
    return []


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
