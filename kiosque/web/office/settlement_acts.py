"""The acts of the town hall on a payment."""

from collections.abc import Sequence

from flask import url_for

from kiosque import deposits, payments
from kiosque.db.models import Settlement
from kiosque.db.states import RepaymentKind
from kiosque.deposits import keeping
from kiosque.deposits.sums import RevenueLine as Revenue
from kiosque.language.formats import capital, format_euros
from kiosque.payments import payment_names, previews
from kiosque.payments.overpayments import applied_by_hand
from kiosque.payments.previews import Foreseen, PaperLine
from kiosque.payments.receipts import receipt_of
from kiosque.payments.refusals import Refused
from kiosque.payments.step_actions import refund_by_bank, said_of_refund
from kiosque.staff import events
from kiosque.staff.events import Action
from kiosque.web import current
from kiosque.web.office.access import actor, author
from kiosque.web.office.acts import MoneyAct, doer
from kiosque.web.office.money_forms import (
    AmountForm,
    ApplyForm,
    ElsewhereForm,
    RestoreForm,
    WithdrawForm,
)


class OfSettlement(MoneyAct):
    def __init__(self, settlement: Settlement) -> None:
        self.settlement, self.form = settlement, self.form_class()
        self.name = payment_names.name_of(settlement)
        receipt = receipt_of(settlement)
        called = receipt.title if receipt else f"n°\u00a0{settlement.id}"
        self.about = f"Encaissement {called}, {format_euros(settlement.amount_cents)}"
        self.back = url_for("office.settlement", name=settlement.id)

    def _note(self, action: Action, cents: int) -> None:
        events.note(action, actor(), self.name, f"{format_euros(cents)}, {self.reason}")


class _Departure(OfSettlement):
    """Money that leaves again, wholly or in part."""

    form_class: type[AmountForm] = AmountForm
    form: AmountForm
    kind = RepaymentKind.REFUND

    def foresee(self) -> Foreseen:
        return previews.departure(
            self.settlement, self.kind, self.form.cents, author(), self.reason
        )


class Refund(_Departure):
    """Money given back by the bank, at our request."""

    verb = "Rembourser"

    def do(self) -> str:
        by = doer(self.settlement.regie)
        repayment = refund_by_bank(self.settlement, self.told.cents, self.reason, by)
        self._note(Action.REFUND_ASKED, repayment.amount_cents)
        return capital(said_of_refund(repayment))


class GiveBack(_Departure):
    """Money given back without our asking the bank."""

    verb = "Noter rendus"
    form_class = ElsewhereForm
    form: ElsewhereForm

    def do(self) -> str:
        name = (self.form.transaction.data or "").strip()
        repayment = payments.record_repayment(
            self.settlement,
            self.kind,
            self.told.cents,
            author(),
            self.reason,
            transaction_id=payments.bank_name(name) if name else None,
        )
        self._note(Action.REPAYMENT_NOTED, repayment.amount_cents)
        return f"{format_euros(repayment.amount_cents)} notés comme rendus."


class Chargeback(_Departure):
    """Money taken back by the payer's bank."""

    verb = "Noter un impayé de"
    kind = RepaymentKind.CHARGEBACK

    def do(self) -> str:
        asked = self.settlement, self.kind, self.told.cents, author(), self.reason
        repayment = payments.record_repayment(*asked)
        self._note(Action.CHARGEBACK_NOTED, repayment.amount_cents)
        return f"Impayé de {format_euros(repayment.amount_cents)} noté."


class Restore(OfSettlement):
    """Money that did not leave in the end, or was recorded as gone by mistake."""

    verb = "Rétablir"
    form_class = RestoreForm
    form: RestoreForm

    def foresee(self) -> Foreseen:
        return previews.restoration(self.settlement, self.form.cents, author(), self.reason)

    def do(self) -> str:
        restored = payments.restore(self.settlement, self.told.cents, author(), self.reason)
        self._note(Action.RESTORED, restored.amount_cents)
        return f"{format_euros(restored.amount_cents)} rétablis."


class Apply(OfSettlement):
    """A *trop-perçu* that pays an invoice."""

    verb = "Affecter"
    form_class = ApplyForm
    form: ApplyForm

    def foresee(self) -> Foreseen:
        return previews.application(self.settlement, self.form.number.data, self.form.cents)

    def do(self) -> str:
        cents, asked = self.told.cents, (self.form.number.data, author(), self.reason)
        paid = payments.apply_overpayment(self.settlement, *asked, current.issuers(), cents)
        self._note(Action.OVERPAYMENT_APPLIED, cents)
        return f"{format_euros(cents)} affectés à la facture {paid.number}."


class Withdraw(OfSettlement):
    """A *trop-perçu* that paid the wrong invoice."""

    verb = "Reprendre de la facture"
    form: WithdrawForm

    def __init__(self, settlement: Settlement) -> None:
        super().__init__(settlement)
        paid = [part.invoice for part in applied_by_hand(settlement) if part.invoice]
        self.form = WithdrawForm(sorted({each.number for each in paid}))

    def foresee(self) -> Foreseen:
        return previews.withdrawal(self.settlement, self.form.number.data)

    def do(self) -> str:
        number, cents = self.form.number.data, self.told.cents
        payments.withdraw_overpayment(self.settlement, number, author(), self.reason, agreed=cents)
        self._note(Action.OVERPAYMENT_WITHDRAWN, cents)
        return f"{format_euros(cents)} repris de la facture {number}."


class DropRefund(OfSettlement):
    """The end of a request that the bank does not answer."""

    verb = "Abandonner le remboursement de"

    def foresee(self) -> Foreseen:
        return previews.end_of_request(self.settlement)

    def do(self) -> str:
        dropped = payments.drop_refund(self.settlement, author(), self.reason)
        self._note(Action.REFUND_DROPPED, dropped.amount_cents)
        return f"Remboursement de {format_euros(dropped.amount_cents)} abandonné."


def _told(lines: Sequence[Revenue], nothing: str, total: str, after: str) -> Foreseen:
    """Tell of revenue. Raises Refused where there is none."""
    if not lines:
        raise Refused([nothing])
    told = (PaperLine(f"{it.service}, facture {it.invoice}", it.cents, it.day) for it in lines)
    return Foreseen(tuple(told), total, sum(it.cents for it in lines), after)


class KeepBack(OfSettlement):
    """Money that no deposit pays over for now."""

    verb = "Garder"

    def foresee(self) -> Foreseen:
        found = deposits.to_pay_over(self.settlement)
        after = "Aucun bordereau ne le verse tant que vous ne le reprenez pas."
        return _told(found, keeping.NOTHING_LEFT, "Gardé hors du bordereau", after)

    def do(self) -> str:
        cents = deposits.keep_back(self.settlement, author(), self.reason)
        self._note(Action.KEPT_BACK, cents)
        return f"{format_euros(cents)} gardés hors du bordereau."


class TakeUp(OfSettlement):
    """Money that was kept back, and that the next deposit may pay over again."""

    verb = "Reprendre"

    def foresee(self) -> Foreseen:
        found = deposits.kept_of(self.settlement)
        after = "Le prochain bordereau le verse."
        return _told(found, keeping.NOTHING_KEPT, "Repris au bordereau", after)

    def do(self) -> str:
        cents = deposits.take_up(self.settlement, author())
        self._note(Action.TAKEN_UP, cents)
        return f"{format_euros(cents)} repris\u00a0: le prochain bordereau les verse."
