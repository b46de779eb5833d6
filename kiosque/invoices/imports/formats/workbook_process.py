"""Read the workbook on standard input, under limits; write its rows as lines of JSON.

It is a program of its own (see `workbook`). It exits with 1 for what it cannot read, or is killed
by its limits.
"""

import io
import json
import math
import resource
import sys
import zipfile
from datetime import date, datetime, time, timedelta
from typing import Any

from python_calamine import CalamineWorkbook

MEMORY = 512 * 1024 * 1024
CPU_SECONDS = 25
#: Most bytes of the whole archive once unpacked: they are counted before the reader unpacks it.
MAX_UNPACKED = 128 * 1024 * 1024
MAX_PARTS = 2_000
MAX_ROWS, MAX_COLUMNS = 200_000, 256
MAX_SIGNS = 64 * 1024 * 1024


def repacked(data: bytes) -> bytes:
    """Return a zip of the same parts, none longer than its declared size, since the limit was
    checked on the declared sizes."""
    clean = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as found, zipfile.ZipFile(clean, "w") as made:
        parts = found.infolist()
        if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED:
            sys.exit(1)
        for part in parts:
            made.writestr(zipfile.ZipInfo(part.filename), found.read(part))
    return clean.getvalue()


def written(cell: Any) -> str:
    """Write a cell as a person would. A number has the fifteen digits that spreadsheets show."""
    if isinstance(cell, bool):
        return "VRAI" if cell else "FAUX"
    if isinstance(cell, float):
        if not math.isfinite(cell):
            return str(cell)
        text = f"{float(f'{cell:.15g}'):.15f}".rstrip("0").rstrip(".")
        return "0" if text == "-0" else text
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(" ")
    if isinstance(cell, timedelta):
        minutes = round(cell.total_seconds() / 60)
        return f"{minutes // 60}:{minutes % 60:02}"
    if isinstance(cell, time):
        return f"{cell.hour}:{cell.minute:02}"
    return cell.isoformat() if isinstance(cell, date) else str(cell).strip()


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    data = sys.stdin.buffer.read()
    if data.startswith(b"PK"):
        data = repacked(data)
    workbook = CalamineWorkbook.from_filelike(io.BytesIO(data))
    del data
    for name in workbook.sheet_names:
        if write(workbook.get_sheet_by_name(name)):
            return


def write(sheet: Any) -> int:
    """Write the rows that say something, numbered as the sheet numbers them; return how many."""
    rows = signs = 0
    for at, row in enumerate(sheet.iter_rows(), 1):
        cells = [written(cell) for cell in row]
        while cells and not cells[-1]:
            cells.pop()
        if not cells:
            continue
        rows, signs = rows + 1, signs + sum(map(len, cells))
        if rows > MAX_ROWS or len(cells) > MAX_COLUMNS or signs > MAX_SIGNS:
            sys.exit(1)
        sys.stdout.write(json.dumps([at, cells], ensure_ascii=True) + "\n")
    return rows


if __name__ == "__main__":
    main()
