"""A family's way in, opened again by an agent: a letter to print, a link by mail, a provisional
password. Each act is noted before it is done: none is done unnoted."""

import io

from flask import flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from kiosque.db.models import Family
from kiosque.families import accounts, contacts, own_changes
from kiosque.language import clock
from kiosque.papers import activation_letters
from kiosque.staff import events
from kiosque.staff.events import Action
from kiosque.web import access, current, documents
from kiosque.web.office.access import actor
from kiosque.web.office.forms import ActForm, LetterForm, LinkForm
from kiosque.web.views.office.area import Answer, form_page
from kiosque.web.views.office.families import present_family


def family_letter(code: str) -> Answer:
    family, form = present_family(code), LetterForm()
    if form.validate_on_submit():
        return _letter(family, form)
    return form_page("office/family_letter.html", form, family=family)


def _letter(family: Family, form: LetterForm) -> Response:
    """Answer the letter as a PDF. The site keeps no copy."""
    forget = form.forget.data
    action = Action.FAMILY_SHUT_OUT if forget else Action.LETTER_ISSUED
    events.note(action, actor(), family.code, form.reason.data)
    paper = io.BytesIO()
    activation_letters.issue(current.settings(), [family], paper, forget_email=forget)
    return documents.answer(paper.getvalue(), clock.today(), f"lettre-{family.code}")


def family_link(code: str) -> Answer:
    family = present_family(code)
    form = LinkForm(contacts.addresses(family))
    if form.validate_on_submit():
        events.note(Action.LINK_SENT, actor(), family.code, form.reason.data)
        own_changes.send_link(family, form.to.data, access.remote_address())
        flash("Le lien part par courriel. Il sert une fois, pendant une heure.")
        return redirect(url_for("office.family", code=code))
    events.note(Action.FAMILY_READ, actor(), family.code)  # its addresses are shown
    return form_page("office/family_link.html", form, family=family)


def family_password(code: str) -> Answer:
    family, form = present_family(code), ActForm()
    if not form.validate_on_submit():
        return form_page("office/family_password.html", form, family=family)
    events.note(Action.PASSWORD_GIVEN, actor(), family.code, form.reason.data)
    return render_template(
        "office/family_password_given.html",
        family=family,
        password=own_changes.give_password(family, access.remote_address()),
        until=clock.paris_date(clock.now() + accounts.PROVISIONAL),
    )
