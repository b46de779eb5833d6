"""Families, as agents look them up: every search and every reading leaves a line in the log."""

from flask import abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from kiosque.db.models import Family
from kiosque.families import contacts, records
from kiosque.families.accounts import normalise_code
from kiosque.staff import events
from kiosque.staff.events import Action
from kiosque.staff.roles import Role
from kiosque.web.office_access import actor, staff_only
from kiosque.web.views.office.area import blueprint

#: The roles that meet families; control reads accounts, and no family's contact.
_ROLES = (Role.CONSULTATION, Role.FACTURATION, Role.REGISSEUR)
#: Letters of a search that are looked at.
_LONGEST = 100


@blueprint.get("/aller")
@staff_only(*_ROLES)
def go() -> Response:
    """Go from the search box straight to what it names, or to what may be meant."""
    asked = _asked()
    if family := _named(normalise_code(asked)):
        return redirect(url_for("office.family", code=family.code))
    return redirect(url_for("office.families", q=asked or None))


@blueprint.get("/familles")
@staff_only(*_ROLES)
def families() -> str:
    asked = _asked()
    found = records.search(asked)
    if asked:
        events.note(Action.FAMILIES_SEARCHED, actor(), asked)
    return render_template(
        "office/families.html",
        asked=asked,
        found=found[: records.SHOWN],
        more=len(found) > records.SHOWN,
    )


@blueprint.get("/familles/<code>")
@staff_only(*_ROLES)
def family(code: str) -> str:
    found = _named(code) or abort(404)
    events.note(Action.FAMILY_READ, actor(), found.code)
    return render_template(
        "office/family.html",
        family=found,
        record=records.read(found),
        addresses=contacts.addresses(found),
    )


def _named(code: str) -> Family | None:
    """Return the family of this code, unless its record is erased."""
    found: Family | None = Family.get_or_none(Family.code == code, Family.forgotten_at.is_null())
    return found


def _asked() -> str:
    """Return what is looked for: words of signs that show."""
    text = request.args.get("q", "")[:_LONGEST]
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
