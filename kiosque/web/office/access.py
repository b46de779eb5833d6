"""Who may come into the town hall's area, and see what there, decided in this one place.

`pages_and_roles` says which roles each page opens to. A family's session opens nothing: the area
has a cookie of its own (`cookies`), and sessions of its own.
"""

import ipaddress
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

from flask import current_app, flash, g, redirect, request, session, url_for
from peewee import Expression
from werkzeug.exceptions import Forbidden, NotFound
from werkzeug.wrappers import Response

from kiosque.db import write
from kiosque.db.models import Staff, StaffSession
from kiosque.staff import events, roles, sessions
from kiosque.staff.events import Action, Actor
from kiosque.staff.roles import HeldRole, Role
from kiosque.web import access, cookies, current
from kiosque.web.limits import MAX_DEPOSIT_BYTES, MAX_REQUEST_BYTES

Row = TypeVar("Row", bound=Any)

#: The roles that read invoices and payments.
READERS = (Role.CONSULTATION, Role.FACTURATION, Role.REGISSEUR, Role.CONTROLE)
#: The roles that deposit files to load.
DEPOSITORS = (Role.FACTURATION, Role.REGISSEUR)
#: The roles that export what names families.
TAKERS = (Role.FACTURATION, Role.REGISSEUR)
#: The roles that meet families; control reads accounts, but no family's contact details.
MEET_FAMILIES = (Role.CONSULTATION, Role.FACTURATION, Role.REGISSEUR)
#: The roles that treat what is to do, and answer families about their money.
TREATERS = (Role.REGISSEUR, Role.FACTURATION)
#: The roles that read the books.
BOOK_READERS = (Role.REGISSEUR, Role.CONTROLE)
#: In the area's cookie: the number of the session.
_NUMBER = "agent"


@dataclass(frozen=True)
class Agent:
    """The agent signed in, with the roles of today."""

    staff: Staff
    session: StaffSession
    roles: frozenset[HeldRole]

    @property
    def names(self) -> frozenset[Role]:
        """Return the roles that the agent has for any *régie*."""
        return frozenset(held.role for held in self.roles)

    def has(self, *wanted: Role) -> bool:
        """Tell whether the agent has one of these roles, for any *régie*."""
        return any(held.role in wanted for held in self.roles)

    def regies(self, *wanted: Role) -> frozenset[str]:
        """Return the keys of the *régies* for which the agent has one of these roles."""
        return frozenset(held.regie for held in self.roles if held.role in wanted)

    def bounds(self, *wanted: Role) -> frozenset[str] | None:
        """Return the keys of the *régies* for which the agent has one of these roles. Return None
        if these are all that the town has: the agent may then see those of former *régies* too."""
        own = self.regies(*wanted)
        return None if own.issuperset(current.settings().regies_by_key) else own

    def own(self, regie: Any, *wanted: Role) -> Iterator[Expression]:
        """Yield the condition, on the column `regie`, that keeps the rows of the *régies* for which
        the agent has one of these roles; nothing if that is all of them. The default is the roles
        that read money."""
        if (own := self.bounds(*(wanted or READERS))) is not None:
            yield regie.in_(sorted(own))

    def has_for(self, regies: Collection[str], *wanted: Role) -> bool:
        """Tell whether the agent has one of these roles for each of these *régies*."""
        own = self.bounds(*wanted)
        return own is None or own.issuperset(regies)

    def require_all(self, regies: Collection[str], *wanted: Role) -> None:
        """Raise NotOpen unless the agent has one of these roles for each of these *régies*."""
        if not self.has_for(regies, *wanted):
            raise NotOpen

    @property
    def reads_log(self) -> bool:
        """Tell whether the agent may read what everybody did: the log is about every *régie*'s
        money."""
        return self.has(Role.ADMINISTRATION) or self.bounds(Role.CONTROLE) is None


class NotOpen(Forbidden):
    """A page that this agent's roles do not open."""


class OutsideNetwork(Forbidden):
    """The request comes from a network that the settings do not allow in the area."""


def agent() -> Agent | None:
    """Return the agent who has shown a password and a code, None for anybody else."""
    if "agent" not in g:
        found = _session()
        if found is None or found.proved_at is None:
            return None
        g.agent = Agent(found.staff, found, roles.in_force(found.staff))
    return cast("Agent", g.agent)


def own_agent() -> Agent:
    """Return the agent signed in, on a page that is `reserved`."""
    return cast("Agent", agent())


def author() -> str:
    """Return who answers for what is done on a page that is `reserved`: the agent's address."""
    return own_agent().staff.email


def own_row(found: Row | None, *wanted: Role) -> Row:
    """Return a row that was looked up, if the agent has one of these roles for its *régie*. Raises
    NotFound if there is no row, NotOpen if it is another *régie*'s."""
    if found is None:
        raise NotFound
    own_agent().require_all([found.regie], *wanted)
    return found


def half_way() -> StaffSession | None:
    """Return the session of an agent who has yet to show the first code."""
    found = _session()
    return found if found and found.proved_at is None else None


def most_bytes() -> int:
    """Return the most bytes that may be sent to the page where files are deposited. For somebody
    who may not deposit files it is the limit of any page, so that nothing large is read in vain."""
    found = agent()
    may_deposit = found is not None and found.has(*DEPOSITORS)
    return MAX_DEPOSIT_BYTES if may_deposit else MAX_REQUEST_BYTES


def actor() -> Actor:
    """Return the author of what is done on the page under way, for the log."""
    found = agent()
    return Actor(found.staff if found else None, access.remote_address())


def enter(number: str) -> None:
    """Give the browser this session, under an identity of its own."""
    session.clear()
    session[_NUMBER] = number
    g.pop("staff_session", None)
    g.pop("agent", None)


def sign_out() -> None:
    if found := _session():
        with write():
            sessions.end(found)
            events.add(Action.SIGNED_OUT, actor(), found.staff.email)
    session.clear()


def reserved(view: Callable[..., Any], wanted: Collection[Role], *, fresh: bool) -> Any:
    """Reserve a page for the agents who have one of these roles today. `fresh`, for pages that do
    what cannot be undone or export what names families, asks for a code again unless one was given
    a moment ago."""

    @wraps(view)
    def guarded(**which: Any) -> Any:
        found = agent()
        if found is None:
            return to_sign_in()
        if not found.has(*wanted):
            raise NotOpen
        if fresh and not sessions.is_fresh(found.session):
            return redirect(url_for("office.code", next=_page_to_come_back_to()))
        return view(**which)

    guarded.staff_only = True  # type: ignore[attr-defined]  # `is_for_staff` reads it
    return guarded


def is_for_staff() -> bool:
    """Tell whether the page asked for is reserved for agents."""
    view = current_app.view_functions.get(request.endpoint or "")
    return bool(getattr(view, "staff_only", False))


def to_sign_in(*, was_signed_in: bool = False) -> Response:
    """Lead to the page for signing in, or to its second step, and from there to the page asked
    for."""
    if half_way():
        return redirect(url_for("office.code", next=_page_to_come_back_to()))
    if was_signed_in or _NUMBER in session:
        session.clear()
        flash("Par sécurité, votre session est terminée. Connectez-vous de nouveau.")
    return redirect(url_for("office.sign_in", next=_page_to_come_back_to()))


def safe_next() -> str:
    """Return where to go after a code: a page of the area that was asked for, else its first."""
    target = access.page_of_ours(request.args.get("next", ""))
    return target if cookies.is_office(target.partition("?")[0]) else url_for("office.today")


def require_network() -> None:
    """Raise OutsideNetwork if the settings list networks and the browser is in none of them."""
    networks = current.settings().office.networks
    if networks and not _is_within(access.remote_address(), networks):
        raise OutsideNetwork


def _is_within(address: str, networks: Collection[str]) -> bool:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    found = getattr(found, "ipv4_mapped", None) or found
    return any(found in ipaddress.ip_network(each) for each in networks)


def _session() -> StaffSession | None:
    if "staff_session" not in g:
        number = session.get(_NUMBER, "") if cookies.is_office(request.path) else ""
        g.staff_session = sessions.running(number) if number else None
    return cast("StaffSession | None", g.staff_session)


def _page_to_come_back_to() -> str | None:
    """Return the page asked for; for a posted form, the page that showed it."""
    asked = request.full_path.rstrip("?")
    if request.method != "GET":
        referrer = urlsplit(request.referrer or "")
        asked = referrer._replace(scheme="", netloc="", fragment="").geturl()
    return access.page_of_ours(asked) or None
