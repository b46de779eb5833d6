"""Spreadsheets: XLSX, ODS, XLS, read by python-calamine in a process of its own.

A file of two kilobytes may ask for more memory than the machine has, and so kill the process that
reads it: the site must not be that process. `workbook_process.py` runs there, under limits.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from kiosque.invoices.imports.formats.words import shortened
from kiosque.invoices.imports.reading import BadFile, Fault, NumberedLine
from kiosque.invoices.imports.receiving import File

PROGRAM = Path(__file__).with_name("workbook_process.py")
MAX_BYTES = 32 * 1024 * 1024
SECONDS = 40
_BEGINNINGS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_UNREADABLE = (
    "ce classeur ne peut pas être lu : abîmé, protégé par un mot de passe, ou trop grand. "
    "Enregistrez la feuille en CSV, en UTF-8."
)


class Workbook:
    """Read the first sheet that is not empty, row by row. Formulas are not computed: the value
    stored with them is read."""

    unit = "ligne"

    def recognises(self, head: bytes, name: str) -> bool:  # noqa: ARG002  # by content only
        return head.startswith(_BEGINNINGS)

    def read(self, file: File) -> Iterator[NumberedLine]:
        if len(file.data) > MAX_BYTES:
            raise BadFile([Fault(0, "classeur de plus de 32 Mo. Enregistrez-le en CSV.")])
        try:
            done = subprocess.run(  # noqa: S603  # Python, and a file of ours
                [sys.executable, "-I", str(PROGRAM)],
                input=file.data,
                capture_output=True,
                timeout=SECONDS,
                check=True,
            )
        except (subprocess.SubprocessError, OSError):
            raise BadFile([Fault(0, _UNREADABLE)]) from None
        for line in done.stdout.splitlines():
            number, cells = json.loads(line)
            yield number, [shortened(cell) for cell in cells]
