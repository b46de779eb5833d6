"""The words in which a family reads the state of an invoice (« Payée ») or of a payment."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date
from typing import Protocol

from kiosque import payments
from kiosque.db.models import Attempt, Invoice
from kiosque.db.states import UNDECIDED, AttemptState, InvoiceState, SettlementState
from kiosque.language import clock
from kiosque.language.catalogue import N_


@dataclass(frozen=True)
class Status:
    """A word, to translate when shown, and a name that the stylesheet turns into an icon and a
    colour."""

    name: str
    words: str


DUE = Status("due", N_("À régler"))
LATE = Status("late", N_("À régler (date dépassée)"))
AT_BANK = Status("bank", N_("En attente de la banque"))
OPENED = Status("opened", N_("Paiement ouvert à la banque"))
PAID = Status("paid", N_("Payée"))
CANCELLED = Status("cancelled", N_("Annulée"))
CREDIT_NOTE = Status("credit", N_("Avoir"))
NOTHING_DUE = Status("credit", N_("Rien à payer"))
TREASURY = Status("treasury", N_("Transmise au Trésor public"))


class Dated(Protocol):
    """An invoice, or a row with the columns that its status depends on; the attempt is apart."""

    @property
    def state(self) -> str: ...
    @property
    def total_cents(self) -> int: ...
    @property
    def due_on(self) -> date: ...
    @property
    def closes_on(self) -> date | None: ...


class ReceivedPayment(Protocol):
    """A payment, or a row of one."""

    @property
    def state(self) -> str: ...
    @property
    def returned_cents(self) -> int: ...


class Holder(Protocol):
    """An attempt, or a row of one."""

    @property
    def reference(self) -> str: ...
    @property
    def state(self) -> str: ...


def invoice_status(invoice: Invoice, live: Attempt | None) -> Status:
    """Return the status of an invoice today; `live` is the attempt that holds it, if one does."""
    return status_on(clock.today(), invoice, live.state if live else None)


def status_on(today: date, invoice: Dated, held: str | None) -> Status:
    """Return the status of an invoice at a date; `held` is the state of the attempt that holds it,
    if one does."""
    if invoice.state == InvoiceState.TRANSMITTED:
        return TREASURY
    if invoice.state != InvoiceState.OPEN:
        return settled_status(invoice.state, invoice.total_cents)
    if held:
        return AT_BANK if held == AttemptState.PENDING else OPENED
    if invoice.closes_on and invoice.closes_on < today:
        return TREASURY
    return LATE if invoice.due_on < today else DUE


def settled_status(state: str, total_cents: int) -> Status:
    """Return the status of an invoice that is paid, is cancelled, or asks for nothing."""
    if state == InvoiceState.NOTHING_DUE:
        return CREDIT_NOTE if total_cents < 0 else NOTHING_DUE
    return PAID if state == InvoiceState.PAID else CANCELLED


def settlement_status(settlement: ReceivedPayment) -> Status:
    """Return what became of a payment, in French, for the town hall."""
    if settlement.state == SettlementState.REFUNDED:
        return Status("cancelled", "Remboursé")
    if settlement.state == SettlementState.REVERSED:
        return Status("late", "Annulé ou impayé")
    return Status("due", "Rendu en partie") if settlement.returned_cents else _RECEIVED


_RECEIVED = Status("paid", "Encaissé")


@dataclass(frozen=True)
class PaymentResult:
    """The title of the return page and its advice, to translate when shown; `name` is the one of
    the stylesheet."""

    name: str
    title: str
    advice: str


_OPENED = PaymentResult(
    "bank",
    N_("Ce paiement est ouvert à la banque"),
    "",  # the page adds what can be done about it
)
_GIVEN_UP = PaymentResult(
    "cancelled",
    N_("Paiement abandonné"),
    N_(
        "Quand vous l’avez quitté, la banque ne nous avait annoncé aucun paiement. "
        "Vous pouvez recommencer quand vous voulez."
    ),
)
#: Nobody knows if the payment was made. The page says what to do in the words of the list.
UNKNOWN = PaymentResult("late", N_("La banque n’a pas répondu"), "")
#: Ends after which the same invoices are offered for payment again.
RETRIABLE = {AttemptState.REFUSED, AttemptState.CANCELLED, AttemptState.EXPIRED}
#: The payment ended so, but the bank reported money too.
_DOUBTED = PaymentResult(
    "late",
    N_("Ce paiement est à vérifier"),
    N_(
        "La banque nous annonce une opération que nous n’attendions pas. Le régisseur en est "
        "averti. Avant de payer de nouveau, regardez votre compte bancaire."
    ),
)
#: The bank has answered; a human must find a use for this money.
_ANOTHER_AMOUNT = PaymentResult(
    "late",
    N_("Ce paiement est à vérifier"),
    N_(
        "La banque nous annonce un autre débit que celui que nous attendions. "
        "Ne payez pas une seconde fois."
    ),
)
_PAID_OTHERWISE = PaymentResult(
    "paid",
    N_("Vos factures sont déjà payées"),
    N_(
        "Vous n’avez rien à faire. La banque n’a pas encore répondu sur ce paiement-ci\u00a0: s’il "
        "est débité, ce sera en trop, le régisseur en sera averti et vous contactera."
    ),
)
_RESULTS = {
    AttemptState.CREATED: PaymentResult(
        "bank",
        N_("Ce paiement n’est pas encore ouvert à la banque"),
        N_("Rien n’a été débité. S’il ne s’ouvre pas dans la minute, recommencez."),
    ),
    AttemptState.HANDED_OFF: PaymentResult(
        "bank",
        N_("En attente de confirmation de la banque"),
        N_("La banque ne nous a pas encore donné sa réponse. Ne payez pas une seconde fois."),
    ),
    AttemptState.PENDING: PaymentResult(
        "bank",
        N_("En attente de confirmation de la banque"),
        N_(
            "La banque examine votre paiement. Vous n’avez rien à faire\u00a0: "
            "votre espace sera mis à jour dès sa réponse."
        ),
    ),
    AttemptState.PAID: PaymentResult(
        "paid", N_("Paiement effectué"), N_("Merci. Votre paiement est enregistré.")
    ),
    AttemptState.REFUSED: PaymentResult(
        "late",
        N_("Paiement refusé\u00a0: aucun débit n’a été effectué"),
        # A card, or an account: the Treasury's service takes both.
        N_(
            "La banque n’a pas accepté ce moyen de paiement. "
            "Vous pouvez réessayer, au besoin avec un autre."
        ),
    ),
    AttemptState.CANCELLED: PaymentResult(
        "cancelled",
        N_("Paiement abandonné\u00a0: aucun débit n’a été effectué"),
        N_("Vos factures restent à régler. Vous pouvez recommencer quand vous voulez."),
    ),
    AttemptState.EXPIRED: PaymentResult(
        "late",
        N_("Le délai pour payer est dépassé"),
        N_("Nous n’avons reçu aucune confirmation de la banque. Vous pouvez recommencer."),
    ),
    AttemptState.REVERSED: PaymentResult(
        "cancelled",
        N_("La banque a annulé ce paiement"),
        N_("Vos factures sont de nouveau à régler. Le service famille peut vous renseigner."),
    ),
    AttemptState.REFUNDED: PaymentResult(
        "cancelled",
        N_("Ce paiement a été remboursé"),
        N_("Vos factures sont de nouveau à régler. Le service famille peut vous renseigner."),
    ),
}
_SETTLED_OTHERWISE = N_("Vos factures sont déjà payées\u00a0: vous n’avez rien à faire.")
_NOTHING_LEFT = N_("Vous n’avez plus rien à payer pour ces factures.")
_SOME_LEFT = N_(
    "Une partie de vos factures est encore à régler\u00a0: la page de vos factures dit lesquelles."
)


def attempt_result(
    attempt: Attempt, invoices: Collection[Invoice], *, waits_for_payer: bool = False
) -> PaymentResult:
    """Return the words about a payment; `waits_for_payer` if it waits for its payer at the bank.
    What is left to do depends on its invoices as they are now: another payment may have paid
    them."""
    result = _OPENED if waits_for_payer else _result_of(attempt)
    left = [each for each in invoices if each.state == InvoiceState.OPEN]
    paid = all(each.state == InvoiceState.PAID for each in invoices)
    unknown = is_undecided(attempt) or result is UNKNOWN
    if unknown and paid:
        return _PAID_OTHERWISE
    # If nobody knows whether it was made, say that.
    if unknown or attempt.state == AttemptState.PAID or len(left) == len(invoices):
        return result
    if left or any(each.state == InvoiceState.TRANSMITTED for each in invoices):
        return replace(result, advice=_SOME_LEFT)
    return replace(result, advice=_SETTLED_OTHERWISE if paid else _NOTHING_LEFT)


def _result_of(attempt: Attempt) -> PaymentResult:
    state = AttemptState(attempt.state)
    if payments.is_unanswered(attempt):
        return UNKNOWN
    if state in RETRIABLE and payments.is_doubted(attempt):
        return _DOUBTED
    if _keeps_another_amount(attempt):
        return _ANOTHER_AMOUNT
    if state == AttemptState.CANCELLED and payments.was_given_up(attempt):
        return _GIVEN_UP
    return _RESULTS[state]


def held_advice(held: Holder) -> str:
    """Return the advice, to translate when shown, about a payment that holds invoices and that its
    payer cannot resume."""
    if _keeps_another_amount(held):
        return _ANOTHER_AMOUNT.advice
    return _RESULTS[AttemptState(held.state)].advice


def _keeps_another_amount(held: Holder) -> bool:
    return held.state == AttemptState.PENDING and payments.keeps_another_amount(held.reference)


def is_undecided(attempt: Attempt) -> bool:
    return AttemptState(attempt.state) in UNDECIDED
