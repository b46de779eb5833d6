"""Error pages: what happened, in French, and what to do. Never a reason from inside."""

import math
import secrets
from datetime import timedelta

from flask import Flask, current_app, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, SecurityError

from kiosque import clock, signin
from kiosque.i18n import N_
from kiosque.i18n import gettext as _
from kiosque.signin import Busy
from kiosque.throttle import TooManyTries

#: Status: (title, what to do).
MESSAGES = {
    400: (N_("Demande incomprise"), N_("Revenez à la page précédente et recommencez.")),
    403: (N_("Accès refusé"), N_("Cette page ne vous est pas ouverte.")),
    404: (
        N_("Page introuvable"),
        N_("L’adresse est fausse, ou ce document n’est pas dans votre dossier."),
    ),
    405: (N_("Demande incomprise"), N_("Revenez à la page précédente et recommencez.")),
    413: (
        N_("Envoi trop volumineux"),
        N_("Ce que vous avez envoyé dépasse ce que le site accepte."),
    ),
    429: (N_("Trop d’essais"), N_("Patientez quelques minutes, puis recommencez.")),
    500: (
        N_("Le site a rencontré un problème"),
        N_("Rien n’a été modifié. Recommencez plus tard."),
    ),
    503: (N_("Le site est momentanément indisponible"), N_("Recommencez dans quelques minutes.")),
}
EXPIRED = (
    N_("La page a expiré"),
    N_(
        "Par sécurité, une page restée ouverte trop longtemps ne peut plus être envoyée. "
        "Rechargez-la, puis recommencez."
    ),
)


def init_app(app: Flask) -> None:
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(SecurityError, _wrong_host)
    app.register_error_handler(CSRFError, _expired)
    app.register_error_handler(TooManyTries, _too_many_tries)
    app.register_error_handler(Busy, _busy)
    app.register_error_handler(Exception, _unexpected)


def _page(status: int, title: str, advice: str) -> ResponseReturnValue:
    """The page, with a reference by which the town finds the error in its log.

    A bank's server gets a short text instead. The log holds the page's name and no value:
    addresses may carry what is private.
    """
    reference = secrets.token_hex(4)
    current_app.logger.warning(
        "error %s, reference %s, %s %s", status, reference, request.method, request.endpoint
    )
    if request.path.startswith("/paiement/notification/"):
        return f"KO {title}", status, {"Content-Type": "text/plain; charset=utf-8"}
    page = render_template(
        "errors/error.html", status=status, title=_(title), advice=_(advice), reference=reference
    )
    return page, status


def _http_error(error: HTTPException) -> ResponseReturnValue:
    status = error.code or 500
    if status < 400:
        return error.get_response()
    return _page(status, *MESSAGES.get(status, MESSAGES[400 if status < 500 else 500]))


def _wrong_host(_error: SecurityError) -> tuple[str, int]:
    """Plain text: without a host that is ours, no address of the site can be written."""
    return "Ce site ne répond pas sous ce nom.", 400


def _expired(_error: CSRFError) -> ResponseReturnValue:
    return _page(400, *EXPIRED)


def _too_many_tries(error: TooManyTries) -> ResponseReturnValue:
    title = MESSAGES[429][0]
    advice = _(
        "Par sécurité, patientez %(duration)s avant le prochain essai. Si vous avez oublié votre "
        "mot de passe, la page de connexion permet d’en choisir un autre."
    ) % {"duration": clock.duration(error.wait)}
    return _try_again(_page(429, title, advice), error.wait)


def _busy(_error: Busy) -> ResponseReturnValue:
    advice = _("Beaucoup de personnes se connectent. Recommencez dans quelques secondes.")
    return _try_again(_page(503, MESSAGES[503][0], advice), signin.PAUSE)


def _try_again(answer: ResponseReturnValue, wait: timedelta) -> ResponseReturnValue:
    response = make_response(answer)
    response.headers["Retry-After"] = str(math.ceil(wait.total_seconds()))
    return response


def _unexpected(error: Exception) -> ResponseReturnValue:
    current_app.logger.error("unexpected error", exc_info=error)
    return _page(500, *MESSAGES[500])
