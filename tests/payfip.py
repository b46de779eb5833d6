"""PayFiP's voice, for tests: what its SOAP service answers, as recorded exchanges show it."""

from dataclasses import replace
from datetime import UTC, datetime

from gateways.base import PARIS, Order
from gateways.payfip.orders import refdet
from gateways.payfip.soap import ENVELOPE, SERVICE
from tests.bank import NEW_ORDER

IDOP = "d2fa2170-b336-11e2-9476-001fe256bdfe"
NUMCLI = "006382"
TABLE = {"adapter": "payfip", "numcli": NUMCLI}
ORDER = replace(
    NEW_ORDER,
    started_at=datetime(2026, 7, 1, 22, 30, tzinfo=UTC),
    notification_url="https://kiosque.example.org/paiement/notification/tresor",
    email="alice@example.org",
    gateway_reference=IDOP,
)


def envelope(content: str) -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<S:Envelope xmlns:S="{ENVELOPE}"><S:Body>{content}</S:Body></S:Envelope>'
    ).encode()


def answer(operation: str, **leaves: str | None) -> bytes:
    """An answer with these leaves; None leaves one out."""
    told = "\n".join(
        f"<{name}>{value}</{name}>" for name, value in leaves.items() if value is not None
    )
    return envelope(
        f'<ns2:{operation}Response xmlns:ns2="{SERVICE}"><return>\n{told}\n</return>'
        f"</ns2:{operation}Response>"
    )


def created(idop: str = IDOP) -> bytes:
    return answer("creerPaiementSecurise", idOp=idop)


def detail(order: Order = ORDER, **changes: str | None) -> bytes:
    """The result of an order: a card accepted at its start, unless changed."""
    local = order.started_at.astimezone(PARIS)
    leaves: dict[str, str | None] = {
        "dattrans": f"{local:%d%m%Y}",
        "exer": "20",
        "heurtrans": f"{local:%H%M}",
        "idOp": order.gateway_reference,
        "mel": order.email or "alice@example.org",
        "montant": str(order.cents),
        "numauto": "112233",
        "numcli": NUMCLI,
        "objet": "Factures 2026 09 0012 2026 10 0340",
        "refdet": refdet(order.reference),
        "resultrans": "P",
        "saisie": "T",
    }
    return answer("recupererDetailPaiementSecurise", **{**leaves, **changes})


def fault(code: str, kind: str = "FonctionnelleErreur", words: str = "Explication. ") -> bytes:
    return envelope(
        "<S:Fault><faultcode>S:Server</faultcode>"
        f"<faultstring>fr.gouv.finances.cp.tpa.webservice.exceptions.{kind}</faultstring>"
        f'<detail><ns2:{kind} xmlns:ns2="{SERVICE}"><code>{code}</code><descriptif/>'
        f"<libelle>{words}</libelle><severite>2</severite></ns2:{kind}></detail></S:Fault>"
    )
