"""Files load all or nothing, however they are written, and loading again changes nothing."""

from datetime import date
from pathlib import Path

import pytest
from peewee import DatabaseError

from kiosque import payments
from kiosque.db.models import (
    Child,
    Family,
    ImportBatch,
    Invoice,
    InvoiceLine,
    Service,
)
from kiosque.invoices import imports, listing
from kiosque.invoices.imports import BadFile, Confirmed
from kiosque.payments import verification
from tests import sentences
from tests.kiosque.invoices.files import (
    COLUMNS,
    FAMILIES,
    ROW,
    ROW2,
    SETTLEMENTS,
    Load,
    faults,
    sheet,
    warned,
)

ACCENTED = (
    "Code famille;N° facture;Date émission;Date échéance;Période;Service;Enfant;Libellé;"
    "Quantité;Prix unitaire;Montant;Fichier PDF"
).replace("N°", "Numéro")


def test_an_invoice_is_the_sum_of_its_rows(load: Load) -> None:
    summary = load(sheet(ROW, ROW2))
    invoice = Invoice.get()
    assert (invoice.family.code, invoice.number) == ("F1001", "2026-10-0001")
    assert (invoice.issued_on, invoice.due_on) == (date(2026, 11, 5), date(2026, 11, 30))
    assert (invoice.period, invoice.total_cents) == ("octobre 2026", 5418)
    assert (invoice.services, invoice.children) == ("Restauration, Périscolaire", "Zoé Œuf")
    line = InvoiceLine.select().order_by(InvoiceLine.id).first()
    assert (line.quantity_hundredths, line.unit_price_cents, line.amount_cents) == (1400, 345, 4830)
    assert (summary.rows, summary.added, summary.new_families) == (2, 1, 1)
    assert summary.new_services == ("Périscolaire", "Restauration")
    assert summary.total_cents == 5418


def variants() -> list[tuple[str, bytes]]:
    text = sheet(ROW, ROW2)
    comma = text.replace(",", ".").replace(";", ",")
    return [
        ("utf-8", text.encode()),
        ("utf-8 with a mark", text.encode("utf-8-sig")),
        ("windows-1252", text.encode("cp1252")),
        ("commas and points", comma.encode()),
        ("commas and points in windows-1252", comma.encode("cp1252")),
        ("quoted commas", text.replace("3,45", '"3,45"').encode()),
        ("semicolons and points", text.replace(",", ".").encode()),
        ("windows line ends", text.replace("\n", "\r\n").encode()),
        ("blank lines at the end", text.encode() + b"\n;;;;;;;;;;;\n"),
        ("french dates", text.replace("2026-11-05", "05/11/2026").encode()),
        ("upper-case title", text.replace(COLUMNS, COLUMNS.upper()).encode()),
        ("utf-16", text.encode("utf-16")),
        ("utf-16, the other way round", b"\xfe\xff" + text.encode("utf-16-be")),
        ("tabs", text.replace(";", "\t").encode()),
        ("a separator said", b"sep=;\r\n" + text.encode()),
        ("a tab said", b"sep=\t\n" + text.replace(";", "\t").encode()),
        ("a title line", f"Factures d’octobre, ville de Sautron;;;\n\n{text}".encode()),
        ("accents and spaces in the columns", text.replace(COLUMNS, ACCENTED).encode()),
        ("empty cells at the end", text.replace("\n", ";;;\n").encode()),
        ("a total at the end", f"{text};;;;;;;;;TOTAL;54,18;\n".encode()),
        ("a total and a count", f"{text}TOTAL;2;;;;;;;;;54,18;\n".encode()),
        ("a sub-total", f"{text}Sous-total;;;;;;;;;;54,18;\n".encode()),
        ("a short total", f"{text}TOTAL;54,18 €\n".encode()),
        ("a total in the first cell", f"{text}Total général;;;;;;;;;;54,18;\n".encode()),
        ("old Mac line ends", text.replace("\n", "\r").encode()),
        ("euros", text.replace("48,30", "48,30 €").encode()),
        ("dotted dates", text.replace("2026-11-05", "05.11.2026").encode()),
        ("short years", text.replace("2026-11-05", "5/11/26").encode()),
        ("midnight", text.replace("2026-11-05", "05/11/2026 00:00:00").encode()),
        ("many decimals", text.replace("48,30", "48,3000").encode()),
        ("text cells", text.replace("3,45", "'3,45").replace("F1001", "'F1001").encode()),
        ("decomposed accents", text.replace("é", "e\u0301").encode()),
    ]


@pytest.mark.parametrize("content", [v[1] for v in variants()], ids=[v[0] for v in variants()])
def test_encodings_separators_and_decimals_are_told_apart(load: Load, content: bytes) -> None:
    load(content)
    invoice = Invoice.get()
    assert (invoice.total_cents, invoice.children) == (5418, "Zoé Œuf")
    assert invoice.services == "Restauration, Périscolaire"


def test_loading_the_same_file_again_changes_nothing(load: Load) -> None:
    load(sheet(ROW, ROW2))
    summary = load(sheet(ROW, ROW2))
    assert (summary.added, summary.unchanged) == (0, 1)
    assert Invoice.select().count() == 1
    assert InvoiceLine.select().count() == 2


def test_loading_again_after_payment_changes_nothing_either(load: Load) -> None:
    load(sheet(ROW))
    Invoice.update(state="paid", paid_cents=Invoice.total_cents).execute()
    load(sheet(ROW))
    assert Invoice.get().state == "paid"


def test_a_known_invoice_with_other_content_refuses_the_file(load: Load) -> None:
    load(sheet(ROW))
    other = ROW.replace("0001", "0002")
    with pytest.raises(
        BadFile, match=f"ligne 2 : la facture 2026-10-0001 {sentences.ALREADY_RECORDED}"
    ):
        load(sheet(ROW.replace("14;3,45;48,30", "13;3,45;44,85"), other))
    assert Invoice.select().count() == 1


def test_the_same_invoice_with_its_lines_in_another_order_is_the_same(load: Load) -> None:
    load(sheet(ROW, ROW2))
    summary = load(sheet(ROW2, ROW.replace("Restauration", "RESTAURATION")))
    assert (summary.added, summary.unchanged) == (0, 1)
    for other in (ROW.replace("14;3,45;48,30", "13;3,45;44,85"), ROW.replace("Repas", "Goûter")):
        with pytest.raises(BadFile, match=sentences.OTHER_CONTENT):
            load(sheet(ROW2, other))
    with pytest.raises(BadFile, match=sentences.OTHER_CONTENT):
        load(sheet(ROW2))


def test_a_number_taken_by_another_family_asks_for_another_number_and_cancels_nothing(
    load: Load,
) -> None:
    load(sheet(ROW))
    with pytest.raises(BadFile) as refused:
        load(sheet(ROW.replace("F1001", "F2002")))
    (fault,) = refused.value.faults
    assert f"{sentences.NUMBER_OF_ANOTHER_FAMILY}, F1001" in fault.text
    assert sentences.TAKE_ANOTHER_NUMBER in fault.text
    assert "F2002" in fault.text
    assert "Annulez" not in str(refused.value)


def test_a_folder_of_pdfs_that_cannot_be_written_is_said_and_nothing_is_loaded(
    load: Load, tmp_path: Path
) -> None:
    (tmp_path / "f1.pdf").write_bytes(b"%PDF-1.7 essai")
    (tmp_path / "pdf").write_text("in the way")
    assert sentences.NOT_WRITABLE in faults(load, sheet(ROW + "f1.pdf"))


def test_a_preview_says_everything_and_writes_nothing(load: Load) -> None:
    summary = load(sheet(ROW, ROW2), preview=True)
    assert (summary.added, summary.total_cents) == (1, 5418)
    for table in (Invoice, Family, Service, ImportBatch, Child):
        assert table.select().count() == 0


def test_online_payment_closes_some_days_after_the_due_date(load: Load) -> None:
    load(sheet(ROW), closes_after_days=45)
    assert Invoice.get().closes_on == date(2027, 1, 14)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("F1001", "", "code_famille"),
        ("F1001", "F" * 21, "code_famille"),
        ("F1001", "é", "code_famille"),
        ("2026-10-0001", "=cmd|' /C calc'!A0", "numero_facture"),
        ("2026-10-0001", "A+B", "numero_facture"),
        ("2026-10-0001", "A" * 31, "numero_facture"),
        # Their pages would be another invoice's, or nobody's.
        ("2026-10-0001", "2026/question", "numero_facture"),
        ("2026-10-0001", "2026//1", "numero_facture"),
        ("2026-10-0001", "2026/", "numero_facture"),
        ("2026-10-0001", "2026/../1", "numero_facture"),
        ("2026-10-0001", "2026/./1", "numero_facture"),
        ("2026-10-0001", "2026/.", "numero_facture"),
        ("2026-11-05", "2026-02-30", f"date_emission « 2026-02-30 » : {sentences.DATE_WANTED}"),
        ("2026-11-05", "1999-01-01", "date_emission"),
        ("2026-11-05", "5 nov.", "date_emission"),
        ("2026-11-30", "2026-11-04", "date_echeance « 2026-11-04 » précède"),
        (";2026-10;", ";;", "periode est vide"),
        ("Restauration", "", "service est vide"),
        ("Repas", "", "libelle est vide"),
        ("14;", "quatorze;", f"quantite « quatorze » : {sentences.DECIMALS_WANTED}"),
        ("3,45", "3.45.5", f"prix_unitaire « 3.45.5 » : {sentences.DECIMALS_WANTED}"),
        (
            "48,30",
            "48,305",
            f"montant « 48,305 » : {sentences.DECIMALS_WANTED} {sentences.TWO_DECIMALS}",
        ),
        ("48,30", "1e3", f"montant « 1e3 » : {sentences.DECIMALS_WANTED}"),
        (
            "48,30",
            "48,45",
            f"« 48,45 » {sentences.NOT_THE_PRODUCT} « 14 » x prix_unitaire « 3,45 »",
        ),
        ("48,30;", "48,30;../../etc/passwd", "sans dossier"),
        ("48,30;", "48,30;absent.pdf", "introuvable"),
        ("Repas", "R" * 201, "plus de 200 caractères"),
        ("Repas", "Re\x07pas", f"libelle « Re\\x07pas » : {sentences.CONTROL_CHARACTER}"),
        ("Repas", '"Re\npas"', sentences.LINE_BREAK),
        ("48,30;", "48,30;;x", "13 cellules"),
    ],
)
def test_a_faulty_line_is_named_and_nothing_is_loaded(
    load: Load, old: str, new: str, fault: str
) -> None:
    good = ROW.replace("0001", "0009")
    found = faults(load, sheet(good, ROW.replace(old, new, 1)))
    assert fault in found
    assert "ligne 3" in found or "ligne 4" in found


def test_malformed_lines_and_faulty_cells_are_named_together(load: Load) -> None:
    found = faults(load, sheet(ROW.replace("48,30", "x"), ROW2 + ";x"))
    assert "ligne 2 : montant" in found
    assert "ligne 3 : 13 cellules" in found


def test_every_fault_of_a_file_is_named_in_one_reading(load: Load) -> None:
    found = faults(load, sheet(ROW.replace("48,30", "x"), ROW2.replace("F1001", "F2002"), ROW2))
    assert "ligne 2 : montant" in found
    found = faults(load, sheet(ROW, ROW2.replace("F1001", "F2002")))
    assert found.startswith("ligne 3 : la facture 2026-10-0001")


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "vide"),
        (b"\n\n", "vide"),
        (COLUMNS.encode(), sentences.NOTHING_BUT_TITLES),
        (b"a;b;c\n1;2;3\n", sentences.UNKNOWN_COLUMNS),
        (sheet(ROW).replace(";libelle", "").encode(), "colonne libelle absente"),
        (sheet(ROW).replace("fichier_pdf", "autre").encode(), "colonne « autre » inconnue"),
        (sheet(ROW).replace("fichier_pdf", "montant").encode(), sentences.LISTED_TWICE),
        (b"\x00" * 100, sentences.NO_CSV),
        (b"\x81\x8d\x8f\x90\x9d\n", sentences.UNKNOWN_ENCODING),
        (sheet(ROW).encode("utf-16-le"), sentences.NO_CSV),
        (sheet('F1001;"unclosed').encode(), "CSV mal formé"),
        (b"PK\x03\x04 an xlsx file", sentences.BAD_WORKBOOK),
        (b"\xd0\xcf\x11\xe0\xa1\xb1 an xls file\x81", sentences.BAD_WORKBOOK),
        (b"a;b\nc;d\x00\n", f"ligne 2 : octet nul, caractère 4 : {sentences.NO_CSV}"),
        (
            sheet(ROW.replace("Repas", "Re\x00pas")).encode(),
            f"ligne 2 : libelle « Re\\x00pas » : {sentences.CONTROL_CHARACTER}",
        ),
        (
            sheet(ROW, ROW2.replace("Zoé Œuf", "Élodie"))
            .replace("œ", "")
            .encode("cp850", "ignore"),
            f"ligne 3 : {sentences.UNKNOWN_ENCODING}, CP850 (DOS) peut-être, à « Élodie »",
        ),
        (sheet(ROW.replace("48,30", "x"), 'F1;"unclosed').encode(), "montant « x »"),
        (sheet(ROW, 'F1;"unclosed', ROW, ROW).encode(), "ligne 3 : CSV mal formé"),
    ],
)
def test_what_is_not_such_a_file_is_refused(load: Load, content: bytes, fault: str) -> None:
    assert fault in faults(load, content)


def test_a_file_that_is_not_there_is_said_so(empty_database: None, tmp_path: Path) -> None:
    with pytest.raises(BadFile, match=sentences.NOT_READABLE):
        imports.load(tmp_path / "absent.csv", pdf_folder=tmp_path)
    with pytest.raises(BadFile, match=sentences.NOT_READABLE):
        imports.load(tmp_path, pdf_folder=tmp_path)


def test_a_wholly_wrong_file_stops_at_a_hundred_faults(load: Load) -> None:
    rows = [ROW.replace("48,30", "x") for _ in range(500)]
    assert len(faults(load, sheet(*rows)).splitlines()) == 100


def test_a_pdf_beside_the_file_is_kept(load: Load, tmp_path: Path) -> None:
    (tmp_path / "f1.pdf").write_bytes(b"%PDF-1.7 essai")
    load(sheet(ROW + "f1.pdf"))
    kept = tmp_path / "pdf" / Invoice.get().pdf_name
    assert kept.read_bytes() == b"%PDF-1.7 essai"


def test_what_is_called_a_pdf_and_is_not_is_refused(load: Load, tmp_path: Path) -> None:
    (tmp_path / "f1.pdf").write_bytes(b"<html>")
    assert sentences.NO_PDF in faults(load, sheet(ROW + "f1.pdf"))


def test_a_fault_half_way_through_the_writing_leaves_nothing(
    load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kiosque.invoices.imports.sql.LINE", "INSERT INTO invoice_line VALUES (?)")
    with pytest.raises(DatabaseError):
        load(sheet(ROW))
    for table in (Invoice, Family, Service, ImportBatch):
        assert table.select().count() == 0


def test_children_and_their_services_are_known_from_the_invoices(load: Load) -> None:
    load(sheet(ROW, ROW2))
    child = Child.get()
    services = [enrolment.service.name for enrolment in child.enrolments]
    assert child.name == "Zoé Œuf"
    assert sorted(services) == ["Périscolaire", "Restauration"]


def test_a_child_known_by_its_full_name_is_not_doubled_by_its_first_name(load: Load) -> None:
    load(FAMILIES, name="familles.csv")
    load(sheet(ROW.replace("Zoé Œuf", "Zoé")))
    assert [child.name for child in Child.select()] == ["Zoé Martin"]


def test_a_long_file_is_loaded_by_parts(load: Load) -> None:
    rows = [
        ROW.replace("2026-10-0001", f"N{i}").replace("F1001", f"F{i % 700}") for i in range(1200)
    ]
    shown: list[str] = []

    def progress(items: object, what: str) -> object:
        shown.append(what)
        return items

    load(sheet(*rows), progress=progress)
    assert Invoice.select().count() == 1200
    assert Family.select().count() == 700
    assert shown == ["Lecture", "Enregistrement"]


def test_a_total_is_left_out_and_said(load: Load) -> None:
    summary = load(sheet(ROW) + "Total;;;;;;;;;;48,30;\n")
    assert [str(warning) for warning in summary.warnings] == [
        f"ligne 3 : {sentences.TOTAL_LEFT_OUT}"
    ]
    with pytest.raises(BadFile, match="ligne 3 : numero_facture"):
        load(sheet(ROW.replace("0001", "0002"), ROW.replace("2026-10-0001", "")))


@pytest.mark.parametrize(
    ("footers", "said"),
    [
        (["TOTAL;2;;;;;;;;;54,18;"], []),
        ([";;;;;;;;;Total;60,00 €;"], ["60,00 €", "5,82\u00a0€ de moins"]),
        (["Total;;;;;;;;;;48,30;"], ["48,30", "5,88\u00a0€ de plus"]),
        (["Total;;;;;;;;;;deux;"], []),
    ],
)  # fmt: skip
def test_a_total_is_compared_with_the_lines_and_the_difference_said(
    load: Load, footers: list[str], said: list[str]
) -> None:
    told = warned(load(sheet(ROW, ROW2, *footers)))
    assert told[0] == f"ligne 4 : {sentences.TOTAL_LEFT_OUT}"
    assert told[1:] == (
        [f"ligne 4 : total « {said[0]} » : les lignes font 54,18\u00a0€, {said[1]}"] if said else []
    )


def test_a_total_may_be_of_the_lines_since_the_one_before(load: Load) -> None:
    rows = [ROW, "Sous-total;;;;;;;;;;48,30;", ROW2, "Sous-total;;;;;;;;;;5,88;"]
    told = warned(load(sheet(*rows, "Total général;;;;;;;;;;54,18;")))
    assert all(sentences.TOTAL_LEFT_OUT in text for text in told)
    assert len(told) == 3


@pytest.mark.parametrize(
    ("quantity", "price", "amount", "stored"),
    [
        ("3", "3,3333", "10,00", (300, 333, 1000)),
        ("1:30", "2,00", "3,00", (150, 200, 300)),
        ("1h20", "3,00", "4,00", (133, 300, 400)),
        ("2", "\u22123,45", "'-6,90", (200, -345, -690)),
        ("1", "1 234,50", "1\u202f234,50\u00a0€", (100, 123450, 123450)),
    ],
)
def test_a_line_multiplies_exactly_before_it_is_rounded(
    load: Load, quantity: str, price: str, amount: str, stored: tuple[int, int, int]
) -> None:
    line = ROW2.replace("6;0,98;5,88", f"{quantity};{price};{amount}")
    load(sheet(ROW, line))
    kept = InvoiceLine.get(InvoiceLine.label == "Garderie")
    assert (kept.quantity_hundredths, kept.unit_price_cents, kept.amount_cents) == stored


@pytest.mark.parametrize(
    ("line", "cents", "said"),
    [
        ("3;3,33;10,00", 1000, False),
        ("6;0,83;5,00", 500, False),
        ("-3;3,33;-10,00", -1000, False),
        ("1,33;4,50;6,00", 600, False),
        ("3;3,33;10,02", 1002, True),
    ],
)
def test_where_a_price_was_rounded_the_amount_counts(
    load: Load, line: str, cents: int, said: bool
) -> None:
    """Three times a third of a forfait of ten euros is ten euros, as on the town's own paper."""
    summary = load(sheet(ROW, ROW2.replace("6;0,98;5,88", line), ROW2.replace("6;0,98;5,88", line)))
    assert Invoice.get().total_cents == 4830 + 2 * cents
    cut = [warning for warning in warned(summary) if "demi-centime" in warning]
    assert cut == (
        [
            "ligne 3 : montant à plus d’un demi-centime par unité de quantite x prix_unitaire : "
            "le montant est gardé (2 lignes)"
        ]
        if said
        else []
    )


def test_an_amount_further_than_a_rounding_from_its_product_is_refused(load: Load) -> None:
    found = faults(load, sheet(ROW.replace("14;3,45;48,30", "3;3,33;10,03")))
    assert f"montant « 10,03 » {sentences.NOT_THE_PRODUCT} « 3 »" in found
    assert "9,99" in found


def test_a_family_whose_code_is_total_is_no_total(load: Load) -> None:
    summary = load(FAMILIES.replace("F1001", "TOTAL"))
    assert warned(summary) == []
    row = ROW.replace("F1001", "TOTAL").replace("2026-10-0001", "TOTAL1")
    assert warned(load(sheet(row), confirmed=Confirmed(new_families=True))) == []
    paid = "TOTAL1;2026-11-20;cheque;48,30;Dominique Aubry;Total du chèque 1\n"
    columns = "numero_facture;date_encaissement;mode;montant;auteur;motif\n"
    assert warned(load(columns + paid + "Total;;;48,30;;\n")) == [
        f"ligne 3 : {sentences.TOTAL_LEFT_OUT}"
    ]
    assert Invoice.get().state == "paid"
    assert {family.code for family in Family.select()} >= {"TOTAL"}


def test_every_fault_of_a_line_and_of_a_file_is_named_at_once_with_its_value(load: Load) -> None:
    load(sheet(ROW.replace("0001", "0005")))
    known = ROW.replace("0001", "0005").replace("14;3,45;48,30", "1;3,45;3,45")
    wrong = ROW.replace("F1001", "é").replace("05;", "é;").replace("14;", "x;").replace("2026", "é")
    with pytest.raises(BadFile) as refused:
        load(sheet(known, wrong))
    found = str(refused.value)
    for expected in ("ligne 2 : la facture", "code_famille « é »", "numero_facture « é", "date_em",
                     "date_ech", "quantite « x »"):  # fmt: skip
        assert expected in found
    assert found.count("ligne 3") == 5


def test_a_value_shown_is_short_and_holds_no_terminal_code(load: Load) -> None:
    found = faults(load, sheet(ROW.replace("48,30", "\x1b[31m"), ROW2.replace("5,88", "9" * 150)))
    assert "montant « \\x1b[31m »" in found
    assert "\x1b" not in found
    assert max(map(len, found.splitlines())) < 200


@pytest.mark.parametrize(
    ("line", "total"), [("0;3,45;0", 0), ("-1;3,45;-3,45", -345)], ids=["zero", "credit note"]
)
def test_an_invoice_that_asks_for_nothing_is_kept_and_never_due(
    load: Load, line: str, total: int
) -> None:
    asks = ROW.replace("0001", "0002").replace("14;3,45;48,30", line)
    summary = load(sheet(ROW, asks))
    assert (summary.added, summary.nothing_due, summary.total_cents) == (2, 1, 4830)
    kept = Invoice.get(Invoice.number == "2026-10-0002")
    assert (kept.state, kept.total_cents) == ("nothing_due", total)
    assert load(sheet(ROW, asks)).added == 0
    payable = Invoice.select().where(payments.payable_now())
    assert kept not in list(payable)
    due = [each.number for each in listing.unpaid(kept.family) if each.remaining_cents > 0]
    assert due == ["2026-10-0001"]
    assert [each.number for each in listing.settled(kept.family, 1)[0]] == ["2026-10-0002"]
    assert verification.faults() == []
    with pytest.raises(BadFile, match=sentences.NOT_TO_PAY):
        load(SETTLEMENTS.replace("0001", "0002").replace("48,30", "3,45"))
    payments.cancel_invoice(kept.number, "Dominique", "erreur")
    assert verification.faults() == []


@pytest.mark.parametrize(
    "digest",
    [
        pytest.param("1fd7f0f6667fb58ac761c6783f8a4453f59dbd81fd2fa981bfda2d944f49b8e3", id="0.1"),
        pytest.param("ca943eb7780f831162adcea7990629562945caf1df6b0389ff5b9c61d4f0574c", id="0.2"),
    ],
)
def test_an_invoice_is_known_by_the_digest_that_each_version_kept(load: Load, digest: str) -> None:
    """Else every invoice of a town would be compared with the file that brought it."""
    odd = ROW.replace("Zoé Œuf", '"Lé""a"').replace("Repas", "soir\u2028\\ fin")
    load(sheet(odd, ROW2))
    Invoice.update(digest=digest, period="not compared").execute()
    assert load(sheet(odd, ROW2)).unchanged == 1


def test_an_import_asks_the_database_as_much_for_many_lines_as_for_one(
    load: Load, queries: list[str]
) -> None:
    load(sheet(ROW))
    queries.clear()
    load(sheet(ROW.replace("2026-10-0001", "N1")))
    few = len(queries)
    queries.clear()
    load(sheet(*(ROW.replace("2026-10-0001", f"N{number}") for number in range(2, 100))))
    assert len(queries) == few
