"""The lines of a deposit and their sums: by source of the money, by imputation, by payer."""

from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import NamedTuple, TypeVar

from gateways.base import Mode
from kiosque.db.states import CREDIT, CounterMode
from kiosque.deposits.imputations import Imputed
from kiosque.payments import journal
from kiosque.payments.words import COUNTER_MODES

Key = TypeVar("Key", bound=Hashable)


class Source(NamedTuple):
    """Where money came from: a gateway, or the counter where it is empty, and by which mode."""

    gateway: str
    mode: str

    @property
    def is_memo(self) -> bool:
        """True for what the *régie* never held: credit notes, and what the Treasury received. It is
        shown, but not paid over."""
        return not self.gateway and self.mode in (CREDIT, CounterMode.TREASURY)

    @property
    def account(self) -> str:
        """The account that a deposit credits, without its *régie*. Money of the counter is handed
        over in another way than by the bank account: its own account is cleared."""
        if self.gateway:
            return journal.PAID_OVER
        return journal.CREDITS if self.mode == CREDIT else f"counter:{self.mode}"

    @property
    def words(self) -> str:
        """Return it in French: `carte bancaire en ligne (banque)`, `chèque, au guichet`."""
        if self.gateway:
            by = "prélèvement" if self.mode == Mode.DIRECT_DEBIT else "carte bancaire"
            return f"{by} en ligne ({self.gateway})"
        if self.mode == CREDIT:
            return "avoirs"
        words = COUNTER_MODES[CounterMode(self.mode)]
        return words if self.is_memo else f"{words}, au guichet"

    @property
    def rank(self) -> tuple[object, ...]:
        """Return a key to sort sources by: online first, those for information last."""
        return self.is_memo, not self.gateway, self.gateway, self.mode


class RevenueLine(NamedTuple):
    """Revenue of one service of an invoice, by one payment, in cents; below zero if it left again.

    `day` is of its entry in the journal, in Paris, as `2026-11-24`. Nothing here names a family: a
    deposit is kept longer than families are known.
    """

    revenue: int
    day: str
    settlement: int
    receipt: str
    invoice: str
    service: str
    gateway: str
    mode: str
    article: str
    fonction: str
    antenne: str
    kind: str
    cents: int

    @property
    def source(self) -> Source:
        return Source(self.gateway, self.mode)

    @property
    def imputed(self) -> Imputed:
        return Imputed(self.article, self.fonction, self.antenne)

    @property
    def paid_by(self) -> str:
        """The payment's name: its receipt's number, else ours."""
        return self.receipt or f"encaissement-{self.settlement}"


class Sums(NamedTuple):
    """Cents collected, cancelled since, and refunded: the last two below zero."""

    collected: int = 0
    cancelled: int = 0
    refunded: int = 0

    @property
    def cents(self) -> int:
        return sum(self)

    def plus(self, line: RevenueLine) -> "Sums":
        """Return these sums and a line's cents."""
        return self._replace(**{line.kind: getattr(self, line.kind) + line.cents})


def sums(lines: Iterable[RevenueLine], key: Callable[[RevenueLine], Key]) -> Mapping[Key, Sums]:
    """Return the sums of the lines of each key, in the order in which keys are met."""
    found: dict[Key, Sums] = {}
    for line in lines:
        what = key(line)
        found[what] = found.get(what, Sums()).plus(line)
    return found


class SumRow(NamedTuple):
    """The sums of a mode and an imputation, in words."""

    mode: str
    imputation: str
    sums: Sums


def table(lines: Iterable[RevenueLine]) -> list[SumRow]:
    """Return the sums of lines by mode and imputation."""
    found = sums(lines, lambda line: (line.source.words, line.imputed.words))
    return [SumRow(*words, each) for words, each in found.items()]


def whole(lines: Iterable[RevenueLine]) -> Sums:
    """Return the sums of all lines."""
    return sums(lines, lambda _line: 0).get(0, Sums())
