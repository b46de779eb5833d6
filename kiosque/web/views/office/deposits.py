"""Deposits (*bordereaux de versement*): drafts, those made final, their papers."""

from typing import NamedTuple

from flask import abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from kiosque import deposits
from kiosque.closings.months import Month, last_number
from kiosque.db.models import Deposit, DepositAnswer, DepositGap
from kiosque.deposits import DepositDraft, tables
from kiosque.deposits.keeping import KeptRevenue
from kiosque.deposits.sums import table, whole
from kiosque.language import clock
from kiosque.language.formats import format_euros
from kiosque.papers import deposits as papers
from kiosque.payments import Refused, journal
from kiosque.settings import Settings
from kiosque.staff import events
from kiosque.staff.events import Action
from kiosque.staff.roles import Role
from kiosque.web import current, documents
from kiosque.web.office import exports
from kiosque.web.office.access import BOOK_READERS, actor, author, own_agent, own_row
from kiosque.web.office.deposit_forms import AcknowledgementForm, FinalForm, LastGivenForm
from kiosque.web.office.regies import own_names
from kiosque.web.views.office.area import Answer, done, form_page, row

_COLUMNS = ("bordereau", "instant", "montant", "reponse_le", "reference", "regie")


class RegieDeposits(NamedTuple):
    """A *régie*'s deposits: the `draft` of the next one, the money `kept` out of it, and the final
    ones with the answer to each. `of_month` is a draft that ends with `month`, the last month over.
    """

    key: str
    name: str
    draft: DepositDraft
    month: Month
    of_month: DepositDraft
    kept: list[KeptRevenue]
    finals: list[tuple[Deposit, DepositAnswer | None]]


def bordereaux() -> str:
    return render_template(
        "office/bordereaux.html",
        books=[_book(key, name) for key, name in own_names(*BOOK_READERS).items()],
        titled=deposits.titled,
        table=table,
        whole=whole,
        unsaid=deposits.unsaid,
        lost=deposits.lost,
        named=deposits.named,
    )


def finalize(regie: str) -> Answer:
    _require(regie, Role.REGISSEUR)
    form = FinalForm()
    asked = request.args.get("jusqua", "")
    draft = deposits.draft(regie, form.number(asked, journal.last()[0]))
    name = current.settings().regie_named(regie)
    return done(form, lambda: _finalized(form, draft)) or form_page(
        "office/bordereau_final.html", form, draft=draft, regie=name, table=table, whole=whole
    )


def _finalized(form: FinalForm, draft: DepositDraft) -> Response | None:
    if not form.confirms(draft):
        return None
    by = author()
    asked = (current.settings(), draft.regie, draft.up_to, by, draft.fingerprint)
    made = deposits.finalize(*asked, papers.bordereau)
    amount = format_euros(made.amount_cents)
    events.note(Action.DEPOSIT_MADE, actor(), deposits.titled(made), amount)
    flash(f"Le bordereau {deposits.titled(made)} est définitif\u00a0: {amount}.")
    return redirect(url_for("office.bordereaux"))


def resume_numbers(number: int) -> Answer:
    """Record which deposit was the last, when a restoration may have lost some."""
    gap = row(DepositGap, number)
    _require(gap.regie, Role.REGISSEUR)
    form = LastGivenForm(data={"last": str(gap.first - 1)})
    if gap.last is not None:
        return redirect(url_for("office.bordereaux"))
    name = current.settings().regie_named(gap.regie).name
    return done(form, lambda: _resumed(gap, form)) or form_page(
        "office/resume_numbers.html", form, gap=gap, name=name
    )


def _resumed(gap: DepositGap, form: LastGivenForm) -> Response:
    lost = deposits.say_last(gap.regie, gap.year, form.number, author())
    events.note(Action.NUMBERS_RESUMED, actor(), f"{gap.year} {gap.regie}".strip(), lost)
    flash(f"Perdu à la restauration\u00a0: {lost}." if lost else "Aucun numéro n’est perdu.")
    return redirect(url_for("office.bordereaux"))


def answer_bordereau(number: int) -> Answer:
    deposit, form = _own(number, Role.REGISSEUR), AcknowledgementForm()
    return done(form, lambda: _answered(deposit, form)) or form_page(
        "office/bordereau_answer.html", form, title=deposits.titled(deposit)
    )


def _answered(deposit: Deposit, form: AcknowledgementForm) -> Response:
    deposits.answer(deposit, form.on.day, form.reference.data, author())
    title = deposits.titled(deposit)
    events.note(Action.DEPOSIT_ANSWERED, actor(), title, form.reference.data)
    flash(f"L’accusé de réception du bordereau {title} est noté.")
    return redirect(url_for("office.bordereaux"))


def bordereau_paper(number: int) -> Response:
    deposit = _own(number, *BOOK_READERS)
    try:
        return _paper(deposit, papers.kept(deposit), "bordereau")
    except Refused as refused:
        flash(refused.reasons[0])
        return redirect(url_for("office.bordereaux"))


def bordereau_payers(number: int) -> Response:
    deposit = _own(number, *BOOK_READERS)
    events.note(Action.EXPORTED, actor(), f"liste du bordereau {deposits.titled(deposit)}")
    return _paper(deposit, papers.payers(current.settings(), deposit), "liste")


@exports.as_file
def bordereau_table(number: int) -> exports.Export:
    deposit = _own(number, *BOOK_READERS)
    rows = list(tables.rows(deposit))
    return exports.Export(f"bordereau-{deposits.titled(deposit)}", tables.COLUMNS, rows)


@exports.as_file
def bordereaux_table() -> exports.Export:
    """Give the deposits made final, with the *comptable*'s answers."""
    every = [each for key in own_names(*BOOK_READERS) for each in _finals(key)]
    rows = (_row(*each, current.settings()) for each in every)
    return exports.Export("bordereaux", _COLUMNS, list(rows))


def _row(deposit: Deposit, answer: DepositAnswer | None, settings: Settings) -> exports.Row:
    return (
        deposits.titled(deposit),
        exports.instant(deposit.made_at),
        deposit.amount_cents,
        answer.answered_on if answer else None,
        answer.reference if answer else "",
        settings.regie_named(deposit.regie).name,
    )


def _paper(deposit: Deposit, content: bytes, name: str) -> Response:
    on = clock.paris_date(deposit.made_at)
    return documents.answer(content, on, f"{name}-{deposits.titled(deposit)}")


def _book(key: str, name: str) -> RegieDeposits:
    month = Month.of(clock.today()).previous
    drafts = [deposits.draft(key, until) for until in (journal.last()[0], last_number(month))]
    return RegieDeposits(
        key, name, drafts[0], month, drafts[1], deposits.kept_back(key), _finals(key)
    )


def _finals(key: str) -> list[tuple[Deposit, DepositAnswer | None]]:
    return [(each, deposits.answer_of(each)) for each in deposits.latest(key)]


def _own(number: int, *wanted: Role) -> Deposit:
    return own_row(row(Deposit, number), *wanted)


def _require(regie: str, *wanted: Role) -> None:
    if regie not in current.settings().regies_by_key:
        abort(404)
    own_agent().require_all([regie], *wanted)
