"""A family is given all that is held about it, to read and for a machine, and no secret."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from kiosque.db.models import (
    Account,
    Family,
    ImportBatch,
    Invoice,
    PrivacyAct,
    Session,
    Settlement,
    Token,
)
from kiosque.privacy import export_words, personal_data
from kiosque.settings import Settings
from tests import fresh_databases
from tests.conftest import make_invoice
from tests.kiosque.conftest import Run
from tests.kiosque.payments.conftest import at_counter
from tests.kiosque.privacy.conftest import NAMES, told

#: The tables that hold nothing of a family, and why.
OF_NOBODY = {
    "service": "the town's services",
    "import_batch": "the files, each of many families",
    "column_mapping": "the names of columns",
    "upload": "files to load, each of many families, kept a month at most",
    "throttle": "hashed names of tries, kept a day",
    "lease": "the timers'",
    "message_count": "numbers by hour",
    "bank_closure": "a bank's",
    "staff": "an agent's",
    "staff_role": "an agent's",
    "staff_session": "an agent's",
    "staff_invitation": "an agent's",
    "recovery_code": "an agent's",
    "staff_event": "an agent's act; who read a record is told by the town, not by an export",
    "bank_account": "a régie's",
    "statement_file": "the bank's files, each of many families",
    "statement": "an account's",
    "told_line": "which file told a line, beside the one that brought it",
    "imputation": "the town's accounts",
    "deposit": "sums of many families",
    "deposit_answer": "the comptable's",
    "month_closing": "sums of many families",
    "payment_export": "how far a software of the town has read",
    "deployment": "the database's own",
    "office_setting": "the town's own",
    "restoration": "the database's own",
    "receipt_gap": "numbers that no receipt has",
    "deposit_gap": "numbers of deposits that a restoration lost",
    "schema_migration": "the migrations",
    "sqlite_sequence": "numbers given, on SQLite",
}
LATER = {
    "statement_line",
    "kept_back",
    "deposit_line",
    "bank_operation",
    "told_operation",
    "line_match",
    "carried_anomaly",
}


def exported(run: Run, *options: str) -> Path:
    result = run("export-family", "F1001", *options)
    assert result.exit_code == 0, result.output
    return Path(result.output.splitlines()[-1])


def tables(folder: Path) -> dict[str, Any]:
    content = json.loads((folder / "famille.json").read_text("utf-8"))
    found: dict[str, Any] = content["tables"]
    return found


def test_every_table_is_of_nobody_or_in_the_export(empty_database: None) -> None:
    in_export = {personal_data.meta(model).table_name for model in personal_data.TITLES}
    assert in_export & OF_NOBODY.keys() == set()
    assert in_export | OF_NOBODY.keys() == set(fresh_databases.database.get_tables()) | {
        "sqlite_sequence"
    }


def test_every_table_that_leads_to_a_family_is_in_the_export(empty_database: None) -> None:
    assert personal_data.linked().keys() <= personal_data.TITLES.keys()
    assert len(personal_data.linked()) >= 20


def test_every_column_has_its_french_word_or_a_reason_to_be_left_out() -> None:
    for model in personal_data.TITLES:
        for column in personal_data.meta(model).fields:
            if personal_data.is_shown(model, column):
                assert export_words.COLUMNS[column], (model, column)


def test_a_family_with_everything_has_a_row_in_nearly_every_table(
    run: Run, whole_family: Family
) -> None:
    found = tables(exported(run))
    absent = {personal_data.meta(model).table_name for model in personal_data.TITLES} - found.keys()
    # Nothing was given back, nothing is odd, the family has no double, nothing is paid over yet.
    assert absent == {"repayment", "anomaly", "family_merge", *LATER}
    assert found["family"][0]["code"] == "F1001"
    assert found["settlement"][0]["card_last4"]
    assert [each["kind"] for each in found["privacy_act"]] == ["exported"]


def test_the_page_and_the_json_say_all_and_no_secret(run: Run, whole_family: Family) -> None:
    folder = exported(run)
    page = (folder / "famille.html").read_text("utf-8")
    data = (folder / "famille.json").read_text("utf-8")
    secrets = [Account.get().password_hash, Session.get().digest]
    secrets += [token.digest for token in Token.select()]
    for text in (page, data):
        assert [name for name in NAMES if name.lower() not in text.lower()] == []
        assert [secret for secret in secrets if secret in text] == []
    for said in ("45,20\u00a0€", "Les reçus", "connexion", "2026-10-0001", "déjà payée"):
        assert said in page, said


def test_what_the_bank_writes_of_a_payment_is_in_it_unless_it_is_of_many(
    run: Run, whole_family: Family, charlies_family: Family
) -> None:
    mine, other = Settlement.select().order_by(Settlement.id).limit(2)
    charlies = make_invoice(charlies_family, "C1")
    at_counter(charlies)
    told("VIR MARTIN", mine)
    told("REMISE CB", other, Settlement.get(Settlement.family == charlies_family))
    lines = tables(exported(run))["statement_line"]
    assert [line["label"] for line in lines] == ["VIR MARTIN"]


def test_nothing_is_charlies(run: Run, whole_family: Family, charlies_family: Family) -> None:
    make_invoice(charlies_family, "C-SECRET", children="Tom Petit")
    for path in exported(run).glob("famille.*"):
        text = path.read_text("utf-8")
        assert not [name for name in ("Petit", "C-SECRET", "F2002") if name in text]


def test_what_a_parent_wrote_is_no_markup(run: Run, whole_family: Family) -> None:
    Family.update(name="<script>alert(1)</script>").where(Family.id == whole_family.id).execute()
    page = (exported(run) / "famille.html").read_text("utf-8")
    assert "<script>" not in page


def test_the_invoices_come_with_it_and_nobody_else_reads_them(
    run: Run, whole_family: Family, settings: Settings
) -> None:
    folder = exported(run)
    assert folder.parent == settings.data / "exports"
    names = {path.name for path in folder.iterdir()}
    assert names == {"famille.html", "famille.json", "facture-2026-10-0001.pdf"}
    for path in folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for each in (folder, folder.parent):
        assert stat.S_IMODE(each.stat().st_mode) == 0o700


def test_a_folder_may_be_named_and_one_that_cannot_be_written_is_said(
    run: Run, whole_family: Family, tmp_path: Path
) -> None:
    assert exported(run, "--output", str(tmp_path / "clef")).parent == tmp_path / "clef"
    (tmp_path / "fichier").write_text("")
    result = run("export-family", "F1001", "--output", str(tmp_path / "fichier" / "ici"))
    assert result.exit_code == 1
    assert "ne peut pas être écrit" in result.output
    assert isinstance(result.exception, SystemExit)
    assert PrivacyAct.select().count() == 1, "the one that was written"


def test_two_numbers_that_look_alike_have_a_paper_each(
    run: Run, whole_family: Family, settings: Settings
) -> None:
    for number, name in (("A/1", "one.pdf"), ("A_1", "other.pdf")):
        invoice = make_invoice(whole_family, number, 1000)
        Invoice.update(pdf_name=name).where(Invoice.id == invoice.id).execute()
        (settings.data / "pdf" / name).write_bytes(name.encode())
    papers = {path.read_bytes() for path in exported(run).glob("facture-A*.pdf")}
    assert papers == {b"one.pdf", b"other.pdf"}


def test_who_had_it_exported_is_remembered(
    run: Run, whole_family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUDO_USER", "dominique")
    exported(run)
    act = PrivacyAct.get()
    assert (act.kind, act.author) == ("exported", "dominique")


def test_a_family_erased_is_told_what_is_left(run: Run, whole_family: Family) -> None:
    run("erase-family", "F1001", "--author", "Dominique", "--reason", "demande", "--yes")
    folder = exported(run)
    assert [name for name in NAMES if name in (folder / "famille.json").read_text("utf-8")] == []
    assert {"invoice", "settlement", "receipt"} <= tables(folder).keys()


def test_an_unknown_family_has_no_export(
    run: Run, empty_database: None, settings: Settings
) -> None:
    result = run("export-family", "F9999")
    assert (result.exit_code, "Code famille inconnu" in result.output) == (1, True)
    assert not (settings.data / "exports").exists()
    assert ImportBatch.select().count() == 0
