"""The settings that the town hall changes by itself, and the others, as the file has them."""

from flask import abort, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from kiosque import payments
from kiosque.monitoring import memory
from kiosque.staff import town_settings
from kiosque.web import current, legal, town
from kiosque.web.office import bank_trial
from kiosque.web.office.access import actor
from kiosque.web.office.settings_forms import FORMS, LogoForm, SectionForm
from kiosque.web.views.office.area import Answer, done, form_page


def settings() -> str:
    every = current.settings()
    return render_template(
        "office/settings.html",
        sections=[(address, form.TITLE, form.shown(every)) for address, form in FORMS.items()],
        changes=town_settings.changes(),
        memory=memory.read(every.data),
        trials=bank_trial.shown(),
        closed=payments.closed_banks(),
        texts=legal.file_names(),
    )


def change_settings(section: str) -> Answer:
    kind = FORMS.get(section) or abort(404)
    form = kind(current.settings())
    return done(form, lambda: _changed(form)) or form_page("office/change_settings.html", form)


def change_logo() -> Answer:
    form = LogoForm()
    return done(form, lambda: _show_logo(form.content, "Le logo est changé.")) or form_page(
        "office/change_logo.html", form
    )


def remove_logo() -> Answer:
    return _show_logo(None, "Le logo est retiré.")


def _show_logo(content: bytes | None, words: str) -> Response:
    town_settings.change_logo(content, actor())
    town.refresh()
    flash(words)
    return redirect(url_for("office.settings"))


def _changed(form: SectionForm) -> Response:
    names = town_settings.change(current.settings(), form.SECTION, form.values, actor())
    town.refresh()
    flash("C’est enregistré." if names else "Rien n’était changé.")
    return redirect(url_for("office.settings"))
