"""Tables as ODS, the open format of spreadsheets (ISO/IEC 26300): a zip of one sheet in XML.

Each cell has its type: a text is never taken for a formula or a date, an amount is a number, a day
is a date.
"""

import io
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from html import escape
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

from kiosque.language.formats import decimal

Cell = str | int | date | None

MIME = "application/vnd.oasis.opendocument.spreadsheet"
_URN = "urn:oasis:names:tc:opendocument:xmlns"
_MANIFEST = f"""<?xml version="1.0" encoding="UTF-8"?>
<manifest:manifest xmlns:manifest="{_URN}:manifest:1.0" manifest:version="1.3">
<manifest:file-entry manifest:full-path="/" manifest:version="1.3" manifest:media-type="{MIME}"/>
<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/>
</manifest:manifest>
"""
#: The styles of amounts, with two decimals, and of days, as `2026-12-31`.
_BEGINNING = f"""<?xml version="1.0" encoding="UTF-8"?>
<office:document-content xmlns:office="{_URN}:office:1.0" xmlns:table="{_URN}:table:1.0"
 xmlns:text="{_URN}:text:1.0" xmlns:style="{_URN}:style:1.0" xmlns:number="{_URN}:datastyle:1.0"
 office:version="1.3"><office:automatic-styles>
<number:number-style style:name="N1"><number:number number:decimal-places="2"
 number:min-decimal-places="2" number:min-integer-digits="1"/></number:number-style>
<number:date-style style:name="N2"><number:year number:style="long"/><number:text>-</number:text>
<number:month number:style="long"/><number:text>-</number:text><number:day number:style="long"/>
</number:date-style>
<style:style style:name="a" style:family="table-cell" style:data-style-name="N1"/>
<style:style style:name="d" style:family="table-cell" style:data-style-name="N2"/>
</office:automatic-styles><office:body><office:spreadsheet><table:table table:name="Liste">
"""
_END = "</table:table></office:spreadsheet></office:body></office:document-content>\n"
#: Characters that XML does not allow.
_NO_SIGN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
#: Spaces that OpenDocument would collapse.
_SPACES = re.compile("\n|\t|(?<= ) +|^ +| +$")


def made(head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """Return a table as a file. Whole numbers are cents of euros."""
    file = io.BytesIO()
    with ZipFile(file, "w", ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", MIME, ZIP_STORED)  # first and as it is: the file's signature
        archive.writestr("META-INF/manifest.xml", _MANIFEST)
        with archive.open("content.xml", "w") as content:
            for text in _written(head, rows):
                content.write(text.encode())
    return file.getvalue()


def _written(head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    yield _BEGINNING
    yield _row(head)
    for row in rows:
        yield _row(row)
    yield _END


def _row(row: Sequence[Cell]) -> str:
    return f"<table:table-row>{''.join(map(_cell, row))}</table:table-row>\n"


def _cell(value: Cell) -> str:
    if isinstance(value, int):
        kind, text = (
            f'"float" office:value="{value / 100:.2f}" table:style-name="a"',
            decimal(value),
        )
    elif isinstance(value, date):
        text = value.isoformat()
        kind = f'"date" office:date-value="{text}" table:style-name="d"'
    elif value:
        kind, text = '"string"', _SPACES.sub(_space, escape(_NO_SIGN.sub("\ufffd", value)))
    else:
        return "<table:table-cell/>"
    return f"<table:table-cell office:value-type={kind}><text:p>{text}</text:p></table:table-cell>"


def _space(found: re.Match[str]) -> str:
    match found[0]:
        case "\n":
            return "<text:line-break/>"
        case "\t":
            return "<text:tab/>"
        case spaces:
            return f'<text:s text:c="{len(spaces)}"/>'
