"""The payment of 1 € that an administrator tries: to the bank, back, and where it stands in words.

Of all the money, it is the only one that this role touches.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from flask import url_for

from gateways.base import Gateway, Handoff, Refunds, WrongEmail
from kiosque import payments
from kiosque.db.models import Attempt, Invoice
from kiosque.db.states import AttemptState
from kiosque.invoices import imports, trial
from kiosque.invoices.trial import Stage, Trial
from kiosque.language.formats import long_instant
from kiosque.payments import Purchase, Refused
from kiosque.payments.previews import Foreseen
from kiosque.payments.words import ATTEMPT_STATES
from kiosque.staff import events
from kiosque.staff.events import Action
from kiosque.web import current
from kiosque.web.office import invoice_acts
from kiosque.web.office.access import actor, author
from kiosque.web.office.acts import MoneyAct
from kiosque.web.office.settlement_acts import GiveBack, Refund

_WORDS: Mapping[Stage, str] = {
    Stage.NONE: "Pas encore essayé.",
    Stage.TO_PAY: "La facture est faite et reste à payer. Dernier paiement\u00a0: {ended}.",
    Stage.AT_BANK: "Un paiement est ouvert à la banque, qui n’a pas encore dit s’il est fait.",
    Stage.PAID: "Payé le {paid}.",
    Stage.ASKED: "Payé le {paid}. La banque n’a pas encore dit si elle le rend.",
    Stage.GIVEN_BACK: "Payé le {paid}, puis rendu. Il reste à annuler la facture.",
    Stage.OTHERWISE: "La facture est réglée sans la banque\u00a0: voyez avec le régisseur.",
    Stage.OVER: "Payé le {paid}, puis rendu. L’essai est fini.",
}
_BY_BANK = "Il reste à le rendre."
_BY_HAND = (
    "La banque ne le rend pas à notre demande\u00a0: rendez-le dans l’espace qu’elle ouvre à la "
    "ville, ou par virement, puis notez-le ici."
)
_AGAIN = ("office.try_payment", "Reprendre l’essai de 1\u00a0€")
_BACK = ("office.refund_trial", "Rendre 1\u00a0€ par la banque")
_CANCEL = ("office.cancel_trial", "Annuler la facture de 1\u00a0€")
_GO = ("office.try_payment", "Essayer un paiement de 1\u00a0€")
_NOTED = ("office.note_trial_given_back", "Noter que 1\u00a0€ est rendu")
_WAYS: Mapping[Stage, tuple[tuple[str, str], ...]] = {
    Stage.NONE: (_GO,),
    Stage.TO_PAY: (_AGAIN, _CANCEL),
    Stage.AT_BANK: (_AGAIN,),
    Stage.GIVEN_BACK: (_CANCEL,),
    Stage.OVER: (_GO,),
}


@dataclass(frozen=True)
class ShownTrial:
    """A bank and where its trial stands: words, and what may be done, each a page and its name."""

    gateway: Gateway
    words: str
    ways: tuple[tuple[str, str], ...]


def shown() -> list[ShownTrial]:
    """Return the banks in use, each with its trial."""
    gateways = current.gateways()
    names = dict.fromkeys(current.settings().gateways_in_force)
    return [_shown(gateways[name]) for name in names if name in gateways]


def _shown(gateway: Gateway) -> ShownTrial:
    found = trial.last(gateway.name)
    if found.stage != Stage.PAID:
        return ShownTrial(gateway, _words(found), _WAYS.get(found.stage, ()))
    refunds = isinstance(gateway, Refunds)
    noted = not refunds or found.was_declined
    ways = (*((_BACK,) if refunds else ()), *((_NOTED,) if noted else ()))
    return ShownTrial(gateway, f"{_words(found)} {_BY_HAND if noted else _BY_BANK}", ways)


def _words(found: Trial) -> str:
    paid = long_instant(found.settlement.settled_at) if found.settlement else ""
    ended = ATTEMPT_STATES[AttemptState(found.attempt.state)] if found.attempt else "pas commencé"
    return _WORDS[found.stage].format(paid=paid, ended=ended)


def begin(gateway: Gateway, reason: str) -> tuple[Attempt, Handoff] | None:
    """Make the invoice of 1 € and open its payment, or lead back to the one that is open. Return
    None if that one is decided, or nobody can tell. Raises Refused or Unreachable."""
    settings, by = current.settings(), author()
    invoice = _to_pay(gateway.name, by)
    events.note(Action.PAYMENT_TRIED, actor(), invoice.number, reason)
    asking = current.gateways(), settings.public_url, current.issuers()
    payments.ask_about_holders(invoice.family, [invoice.number], *asking)
    if held := payments.live_attempts([invoice]).get(invoice.id):
        return payments.resume(held, *asking)
    purchase = Purchase(invoice.family, [invoice.number], trial.CENTS, by)
    try:
        return payments.start(purchase, gateway, settings.public_url)
    except WrongEmail:
        raise Refused([f"La banque n’accepte pas votre adresse, {by}."]) from None


def _to_pay(gateway: str, by: str) -> Invoice:
    """Return the invoice to pay. Raises Refused."""
    try:
        found = trial.obtain(current.settings(), gateway, by)
    except imports.BadFile as error:
        raise Refused([str(error)]) from None
    if found.invoice is None or found.stage not in (Stage.TO_PAY, Stage.AT_BANK):
        raise Refused(["L’essai d’avant n’est pas fini\u00a0: voyez les réglages."])
    return found.invoice


def _finish(gateway: str, reason: str) -> str:
    """Cancel the invoice once its money is given back. Say so."""
    found = trial.last(gateway)
    if found.invoice is None or found.stage != Stage.GIVEN_BACK:
        return ""
    payments.cancel_invoice(found.invoice.number, author(), reason)
    events.note(Action.INVOICE_CANCELLED, actor(), found.invoice.number, reason)
    return " La facture est annulée."


class GivenBack(MoneyAct):
    """The money of a trial is given back, whole, then its invoice is cancelled."""

    def __init__(self, gateway: str, act: Refund | GiveBack) -> None:
        del act.form.amount
        self.verb, self.about, self.form = act.verb, act.about, act.form
        self.back = url_for("office.settings")
        self._gateway, self._act = gateway, act

    def foresee(self) -> Foreseen:
        after = "La facture sera annulée. Les deux mouvements restent au journal."
        self._act.told = self._act.foresee()
        return replace(self._act.told, after=after)

    def do(self) -> str:
        return f"{self._act.do()}{_finish(self._gateway, self.reason)}"


class CancelTrial(invoice_acts.Cancel):
    """The invoice of a trial that nobody paid, or that is given back."""

    def __init__(self, invoice: Invoice) -> None:
        super().__init__(invoice)
        self.back = url_for("office.settings")
