"""Payments taken at the counter, so that the portal agrees with the paper."""

from kiosque.invoices.imports.reading import (
    BadFile,
    Fault,
    Progress,
    Row,
    Sheet,
    Summary,
    hundredths,
    sums,
)
from kiosque.payments import (
    COUNTER_MODES,
    CounterPayment,
    Refused,
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

    def summary(self) -> Summary:
        return self._settle(preview=True)

    def store(self) -> Summary:
        return self._settle(preview=False)

    def _settle(self, *, preview: bool) -> Summary:
        payments = self._progress(list(self._payments.values()), "Encaissements")
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
        )


def _read_all(sheet: Sheet) -> dict[int, CounterPayment]:
    payments = {}
    for row in sheet.rows():
        try:
            payments[row.line] = _read(row)
        except ValueError as error:
            sheet.faults.add(row.line, str(error))
    sheet.faults.raise_any()
    return payments


def _read(row: Row) -> CounterPayment:
    if row["mode"] not in COUNTER_MODES:
        raise ValueError(f"mode : attendu l’un de {', '.join(COUNTER_MODES)}")
    return CounterPayment(
        invoice_number=row.number(),
        amount_cents=hundredths("montant", row["montant"]),
        mode=row["mode"],
        settled_on=row.date("date_encaissement"),
        author=row.text("auteur"),
        reason=row.text("motif"),
    )
