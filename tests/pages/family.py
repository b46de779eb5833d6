"""The family's space: invoices, receipts, record, attestations."""

from dataclasses import replace
from datetime import date, timedelta

from werkzeug.test import TestResponse

from kiosque.db import write
from kiosque.db.models import (
    Anomaly,
    Child,
    Enrolment,
    Family,
    Guardian,
    Invoice,
    Service,
)
from kiosque.db.states import AnomalyKind
from kiosque.language import clock
from kiosque.payments import (
    CounterPayment,
    apply_credit,
    cancel_invoice,
    note_restoration,
    resolve_anomaly,
    settle_at_counter,
    transmit,
)
from kiosque.settings import AttestationRules
from tests.pages.stage import LONG_EMAIL, LONG_NAME, LONG_NUMBER, LONG_WORD, Stage, scene

WHO = ("D. Aubry", "accord de la famille")


@scene
def no_invoice(stage: Stage) -> TestResponse:
    return stage.enter(stage.family(name="")).get("/factures")


@scene
def one_invoice(stage: Stage) -> TestResponse:
    family = stage.family()
    stage.invoice(family)
    return stage.enter(family).get("/factures")


@scene
def two_invoices_one_late(stage: Stage) -> TestResponse:
    family = stage.family()
    stage.invoice(family, due_on=date(2026, 10, 31), services="Restauration scolaire, Mercredi")
    stage.invoice(family)
    return stage.enter(family).get("/factures")


@scene
def invoices_in_every_state(stage: Stage) -> TestResponse:
    family = stage.family()
    stage.invoice(family)
    stage.invoice(family, due_on=date(2026, 10, 31))
    stage.invoice(family, due_on=date(2026, 9, 30), closes_on=date(2026, 10, 15))
    stage.open_payment(family, stage.invoice(family))
    stage.paid(family, stage.invoice(family))
    settle_at_counter([at_the_counter(stage.invoice(family))])
    cancel_invoice(stage.invoice(family).number, "D. Aubry", "erreur")
    transmitted(stage.invoice(family))
    apply_credit(stage.credit(family, -6000).number, stage.invoice(family).number, None, *WHO)
    return stage.enter(family).get("/factures?tout=1")


@scene
def too_many_invoices(stage: Stage) -> TestResponse:
    family = stage.family()
    for _ in range(52):
        stage.invoice(family)
    for _ in range(30):
        cancel_invoice(stage.invoice(family).number, "D. Aubry", "erreur")
    return stage.enter(family).get("/factures")


@scene
def the_second_page_of_what_is_paid(stage: Stage) -> TestResponse:
    family = stage.family()
    for month in range(1, 31):
        invoice = stage.invoice(family, issued_on=date(2026 - month // 12, month % 12 + 1, 5))
        cancel_invoice(invoice.number, "D. Aubry", "erreur")
    return stage.enter(family).get("/factures?page=2")


@scene
def very_long_names_and_amounts(stage: Stage) -> TestResponse:
    return stage.enter(long_family(stage)).get("/factures")


def long_family(stage: Stage) -> Family:
    family = stage.family(name=LONG_NAME)
    long_invoice(stage, family)
    stage.invoice(family, children=LONG_WORD, services=LONG_WORD, period=LONG_WORD)
    stage.invoice(family, 99_999_999, period=f"Régularisation, {LONG_WORD}")
    stage.paid(family, long_invoice(stage, family))
    return family


def long_invoice(stage: Stage, family: Family) -> Invoice:
    return stage.invoice(
        family,
        99_999_999,
        number=f"{LONG_NUMBER}-{Invoice.select().count()}",
        due_on=date(2026, 10, 31),
        services="Restauration scolaire, Périscolaire du matin et du soir, Mercredi, Multi-accueil",
        children=f"Léa {LONG_NAME}, Zoé {LONG_NAME}, Jean-Baptiste {LONG_WORD}",
    )


@scene
def an_invoice_that_may_be_paid_since_the_backup(stage: Stage) -> TestResponse:
    family = stage.family()
    stage.invoice(family)
    with write():
        note_restoration(stage.app.extensions["settings"], clock.now() - timedelta(days=1), {})
    page = stage.enter(family).get("/factures")
    for point in Anomaly.select().where(Anomaly.kind == AnomalyKind.RESTORED):
        resolve_anomaly(point.id, "D. Aubry", "relevé pointé")
    return page


def at_the_counter(invoice: Invoice) -> CounterPayment:
    return CounterPayment(
        invoice.number, invoice.total_cents, "cash", date(2026, 11, 20), "D. Aubry", "guichet"
    )


@scene
def an_invoice_to_pay(stage: Stage) -> TestResponse:
    closes_on = date(2026, 12, 31)
    return stage.look_at(stage.invoice(stage.family(), closes_on=closes_on, pdf_name="facture.pdf"))


@scene
def an_invoice_past_its_date(stage: Stage) -> TestResponse:
    return stage.look_at(stage.invoice(stage.family(), due_on=date(2026, 10, 31)))


@scene
def an_invoice_at_the_bank(stage: Stage) -> TestResponse:
    invoice = stage.invoice(stage.family())
    stage.open_payment(invoice.family, invoice)
    return stage.look_at(invoice)


@scene
def an_invoice_paid_online(stage: Stage) -> TestResponse:
    invoice = stage.invoice(stage.family())
    stage.paid(invoice.family, invoice)
    return stage.look_at(invoice)


@scene
def an_invoice_paid_at_the_counter(stage: Stage) -> TestResponse:
    invoice = stage.invoice(stage.family())
    settle_at_counter([at_the_counter(invoice)])
    return stage.look_at(invoice)


@scene
def an_invoice_paid_in_part(stage: Stage) -> TestResponse:
    invoice = stage.invoice(stage.family())
    for mode in ("cesu", "cheque"):
        settle_at_counter([replace(at_the_counter(invoice), mode=mode, amount_cents=1000)])
    return stage.look_at(invoice)


@scene
def an_invoice_paid_in_part_on_the_list(stage: Stage) -> TestResponse:
    invoice = stage.invoice(stage.family())
    settle_at_counter([replace(at_the_counter(invoice), amount_cents=1000)])
    return stage.enter(invoice.family).get("/factures")


@scene
def a_cancelled_invoice(stage: Stage) -> TestResponse:
    invoice = stage.invoice(stage.family())
    cancel_invoice(invoice.number, "D. Aubry", "erreur")
    return stage.look_at(invoice)


@scene
def an_invoice_gone_to_the_treasury(stage: Stage) -> TestResponse:
    days = {"due_on": date(2026, 9, 1), "closes_on": date(2026, 10, 1)}
    return stage.look_at(stage.invoice(stage.family(), **days))


@scene
def an_invoice_transmitted_to_the_treasury_once_paid_in_part(stage: Stage) -> TestResponse:
    invoice = stage.invoice(stage.family())
    settle_at_counter([replace(at_the_counter(invoice), amount_cents=1000)])
    return stage.look_at(transmitted(invoice))


def transmitted(invoice: Invoice) -> Invoice:
    transmit([invoice.number], "Liste 12", date(2026, 11, 20), *WHO)
    return invoice


@scene
def a_credit_note_that_paid_two_invoices(stage: Stage) -> TestResponse:
    family = stage.family()
    note = stage.credit(family, -6000)
    for cents in (4520, 480):
        apply_credit(note.number, stage.invoice(family).number, cents, *WHO)
    return stage.look_at(note)


@scene
def an_invoice_with_very_long_words(stage: Stage) -> TestResponse:
    return stage.look_at(long_invoice(stage, stage.family(name=LONG_NAME)))


@scene
def a_receipt(stage: Stage) -> TestResponse:
    family = stage.family()
    stage.paid(family, stage.invoice(family), stage.invoice(family))
    return stage.look_at_last_receipt(family)


@scene
def a_receipt_with_very_long_words(stage: Stage) -> TestResponse:
    family = stage.family(name=LONG_NAME)
    stage.paid(family, long_invoice(stage, family))
    return stage.look_at_last_receipt(family)


@scene
def a_receipt_of_money_taken_back(stage: Stage) -> TestResponse:
    family = stage.family()
    invoice = stage.invoice(family)
    _, handoff = stage.open_payment(family, invoice)
    stage.hear(handoff)
    stage.hear(handoff, trans_status="CANCELLED")
    return stage.look_at_last_receipt(family)


@scene
def a_receipt_of_an_invoice_already_paid(stage: Stage) -> TestResponse:
    family = stage.family()
    invoice = stage.invoice(family)
    _, handoff = stage.open_payment(family, invoice)
    settle_at_counter([at_the_counter(invoice)])
    stage.hear(handoff)
    return stage.look_at_last_receipt(family)


@scene
def a_full_record(stage: Stage) -> TestResponse:
    family = stage.family(name=LONG_NAME)
    Guardian.create(
        family=family, first_name="Alice", last_name=LONG_NAME, email=LONG_EMAIL, phone="0612345678"
    )
    Guardian.create(family=family, first_name="Bob", last_name="Martin")
    child = Child.create(family=family, name=f"Léa {LONG_WORD}", born_on=date(2019, 3, 1))
    Child.create(family=family, name="Zoé Martin")
    for name in ("Multi-accueil", "Accueil périscolaire du matin et du soir"):
        service, _ = Service.get_or_create(name=name)
        Enrolment.create(child=child, service=service)
    return stage.enter(family).get("/famille")


@scene
def an_empty_record(stage: Stage) -> TestResponse:
    family = stage.family(name="")
    Family.update(address="", postcode="", city="").where(Family.id == family.id).execute()
    return stage.enter(family).get("/famille")


@scene
def a_change_to_ask_for(stage: Stage) -> TestResponse:
    return stage.enter(stage.family()).get("/famille/demande")


@scene
def a_change_asked_for_with_nothing_filled(stage: Stage) -> TestResponse:
    return stage.send(stage.enter(stage.family()), "/famille/demande")


@scene
def more_changes_asked_for_than_in_a_day(stage: Stage) -> TestResponse:
    client = stage.enter(stage.family())
    for number in range(11):
        sent = {"topic": "other", "message": f"{LONG_WORD} {number}"}
        page = stage.send(client, "/famille/demande", **sent)
    return page


@scene
def a_change_just_asked_for(stage: Stage) -> TestResponse:
    client = stage.enter(stage.family())
    sent = {"topic": "address", "message": "4 rue du Bac"}
    return client.get(stage.send(client, "/famille/demande", **sent).location)


@scene
def an_error_to_tell(stage: Stage) -> TestResponse:
    invoice = long_invoice(stage, stage.family())
    return stage.enter(invoice.family).get(f"/factures/{invoice.number}/question")


def attested(stage: Stage, born_on: date | None) -> TestResponse:
    """The yearly attestations of a family that paid for a child of this age."""
    family = stage.family()
    Child.create(family=family, name="Léa Martin", born_on=born_on)
    stage.paid(family, stage.invoice(family))
    own = stage.app.extensions["settings"]
    rules = AttestationRules(services=("Restauration scolaire",), meal_labels=())
    stage.app.extensions["settings"] = replace(own, attestation=rules)
    page = stage.enter(family).get("/attestations")
    stage.app.extensions["settings"] = own
    return page


@scene
def an_attestation(stage: Stage) -> TestResponse:
    return attested(stage, date(2023, 5, 2))


@scene
def an_attestation_that_wants_a_birth_date(stage: Stage) -> TestResponse:
    return attested(stage, None)
