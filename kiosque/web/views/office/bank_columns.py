"""The columns of a bank's table: an agent sees how they were understood, and corrects it, before it
is kept."""

import io
import re
from collections.abc import Sequence

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response

from kiosque.invoices.uploads import storing
from kiosque.payments import Refused
from kiosque.staff import events
from kiosque.staff.events import Action
from kiosque.staff.roles import Role
from kiosque.statements import receiving
from kiosque.statements.columns import signature
from kiosque.statements.records import ParsedFile, TableReading, UnreadableFile
from kiosque.statements.table_preview import understood
from kiosque.web import current
from kiosque.web.office.access import actor, author
from kiosque.web.office.bank_forms import BankColumnsForm
from kiosque.web.office.bank_loading import load, why_not
from kiosque.web.office.regies import own_names
from kiosque.web.views.office.area import Answer, form_page, known

_DIGEST = re.compile("[0-9a-f]{64}", re.ASCII)


def ask(
    name: str,
    content: bytes,
    table: TableReading,
    file: ParsedFile | None = None,
    faults: Sequence[str] = (),
) -> Answer:
    """Keep a table for an hour, and show what was understood of it. Raises BadUpload."""
    kept = storing.keep(io.BytesIO(content), name, current.settings().data)
    form = BankColumnsForm.of(table, own_names(Role.REGISSEUR), kept.name)
    return _page(kept.sha256, table.header, form, file, faults)


def name_bank_columns(digest: str) -> Answer:
    """Read a table again by the columns chosen; load it if the agent saw it read so already."""
    header, content = request.form.getlist("header"), _kept(digest)
    if content is None:
        flash("Ce fichier n’est plus gardé\u00a0: déposez-le de nouveau.")
        return redirect(url_for("office.bank"))
    form, file = BankColumnsForm(header, own_names(Role.REGISSEUR)), None
    if form.validate():
        try:
            file = _read(form, header, content)
            if form.is_agreed:
                return _loaded(file, form, content)
        except (UnreadableFile, Refused) as refusal:
            form.form_errors += why_not(refusal)
    form.show()
    return _page(digest, header, form, file)


def forget_bank_columns(number: int) -> Response:
    """Have the next table of these columns shown before it is loaded."""
    if receiving.forget(known(number)):
        events.note(Action.COLUMNS_NAMED, actor(), "oubliées")
        flash("Oublié\u00a0: le prochain tableau de ces colonnes sera montré avant d’être chargé.")
    return redirect(url_for("office.bank"))


def _read(form: BankColumnsForm, header: Sequence[str], content: bytes) -> ParsedFile:
    columns = {signature(header): form.columns}
    return receiving.read(form.name.data or "", content, columns=columns)


def _loaded(file: ParsedFile, form: BankColumnsForm, content: bytes) -> Response:
    """Load a table, and remember its columns. Raises Refused."""
    answer = load(file, form.name.data or "", content, form.chosen)
    if file.table:
        receiving.remember(file.table.header, file.table.columns, author())
        events.note(Action.COLUMNS_NAMED, actor(), ", ".join(file.table.header)[:200])
    return answer


def _kept(digest: str) -> bytes | None:
    """Return a file that is kept under its digest, None where it is not any more."""
    path = storing.path_of(digest, current.settings().data)
    if not _DIGEST.fullmatch(digest) or not storing.is_whole(path):
        return None
    return path.read_bytes()


def _page(
    digest: str,
    header: Sequence[str],
    form: BankColumnsForm,
    file: ParsedFile | None,
    faults: Sequence[str] = (),
) -> Answer:
    return form_page(
        "office/bank_columns.html",
        form,
        digest=digest,
        header=header,
        accounts=understood(file) if file else [],
        faults=faults,
    )
