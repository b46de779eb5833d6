"""Write the questions to PayFiP about an order, and read its answers: no network, no state.

An answer that is inconsistent, or about another contract, mode or order, raises Unreachable:
PayFiP is asked again, and nothing doubtful is booked.
"""

import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta

from gateways.base import PARIS, Mode, Order, Outcome, Report, Unreachable, WrongEmail
from gateways.payfip.settings import Contract

#: Paris hour by which the idops that never reached the bank have been purged.
_MORNING = time(6)
#: How long an abandonment is doubted: the payer may still have the page open, and pay.
_SECOND_THOUGHTS = timedelta(minutes=2)
#: `heurtrans` has no seconds: the event may be up to a minute later.
_MINUTE = timedelta(minutes=1)
#: Difference allowed between the DGFiP's clock and ours.
_SKEW = timedelta(minutes=10)

_IDOP = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_REFDET = re.compile(r"[A-Za-z0-9]{6,30}", re.ASCII)
_MEL = re.compile(r"[!-?A-~]{1,64}@[!-?A-~]{1,78}", re.ASCII)
_URL = re.compile(r"https?://[!-%'-~]{1,240}", re.ASCII)
_OUTCOMES = {
    "P": (Outcome.PAID, Mode.CARD),
    # The order to debit is given. The debtor's bank may reject it weeks later, but this service
    # will never tell: asking again is useless, so the report is final.
    "V": (Outcome.PAID, Mode.DIRECT_DEBIT),
    "R": (Outcome.REFUSED, Mode.CARD),
    "Z": (Outcome.REFUSED, Mode.DIRECT_DEBIT),
    "A": (Outcome.CANCELLED, Mode.CARD),
}
# Fields kept for the audit, without the payer's address.
_KEPT = (
    "dattrans", "exer", "heurtrans", "idop", "montant", "numauto", "numcli", "objet", "refdet",
    "resultrans", "saisie",
)  # fmt: skip


def creation(order: Order, contract: Contract) -> dict[str, str]:
    """Return the values of `creerPaiementSecurise`, in the order of the schema.

    Raises WrongEmail for an address that PayFiP does not accept; ValueError for another value that
    does not fit, which is a fault of ours.
    """
    email = order.email or ""
    if not (6 <= len(email) <= 80 and _MEL.fullmatch(email)):
        raise WrongEmail("PayFiP n’accepte pas cette adresse électronique.")
    for url in (order.notification_url, order.return_url):
        if not _URL.fullmatch(url):
            raise ValueError("adresse de retour ou de notification trop longue pour PayFiP")
    values = {
        "exer": contract.exer or str(order.started_at.astimezone(PARIS).year),
        "mel": email,
        "montant": str(order.cents),
        "numcli": contract.numcli,
        "objet": subject(order.description),
        "refdet": refdet(order.reference),
        "saisie": contract.mode,
        "urlnotif": order.notification_url,
        "urlredirect": order.return_url,
    }
    return {name: value for name, value in values.items() if value}


def refdet(reference: str) -> str:
    """Return the reference of the debt, shown to the payer and in the Treasury's lists.

    Each attempt has its own, to tell apart two payments of one invoice. Raises ValueError.
    """
    text = re.sub(r"[^A-Za-z0-9]", "", reference).rjust(6, "0")
    if not _REFDET.fullmatch(text):
        raise ValueError("référence trop longue pour PayFiP")
    return text


def subject(description: str) -> str:
    """Reduce a description to what `objet` allows: 100 letters, digits and single spaces."""
    plain = unicodedata.normalize("NFKD", description)
    spaced = re.sub(r"[^\w]+|_", " ", "".join(it for it in plain if not unicodedata.combining(it)))
    words = re.sub(r"[^A-Za-z0-9 ]", "", spaced).split()
    return " ".join(words)[:100].strip()


def read_idop(text: str) -> str | None:
    """Return the idop in lower case; None for a text that is not one."""
    idop = text.strip().lower()
    return idop if _IDOP.fullmatch(idop) else None


def is_purged(order: Order, now: datetime) -> bool:
    """Return True if a night has passed since the start: an unknown idop may have been purged."""
    started = order.started_at.astimezone(PARIS)
    morning = datetime.combine(started.date(), _MORNING, PARIS)
    if started >= morning:
        morning = datetime.combine(started.date() + timedelta(days=1), _MORNING, PARIS)
    return now >= morning.astimezone(UTC)


def read_detail(
    answer: Mapping[str, str], order: Order, contract: Contract, now: datetime
) -> list[Report]:
    """Report the result of this order; nothing for an abandonment too recent to be believed.

    Raises Unreachable.
    """
    _demand(answer, order, contract)
    result = answer.get("resultrans", "")
    if not result:  # no result: no reason to keep the family from paying again
        raise Unreachable("PayFiP répond sans donner de résultat")
    outcome, mode = _OUTCOMES.get(result, (Outcome.PENDING, Mode.CARD))
    if outcome is Outcome.CANCELLED and now < _told_at(answer, order) + _MINUTE + _SECOND_THOUGHTS:
        return []
    return [
        Report(
            reference=order.reference,
            outcome=outcome,
            cents=order.cents,
            currency="EUR",
            # One idop is at most one payment; an abandoned one is no transaction.
            transaction_id="" if outcome is Outcome.CANCELLED else order.gateway_reference,
            gateway_reference=order.gateway_reference,
            status=result[:20],
            authorisation=answer.get("numauto", "")[:20],
            anomaly="" if result in _OUTCOMES else "résultat inconnu de PayFiP",
            mode=mode,
            raw={name: answer[name][:255] for name in _KEPT if name in answer},
        )
    ]


def instant(day: str, hour: str, after: datetime) -> datetime:
    """Convert `JJMMAAAA` and `HHMM`, in Paris time, to UTC. Raises ValueError.

    In the hour that happens twice in October, return the first that is not before `after`, within
    the difference allowed between clocks.
    """
    if not re.fullmatch(r"[0-9]{8}", day, re.ASCII) or not re.fullmatch(
        r"[0-9]{4}", hour, re.ASCII
    ):
        raise ValueError("date ou heure illisible")
    local = datetime.strptime(day + hour, "%d%m%Y%H%M").replace(tzinfo=PARIS)
    times = [local.replace(fold=fold).astimezone(UTC) for fold in (0, 1)]
    return next((it for it in times if it >= after - _SKEW), times[-1])


def _told_at(answer: Mapping[str, str], order: Order) -> datetime:
    try:
        day, hour = answer.get("dattrans", ""), answer.get("heurtrans", "")
        return instant(day, hour, order.started_at)
    except ValueError:
        raise Unreachable("la date donnée par PayFiP est illisible") from None


def _demand(answer: Mapping[str, str], order: Order, contract: Contract) -> None:
    """Verify that the answer is about this order, contract and mode. Raises Unreachable.

    `exer` is not compared, since it comes back cut short.
    """
    expected = {
        "idop": order.gateway_reference,
        "montant": str(order.cents),
        "numcli": contract.numcli,
        "refdet": refdet(order.reference),
        "saisie": contract.mode,
    }
    for name, value in expected.items():
        told = answer.get(name, "")
        if (told.lower() if name == "idop" else told) != value:
            raise Unreachable(f"PayFiP répond pour un autre paiement ({name})")
