"""The filters of the lists of invoices, of payments and of the journal, and their orders."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from operator import itemgetter
from typing import Any

from flask_wtf import FlaskForm
from peewee import Expression, Value
from wtforms.validators import ValidationError

from kiosque import payments
from kiosque.db.models import (
    Attempt,
    Family,
    Invoice,
    JournalEntry,
    Receipt,
    Service,
    Settlement,
    Staff,
    StaffEvent,
    Transmission,
)
from kiosque.db.prepared import PreparedQuery
from kiosque.db.states import InvoiceState, SettlementState
from kiosque.families.codes import normalise_family_code
from kiosque.language import clock
from kiosque.payments.receipts import receipts_named
from kiosque.settings import Settings
from kiosque.staff import events
from kiosque.web import status_words
from kiosque.web.office.filter_fields import ChoiceFilter, DayFilter, EurosFilter, TextFilter
from kiosque.web.office.lists import Filters, RowOrder

#: Most records that the beginning of a name may match; beyond that, ask for a longer beginning.
_MOST = 100
_ALL = ("", "Tous")
LATE, PART, CLOSED = "late", "part", "closed"
_INVOICE_STATES: Mapping[str, str] = {
    InvoiceState.OPEN: status_words.DUE.words,
    LATE: "À régler, date dépassée",
    PART: "Payée en partie",
    CLOSED: "Plus payable en ligne",
    InvoiceState.TRANSMITTED: status_words.TREASURY.words,
    InvoiceState.PAID: status_words.PAID.words,
    InvoiceState.CANCELLED: status_words.CANCELLED.words,
    InvoiceState.NOTHING_DUE: "Avoir, ou rien à payer",
}
_UNPAID = (InvoiceState.OPEN, LATE, PART, CLOSED)
ONLINE, PARTLY = "online", "partly"
_SETTLEMENT_STATES: Mapping[str, str] = {
    SettlementState.COUNTED: "Encaissé",
    PARTLY: "Rendu en partie",
    SettlementState.REFUNDED: "Remboursé",
    SettlementState.REVERSED: "Annulé ou impayé",
}

_BY_ISSUE = RowOrder(Invoice.issued_on, Invoice.id)
_BY_DUE = RowOrder(Invoice.due_on, Invoice.id, ("Plus anciennes", "Plus récentes"), goes_up=True)
_BY_NUMBER = RowOrder(Invoice.number, Invoice.id, ("Précédentes", "Suivantes"), goes_up=True)
BY_SETTLEMENT = RowOrder(Settlement.settled_at, Settlement.id, ("Plus récents", "Plus anciens"))


def begins(column: Any, text: str) -> Expression:
    """Return the condition that a column begins so, which its index serves, since both databases
    compare texts by their bytes."""
    expression: Expression = column.between(text, f"{text}\U0010ffff")
    return expression


def our_reference(text: str) -> str:
    """Return a reference of ours, or its beginning, as it is kept: `KF01ab...`."""
    return text[:2].upper() + text[2:].lower()


class FamilyFilter(TextFilter):
    """A *code famille*, or its beginning; `ids` are the families that it stands for, None for no
    filter."""

    ids: Sequence[int] | None = None

    def pre_validate(self, _form: FlaskForm) -> None:
        if code := normalise_family_code(self.data):
            found = Family.select(Family.id).where(begins(Family.code, code))
            exact = Family.select(Family.id).where(Family.code == code)
            self.ids = _few(exact, found, what="ce code famille")


class ReferenceFilter(TextFilter):
    """A receipt, or the beginning of the bank's name of a debit or of our reference of a payment;
    `ids` are the payments that it stands for, None for no filter."""

    ids: Sequence[int] | None = None

    def pre_validate(self, _form: FlaskForm) -> None:
        if self.data:
            name = payments.bank_name(self.data)
            opened = Attempt.select(Attempt.id).where(
                begins(Attempt.reference, our_reference(name))
            )
            self.ids = _few(
                receipts_named(name).select(Receipt.settlement),
                Settlement.select(Settlement.id).where(begins(Settlement.transaction_id, name)),
                Settlement.select(Settlement.id).where(Settlement.attempt.in_(opened)),
                what="cette référence",
            )


def _few(*queries: Any, what: str) -> list[int]:
    """Return the ids found by the first of these queries that finds any."""
    for query in queries:
        found = [row[0] for row in query.limit(_MOST + 1).tuples()]
        if len(found) > _MOST:
            raise ValidationError(f"Précisez {what}\u00a0: trop de réponses.")
        if found:
            return found
    return []


def _shared(form: Any, record: Any, cents: Any, asked: Any) -> Iterator[Expression]:
    """Give the conditions that invoices and payments share; `asked` is the placeholder of the
    amount in a prepared query."""
    if form.famille.ids is not None:
        yield record.family.in_(form.famille.ids)
    if form.regie and form.regie.data:
        yield record.regie == form.regie.data.strip("-")
    if form.montant.cents is not None:
        yield cents == (form.montant.cents if asked is None else asked)


def _regies(settings: Settings) -> list[tuple[str, str]]:
    """Return the *régies* to choose from, the first one's key being `-`: an empty one is none."""
    keys = settings.regies_by_key.items()
    return [("", "Toutes"), *((key or "-", regie.name) for key, regie in keys)]


_SERVICES = PreparedQuery(lambda: Service.select(Service.name).order_by(Service.name))


class InvoiceFilters(Filters):
    numero = TextFilter("Numéro (début)")
    famille = FamilyFilter("Code famille (début)")
    etat = ChoiceFilter("État", known=[_ALL, *_INVOICE_STATES.items()])
    periode = TextFilter("Période (octobre 2026)")
    service = ChoiceFilter("Service")
    regie = ChoiceFilter("Régie")
    du = DayFilter("Échéance du")
    au = DayFilter("Échéance au")
    montant = EurosFilter("Montant")
    liste = TextFilter("Liste du Trésor public")

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.service.choices = [_ALL, *((name, name) for (name,) in _SERVICES.rows())]
        self.regie.choices = _regies(settings)
        if not settings.regies:
            del self.regie

    @property
    def order(self) -> RowOrder:
        """Sort by number if a number was typed, by due date if invoices to pay or a due date are
        asked for, else by date."""
        if self.numero.data:
            return _BY_NUMBER
        unpaid = self.etat.data in _UNPAID
        return _BY_DUE if unpaid or self.du.day or self.au.day else _BY_ISSUE

    @property
    def may_owe(self) -> bool:
        """Tell whether the list may hold invoices to pay."""
        return not self.etat.data or self.etat.data in _UNPAID

    @property
    def is_plain(self) -> bool:
        """Tell whether nothing is asked for but an amount and a state that does not depend on the
        day: the SQL of the list can then be prepared."""
        return self.chosen.keys() <= {"etat", "montant"} and self.etat.data not in (LATE, CLOSED)

    def conditions(self, cents: Any = None) -> Iterator[Expression]:
        """Give the conditions in force; `cents` stands for the amount in a query that is kept."""
        is_few = self.etat.data in _UNPAID or self.periode.data
        # Most invoices may have this amount. If another filter leaves few, `+ 0` keeps the database
        # from using the index of amounts.
        total = Invoice.total_cents + 0 if is_few else Invoice.total_cents
        yield from _shared(self, Invoice, total, cents)
        if self.numero.data:
            yield begins(Invoice.number, self.numero.data)
        if self.etat.data:
            yield _in_state(self.etat.data)
        if period := self.periode.data:
            yield Invoice.period.in_([period, period.lower()])
        if self.service.data:
            named = Value(", ").concat(Invoice.services).concat(",")
            yield named.contains(f", {self.service.data},")
        if self.du.day:
            yield Invoice.due_on >= self.du.day
        if self.au.day:
            yield Invoice.due_on <= self.au.day
        if self.liste.data:
            listed = Transmission.select(Transmission.invoice).where(
                Transmission.list_name == self.liste.data, Transmission.ended_at.is_null()
            )
            yield Invoice.id.in_(listed)


def _in_state(state: str) -> Expression:
    is_open = Invoice.state == InvoiceState.OPEN
    today = clock.today()
    more: Mapping[str, Any] = {
        InvoiceState.OPEN: is_open,
        LATE: is_open & (Invoice.due_on < today),
        PART: is_open & (Invoice.paid_cents > 0),
        CLOSED: is_open & (Invoice.closes_on < today),
    }
    expression: Expression = more[state] if state in more else Invoice.state == InvoiceState(state)
    return expression


class SettlementFilters(Filters):
    reference = ReferenceFilter("Reçu, ou référence (début)")
    famille = FamilyFilter("Code famille (début)")
    etat = ChoiceFilter("État", known=[_ALL, *_SETTLEMENT_STATES.items()])
    mode = ChoiceFilter("Mode", known=[_ALL, (ONLINE, "en ligne"), *payments.COUNTER_MODES.items()])
    passerelle = ChoiceFilter("Passerelle")
    regie = ChoiceFilter("Régie")
    du = DayFilter("Du")
    au = DayFilter("Au")
    montant = EurosFilter("Montant")

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.passerelle.choices = [("", "Toutes"), *((each, each) for each in settings.gateways)]
        self.regie.choices = _regies(settings)
        if len(settings.gateways) < 2:
            del self.passerelle
        if not settings.regies:
            del self.regie

    def conditions(self, cents: Any = None) -> Iterator[Expression]:
        """Give the conditions in force; `cents` stands for the amount in a query that is kept."""
        yield from _shared(self, Settlement, Settlement.amount_cents, cents)
        if self.reference.ids is not None:
            yield Settlement.id.in_(self.reference.ids)
        if self.etat.data:
            yield _settled_in_state(self.etat.data)
        if self.mode.data == ONLINE:
            yield Settlement.gateway.is_null(False)
        elif self.mode.data:
            yield Settlement.gateway.is_null() & (Settlement.mode == self.mode.data)
        if self.passerelle and self.passerelle.data:
            yield Settlement.gateway == self.passerelle.data
        yield from _within(self, Settlement.settled_at)


class JournalFilters(Filters):
    du = DayFilter("Du")
    au = DayFilter("Au")

    def conditions(self) -> Iterator[Expression]:
        yield from _within(self, JournalEntry.at)


class EventFilters(Filters):
    agent = TextFilter("Agent (début de l’adresse)")
    action = ChoiceFilter(
        "Action", known=[("", "Toutes"), *sorted(events.WORDS.items(), key=itemgetter(1))]
    )
    objet = TextFilter("Code famille, ou autre objet (début)")
    du = DayFilter("Du")
    au = DayFilter("Au")

    def conditions(self) -> Iterator[Expression]:
        if self.agent.data:
            named = Staff.select(Staff.id).where(begins(Staff.email, self.agent.data.lower()))
            yield StaffEvent.staff.in_(named)
        if self.action.data:
            yield StaffEvent.action == self.action.data
        if about := self.objet.data:
            as_code = begins(StaffEvent.object, normalise_family_code(about))
            yield begins(StaffEvent.object, about) | as_code
        yield from _within(self, StaffEvent.at)


def _within(form: Any, at: Any) -> Iterator[Expression]:
    """Give the conditions that an instant is within the days of the filters."""
    if form.du.day:
        yield at >= clock.midnight_in_paris(form.du.day)
    if form.au.day:
        yield at < clock.midnight_in_paris(form.au.day + timedelta(days=1))


def _settled_in_state(state: str) -> Expression:
    if state == PARTLY:
        counted = Settlement.state == SettlementState.COUNTED
        expression: Expression = counted & (Settlement.returned_cents > 0)
        return expression
    of_state: Expression = Settlement.state == SettlementState(state)
    return of_state
