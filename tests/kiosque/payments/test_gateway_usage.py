"""A town moves from one bank to another while payments are on their way: nothing is lost."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient

from gateways.base import PARIS, Handoff, Unreachable
from kiosque import create_app, payments
from kiosque.cli import main
from kiosque.db import write
from kiosque.db.models import (
    Anomaly,
    Attempt,
    BankMessage,
    Family,
    Invoice,
    OutboxMail,
    Receipt,
    Settlement,
)
from kiosque.db.states import AnomalyKind, RepaymentKind
from kiosque.payments import GatewayUsage, Purchase, reconcile, start
from kiosque.payments.anomalies import flag_anomaly, resolve_by_itself
from kiosque.payments.gateway_usage import flag_gateways_removed_too_early
from kiosque.payments.orders import order_of
from kiosque.settings import Payment, Settings
from tests import payfip, sentences
from tests.bank import KEY, REFUSED, envelope, error_envelope, notice, order_answer, transaction
from tests.conftest import (
    ISSUERS,
    PUBLIC_URL,
    Clock,
    choose_password,
    csrf_token,
    make_invoice,
)
from tests.conftest import PASSWORD as FAMILY_PASSWORD

pytestmark = pytest.mark.usefixtures("sound_books")


def signed_in(app: Flask, family: Family) -> FlaskClient:
    choose_password(family, FAMILY_PASSWORD)
    client = app.test_client()
    page = client.get("/connexion").text
    data = {"code": family.code, "password": FAMILY_PASSWORD, "csrf_token": csrf_token(page)}
    assert client.post("/connexion", data=data).status_code == 302
    return client


OLD_KEY, OTHER_KEY = KEY, "Qd7rVn2LxBw9TgKc4PzMh6Ys"
PASSWORD = "testpassword_Xq8wLz3RvT6nKp2MBd5yHs9J"
OLD = {"adapter": "lyra", "site_id": "12345678", "test_key": OLD_KEY}
NEW = {"adapter": "lyra", "site_id": "87654321", "test_key": OTHER_KEY, "brand": "payzen"}
PAYFIP = {"adapter": "payfip", "numcli": payfip.NUMCLI, "mode": "T"}


@dataclass
class Town:
    """A town that restarts with other settings, on the same database."""

    settings: Settings
    app: Flask

    def restart(self, in_force: str, **tables: dict[str, object]) -> None:
        self.settings = replace(self.settings, payment=Payment(in_force), gateways=tables)
        self.app = create_app(self.settings)

    def gateway(self, name: str) -> Any:
        return self.app.extensions["gateways"][name]

    def open(self, family: Family, *invoices: Invoice) -> tuple[Attempt, Handoff]:
        total = sum(invoice.total_cents for invoice in invoices)
        purchase = Purchase(family, [each.number for each in invoices], total)
        return start(purchase, self.gateway(self.settings.payment.gateway), PUBLIC_URL)

    def told(self, name: str, fields: dict[str, str]) -> tuple[int, str]:
        answer = self.app.test_client().post(f"/paiement/notification/{name}", data=fields)
        return answer.status_code, answer.text

    def reconcile(self) -> reconcile.Summary:
        return reconcile.run(self.app.extensions["gateways"], PUBLIC_URL, ISSUERS)


@pytest.fixture
def town(empty_database: None, frozen: Clock, settings: Settings) -> Town:
    found = Town(settings, create_app(settings))
    found.restart("old", old=OLD)
    return found


@pytest.fixture
def rest(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The REST service of each shop: what it answers about an order, or None when it is silent;
    and whom it was asked about."""
    told: dict[str, Any] = {"asked": []}

    def service(endpoint: Any, path: str, body: Any, *, seconds: float) -> Any:
        told["asked"].append((endpoint.user, body["orderId"]))
        if (make := told.get(endpoint.user)) is None:
            raise Unreachable("la banque ne répond pas")
        return make(body)

    monkeypatch.setattr("gateways.lyra.rest.post_json", service)
    return told


def paris_minute(at: datetime) -> dict[str, str]:
    """When a card was accepted, as PayFiP says it."""
    local = at.astimezone(PARIS)
    return {"dattrans": f"{local:%d%m%Y}", "heurtrans": f"{local:%H%M}"}


def invoice_state(invoice: Invoice) -> str:
    return str(Invoice.get_by_id(invoice.id).state)


def test_the_old_bank_is_still_heard_once_the_new_one_is_in_force(
    town: Town, alices_family: Family, october: Invoice
) -> None:
    attempt, handoff = town.open(alices_family, october)
    town.restart("new", old=OLD, new=NEW)
    assert town.told("old", notice(handoff, OLD_KEY)) == (200, "OK")
    assert invoice_state(october) == "paid"
    assert Attempt.get_by_id(attempt.id).gateway == "old"
    assert Receipt.get().number == 1


def test_each_bank_speaks_at_its_own_address_with_its_own_key(
    town: Town, alices_family: Family, october: Invoice
) -> None:
    _, handoff = town.open(alices_family, october)
    town.restart("new", old=OLD, new=NEW)
    as_new = notice(handoff, OTHER_KEY, site_id="87654321")
    assert town.told("new", notice(handoff, OLD_KEY))[0] == 400
    assert town.told("new", notice(handoff, OTHER_KEY))[0] == 400
    assert town.told("new", notice(handoff, OLD_KEY, site_id="87654321"))[0] == 400
    assert town.told("old", as_new)[0] == 400
    assert Anomaly.select().count() == 0
    assert invoice_state(october) == "open"
    # Genuine, of the new bank, about an order of the old one: told, and nothing else.
    assert town.told("new", as_new) == (200, "OK")
    assert invoice_state(october) == "open"
    assert Settlement.select().count() == 0
    assert [each.kind for each in Anomaly.select()] == ["unknown_order"]
    assert Attempt.get().state == "handed_off"


def test_the_old_bank_is_asked_before_a_second_attempt_goes_to_the_new_one(
    town: Town, rest: dict[str, Any], alices_family: Family, october: Invoice, frozen: Clock
) -> None:
    old = {**OLD, "test_password": PASSWORD}
    town.restart("old", old=old)
    attempt, _ = town.open(alices_family, october)
    town.restart("new", old=old, new=NEW)
    frozen.advance(minutes=20)
    client = signed_in(town.app, alices_family)
    page = client.get(f"/paiement/recapitulatif?invoice={october.number}").text
    confirm = {"csrf_token": csrf_token(page), "invoice": october.number, "expected_cents": "4520"}
    # The old bank is silent: nobody can pay twice meanwhile.
    refused = client.post("/paiement/banque", data=confirm)
    assert refused.status_code == 409
    assert sentences.BANK_STILL_AWAITED in refused.text
    assert set(rest["asked"]) == {("12345678", attempt.reference)}
    # It answers that it was paid: there is nothing left to pay at the new one.
    frozen.advance(minutes=1)
    order = order_of(Attempt.get_by_id(attempt.id), PUBLIC_URL)
    rest["12345678"] = lambda _: envelope("Order/Get", order_answer(order, transaction(order)))
    paid = client.get(f"/paiement/recapitulatif?invoice={october.number}")
    assert paid.location == f"/paiement/retour/{attempt.reference}"
    assert Attempt.get().state == "paid"
    assert invoice_state(october) == "paid"
    assert Attempt.select().count() == 1


def test_once_the_old_bank_knows_nothing_the_new_one_takes_the_invoice(
    town: Town, rest: dict[str, Any], alices_family: Family, october: Invoice, frozen: Clock
) -> None:
    old = {**OLD, "test_password": PASSWORD}
    town.restart("old", old=old)
    town.open(alices_family, october)
    town.restart("new", old=old, new=NEW)
    rest["12345678"] = lambda _: error_envelope("Order/Get", "PSP_010")
    frozen.advance(minutes=31)
    client = signed_in(town.app, alices_family)
    page = client.get(f"/paiement/recapitulatif?invoice={october.number}").text
    confirm = {"csrf_token": csrf_token(page), "invoice": october.number, "expected_cents": "4520"}
    went = client.post("/paiement/banque", data=confirm)
    assert went.status_code == 200
    assert "https://secure.payzen.eu" in went.text
    assert "https://secure.payzen.eu" in went.headers["Content-Security-Policy"]
    assert [(each.gateway, each.state) for each in Attempt.select().order_by(Attempt.id)] == [
        ("old", "expired"),
        ("new", "handed_off"),
    ]


def test_reconcile_asks_each_bank_about_its_own_and_refunds_go_back_where_they_came_from(
    town: Town, rest: dict[str, Any], alices_family: Family, october: Invoice, september: Invoice,
    frozen: Clock,
) -> None:  # fmt: skip
    old, new = {**OLD, "test_password": PASSWORD}, {**NEW, "test_password": PASSWORD}
    town.restart("old", old=old)
    first, _ = town.open(alices_family, october)
    town.restart("new", old=old, new=new)
    second, _ = town.open(alices_family, september)
    for attempt, shop in ((first, "12345678"), (second, "87654321")):
        order = order_of(Attempt.get_by_id(attempt.id), PUBLIC_URL)
        debit = transaction(order, shopId=shop, detailedStatus="CAPTURED")
        answer = {**order_answer(order, debit), "shopId": shop}
        rest[shop] = lambda _, answer=answer: envelope("Order/Get", answer)
    frozen.advance(minutes=16)
    assert town.reconcile().answered == 2
    assert set(rest["asked"]) == {
        ("12345678", first.reference),
        ("87654321", second.reference),
    }
    assert (invoice_state(october), invoice_state(september)) == ("paid", "paid")
    settlement = payments.find_settlement(october.number)
    asked = payments.ask_refund(settlement, None, "Dominique", "erreur", town.gateway("old"))
    rest["12345678"] = None
    payments.send_refund(asked, town.gateway("old"), PUBLIC_URL, ISSUERS)
    assert rest["asked"][-1] == ("12345678", first.reference)
    assert uses_of(town)["old"].open == 1, "whether the money was given back is not known"


def test_an_attempt_moves_from_payfip_to_the_bank_and_back(
    town: Town, alices_family: Family, october: Invoice, frozen: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    told: dict[str, bytes] = {"creer": payfip.created(), "recuperer": payfip.fault("P5")}

    def service(_endpoint: object, _path: str, sent: bytes, *, seconds: float) -> bytes:
        return told["creer" if b"creerPaiementSecurise" in sent else "recuperer"]

    monkeypatch.setattr("gateways.payfip.soap.post_soap", service)
    town.restart("tresor", tresor=PAYFIP)
    town.gateway("tresor")._now = lambda: frozen.at
    purchase = Purchase(alices_family, [october.number], 4520, "alice@example.org")
    attempt, _ = start(purchase, town.gateway("tresor"), PUBLIC_URL)
    town.restart("old", old=OLD, tresor=PAYFIP)
    town.gateway("tresor")._now = lambda: frozen.at
    frozen.advance(minutes=2)
    order = order_of(Attempt.get_by_id(attempt.id), PUBLIC_URL)
    told["recuperer"] = payfip.detail(order, **paris_minute(frozen.at - timedelta(minutes=1)))
    assert town.told("tresor", {"idop": payfip.IDOP}) == (200, "OK")
    assert invoice_state(october) == "paid"
    assert uses_of(town)["tresor"].open == 0


# --- When the old one may go ---


def uses_of(town: Town) -> dict[str, GatewayUsage]:
    return {use.name: use for use in payments.gateway_usages(list(town.settings.gateways))}


def test_a_gateway_is_open_until_its_last_attempt_is_final(
    town: Town, alices_family: Family, october: Invoice, frozen: Clock
) -> None:
    assert uses_of(town)["old"] == GatewayUsage("old", 0, 0, None)
    _, handoff = town.open(alices_family, october)
    assert uses_of(town)["old"].open == 1
    town.told("old", notice(handoff, OLD_KEY))
    assert uses_of(town)["old"].open == 1, "authorised: the bank may still undo it"
    assert uses_of(town)["old"].refundable == 1
    frozen.advance(hours=12)
    captured = notice(handoff, OLD_KEY, trans_status="CAPTURED", url_check_src="BATCH")
    town.told("old", captured)
    assert uses_of(town)["old"] == GatewayUsage("old", 0, 1, frozen.at)


def test_one_that_is_never_captured_is_followed_ten_days(
    town: Town, alices_family: Family, october: Invoice, frozen: Clock
) -> None:
    _, handoff = town.open(alices_family, october)
    town.told("old", notice(handoff, OLD_KEY))
    for seconds, still in ((10 * 24 * 3600 - 1, 1), (1, 0)):
        frozen.advance(seconds=seconds)
        town.reconcile()  # this bank cannot be asked
        assert uses_of(town)["old"].open == still


def test_one_refused_may_still_have_news_for_a_day_and_one_examined_for_as_long_as_it_lasts(
    town: Town, alices_family: Family, october: Invoice, september: Invoice, frozen: Clock
) -> None:
    _, handoff = town.open(alices_family, october)
    town.told("old", notice(handoff, OLD_KEY, **REFUSED))
    for seconds, still in ((24 * 3600 - 1, 1), (1, 0)):
        frozen.advance(seconds=seconds)
        assert uses_of(town)["old"].open == still
    _, examined = town.open(alices_family, september)
    town.told("old", notice(examined, OLD_KEY, trans_status="AUTHORISED_TO_VALIDATE"))
    frozen.advance(days=50)
    assert uses_of(town)["old"].open == 1


def test_removed_too_early_it_is_told_everywhere_and_once_put_back_nothing_is_lost(
    town: Town, alices_family: Family, october: Invoice, caplog: pytest.LogCaptureFixture
) -> None:
    attempt, handoff = town.open(alices_family, october)
    paid = notice(handoff, OLD_KEY)
    town.restart("new", new=NEW)
    words = "passerelle old retirée des réglages alors que 1 de ses paiements"
    assert words in caplog.text
    # The bank is told that nobody is there, and the audit keeps that it called.
    assert town.told("old", paid) == (404, f"KO {sentences.WITHDRAWN_GATEWAY}")
    assert [(row.gateway, row.accepted) for row in BankMessage.select()] == [("old", False)]
    caplog.clear()
    for _ in range(2):
        summary = town.reconcile()
        assert [words in each for each in summary.removed_gateways] == [True]
    assert words in caplog.text
    (point,) = payments.open_anomalies()
    assert (point.kind, point.amount_cents) == ("unserved", 4520)
    assert point.attempt.reference == attempt.reference
    assert payments.ADVICE[point.kind]
    mails = OutboxMail.select().where(OutboxMail.template == "anomaly")
    assert mails.count() == 1
    # Put back, it is heard again; the list empties by itself. Removed again, it is there again.
    for tables, listed in (({"old": OLD}, 0), ({}, 1), ({"old": OLD}, 0)):
        town.restart("new", **tables, new=NEW)
        assert len(town.reconcile().removed_gateways) == len(payments.open_anomalies()) == listed
    assert mails.count() == 1
    assert town.told("old", paid) == (200, "OK")
    assert invoice_state(october) == "paid"


def test_each_gateway_is_told_of_its_own_and_of_no_others(
    town: Town, alices_family: Family, october: Invoice, september: Invoice, frozen: Clock
) -> None:
    began = frozen.at
    _, refused = town.open(alices_family, october)
    town.told("old", notice(refused, OLD_KEY, **REFUSED))
    frozen.advance(days=2)
    town.restart("new", old=OLD, new=NEW)
    paid, handoff = town.open(alices_family, september)
    town.told("new", notice(handoff, OTHER_KEY, trans_status="CAPTURED"))
    assert uses_of(town) == {
        "old": GatewayUsage("old", 0, 0, began),
        "new": GatewayUsage("new", 0, 1, frozen.at),
    }
    assert payments.is_removed("old", ["new"])
    assert not payments.is_removed("old", ["old"])
    frozen.advance(days=364, hours=23, minutes=59)
    assert uses_of(town)["new"].refundable == 1
    frozen.advance(minutes=1)
    assert uses_of(town)["new"].refundable == 0, "a year later"
    frozen.advance(days=-300)
    other = notice(handoff, OTHER_KEY, trans_status="CANCELLED")
    town.told("new", other)
    assert Settlement.get(Settlement.attempt == paid).state == "reversed"
    assert uses_of(town)["new"].refundable == 0


def test_what_is_open_at_one_bank_is_not_counted_at_another(
    town: Town, alices_family: Family, october: Invoice, september: Invoice
) -> None:
    town.open(alices_family, october)
    town.restart("new", old=OLD, new=NEW)
    _, handoff = town.open(alices_family, september)
    assert {name: use.open for name, use in uses_of(town).items()} == {"old": 1, "new": 1}
    town.told("new", notice(handoff, OTHER_KEY, trans_status="CAPTURED"))
    assert {name: use.open for name, use in uses_of(town).items()} == {"old": 1, "new": 0}


def test_a_payment_undone_or_given_back_in_part_is_open_no_more(
    town: Town, alices_family: Family, october: Invoice, september: Invoice, frozen: Clock
) -> None:
    _, undone = town.open(alices_family, october)
    for status in ("AUTHORISED", "CANCELLED"):
        town.told("old", notice(undone, OLD_KEY, trans_status=status))
    _, repaid = town.open(alices_family, september)
    town.told("old", notice(repaid, OLD_KEY, trans_status="CAPTURED", trans_uuid="d" * 32))
    kept = Settlement.get(Settlement.transaction_id == "d" * 32)
    payments.record_repayment(kept, RepaymentKind.REFUND, 500, "Dominique", "absence")
    frozen.advance(days=1)
    town.reconcile()  # this bank cannot be asked
    assert uses_of(town)["old"].open == 0


def test_a_gateway_removed_too_early_is_listed_for_its_last_payment_and_what_is_open(
    town: Town, alices_family: Family, october: Invoice, september: Invoice, frozen: Clock
) -> None:
    _, refused = town.open(alices_family, october)
    town.told("old", notice(refused, OLD_KEY, **REFUSED))
    frozen.advance(days=2)
    last, _ = town.open(alices_family, september)
    town.restart("new", new=NEW)
    town.open(alices_family, october)
    for _ in range(2):
        town.reconcile()
    town.restart("new", old=OLD, new=NEW)
    town.reconcile()
    with write():
        flag_anomaly("x", AnomalyKind.SILENT, 1, "essai", attempt=last)
        resolve_by_itself(Anomaly.key == "x", "cela s’est arrangé")
    town.restart("new", new=NEW)
    town.reconcile()
    (point,) = payments.open_anomalies()
    assert (point.kind, point.attempt.id) == ("unserved", last.id)
    assert point.amount_cents == september.total_cents
    assert (point.resolved_by, point.resolution) == ("", "")


def test_what_the_regisseur_took_off_his_list_stays_off(
    town: Town, alices_family: Family, october: Invoice
) -> None:
    town.open(alices_family, october)
    town.restart("new", new=NEW)
    town.reconcile()
    payments.resolve_anomaly(payments.open_anomalies()[0].id, "Dominique", "vu avec l’informatique")
    assert len(town.reconcile().removed_gateways) == 1
    assert payments.open_anomalies() == []
    town.restart("new", old=OLD, new=NEW)
    town.reconcile()
    point = Anomaly.get()
    assert (point.resolved_by, point.resolution) == ("Dominique", "vu avec l’informatique")


def test_put_back_the_list_says_why_it_is_empty(
    town: Town, alices_family: Family, october: Invoice
) -> None:
    town.open(alices_family, october)
    for tables in ({}, {"old": OLD}):
        town.restart("new", **tables, new=NEW)
        town.reconcile()
    point = Anomaly.get()
    words = "passerelle rétablie, ou plus rien d’ouvert"
    assert (point.resolved_by, point.resolution) == ("Kiosque Famille", words)


def test_removed_in_time_nobody_is_told_anything(
    town: Town, alices_family: Family, october: Invoice, caplog: pytest.LogCaptureFixture
) -> None:
    _, handoff = town.open(alices_family, october)
    town.told("old", notice(handoff, OLD_KEY, trans_status="CAPTURED"))
    town.restart("new", new=NEW)
    assert town.reconcile().removed_gateways == []
    assert "retirée" not in caplog.text
    assert payments.open_anomalies() == []


def test_what_else_is_on_the_list_stays_when_no_gateway_was_removed(
    town: Town, alices_family: Family, october: Invoice
) -> None:
    attempt, _ = town.open(alices_family, october)
    with write():
        flag_anomaly("x", AnomalyKind.SILENT, 1, "essai", attempt=attempt)
    assert flag_gateways_removed_too_early(["old"]) == []
    assert [point.kind for point in payments.open_anomalies()] == ["silent"]


def test_each_regie_removed_with_invoices_to_pay_is_told_with_their_number(
    alices_family: Family,
) -> None:
    for number, regie in enumerate(("", "creche", "cantine", "creche", "piscine")):
        make_invoice(alices_family, f"N{number}", regie=regie)
    make_invoice(alices_family, "N9", regie="creche", state="cancelled")
    make_invoice(alices_family, "N8", regie="bus", state="cancelled")
    told = payments.describe_closed_regies(["piscine"])
    assert [(each.split()[1], sentences.numbers(each)) for each in told] == [
        ("cantine", [1]),
        ("creche", [2]),
    ]


def test_an_address_that_was_never_a_gateways_leaves_nothing(
    town: Town, alices_family: Family, october: Invoice
) -> None:
    town.open(alices_family, october)
    assert town.told("inconnue", {"x": "1"}) == (404, "KO passerelle inconnue")
    assert BankMessage.select().count() == 0


def test_a_stranger_who_names_a_field_after_the_old_key_does_not_pass_for_it(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The names of a garbled message's fields are kept, and anybody may choose them."""
    until = {"previous_key": OTHER_KEY, "previous_key_until": "2026-11-30"}
    town.restart("old", old={**OLD, **until})
    for name in ("ancienne clé", '"clé": "ancienne clé"', "previous"):
        assert town.told("old", {name: "x"})[0] == 400
    monkeypatch.setattr("kiosque.settings.loading.load", lambda _: town.settings)
    assert CliRunner().invoke(main, ["gateways"]).output.splitlines() == [
        f"old : {sentences.IN_FORCE}, {sentences.NOTHING_OPEN}.",
        f"\t{sentences.PREVIOUS_KEY_UNTIL} 30\u00a0novembre\u00a02026 inclus.",
    ]


def test_the_command_says_of_each_whether_it_may_go(
    town: Town, alices_family: Family, october: Invoice, frozen: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def said(in_force: str, **tables: dict[str, object]) -> tuple[int, list[str]]:
        town.restart(in_force, **tables)
        monkeypatch.setattr("kiosque.settings.loading.load", lambda _: town.settings)
        result = CliRunner().invoke(main, ["gateways"])
        return result.exit_code, result.output.splitlines()

    assert said("old", old=OLD, new=NEW) == (
        0,
        [
            f"old : {sentences.IN_FORCE}, {sentences.NOTHING_OPEN}.",
            f"new : {sentences.NEVER_SERVED}.",
        ],
    )
    _, handoff = town.open(alices_family, october)
    status, lines = said("new", old=OLD, new=NEW)
    assert status == 0
    assert lines[0].endswith(f"1 paiement ouvert : {sentences.KEEP_IT}.")
    status, lines = said("new", new=NEW)
    assert status == 1
    assert f"passerelle old {sentences.LEFT_THE_SETTINGS} alors que 1" in lines[1]
    until = {"previous_key": OTHER_KEY, "previous_key_until": "2026-11-30"}
    said("new", old={**OLD, **until}, new=NEW)
    town.gateway("old")._now = lambda: frozen.at
    town.told("old", notice(handoff, OTHER_KEY, trans_status="CAPTURED"))
    status, lines = said("new", old={**OLD, **until}, new=NEW)
    assert status == 0
    gone, kept, accepted, signed = lines[:4]
    assert gone.endswith(f" 24\u00a0novembre\u00a02026 à 20\u00a0h\u00a030 : {sentences.MAY_GO}.")
    assert (sentences.numbers(kept), "refund --elsewhere" in kept) == ([1], True)
    assert accepted == f"\t{sentences.PREVIOUS_KEY_UNTIL} 30\u00a0novembre\u00a02026 inclus."
    assert (
        signed == f"\t{sentences.LAST_SIGNED} : le 24\u00a0novembre\u00a02026 à 20\u00a0h\u00a030."
    )
    frozen.advance(days=7)
    assert "retirez previous_key" in said("new", old={**OLD, **until}, new=NEW)[1][2]
    assert said("new", new=NEW)[1][1].startswith(f"old : {sentences.LEFT_THE_SETTINGS}")
