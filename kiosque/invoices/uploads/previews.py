"""The preview of a deposited file, as JSON that its row keeps until the file is loaded."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from typing import Any

import orjson
from peewee import fn

from kiosque.db.models import Invoice, InvoiceLine, Service
from kiosque.db.states import InvoiceState
from kiosque.invoices.imports import Fault, FileSummary
from kiosque.invoices.imports.reading import Absent, Sample, SampleLine


@dataclass(frozen=True)
class MonthTotals:
    """The sums of the invoices issued in a month, in cents: of each service, by name, and of each
    *régie*, by key."""

    first_day: date
    services: Mapping[str, int] = field(default_factory=dict)
    regies: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Preview:
    """The summary of a file that can be loaded, or the faults of one that is refused; `before` is
    the month before that of its invoices, to compare."""

    summary: FileSummary | None = None
    faults: Sequence[Fault] = ()
    before: MonthTotals | None = None


def write(preview: Preview) -> str:
    """Return a preview as its row keeps it."""
    return orjson.dumps(asdict(preview)).decode()


def read(text: str) -> Preview:
    """Return a preview that a row keeps; an empty one where it keeps none."""
    if not text:
        return Preview()
    kept = orjson.loads(text)
    return Preview(
        _summary(kept["summary"]) if kept["summary"] else None,
        _faults(kept["faults"]),
        _month(kept["before"]) if kept["before"] else None,
    )


def month_before(day: date) -> MonthTotals:
    """Return what was invoiced in the month before the one of this day."""
    last = day.replace(day=1) - timedelta(days=1)
    first = last.replace(day=1)
    of_month = (Invoice.issued_on.between(first, last), Invoice.state != InvoiceState.CANCELLED)
    lines = (
        InvoiceLine.select(Service.name, fn.SUM(InvoiceLine.amount_cents))
        .join(Service)
        .switch(InvoiceLine)
        .join(Invoice)
        .where(*of_month)
        .group_by(Service.name)
    )
    invoices = Invoice.select(Invoice.regie, fn.SUM(Invoice.total_cents)).where(
        *of_month, Invoice.total_cents > 0
    )
    return MonthTotals(first, _sums(lines), _sums(invoices.group_by(Invoice.regie)))


def _sums(query: Any) -> dict[str, int]:
    return {
        name: int(cents) for name, cents in query.order_by(*query.selected_columns[:1]).tuples()
    }


def _summary(kept: dict[str, Any]) -> FileSummary:
    values: dict[str, Any] = {
        name: tuple(map(_fixed, value)) if isinstance(value, list) else value
        for name, value in kept.items()
    }
    for name in ("warnings", "to_confirm"):
        values[name] = _faults(kept[name])
    values["absent"] = tuple(Absent(**each) for each in kept.get("absent", ()))
    values["samples"] = tuple(map(_sample, kept["samples"]))
    values["issued_on"] = _day(kept["issued_on"])
    return FileSummary(**values)


def _fixed(value: Any) -> Any:
    """Turn JSON's lists back into the tuples that they were."""
    return tuple(value) if isinstance(value, list) else value


def _faults(kept: Sequence[dict[str, Any]]) -> tuple[Fault, ...]:
    return tuple(Fault(**each) for each in kept)


def _sample(kept: dict[str, Any]) -> Sample:
    days = {name: _day(kept[name]) for name in ("issued_on", "due_on", "closes_on")}
    lines = tuple(SampleLine(**line) for line in kept["lines"])
    return Sample(**{**kept, **days, "lines": lines})


def _month(kept: dict[str, Any]) -> MonthTotals:
    return MonthTotals(**{**kept, "first_day": date.fromisoformat(kept["first_day"])})


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
