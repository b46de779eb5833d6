"""The data held about a family: the administration exports it, or erases it, when the family asks.
It has no other access to families."""

import io
import tempfile
import zipfile
from pathlib import Path

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from kiosque import privacy
from kiosque.db.models import Family
from kiosque.families import records
from kiosque.payments import Refused
from kiosque.privacy.dues import dues
from kiosque.privacy.free_words import naming
from kiosque.staff import events
from kiosque.staff.events import Action
from kiosque.web import current, documents
from kiosque.web.office import filter_fields
from kiosque.web.office.access import actor, author
from kiosque.web.office.forms import ActForm, EraseForm
from kiosque.web.views.office.area import Answer, done, form_page
from kiosque.web.views.office.families import family_of


def personal_data() -> str:
    """Show what can be done for the family whose code was typed, erased or not."""
    asked = filter_fields.looked_for(request.args.get("famille", ""))
    found = records.named(asked)
    if asked:
        events.note(Action.FAMILIES_SEARCHED, actor(), asked)
    return render_template("office/personal_data.html", asked=asked, family=found)


def export_family(code: str) -> Answer:
    family, form = family_of(code), ActForm()
    return done(form, lambda: _exported(family, form)) or form_page(
        "office/export_family.html", form, family=family
    )


def _exported(family: Family, form: ActForm) -> Response:
    content = io.BytesIO()
    with tempfile.TemporaryDirectory() as kept:
        try:
            folder = privacy.export(current.settings(), family, Path(kept), author())
        except privacy.CannotExport as error:
            raise Refused([str(error)]) from None
        with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(folder.iterdir()):
                archive.write(path, path.name)
    events.note(Action.FAMILY_EXPORTED, actor(), family.code, form.reason.data)
    return documents.answer_archive(content.getvalue(), folder.name)


def erase_family(code: str) -> Answer:
    family, form = family_of(code), EraseForm()
    if not form.is_submitted():
        events.note(Action.FAMILY_READ, actor(), family.code)
    due = dues(family, credit_notes=not form.settled.data)
    is_possible = not dues(family, credit_notes=False)
    return done(form, lambda: _erased(family, form)) or form_page(
        "office/erase_family.html", form,
        family=family, due=due, is_possible=is_possible, kept=naming(family),
    )  # fmt: skip


def _erased(family: Family, form: EraseForm) -> Response:
    try:
        privacy.erase(family, author(), form.reason.data, credit_notes=not form.settled.data)
    except privacy.CannotErase:
        raise Refused(["Cette famille ne peut pas encore être effacée."]) from None
    events.note(Action.FAMILY_ERASED, actor(), family.code, form.reason.data)
    flash(
        f"La famille {family.code} est effacée. Retirez-la aussi de votre logiciel\u00a0: ses "
        "fichiers la ramèneraient."
    )
    return redirect(url_for("office.personal_data"))
