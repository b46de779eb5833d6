"""Acts of the town hall on money: an agent fills a form, reads its effect, then confirms."""

from abc import ABC, abstractmethod

from flask import flash, redirect, render_template, request
from werkzeug.wrappers import Response

from kiosque import payments
from kiosque.payments.previews import Foreseen
from kiosque.payments.step_actions import Doer
from kiosque.web import current
from kiosque.web.office.access import author
from kiosque.web.office.money_forms import ForeseenForm


class MoneyAct(ABC):
    """An act on an invoice or a payment. `about` names that thing, whose page is `back`. `verb`
    names the act and, with the amount, its button. `told` is the effect that the agent has read."""

    verb: str
    about: str
    back: str
    form_class: type[ForeseenForm] = ForeseenForm
    form: ForeseenForm
    told: Foreseen

    @abstractmethod
    def foresee(self) -> Foreseen:
        """Return what it will do, as the form says. Raises Refused."""

    @abstractmethod
    def do(self) -> str:
        """Do what was told, or nothing. Return what to tell the agent. Raises Refused."""

    @property
    def reason(self) -> str:
        return str(self.form.reason.data)


def answer(act: MoneyAct) -> str | Response | tuple[str, int]:
    """Show the form; once filled, what the act will do; once that is confirmed, do it."""
    form, foreseen = act.form, None
    if not form.is_submitted():
        return _page(act, None)
    try:
        if not request.form.get("change") and form.validate():
            act.told = foreseen = act.foresee()
            if form.confirms(foreseen):
                flash(act.do())
                return redirect(act.back)
    except payments.Refused as refused:
        form.form_errors += refused.reasons
        foreseen = None
    return _page(act, foreseen), 422 if form.errors else 200


def _page(act: MoneyAct, foreseen: Foreseen | None) -> str:
    return render_template("office/act.html", act=act, form=act.form, foreseen=foreseen)


def doer(regie: str) -> Doer:
    """Return the agent as the `Doer` of steps on the payments of a *régie*, by its key."""
    return Doer(
        author=author(),
        regie=regie,
        issuers=current.issuers(),
        gateways=current.gateways(),
        public_url=current.settings().public_url,
    )
