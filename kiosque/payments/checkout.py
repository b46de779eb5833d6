"""From a family's choice to the bank's door."""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta
from functools import cache
from threading import BoundedSemaphore

from peewee import Expression

from gateways.base import Gateway, Handoff, Limits, Order, Unreachable, WrongEmail
from kiosque.db import require_no_write, write
from kiosque.db.models import Attempt, AttemptItem, Family, Invoice
from kiosque.db.states import AttemptState, FactSource, InvoiceState
from kiosque.language import clock, formats
from kiosque.language.catalogue import gettext as _
from kiosque.language.formats import format_euros
from kiosque.payments.issuers import Issuers
from kiosque.payments.ledger import Refused, learn, release
from kiosque.payments.orders import order_of
from kiosque.payments.polling import ask_soon, first_question, holders, is_owed_an_answer

#: More at once would overflow an address and help nobody.
MAX_INVOICES = 50
#: A payment may be confirmed late; past this, its receipt waits in the family's space.
ADDRESS_DAYS = 30
#: How many of a process's threads may wait for one bank to open a payment, and how many seconds
#: another waits for one of them to be done. Most banks are asked nothing: the form is enough.
STARTS_AT_ONCE = 4
DOOR_SECONDS = 1.0


@dataclass(frozen=True)
class Selection:
    """Invoices a family may pay together, and why the others it asked for are refused."""

    invoices: list[Invoice]
    reasons: list[str]

    @property
    def total_cents(self) -> int:
        return sum(invoice.total_cents for invoice in self.invoices)

    @property
    def parts(self) -> dict[str, "Selection"]:
        """The same by *régie*, that of the oldest invoice first: each is paid apart."""
        oldest_first = sorted(self.invoices, key=lambda invoice: (invoice.due_on, invoice.number))
        keys = dict.fromkeys(invoice.regie for invoice in oldest_first)
        return {
            key: Selection([each for each in self.invoices if each.regie == key], [])
            for key in keys
        }


@dataclass(frozen=True)
class Purchase:
    """What a family confirmed: `expected_cents` is the total it read."""

    family: Family
    numbers: Sequence[str]
    expected_cents: int
    receipt_email: str | None = None


def select(family: Family, numbers: Iterable[str], limits: Limits) -> Selection:
    """Sort the numbers asked for into what may be paid now, together and by a bank of these
    limits, and reasons why not."""
    chosen = choose(family, numbers)
    reasons = list(chosen.reasons)
    if len(chosen.parts) > 1:
        reasons.append(
            _("Ces factures sont de régies différentes\u00a0: elles se paient séparément.")
        )
    total = chosen.total_cents
    if chosen.invoices and not limits.minimum_cents <= total <= limits.maximum_cents:
        bounds = {
            "least": format_euros(limits.minimum_cents),
            "most": format_euros(limits.maximum_cents),
        }
        reasons.append(_("La banque accepte de %(least)s à %(most)s par paiement.") % bounds)
    return Selection(chosen.invoices, reasons)


def choose(family: Family, numbers: Iterable[str]) -> Selection:
    """Sort the numbers asked for into what may be paid now, in one payment or several, and
    reasons why not."""
    asked = list(dict.fromkeys(numbers))
    if not asked:
        return Selection([], [_("Cochez au moins une facture.")])
    if len(asked) > MAX_INVOICES:
        return Selection(
            [], [_("Payez au plus %(count)d factures à la fois.") % {"count": MAX_INVOICES}]
        )
    found = {
        invoice.number: invoice
        for invoice in Invoice.select().where(Invoice.family == family, Invoice.number.in_(asked))
    }
    live = live_attempts(list(found.values()))
    reasons, invoices = [], []
    for number in asked:
        invoice = found.get(number)
        reason = _why_not(invoice, live.get(invoice.id) if invoice else None)
        if invoice and not reason:
            invoices.append(invoice)
        else:
            words = {"number": number[:30], "reason": reason}
            reasons.append(_("Facture %(number)s\u00a0: %(reason)s") % words)
    return Selection(invoices, reasons)


def regie_of(family: Family, numbers: Iterable[str]) -> str:
    """The key of the *régie* of these invoices; of the oldest one's, should they be of several."""
    first = (
        Invoice.select(Invoice.regie)
        .where(Invoice.family == family, Invoice.number.in_(list(numbers)[:MAX_INVOICES]))
        .order_by(Invoice.due_on, Invoice.number)
        .first()
    )
    return first.regie if first else ""


def ask_about_holders(
    family: Family,
    numbers: Iterable[str],
    gateways: Mapping[str, Gateway],
    public_url: str,
    issuers: Issuers,
) -> None:
    """Ask the bank about the attempts that hold these invoices of a family's, so that it learns
    what became of them before it opens another. Never raises for a bank that does not answer."""
    invoices = Invoice.select(Invoice.id).where(
        Invoice.family == family, Invoice.number.in_(list(numbers)[:MAX_INVOICES])
    )
    for attempt in holders([invoice.id for invoice in invoices]):
        ask_soon(attempt, gateways, public_url, issuers)


def live_attempts(invoices: Sequence[Invoice]) -> dict[int, Attempt]:
    """The attempt that holds each of these invoices now, by invoice id."""
    items = (
        AttemptItem.select(AttemptItem, Attempt)
        .join(Attempt)
        .where(
            AttemptItem.invoice.in_([invoice.id for invoice in invoices]),
            AttemptItem.live == True,  # noqa: E712  # an SQL expression
            Attempt.live_until > clock.now(),
        )
    )
    return {item.invoice_id: item.attempt for item in items}


def payable_now() -> Expression:
    """The invoices that can be paid online at this moment: open, not yet the Treasury's, held
    by no payment under way. For a query over many families."""
    held = (
        AttemptItem.select(AttemptItem.invoice)
        .join(Attempt)
        .where(
            AttemptItem.live == True,  # noqa: E712  # an SQL expression
            Attempt.live_until > clock.now(),
        )
    )
    return (
        (Invoice.state == InvoiceState.OPEN)
        & (Invoice.closes_on.is_null() | (Invoice.closes_on >= clock.today()))
        & Invoice.id.not_in(held)
    )


def start(purchase: Purchase, gateway: Gateway, public_url: str) -> tuple[Attempt, Handoff]:
    """Open an attempt and prepare its way to the bank.

    The attempt is committed before the gateway is called and before any form exists. Raises
    Refused, changing nothing; Unreachable or WrongEmail, having closed the attempt: nobody can
    pay it.
    """
    require_no_write()
    attempt = _open(purchase, gateway)
    email = attempt.receipt_email if gateway.limits.requires_email else None
    order = order_of(attempt, public_url, email=email)
    try:
        handoff = _hand_over(gateway, order)
    except (Unreachable, WrongEmail) as error:
        wrong_email = isinstance(error, WrongEmail)
        why = FactSource.EMAIL_REFUSED if wrong_email else FactSource.BANK_UNREACHABLE
        with write():
            learn(attempt, "", AttemptState.CANCELLED, source=why)
        raise
    with write():
        learn(attempt, "", AttemptState.HANDED_OFF, source=FactSource.PORTAL)
        Attempt.update(
            gateway_reference=handoff.gateway_reference,
            ask_at=first_question(attempt, gateway),
        ).where(Attempt.id == attempt.id).execute()
    return attempt, handoff


def _hand_over(gateway: Gateway, order: Order) -> Handoff:
    """The way to the bank. Raises WrongEmail, and Unreachable also when STARTS_AT_ONCE others wait
    for this bank already: one that is slow must not take all the threads of the site."""
    door = _door(gateway.name)
    if not door.acquire(timeout=DOOR_SECONDS):
        raise Unreachable("d’autres payeurs attendent déjà cette banque")
    try:
        return gateway.start(order)
    finally:
        door.release()


@cache
def _door(_gateway_name: str) -> BoundedSemaphore:
    return BoundedSemaphore(STARTS_AT_ONCE)


def forget_old_addresses() -> None:
    """Erase the receipt addresses of payments that came to nothing, after ADDRESS_DAYS."""
    with write():
        Attempt.update(receipt_email=None).where(
            Attempt.receipt_email.is_null(False),
            Attempt.started_at < clock.now() - timedelta(days=ADDRESS_DAYS),
        ).execute()


def _open(purchase: Purchase, gateway: Gateway) -> Attempt:
    now = clock.now()
    with write():
        selection = select(purchase.family, purchase.numbers, gateway.limits)
        if selection.reasons:
            raise Refused(selection.reasons)
        if selection.total_cents != purchase.expected_cents:
            raise Refused([_("Le montant de vos factures a changé. Vérifiez-le de nouveau.")])
        _close_lapsed(selection.invoices)
        day = now.astimezone(UTC).strftime("%Y%m%d")
        attempt = Attempt.create(
            reference=f"KF{secrets.token_hex(9)}",
            family=purchase.family,
            regie=selection.invoices[0].regie,
            gateway=gateway.name,
            started_at=now,
            day=day,
            number=_free_number(gateway.name, day),
            amount_cents=selection.total_cents,
            state=AttemptState.CREATED,
            live_until=now + timedelta(minutes=gateway.limits.session_minutes),
            receipt_email=purchase.receipt_email,
        )
        for invoice in selection.invoices:
            AttemptItem.create(attempt=attempt, invoice=invoice, amount_cents=invoice.total_cents)
        learn(attempt, "", AttemptState.CREATED, source=FactSource.PORTAL)
    return attempt


def _why_not(invoice: Invoice | None, live: Attempt | None) -> str:
    """Why an invoice cannot be paid now, in words for the family; empty when it can."""
    if invoice is None:
        return _("elle ne figure pas dans votre dossier.")
    if invoice.state == InvoiceState.PAID:
        return _("elle est déjà payée.")
    if invoice.state == InvoiceState.CANCELLED:
        return _("elle a été annulée, vous n’avez rien à payer.")
    if live and live.state == AttemptState.PENDING:
        return _("la banque examine encore votre paiement. Vous n’avez rien à faire.")
    if live:
        return _(
            "un paiement est déjà ouvert à la banque. Terminez-le sur la page de la banque si "
            "elle est encore ouverte, ou recommencez après %(hour)s."
        ) % {"hour": formats.paris_hour(live.live_until)}
    if invoice.is_closed and invoice.closes_on:
        return _(
            "le paiement en ligne est clos depuis le %(date)s. Elle est transmise au Trésor public."
        ) % {"date": formats.long_date(invoice.closes_on)}
    return ""


def _free_number(gateway: str, day: str) -> int:
    """A number no attempt of this gateway has that UTC day; random, so that it tells nothing.

    Lyra reserves 900000 to 999999 for its back office.
    """
    while True:
        number = secrets.randbelow(900_000)
        taken = Attempt.gateway == gateway, Attempt.day == day, Attempt.number == number
        if not Attempt.select().where(*taken).exists():
            return number


def _close_lapsed(invoices: Sequence[Invoice]) -> None:
    """Declare expired the silent attempts that held these invoices beyond their time. Raises
    Refused when the bank, which can say what became of one, has not answered since."""
    for attempt in holders([invoice.id for invoice in invoices]):
        if is_owed_an_answer(attempt):
            raise Refused(
                [
                    _(
                        "Nous attendons encore la réponse de la banque sur votre paiement "
                        "précédent. Réessayez dans quelques minutes."
                    )
                ]
            )
        learn(attempt, "", AttemptState.EXPIRED, source=FactSource.TIMEOUT)
        # One that the bank called pending stays so, but no longer keeps its invoices.
        release(attempt)
