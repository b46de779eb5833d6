"""The state of an invoice or of a payment, in words for the family."""

from dataclasses import dataclass

from kiosque import clock
from kiosque.models import Attempt, Invoice
from kiosque.states import UNDECIDED, AttemptState, InvoiceState


@dataclass(frozen=True)
class Status:
    """A word, and a name that the stylesheet turns into an icon and a colour."""

    name: str
    words: str


DUE = Status("due", "À régler")
LATE = Status("late", "À régler (date dépassée)")
AT_BANK = Status("bank", "En attente de la banque")
PAID = Status("paid", "Payée")
CANCELLED = Status("cancelled", "Annulée")
TREASURY = Status("treasury", "Transmise au Trésor public")


def invoice_status(invoice: Invoice, live: Attempt | None) -> Status:
    """`live` is the attempt that holds the invoice now, if one does."""
    if invoice.state == InvoiceState.PAID:
        return PAID
    if invoice.state == InvoiceState.CANCELLED:
        return CANCELLED
    if live:
        return AT_BANK
    if invoice.is_closed:
        return TREASURY
    return LATE if invoice.is_late else DUE


@dataclass(frozen=True)
class Result:
    """What the return page says first, and what to do next."""

    name: str
    title: str
    advice: str


_WAITING = Result(
    "bank",
    "En attente de confirmation de la banque",
    "La banque ne nous a pas encore donné sa réponse. Ne payez pas une seconde fois.",
)
_SILENT = Result(
    "bank",
    "La banque n’a pas confirmé de paiement",
    "Si vous avez payé, ne recommencez pas\u00a0: la confirmation peut encore arriver. "
    "Si vous n’avez pas payé, vous pouvez recommencer.",
)
_RESULTS = {
    AttemptState.PENDING: Result(
        "bank",
        "En attente de confirmation de la banque",
        "La banque examine votre paiement. Vous n’avez rien à faire\u00a0: "
        "votre espace sera mis à jour dès sa réponse.",
    ),
    AttemptState.PAID: Result("paid", "Paiement effectué", "Merci. Votre paiement est enregistré."),
    AttemptState.REFUSED: Result(
        "late",
        "Paiement refusé\u00a0: aucun débit n’a été effectué",
        "La banque n’a pas accepté la carte. Vous pouvez réessayer, au besoin avec une autre.",
    ),
    AttemptState.CANCELLED: Result(
        "cancelled",
        "Paiement abandonné\u00a0: aucun débit n’a été effectué",
        "Vos factures restent à régler. Vous pouvez recommencer quand vous voulez.",
    ),
    AttemptState.EXPIRED: Result(
        "late",
        "Le délai pour payer est dépassé",
        "Nous n’avons reçu aucune confirmation de la banque. Vous pouvez recommencer.",
    ),
    AttemptState.REVERSED: Result(
        "cancelled",
        "La banque a annulé ce paiement",
        "Vos factures sont de nouveau à régler. Le service famille peut vous renseigner.",
    ),
    AttemptState.REFUNDED: Result(
        "cancelled",
        "Ce paiement a été remboursé",
        "Vos factures sont de nouveau à régler. Le service famille peut vous renseigner.",
    ),
}


def attempt_result(attempt: Attempt) -> Result:
    state = AttemptState(attempt.state)
    if state in _RESULTS:
        return _RESULTS[state]
    return _WAITING if attempt.live_until > clock.now() else _SILENT


def is_undecided(attempt: Attempt) -> bool:
    return AttemptState(attempt.state) in UNDECIDED
