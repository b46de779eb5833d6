"""In whose name the work is done: the town, its *régies* and the *régisseurs* of the day.

A receipt is made deep in the payment core, which knows no settings; whoever starts the work, a
request or a command, says in whose name it is done.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace

from kiosque.settings import Settings

_settings: ContextVar[Settings | None] = ContextVar("issuer", default=None)


@contextmanager
def using(settings: Settings) -> Iterator[None]:
    """Do what follows in the name of these settings."""
    outer = _settings.set(settings)
    try:
        yield
    finally:
        _settings.reset(outer)


def names(regie: str) -> dict[str, str]:
    """The names to keep with a receipt that a *régie* issues now, by column; none when nobody
    has said."""
    settings = _settings.get()
    if settings is None:
        return {}
    issuing = settings.regie_named(regie)
    return {
        "town_name": settings.town.name,
        "regie_name": issuing.name,
        "regisseur": issuing.regisseur,
    }


def regie_of_gateway(name: str) -> str:
    """The key of the *régie* that a gateway serves; the first one's when nobody has said."""
    settings = _settings.get()
    return settings.regie_of_gateway(name) if settings else ""


def of_regie(settings: Settings, regie: str) -> Settings:
    """The settings of a town that has this *régie* only."""
    return replace(settings, regie=settings.regie_named(regie))


def as_issued(settings: Settings, town_name: str, regie_name: str, regisseur: str) -> Settings:
    """The settings with the names that were kept, those of today where none was."""
    town, regie = settings.town, settings.regie
    return replace(
        settings,
        town=replace(town, name=town_name or town.name),
        regie=replace(regie, name=regie_name or regie.name, regisseur=regisseur or regie.regisseur),
    )
