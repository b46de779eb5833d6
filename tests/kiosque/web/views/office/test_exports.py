"""Exports, as files or for another software, are whole, safe in a spreadsheet, and said once."""

import csv
import io
import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from flask import Flask
from flask.testing import FlaskClient
from lxml import etree
from python_calamine import CalamineWorkbook

from gateways.base import Callback, Gateway, Handoff
from kiosque import deposits, payments
from kiosque.db import write
from kiosque.db.models import (
    Attempt,
    Debtor,
    Family,
    Invoice,
    OutboxMail,
    PaymentExport,
    Service,
    Settlement,
    StaffEvent,
)
from kiosque.db.states import RepaymentKind
from kiosque.deposits import Imputed
from kiosque.language.formats import decimal
from kiosque.outbox import queue
from kiosque.payments import CounterPayment, outgoing
from kiosque.settings import Office, OtherRegie
from kiosque.staff.roles import Role
from kiosque.web import open_document, spreadsheets
from kiosque.web.office import lists
from tests.agents import enter, make_agent, send
from tests.bank import notice
from tests.conftest import ISSUERS, NOW, PUBLIC_URL, listening, make_family, make_invoice
from tests.stage import PAGES, Stage
from tests.uploads import make_upload

EXPORT = "/mairie/encaissements/export"
API = "/api/encaissements"
TOKEN = "un-jeton-assez-long-pour-etre-accepte-0123"
URN = "urn:oasis:names:tc:opendocument:xmlns"
OFFICE, TABLE, TEXT = (f"{URN}:{name}:1.0" for name in ("office", "table", "text"))
Pay = Callable[..., tuple[Attempt, Handoff]]


def table(text: str) -> list[dict[str, str]]:
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text[1:]), delimiter=";"))


def take(invoice: Invoice, cents: int, reason: str = "chèque 12") -> None:
    payment = CounterPayment(invoice.number, cents, "cheque", NOW.date(), "Dominique", reason)
    payments.settle_at_counter([payment])


@pytest.fixture
def online(gateway: Gateway, pay: Pay, october: Invoice) -> Settlement:
    _, handoff = pay(october.family, october)
    said = Callback.of_form(notice(handoff, trans_status="CAPTURED").items())
    payments.record("banque", gateway.read_notification(said), ISSUERS)
    return Settlement.get()


@pytest.fixture
def client(app: Flask, online: Settlement) -> FlaskClient:
    return enter(app, make_agent(Role.REGISSEUR))


def test_the_invoices_of_the_filters_leave_as_a_table(
    client: FlaskClient, september: Invoice
) -> None:
    answer = client.get("/mairie/factures.csv?etat=paid")
    assert answer.mimetype == "text/csv"
    assert 'filename="factures.csv"' in answer.headers["Content-Disposition"]
    (row,) = table(answer.text)
    assert (row["numero"], row["montant"], row["emise_le"]) == (
        "2026-10-0001", "45,20", "2026-11-05",
    )  # fmt: skip
    assert len(table(client.get("/mairie/factures.csv").text)) == 2
    line = StaffEvent.select().order_by(StaffEvent.id.desc()).get()
    assert (line.action, line.object) == ("exported", "factures")


@pytest.mark.parametrize("name", ["=1+1", "+33", "-2", "@SUM(A1)", "\t=1"])
def test_no_text_is_a_formula_and_every_amount_is_a_number(
    client: FlaskClient, alices_family: Family, name: str
) -> None:
    Family.update(name=name).where(Family.id == alices_family.id).execute()
    make_invoice(alices_family, "A-1", -1250, state="nothing_due", children='=A"1;\n')
    row, _ = table(client.get("/mairie/factures.csv?famille=F1001").text)
    assert row["famille"] == f"'{name}"
    assert row["montant"] == "-12,50"
    assert row["enfants"] == "'=A\"1;\n"


def test_a_table_of_many_is_whole_and_in_order(
    client: FlaskClient, alices_family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "_AT_A_TIME", 4)
    for number in range(9):
        invoice = make_invoice(alices_family, f"B-{number}", 1000 + number)
        take(invoice, 1000 + number, str(number))
    numbers = [row["numero"] for row in table(client.get("/mairie/factures.csv").text)]
    assert numbers == [*(f"B-{number}" for number in reversed(range(9))), "2026-10-0001"]
    paid = [row["montant"] for row in table(client.get("/mairie/encaissements.csv").text)]
    assert len(paid) == len(set(paid)) == 10


def test_the_payments_of_the_filters_leave_as_a_table(client: FlaskClient) -> None:
    (row,) = table(client.get("/mairie/encaissements.csv?mode=online").text)
    assert (row["recu"], row["montant"], row["code_famille"]) == ("R000001", "45,20", "F1001")
    assert table(client.get("/mairie/encaissements.csv?mode=cash").text) == []
    assert client.get("/mairie/encaissements.csv?du=x").status_code == 404


def test_what_is_of_another_regie_does_not_leave(app: Flask, client: FlaskClient) -> None:
    other = enter(app, make_agent(Role.FACTURATION, "creche@x.fr", regie="creche"))
    for page in ("/mairie/factures.csv", "/mairie/encaissements.csv"):
        assert table(other.get(page).text) == []
        assert len(table(client.get(page).text)) == 1


def cells(content: bytes) -> list[list[object]]:
    """A sheet as another's program reads it."""
    return CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()


@pytest.mark.parametrize("page", ["factures", "encaissements", "journal"])
def test_a_list_leaves_as_ods_with_the_rows_of_its_csv(client: FlaskClient, page: str) -> None:
    answer = client.get(f"/mairie/{page}.ods")
    assert answer.mimetype == "application/vnd.oasis.opendocument.spreadsheet"
    assert f'filename="{page}.ods"' in answer.headers["Content-Disposition"]
    written = csv.reader(io.StringIO(client.get(f"/mairie/{page}.csv").text[1:]), delimiter=";")
    for line, row in zip(written, cells(answer.data), strict=True):
        typed = [decimal(round(each * 100)) if isinstance(each, float) else each for each in row]
        assert line == [str(each) for each in typed]


def test_an_amount_is_a_number_in_ods_and_a_day_a_date(client: FlaskClient) -> None:
    head, row = cells(client.get("/mairie/factures.ods").data)
    named = dict(zip(head, row, strict=True))
    assert (named["montant"], named["echeance"]) == (45.2, date(2026, 11, 30))


@pytest.mark.parametrize("name", ["=1+1", "  <b>&\u00e9 \n\tx", "2026-11-24", "a\x00\ufffe\ud800z"])
def test_a_text_stays_that_text_in_ods(
    client: FlaskClient, alices_family: Family, name: str
) -> None:
    with_spaces = open_document.made(("famille",), [(name,)])
    with ZipFile(io.BytesIO(with_spaces)) as archive:
        assert archive.namelist()[0] == "mimetype"
        tree = etree.fromstring(archive.read("content.xml"))
    assert "formula" not in etree.tostring(tree, encoding="unicode")
    _, ((kind, text),) = [
        [(cell.get(f"{{{OFFICE}}}value-type"), read(cell[0])) for cell in row]
        for row in tree.iter(f"{{{TABLE}}}table-row")
    ]
    assert (kind, text) == ("string", re.sub("[\x00\ufffe\ud800]", "\ufffd", name))


def read(paragraph: Any) -> str:
    """The text of a paragraph, its spaces as the format counts them."""
    said = paragraph.text or ""
    for node in paragraph:
        many = int(node.get(f"{{{TEXT}}}c", "1"))
        said += {"s": " " * many, "tab": "\t", "line-break": "\n"}[etree.QName(node).localname]
        said += node.tail or ""
    return said


def test_a_list_too_long_for_ods_is_said(
    client: FlaskClient, september: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spreadsheets, "MOST_ROWS", 2)
    assert client.get("/mairie/factures.ods").status_code == 200
    monkeypatch.setattr(spreadsheets, "MOST_ROWS", 1)
    answer = client.get("/mairie/factures.ods")
    assert (answer.status_code, answer.mimetype) == (422, "text/html")
    assert client.get("/mairie/factures.xlsx").status_code == 404


# --- Each list ---

TABLES = sorted(name for name in PAGES if name.endswith("_table"))
#: Files that have something to tell on the stage.
TOLD = {
    "office.agents_table": "facturation.de.la.scene@sautron.example.org",
    "office.bank_table": "VIR",
    "office.bank_files_table": "releve.csv",
    "office.bordereaux_table": "2026-001",
    "office.families_table": "Martin",
    "office.imports_table": "essai.csv",
    "office.points_table": "commande inconnue",
    "office.requests_table": "Autre chose",
}


@pytest.fixture
def of_every_role(stage: Stage) -> FlaskClient:
    for role in Role:
        agent = make_agent(role, "tout@x.fr")
    return enter(stage.app, agent)


@pytest.mark.parametrize("name", TABLES)
def test_each_list_leaves_as_csv_and_as_ods_alike_and_the_log_says_so(
    stage: Stage, of_every_role: FlaskClient, name: str
) -> None:
    asked = {} if name in TOLD else dict(stage.page(name).query)
    address = stage.address(name).removesuffix(".csv").removesuffix(".ods")
    answer = of_every_role.get(f"{address}.csv", query_string=asked)
    rows = list(csv.reader(io.StringIO(answer.text[1:]), delimiter=";"))
    assert TOLD.get(name, "") in answer.text
    assert all(len(row) == len(rows[0]) for row in rows)
    line = StaffEvent.select().order_by(StaffEvent.id.desc()).get()
    file = line.object.replace(" ", "-")
    assert (line.action, line.staff.email) == ("exported", "tout@x.fr")
    assert f'filename="{file}.csv"' in answer.headers["Content-Disposition"]
    sheet = cells(of_every_role.get(f"{address}.ods", query_string=asked).data)
    assert name == "office.events_table" or len(sheet) == len(rows)


def test_mails_given_up_files_deposited_and_imputations_leave_as_tables(
    stage: Stage, of_every_role: FlaskClient
) -> None:
    family = Family.get(Family.code == "F1001")
    with write():
        queue.add("lost", "password_changed", family.id, "alice@example.org")
        OutboxMail.update(state="failed", last_error="550 5.1.1").execute()
    make_upload(stage.app.extensions["settings"], name="novembre.csv")
    service, _ = Service.get_or_create(key="restauration", defaults={"name": "Restauration"})
    imputed = Imputed("70632", "281", "")
    deposits.set_imputation("", service.name, imputed, "Dominique", date(2026, 11, 1))
    pages = {
        "/mairie/a-traiter/courriels": ("/mairie/a-traiter", {"cause": "550 5.1.1"}),
        "/mairie/imports/deposes": ("/mairie/imports", {"fichier": "novembre.csv"}),
        "/mairie/imputations": (
            "/mairie/reglages/imputations",
            {"prestation": "Restauration", "article": "70632", "depuis": "2026-11-01"},
        ),
    }
    for address, (page, told) in pages.items():
        assert f'href="{address}.ods' in of_every_role.get(page).text
        found = table(of_every_role.get(f"{address}.csv").text)
        assert any(told.items() <= row.items() for row in found), found


def test_each_list_leads_to_its_files(stage: Stage, of_every_role: FlaskClient) -> None:
    for name in TOLD:
        address = stage.address(name).removesuffix(".csv").removesuffix(".ods")
        page = "/mairie/banque" if name == "office.bank_files_table" else address
        assert f'href="{address}.ods' in of_every_role.get(page).text, name


@pytest.fixture
def families(alices_family: Family, charlies_family: Family) -> None:
    Family.update(name="=1+1", words="martin").where(Family.id == alices_family.id).execute()
    Family.update(archived_at=NOW).where(Family.id == charlies_family.id).execute()


@pytest.mark.usefixtures("families")
@pytest.mark.parametrize(
    ("asked", "codes"),
    [
        ("", ["F1001", "F3003"]),
        ("q=martin", ["F1001"]),
        ("q=f30", ["F3003"]),
        ("q=personne", []),
        ("archivees=1", ["F2002"]),
    ],
)
def test_the_families_of_a_search_leave_as_a_table_or_all(
    client: FlaskClient, asked: str, codes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_family("F3003", "Durand")
    monkeypatch.setattr(lists, "_AT_A_TIME", 1)
    rows = table(client.get(f"/mairie/familles.csv?{asked}").text)
    assert [row["code_famille"] for row in rows] == codes
    assert {row["famille"] for row in rows if row["code_famille"] == "F1001"} <= {"'=1+1"}


def test_no_file_names_a_family_to_whoever_may_only_read(app: Flask, client: FlaskClient) -> None:
    for role in (Role.CONSULTATION, Role.CONTROLE, Role.ADMINISTRATION):
        reader = enter(app, make_agent(role, "lecteur@x.fr"))
        assert reader.get("/mairie/familles.csv").status_code == 403
    lists_families = client.get("/mairie/familles").text
    assert "/mairie/familles.csv" in lists_families
    reader = enter(app, make_agent(Role.CONSULTATION, "seul@x.fr"))
    assert "/mairie/familles.csv" not in reader.get("/mairie/familles").text


def test_the_lines_of_an_account_leave_by_its_filters(
    stage: Stage, of_every_role: FlaskClient
) -> None:
    (row,) = table(of_every_role.get("/mairie/banque.csv?etat=open").text)
    assert (row["libelle"], row["montant"], row["etat"], row["jour"]) == (
        "VIR", "7,00", "À expliquer", "2026-11-24",
    )  # fmt: skip
    assert len(table(of_every_role.get("/mairie/banque.csv").text)) == 2
    assert of_every_role.get("/mairie/banque.csv?du=x").status_code == 404
    assert of_every_role.get("/mairie/banque.csv?regie=creche").status_code == 403


def test_a_debtor_leaves_with_its_family(client: FlaskClient, alices_family: Family) -> None:
    for name in ("@MARTIN", "DURAND"):
        Debtor.create(
            name=name, family=alices_family, address="1 rue", reference="", key=name,
            author="m@x.fr", made_at=NOW,
        )  # fmt: skip
    (row,) = table(client.get("/mairie/imports/reconnus.csv?debiteur=martin").text)
    assert (row["debiteur"], row["code_famille"], row["par"]) == ("'@MARTIN", "F1001", "m@x.fr")


# --- For the family software ---


def test_a_software_receives_each_payment_once_and_again_when_it_changes(
    client: FlaskClient, september: Invoice, online: Settlement
) -> None:
    (first,) = table(send(client, EXPORT, consumer="logiciel", regie="-").text)
    assert (first["facture"], first["montant"], first["etat"]) == (
        "2026-10-0001", "45,20", "Encaissé",
    )  # fmt: skip
    take(september, 2000)
    (second,) = table(send(client, EXPORT, consumer="logiciel", regie="-").text)
    assert (second["facture"], second["montant"]) == ("2026-09-0001", "20,00")
    payments.record_repayment(online, RepaymentKind.REFUND, None, "Dominique", "départ")
    (third,) = table(send(client, EXPORT, consumer="logiciel", regie="-").text)
    assert (third["encaissement"], third["montant"], third["etat"]) == (
        first["encaissement"], "0,00", "Remboursé",
    )  # fmt: skip
    assert "logiciel" in client.get(EXPORT).text


def test_a_second_press_moves_nothing_and_the_export_is_given_again(client: FlaskClient) -> None:
    rows = table(send(client, EXPORT, consumer="logiciel", regie="-").text)
    assert send(client, EXPORT, consumer="logiciel", regie="-").status_code == 422
    assert table(send(client, EXPORT, consumer="logiciel", regie="-", again="y").text) == rows


def test_the_last_export_is_given_again_and_another_software_has_its_own(
    client: FlaskClient,
) -> None:
    rows = table(send(client, EXPORT, consumer="logiciel", regie="-").text)
    again = send(client, EXPORT, consumer="logiciel", regie="-", again="y")
    assert table(again.text) == rows
    assert table(send(client, EXPORT, consumer="autre", regie="-").text) == rows


@pytest.mark.parametrize(
    "wrong",
    [{"consumer": ""}, {"consumer": "x" * 61}, {"regie": "creche"}, {"again": "y"}],
)
def test_a_software_without_a_name_or_an_export_is_refused(
    app: Flask, client: FlaskClient, wrong: dict[str, str]
) -> None:
    creche = OtherRegie("Régie Crèche", "Camille Roux", gateway="banque")
    settings = app.extensions["settings"]
    app.extensions["settings"] = replace(settings, regies={"creche": creche})
    answer = send(client, EXPORT, **{"consumer": "logiciel", "regie": "-", **wrong})
    assert answer.status_code == 422
    assert outgoing.exports() == []


@pytest.fixture
def api(app: Flask, online: Settlement) -> FlaskClient:
    settings = app.extensions["settings"]
    app.extensions["settings"] = replace(settings, office=Office(api_token=TOKEN))
    return app.test_client()


def ask(client: FlaskClient, after: object = 0, token: str = TOKEN):
    return client.get(f"{API}?depuis={after}", headers={"Authorization": f"Bearer {token}"})


def test_a_program_with_the_token_reads_what_is_new(api: FlaskClient, september: Invoice) -> None:
    first = ask(api).json
    assert first
    (payment,) = first["encaissements"]
    assert payment["emplois"] == [{"facture": "2026-10-0001", "emploi": "facture", "montant": 4520}]
    assert (payment["famille"], payment["en_ligne"], payment["etat"]) == ("F1001", True, "encaissé")
    assert "Martin" not in json.dumps(first)
    line = StaffEvent.select().order_by(StaffEvent.id.desc()).get()
    assert (line.action, line.staff) == ("exported", None)
    take(september, 2000)
    second = ask(api, first["curseur"]).json
    assert second
    assert [each["montant"] for each in second["encaissements"]] == [2000]
    last = ask(api, second["curseur"]).json
    assert last == {"encaissements": [], "curseur": second["curseur"], "suite": False}


def test_the_token_of_a_regie_reads_its_payments_alone(
    app: Flask, api: FlaskClient, alices_family: Family, online: Settlement
) -> None:
    take(make_invoice(alices_family, "C-1", 3307, regie="creche"), 3307)
    own = "le-jeton-de-la-creche-assez-long-pour-servir"
    creche = OtherRegie("Régie Crèche", "Camille Roux", gateway="banque", api_token=own)
    app.extensions["settings"] = replace(app.extensions["settings"], regies={"creche": creche})
    for token, cents in ((own, [3307]), (TOKEN, [4520, 3307])):
        answer = ask(api, token=token).json
        assert answer
        assert [each["montant"] for each in answer["encaissements"]] == cents
    line = StaffEvent.select().order_by(StaffEvent.id).first()
    assert line.reason == "Régie Crèche"
    app.extensions["settings"] = replace(app.extensions["settings"], office=Office())
    assert ask(api, token=own).status_code == 200
    assert ask(api).status_code == 401


def test_many_are_read_by_parts(
    api: FlaskClient, september: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        take(september, 100, str(number))
    monkeypatch.setattr(outgoing, "ENTRIES", 2)
    cursor, more, seen = 0, True, []
    while more:
        answer = ask(api, cursor).json
        assert answer
        seen += [each["numero"] for each in answer["encaissements"]]
        cursor, more = answer["curseur"], answer["suite"]
    assert seen == [each.id for each in Settlement.select().order_by(Settlement.id)]


def test_softwares_are_told_by_name_then_regie(empty_database: None) -> None:
    for consumer, regie in (("b", ""), ("a", "creche"), ("a", "")):
        PaymentExport.create(
            consumer=consumer, regie=regie, former=0, reached=0,
            exported_at=NOW, author="Dominique",
        )  # fmt: skip
    told = [(each.consumer, each.regie) for each in outgoing.exports()]
    assert told == [("a", ""), ("a", "creche"), ("b", "")]


@pytest.mark.parametrize("after", ["-1", "x", "1e3", "9" * 30, "١"])
def test_a_cursor_that_is_none_is_refused(api: FlaskClient, after: str) -> None:
    assert ask(api, after).status_code == 400
    assert ask(api, "9" * 19).status_code == 200


def test_without_the_token_nothing_is_read(
    api: FlaskClient, app: Flask, client: FlaskClient, alice: FlaskClient
) -> None:
    for token in ("", "x", TOKEN[:-1], f"{TOKEN}0", "é" * 40):
        assert ask(api, token=token).status_code == 401
    for browser in (client, alice, app.test_client()):
        assert browser.get(API).status_code == 401
    app.extensions["settings"] = replace(app.extensions["settings"], office=Office())
    assert ask(api).status_code == 404


@pytest.mark.slow
def test_the_program_of_the_documentation_reads_what_is_new_once(
    api: FlaskClient, app: Flask, tmp_path: Path
) -> None:
    text = (Path(__file__).parents[5] / "docs" / "export.md").read_text("utf-8")
    (program,) = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    lines = [line for line in program.splitlines() if line and not line.startswith("import")]
    assert len(lines) <= 10

    def run() -> list[str]:
        done = subprocess.run(
            [sys.executable, "-c", program, PUBLIC_URL, TOKEN, str(tmp_path / "curseur")],
            capture_output=True, text=True, check=True, timeout=60,
        )  # fmt: skip
        return done.stdout.splitlines()

    with listening(app, PUBLIC_URL):
        (line,) = run()
        assert json.loads(line)["recu"] == "R000001"
        assert run() == []
