"""The agents: who comes in, with which roles, from when to when."""

from collections.abc import Callable, Iterable, Mapping

from flask import abort, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from kiosque.db import write
from kiosque.db.models import Staff, StaffRole
from kiosque.staff import accounts, invitations, roles
from kiosque.staff.events import Actor
from kiosque.staff.roles import HeldRole, Role
from kiosque.web.office import exports
from kiosque.web.office.access import actor, own_agent
from kiosque.web.office.forms import NewAgentForm, RoleForm
from kiosque.web.office.regies import names
from kiosque.web.views.office.area import Answer, done, form_page, known, row, said


def agents() -> str:
    return render_template("office/agents.html", every=_every())


@exports.as_file
def agents_table() -> exports.Export:
    rows = ((each.email, words, exports.way_in(each)) for each, words in _every())
    return exports.Export("agents", exports.AGENTS, rows)


def _every() -> list[tuple[Staff, str]]:
    """Return the agents, each with the roles in force in words."""
    regies = names()
    return [(each, _in_words(roles.in_force(each), regies)) for each in accounts.every()]


def _in_words(held: Iterable[HeldRole], regies: Mapping[str, str]) -> str:
    def told(role: Role, regie: str) -> str:
        is_of_one = len(regies) > 1 and role != Role.ADMINISTRATION
        return roles.NAMES[role] + (f" ({regies.get(regie, regie)})" if is_of_one else "")

    return ", ".join(told(*each) for each in sorted(held)) or "aucun rôle en cours"


def new_agent() -> Answer:
    form = NewAgentForm(names())
    return done(form, lambda: _invited(form)) or form_page("office/new_agent.html", form)


def _invited(form: NewAgentForm) -> Response:
    with write():
        staff = accounts.obtain(form.agent_email.data)
        roles.add(staff, form.held, *form.days, actor())
        invitations.send(staff, actor())
    flash(f"Un lien part à {staff.email}. Il sert une fois, pendant un jour.")
    return redirect(url_for("office.agent", staff_id=staff.id))


def agent(staff_id: int) -> Answer:
    return _page(_agent(staff_id), RoleForm(names()))


def give_role(staff_id: int) -> Answer:
    staff, form = _agent(staff_id), RoleForm(names())
    return done(form, lambda: _given(staff, form)) or _page(staff, form)


def _given(staff: Staff, form: RoleForm) -> Response:
    roles.give(staff, form.held, *form.days, actor())
    flash("Le rôle est donné.")
    return redirect(url_for("office.agent", staff_id=staff.id))


def end_role(staff_id: int, role_id: int) -> Response:
    given = StaffRole.get_or_none(
        StaffRole.id == known(role_id), StaffRole.staff == _agent(staff_id)
    ) or abort(404)
    return _done(staff_id, lambda by: roles.end(given, by), "Le rôle est retiré.")


def send_link(staff_id: int) -> Response:
    staff = _open_agent(staff_id)
    return _done(
        staff_id, lambda by: invitations.renew(staff, by), f"Un lien part à {staff.email}."
    )


def forget_telephone(staff_id: int) -> Response:
    staff = _open_agent(staff_id)
    told = f"Son téléphone n’ouvre plus rien. Un lien part à {staff.email}."
    return _done(staff_id, lambda by: invitations.dissociate(staff, by), told)


def close_agent(staff_id: int) -> Response:
    staff = _open_agent(staff_id)
    return _done(staff_id, lambda by: accounts.close(staff, by), "Son accès est fermé.")


def _done(staff_id: int, change: Callable[[Actor], object], told: str) -> Response:
    """Make a change, say so or why not, and go back to the agent's page."""

    def act() -> str:
        change(actor())
        return told

    return said(act, url_for("office.agent", staff_id=staff_id))


def _page(staff: Staff, form: RoleForm) -> Answer:
    return form_page(
        "office/agent.html",
        form,
        staff=staff,
        roles=roles.of(staff),
        own=staff == own_agent().staff,
        regies=names(),
        names=roles.NAMES,
    )


def _agent(staff_id: int) -> Staff:
    return row(Staff, staff_id)


def _open_agent(staff_id: int) -> Staff:
    """Return an agent who may come in, else 404."""
    staff = _agent(staff_id)
    return staff if staff.closed_at is None else abort(404)
