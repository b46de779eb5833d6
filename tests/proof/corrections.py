"""The régisseur puts things right in the machine's town: on the portal, and in the books."""

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from kiosque import payments
from kiosque.db.models import Attempt, Settlement
from kiosque.payments import BankPayment, Refused
from tests.proof.bank import EURO, STANDING, Message
from tests.proof.books import Bill, Books, Debit, Leaving, Opened, Part
from tests.proof.stage import dump

if TYPE_CHECKING:
    from tests.proof.machine import Town


def settlement_of(debit: Debit) -> Settlement:
    if debit.owner:
        gateway, _, transaction = debit.name.partition(":")
        found = Settlement.get(
            Settlement.gateway == gateway, Settlement.transaction_id == transaction
        )
    else:
        found = Settlement.get_by_id(debit.name)
    assert isinstance(found, Settlement)
    return found


# --- What came twice pays another invoice ---


def apply(town: "Town", debit: Debit, number: str) -> None:
    """Refused exactly when the books say so: money of another amount than awaited may pay the very
    invoice that it holds."""
    books, bill = town.books, town.books.bills[number]
    part, cents = _spare(books, debit, bill)
    held = books.holds.get(number)
    is_held = held and held is not debit.owner and held.until > town.clock.at
    possible = part and bill.state == "open" and not is_held
    before = dump()
    try:
        payments.apply_overpayment(
            settlement_of(debit), number, "Dominique", "accord", town.stage.issuers
        )
    except Refused:
        assert not possible
        assert dump() == before
        return
    assert possible, "an invoice was paid with money that was not there"
    if part:
        if part.debit.owner and part.debit not in books.receipts:
            books.receipts.append(part.debit)
        books.use(part, bill, cents, (part.kind, part.number))


def withdraw(town: "Town", debit: Debit, number: str) -> None:
    """Pay of an invoice what a human said; refuse where it is nothing."""
    books = town.books
    used = [p for p in debit.parts if (p.kind, p.number) == ("invoice", number) and p.before]
    parts = used if debit.state == "counted" else []
    before = dump()
    try:
        cents = payments.withdraw_overpayment(
            settlement_of(debit), number, "Dominique", "mauvaise facture"
        )
    except Refused:
        assert not parts
        assert dump() == before
        return
    assert cents == sum(part.cents for part in parts) > 0
    came_for = books.withdraw(parts, books.bills[number])
    for each in came_for if _owed(books, debit) else ():
        books.dealt.pop((debit.name, each), None)
        books.list_owed(debit, each)


def _spare(books: Books, debit: Debit, bill: Bill) -> tuple[Part | None, int]:
    """The part that pays nothing of which an invoice takes some cents, and how many."""
    theirs = (debit.family, books.regie_of(debit)) == (bill.family, bill.regie)
    spare = [part for part in debit.parts if part.kind != "invoice"]
    if debit.state != "counted" or not theirs or not spare:
        return None, 0
    most = max(part.cents for part in spare)
    cents = min(books.left(bill), _owed(books, debit), most)
    enough = [part for part in spare if part.cents >= cents > 0]
    return min(enough, key=lambda part: part.cents, default=None), cents


def _owed(books: Books, debit: Debit) -> int:
    together = books.of_one_payment(debit)
    return sum(books.owed_back(together, account) for account in ("overpayments", "unmatched"))


# --- What had left is there after all ---


def restore(town: "Town", debit: Debit, cents: int | None) -> None:
    """Noted by hand in error; or undone by the bank, which has captured it since."""
    found = [each for each in debit.leavings if cents in (None, each.cents)]
    possible = len({each.cents for each in found}) == 1 and not debit.note
    if not debit.left:  # what took the last of it comes back first
        possible = possible and found[-1] is debit.leavings[-1]
    if found and not _is_true(town, debit, found[-1]):
        return
    town.corrected += 1
    before = dump()
    try:
        payments.restore(settlement_of(debit), cents, "Dominique", f"vu {town.corrected}")
    except Refused:
        assert not possible
        assert dump() == before
        return
    assert possible, "more is there than had come"
    _take_back(town.books, debit, found[-1])


def _is_true(town: "Town", debit: Debit, leaving: Leaving) -> bool:
    """Return whether the money of what had left is really there."""
    if debit.owner is None:
        return True
    if leaving.way == "reversal":
        account = town.bank.accounts[debit.owner.reference]
        return account.transactions[debit.name].status == "CAPTURED"
    undone = town.books.is_undone(debit.owner, debit.name) and not debit.reinstated
    return leaving.elsewhere and not undone


def _take_back(books: Books, debit: Debit, leaving: Leaving) -> None:
    whole = not debit.left
    debit.leavings.remove(leaving)
    debit.returned -= leaving.cents
    debit.righted += leaving.cents
    debit.given.discard((leaving.way, leaving.cents, leaving.reason))
    debit.reinstated |= leaving.way == "reversal"
    if leaving.elsewhere:
        debit.elsewhere -= leaving.cents
        debit.by_hand -= leaving.cents if leaving.way == "refund" else 0
    if whole:
        paying = [part for part in debit.parts if part.kind == "invoice"]
        for part in paying:
            part.kind = "overpayment"
        for part in paying:
            books.use(part, books.bills[part.number or ""], part.cents, part.before)
        if debit.owner:
            debit.restored += 1
            unmatched = any(part.kind == "unmatched" for part in debit.parts)
            state = "held" if unmatched else "paid"
            books.learn(debit.owner, debit.called, state, "restored")
    if _owed(books, debit):
        for part in debit.parts:
            if part.kind == "overpayment":
                books.list_owed(debit, part.number)


# --- A debit that only the bank knows ---


def enter(town: "Town", order: Opened) -> None:
    """The first debit of an order that no notice told of."""
    for message in town.bank.accounts[order.reference].transactions.values():
        if _is_unknown(town.books, order, message):
            _enter(town, order, message)
            return


def _is_unknown(books: Books, order: Opened, message: Message) -> bool:
    """Tell whether no notice told of it, or only that the bank had undone it."""
    told = {uuid for uuid, _, _ in order.facts}
    return (
        (message.operation, message.currency) == ("DEBIT", EURO)
        and message.status in STANDING
        and message.uuid not in books.owners
        and (message.uuid not in told or books.is_undone(order, message.uuid))
    )


def _enter(town: "Town", order: Opened, message: Message) -> None:
    day = town.clock.at.date()
    seen = BankPayment(
        message.gateway, message.transaction, message.cents, day, "Dominique", "vu à la banque"
    )
    attempt = Attempt.get(Attempt.reference == order.reference)
    issuers = town.stage.issuers
    payments.enter(seen, attempt, issuers)
    before = dump()
    other = next(name for name in town.stage.gateways if name != message.gateway)
    for again in (
        seen,
        replace(seen, amount_cents=message.cents + 1),
        replace(seen, gateway=other),
    ):
        try:
            payments.enter(again, attempt, issuers)
        except Refused:
            assert dump() == before
        else:
            raise AssertionError("one debit was entered twice")
    awaited = message.cents == order.cents
    state, undone = "paid" if awaited else "held", town.books.is_undone(order, message.uuid)
    town.books.learn(order, message.uuid, state, "entered")
    if undone:
        town.books.learn(order, f"{message.uuid}+1", state, "entered")
    email, order.email = order.email, False  # a human writes no mail
    town.books.receive(order, message, awaited=awaited, reinstated=undone)
    order.email = email


# --- A refund without an answer, a bank in maintenance ---


def drop(town: "Town", debit: Debit) -> None:
    """The bank says nothing of it, or has done it without a word: it counts if it tells."""
    possible = town.clock.at - (debit.sent_at or town.clock.at) >= timedelta(minutes=2)
    before = dump()
    try:
        payments.drop_refund(settlement_of(debit), "Dominique", "vu avec la banque")
    except Refused:
        assert not possible
        assert dump() == before
        return
    assert possible, "dropped while the bank is being asked"
    debit.asked = None


def close_or_open(town: "Town", name: str, hours: int) -> None:
    """For new payments only; a bank that is closed opens by itself once the time is over."""
    before = dump()
    if hours:
        town.closed[name] = town.clock.at + timedelta(hours=hours)
        payments.close_bank(name, "", town.closed[name], "Dominique")
    else:
        payments.open_bank(name)
        town.closed.pop(name, None)
    assert dump() == before
