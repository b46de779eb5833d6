"""Read a table of settings into a frozen dataclass; report every fault at once, in French."""

import dataclasses
import difflib
import re
import types
import typing
from collections.abc import Mapping
from datetime import date

from gateways.base import ConfigError

T = typing.TypeVar("T")

MISSING = "réglage manquant"

_FRENCH_TYPES = {
    str: "un texte entre guillemets",
    int: "un nombre entier",
    bool: "true ou false",
    tuple[str, ...]: "une liste de textes",
    date: "une date, par exemple 2026-12-31",
}


def read_table(cls: type[T], table: Mapping[str, object], where: str) -> T:
    """Make a `cls` of a table. `where` is put before each key in the faults.

    Text is converted where a number, a boolean, a date or a list is expected, since environment
    variables are only text. Raises one ConfigError for all unknown keys, missing keys and values of
    the wrong type.
    """
    values, faults = read_values(cls, table, where)
    if faults:
        raise ConfigError(faults)
    return cls(**values)


class Checked(typing.Protocol):
    """Settings that can check themselves."""

    def faults(self, environment: str) -> list[str]:
        """Return every fault, in French, each beginning with its key and ` : `."""
        ...


C = typing.TypeVar("C", bound=Checked)


def read_checked(
    cls: type[C],
    table: Mapping[str, object],
    where: str,
    *,
    environment: str,
    stand_ins: Mapping[str, object],
) -> C:
    """Make a `cls` of a table, and have it check itself.

    `stand_ins` gives a value to each mandatory key that is missing, so that the others are checked
    all the same. Raises ConfigError with one fault for each wrong key; that of a missing key also
    says what is expected.
    """
    values, faults = read_values(cls, table, where)
    settings = cls(**{**stand_ins, **values})
    told = {fault.partition(" : ")[0]: fault for fault in faults}
    for fault in settings.faults(environment):
        key, _, expected = (where + fault).partition(" : ")
        if told.setdefault(key, where + fault).endswith(MISSING):
            told[key] += f" ; {expected}"
    if told:
        raise ConfigError(list(told.values()))
    return settings


def read_values(
    cls: type[T], table: Mapping[str, object], where: str
) -> tuple[dict[str, typing.Any], list[str]]:
    """Return (values that can be read, defaults included; faults of the others)."""
    hints = typing.get_type_hints(cls)
    known = {field.name: field for field in dataclasses.fields(typing.cast("typing.Any", cls))}
    faults = [
        f"{where}{key} : réglage inconnu{_perhaps(key, known)}" for key in table if key not in known
    ]
    values: dict[str, typing.Any] = {}
    for name, field in known.items():
        if name in table:
            try:
                values[name] = _convert(table[name], hints[name])
            except ValueError as error:
                faults.append(f"{where}{name} : {error}")
        elif field.default is not dataclasses.MISSING:
            values[name] = field.default
        else:
            faults.append(f"{where}{name} : {MISSING}")
    return values, faults


def _perhaps(key: str, known: typing.Iterable[str]) -> str:
    """Suggest a known key that looks like an unknown one."""
    close = difflib.get_close_matches(key, known, n=1)
    return f" ; peut-être {close[0]}" if close else ""


def _convert(value: object, hint: object) -> object:
    """Convert a value to its declared type: str, int, bool, date, tuple of str, or optional.

    In text, a list is its items between commas, and a date is ISO. Raises ValueError, in French.
    """
    if isinstance(hint, types.UnionType):
        hint = next(option for option in typing.get_args(hint) if option is not type(None))
    if hint is bool and value in ("true", "false"):
        return value == "true"
    if hint is int and isinstance(value, str) and re.fullmatch("-?[0-9]{1,9}", value, re.ASCII):
        return int(value)
    if hint is date and isinstance(value, str):
        value = _date(value)
    if hint == tuple[str, ...] and isinstance(value, str | list):
        items = value.split(",") if isinstance(value, str) else value
        if all(isinstance(item, str) for item in items):
            return tuple(item.strip() for item in items if item.strip())
    if type(value) is not hint:
        raise ValueError(f"attendu {_FRENCH_TYPES.get(typing.cast('type', hint), hint)}")
    return value


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None
