"""Who did what: the log of the area."""

from flask import render_template, request

from kiosque.staff import events as log
from kiosque.staff.events import Action
from kiosque.staff.roles import Role
from kiosque.web.office.access import NotOpen, actor, own_agent, staff_only


@staff_only(Role.ADMINISTRATION, Role.CONTROLE)
def events() -> str:
    if not own_agent().reads_log:
        raise NotOpen
    before = request.args.get("avant", type=int)
    lines, further = log.page(before if before is None else min(before, 2**63 - 1))
    log.note(Action.LOG_READ, actor())
    return render_template(
        "office/events.html", lines=lines, further=further, before=before, words=log.WORDS
    )
