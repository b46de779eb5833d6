"""The points that somebody must look at, each with its advice, whose steps are buttons."""

from flask import abort, flash, redirect, render_template, request, url_for
from peewee import Expression
from werkzeug.wrappers import Response

from kiosque import payments
from kiosque.db.models import Anomaly, Family, OutboxMail
from kiosque.families import answers
from kiosque.language.formats import counted
from kiosque.mails import rendering, sent
from kiosque.outbox import queue
from kiosque.payments.step_actions import do
from kiosque.payments.steps import Act, Step
from kiosque.staff import events
from kiosque.staff.events import Action
from kiosque.staff.roles import Role
from kiosque.web import current
from kiosque.web.office import exports
from kiosque.web.office.access import TREATERS, actor, author, own_agent, own_row
from kiosque.web.office.acts import doer
from kiosque.web.office.button_words import pressed
from kiosque.web.office.step_forms import ConclusionForm, StepForm
from kiosque.web.office.upload_pages import lacking
from kiosque.web.office.uploads import to_judge
from kiosque.web.views.office.area import Answer, done, form_page, known, row

#: Most mails given up that are shown: a server that is down for days loses hundreds.
MAILS_SHOWN = 20


def to_do() -> str:
    points = payments.open_anomalies(own_agent().bounds(*TREATERS))
    return render_template(
        "office/to_do.html",
        points=[*zip(points, payments.concerned_by(points), strict=True)],
        requests=answers.count_waiting() if own_agent().has(Role.FACTURATION) else 0,
        files=to_judge(own_agent()),
        lacking=lacking(own_agent()),
        mails=_given_up(MAILS_SHOWN),
        lost=queue.count_given_up(_own_mails()),
        retriable=queue.count_retriable(_own_mails()),
    )


@exports.as_file
def points_table() -> exports.Export:
    points, settings = payments.open_anomalies(own_agent().bounds(*TREATERS)), current.settings()
    about = zip(points, payments.concerned_by(points), strict=True)
    rows = (exports.of_point(*each, settings) for each in about)
    return exports.Export("points", exports.POINTS, rows)


@exports.as_file
def mails_table() -> exports.Export:
    rows = (exports.of_mail(*each) for each in _given_up(None))
    return exports.Export("courriels abandonnés", exports.MAILS, rows)


def point(number: int) -> str:
    return _page(_point(number), ConclusionForm())


def conclude(number: int) -> Answer:
    found, form = _own_point(number), ConclusionForm()
    if not form.validate():
        return _page(found, form), 422
    try:
        payments.resolve_anomaly(found.id, author(), form.reason.data)
    except payments.Refused:
        flash(f"Point n°\u00a0{number}\u00a0: un autre agent l’a conclu entre-temps.")
    else:
        events.note(Action.POINT_CONCLUDED, actor(), str(number), form.reason.data)
        flash(f"Point n°\u00a0{number}\u00a0: conclu.")
    return redirect(url_for("office.to_do"))


def step(number: int, place: int) -> Answer:
    """Confirm a step, by its place in the advice, and do it."""
    found = _own_point(number)
    steps = payments.advice(found).steps
    chosen = steps[place] if place < len(steps) else None
    if chosen is None or chosen.act in (Act.RESOLVE, Act.GATEWAYS):
        abort(404)
    form = StepForm(chosen)
    if form.is_submitted() and form.command.data != chosen.command:
        flash("Ce point a changé entre-temps\u00a0: rien n’a été fait.")
        return redirect(url_for("office.point", number=number))
    return done(form, lambda: _done(found, chosen, form)) or form_page(
        "office/step.html", form, point=found, words=pressed(chosen)
    )


def retry_mail(number: int) -> Response:
    found = OutboxMail.select().where(OutboxMail.id == known(number), _own_mails())
    if queue.requeue([each.id for each in found]):
        events.note(Action.MAIL_RETRIED, actor(), str(number))
        flash("Ce courriel repart.")
    else:
        flash("Ce courriel ne peut pas repartir\u00a0: son adresse n’est plus connue.")
    return redirect(url_for("office.to_do"))


def retry_mails() -> Response:
    """Queue again every mail given up whose address is still known."""
    count = queue.requeue(None, _own_mails())
    if count:
        events.note(Action.MAIL_RETRIED, actor(), counted(count, "courriel"))
    flash(f"{counted(count, 'courriel')} à renvoyer.")
    return redirect(url_for("office.to_do"))


def _given_up(most: int | None) -> list[tuple[OutboxMail, str, Family | None]]:
    """Return the mails given up, the oldest first, each with its words and its family."""
    found = queue.given_up(most, _own_mails())
    return [(each, rendering.words_of(each), rendering.family_of(each)) for each in found]


def _own_mails() -> Expression:
    return sent.of_regies(own_agent().bounds(*TREATERS))


def _done(found: Anomaly, chosen: Step, form: StepForm) -> Response:
    """Do the step; lead back to the anomaly if it is still open, else to the list."""
    flash(do(chosen, form.filled, doer(found.regie)))
    events.note(Action.STEP_DONE, actor(), pressed(chosen), form.reason.data)
    if Anomaly.get_by_id(found.id).resolved_at is None:
        return redirect(url_for("office.point", number=found.id))
    return redirect(url_for("office.to_do"))


def _page(found: Anomaly, form: ConclusionForm) -> str:
    family, numbers = payments.concerned(found)
    sentence, steps = payments.advice(found)
    own = found.resolved_at is None and own_agent().has_for([found.regie], Role.REGISSEUR)
    return render_template(
        "office/point.html",
        point=found,
        family=family,
        numbers=numbers,
        sentence=sentence,
        steps=[(place, each.act, pressed(each)) for place, each in enumerate(steps)] if own else [],
        own=own,
        form=form,
    )


def _point(number: int) -> Anomaly:
    return own_row(row(Anomaly, number), *TREATERS)


def _own_point(number: int) -> Anomaly:
    """Return an open anomaly of a *régie* of which the agent is *régisseur*, else 404."""
    found = _point(number)
    own_row(found, Role.REGISSEUR)
    return found if found.resolved_at is None or request.method == "GET" else abort(404)
