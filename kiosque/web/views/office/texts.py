"""The texts of the pages for everybody, written at the town hall."""

from flask import abort, flash, redirect, render_template, request, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response

from kiosque.staff import town_settings
from kiosque.web import current, legal, town
from kiosque.web.office.access import actor
from kiosque.web.office.settings_forms import TextForm
from kiosque.web.views.office.area import Answer, form_page


def change_text(name: str) -> Answer:
    """Write a text, see it as it will be read, then have it shown."""
    title = _title(name)
    form = TextForm(current.legal_pages().text(name))
    sound = form.validate_on_submit()
    if sound and request.form.get("save"):
        return _keep(name, form.text.data)
    if sound and not request.form.get("change"):
        return _seen(name, form.text.data, form=form)
    own = name in town_settings.texts()
    return form_page("office/change_text.html", form, name=name, title=title, own=own)


def restore_text(name: str) -> Answer:
    """Show the earlier text; once confirmed, restore it."""
    _title(name)
    if request.method == "POST":
        return _keep(name, None)
    return _seen(name, town.text_of_origin(name), form=None)


def _title(name: str) -> str:
    return legal.file_names().get(name) or abort(404)


def _seen(name: str, text: str, form: TextForm | None) -> str:
    # Safe: it comes from Markdown in which HTML is not obeyed.
    body = Markup(legal.html(text))  # noqa: S704
    return render_template(
        "office/text_seen.html", form=form, name=name, title=_title(name), body=body
    )


def _keep(name: str, text: str | None) -> Response:
    town_settings.change_text(name, text, actor())
    town.refresh()
    flash("C’est enregistré\u00a0: le texte est en ligne.")
    return redirect(url_for("office.settings"))
