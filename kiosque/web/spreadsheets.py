"""Tables as files that any spreadsheet opens: ODS, or CSV in UTF-8 with a byte order mark and `;`
between cells.

A text that a spreadsheet would take for a formula is kept as text; amounts are numbers, with a
comma.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from flask import Response
from werkzeug.exceptions import UnprocessableEntity

from kiosque import db
from kiosque.language.formats import decimal

Row = Sequence[str | int | date | None]

#: Most rows of an ODS: it is built in full before it is sent, and spreadsheets stop at a million.
MOST_ROWS = 100_000
#: First characters that make some spreadsheet take a cell for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
#: Rows sent at a time.
_TOGETHER = 200


class TooLong(UnprocessableEntity):
    """A table of more rows than an ODS holds."""


def answer(kind: str, name: str, head: Sequence[str], rows: Iterable[Row]) -> Response:
    """Answer a table to keep under this name, as `csv` or `ods`. Whole numbers are cents of euros.

    A CSV is sent while its rows are read, after the request has ended: `rows` may not use it.
    Raises TooLong."""
    if kind == "ods":
        from kiosque.web import open_document  # noqa: PLC0415

        made = Response(open_document.made(head, _counted(rows)), content_type=open_document.MIME)
    else:
        made = Response(_sent(head, rows), content_type="text/csv; charset=utf-8")
    made.headers["Content-Disposition"] = f'attachment; filename="{name}.{kind}"'
    return made


def _counted(rows: Iterable[Row]) -> Iterator[Row]:
    for number, row in enumerate(rows):
        if number == MOST_ROWS:
            raise TooLong
        yield row


def _sent(head: Sequence[str], rows: Iterable[Row]) -> Iterator[str]:
    try:
        yield from _lines(head, rows)
    finally:
        db.release()


def _lines(head: Sequence[str], rows: Iterable[Row]) -> Iterator[str]:
    text = io.StringIO("\ufeff")
    text.seek(0, io.SEEK_END)
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(head)
    for number, row in enumerate(rows, 1):
        writer.writerow([_cell(each) for each in row])
        if number % _TOGETHER == 0:
            yield text.getvalue()
            text.seek(0)
            text.truncate()
    yield text.getvalue()


def _cell(value: str | int | date | None) -> str:
    if isinstance(value, int):
        return decimal(value)
    if isinstance(value, date):
        return value.isoformat()
    text = value or ""
    return f"'{text}" if text.startswith(_FORMULA) else text
