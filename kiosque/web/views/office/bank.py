"""The account of a *régie* at the bank: its files, its lines, and what explains each line."""

import io
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import cache
from typing import Any, NamedTuple

from flask import flash, redirect, render_template, request, url_for
from peewee import ModelSelect, Value
from werkzeug.wrappers import Response

from kiosque.closings.awaited import awaited
from kiosque.closings.months import Month
from kiosque.db.models import LineMatch, StatementLine
from kiosque.db.prepared import PreparedQuery
from kiosque.db.statement_words import LineState, MatchKind
from kiosque.invoices.uploads.storing import BadUpload
from kiosque.language import clock
from kiosque.language.formats import counted, format_euros, short_date
from kiosque.payments import Refused
from kiosque.staff import events
from kiosque.staff.events import Action
from kiosque.staff.roles import Role
from kiosque.statements import coverage, matching, receiving, undoing
from kiosque.statements.accounts import is_aside, owner_of
from kiosque.statements.records import (
    OfInvoices,
    TableReading,
    Unit,
    UnknownColumns,
    UnreadableFile,
)
from kiosque.statements.words import GRADES, KINDS, MEANINGS, RULES
from kiosque.web.office import exports, lists
from kiosque.web.office.access import BOOK_READERS, actor, author, own_agent
from kiosque.web.office.bank_forms import (
    BY_DAY,
    ExplainForm,
    LineFilters,
    StatementForm,
)
from kiosque.web.office.bank_loading import load, why_not
from kiosque.web.office.forms import ActForm
from kiosque.web.office.regies import asked_regie, own_names
from kiosque.web.office.upload_acts import take_in
from kiosque.web.views.office import bank_columns
from kiosque.web.views.office.area import Answer, done, form_page, row

#: Lines shown with proposals for what explains them.
_SHOWN = 20
#: Most loaded files that are shown.
_FILES = 10


@cache  # a town has few
def _files(regie: str) -> PreparedQuery:
    return PreparedQuery(lambda: undoing.files_of(regie).limit(_FILES))


_LEFT = PreparedQuery(lambda regie: matching.open_lines(regie).limit(_SHOWN))


class ListedLine(NamedTuple):
    """A row of the list of lines."""

    id: int
    booked_on: date
    label: str
    state: str
    amount_cents: int


def bank() -> Answer:
    return _page(StatementForm(own_names(*BOOK_READERS)))


@exports.as_file
def bank_table() -> exports.Export:
    regie, filters = asked_regie(*BOOK_READERS), LineFilters(own_names(*BOOK_READERS)).required()
    name, every = own_names(*BOOK_READERS)[regie], lists.every(_found(regie, filters), BY_DAY)
    rows = (exports.of_bank_line(each, name) for each in every)
    return exports.Export(
        "mouvements du compte", exports.BANK_LINES, rows, {**filters.chosen, "regie": regie}
    )


def load_statement() -> Answer:
    form = StatementForm(own_names(*BOOK_READERS))
    if not form.validate():
        return _page(form)
    try:
        return _load(form)
    except (UnreadableFile, Refused) as refusal:
        form.file.errors = why_not(refusal)
    except BadUpload as refusal:
        form.file.errors = [str(refusal)]
    return _page(form)


def _load(form: StatementForm) -> Answer:
    """Load a file that leaves no doubt. For a table whose columns nobody has confirmed, ask what
    they are; deposit a file that is no statement with those to load. Raises UnreadableFile,
    Refused, BadUpload."""
    name, content = (form.file.data.filename or "")[:200], form.file.data.read()
    unit = Unit(form.unit.data) if form.unit.data else None
    try:
        file = receiving.read(name, content, unit=unit)
    except OfInvoices:
        return _to_load(name, content)
    except UnknownColumns as question:
        table = TableReading(question.header, question.proposal, is_answered=False)
        return bank_columns.ask(name, content, table, faults=question.faults)
    if file.table and not file.table.is_answered:
        return bank_columns.ask(name, content, file.table, file)
    return load(file, name, content, form.chosen)


def _to_load(name: str, content: bytes) -> Response:
    """Deposit a file that is not the bank's with those to load, and show what it would do. Raises
    BadUpload."""
    upload = take_in(io.BytesIO(content), name)
    flash("Ce fichier n’est pas un relevé\u00a0: voici ce qu’il dit, vérifiez puis chargez-le.")
    return redirect(url_for("office.upload", number=upload.id))


def match_again() -> Response:
    """Match the lines that are no longer in doubt, since other payments have come."""
    regie = asked_regie(Role.REGISSEUR)
    lines = sum(matching.match_all(regie).values())
    if lines:
        events.note(Action.LINE_MATCHED, actor(), counted(lines, "mouvement"))
    flash(f"{counted(lines, 'mouvement expliqué')} de plus." if lines else "Rien de plus.")
    return redirect(url_for("office.bank", regie=regie or None))


def bank_line(number: int) -> Answer:
    return _line_page(_line(number, *BOOK_READERS), ExplainForm())


def explain_line(number: int) -> Answer:
    """Match a line with what was proposed, or say what it is."""
    line, form = _line(number, Role.REGISSEUR), ExplainForm()
    proposal = request.form.get("proposal", "")
    if proposal or form.validate():
        try:
            return _explained(line, form, proposal)
        except Refused as refused:
            form.form_errors += refused.reasons
    return _line_page(line, form)


def undo_match(number: int) -> Answer:
    """Undo one match, once a reason is given."""
    match = row(LineMatch, number)
    line, form = _line(match.line_id, Role.REGISSEUR), ActForm()
    if match.undone_at:
        return _back_to(line)
    return done(form, lambda: _undone(match, form)) or form_page(
        "office/undo_match.html", form, match=match, line=line, kinds=KINDS
    )


def _page(form: StatementForm) -> Answer:
    regie, filters = asked_regie(*BOOK_READERS), LineFilters(own_names(*BOOK_READERS))
    is_valid = filters.validate()
    page = _lines(regie, filters) if is_valid else None
    shown = render_template(
        "office/bank.html",
        form=form,
        filters=filters,
        page=page,
        rows=_written(page.rows) if page else (),
        answers=[(each, receiving.columns_of(each)) for each in receiving.answers()],
        meanings=MEANINGS,
        **_standing(regie),
    )
    return shown, 422 if form.errors or filters.errors else 200


def _lines(regie: str, filters: LineFilters) -> lists.ListPage:
    return lists.read_page(
        lambda regie: _found(regie, filters).select(*lists.columns(ListedLine, StatementLine)),
        BY_DAY,
        kind=ListedLine,
        kept_as=None if filters.chosen else "lines of the account",
        values={"regie": regie},
    )


def _written(found: Iterable[ListedLine]) -> Iterator[tuple[str, ...]]:
    """Write the rows with their words, so that the template calls little."""
    root = url_for("office.bank")
    for it in found:
        state = "Expliqué" if it.state == LineState.MATCHED else "À expliquer"
        yield (
            f"{root}/{it.id}", str(it.id), it.label or "sans libellé", short_date(it.booked_on),
            state, format_euros(it.amount_cents),
        )  # fmt: skip


def _found(regie: str | Value, filters: LineFilters) -> "ModelSelect[StatementLine]":
    query = StatementLine.select().where(StatementLine.regie == regie)
    return lists.narrow(query, filters.conditions())


def _standing(regie: str) -> Mapping[str, Any]:
    """Return what is known of an account: its lines to explain, and what is missing."""
    left = _LEFT.models(regie=regie)
    told_on = coverage.last_told(regie)
    return {
        "regie": regie,
        "regies": own_names(*BOOK_READERS),
        "left": left,
        "left_count": lists.count(matching.open_lines(regie)) if left[_SHOWN - 1 :] else len(left),
        "proposals": matching.proposals_of(left),
        "gaps": coverage.gaps(regie),
        "files": _files(regie).models(),
        "awaited": awaited(regie),
        "told_of": Month.of(told_on).words if told_on else "",
        "grade": GRADES[coverage.grade(regie, f"{told_on or clock.today():%Y-%m}")],
        "may_write": own_agent().has_for([regie], Role.REGISSEUR),
    }


def _line_page(line: StatementLine, form: ExplainForm) -> Answer:
    return form_page(
        "office/bank_line.html",
        form,
        line=line,
        matches=list(LineMatch.select().where(LineMatch.line == line).order_by(LineMatch.id)),
        proposals=matching.proposals(line),
        left_cents=line.amount_cents - matching.explained_cents(line),
        kinds=KINDS,
        rules=RULES,
        is_aside=is_aside(line),
        may_write=own_agent().has_for([line.regie], Role.REGISSEUR),
    )


def _explained(line: StatementLine, form: ExplainForm, proposal: str) -> Response:
    """Do what the agent chose. Raises Refused."""
    by, reason = author(), "" if proposal else form.reason.data or ""
    if proposal:
        matching.confirm(line.id, proposal, by)
    else:
        matching.classify(line.id, MatchKind(form.kind.data), by, reason)
    events.note(Action.LINE_MATCHED, actor(), str(line.id), reason)
    flash("Le mouvement est expliqué.")
    return redirect(url_for("office.bank", regie=line.regie or None))


def _undone(match: LineMatch, form: ActForm) -> Response:
    matching.undo(match.id, author(), form.reason.data)
    events.note(Action.MATCH_UNDONE, actor(), str(match.line_id), form.reason.data)
    flash("Le rapprochement est annulé\u00a0: le mouvement est à expliquer.")
    return _back_to(match.line)


def _back_to(line: StatementLine) -> Response:
    return redirect(url_for("office.bank_line", number=line.id))


def _line(number: int, *wanted: Role) -> StatementLine:
    line: StatementLine = row(StatementLine, number)
    own_agent().require_all([owner_of(line)], *wanted)
    return line
