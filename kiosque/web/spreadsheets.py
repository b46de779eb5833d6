"""Tables as files that any spreadsheet opens: CSV in UTF-8 with its mark, `;` between cells.

A text that a spreadsheet would take for a formula is kept as text; amounts are numbers, with a
comma.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from flask import Response

from kiosque import db
from kiosque.language.formats import decimal

#: A first sign that makes a formula of a cell, in one spreadsheet or another.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
#: Rows that are sent together.
_TOGETHER = 200


def answer(name: str, head: Sequence[str], rows: Iterable[Sequence[str | int | None]]) -> Response:
    """Answer a table to keep under this name, sent while its rows are read, after the request: they
    know nothing of it. Whole numbers are cents of euros."""
    made = Response(_sent(head, rows), content_type="text/csv; charset=utf-8")
    made.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return made


def _sent(head: Sequence[str], rows: Iterable[Sequence[str | int | None]]) -> Iterator[str]:
    try:
        yield from _lines(head, rows)
    finally:
        db.release()


def _lines(head: Sequence[str], rows: Iterable[Sequence[str | int | None]]) -> Iterator[str]:
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


def _cell(value: str | int | None) -> str:
    if isinstance(value, int):
        return decimal(value)
    text = value or ""
    return f"'{text}" if text.startswith(_FORMULA) else text
