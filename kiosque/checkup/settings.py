"""Checks: the settings and the texts, then the keys and what each bank's table says."""

import re
from dataclasses import fields

from gateways.base import Checks, ConfigError, Polls
from kiosque.checkup.findings import Findings, Result
from kiosque.checkup.installation import Ground
from kiosque.settings import Settings
from kiosque.web import legal

#: Full names of settings that are about keys begin so.
_KEYS = ("secret_key", "gateways", "payment.gateway", "KIOSQUE_GATEWAYS", "KIOSQUE_SECRET_KEY")
#: What the documentation writes where a town writes its own.
_EXAMPLE = re.compile(r"^\.\.\.$|\bexample\.(org|com|net|fr)$")
_PLAIN = {"demo": "démonstration, aucun argent ne circule", "test": "essai"}


def settings(ground: Ground) -> Result:
    """Every fault of the file, of the environment and of the town's texts."""
    found = Findings()
    advice = f"Corrigez {ground.settings_file} (docs/configuration.md), puis relancez le site."
    for fault in ground.faults:
        if not fault.startswith(_KEYS):
            found.broken(fault, advice)
    own = _own_texts(ground, found)
    if ground.settings:
        words = _PLAIN.get(ground.environment, "")
        found.see(ground.environment + (f" ({words})" if words else ""))
        lacking = legal.missing(ground.settings, own)
        if ground.live:
            _look_for_examples(ground.settings, found)
        if lacking:
            found.look(
                f"pages légales incomplètes, réglages absents : {', '.join(lacking)}",
                "Écrivez ces réglages, ou vos propres textes (docs/legal.md) : la loi les demande.",
            )
    elif not found.troubles:
        found.see("voir les clés")
    return found.result("Réglages")


def _look_for_examples(settings: Settings, found: Findings) -> None:
    """Values that were copied from the documentation and left there."""
    tables = {name: getattr(settings, name) for name in ("town", "regie", "legal", "mail")}
    left = [
        f"{table}.{item.name}"
        for table, values in tables.items()
        for item in fields(values)
        if item.repr and _EXAMPLE.search(str(getattr(values, item.name)))
    ]
    if left:
        found.look(
            f"valeurs d’exemple laissées en place : {', '.join(left)}", "Écrivez les vôtres."
        )


def _own_texts(ground: Ground, found: Findings) -> dict[str, str]:
    folder = ground.data / "texts"
    try:
        return legal.load(folder)
    except ConfigError as error:
        for fault in error.faults:
            found.broken(fault, f"Corrigez ce texte dans {folder} : le site ne démarrera pas.")
    return {}


def keys(ground: Ground) -> Result:
    """Every fault of a key or of a bank's table, in force or not; never a value."""
    found = Findings()
    faults = [fault for fault in ground.faults if fault.startswith(_KEYS)]
    for fault in faults:
        found.broken(
            fault,
            f"Corrigez {ground.settings_file} ; une clé se copie du back office de la banque.",
        )
    for name, gateway in ground.gateways.items():
        state = "en service" if name in ground.in_force else "en réserve"
        asked = "" if isinstance(gateway, Polls) else ", ne peut pas être interrogée"
        tried = "" if isinstance(gateway, Checks) else ", ne peut pas être essayée"
        found.see(f"{name} ({gateway.label}) {state}{asked or tried}")
    if not ground.gateways and not faults:
        found.unknown("aucune clé n’a pu être lue", "Corrigez d’abord les réglages.")
    return found.result("Clés")
