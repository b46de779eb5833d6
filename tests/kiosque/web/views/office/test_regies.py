"""A town of two *régies*: who has roles for one sees and does nothing of the other's money."""

import io
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from kiosque import create_app, payments
from kiosque.db.models import (
    Family,
    FamilyMerge,
    ImportBatch,
    Invoice,
    Receipt,
    Settlement,
    StaffEvent,
    StaffRole,
    Upload,
)
from kiosque.payments import CounterPayment
from kiosque.settings import OtherRegie, Settings
from kiosque.staff.roles import Role
from tests.agents import confirm, enter, make_agent, send
from tests.conftest import NOW, csrf_token, make_family, make_invoice
from tests.kiosque.invoices.files import ROW, SETTLEMENTS, sheet
from tests.uploads import MONTH, make_upload

READERS = (Role.CONSULTATION, Role.FACTURATION, Role.REGISSEUR, Role.CONTROLE)
CRECHE = OtherRegie(
    "Régie Crèche", "Camille Roux", services=("Multi-accueil",), gateway="banque-creche"
)
#: What was paid to the first régie, and its invoice; the other's.
OURS = ("2026-10-0001", "20,11", "Martin")
THEIRS = ("C-1", "33,07", "Petit")


@pytest.fixture
def app(settings: Settings, empty_database: None, frozen: object) -> Iterator[Flask]:
    made = create_app(replace(settings, regies={"creche": CRECHE}))
    yield made
    made.extensions["at_work"]()


@pytest.fixture
def ours(october: Invoice) -> Settlement:
    return taken(october, 2011)


@pytest.fixture
def theirs(charlies_family: Family) -> Settlement:
    return taken(make_invoice(charlies_family, "C-1", 8000, regie="creche"), 3307)


def taken(invoice: Invoice, cents: int) -> Settlement:
    payment = CounterPayment(invoice.number, cents, "cheque", invoice.issued_on, "D.", "chèque")
    payments.settle_at_counter([payment])
    return Settlement.get(Settlement.amount_cents == cents)


@pytest.fixture(params=READERS, ids=str)
def other(request: pytest.FixtureRequest, app: Flask) -> FlaskClient:
    """An agent of the crèche, in each role that reads money."""
    return enter(app, make_agent(request.param, "camille@x.fr", regie="creche"))


def go(client: FlaskClient, asked: str) -> str:
    return str(client.get("/mairie/aller", query_string={"q": asked}).location)


@pytest.mark.parametrize("page", ["/mairie/factures", "/mairie/encaissements"])
def test_a_list_has_the_rows_of_the_agents_regies(
    other: FlaskClient, ours: Settlement, theirs: Settlement, page: str
) -> None:
    for asked in ("", "?regie=-", "?montant=20,11", "?montant=45,20"):
        text = other.get(page + asked).text
        assert "Martin" not in text
        assert "0001" not in text
    assert "Petit" in other.get(page).text


@pytest.mark.parametrize("page", ["/mairie/factures", "/mairie/encaissements"])
def test_a_list_keeps_nothing_of_who_reads_every_regie(
    app: Flask, ours: Settlement, theirs: Settlement, page: str
) -> None:
    dominique = make_agent(Role.REGISSEUR, "dominique@x.fr")
    make_agent(Role.REGISSEUR, "dominique@x.fr", regie="creche")
    other = make_agent(Role.REGISSEUR, "camille@x.fr", regie="creche")
    for agent, rows in ((dominique, 2), (other, 1), (dominique, 2)):
        assert enter(app, agent).get(page).text.count('<th scope="row"') == rows


def test_a_record_and_a_paper_of_another_regie_do_not_open(
    other: FlaskClient, ours: Settlement, theirs: Settlement
) -> None:
    for number, settlement, status in (("2026-10-0001", ours, 403), ("C-1", theirs, 200)):
        receipt = Receipt.get_or_none(Receipt.settlement == settlement)
        pages = [f"/mairie/factures/{number}", f"/mairie/encaissements/{settlement.id}"]
        pages += [f"/mairie/encaissements/{receipt.title}"] if receipt else []
        pages += [f"/mairie/documents/recus/{receipt.id}.pdf"] if receipt else []
        assert [other.get(page).status_code for page in pages] == [status] * len(pages)
    assert other.get("/mairie/documents/factures/2026-10-0001.pdf").status_code == 403
    assert StaffEvent.select().where(StaffEvent.object == "2026-10-0001").count() == 0


def test_the_search_box_does_not_say_what_is_there(
    other: FlaskClient, ours: Settlement, theirs: Settlement
) -> None:
    for asked in ("2026-10-0001", "45,20", "20,11", "2026-10"):
        place = go(other, asked)
        assert place.startswith(("/mairie/factures?", "/mairie/familles?q=")), place
    assert go(other, "C-1") == "/mairie/factures/C-1"
    assert go(other, "33,07") == f"/mairie/encaissements/{theirs.id}"


def test_of_a_family_an_agent_reads_the_money_of_his_regies(
    app: Flask, ours: Settlement, october: Invoice, theirs: Settlement
) -> None:
    make_invoice(october.family, "C-2", 1234, regie="creche")
    other = enter(app, make_agent(Role.FACTURATION, "camille@x.fr", regie="creche"))
    text = other.get("/mairie/familles/F1001").text
    assert "Doit 12,34" in text.replace("\u00a0", " ")
    for words in ("2026-10-0001", "20,11", "45,20"):
        assert words not in text
    for page in ("vue", "vue/famille", "vue/factures/2026-10-0001", "vue/factures/C-2"):
        assert other.get(f"/mairie/familles/F1001/{page}").status_code == 403
    assert other.get("/mairie/familles/F2002/vue").status_code == 200


def test_who_has_the_role_for_both_reads_both(
    app: Flask, ours: Settlement, theirs: Settlement
) -> None:
    make_agent(Role.CONSULTATION, "camille@x.fr")
    both = enter(app, make_agent(Role.CONTROLE, "camille@x.fr", regie="creche"))
    text = both.get("/mairie/factures").text
    assert "Martin" in text
    assert "Petit" in text
    assert both.get("/mairie/familles/F1001/vue").status_code == 200
    assert both.get(f"/mairie/encaissements/{ours.id}").status_code == 200


def test_to_merge_families_takes_the_role_for_all_their_money(
    app: Flask, october: Invoice, theirs: Settlement
) -> None:
    make_invoice(make_family("01001", "Martin"), "D-1", 9990)
    other = enter(app, make_agent(Role.FACTURATION, "camille@x.fr", regie="creche"))
    token = csrf_token(other.get("/mairie/mon-acces").text)
    page, double = "/mairie/familles/F2002/fusionner", "01001"
    sent = {"csrf_token": token, "double": double, "reason": "x", "seen": "y"}
    assert other.get(f"{page}?double={double}").status_code == 403
    assert other.post(page, data=sent).status_code == 403
    assert FamilyMerge.select().count() == 0


def test_to_archive_a_family_takes_the_role_for_all_its_money(
    app: Flask, october: Invoice, theirs: Settlement
) -> None:
    other = enter(app, make_agent(Role.FACTURATION, "camille@x.fr", regie="creche"))
    page = "/mairie/familles/F1001/archiver"
    assert other.get(page).status_code == 403
    assert send(other, "/mairie/mon-acces", page, reason="x", seen="y").status_code == 403
    assert "C-1" in other.get("/mairie/familles/F2002/archiver").text


def test_a_credit_note_does_not_tell_what_another_regie_invoiced(
    app: Flask, october: Invoice
) -> None:
    Invoice.update(state="cancelled").where(Invoice.id == october.id).execute()
    make_invoice(october.family, "C-A", -2000, state="nothing_due", regie="creche")
    other = enter(app, make_agent(Role.REGISSEUR, "camille@x.fr", regie="creche"))
    page, told = "/mairie/factures/C-A/affecter", []
    for number in ("2026-10-0001", "2026-10-9999"):
        answer = send(other, page, number=number, reason="x")
        assert answer.status_code == 422
        told.append(answer.text.replace(number, "x"))
    assert re.sub('value="[^"]*"', "", told[0]) == re.sub('value="[^"]*"', "", told[1])


def test_an_agent_sees_the_loads_of_his_regies_and_his_own(app: Flask, october: Invoice) -> None:
    def names() -> list[str]:
        return re.findall(r"(?<![\w/])(\w+)\.csv", client.get("/mairie/imports").text)

    mixed = loaded("mixte")
    for number, regie, batch in (
        ("C-1", "creche", loaded("creche")), ("C-2", "creche", mixed), ("A-2", "", mixed),
    ):  # fmt: skip
        made = make_invoice(october.family, number, regie=regie)
        Invoice.update(batch=batch).where(Invoice.id == made.id).execute()
    loaded("foyers", kind="familles")
    loaded("especes", kind="encaissements")
    loaded("siens", kind="encaissements", author="camille@x.fr")
    client = enter(app, make_agent(Role.FACTURATION, "camille@x.fr", regie="creche"))
    assert {*names()} == {"siens", "foyers", "creche"}
    undo = f"/mairie/imports/annuler/{ImportBatch.get(ImportBatch.file_name == 'especes.csv').id}"
    assert client.get(undo).status_code == 403
    make_agent(Role.FACTURATION, "camille@x.fr")
    assert {*names()} == {"siens", "foyers", "creche", "mixte", "especes", "essai"}


def loaded(name: str, kind: str = "factures", author: str = "") -> ImportBatch:
    return ImportBatch.create(
        file_name=f"{name}.csv", sha256=name, kind=kind, row_count=1, added_count=1,
        imported_at=NOW, author=author,
    )  # fmt: skip


def test_the_log_is_for_who_controls_every_regie(app: Flask, ours: Settlement) -> None:
    other = enter(app, make_agent(Role.CONTROLE, "camille@x.fr", regie="creche"))
    assert other.get("/mairie/journal-des-actions").status_code == 403
    assert "journal-des-actions" not in other.get("/mairie").text
    make_agent(Role.CONTROLE, "camille@x.fr")
    assert other.get("/mairie/journal-des-actions").status_code == 200


def test_the_money_of_a_regie_that_is_gone_is_for_who_has_all(
    app: Flask, theirs: Settlement
) -> None:
    settings = app.extensions["settings"]
    app.extensions["settings"] = replace(settings, regies={"sport": CRECHE})
    client = enter(app, make_agent(Role.REGISSEUR, "camille@x.fr"))
    for page, words in (("journal", "33,07"), ("encaissements.csv", "33,07")):
        assert words not in client.get(f"/mairie/{page}").text
        make_agent(Role.REGISSEUR, "camille@x.fr", regie="sport")
        assert words in client.get(f"/mairie/{page}").text
        StaffRole.update(ended_at=NOW).where(StaffRole.regie == "sport").execute()


# --- Files ---


@pytest.fixture
def month(app: Flask) -> Upload:
    """The invoices of the first régie, deposited by its agent."""
    return make_upload(app.extensions["settings"], MONTH)


@pytest.mark.parametrize("role", [Role.FACTURATION, Role.REGISSEUR])
def test_a_file_of_another_regie_is_neither_read_nor_thrown_away(
    app: Flask, month: Upload, role: Role
) -> None:
    other = enter(app, make_agent(role, "camille@x.fr", regie="creche"))
    assert "octobre.csv" not in other.get("/mairie/imports").text
    page = f"/mairie/imports/{month.id}"
    for place in (page, f"{page}/familles", f"{page}/colonnes"):
        assert other.get(place).status_code == 403
    for act in ("charger", "retirer", "familles", "colonnes"):
        assert send(other, "/mairie/mon-acces", f"{page}/{act}").status_code == 403
    assert Upload.select().count() == 1


def test_a_file_that_is_not_told_apart_is_for_who_loads_for_all(app: Flask) -> None:
    wrong = make_upload(app.extensions["settings"], sheet(ROW.replace("48,30", "douze")))
    other = enter(app, make_agent(Role.FACTURATION, "camille@x.fr", regie="creche"))
    assert other.get(f"/mairie/imports/{wrong.id}").status_code == 403
    make_agent(Role.FACTURATION, "camille@x.fr")
    assert other.get(f"/mairie/imports/{wrong.id}").status_code == 200


def deposit(client: FlaskClient, content: str) -> TestResponse:
    token = csrf_token(client.get("/mairie/imports").text)
    data = {"csrf_token": token, "file": [(io.BytesIO(content.encode()), "x.csv")]}
    return client.post("/mairie/imports", data=data, content_type="multipart/form-data")


def test_his_own_file_does_not_tell_what_another_regie_invoiced(
    app: Flask, october: Invoice
) -> None:
    Invoice.update(issued_on="2026-09-10").where(Invoice.id == october.id).execute()
    other = enter(app, make_agent(Role.FACTURATION, "camille@x.fr", regie="creche"))
    rows = sheet(ROW.replace("Restauration", "Multi-accueil").replace("2026-10-0001", "C-9"))
    text = other.get(deposit(other, rows).location).text
    assert "C-9" in text
    assert "45,20" not in text


def test_a_credit_note_of_another_regie_is_not_applied_by_a_file(
    app: Flask, october: Invoice
) -> None:
    make_invoice(october.family, "A-1", -2000, state="nothing_due")
    head = SETTLEMENTS.splitlines()[0]
    row = {
        "numero_facture": "2026-10-0001", "date_encaissement": "2026-11-20", "montant": "20,00",
        "mode": "avoir", "auteur": "x", "motif": "x", "avoir": "A-1",
    }  # fmt: skip
    columns = [*dict.fromkeys([*head.split(";"), "avoir"])]
    content = "\n".join([";".join(columns), ";".join(row.get(name, "") for name in columns), ""])
    other = enter(app, make_agent(Role.REGISSEUR, "camille@x.fr", regie="creche"))
    page = deposit(other, content).location
    fingerprint = Upload.get().fingerprint
    assert Upload.get().state == "read"
    answer = send(other, page, f"{page}/charger", fingerprint=fingerprint)
    assert answer.status_code == 422
    assert Settlement.select().count() == 0


def test_an_act_is_on_the_money_of_the_regie_alone(
    app: Flask, ours: Settlement, theirs: Settlement
) -> None:
    other = enter(app, make_agent(Role.REGISSEUR, "camille@x.fr", regie="creche"))
    pages = [
        f"/mairie/factures/2026-10-0001/{act}"
        for act in (
            "annuler",
            "encaisser",
            "transmettre",
            "reprendre",
            "affecter",
            "avoirs/1",
        )
    ] + [
        f"/mairie/encaissements/{ours.id}/{act}"
        for act in ("rembourser", "rendre", "impaye", "retablir", "affecter", "abandonner", "recu")
    ]
    for page in [*pages, "/mairie/courriels/factures/2026-10-0001"]:
        assert send(other, "/mairie/mon-acces", page).status_code == 403
    theirs_page = f"/mairie/encaissements/{theirs.id}/rendre"
    assert confirm(other, theirs_page, reason="départ").status_code == 302
