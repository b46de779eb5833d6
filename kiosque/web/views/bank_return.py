"""The page that a payer comes back to from the bank."""

from typing import NamedTuple

from flask import Blueprint, redirect, render_template, request, session, url_for
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from kiosque import payments
from kiosque.db.models import Attempt, AttemptItem, Invoice, OutboxMail, Receipt, Settlement
from kiosque.db.states import AttemptState, MailState
from kiosque.invoices import trial
from kiosque.outbox import addresses
from kiosque.payments import Money, OpenPayment, Paid, Selection
from kiosque.web import access, current, invoice_rows, open_payments
from kiosque.web.forms import csrf
from kiosque.web.invoice_rows import UnpaidRows
from kiosque.web.status_words import RETRIABLE, UNKNOWN, attempt_result, is_undecided
from kiosque.web.views.payment import CHOSEN_TOGETHER, RECEIPT_TO

blueprint = Blueprint("bank_return", __name__, url_prefix="/paiement/retour")

#: Seconds before each of the page's own refreshes; then it stops and offers a link.
REFRESH_AFTER = (2, 2, 3, 5, 5, 10, 10, 20, 30, 60)
#: Parameter of the query: the number of this refresh. The page reads nothing else of its address.
_TRIES = "essai"


class ReceiptMail(NamedTuple):
    """Where a receipt goes by mail: the address, masked so that only its owner recognises it, empty
    if this browser does not know it; and whether the mail has left."""

    address: str
    is_sent: bool


class Details(NamedTuple):
    """A payment as only the family that pays may read it. `receipt` is the first one; `unpaid` is
    all that the family has still to pay; `money` is what became of the money. `left` are the
    invoices chosen together with these and still to pay, `retry` those that may be paid again.
    `instead` is the other payment that now holds its invoices; `paid_otherwise` are its invoices
    that another payment paid."""

    items: list[AttemptItem]
    receipt: Receipt | None
    mail: ReceiptMail | None
    unpaid: UnpaidRows
    money: Money
    left: Selection | None
    retry: Selection | None
    instead: Attempt | None
    paid_otherwise: list[Paid]


@blueprint.get("/<reference>")
def show(reference: str) -> str | Response:
    """Show our own state of a payment, and nothing private to a stranger. The return decides
    nothing: at most, it makes us ask the bank.

    Some banks put their answer into the address. Do not read it; redirect to the address without
    it, so that no history keeps it and no page passes it on to another site.
    """
    attempt = _attempt(reference)
    may_come_back = open_payments.note_return(attempt.reference)
    if request.args.keys() - {_TRIES}:
        return redirect(url_for(".show", reference=attempt.reference))
    attempt = _with_news(attempt)
    own, items = _is_own(attempt), _items(attempt)
    opened = _offered(attempt, items) if own else None
    return render_template(
        "payment/return.html",
        attempt=attempt,
        opened=opened,
        is_trial=not own and attempt.family.code == trial.CODE,
        details=_details(attempt, items) if own else None,
        **_result(attempt, items, chooses=opened is not None and not may_come_back),
    )


@blueprint.post("/<reference>")
@csrf.exempt  # type: ignore[untyped-decorator]  # Flask-WTF carries no types
def sent_back(reference: str) -> Response:
    """Redirect a payer whom the bank sends back by a form. The form comes from another site, so it
    carries no cookie of ours and may say anything: the next page has the cookies and ignores it."""
    return redirect(url_for(".show", reference=_attempt(reference).reference), 303)


def _attempt(reference: str) -> Attempt:
    """Return the attempt of this reference. Raises NotFound."""
    found: Attempt | None = Attempt.get_or_none(Attempt.reference == reference)
    if found is None:
        raise NotFound
    return found


def _is_own(attempt: Attempt) -> bool:
    family = access.signed_in_family()
    return family is not None and family.id == attempt.family_id


def _offered(attempt: Attempt, items: list[AttemptItem]) -> OpenPayment | None:
    """Return what the payer may do with a payment whose invoices are all still to be paid."""
    if any(item.invoice.remaining_cents < item.amount_cents for item in items):
        return None
    return open_payments.waiting_for_payer(attempt)


def _with_news(attempt: Attempt) -> Attempt:
    """Return the attempt, after asking the bank about it if it is undecided."""
    if not is_undecided(attempt):
        return attempt
    public_url = current.settings().public_url
    payments.ask_soon(attempt, current.gateways(), public_url, current.issuers())
    found: Attempt = Attempt.get_by_id(attempt.id)
    return found


def _result(attempt: Attempt, items: list[AttemptItem], *, chooses: bool) -> dict[str, object]:
    """Return what to say of the payment, after how many seconds to reload the page, and the number
    of this reload. Never reload while the payer chooses what to do."""
    tries = request.args.get(_TRIES, 0, type=int)
    undecided = is_undecided(attempt) and not chooses
    goes_on = undecided and 0 <= tries < len(REFRESH_AFTER)
    invoices = {item.invoice for item in items}
    if attempt.state in (AttemptState.REVERSED, AttemptState.REFUNDED):
        invoices |= set(payments.invoices_paid_by(attempt))  # a *trop-perçu* may have paid another
    result = attempt_result(attempt, invoices, waits_for_payer=chooses)
    return {
        "result": result,
        "unanswered_at": attempt.started_at if result is UNKNOWN else None,
        "refresh_after": REFRESH_AFTER[tries] if goes_on else None,
        "tries": tries,
        "last_try": len(REFRESH_AFTER),
        "undecided": undecided,
    }


def _items(attempt: Attempt) -> list[AttemptItem]:
    query = AttemptItem.select(AttemptItem, Invoice).join(Invoice)
    return list(query.where(AttemptItem.attempt == attempt).order_by(Invoice.number))


def _details(attempt: Attempt, items: list[AttemptItem]) -> Details:
    receipt = (
        Receipt.select().join(Settlement).where(Settlement.attempt == attempt).order_by(Receipt.id)
    ).first()
    numbers = [item.invoice.number for item in items]
    return Details(
        items=items,
        receipt=receipt,
        mail=_receipt_mail(receipt, attempt.reference) if receipt else None,
        unpaid=invoice_rows.unpaid(attempt.family, invoice_rows.RowWriter()),
        money=payments.money_of(attempt),
        left=_left_of_choice(attempt),
        retry=_retry(attempt, numbers),
        instead=_instead(attempt, items),
        paid_otherwise=_paid_otherwise(attempt, numbers),
    )


def _receipt_mail(receipt: Receipt, reference: str) -> ReceiptMail | None:
    """Return where a receipt is sent; None where nobody asked for it, or it cannot leave."""
    mail = OutboxMail.get_or_none(OutboxMail.key == f"receipt:{receipt.id}")
    if mail is None or mail.state not in (MailState.WAITING, MailState.SENT):
        return None
    of, address = session.get(RECEIPT_TO, ("", ""))
    known = address if of == reference else addresses.masked(mail.recipient)
    return ReceiptMail(known, mail.state == MailState.SENT)


def _left_of_choice(attempt: Attempt) -> Selection | None:
    """Return what was chosen together with this payment, of other *régies*, and is still to pay."""
    ids = session.get(CHOSEN_TOGETHER)
    if not ids or attempt.state not in (AttemptState.PAID, AttemptState.PENDING):
        return None
    chosen = Invoice.select().where(Invoice.id.in_(ids), Invoice.family == attempt.family_id)
    left = payments.select_invoices(attempt.family, [invoice.number for invoice in chosen])
    return left if left.invoices else None


def _instead(attempt: Attempt, items: list[AttemptItem]) -> Attempt | None:
    """Return the payment that took the place of one that came to nothing."""
    if AttemptState(attempt.state) not in RETRIABLE:
        return None
    holders = payments.live_attempts([item.invoice for item in items])
    return next(iter(holders.values()), None)


def _paid_otherwise(attempt: Attempt, numbers: list[str]) -> list[Paid]:
    """Return those of these invoices that another payment than this one paid."""
    if attempt.state == AttemptState.PAID:
        return []
    return payments.payment_status_of(attempt.family, numbers).paid


def _retry(attempt: Attempt, numbers: list[str]) -> Selection | None:
    """Return the invoices of a payment that came to nothing, if they can still be paid together."""
    name = current.settings().gateway_of(attempt.regie)
    if name is None or AttemptState(attempt.state) not in RETRIABLE:
        return None
    if name in payments.closed_banks():
        return None
    limits = current.gateways()[name].limits
    chosen = payments.select_for_one_payment(attempt.family, numbers, limits)
    return None if chosen.reasons else chosen
