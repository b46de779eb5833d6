"""The three steps to the bank, the way back, and the bank's notifications."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from flask import (
    Blueprint,
    Response,
    current_app,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from werkzeug.exceptions import NotFound, RequestEntityTooLarge
from werkzeug.wrappers import Response as BaseResponse

from gateways.base import BadCallback, Callback, Gateway, Unreachable, WrongEmail
from kiosque import payments
from kiosque.db.models import Attempt, AttemptItem, Invoice, Receipt, Settlement
from kiosque.db.states import AttemptState
from kiosque.language.catalogue import gettext as _
from kiosque.payments import Issuers, Money, Purchase, Refused, Selection
from kiosque.settings import Settings
from kiosque.web import access, headers, probe
from kiosque.web.access import family_only, own_family
from kiosque.web.forms import PayForm, csrf
from kiosque.web.status_words import attempt_result, is_undecided
from kiosque.web.views.probes import proof, token_in_form

blueprint = Blueprint("payment", __name__, url_prefix="/paiement")

#: Seconds before each of the return page's own refreshes; then it stops and offers a link.
REFRESH_AFTER = (2, 2, 3, 5, 5, 10, 10, 20, 30, 60)
#: In the query: which refresh this is. All that the return page reads of its address.
_TRIES = "essai"
#: Ends after which the same invoices are offered for payment again.
RETRIABLE = {AttemptState.REFUSED, AttemptState.CANCELLED, AttemptState.EXPIRED}

#: What the family chose to pay in several payments, by id, until all of it is paid.
_TOGETHER = "together"

Answer = str | tuple[str, int]


class NotPayable(Exception):  # caught below, for every page of this blueprint
    """The *régie* of these invoices is no longer in the settings: no bank takes their money."""

    def __init__(self, numbers: list[str]) -> None:
        super().__init__()
        self.numbers = numbers


@blueprint.errorhandler(NotPayable)
def not_payable(error: NotPayable) -> Answer:
    reason = _("Le paiement en ligne de ces factures est fermé. Écrivez à %(address)s.")
    return _refused(error.numbers, [reason % {"address": _settings().town.contact_email}])


@blueprint.get("/recapitulatif")
@family_only
def summary() -> Answer:
    numbers = request.args.getlist("invoice")
    _ask_about_holders(numbers)
    chosen = payments.select_invoices(own_family(), numbers)
    if chosen.reasons:
        return _refused(numbers, chosen.reasons)
    if len(chosen.parts) > 1:
        session[_TOGETHER] = [invoice.id for invoice in chosen.invoices]
        return render_template("payment/apart.html", numbers=numbers, chosen=chosen)
    gateway = _gateway_of(numbers)
    return _summary(numbers, PayForm(gateway.limits), gateway)


@blueprint.post("/banque")
@family_only
def bank() -> Answer:
    """Open the payment and hand the payer over to the bank."""
    numbers = request.form.getlist("invoice")
    gateway = _gateway_of(numbers)
    form = PayForm(gateway.limits)
    if not form.validate():
        return _summary(numbers, form, gateway, status=422)
    purchase = Purchase(
        family=own_family(),
        numbers=numbers,
        expected_cents=_cents(form.expected_cents.data or ""),
        receipt_email=form.email.data or None,
    )
    _ask_about_holders(numbers)
    try:
        attempt, handoff = payments.start(purchase, gateway, _public_url())
    except Refused as refusal:
        return _refused(numbers, refusal.reasons)
    except Unreachable:
        return render_template("payment/unreachable.html", gateway=gateway), 503
    except WrongEmail:
        form.email.errors = [_("La banque n’accepte pas cette adresse électronique. Vérifiez-la.")]
        return _summary(numbers, form, gateway, status=422)
    headers.allow_form_to(gateway.form_origin)
    return render_template("payment/bank.html", attempt=attempt, handoff=handoff, gateway=gateway)


@blueprint.get("/retour/<reference>")
def back(reference: str) -> Answer | BaseResponse:
    """Our own state of a payment. The return decides nothing: at most, it makes us ask the bank.
    Signed out, it shows nothing private.

    Some banks put their answer into the address. It is not read; it is left at once for an
    address without it, so that no history keeps it and no page tells it to another site."""
    attempt = _attempt(reference)
    if request.args.keys() - {_TRIES}:
        return redirect(url_for(".back", reference=attempt.reference))
    if is_undecided(attempt):
        payments.ask_soon(attempt, _gateways(), _public_url(), _issuers())
        attempt = Attempt.get_by_id(attempt.id)
    family = access.signed_in_family()
    tries = request.args.get(_TRIES, 0, type=int)
    refresh = is_undecided(attempt) and 0 <= tries < len(REFRESH_AFTER)
    return render_template(
        "payment/back.html",
        attempt=attempt,
        result=attempt_result(attempt),
        refresh_after=REFRESH_AFTER[tries] if refresh else None,
        tries=tries,
        last_try=len(REFRESH_AFTER),
        undecided=is_undecided(attempt),
        details=_details(attempt) if family and family.id == attempt.family_id else None,
    )


@blueprint.post("/retour/<reference>")
@csrf.exempt  # type: ignore[untyped-decorator]  # Flask-WTF carries no types
def sent_back(reference: str) -> BaseResponse:
    """Some banks send the payer back by a form: a cross-site one, which carries no cookie of ours
    and may say anything. The page it leads to has the cookies, and reads nothing of the form."""
    return redirect(url_for(".back", reference=_attempt(reference).reference), 303)


@blueprint.post("/notification/<name>")
@csrf.exempt  # type: ignore[untyped-decorator]  # Flask-WTF carries no types
def notification(name: str) -> Response:
    """The bank speaks. No session, no redirect; 200 only after commit."""
    gateway = _gateways().get(name)
    if gateway is None:
        return _unserved(name)
    callback = None
    try:
        callback = Callback.from_form(_body(), dict(request.headers))
        if asked := token_in_form(probe.notices_of(name), callback.fields):
            return _plain(f"{probe.REFUSED}\n{proof(asked)}", 400)
        report = gateway.read_notification(callback)
    except BadCallback as error:
        payments.record_rejected(name, str(error), callback)
        return _plain(f"KO {error}", 400)
    except RequestEntityTooLarge:
        payments.record_rejected(name, "message trop long", None)
        return _plain("KO message trop long", 413)
    payments.record(name, report, _issuers())
    if report.ask and (attempt := payments.attempt_of(name, report)):
        payments.ask_soon(attempt, _gateways(), _public_url(), _issuers())
    return _plain("OK", 200)


def _unserved(name: str) -> Response:
    """A notice for a gateway that is not, or no longer, in the settings: nothing proves it. One
    that was removed too early leaves a row, and the bank, told so, sends it again."""
    if not payments.is_removed(name, _gateways()):
        return _plain("KO passerelle inconnue", 404)
    payments.record_rejected(name, "passerelle retirée des réglages", None)
    return _plain("KO passerelle retirée", 404)


def _attempt(reference: str) -> Attempt:
    """Raises NotFound."""
    found: Attempt | None = Attempt.get_or_none(Attempt.reference == reference)
    if found is None:
        raise NotFound
    return found


def _body() -> bytes:
    """The request's body. The server reads it as it comes: it may break off, or be malformed."""
    try:
        return request.get_data(cache=False)
    except RequestEntityTooLarge:
        raise
    except Exception as error:  # each server's parser has exceptions of its own
        raise BadCallback("corps illisible") from error


def _cents(text: str) -> int:
    """The total sent back with the summary; -1, which no total is, when it makes no sense."""
    return int(text) if re.fullmatch(r"[0-9]{1,12}", text, re.ASCII) else -1


def _gateway_of(numbers: list[str]) -> Gateway:
    """The bank of the *régie* of these invoices. Raises NotPayable."""
    regie = payments.regie_of(own_family(), numbers)
    name = _settings().gateway_of(regie)
    if name is None:
        raise NotPayable(numbers)
    return _gateways()[name]


def _gateways() -> Mapping[str, Gateway]:
    gateways: Mapping[str, Gateway] = current_app.extensions["gateways"]
    return gateways


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings


def _public_url() -> str:
    return _settings().public_url


def _issuers() -> Issuers:
    return Issuers.from_settings(_settings())


def _ask_about_holders(numbers: list[str]) -> None:
    """What became of an earlier payment of these invoices is learnt before another is offered."""
    payments.ask_about_holders(own_family(), numbers, _gateways(), _public_url(), _issuers())


def _summary(numbers: list[str], form: PayForm, gateway: Gateway, status: int = 200) -> Answer:
    selection = payments.select_for_one_payment(own_family(), numbers, gateway.limits)
    if selection.reasons:
        return _refused(numbers, selection.reasons)
    page = render_template("payment/summary.html", selection=selection, form=form, gateway=gateway)
    return page, status


def _refused(numbers: list[str], reasons: list[str]) -> Answer:
    return render_template("payment/refused.html", numbers=numbers, reasons=reasons), 409


class _Details(NamedTuple):
    """What only the family that pays may read of its payment."""

    items: list[AttemptItem]
    receipt: Receipt | None
    money: Money
    left: Selection | None
    may_retry: bool


def _details(attempt: Attempt) -> _Details:
    query = AttemptItem.select(AttemptItem, Invoice).join(Invoice)
    items = list(query.where(AttemptItem.attempt == attempt).order_by(Invoice.number))
    receipt = (
        Receipt.select()
        .join(Settlement)
        .where(Settlement.attempt == attempt)
        .order_by(Receipt.number)
    ).first()
    return _Details(
        items=items,
        receipt=receipt,
        money=payments.money_of(attempt),
        left=_left_of_choice(attempt),
        may_retry=_may_retry(attempt, [item.invoice.number for item in items]),
    )


def _left_of_choice(attempt: Attempt) -> Selection | None:
    """What the family chose together with this payment, and has still to pay: other *régies*'."""
    ids = session.get(_TOGETHER)
    if not ids or attempt.state not in (AttemptState.PAID, AttemptState.PENDING):
        return None
    chosen = Invoice.select().where(Invoice.id.in_(ids), Invoice.family == attempt.family_id)
    left = payments.select_invoices(attempt.family, [invoice.number for invoice in chosen])
    return left if left.invoices else None


def _may_retry(attempt: Attempt, numbers: list[str]) -> bool:
    """Whether this payment came to nothing and its invoices can still be paid together."""
    if AttemptState(attempt.state) not in RETRIABLE:
        return False
    name = _settings().gateway_of(attempt.regie)
    if name is None:
        return False
    return not payments.select_for_one_payment(
        attempt.family, numbers, _gateways()[name].limits
    ).reasons


def _plain(text: str, status: int) -> Response:
    return Response(text, status, mimetype="text/plain")
