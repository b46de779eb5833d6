"""Amounts of a file that are far above the usual one of their service."""

from collections.abc import Iterator, Sequence
from statistics import median

from kiosque.invoices.imports.drafts import Draft
from kiosque.language.formats import format_euros

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
