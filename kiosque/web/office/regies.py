"""Which *régie* a page of the books is of."""

from flask import request

from kiosque.staff.roles import Role
from kiosque.web import current
from kiosque.web.office.access import NotOpen, own_agent


def own_regies(*wanted: Role) -> list[str]:
    """Return the keys of the *régies* for which the agent has one of these roles, in the order of
    the settings."""
    held = own_agent().regies(*wanted)
    return [key for key in current.settings().regies_by_key if key in held]


def own_names(*wanted: Role) -> dict[str, str]:
    """Return the names of these *régies*, by their keys."""
    named = current.settings().regies_by_key
    return {key: named[key].name for key in own_regies(*wanted)}


def asked_regie(*wanted: Role) -> str:
    """Return the *régie* that the address names, or the agent's first. It must be the agent's."""
    own = own_regies(*wanted)
    regie = request.args.get("regie", own[0] if own else "")
    if regie not in own:
        raise NotOpen
    return regie
