"""Error pages: what happened, in French, and what to do. Never a reason from inside.

They need neither the database nor a session: they are also what a visitor sees when the database is
locked, the disk full, or the address asked for not ours.
"""

import errno
import math
from datetime import datetime, timedelta

from flask import Flask, Response, current_app, make_response, render_template, request, url_for
from flask_wtf.csrf import CSRFError
from markupsafe import Markup
from peewee import DatabaseError
from werkzeug.exceptions import HTTPException, SecurityError
from werkzeug.wrappers import Response as WerkzeugResponse

from kiosque import db
from kiosque.families import hashing
from kiosque.families.hashing import Busy
from kiosque.families.throttle import TooManyTries
from kiosque.language import catalogue, clock, formats
from kiosque.language.catalogue import N_
from kiosque.language.catalogue import gettext as _
from kiosque.web import access, cookies, current, language, log, spreadsheets
from kiosque.web.office import access as office_access

#: Status: (title, what to do).
MESSAGES = {
    400: (N_("Demande incomprise"), N_("Revenez à la page précédente et recommencez.")),
    401: (N_("Accès refusé"), N_("Cette page ne vous est pas ouverte.")),
    403: (N_("Accès refusé"), N_("Cette page ne vous est pas ouverte.")),
    404: (
        N_("Page introuvable"),
        N_("L’adresse est fausse, ou ce document n’est pas dans votre dossier."),
    ),
    405: (
        N_("Action impossible ici"),
        N_("Cette adresse ne s’ouvre pas ainsi. Repartez de l’accueil."),
    ),
    413: (
        N_("Envoi trop volumineux"),
        N_("Ce que vous avez envoyé dépasse ce que le site accepte. Rien n’a été modifié."),
    ),
    429: (N_("Trop de demandes"), N_("Patientez quelques minutes, puis recommencez.")),
    500: (
        N_("Le site a rencontré un problème"),
        N_("Rien n’a été modifié. Recommencez plus tard."),
    ),
    503: (
        N_("Le site est momentanément indisponible"),
        N_("Rien n’a été modifié. Recommencez dans quelques minutes."),
    ),
}
EXPIRED = (
    N_("La page a expiré"),
    N_(
        "Par sécurité, une page restée ouverte trop longtemps ne peut plus être envoyée. "
        "Rechargez-la, puis recommencez. Si cela se répète, vérifiez que votre navigateur "
        "accepte les cookies."
    ),
)
FULL = (
    N_("Le site est momentanément indisponible"),
    N_(
        "Le disque est plein, rien n’a été modifié. La ville est prévenue\u00a0: revenez plus tard."
    ),
)
TOO_MANY_TRIES = N_("Trop d’essais")
WRONG_HOST = (
    N_("Ce site ne répond pas sous ce nom"),
    N_("Vérifiez l’adresse, ou repartez du site de la ville."),
)
NOT_OPEN = (
    "Vos rôles n’ouvrent pas cette page. Un administrateur du site peut vous en donner un autre."
)
TOO_LONG = (
    "Un fichier ODS a cent mille lignes au plus. Sortez cette liste en CSV, ou une partie par ses "
    "filtres."
)
OUTSIDE = "L’espace mairie ne s’ouvre que depuis le réseau de la mairie."
#: Time before trying again after a 503 of ours: a lock is short, a full disk needs a human.
PAUSE = timedelta(minutes=2)
#: Headers that belong to a status, kept on its page.
_KEPT_HEADERS = ("Allow", "Retry-After", "WWW-Authenticate")
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO}


def init_app(app: Flask) -> None:
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(office_access.NotOpen, _not_open)
    app.register_error_handler(office_access.OutsideNetwork, _outside)
    app.register_error_handler(spreadsheets.TooLong, _too_long)
    app.register_error_handler(SecurityError, _wrong_host)
    app.register_error_handler(CSRFError, _expired)
    app.register_error_handler(TooManyTries, _too_many_tries)
    app.register_error_handler(Busy, _busy)
    app.register_error_handler(DatabaseError, _no_database)
    app.register_error_handler(OSError, _system_error)
    app.register_error_handler(Exception, _unexpected)


def _http_error(error: HTTPException) -> Response:
    status = error.code or 500
    if status < 400:
        return make_response(error.get_response())
    title, advice = MESSAGES.get(status, MESSAGES[400 if status < 500 else 500])
    page = _page(status, _(title), _advice(error) or _(advice))
    for name, value in error.get_headers():
        if name in _KEPT_HEADERS:
            page.headers[name] = value
    return page


def _wrong_host(_error: SecurityError) -> Response:
    """Answer a page without links: no address of the site can be written under a foreign name."""
    title, advice = WRONG_HOST
    return _bare_page(400, _(title), _(advice), _log(400))


def _expired(_error: CSRFError) -> WerkzeugResponse:
    """Answer a form whose CSRF token is missing or wrong. If its page needs a session that has
    ended, lead to the sign-in; otherwise say that the form has expired."""
    if access.is_for_families() and access.signed_in_family() is None:
        return access.to_sign_in(was_signed_in=True)
    if office_access.is_for_staff() and office_access.agent() is None:
        return office_access.to_sign_in(was_signed_in=True)
    title, advice = EXPIRED
    return _page(400, _(title), _(advice))


def _not_open(_error: office_access.NotOpen) -> Response:
    """Answer an agent, in French as all of the area."""
    return _page(403, MESSAGES[403][0], NOT_OPEN)


def _too_long(_error: spreadsheets.TooLong) -> Response:
    return _page(422, "Liste trop longue", TOO_LONG)


def _outside(_error: office_access.OutsideNetwork) -> Response:
    return _page(403, MESSAGES[403][0], OUTSIDE)


def _no_database(error: DatabaseError) -> Response:
    """Answer 503 when the database is locked, gone or full; a bank then sends its message again."""
    if isinstance(error, db.OUR_FAULTS):
        return _unexpected(error)
    current_app.logger.error("the database does not answer: %s", type(error).__name__)
    if not db.database.is_closed():
        db.database.close()  # the next request begins with a connection of its own
    return _unavailable(full=db.is_full(error))


def _system_error(error: OSError) -> Response:
    if error.errno not in _NO_ROOM:
        return _unexpected(error)
    current_app.logger.error("nothing can be written: %s", errno.errorcode[error.errno])
    return _unavailable(full=db.is_full(error))


def _unavailable(*, full: bool) -> Response:
    title, advice = FULL if full else MESSAGES[503]
    return _try_again(_page(503, _(title), _(advice)), PAUSE)


def _unexpected(error: Exception) -> Response:
    current_app.logger.error("unexpected error", exc_info=error)
    title, advice = MESSAGES[500]
    return _page(500, _(title), _(advice))


def _page(status: int, title: str, advice: str, *, forgotten: bool = False) -> Response:
    """Answer the page, with a reference by which the town finds the error in its log. `forgotten`
    adds a link to get a new password.

    A bank's server gets a short text instead.
    """
    reference = _log(status)
    language.lead_home()
    if request.path.startswith("/paiement/notification/"):
        body = f"KO {title} ({reference})"
        return make_response(body, status, {"Content-Type": "text/plain; charset=utf-8"})
    office = cookies.is_office(request.path)
    try:
        page = render_template(
            "errors/error.html",
            layout="office/base.html" if office else "base.html",
            home=url_for("office.today" if office else "site.index"),
            status=status,
            title=title,
            advice=advice,
            reference=reference,
            forgotten=forgotten and not office,
            signed_in_family=access.signed_in_family if status < 500 else lambda: None,
            signed_in_agent=office_access.agent if status < 500 else lambda: None,
        )
    except Exception as error:  # whatever is broken, the visitor gets a page
        current_app.logger.error("no error page", exc_info=error)
        return _bare_page(status, title, advice, reference)
    return make_response(page, status)


def _log(status: int) -> str:
    """Log the error under the number of its request, and return it. The log holds the page's name
    and no value: addresses may carry what is private."""
    reference = log.number()
    current_app.logger.warning(
        "error %s, reference %s, %s %s", status, reference, request.method, request.endpoint
    )
    return reference


def _bare_page(status: int, title: str, advice: str, reference: str) -> Response:
    """Answer a page that needs no template, style, database or address of ours."""
    contact = _(
        "Si le problème persiste, écrivez à %(email)s en indiquant «\u00a0%(code)s\u00a0»."
    ) % {
        "email": current.settings().town.technical_email,
        "code": _("erreur %(status)s, référence %(reference)s")
        % {"status": status, "reference": reference},
    }
    body = Markup(
        '<!doctype html><html lang="{language}"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<title>{title} – {town}</title><h1>{title}</h1><p>{advice}</p><p>{contact}</p></html>"
    )
    text = body.format(
        language=catalogue.language(),
        title=title,
        town=current.settings().town.name,
        advice=advice,
        contact=contact,
    )
    return make_response(text, status)


def _advice(error: HTTPException) -> str:
    """Return when to try again, in words, if the error says it."""
    again = getattr(error, "retry_after", None)
    if again is None:
        return ""
    wait = again - clock.now() if isinstance(again, datetime) else timedelta(seconds=int(again))
    return _("Vous pourrez recommencer dans %(duration)s.") % {"duration": formats.duration(wait)}


def _too_many_tries(error: TooManyTries) -> Response:
    advice = _("Par sécurité, patientez %(duration)s avant le prochain essai.") % {
        "duration": formats.duration(error.wait)
    }
    # A visitor who asks for too many links is on that page already.
    forgotten = request.endpoint != "credentials.ask_reset"
    return _try_again(_page(429, _(TOO_MANY_TRIES), advice, forgotten=forgotten), error.wait)


def _busy(_error: Busy) -> Response:
    advice = _("Beaucoup de personnes se connectent. Recommencez dans quelques secondes.")
    return _try_again(_page(503, _(MESSAGES[503][0]), advice), hashing.PAUSE)


def _try_again(page: Response, wait: timedelta) -> Response:
    page.headers["Retry-After"] = str(math.ceil(wait.total_seconds()))
    return page
