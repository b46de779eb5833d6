"""Families put away, and brought back."""

from flask import flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from kiosque.db.models import Family
from kiosque.invoices import family_balance
from kiosque.payments import Refused
from kiosque.privacy import archiving
from kiosque.privacy.dues import dues
from kiosque.staff import events
from kiosque.staff.events import Action
from kiosque.staff.roles import Role
from kiosque.web.office.access import actor, own_agent, staff_only
from kiosque.web.office.forms import ActForm
from kiosque.web.views.office.area import Answer
from kiosque.web.views.office.families import family_of, present_family


@staff_only(Role.FACTURATION)
def archive_family(code: str) -> Answer:
    family, form = present_family(code), ActForm()
    # The page says what is due.
    own_agent().require_all(family_balance.regies_of(family), Role.FACTURATION)
    if form.is_submitted() and form.validate() and _archived(family, form):
        flash(f"La famille {family.code} est archivée.")
        return redirect(url_for("office.family", code=code))
    page = render_template("office/family_archive.html", family=family, form=form, due=dues(family))
    return page, 422 if form.errors else 200


def _archived(family: Family, form: ActForm) -> bool:
    """Put the family away. Return False where something is due: the page says what."""
    try:
        archiving.archive(family)
    except Refused:
        form.form_errors.append("Cette famille ne peut pas être archivée.")
        return False
    events.note(Action.FAMILY_ARCHIVED, actor(), family.code, form.reason.data)
    return True


@staff_only(Role.FACTURATION)
def bring_family_back(code: str) -> Response:
    family = family_of(code)
    if family.archived_at:
        archiving.bring_back(family)
        events.note(Action.FAMILY_BROUGHT_BACK, actor(), family.code)
        flash(f"La famille {family.code} est rétablie.")
    return redirect(url_for("office.family", code=code))
