"""A town has two régies: each has its own régisseur, contract, books; a payment is of one only."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from gateways.base import Gateway, Handoff
from kiosque import create_app, payments
from kiosque.cli import main
from kiosque.db import write
from kiosque.db.models import (
    Anomaly,
    Attempt,
    Child,
    Family,
    Invoice,
    OutboxMail,
    Receipt,
    Service,
    Settlement,
)
from kiosque.db.states import AnomalyKind
from kiosque.invoices import imports
from kiosque.invoices.imports import Confirmed
from kiosque.language import clock
from kiosque.mails import delivery
from kiosque.payments import CounterPayment, Refused, journal, verification
from kiosque.payments.anomalies import flag_anomaly
from kiosque.payments.selection import regie_of
from kiosque.settings import AttestationRules, OtherRegie, Settings
from tests import payfip, pdfs, sentences
from tests.bank import KEY, notice
from tests.conftest import NOW, PUBLIC_URL, Clock, csrf_token, make_invoice
from tests.kiosque.invoices.files import ROW, sheet
from tests.mailbox import Mailbox, text_of

pytestmark = pytest.mark.usefixtures("sound_books")

OTHER_KEY = "Qd7rVn2LxBw9TgKc4PzMh6Ys"
SHOP = {"adapter": "lyra", "site_id": "87654321", "test_key": OTHER_KEY, "brand": "payzen"}
CRECHE = OtherRegie(
    "Régie de la crèche",
    "Camille Roy",
    "creche@sautron.example.org",
    services=("Multi-accueil",),
    gateway="creche",
    closes_after_days=10,
)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    gateways = {**settings.gateways, "creche": SHOP}
    return replace(settings, gateways=gateways, regies={"creche": CRECHE})


@pytest.fixture
def november(alices_family: Family) -> Invoice:
    """Of the crèche."""
    return make_invoice(
        alices_family, "2026-11-0009", 3000, regie="creche", services="Multi-accueil"
    )


Confirm = Callable[..., Any]


@pytest.fixture
def confirm(alice: FlaskClient) -> Confirm:
    """Press the button of the summary of these invoices."""

    def go(*invoices: Invoice, **values: object) -> Any:
        numbers = [invoice.number for invoice in invoices]
        page = alice.get("/paiement/recapitulatif", query_string={"invoice": numbers}).text
        data = {
            "csrf_token": csrf_token(page),
            "invoice": numbers,
            "expected_cents": str(sum(invoice.total_cents for invoice in invoices)),
            **values,
        }
        return alice.post("/paiement/banque", data=data)

    return go


def fields(page: str) -> dict[str, str]:
    """The form that the page sends to the bank."""
    return dict(re.findall(r'name="(vads_\w+|signature)" value="([^"]*)"', page))


def paid(client: FlaskClient, page: str, name: str, key: str) -> Attempt:
    """The bank says that it was paid; the attempt."""
    handoff = Handoff("", "", tuple(fields(page).items()))
    answer = client.post(f"/paiement/notification/{name}", data=notice(handoff, key))
    assert answer.status_code == 200, answer.text
    return Attempt.get(Attempt.reference == fields(page)["vads_order_id"])


# --- The family ---


def test_invoices_of_two_regies_are_paid_in_two_payments_with_a_button_for_each(
    alice: FlaskClient, october: Invoice, november: Invoice
) -> None:
    numbers = [october.number, november.number]
    page = alice.get("/paiement/recapitulatif", query_string={"invoice": numbers})
    assert page.status_code == 200
    assert "Vos factures demandent 2 paiements" in page.text
    assert "75,20\u00a0€" in page.text
    for name, amount in (("Régie Enfance", "45,20"), ("Régie de la crèche", "30,00")):
        assert name in page.text
        assert f"{sentences.PAY_FIRST} {amount}\u00a0€" in page.text
    forms = page.text.split("<form")[1:]
    chosen = [re.findall('name="invoice" value="([^"]+)"', form) for form in forms]
    assert [each for each in chosen if each] == [[october.number], [november.number]]
    assert Attempt.select().count() == 0


def test_each_goes_to_its_own_bank_and_after_the_first_the_second_is_offered(
    alice: FlaskClient, confirm: Confirm, october: Invoice, november: Invoice
) -> None:
    numbers = [october.number, november.number]
    alice.get("/paiement/recapitulatif", query_string={"invoice": numbers})
    first = confirm(october)
    assert "http://127.0.0.1:8001" in first.text
    attempt = paid(alice, first.text, "banque", KEY)
    assert (attempt.gateway, attempt.regie) == ("banque", "")
    back = alice.get(f"/paiement/retour/{attempt.reference}").text
    assert re.search(f"{sentences.LEFT_TO_PAY} 30,00", back)
    assert f"/paiement/recapitulatif?invoice={november.number}" in back
    second = confirm(november)
    assert "https://secure.payzen.eu" in second.text
    assert "PayZen" in second.text
    other = paid(alice, second.text, "creche", OTHER_KEY)
    assert (other.gateway, other.regie) == ("creche", "creche")
    assert sentences.LEFT_TO_PAY not in alice.get(f"/paiement/retour/{other.reference}").text
    assert {invoice.state for invoice in Invoice.select()} == {"paid"}


def test_what_is_left_of_alices_choice_is_shown_to_nobody_else(
    alice: FlaskClient, charlie: FlaskClient, stranger: FlaskClient, confirm: Confirm,
    october: Invoice, november: Invoice,
) -> None:  # fmt: skip
    numbers = [october.number, november.number]
    alice.get("/paiement/recapitulatif", query_string={"invoice": numbers})
    attempt = paid(alice, confirm(october).text, "banque", KEY)
    for client in (charlie, stranger):
        assert sentences.LEFT_TO_PAY not in client.get(f"/paiement/retour/{attempt.reference}").text
    refused = charlie.get("/paiement/recapitulatif", query_string={"invoice": numbers})
    assert refused.status_code == 409
    assert "Régie de la crèche" not in refused.text


def test_a_form_that_mixes_them_opens_nothing(
    confirm: Confirm, gateway: Gateway, october: Invoice, november: Invoice
) -> None:
    refused = confirm(october, november)
    assert refused.status_code == 409
    assert sentences.PAID_APART in refused.text
    with pytest.raises(Refused, match=sentences.TWO_REGIES):
        purchase = payments.Purchase(october.family, [october.number, november.number], 7520)
        payments.start(purchase, gateway, PUBLIC_URL)
    assert Attempt.select().count() == 0


def test_one_that_cannot_be_paid_is_told_before_they_are_set_apart(
    alice: FlaskClient, october: Invoice, november: Invoice
) -> None:
    Invoice.update(state="cancelled", state_reason="x").where(Invoice.id == november.id).execute()
    numbers = [october.number, november.number]
    page = alice.get("/paiement/recapitulatif", query_string={"invoice": numbers})
    assert page.status_code == 409
    assert sentences.INVOICE_CANCELLED in page.text


def test_the_list_names_the_regies_of_a_town_that_has_two(
    alice: FlaskClient, october: Invoice, november: Invoice
) -> None:
    page = alice.get("/factures").text
    assert sentences.ONE_REGIE_AT_A_TIME in page
    assert page.count("Régie de la crèche") == page.count("Régie Enfance") == 1
    assert "Régie de la crèche" in alice.get(f"/factures/{november.number}").text
    make = Invoice.update(state="cancelled", state_reason="x")
    make.where(Invoice.id == november.id).execute()
    assert sentences.TWO_REGIES not in alice.get("/factures").text


class TestOneRegie:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return replace(settings, regies={})

    def test_nothing_is_said_of_regies_where_there_is_one(
        self, alice: FlaskClient, october: Invoice
    ) -> None:
        for address in ("/factures", f"/factures/{october.number}"):
            assert "Régie" not in alice.get(address).text

    def test_an_invoice_of_a_regie_that_left_the_settings_goes_to_no_bank(
        self, alice: FlaskClient, october: Invoice, november: Invoice
    ) -> None:
        page = alice.get(f"/paiement/recapitulatif?invoice={november.number}")
        assert page.status_code == 409
        assert sentences.PAYMENT_CLOSED in page.text
        assert "enfance@sautron.example.org" in page.text
        assert alice.get(f"/paiement/recapitulatif?invoice={october.number}").status_code == 200
        data = {
            "csrf_token": csrf_token(alice.get("/factures").text),
            "invoice": november.number,
            "expected_cents": "3000",
        }
        assert alice.post("/paiement/banque", data=data).status_code == 409
        assert Attempt.select().count() == 0


class TestAtTheTreasury:
    """The crèche is paid by PayFiP."""

    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        table = {"adapter": "payfip", "numcli": payfip.NUMCLI, "mode": "T"}
        return replace(settings, gateways={**settings.gateways, "creche": table})

    def test_limits_address_and_label_are_those_of_each_bank(
        self, alice: FlaskClient, october: Invoice, november: Invoice, alices_family: Family
    ) -> None:
        plain = alice.get(f"/paiement/recapitulatif?invoice={october.number}").text
        assert "facultatif" in plain
        assert "PayFiP" not in plain
        strict = alice.get(f"/paiement/recapitulatif?invoice={november.number}").text
        assert 'maxlength="80" required' in strict
        assert f"{sentences.EMAIL_SENT_ON} PayFiP" in strict
        small = make_invoice(alices_family, "petite", 80, regie="creche")
        refused = alice.get(f"/paiement/recapitulatif?invoice={small.number}")
        assert f"{sentences.BANK_TAKES} 1,00" in refused.text
        cheap = make_invoice(alices_family, "autre", 80)
        assert alice.get(f"/paiement/recapitulatif?invoice={cheap.number}").status_code == 200

    def test_the_legal_pages_name_both(self, stranger: FlaskClient) -> None:
        notice = stranger.get("/mentions-legales").text
        for words in ("Régie Enfance", "Dominique Aubry", "Régie de la crèche", "Camille Roy"):
            assert words in notice
        assert f"{sentences.EMAIL_SENT_ON_TOO} PayFiP" in stranger.get("/confidentialite").text


# --- Receipts, mails, books ---


@pytest.fixture
def both_paid(
    alice: FlaskClient, confirm: Confirm, october: Invoice, november: Invoice
) -> tuple[Receipt, Receipt]:
    paid(alice, confirm(october, email="alice@example.org").text, "banque", KEY)
    paid(alice, confirm(november, email="alice@example.org").text, "creche", OTHER_KEY)
    first, second = Receipt.select().order_by(Receipt.id)
    return first, second


def test_each_receipt_bears_the_names_of_its_regie(
    alice: FlaskClient, both_paid: tuple[Receipt, Receipt], mailbox: tuple[Mailbox, Settings]
) -> None:
    names = (("Régie Enfance", "Dominique Aubry"), ("Régie de la crèche", "Camille Roy"))
    box, settings = mailbox
    delivery.deliver(settings)
    for receipt, own, others in zip(both_paid, names, names[::-1], strict=True):
        page = alice.get(f"/recus/{receipt.id}").text
        paper = pdfs.text(alice.get(f"/recus/{receipt.id}.pdf").data)
        (letter,) = [each for each in box.messages if receipt.title in str(each["Subject"]).split()]
        for said in (page, paper, text_of(letter)):
            assert all(word in said for word in own)
            assert not [word for word in others if word in said]


def test_each_receipt_keeps_the_names_of_its_regie(both_paid: tuple[Receipt, Receipt]) -> None:
    first, second = both_paid
    assert (first.regie_name, first.regisseur) == ("Régie Enfance", "Dominique Aubry")
    assert (second.regie_name, second.regisseur) == ("Régie de la crèche", "Camille Roy")


def test_each_regie_numbers_its_receipts_without_a_gap(
    both_paid: tuple[Receipt, Receipt],
    alice: FlaskClient,
    charlie: FlaskClient,
    confirm: Confirm,
    alices_family: Family,
) -> None:
    more = make_invoice(alices_family, "2026-12-0001", 3000, regie="creche")
    paid(alice, confirm(more).text, "creche", OTHER_KEY)
    titles = [receipt.title for receipt in Receipt.select().order_by(Receipt.id)]
    assert titles == ["R000001", "R000001-creche", "R000002-creche"]
    assert verification.faults() == []
    listed = alice.get("/factures").text
    for receipt in list(Receipt.select()):
        assert f"/recus/{receipt.id}" in listed
        assert receipt.title in alice.get(f"/recus/{receipt.id}").text
        assert charlie.get(f"/recus/{receipt.id}").status_code == 404
        assert payments.find_settlement(receipt.title.lower()) == receipt.settlement
    assert payments.find_settlement("R2-creche") != payments.find_settlement("R1-creche")
    for nobodys in ("R2", "R1-cantine", "R1-"):
        with pytest.raises(payments.Refused):
            payments.find_settlement(nobodys)


def test_the_books_are_kept_apart(both_paid: tuple[Receipt, Receipt]) -> None:
    assert journal.balances() == {
        "bank:banque": 4520,
        "invoices": -4520,
        "bank:creche": 3000,
        "invoices/creche": -3000,
    }
    assert [row.regie for row in Settlement.select().order_by(Settlement.id)] == ["", "creche"]


def test_a_payment_of_the_wrong_regie_is_found(both_paid: tuple[Receipt, Receipt]) -> None:
    second = both_paid[1].settlement
    Settlement.update(regie="").where(Settlement.id == second.id).execute()
    assert any(sentences.NOT_OF_THE_REGIE in fault for fault in verification.faults())
    Settlement.update(regie="creche").where(Settlement.id == second.id).execute()
    Attempt.update(regie="").where(Attempt.id == second.attempt_id).execute()
    assert any(sentences.OF_ANOTHER_REGIE in fault for fault in verification.faults())
    Attempt.update(regie="creche").where(Attempt.id == second.attempt_id).execute()


def test_what_each_regisseur_must_look_at_goes_to_him(
    alice: FlaskClient, confirm: Confirm, october: Invoice, november: Invoice,
    mailbox: tuple[Mailbox, Settings], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    pages = [confirm(october).text, confirm(november).text]
    for invoice in (october, november):
        payments.settle_at_counter([at_counter(invoice)])
    paid(alice, pages[0], "banque", KEY)
    paid(alice, pages[1], "creche", OTHER_KEY)
    # Unknown at the crèche's bank: it is the crèche's.
    handoff = Handoff("", "", tuple(fields(pages[1]).items()))
    unknown = notice(handoff, OTHER_KEY, order_id="KF" + "f" * 18, trans_uuid="a" * 32)
    alice.post("/paiement/notification/creche", data=unknown)
    assert [(each.kind, each.regie) for each in Anomaly.select().order_by(Anomaly.id)] == [
        ("overpayment", ""),
        ("overpayment", "creche"),
        ("unknown_order", "creche"),
    ]
    box, settings = mailbox
    delivery.deliver(settings)
    sent = [(each["To"], "Régie de la crèche" in text_of(each)) for each in box.messages]
    assert sorted(sent) == [
        ("creche@sautron.example.org", True),
        ("creche@sautron.example.org", True),
        ("regie@sautron.example.org", False),
    ]
    monkeypatch.setattr("kiosque.settings.loading.load", lambda _: settings)
    lines = CliRunner().invoke(main, ["todo"]).output.splitlines()
    ends = [line.rsplit("\t", 1)[1] for line in lines if re.match(r"\d+\t", line)]
    assert ends == ["Régie Enfance", "Régie de la crèche", "Régie de la crèche"]


def test_a_regisseur_without_an_address_is_written_to_by_nobody(
    settings: Settings, november: Invoice, empty_database: None
) -> None:
    silent = replace(settings, regies={"creche": replace(CRECHE, email="")})
    with write():
        flag_anomaly("k", AnomalyKind.MISMATCH, 1, "essai", invoice=november)
    delivery.deliver(silent)
    assert OutboxMail.get().state == "dropped"


def at_counter(invoice: Invoice) -> CounterPayment:
    return CounterPayment(
        invoice.number, invoice.total_cents, "cash", NOW.date(), "Dominique", "quittance 1"
    )


def test_money_taken_at_the_counter_for_both_is_two_payments_in_two_tills(
    october: Invoice, november: Invoice
) -> None:
    added = payments.settle_at_counter([at_counter(october), at_counter(november)])
    assert [(each.regie, each.cents) for each in added] == [("", 4520), ("creche", 3000)]
    assert journal.balances() == {
        "counter:cash": 4520,
        "invoices": -4520,
        "counter:cash/creche": 3000,
        "invoices/creche": -3000,
    }


def test_the_commands_say_to_which_regie_the_money_goes(
    settings: Settings, october: Invoice, november: Invoice, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("kiosque.settings.loading.load", lambda _: settings)
    file = tmp_path / "encaissements.csv"
    file.write_text(
        "numero_facture;date_encaissement;mode;montant;auteur;motif\n"
        f"{october.number};24/11/2026;cash;45,20;Dominique;q1\n",
        encoding="utf-8",
    )
    said = CliRunner().invoke(main, ["import", str(file)])
    assert said.exit_code == 0, said.output
    assert "Régie Enfance : 45,20\u00a0€" in said.output
    settle = ["settle", november.number, "--mode", "cash", "--author", "D", "--reason", "q2"]
    said = CliRunner().invoke(main, settle)
    assert said.output.startswith("Facture 2026-11-0009, Régie de la crèche :")
    assert (
        f"{sentences.IN_FORCE} (Régie de la crèche)"
        in CliRunner().invoke(main, ["gateways"]).output
    )


def test_the_attestation_names_the_regies_that_received_what_it_counts(
    alice: FlaskClient, confirm: Confirm, november: Invoice, alices_family: Family,
    settings: Settings, frozen: Clock,
) -> None:  # fmt: skip
    Child.create(family=alices_family, name="Léa Martin", born_on=clock.today().replace(year=2023))
    Service.update(name="Multi-accueil", key="multiaccueil").execute()
    rules = AttestationRules(services=("Multi-accueil",), meal_labels=())
    application = alice.application
    application.extensions["settings"] = replace(settings, attestation=rules)
    paid(alice, confirm(november).text, "creche", OTHER_KEY)
    paper = pdfs.text(alice.get("/attestations/2026.pdf").data)
    assert "Régie de la crèche" in paper
    assert "Camille Roy" in paper
    assert "Dominique Aubry" not in paper
    both = replace(settings, regies={"creche": CRECHE})
    assert [each.name for each in both.regies_of(["Multi-accueil", "Cantine"])] == [
        "Régie Enfance",
        "Régie de la crèche",
    ]


# --- Import ---

AT_CRECHE = ROW.replace("Restauration", "Multi-accueil")


def test_an_invoice_belongs_to_the_regie_of_its_lines_and_closes_when_that_one_says(
    empty_database: None, tmp_path: Path
) -> None:
    summary = load(tmp_path, ROW, AT_CRECHE.replace("2026-10-0001", "B"))
    assert [(each.number, each.regie) for each in Invoice.select().order_by(Invoice.id)] == [
        ("2026-10-0001", ""),
        ("B", "creche"),
    ]
    days = [(each.closes_on - each.due_on).days for each in Invoice.select().order_by(Invoice.id)]
    assert days == [45, 10]
    assert set(summary.regies) == {"", "creche"}
    assert sum(summary.regies.values()) == summary.total_cents


def test_an_invoice_of_two_regies_is_refused_in_french_and_nothing_is_loaded(
    empty_database: None, tmp_path: Path
) -> None:
    with pytest.raises(imports.BadFile) as refused:
        load(tmp_path, ROW, AT_CRECHE)
    (fault,) = refused.value.faults
    assert fault.line == 2
    assert "2026-10-0001" in fault.text
    assert f"{sentences.TWO_REGIES} (Restauration, Multi-accueil)" in fault.text
    assert Invoice.select().count() == 0


def test_what_was_loaded_before_there_were_two_stays_where_it_was(
    empty_database: None, tmp_path: Path
) -> None:
    load(tmp_path, ROW, AT_CRECHE, regies={})
    summary = load(tmp_path, ROW, AT_CRECHE)
    assert (summary.added, summary.unchanged) == (0, 1)
    assert Invoice.get().regie == ""


@pytest.mark.parametrize(
    "spelt", ["multi-accueil", "MULTI-ACCUEIL", "Multi accueil", "Multi\u2011accueil",
              "Multi\u00adaccueil", "Multiaccueil"],
)  # fmt: skip
def test_money_goes_to_the_same_bank_account_however_a_service_is_spelt(
    empty_database: None, tmp_path: Path, spelt: str
) -> None:
    load(tmp_path, ROW.replace("Restauration", spelt), confirmed=Confirmed())
    assert (Invoice.get().regie, Invoice.get().services) == ("creche", "Multi-accueil")


def test_a_service_never_seen_waits_to_be_confirmed_where_there_are_two_regies(
    empty_database: None, tmp_path: Path
) -> None:
    with pytest.raises(imports.BadFile, match=r"ligne 2 : la prestation « Multi-acueil »"):
        load(tmp_path, ROW.replace("Restauration", "Multi-acueil"), confirmed=Confirmed())
    assert Invoice.select().count() == 0
    families = (
        "code_famille;role;nom;prenom;adresse;code_postal;ville;services\n"
        "F1001;responsable;Martin;Alice;;;;\nF1001;enfant;Martin;Zoé;;;;Multi-acueil\n"
    )
    path = tmp_path / "familles.csv"
    path.write_text(families, encoding="utf-8")
    with pytest.raises(imports.BadFile, match=r"ligne 3 : la prestation « Multi-acueil »"):
        imports.load(path, pdf_folder=tmp_path, regies={"creche": CRECHE})
    load(tmp_path, ROW)
    load(tmp_path, ROW.replace("0001", "0002").replace("R", "r"), confirmed=Confirmed())
    assert {invoice.services for invoice in Invoice.select()} == {"Restauration"}


def load(folder: Path, *rows: str, **options: Any) -> imports.FileSummary:
    path = folder / "factures.csv"
    path.write_text(sheet(*rows), encoding="utf-8")
    values = {
        "regies": {"creche": CRECHE}, "closes_after_days": 45,
        "confirmed": Confirmed(new_services=True), **options,
    }  # fmt: skip
    return imports.load(path, pdf_folder=folder / "pdf", **values)


def test_a_site_starts_with_two_and_says_when_one_went_too_early(
    settings: Settings, november: Invoice, caplog: pytest.LogCaptureFixture
) -> None:
    create_app(settings)
    assert caplog.text == ""
    create_app(replace(settings, regies={}))
    assert f"régie creche {sentences.LEFT_THE_SETTINGS} alors que 1" in caplog.text


def test_the_regie_of_a_choice_is_that_of_its_most_pressing_invoice_and_of_nobody_elses(
    alices_family: Family, charlies_family: Family
) -> None:
    days = {"a": date(2026, 10, 5), "b": date(2026, 10, 4), "c": date(2026, 10, 4)}
    for regie, due_on in days.items():
        make_invoice(alices_family, f"N-{regie}", regie=regie, due_on=due_on)
    make_invoice(charlies_family, "N-x", regie="x", due_on=date(2026, 9, 1))
    assert regie_of(alices_family, ["N-c", "N-a", "N-b", "N-x"]) == "b"
    assert regie_of(alices_family, ["N-c", "N-a"]) == "c"
    assert regie_of(alices_family, ["N-x"]) == ""


def test_each_closed_regie_is_told_with_the_count_of_its_own_invoices(
    alices_family: Family,
) -> None:
    for number, regie in enumerate(["z", "y", "z", "x", ""]):
        make_invoice(alices_family, f"N{number}", regie=regie)
    told = payments.describe_closed_regies(["x"])
    assert [words.partition(" de ses")[0] for words in told] == [
        f"régie y {sentences.LEFT_THE_SETTINGS} alors que 1",
        f"régie z {sentences.LEFT_THE_SETTINGS} alors que 2",
    ]
