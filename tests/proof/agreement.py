"""Compare what the bank holds for each order in the end with what our books say."""

from collections import Counter
from typing import TYPE_CHECKING

from kiosque.payments import journal
from tests.proof.bank import DOLLAR, STANDING, Message
from tests.proof.books import Books, Opened
from tests.proof.stage import rows

if TYPE_CHECKING:
    from tests.proof.machine import Town


def agree(town: "Town") -> None:
    """To the cent, what the bank holds for each order, and in all under each contract, is what our
    books say it does, but for what a human was told or has told us."""
    totals: Counter[str] = Counter()
    for reference, account in town.bank.accounts.items():
        order = town.books.orders[reference]
        bank = f"bank:{account.gateway}"
        ours = town.balances.get(reference, {}).get(bank, 0)
        euros = [
            each
            for each in account.transactions.values()
            if each.currency != DOLLAR and each.status in STANDING
        ]
        theirs = sum(each.cents if each.operation == "DEBIT" else -each.cents for each in euros)
        # Given back, of no debit of ours that stands; money that came again once undone.
        theirs += sum(_loose(town.books, order).values())
        theirs -= sum(_again(town.books, order, each) for each in euros)
        # Given back elsewhere; all of an undone debit has left anyway.
        theirs -= sum(
            debit.elsewhere
            for uuid, debit in order.debits.items()
            if debit.reinstated or not town.books.is_undone(order, uuid)
        )
        assert ours == theirs, f"{reference}: {ours} here, {theirs} at the bank"
        totals[bank] += theirs
    held = Counter(journal.balances())
    held.update(_on_statements())
    assert {name: held[name] for name in totals} == totals


def _on_statements() -> Counter[str]:
    """Return what statements say that the account received of what each bank held."""
    found: Counter[str] = Counter()
    entries = rows("SELECT debit, credit, amount_cents FROM journal_entry WHERE line_id > 0")
    for debit, credit, cents in entries:
        found.update({credit: cents})
        found.subtract({debit: cents})
    return found


def _loose(books: Books, order: Opened) -> dict[str, int]:
    told = {each[2] for each in books.told if each[0] == "credited"}
    told -= {each[2] for each in books.told if each[0] == "again"}
    return {
        uuid: each.cents
        for uuid, each in order.credits_.items()
        if uuid not in books.owners  # the bank holds no such refund
        if uuid not in order.matched or order.matched[uuid] in told
    }


def _again(books: Books, order: Opened, message: Message) -> int:
    debit = order.debits.get(message.uuid)
    told = ("again", order.reference, message.uuid) in books.told
    if not told or (debit and debit.reinstated):
        return 0
    given = [uuid for uuid, debit in order.matched.items() if debit == message.uuid]
    return message.cents - sum(order.credits_[uuid].cents for uuid in given)
