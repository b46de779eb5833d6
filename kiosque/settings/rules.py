"""The rules that settings must obey, besides being of the right type: `RULES`, below.

No fault repeats a value: some are secrets.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kiosque.settings.colours import is_colour
from kiosque.settings.shapes import (
    are_certificates,
    is_database,
    is_email,
    is_email_or_empty,
    is_in_clear,
    is_invisible,
    is_known_secret,
    is_live,
    is_network,
    is_proxy,
    is_public_url,
    is_table_name,
)
from kiosque.spelling import fold

ENVIRONMENTS = ("production", "demo", "test")
LOGO_TYPES = {".svg": "image/svg+xml", ".png": "image/png", ".webp": "image/webp"}
WEEKDAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
ACCESSIBILITY = ("non", "partiellement", "totalement")
#: How the counter may be paid.
MODES = ("cash", "cheque", "cesu", "card", "transfer", "direct_debit", "treasury")
_REGIE_KEYS = ("name", "regisseur", "email", "services", "gateway", "api_token")


@dataclass(frozen=True)
class Rule:
    """A rule that a setting must obey, and the fault when it does not.

    `holds` takes the value of the setting, then those of the settings named by `beside`.
    """

    setting: str
    fault: str
    holds: Callable[..., object]
    beside: tuple[str, ...] = ()


def faults(values: Mapping[str, Any]) -> list[str]:
    """Return the faults of settings that are of the right type but break a rule.

    Skip a rule that needs a setting which is missing or of the wrong type: that fault is named
    already.
    """
    found = [
        f"{name} : sauts de ligne et caractères invisibles interdits"
        for name, value in values.items()
        if isinstance(value, str) and any(is_invisible(letter) for letter in value)
    ]
    for rule in RULES:
        needed = (rule.setting, *rule.beside)
        if all(name in values for name in needed) and not rule.holds(*map(values.get, needed)):
            found.append(f"{rule.setting} : {rule.fault}")
    return found


def regie_faults(values: Mapping[str, Any], names: Iterable[str]) -> list[str]:
    """Return the faults of the *régies* besides the first. Families, services and banks must be
    able to tell them apart."""
    found: list[str] = []
    seen = {"name": {values.get("regie.name")}, "gateway": {values.get("payment.gateway")}}
    seen["api_token"] = {values.get("office.api_token"), values.get("regie.api_token")} - {""}
    seen["services"] = set(map(fold, values.get("regie.services") or ()))
    for name in names:
        own = {key: values.get(f"regies.{name}.{key}") for key in _REGIE_KEYS}
        if None in own.values():
            continue  # missing or of the wrong type: named already
        services = set(map(fold, own["services"] or ())) - {""}
        rules = {
            " : nom en lettres minuscules et chiffres, 20 au plus": is_table_name(name),
            **dict(_alone(values, name, own)),
            ".services : attendu une prestation au moins": services,
            ".services : une prestation est à une seule régie": not services & seen["services"],
            ".name : celui d’une autre régie": own["name"] not in seen["name"],
            ".gateway : celle d’une autre régie, dont le compte serait crédité": own["gateway"]
            not in seen["gateway"],
            ".api_token : celui d’une autre régie, ou de toutes": own["api_token"]
            not in seen["api_token"],
        }
        found += [f"regies.{name}{fault}" for fault, holds in rules.items() if not holds]
        seen["name"].add(own["name"])
        seen["gateway"].add(own["gateway"])
        seen["api_token"] |= {own["api_token"]} - {""}
        seen["services"] |= services
    return found


def _alone(
    values: Mapping[str, Any], name: str, own: Mapping[str, Any]
) -> Iterator[tuple[str, object]]:
    """Yield the rules of a *régie* that do not depend on others, with the fault that each
    prevents."""
    modes = set(values.get(f"regies.{name}.modes") or ())
    days = values.get(f"regies.{name}.closes_after_days") or 0
    yield f".modes : attendu parmi {', '.join(MODES)}", modes <= set(MODES)
    yield ".name : attendu un texte", str(own["name"]).strip()
    yield ".regisseur : attendu un texte", str(own["regisseur"]).strip()
    is_email_or_none = not own["email"] or is_email(str(own["email"]))
    yield ".email : attendu une adresse électronique", is_email_or_none
    is_known = own["gateway"] in values.get("gateways", {})
    yield ".gateway : aucune table [gateways.…] de ce nom", is_known
    yield ".closes_after_days : attendu 0 ou plus", days >= 0
    yield f".api_token : {_RANDOM}", _is_token(str(own["api_token"]))


_EMAIL = "attendu une adresse électronique"
_RANDOM = "attendu 32 caractères au moins, tirés au hasard, sans espace ni accent"


def _is_token(token: str) -> bool:
    return not token or bool(re.fullmatch(r"[!-~]{32,200}", token))


#: In the order of docs/configuration.md: the keys outside any table, then table by table.
RULES: tuple[Rule, ...] = (
    Rule("environment", f"attendu l’un de {', '.join(ENVIRONMENTS)}", ENVIRONMENTS.__contains__),
    Rule(
        "secret_key",
        "attendu au moins 32 caractères tirés au hasard",
        lambda key: len(key) >= 32 and len(set(key)) >= 10,
    ),
    Rule(
        "secret_key",
        "tirée d’un exemple ou écrite à la main ; tirez-la au hasard",
        lambda key, environment: not (is_live(environment) and is_known_secret(key)),
        beside=("environment",),
    ),
    Rule("public_url", "attendu https://nom-du-site, sans chemin", is_public_url),
    Rule(
        "public_url",
        "https est obligatoire en production",
        lambda url, environment: url.startswith("https://") or not is_live(environment),
        beside=("environment",),
    ),
    Rule(
        "database",
        "attendu un chemin de fichier SQLite, ou postgresql://utilisateur@machine/base",
        is_database,
    ),
    Rule(
        "proxies",
        "attendu des adresses ou des réseaux IP, ou unix ; jamais tout Internet",
        lambda names: all(map(is_network, names)),
    ),
    Rule("town.name", "attendu un texte", str.strip),
    Rule("town.contact_email", _EMAIL, is_email),
    Rule("town.technical_email", _EMAIL, is_email),
    Rule("town.colour", "attendu #rrggbb", is_colour),
    Rule(
        "town.website",
        "attendu https://...",
        lambda url: re.fullmatch(r"(https?://[^\s<>\"']+)?", url),
    ),
    Rule(
        "town.logo",
        f"attendu un fichier {', '.join(LOGO_TYPES)}",
        lambda name: not name or (Path(name).suffix in LOGO_TYPES and Path(name).is_file()),
    ),
    Rule("regie.name", "attendu un texte", str.strip),
    Rule("regie.regisseur", "attendu un texte", str.strip),
    Rule("regie.email", _EMAIL, is_email_or_empty),
    Rule(
        "regie.modes",
        f"attendu parmi {', '.join(MODES)}",
        lambda modes: set(modes) <= set(MODES),
    ),
    Rule("regie.api_token", _RANDOM, _is_token),
    Rule(
        "regie.api_token",
        "celui de toutes les régies",
        lambda own, every: not own or own != every,
        beside=("office.api_token",),
    ),
    Rule(
        "payment.gateway",
        "aucune table [gateways.…] de ce nom",
        lambda name, gateways: name in gateways,
        beside=("gateways",),
    ),
    Rule(
        "payment.closes_after_days",
        "attendu 0 ou plus",
        lambda days: (days or 0) >= 0,
    ),
    Rule(
        "payment.treasury_sentence",
        "300 lettres au plus",
        lambda sentence: len(sentence) <= 300,
    ),
    Rule("payment.due_after_days", "attendu de 0 à 365", lambda days: 0 <= days <= 365),
    Rule("mail.sender", _EMAIL, is_email),
    Rule("mail.port", "attendu un nombre de 1 à 65535", lambda port: 0 < port < 65536),
    Rule(
        "mail.security",
        "attendu starttls, tls ou none",
        ("starttls", "tls", "none").__contains__,
    ),
    Rule(
        "mail.security",
        "none enverrait le mot de passe en clair",
        lambda *values: not is_in_clear(*values),
        beside=("mail.username", "mail.host"),
    ),
    Rule(
        "mail.host",
        "serveur SMTP obligatoire en production",
        lambda host, environment: host or not is_live(environment),
        beside=("environment",),
    ),
    Rule("notices.reminder_days", "attendu de 1 à 30", lambda days: 1 <= days <= 30),
    Rule("notices.relance_days", "attendu de 1 à 60", lambda days: 1 <= days <= 60),
    Rule(
        "legal.accessibility",
        f"attendu l’un de {', '.join(ACCESSIBILITY)}",
        ACCESSIBILITY.__contains__,
    ),
    Rule(
        "legal.declared_on",
        "la date de l’audit est obligatoire pour se dire conforme",
        lambda day, state: day or state == "non",
        beside=("legal.accessibility",),
    ),
    Rule("legal.dpo", _EMAIL, is_email_or_empty),
    Rule("legal.forget_after_years", "attendu de 1 à 10", lambda years: 1 <= years <= 10),
    Rule("network.proxy", "attendu http://machine:port, ou http://nom:secret@...", is_proxy),
    Rule(
        "network.authorities",
        "attendu un fichier de certificats d’autorités (PEM), lisible",
        are_certificates,
    ),
    Rule("server.workers", "attendu un nombre de 1 à 64", lambda count: 1 <= count <= 64),
    Rule("server.threads", "attendu un nombre de 8 à 256", lambda count: 8 <= count <= 256),
    Rule(
        "backup.folder",
        "attendu le chemin complet d’un dossier",
        lambda name: not name or Path(name).is_absolute(),
    ),
    Rule("backup.keep_days", "attendu de 1 à 366", lambda days: 1 <= days <= 366),
    Rule("backup.keep_weeks", "attendu de 0 à 520", lambda weeks: 0 <= weeks <= 520),
    Rule("backup.keep_months", "attendu de 0 à 240", lambda months: 0 <= months <= 240),
    Rule(
        "backup.recipient",
        "attendu une clé publique de age (age1...), jamais la clé secrète",
        lambda key: re.fullmatch(r"(age1[02-9ac-hj-np-z]{58})?", key),
    ),
    Rule(
        "backup.offsite",
        'attendu une commande mot par mot, par exemple ["rclone", "copy", "{}", "nas:"]',
        lambda words: not words or " " not in words[0],
    ),
    Rule("backup.offsite_minutes", "attendu de 1 à 720", lambda minutes: 1 <= minutes <= 720),
    Rule("monitoring.token", _RANDOM, _is_token),
    Rule("office.api_token", _RANDOM, _is_token),
    Rule("monitoring.weekday", f"attendu l’un de {', '.join(WEEKDAYS)}", WEEKDAYS.__contains__),
    Rule(
        "office.networks",
        "attendu des adresses ou des réseaux IP ; aucun, pour tout Internet",
        lambda names: all(is_network(name) and name != "unix" for name in names),
    ),
    Rule(
        "gateways",
        "noms en lettres minuscules et chiffres, 20 au plus",
        lambda gateways: all(map(is_table_name, gateways)),
    ),
)
