"""The month of a *régie*: what is proven, what is not, and its closing."""

import io
import zipfile
from collections.abc import Mapping
from typing import Any

from flask import abort, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from kiosque import deposits, payments
from kiosque.closings import bank_position, closed_state, closing
from kiosque.closings.bank_position import Position
from kiosque.closings.months import Month, last_number
from kiosque.closings.steps import closing_of, payments_waiting, points_left, steps
from kiosque.db.models import Attempt, MonthClosing
from kiosque.db.states import UNDECIDED
from kiosque.language import clock
from kiosque.language.formats import capital
from kiosque.papers import month as paper
from kiosque.payments import Refused
from kiosque.payments.closed_months import last_closed
from kiosque.staff import events
from kiosque.staff.events import Action
from kiosque.staff.roles import Role
from kiosque.statements import coverage
from kiosque.statements.words import GRADES
from kiosque.web import current, documents
from kiosque.web.office.access import BOOK_READERS, actor, author, own_agent
from kiosque.web.office.forms import ActForm
from kiosque.web.office.month_forms import CloseForm
from kiosque.web.office.regies import asked_regie, own_names
from kiosque.web.views.office.area import Answer, done, form_page

#: Payments without an answer that are shown.
_SHOWN = 20
_NEWS = "La banque a répondu\u00a0: ce paiement n’attend plus."
_NO_NEWS = "La banque n’a rien décidé de ce paiement. Elle sera interrogée de nouveau, sans vous."


def months() -> Response:
    """Lead to the month to close."""
    regie = asked_regie(*BOOK_READERS)
    last = last_closed(regie)
    due = Month.named(last).following if last else Month.of(clock.today()).previous
    return _back_to(due, regie)


def month(name: str) -> str:
    return _page(_month(name), asked_regie(*BOOK_READERS))


def carry_over(name: str, number: int) -> Answer:
    """Allow the month to be closed although an anomaly is still open."""
    found, regie, form = _month(name), asked_regie(Role.REGISSEUR), ActForm()
    if closing.is_carried(number, found):  # already done by a first click, or by a colleague
        return _back_to(found, regie)
    point = next((it for it in points_left(regie, found) if it.id == number), None) or abort(404)
    return done(form, lambda: _carried_over(number, found, form, regie)) or form_page(
        "office/carry_over.html", form, month=found, regie=regie, point=point
    )


def ask_bank(name: str, reference: str) -> Response:
    """Ask the bank about a payment that it has not decided, without waiting for the timer."""
    found, regie = _month(name), asked_regie(Role.REGISSEUR)
    which = Attempt.reference == reference, Attempt.regie == regie
    attempt = Attempt.get_or_none(*which) or abort(404)
    settings = current.settings()
    payments.ask_soon(attempt, current.gateways(), settings.public_url, current.issuers())
    events.note(Action.BANK_ASKED, actor(), reference)
    flash(_NO_NEWS if Attempt.get_by_id(attempt.id).state in UNDECIDED else _NEWS)
    return _back_to(found, regie)


def close_month(name: str) -> Answer:
    """Show what the paper of the month will say; once confirmed, close the month for good."""
    found, regie, form = _month(name), asked_regie(Role.REGISSEUR), CloseForm()
    if closing_of(regie, found):
        return _back_to(found, regie)
    if answer := done(form, lambda: _closed(regie, found, form)):
        return answer
    position = bank_position.position(regie, found)
    return form_page(
        "office/close_month.html", form, month=found, regie=regie, position=position,
        steps=steps(regie, found, position), name=current.settings().regies_by_key[regie].name,
    )  # fmt: skip


def _back_to(found: Month, regie: str) -> Response:
    return redirect(url_for("office.month", name=found.name, regie=regie or None))


def _carried_over(number: int, found: Month, form: ActForm, regie: str) -> Response:
    closing.carry_over(number, found, author(), form.reason.data)
    events.note(Action.POINT_CARRIED, actor(), str(number), form.reason.data)
    flash(f"Point n°\u00a0{number}\u00a0: reporté.")
    return _back_to(found, regie)


def _closed(regie: str, found: Month, form: CloseForm) -> Response:
    by = closing.Request(author(), form.reason.data or "")
    closing.close(regie, found, by)
    events.note(Action.MONTH_CLOSED, actor(), f"{found.name} {regie}".strip())
    flash(f"{capital(found.words)} est arrêté.")
    return _back_to(found, regie)


def month_papers(name: str) -> Response:
    """Give the papers of a month closed, in one file."""
    found, regie = _month(name), asked_regie(*BOOK_READERS)
    closed = closing_of(regie, found)
    if closed is None:
        flash(f"{capital(found.words)} n’est pas encore arrêté.")
        return _back_to(found, regie)
    try:
        content = _archive(closed)
    except Refused as refused:
        flash(refused.reasons[0])
        return _back_to(found, regie)
    events.note(Action.EXPORTED, actor(), f"papiers {name} {regie}".strip())
    return documents.answer_archive(content, "-".join(filter(None, ("mois", name, regie))))


def _archive(closed: MonthClosing) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, pdf in paper.papers(current.settings(), closed):
            archive.writestr(name, pdf)
    return content.getvalue()


def _page(found: Month, regie: str) -> str:
    position, closed = bank_position.position(regie, found), closing_of(regie, found)
    return render_template(
        "office/month.html",
        month=found,
        regie=regie,
        regies=own_names(*BOOK_READERS),
        closed=closed,
        last=last_number(found),
        position=position,
        grade=GRADES[coverage.grade(regie, found.name)],
        may_write=own_agent().has_for([regie], Role.REGISSEUR),
        **(_paid_over(closed) if closed else _left(regie, found, position)),
    )


def _left(regie: str, found: Month, position: Position) -> Mapping[str, Any]:
    """Return what is proven of a month, and what is left to do."""
    return {
        "steps": steps(regie, found, position),
        "points": points_left(regie, found),
        "waiting": list(payments_waiting(regie, found).limit(_SHOWN)),
    }


def _paid_over(closed: MonthClosing) -> Mapping[str, Any]:
    """Return the deposits of a month that is closed, their titles and what was answered."""
    found = closed_state.deposits_of(closed)
    return {"finals": [(it, deposits.titled(it), deposits.answer_of(it)) for it in found]}


def _month(name: str) -> Month:
    try:
        return Month.named(name)
    except ValueError:
        abort(404)
