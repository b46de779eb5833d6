"""Workbooks load by what their cells hold; none takes the machine's memory, nor its time."""

import subprocess
import sys
from collections.abc import Callable
from datetime import date

import pytest

from kiosque.db.models import Invoice, InvoiceLine
from kiosque.invoices.imports import BadFile
from kiosque.invoices.imports.formats import workbook
from tests import sentences
from tests.kiosque.invoices.files import COLUMNS, ROW, Load
from tests.kiosque.invoices.workbooks import (
    DATE,
    formula,
    number,
    ods,
    ods_cell,
    ods_text,
    packed,
    rows,
    text,
    xlsx,
)

HEAD = [text(name) for name in COLUMNS.split(";")]
#: 5 and 30 November 2026, as spreadsheets count days.
ISSUED, DUE = number(46331, DATE), number(46356, DATE)
FIRST = [
    text("F1001"), text("2026-10-0001"), ISSUED, DUE, text("2026-10"), text("Cantine"),
    text("Zoé"), text("Repas"), number(14), number(3.45), number("48.300000000000004"), text(""),
]  # fmt: skip


def test_numbers_dates_and_texts_are_read_by_their_cells(load: Load) -> None:
    load(xlsx(rows([text("Factures d’octobre")], [], HEAD, FIRST)), name="octobre.xlsx")
    invoice, line = Invoice.get(), InvoiceLine.get()
    assert (invoice.issued_on, invoice.due_on) == (date(2026, 11, 5), date(2026, 11, 30))
    assert (invoice.total_cents, line.quantity_hundredths, line.unit_price_cents) == (
        4830,
        1400,
        345,
    )


def test_a_number_kept_as_text_and_a_code_that_is_a_number_serve(load: Load) -> None:
    cells = [number(1001), *FIRST[1:8], text("14"), text("3,45"), text("48,30 €"), text("")]
    load(xlsx(rows(HEAD, cells)), name="octobre.xlsx")
    assert (Invoice.get().family.code, Invoice.get().total_cents) == ("1001", 4830)


def test_a_formula_gives_the_value_kept_with_it_or_is_refused(load: Load) -> None:
    kept = [*FIRST[:10], formula("I2*J2", "48.3"), text("")]
    load(xlsx(rows(HEAD, kept)), name="octobre.xlsx")
    assert Invoice.get().total_cents == 4830
    with pytest.raises(BadFile, match="montant"):
        load(xlsx(rows(HEAD, [*FIRST[:10], formula("I2*J2")])), name="novembre.xlsx")


@pytest.mark.parametrize("title", [[text("Titre")], []])
def test_faults_name_the_row_of_the_sheet(load: Load, title: list[str]) -> None:
    broken = [*FIRST[:10], number("NaN"), text("")]
    with pytest.raises(BadFile, match=r"^ligne 5 : montant « nan »"):
        load(xlsx(rows(title, [], HEAD, [], broken)), name="octobre.xlsx")


def test_the_first_sheet_that_says_something_is_read(load: Load) -> None:
    assert load(xlsx("", rows(HEAD, FIRST)), name="octobre.xlsx").added == 1


def test_an_opendocument_sheet_loads_alike(load: Load) -> None:
    cells = [ods_text(cell) for cell in ROW.split(";")]
    cells[2], cells[3] = ods_cell("date", "2026-11-05"), ods_cell("date", "2026-11-30")
    cells[8:11] = [ods_cell("float", each) for each in ("14", "3.45", "48.3")]
    load(ods([ods_text(name) for name in COLUMNS.split(";")], cells), name="octobre.ods")
    assert (Invoice.get().issued_on, Invoice.get().total_cents) == (date(2026, 11, 5), 4830)


def test_a_million_empty_rows_are_passed_over(load: Load) -> None:
    empty = "".join(f'<row r="{at}"/>' for at in range(3, 1_048_577))
    assert load(xlsx(rows(HEAD, FIRST) + empty), name="octobre.xlsx").added == 1


FAR = '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
WIDE = ods([f'<table:table-cell table:number-columns-repeated="{2**30}" office:value-type="float" '
            'office:value="1"/>'])  # fmt: skip


def bomb() -> bytes:
    return packed({"xl/workbook.xml": "<a/>", "xl/worksheets/s1.xml": " " * 200_000_000})


def many_parts() -> bytes:
    return packed({f"xl/{at}.xml": "" for at in range(3000)} | {"xl/workbook.xml": ""})


#: Started by a small process: a child counts as its own the memory of the one that starts it.
MEASURE = """
import resource, subprocess, sys
subprocess.run([sys.executable, "-I", sys.argv[1]], capture_output=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def kilobytes_taken(content: bytes) -> int:
    """Return the most memory that the program which reads a workbook holds at once for this one."""
    command = [sys.executable, "-c", MEASURE, workbook.PROGRAM]
    return int(subprocess.run(command, input=content, capture_output=True, check=True).stdout)


@pytest.mark.parametrize(
    "content",
    [
        xlsx(FAR),
        WIDE,
        bomb,
        xlsx(rows([number(1)] * 300)),
        xlsx(rows(HEAD, FIRST))[:-200],
        xlsx(rows(HEAD, FIRST)).replace(b"worksheets/s1.xml", b"worksheets/s2.xml"),
        many_parts,
        packed({"content.xml": "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"}),
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600,
    ],
    ids=["far", "wide", "bomb", "columns", "cut", "elsewhere", "parts", "no sheet", "old"],
)
def test_a_hostile_workbook_gets_a_sentence_in_bounded_memory(
    load: Load, content: bytes | Callable[[], bytes]
) -> None:
    content = content() if callable(content) else content
    with pytest.raises(BadFile, match=f"{sentences.BAD_WORKBOOK}|{sentences.UNKNOWN_COLUMNS}|vide"):
        load(content, name="hostile.xlsx")
    assert kilobytes_taken(content) < 600_000
    assert Invoice.select().count() == 0


def test_a_workbook_that_takes_too_long_or_too_much_is_given_up(
    load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook, "SECONDS", 0.001)
    with pytest.raises(BadFile, match=sentences.BAD_WORKBOOK):
        load(xlsx(rows(HEAD, FIRST)), name="octobre.xlsx")
    monkeypatch.setattr(workbook, "MAX_BYTES", 100)
    with pytest.raises(BadFile, match="32 Mo"):
        load(xlsx(rows(HEAD, FIRST)), name="octobre.xlsx")
