"""Play the month that the demo has to close: what families paid, and what went another way."""

import csv
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from gateways import registry
from gateways.base import Outcome, Report
from kiosque import payments
from kiosque.db import write
from kiosque.db.models import Attempt, Invoice, OutboxMail, Service, Settlement
from kiosque.db.states import MailState, RepaymentKind
from kiosque.deposits.imputations import Imputed, set_imputation
from kiosque.language import clock
from kiosque.language.parsing import parse_hundredths
from kiosque.payments import CounterPayment, Purchase
from kiosque.payments.receipts import Issuers
from kiosque.settings import Settings

_AUTHOR = "Dominique Aubry"
#: The *fonction* and the article of each service in the town's accounts.
_FUNCTIONS = {"Restauration scolaire": "281", "Périscolaire": "331", "Mercredi": "331"}
_ARTICLES = {"Restauration scolaire": "7067", "Multi-accueil": "7066"}

Row = Mapping[str, str]


def play(settings: Settings, path: Path) -> None:
    """Play every act of a file at its instant, in Paris time. Skip those already done."""
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter=";"):
            at = datetime.fromisoformat(row["instant"]).replace(tzinfo=clock.PARIS)
            with clock.held_at(at.astimezone(UTC)):
                _ACTS[row["acte"]](settings, row)


def forget_mails() -> None:
    """Mark the mails of that month as sent: nobody wants them months later."""
    with write():
        OutboxMail.update(state=MailState.SENT, sent_at=OutboxMail.queued_at).execute()


def impute() -> None:
    """Say where the revenue of each service goes in the town's accounts."""
    for service in Service.select():
        article, fonction = _ARTICLES.get(service.name, "7067"), _FUNCTIONS.get(service.name, "421")
        set_imputation("", service.name, Imputed(article, fonction), _AUTHOR)


def _pay(settings: Settings, row: Row) -> None:
    """The family pays at the bank, which debits it at once."""
    if _settlement(row) is None:
        _hear(settings, row, _start(settings, row), final=True)


def _authorise(settings: Settings, row: Row) -> None:
    """The family pays; the bank may still undo it."""
    if _settlement(row) is None:
        _hear(settings, row, _start(settings, row), final=False)


def _hear_of(settings: Settings, row: Row) -> None:
    """The bank tells of a debit of a payment begun before: late, or once more."""
    first = Attempt.select().join(Settlement, on=Settlement.attempt == Attempt.id)
    _hear(settings, row, first.where(Settlement.transaction_id == row["de"]).get(), final=True)


def _start(settings: Settings, row: Row) -> Attempt:
    invoice = _invoice(row)
    name = settings.payment.gateway
    bank = registry.configure(name, settings.gateways[name], environment=settings.environment)
    purchase = Purchase(invoice.family, [invoice.number], invoice.remaining_cents)
    attempt, _handoff = payments.start(purchase, bank, settings.public_url)
    return Attempt.get_by_id(attempt.id)


def _hear(settings: Settings, row: Row, attempt: Attempt, *, final: bool) -> None:
    report = Report(
        reference=attempt.reference,
        gateway_reference=attempt.gateway_reference or "",
        outcome=Outcome.PAID,
        cents=parse_hundredths(row["montant"]),
        currency="EUR",
        transaction_id=row["transaction"],
        status="CAPTURED" if final else "AUTHORISED",
        card_brand="CB",
        card_last4="0001",
        final=final,
    )
    payments.record(settings.payment.gateway, report, Issuers.from_settings(settings))


def _take_at_counter(settings: Settings, row: Row) -> None:
    payment = CounterPayment(
        row["facture"],
        parse_hundredths(row["montant"]),
        row["mode"],
        clock.today(),
        _AUTHOR,
        "tickets remis à l’accueil",
    )
    payments.settle_at_counter([payment], settings.regies_by_key)


def _give_back(_settings: Settings, row: Row) -> None:
    _leave(row, RepaymentKind.REFUND, "rendu par la banque")


def _charge_back(_settings: Settings, row: Row) -> None:
    _leave(row, RepaymentKind.CHARGEBACK, "carte contestée par son porteur")


def _leave(row: Row, kind: RepaymentKind, reason: str) -> None:
    settlement = _settlement(row)
    if settlement and not settlement.returned_cents:
        cents = parse_hundredths(row["montant"])
        payments.record_repayment(settlement, kind, cents, _AUTHOR, reason)


def _invoice(row: Row) -> Invoice:
    return Invoice.get(Invoice.number == row["facture"])


def _settlement(row: Row) -> Settlement | None:
    found: Settlement | None = Settlement.get_or_none(
        Settlement.transaction_id == row["transaction"]
    )
    return found


_ACTS: Mapping[str, Callable[[Settings, Row], None]] = {
    "paie": _pay,
    "autorise": _authorise,
    "annonce": _hear_of,
    "guichet": _take_at_counter,
    "rend": _give_back,
    "impaye": _charge_back,
}
