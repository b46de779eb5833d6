"""Read any file of a bank; recognise its format by its content."""

import re
from collections.abc import Iterator, Mapping
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple

from kiosque.invoices.imports.decoding import decode
from kiosque.invoices.imports.formats.workbook import Workbook
from kiosque.invoices.imports.reading import BadFile, Fault, NumberedLine
from kiosque.invoices.imports.receiving import File
from kiosque.statements import cfonb, lyra, ofx, tables
from kiosque.statements.columns import Columns
from kiosque.statements.lyra_units import Known
from kiosque.statements.records import OfInvoices, ParsedFile, Unit, UnreadableFile

MAX_BYTES = 20 * 1024 * 1024
MAX_LINES = 200_000
_HEAD = 4096
#: The marks of UTF-8 and UTF-16, as Latin-1 reads them, and what may precede a file.
_MARKS = "ï»¿ÿþ \t\r\n"
_CAMT = re.compile(r"camt\.(05[0-9])\.001\.[0-9]{2}")
_TOO_LONG = f"plus de {MAX_LINES} lignes : demandez à la banque des périodes plus courtes"
_PDF = "c’est un PDF : demandez à la banque un relevé CFONB, CAMT.053, OFX ou CSV"
_PES = "c’est un fichier PES : il se charge avec les factures et les encaissements"
_OTHER_XML = "ce fichier XML n’est ni un CAMT.053 ni un OFX"


class _Answers(NamedTuple):
    """Answers needed to read a file that are not in it: see `read`."""

    columns: Mapping[str, Columns]
    unit: Unit | None
    known: Known | None


def read(
    name: str,
    content: bytes,
    columns: Mapping[str, Columns] | None = None,
    *,
    unit: Unit | None = None,
    known: Known | None = None,
) -> ParsedFile:
    """Read a file, whose name tells nothing: only its content does.

    For a table, `columns` are the remembered answers, by the `signature` of a header. For an
    acquirer's journal, `unit` is what a person said of its amounts; without it, `known` may reveal
    the unit: it returns the cents of a payment of ours, given its UTC day and its number at the
    gateway. Raise UnreadableFile with every fault found, UnknownColumns if a person has to name the
    columns of a table, OfInvoices for a file that `invoices.imports` reads.
    """
    try:
        return _read(Path(name), content, _Answers(columns or {}, unit, known))
    except BadFile as error:
        raise UnreadableFile([str(fault) for fault in error.faults]) from None


def _read(path: Path, content: bytes, answers: _Answers) -> ParsedFile:
    if len(content) > MAX_BYTES:
        raise _refused("plus de 20 Mo")
    if Workbook().recognises(content[:_HEAD], path.name):
        return _of_rows(Workbook().read(File(path.name, content, path)), answers)
    head = content[:_HEAD].replace(b"\0", b"").decode("latin-1").lstrip(_MARKS)
    if found := _CAMT.search(head):
        if found[1] != "053":
            raise _refused(f"c’est un camt.{found[1]} : demandez à la banque un relevé camt.053")
        from kiosque.statements import camt  # noqa: PLC0415  # lxml, for these files only

        return camt.read(content)
    _refuse_others(head)
    text = _decoded(content)
    is_ofx = ofx.is_ofx(head)
    if text.count("<STMTTRN>" if is_ofx else "\n") > MAX_LINES:
        raise _refused(_TOO_LONG)
    return ofx.read(text) if is_ofx else _of_text(text, answers)


def _refuse_others(head: str) -> None:
    """Raise BadFile, or OfInvoices, for what is known to be no statement."""
    if head.startswith("%PDF"):
        raise _refused(_PDF)
    if "PES_Aller" in head or "PES_Retour" in head:
        raise OfInvoices([_PES])
    if head.startswith("<") and not ofx.is_ofx(head):
        raise _refused(_OTHER_XML)


def _decoded(content: bytes) -> str:
    """Decode a text. Raise BadFile for what is none."""
    text = decode(content)
    if not text.strip():
        raise _refused("le fichier est vide")
    before, nul, _after = text.partition("\0")
    if nul:
        number = before.count("\n") + 1
        raise BadFile([Fault(number, "octet nul : ce n’est pas un fichier de texte")])
    return text


def _of_text(text: str, answers: _Answers) -> ParsedFile:
    first = text.lstrip().partition("\n")[0]
    if cfonb.is_cfonb(first):
        return cfonb.read(text)
    separator = max(tables.SEPARATORS, key=first.count)
    if lyra.is_journal(first.split(separator)):
        return lyra.read(tables.lines(text, separator), answers.unit, answers.known)
    return tables.of_csv(text, answers.columns)


def _of_rows(rows: Iterator[NumberedLine], answers: _Answers) -> ParsedFile:
    """Read a workbook, of 200 000 rows at most: somebody may have saved any file so."""
    first = list(islice(rows, 1))
    rows = chain(first, rows)
    if first and lyra.is_journal(first[0][1]):
        return lyra.read(rows, answers.unit, answers.known)
    return tables.read(rows, answers.columns)


def _refused(text: str) -> BadFile:
    return BadFile([Fault(0, text)])
