"""Archive families, and bring them back."""

from flask import flash, redirect, url_for
from werkzeug.wrappers import Response

from kiosque.db.models import Family
from kiosque.invoices import family_balance
from kiosque.payments import Refused
from kiosque.privacy import archiving
from kiosque.privacy.dues import dues
from kiosque.staff import events
from kiosque.staff.events import Action
from kiosque.staff.roles import Role
from kiosque.web.office.access import actor, own_agent
from kiosque.web.office.forms import ActForm
from kiosque.web.views.office.area import Answer, done, form_page
from kiosque.web.views.office.families import family_of, present_family


def archive_family(code: str) -> Answer:
    family, form = present_family(code), ActForm()
    # The page says what is due.
    own_agent().require_all(family_balance.regies_of(family), Role.FACTURATION)
    return done(form, lambda: _archived(family, form)) or form_page(
        "office/family_archive.html", form, family=family, due=dues(family)
    )


def _archived(family: Family, form: ActForm) -> Response:
    try:
        archiving.archive(family)
    except Refused:
        raise Refused(["Cette famille ne peut pas être archivée."]) from None
    events.note(Action.FAMILY_ARCHIVED, actor(), family.code, form.reason.data)
    flash(f"La famille {family.code} est archivée.")
    return redirect(url_for("office.family", code=family.code))


def bring_family_back(code: str) -> Response:
    family = family_of(code)
    if family.archived_at:
        archiving.bring_back(family)
        events.note(Action.FAMILY_BROUGHT_BACK, actor(), family.code)
        flash(f"La famille {family.code} est rétablie.")
    return redirect(url_for("office.family", code=code))
