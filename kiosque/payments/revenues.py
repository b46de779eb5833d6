"""Keep the revenue (*recettes*) of each service of each invoice, which deposits pay over."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from kiosque.db.models import InvoiceLine, Revenue, Settlement
from kiosque.db.prepared import PreparedInsert, PreparedQuery
from kiosque.db.states import AllocationKind, RevenueKind, SettlementState
from kiosque.payments.queries import parts_of
from kiosque.payments.shares import share

_REVENUES = PreparedInsert(Revenue)


class PaidService(NamedTuple):
    """A service of an invoice that a settlement pays."""

    settlement: int
    invoice: int
    service: int


def follow(settlements: Sequence[Settlement], refunded_cents: int, number: int) -> None:
    """Write the changes in the revenue that one payment, made of these settlements, brings to each
    service. `number` is the journal's last entry about it; `refunded_cents` were given back while
    its invoices stay paid. Belongs inside `write()`."""
    wanted, held = _brought(settlements, refunded_cents), _held(settlements)
    left = {each.id for each in settlements if each.state != SettlementState.COUNTED}
    for use in sorted({*wanted, *held}):
        if cents := wanted[use] - held[use]:
            _REVENUES.add(
                Revenue(
                    entry=number,
                    settlement=use.settlement,
                    invoice=use.invoice,
                    service=use.service,
                    kind=_kind(cents, has_left=use.settlement in left),
                    amount_cents=cents,
                )
            )


def _kind(cents: int, *, has_left: bool) -> RevenueKind:
    if cents > 0:
        return RevenueKind.COLLECTED
    return RevenueKind.CANCELLED if has_left else RevenueKind.REFUNDED


def _brought(settlements: Sequence[Settlement], refunded_cents: int) -> Mapping[PaidService, int]:
    """Return the cents that a payment brings to each service: none from a settlement that has
    wholly left, whose parts do not count. What was given back is taken from all, in proportion."""
    found: Counter[PaidService] = Counter()
    for settlement in settlements:
        found.update(dict(_uses(settlement)))
    if refunded_cents:
        parts = share(refunded_cents, list(found.values()))
        found.subtract(dict(zip(found, parts, strict=True)))
    return found


def _uses(settlement: Settlement) -> Iterator[tuple[PaidService, int]]:
    """Yield the services that a settlement pays, and their cents, each once."""
    found: Counter[PaidService] = Counter()
    for part in parts_of(settlement):
        if part.kind == AllocationKind.INVOICE:
            lines = _LINES.rows(invoice=part.invoice_id)
            parts = share(part.amount_cents, [cents for _service, cents in lines])
            for (service, _cents), cents in zip(lines, parts, strict=True):
                found[PaidService(settlement.id, part.invoice_id or 0, service)] += cents
    yield from found.items()


def _held(settlements: Sequence[Settlement]) -> Mapping[PaidService, int]:
    """Return the revenue written until now for a payment."""
    found: Counter[PaidService] = Counter()
    for settlement in settlements:
        for invoice, service, cents in _WRITTEN.rows(settlement=settlement.id):
            found[PaidService(settlement.id, invoice, service)] += cents
    return found


_LINES = PreparedQuery(
    lambda invoice: (
        InvoiceLine.select(InvoiceLine.service, InvoiceLine.amount_cents)
        .where(InvoiceLine.invoice == invoice)
        .order_by(InvoiceLine.id)
    )
)
_WRITTEN = PreparedQuery(
    lambda settlement: Revenue.select(Revenue.invoice, Revenue.service, Revenue.amount_cents).where(
        Revenue.settlement == settlement
    )
)
