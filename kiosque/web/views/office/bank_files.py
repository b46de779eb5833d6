"""The files of the bank that are loaded: their list as a file, undoing a load."""

from flask import flash, redirect, url_for
from werkzeug.wrappers import Response

from kiosque.db.models import BankOperation, Statement, StatementFile, StatementLine
from kiosque.staff import events
from kiosque.staff.events import Action
from kiosque.staff.roles import Role
from kiosque.statements import undoing
from kiosque.web.office import exports, lists
from kiosque.web.office.access import BOOK_READERS, actor, author, own_agent
from kiosque.web.office.forms import ActForm
from kiosque.web.office.lists import RowOrder
from kiosque.web.office.regies import asked_regie
from kiosque.web.views.office.area import Answer, done, form_page, row

_LATEST = RowOrder(StatementFile.id, StatementFile.id)


@exports.as_file
def bank_files_table() -> exports.Export:
    regie = asked_regie(*BOOK_READERS)
    rows = map(exports.of_bank_file, lists.every(undoing.files_of(regie), _LATEST))
    return exports.Export("fichiers de la banque", exports.BANK_FILES, rows, {"regie": regie})


def undo_statement(number: int) -> Answer:
    """Say what undoing a load of the bank's file will do, then do it."""
    file, form = _file(number), ActForm()
    if answer := done(form, lambda: _undone(file, form)):
        return answer
    brought = StatementLine.select().join(Statement).where(Statement.file == file)
    paid = BankOperation.select().where(BankOperation.file == file)
    return form_page(
        "office/undo_statement.html", form,
        file=file, lines=brought.count(), operations=paid.count(),
        reasons=[*filter(None, [undoing.why_not(file)])],
    )  # fmt: skip


def _undone(file: StatementFile, form: ActForm) -> Response:
    undoing.undo(file.id, author(), form.reason.data)
    events.note(Action.STATEMENT_UNDONE, actor(), file.name, form.reason.data)
    flash("Le chargement est annulé\u00a0: tout est comme avant lui.")
    return redirect(url_for("office.bank", regie=undoing.regies_of(file)[0] or None))


def _file(number: int) -> StatementFile:
    """Return a file, of accounts that the agent answers for. Raises NotFound, NotOpen."""
    file: StatementFile = row(StatementFile, number)
    own_agent().require_all(undoing.regies_of(file) or [""], Role.REGISSEUR)
    return file
