"""The *régie* that a page of the books is about."""

from collections.abc import Collection

from flask import request

from kiosque.staff.roles import Role
from kiosque.web import current
from kiosque.web.office.access import NotOpen, own_agent


def names(keys: Collection[str] | None = None) -> dict[str, str]:
    """Return the names of these *régies*, or of all, by key, in the order of the settings."""
    every = current.settings().regies_by_key.items()
    return {key: each.name for key, each in every if keys is None or key in keys}


def own_names(*wanted: Role) -> dict[str, str]:
    """Return the names of the *régies* for which the agent has one of these roles, by key."""
    return names(own_agent().regies(*wanted))


def asked_regie(*wanted: Role) -> str:
    """Return the *régie* that the address names, or the agent's first. It must be the agent's."""
    own = [*own_names(*wanted)]
    regie = request.args.get("regie", own[0] if own else "")
    if regie not in own:
        raise NotOpen
    return regie
