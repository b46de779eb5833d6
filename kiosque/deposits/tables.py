"""A deposit as a table for a spreadsheet, a line for each service of each payment."""

from collections.abc import Iterator, Mapping

from kiosque.db.models import Deposit
from kiosque.db.states import RevenueKind
from kiosque.deposits.final import bordereau_of, families_of

COLUMNS = (
    "bordereau", "jour", "encaissement", "code famille", "facture", "prestation", "mode", "article",
    "fonction", "antenne", "nature", "verse", "montant",
)  # fmt: skip
_KINDS: Mapping[RevenueKind, str] = {
    RevenueKind.COLLECTED: "encaissé",
    RevenueKind.CANCELLED: "annulé",
    RevenueKind.REFUNDED: "remboursé",
}


def rows(deposit: Deposit) -> Iterator[tuple[str | int, ...]]:
    """Yield the lines of a deposit under COLUMNS; the amount is in cents. Lines for information,
    which are not paid over, say so."""
    made, families = bordereau_of(deposit), families_of(deposit)
    for line in made.lines:
        yield (
            made.title,
            line.day,
            line.paid_by,
            families[line.settlement].code if line.settlement in families else "",
            line.invoice,
            line.service,
            line.source.words,
            *line.imputed,
            _KINDS[RevenueKind(line.kind)],
            "pour mémoire" if line.source.is_memo else "oui",
            line.cents,
        )
