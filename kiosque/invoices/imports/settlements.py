"""Payments taken at the counter, so that the portal agrees with the paper."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace

from kiosque.db import write
from kiosque.db.models import ImportBatch, Invoice
from kiosque.db.states import CREDIT, CounterMode
from kiosque.invoices.imports import totals
from kiosque.invoices.imports.already_loaded import ids
from kiosque.invoices.imports.reading import (
    BadFile,
    Confirmed,
    Fault,
    FileSummary,
    Progress,
    Row,
    digest,
    every,
    number_in,
    quoted,
    sums,
)
from kiosque.invoices.imports.sheet import Sheet
from kiosque.invoices.imports.treasury_returns import ReturnStatement, sifted
from kiosque.language.formats import format_euros
from kiosque.language.parsing import parse_hundredths
from kiosque.payments import (
    COUNTER_MODES,
    LONGEST_AUTHOR,
    LONGEST_REASON,
    CounterPayment,
    Refused,
    Taken,
    at_bank,
    left_since,
    settle_at_counter,
)
from kiosque.settings import Regie
from kiosque.spelling import fold


class SettlementsFile:
    """`numero_facture;date_encaissement;mode;montant;auteur;motif`: a row a payment, of an invoice
    or a part of it; or what the credit note (*avoir*) of the column `avoir` pays of it. `releve`
    and `releve_du` are of what the Treasury returns."""

    COLUMNS = (
        "numero_facture", "date_encaissement", "mode", "montant", "auteur", "motif", "avoir",
        "releve", "releve_du",
    )  # fmt: skip
    OPTIONAL = frozenset({"avoir", "releve", "releve_du"})
    KEY_COLUMNS = frozenset({"numero_facture", "date_encaissement"})

    def __init__(self, sheet: Sheet, progress: Progress) -> None:
        #: By the line of each.
        self._payments: dict[int, CounterPayment] = {}
        self._regies: Mapping[str, Regie] = {}
        #: The numbers of invoices whose payment is malformed, by line.
        self._malformed: dict[int, str] = {}
        #: Payments under way online, in French words, by the number of the invoice.
        self._online: dict[str, str] = {}
        self._progress = progress
        self._sheet = sheet
        #: For a file of the Treasury: its statement, and how many payments were recorded before.
        self._statement: ReturnStatement | None = None
        self._known = 0
        #: The effect that a preview showed: the load must have the same.
        self._agreed: list[Taken] | None = None
        self._read_all()
        self._rows = len(self._payments)

    def _read_all(self) -> None:
        for row in self._sheet.rows():
            try:
                self._payments[row.line] = _read(row)
                if row.get("releve_du"):
                    self._statement = ReturnStatement(row.get("releve"), row.date("releve_du"))
            except ValueError as error:
                self._sheet.faults.add(row.line, *error.args)
                with suppress(ValueError):
                    self._malformed[row.line] = row.number()
        if not self._sheet.faults:
            amounts = [payment.amount_cents or 0 for payment in self._payments.values()]
            totals.compare(self._sheet, [*self._payments], amounts)

    def prepare(self, regies: Mapping[str, Regie], confirmed: Confirmed, most: int | None) -> None:
        """Look up who is at the bank. Compare even the sound rows of a malformed file with the
        database, so that all faults are reported at once. `regies` are all, by key. Raise BadFile
        for more payments than `most`: other writers wait for them. A file of the Treasury has no
        such limit: it cannot be split, and few of its payments are ours."""
        if most is not None and self._statement is None and len(self._payments) > most:
            text = f"plus de {most} encaissements. Partagez le fichier en plusieurs."
            raise BadFile([Fault(0, text)])
        self._regies = regies
        self._payments = {
            line: replace(payment, is_extra=confirmed.overpayments)
            for line, payment in self._payments.items()
        }
        if self._statement and not self._sheet.faults:
            extra = {line: replace(it, is_extra=True) for line, it in self._payments.items()}
            self._payments, self._known = sifted(self._sheet, extra, regies, self._statement)
        self._online = at_bank(payment.invoice_number for payment in self._payments.values())
        if not self._sheet.faults:
            return
        known = ids(Invoice.number, self._malformed.values())
        for line, number in self._malformed.items():
            if number not in known:
                self._sheet.faults.add(line, f"Facture {number}\u00a0: elle n’existe pas.")
        self._settle(preview=True)

    def summary(self) -> FileSummary:
        self._agreed = self._settle(preview=True)
        return self._sum_up(self._agreed)

    def store(self) -> FileSummary:
        """Record the payments in a transaction of their own, then note that the file was loaded.
        Raise Refused if their effect is not the one that `summary` told."""
        summary = self._sum_up(self._settle(preview=False))
        with write():
            batch = self._sheet.log(summary)
            if self._statement and self._statement.name:
                ImportBatch.update(
                    statement=self._statement.name, statement_on=self._statement.day
                ).where(ImportBatch.id == batch.id).execute()
        return summary

    def _settle(self, *, preview: bool) -> list[Taken]:
        """Record the payments; the sheet takes the faults of those that cannot be."""
        payments = list(self._progress(list(self._payments.values()), "Encaissements"))
        try:
            agreed = None if preview else self._agreed
            return settle_at_counter(payments, self._regies, preview=preview, agreed=agreed)
        except Refused as refusal:
            if not refusal.positions:
                raise
            lines = list(self._payments)
            for position, reason in zip(refusal.positions, refusal.reasons, strict=True):
                self._sheet.faults.add(lines[position], reason)
            return []

    def _sum_up(self, added: list[Taken]) -> FileSummary:
        self._sheet.faults.raise_any()
        modes = [payment.mode for payment in self._payments.values()]
        money = [(each.regie, each.cents * (modes[each.position] != CREDIT)) for each in added]
        return FileSummary(
            kind="encaissements",
            rows=self._rows,
            added=len(added),
            unchanged=self._known + len(self._payments) - len(added),
            total_cents=sum(cents for _regie, cents in money),
            regies=sums(money),
            left_since=tuple(left_since(self._payments.values())),
            warnings=(*self._sheet.warned, *self._warnings(added)),
            to_confirm=tuple(self._surprises(added)),
            plan=digest(added),
        )

    def _surprises(self, added: list[Taken]) -> Iterator[Fault]:
        """Yield the payments of which nothing was still to pay."""
        lines = list(self._payments)
        for each in added:
            if each.extra_cents == each.cents:
                line = lines[each.position]
                number = self._payments[line].invoice_number
                text = f"facture {number}\u00a0: payée déjà, {format_euros(each.cents)} en trop"
                yield Fault(line, text, "overpayments")

    def _warnings(self, added: list[Taken]) -> Iterator[Fault]:
        """Yield what a person should look at: families at the bank, money in excess, repeated
        payments."""
        first: dict[CounterPayment, int] = {}
        lines = list(self._payments)
        extra = {lines[each.position]: each.extra_cents for each in added}
        for line, payment in self._payments.items():
            named = f"facture {payment.invoice_number}\u00a0:"
            if words := self._online.get(payment.invoice_number):
                yield Fault(line, f"{named} {words}")
            if over := extra.get(line):
                yield Fault(line, f"{named} {format_euros(over)} de trop-perçu")
            if (same := first.setdefault(payment, line)) != line:
                yield Fault(line, f"{named} même encaissement que la ligne {same}, compté aussi")


def _read(row: Row) -> CounterPayment:
    number, cents, mode, settled_on, author, reason = every(
        row.number,
        lambda: number_in("montant", row["montant"], parse_hundredths),
        lambda: _mode(row["mode"]),
        lambda: row.date("date_encaissement"),
        lambda: _answer(row, "auteur", LONGEST_AUTHOR),
        lambda: _answer(row, "motif", LONGEST_REASON),
    )
    return CounterPayment(
        invoice_number=number,
        amount_cents=cents,
        mode=mode,
        settled_on=settled_on,
        author=author,
        reason=reason,
        credit_number=row.get("avoir").strip(),
    )


def _answer(row: Row, column: str, longest: int) -> str:
    """Return the author, or the reason, of a payment."""
    text = row.text(column)
    if len(text) > longest or not text.isprintable():
        raise ValueError(f"{column} {quoted(text)} : attendu {longest} caractères visibles au plus")
    return text


def _mode(text: str) -> str:
    """Return the mode that a cell names, by its code or by its French word."""
    if mode := _MODES.get(fold(text)):
        return mode
    known = ", ".join((*COUNTER_MODES.values(), "avoir"))
    raise ValueError(f"mode {quoted(text)} : attendu l’un de {known}")


_OTHER_WORDS = {
    "numéraire": CounterMode.CASH,
    "chèques": CounterMode.CHEQUE,
    "chèque CESU": CounterMode.CESU,
    "carte bancaire": CounterMode.CARD,
    "CB": CounterMode.CARD,
    "prélèvement SEPA": CounterMode.DIRECT_DEBIT,
    "Trésor": CounterMode.TREASURY,
    "avoir": CREDIT,
    CREDIT: CREDIT,
}
_MODES = {
    fold(word): mode
    for word, mode in (
        *((mode.value, mode) for mode in CounterMode),
        *((word, mode) for mode, word in COUNTER_MODES.items()),
        *_OTHER_WORDS.items(),
    )
}
