"""The two steps before the bank: what is to be paid, and the hand-off."""

import re
from collections.abc import Mapping

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from gateways.base import Gateway, Handoff, Unreachable, WrongEmail
from kiosque import payments
from kiosque.db.models import Attempt
from kiosque.language.catalogue import gettext as _
from kiosque.outbox import addresses
from kiosque.payments import Issuers, Purchase, Refused
from kiosque.web import current, headers
from kiosque.web.access import family_only, own_attempt, own_family
from kiosque.web.forms import PayForm
from kiosque.web.open_payments import waiting_for_payer
from kiosque.web.status_words import is_undecided

blueprint = Blueprint("payment", __name__, url_prefix="/paiement")

#: Key in the session: the ids of invoices chosen together that need several payments, until paid.
CHOSEN_TOGETHER = "together"
#: Key in the session: a payment, and the address for its receipt, masked so that only its owner
#: recognises it. The database forgets the address once the mail has left.
RECEIPT_TO = "receipt_to"

Answer = str | tuple[str, int] | Response


@blueprint.errorhandler(Refused)
def refused(refusal: Refused) -> Answer:
    """Answer when a page of this blueprint cannot go on. Show the payment that holds or paid all
    that was asked for, if a single one does."""
    numbers = request.values.getlist("invoice") or _numbers_resumed()
    known = payments.payment_status_of(own_family(), numbers)
    if known.attempt:
        return _to_payment(known.attempt)
    held = {each.id: each for each in known.held.values()}
    page = render_template(
        "payment/refused.html",
        numbers=numbers,
        reasons=refusal.reasons,
        known=known,
        opened=list(filter(None, map(waiting_for_payer, held.values()))),
    )
    return page, 409


@blueprint.get("/recapitulatif")
@family_only
def summary() -> Answer:
    numbers = request.args.getlist("invoice")
    if not numbers:
        return redirect(url_for("family.invoices", rien=1))
    _ask_about_holders(numbers)
    chosen = payments.select_invoices(own_family(), numbers)
    if chosen.reasons:
        raise Refused(chosen.reasons)
    if len(chosen.parts) > 1:
        session[CHOSEN_TOGETHER] = [invoice.id for invoice in chosen.invoices]
        return render_template("payment/apart.html", numbers=numbers, chosen=chosen)
    gateway = _gateway_of(numbers)
    return _summary_page(numbers, PayForm(gateway.limits), gateway)


@blueprint.post("/banque")
@family_only
def bank() -> Answer:
    """Open the payment and hand the payer over to the bank."""
    numbers = request.form.getlist("invoice")
    gateway = _gateway_of(numbers)
    form = PayForm(gateway.limits)
    try:
        started = _started(numbers, form, gateway) if form.validate() else None
    except Unreachable:
        return _unreachable_page(gateway, numbers), 503
    if started is None:
        return _summary_page(numbers, form, gateway), 422
    return _bank_page(*started)


@blueprint.post("/reprendre/<reference>")
@family_only
def resume(reference: str) -> Answer:
    """Lead a payer back to the bank, or to the page of what became of the payment meanwhile."""
    attempt = own_attempt(reference)
    try:
        way = payments.resume(attempt, *_asking())
    except Unreachable:
        numbers = payments.numbers_of(attempt)
        return _unreachable_page(current.gateways()[attempt.gateway], numbers), 503
    except WrongEmail:  # the summary asks for another
        return redirect(url_for("payment.summary", invoice=payments.numbers_of(attempt)))
    return _bank_page(*way) if way else _after_asking(attempt)


@blueprint.post("/abandonner/<reference>")
@family_only
def give_up(reference: str) -> Answer:
    """Close a payment that its payer no longer wants, if the bank has decided nothing."""
    attempt = own_attempt(reference)
    payments.give_up(attempt, *_asking())
    return _after_asking(attempt)


def _numbers_resumed() -> list[str]:
    """Return the invoices of the payment that the address names, if it names one."""
    reference = (request.view_args or {}).get("reference")
    return payments.numbers_of(own_attempt(reference)) if reference else []


def _after_asking(attempt: Attempt) -> Response:
    """Lead to the payment that now has its invoices: another one if a double click resumed it. Say
    so if the bank was asked about it and did not answer."""
    if is_undecided(payments.attempt_by_id(attempt.id)):
        flash(_("La banque ne nous a pas répondu. Réessayez dans une minute."))
    known = payments.payment_status_of(own_family(), payments.numbers_of(attempt))
    return _to_payment(known.attempt or attempt)


def _to_payment(attempt: Attempt) -> Response:
    return redirect(url_for("bank_return.show", reference=attempt.reference), 303)


def _bank_page(attempt: Attempt, handoff: Handoff) -> str:
    gateway = current.gateways()[attempt.gateway]
    headers.allow_form_to(gateway.form_origin)
    session[RECEIPT_TO] = [attempt.reference, addresses.masked(attempt.receipt_email or "")]
    return render_template("payment/bank.html", attempt=attempt, handoff=handoff, gateway=gateway)


def _unreachable_page(gateway: Gateway, numbers: list[str]) -> str:
    known = payments.payment_status_of(own_family(), numbers)
    return render_template("payment/unreachable.html", gateway=gateway, known=known)


def _started(numbers: list[str], form: PayForm, gateway: Gateway) -> tuple[Attempt, Handoff] | None:
    """Open the payment. If the bank refuses the e-mail address, return None and say so in the form.
    Raises Unreachable and Refused."""
    _ask_about_holders(numbers)
    purchase, public_url = _purchase(numbers, form), current.settings().public_url
    try:
        return payments.start(purchase, gateway, public_url)
    except WrongEmail:
        form.email.errors = [_("La banque n’accepte pas cette adresse électronique. Vérifiez-la.")]
        return None


def _summary_page(numbers: list[str], form: PayForm, gateway: Gateway) -> str:
    """Show the summary. Raises Refused when these invoices cannot be paid together now."""
    selection = payments.select_for_one_payment(own_family(), numbers, gateway.limits)
    if selection.reasons:
        raise Refused(selection.reasons)
    return render_template(
        "payment/summary.html",
        selection=selection,
        unanswered_at=payments.unanswered_of(selection.invoices),
        closure=payments.closure_words().get(gateway.name),
        lost_time=payments.lost_time_of(
            [(gateway.name, invoice.issued_on) for invoice in selection.invoices]
        ),
        form=form,
        gateway=gateway,
    )


def _purchase(numbers: list[str], form: PayForm) -> Purchase:
    total = form.expected_cents.data or ""
    return Purchase(
        family=own_family(),
        numbers=numbers,
        # No total is -1, so that a senseless value never equals the total.
        expected_cents=int(total) if re.fullmatch(r"[0-9]{1,12}", total, re.ASCII) else -1,
        receipt_email=form.email.data or None,
    )


def _gateway_of(numbers: list[str]) -> Gateway:
    """Return the gateway of the *régie* of these invoices. Raises Refused when the *régie* is no
    longer in the settings: no bank takes its money."""
    name = current.settings().gateway_of(payments.regie_of(own_family(), numbers))
    if name is None:
        closed = _("Le paiement en ligne de ces factures est fermé. Écrivez à %(address)s.")
        raise Refused([closed % {"address": current.settings().town.contact_email}])
    return current.gateways()[name]


def _ask_about_holders(numbers: list[str]) -> None:
    """Ask the bank about an earlier payment of these invoices before offering another."""
    payments.ask_about_holders(own_family(), numbers, *_asking())


def _asking() -> tuple[Mapping[str, Gateway], str, Issuers]:
    """Return the arguments needed to ask a bank: gateways, our address, the issuers of receipts."""
    return current.gateways(), current.settings().public_url, current.issuers()
