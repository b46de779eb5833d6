"""The installation to check: its settings, or the readable part of those that are refused."""

import contextlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from gateways import network, registry
from gateways.base import ConfigError, Gateway
from gateways.network import DIRECT, Network
from kiosque.settings import Mail, Settings, loading, rules


@dataclass(frozen=True)
class Installation:
    """An installation as the checks see it.

    `faults` are those of the settings; with any, `settings` is None, `mail` is None if it cannot
    be read, and `gateways` holds only those whose own table is right. `in_force` names the
    gateways by which families pay now, one for each régie. `database_path` is None if it cannot
    be read, and on PostgreSQL, whose `address` is then set.

    `town`, `technical_email` and `weekday` are empty where they cannot be read or used.

    `files_open` is True if the SQLite database was in use before we came, or was left open by a
    machine that stopped: its files must then stay as they are.
    """

    environ: Mapping[str, str]
    faults: tuple[str, ...]
    settings: Settings | None
    environment: str
    secret_key: str
    public_url: str
    in_force: frozenset[str]
    mail: Mail | None
    gateways: Mapping[str, Gateway]
    database_path: Path | None
    files_open: bool
    address: str = field(default="", repr=False)
    network: Network = DIRECT
    town: str = ""
    technical_email: str = ""
    weekday: str = ""

    @property
    def live(self) -> bool:
        return self.environment == "production"

    @property
    def settings_file(self) -> Path:
        return loading.config_path(self.environ)

    @property
    def data(self) -> Path:
        return loading.data_directory(self.environ)


def survey(environ: Mapping[str, str]) -> Installation:
    """Read the settings as far as they can be read. Raises nothing about them."""
    values, faults = loading.read(environ)
    settings = None if faults else loading.build(values, environ)
    environment = str(values.get("environment", "production"))
    path = _database_path(values, environ)
    leaving = _network(values)
    network.use(leaving)  # for the gateways' own checks
    return Installation(
        environ,
        tuple(faults),
        settings,
        environment,
        str(values.get("secret_key", "")),
        str(values.get("public_url", "")),
        _in_force(values),
        _mail(values),
        _gateways(values.get("gateways", {}), environment),
        path,
        path is not None and Path(f"{path}-wal").exists(),
        settings.database if settings and settings.on_postgresql else "",
        leaving,
        **_told(values),
    )


def _in_force(values: Mapping[str, Any]) -> frozenset[str]:
    named = re.compile(r"payment\.gateway|regies\..+\.gateway")
    return frozenset(str(values[name]) for name in values if named.fullmatch(name))


def _database_path(values: Mapping[str, Any], environ: Mapping[str, str]) -> Path | None:
    named = str(values.get("database", ""))
    if "://" in named:
        return None  # the address of a PostgreSQL; it may hold a password
    return Path(named) if named else loading.data_directory(environ) / "kiosque.sqlite3"


def _mail(values: Mapping[str, Any]) -> Mail | None:
    found = {item.name: values.get(f"mail.{item.name}") for item in fields(Mail)}
    return None if None in found.values() else Mail(**found)  # type: ignore[arg-type]


def _network(values: Mapping[str, Any]) -> Network:
    """Return the town's network, as far as it can be used."""
    return Network(
        **{
            name.removeprefix("network."): value
            for name, value in values.items()
            if name.startswith("network.") and not rules.faults({name: value})
        }
    )


def _told(values: Mapping[str, Any]) -> dict[str, str]:
    """Return the town's name, the technical address and the day of the weekly mail, as far as they
    can be used."""
    names = ("town.name", "town.technical_email", "monitoring.weekday")
    found = {
        name: str(values[name])
        for name in names
        if name in values and not rules.faults({name: values[name]})
    }
    town, email, weekday = (found.get(name, "") for name in names)
    return {"town": town, "technical_email": email, "weekday": weekday}


def _gateways(tables: Mapping[str, Any], environment: str) -> dict[str, Gateway]:
    found = {}
    for name, table in tables.items():
        with contextlib.suppress(ConfigError):
            found[name] = registry.configure(name, table, environment=environment)
    return found
