"""Deposits (*bordereaux de versement*): drafts, those made final, their papers."""

from typing import NamedTuple

from flask import abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from kiosque import deposits, payments
from kiosque.closings.months import Month, last_number
from kiosque.db.models import Deposit, DepositAnswer, DepositGap
from kiosque.deposits import Draft, tables
from kiosque.deposits.keeping import Kept
from kiosque.deposits.sums import table, whole
from kiosque.language import clock
from kiosque.language.formats import format_euros
from kiosque.papers import deposits as papers
from kiosque.payments import journal
from kiosque.staff import events
from kiosque.staff.events import Action
from kiosque.staff.roles import Role
from kiosque.web import current, documents, spreadsheets
from kiosque.web.office.access import actor, fresh_code, own_agent, own_row, staff_only
from kiosque.web.office.deposit_forms import AnswerForm, FinalForm, LastGivenForm
from kiosque.web.views.office.area import Answer, known

_READERS = (Role.REGISSEUR, Role.CONTROLE)


class Book(NamedTuple):
    """A *régie*'s deposits: the `draft` of the next, the money `kept` out of it, and those made
    final with the answer to each. `of_month` is a draft that ends with `month`, the last over."""

    key: str
    name: str
    draft: Draft
    month: Month
    of_month: Draft
    kept: list[Kept]
    finals: list[tuple[Deposit, DepositAnswer | None]]


@staff_only(*_READERS)
def bordereaux() -> str:
    own, named = own_agent().regies(*_READERS), current.settings().regies_by_key.items()
    books = [_book(key, each.name) for key, each in named if key in own]
    return render_template(
        "office/bordereaux.html",
        books=books,
        titled=deposits.titled,
        table=table,
        whole=whole,
        unsaid=deposits.unsaid,
        lost=deposits.lost,
        named=deposits.named,
    )


@staff_only(Role.REGISSEUR)
@fresh_code
def finalize(regie: str) -> Answer:
    _require(regie, Role.REGISSEUR)
    form = FinalForm()
    asked = request.args.get("jusqua", "")
    draft = deposits.draft(regie, form.number(asked, journal.last()[0]))
    is_sent = form.is_submitted() and form.validate()
    if is_sent and form.confirms(draft) and _finalized(form, draft):
        return redirect(url_for("office.bordereaux"))
    name = current.settings().regie_named(regie)
    shown = {"draft": draft, "regie": name, "table": table, "whole": whole}
    page = render_template("office/bordereau_final.html", form=form, **shown)
    return page, 422 if form.errors else 200


def _finalized(form: FinalForm, draft: Draft) -> bool:
    """Make the draft final. Return False where it cannot be, and say why in the form."""
    by = own_agent().staff.email
    asked = (current.settings(), draft.regie, draft.up_to, by, draft.fingerprint)
    try:
        made = deposits.finalize(*asked, papers.bordereau)
    except payments.Refused as refused:
        form.form_errors += refused.reasons
        return False
    amount = format_euros(made.amount_cents)
    events.note(Action.DEPOSIT_MADE, actor(), deposits.titled(made), amount)
    flash(f"Le bordereau {deposits.titled(made)} est définitif\u00a0: {amount}.")
    return True


@staff_only(Role.REGISSEUR)
@fresh_code
def resume_numbers(number: int) -> Answer:
    """Say which deposit was the last, where a restoration may have lost some."""
    gap = DepositGap.get_or_none(DepositGap.id == known(number)) or abort(404)
    _require(gap.regie, Role.REGISSEUR)
    form = LastGivenForm(data={"last": str(gap.first - 1)})
    if gap.last is not None or (form.validate_on_submit() and _resumed(gap, form)):
        return redirect(url_for("office.bordereaux"))
    name = current.settings().regie_named(gap.regie).name
    page = render_template("office/resume_numbers.html", form=form, gap=gap, name=name)
    return page, 422 if form.errors else 200


def _resumed(gap: DepositGap, form: LastGivenForm) -> bool:
    """Note the number. Return False where it cannot be, and say why in the form."""
    try:
        lost = deposits.say_last(gap.regie, gap.year, form.number, own_agent().staff.email)
    except payments.Refused as refused:
        form.form_errors += refused.reasons
        return False
    events.note(Action.NUMBERS_RESUMED, actor(), f"{gap.year} {gap.regie}".strip(), lost)
    flash(f"Perdu à la restauration\u00a0: {lost}." if lost else "Aucun numéro n’est perdu.")
    return True


@staff_only(Role.REGISSEUR)
def answer_bordereau(number: int) -> Answer:
    deposit, form = _own(number, Role.REGISSEUR), AnswerForm()
    if form.is_submitted() and form.validate() and _answered(deposit, form):
        return redirect(url_for("office.bordereaux"))
    title = deposits.titled(deposit)
    page = render_template("office/bordereau_answer.html", form=form, title=title)
    return page, 422 if form.errors else 200


def _answered(deposit: Deposit, form: AnswerForm) -> bool:
    """Note the answer. Return False where it cannot be, and say why in the form."""
    try:
        deposits.answer(deposit, form.on.day, form.reference.data, own_agent().staff.email)
    except payments.Refused as refused:
        form.form_errors += refused.reasons
        return False
    title = deposits.titled(deposit)
    events.note(Action.DEPOSIT_ANSWERED, actor(), title, form.reference.data)
    flash(f"L’accusé de réception du bordereau {title} est noté.")
    return True


@staff_only(*_READERS)
def bordereau_paper(number: int) -> Response:
    deposit = _own(number, *_READERS)
    made = papers.bordereau(deposits.bordereau_of(deposit))
    return _paper(deposit, made, "bordereau")


@staff_only(*_READERS)
@fresh_code
def bordereau_payers(number: int) -> Response:
    deposit = _own(number, *_READERS)
    events.note(Action.EXPORTED, actor(), f"liste du bordereau {deposits.titled(deposit)}")
    return _paper(deposit, papers.payers(current.settings(), deposit), "liste")


@staff_only(*_READERS)
@fresh_code
def bordereau_csv(number: int) -> Response:
    deposit = _own(number, *_READERS)
    name = f"bordereau-{deposits.titled(deposit)}"
    events.note(Action.EXPORTED, actor(), name)
    rows = list(tables.rows(deposit))
    return spreadsheets.answer(name, tables.COLUMNS, rows)


def _paper(deposit: Deposit, content: bytes, name: str) -> Response:
    on = clock.paris_date(deposit.made_at)
    return documents.answer(content, on, f"{name}-{deposits.titled(deposit)}")


def _book(key: str, name: str) -> Book:
    finals = [(each, deposits.answer_of(each)) for each in deposits.latest(key)]
    month = Month.of(clock.today()).previous
    drafts = [deposits.draft(key, until) for until in (journal.last()[0], last_number(month))]
    return Book(key, name, drafts[0], month, drafts[1], deposits.kept_back(key), finals)


def _own(number: int, *wanted: Role) -> Deposit:
    return own_row(Deposit.get_or_none(Deposit.id == known(number)), *wanted)


def _require(regie: str, *wanted: Role) -> None:
    if regie not in current.settings().regies_by_key:
        abort(404)
    own_agent().require_all([regie], *wanted)
