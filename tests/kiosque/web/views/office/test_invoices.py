"""Invoices as agents look them up, and what they do with one."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gateways.base import Handoff
from kiosque import payments
from kiosque.db import database, write
from kiosque.db.models import (
    Attempt,
    Family,
    Guardian,
    Invoice,
    OutboxMail,
    Settlement,
    StaffEvent,
)
from kiosque.db.states import NoticeKind
from kiosque.families import contacts
from kiosque.invoices import announcements
from kiosque.payments import verification
from kiosque.settings import OtherRegie
from kiosque.staff.roles import Role
from kiosque.web.office import lists
from kiosque.web.office.filters import InvoiceFilters
from tests import fresh_databases
from tests.agents import confirm, enter, fill, make_agent, send
from tests.conftest import NOW, make_invoice

LIST = "/mairie/factures"
PAGE = f"{LIST}/2026-10-0001"
MAIL = "/mairie/courriels/factures/2026-10-0001"
CHEQUE = {"reason": "chèque 12", "mode": "cheque", "settled_on": "2026-11-24"}


@pytest.fixture
def some(october: Invoice, september: Invoice, charlies_family: Family) -> None:
    make_invoice(
        charlies_family, "2026-10-0002", 1000, state="paid", services="Périscolaire, Crèche",
        due_on=date(2026, 12, 15), regie="creche",
    )  # fmt: skip
    make_invoice(charlies_family, "2026-11-0003", -500, state="nothing_due", period="novembre 2026")


@pytest.fixture
def client(app: Flask, some: None) -> FlaskClient:
    return enter(app, make_agent(Role.REGISSEUR))


def shown(page: str) -> list[str]:
    """The numbers of the list, in its order."""
    numbers = ("2026-09-0001", "2026-10-0001", "2026-10-0002", "2026-11-0003")
    return sorted((each for each in numbers if f">{each}</a>" in page), key=page.index)


def last_event() -> tuple[str, str]:
    line = StaffEvent.select().order_by(StaffEvent.id.desc()).get()
    return line.action, line.object


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, ["2026-11-0003", "2026-10-0002", "2026-10-0001", "2026-09-0001"]),
        ({"numero": "2026-10"}, ["2026-10-0001", "2026-10-0002"]),
        ({"numero": "2026*"}, []),
        ({"famille": "f 1001"}, ["2026-10-0001", "2026-09-0001"]),
        ({"famille": "F2"}, ["2026-11-0003", "2026-10-0002"]),
        ({"famille": "F9"}, []),
        ({"etat": "open"}, ["2026-09-0001", "2026-10-0001"]),
        ({"etat": "late"}, ["2026-09-0001"]),
        ({"etat": "paid"}, ["2026-10-0002"]),
        ({"etat": "nothing_due"}, ["2026-11-0003"]),
        ({"etat": "part"}, []),
        ({"periode": "Octobre 2026"}, ["2026-10-0002", "2026-10-0001"]),
        ({"du": "2026-12-01"}, ["2026-10-0002"]),
        ({"du": "2026-11-30", "au": "2026-11-30", "etat": "open"}, ["2026-10-0001"]),
        ({"montant": "45,20"}, ["2026-10-0001"]),
        ({"montant": "-5"}, ["2026-11-0003"]),
        ({"service": "Restauration scolaire", "etat": "paid"}, []),
    ],
)
def test_the_list_answers_the_filters_of_its_address(
    client: FlaskClient, asked: dict[str, str], found: list[str]
) -> None:
    assert shown(client.get(LIST, query_string=asked).text) == found


def test_a_town_of_two_regies_has_a_filter_for_them(app: Flask, client: FlaskClient) -> None:
    settings = app.extensions["settings"]
    assert 'name="regie"' not in client.get(LIST).text
    creche = OtherRegie("Régie Crèche", "Camille Roux", gateway="banque")
    app.extensions["settings"] = replace(settings, regies={"creche": creche})
    make_agent(Role.CONSULTATION, "regisseur@sautron.example.org", regie="creche")
    assert shown(client.get(f"{LIST}?regie=creche").text) == ["2026-10-0002"]
    assert len(shown(client.get(f"{LIST}?regie=-").text)) == 3


@pytest.mark.parametrize(
    "asked", [{"du": "hier"}, {"au": "0001-01-01"}, {"montant": "x"}, {"etat": "x"}]
)
def test_a_filter_that_is_none_is_said_and_lists_nothing(
    client: FlaskClient, asked: dict[str, str]
) -> None:
    answer = client.get(LIST, query_string=asked)
    assert answer.status_code == 422
    assert shown(answer.text) == []


def test_a_code_that_stands_for_too_many_families_is_to_be_completed(
    client: FlaskClient,
) -> None:
    for number in range(101):
        Family.create(code=f"G{number}", updated_on=NOW.date())
    assert client.get(f"{LIST}?famille=G").status_code == 422
    assert client.get(f"{LIST}?famille=G1").status_code == 200


def test_a_list_costs_as_many_queries_whatever_its_rows(
    client: FlaskClient, alices_family: Family, queries: list[str]
) -> None:
    client.get(LIST)
    queries.clear()
    client.get(LIST)
    few = len(queries)
    for number in range(30):
        make_invoice(alices_family, f"2025-{number}")
    queries.clear()
    client.get(LIST)
    assert len(queries) == few <= 9, queries


@fresh_databases.on_sqlite
@pytest.mark.parametrize(
    ("asked", "index"),
    [
        ({"montant": "45,20"}, "invoice_total"),
        ({"montant": "45,20", "etat": "open"}, "invoice_open"),
        ({"montant": "45,20", "etat": "late"}, "invoice_open"),
        ({"montant": "45,20", "periode": "octobre 2026"}, "invoice_period"),
    ],
)
def test_an_amount_that_most_invoices_have_is_looked_for_among_few(
    app: Flask, empty_database: None, asked: dict[str, str], index: str
) -> None:
    with app.test_request_context("/", query_string=asked):
        form = InvoiceFilters(app.extensions["settings"])
        assert form.validate()
        found = lists.narrow(Invoice.select(Invoice.id), form.conditions())
    sql, values = found.order_by(Invoice.due_on, Invoice.id).limit(lists.ROWS + 1).sql()
    plan = database.execute_sql(f"EXPLAIN QUERY PLAN {sql}", values).fetchall()
    assert index in str(plan)


@pytest.mark.parametrize("page", ["factures", "encaissements"])
def test_an_amount_then_another_each_find_their_own(
    app: Flask, alices_family: Family, page: str
) -> None:
    reads_all = enter(app, make_agent(Role.REGISSEUR))
    for number, cents in (("A-1", 1100), ("A-2", 2200), ("A-3", 2200)):
        make_invoice(alices_family, number, cents)
        paid = payments.CounterPayment(number, cents, "cheque", NOW.date(), "Dominique", number)
        payments.settle_at_counter([paid])
    for _ in range(2):
        for asked, many in (("11", 1), ("22", 2), ("0", 0), ("", 3), ("22&apres=9999-12-31_9", 2)):
            rows = reads_all.get(f"/mairie/{page}?montant={asked}").text
            assert rows.count('<th scope="row"') == many, asked
        for state, many in (("open", 0), ("paid", 2), ("", 2)):
            rows = reads_all.get(f"/mairie/factures?montant=22&etat={state}").text
            assert rows.count('<th scope="row"') == many, state


def test_the_pages_of_a_list_keep_its_filters(client: FlaskClient, alices_family: Family) -> None:
    for number in range(60):
        make_invoice(alices_family, f"2025-{number:02d}")
    page = client.get(f"{LIST}?numero=2025").text
    assert "60 factures" in page
    assert f"{LIST}?apres=2025-{lists.ROWS - 1}_" in page
    assert "&amp;numero=2025" in page


def test_who_looks_for_a_familys_invoices_is_noted(client: FlaskClient) -> None:
    client.get(f"{LIST}?famille=F1001")
    assert last_event() == ("families_searched", "F1001")


def test_a_record_tells_the_lines_what_is_paid_and_by_what_happened(
    client: FlaskClient, october: Invoice
) -> None:
    confirm(client, f"{PAGE}/encaisser", amount="20", **CHEQUE)
    page = client.get(PAGE).text
    assert last_event() == ("invoice_read", "2026-10-0001")
    for words in (
        "F1001 Martin", "Repas", "25,20\u00a0€", "par chèque, au guichet", "chèque 12",
        "regisseur@sautron.example.org", "essai.csv", "criture 1 :".replace(" ", " "),
    ):  # fmt: skip
        assert words in page, words
    assert "Petit" not in page


def test_a_record_tells_the_mails_that_were_sent(
    client: FlaskClient, october: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contacts, "addresses", lambda _family: ["alice@example.org"])
    with write():
        announcements.queue_notice(NoticeKind.RELANCE, october.family, [october])
    page = client.get(PAGE).text
    assert "Relance" in page
    assert "alice@example.org" not in page
    assert "Relance" not in client.get(f"{LIST}/2026-09-0001").text


def test_control_reads_an_invoice_and_is_not_led_to_its_family(
    app: Flask, some: None, client: FlaskClient
) -> None:
    family = "/mairie/familles/F1001"
    assert family in client.get(PAGE).text
    control = enter(app, make_agent(Role.CONTROLE))
    page = control.get(PAGE).text
    assert "2026-10-0001" in page
    assert family not in page
    assert f"{PAGE}/annuler" not in page


def test_an_invoice_that_is_not_there_is_not_found(client: FlaskClient) -> None:
    for page in (
        f"{LIST}/inconnue",
        f"{LIST}/inconnue/annuler",
        "/mairie/documents/factures/x.pdf",
    ):
        assert client.get(page).status_code == 404


def test_a_number_with_a_slash_has_its_pages_too(
    client: FlaskClient, alices_family: Family
) -> None:
    make_invoice(alices_family, "2026/10/7")
    page = f"{LIST}/2026/10/7"
    assert "Facture" in client.get(page).text
    assert confirm(client, f"{page}/annuler", reason="erreur").location == page
    assert Invoice.get(Invoice.number == "2026/10/7").state == "cancelled"


# --- Cancel ---


def test_an_invoice_is_cancelled_once_what_that_does_was_read(
    client: FlaskClient, october: Invoice
) -> None:
    told = fill(client, f"{PAGE}/annuler", reason="doublon")
    assert "45,20\u00a0€" in told.text
    assert Invoice.get_by_id(october.id).state == "open"
    assert confirm(client, f"{PAGE}/annuler", reason="doublon").location == PAGE
    invoice = Invoice.get_by_id(october.id)
    assert invoice.state == "cancelled"
    assert invoice.state_reason == "regisseur@sautron.example.org : doublon"
    assert last_event() == ("invoice_cancelled", "2026-10-0001")
    assert "Annulée par" in client.get(PAGE).text


def test_without_a_reason_or_the_box_ticked_nothing_is_done(
    client: FlaskClient, october: Invoice
) -> None:
    page = f"{PAGE}/annuler"
    assert send(client, page, reason=" ").status_code == 422
    told = fill(client, page, reason="doublon").text
    fingerprint = told.partition('name="fingerprint" value="')[2].partition('"')[0]
    assert send(client, page, reason="doublon", fingerprint=fingerprint).status_code == 422
    assert Invoice.get_by_id(october.id).state == "open"


def test_what_changed_after_it_was_told_is_told_again(
    client: FlaskClient, october: Invoice
) -> None:
    page = f"{PAGE}/annuler"
    told = fill(client, page, reason="doublon").text
    fingerprint = told.partition('name="fingerprint" value="')[2].partition('"')[0]
    confirm(client, f"{PAGE}/encaisser", amount="20", **CHEQUE)
    answer = send(client, page, reason="doublon", fingerprint=fingerprint, seen="y")
    assert answer.status_code == 422
    assert "20,00\u00a0€" in answer.text
    assert Invoice.get_by_id(october.id).state == "open"


def test_a_paid_invoice_cannot_be_cancelled(client: FlaskClient, october: Invoice) -> None:
    confirm(client, f"{PAGE}/encaisser", amount="45,20", **CHEQUE)
    assert fill(client, f"{PAGE}/annuler", reason="doublon").status_code == 422
    assert f"{PAGE}/annuler" not in client.get(PAGE).text


def test_an_agent_acts_on_the_regies_of_his_role_only(app: Flask, some: None) -> None:
    other = enter(app, make_agent(Role.REGISSEUR, "creche@x.fr", regie="creche"))
    make_agent(Role.CONSULTATION, "creche@x.fr")
    assert "/annuler" not in other.get(PAGE).text
    for act in ("annuler", "encaisser"):
        assert other.get(f"{PAGE}/{act}").status_code == 403
        assert other.get(f"{LIST}/2026-10-0002/{act}").status_code == 200


# --- The counter ---


def test_a_mixed_payment_is_noted_at_the_counter(
    client: FlaskClient, alices_family: Family
) -> None:
    make_invoice(alices_family, "2026-11-0009", 5418)
    page = f"{LIST}/2026-11-0009/encaisser"
    given = {
        "reason": "CESU 4 titres", "mode": "cesu", "amount": "30,00", "other_mode": "cash",
        "other_amount": "24,18", "settled_on": "2026-11-24",
    }  # fmt: skip
    told = fill(client, page, **given).text
    assert "54,18\u00a0€" in told
    assert Settlement.select().count() == 0
    assert confirm(client, page, **given).location == f"{LIST}/2026-11-0009"
    invoice = Invoice.get(Invoice.number == "2026-11-0009")
    assert (invoice.state, invoice.paid_cents) == ("paid", 5418)
    taken = {(each.mode, each.amount_cents, each.author) for each in Settlement.select()}
    by = "regisseur@sautron.example.org"
    assert taken == {("cesu", 3000, by), ("cash", 2418, by)}
    assert not [each for each in verification.faults() if "2026-11-0009" in each]


def test_the_same_payment_sent_twice_is_noted_once(client: FlaskClient, october: Invoice) -> None:
    page, given = f"{PAGE}/encaisser", {"amount": "20", **CHEQUE}
    confirm(client, page, **given)
    assert fill(client, page, **given).status_code == 422
    assert Settlement.select().count() == 1


def test_money_over_what_is_due_wants_a_word_of_its_own(
    client: FlaskClient, october: Invoice
) -> None:
    page, given = f"{PAGE}/encaisser", {"amount": "50", **CHEQUE}
    assert confirm(client, page, **given).status_code == 422
    assert Settlement.select().count() == 0
    assert confirm(client, page, anyway=True, **given).location == PAGE
    assert Invoice.get_by_id(october.id).state == "paid"
    assert Settlement.get().amount_cents == 5000


def test_a_family_at_the_bank_is_told_before_money_is_taken(
    client: FlaskClient, october: Invoice, pay: Callable[..., tuple[Attempt, Handoff]]
) -> None:
    pay(october.family, october)
    page, given = f"{PAGE}/encaisser", {"amount": "45,20", **CHEQUE}
    assert "est à la banque" in fill(client, page, **given).text
    assert confirm(client, page, **given).status_code == 422
    assert confirm(client, page, anyway=True, **given).location == PAGE


def test_a_mode_that_the_regie_does_not_collect_by_is_not_offered(
    app: Flask, client: FlaskClient
) -> None:
    settings = app.extensions["settings"]
    regie = replace(settings.regie, modes=("cash",))
    app.extensions["settings"] = replace(settings, regie=regie)
    page = client.get(f"{PAGE}/encaisser").text
    assert "espèces" in page
    assert "CESU" not in page
    assert fill(client, f"{PAGE}/encaisser", amount="20", **CHEQUE).status_code == 422


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount": ""},
        {"amount": "beaucoup"},
        {"amount": "0"},
        {"amount": "-5"},
        {"settled_on": "2026-12-25"},
        {"settled_on": "2026-11-01"},
        {"settled_on": "hier"},
        {"mode": "troc"},
        {"other_mode": "cash"},
        {"other_amount": "5"},
        {"reason": ""},
        {"reason": "x" * 501},
        {"reason": "a\x1b[2J"},
    ],
)
def test_money_that_cannot_have_been_taken_so_is_refused(
    client: FlaskClient, october: Invoice, wrong: dict[str, str]
) -> None:
    given = {"amount": "20", **CHEQUE, **wrong}
    answer = fill(client, f"{PAGE}/encaisser", **given)
    assert answer.status_code == 422
    assert "À corriger" in answer.text
    assert Settlement.select().count() == 0


def test_who_changes_the_form_finds_what_was_typed(client: FlaskClient) -> None:
    page = fill(client, f"{PAGE}/encaisser", amount="20", change="1", **CHEQUE)
    assert page.status_code == 200
    assert 'value="20"' in page.text
    assert "fingerprint" not in page.text


# --- The Treasury, and credit notes ---


def test_an_invoice_goes_to_the_treasury_and_comes_back(
    client: FlaskClient, october: Invoice
) -> None:
    page = f"{PAGE}/transmettre"
    given = {"list_name": "titres de novembre", "on": "2026-11-24", "reason": "impayée"}
    assert "ne pourra plus la payer ici" in fill(client, page, **given).text
    assert confirm(client, page, **given).location == PAGE
    assert Invoice.get_by_id(october.id).state == "transmitted"
    assert last_event() == ("transmitted", "2026-10-0001")
    assert "titres de novembre" in client.get(PAGE).text
    assert fill(client, page, **given).status_code == 422
    assert confirm(client, f"{PAGE}/reprendre", reason="erreur").location == PAGE
    assert Invoice.get_by_id(october.id).state == "open"
    assert fill(client, f"{PAGE}/reprendre", reason="erreur").status_code == 422


def test_what_the_treasury_received_is_noted_whatever_the_regie_collects_by(
    app: Flask, client: FlaskClient, october: Invoice
) -> None:
    settings = app.extensions["settings"]
    app.extensions["settings"] = replace(settings, regie=replace(settings.regie, modes=("cash",)))
    payments.transmit([october.number], "titres", NOW.date(), "Dominique", "impayée")
    asked = {"amount": "20", "settled_on": "2026-11-24", "reason": "P503 12"}
    assert fill(client, f"{PAGE}/encaisser", mode="cash", **asked).status_code == 422
    assert confirm(client, f"{PAGE}/encaisser", mode="treasury", **asked).location == PAGE
    assert Invoice.get_by_id(october.id).paid_cents == 2000


@pytest.mark.parametrize(
    "wrong", [{"list_name": ""}, {"list_name": "x" * 100}, {"on": " "}, {"on": "2026-12-25"}]
)
def test_a_list_or_a_day_that_cannot_be_is_refused(
    client: FlaskClient, october: Invoice, wrong: dict[str, str]
) -> None:
    given = {"list_name": "titres", "on": "2026-11-24", "reason": "impayée", **wrong}
    page = f"{PAGE}/transmettre"
    if fill(client, page, **given).status_code == 200:
        assert confirm(client, page, **given).status_code == 422
    assert Invoice.get_by_id(october.id).state == "open"


def test_a_credit_note_pays_an_invoice_of_its_family(
    client: FlaskClient, october: Invoice, alices_family: Family
) -> None:
    make_invoice(alices_family, "A-1", -2000, state="nothing_due")
    page = f"{LIST}/A-1"
    given = {"number": "2026-10-0001", "reason": "accord"}
    assert "20,00\u00a0€" in fill(client, f"{page}/affecter", **given).text
    assert confirm(client, f"{page}/affecter", **given).location == page
    assert Invoice.get_by_id(october.id).paid_cents == 2000
    assert last_event() == ("credit_applied", "A-1")
    assert PAGE in client.get(page).text
    for number in ("inconnue", "2026-11-0003", ""):
        answer = fill(client, f"{page}/affecter", number=number, reason="accord")
        assert answer.status_code == 422


@pytest.fixture
def note(alices_family: Family, october: Invoice) -> Invoice:
    """A credit note of 20 €, which pays 12 € of October's invoice."""
    note = make_invoice(alices_family, "A-1", -2000, state="nothing_due")
    payments.apply_credit("A-1", october.number, 1200, "Dominique", "accord")
    return note


def test_what_a_credit_note_pays_is_taken_off_from_either_page(
    client: FlaskClient, october: Invoice, note: Invoice
) -> None:
    page = f"{PAGE}/avoirs/{note.id}"
    for shown_on in (PAGE, f"{LIST}/A-1"):
        assert f'href="{page}"' in client.get(shown_on).text
    told = fill(client, page, reason="erreur").text
    assert "12,00\u00a0€" in told
    assert "vaudra de nouveau 20,00\u00a0€" in told
    assert confirm(client, page, reason="erreur").location == PAGE
    assert Invoice.get_by_id(october.id).paid_cents == 0
    assert Invoice.get_by_id(note.id).credit_cents == 2000
    assert last_event() == ("credit_taken_off", "A-1")
    assert fill(client, page, reason="encore").status_code == 422


def test_what_another_credit_note_pays_is_not_there_to_take_off(
    client: FlaskClient, october: Invoice, note: Invoice, charlies_family: Family
) -> None:
    theirs = make_invoice(charlies_family, "A-9", -2000, state="nothing_due")
    assert client.get(f"{PAGE}/avoirs/{theirs.id}").status_code == 404
    assert client.get(f"{PAGE}/avoirs/{2**63}").status_code == 404


def test_only_a_regisseur_takes_a_credit_note_off(
    app: Flask, some: None, october: Invoice, note: Invoice
) -> None:
    for role in set(Role) - {Role.REGISSEUR, Role.ADMINISTRATION}:
        agent = enter(app, make_agent(role))
        assert f"/avoirs/{note.id}" not in agent.get(PAGE).text
        assert agent.get(f"{PAGE}/avoirs/{note.id}").status_code == 403


def test_a_refusal_names_the_button_to_press(client: FlaskClient, note: Invoice) -> None:
    answer = fill(client, f"{LIST}/A-1/annuler", reason="erreur")
    assert answer.status_code == 422
    assert "Reprendre l’avoir" in answer.text
    assert "unapply-credit" not in answer.text


# --- The search box ---


def go(client: FlaskClient, asked: str) -> str:
    return str(client.get("/mairie/aller", query_string={"q": asked}).location)


def test_the_search_box_goes_straight_to_what_it_names(
    client: FlaskClient, october: Invoice, pay: Callable[..., tuple[Attempt, Handoff]]
) -> None:
    confirm(client, f"{PAGE}/encaisser", amount="20", **CHEQUE)
    attempt, _ = pay(october.family, Invoice.get(Invoice.number == "2026-09-0001"))
    paid = Settlement.get()
    for asked in (" 2026-10-0001 ", "Facture 2026-10-0001", "facture n°\u00a02026-10-0001"):
        assert go(client, asked) == PAGE
    assert go(client, "45,20") == PAGE
    assert go(client, "45,2 €") == PAGE
    assert go(client, "20") == f"/mairie/encaissements/{paid.id}"
    assert go(client, attempt.reference.upper()) == f"{LIST}/2026-09-0001"
    assert go(client, "2026-1") == f"{LIST}?numero=2026-1"
    assert go(client, "f1001") == "/mairie/familles/F1001"
    assert go(client, "martin") == "/mairie/familles/F1001"
    assert go(client, "2026") == f"{LIST}?numero=2026"
    assert go(client, "999,99") == f"{LIST}?montant=999,99"
    make_invoice(october.family, "autre", 4520)
    assert go(client, "45,20") == f"{LIST}?montant=45,20"


def test_control_goes_to_accounts_and_never_to_a_family(app: Flask, some: None) -> None:
    control = enter(app, make_agent(Role.CONTROLE))
    assert go(control, "2026-10-0001") == PAGE
    for asked in ("F1001", "martin"):
        assert "/familles" not in go(control, asked)


def test_the_list_tells_an_invoice_whose_payment_is_open_at_the_bank(
    client: FlaskClient, october: Invoice, pay: Callable[..., tuple[Attempt, Handoff]]
) -> None:
    words = "Paiement ouvert à la banque"
    assert words not in client.get(LIST).text
    pay(october.family, october)
    assert client.get(LIST).text.count(words) == client.get(PAGE).text.count(words) == 1


# --- The mail, again ---


def test_the_mail_of_an_invoice_is_sent_again_to_its_family(
    app: Flask, client: FlaskClient, october: Invoice
) -> None:
    Guardian.create(
        family=october.family, first_name="Alice", last_name="Martin", email="alice@example.org"
    )
    agent = enter(app, make_agent(Role.FACTURATION))
    for who in (client, agent):
        assert f'action="{MAIL}"' in who.get(PAGE).text
    assert send(agent, PAGE, MAIL).location == PAGE
    assert last_event() == ("notice_sent", "2026-10-0001")
    assert OutboxMail.get().recipient == "alice@example.org"
    told = agent.get(PAGE).text
    assert "1 adresse" in told
    assert "alice@example.org" not in told
    send(agent, PAGE, MAIL)
    assert "attend déjà" in agent.get(PAGE).text
    assert OutboxMail.select().count() == 1


def test_whom_a_mail_cannot_reach_is_said(client: FlaskClient, october: Invoice) -> None:
    send(client, PAGE, MAIL)
    assert "Aucune adresse" in client.get(PAGE).text
    assert OutboxMail.select().count() == 0


def test_who_only_reads_sends_no_mail(app: Flask, some: None) -> None:
    for role in (Role.CONSULTATION, Role.CONTROLE, Role.ADMINISTRATION):
        agent = enter(app, make_agent(role))
        assert MAIL not in agent.get(PAGE).text
        assert send(agent, "/mairie/mon-acces", MAIL).status_code == 403
    assert OutboxMail.select().count() == 0
