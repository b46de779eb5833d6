"""Check the settings and the town's texts, then the keys and the table of each bank."""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import fields
from typing import cast

from gateways.base import Checks, ConfigError, Polls
from kiosque.checkup import database
from kiosque.checkup.findings import Findings, Result
from kiosque.checkup.installation import Installation
from kiosque.settings import Settings
from kiosque.staff import town_settings
from kiosque.web import legal

#: Faults that begin so are reported under « Clés ».
_KEYS = ("secret_key", "gateways", "payment.gateway", "KIOSQUE_GATEWAYS", "KIOSQUE_SECRET_KEY")
#: Values of the documentation, which a town replaces by its own.
_EXAMPLE = re.compile(r"^\.\.\.$|\bexample\.(org|com|net|fr)$")
_PLAIN = {"demo": "démonstration, aucun argent ne circule", "test": "essai"}


def check_settings(installation: Installation) -> Result:
    """Report every fault of the settings file, of the environment and of the town's texts."""
    found = Findings()
    advice = (
        f"Corrigez {installation.settings_file} (docs/configuration.md), puis relancez le site."
    )
    for fault in installation.faults:
        if not fault.startswith(_KEYS):
            found.broken(fault, advice)
    own = _own_texts(installation, found)
    if installation.settings:
        words = _PLAIN.get(installation.environment, "")
        found.see(installation.environment + (f" ({words})" if words else ""))
        lacking = legal.missing(installation.settings, own) and _lacking(installation, own)
        if installation.live:
            _look_for_examples(installation.settings, found)
        if lacking:
            found.look(
                f"pages légales incomplètes, réglages absents : {', '.join(lacking)}",
                "Écrivez ces réglages, ou vos propres textes (docs/legal.md) : la loi les demande.",
            )
    elif not found.troubles:
        found.see("voir les clés")
    return found.result("Réglages")


def _lacking(installation: Installation, own: Mapping[str, str]) -> list[str]:
    """Return what the legal pages lack, counting what the town hall changed in its area."""
    settings = cast("Settings", installation.settings)
    with suppress(database.DatabaseUnreadable), database.reading(installation):
        settings, own = town_settings.in_force(settings), {**own, **town_settings.texts()}
    return legal.missing(settings, own)


def _look_for_examples(settings: Settings, found: Findings) -> None:
    """Report values copied from the documentation and left there."""
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


def _own_texts(installation: Installation, found: Findings) -> dict[str, str]:
    folder = installation.data / "texts"
    try:
        return legal.load(folder)
    except ConfigError as error:
        for fault in error.faults:
            found.broken(fault, f"Corrigez ce texte dans {folder} : le site ne démarrera pas.")
    return {}


def check_keys(installation: Installation) -> Result:
    """Report every fault of a key or of a bank's table, in force or not; never a value."""
    found = Findings()
    faults = [fault for fault in installation.faults if fault.startswith(_KEYS)]
    for fault in faults:
        found.broken(
            fault,
            f"Corrigez {installation.settings_file} ; une clé se copie du back office de la "
            "banque.",
        )
    for name, gateway in installation.gateways.items():
        state = "en service" if name in installation.in_force else "en réserve"
        asked = "" if isinstance(gateway, Polls) else ", ne peut pas être interrogée"
        tried = "" if isinstance(gateway, Checks) else ", ne peut pas être essayée"
        found.see(f"{name} ({gateway.label}) {state}{asked or tried}")
    if not installation.gateways and not faults:
        found.unknown("aucune clé n’a pu être lue", "Corrigez d’abord les réglages.")
    return found.result("Clés")
