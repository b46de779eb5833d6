"""Payments taken at the counter, so that the portal agrees with the paper."""

from kiosque.invoices.imports.reading import (
    BadFile,
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
from kiosque.language.parsing import parse_hundredths
from kiosque.payments import (
    COUNTER_MODES,
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
        self._payments = _read_all(sheet)
        self._progress = progress
        self._sheet = sheet

    def summary(self) -> Summary:
        return self._settle(preview=True)

    def store(self) -> Summary:
        return self._settle(preview=False)

    def _settle(self, *, preview: bool) -> Summary:
        payments = self._progress(list(self._payments.values()), "Encaissements")
        online = at_bank(payment.invoice_number for payment in self._payments.values())
        try:
            added = settle_at_counter(payments, preview=preview)
        except Refused as refusal:
            lines = {payment.invoice_number: line for line, payment in self._payments.items()}
            raise BadFile(
                [
                    Fault(lines[number], reason)
                    for number, reason in zip(refusal.numbers, refusal.reasons, strict=True)
                ]
            ) from None
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
                    if (words := online.get(payment.invoice_number))
                ),
            ),
        )


def _read_all(sheet: Sheet) -> dict[int, CounterPayment]:
    payments = {}
    for row in sheet.rows():
        try:
            payments[row.line] = _read(row)
        except ValueError as error:
            sheet.faults.add(row.line, *error.args)
    sheet.faults.raise_any()
    return payments


def _read(row: Row) -> CounterPayment:
    number, cents, mode, settled_on, author, reason = every(
        row.number,
        lambda: number_in("montant", row["montant"], parse_hundredths),
        lambda: _mode(row["mode"]),
        lambda: row.date("date_encaissement"),
        lambda: row.text("auteur"),
        lambda: row.text("motif"),
    )
    return CounterPayment(
        invoice_number=number,
        amount_cents=cents,
        mode=mode,
        settled_on=settled_on,
        author=author,
        reason=reason,
    )


def _mode(text: str) -> str:
    if text not in COUNTER_MODES:
        raise ValueError(f"mode {quoted(text)} : attendu l’un de {', '.join(COUNTER_MODES)}")
    return text
