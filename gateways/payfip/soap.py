"""Speak to PayFiP's SOAP 1.1 service: write and read its envelopes, without fetching its WSDL.

Only the wrappers carry a namespace. Every leaf is optional in the schema: `orders` checks the
content of an answer. The parser refuses DTD and entities, and has no network.
"""

from collections.abc import Mapping
from typing import Any

from lxml import etree

from gateways.base import GatewayError, Unreachable
from gateways.http import Endpoint, SoapFault, post_soap

PATH = "/tpa/services/securite"
ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
SERVICE = (
    "http://securite.service.tpa.cp.finances.gouv.fr/services/mas_securite/"
    "contrat_paiement_securise/PaiementSecuriseService"
)
FUNCTIONAL = "FonctionnelleErreur"
_UNREADABLE = "la réponse de PayFiP est illisible"
_DOWN = "PayFiP est en panne"


class FunctionalFault(GatewayError):
    """The service understood and refused, with a `code` of the integration guide, such as P5."""

    def __init__(self, code: str, words: str):
        super().__init__(f"PayFiP répond {code} : {words}")
        self.code = code


def call(
    endpoint: Endpoint, operation: str, values: Mapping[str, str], *, seconds: float
) -> dict[str, str]:
    """Call an operation, and return the leaves of its answer by name, in lower case.

    Raises FunctionalFault; Unreachable for a technical fault or for what is no answer.
    """
    try:
        body = post_soap(endpoint, PATH, request(operation, values), seconds=seconds)
    except SoapFault as failed:
        raise read_fault(failed.envelope) from None
    return read(body, operation)


def request(operation: str, values: Mapping[str, str]) -> bytes:
    """Write an envelope; `values` must be in the order of the schema, which is alphabetical."""
    root = etree.Element(f"{{{ENVELOPE}}}Envelope", nsmap={"e": ENVELOPE})
    body = etree.SubElement(root, f"{{{ENVELOPE}}}Body")
    wrapper = etree.SubElement(body, f"{{{SERVICE}}}{operation}", nsmap={"s": SERVICE})
    argument = etree.SubElement(wrapper, "arg0")
    for name, value in values.items():
        etree.SubElement(argument, name).text = value
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8"))


def read(envelope: bytes, operation: str) -> dict[str, str]:
    """Return the leaves of an envelope. Raises the errors of `call`."""
    content = _content(parse(envelope))
    if content.tag == f"{{{ENVELOPE}}}Fault":
        raise _fault(content)
    if content.tag != f"{{{SERVICE}}}{operation}Response" or len(content) != 1:
        raise Unreachable(_UNREADABLE)
    return _leaves(content[0])


def read_fault(envelope: bytes) -> GatewayError:
    """Return the error that an envelope of HTTP 500 stands for; Unreachable if it is no fault."""
    content = _content(parse(envelope))
    if content.tag != f"{{{ENVELOPE}}}Fault":
        return Unreachable(_DOWN)
    return _fault(content)


def parse(text: bytes) -> Any:
    """Return the root of a document. Raises Unreachable, also for a DTD or an entity."""
    parser = etree.XMLParser(
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(text, parser)
    except (etree.XMLSyntaxError, ValueError, LookupError):
        raise Unreachable(_UNREADABLE) from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise Unreachable(_UNREADABLE)
    return root


def _content(root: Any) -> Any:
    """Return the one element of an envelope's body. Raises Unreachable."""
    bodies = root.findall(f"{{{ENVELOPE}}}Body")
    if root.tag != f"{{{ENVELOPE}}}Envelope" or len(bodies) != 1 or len(bodies[0]) != 1:
        raise Unreachable(_UNREADABLE)
    return bodies[0][0]


def _fault(fault: Any) -> GatewayError:
    """Return FunctionalFault for a functional fault with its code, Unreachable for any other."""
    details = [
        each for each in fault.iterfind("detail/*") if etree.QName(each).localname == FUNCTIONAL
    ]
    if len(details) != 1:
        return Unreachable(_DOWN)
    leaves = _leaves(details[0])
    code, words = leaves.get("code", ""), leaves.get("libelle", "")
    if not (code.isascii() and code.isalnum() and len(code) <= 4):
        return Unreachable(_UNREADABLE)
    # The label goes into a log: it is cut, and odd characters are removed.
    return FunctionalFault(code, "".join(filter(str.isprintable, words))[:120])


def _leaves(parent: Any) -> dict[str, str]:
    """Return the texts by name, in lower case, since `idOp` also comes as `idop`.

    Raises Unreachable for a name that comes twice, or a leaf that is not one.
    """
    found: dict[str, str] = {}
    for leaf in parent:
        name = etree.QName(leaf).localname.lower() if isinstance(leaf.tag, str) else ""
        if not name or name in found or len(leaf):
            raise Unreachable(_UNREADABLE)
        found[name] = (leaf.text or "").strip()
    return found
