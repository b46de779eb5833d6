"""Every page of the portal and of the mock bank, in every state somebody may find it in.

Add a page to the site and the tests of accessibility fail until a state of it stands here:
a function that leads somebody to it and returns what they see.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask import Flask, abort
from flask.testing import FlaskClient
from peewee import ModelDelete
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from gateways.base import Handoff, Limits, Unreachable, WrongEmail
from gateways.lyra import sign
from gateways.payfip import Contract
from gateways.payfip.orders import creation
from gateways.sandbox import server as sandbox
from kiosque.db import write
from kiosque.db.models import (
    Account,
    Attempt,
    Child,
    Enrolment,
    Family,
    Guardian,
    Invoice,
    Receipt,
    Service,
    Throttle,
)
from kiosque.families import tokens
from kiosque.families.tokens import Purpose
from kiosque.invoices import announcements
from kiosque.payments import CounterPayment, cancel_invoice, settle_at_counter
from kiosque.settings import AttestationRules, OtherRegie
from tests.bank import ABANDONED, KEY, REFUSED, notice
from tests.conftest import NOW, PASSWORD, PUBLIC_URL, Clock, csrf_token, make_family, make_invoice
from tests.payfip import NUMCLI, ORDER

BANK_URL = "http://127.0.0.1:8001"
NOTIFY_URL = f"{PUBLIC_URL}/paiement/notification/banque"

#: Answers to a browser that are no page of ours to look at: redirects, files, a health check.
NO_PAGE = {
    *("site.index", "site.health", "site.asset"),
    *("papers.invoice", "papers.receipt", "papers.yearly"),
}
BANK_NO_PAGE = {"static", "health"}

LONG_NAME = "de Montmorency-Bouteville-Luxembourg Andriamanantsilavonirina"
LONG_WORD = "Rakotomalalarivelomanantsoandrianarisonandriamanitra"
LONG_EMAIL = f"{LONG_WORD.lower()}.{LONG_WORD.lower()}@exemple-de-nom-de-domaine-tres-long.example"
LONG_NUMBER = "2026-10-0001-FACTURE-COMPLEMENTAIRE-DU-SERVICE-ENFANCE-JEUNESSE"


@dataclass(frozen=True)
class Seen:
    """What somebody sees: the page's `state` in words, and what its server, `app`, sent."""

    state: str
    endpoint: str | None
    url: str
    status: int
    html: str
    headers: dict[str, str]
    app: Flask


@dataclass
class Stage:
    """The portal, the bank, and the hands that lead people to a state."""

    app: Flask
    clock: Clock
    enter: Callable[[Family], FlaskClient]
    open_payment: Callable[..., tuple[Attempt, Handoff]]
    families: int = 0

    @property
    def stranger(self) -> FlaskClient:
        return self.app.test_client()

    def family(self, name: str = "Martin") -> Family:
        self.families += 1
        return make_family(f"F{3000 + self.families}", name)

    def invoice(self, family: Family, cents: int = 4520, **values: object) -> Invoice:
        number = str(values.pop("number", "")) or f"2026-10-{Invoice.select().count() + 1:04d}"
        return make_invoice(family, number, cents, **values)

    def send(self, client: FlaskClient, form: str, to: str = "", **values: object) -> TestResponse:
        """Fill the form of a page and send it."""
        token = csrf_token(client.get(form).text)
        return client.post(to or form, data={"csrf_token": token, **values})

    def confirm(self, family: Family, invoice: Invoice, **values: object) -> TestResponse:
        """Press the button of the summary."""
        sent = {"invoice": invoice.number, "expected_cents": invoice.total_cents, **values}
        address = f"/paiement/recapitulatif?invoice={invoice.number}"
        return self.send(self.enter(family), address, "/paiement/banque", **sent)

    def hear(self, handoff: Handoff, **changes: str | None) -> None:
        answer = self.stranger.post(urlsplit(NOTIFY_URL).path, data=notice(handoff, **changes))
        assert answer.status_code == 200, answer.text

    def back(self, *news: dict[str, str | None], after: timedelta = timedelta()) -> TestResponse:
        """The page one returns to, after the bank has said this."""
        family = self.family()
        attempt, handoff = self.open_payment(family, self.invoice(family))
        for changes in news:
            self.hear(handoff, **changes)
        self.clock.at += after
        page = self.enter(family).get(f"/paiement/retour/{attempt.reference}")
        self.clock.at = NOW
        return page

    def paid(self, family: Family, *invoices: Invoice, **changes: str | None) -> Receipt:
        _, handoff = self.open_payment(family, *invoices)
        self.hear(handoff, **changes)
        return Receipt.select().order_by(Receipt.number.desc()).get()

    def broken(self, error: HTTPException | int) -> TestResponse:
        """A page that fails in this way."""
        whole = self.app.view_functions["site.privacy"]
        self.app.view_functions["site.privacy"] = lambda: abort(error)
        page = self.stranger.get("/confidentialite")
        self.app.view_functions["site.privacy"] = whole
        return page


Scene = Callable[[Stage], TestResponse]
SCENES: list[Scene] = []


def scene(function: Scene) -> Scene:
    SCENES.append(function)
    return function


# --- Signing in, the account ---


@scene
def the_sign_in(stage: Stage) -> TestResponse:
    return stage.stranger.get("/connexion")


@scene
def a_sign_in_left_empty(stage: Stage) -> TestResponse:
    return stage.send(stage.stranger, "/connexion", code="", password="")


@scene
def a_sign_in_with_a_wrong_password(stage: Stage) -> TestResponse:
    return stage.send(stage.stranger, "/connexion", code="F1001", password="faux")


@scene
def too_many_tries_to_sign_in(stage: Stage) -> TestResponse:
    wrong = {"code": "F1001", "password": "faux"}
    for _ in range(12):
        page = stage.send(stage.stranger, "/connexion", **wrong)
    assert page.status_code == 429
    return page


@scene
def just_signed_out(stage: Stage) -> TestResponse:
    client = stage.enter(stage.family())
    stage.send(client, "/compte", "/deconnexion")
    return client.get("/connexion")


@scene
def the_account(stage: Stage) -> TestResponse:
    return stage.enter(stage.family()).get("/compte")


@scene
def a_change_of_password(stage: Stage) -> TestResponse:
    return stage.enter(stage.family()).get("/compte/mot-de-passe")


@scene
def the_first_choice_of_a_password(stage: Stage) -> TestResponse:
    family = stage.family()
    client = stage.enter(family)
    Account.update(must_change_password=True).where(Account.family == family).execute()
    return client.get("/compte/mot-de-passe")


@scene
def a_change_of_password_left_empty(stage: Stage) -> TestResponse:
    client = stage.enter(stage.family())
    return stage.send(client, "/compte/mot-de-passe", current="", new="")


@scene
def a_new_password_that_is_too_short(stage: Stage) -> TestResponse:
    client = stage.enter(stage.family())
    return stage.send(client, "/compte/mot-de-passe", current=PASSWORD, new="court")


@scene
def the_password_just_changed(stage: Stage) -> TestResponse:
    client = stage.enter(stage.family())
    new = "une autre phrase assez longue"
    assert stage.send(client, "/compte/mot-de-passe", current=PASSWORD, new=new).location
    return client.get("/factures")


@scene
def an_account_with_two_addresses_and_another_device(stage: Stage) -> TestResponse:
    family = stage.family()
    for email in (LONG_EMAIL, "bob@example.org"):
        Guardian.create(family=family, first_name="A", last_name="Martin", email=email)
    stage.enter(family)
    client = stage.enter(family)
    wanted = {"current": PASSWORD, "email": "new@example.org"}
    assert stage.send(client, "/compte/adresse", **wanted).location == "/compte"
    return client.get("/compte")


@scene
def an_account_without_notices(stage: Stage) -> TestResponse:
    family = stage.family()
    Guardian.create(family=family, first_name="A", last_name="Martin", email="a@example.org")
    Family.update(wants_mail=False).where(Family.id == family.id).execute()
    return stage.enter(family).get("/compte")


@scene
def a_change_of_address(stage: Stage) -> TestResponse:
    return stage.enter(stage.family()).get("/compte/adresse")


@scene
def a_wrong_new_address(stage: Stage) -> TestResponse:
    client = stage.enter(stage.family())
    return stage.send(client, "/compte/adresse", current="faux", email="alice@")


@scene
def a_first_sign_in(stage: Stage) -> TestResponse:
    return stage.stranger.get("/activer")


@scene
def a_first_sign_in_left_empty(stage: Stage) -> TestResponse:
    return stage.send(stage.stranger, "/activer", code="", activation="", new="")


@scene
def a_first_sign_in_with_a_wrong_code(stage: Stage) -> TestResponse:
    wrong = {"code": "F1001", "activation": "faux", "new": PASSWORD}
    return stage.send(stage.stranger, "/activer", **wrong)


@scene
def a_forgotten_password(stage: Stage) -> TestResponse:
    return stage.stranger.get("/mot-de-passe/oublie")


@scene
def a_forgotten_password_with_a_wrong_address(stage: Stage) -> TestResponse:
    return stage.send(stage.stranger, "/mot-de-passe/oublie", email="alice@")


@scene
def a_link_asked_for(stage: Stage) -> TestResponse:
    return stage.stranger.get("/mot-de-passe/envoye")


def open_link(stage: Stage, client: FlaskClient, purpose: Purpose) -> TestResponse:
    """Open the link of a mail; the page it leads to."""
    family = stage.family()
    family.email = LONG_EMAIL
    family.save()
    with write():
        token = tokens.prepare_link(purpose, family, LONG_EMAIL)
    return client.get(client.get(f"/lien/{tokens.draw_link(token.id)}").location)


@scene
def a_password_to_choose_by_a_link(stage: Stage) -> TestResponse:
    return open_link(stage, stage.stranger, Purpose.RESET)


@scene
def a_password_chosen_by_a_link_that_is_too_short(stage: Stage) -> TestResponse:
    client = stage.stranger
    open_link(stage, client, Purpose.RESET)
    return stage.send(client, "/mot-de-passe/nouveau", new="court")


@scene
def an_address_to_confirm(stage: Stage) -> TestResponse:
    return open_link(stage, stage.stranger, Purpose.EMAIL)


@scene
def a_link_that_opens_nothing(stage: Stage) -> TestResponse:
    return stage.stranger.get("/lien/x")


def stop_address(stage: Stage) -> str:
    token = announcements.stop_token(stage.app.config["SECRET_KEY"], stage.family())
    return f"/courriels/arret/{token}"


@scene
def mails_to_stop(stage: Stage) -> TestResponse:
    return stage.stranger.get(stop_address(stage))


@scene
def mails_stopped(stage: Stage) -> TestResponse:
    return stage.stranger.post(stop_address(stage))


@scene
def a_link_to_stop_mails_that_is_cut(stage: Stage) -> TestResponse:
    return stage.stranger.get(stop_address(stage)[:-3])


# --- The family's space ---


@scene
def no_invoice(stage: Stage) -> TestResponse:
    return stage.enter(stage.family(name="")).get("/factures")


@scene
def one_invoice(stage: Stage) -> TestResponse:
    family = stage.family()
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
    stage.invoice(family, children=LONG_WORD, services=LONG_WORD)
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


def at_the_counter(invoice: Invoice) -> CounterPayment:
    return CounterPayment(
        invoice.number, invoice.total_cents, "cash", date(2026, 11, 20), "D. Aubry", "guichet"
    )


@scene
def an_invoice_to_pay(stage: Stage) -> TestResponse:
    family = stage.family()
    invoice = stage.invoice(family, closes_on=date(2026, 12, 31), pdf_name="facture.pdf")
    return stage.enter(family).get(f"/factures/{invoice.number}")


@scene
def an_invoice_past_its_date(stage: Stage) -> TestResponse:
    family = stage.family()
    invoice = stage.invoice(family, due_on=date(2026, 10, 31))
    return stage.enter(family).get(f"/factures/{invoice.number}")


@scene
def an_invoice_at_the_bank(stage: Stage) -> TestResponse:
    family = stage.family()
    invoice = stage.invoice(family)
    stage.open_payment(family, invoice)
    return stage.enter(family).get(f"/factures/{invoice.number}")


@scene
def an_invoice_paid_online(stage: Stage) -> TestResponse:
    family = stage.family()
    invoice = stage.invoice(family)
    stage.paid(family, invoice)
    return stage.enter(family).get(f"/factures/{invoice.number}")


@scene
def an_invoice_paid_at_the_counter(stage: Stage) -> TestResponse:
    family = stage.family()
    invoice = stage.invoice(family)
    settle_at_counter([at_the_counter(invoice)])
    return stage.enter(family).get(f"/factures/{invoice.number}")


@scene
def a_cancelled_invoice(stage: Stage) -> TestResponse:
    family = stage.family()
    invoice = stage.invoice(family)
    cancel_invoice(invoice.number, "D. Aubry", "erreur")
    return stage.enter(family).get(f"/factures/{invoice.number}")


@scene
def an_invoice_gone_to_the_treasury(stage: Stage) -> TestResponse:
    family = stage.family()
    invoice = stage.invoice(family, due_on=date(2026, 9, 1), closes_on=date(2026, 10, 1))
    return stage.enter(family).get(f"/factures/{invoice.number}")


@scene
def an_invoice_with_very_long_words(stage: Stage) -> TestResponse:
    family = stage.family(name=LONG_NAME)
    invoice = long_invoice(stage, family)
    return stage.enter(family).get(f"/factures/{invoice.number}")


@scene
def a_receipt(stage: Stage) -> TestResponse:
    family = stage.family()
    receipt = stage.paid(family, stage.invoice(family), stage.invoice(family))
    return stage.enter(family).get(f"/recus/{receipt.number}")


@scene
def a_receipt_with_very_long_words(stage: Stage) -> TestResponse:
    family = stage.family(name=LONG_NAME)
    receipt = stage.paid(family, long_invoice(stage, family))
    return stage.enter(family).get(f"/recus/{receipt.number}")


@scene
def a_receipt_of_money_taken_back(stage: Stage) -> TestResponse:
    family = stage.family()
    invoice = stage.invoice(family)
    _, handoff = stage.open_payment(family, invoice)
    stage.hear(handoff)
    stage.hear(handoff, trans_status="CANCELLED")
    receipt = Receipt.select().order_by(Receipt.number.desc()).get()
    return stage.enter(family).get(f"/recus/{receipt.number}")


@scene
def a_receipt_of_an_invoice_already_paid(stage: Stage) -> TestResponse:
    family = stage.family()
    invoice = stage.invoice(family)
    _, handoff = stage.open_payment(family, invoice)
    settle_at_counter([at_the_counter(invoice)])
    stage.hear(handoff)
    receipt = Receipt.select().order_by(Receipt.number.desc()).get()
    return stage.enter(family).get(f"/recus/{receipt.number}")


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


# --- The way to the bank and back ---


@scene
def the_summary(stage: Stage) -> TestResponse:
    family = stage.family()
    numbers = [stage.invoice(family).number, stage.invoice(family).number]
    address = "/paiement/recapitulatif"
    return stage.enter(family).get(address, query_string={"invoice": numbers})


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
def a_summary_without_invoices(stage: Stage) -> TestResponse:
    return stage.enter(stage.family()).get("/paiement/recapitulatif")


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


# --- For everybody ---


@scene
def the_legal_notice(stage: Stage) -> TestResponse:
    return stage.stranger.get("/mentions-legales")


@scene
def the_accessibility_statement(stage: Stage) -> TestResponse:
    return stage.stranger.get("/accessibilite")


@scene
def the_privacy_notice(stage: Stage) -> TestResponse:
    return stage.stranger.get("/confidentialite")


@scene
def the_privacy_notice_read_by_a_family(stage: Stage) -> TestResponse:
    return stage.enter(stage.family()).get("/confidentialite")


@scene
def a_form_left_open_too_long(stage: Stage) -> TestResponse:
    return stage.stranger.post("/connexion", data={})


@scene
def an_unknown_address(stage: Stage) -> TestResponse:
    return stage.stranger.get("/nulle-part")


@scene
def somebody_elses_invoice(stage: Stage) -> TestResponse:
    return stage.enter(stage.family()).get("/factures/2026-10-0001")


@scene
def a_verb_that_is_not_understood(stage: Stage) -> TestResponse:
    return stage.stranger.delete("/connexion")


@scene
def error_400(stage: Stage) -> TestResponse:
    return stage.broken(400)


@scene
def error_403(stage: Stage) -> TestResponse:
    return stage.broken(403)


@scene
def error_413(stage: Stage) -> TestResponse:
    return stage.broken(413)


@scene
def error_429(stage: Stage) -> TestResponse:
    return stage.broken(429)


@scene
def error_500(stage: Stage) -> TestResponse:
    return stage.broken(500)


@scene
def error_503(stage: Stage) -> TestResponse:
    return stage.broken(503)


# --- The mock bank ---

BankScene = Callable[[FlaskClient, Handoff], TestResponse]
BANK_SCENES: list[BankScene] = []


def bank_scene(function: BankScene) -> BankScene:
    BANK_SCENES.append(function)
    return function


def arrive(bank: FlaskClient, handoff: Handoff, **changes: str) -> str:
    """Open a payment page; its address. The form may ask for another page than ours does."""
    fields = dict(handoff.fields or ()) | {f"vads_{name}": it for name, it in changes.items()}
    fields["signature"] = sign(fields, KEY.encode())
    return bank.post("/vads-payment/", data=fields).location


@bank_scene
def the_bank_asks_for_a_card(bank: FlaskClient, handoff: Handoff) -> TestResponse:
    return bank.get(arrive(bank, handoff))


@bank_scene
def the_bank_does_not_know_the_card(bank: FlaskClient, handoff: Handoff) -> TestResponse:
    return bank.post(f"{arrive(bank, handoff)}/carte", data={"card": "1"})


@bank_scene
def the_bank_refuses_the_card(bank: FlaskClient, handoff: Handoff) -> TestResponse:
    card = {"card": "4970100000000055", "delivery": "lost"}
    return bank.post(f"{arrive(bank, handoff)}/carte", data=card)


@bank_scene
def the_bank_speaks_english_and_takes_two_cards(
    bank: FlaskClient, handoff: Handoff
) -> TestResponse:
    theme = "SIMPLIFIED_DISPLAY=true;CANCEL_FOOTER_MSG_RETURN=Back to the town"
    chosen = {"language": "en", "payment_cards": "MASTERCARD;E-CARTEBLEUE", "theme_config": theme}
    return bank.get(arrive(bank, handoff, **chosen))


@bank_scene
def the_bank_has_been_paid_and_soon_sends_back(bank: FlaskClient, handoff: Handoff) -> TestResponse:
    address = arrive(bank, handoff, redirect_success_timeout="9", return_mode="GET")
    return bank.post(f"{address}/carte", data={"card": "4970100000000000", "delivery": "lost"})


@bank_scene
def the_banks_page_is_over(bank: FlaskClient, handoff: Handoff) -> TestResponse:
    address = arrive(bank, handoff)
    bank.post(f"{address}/abandon", data={"delivery": "lost"})
    return bank.get(address)


@bank_scene
def the_bank_refuses_the_form(bank: FlaskClient, handoff: Handoff) -> TestResponse:
    return bank.post("/vads-payment/", data={"vads_amount": "1"})


@bank_scene
def the_banks_empty_back_office(bank: FlaskClient, handoff: Handoff) -> TestResponse:
    return bank.get("/")


@bank_scene
def the_banks_back_office_after_a_payment(bank: FlaskClient, handoff: Handoff) -> TestResponse:
    card = {"card": "4970100000000000", "delivery": "lost"}
    bank.post(f"{arrive(bank, handoff)}/carte", data=card)
    return bank.get("/")


def pay_at_the_bank(bank: FlaskClient, handoff: Handoff, *operations: str) -> str:
    """A card accepted, then operations of the back office; the address of one more, a refund."""
    card = {"card": "4970100000000000", "delivery": "lost"}
    bank.post(f"{arrive(bank, handoff)}/carte", data=card)
    address = re.search(r"(/operations/\w+)/resend", bank.get("/").text)[1]
    for operation in operations:
        bank.post(f"{address}/{operation}")
    return f"{address}/refund"


@bank_scene
def the_banks_back_office_with_a_debit_to_give_back(
    bank: FlaskClient, handoff: Handoff
) -> TestResponse:
    address = pay_at_the_bank(bank, handoff, "capture")
    bank.post(address, data={"amount": "10,00"})
    return bank.get("/")


@bank_scene
def the_banks_back_office_does_not_understand_the_amount(
    bank: FlaskClient, handoff: Handoff
) -> TestResponse:
    return bank.post(pay_at_the_bank(bank, handoff, "capture"), data={"amount": "dix"})


@bank_scene
def the_banks_back_office_refuses_an_operation(bank: FlaskClient, handoff: Handoff) -> TestResponse:
    return bank.post(pay_at_the_bank(bank, handoff), data={"amount": "10"})


@bank_scene
def the_banks_key_just_changed(bank: FlaskClient, handoff: Handoff) -> TestResponse:
    bank.post("/cle")
    return bank.get("/cle")


@bank_scene
def the_banks_breakdowns_none(bank: FlaskClient, handoff: Handoff) -> TestResponse:
    return bank.get("/pannes")


@bank_scene
def the_banks_breakdowns_one_in_force_and_its_calls(
    bank: FlaskClient, handoff: Handoff
) -> TestResponse:
    bank.post("/pannes", data={"fault": "lost", "scope": "refund", "calls": "3"})
    for service in ("Order/Get", "Transaction/CancelOrRefund"):
        bank.post(f"/api-payment/V4/{service}", json={"orderId": "KF" + "f" * 18})
    return bank.get("/pannes")


@bank_scene
def the_banks_breakdowns_for_a_number_that_is_none(
    bank: FlaskClient, handoff: Handoff
) -> TestResponse:
    return bank.post("/pannes", data={"fault": "drip", "scope": "ask", "calls": "deux"})


@bank_scene
def an_unknown_address_at_the_bank(bank: FlaskClient, handoff: Handoff) -> TestResponse:
    return bank.get("/paiement/inconnu")


# --- The mock PayFiP ---


def arrive_at_payfip(bank: FlaskClient) -> str:
    """Open a payment page by the service; its address."""
    order = replace(ORDER, gateway_reference="")
    told = creation(order, Contract(NUMCLI, "T", "", 999_999))
    idop = bank.application.extensions["treasury"].create(told)
    return bank.get(f"/tpa/paiementws.web?idop={idop}").location


@bank_scene
def payfip_offers_a_card_and_a_direct_debit(bank: FlaskClient, handoff: Handoff) -> TestResponse:
    return bank.get(arrive_at_payfip(bank))


@bank_scene
def payfips_page_is_over(bank: FlaskClient, handoff: Handoff) -> TestResponse:
    page = arrive_at_payfip(bank)
    bank.post(page, data={"ending": "debit", "delivery": "lost"})
    return bank.get(page)


@bank_scene
def payfip_does_not_know_the_payment(bank: FlaskClient, handoff: Handoff) -> TestResponse:
    return bank.get("/tpa/paiementws.web?idop=x")


@bank_scene
def payfips_empty_back_office(bank: FlaskClient, handoff: Handoff) -> TestResponse:
    return bank.get("/tpa/")


@bank_scene
def payfips_back_office(bank: FlaskClient, handoff: Handoff) -> TestResponse:
    arrive_at_payfip(bank)
    bank.post(arrive_at_payfip(bank), data={"ending": "card", "delivery": "lost"})
    return bank.get("/tpa/")


# --- The visit ---


def visit(stage: Stage) -> list[Seen]:
    """Play every scene at the portal."""
    seen = []
    for play in SCENES:
        seen.append(_seen(stage.app, PUBLIC_URL, play, play(stage)))
        # One machine plays everybody: nobody waits for what another has tried.
        ModelDelete(Throttle).execute()
    return seen


def visit_bank(stage: Stage, folder: Path) -> list[Seen]:
    """Play every scene at the mock bank, each in a bank of its own."""
    seen = []
    family = stage.family(name=LONG_NAME)
    # The bank's clock is the real one, and it looks at the date of the form.
    stage.clock.at = datetime.now(UTC)
    for count, play in enumerate(BANK_SCENES):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SANDBOX_KEY", KEY)
            patch.setenv("SANDBOX_NOTIFY_URL", "http://127.0.0.1:9/")  # nobody hears
            patch.setenv("SANDBOX_DATABASE", str(folder / f"bank-{count}.sqlite3"))
            app = sandbox.create_bank()
        _, handoff = stage.open_payment(family, *(stage.invoice(family) for _ in range(3)))
        seen.append(_seen(app, BANK_URL, play, play(app.test_client(), handoff)))
    return seen


def _seen(app: Flask, origin: str, play: Callable[..., object], answer: TestResponse) -> Seen:
    state = play.__name__.replace("_", " ")
    asked = answer.request
    assert answer.mimetype == "text/html", f"{state}: {answer.mimetype}"
    assert not 300 <= answer.status_code < 400, f"{state}: leads to {answer.location}"
    try:
        endpoint = app.url_map.bind("").match(asked.path, asked.method)[0]
    except HTTPException:
        endpoint = None
    url = origin + asked.full_path.rstrip("?")
    headers = dict(answer.headers)
    return Seen(state, endpoint, url, answer.status_code, answer.text, headers, app)
