"""Pages of a régisseur's acts on a payment: give back, restore, apply an overpayment, keep back."""

from flask import abort, flash, redirect, url_for
from werkzeug.wrappers import Response

from kiosque.db.models import Settlement
from kiosque.mails import sent
from kiosque.payments.receipts import receipt_of
from kiosque.staff.roles import Role
from kiosque.web.office import settlement_acts as acts
from kiosque.web.office.access import actor, fresh_code, own_row, staff_only
from kiosque.web.office.acts import answer
from kiosque.web.views.office.area import Answer, known


@staff_only(Role.REGISSEUR)
@fresh_code
def refund(settlement_id: int) -> Answer:
    return answer(acts.Refund(_own_settlement(settlement_id)))


@staff_only(Role.REGISSEUR)
@fresh_code
def give_back(settlement_id: int) -> Answer:
    return answer(acts.GiveBack(_own_settlement(settlement_id)))


@staff_only(Role.REGISSEUR)
@fresh_code
def chargeback(settlement_id: int) -> Answer:
    return answer(acts.Chargeback(_own_settlement(settlement_id)))


@staff_only(Role.REGISSEUR)
@fresh_code
def restore(settlement_id: int) -> Answer:
    return answer(acts.Restore(_own_settlement(settlement_id)))


@staff_only(Role.REGISSEUR)
@fresh_code
def apply_overpayment(settlement_id: int) -> Answer:
    return answer(acts.Apply(_own_settlement(settlement_id)))


@staff_only(Role.REGISSEUR)
@fresh_code
def drop_refund(settlement_id: int) -> Answer:
    return answer(acts.DropRefund(_own_settlement(settlement_id)))


@staff_only(Role.REGISSEUR)
def keep_back(settlement_id: int) -> Answer:
    return answer(acts.KeepBack(_own_settlement(settlement_id)))


@staff_only(Role.REGISSEUR)
def take_up(settlement_id: int) -> Answer:
    return answer(acts.TakeUp(_own_settlement(settlement_id)))


@staff_only(Role.FACTURATION, Role.REGISSEUR)
def send_receipt(settlement_id: int) -> Response:
    settlement = _own_settlement(settlement_id, Role.FACTURATION, Role.REGISSEUR)
    count = sent.send_receipt_again(receipt_of(settlement) or abort(404), actor())
    words = "Le reçu part à la famille." if count else "Aucune adresse n’est connue de la famille."
    flash(words)
    return redirect(url_for("office.settlement", name=settlement_id))


def _own_settlement(number: int, *wanted: Role) -> Settlement:
    """Return a payment that the agent may act on in one of these roles, else as *régisseur*."""
    found = Settlement.get_or_none(Settlement.id == known(number))
    return own_row(found, *(wanted or (Role.REGISSEUR,)))
