"""Payments taken at the counter, so that the portal agrees with the paper."""

from contextlib import suppress

from kiosque.db.models import Invoice
from kiosque.invoices.imports import totals
from kiosque.invoices.imports.reading import (
    Fault,
    Progress,
    Row,
    Summary,
    every,
    number_in,
    quoted,
    sums,
)
from kiosque.invoices.imports.sheet import Sheet
from kiosque.invoices.imports.stored import ids
from kiosque.language.parsing import parse_hundredths
from kiosque.payments import (
    COUNTER_MODES,
    LONGEST_AUTHOR,
    LONGEST_REASON,
    CounterPayment,
    Refused,
    at_bank,
    left_since,
    settle_at_counter,
)


class SettlementsFile:
    """`numero_facture;date_encaissement;mode;montant;auteur;motif`: whole invoices only."""

    COLUMNS = ("numero_facture", "date_encaissement", "mode", "montant", "auteur", "motif")
    OPTIONAL = frozenset[str]()
    KEY_COLUMNS = frozenset({"numero_facture", "date_encaissement"})

    def __init__(self, sheet: Sheet, progress: Progress) -> None:
        #: By the line of each.
        self._payments: dict[int, CounterPayment] = {}
        #: The numbers of invoices whose payment is malformed, by line.
        self._malformed: dict[int, str] = {}
        #: What is being paid online, in words, by the number of the invoice.
        self._online: dict[str, str] = {}
        self._progress = progress
        self._sheet = sheet
        self._read_all()

    def _read_all(self) -> None:
        for row in self._sheet.rows():
            try:
                self._payments[row.line] = _read(row)
            except ValueError as error:
                self._sheet.faults.add(row.line, *error.args)
                with suppress(ValueError):
                    self._malformed[row.line] = row.number()
        if not self._sheet.faults:
            amounts = [(line, payment.amount_cents) for line, payment in self._payments.items()]
            totals.compare(self._sheet, amounts)

    def prepare(self) -> None:
        """Look who is at the bank; compare with the database what is sound in a file that its form
        refuses, so that all its faults are told at once."""
        self._online = at_bank(payment.invoice_number for payment in self._payments.values())
        if not self._sheet.faults:
            return
        known = ids(Invoice.number, self._malformed.values())
        for line, number in self._malformed.items():
            if number not in known:
                self._sheet.faults.add(line, f"Facture {number}\u00a0: elle n’existe pas.")
        self._settle(preview=True)

    def summary(self) -> Summary:
        return self._sum_up(self._settle(preview=True))

    def store(self) -> Summary:
        return self._sum_up(self._settle(preview=False))

    def _settle(self, *, preview: bool) -> list[tuple[str, int]]:
        """Record the payments; the sheet takes the faults of those that cannot be."""
        payments = self._progress(list(self._payments.values()), "Encaissements")
        try:
            return settle_at_counter(payments, preview=preview)
        except Refused as refusal:
            lines = list(self._payments)
            for position, reason in zip(refusal.positions, refusal.reasons, strict=True):
                self._sheet.faults.add(lines[position], reason)
            return []

    def _sum_up(self, added: list[tuple[str, int]]) -> Summary:
        self._sheet.faults.raise_any()
        return Summary(
            kind="encaissements",
            rows=len(self._payments),
            added=len(added),
            unchanged=len(self._payments) - len(added),
            total_cents=sum(cents for _, cents in added),
            regies=sums(added),
            left_since=tuple(left_since(self._payments.values())),
            warnings=(
                *self._sheet.warned,
                *(
                    Fault(line, f"facture {payment.invoice_number}\u00a0: {words}")
                    for line, payment in self._payments.items()
                    if (words := self._online.get(payment.invoice_number))
                ),
            ),
        )


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
    )


def _answer(row: Row, column: str, longest: int) -> str:
    """Return who answers for a payment, or why."""
    text = row.text(column)
    if len(text) > longest or not text.isprintable():
        raise ValueError(f"{column} {quoted(text)} : attendu {longest} caractères visibles au plus")
    return text


def _mode(text: str) -> str:
    if text not in COUNTER_MODES:
        raise ValueError(f"mode {quoted(text)} : attendu l’un de {', '.join(COUNTER_MODES)}")
    return text
