"""The settings that the town hall changes in its own area: they override those of the file."""

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from peewee import DatabaseError, fn

from kiosque.db import write
from kiosque.db.models import OfficeSetting
from kiosque.invalid_values import InvalidValues
from kiosque.language import clock
from kiosque.language.formats import capital
from kiosque.settings import Settings, rules
from kiosque.staff import events
from kiosque.staff.events import Action, Actor

#: Settings that the town hall may change: names, by table of the file.
CHANGEABLE: Mapping[str, tuple[str, ...]] = {
    "town": (
        "name", "service", "address", "postcode", "city", "phone", "contact_email", "website",
        "colour",
    ),
    "notices": ("new_invoices", "reminder", "reminder_days", "relance", "relance_days"),
    "attestation": ("services",),
}  # fmt: skip
_INSTANT = timedelta(microseconds=1)
#: The section of the texts of pages, and the name of the logo.
_TEXT, LOGO = "text", "town.logo"
#: Characters of the longest value.
LONGEST = 200


def in_force(file: Settings) -> Settings:
    """Return the settings of the file, overridden by those that the town hall changed. Return the
    file's alone if the database does not answer, or has no such table yet."""
    try:
        rows = list(OfficeSetting.select())
    except DatabaseError:
        return file
    changed: dict[str, dict[str, Any]] = {}
    for row in rows:
        section, _, name = row.name.partition(".")
        if name in CHANGEABLE.get(section, ()):
            changed.setdefault(section, {})[name] = _read(row.value)
    tables: dict[str, Any] = {
        section: replace(getattr(file, section), **values) for section, values in changed.items()
    }
    logo = next((_read(row.value) for row in rows if row.name == LOGO), None)
    return replace(file, **tables, own_logo=b64decode(logo or ""))


def _read(value: str) -> Any:
    """Return a value that was kept, as the settings hold it: a list is a tuple there."""
    found = json.loads(value)
    return tuple(found) if isinstance(found, list) else found


def texts() -> dict[str, str]:
    """Return the texts of pages that the town hall wrote, by the name of their file."""
    try:
        rows = list(OfficeSetting.select().where(OfficeSetting.name.startswith(f"{_TEXT}.")))
    except DatabaseError:
        return {}
    found = {row.name.partition(".")[2]: json.loads(row.value) for row in rows}
    return {name: text for name, text in found.items() if text is not None}


def change_text(name: str, text: str | None, by: Actor) -> None:
    """Store a valid text. None removes it, and the text before is shown again; the row stays, to
    keep who removed it."""
    with write():
        _keep(f"{_TEXT}.{name}", json.dumps(text, ensure_ascii=False), by)
        events.add(Action.SETTINGS_CHANGED, by, f"{_TEXT}.{name}")


def change_logo(content: bytes | None, by: Actor) -> None:
    """Store a valid logo; None removes it, and the file's is shown again."""
    with write():
        _keep(LOGO, json.dumps(b64encode(content).decode() if content else None), by)
        events.add(Action.SETTINGS_CHANGED, by, LOGO)


def version() -> datetime | None:
    """Return when something was last changed, None for never."""
    found: datetime | None = OfficeSetting.select(fn.MAX(OfficeSetting.changed_at)).scalar()
    return found


def changes() -> dict[str, OfficeSetting]:
    """Return what was changed, by full name."""
    return {row.name: row for row in OfficeSetting.select().order_by(OfficeSetting.name)}


def change(settings: Settings, section: str, values: Mapping[str, Any], by: Actor) -> list[str]:
    """Set the values of a section that differ from those in force. Return their names. Raises
    InvalidValues."""
    table = getattr(settings, section)
    new = {
        name: values[name] for name in CHANGEABLE[section] if values[name] != getattr(table, name)
    }
    if found := _faults(section, values):
        raise InvalidValues(found)
    with write():
        for name, value in new.items():
            _keep(f"{section}.{name}", json.dumps(value, ensure_ascii=False), by)
        if new:
            events.add(Action.SETTINGS_CHANGED, by, ", ".join(f"{section}.{name}" for name in new))
    return list(new)


def _keep(name: str, value: str, by: Actor) -> None:
    """Store a value. Date each change after the last one, whatever the machine's clock says:
    processes learn from this date that something is new."""
    last = OfficeSetting.select().order_by(OfficeSetting.changed_at.desc()).first()
    said = {
        "value": value,
        "changed_at": max(clock.now(), last.changed_at + _INSTANT) if last else clock.now(),
        "changed_by": by.staff.email if by.staff else "",
    }
    OfficeSetting.insert(name=name, **said).on_conflict(
        conflict_target=[OfficeSetting.name], update=said
    ).execute()


def _faults(section: str, values: Mapping[str, Any]) -> dict[str, str]:
    """Return what is wrong with values, by name: the rules of the file, and that they are short."""
    full = {f"{section}.{name}": value for name, value in values.items()}
    found = {
        name: f"{LONGEST} lettres au plus."
        for name, value in values.items()
        if isinstance(value, str) and len(value) > LONGEST
    }
    for fault in rules.faults(full):
        name, _, words = fault.partition(" : ")
        found.setdefault(name.removeprefix(f"{section}."), f"{capital(words)}.")
    return found
