"""The mock bank's web site: a process of its own, that speaks to the portal over HTTP only.

Settings, by environment: SANDBOX_KEY (shared with the portal), SANDBOX_PASSWORD (of the REST
service; without it there is none), SANDBOX_NOTIFY_URL (where notices go, as entered in a bank's
back office), SANDBOX_DATABASE, SANDBOX_LATE_SECONDS, SANDBOX_DRIP_SECONDS.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path

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

from gateways.sandbox import words
from gateways.sandbox.bank import Bank, Store
from gateways.sandbox.cards import CARDS, CONTRACT, network, offered
from gateways.sandbox.courier import DELIVERIES, Courier
from gateways.sandbox.faults import FAULTS, LOST, SCOPES, Fault, Faults
from gateways.sandbox.forms import FormRejected
from gateways.sandbox.movements import CHANGES, Movement, NotAllowed, changed, refunded
from gateways.sandbox.rest import api
from gateways.sandbox.session import PaymentSession
from gateways.sandbox.tpa import tpa
from gateways.sandbox.treasury import Treasury

_REFUSALS = {
    "PSP_011": "l’état de cette transaction ne le permet pas",
    "PSP_020": "le montant dépasse ce qui peut être rendu",
    "PSP_043": "seul un débit remis peut être remboursé",
    "PSP_075": "un débit remis ne s’annule plus, il se rembourse",
    "PSP_105": "elle est déjà annulée",
}

Answer = str | tuple[str, int] | BaseResponse


pages = Blueprint("bank", __name__)


def create_bank() -> Flask:
    """The mock bank, configured by the environment."""
    environ = os.environ
    store = Store(Path(environ["SANDBOX_DATABASE"]))
    bank = Bank(store, environ["SANDBOX_KEY"].encode())
    late_seconds = float(environ.get("SANDBOX_LATE_SECONDS", "6"))
    app = Flask(__name__)
    app.extensions["bank"] = bank
    app.extensions["courier"] = Courier(bank, environ["SANDBOX_NOTIFY_URL"], late_seconds)
    app.extensions["faults"] = Faults(store)
    app.extensions["treasury"] = Treasury(store, late_seconds)
    app.extensions["rest_password"] = environ.get("SANDBOX_PASSWORD", "")
    app.extensions["drip_seconds"] = float(environ.get("SANDBOX_DRIP_SECONDS", "1"))
    app.jinja_env.filters["euros"] = words.euros
    app.jinja_env.globals.update(lang="fr", say=words.speaker("fr"), theme={})
    app.register_blueprint(pages)
    app.register_blueprint(api)
    app.register_blueprint(tpa)
    app.register_error_handler(404, _missing)
    app.after_request(_secure)
    return app


@pages.post("/vads-payment/")
def open_page() -> Answer:
    try:
        session = _bank().open_session(request.form.to_dict())
    except FormRejected as rejected:
        return _to_payer("bank_error.html", request.form, error=rejected), 400
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
    if not network(CARDS[card], session.fields):
        return _page(session, "La boutique n’accepte pas cette carte.", unknown_card=True)
    refused = CARDS[card].status == "REFUSED"
    if not refused and not _bank().close(session):
        return _page(_session(token))
    notice = _bank().pay(session, card)
    _courier().deliver(session, notice, _how())
    if refused:
        return _page(_session(token), "Carte refusée. Essayez une autre carte, ou revenez au site.")
    if session.seconds == 0:
        return _send_back(session, notice)
    return _to_payer(
        "bank_done.html",
        session.fields,
        session=session,
        address=_bank().way_back(session, notice),
    )


@pages.post("/paiement/<token>/abandon")
def abandon(token: str) -> Answer:
    session = _session(token)
    # A payer who leaves after a refusal abandons nothing: the refusal was told.
    if _bank().close(session) and session.tries == 0:
        return _leave(session, expired=False)
    return _send_back(session)


@pages.post("/paiement/<token>/expiration")
def expire(token: str) -> Answer:
    session = _session(token)
    return _leave(session, expired=True) if _bank().close(session) else _send_back(session)


def _leave(session: PaymentSession, *, expired: bool) -> Answer:
    notice = _bank().give_up(session, expired=expired)
    _courier().deliver(session, notice, _how())
    return _send_back(session, notice)


@pages.get("/")
def home() -> Answer:
    return _home()


@pages.post("/operations/<uuid>/<operation>")
def operate(uuid: str, operation: str) -> Answer:
    """What happens to a transaction in a back office or at night, and the notice that follows."""
    try:
        movement, source = _operate(uuid, operation)
    except KeyError:
        abort(404)
    except NotAllowed as refusal:
        return _home(f"Opération refusée : {_REFUSALS[refusal.code]} ({refusal.code})."), 409
    except ValueError:
        return _home("Écrivez un montant en euros, par exemple 12,50.", wrong_amount=uuid), 422
    _courier().deliver(_session(movement.token), movement.notice, "normal", source)
    return redirect(url_for(".home"), 303)


def _operate(uuid: str, operation: str) -> tuple[Movement, str]:
    """The transaction that comes of it, and the source of its notice. Raises KeyError,
    NotAllowed, and ValueError for an amount that is none."""
    if operation == "resend":
        return _bank().movement(uuid), "BO"
    if operation == "refund":
        cents = words.cents(request.form.get("amount", ""))
        return _bank().operate(uuid, lambda debit: refunded(debit, cents)), "MERCH_BO"
    source = CHANGES[operation].source
    return _bank().operate(uuid, lambda movement: changed(movement, operation)), source


def _home(message: str = "", wrong_amount: str = "") -> str:
    """The back office; `wrong_amount` is the transaction whose amount was not understood."""
    movements = _bank().movements()
    field = next((it.uuid for it in movements if it.uuid == wrong_amount and it.left_cents), "")
    return render_template(
        "bank_home.html",
        movements=movements,
        deliveries=_bank().deliveries(),
        message=message,
        wrong_amount=field,
    )


@pages.get("/pannes")
def faults() -> Answer:
    return _faults_page()


@pages.post("/pannes")
def choose_fault() -> Answer:
    """How the REST service behaves from now on."""
    form = request.form
    name, scope, calls = form.get("fault", ""), form.get("scope", ""), form.get("calls", "").strip()
    if name not in FAULTS or scope not in SCOPES:
        abort(404)
    if calls and not re.fullmatch("[1-9][0-9]{0,2}", calls, re.ASCII):
        message = "Écrivez un nombre d’appels de 1 à 999, ou rien."
        return _faults_page(message, Fault(name, scope)), 422
    _faults().choose(Fault(name, scope, int(calls) if calls else None))
    return redirect(url_for(".faults"), 303)


def _faults_page(message: str = "", chosen: Fault | None = None) -> str:
    current = _faults().current()
    return render_template(
        "bank_faults.html",
        current=current,
        chosen=chosen or current,
        message=message,
        faults=FAULTS,
        scopes=SCOPES,
        lost=LOST,
        calls=_faults().calls(),
    )


@pages.get("/cle")
def key() -> Answer:
    return render_template("bank_key.html", key=_bank().key().decode())


@pages.post("/cle")
def change_key() -> Answer:
    """As in a real back office: at once, and without a way back."""
    _bank().change_key()
    return redirect(url_for(".key"), 303)


@pages.get("/sante")
def health() -> Answer:
    return "ok"


def _bank() -> Bank:
    bank: Bank = current_app.extensions["bank"]
    return bank


def _courier() -> Courier:
    courier: Courier = current_app.extensions["courier"]
    return courier


def _faults() -> Faults:
    found: Faults = current_app.extensions["faults"]
    return found


def _session(token: str) -> PaymentSession:
    try:
        return _bank().session(token)
    except KeyError:
        abort(404)


def _page(session: PaymentSession, message: str = "", *, unknown_card: bool = False) -> Answer:
    page = _to_payer(
        "bank_pay.html" if session.is_open else "bank_over.html",
        session.fields,
        session=session,
        message=message,
        unknown_card=unknown_card,
        brands=[CONTRACT[brand] for brand in offered(session.fields)],
        cards={
            number: (card, CONTRACT[brand])
            for number, card in CARDS.items()
            if (brand := network(card, session.fields))
        },
        deliveries=DELIVERIES,
    )
    return page, 422 if unknown_card else 200


def _to_payer(template: str, fields: Mapping[str, str], **values: object) -> str:
    """A page in the language that the form, or else the browser, asks for."""
    preferred = request.accept_languages.best_match(["fr", "en"])
    language = words.language_of(fields, preferred)
    session = values.get("session")
    theme = session.theme if isinstance(session, PaymentSession) else {}
    return render_template(
        template, lang=language, say=words.speaker(language), theme=theme, **values
    )


def _missing(_error: HTTPException) -> Answer:
    return render_template("bank_missing.html"), 404


def _send_back(session: PaymentSession, notice: Mapping[str, str] | None = None) -> Answer:
    return redirect(_bank().way_back(session, notice) or url_for(".home"), 303)


def _how() -> str:
    how = request.form.get("delivery", "normal")
    return how if how in DELIVERIES else "normal"


def _secure(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src data:; "
        "form-action 'self' http: https:; base-uri 'none'; frame-ancestors 'none'"
    )
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
