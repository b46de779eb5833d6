"""What a setting must be to serve, besides being of the right type. No value is ever repeated
in a fault: some are secrets."""

import ipaddress
import re
import stat
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from kiosque.settings.colours import is_colour

ENVIRONMENTS = ("production", "demo", "test")
LOGO_TYPES = {".svg": "image/svg+xml", ".png": "image/png", ".webp": "image/webp"}
ACCESSIBILITY = ("non", "partiellement", "totalement")
_REGIE_KEYS = ("name", "regisseur", "email", "services", "gateway")
#: What a secret copied from an example, or typed by hand, contains.
_KNOWN_WORDS = (
    "change", "secret", "default", "password", "motdepasse", "example", "exemple", "insecure",
    "kiosque", "azerty", "qwerty", "abcdefgh", "01234567", "12345678",
)  # fmt: skip


@dataclass(frozen=True)
class Check:
    """A fault, the settings it depends on, and whether they are free of it."""

    fault: str
    needs: tuple[str, ...]
    holds: Callable[..., object]


def faults(values: Mapping[str, Any]) -> list[str]:
    """What is of the right type but cannot serve. A check that depends on a setting which is
    missing, or of the wrong type, is passed over: that fault is named already."""
    texts = [
        f"{name} : sauts de ligne et caractères invisibles interdits"
        for name, value in values.items()
        if isinstance(value, str) and any(_is_invisible(letter) for letter in value)
    ]
    return texts + [
        check.fault
        for check in CHECKS
        if all(name in values for name in check.needs)
        and not check.holds(*(values[name] for name in check.needs))
    ]


def regie_faults(values: Mapping[str, Any], names: Iterable[str]) -> list[str]:
    """What keeps the *régies* besides the first from being told apart, by families, by services
    and by banks."""
    found: list[str] = []
    seen = {"name": {values.get("regie.name")}, "gateway": {values.get("payment.gateway")}}
    served: set[str] = set()
    for name in names:
        own = {key: values.get(f"regies.{name}.{key}") for key in _REGIE_KEYS}
        if None in own.values():
            continue  # missing or of the wrong type: named already
        days, services = values.get(f"regies.{name}.closes_after_days"), set(own["services"] or ())
        rules = {
            " : nom en lettres minuscules et chiffres, 20 au plus": _is_table_name(name),
            ".name : attendu un texte": str(own["name"]).strip(),
            ".name : celui d’une autre régie": own["name"] not in seen["name"],
            ".regisseur : attendu un texte": str(own["regisseur"]).strip(),
            ".email : attendu une adresse électronique": not own["email"]
            or _is_address(str(own["email"])),
            ".services : attendu une prestation au moins": services,
            ".services : une prestation est à une seule régie": not services & served,
            ".gateway : aucune table [gateways.…] de ce nom": own["gateway"]
            in values.get("gateways", {}),
            ".gateway : celle d’une autre régie, dont le compte serait crédité": own["gateway"]
            not in seen["gateway"],
            ".closes_after_days : attendu 0 ou plus": (days or 0) >= 0,
        }
        found += [f"regies.{name}{fault}" for fault, holds in rules.items() if not holds]
        seen["name"].add(own["name"])
        seen["gateway"].add(own["gateway"])
        served |= services
    return found


def readable_secrets(path: Path, tree: Mapping[str, Any]) -> list[str]:
    """Whether every account of the machine may read a file that holds a secret."""
    gateways = tree.get("gateways", {}).values()
    held = tree.get("secret_key") or tree.get("mail", {}).get("password")
    held = held or "://" in str(tree.get("database", ""))
    held = held or any(name.endswith(("key", "password")) for table in gateways for name in table)
    if held and path.stat().st_mode & stat.S_IROTH:
        return [f"{path} : lisible par tous alors qu’il contient des secrets (chmod 640)"]
    return []


def machine_faults(data: Path, environ: Mapping[str, str]) -> list[str]:
    """What production refuses of the machine itself."""
    found = []
    if data.exists() and data.stat().st_mode & stat.S_IRWXO:
        found.append(f"KIOSQUE_DATA : {data} est ouvert à tous les comptes (chmod 750)")
    if environ.get("FLASK_DEBUG", "0").lower() not in ("", "0", "false", "no"):
        found.append("FLASK_DEBUG : le mode de mise au point est interdit en production")
    return found


def _is_invisible(letter: str) -> bool:
    """A control, or what a no-break space is not: a separator of lines, half a character."""
    return unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp")


def _is_table_name(name: str) -> bool:
    return bool(re.fullmatch(r"[a-z][a-z0-9]{0,19}", name))


def _is_address(text: str) -> bool:
    return bool(re.fullmatch(r"[^@\s,<>]+@[^@\s,<>]+\.[^@\s,<>]+", text))


def _is_network(text: str) -> bool:
    """An address or a network; not the whole Internet, which would make anyone believed."""
    try:
        return text == "unix" or ipaddress.ip_network(text).prefixlen > 0
    except ValueError:
        return False


def _is_public_url(text: str) -> bool:
    """The address goes into the form we sign: no `+`, nothing to escape."""
    try:
        port = urlsplit(text).port
    except ValueError:
        return False
    return port != 0 and bool(re.fullmatch(r"https?://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d+)?", text))


def is_database(text: str) -> bool:
    """A path, or the address of a PostgreSQL that names its base. What libpq makes of the rest is
    seen when it is configured."""
    scheme, separator, _ = text.partition("://")
    if not separator:
        return not text.startswith("postgresql:")
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return scheme == "postgresql" and not parts.fragment and len(parts.path) > 1


def _is_known(secret: str) -> bool:
    """Whether others may know it: it comes from an example, or was typed by hand."""
    return any(word in re.sub(r"[\s_-]", "", secret).lower() for word in _KNOWN_WORDS)


def _in_clear(security: str, username: str, host: str) -> bool:
    return security == "none" and bool(username) and host not in ("localhost", "127.0.0.1", "::1")


def _is_live(environment: str) -> bool:
    return environment == "production"


CHECKS: tuple[Check, ...] = (
    Check(
        f"environment : attendu l’un de {', '.join(ENVIRONMENTS)}",
        ("environment",),
        lambda name: name in ENVIRONMENTS,
    ),
    Check(
        "secret_key : attendu au moins 32 caractères tirés au hasard",
        ("secret_key",),
        lambda key: len(key) >= 32 and len(set(key)) >= 10,
    ),
    Check(
        "secret_key : tirée d’un exemple ou écrite à la main ; tirez-la au hasard",
        ("secret_key", "environment"),
        lambda key, environment: not (_is_live(environment) and _is_known(key)),
    ),
    Check("public_url : attendu https://nom-du-site, sans chemin", ("public_url",), _is_public_url),
    Check(
        "public_url : https est obligatoire en production",
        ("public_url", "environment"),
        lambda url, environment: url.startswith("https://") or not _is_live(environment),
    ),
    Check(
        "database : attendu un chemin de fichier SQLite, ou postgresql://utilisateur@machine/base",
        ("database",),
        is_database,
    ),
    Check(
        "proxies : attendu des adresses ou des réseaux IP, ou unix ; jamais tout Internet",
        ("proxies",),
        lambda names: all(_is_network(name) for name in names),
    ),
    *(
        Check(f"{name} : attendu un texte", (name,), str.strip)
        for name in ("town.name", "regie.name", "regie.regisseur")
    ),
    *(
        Check(f"{name} : attendu une adresse électronique", (name,), _is_address)
        for name in ("town.contact_email", "town.technical_email", "mail.sender")
    ),
    *(
        Check(
            f"{name} : attendu une adresse électronique",
            (name,),
            lambda text: not text or _is_address(text),
        )
        for name in ("regie.email", "legal.dpo")
    ),
    Check(
        "town.colour : attendu #rrggbb",
        ("town.colour",),
        is_colour,
    ),
    Check(
        "town.website : attendu https://...",
        ("town.website",),
        lambda url: re.fullmatch(r"(https?://[^\s<>\"']+)?", url),
    ),
    Check(
        f"town.logo : attendu un fichier {', '.join(LOGO_TYPES)}",
        ("town.logo",),
        lambda name: not name or (Path(name).suffix in LOGO_TYPES and Path(name).is_file()),
    ),
    Check(
        "payment.gateway : aucune table [gateways.…] de ce nom",
        ("payment.gateway", "gateways"),
        lambda name, gateways: name in gateways,
    ),
    Check(
        "payment.closes_after_days : attendu 0 ou plus",
        ("payment.closes_after_days",),
        lambda days: (days or 0) >= 0,
    ),
    Check(
        "mail.port : attendu un nombre de 1 à 65535", ("mail.port",), lambda port: 0 < port < 65536
    ),
    Check(
        "mail.security : attendu starttls, tls ou none",
        ("mail.security",),
        lambda security: security in ("starttls", "tls", "none"),
    ),
    Check(
        "mail.security : none enverrait le mot de passe en clair",
        ("mail.security", "mail.username", "mail.host"),
        lambda *parts: not _in_clear(*parts),
    ),
    Check(
        "mail.host : serveur SMTP obligatoire en production",
        ("mail.host", "environment"),
        lambda host, environment: host or not _is_live(environment),
    ),
    Check(
        "notices.reminder_days : attendu de 1 à 30",
        ("notices.reminder_days",),
        lambda days: 1 <= days <= 30,
    ),
    Check(
        "notices.relance_days : attendu de 1 à 60",
        ("notices.relance_days",),
        lambda days: 1 <= days <= 60,
    ),
    Check(
        "gateways : noms en lettres minuscules et chiffres, 20 au plus",
        ("gateways",),
        lambda gateways: all(map(_is_table_name, gateways)),
    ),
    Check(
        f"legal.accessibility : attendu l’un de {', '.join(ACCESSIBILITY)}",
        ("legal.accessibility",),
        lambda state: state in ACCESSIBILITY,
    ),
    Check(
        "legal.declared_on : la date de l’audit est obligatoire pour se dire conforme",
        ("legal.declared_on", "legal.accessibility"),
        lambda day, state: day or state == "non",
    ),
)
