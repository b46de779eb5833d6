"""The mock PayFiP's site: its SOAP service, its payment page and its back office.

The addresses are the real ones (`/tpa/...`). Nothing is signed; a notification holds an idop only.
"""

from collections.abc import Mapping
from typing import Any

from flask import (
    Blueprint,
    Response,
    abort,
    redirect,
    render_template,
    request,
    url_for,
)
from lxml import etree
from werkzeug.wrappers import Response as BaseResponse

from gateways.base import Unreachable
from gateways.payfip.soap import ENVELOPE, FUNCTIONAL, SERVICE, parse
from gateways.sandbox.extensions import bank, courier, treasury
from gateways.sandbox.payfip_payments import (
    ENDINGS,
    KNOWN,
    LABELS,
    PayfipPayment,
    Refusal,
    check_client,
)

#: Ways to deliver the notification, chosen on the payment page: {name: words}.
DELIVERIES = {
    "normal": "Normale",
    "late": "En retard, après le retour du payeur",
    "lost": "Jamais",
    "twice": "Envoyée deux fois",
}
_SOURCE = "PAYFIP"

Answer = str | tuple[str, int] | BaseResponse

pages = Blueprint("payfip", __name__, url_prefix="/tpa")


@pages.post("/services/securite")
def service() -> Response:
    """Answer one call. A fault comes with HTTP 500, as SOAP 1.1 wants."""
    try:
        operation, told = _question(request.get_data(cache=False))
        answer, status = _answer(operation, _operate(operation, told)), 200
    except Refusal as refusal:
        answer, status = _fault(FUNCTIONAL, refusal.code, LABELS[refusal.code]), 500
    except (Unreachable, LookupError, ValueError):
        answer, status = _fault("TechProtocolaireErreur", "999", "Requête illisible. "), 500
    return Response(answer, status, content_type="text/xml; charset=utf-8")


@pages.get("/paiementws.web")
def arrive() -> Answer:
    """Open the page of an idop, once."""
    try:
        payment = treasury().open(request.args.get("idop", ""))
    except Refusal as refusal:
        words = LABELS[refusal.code]
        return render_template("tpa_error.html", code=refusal.code, words=words), 400
    return redirect(url_for(".pay_page", token=payment.token), 303)


@pages.get("/paiement/<token>")
def pay_page(token: str) -> Answer:
    payment = _payment(token)
    return render_template(
        "tpa_pay.html" if payment.is_open else "tpa_over.html",
        payment=payment,
        endings=ENDINGS,
        known=KNOWN,
        deliveries=DELIVERIES,
    )


@pages.post("/paiement/<token>")
def finish(token: str) -> Answer:
    """End the payment as the payer chose, and send the payer back to the town by a form."""
    payment, form = _payment(token), request.form
    ending, known = form.get("ending", ""), form.get("known", "now")
    if ending not in ENDINGS or known not in KNOWN:
        abort(404)
    if not treasury().end(payment, ending, known):
        return redirect(url_for(".pay_page", token=token), 303)
    if ending != "leave":
        _notify(payment, form.get("delivery", "normal"))
    # With 307, the browser posts to the town: the real page does so by a form of its own.
    return redirect(payment.told["urlredirect"], 307)


@pages.get("/")
def home() -> Answer:
    deliveries = [it for it in bank().deliveries() if it["source"] == _SOURCE]
    payments = treasury().payments()
    return render_template("tpa_home.html", payments=payments, deliveries=deliveries)


@pages.post("/paiement/<token>/notification")
def resend(token: str) -> Answer:
    _notify(_payment(token), "normal")
    return redirect(url_for(".home"), 303)


def _notify(payment: PayfipPayment, how: str) -> None:
    fields = {"idop": payment.idop}
    courier().carry(payment.token, payment.told["urlnotif"], fields, how, _SOURCE)


def _question(body: bytes) -> tuple[str, dict[str, str]]:
    """Return the operation and its values. Raises Unreachable, LookupError, ValueError."""
    arguments = parse(body).findall(f"{{{ENVELOPE}}}Body/*/arg0")
    if len(arguments) != 1:
        raise ValueError("expected one operation with its values")
    name = etree.QName(arguments[0].getparent())
    if name.namespace != SERVICE:
        raise LookupError(name.namespace)
    return str(name.localname), {leaf.tag: leaf.text or "" for leaf in arguments[0]}


def _operate(operation: str, told: Mapping[str, str]) -> dict[str, str]:
    """Return the leaves of the answer. Raises Refusal; LookupError for an unknown operation."""
    if operation == "creerPaiementSecurise":
        return {"idOp": treasury().create(told)}
    if operation == "recupererDetailPaiementSecurise":
        return treasury().result(told.get("idOp", ""))
    if operation == "recupererDetailClient":
        check_client(told.get("numCli", ""))
        labels = {"libelleN1": "VILLE DE DEMONSTRATION", "libelleN2": "REGIE ENFANCE"}
        return {**labels, "libelleN3": "", "numcli": told["numCli"]}
    raise LookupError(operation)


def _answer(operation: str, leaves: Mapping[str, str]) -> bytes:
    root, body = _envelope()
    wrapper = etree.SubElement(body, f"{{{SERVICE}}}{operation}Response", nsmap={"ns2": SERVICE})
    _fill(etree.SubElement(wrapper, "return"), {name: it for name, it in leaves.items() if it})
    return _written(root)


def _fault(kind: str, code: str, words: str) -> bytes:
    root, body = _envelope()
    fault = etree.SubElement(body, f"{{{ENVELOPE}}}Fault")
    package = "fr.gouv.finances.cp.tpa.webservice.exceptions"
    _fill(fault, {"faultcode": "S:Server", "faultstring": f"{package}.{kind}"})
    detail = etree.SubElement(etree.SubElement(fault, "detail"), f"{{{SERVICE}}}{kind}")
    _fill(detail, {"code": code, "descriptif": "", "libelle": words, "severite": "2"})
    return _written(root)


def _envelope() -> tuple[Any, Any]:
    root = etree.Element(f"{{{ENVELOPE}}}Envelope", nsmap={"S": ENVELOPE})
    return root, etree.SubElement(root, f"{{{ENVELOPE}}}Body")


def _fill(parent: Any, leaves: Mapping[str, str]) -> None:
    for name, value in leaves.items():
        etree.SubElement(parent, name).text = value or None


def _written(root: Any) -> bytes:
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True))


def _payment(token: str) -> PayfipPayment:
    try:
        return treasury().by_token(token)
    except KeyError:
        abort(404)
