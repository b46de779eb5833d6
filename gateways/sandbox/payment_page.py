"""The mock bank's payment page: a signed form opens it, and the payer pays, leaves or waits."""

from collections.abc import Mapping

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from gateways.sandbox import words
from gateways.sandbox.cards import CARDS, CONTRACT, network, offered
from gateways.sandbox.extensions import bank, courier, session_or_404
from gateways.sandbox.forms import FormRejected
from gateways.sandbox.notifications import DELIVERIES
from gateways.sandbox.session import PaymentSession

Answer = str | tuple[str, int] | Response

pages = Blueprint("payment_page", __name__)


@pages.post("/vads-payment/")
def open_page() -> Answer:
    try:
        session = bank().open_session(request.form.to_dict())
    except FormRejected as rejected:
        return _to_payer("bank_error.html", request.form, error=rejected), 400
    return redirect(url_for(".pay_page", token=session.token), 303)


@pages.get("/paiement/<token>")
def pay_page(token: str) -> Answer:
    return _page(session_or_404(token))


@pages.post("/paiement/<token>/carte")
def pay(token: str) -> Answer:
    session = session_or_404(token)
    card = "".join(request.form.get("card", "").split())
    if not session.is_open:
        return _page(session)
    if card not in CARDS:
        message = "Ce numéro n’est pas celui d’une carte de test."
        return _page(session, message, unknown_card=True)
    if not network(CARDS[card], session.fields):
        return _page(session, "La boutique n’accepte pas cette carte.", unknown_card=True)
    refused = CARDS[card].status == "REFUSED"
    if not refused and not bank().close(session):
        return _page(session_or_404(token))
    notice = bank().pay(session, card)
    courier().deliver(session, notice, _how())
    if refused:
        return _page(
            session_or_404(token), "Carte refusée. Essayez une autre carte, ou revenez au site."
        )
    if session.seconds == 0:
        return _send_back(session, notice)
    return _to_payer(
        "bank_done.html",
        session.fields,
        session=session,
        address=bank().way_back(session, notice),
    )


@pages.post("/paiement/<token>/abandon")
def abandon(token: str) -> Answer:
    session = session_or_404(token)
    # A payer who leaves after a refusal abandons nothing: the refusal was already notified.
    if bank().close(session) and session.tries == 0:
        return _leave(session, expired=False)
    return _send_back(session)


@pages.post("/paiement/<token>/expiration")
def expire(token: str) -> Answer:
    session = session_or_404(token)
    return _leave(session, expired=True) if bank().close(session) else _send_back(session)


def _leave(session: PaymentSession, *, expired: bool) -> Answer:
    notice = bank().give_up(session, expired=expired)
    courier().deliver(session, notice, _how())
    return _send_back(session, notice)


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
    """Show a page in the language of the form, or else of the browser."""
    preferred = request.accept_languages.best_match(["fr", "en"])
    language = words.language_of(fields, preferred)
    session = values.get("session")
    theme = session.theme if isinstance(session, PaymentSession) else {}
    return render_template(
        template, lang=language, say=words.speaker(language), theme=theme, **values
    )


def _send_back(session: PaymentSession, notice: Mapping[str, str] | None = None) -> Answer:
    return redirect(bank().way_back(session, notice) or url_for("back_office.home"), 303)


def _how() -> str:
    how = request.form.get("delivery", "normal")
    return how if how in DELIVERIES else "normal"
