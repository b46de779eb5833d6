"""A decision's effects are told before it is taken: whose lines, how much, what is left, what is
out of the ordinary."""

import pytest

from kiosque import payments
from kiosque.db.models import Family, Invoice, Settlement
from kiosque.db.states import RepaymentKind
from kiosque.payments import CounterPayment, Refused, previews
from tests.conftest import NOW, make_invoice
from tests.kiosque.payments.conftest import Hear, Pay, at_counter, effects

CAPTURED = {"trans_status": "CAPTURED"}
WHO = ("Dominique", "absence")


def fresh(invoice: Invoice) -> Invoice:
    found = Invoice.get_by_id(invoice.id)
    assert isinstance(found, Invoice)
    return found


def counter(invoice: Invoice, cents: int, **changes: object) -> CounterPayment:
    values = {"invoice_number": invoice.number, "amount_cents": cents, "mode": "cash",
              "settled_on": NOW.date(), "author": "Dominique", "reason": "guichet"}  # fmt: skip
    return CounterPayment(**{**values, **changes})  # type: ignore[arg-type]


def take(invoice: Invoice, *payments_: CounterPayment) -> previews.Foreseen:
    return previews.taking(fresh(invoice), payments_, {})


def test_what_is_left_once_a_part_is_taken_is_told_and_nothing_is_taken(october: Invoice) -> None:
    before = effects()
    foreseen = take(october, counter(october, 1000), counter(october, 520, reason="chèque 2"))
    assert [line.cents for line in foreseen.lines] == [1000, 520]
    assert (foreseen.cents, foreseen.warnings) == (1520, ())
    assert "30,00" in foreseen.after
    assert foreseen.total
    assert effects() == before


def test_what_is_left_of_what_the_treasury_collects_is_told_too(october: Invoice) -> None:
    payments.transmit([october.number], "B-1", NOW.date(), *WHO)
    foreseen = take(october, counter(october, 1520, mode="treasury"))
    assert "30,00" in foreseen.after


def test_the_whole_leaves_nothing_and_what_is_over_is_a_warning(october: Invoice) -> None:
    whole, over = take(october, counter(october, 4520)), take(october, counter(october, 5000))
    assert whole.after == over.after
    assert "0,00" not in whole.after
    assert whole.warnings == ()
    assert "4,80" in over.warnings[0]


def test_a_payment_already_taken_is_not_foreseen_again(october: Invoice) -> None:
    at_counter(october, amount_cents=1000)
    with pytest.raises(Refused):
        take(october, counter(october, 1000))


def test_who_is_at_the_bank_is_a_warning_for_the_counter_and_stops_a_transmission(
    go: Pay, october: Invoice
) -> None:
    go(october)
    assert len(take(october, counter(october, 4520)).warnings) == 1
    with pytest.raises(Refused):
        previews.transmission([fresh(october)])


def test_the_treasury_is_given_what_is_still_to_pay_and_gives_back_as_much(
    october: Invoice,
) -> None:
    at_counter(october, amount_cents=1520)
    given = previews.transmission([fresh(october)])
    assert (given.cents, [line.cents for line in given.lines]) == (3000, [3000])
    assert given.total
    payments.transmit([october.number], "B-1", NOW.date(), *WHO)
    with pytest.raises(Refused):
        previews.transmission([fresh(october)])
    back = previews.return_from_treasury(fresh(october))
    assert (back.cents, [line.cents for line in back.lines]) == (3000, [3000])


@pytest.fixture
def paid(go: Pay, hear: Hear, october: Invoice, september: Invoice) -> Settlement:
    hear(go(october, september)[1], **CAPTURED)
    settlement = Settlement.get()
    assert isinstance(settlement, Settlement)
    return settlement


def leaving(settlement: Settlement, cents: int | None) -> previews.Foreseen:
    return previews.departure(settlement, RepaymentKind.REFUND, cents, *WHO)


def test_only_the_whole_makes_its_invoices_to_pay_again(paid: Settlement) -> None:
    part, whole = leaving(paid, 1000), leaving(paid, None)
    assert (part.cents, part.after) == (1000, "")
    assert whole.cents == 8745
    assert whole.after
    assert len({line.becomes for line in part.lines}) == 1
    assert part.lines[0].becomes != whole.lines[0].becomes


def test_what_came_twice_leaves_its_invoice_paid(go: Pay, hear: Hear, october: Invoice) -> None:
    _, handoff = go(october)
    at_counter(october)
    hear(handoff, **CAPTURED)
    online = Settlement.get(Settlement.gateway == "banque")
    assert leaving(online, None).after == ""


def test_money_that_came_twice_pays_a_part_or_the_whole_of_another_invoice(
    alices_family: Family, october: Invoice
) -> None:
    at_counter(october, amount_cents=5520, is_extra=True)
    settlement = Settlement.get()
    for cents, left in ((1000, ""), (2520, "15,20")):
        other = make_invoice(alices_family, f"N{cents}", cents)
        foreseen = previews.application(settlement, other.number, None)
        assert (foreseen.cents, foreseen.lines[0].cents) == (1000, 1000)
        assert left in foreseen.after
    whole, part = (previews.application(settlement, n, None) for n in ("N1000", "N2520"))
    assert whole.lines[0].becomes != part.lines[0].becomes
    assert whole.after != part.after
