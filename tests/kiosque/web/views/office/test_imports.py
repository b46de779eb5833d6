"""Files to load, in the browser: deposited, judged, agreed to, undone; each act in the log."""

import io
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from kiosque import chores, create_app
from kiosque.db import write
from kiosque.db.models import Family, Guardian, ImportBatch, Invoice, StaffEvent, Upload
from kiosque.invoices.uploads import processing, storing
from kiosque.language import clock
from kiosque.settings import OtherRegie, Settings
from kiosque.staff.roles import Role
from tests.agents import enter, make_agent, send
from tests.conftest import csrf_token, make_family
from tests.kiosque.invoices.files import FAMILIES, ONE_LINE, ROW, ROW2, SETTLEMENTS, sheet
from tests.threads import at_once
from tests.uploads import MONTH, PDF, make_upload, zipped

PAGE = "/mairie/imports"

pytestmark = pytest.mark.usefixtures("empty_database", "frozen")


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return enter(app, make_agent(Role.FACTURATION))


def deposit(client: FlaskClient, *files: tuple[str | bytes, str]) -> TestResponse:
    token = csrf_token(client.get(PAGE).text)
    sent = [
        (io.BytesIO(content.encode() if isinstance(content, str) else content), name)
        for content, name in files
    ]
    data = {"csrf_token": token, "file": sent}
    return client.post(PAGE, data=data, content_type="multipart/form-data")


def agree(client: FlaskClient, page: str, **fields: str) -> TestResponse:
    found = re.search(r'name="fingerprint" value="(\w+)"', client.get(page).text)
    return send(client, page, f"{page}/charger", fingerprint=found[1] if found else "", **fields)


def told() -> list[tuple[str, str]]:
    lines = [(line.action, line.object) for line in StaffEvent.select().order_by(StaffEvent.id)]
    return [each for each in lines if each[0].startswith(("upload", "load"))]


# --- From the file to the family, and back ---


def test_a_file_is_judged_then_loaded_and_each_step_is_noted(client: FlaskClient) -> None:
    page = deposit(client, (MONTH, "octobre.csv")).location
    assert page == f"{PAGE}/{Upload.get().id}"
    text = client.get(page).text.replace("\u00a0", " ").replace("\u202f", " ")
    for words in ("Charger 1 facture (54,18 €)", "Restauration", "2026-10-0001", "5,88"):
        assert words in text
    assert Invoice.select().count() == 0
    assert agree(client, page).location == page
    assert Invoice.get().total_cents == 5418
    assert ImportBatch.get().author == "facturation@sautron.example.org"
    assert "octobre.csv" in client.get(PAGE).text
    acts = dict.fromkeys(told())
    assert [act for act, _about in acts] == ["uploaded", "upload_read", "load_agreed"]
    assert {about for _act, about in acts} == {"octobre.csv"}


def test_a_name_of_many_bytes_is_cut_to_what_a_disk_takes(client: FlaskClient) -> None:
    agree(client, deposit(client, (MONTH, f"{'漢' * 100}.csv")).location)
    assert Invoice.select().count() == 1


def test_a_table_of_more_columns_than_a_person_names_is_refused(client: FlaskClient) -> None:
    row = ";".join(f"c{number}" for number in range(301))
    page = deposit(client, (f"{row}\n{row}\n", "large.csv")).location
    assert f"{page}/colonnes" not in client.get(page).text
    assert client.get(f"{page}/colonnes").location == page


def test_one_file_deposited_twice_and_agreed_to_at_once_is_loaded_once(
    client: FlaskClient,
) -> None:
    pages = [deposit(client, (MONTH, name)).location for name in ("a.csv", "b.csv")]
    at_once(*[lambda page=page: agree(client, page) for page in pages])
    assert Invoice.select().count() == 1
    assert {each.state for each in Upload.select()} <= {"loaded", "read"}


def test_the_same_file_again_is_said_to_be_loaded_already(client: FlaskClient) -> None:
    agree(client, deposit(client, (MONTH, "octobre.csv")).location)
    page = deposit(client, (MONTH, "encore.csv")).location
    text = client.get(page).text
    assert "a déjà été chargé" in text
    assert "Rien à charger" in text
    assert "/charger" not in text
    assert Invoice.select().count() == 1


def test_every_fault_is_told_with_its_line_and_value(client: FlaskClient) -> None:
    wrong = sheet(ROW.replace("48,30", "douze"), ROW2.replace("F1001", "é"))
    text = client.get(deposit(client, (wrong, "octobre.csv")).location).text
    for words in ("Ligne 2", "douze", "Ligne 3", "« é »"):
        assert words in text
    assert 'class="outline">Retirer' in text
    assert 'name="fingerprint"' not in text


def test_what_surprises_must_be_ticked_each_kind_by_itself(client: FlaskClient) -> None:
    agree(client, deposit(client, (FAMILIES, "familles.csv")).location)
    page = deposit(client, (ONE_LINE, "familles.csv")).location
    text = client.get(page).text
    assert "Bob Petit" in text
    assert 'name="removals"' in text
    assert 'name="new_services"' not in text
    refused = agree(client, page)
    assert (refused.status_code, Guardian.select().count()) == (422, 2)
    assert 'id="removals-error"' in refused.text
    assert agree(client, page, removals="y").location == page
    assert Guardian.select().count() == 1


def test_a_database_that_changed_since_is_to_be_judged_again(client: FlaskClient) -> None:
    page = deposit(client, (MONTH, "octobre.csv")).location
    other = deposit(client, (sheet(ROW.replace("0001", "0002")), "autre.csv")).location
    agree(client, other)
    agree(client, page)
    assert Invoice.select().count() == 1
    assert "La base a changé" in client.get(page).text
    agree(client, page)
    assert Invoice.select().count() == 2


def test_what_a_month_exported_again_no_longer_holds_is_told_with_the_way_to_its_page(
    client: FlaskClient,
) -> None:
    other = ROW.replace("0001", "0002")
    agree(client, deposit(client, (sheet(ROW, other), "octobre.csv")).location)
    page = deposit(client, (sheet(ROW), "octobre.csv")).location
    assert '/mairie/factures/2026-10-0002"' in client.get(page).text
    told = client.get("/mairie/a-traiter").text
    assert page in told
    assert "1 facture chargée avant n’y est plus" in told
    assert {each.state for each in Invoice.select()} == {"open"}


def test_it_is_told_of_his_regies_alone_to_an_agent_of_some(with_creche: Flask) -> None:
    of_town, of_creche = ROW, ROW.replace("Restauration", "Multi-accueil").replace("0001", "0003")
    rows = [of_town, of_town.replace("0001", "0002"), of_creche, of_creche.replace("0003", "0004")]
    make_agent(Role.FACTURATION)
    client = enter(with_creche, make_agent(Role.FACTURATION, regie="creche"))
    agree(client, deposit(client, (sheet(*rows), "octobre.csv")).location, new_services="y")
    roy = make_agent(Role.FACTURATION, "creche@sautron.example.org", regie="creche")
    theirs = enter(with_creche, roy)
    page = deposit(theirs, (sheet(rows[0], rows[2]), "octobre.csv")).location
    text = theirs.get(page).text
    assert ("2026-10-0004" in text, "2026-10-0002" in text) == (True, False)


@pytest.mark.parametrize("forged", ["", "0" * 64, "é"])
def test_another_fingerprint_loads_nothing(client: FlaskClient, forged: str) -> None:
    page = deposit(client, (MONTH, "octobre.csv")).location
    assert send(client, page, f"{page}/charger", fingerprint=forged).location == page
    assert Invoice.select().count() == 0


def test_a_file_that_waits_is_counted_with_what_is_to_do(client: FlaskClient) -> None:
    for page in ("/mairie", "/mairie/a-traiter"):
        assert "fichier à vérifier" not in client.get(page).text
    waiting = deposit(client, (MONTH, "octobre.csv")).location
    for page in ("/mairie", "/mairie/a-traiter"):
        assert "1 fichier à vérifier" in client.get(page).text
    agree(client, waiting)
    assert "fichier à vérifier" not in client.get("/mairie").text


def test_so_many_files_may_wait_and_one_taken_back_makes_room(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    monkeypatch.setattr(storing, "MOST", 2)
    for name in ("a.csv", "b.csv"):
        assert deposit(client, (f"x;y\n{name};2\n", name)).status_code == 302
    kept = list((settings.data / "deposits").iterdir())
    refused = deposit(client, ("x;y\n3;4\n", "c.csv"))
    assert refused.status_code == 422
    assert "attendent" in refused.text
    assert list((settings.data / "deposits").iterdir()) == kept
    number = Upload.get(Upload.file_name == "a.csv").id
    send(client, f"/mairie/imports/{number}", f"/mairie/imports/{number}/retirer")
    assert deposit(client, ("x;y\n3;4\n", "c.csv")).status_code == 302


def test_a_file_is_taken_back(client: FlaskClient) -> None:
    page = deposit(client, (MONTH, "octobre.csv")).location
    assert send(client, page, f"{page}/retirer").location == PAGE
    assert client.get(page).status_code == 404
    assert told()[-1] == ("upload_dropped", "octobre.csv")


def test_a_file_that_is_loaded_is_not_taken_back(client: FlaskClient) -> None:
    page = deposit(client, (MONTH, "octobre.csv")).location
    agree(client, page)
    assert send(client, PAGE, f"{page}/retirer").location == page
    assert Upload.select().count() == 1


def test_a_load_is_undone_with_a_reason_and_after_it_is_said(client: FlaskClient) -> None:
    agree(client, deposit(client, (MONTH, "octobre.csv")).location)
    page = f"{PAGE}/annuler/{ImportBatch.get().id}"
    assert page in client.get(PAGE).text
    text = client.get(page).text.replace("\u00a0", " ")
    assert "54,18 €" in text
    assert Invoice.select().count() == 1
    for missing in ({"reason": "mauvais mois"}, {"seen": "y"}):
        assert send(client, page, **missing).status_code == 422
    assert Invoice.select().count() == 1
    assert send(client, page, reason="mauvais mois", seen="y").location == PAGE
    assert (Invoice.select().count(), Family.select().count()) == (0, 0)
    batch = ImportBatch.get()
    assert (batch.undone_by, batch.undo_reason) == (batch.author, "mauvais mois")
    assert told()[-1] == ("load_undone", "octobre.csv")
    assert page not in client.get(PAGE).text
    assert "ne peut pas être annulé" in client.get(page).text


def test_a_load_is_not_undone_once_something_is_paid(app: Flask, client: FlaskClient) -> None:
    agree(client, deposit(client, (sheet(ROW), "octobre.csv")).location)
    regisseur = enter(app, make_agent(Role.REGISSEUR))
    agree(regisseur, deposit(regisseur, (SETTLEMENTS, "caisse.csv")).location)
    page = f"{PAGE}/annuler/{ImportBatch.select().order_by(ImportBatch.id).first().id}"
    answer = send(client, PAGE, page, reason="mauvais mois", seen="y")
    assert answer.status_code == 422
    assert "payée" in answer.text
    assert Invoice.select().count() == 1


# --- Several files, PDFs ---


def test_several_files_are_judged_each_by_itself(client: FlaskClient) -> None:
    files = ((MONTH, "octobre.csv"), (FAMILIES, "familles.csv"))
    assert deposit(client, *files).location == PAGE
    assert {upload.kind for upload in Upload.select()} == {"factures", "familles"}


def test_the_three_files_of_magnus_are_one_load(client: FlaskClient) -> None:
    row = ";".join(['"x"'] * 125) + "\n"
    names = ("WTAMC001_TSOL.txt", "WTAMC001.txt", "autre.csv", "WTAMC001AS.txt")
    assert deposit(client, *((row, name) for name in names)).location == PAGE
    assert {each.file_name for each in Upload.select()} == {"WTAMC001.zip", "autre.csv"}
    page = f"{PAGE}/{Upload.get(Upload.file_name == 'WTAMC001.zip').id}"
    assert "il manque" not in client.get(page).text


def test_an_archive_of_pdfs_goes_with_its_file(client: FlaskClient, settings: Settings) -> None:
    pdfs = zipped({"2026-10-0001.pdf": PDF})
    agree(client, deposit(client, (pdfs, "pdf.zip"), (MONTH, "octobre.csv")).location)
    assert (settings.data / "pdf" / Invoice.get().pdf_name).read_bytes() == PDF


HOSTILE = {
    "nothing": [],
    "an empty file": [(b"", "octobre.csv")],
    "a PDF alone": [(PDF, "facture.pdf")],
    "PDFs without their file": [(zipped({"a.pdf": PDF}), "pdf.zip")],
    "two archives": [(zipped({"a.pdf": PDF}), "a.zip"), (zipped({"b.pdf": PDF}), "b.zip")],
    "a bomb": [(zipped({"a.pdf": PDF + b"\0" * 20_000_000}), "pdf.zip"), (MONTH, "octobre.csv")],
    "a way out": [(zipped({"../../a.pdf": PDF}), "pdf.zip"), (MONTH, "octobre.csv")],
    "a program": [(zipped({"a.pdf": b"MZ"}), "pdf.zip"), (MONTH, "octobre.csv")],
    "too many files": [(MONTH, f"{number}.csv") for number in range(11)],
}


@pytest.mark.parametrize("files", HOSTILE.values(), ids=HOSTILE)
def test_what_cannot_be_kept_is_refused_with_a_sentence(
    client: FlaskClient, files: list[tuple[str | bytes, str]]
) -> None:
    answer = deposit(client, *files)
    assert answer.status_code == 422
    assert 'id="file-error"' in answer.text
    assert (Upload.select().count(), ImportBatch.select().count()) == (0, 0)


def test_a_name_of_control_signs_and_tags_is_shown_harmless(client: FlaskClient) -> None:
    page = deposit(client, (MONTH, "../\x1b[2J<script>x\u202e.csv")).location
    assert Upload.get().file_name == "[2J<script>x.csv"
    assert "<script>x" not in client.get(page).text


def test_more_than_is_taken_is_told_and_nothing_kept(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storing, "MAX_FILE_BYTES", 1000)
    answer = deposit(client, (b"x" * 1001, "octobre.csv"))
    assert (answer.status_code, Upload.select().count()) == (422, 0)
    assert "20 Mo" in answer.text.replace("\u00a0", " ")


def test_a_gigabyte_is_refused_before_it_is_read(client: FlaskClient) -> None:
    answer = client.post(
        PAGE,
        input_stream=io.BytesIO(b"--x"),
        content_type="multipart/form-data; boundary=x",
        environ_overrides={"CONTENT_LENGTH": str(2**30)},
    )
    assert answer.status_code == 413
    assert "Rien n’a été modifié" in answer.text


def test_nothing_large_is_read_for_who_may_deposit_nothing(app: Flask, alice: FlaskClient) -> None:
    """A hundred kilobytes, more than any other form weighs."""
    reader = enter(app, make_agent(Role.CONSULTATION))
    for client in (app.test_client(), alice, reader):
        token = csrf_token(client.get("/mairie/connexion").text) if client is not reader else "x"
        data = {"csrf_token": token, "file": (io.BytesIO(b"x" * 100_000), "octobre.csv")}
        answer = client.post(PAGE, data=data, content_type="multipart/form-data")
        assert answer.status_code == 413
    assert Upload.select().count() == 0


def test_other_pages_take_no_more_than_before(client: FlaskClient) -> None:
    token = csrf_token(client.get(PAGE).text)
    for page in ("/mairie/mon-acces/codes", f"{PAGE}/1/charger"):
        data = {"csrf_token": token, "file": (io.BytesIO(b"x" * 100_000), "octobre.csv")}
        answer = client.post(page, data=data, content_type="multipart/form-data")
        assert answer.status_code == 413


# --- Long files ---


def test_a_long_file_is_read_and_loaded_by_the_timer(
    client: FlaskClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processing, "SMALL_BYTES", 100)
    page = deposit(client, (MONTH, "octobre.csv")).location
    again = 'http-equiv="refresh"'
    assert again in client.get(page).text
    assert again not in client.get(f"{page}?arret=1").text
    chores.send_mail(settings)
    assert again not in client.get(page).text
    agree(client, page)
    assert Invoice.select().count() == 0
    assert again in client.get(page).text
    chores.send_mail(settings)
    assert Invoice.select().count() == 1


def test_the_page_says_where_the_reading_is(client: FlaskClient, settings: Settings) -> None:
    upload = make_upload(settings)
    with write():
        Upload.update(state="stored", done_count=41_000, line_count=120_000).execute()
    text = client.get(f"{PAGE}/{upload.id}").text.replace("\u202f", " ")
    assert "ligne 41 000 sur 120 000" in text


# --- Mails ---


def test_the_button_says_how_many_are_told_and_the_hour_is_chosen(client: FlaskClient) -> None:
    family = make_family("F1001", "Martin")
    Guardian.create(family=family, first_name="Alice", last_name="Martin", email="a@example.org")
    page = deposit(client, (MONTH.replace("2026-11-30", "2026-12-30"), "octobre.csv")).location
    text = client.get(page).text
    assert "et prévenir 1 famille<" in text
    hours = re.findall(r'<option value="([^"]+)"', text)
    assert len(hours) > 3
    assert agree(client, page, announce_at="2030-01-01T09:00:00+01:00").status_code == 422
    agree(client, page, announce_at=hours[-1])
    announced = ImportBatch.get().announce_at
    assert clock.now() + timedelta(days=2) < announced <= clock.now() + timedelta(days=3)


def test_a_town_that_sends_no_such_mail_asks_for_no_hour(
    app: Flask, client: FlaskClient, settings: Settings
) -> None:
    make_family("F1001", "Martin")
    Family.update(email="a@example.org").execute()
    notices = replace(settings.notices, new_invoices=False)
    app.extensions["settings"] = replace(settings, notices=notices)
    page = deposit(client, (MONTH.replace("2026-11-30", "2026-12-30"), "octobre.csv")).location
    assert 'name="announce_at"' not in client.get(page).text
    assert agree(client, page).location == page
    assert Invoice.select().count() == 1


# --- Who may what ---


def test_counter_payments_are_loaded_by_the_regisseur_alone(
    app: Flask, client: FlaskClient
) -> None:
    agree(client, deposit(client, (sheet(ROW), "octobre.csv")).location)
    page = deposit(client, (SETTLEMENTS, "caisse.csv")).location
    assert "/charger" not in client.get(page).text
    assert send(client, page, f"{page}/charger", fingerprint=Upload.get(
        Upload.kind == "encaissements").fingerprint).status_code == 422  # fmt: skip
    assert Invoice.get().state == "open"
    agree(enter(app, make_agent(Role.REGISSEUR)), page)
    assert Invoice.get().state == "paid"


@pytest.fixture
def with_creche(settings: Settings) -> Iterator[Flask]:
    """The site of a town of two *régies*."""
    creche = OtherRegie("Crèche", "A. Roy", services=("Multi-accueil",), gateway="banque")
    app = create_app(replace(settings, regies={"creche": creche}))
    yield app
    app.extensions["at_work"]()


def test_an_agent_loads_and_undoes_only_what_is_of_his_regies(with_creche: Flask) -> None:
    client = enter(with_creche, make_agent(Role.FACTURATION))
    roy = make_agent(Role.FACTURATION, "creche@sautron.example.org", regie="creche")
    theirs = enter(with_creche, roy)
    page = deposit(client, (sheet(ROW.replace("Restauration", "Multi-accueil")), "x.csv")).location
    assert "Crèche" in client.get(page).text
    assert "/charger" not in client.get(page).text
    assert agree(client, page).status_code == 422
    assert agree(theirs, page).location == page
    undo = f"{PAGE}/annuler/{ImportBatch.get().id}"
    assert client.get(undo).status_code == 403
    assert send(client, PAGE, undo, reason="x", seen="y").status_code == 403
    assert Invoice.select().count() == 1
    send(theirs, undo, reason="x", seen="y")
    assert Invoice.select().count() == 0


def test_who_reads_only_sees_the_history_and_no_file(app: Flask, client: FlaskClient) -> None:
    agree(client, deposit(client, (MONTH, "octobre.csv")).location)
    page = deposit(client, (MONTH, "attente.csv")).location
    for role in (Role.CONSULTATION, Role.CONTROLE):
        reader = enter(app, make_agent(role))
        text = reader.get(PAGE).text
        assert "octobre.csv" in text
        assert "attente.csv" not in text
        assert 'type="file"' not in text
        assert "/annuler/" not in text
        assert reader.get(page).status_code == 403


@pytest.mark.parametrize("number", ["0", "999", str(2**63), "9" * 40])
def test_a_file_or_a_load_that_is_not_there(client: FlaskClient, number: str) -> None:
    for page in (f"{PAGE}/{number}", f"{PAGE}/annuler/{number}"):
        assert client.get(page).status_code == 404


def load_months(first: int, last: int) -> None:
    for number in range(first, last):
        ImportBatch.create(
            file_name=f"mois-{number:02d}.csv", sha256="x", kind="factures", row_count=1,
            added_count=1, imported_at=clock.now(),
        )  # fmt: skip


def test_the_history_costs_the_same_queries_however_long(
    client: FlaskClient, settings: Settings, queries: list[str]
) -> None:
    costs = []
    for first, last in ((0, 3), (3, 60)):
        load_months(first, last)
        make_upload(settings, sheet(ROW))
        queries.clear()
        client.get(PAGE)
        costs.append(len(queries))
    assert costs[0] == costs[1] < 10


def test_the_history_goes_page_by_page(client: FlaskClient) -> None:
    load_months(0, 60)
    first = client.get(PAGE).text
    assert "mois-59" in first
    assert "mois-01" not in first
    further = re.search(r'href="(/mairie/imports\?apres=[^"]+)"', first)
    assert further
    assert "mois-01" in client.get(further[1]).text
