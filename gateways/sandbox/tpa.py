"""The mock PayFiP's site: its SOAP service, its payment page and its back office.

The addresses are the real ones (`/tpa/...`). Nothing is signed; a notification says an idop.
"""

from collections.abc import Mapping
from typing import Any

from flask import (
    Blueprint,
    Response,
    abort,
    current_app,
    redirect,
    render_template,
    request,
    url_for,
)
from lxml import etree
from werkzeug.wrappers import Response as BaseResponse

from gateways.base import Unreachable
from gateways.payfip.soap import ENVELOPE, FUNCTIONAL, SERVICE, parse
from gateways.sandbox.bank import Bank
from gateways.sandbox.courier import Courier
from gateways.sandbox.treasury import (
    ENDINGS,
    KNOWN,
    LABELS,
    Payment,
    Refusal,
    Treasury,
    check_client,
)

#: How the notification behaves, chosen on the payment page.
DELIVERIES = {
    "normal": "Normale",
    "late": "En retard, après le retour du payeur",
    "lost": "Jamais",
    "twice": "Envoyée deux fois",
}
_SOURCE = "PAYFIP"

Answer = str | tuple[str, int] | BaseResponse

tpa = Blueprint("tpa", __name__, url_prefix="/tpa")


@tpa.post("/services/securite")
def service() -> Response:
    """One call. Faults come with HTTP 500, as SOAP 1.1 wants."""
    try:
        operation, told = _question(request.get_data(cache=False))
        answer, status = _answer(operation, _operate(operation, told)), 200
    except Refusal as refusal:
        answer, status = _fault(FUNCTIONAL, refusal.code, LABELS[refusal.code]), 500
    except (Unreachable, LookupError, ValueError):
        answer, status = _fault("TechProtocolaireErreur", "999", "Requête illisible. "), 500
    return Response(answer, status, content_type="text/xml; charset=utf-8")


@tpa.get("/paiementws.web")
def arrive() -> Answer:
    """The payer comes with an idop, which serves once."""
    try:
        payment = _treasury().open(request.args.get("idop", ""))
    except Refusal as refusal:
        words = LABELS[refusal.code]
        return render_template("tpa_error.html", code=refusal.code, words=words), 400
    return redirect(url_for(".pay_page", token=payment.token), 303)


@tpa.get("/paiement/<token>")
def pay_page(token: str) -> Answer:
    payment = _payment(token)
    return render_template(
        "tpa_pay.html" if payment.is_open else "tpa_over.html",
        payment=payment,
        endings=ENDINGS,
        known=KNOWN,
        deliveries=DELIVERIES,
    )


@tpa.post("/paiement/<token>")
def finish(token: str) -> Answer:
    """The payer pays, is refused, or leaves; and is sent back to the town by a form."""
    payment, form = _payment(token), request.form
    ending, known = form.get("ending", ""), form.get("known", "now")
    if ending not in ENDINGS or known not in KNOWN:
        abort(404)
    if not _treasury().end(payment, ending, known):
        return redirect(url_for(".pay_page", token=token), 303)
    if ending != "leave":
        _notify(payment, form.get("delivery", "normal"))
    # 307: the browser posts again what it has just posted, as it would the bank's own form.
    return redirect(payment.told["urlredirect"], 307)


@tpa.get("/")
def home() -> Answer:
    deliveries = [it for it in _bank().deliveries() if it["source"] == _SOURCE]
    payments = _treasury().payments()
    return render_template("tpa_home.html", payments=payments, deliveries=deliveries)


@tpa.post("/paiement/<token>/notification")
def resend(token: str) -> Answer:
    _notify(_payment(token), "normal")
    return redirect(url_for(".home"), 303)


def _notify(payment: Payment, how: str) -> None:
    fields = {"idop": payment.idop}
    courier: Courier = current_app.extensions["courier"]
    courier.carry(payment.token, payment.told["urlnotif"], fields, how, _SOURCE)


def _question(body: bytes) -> tuple[str, dict[str, str]]:
    """The operation asked for, and its values. Raises Unreachable, LookupError, ValueError."""
    arguments = parse(body).findall(f"{{{ENVELOPE}}}Body/*/arg0")
    if len(arguments) != 1:
        raise ValueError("expected one operation with its values")
    name = etree.QName(arguments[0].getparent())
    if name.namespace != SERVICE:
        raise LookupError(name.namespace)
    return str(name.localname), {leaf.tag: leaf.text or "" for leaf in arguments[0]}


def _operate(operation: str, told: Mapping[str, str]) -> dict[str, str]:
    """The leaves of the answer. Raises Refusal, and LookupError for an unknown operation."""
    if operation == "creerPaiementSecurise":
        return {"idOp": _treasury().create(told)}
    if operation == "recupererDetailPaiementSecurise":
        return _treasury().result(told.get("idOp", ""))
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


def _payment(token: str) -> Payment:
    try:
        return _treasury().by_token(token)
    except KeyError:
        abort(404)


def _treasury() -> Treasury:
    treasury: Treasury = current_app.extensions["treasury"]
    return treasury


def _bank() -> Bank:
    bank: Bank = current_app.extensions["bank"]
    return bank
