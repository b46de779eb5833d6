"""PES V2 *recette*, the law's format: ORMC, *titres*, and those of JVS, whose tags tell more.

Values are attributes `V`. A debt has a balance, `MtHT`, and no total; a debtor a name and an
address, seldom a reference. `Per` is no month: Noethysweb writes its first digit only. Bank details
are never read. The sums of the file's own head tell whether it is whole.

Each piece is forgotten once read.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from kiosque.invoices.imports.formats.words import (
    child_and_label,
    invoice_number,
    month,
    month_of,
    shortened,
    without_month,
)
from kiosque.invoices.imports.formats.xml_steps import TOO_LONG, forget, local, steps
from kiosque.invoices.imports.reading import BadFile, Fault, NumberedLine, quoted
from kiosque.invoices.imports.receiving import File
from kiosque.language.formats import format_euros
from kiosque.language.parsing import parse_hundredths
from kiosque.spelling import fold

COLUMNS = [
    "tiers_reference", "tiers_nom", "tiers_adresse", "tiers_ville", "numero_facture",
    "date_emission", "periode", "service", "enfant", "libelle", "quantite", "prix_unitaire",
    "montant", "liste_tresor",
]  # fmt: skip
UNIT = "pièce"
TITRES, ORMC = "01", "06"
#: Most beginnings and ends of elements that are read: in a file of a hundred thousand pieces, and
#: in one piece.
MAX_STEPS, MAX_STEPS_OF_PIECE = 6_000_000, 100_000


@dataclass
class _Bordereau:
    """The head of a *bordereau*, and what its pieces add up to."""

    values: dict[str, str] = field(default_factory=dict)
    pieces: int = 0
    #: Cents before tax; repeated lines count once.
    cents: int = 0


class Pes:
    """Reads a PES_Aller, one row a line of a piece."""

    unit = UNIT

    def recognises(self, head: bytes, name: str) -> bool:  # noqa: ARG002  # by content only
        return b"PES_Aller" in head.replace(b"\0", b"")[:4096]

    def read(self, file: File) -> Iterator[NumberedLine]:
        yield 0, COLUMNS
        bordereau = _Bordereau()
        for tag, element in elements(file.data):
            if tag == "BlocBordereau":
                bordereau = _Bordereau(values_of(element))
                _require_kind(bordereau)
            elif tag == "Piece":
                yield from _rows(element, bordereau, file)
            else:
                _require_whole(bordereau)


def elements(data: bytes, heads: Collection[str] = ("BlocBordereau",)) -> Iterator[tuple[str, Any]]:
    """Yield each part as it ends: the heads of these names, the pieces, then their *bordereau*."""
    part, size = None, 0
    for event, element in steps(data, MAX_STEPS):
        size += 1
        if part is not None and size > MAX_STEPS_OF_PIECE:
            raise BadFile([Fault(0, TOO_LONG)])
        tag = local(element)
        if event == "start" and part is None and tag in (*heads, "Piece"):
            part, size = element, 0
        elif event == "end" and (part is None or part is element):
            if part is element or tag == "Bordereau":
                yield tag, element
            part = None
            forget(element)


def values_of(element: Any) -> dict[str, str]:
    """Return the values of the children of an element that have one, by their names."""
    return {
        local(child): str(child.get("V", "")).strip()
        for child in element
        if isinstance(child.tag, str)
    }


def inner(element: Any, *path: str) -> Any:
    for name in path:
        element = next((each for each in element if local(each) == name), None)
        if element is None:
            return ()
    return element


def _require_kind(bordereau: _Bordereau) -> None:
    kind = bordereau.values.get("TypBord", "")
    if kind not in (TITRES, ORMC):
        text = (
            f"bordereau {bordereau.values.get('IdBord', '')} de type {quoted(kind)} : seuls se "
            "chargent les titres (01) et les ORMC (06)."
        )
        raise BadFile([Fault(0, text)])


def _require_whole(bordereau: _Bordereau) -> None:
    """Compare the pieces with what the head says of them: a file may be cut, or repeat lines."""
    name = f"bordereau {bordereau.values.get('IdBord', '')}"
    said = bordereau.values.get("NbrPce", "")
    if said.isdecimal() and int(said) != bordereau.pieces:
        text = f"{name} : {bordereau.pieces} pièces, son en-tête en annonce {int(said)}."
        raise BadFile([Fault(0, text)])
    if not (said := bordereau.values.get("MtBordHt", "")):
        return
    total = _cents(said, name)
    if total != bordereau.cents:
        text = (
            f"{name} : les lignes font {format_euros(bordereau.cents)}, son en-tête annonce "
            f"{format_euros(total)}."
        )
        raise BadFile([Fault(0, text)])


def _cents(text: str, where: str) -> int:
    try:
        return parse_hundredths(shortened(text))
    except ValueError:
        raise BadFile([Fault(0, f"{where} : montant {quoted(text)} illisible.")]) from None


def _rows(piece: Any, bordereau: _Bordereau, file: File) -> Iterator[NumberedLine]:
    bordereau.pieces += 1
    head = values_of(inner(piece, "BlocPiece"))
    said = head.get("IdPce", "")
    at = int(said) if said.isdecimal() and len(said) < 10 else bordereau.pieces
    lines = [each for each in piece if local(each) == "LigneDePiece"]
    if not lines:
        raise BadFile([Fault(at, "aucune ligne.", unit=UNIT)])
    told = [values_of(inner(each, "BlocLignePiece", "InfoLignePiece")) for each in lines]
    once = _without_repetition(told)
    bordereau.cents += sum(_cents(each.get("MtHT", ""), f"{UNIT} {at}") for each in once)
    if len(once) < len(told):
        file.warn(at, "répète toutes ses lignes pour chaque code comptable : comptées une fois")
    for line, values in zip(lines, once, strict=False):
        invoice = _invoice(head, values, bordereau)
        what = [*_line(head, values, bordereau), _treasury_list(values, bordereau)]
        yield at, [*_debtor(line), *invoice, *what]


def _without_repetition(told: list[dict[str, str]]) -> list[dict[str, str]]:
    """Return the lines of the first account code if every code repeats the same ones, else all."""
    names = ("CodProdLoc", "Nature")
    groups: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
    for values in told:
        code = tuple(values.get(name, "") for name in names)
        groups.setdefault(code, []).append(
            tuple(
                value
                for name, value in sorted(values.items())
                if name not in (*names, "IdLigne", "JVS_LFAC_Ordre")
            )
        )
    first, *others = groups.values()
    is_repeated = bool(others) and all(sorted(each) == sorted(first) for each in others)
    return told[: len(first)] if is_repeated else told


def _debtor(line: Any) -> list[str]:
    """Return the reference, name, street and town of who owes first: others answer for the debt."""
    every = [each for each in line if local(each) == "Tiers"]
    infos = [(values_of(inner(each, "InfoTiers")), each) for each in every]
    first = [(info, each) for info, each in infos if info.get("TypTiers") == "01"] or infos
    if not first:
        return ["", "", "", ""]
    info, element = first[0]
    address = values_of(inner(element, "Adresse"))
    return [
        info.get("RefTiers") or info.get("Numo", ""),
        _joined(info, "Nom", "Prenom"),
        _joined(address, "Adr1", "Adr2", "Adr3"),
        _joined(address, "CP", "Ville"),
    ]


def _joined(values: dict[str, str], *names: str) -> str:
    return " ".join(" ".join(values.get(name, "") for name in names).split())


def piece_number(whole: Mapping[str, str], head: Mapping[str, str]) -> str:
    """Return the invoice number of a piece of a *bordereau*; the Treasury's returns give the
    same."""
    numbers = (head.get("IdPce", ""), whole.get("IdBord", ""))
    piece, bordereau = (each.lstrip("0") or each for each in numbers)
    return (
        head.get("NumeroFacture")
        or head.get("NumDette")
        or invoice_number(head.get("ObjPce", ""))
        or "-".join((whole.get("Exer", ""), bordereau, piece))
    )


def _invoice(head: dict[str, str], line: dict[str, str], bordereau: _Bordereau) -> list[str]:
    whole, label = bordereau.values, head.get("ObjPce", "")
    number = line.get("JVS_FAC_NumeroFacture") or piece_number(whole, head)
    subject = whole.get("Objet", "")
    period = (
        month(label, subject)
        or month_of(line.get("JVS_LFAC_Date", ""))
        or without_month(subject)
        or whole.get("Exer", "")
    )
    return [number, whole.get("DteBordEm", ""), period]


def _treasury_list(line: dict[str, str], bordereau: _Bordereau) -> str:
    """Return the name of the list by which the Treasury has a *titre*. Those of JVS are still to be
    issued: they have none."""
    if bordereau.values.get("TypBord") != TITRES or "JVS_LFAC_Libelle" in line:
        return ""
    return f"bordereau {bordereau.values.get('IdBord', '')} de {bordereau.values.get('Exer', '')}"


def _line(head: dict[str, str], line: dict[str, str], bordereau: _Bordereau) -> list[str]:
    """Return the service, the child and the columns that follow. When a label only repeats the
    invoice's own, take the service from the subject of the *bordereau*."""
    written = line.get("JVS_LFAC_Libelle") or line.get("ObjLignePce", "")
    amount = shortened(line.get("MtHT", ""))
    if tax := _cents(line.get("MtTVA") or "0", "MtTVA"):
        amount = str(Decimal(tax + _cents(amount, "MtHT")) / 100)
    if "JVS_LFAC_Libelle" in line:
        child, label = child_and_label(written)
        quantity = shortened(line.get("JVS_LFAC_Quantite", "")) or "1"
        price = shortened(line.get("JVS_LFAC_MtUnitaire", "")) or amount
        return [label, child, label, quantity, price, amount]
    label = " ".join(written.split()) or head.get("ObjPce", "")
    repeats = fold(label) == fold(head.get("ObjPce", ""))
    subject = without_month(bordereau.values.get("Objet", "")) or line.get("CodProdLoc", "")
    service = subject if repeats and subject else label
    return [service, "", label, "1", amount, amount]
