"""The real payment of 1 € by which a town tries a bank: made, paid, given back, cancelled.

It is money like any other, and belongs to a family that no file names. Its stage is read from the
books.
"""

import re
import tempfile
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from kiosque.db.models import Allocation, Attempt, AttemptItem, Family, Invoice, Settlement
from kiosque.db.models import Repayment as Repaid
from kiosque.db.states import (
    UNDECIDED,
    AllocationKind,
    AttemptState,
    InvoiceState,
    RepaymentState,
    SettlementState,
)
from kiosque.language import clock
from kiosque.settings import Settings

#: The family of these payments.
CODE = "OUVERTURE"
CENTS = 100
_COLUMNS = (
    "code_famille;numero_facture;date_emission;date_echeance;periode;service;enfant;libelle;"
    "quantite;prix_unitaire;montant"
)


class Stage(StrEnum):
    """The stage of a trial. `TO_PAY`: its invoice is loaded; `ASKED`: the bank was asked to give
    the money back, and has not answered; `OTHERWISE`: paid in another way than on the bank's
    page."""

    NONE = "none"
    TO_PAY = "to_pay"
    AT_BANK = "at_bank"
    PAID = "paid"
    ASKED = "asked"
    GIVEN_BACK = "given_back"
    OTHERWISE = "otherwise"
    OVER = "over"


@dataclass(frozen=True)
class Trial:
    """The last trial of a gateway: its invoice, the last attempt to pay it, and the payment.
    `was_declined` if the bank refused to give it back."""

    gateway: str
    invoice: Invoice | None = None
    attempt: Attempt | None = None
    settlement: Settlement | None = None
    was_declined: bool = False

    @property
    def stage(self) -> Stage:
        invoice = self.invoice
        if invoice is None:
            return Stage.NONE
        if self.settlement and self.settlement.state == SettlementState.COUNTED:
            return Stage.ASKED if _repaid(self.settlement, RepaymentState.ASKED) else Stage.PAID
        if invoice.state == InvoiceState.CANCELLED:
            return Stage.OVER if self.settlement else Stage.NONE
        if invoice.state != InvoiceState.OPEN:
            return Stage.OTHERWISE
        if self.attempt and AttemptState(self.attempt.state) in UNDECIDED:
            return Stage.AT_BANK
        return Stage.GIVEN_BACK if self.settlement else Stage.TO_PAY


def last(gateway: str) -> Trial:
    """Return the last trial of a gateway, by its name."""
    invoice = _last_invoice(gateway)
    if invoice is None:
        return Trial(gateway)
    attempt = (
        Attempt.select()
        .join(AttemptItem)
        .where(AttemptItem.invoice == invoice)
        .order_by(Attempt.id.desc())
        .first()
    )
    settlement = (
        Settlement.select()
        .join(Allocation)
        .where(
            Allocation.invoice == invoice,
            Allocation.kind == AllocationKind.INVOICE,
            Settlement.attempt.is_null(False),
        )
        .order_by(Settlement.id.desc())
        .first()
    )
    declined = bool(settlement and _repaid(settlement, RepaymentState.DECLINED))
    return Trial(gateway, invoice, attempt, settlement, was_declined=declined)


def obtain(settings: Settings, gateway: str, author: str = "") -> Trial:
    """Return the trial that may be paid now; a new one once the last is over. Raises
    imports.BadFile."""
    found = last(gateway)
    if found.stage not in (Stage.NONE, Stage.OVER):
        return found
    _load(settings, gateway, _next_number(gateway, found.invoice), author)
    return last(gateway)


def _last_invoice(gateway: str) -> Invoice | None:
    """Return the invoice of the last trial; names of gateways hold no hyphen."""
    named = re.compile(rf"{CODE}-{re.escape(gateway)}(-[0-9]+)?")
    of_trials = Invoice.select().join(Family).where(Family.code == CODE)
    return next(
        (each for each in of_trials.order_by(Invoice.id.desc()) if named.fullmatch(each.number)),
        None,
    )


def _next_number(gateway: str, before: Invoice | None) -> str:
    first = f"{CODE}-{gateway}"
    if before is None:
        return first
    count = before.number.removeprefix(first).removeprefix("-")
    return f"{first}-{int(count or 1) + 1}"


def _repaid(settlement: Settlement, state: RepaymentState) -> bool:
    asked = Repaid.select().where(Repaid.settlement == settlement, Repaid.state == state)
    return bool(asked.exists())


def _load(settings: Settings, gateway: str, number: str, author: str) -> None:
    """Load an invoice of 1 € as any other, of a service of the *régie* that the gateway serves."""
    from kiosque.invoices import imports  # noqa: PLC0415  # what starts a trial only

    regie = settings.regie_named(settings.regie_of_gateway(gateway))
    service = regie.services[0] if regie.services else "Ouverture du site"
    today = clock.today()
    line = f"{CODE};{number};{today};{today};{today:%Y-%m};{service};;Essai;1,00;1,00;1,00"
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "ouverture.csv"
        file.write_text(f"{_COLUMNS}\n{line}\n", encoding="utf-8")
        imports.load(
            file,
            pdf_folder=settings.data / "pdf",
            closes_after_days=settings.payment.closes_after_days,
            regies=settings.regies,
            confirmed=imports.Confirmed(new_services=True, new_families=True),
            author=author,
        )
