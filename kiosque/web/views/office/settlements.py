"""Payments received, as the town hall looks them up."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, NamedTuple

from flask import render_template, url_for
from peewee import JOIN, ModelSelect, Value
from werkzeug.wrappers import Response

from gateways.base import Refunds
from kiosque import deposits
from kiosque.db.models import Family, Receipt, Settlement
from kiosque.db.states import CREDIT, SettlementState
from kiosque.language import clock
from kiosque.language.formats import format_euros, receipt_title, short_date
from kiosque.mails import sent
from kiosque.papers import content
from kiosque.payments import history, payment_names, records
from kiosque.payments.overpayments import applied_by_hand
from kiosque.payments.receipts import receipts_named
from kiosque.payments.records import PaymentRecord
from kiosque.staff import events
from kiosque.staff.events import Action
from kiosque.staff.roles import Role
from kiosque.web import current, documents
from kiosque.web.office import lists
from kiosque.web.office.access import READERS, actor, own_agent, own_row
from kiosque.web.office.filters import BY_SETTLEMENT, SettlementFilters
from kiosque.web.status_words import settlement_status
from kiosque.web.views.office.area import Answer, known, row


class ListedPayment(NamedTuple):
    """A row of the list; `code` and `name` are its family's, `number` and `sequence` its
    receipt's."""

    id: int
    settled_at: datetime
    mode: str
    gateway: str | None
    state: str
    amount_cents: int
    returned_cents: int
    code: str | None
    name: str | None
    number: int | None
    sequence: str | None


def settlements() -> Answer:
    form = SettlementFilters(current.settings())
    return lists.show("office/settlements.html", form, lambda: _page(form), _written)


def _written(found: Iterable[ListedPayment]) -> Iterator[tuple[str, ...]]:
    """Write the rows with their words: three hundred cells, for which the template calls
    nothing."""
    root, ways = url_for("office.settlements"), {}
    for it in found:
        way = it.mode, it.gateway
        if way not in ways:
            ways[way] = content.way_paid(it.mode, online=bool(it.gateway))
        title = "" if it.number is None else receipt_title(it.number, it.sequence or "")
        status, amount = settlement_status(it), format_euros(it.amount_cents)
        if it.returned_cents and it.returned_cents < it.amount_cents:
            amount += f", dont {format_euros(it.returned_cents)} rendus"
        yield (
            f"{root}/{it.id}", title or f"n°\u00a0{it.id}",
            short_date(clock.paris_date(it.settled_at)),
            f"{it.code} {it.name}" if it.code else "inconnue",
            ways[way], status.name, status.words, amount,
        )  # fmt: skip


def _page(form: SettlementFilters) -> lists.ListPage:
    if form.famille.data:
        events.note(Action.FAMILIES_SEARCHED, actor(), form.famille.data)

    def found(cents: Value) -> "ModelSelect[Settlement]":
        return lists.narrow(money(), form.conditions(cents))

    def rows(cents: Value) -> "ModelSelect[Settlement]":
        return with_names(found(cents), *lists.columns(ListedPayment, Settlement, Family, Receipt))

    reads_all = own_agent().bounds(*READERS) is None
    is_plain = reads_all and form.chosen.keys() <= {"montant"}
    kept_as = ("settlements", form.montant.cents is None) if is_plain else None
    of, cents = ListedPayment, {"cents": form.montant.cents}
    return lists.read_page(rows, BY_SETTLEMENT, found, kind=of, kept_as=kept_as, values=cents)


def money(*wanted: Role) -> "ModelSelect[Settlement]":
    """Select the payments of the *régies* for which the agent has one of these roles, by default
    those that read money. Leave out the uses of credit notes: they are no money."""
    received = Settlement.select(Settlement.id).where(Settlement.mode != CREDIT)
    return lists.narrow(received, own_agent().own(Settlement.regie, *wanted))


def with_names(found: "ModelSelect[Settlement]", *columns: Any) -> "ModelSelect[Settlement]":
    """Return these columns of payments, of their families and receipts."""
    families = found.select(*columns).join(Family, JOIN.LEFT_OUTER)
    return families.switch(Settlement).join(Receipt, JOIN.LEFT_OUTER)


def settlement(name: str) -> str:
    found = _settlement(name)
    record = records.read(found)
    events.note(Action.PAYMENT_READ, actor(), payment_names.name_of(found))
    return render_template(
        "office/settlement.html",
        record=record,
        status=settlement_status(found),
        how=content.how_paid(found),
        history=history.events_of_settlement(found),
        mails=sent.in_words(sent.about_settlement(found)),
        acts=list(_acts(record)),
    )


def receipt_paper(receipt_id: int) -> Response:
    receipt = row(Receipt, receipt_id)
    own_row(receipt.settlement, *READERS)
    events.note(Action.PAYMENT_READ, actor(), receipt.title)
    return documents.answer_receipt(content.receipt_document(receipt))


def _settlement(name: str) -> Settlement:
    """Return the payment of this number or receipt, else 404."""
    if name.isascii() and name.isdigit() and len(name) < 20:
        found = Settlement.get_or_none(Settlement.id == known(int(name)))
    else:
        receipt = receipts_named(name).first()
        found = receipt.settlement if receipt else None
    return own_row(found, *READERS)


def _acts(record: PaymentRecord) -> Iterator[tuple[str, str]]:
    """Give what the agent may do with a payment: the page, and its words."""
    settlement = record.settlement
    if own_agent().has_for([settlement.regie], Role.REGISSEUR) and not settlement.credit_id:
        yield from _of_money(record)
        yield from _of_deposits(settlement)


def _of_money(record: PaymentRecord) -> Iterator[tuple[str, str]]:
    settlement = record.settlement
    if record.asked:
        yield "office.drop_refund", "Abandonner le remboursement demandé"
    elif settlement.state == SettlementState.COUNTED:
        gateway = current.gateways().get(settlement.gateway or "")
        if settlement.attempt_id and isinstance(gateway, Refunds):
            yield "office.refund", "Rembourser par la banque"
        yield "office.give_back", "Noter un remboursement fait autrement"
        yield "office.chargeback", "Noter un impayé"
    if settlement.returned_cents:
        yield "office.restore", "Rétablir ce qui n’est pas reparti"
    if record.owed_cents:
        yield "office.apply_overpayment", "Affecter le trop-perçu à une facture"
    if applied_by_hand(settlement):
        yield "office.withdraw_overpayment", "Reprendre un trop-perçu affecté à une facture"


def _of_deposits(settlement: Settlement) -> Iterator[tuple[str, str]]:
    if deposits.kept_of(settlement):
        yield "office.take_up", "Reprendre au bordereau"
    elif deposits.to_pay_over(settlement):
        yield "office.keep_back", "Garder hors du bordereau"
