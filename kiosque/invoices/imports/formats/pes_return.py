"""PES V2 *recette retour*: what the Treasury has received of the town's *titres*.

Each `Recouvrement` is a row of *encaissements*, of the mode that pays what the Treasury collects.
The columns `releve` and `releve_du` say whose statement it is and of which day: a file of all that
was received (`NatInf` 0) is older than another or not; a periodic flow is what it adds. What takes
back (another `TypFlux`, nothing or less) is told, for a human to look at.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from lxml import etree

from kiosque.invoices.imports.formats.pes import (
    elements,
    inner,
    piece_number,
    values_of,
)
from kiosque.invoices.imports.reading import NumberedLine, quoted
from kiosque.invoices.imports.receiving import File
from kiosque.language.parsing import parse_hundredths

COLUMNS = [
    "numero_facture", "date_encaissement", "mode", "montant", "auteur", "motif", "releve",
    "releve_du",
]  # fmt: skip
_HEADS = ("EnTetePES", "EnTeteRecette", "BlocBordereau")
_RECEIVED, _WHOLE_STOCK = "01", "0"
_AUTHOR = "Trésor public"


class PesReturn:
    """Reads a PES_Retour, one row a *recouvrement*."""

    unit = "recouvrement"

    def recognises(self, head: bytes, name: str) -> bool:  # noqa: ARG002  # by content only
        return b"PES_Retour" in head.replace(b"\0", b"")[:4096]

    def read(self, file: File) -> Iterator[NumberedLine]:
        yield 0, COLUMNS
        told: dict[str, Mapping[str, str]] = {name: {} for name in _HEADS}
        number = 0
        for tag, element in elements(file.data, _HEADS):
            if tag in _HEADS:
                told[tag] = values_of(element)
            elif tag == "Piece":
                invoice = piece_number(told["BlocBordereau"], _head(element))
                for received, key in _received(element, told["BlocBordereau"]):
                    number += 1
                    if _is_added(received):
                        yield (
                            number,
                            _row(received, key, told, invoice),
                        )
                    else:
                        file.warn(number, _odd(received, key))


def _received(piece: Any, bordereau: Mapping[str, str]) -> Iterator[tuple[Mapping[str, str], str]]:
    """Yield what was received for a piece, each with what identifies it in the whole account."""
    names = (bordereau.get("Exer", ""), bordereau.get("IdBord", ""), _head(piece).get("IdPce", ""))
    for line in _named(piece, "LigneDePiece"):
        of_line = values_of(inner(line, "BlocLignePiece", "InfoLignePiece")).get("IdLigne", "")
        for each in _named(line, "Recouvrement"):
            values = values_of(each)
            yield values, "-".join((*names, of_line, values.get("IdEncaissement", "")))


def _named(element: Any, name: str) -> list[Any]:
    return [each for each in element if etree.QName(each).localname == name]


def _head(piece: Any) -> Mapping[str, str]:
    return values_of(inner(piece, "BlocPiece"))


def _row(
    received: Mapping[str, str], key: str, told: Mapping[str, Mapping[str, str]], invoice: str
) -> list[str]:
    statement = told["EnTetePES"]
    account = f"{statement.get('IdColl', '')}/{statement.get('CodBud', '')}"
    is_stock = told["EnTeteRecette"].get("NatInf") == _WHOLE_STOCK
    return [
        invoice, received.get("DteReco", ""), "treasury", received.get("MtReco", ""), _AUTHOR,
        f"PES retour {account} {key}", account if is_stock else "", statement.get("DteStr", ""),
    ]  # fmt: skip


def _is_added(received: Mapping[str, str]) -> bool:
    try:
        cents = parse_hundredths(received.get("MtReco", ""))
    except ValueError:  # told by who reads the row
        return True
    return received.get("TypFlux") == _RECEIVED and cents > 0


def _odd(received: Mapping[str, str], key: str) -> str:
    kind, amount = received.get("TypFlux", ""), received.get("MtReco", "")
    return f"{quoted(key)} : de type {quoted(kind)}, montant {quoted(amount)}, à noter à la main"
