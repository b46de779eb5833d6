"""Invoices as a file gives them, row by row, before anything is written."""

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from operator import itemgetter
from pathlib import Path
from typing import TypedDict

from kiosque.invoices.imports.reading import Progress, Row, Sheet, hundredths
from kiosque.language import amounts, formats
from kiosque.spelling import child_key, fold

MAX_PDF_BYTES = 10 * 1024 * 1024

#: `json.dumps` would make one anew for each invoice.
_JSON = json.JSONEncoder(sort_keys=True)


class Line(TypedDict):
    """One line of an invoice, under the names by which its digest knows it."""

    child: str
    service: str
    label: str
    quantity_hundredths: int
    unit_price_cents: int
    amount_cents: int


@dataclass(slots=True)
class Draft:
    """One invoice, as the file gives it."""

    first_line: int
    code: str
    number: str
    issued_on: date
    due_on: date
    period: str
    pdf: str
    lines: list[Line] = field(default_factory=list)
    total_cents: int = field(default=0, init=False)
    #: The key of the *régie* that collects it.
    regie: str = field(default="", init=False)

    @property
    def head(self) -> tuple[object, ...]:
        """Return what every row of the invoice must repeat."""
        return (self.code, self.issued_on, self.due_on, self.period, self.pdf)

    @property
    def services(self) -> str:
        """Return the services of the lines, in their order, each once."""
        return ", ".join(dict.fromkeys([line["service"] for line in self.lines]))

    @property
    def children(self) -> str:
        """Return the children of the lines, in their order, each once, as first spelt."""
        names: dict[str, str] = {}
        for line in self.lines:
            names.setdefault(child_key(line["child"]), line["child"])
        return ", ".join(names.values())

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the whole invoice, kept to tell whether it comes again unchanged.

        Towns' databases hold such digests: this text must stay the same to the byte.
        """
        head = [self.number, *map(str, self.head)]
        text = _JSON.encode([head, self.lines])
        return hashlib.sha256(text.encode()).hexdigest()


def read_drafts(sheet: Sheet, progress: Progress) -> list[Draft]:
    """Gather the lines of each invoice. Raise BadFile naming every fault."""
    faults, drafts = sheet.faults, dict[str, Draft]()
    last_head: tuple[str, ...] = ()
    head_of, line_of = _cells(sheet, _HEAD), _cells(sheet, _LINE)
    for number, cells in progress(sheet, "Lecture"):
        head = head_of(cells)
        try:
            # Most lines repeat to the letter the head of the one before.
            if head != last_head:
                read, last_head = _read(sheet.row((number, cells))), head
            line = _read_line(*line_of(cells))
        except ValueError as error:
            faults.add(number, str(error))
            continue
        draft = drafts.setdefault(read.number, read)
        if draft is not read and draft.head != read.head:
            faults.add(
                number,
                f"la facture {read.number} n’a pas la même famille, les mêmes dates, la même "
                f"période ou le même PDF qu’à la ligne {draft.first_line}",
            )
        draft.lines.append(line)
        draft.total_cents += line["amount_cents"]
    for draft in drafts.values():
        if draft.total_cents <= 0:
            faults.add(
                draft.first_line,
                f"le total de la facture {draft.number} est nul ou négatif : rien à payer. "
                "Retirez-la du fichier.",
            )
    faults.raise_any()
    return list(drafts.values())


_HEAD = (
    "code_famille", "numero_facture", "date_emission", "date_echeance", "periode", "fichier_pdf",
)  # fmt: skip
_LINE = ("enfant", "service", "libelle", "quantite", "prix_unitaire", "montant")


def _cells(sheet: Sheet, columns: Sequence[str]) -> Callable[[list[str]], tuple[str, ...]]:
    """Return a function that takes the cells of these columns, where the file has them."""
    return itemgetter(*[sheet.columns.index(name) for name in columns if name in sheet.columns])


def _read(row: Row) -> Draft:
    draft = Draft(
        first_line=row.line,
        code=row.code(),
        number=row.number(),
        issued_on=row.date("date_emission"),
        due_on=row.date("date_echeance"),
        period=_period(row.text("periode")),
        pdf=row.get("fichier_pdf"),
    )
    if draft.due_on < draft.issued_on:
        raise ValueError("date_echeance précède date_emission")
    if draft.pdf and (Path(draft.pdf).name != draft.pdf or draft.pdf.startswith(".")):
        raise ValueError("fichier_pdf : attendu un nom de fichier sans dossier")
    return draft


def _read_line(
    child: str, service: str, label: str, quantity: str, unit_price: str, amount: str
) -> Line:
    if not (fold(service) and label):
        raise ValueError(f"{'libelle' if fold(service) else 'service'} est vide")
    quantity_hundredths, unit_price_cents, amount_cents = _amounts(quantity, unit_price, amount)
    return {
        "child": child,
        "service": service,
        "label": label,
        "quantity_hundredths": quantity_hundredths,
        "unit_price_cents": unit_price_cents,
        "amount_cents": amount_cents,
    }


@lru_cache(maxsize=10_000)  # a town has few prices: the same come again at every family
def _amounts(quantity: str, unit_price: str, amount: str) -> tuple[int, int, int]:
    """Return a line's quantity in hundredths, its unit price and its amount in cents.

    Raise ValueError, in French, for what is no number or does not multiply.
    """
    quantity_hundredths = hundredths("quantite", quantity)
    unit_price_cents = hundredths("prix_unitaire", unit_price)
    amount_cents = hundredths("montant", amount)
    expected = amounts.product_cents(quantity_hundredths, unit_price_cents)
    if amount_cents not in expected:
        raise ValueError(
            f"montant {formats.format_euros(amount_cents)} différent de quantite x "
            f"prix_unitaire, {formats.format_euros(expected[0])}"
        )
    return quantity_hundredths, unit_price_cents, amount_cents


@lru_cache(maxsize=1_000)
def _period(text: str) -> str:
    """Write `2026-10` in words; leave anything else as it is."""
    match = re.fullmatch(r"([0-9]{4})-(0[1-9]|1[0-2])", text, re.ASCII)
    return f"{formats.MONTHS[int(match[2]) - 1]} {match[1]}" if match else text


def pdf_problem(path: Path) -> str:
    """Say in French why this file cannot be kept as a PDF; nothing when it can."""
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
    """Name the kept copy of an invoice's PDF. A number may hold what no file system takes."""
    return f"{hashlib.sha256(draft.number.encode()).hexdigest()[:32]}.pdf"
