"""Invoices, one row a line: the town's own CSV format."""

import hashlib
import json
import re
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

from kiosque import clock, money
from kiosque.database import db, write
from kiosque.imports.reading import Faults, Progress, Row, Sheet, Summary
from kiosque.models import Child, Family, Invoice, Service

#: SQLite takes at most 32766 values a statement.
CHUNK = 500

_FAMILY = """
    INSERT INTO family (code, name, address, postcode, city, updated_on, digest)
    VALUES (?, '', '', '', '', ?, '') ON CONFLICT DO NOTHING
"""
_SERVICE = "INSERT INTO service (name) VALUES (?) ON CONFLICT DO NOTHING"
_INVOICE = """
    INSERT INTO invoice (batch_id, number, family_id, issued_on, due_on, closes_on, period,
        services, children, total_cents, pdf_name, digest, state, state_reason)
    VALUES (?, ?, (SELECT id FROM family WHERE code = ?), ?, ?, ?, ?, ?, ?, ?, ?, ?, 'open', '')
"""
_LINE = """
    INSERT INTO invoice_line (invoice_id, child, service_id, label, quantity_hundredths,
        unit_price_cents, amount_cents)
    VALUES ((SELECT id FROM invoice WHERE number = ?), ?,
        (SELECT id FROM service WHERE name = ?), ?, ?, ?, ?)
"""
_CHILD = """
    INSERT INTO child (family_id, name) VALUES ((SELECT id FROM family WHERE code = ?), ?)
    ON CONFLICT DO NOTHING
"""
_ENROLMENT = """
    INSERT INTO enrolment (child_id, service_id)
    VALUES ((SELECT child.id FROM child JOIN family ON family.id = child.family_id
        WHERE family.code = ? AND child.name = ?), (SELECT id FROM service WHERE name = ?))
    ON CONFLICT DO NOTHING
"""
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


class InvoicesFile:
    """`code_famille;numero_facture;...`: an invoice's total is the sum of its rows."""

    COLUMNS = (
        "code_famille", "numero_facture", "date_emission", "date_echeance", "periode", "service",
        "enfant", "libelle", "quantite", "prix_unitaire", "montant", "fichier_pdf",
    )  # fmt: skip
    OPTIONAL = frozenset({"fichier_pdf"})
    KEY_COLUMNS = frozenset({"numero_facture", "prix_unitaire"})

    def __init__(self, sheet: Sheet, progress: Progress) -> None:
        self._sheet = sheet
        self._progress = progress
        self._drafts = _drafts(sheet, progress)
        self._closes_after_days: int | None = None
        self._pdf_folder = Path()
        self._new: list[Draft] = self._drafts

    def prepare(self, closes_after_days: int | None, pdf_folder: Path) -> None:
        """Compare with the base: what is there unchanged is left, what differs is a fault."""
        self._closes_after_days, self._pdf_folder = closes_after_days, pdf_folder
        known: dict[str, str] = {}
        for numbers in _chunks([draft.number for draft in self._drafts]):
            rows = Invoice.select(Invoice.number, Invoice.digest).where(Invoice.number.in_(numbers))
            known.update({invoice.number: invoice.digest for invoice in rows})
        faults = Faults()
        for draft in self._drafts:
            if known.get(draft.number, draft.digest) != draft.digest:
                faults.add(
                    draft.first_line,
                    f"la facture {draft.number} est déjà enregistrée avec un autre contenu. "
                    "Annulez-la puis émettez-en une autre sous un nouveau numéro.",
                )
            if draft.pdf and (problem := _pdf_problem(self._sheet.path.parent / draft.pdf)):
                faults.add(draft.first_line, f"fichier_pdf {draft.pdf} : {problem}")
        faults.raise_any()
        self._new = [draft for draft in self._drafts if draft.number not in known]

    def summary(self) -> Summary:
        codes = {draft.code for draft in self._new}
        services = {line.service for draft in self._new for line in draft.lines}
        return Summary(
            kind="factures",
            rows=len(self._sheet.rows),
            added=len(self._new),
            unchanged=len(self._drafts) - len(self._new),
            total_cents=sum(draft.total_cents for draft in self._new),
            new_families=len(codes - set(_ids(Family.code, codes))),
            new_services=tuple(sorted(services - set(_ids(Service.name, services)))),
        )

    def store(self) -> Summary:
        """Write what is new, all or nothing.

        Everything is made ready before the transaction: while it lasts, payments wait.
        """
        for draft in self._new:
            if draft.pdf:
                self._keep_pdf(draft)
        lines = list(self._progress(self._line_rows(), "Préparation"))
        invoices = [self._invoice_row(draft) for draft in self._new]
        children = _new_children(self._new)
        enrolments = _enrolments(self._new)
        with write():
            summary = self.summary()
            batch = self._sheet.log(summary)
            today = clock.today().isoformat()
            _insert(_FAMILY, [(draft.code, today) for draft in self._new])
            _insert(_SERVICE, [(line.service,) for draft in self._new for line in draft.lines])
            _insert(_INVOICE, [(batch.id, *row) for row in invoices])
            _insert(_LINE, lines)
            _insert(_CHILD, children)
            _insert(_ENROLMENT, enrolments)
        return summary

    def _invoice_row(self, draft: Draft) -> tuple[object, ...]:
        closes_on = self._closing(draft)
        return (
            draft.number,
            draft.code,
            draft.issued_on.isoformat(),
            draft.due_on.isoformat(),
            closes_on.isoformat() if closes_on else None,
            draft.period,
            draft.words("service"),
            draft.words("child"),
            draft.total_cents,
            _pdf_name(draft) if draft.pdf else "",
            draft.digest,
        )

    def _line_rows(self) -> list[tuple[object, ...]]:
        return [
            (
                draft.number,
                line.child,
                line.service,
                line.label,
                line.quantity_hundredths,
                line.unit_price_cents,
                line.amount_cents,
            )
            for draft in self._new
            for line in draft.lines
        ]

    def _closing(self, draft: Draft) -> date | None:
        if self._closes_after_days is None:
            return None
        return draft.due_on + timedelta(days=self._closes_after_days)

    def _keep_pdf(self, draft: Draft) -> None:
        """Copy the PDF before the invoice is written: a copy too many harms nobody."""
        self._pdf_folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self._sheet.path.parent / draft.pdf, self._pdf_folder / _pdf_name(draft))


def _drafts(sheet: Sheet, progress: Progress) -> list[Draft]:
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


def _pdf_problem(path: Path) -> str:
    try:
        with path.open("rb") as file:
            start = file.read(5)
        size = path.stat().st_size
    except OSError:
        return "introuvable. Mettez-le à côté du fichier CSV, ou videz la cellule."
    if start != b"%PDF-":
        return "ce n’est pas un PDF"
    return "plus de 10 Mo" if size > MAX_PDF_BYTES else ""


def _pdf_name(draft: Draft) -> str:
    """A name of our own: the number may hold what no file system takes."""
    return f"{hashlib.sha256(draft.number.encode()).hexdigest()[:32]}.pdf"


def _new_children(drafts: Sequence[Draft]) -> list[tuple[str, str]]:
    """The (family code, name) of the children that the record does not know yet."""
    known = _known_children({draft.code for draft in drafts})
    named = {(draft.code, line.child) for draft in drafts for line in draft.lines if line.child}
    return sorted(
        (code, name) for code, name in named if _known_name(known.get(code, set()), name) is None
    )


def _enrolments(drafts: Sequence[Draft]) -> list[tuple[str, str, str]]:
    """The (family code, child's name, service) that the invoices tell of."""
    known = _known_children({draft.code for draft in drafts})
    return sorted(
        {
            (draft.code, _known_name(known.get(draft.code, set()), line.child) or line.child,
             line.service)
            for draft in drafts
            for line in draft.lines
            if line.child
        }
    )  # fmt: skip


def _known_children(codes: Iterable[str]) -> dict[str, set[str]]:
    names: dict[str, set[str]] = {}
    for part in _chunks(sorted(codes)):
        found = Child.select(Child.name, Family.code).join(Family).where(Family.code.in_(part))
        for child in found:
            names.setdefault(child.family.code, set()).add(child.name)
    return names


def _known_name(known: set[str], name: str) -> str | None:
    """The full name under which the record knows the child, if it does: an invoice may give
    only the first name, which is enough when one child of the family has it."""
    if name in known:
        return name
    found = [full for full in known if full.startswith(name + " ")]
    return found[0] if len(found) == 1 else None


def _insert(statement: str, rows: Sequence[tuple[object, ...]]) -> None:
    """One prepared statement for all rows: ten times faster than building each."""
    db.connection().executemany(statement, rows)


def _ids(column: Any, values: Iterable[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for part in _chunks(sorted(set(values))):
        found.update(column.model.select(column, column.model.id).where(column.in_(part)).tuples())
    return found


def _chunks(items: Iterable[Any]) -> Iterable[list[Any]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk
