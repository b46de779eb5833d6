"""Pages by which a family asks to change its record, or tells of an error on an invoice."""

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from kiosque.db.models import Invoice
from kiosque.db.states import RequestTopic
from kiosque.families import requests
from kiosque.families.throttle import TooManyTries
from kiosque.language import formats
from kiosque.language.catalogue import gettext as _
from kiosque.web import current
from kiosque.web.access import family_only, own_family, own_invoice
from kiosque.web.forms import RequestForm

blueprint = Blueprint("family_requests", __name__)


@blueprint.route("/famille/demande", methods=["GET", "POST"])
@family_only
def change() -> Response | tuple[str, int]:
    form = RequestForm(requests.CHANGES)
    if form.is_submitted() and _asked(form):
        flash(_("Votre demande est partie au service famille, qui vous répondra."))
        return redirect(url_for("family.record"))
    return _page("family/ask_change.html", form)


@blueprint.route("/factures/<path:number>/question", methods=["GET", "POST"])
@family_only
def question(number: str) -> Response | tuple[str, int]:
    invoice, form = own_invoice(number), RequestForm(requests.ERRORS)
    if form.is_submitted() and _asked(form, invoice):
        flash(_("Votre signalement est parti au service famille, qui vous répondra."))
        return redirect(url_for("family.invoice", number=number))
    return _page("family/ask_error.html", form, invoice=invoice)


def _page(template: str, form: RequestForm, **values: object) -> tuple[str, int]:
    page = render_template(template, form=form, **values)
    return page, 429 if form.form_errors else 422 if form.errors else 200


def _asked(form: RequestForm, invoice: Invoice | None = None) -> bool:
    """Make the request. If it is refused, return False and say why in the form."""
    if not form.validate():
        return False
    topic, message, town = RequestTopic(form.topic.data), form.message.data, current.settings().town
    try:
        requests.ask(own_family(), topic, message, town, invoice)
    except TooManyTries as error:
        wait = {"duration": formats.duration(error.wait)}
        refusal = _("Vous avez fait beaucoup de demandes. Patientez %(duration)s, ou écrivez-nous.")
        form.form_errors.append(refusal % wait)
    return not form.form_errors
