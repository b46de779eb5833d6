"""Pages of a régisseur's acts on a payment: give back, restore, apply an overpayment, keep back."""

from collections.abc import Callable

from flask import abort, url_for
from werkzeug.wrappers import Response

from kiosque.db.models import Settlement
from kiosque.language.formats import counted
from kiosque.mails import sent
from kiosque.payments.receipts import receipt_of
from kiosque.staff.roles import Role
from kiosque.web.office import settlement_acts as acts
from kiosque.web.office.access import actor, own_row
from kiosque.web.office.acts import MoneyAct, answer
from kiosque.web.views.office.area import Answer, row, said


def _page(act: Callable[[Settlement], MoneyAct]) -> Callable[[int], Answer]:
    def page(settlement_id: int) -> Answer:
        return answer(act(_own_settlement(settlement_id)))

    return page


refund = _page(acts.Refund)
give_back = _page(acts.GiveBack)
chargeback = _page(acts.Chargeback)
restore = _page(acts.Restore)
apply_overpayment = _page(acts.Apply)
withdraw_overpayment = _page(acts.Withdraw)
drop_refund = _page(acts.DropRefund)
keep_back = _page(acts.KeepBack)
take_up = _page(acts.TakeUp)


def send_receipt(settlement_id: int) -> Response:
    settlement = _own_settlement(settlement_id, Role.FACTURATION, Role.REGISSEUR)
    receipt = receipt_of(settlement) or abort(404)

    def send() -> str:
        count = sent.send_receipt_again(receipt, actor())
        return f"Le reçu part à la famille, à {counted(count, 'adresse')}."

    return said(send, url_for("office.settlement", name=settlement_id))


def _own_settlement(number: int, *wanted: Role) -> Settlement:
    """Return a payment that the agent may act on by one of these roles, by default *régisseur*."""
    return own_row(row(Settlement, number), *(wanted or (Role.REGISSEUR,)))
