"""Read a PDF for the tests: its faults against the norms, its words, its tags."""

import io
from collections.abc import Iterator

import page
from pypdf import PdfReader
from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject

#: Wrong about a stream whose last byte is a carriage return: one in 256 is.
MISTAKEN = "PDFA2A-STREAM-LENGTH-001"


def faults(pdf: bytes) -> list[str]:
    """Return what PDF/UA-1 and PDF/A-2a forbid in it."""
    reports = [page.validate_pdf_bytes(pdf, profile=profile) for profile in ("ua1", "2a")]
    return [
        f"{it.rule_id} {it.message}"
        for report in reports
        for it in report.failures
        if it.rule_id != MISTAKEN
    ]


def reader(pdf: bytes) -> PdfReader:
    return PdfReader(io.BytesIO(pdf))


def text(pdf: bytes) -> str:
    """Its words, pages one after the other, on one line."""
    return " ".join(" ".join(each.extract_text() for each in reader(pdf).pages).split())


def links(pdf: bytes) -> list[str]:
    """Where the links of its first page lead."""
    annotations = reader(pdf).pages[0].get("/Annots", [])
    return [str(each.get_object()["/A"]["/URI"]) for each in annotations]


def tags(pdf: bytes) -> list[str]:
    """The tags of its structure in reading order; a table header with its scope: `TH/Column`."""
    return list(_walk(reader(pdf).trailer["/Root"]["/StructTreeRoot"]["/K"]))


def runs(pdf: bytes) -> list[tuple[float, float, str]]:
    """The words of its first page, each with its place in millimetres from the left and bottom."""
    found: list[tuple[float, float, str]] = []

    def see(words: str, page: list[float], line: list[float], _font: object, _size: float) -> None:
        if words.strip():
            x = line[4] * page[0] + line[5] * page[2] + page[4]
            y = line[4] * page[1] + line[5] * page[3] + page[5]
            found.append((x / 72 * 25.4, y / 72 * 25.4, words.strip()))

    reader(pdf).pages[0].extract_text(visitor_text=see)
    return found


def _walk(node: object) -> Iterator[str]:
    node = node.get_object() if isinstance(node, IndirectObject) else node
    if isinstance(node, ArrayObject):
        for child in node:
            yield from _walk(child)
    elif isinstance(node, DictionaryObject) and "/S" in node:
        yield node["/S"].removeprefix("/") + _scope(node)
        yield from _walk(node.get("/K"))


def _scope(node: DictionaryObject) -> str:
    attributes = node.get("/A", ArrayObject())
    every = attributes if isinstance(attributes, ArrayObject) else [attributes]
    scopes = [it.get_object()["/Scope"] for it in every if "/Scope" in it.get_object()]
    return "".join(scopes)
