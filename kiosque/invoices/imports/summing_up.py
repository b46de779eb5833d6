"""Sum up the invoices of a file for whoever agrees to load them: sums, samples, families told."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date

from kiosque.families import contacts
from kiosque.invoices.imports.drafts import Draft
from kiosque.invoices.imports.reading import Fault, Sample, SampleLine, sums

#: Invoices shown as their families will see them.
SAMPLES = 5


def by_service(drafts: Sequence[Draft], names: Mapping[str, str]) -> dict[str, int]:
    """Return the cents of each service, under its kept name."""
    lines = (line for draft in drafts for line in draft.lines)
    spelt = sums((line["service"], line["amount_cents"]) for line in lines)
    return dict(sorted(sums((names[name], cents) for name, cents in spelt.items()).items()))


def samples(
    drafts: Sequence[Draft],
    warnings: Sequence[Fault],
    closing: Callable[[Draft], date | None],
) -> tuple[Sample, ...]:
    """Return some of the invoices: the first doubtful one, those of the largest and the smallest
    total, then the first ones."""
    doubtful = {warning.line for warning in warnings}
    by_total = sorted(drafts, key=lambda draft: draft.total_cents)
    chosen = [draft for draft in drafts if draft.first_line in doubtful][:1]
    chosen += [*by_total[-1:], *by_total[:1], *drafts[:SAMPLES]]
    distinct = {draft.number: draft for draft in chosen}
    return tuple(_sample(draft, closing(draft)) for draft in [*distinct.values()][:SAMPLES])


def told(drafts: Sequence[Draft], today: date) -> int:
    """Return how many families a mail will tell of these invoices, if nothing changes."""
    due = {draft.code for draft in drafts if draft.due_cents and draft.due_on >= today}
    return contacts.reached(due)


def _sample(draft: Draft, closes_on: date | None) -> Sample:
    return Sample(
        line=draft.first_line,
        code=draft.code,
        number=draft.number,
        period=draft.period,
        issued_on=draft.issued_on,
        due_on=draft.due_on,
        closes_on=closes_on,
        regie=draft.regie,
        total_cents=draft.total_cents,
        lines=tuple(SampleLine(**line) for line in draft.lines),
    )
