"""The way to the bank and back."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

from werkzeug.test import TestResponse

from gateways.base import Handoff, Limits, Unreachable, WrongEmail
from kiosque.db.models import Attempt, Family, Invoice
from kiosque.payments import close_bank, open_bank, settle_at_counter
from kiosque.payments.polling import expire_what_cannot_be_asked
from kiosque.settings import OtherRegie
from tests.bank import ABANDONED, REFUSED
from tests.conftest import NOW
from tests.pages.family import at_the_counter, long_invoice
from tests.pages.stage import BANK_URL, LONG_NAME, LONG_WORD, Stage, scene
from tests.talkative import TalkativeBank


@scene
def the_summary(stage: Stage) -> TestResponse:
    family = stage.family()
    numbers = [stage.invoice(family).number, stage.invoice(family).number]
    address = "/paiement/recapitulatif"
    return stage.enter(family).get(address, query_string={"invoice": numbers})


def after_silence(stage: Stage, address: str, *, minutes: int = 20) -> TestResponse:
    """A page of a family whose payment the bank never spoke of, and who has another invoice."""
    family = stage.family()
    first = long_invoice(stage, family)
    stage.invoice(family)
    attempt, _ = stage.open_payment(family, first)
    stage.clock.advance(minutes=minutes)
    expire_what_cannot_be_asked()
    address = address.format(first=first.number, attempt=attempt.reference)
    page = stage.enter(family).get(address)
    stage.clock.at = NOW
    return page


@scene
def invoices_with_a_payment_unanswered(stage: Stage) -> TestResponse:
    return after_silence(stage, "/factures")


@scene
def the_summary_after_a_payment_unanswered(stage: Stage) -> TestResponse:
    return after_silence(stage, "/paiement/recapitulatif?invoice={first}")


@scene
def an_invoice_whose_payment_is_unanswered(stage: Stage) -> TestResponse:
    return after_silence(stage, "/factures/{first}")


@scene
def back_from_a_payment_unanswered(stage: Stage) -> TestResponse:
    return after_silence(stage, "/paiement/retour/{attempt}", minutes=60)


def while_closed(stage: Stage, address: str) -> TestResponse:
    """A page of a family while the bank is in maintenance."""
    family = stage.family()
    invoice = stage.invoice(family)
    close_bank("banque", "", stage.clock.at + timedelta(hours=3), "D. Aubry")
    page = stage.enter(family).get(address.format(number=invoice.number))
    open_bank("banque")
    return page


@scene
def invoices_while_the_bank_is_closed(stage: Stage) -> TestResponse:
    return while_closed(stage, "/factures")


@scene
def the_summary_while_the_bank_is_closed(stage: Stage) -> TestResponse:
    return while_closed(stage, "/paiement/recapitulatif?invoice={number}")


@scene
def an_invoice_while_the_bank_is_closed(stage: Stage) -> TestResponse:
    return while_closed(stage, "/factures/{number}")


@contextmanager
def two_regies(stage: Stage, name: str = "Régie de la crèche") -> Iterator[Family]:
    """A family with invoices of both, in a town that has two."""
    extensions, shown = stage.app.extensions, stage.app.jinja_env.globals
    whole, gateways = extensions["settings"], extensions["gateways"]
    creche = OtherRegie(name, "Camille Roy", services=("Multi-accueil",), gateway="creche")
    changed = replace(whole, regies={"creche": creche})
    extensions["settings"] = shown["settings"] = changed
    extensions["gateways"] = {**gateways, "creche": gateways["banque"]}
    family = stage.family()
    stage.invoice(family)
    stage.invoice(family, 3000, regie="creche", services="Multi-accueil", due_on=NOW.date())
    try:
        yield family
    finally:
        extensions["settings"] = shown["settings"] = whole
        extensions["gateways"] = gateways


def numbers_of(family: Family) -> list[str]:
    return [each.number for each in Invoice.select().where(Invoice.family == family)]


@scene
def a_summary_of_what_is_paid_already(stage: Stage) -> TestResponse:
    """At the counter: what was paid online leads to the page of its payment."""
    family = stage.family()
    invoice = stage.invoice(family)
    settle_at_counter([at_the_counter(invoice)])
    return stage.enter(family).get(f"/paiement/recapitulatif?invoice={invoice.number}")


@contextmanager
def a_bank_that_can_be_asked(stage: Stage) -> Iterator[tuple[Family, Attempt]]:
    """A long invoice is open at a bank that says that nothing is decided."""
    gateways = stage.app.extensions["gateways"]
    whole = gateways["banque"]
    gateways["banque"] = TalkativeBank(whole)
    family = stage.family(name=LONG_NAME)
    attempt, _ = stage.open_payment(family, long_invoice(stage, family))
    try:
        yield family, attempt
    finally:
        gateways["banque"] = whole


@scene
def invoices_of_which_one_is_open_at_the_bank(stage: Stage) -> TestResponse:
    with a_bank_that_can_be_asked(stage) as (family, _):
        stage.invoice(family)
        return stage.enter(family).get("/factures")


@scene
def an_invoice_open_at_the_bank(stage: Stage) -> TestResponse:
    with a_bank_that_can_be_asked(stage) as (family, _):
        return stage.enter(family).get(f"/factures/{numbers_of(family)[0]}")


@scene
def back_by_the_browsers_own_button(stage: Stage) -> TestResponse:
    with a_bank_that_can_be_asked(stage) as (family, attempt):
        address = f"/paiement/retour/{attempt.reference}"
        return stage.enter(family).get(address, headers={"Sec-Fetch-Site": "same-origin"})


@scene
def a_payment_resumed(stage: Stage) -> TestResponse:
    with a_bank_that_can_be_asked(stage) as (family, attempt):
        address = f"/paiement/reprendre/{attempt.reference}"
        return stage.send(stage.enter(family), "/famille", address)


@scene
def a_payment_given_up(stage: Stage) -> TestResponse:
    with a_bank_that_can_be_asked(stage) as (family, attempt):
        client = stage.enter(family)
        stage.send(client, "/famille", f"/paiement/abandonner/{attempt.reference}")
        return client.get(f"/paiement/retour/{attempt.reference}")


@scene
def invoices_while_the_town_owes(stage: Stage) -> TestResponse:
    family = stage.family()
    invoice = stage.invoice(family)
    _, handoff = stage.open_payment(family, invoice)
    settle_at_counter([at_the_counter(invoice)])
    stage.hear(handoff)
    stage.invoice(family)
    return stage.enter(family).get("/factures")


@scene
def a_summary_of_what_is_paid_or_at_the_bank(stage: Stage) -> TestResponse:
    family = stage.family()
    first, second = stage.invoice(family), stage.invoice(family)
    stage.paid(family, first)
    stage.open_payment(family, second)
    asked = {"invoice": [first.number, second.number]}
    return stage.enter(family).get("/paiement/recapitulatif", query_string=asked)


@scene
def invoices_of_two_regies(stage: Stage) -> TestResponse:
    with two_regies(stage) as family:
        return stage.enter(family).get("/factures")


@scene
def an_invoice_of_another_regie(stage: Stage) -> TestResponse:
    with two_regies(stage) as family:
        return stage.enter(family).get(f"/factures/{numbers_of(family)[1]}")


@scene
def a_choice_of_two_regies(stage: Stage) -> TestResponse:
    with two_regies(stage) as family:
        chosen = {"invoice": numbers_of(family)}
        return stage.enter(family).get("/paiement/recapitulatif", query_string=chosen)


@scene
def a_choice_of_two_regies_with_very_long_words(stage: Stage) -> TestResponse:
    with two_regies(stage, name=f"{LONG_WORD} {LONG_NAME}") as family:
        long_invoice(stage, family)
        chosen = {"invoice": numbers_of(family)}
        return stage.enter(family).get("/paiement/recapitulatif", query_string=chosen)


@scene
def back_with_what_is_left_of_a_choice(stage: Stage) -> TestResponse:
    with two_regies(stage) as family:
        client = stage.enter(family)
        first, second = Invoice.select().where(Invoice.family == family).order_by(Invoice.id)
        chosen = {"invoice": [first.number, second.number]}
        client.get("/paiement/recapitulatif", query_string=chosen)
        attempt, handoff = stage.open_payment(family, first)
        stage.hear(handoff)
        return client.get(f"/paiement/retour/{attempt.reference}")


@scene
def a_summary_with_very_long_words(stage: Stage) -> TestResponse:
    family = stage.family(name=LONG_NAME)
    number = long_invoice(stage, family).number
    return stage.enter(family).get(f"/paiement/recapitulatif?invoice={number}")


@scene
def a_summary_with_a_wrong_email(stage: Stage) -> TestResponse:
    family = stage.family()
    return stage.confirm(family, stage.invoice(family), email="alice@")


@scene
def invoices_of_which_none_was_ticked(stage: Stage) -> TestResponse:
    family = stage.family()
    stage.invoice(family)
    return stage.enter(family).get("/paiement/recapitulatif", follow_redirects=True)


@scene
def a_choice_that_cannot_be_paid(stage: Stage) -> TestResponse:
    numbers = [f"{LONG_WORD}-{each}" for each in range(6)]
    address = "/paiement/recapitulatif"
    return stage.enter(stage.family()).get(address, query_string={"invoice": numbers})


@scene
def the_way_to_the_bank(stage: Stage) -> TestResponse:
    family = stage.family()
    return stage.confirm(family, stage.invoice(family))


@scene
def the_way_to_a_bank_that_takes_no_form(stage: Stage) -> TestResponse:
    return with_gateway(stage, start=lambda _: Handoff(f"{BANK_URL}/paiement/x", None))


@scene
def a_summary_without_the_address_that_the_bank_demands(stage: Stage) -> TestResponse:
    return with_gateway(stage, limits=Limits(requires_email=True))


@scene
def a_summary_with_an_address_that_the_bank_refuses(stage: Stage) -> TestResponse:
    def refuse(_order: object) -> Handoff:
        raise WrongEmail("no")

    return with_gateway(stage, start=refuse)


@scene
def a_bank_out_of_reach(stage: Stage) -> TestResponse:
    def silent(_order: object) -> Handoff:
        raise Unreachable("no answer")

    return with_gateway(stage, start=silent)


def with_gateway(stage: Stage, **methods: object) -> TestResponse:
    """The summary's button, when the gateway behaves in this way."""
    gateway = stage.app.extensions["gateways"]["banque"]
    own = dict(vars(gateway))
    vars(gateway).update(methods)
    family = stage.family()
    page = stage.confirm(family, stage.invoice(family))
    vars(gateway).clear()
    vars(gateway).update(own)
    return page


@scene
def back_before_the_bank_has_spoken(stage: Stage) -> TestResponse:
    return stage.back()


@scene
def back_while_the_bank_stays_silent(stage: Stage) -> TestResponse:
    return stage.back(after=timedelta(hours=2))


@scene
def back_and_no_longer_refreshed(stage: Stage) -> TestResponse:
    family = stage.family()
    attempt, _ = stage.open_payment(family, stage.invoice(family))
    return stage.enter(family).get(f"/paiement/retour/{attempt.reference}?essai=10")


@scene
def back_with_a_payment_to_validate(stage: Stage) -> TestResponse:
    return stage.back({"trans_status": "AUTHORISED_TO_VALIDATE"})


@scene
def back_with_a_payment(stage: Stage) -> TestResponse:
    return stage.back({})


@scene
def back_with_a_refusal(stage: Stage) -> TestResponse:
    return stage.back(REFUSED)


@scene
def back_after_giving_up(stage: Stage) -> TestResponse:
    return stage.back(ABANDONED)


@scene
def back_after_too_long(stage: Stage) -> TestResponse:
    return stage.back({**ABANDONED, "payment_error": "4"})


@scene
def back_with_a_payment_the_bank_cancelled(stage: Stage) -> TestResponse:
    return stage.back({}, {"trans_status": "CANCELLED"})


@scene
def back_with_a_refund(stage: Stage) -> TestResponse:
    return stage.back({}, {"operation_type": "CREDIT", "trans_uuid": "9" * 32})


@scene
def back_with_another_amount(stage: Stage) -> TestResponse:
    return stage.back({"amount": "1", "effective_amount": "1"})


@scene
def back_with_a_payment_too_many(stage: Stage) -> TestResponse:
    family = stage.family()
    invoice = stage.invoice(family)
    attempt, handoff = stage.open_payment(family, invoice)
    settle_at_counter([at_the_counter(invoice)])
    stage.hear(handoff)
    return stage.enter(family).get(f"/paiement/retour/{attempt.reference}")


@scene
def back_but_signed_out(stage: Stage) -> TestResponse:
    family = stage.family()
    attempt, handoff = stage.open_payment(family, stage.invoice(family))
    stage.hear(handoff)
    return stage.stranger.get(f"/paiement/retour/{attempt.reference}")
