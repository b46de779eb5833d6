"""Files of other software load to the cent, or are refused in a sentence."""

import io
import zipfile
from datetime import date
from pathlib import Path

import pytest

from kiosque.db.models import Family, Guardian, Invoice, InvoiceLine
from kiosque.db.states import InvoiceState
from kiosque.invoices import imports
from kiosque.invoices.imports import BadFile, FileSummary, codes, receiving, undoing
from kiosque.invoices.imports.codes import Named
from kiosque.invoices.imports.formats import pes as pes_format
from kiosque.payments import verification
from tests import sentences
from tests.conftest import Clock
from tests.kiosque.invoices.files import ROW, Load, sheet, warned
from tests.kiosque.invoices.samples import (
    NOETHYSWEB,
    SAMPLES,
    expected,
    loaded,
    make_families,
    with_samples,
)
from tests.kiosque.invoices.synthetic import line, magnus, magnus_line, pes, piece


def load_as_confirmed(path: Path, folder: Path) -> FileSummary:
    """Confirm the families that are proposed, and those that a person would, then load."""
    found = [each for each in imports.debtors(path) if not each.code]
    doubtful = [each for each in found if not each.proposed]
    assert {each.candidates for each in doubtful} <= {("F512",), ("F534",)}, "cut, or elsewhere"
    codes.confirm({each.named: each.proposed or each.candidates[0] for each in found}, "Dominique")
    return imports.load(path, pdf_folder=folder)


@with_samples
@pytest.mark.parametrize(
    "name",
    ["pes_orm.xml", "jvs_un_code.xml", "jvs_repeated_lines.xml", "magnus", "magnus/WTAMC001.txt"],
)
def test_what_noethysweb_writes_loads_to_the_cent(
    empty_database: None, frozen: Clock, tmp_path: Path, name: str
) -> None:
    make_families()
    summary = load_as_confirmed(NOETHYSWEB / name, tmp_path)
    assert loaded() == expected()
    assert (summary.added, summary.total_cents) == (60, 427_756)
    invoice = Invoice.get(Invoice.number == "100242")
    assert (invoice.issued_on, invoice.due_on) == (date(2026, 11, 3), date(2026, 12, 3))
    assert invoice.period == "octobre 2026"
    again = imports.load(NOETHYSWEB / name, pdf_folder=tmp_path)
    assert (again.added, again.unchanged) == (0, 60)


@with_samples
def test_a_pes_of_several_lines_says_what_each_is_for(
    empty_database: None, alices_family: Family, tmp_path: Path, frozen: Clock
) -> None:
    path = SAMPLES / "5_SYNTHETIC_PES_ORMC_from_schema.xml"
    [found] = imports.debtors(path)
    assert (found.named.reference, found.named.name) == ("000123", "EXEMPLE CAMILLE")
    codes.confirm({found.named: alices_family.code}, "Dominique")
    imports.load(path, pdf_folder=tmp_path)
    invoice = Invoice.get()
    assert (invoice.number, invoice.total_cents) == ("2025090001", 8745)
    assert (invoice.period, invoice.services) == (
        "septembre 2025",
        "RESTAURATION SCOLAIRE, PERISCOLAIRE",
    )


@pytest.fixture
def alice(empty_database: None, alices_family: Family) -> Family:
    """Alice's family, that the files below name with her address."""
    Family.update(address="1 rue des Lilas", postcode="44880", city="Sautron").execute()
    Guardian.create(family=alices_family, first_name="Alice", last_name="Martin")
    return alices_family


@pytest.fixture
def known(alice: Family) -> Family:
    named = [
        Named("", "MARTIN ALICE", "1 RUE DES LILAS", "44880 SAUTRON"),
        Named("FAM000501", "MARTIN ALICE", "1 RUE DES LILAS", "44880 SAUTRON"),
    ]
    codes.confirm(dict.fromkeys(named, "F1001"), "Dominique")
    return alice


def refusal(load: Load, content: bytes, *, name: str = "export.xml") -> str:
    with pytest.raises(BadFile) as caught:
        load(content, name=name)
    assert Invoice.select().count() == 0
    return str(caught.value)


def test_a_label_that_repeats_the_invoice_s_gives_way_to_the_subject(
    load: Load, known: Family
) -> None:
    summary = load(pes(piece(line(label="FACTURE 2026100001"))), name="export.xml")
    invoice = Invoice.get()
    assert (invoice.services, invoice.period, invoice.due_on) == (
        "CANTINE", "octobre 2026", date(2026, 12, 5),
    )  # fmt: skip
    assert warned(summary) == [
        f"pièce 1 : {sentences.NO_DUE_DATE} : 05/12/2026, 30 jours après l’émission"
    ]


def test_titres_are_the_treasury_s_unless_the_town_says_otherwise(
    load: Load, known: Family
) -> None:
    content = pes(piece(line()), kind="01")
    summary = load(content, name="titres.xml")
    assert Invoice.get().state == InvoiceState.TRANSMITTED
    assert f"pièce 1 : bordereau 12 de 2026 : {sentences.AT_TREASURY}" in warned(summary)
    assert verification.faults() == []
    undoing.undo(1, "Dominique", "essai", Path())
    load(content, name="titres.xml", rules=imports.Rules(titres_paid_here=True))
    assert Invoice.get().state == InvoiceState.OPEN


def test_tax_is_part_of_what_is_owed(load: Load, known: Family) -> None:
    load(pes(piece(line("10.00", more='<MtTVA V="2.00"/>')), total="10.00"), name="x.xml")
    assert Invoice.get().total_cents == 1200


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (pes(piece(line()), total="87.46"), f"{sentences.LINES_MAKE} 87,45"),
        (pes(piece(line()), count="2"), sentences.PIECES_TOLD),
        (pes(piece(line()), kind="02"), sentences.KIND_OF_BORDEREAU),
        (pes(piece()), "pièce 1 : aucune ligne"),
        (pes(piece(line("douze"))), "pièce 1 : montant « douze » illisible"),
        (pes(piece(line("NaN"))), "pièce 1 : montant « NaN » illisible"),
        (pes(piece(line()))[:-40], sentences.BAD_XML),
        (pes(piece(line(name="É"))).replace(b"ISO-8859-1", b"UTF-8"), sentences.BAD_XML),
        (pes(piece(line())).replace(b"ISO-8859-1", b"KLINGON"), sentences.BAD_XML),
        (pes("<a>" * 300 + "</a>" * 300, piece(line())), sentences.BAD_XML),
    ],
)
def test_a_pes_that_is_not_whole_or_not_xml_is_refused(
    load: Load, known: Family, content: bytes, fault: str
) -> None:
    assert fault in refusal(load, content)


LAUGHS = (
    '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    + "".join(
        f'<!ENTITY {"abcdefghij"[n]} "{("&" + "abcdefghij"[n - 1] + ";") * 10}">'
        for n in range(1, 10)
    )
    + "]>"
)


@pytest.mark.parametrize(
    ("before", "used"),
    [
        (LAUGHS, "&j;"),
        ('<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>', "x"),
        ('<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">', "x"),
    ],
)
def test_a_dtd_is_refused_before_it_is_used(
    load: Load, known: Family, before: str, used: str
) -> None:
    content = pes(piece(line(label=used)), before=before)
    assert sentences.NO_DTD in refusal(load, content)


def test_a_file_of_elements_without_end_is_given_up(
    load: Load, known: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pes_format, "MAX_STEPS_OF_PIECE", 1000)
    assert sentences.XML_TOO_LONG in refusal(load, pes(piece("<a/>" * 2000)))
    monkeypatch.setattr(pes_format, "MAX_STEPS", 1000)
    assert sentences.XML_TOO_LONG in refusal(load, pes("<a/>" * 2000))


def test_lines_repeated_for_each_account_code_count_once(load: Load, known: Family) -> None:
    tags = '<JVS_LFAC_Libelle V="LEA - REPAS"/><JVS_FAC_NumeroFacture V="100241"/>'
    twice = [line(cents, label="REPAS", more=tags) for cents in ("43.00", "44.45")]
    both = [*twice, *[each.replace("CANT", "PERI") for each in twice]]
    summary = load(pes(piece(*both)), name="export.xml")
    assert (Invoice.get().total_cents, Invoice.get().number) == (8745, "100241")
    assert "pièce 1" in warned(summary)[0]
    assert [each.child for each in InvoiceLine.select()] == ["LEA", "LEA"]


def test_two_codes_with_lines_of_their_own_all_count(load: Load, known: Family) -> None:
    load(pes(piece(line("80.00"), line("7.45", code="PERI"))), name="export.xml")
    assert Invoice.get().total_cents == 8745


def put_magnus(folder: Path, main: str, details: str | None) -> Path:
    (folder / "WTAMC001.txt").write_text(main, "utf-8")
    if details is not None:
        (folder / "WTAMC001AS.txt").write_text(details, "utf-8")
    return folder / "WTAMC001.txt"


def test_magnus_loads_beside_its_detail_from_a_zip_and_with_quotes_in_a_label(
    empty_database: None, known: Family, tmp_path: Path, frozen: Clock
) -> None:
    details = magnus_line(
        label='LEA - REPAS "BIO", MIDI; SOIR', price="1.0500000000000000000000000001"
    )
    path = put_magnus(tmp_path, magnus(), details)
    packed = tmp_path / "magnus.zip"
    with zipfile.ZipFile(packed, "w") as made:
        for each in (path, path.with_name("WTAMC001AS.txt")):
            made.write(each, f"../dossier/{each.name}")
        made.writestr("mandat.csv", "iban")
    summary = imports.load(packed, pdf_folder=tmp_path)
    assert (summary.added, Invoice.get().number) == (1, "100241")
    assert InvoiceLine.get().label == 'REPAS "BIO", MIDI; SOIR'
    assert imports.load(path, pdf_folder=tmp_path).unchanged == 1


@pytest.mark.parametrize(
    ("main", "details", "fault"),
    [
        (magnus(), None, sentences.DETAIL_WANTED),
        (magnus(), magnus_line(at="2"), "pièce « 2 » absente de"),
        (magnus(amount="5.00"), magnus_line(), "ligne 1 : pièce 1 de 5,00"),
        (magnus(), magnus_line() + '"19";"1"\n', "ligne 2 : 2 cellules au lieu de 17"),
        (magnus() + "x\n", magnus_line(), "ligne 2 : 1 cellules au lieu de 125"),
        (magnus(), magnus_line(amount="beaucoup"), "ligne 1 : montant « beaucoup » illisible"),
    ],
)
def test_magnus_files_that_do_not_agree_are_refused(
    empty_database: None, known: Family, tmp_path: Path, main: str, details: str | None, fault: str
) -> None:
    with pytest.raises(BadFile) as caught:
        imports.load(put_magnus(tmp_path, main, details), pdf_folder=tmp_path)
    assert fault in str(caught.value).replace("\u202f", " ")
    assert Invoice.select().count() == 0


def zipped(**files: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(f"{name}.csv", text)
    return made.getvalue()


def test_a_zip_of_one_table_is_that_table(load: Load) -> None:
    assert load(zipped(factures=sheet(ROW)), name="envoi.zip").added == 1


def test_a_zip_too_full_of_two_things_or_of_too_much_is_refused(
    load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sentences.ONE_FILE in refusal(load, zipped(a=sheet(ROW), b=sheet(ROW)))
    assert sentences.ONE_FILE in refusal(load, zipped(mandats="iban"))
    monkeypatch.setattr(receiving, "MAX_BYTES", 10_000)
    bomb = zipped(a=sheet(ROW) * 1000)
    assert sentences.ARCHIVE_TOO_BIG in refusal(load, bomb)


@with_samples
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_table_of_one_column_a_service_loads_to_the_cent(
    empty_database: None, frozen: Clock, tmp_path: Path, kind: str
) -> None:
    make_families()
    path = NOETHYSWEB / f"factures_detaillees_prestation.{kind}"
    found = imports.debtors(path)
    assert all(each.proposed for each in found)
    codes.confirm({each.named: each.proposed for each in found}, "Dominique")
    summary = imports.load(path, pdf_folder=tmp_path)
    assert loaded() == expected()
    assert (summary.added, summary.total_cents) == (60, 427_756)
    invoice = Invoice.get(Invoice.number == "100242")
    assert (invoice.issued_on, invoice.due_on) == (date(2026, 10, 31), date(2026, 11, 30))
    assert (invoice.period, invoice.services) == (
        "octobre 2026", "Repas restauration scolaire, Périscolaire – matin",
    )  # fmt: skip
    assert imports.load(path, pdf_folder=tmp_path).unchanged == 60
