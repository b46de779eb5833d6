"""PDFs beside a file, named by the numbers of its invoices."""

from collections.abc import Sequence

from kiosque.invoices.imports.drafts import Draft
from kiosque.invoices.imports.reading import quoted
from kiosque.invoices.imports.sheet import Sheet

#: Most PDFs without an invoice that are named.
SHOWN = 5


def take(sheet: Sheet, drafts: Sequence[Draft]) -> None:
    """Give each invoice whose lines name no PDF the one named by its number, with dashes in place
    of slashes, and warn of PDFs that match no invoice."""
    found = {path.name for path in sheet.path.parent.iterdir() if path.suffix.lower() == ".pdf"}
    named = {name.lower(): name for name in found}
    for draft in drafts:
        if not draft.pdf:
            draft.numbered_pdf = named.get(f"{draft.number.replace('/', '-')}.pdf".lower(), "")
    if left := sorted(found - {draft.paper for draft in drafts}):
        more = "…" if len(left) > SHOWN else ""
        names = ", ".join(map(quoted, left[:SHOWN]))
        sheet.warn(0, f"PDF d’aucune facture : {len(left)} ({names}{more})")
