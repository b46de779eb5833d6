"""The accounts of the journal, in the words of those who keep the books."""

from collections.abc import Mapping
from datetime import date
from typing import Protocol

from kiosque.db.models import JournalEntry
from kiosque.db.states import CounterMode
from kiosque.language import clock
from kiosque.payments.words import COUNTER_MODES

_NAMES: Mapping[str, str] = {
    "invoices": "recettes à verser",
    "overpayments": "trop-perçus",
    "unmatched": "à classer",
    "refunds": "remboursements",
    "credits": "avoirs",
    "account": "compte DFT ou bancaire",
    "fees": "frais bancaires (dépenses à régulariser)",
    "paid_over": "recettes versées",
    "opening": "solde d’ouverture du compte",
    "others": "autres mouvements du compte",
}
#: The columns of the journal as a file.
COLUMNS = (
    "numero", "jour", "instant", "libelle", "debit", "credit", "montant", "empreinte", "corrige"
)  # fmt: skip


def named(account: str) -> str:
    """Return an account in French: `carte bancaire à recevoir (banque)`, `encaissé ailleurs,
    chèque`. An entry that moves nothing has none."""
    name, _, regie = account.partition("/")
    kind, _, which = name.partition(":")
    if kind == "bank":
        words = f"carte bancaire à recevoir ({which})"
    elif kind == "counter":
        mode = COUNTER_MODES.get(CounterMode(which)) if which in set(CounterMode) else which
        words = f"encaissé ailleurs, {mode}"
    else:
        words = _NAMES.get(name, name)
    return f"{words} ({regie})" if regie else words


class Labelled(Protocol):
    """An entry, or any row that has an entry's label and the number of the entry that it
    corrects."""

    @property
    def label(self) -> str: ...
    @property
    def corrects(self) -> int | None: ...


def labelled(entry: Labelled) -> str:
    """Return the label of an entry, and the number of the one that it corrects."""
    cited = f" (corrige l’écriture {entry.corrects})" if entry.corrects else ""
    return f"{entry.label}{cited}"


def row_of(entry: JournalEntry) -> tuple[str, date, str, str, str, str, int, str, str]:
    """Return an entry under COLUMNS; the amount is in cents."""
    return (
        str(entry.number),
        clock.paris_date(entry.at),
        entry.at.isoformat(timespec="microseconds").replace("+00:00", "Z"),
        entry.label,
        named(entry.debit),
        named(entry.credit),
        entry.amount_cents,
        entry.hash,
        str(entry.corrects or ""),
    )
