"""Invoices as a file gives them, row by row, before anything is written."""

import hashlib
import json
import re
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path

from kiosque import clock, money
from kiosque.imports.reading import Faults, Progress, Row, Sheet

MAX_PDF_BYTES = 10 * 1024 * 1024


@dataclass(frozen=True)
class Line:
    child: str
    service: str
    label: str
    quantity_hundredths: int
    unit_price_cents: int
    amount_cents: int


@dataclass
class Draft:
    """One invoice as the file gives it."""

    first_line: int
    code: str
    number: str
    issued_on: date
    due_on: date
    period: str
    pdf: str
    lines: list[Line] = field(default_factory=list)

    @property
    def head(self) -> tuple[object, ...]:
        """What every row of the invoice must repeat."""
        return (self.code, self.issued_on, self.due_on, self.period, self.pdf)

    @property
    def total_cents(self) -> int:
        return sum(line.amount_cents for line in self.lines)

    def words(self, attribute: str) -> str:
        """The services, or the children, in the order of the lines, each once."""
        return ", ".join(dict.fromkeys(getattr(line, attribute) for line in self.lines))

    @cached_property
    def digest(self) -> str:
        """Tells whether the same invoice comes again unchanged."""
        head = [self.number, *(str(part) for part in self.head)]
        text = json.dumps([head, [vars(line) for line in self.lines]], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def read_drafts(sheet: Sheet, progress: Progress) -> list[Draft]:
    faults, drafts = Faults(), dict[str, Draft]()
    for row in progress(sheet.rows, "Lecture"):
        try:
            read = _read(row)
            line = _read_line(row)
        except ValueError as error:
            faults.add(row.line, str(error))
            continue
        draft = drafts.setdefault(read.number, read)
        if draft.head != read.head:
            faults.add(
                row.line,
                f"la facture {read.number} n’a pas la même famille, les mêmes dates, la même "
                f"période ou le même PDF qu’à la ligne {draft.first_line}",
            )
        draft.lines.append(line)
    for draft in drafts.values():
        if draft.total_cents <= 0:
            faults.add(
                draft.first_line,
                f"le total de la facture {draft.number} est nul ou négatif : rien à payer. "
                "Retirez-la du fichier.",
            )
    faults.raise_any()
    return list(drafts.values())


def _read(row: Row) -> Draft:
    draft = Draft(
        first_line=row.line,
        code=row.code(),
        number=row.number(),
        issued_on=row.date("date_emission"),
        due_on=row.date("date_echeance"),
        period=_period(row.text("periode")),
        pdf=row.values.get("fichier_pdf", ""),
    )
    if draft.due_on < draft.issued_on:
        raise ValueError("date_echeance précède date_emission")
    if draft.pdf and (Path(draft.pdf).name != draft.pdf or draft.pdf.startswith(".")):
        raise ValueError("fichier_pdf : attendu un nom de fichier sans dossier")
    return draft


def _read_line(row: Row) -> Line:
    line = Line(
        child=row["enfant"],
        service=row.text("service"),
        label=row.text("libelle"),
        quantity_hundredths=row.hundredths("quantite"),
        unit_price_cents=row.hundredths("prix_unitaire"),
        amount_cents=row.hundredths("montant"),
    )
    expected = money.product_cents(line.quantity_hundredths, line.unit_price_cents)
    if line.amount_cents not in expected:
        raise ValueError(
            f"montant {money.format_euros(line.amount_cents)} différent de quantite x "
            f"prix_unitaire, {money.format_euros(expected[0])}"
        )
    return line


def _period(text: str) -> str:
    """`2026-10` in words; anything else as it is."""
    match = re.fullmatch(r"([0-9]{4})-(0[1-9]|1[0-2])", text, re.ASCII)
    return f"{clock.MONTHS[int(match[2]) - 1]} {match[1]}" if match else text


def pdf_problem(path: Path) -> str:
    try:
        with path.open("rb") as file:
            start = file.read(5)
        size = path.stat().st_size
    except OSError:
        return "introuvable. Mettez-le à côté du fichier CSV, ou videz la cellule."
    if start != b"%PDF-":
        return "ce n’est pas un PDF"
    return "plus de 10 Mo" if size > MAX_PDF_BYTES else ""


def pdf_name(draft: Draft) -> str:
    """A name of our own: the number may hold what no file system takes."""
    return f"{hashlib.sha256(draft.number.encode()).hexdigest()[:32]}.pdf"
