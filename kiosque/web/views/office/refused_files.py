"""Pages to mend a file that was refused: name the families of its debtors, or its columns."""

from flask import redirect, url_for
from werkzeug.wrappers import Response

from kiosque.db.models import Upload
from kiosque.db.states import UploadState
from kiosque.invoices import imports
from kiosque.invoices.imports import BadFile, FoundDebtor
from kiosque.invoices.uploads import processing
from kiosque.staff import events
from kiosque.staff.events import Action
from kiosque.web import current
from kiosque.web.office.access import actor, author
from kiosque.web.office.refused_file_forms import ColumnsForm, DebtorsForm
from kiosque.web.office.uploads import own_upload
from kiosque.web.views.office.area import Answer, form_page, known

#: Lines of a table that are shown beside its columns.
_LINES = 3
#: States of a file that is read but not loaded.
_WAITS = (UploadState.READ, UploadState.REFUSED)


def name_debtors(number: int) -> Answer:
    """Say of which families the debtors of a file are."""
    found = own_upload(known(number), *_WAITS)
    unknown = _unknown(found)
    if not unknown:
        return _back(found)
    form = DebtorsForm.of(unknown)
    if form.validate_on_submit() and form.keep(author()):
        return _again(found, Action.DEBTORS_NAMED)
    events.note(Action.UPLOAD_READ, actor(), found.file_name)
    return form_page("office/debtors.html", form, upload=found, count=len(unknown))


def name_columns(number: int) -> Answer:
    """Say which columns of a table are ours."""
    found = own_upload(known(number), *_WAITS)
    columns, rows = _table(found)
    if not columns:
        return _back(found)
    form = ColumnsForm.of(columns)
    if form.validate_on_submit() and form.keep(found.file_name, author()):
        return _again(found, Action.COLUMNS_NAMED)
    events.note(Action.UPLOAD_READ, actor(), found.file_name)
    samples = [", ".join(row[at] for row in rows if at < len(row)) for at in range(len(columns))]
    return form_page("office/columns.html", form, upload=found, samples=samples)


def _unknown(found: Upload) -> list[FoundDebtor]:
    try:
        with processing.laid_out(found, current.settings().data) as path:
            return [each for each in imports.debtors(path) if not each.code]
    except BadFile:
        return []


def _table(found: Upload) -> tuple[list[str], list[list[str]]]:
    try:
        with processing.laid_out(found, current.settings().data) as path:
            return imports.first_rows(path, _LINES)
    except BadFile:
        return [], []


def _again(found: Upload, action: Action) -> Response:
    events.note(action, actor(), found.file_name)
    processing.read_again(found, current.settings())
    return _back(found)


def _back(found: Upload) -> Response:
    return redirect(url_for("office.upload", number=found.id))
