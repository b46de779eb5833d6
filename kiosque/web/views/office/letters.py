"""Letters for all the families that have no way in yet, by the hundred."""

import io
from collections.abc import Sequence

from flask import flash, redirect, url_for
from werkzeug.wrappers import Response

from kiosque.db import write
from kiosque.db.models import Family
from kiosque.families import ways_in
from kiosque.language import clock
from kiosque.papers import activation_letters
from kiosque.staff import events
from kiosque.staff.events import Action
from kiosque.web import current, documents
from kiosque.web.office.access import actor
from kiosque.web.office.forms import LettersForm
from kiosque.web.views.office.area import Answer, form_page

#: Most letters in one PDF: it takes a few seconds, and a person can fold so many.
AT_ONCE = 100
#: Most families without an address that are named.
NAMED = 20


def letters() -> Answer:
    form = LettersForm()
    if form.validate_on_submit():
        return _letters(form)
    left_out = ways_in.without(with_address=False)
    return form_page(
        "office/letters.html",
        form,
        count=ways_in.without().count(),
        made=ways_in.without(with_letter=True).count(),
        at_once=AT_ONCE,
        left_out=list(left_out.limit(NAMED)),
        left_count=left_out.count(),
    )


def _letters(form: LettersForm) -> Response:
    """Answer the letters as a PDF. The site keeps no copy."""
    families = list(ways_in.without(with_letter=form.again.data).limit(AT_ONCE))
    if not families:
        flash("Aucune famille n’attend de lettre.")
        return redirect(url_for("office.letters"))
    _note(families, form.reason.data)
    paper = io.BytesIO()
    activation_letters.issue(current.settings(), families, paper)
    return documents.answer(paper.getvalue(), clock.today(), "lettres")


def _note(families: Sequence[Family], reason: str) -> None:
    with write():
        for family in families:
            events.add(Action.LETTER_ISSUED, actor(), family.code, reason)
