"""Invoices as a file gives them, row by row, before anything is written."""

import hashlib
import json
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from functools import lru_cache
from operator import itemgetter
from pathlib import Path
from typing import TypedDict

import orjson

from kiosque import os_errors
from kiosque.db.states import InvoiceState
from kiosque.invoices.imports import totals
from kiosque.invoices.imports.reading import BadFile, Fault, Progress, Row, every, number_in, quoted
from kiosque.invoices.imports.sheet import Sheet
from kiosque.language import formats, parsing
from kiosque.spelling import child_key, fold

#: How many earlier lines a line is compared with, to find repeated ones.
RECENT = 50
#: How many cents a unit price may be off, if a program truncated it to the cent.
A_CENT = Fraction(1)
MAX_PDF_BYTES = 10 * 1024 * 1024


class DraftLine(TypedDict):
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
    lines: list[DraftLine] = field(default_factory=list)
    total_cents: int = field(default=0, init=False)
    #: The PDF named by its number, if the file names none.
    numbered_pdf: str = field(default="", init=False)
    #: The key of the *régie* that collects it.
    regie: str = field(default="", init=False)
    #: The list by which the Treasury collects it already; empty for an invoice that is paid here.
    treasury_list: str = ""

    @property
    def head(self) -> tuple[object, ...]:
        """Return what every row of the invoice must repeat."""
        return (self.code, self.issued_on, self.due_on, self.period, self.pdf)

    @property
    def paper(self) -> str:
        """Return the name of its PDF, beside the file; "" for none."""
        return self.pdf or self.numbered_pdf

    @property
    def services(self) -> str:
        """Return the services of the lines, in their order, each once."""
        return ", ".join(dict.fromkeys([line["service"] for line in self.lines]))

    @property
    def children(self) -> str:
        """Return the children of the lines, in their order, each once, as first spelt."""
        names: dict[str, str] = {}
        for child in dict.fromkeys([line["child"] for line in self.lines]):
            names.setdefault(child_key(child), child)
        return ", ".join(names.values())

    @property
    def state(self) -> InvoiceState:
        """Return the state in which the invoice begins."""
        if self.total_cents <= 0:
            return InvoiceState.NOTHING_DUE
        return InvoiceState.TRANSMITTED if self.treasury_list else InvoiceState.OPEN

    @property
    def due_cents(self) -> int:
        """Return what the family is asked to pay: nothing for a credit note."""
        return max(self.total_cents, 0)

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the whole invoice, kept to tell whether it comes again unchanged.

        Towns' databases hold such digests: these bytes must stay the same.
        """
        whole = orjson.dumps([self.number, *self.head, self.lines], option=orjson.OPT_SORT_KEYS)
        return hashlib.sha256(whole).hexdigest()

    def is_of(self, digest: str) -> bool:
        """Tell whether a digest, as it is kept now or was by version 0.1, is of this invoice."""
        if digest == self.digest:
            return True
        head = [self.number, *map(str, self.head)]
        first = json.dumps([head, self.lines], sort_keys=True)
        return digest == hashlib.sha256(first.encode()).hexdigest()


def read_drafts(sheet: Sheet, progress: Progress) -> list[Draft]:
    """Gather the lines of each invoice that is sound. The sheet takes the faults of others."""
    faults, drafts = sheet.faults, dict[str, Draft]()
    broken, cut, numbers, amounts = set[str](), list[int](), list[int](), list[int]()
    last_head: tuple[str, ...] = ()
    head_of, line_of = _cells(sheet, _HEAD), _cells(sheet, _LINE)
    for number, cells in progress(sheet, "Lecture"):
        head = head_of(cells)
        try:
            # Most lines repeat to the letter the head of the one before.
            if head != last_head:
                read, last_head = _read(sheet.row((number, cells))), head
            line, is_cut = _read_line(*line_of(cells))
        except ValueError as error:
            faults.add(number, *error.args, *_more_faults(sheet, cells, error))
            broken.add(cells[sheet.columns.index("numero_facture")])
            continue
        draft = drafts.setdefault(read.number, read)
        if draft is not read and draft.head != read.head:
            faults.add(
                number,
                f"la facture {read.number} n’a pas la même famille, les mêmes dates, la même "
                f"période ou le même PDF qu’à la ligne {draft.first_line}",
            )
        lines = draft.lines
        if line in (lines if len(lines) <= RECENT else lines[-RECENT:]):
            sheet.warn(number, f"répète une ligne de la facture {draft.number}, comptée deux fois")
        if is_cut:
            cut.append(number)
        lines.append(line)
        draft.total_cents += line["amount_cents"]
        numbers.append(number)
        amounts.append(line["amount_cents"])
    if not faults:
        totals.compare(sheet, numbers, amounts)
    if cut:
        _warn_of_cut(sheet, cut)
    return [draft for draft in drafts.values() if draft.number not in broken]


def _warn_of_cut(sheet: Sheet, lines: list[int]) -> None:
    """Warn of the lines whose amount is not quantity by price, once for all of them."""
    more = f" ({len(lines)} lignes)" if len(lines) > 1 else ""
    sheet.warn(
        lines[0],
        "montant à plus d’un demi-centime par unité de quantite x prix_unitaire : le montant "
        f"est gardé{more}",
    )


_HEAD = (
    "code_famille", "numero_facture", "date_emission", "date_echeance", "periode", "fichier_pdf",
    "liste_tresor",
)  # fmt: skip
_LINE = ("enfant", "service", "libelle", "quantite", "prix_unitaire", "montant")


def _cells(sheet: Sheet, columns: Sequence[str]) -> Callable[[list[str]], tuple[str, ...]]:
    """Return a function that takes the cells of these columns, where the file has them."""
    return itemgetter(*[sheet.columns.index(name) for name in columns if name in sheet.columns])


def _more_faults(sheet: Sheet, cells: list[str], error: ValueError) -> list[str]:
    """Return the faults of a line's own cells when those of its head were found first."""
    try:
        _read_line(*_cells(sheet, _LINE)(cells))
    except ValueError as other:
        return [text for text in other.args if text not in error.args]
    return []


def _read(row: Row) -> Draft:
    code, number, issued_on, due_on, period = every(
        row.code,
        row.number,
        lambda: row.date("date_emission"),
        lambda: row.date("date_echeance"),
        lambda: _period(row.text("periode")),
    )
    draft = Draft(row.line, code, number, issued_on, due_on, period, row.get("fichier_pdf"))
    draft.treasury_list = row.get("liste_tresor")
    if draft.due_on < draft.issued_on:
        raise ValueError(
            f"date_echeance {quoted(row['date_echeance'])} précède date_emission "
            f"{quoted(row['date_emission'])}"
        )
    if draft.pdf and (Path(draft.pdf).name != draft.pdf or draft.pdf.startswith(".")):
        raise ValueError(
            f"fichier_pdf {quoted(draft.pdf)} : attendu un nom de fichier sans dossier"
        )
    return draft


def _read_line(
    child: str, service: str, label: str, quantity: str, unit_price: str, amount: str
) -> tuple[DraftLine, bool]:
    """Read a line's own cells. The second value is True where its price is cut (`_amounts`)."""
    texts = []
    if not fold(service):
        texts.append("service est vide")
    if not label:
        texts.append("libelle est vide")
    try:
        hundredths, unit_price_cents, cents, is_cut = _amounts(quantity, unit_price, amount)
    except ValueError as error:
        texts += error.args
    if texts:
        raise ValueError(*texts)
    line: DraftLine = {
        "child": child,
        "service": service,
        "label": label,
        "quantity_hundredths": hundredths,
        "unit_price_cents": unit_price_cents,
        "amount_cents": cents,
    }
    return line, is_cut


@lru_cache(maxsize=10_000)  # a town has few prices: the same come again at every family
def _amounts(
    quantity_text: str, unit_price_text: str, amount_text: str
) -> tuple[int, int, int, bool]:
    """Return a line's quantity in hundredths, its unit price and its amount in cents, and True if
    the price was truncated rather than rounded to the cent. The amount prevails.

    Raise ValueError, in French, for what is no number, or an amount that is not quantity by price.
    """
    quantity, unit_price, cents = every(
        lambda: number_in("quantite", quantity_text, parsing.parse_quantity),
        lambda: number_in("prix_unitaire", unit_price_text, parsing.parse_decimal),
        lambda: number_in("montant", amount_text, parsing.parse_hundredths),
    )
    is_close = parsing.is_product(quantity, unit_price, cents)
    if not is_close and not parsing.is_product(quantity, unit_price, cents, price_off=A_CENT):
        product = formats.format_euros(parsing.rounded_hundredths(quantity * unit_price))
        raise ValueError(
            f"montant {quoted(amount_text)} différent de quantite {quoted(quantity_text)} x "
            f"prix_unitaire {quoted(unit_price_text)}, {product}, de plus d’un centime par unité"
        )
    rounded = parsing.rounded_hundredths
    return rounded(quantity), rounded(unit_price), cents, not is_close


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


def keep_pdf(draft: Draft, beside: Path, folder: Path) -> None:
    """Copy the PDF of an invoice from beside its file. Call it before the invoice is written: a
    copy too many does no harm. The copy is atomic, since a backup may be reading the folder. Raises
    BadFile if the folder cannot be written."""
    name = pdf_name(draft)
    part = folder.with_name(f"{name}.part")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(beside / draft.paper, part)
        part.replace(folder / name)
    except OSError as error:
        text = f"{folder} ne peut pas être écrit ({os_errors.why(error)})."
        raise BadFile([Fault(0, text)]) from None
