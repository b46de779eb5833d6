"""Aids to judge the invoices of a file before they are loaded: odd amounts, sums, samples."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from statistics import median

from kiosque.families import contacts
from kiosque.invoices.imports.drafts import Draft
from kiosque.invoices.imports.reading import Fault, Sample, SampleLine, sums
from kiosque.language.formats import format_euros

#: Invoices shown as their families will see them.
SAMPLES = 5
#: A line is odd when it is so many times the usual amount of its service, and not a small sum; the
#: usual amount needs so many lines.
TIMES, AT_LEAST_CENTS, KNOWN_LINES = 5, 100_00, 10


def outliers(drafts: Sequence[Draft]) -> Iterator[tuple[Draft, str]]:
    """Yield each invoice that has a line far above the usual amount of its service in this file,
    with a French sentence."""
    amounts: dict[str, list[int]] = {}
    for draft in drafts:
        for line in draft.lines:
            amounts.setdefault(line["service"], []).append(abs(line["amount_cents"]))
    usual = {name: median(all_) for name, all_ in amounts.items() if len(all_) >= KNOWN_LINES}
    for draft in drafts:
        for line in draft.lines:
            cents, service = abs(line["amount_cents"]), line["service"]
            if cents >= AT_LEAST_CENTS and cents > TIMES * usual.get(service, cents):
                yield (
                    draft,
                    f"facture {draft.number}, « {line['label']} » : "
                    f"{format_euros(line['amount_cents'])}, plus de {TIMES} fois le montant "
                    f"habituel de {service}, {format_euros(round(usual[service]))}",
                )
                break


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
