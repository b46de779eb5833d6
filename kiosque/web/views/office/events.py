"""Who did what: the log of the area."""

from flask import render_template, request

from kiosque.staff import events as log
from kiosque.staff.roles import Role
from kiosque.web.office_access import staff_only
from kiosque.web.views.office.area import blueprint


@blueprint.get("/journal-des-actions")
@staff_only(Role.ADMINISTRATION, Role.CONTROLE)
def events() -> str:
    before = request.args.get("avant", type=int)
    lines, further = log.page(before if before is None else min(before, 2**63 - 1))
    return render_template(
        "office/events.html", lines=lines, further=further, before=before, words=log.WORDS
    )
