"""The banks that take no new payment for a time: their maintenance."""

from flask import abort, flash, redirect, url_for
from werkzeug.wrappers import Response

from kiosque import payments
from kiosque.language.formats import long_instant
from kiosque.staff import events
from kiosque.staff.events import Action
from kiosque.web import current
from kiosque.web.office.access import actor, author
from kiosque.web.office.settings_forms import ClosureForm
from kiosque.web.views.office.area import Answer, done, form_page


def close_bank(gateway: str) -> Answer:
    form, name = ClosureForm(), _known(gateway)
    return done(form, lambda: _closed(name, form)) or form_page(
        "office/close_bank.html", form, gateway=name
    )


def _closed(name: str, form: ClosureForm) -> Response:
    closure = payments.close_bank(name, form.sentence.data or "", form.ends_at, author())
    until = long_instant(closure.until_at)
    events.note(Action.BANK_CLOSED, actor(), name, f"jusqu’au {until}. {closure.sentence}".strip())
    flash(f"Le paiement en ligne est suspendu jusqu’au {until}.")
    return redirect(url_for("office.settings"))


def open_bank(gateway: str) -> Response:
    name = _known(gateway)
    if payments.open_bank(name):
        events.note(Action.BANK_OPENED, actor(), name)
        flash("Le paiement en ligne est rouvert.")
    else:
        flash("Le paiement en ligne n’était pas suspendu.")
    return redirect(url_for("office.settings"))


def _known(gateway: str) -> str:
    return gateway if gateway in current.settings().gateways else abort(404)
