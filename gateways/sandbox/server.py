"""The mock bank's web site: a process of its own, that speaks to the portal over HTTP only.

Settings, by environment: SANDBOX_KEY (shared with the portal), SANDBOX_NOTIFY_URL (where
notices go, as entered in a bank's back office), SANDBOX_DATABASE, SANDBOX_LATE_SECONDS.
"""

import os
import threading
from collections.abc import Mapping
from pathlib import Path

import requests
from flask import (
    Blueprint,
    Flask,
    Response,
    abort,
    current_app,
    redirect,
    render_template,
    request,
    url_for,
)
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as BaseResponse

from gateways.sandbox.bank import CARDS, DELIVERIES, Bank, FormRejected, PaymentSession

#: What the platform allows the shop to answer.
TIMEOUT_SECONDS = 10

Answer = str | tuple[str, int] | BaseResponse


class Courier:
    """Carries notices to the shop, well or badly as chosen."""

    def __init__(self, bank: Bank, url: str, late_seconds: float) -> None:
        self._bank = bank
        self._url = url
        self._late_seconds = late_seconds

    def deliver(
        self, session: PaymentSession, notice: Mapping[str, str], how: str, source: str = "PAY"
    ) -> None:
        """Send one notice of a session in one of the DELIVERIES."""
        if how == "lost":
            self._bank.log_delivery(session.token, source, "perdue", "")
            return
        if how == "amount":
            wrong = str(session.cents + 100)
            notice = {**notice, "vads_amount": wrong, "vads_effective_amount": wrong}
        fields = self._bank.signed(notice, source, forged=how == "key")
        if how == "late":
            timer = threading.Timer(self._late_seconds, self._post, (session, source, fields))
            timer.daemon = True
            timer.start()
            return
        for _ in range(2 if how == "twice" else 1):
            self._post(session, source, fields)

    def _post(self, session: PaymentSession, source: str, fields: Mapping[str, str]) -> None:
        try:
            with requests.Session() as http:
                http.trust_env = False  # no proxy on the way to a town on this machine
                answer = http.post(
                    self._url, data=dict(fields), timeout=TIMEOUT_SECONDS, allow_redirects=False
                )
        except requests.RequestException as error:
            self._bank.log_delivery(session.token, source, "échec", type(error).__name__)
        else:
            self._bank.log_delivery(session.token, source, str(answer.status_code), answer.text)


pages = Blueprint("bank", __name__)


def create_bank() -> Flask:
    """The mock bank, configured by the environment."""
    environ = os.environ
    bank = Bank(Path(environ["SANDBOX_DATABASE"]), environ["SANDBOX_KEY"].encode())
    late_seconds = float(environ.get("SANDBOX_LATE_SECONDS", "6"))
    app = Flask(__name__)
    app.extensions["bank"] = bank
    app.extensions["courier"] = Courier(bank, environ["SANDBOX_NOTIFY_URL"], late_seconds)
    app.jinja_env.filters["euros"] = _euros
    app.register_blueprint(pages)
    app.register_error_handler(404, _missing)
    app.after_request(_secure)
    return app


@pages.post("/vads-payment/")
def open_page() -> Answer:
    try:
        session = _bank().open_session(request.form.to_dict())
    except FormRejected as rejected:
        return render_template("bank_error.html", code=rejected.code), 400
    return redirect(url_for(".pay_page", token=session.token), 303)


@pages.get("/paiement/<token>")
def pay_page(token: str) -> Answer:
    return _page(_session(token))


@pages.post("/paiement/<token>/carte")
def pay(token: str) -> Answer:
    session = _session(token)
    card = "".join(request.form.get("card", "").split())
    if not session.is_open:
        return _page(session)
    if card not in CARDS:
        message = "Ce numéro n’est pas celui d’une carte de test."
        return _page(session, message, unknown_card=True)
    refused = CARDS[card][1] == "REFUSED"
    if not refused and not _bank().close(session):
        return _page(_session(token))
    _courier().deliver(session, _bank().pay(session, card), _how())
    if refused:
        return _page(session, "Carte refusée. Essayez une autre carte, ou revenez au site.")
    return _send_back(session)


@pages.post("/paiement/<token>/abandon")
def abandon(token: str) -> Answer:
    session = _session(token)
    # A payer who leaves after a refusal abandons nothing: the refusal was told.
    if _bank().close(session) and session.tries == 0:
        _courier().deliver(session, _bank().give_up(session, expired=False), _how())
    return _send_back(session)


@pages.post("/paiement/<token>/expiration")
def expire(token: str) -> Answer:
    session = _session(token)
    if _bank().close(session):
        _courier().deliver(session, _bank().give_up(session, expired=True), _how())
    return _send_back(session)


@pages.get("/")
def home() -> Answer:
    return render_template(
        "bank_home.html", movements=_bank().movements(), deliveries=_bank().deliveries()
    )


@pages.post("/operations/<uuid>/<operation>")
def operate(uuid: str, operation: str) -> Answer:
    """What a shop does in its back office, and the notice that follows."""
    try:
        session, notice = _bank().operate(uuid, operation)
    except KeyError:
        abort(404)
    _courier().deliver(session, notice, "normal", "BO" if operation == "resend" else "MERCH_BO")
    return redirect(url_for(".home"), 303)


@pages.get("/sante")
def health() -> Answer:
    return "ok"


def _bank() -> Bank:
    bank: Bank = current_app.extensions["bank"]
    return bank


def _courier() -> Courier:
    courier: Courier = current_app.extensions["courier"]
    return courier


def _session(token: str) -> PaymentSession:
    try:
        return _bank().session(token)
    except KeyError:
        abort(404)


def _page(session: PaymentSession, message: str = "", *, unknown_card: bool = False) -> Answer:
    page = render_template(
        "bank_pay.html" if session.is_open else "bank_over.html",
        session=session,
        message=message,
        unknown_card=unknown_card,
        cards=CARDS,
        deliveries=DELIVERIES,
    )
    return page, 422 if unknown_card else 200


def _missing(_error: HTTPException) -> Answer:
    return render_template("bank_missing.html"), 404


def _send_back(session: PaymentSession) -> Answer:
    return redirect(session.fields.get("vads_url_return") or url_for(".home"), 303)


def _how() -> str:
    how = request.form.get("delivery", "normal")
    return how if how in DELIVERIES else "normal"


def _euros(cents: int) -> str:
    return f"{cents // 100},{cents % 100:02d}\u00a0€"


def _secure(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src data:; "
        "form-action 'self' http: https:; base-uri 'none'; frame-ancestors 'none'"
    )
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
