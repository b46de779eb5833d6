"""Requests of families: read one, see what would change in the record, accept or refuse."""

from flask import abort, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from kiosque.db.models import FamilyRequest
from kiosque.db.states import RequestState, RequestTopic
from kiosque.families import answers, requests
from kiosque.staff import events
from kiosque.staff.events import Action
from kiosque.web.office import exports
from kiosque.web.office.access import actor, author
from kiosque.web.office.answer_form import AnswerForm
from kiosque.web.views.office.area import Answer, done, form_page, known


def requests_() -> str:
    return render_template(
        "office/requests.html", waiting=answers.waiting(), topics=requests.TOPICS
    )


@exports.as_file
def requests_table() -> exports.Export:
    return exports.Export("demandes", exports.REQUESTS, map(exports.of_request, answers.waiting()))


def request_(number: int) -> Answer:
    which = FamilyRequest.id == known(number)
    found: FamilyRequest = FamilyRequest.get_or_none(which) or abort(404)
    form = AnswerForm(found)
    return done(form, lambda: _answered(found, form)) or _page(found, form)


def _page(found: FamilyRequest, form: AnswerForm) -> Answer:
    events.note(Action.FAMILY_READ, actor(), found.family.code)
    return form_page(
        "office/request.html",
        form,
        asked=found,
        topic=requests.TOPICS[RequestTopic(found.topic)],
        is_open=found.state == RequestState.OPEN,
        parents=answers.parents(found.family),
    )


def _answered(found: FamilyRequest, form: AnswerForm) -> Response:
    words = form.words.data
    if form.accepts:
        answers.accept(found, form.change, author(), words)
    else:
        answers.refuse(found, author(), words)
    action = Action.REQUEST_ACCEPTED if form.accepts else Action.REQUEST_REFUSED
    events.note(action, actor(), f"{found.id}, {found.family.code}", words)
    flash(f"Demande n°\u00a0{found.id}\u00a0: la famille {found.family.code} en est avertie.")
    return redirect(url_for("office.requests_"))
