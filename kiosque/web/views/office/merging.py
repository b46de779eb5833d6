"""Merge two codes of one household into one family, and undo it."""

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response

from kiosque.db.models import Family, FamilyMerge
from kiosque.families import records
from kiosque.invoices import family_balance
from kiosque.privacy import merging
from kiosque.staff import events
from kiosque.staff.events import Action
from kiosque.staff.roles import Role
from kiosque.web.office.access import actor, author, own_agent
from kiosque.web.office.forms import ActForm, MergeForm
from kiosque.web.views.office.area import Answer, done, form_page, row
from kiosque.web.views.office.families import present_family


def merge_families(code: str) -> Answer:
    """Look up a duplicate by its code, then confirm that it is one."""
    kept, form = present_family(code), MergeForm(double=request.args.get("double", ""))
    confirmed = form.validate_on_submit()
    gone = _double(form)
    _require_their_money(kept, gone)
    if confirmed and gone and (answer := done(form, lambda: _merged(kept, gone, form))):
        return answer
    return form_page(
        "office/family_merge.html", form, family=kept, both=_both(kept, gone), gone=gone
    )


def _double(form: MergeForm) -> Family | None:
    """Return the family whose code was typed; if there is none, say so in the form."""
    code = form.double.data or ""
    found = records.named(code)
    if code and found is None:
        form.double.errors = ["Aucune famille n’a ce code."]
    return found


def _require_their_money(*families: Family | None) -> None:
    """Raise NotOpen unless the agent invoices for every *régie* of these families: a merge moves
    the money of all."""
    for family in filter(None, families):
        own_agent().require_all(family_balance.regies_of(family), Role.FACTURATION)


def _both(kept: Family, gone: Family | None) -> list[tuple[str, Family, object, object]]:
    """Return what a person compares: the title, record and dues of each family. Log the reading."""
    for read in (kept, gone) if gone else ():
        events.note(Action.FAMILY_READ, actor(), read.code)
    pairs = (("Gardée", kept), ("Doublon", gone))
    return [(words, it, records.read(it), family_balance.due(it)) for words, it in pairs if it]


def _merged(kept: Family, gone: Family, form: MergeForm) -> Response:
    merging.merge(kept, gone, author(), form.reason.data)
    about = f"{kept.code}, {gone.code}"
    events.note(Action.FAMILIES_MERGED, actor(), about, form.reason.data)
    flash(f"La famille {gone.code} est fusionnée avec la famille {kept.code}.")
    return redirect(url_for("office.family", code=kept.code))


def undo_merge(number: int) -> Answer:
    found = row(FamilyMerge, number)
    _require_their_money(found.kept, found.gone)
    form = ActForm()
    return done(form, lambda: _undone(found, form)) or form_page(
        "office/undo_merge.html", form, merge=found
    )


def _undone(found: FamilyMerge, form: ActForm) -> Response:
    merging.undo(found)
    about = f"{found.kept.code}, {found.gone.code}"
    events.note(Action.MERGE_UNDONE, actor(), about, form.reason.data)
    flash(f"La famille {found.gone.code} est de nouveau à part.")
    return redirect(url_for("office.family", code=found.kept.code))
