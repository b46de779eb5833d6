"""The yearly attestation: the sums that a family paid to have its young children minded (CGI 200
quater B).

The town says which services count and which lines are meals. A payment counts in the Paris year
in which it was made. One cancelled or refunded since does not count, even when refunded in part,
for nobody knows which lines were given back; nor does a *trop-perçu*, nor what a credit note
(*avoir*) paid, which is no money. Each part of an invoice pays
every line of it in the same proportion.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from kiosque.db.models import (
    Allocation,
    Child,
    Family,
    Guardian,
    Invoice,
    InvoiceLine,
    Service,
    Settlement,
    known_child,
)
from kiosque.db.states import AllocationKind, SettlementState
from kiosque.language import clock
from kiosque.settings import AttestationRules
from kiosque.spelling import child_key, fold, fold_words

#: Children must be younger than this on the first of January.
AGE_LIMIT = 6


@dataclass(frozen=True)
class Sum:
    """Cents paid for one child in one service. `born_on` is None where we do not know it."""

    child: str
    born_on: date | None
    service: str
    cents: int


@dataclass(frozen=True)
class Attestation:
    """The sums of one family and year. It may declare those `counted`; it might declare those
    `without_birth_date` if the child's age were known."""

    family: Family
    payers: Sequence[str]
    year: int
    made_on: date
    counted: Sequence[Sum]
    without_birth_date: Sequence[Sum]

    @property
    def total_cents(self) -> int:
        return sum(each.cents for each in self.counted)

    @property
    def is_provisional(self) -> bool:
        return self.year >= self.made_on.year

    @property
    def is_empty(self) -> bool:
        return not self.counted and not self.without_birth_date


def years(family: Family, rules: AttestationRules) -> list[Attestation]:
    """Return the attestation of each year in which something was paid, the latest first."""
    if not rules.services:
        return []
    first = _paid(family).order_by(Settlement.settled_at).first()
    if first is None:
        return []
    last_year = clock.today().year
    first_year = clock.paris_date(first.settlement.settled_at).year
    found = [attest(family, year, rules) for year in range(last_year, first_year - 1, -1)]
    return [each for each in found if not each.is_empty]


def attest(family: Family, year: int, rules: AttestationRules) -> Attestation:
    """Return the attestation of one year. It is empty where the town marked no service."""
    sums: dict[tuple[str, str], int] = {}
    counted = {fold(name) for name in rules.services}
    for line, cents in _lines_paid(family, year):
        if line.service.key in counted and not _is_meal(line.label, rules.meal_labels):
            key = (line.child, line.service.name)
            sums[key] = sums.get(key, 0) + cents
    every = _with_birth_dates(family, sums)
    guardians = Guardian.select().where(Guardian.family == family).order_by(Guardian.id)
    return Attestation(
        family=family,
        payers=[f"{each.first_name} {each.last_name}" for each in guardians],
        year=year,
        made_on=clock.today(),
        counted=[each for each in every if each.born_on and is_young(each.born_on, year)],
        without_birth_date=[each for each in every if each.born_on is None],
    )


def is_young(born_on: date, year: int) -> bool:
    """Tell whether a child has not yet turned six on the first of January of the year."""
    return born_on > date(year - AGE_LIMIT, 1, 1)


def _paid(family: Family) -> Any:
    """Select the payments of the family's invoices that stand."""
    return (
        Allocation.select(Allocation, Settlement, Invoice)
        .join(Settlement)
        .switch(Allocation)
        .join(Invoice)
        .where(
            Invoice.family == family,
            Allocation.kind == AllocationKind.INVOICE,
            Allocation.counts == True,  # noqa: E712  # an SQL expression
            Settlement.state == SettlementState.COUNTED,
            Settlement.returned_cents == 0,
            Settlement.credit_note.is_null(),
        )
    )


def _lines_paid(family: Family, year: int) -> list[tuple[InvoiceLine, int]]:
    """Return the lines of the invoices that were paid, at least in part, in a year, and the cents
    paid of each line that year."""
    begins, ends = _first_instant(year), _first_instant(year + 1)
    before: dict[Invoice, int] = {}
    within: dict[Invoice, int] = {}
    for part in _paid(family).where(Settlement.settled_at < ends):
        when = before if part.settlement.settled_at < begins else within
        when[part.invoice] = when.get(part.invoice, 0) + part.amount_cents
    lines: dict[int, list[InvoiceLine]] = {}
    for line in (
        InvoiceLine.select(InvoiceLine, Service)
        .join(Service)
        .where(InvoiceLine.invoice.in_(list(within)))
        .order_by(InvoiceLine.id)
    ):
        lines.setdefault(line.invoice_id, []).append(line)
    found = []
    for invoice, cents in within.items():
        own, first = lines[invoice.id], before.get(invoice, 0)
        amounts = [line.amount_cents for line in own]
        shares = zip(share(amounts, first), share(amounts, first + cents), strict=True)
        found += [(line, late - early) for line, (early, late) in zip(own, shares, strict=True)]
    return found


def share(amounts: Sequence[int], cents: int) -> list[int]:
    """Share a payment of `cents` between the lines of an invoice, in proportion to their amounts:
    by largest remainder, the first lines on a tie. The shares add up to `cents`."""
    total = sum(amounts)
    shares = [amount * cents // total for amount in amounts]
    lacking = sorted(range(len(amounts)), key=lambda at: -(amounts[at] * cents % total))
    for at in lacking[: cents - sum(shares)]:
        shares[at] += 1
    return shares


def _first_instant(year: int) -> datetime:
    return datetime.combine(date(year, 1, 1), time(), tzinfo=clock.PARIS).astimezone(UTC)


def _is_meal(label: str, meal_labels: Iterable[str]) -> bool:
    return any(fold_words(words) in fold_words(label) for words in meal_labels)


def _with_birth_dates(family: Family, sums: dict[tuple[str, str], int]) -> list[Sum]:
    """Return the sums above zero, under the children's full names in the family's record; those of
    one child are added up."""
    record: dict[str, Child] = {}
    own = Child.select().where(Child.family == family)
    for child in own.order_by(Child.born_on.is_null(), Child.id):
        record.setdefault(child_key(child.name), child)
    born = {child.name: child.born_on for child in record.values()}
    named: dict[tuple[str, str], int] = {}
    spelt: dict[str, str] = {}
    for (written, service), cents in sums.items():
        known = known_child(born, written)
        key = (known or spelt.setdefault(child_key(written), written), service)
        named[key] = named.get(key, 0) + cents
    return [
        Sum(child, born.get(child), service, cents)
        for (child, service), cents in sorted(named.items())
        if cents > 0
    ]
