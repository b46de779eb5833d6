"""The address at which banks tell us what became of a payment."""

from flask import Blueprint, Response, request
from werkzeug.exceptions import RequestEntityTooLarge

from gateways.base import BadCallback, Callback, Report, Unreadable
from kiosque import payments
from kiosque.payments import gateway_calls
from kiosque.payments.gateway_calls import Defect
from kiosque.web import current, probe
from kiosque.web.forms import csrf
from kiosque.web.views.probes import proof, token_in_form

blueprint = Blueprint("notification", __name__, url_prefix="/paiement/notification")


@blueprint.route("/<name>", methods=["GET", "POST"])
@csrf.exempt  # type: ignore[untyped-decorator]  # Flask-WTF carries no types
def receive(name: str) -> Response:
    """Record what the bank of a gateway says. No session, no redirect; 200 only after commit.

    The gateway gets the request as it came, limited in size only: each bank has its own format, and
    only its gateway can tell a message from noise.
    """
    gateway = current.gateways().get(name)
    if gateway is None:
        return _unserved(name)
    callback = None
    try:
        callback = _callback()
        if asked := token_in_form(probe.notices_of(name), callback):
            return _plain(f"{probe.REFUSED}\n{proof(asked)}", 400)
        report = gateway_calls.read_notification(gateway, callback)
    except (BadCallback, RequestEntityTooLarge, Defect) as error:
        return _refused(name, error, callback)
    payments.record(name, report, current.issuers())
    _ask_about(name, report)
    return _plain("OK", 200)


def _refused(name: str, error: Exception, callback: Callback | None) -> Response:
    """Audit a message that cannot be applied, and answer the bank. One that the bank signed is put
    on the régisseur's list, and so accepted. After a defect of the gateway, answer an error: the
    bank sends the message again, and nothing is lost."""
    if isinstance(error, Unreadable) and callback:
        payments.record_unreadable(name, error, callback, current.issuers())
        return _plain("OK", 200)
    words, status = str(error), 500 if isinstance(error, Defect) else 400
    if isinstance(error, RequestEntityTooLarge):
        words, status = "message trop long", 413
    payments.record_rejected(name, words, callback)
    return _plain(f"KO {words}", status)


def _ask_about(name: str, report: Report) -> None:
    """Ask the bank about a payment, if its message says only that there is news."""
    if report.ask and (attempt := payments.attempt_of(name, report)):
        public_url = current.settings().public_url
        payments.ask_soon(attempt, current.gateways(), public_url, current.issuers())


def _unserved(name: str) -> Response:
    """Refuse a message for a gateway that is not in the settings, since it cannot be verified. If
    the gateway was removed too early, audit the message; the bank will send it again."""
    if not payments.is_removed(name, current.gateways()):
        return _plain("KO passerelle inconnue", 404)
    payments.record_rejected(name, "passerelle retirée des réglages", None)
    return _plain("KO passerelle retirée", 404)


def _callback() -> Callback:
    """Return the request, as it came. Raises BadCallback if its body breaks off or is malformed,
    which shows only now: the server has not read it yet."""
    try:
        body = request.get_data(cache=False)
    except RequestEntityTooLarge:
        raise
    except Exception as error:  # each server's parser has exceptions of its own
        raise BadCallback("corps illisible") from error
    query = request.query_string.decode("latin-1")
    return Callback(request.method, dict(request.headers), body, query)


def _plain(text: str, status: int) -> Response:
    return Response(text, status, mimetype="text/plain")
