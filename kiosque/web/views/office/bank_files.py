"""The files of the bank that are loaded: their list as a file, undoing a load."""

from flask import flash, redirect, render_template, url_for

from kiosque.db.models import BankOperation, Statement, StatementFile, StatementLine
from kiosque.payments import Refused
from kiosque.staff import events
from kiosque.staff.events import Action
from kiosque.staff.roles import Role
from kiosque.statements import undoing
from kiosque.web.office import exports, lists
from kiosque.web.office.access import BOOK_READERS, actor, own_agent
from kiosque.web.office.forms import ActForm
from kiosque.web.office.lists import Order
from kiosque.web.office.regies import asked_regie
from kiosque.web.views.office.area import Answer, row

_LATEST = Order(StatementFile.id, StatementFile.id)


@exports.as_file
def bank_files_table() -> exports.Export:
    regie = asked_regie(*BOOK_READERS)
    rows = map(exports.of_bank_file, lists.every(undoing.files_of(regie), _LATEST))
    return exports.Export("fichiers de la banque", exports.BANK_FILES, rows, {"regie": regie})


def undo_statement(number: int) -> Answer:
    """Say what undoing a load of the bank's file will do, then do it."""
    file, form = _file(number), ActForm()
    reasons = [undoing.why_not(file)]
    if not reasons[0] and form.validate_on_submit() and _undone(file, form, reasons):
        regies = undoing.regies_of(file)
        return redirect(url_for("office.bank", regie=regies[0] or None))
    brought = StatementLine.select().join(Statement).where(Statement.file == file)
    paid = BankOperation.select().where(BankOperation.file == file)
    page = render_template(
        "office/undo_statement.html",
        file=file, form=form, lines=brought.count(), operations=paid.count(),
        reasons=[*filter(None, reasons)],
    )  # fmt: skip
    return page, 422 if form.is_submitted() else 200


def _undone(file: StatementFile, form: ActForm, reasons: list[str]) -> bool:
    try:
        undoing.undo(file.id, own_agent().staff.email, form.reason.data)
    except Refused as refusal:
        reasons += refusal.reasons
        return False
    events.note(Action.STATEMENT_UNDONE, actor(), file.name, form.reason.data)
    flash("Le chargement est annulé\u00a0: tout est comme avant lui.")
    return True


def _file(number: int) -> StatementFile:
    """Return a file, of accounts that the agent answers for. Raises NotFound, NotOpen."""
    file: StatementFile = row(StatementFile, number)
    own_agent().require_all(undoing.regies_of(file) or [""], Role.REGISSEUR)
    return file
