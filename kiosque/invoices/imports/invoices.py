"""Invoices, one row a line: the town's own CSV format."""

import operator
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path

from peewee import fn

from kiosque.db import execute_many, write
from kiosque.db.models import Child, Enrolment, Family, Invoice, Service
from kiosque.db.states import InvoiceState
from kiosque.invoices.imports import dates, numbered_pdfs, odd_amounts, rows, sql, summing_up
from kiosque.invoices.imports.absences import absences
from kiosque.invoices.imports.already_loaded import (
    ids,
    ids_after,
    known_children,
    known_digests,
    why_another,
)
from kiosque.invoices.imports.drafts import (
    Draft,
    keep_pdf,
    pdf_problem,
    read_drafts,
)
from kiosque.invoices.imports.joining import (
    Children,
    Codes,
    Services,
    away,
    forgotten,
    forgotten_fault,
)
from kiosque.invoices.imports.reading import (
    Absent,
    Confirmed,
    Faults,
    FileSummary,
    Progress,
    digest,
    quoted,
    sums,
)
from kiosque.invoices.imports.sheet import Sheet
from kiosque.invoices.imports.undo_log import Changes
from kiosque.language import clock
from kiosque.settings import OtherRegie
from kiosque.spelling import fold, fold_words

#: The service that a line says a child attends: (family code, child, service).
Told = tuple[str, str, str]


class InvoicesFile:
    """`code_famille;numero_facture;...`: an invoice's total is the sum of its rows."""

    COLUMNS = (
        "code_famille", "numero_facture", "date_emission", "date_echeance", "periode", "service",
        "enfant", "libelle", "quantite", "prix_unitaire", "montant", "fichier_pdf", "liste_tresor",
    )  # fmt: skip
    OPTIONAL = frozenset({"fichier_pdf", "liste_tresor"})
    KEY_COLUMNS = frozenset({"numero_facture", "prix_unitaire"})

    def __init__(self, sheet: Sheet, progress: Progress) -> None:
        self._sheet = sheet
        self._progress = progress
        self._today = clock.today()
        self._drafts = read_drafts(sheet, progress)
        self._closes_after_days: int | None = None
        self._pdf_folder = Path()
        self._regies: Mapping[str, OtherRegie] = {}
        self._regie_of: dict[str, str] = {}
        self._new: list[Draft] = self._drafts
        #: What the lines of new invoices tell, in their order, under the services' kept names.
        self._told: dict[Told, None] = {}
        self._absent: tuple[Absent, ...] = ()

    def take_pdfs(self) -> None:
        """Give each invoice that names no PDF the one beside the file that has its number, and warn
        of PDFs that match no invoice."""
        numbered_pdfs.take(self._sheet, self._drafts)

    def prepare(
        self,
        closes_after_days: int | None,
        pdf_folder: Path,
        own_services: Sequence[str],
        regies: Mapping[str, OtherRegie],
        confirmed: Confirmed,
    ) -> None:
        """Compare with the database. Raise BadFile for invoices that are there with other content,
        mix *régies*, name a PDF that cannot be kept, a service that none collects for or, unless
        confirmed, one whose *régie* nobody said or a family that the record lacks."""
        self._closes_after_days, self._pdf_folder = closes_after_days, pdf_folder
        self._regies = regies
        self._regie_of = {fold(name): key for key, each in regies.items() for name in each.services}
        known = known_digests([draft.number for draft in self._drafts])
        self._new = [draft for draft in self._drafts if draft.number not in known]
        spelt = self._spelt()
        self._services = Services([told[2] for told in spelt], regies, own_services)
        faults = self._sheet.faults
        for draft in self._drafts:
            self._examine(draft, known, confirmed, faults)
        self._warn_of_several_in_one(spelt)
        self._warn_of_dates()
        for draft, text in odd_amounts.outliers(self._new):
            self._sheet.warn(draft.first_line, text)
        self._refuse_unknown_families(confirmed)
        faults.raise_any()
        self._told = dict.fromkeys(
            (code, child, self._services.of[service]) for code, child, service in spelt
        )
        named = dict.fromkeys((code, child) for code, child, _service in self._told if fold(child))
        self._children = Children(named, known_children({code for code, _child in named}))
        self._absent = absences(self._drafts, known)

    def _examine(
        self, draft: Draft, known: Mapping[str, str], confirmed: Confirmed, faults: Faults
    ) -> None:
        """Add the faults of one invoice. `known` gives the digests of those in the database."""
        if draft.number in known:
            if not draft.is_of(known[draft.number]) and (fault := why_another(draft)):
                faults.add(draft.first_line, fault)
        elif fault := dates.fault(draft.issued_on, draft.due_on, self._today):
            faults.add(draft.first_line, fault)
        elif not self._give_to_its_regie(draft):
            faults.add(
                draft.first_line,
                f"la facture {draft.number} porte des prestations de régies différentes "
                f"({draft.services}). Émettez une facture par régie.",
            )
        else:
            self._refuse_services(draft, confirmed)
        if draft.paper and (problem := pdf_problem(self._sheet.path.parent / draft.paper)):
            faults.add(draft.first_line, f"fichier_pdf {quoted(draft.paper)} : {problem}")

    def _refuse_unknown_families(self, confirmed: Confirmed) -> None:
        """Refuse codes that no family has, once families are known by more than their invoices: a
        mistyped code would make a family that nobody looks at."""
        first = {draft.code: draft.first_line for draft in reversed(self._new)}
        recorded = (Family.digest != "") | Family.forgotten_at.is_null(False)
        if not Family.select().where(recorded).exists():
            return
        known, gone = {family.code for family in Family.select(Family.code)}, forgotten(first)
        codes = Codes(known)
        for code, line in first.items():
            if code in gone:
                self._sheet.surprise(confirmed, "new_families", line, forgotten_fault(code))
            if code not in known:
                self._sheet.surprise(confirmed, "new_families", line, codes.unknown_fault(code))

    def _spelt(self) -> dict[Told, int]:
        """Return what the new invoices say of children, as spelt, and the line where the first
        invoice that says it begins."""
        found: dict[Told, int] = {}
        for draft in self._new:
            for line in draft.lines:
                found.setdefault((draft.code, line["child"], line["service"]), draft.first_line)
        return found

    def _warn_of_several_in_one(self, spelt: Mapping[Told, int]) -> None:
        first: dict[str, int] = {}
        for (_code, _child, service), number in spelt.items():
            first.setdefault(service, number)
        for service, number in first.items():
            if text := self._services.several_in_one(service):
                self._sheet.warn(number, text)

    def _warn_of_dates(self) -> None:
        """Warn once for each pair of odd dates: the invoices of a month have the same ones."""
        found: dict[str, list[int]] = {}
        for draft in self._new:
            closes_on = self._closing(draft)
            if text := dates.oddity(draft.issued_on, draft.due_on, closes_on, self._today):
                found.setdefault(text, []).append(draft.first_line)
        for text, lines in found.items():
            more = f" ({len(lines)} factures)" if len(lines) > 1 else ""
            self._sheet.warn(lines[0], text + more)

    def _refuse_services(self, draft: Draft, confirmed: Confirmed) -> None:
        for service in dict.fromkeys([line["service"] for line in draft.lines]):
            if fault := self._services.fault(service):
                self._sheet.faults.add(draft.first_line, fault)
            elif fault := self._services.unseen_fault(service):
                self._sheet.surprise(confirmed, "new_services", draft.first_line, fault)

    def summary(self) -> FileSummary:
        codes = {code for code, _child, _service in self._told}
        regies = sums((draft.regie, draft.due_cents) for draft in self._new)
        return FileSummary(
            kind="factures",
            rows=sum(len(draft.lines) for draft in self._drafts),
            added=len(self._new),
            unchanged=len(self._drafts) - len(self._new),
            total_cents=sum(regies.values()),
            regies=regies,
            nothing_due=sum(draft.state == InvoiceState.NOTHING_DUE for draft in self._new),
            new_families=len(codes - set(ids(Family.code, codes))),
            new_services=tuple(sorted(self._services.new)),
            warnings=self._sheet.warned,
            joined_services=self._services.joined,
            joined_children=self._children.joined,
            to_confirm=tuple(self._sheet.surprises),
            services=summing_up.by_service(self._new, self._services.of),
            issued_on=max((draft.issued_on for draft in self._new), default=None),
            samples=summing_up.samples(self._new, self._sheet.warned, self._closing),
            told=summing_up.told(self._new, self._today),
            absent=self._absent,
            plan=digest([draft.number for draft in self._new], self._told, self._children.new),
        )

    def store(self) -> FileSummary:
        """Write what is new, all or nothing.

        Prepare everything before the transaction: while it lasts, payments wait.
        """
        for draft in self._new:
            if draft.paper:
                keep_pdf(draft, self._sheet.path.parent, self._pdf_folder)
        codes = sorted({code for code, _child, _service in self._told})
        services = sorted({service for _code, _child, service in self._told})
        kept = self._services.of
        invoices = [rows.of_invoice(draft, self._closing(draft), kept) for draft in self._new]
        enrolments = self._enrolments()
        with write():
            summary = self.summary()
            batch, gone = self._sheet.log(summary), away(codes)
            changes = Changes(batch)
            named = {code for code, _name in self._children.new}
            changes.keep(ids(Family.code, {*gone, *named}).values(), Family)
            execute_many(sql.FAMILY, [(code, self._today.isoformat()) for code in codes])
            execute_many(sql.BACK, [(code,) for code in gone])
            execute_many(sql.SERVICE, [(name, fold(name)) for name in services])
            last = Invoice.select(fn.MAX(Invoice.id)).scalar() or 0
            families, taken = ids(Family.code, codes), ids(Service.key, map(fold, services))
            owners = [(batch.id, families[draft.code]) for draft in self._new]
            execute_many(sql.INVOICE, map(operator.add, invoices, owners))
            added = ids_after(last)
            spelt = {name: taken[fold(name)] for name in kept}
            new = self._progress(self._new, "Enregistrement")
            execute_many(sql.LINE, rows.of_lines(new, added, spelt))
            rows.give_to_treasury(self._new, batch, added)
            children = self._children.new
            execute_many(sql.CHILD, [(families[code], name) for code, name in children])
            execute_many(sql.WORDS, [(fold_words(name), code) for code, name in children])
            enrolled = [(families[code], who, taken[fold(what)]) for code, who, what in enrolments]
            execute_many(sql.ENROLMENT, enrolled)
            changes.note_new(Family, Service, Child, Enrolment)
        return summary

    def _enrolments(self) -> list[Told]:
        """Return the enrolments that the invoices imply, under the kept names."""
        of = self._children.of
        named = [told for told in self._told if told[:2] in of]
        return sorted({(code, of[code, child], service) for code, child, service in named})

    def _give_to_its_regie(self, draft: Draft) -> bool:
        """Set the *régie* that collects an invoice. Return False when its lines are of several."""
        if not self._regies:
            return True
        keys = {self._regie_of.get(fold(line["service"]), "") for line in draft.lines}
        draft.regie = keys.pop()
        return not keys

    def _closing(self, draft: Draft) -> date | None:
        own = self._regies.get(draft.regie)
        days = own.closes_after_days if own else None
        days = self._closes_after_days if days is None else days
        return None if days is None else draft.due_on + timedelta(days=days)
