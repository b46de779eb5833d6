"""Where the revenue of each service goes in the town's accounts, as the town hall sets it."""

from flask import flash, redirect, url_for
from werkzeug.wrappers import Response

from kiosque import deposits
from kiosque.db.models import Imputation, Service
from kiosque.deposits import Imputed
from kiosque.staff import events
from kiosque.staff.events import Action
from kiosque.staff.roles import Role
from kiosque.web.office import exports
from kiosque.web.office.access import actor, author, own_agent
from kiosque.web.office.deposit_forms import ImputationForm
from kiosque.web.office.regies import names, own_names
from kiosque.web.views.office.area import Answer, done, form_page


def imputations() -> Answer:
    regies = _regies()
    services = list(Service.select().order_by(Service.name))
    form = ImputationForm(regies, [each.name for each in services])
    known = {key: deposits.imputations(key) for key in regies}
    shown = {"regies": regies, "services": services, "known": known, "words": _words}
    return done(form, lambda: _set(form)) or form_page("office/imputations.html", form, **shown)


@exports.as_file
def imputations_table() -> exports.Export:
    rows = (
        exports.of_imputation(row, name)
        for key, name in _regies().items()
        for of_service in deposits.imputations(key).values()
        for row in of_service
    )
    return exports.Export("imputations", exports.IMPUTATIONS, rows)


def _regies() -> dict[str, str]:
    return names() if own_agent().has(Role.ADMINISTRATION) else own_names(Role.REGISSEUR)


def _set(form: ImputationForm) -> Response:
    asked = (form.key, form.service.data, form.imputed, author(), form.since.day)
    row = deposits.set_imputation(*asked)
    about = f"{row.service.name} {form.key}".strip()
    events.note(Action.IMPUTATION_SET, actor(), about, f"{_words(row)}, {row.valid_from}")
    flash(f"C’est enregistré\u00a0: {row.service.name}, {_words(row)}.")
    return redirect(url_for("office.imputations"))


def _words(row: Imputation) -> str:
    return Imputed(row.article, row.fonction, row.antenne).words
