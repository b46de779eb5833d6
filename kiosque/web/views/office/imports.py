"""Files to load: deposited, judged, agreed to; the history of loads, and undoing one."""

import io

from flask import flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from kiosque.db.models import ImportBatch, Invoice, Upload
from kiosque.db.states import UploadState
from kiosque.invoices.imports import undoing
from kiosque.invoices.uploads import previews, processing, storing
from kiosque.payments import Refused
from kiosque.staff import events
from kiosque.staff.events import Action
from kiosque.staff.roles import Role
from kiosque.web import current
from kiosque.web.office import exports, lists
from kiosque.web.office.access import DEPOSITORS, NotOpen, actor, author, own_agent
from kiosque.web.office.forms import ActForm
from kiosque.web.office.lists import Filters, RowOrder
from kiosque.web.office.typed_invoice import TypedInvoiceForm
from kiosque.web.office.upload_acts import advance, begin
from kiosque.web.office.upload_pages import shown
from kiosque.web.office.uploads import (
    DepositForm,
    LoadForm,
    loads,
    may_load,
    may_see,
    may_undo,
    own_upload,
    preview_of,
)
from kiosque.web.views.office.area import Answer, done, form_page, known, row

_LATEST = RowOrder(ImportBatch.id, ImportBatch.id, ("Plus récents", "Plus anciens"))


def imports() -> str:
    return _list(DepositForm())


@exports.as_file
def imports_table() -> exports.Export:
    every = lists.every(loads(own_agent()), _LATEST)
    return exports.Export("chargements", exports.LOADS, map(exports.of_load, every))


@exports.as_file
def uploads_table() -> exports.Export:
    rows = map(exports.of_upload, _waiting())
    return exports.Export("fichiers déposés", exports.UPLOADS, rows)


def deposit() -> Answer:
    form, settings = DepositForm(), current.settings()
    email = author()
    uploads = form.keep(email, settings.data) if form.validate() else []
    for each in uploads:
        begin(each)
    if not uploads:
        return _list(form), 422
    if len(uploads) > 1:
        flash(f"{len(uploads)} fichiers sont déposés. Vérifiez chacun avant de le charger.")
        return redirect(url_for("office.imports"))
    return redirect(url_for("office.upload", number=uploads[0].id))


def type_invoice() -> Answer:
    """Type an invoice: it is judged and loaded as a file is."""
    form = TypedInvoiceForm()
    if not form.validate_on_submit():
        return form_page("office/type_invoice.html", form)
    name, content = form.as_file()
    kept = storing.keep(io.BytesIO(content), name, current.settings().data)
    found = storing.add(kept, None, author())
    begin(found)
    return redirect(url_for("office.upload", number=found.id))


def upload(number: int) -> str:
    found = own_upload(known(number))
    return _page(found, _form(found))


def load_upload(number: int) -> Answer:
    found = own_upload(known(number))
    form = _form(found)
    if form is None or not form.validate() or not _may_load(found):
        return _page(found, form), 422
    by, agreed = author(), form.fingerprint.data
    if processing.agree(found, by, agreed, form.confirmed, form.chosen_at):
        events.note(Action.LOAD_AGREED, actor(), found.file_name)
        advance(found)
    else:
        flash("Ce que vous aviez vérifié a changé depuis. Vérifiez de nouveau.")
    return redirect(url_for("office.upload", number=number))


def drop_upload(number: int) -> Response:
    found = own_upload(known(number))
    if not storing.drop(found):
        flash("Ce fichier est chargé, ou va l’être.")
        return redirect(url_for("office.upload", number=number))
    events.note(Action.UPLOAD_DROPPED, actor(), found.file_name)
    flash("Le fichier est retiré. Rien n’en a été chargé.")
    return redirect(url_for("office.imports"))


def undo_load(number: int) -> Answer:
    """Say what undoing a load will do, then do it."""
    batch, form = _batch(number), ActForm()
    if answer := done(form, lambda: _undone(batch, form)):
        return answer
    try:
        would, reasons = undoing.preview(batch.id), []
    except Refused as refusal:
        would, reasons = None, refusal.reasons
    return form_page("office/undo_load.html", form, batch=batch, would=would, reasons=reasons)


def _undone(batch: ImportBatch, form: ActForm) -> Response:
    undoing.undo(batch.id, author(), form.reason.data, current.settings().data / "pdf")
    events.note(Action.LOAD_UNDONE, actor(), batch.file_name, form.reason.data)
    flash("Le chargement est annulé : tout est comme avant lui.")
    return redirect(url_for("office.imports"))


def _list(form: DepositForm) -> str:
    agent, may_deposit = own_agent(), own_agent().has(*DEPOSITORS)
    page = lists.read_page(lambda: loads(agent), _LATEST)
    return render_template(
        "office/imports.html",
        form=form,
        page=page,
        filters=Filters(),
        uploads=_waiting() if may_deposit else [],
        states=exports.UPLOAD_STATES,
        may_deposit=may_deposit,
        undoable=[each.id for each in page.rows if may_undo(agent, each)],
    )


def _waiting() -> list[Upload]:
    return [each for each in storing.under_way() if may_see(own_agent(), each)]


def _page(found: Upload, form: LoadForm | None) -> str:
    if found.state != UploadState.LOADED:
        events.note(Action.UPLOAD_READ, actor(), found.file_name)
    preview = preview_of(found, current.settings().notices)
    values = shown(found, preview, form, own_agent())
    return render_template("office/upload.html", **values)


def _form(found: Upload) -> LoadForm | None:
    """Return the form of a file that is read."""
    summary = preview_of(found, current.settings().notices).summary
    return LoadForm(summary, data={"fingerprint": found.fingerprint}) if summary else None


def _may_load(found: Upload) -> bool:
    summary = previews.read(found.preview).summary
    return summary is not None and may_load(own_agent(), summary)


def _batch(number: int) -> ImportBatch:
    """Return a load that the agent may see, else 404 or NotOpen."""
    batch = row(ImportBatch, number)
    if not loads(own_agent()).where(ImportBatch.id == number).exists():
        raise NotOpen
    brought = Invoice.select(Invoice.regie).where(Invoice.batch == batch).distinct()
    own_agent().require_all([each.regie for each in brought], Role.FACTURATION)
    return batch
