"""Follow what is paid without the bank or the counter in the machine's town: to the Treasury, which
collects some invoices, and by credit notes. On the portal, and in the books."""

from typing import TYPE_CHECKING

from kiosque import payments
from kiosque.payments import CounterPayment, Refused
from tests.proof.stage import dump, rows

if TYPE_CHECKING:
    from tests.proof.machine import Town

WHO = ("Dominique", "accord")


def act(town: "Town", what: str, which: int, cents: int | None) -> None:
    """One of the four things, mostly where there is something to do."""
    books, place = town.books, which // 4
    bills = list(books.bills.values())
    note = [bill for bill in bills if bill.cents < 0][which % 3]
    if what == "take back":
        found = [bill for bill in bills if bill.treasury] or bills
        take_back(town, found[place % len(found)].number)
    elif what == "transmit":
        transmit(town, bills[which % len(bills)].number)
    elif what == "take off":
        used = [debit for debit in books.counter if debit.note and debit.state == "counted"]
        debit = used[place % len(used)] if used else None
        number = debit.parts[0].number if debit else bills[place % len(bills)].number
        take_off(town, debit.note if debit and debit.note else note.number, number or "")
    else:
        own = [bill for bill in bills if (bill.family, bill.regie) == (note.family, note.regie)]
        found = bills if which % 8 == 7 else own
        deduct(town, note.number, found[place % len(found)].number, cents)


def transmit(town: "Town", number: str) -> None:
    """Refused exactly when it is not to pay, or its family may be paying it."""
    books, bill = town.books, town.books.bills[number]
    possible = bill.state == "open" and number not in books.holds
    town.corrected += 1
    name, before = f"B-{town.corrected}", dump()
    try:
        new = payments.transmit([number], name, town.clock.at.date(), *WHO)
    except Refused:
        assert not possible
        assert dump() == before
        return
    assert (new, possible) == ([number], True), "the Treasury collects what is not to pay"
    bill.treasury = True
    books.refresh(bill)
    before = dump()
    assert payments.transmit([number], name, town.clock.at.date(), *WHO) == []
    assert dump() == before


def take_back(town: "Town", number: str) -> None:
    books, bill = town.books, town.books.bills[number]
    before = dump()
    try:
        payments.take_back(number, *WHO)
    except Refused:
        assert bill.state != "transmitted"
        assert dump() == before
        return
    assert bill.state == "transmitted", "taken back from whom?"
    bill.treasury = False
    books.refresh(bill)
    books.pay_with_what_came_twice(bill)


def deduct(town: "Town", note: str, number: str, cents: int | None) -> None:
    """Refused exactly when the books say so; the very same again deducts nothing."""
    books, bill, credit = town.books, town.books.bills[number], town.books.bills[note]
    worth = books.paid(credit) - credit.cents if credit.state == "nothing_due" else 0
    most = min(worth, books.left(bill))
    possible = (credit.family, credit.regie) == (bill.family, bill.regie)
    possible = possible and 0 < (cents or 1) <= most
    town.corrected += 1
    payment = CounterPayment(
        number, cents, "credit", town.clock.at.date(), "Dominique", f"avoir {town.corrected}",
        credit_number=note,
    )  # fmt: skip
    before = dump()
    try:
        taken = payments.settle_at_counter([payment])
    except Refused:
        assert not possible
        assert dump() == before
        return
    assert possible, "a credit note paid what it could not"
    assert [each.cents for each in taken] == [cents or most]
    (name,) = rows("SELECT MAX(id) FROM settlement")[0]
    books.pay_at_counter(bill, str(name), cents or most, mode="credit", note=note)
    if cents:
        assert payments.settle_at_counter([payment]) == [], "one cent was deducted twice"


def take_off(town: "Town", note: str, number: str) -> None:
    """All that a credit note pays of an invoice; nothing else is touched."""
    books = town.books
    paying = [
        debit
        for debit in books.counter
        if (debit.note, debit.state) == (note, "counted") and debit.parts[0].number == number
    ]
    before = dump()
    try:
        cents = payments.unapply_credit(note, number, *WHO)
    except Refused:
        assert not paying
        assert dump() == before
        return
    assert cents == sum(debit.cents for debit in paying) > 0
    for debit in paying:
        books.take_off(debit)
