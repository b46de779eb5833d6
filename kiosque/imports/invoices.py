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
from kiosque.database import write
from kiosque.imports.reading import Faults, Progress, Row, Sheet, Summary
from kiosque.models import Child, Enrolment, Family, ImportBatch, Invoice, InvoiceLine, Service

#: SQLite takes at most 32766 values a statement.
CHUNK = 500
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
        """Write what is new, all or nothing."""
        for draft in self._new:
            if draft.pdf:
                self._keep_pdf(draft)
        with write():
            summary = self.summary()
            batch = self._sheet.log(summary)
            codes = {draft.code for draft in self._new}
            families = _ensure(Family.code, codes, updated_on=clock.today())
            names = {line.service for draft in self._new for line in draft.lines}
            services = _ensure(Service.name, names)
            for chunk in self._progress(list(_chunks(self._new)), "Enregistrement"):
                self._insert(chunk, batch, families, services)
            _enrol(self._new, families, services)
        return summary

    def _insert(
        self,
        drafts: Sequence[Draft],
        batch: ImportBatch,
        families: dict[str, int],
        services: dict[str, int],
    ) -> None:
        rows = [
            {
                "number": draft.number,
                "family": families[draft.code],
                "batch": batch.id,
                "issued_on": draft.issued_on,
                "due_on": draft.due_on,
                "closes_on": self._closing(draft),
                "period": draft.period,
                "services": draft.words("service"),
                "children": draft.words("child"),
                "total_cents": draft.total_cents,
                "pdf_name": _pdf_name(draft) if draft.pdf else "",
                "digest": draft.digest,
            }
            for draft in drafts
        ]
        Invoice.insert_many(rows).execute()
        ids = _ids(Invoice.number, {draft.number for draft in drafts})
        lines = [
            (
                ids[draft.number],
                line.child,
                services[line.service],
                line.label,
                line.quantity_hundredths,
                line.unit_price_cents,
                line.amount_cents,
            )
            for draft in drafts
            for line in draft.lines
        ]
        fields = [
            InvoiceLine.invoice,
            InvoiceLine.child,
            InvoiceLine.service,
            InvoiceLine.label,
            InvoiceLine.quantity_hundredths,
            InvoiceLine.unit_price_cents,
            InvoiceLine.amount_cents,
        ]
        for part in _chunks(lines):
            InvoiceLine.insert_many(part, fields=fields).execute()

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


def _enrol(drafts: Sequence[Draft], families: dict[str, int], services: dict[str, int]) -> None:
    """Know the children and the services that take them in from what is invoiced."""
    seen = {
        (families[draft.code], line.child, services[line.service])
        for draft in drafts
        for line in draft.lines
        if line.child
    }
    children: dict[int, dict[str, int]] = {}
    for chunk in _chunks(sorted({family for family, _, _ in seen})):
        for child in Child.select().where(Child.family.in_(chunk)):
            children.setdefault(child.family_id, {})[child.name] = child.id
    pairs = set()
    for family, name, service in sorted(seen):
        known = children.setdefault(family, {})
        match = name if name in known else _by_first_name(known, name)
        if match is None:
            match = name
            known[name] = Child.create(family=family, name=name).id
        pairs.add((known[match], service))
    for part in _chunks(sorted(pairs)):
        Enrolment.insert_many(
            part, fields=[Enrolment.child, Enrolment.service]
        ).on_conflict_ignore().execute()


def _by_first_name(known: dict[str, int], name: str) -> str | None:
    """The one child of the family whose first name this is."""
    found = [full for full in known if full.startswith(name + " ")]
    return found[0] if len(found) == 1 else None


def _ensure(column: Any, values: Iterable[str], **defaults: object) -> dict[str, int]:
    """The ids of the rows of these values, created where they are missing."""
    wanted = sorted(set(values))
    known = _ids(column, wanted)
    missing = [{column.name: value, **defaults} for value in wanted if value not in known]
    for part in _chunks(missing):
        column.model.insert_many(part).execute()
    return _ids(column, wanted) if missing else known


def _ids(column: Any, values: Iterable[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for part in _chunks(sorted(set(values))):
        found.update(column.model.select(column, column.model.id).where(column.in_(part)).tuples())
    return found


def _chunks(items: Iterable[Any]) -> Iterable[list[Any]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk
