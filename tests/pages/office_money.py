"""The town hall's area: invoices and payments."""

from datetime import date

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from kiosque.db.models import Invoice, Settlement
from kiosque.payments import (
    CounterPayment,
    apply_credit,
    apply_overpayment,
    settle_at_counter,
)
from kiosque.staff.roles import Role
from tests.agents import confirm, enter, fill, make_agent, send
from tests.conftest import ISSUERS, NOW
from tests.pages.stage import LONG_NAME, LONG_NUMBER, LONG_WORD, Stage, scene

INVOICES, PAYMENTS = "/mairie/factures", "/mairie/encaissements"
CHEQUE = {"reason": "chèque 12", "mode": "cheque", "settled_on": "2026-11-24"}


def regisseur(stage: Stage) -> FlaskClient:
    return enter(stage.app, make_agent(Role.REGISSEUR))


def long_invoice(stage: Stage) -> Invoice:
    family = stage.family(LONG_NAME)
    number = f"{stage.families}-{LONG_NUMBER}"
    return stage.invoice(family, 12345678, number=number, children=f"Léa {LONG_NAME}")


def paid_online(stage: Stage) -> Settlement:
    family = stage.family(LONG_NAME)
    receipt = stage.paid(family, stage.invoice(family), stage.invoice(family, 1000))
    settlement: Settlement = receipt.settlement
    return settlement


def paid_too_much(stage: Stage) -> Settlement:
    invoice = long_invoice(stage)
    settle_at_counter(
        [CounterPayment(invoice.number, 20000000, "cesu", NOW.date(), "Dominique", LONG_WORD)]
    )
    found: Settlement = Settlement.select().order_by(Settlement.id.desc()).get()
    return found


@scene
def invoices_by_the_dozen(stage: Stage) -> TestResponse:
    long_invoice(stage)
    family = stage.family()
    for state in ("open", "paid", "cancelled"):
        stage.invoice(family, state=state)
    stage.invoice(family, -500, state="nothing_due")
    stage.invoice(family, due_on=date(2026, 10, 5))
    for _ in range(60):
        stage.invoice(family)
    return regisseur(stage).get(f"{INVOICES}?apres=2026-11-05_9999")


@scene
def no_invoice_of_these_filters(stage: Stage) -> TestResponse:
    return regisseur(stage).get(f"{INVOICES}?etat=late&montant=3,33")


@scene
def filters_of_invoices_that_are_none(stage: Stage) -> TestResponse:
    return regisseur(stage).get(f"{INVOICES}?du=hier&montant=x&etat=x")


@scene
def an_invoice_read_by_an_agent(stage: Stage) -> TestResponse:
    client, invoice = regisseur(stage), long_invoice(stage)
    page = f"{INVOICES}/{invoice.number}"
    confirm(client, f"{page}/encaisser", amount="20", **CHEQUE)
    return client.get(page)


@scene
def an_invoice_read_by_control(stage: Stage) -> TestResponse:
    page = f"{INVOICES}/{long_invoice(stage).number}"
    return enter(stage.app, make_agent(Role.CONTROLE)).get(page)


@scene
def an_invoice_to_cancel(stage: Stage) -> TestResponse:
    return regisseur(stage).get(f"{INVOICES}/{long_invoice(stage).number}/annuler")


@scene
def an_invoice_whose_cancellation_is_told(stage: Stage) -> TestResponse:
    invoice = long_invoice(stage)
    return fill(regisseur(stage), f"{INVOICES}/{invoice.number}/annuler", reason=LONG_WORD)


@scene
def money_to_note_at_the_counter(stage: Stage) -> TestResponse:
    return regisseur(stage).get(f"{INVOICES}/{long_invoice(stage).number}/encaisser")


@scene
def money_at_the_counter_badly_filled(stage: Stage) -> TestResponse:
    page = f"{INVOICES}/{long_invoice(stage).number}/encaisser"
    return send(regisseur(stage), page, mode="x", amount="x", other_amount="3")


@scene
def too_much_money_at_the_counter(stage: Stage) -> TestResponse:
    page = f"{INVOICES}/{long_invoice(stage).number}/encaisser"
    return fill(regisseur(stage), page, amount="200000", **CHEQUE)


@scene
def too_much_money_at_the_counter_without_a_word(stage: Stage) -> TestResponse:
    page = f"{INVOICES}/{long_invoice(stage).number}/encaisser"
    return confirm(regisseur(stage), page, amount="200000", **CHEQUE)


@scene
def payments_received(stage: Stage) -> TestResponse:
    paid_online(stage)
    paid_too_much(stage)
    return regisseur(stage).get(PAYMENTS)


@scene
def no_payment_of_these_filters(stage: Stage) -> TestResponse:
    return regisseur(stage).get(f"{PAYMENTS}?reference=R999999")


@scene
def filters_of_payments_that_are_none(stage: Stage) -> TestResponse:
    return regisseur(stage).get(f"{PAYMENTS}?du=hier&montant=x&mode=x")


@scene
def an_online_payment_read_by_its_regisseur(stage: Stage) -> TestResponse:
    return regisseur(stage).get(f"{PAYMENTS}/{paid_online(stage).id}")


@scene
def a_payment_at_the_counter_read_by_its_regisseur(stage: Stage) -> TestResponse:
    return regisseur(stage).get(f"{PAYMENTS}/{paid_too_much(stage).id}")


@scene
def a_payment_to_refund(stage: Stage) -> TestResponse:
    return regisseur(stage).get(f"{PAYMENTS}/{paid_online(stage).id}/rembourser")


@scene
def a_payment_whose_refund_is_told(stage: Stage) -> TestResponse:
    page = f"{PAYMENTS}/{paid_online(stage).id}/rembourser"
    return fill(regisseur(stage), page, reason=LONG_WORD)


@scene
def money_given_back_elsewhere(stage: Stage) -> TestResponse:
    return regisseur(stage).get(f"{PAYMENTS}/{paid_online(stage).id}/rendre")


@scene
def an_unpaid_payment_of_too_much(stage: Stage) -> TestResponse:
    page = f"{PAYMENTS}/{paid_too_much(stage).id}/impaye"
    return fill(regisseur(stage), page, amount="999999", reason="x")


@scene
def money_to_put_back(stage: Stage) -> TestResponse:
    client, page = regisseur(stage), f"{PAYMENTS}/{paid_too_much(stage).id}"
    confirm(client, f"{page}/impaye", amount="", reason=LONG_WORD)
    return fill(client, f"{page}/retablir", amount="", reason=f"{LONG_WORD} revenu")


@scene
def money_to_apply_to_an_invoice(stage: Stage) -> TestResponse:
    return regisseur(stage).get(f"{PAYMENTS}/{paid_too_much(stage).id}/affecter")


def applied(stage: Stage) -> tuple[Settlement, str]:
    settlement = paid_too_much(stage)
    number = f"{stage.families}-{LONG_NUMBER}-B"
    stage.invoice(settlement.family, 1000, number=number)
    apply_overpayment(settlement, number, "Dominique", LONG_WORD, ISSUERS)
    return settlement, number


@scene
def money_to_take_off_an_invoice(stage: Stage) -> TestResponse:
    settlement, _ = applied(stage)
    return regisseur(stage).get(f"{PAYMENTS}/{settlement.id}/desaffecter")


@scene
def money_taken_off_an_invoice_is_told(stage: Stage) -> TestResponse:
    settlement, number = applied(stage)
    page = f"{PAYMENTS}/{settlement.id}/desaffecter"
    return fill(regisseur(stage), page, number=number, reason=LONG_WORD)


@scene
def a_refund_to_drop(stage: Stage) -> TestResponse:
    return regisseur(stage).get(f"{PAYMENTS}/{paid_online(stage).id}/abandonner")


@scene
def an_invoice_to_transmit(stage: Stage) -> TestResponse:
    return regisseur(stage).get(f"{INVOICES}/{long_invoice(stage).number}/transmettre")


@scene
def invoices_to_transmit(stage: Stage) -> TestResponse:
    long_invoice(stage)
    return regisseur(stage).get(f"{INVOICES}/transmettre?etat=open")


@scene
def invoices_to_transmit_of_which_none_is_ticked(stage: Stage) -> TestResponse:
    return send(regisseur(stage), f"{INVOICES}/transmettre", list_name="x")


@scene
def invoices_whose_transmission_is_told(stage: Stage) -> TestResponse:
    ticked = {"invoices": [str(long_invoice(stage).id), str(long_invoice(stage).id)]}
    given = {"list_name": "titres 2026-11", "on": "2026-11-24", "reason": LONG_WORD}
    return fill(regisseur(stage), f"{INVOICES}/transmettre", **ticked, **given)


@scene
def an_invoice_to_take_back(stage: Stage) -> TestResponse:
    return regisseur(stage).get(f"{INVOICES}/{long_invoice(stage).number}/reprendre")


@scene
def a_credit_note_to_apply(stage: Stage) -> TestResponse:
    note = stage.invoice(stage.family(), -500, state="nothing_due")
    return regisseur(stage).get(f"{INVOICES}/{note.number}/affecter")


def credit_in_use(stage: Stage) -> tuple[Invoice, Invoice]:
    """A credit note, and the invoice of which it pays a part."""
    invoice = long_invoice(stage)
    note = stage.invoice(invoice.family, -500, state="nothing_due")
    apply_credit(note.number, invoice.number, None, "Dominique", LONG_WORD)
    return note, invoice


@scene
def a_credit_note_in_use(stage: Stage) -> TestResponse:
    note, _ = credit_in_use(stage)
    return regisseur(stage).get(f"{INVOICES}/{note.number}")


@scene
def an_invoice_paid_by_a_credit_note(stage: Stage) -> TestResponse:
    _, invoice = credit_in_use(stage)
    return regisseur(stage).get(f"{INVOICES}/{invoice.number}")


@scene
def a_credit_note_to_take_off(stage: Stage) -> TestResponse:
    note, invoice = credit_in_use(stage)
    page = f"{INVOICES}/{invoice.number}/avoirs/{note.id}"
    return fill(regisseur(stage), page, reason=LONG_WORD)


@scene
def payments_for_a_software(stage: Stage) -> TestResponse:
    client = regisseur(stage)
    paid_too_much(stage)
    send(client, f"{PAYMENTS}/export", consumer=LONG_WORD, regie="-")
    return client.get(f"{PAYMENTS}/export")


@scene
def payments_for_a_software_without_a_name(stage: Stage) -> TestResponse:
    return send(regisseur(stage), f"{PAYMENTS}/export", consumer="")
