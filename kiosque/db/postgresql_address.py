"""The address of a PostgreSQL: the settings of a session, how to reach another database of the same
server, and how to give the address to `pg_dump` and the like. It needs psycopg, an extra."""

from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from gateways.base import ConfigError

#: Asked for as a session opens, then read back.
SESSION = {
    # A payment acknowledged to the bank survives a power cut: never `off` nor `local`.
    "synchronous_commit": "on",
    # Each statement of a write sees what was committed before its turn came.
    "default_transaction_isolation": "read committed",
    "TimeZone": "UTC",
    "standard_conforming_strings": "on",
}

#: Limits of a session, kept by the server: a node that stops or is cut off inside a write must not
#: keep all others from writing. The last stops a statement that runs away.
LIMITS = {
    "idle_in_transaction_session_timeout": "10s",
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "statement_timeout": "60s",
}
#: Limits on our side: seconds to connect, since threads connect one at a time; no standby server;
#: keepalives, to notice a dead link.
LINK = {
    "connect_timeout": "2",
    "target_session_attrs": "read-write",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
    "application_name": "kiosque",
}
_LOCAL = ("", "localhost", "127.0.0.1", "::1")


def parameters(address: str, patience: float) -> dict[str, Any]:
    """Return the parameters of a connection: ours, overridden by those of the address."""
    given = _given(address)
    limits = {**LIMITS, "lock_timeout": f"{milliseconds(patience)}ms"}
    asked = {**limits, **SESSION}.items()
    options = " ".join(_option(name, value) for name, value in asked)
    given["options"] = f"{given.get('options') or ''} {options}".strip()
    return {**LINK, "client_encoding": "UTF8", **given}


def _given(address: str) -> dict[str, Any]:
    """Return the parameters in an address. Require TLS to another machine, unless the address says
    otherwise. Raises ConfigError, without the address: it may hold a password."""
    try:
        given: dict[str, Any] = conninfo_to_dict(address)
    except psycopg.Error:
        raise ConfigError(["database : adresse PostgreSQL incompréhensible"]) from None
    hosts = str(given.get("host") or "").split(",")
    if not all(host in _LOCAL or host.startswith("/") for host in hosts):
        given.setdefault("sslmode", "require")
    return given


def another(address: str, database: str) -> str:
    """Return the address of another database of the same server."""
    found: str = make_conninfo("", **{**_given(address), "dbname": database})
    return found


def for_programs(address: str, database: str = "") -> tuple[str, dict[str, str]]:
    """Return the address for the arguments of PostgreSQL's own programs, and the variables to add
    to their environment. The password is in the latter: every account of the machine may read the
    arguments. `database` names another database of that server."""
    given = _given(address)
    secret = {"PGPASSWORD": str(given.pop("password"))} if given.get("password") else {}
    return make_conninfo("", **given, **({"dbname": database} if database else {})), secret


def _option(name: str, value: str) -> str:
    escaped = value.replace(" ", "\\ ")
    return f"-c {name}={escaped}"


def milliseconds(seconds: float) -> str:
    """Return a time as PostgreSQL takes it; at least 1, since 0 would mean no limit."""
    return str(max(int(seconds * 1000), 1))
