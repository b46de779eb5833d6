"""Read the settings: one TOML file, named by KIOSQUE_CONFIG, and the environment over it.

`[town] name` is overridden by KIOSQUE_TOWN_NAME, `[gateways.bank] key` by
KIOSQUE_GATEWAYS_BANK_KEY, `[regies.creche] email` by KIOSQUE_REGIES_CRECHE_EMAIL, a key outside
any table by KIOSQUE_KEY. Unknown, missing and wrong settings refuse to start, every fault named
at once.
"""

import dataclasses
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateways import network, registry
from gateways.base import ConfigError, Gateway
from gateways.network import Network
from gateways.settings import read_values
from kiosque import os_errors, resources
from kiosque.settings import machine, rules, shapes
from kiosque.settings.defaults import (
    AttestationRules,
    Backup,
    Legal,
    Mail,
    Monitoring,
    Notices,
    Office,
    OtherRegie,
    Payment,
    Regie,
    Server,
    Settings,
    Town,
)

PREFIX = "KIOSQUE_"
#: Where the settings are, where the site may write, how its commands are typed: not settings.
_NOT_SETTINGS = ("KIOSQUE_CONFIG", "KIOSQUE_DATA", "KIOSQUE_COMMAND")


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
    "attestation": AttestationRules,
    "notices": Notices,
    "legal": Legal,
    "network": Network,
    "server": Server,
    "backup": Backup,
    "monitoring": Monitoring,
    "office": Office,
}
#: Tables of tables, whose names the town chooses.
_NAMED = ("gateways", "regies")


def data_directory(environ: Mapping[str, str]) -> Path:
    """Return where everything written at run time lies: KIOSQUE_DATA, else `data/` in the source
    tree, or in the current folder for an installed site."""
    default = (resources.SOURCE_TREE or Path.cwd()) / "data"
    return Path(environ.get("KIOSQUE_DATA") or default).resolve()


def config_path(environ: Mapping[str, str]) -> Path:
    """Return the settings' path: KIOSQUE_CONFIG, else `kiosque.toml` in the data directory."""
    return Path(environ.get("KIOSQUE_CONFIG") or data_directory(environ) / "kiosque.toml")


def postgresql_address(text: str) -> str:
    """Check the address of a PostgreSQL, as the setting `database` takes it. Raise ConfigError."""
    if not text.startswith("postgresql://") or not shapes.is_database(text):
        raise ConfigError(["adresse attendue : postgresql://utilisateur@machine/base"])
    return text


def load(environ: Mapping[str, str]) -> Settings:
    """Read and check the settings. Raise ConfigError naming every fault, in French, and no
    value: some are secrets."""
    values, faults = read(environ)
    if faults:
        raise ConfigError(faults)
    return build(values, environ)


def refusal(error: ConfigError) -> str:
    """Return what to print, in French, when settings are refused: one fault a line."""
    return "\n- ".join(["Réglages refusés :", *error.faults])


def build(values: Mapping[str, Any], environ: Mapping[str, str]) -> Settings:
    """Make the settings of values that were read without a fault."""
    parts = {name: cls(**_under(values, f"{name}.")) for name, cls in _TABLES.items()}
    names = dict.fromkeys(name.split(".")[1] for name in values if name.startswith("regies."))
    others = {name: OtherRegie(**_under(values, f"regies.{name}.")) for name in names}
    return Settings(**_under(values, ""), **parts, regies=others, data=data_directory(environ))


def gateways_of(settings: Settings) -> dict[str, Gateway]:
    """Make the gateways of a town, and set the network by which this process calls banks. Raise
    ConfigError."""
    network.use(settings.network)
    return registry.configure_all(settings.gateways, environment=settings.environment)


def read(environ: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    """Return the values that can be read, by full name (`mail.host`), and every fault."""
    path, data = config_path(environ), data_directory(environ)
    try:
        tree = _read_file(path)
    except ConfigError as error:
        return {}, error.faults
    if faults := _shape_faults(tree):
        return {}, faults
    readable = machine.readable_secrets(path, tree)
    faults = _override(tree, environ)
    gateways, regies = tree.pop("gateways", {}), tree.pop("regies", {})
    values: dict[str, Any] = {"gateways": gateways}
    for name, table in regies.items():
        faults += _read(values, OtherRegie, table, f"regies.{name}.")
    for name, cls in _TABLES.items():
        faults += _read(values, cls, tree.pop(name, {}), f"{name}.")
    faults += _read(values, _TopLevel, tree, "")
    faults += rules.faults(values) + rules.regie_faults(values, regies) + _gateway_faults(values)
    if values.get("environment") == "production":
        faults += readable + machine.faults(data, environ)
    return values, faults


def _read(
    values: dict[str, Any], cls: type[Any], table: Mapping[str, object], where: str
) -> list[str]:
    """Add what a table holds to the values, under full names. Return its faults."""
    found, faults = read_values(cls, table, where)
    values |= {f"{where}{name}": value for name, value in found.items()}
    return faults


def _under(values: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Return the values whose full name begins so, under their short names."""
    names = {name: name.removeprefix(where) for name in values if name.startswith(where)}
    return {short: values[name] for name, short in names.items() if "." not in short}


def _gateway_faults(values: Mapping[str, Any]) -> list[str]:
    """Return the faults of every gateway, in the environment that is asked for."""
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
    except OSError as error:
        why = os_errors.why(error)
    except UnicodeDecodeError:
        why = "il n’est pas en UTF-8"
    except tomllib.TOMLDecodeError as error:  # its text is English, and may hold a value
        place = re.search(r"line ([0-9]+), column ([0-9]+)", str(error))
        why = "TOML mal formé" + (f", ligne {place[1]}, colonne {place[2]}" if place else "")
    raise ConfigError([f"{path} : fichier de réglages illisible ({why})"])


def _shape_faults(tree: Mapping[str, object]) -> list[str]:
    """Return the faults of values that stand where a table is expected."""
    tables = {name: tree[name] for name in (*_TABLES, *_NAMED) if name in tree}
    for kind in _NAMED:
        named = tables.get(kind)
        if isinstance(named, dict):
            tables |= {f"{kind}.{name}": table for name, table in named.items()}
    return [
        f"{name} : attendu une table" for name, it in tables.items() if not isinstance(it, dict)
    ]


def _override(tree: dict[str, Any], environ: Mapping[str, str]) -> list[str]:
    """Lay the environment over the file. Return a fault for each variable that names no setting."""
    faults = []
    for variable, value in environ.items():
        if not variable.startswith(PREFIX) or variable in _NOT_SETTINGS:
            continue
        table, key = _place(tree, variable.removeprefix(PREFIX).lower())
        if table is None:
            faults.append(f"{variable} : variable d’environnement inconnue")
        else:
            table[key] = value
    return faults


def _place(tree: dict[str, Any], name: str) -> tuple[dict[str, Any] | None, str]:
    """Find the table and key that a variable stands for, by its name without the prefix."""
    section, _, key = name.partition("_")
    if section in _NAMED:
        which, _, key = key.partition("_")
        known = isinstance(tree.get(section), dict) and which in tree[section]
        return (tree[section][which], key) if known and key else (None, key)
    if section in _TABLES:
        found = key in {item.name for item in dataclasses.fields(_TABLES[section])}
        return (tree.setdefault(section, {}), key) if found else (None, key)
    found = name in {item.name for item in dataclasses.fields(_TopLevel)}
    return (tree, name) if found else (None, name)
