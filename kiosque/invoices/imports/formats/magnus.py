"""Magnus (Berger-Levrault): three files of texts in quotes, without heads.

`WTAMC001.txt` has a row an account code of an invoice (`M`, then `S`), `WTAMC001AS.txt` its lines,
`WTAMC001_TSOL.txt` the other debtors, which are not read. The number of an invoice is often in its
label only. Quotes inside a text are not doubled: one closes where a semicolon or the end follows.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kiosque.invoices.imports.decoding import decode
from kiosque.invoices.imports.formats.words import (
    child_and_label,
    invoice_number,
    month,
    month_of,
    shortened,
)
from kiosque.invoices.imports.reading import BadFile, Fault, NumberedLine, quoted
from kiosque.invoices.imports.receiving import File
from kiosque.language.formats import format_euros
from kiosque.language.parsing import parse_hundredths

COLUMNS = [
    "tiers_reference", "tiers_nom", "tiers_adresse", "tiers_ville", "numero_facture",
    "date_emission", "periode", "service", "enfant", "libelle", "quantite", "prix_unitaire",
    "montant",
]  # fmt: skip
#: The cells of a row of each file.
WIDTH, LINES_WIDTH = 125, 17
#: Where they stand, from 0, in the rows of invoices.
_PIECE, _REFERENCE, _NAME, _FIRST_NAME, _LABEL, _LOT_PIECE = 0, 7, 9, 10, 17, 19
_STREET, _TOWN = slice(11, 14), slice(14, 16)
_DATE, _AMOUNT, _LOT, _NUMBER = 24, 29, 89, 110
#: And in those of their lines.
_L_LOT, _L_PIECE, _L_FROM, _L_LABEL, _L_QUANTITY, _L_PRICE, _L_AMOUNT = 0, 1, 2, 4, 5, 9, 15

#: The lot and the piece.
_Key = tuple[str, str]


@dataclass
class _Invoice:
    at: int
    cells: list[str]
    cents: int


class Magnus:
    """Reads the three files: a row a line of an invoice, numbered as the invoice's own row."""

    unit = "ligne"

    def recognises(self, head: bytes, name: str) -> bool:  # noqa: ARG002  # by content only
        first = head.replace(b"\0", b"").split(b"\n", 1)[0].strip()
        return first.startswith((b'"', b'\xef\xbb\xbf"')) and first.count(b";") == WIDTH - 1

    def read(self, file: File) -> Iterator[NumberedLine]:
        yield 0, COLUMNS
        name = f"{Path(file.name).stem}AS{Path(file.name).suffix}"
        if (details := file.beside(name)) is None:
            text = (
                f"il manque {quoted(name)}, le détail des factures : donnez les trois fichiers, "
                "dans un dossier ou une archive zip."
            )
            raise BadFile([Fault(0, text)])
        invoices = _invoices(file)
        sums = dict.fromkeys(invoices, 0)
        for at, cells in _cells(details, LINES_WIDTH, name):
            key = cells[_L_LOT], cells[_L_PIECE]
            if key not in invoices:
                text = f"{name}, ligne {at} : pièce {quoted(key[1])} absente de {file.name}."
                raise BadFile([Fault(0, text)])
            sums[key] += _cents(cells[_L_AMOUNT], at, name)
            yield invoices[key].at, _row(invoices[key].cells, cells)
        _require_same(invoices, sums)


def _invoices(file: File) -> dict[_Key, _Invoice]:
    """Return each invoice of the main file, by its lot and piece."""
    found: dict[_Key, _Invoice] = {}
    for at, cells in _cells(file.data, WIDTH, ""):
        key = cells[_LOT], cells[_PIECE]
        invoice = found.setdefault(key, _Invoice(at, cells, 0))
        invoice.cents += _cents(cells[_AMOUNT], at, "")
        if cells[_REFERENCE] != invoice.cells[_REFERENCE]:
            text = f"pièce {quoted(key[1])} d’un autre débiteur qu’à la ligne {invoice.at}"
            raise BadFile([Fault(at, text)])
    return found


def _require_same(
    invoices: dict[tuple[str, str], _Invoice], sums: dict[tuple[str, str], int]
) -> None:
    faults = [
        Fault(
            invoice.at,
            f"pièce {key[1]} de {format_euros(invoice.cents)}, son détail fait "
            f"{format_euros(sums[key])}",
        )
        for key, invoice in invoices.items()
        if invoice.cents != sums[key]
    ]
    if faults:
        raise BadFile(faults[:100])


def _cents(text: str, at: int, name: str) -> int:
    try:
        return parse_hundredths(shortened(text))
    except ValueError:
        where = f"{name}, ligne {at} : " if name else ""
        text = f"{where}montant {quoted(text)} illisible"
        raise BadFile([Fault(0 if name else at, text)]) from None


def _row(head: list[str], line: list[str]) -> list[str]:
    label = head[_LABEL]
    number = head[_NUMBER] or invoice_number(head[_LOT_PIECE]) or invoice_number(label)
    child, service = child_and_label(line[_L_LABEL])
    return [
        head[_REFERENCE],
        " ".join((head[_NAME], head[_FIRST_NAME])).strip(),
        " ".join(filter(None, head[_STREET])),
        " ".join(filter(None, head[_TOWN])),
        number,
        head[_DATE],
        month(label) or month_of(line[_L_FROM]) or month_of(head[_DATE]),
        service,
        child,
        service,
        shortened(line[_L_QUANTITY]),
        shortened(line[_L_PRICE]),
        shortened(line[_L_AMOUNT]),
    ]


def _cells(data: bytes, width: int, name: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of a file that are not empty. Raise BadFile for one of another width."""
    for at, line in enumerate(decode(data).split("\n"), 1):
        if not line.strip():
            continue
        cells = _split(line)
        if len(cells) != width:
            where = f"{name}, ligne {at} : " if name else ""
            text = f"{where}{len(cells)} cellules au lieu de {width}"
            raise BadFile([Fault(0 if name else at, text)])
        yield at, cells


def _split(line: str) -> list[str]:
    cells: list[str] = []
    opened: list[str] = []
    for part in line.split(";"):
        begins = not opened and part.startswith('"')
        if begins or opened:
            opened.append(part)
            if len(part) == begins or not part.endswith('"'):
                continue
            cells.append(";".join(opened)[1:-1].strip())
            opened = []
        else:
            cells.append(part.strip())
    return [*cells, *opened]
