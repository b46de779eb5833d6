"""The reasons to remember a family: anything still due between it and the town."""

from collections.abc import Iterator
from datetime import date

from peewee import ModelSelect

from kiosque.db.models import Anomaly, Attempt, Family, Invoice, Repayment, Settlement
from kiosque.db.states import UNDECIDED, InvoiceState, RepaymentState
from kiosque.language import clock
from kiosque.language.formats import counted, format_euros
from kiosque.payments.accounting_rules import owed_cents

#: Numbers that a sentence names.
_NAMED = 5
#: Whole years after which a debt of the town is prescribed (loi n° 68-1250, article 1), and so is
#: one that the Treasury collects (CGCT L1617-5, 3°).
PRESCRIPTION_YEARS = 4


def dues(family: Family, *, credit_notes: bool = True) -> list[str]:
    """Say in French what is due either way, or not known yet; nothing when all is settled.

    Without `credit_notes`, those (*avoirs*) are known to be given back: the site only shows them.
    """
    found = [_open_invoices(family), _at_the_treasury(family), _at_the_bank(family)]
    found += [_refunds(family), _owed(family)]
    found += [_credit_notes(family) if credit_notes else "", _anomalies(family)]
    return [text for text in found if text]


def _open_invoices(family: Family) -> str:
    which = Invoice.select().where(Invoice.family == family, Invoice.state == InvoiceState.OPEN)
    return _numbers("facture", which, "à régler, à annuler ou à solder")


def _at_the_treasury(family: Family) -> str:
    which = Invoice.select().where(
        Invoice.family == family,
        Invoice.state == InvoiceState.TRANSMITTED,
        Invoice.issued_on >= _not_prescribed(),
    )
    return _numbers("facture", which, "au Trésor public, dont le site ignore le paiement")


def _not_prescribed() -> date:
    return date(clock.today().year - PRESCRIPTION_YEARS, 1, 1)


def _credit_notes(family: Family) -> str:
    which = Invoice.select().where(
        Invoice.family == family,
        Invoice.state == InvoiceState.NOTHING_DUE,
        Invoice.total_cents < Invoice.paid_cents,
        Invoice.issued_on >= _not_prescribed(),
    )
    return _numbers("avoir", which, "dont le site ignore l’emploi")


def _numbers(what: str, which: "ModelSelect[Invoice]", state: str) -> str:
    numbers = [invoice.number for invoice in which.order_by(Invoice.number)]
    if not numbers:
        return ""
    more = "..." if len(numbers) > _NAMED else ""
    return f"{counted(len(numbers), what)} {state} ({', '.join(numbers[:_NAMED])}{more})"


def _at_the_bank(family: Family) -> str:
    undecided = Attempt.state.in_(list(UNDECIDED))
    count = (
        Attempt.select()
        .where(Attempt.family == family, undecided | Attempt.ask_at.is_null(False))
        .count()
    )
    return f"{counted(count, 'paiement')} dont la banque n’a pas tout dit" if count else ""


def _refunds(family: Family) -> str:
    asked = Repayment.select().join(Settlement)
    asked = asked.where(Settlement.family == family, Repayment.state == RepaymentState.ASKED)
    return f"{counted(asked.count(), 'remboursement')} sans réponse" if asked.exists() else ""


def _owed(family: Family) -> str:
    cents = sum(map(owed_cents, _payments(family)))
    return f"{format_euros(cents)} à rendre ou à employer" if cents else ""


def _payments(family: Family) -> Iterator[Settlement]:
    """Yield one settlement for each payment."""
    settlements = Settlement.select().where(Settlement.family == family)
    yield from {each.attempt_id or -each.id: each for each in settlements}.values()


def _anomalies(family: Family) -> str:
    of_family = (
        Anomaly.attempt.in_(Attempt.select(Attempt.id).where(Attempt.family == family))
        | Anomaly.settlement.in_(
            Settlement.select(Settlement.id).where(Settlement.family == family)
        )
        | Anomaly.invoice.in_(Invoice.select(Invoice.id).where(Invoice.family == family))
    )
    count = Anomaly.select().where(Anomaly.resolved_at.is_null(), of_family).count()
    return f"{counted(count, 'point')} à traiter (todo)" if count else ""
