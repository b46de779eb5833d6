"""In whose name receipts are issued: the town, its *régie* and the *régisseur* of the day.

A receipt is made deep in the payment core, which knows no settings; whoever starts the work, a
request or a command, says in whose name it is done.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace

from kiosque.config import Settings

_names: ContextVar[dict[str, str] | None] = ContextVar("issuer", default=None)


@contextmanager
def using(settings: Settings) -> Iterator[None]:
    """Do what follows in the name of these settings."""
    regie = settings.regie
    names = {
        "town_name": settings.town.name,
        "regie_name": regie.name,
        "regisseur": regie.regisseur,
    }
    outer = _names.set(names)
    try:
        yield
    finally:
        _names.reset(outer)


def names() -> dict[str, str]:
    """The names to keep with a receipt issued now, by column; none when nobody has said."""
    return _names.get() or {}


def as_issued(settings: Settings, town_name: str, regie_name: str, regisseur: str) -> Settings:
    """The settings with the names that were kept, those of today where none was."""
    town, regie = settings.town, settings.regie
    return replace(
        settings,
        town=replace(town, name=town_name or town.name),
        regie=replace(regie, name=regie_name or regie.name, regisseur=regisseur or regie.regisseur),
    )
