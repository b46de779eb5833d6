"""The invoices page in words: each invoice with its texts and addresses already written.

A page has up to sixty rows. What is the same for all, a translation or the beginning of an address,
is looked up once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple
from urllib.parse import quote

from flask import url_for

from kiosque import payments
from kiosque.db.models import Family
from kiosque.db.states import CREDIT
from kiosque.invoices import listing
from kiosque.invoices.listing import HoldingAttempt, Settled, Unpaid
from kiosque.language import clock
from kiosque.language.catalogue import gettext as _
from kiosque.language.formats import (
    format_euros,
    long_date,
    long_instant,
    period,
    receipt_title,
    short_date,
)
from kiosque.language.templates import french
from kiosque.payments import OpenPayment
from kiosque.web import current
from kiosque.web.open_payments import waiting_for_payer
from kiosque.web.status_words import (
    AT_BANK,
    CREDIT_NOTE,
    DUE,
    LATE,
    OPENED,
    TREASURY,
    Status,
    held_advice,
    settled_status,
    status_on,
)


class InvoiceRow(NamedTuple):
    """An invoice as the page shows it. For an open one, `cents` and `amount` are what is still to
    pay, and `part` says out of how much. `note` says by when it is to be paid, or when it was;
    `unanswered` says that the bank never reported on a payment of it."""

    number: str
    cents: int
    period: str
    content: str
    amount: str
    status: str
    status_words: str
    title: str
    address: str
    part: str = ""
    note: str = ""
    unanswered: str = ""
    regie: str = ""
    held: HoldingAttempt | None = None
    receipt_address: str = ""
    receipt_title: str = ""
    of_invoice: str = ""


class Opened(NamedTuple):
    """The invoices of one payment at the bank, and what the payer may do about it; None while the
    bank's answer is awaited, as `advice` says."""

    payment: OpenPayment | None
    advice: str
    rows: list[InvoiceRow]


@dataclass(frozen=True)
class UnpaidRows:
    """The open invoices, the most urgent first.

    `payable` are at most what one payment takes, out of `payable_count`, worth `payable_cents`.
    `opened` are those with a payment under way, the first begun at `opened_since`. `count` and
    `total_cents` include both. `unanswered_at` is when the last payment that the bank never
    reported on was begun. `closures` are the sentences about banks that take no payment now;
    `all_closed` if no other bank is left. `lost_time` is from when to when one of `payable` may
    have been paid without our knowing it. `credit_cents` is what the credit notes are still worth.
    """

    payable: list[InvoiceRow]
    payable_count: int
    payable_cents: int
    opened: list[Opened]
    opened_since: datetime | None
    count: int
    total_cents: int
    of_several_regies: bool
    unanswered_at: datetime | None
    closures: list[str]
    all_closed: bool
    lost_time: tuple[datetime, datetime] | None
    at_bank: list[Opened]
    elsewhere: list[InvoiceRow]
    credit_cents: int


@dataclass(frozen=True)
class SettledRows:
    """One page of what is paid or cancelled, by school year (`2025-2026`), the latest first."""

    years: list[tuple[str, list[InvoiceRow]]]
    has_next: bool


def unpaid(family: Family, write: "RowWriter") -> UnpaidRows:
    today = clock.today()
    every = [
        (each, status_on(today, each, each.held.state if each.held else None))
        for each in listing.unpaid(family)
    ]
    payable = [line for line in every if line[1] in (DUE, LATE)]
    opened = [line for line in every if line[1] is OPENED]
    closed = payments.closure_words() if payable else {}
    bank_of = current.settings().gateway_of
    banks = {bank_of(each.regie) or "" for each, _status in payable}
    return UnpaidRows(
        payable=[write.unpaid(*line) for line in payable[: payments.MAX_INVOICES]],
        payable_count=len(payable),
        payable_cents=sum(invoice.remaining_cents for invoice, _status in payable),
        opened=_opened(write, opened),
        opened_since=min((each.held.started_at for each, _ in opened if each.held), default=None),
        count=len(payable) + len(opened),
        total_cents=sum(invoice.remaining_cents for invoice, _status in payable + opened),
        of_several_regies=len({invoice.regie for invoice, _status in payable}) > 1,
        unanswered_at=max(
            (each.unanswered_at for each, _status in payable if each.unanswered_at), default=None
        ),
        closures=sorted({closed[name] for name in banks & closed.keys()}),
        all_closed=banks <= closed.keys(),
        lost_time=payments.lost_time_of(
            [(bank_of(each.regie), each.issued_on) for each, _status in payable]
        ),
        at_bank=_opened(write, [line for line in every if line[1] is AT_BANK]),
        elsewhere=[write.unpaid(*line) for line in every if line[1] is TREASURY],
        credit_cents=-sum(note.remaining_cents for note, status in every if status is CREDIT_NOTE),
    )


def _opened(write: "RowWriter", lines: Sequence[tuple[Unpaid, Status]]) -> list[Opened]:
    by_attempt: dict[HoldingAttempt, list[InvoiceRow]] = {}
    for invoice, status in lines:
        if invoice.held:
            by_attempt.setdefault(invoice.held, []).append(write.unpaid(invoice, status))
    return [
        Opened(waiting_for_payer(held), _(held_advice(held)), rows)
        for held, rows in by_attempt.items()
    ]


def settled(family: Family, page: int, write: "RowWriter") -> SettledRows:
    found, has_next = listing.settled(family, page)
    years = groupby(found, key=lambda invoice: clock.school_year(invoice.issued_on))
    return SettledRows(
        [(f"{year}-{year + 1}", [write.settled(each) for each in group]) for year, group in years],
        has_next,
    )


class RowWriter:
    """Write the rows of one page, in the language in force."""

    def __init__(self) -> None:
        self._title = _("Facture %(number)s")
        self._due = _("au plus tard le %(date)s")
        self._late = _("depuis le %(date)s")
        self._part = _("reste à payer sur %(total)s")
        self._unanswered = _("paiement du %(date)s sans réponse de la banque")
        self._paid, self._paid_at_counter = _("le %(date)s"), _("le %(date)s au guichet")
        self._paid_by_credit = _("le %(date)s avec un avoir")
        self._credit_left, self._credit_used = (
            _("reste %(amount)s à déduire"),
            _("déduit en entier"),
        )
        self._receipt, self._of_invoice = _("Reçu %(title)s"), _("de la facture %(number)s")
        self._invoices = url_for("family.invoice", number="")
        self._receipts = url_for("family.receipt", receipt_id=0).removesuffix("0")

    def unpaid(self, invoice: Unpaid, status: Status) -> InvoiceRow:
        if status is LATE:
            note = self._late % {"date": short_date(invoice.due_on)}
        else:
            note = self._due % {"date": long_date(invoice.due_on)}
        part = self._part % {"total": format_euros(invoice.total_cents)}
        begun = invoice.unanswered_at if status in (DUE, LATE) else None
        return self._row(
            invoice,
            status,
            invoice.remaining_cents,
            part=part if invoice.paid_cents else "",
            note=note,
            unanswered=self._unanswered % {"date": long_instant(begun)} if begun else "",
            regie=invoice.regie,
            held=invoice.held,
        )

    def settled(self, invoice: Settled) -> InvoiceRow:
        status = settled_status(invoice.state, invoice.total_cents)
        if invoice.settled_at is None:
            return self._row(invoice, status, invoice.total_cents, note=self._of_credit(invoice))
        paid_on = {"date": short_date(clock.paris_date(invoice.settled_at))}
        if invoice.receipt_id is None:
            by_credit = invoice.mode == CREDIT
            note = (self._paid_by_credit if by_credit else self._paid_at_counter) % paid_on
            return self._row(invoice, status, invoice.total_cents, note=note)
        return self._row(
            invoice,
            status,
            invoice.total_cents,
            note=self._paid % paid_on,
            receipt_address=f"{self._receipts}{invoice.receipt_id}",
            receipt_title=self._receipt
            % {"title": receipt_title(invoice.receipt_number, invoice.receipt_sequence)},
            of_invoice=self._of_invoice % {"number": invoice.number},
        )

    def _of_credit(self, invoice: Settled) -> str:
        """Say what a credit note is still worth, once some of it is used."""
        left = invoice.paid_cents - invoice.total_cents
        if not invoice.paid_cents < 0:
            return ""
        return self._credit_left % {"amount": format_euros(left)} if left else self._credit_used

    def _row(
        self, invoice: Unpaid | Settled, status: Status, cents: int, **more: Any
    ) -> InvoiceRow:
        month = period(invoice.period)
        content = french(invoice.services)
        return InvoiceRow(
            number=invoice.number,
            cents=cents,
            period=month[:1].upper() + month[1:],
            content=content + f" – {invoice.children}" if invoice.children else content,
            amount=format_euros(cents),
            status=status.name,
            status_words=_(status.words),
            title=self._title % {"number": invoice.number},
            address=self._invoices + quote(invoice.number),
            **more,
        )
