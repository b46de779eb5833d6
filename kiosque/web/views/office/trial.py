"""A payment of 1 €, tried by an administrator: out, and back."""

from flask import abort, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from gateways.base import Gateway, Handoff, Unreachable
from kiosque import payments
from kiosque.db.models import Attempt
from kiosque.invoices import trial
from kiosque.invoices.trial import Stage
from kiosque.web import current, headers
from kiosque.web.office import acts, bank_trial
from kiosque.web.office.forms import ActForm
from kiosque.web.office.settlement_acts import GiveBack, Refund
from kiosque.web.views.office.area import Answer


def try_payment(gateway: str) -> Answer:
    """Say what will happen; once it is confirmed, lead to the bank."""
    bank, form, status = _in_use(gateway), ActForm(), 422
    try:
        if form.is_submitted() and form.validate():
            return _to_bank(bank, bank_trial.begin(bank, form.reason.data))
    except payments.Refused as refused:
        form.form_errors += refused.reasons
    except Unreachable:
        form.form_errors.append("La banque ne répond pas. Réessayez dans quelques minutes.")
        status = 503
    page = render_template("office/trial.html", form=form, gateway=bank, code=trial.CODE)
    return page, status if form.errors else 200


def _to_bank(gateway: Gateway, way: tuple[Attempt, Handoff] | None) -> str | Response:
    if way is None:
        flash("La banque n’a pas encore dit ce qu’il en est. Réessayez dans une minute.")
        return redirect(url_for("office.settings"))
    headers.allow_form_to(gateway.form_origin)
    attempt, handoff = way
    return render_template("office/to_bank.html", attempt=attempt, handoff=handoff, gateway=gateway)


def refund_trial(gateway: str) -> Answer:
    return _given_back(gateway, Refund)


def note_trial_given_back(gateway: str) -> Answer:
    return _given_back(gateway, GiveBack)


def cancel_trial(gateway: str) -> Answer:
    found = trial.last(_in_use(gateway).name)
    if found.invoice is None or found.stage not in (Stage.TO_PAY, Stage.GIVEN_BACK):
        return _nothing()
    return acts.answer(bank_trial.CancelTrial(found.invoice))


def _given_back(gateway: str, kind: type[Refund] | type[GiveBack]) -> Answer:
    found = trial.last(_in_use(gateway).name)
    if found.settlement is None or found.stage != Stage.PAID:
        return _nothing()
    return acts.answer(bank_trial.GivenBack(gateway, kind(found.settlement)))


def _nothing() -> Response:
    flash("L’essai n’en est pas là.")
    return redirect(url_for("office.settings"))


def _in_use(name: str) -> Gateway:
    """Return a bank by which a payment may start, else 404."""
    if name not in current.settings().gateways_in_force:
        abort(404)
    return current.gateways().get(name) or abort(404)
