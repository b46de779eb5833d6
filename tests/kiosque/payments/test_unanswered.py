"""Which payment of which invoice the bank never spoke of, and for how long that is told."""

from datetime import datetime

import pytest

from kiosque import payments
from kiosque.db import write
from kiosque.db.models import Family, Invoice
from kiosque.db.states import AttemptState, FactSource
from kiosque.invoices import listing
from kiosque.payments.attempt_facts import add_fact
from tests.conftest import Clock, make_invoice
from tests.kiosque.payments.conftest import Pay

pytestmark = pytest.mark.usefixtures("sound_books")


def told(invoice: Invoice) -> datetime | None:
    """Return what the page of an invoice and the family's list both say of it."""
    (listed,) = [each for each in listing.unpaid(invoice.family) if each.number == invoice.number]
    assert listed.unanswered_at == payments.unanswered_of([invoice])
    return listed.unanswered_at


def test_a_payment_without_an_answer_is_told_of_its_own_invoice_once_its_time_has_passed(
    pay: Pay, frozen: Clock, october: Invoice, september: Invoice, charlies_family: Family
) -> None:
    theirs = make_invoice(charlies_family, "C-1")
    attempt, _ = pay(october.family, october)
    assert told(october) is None
    assert not payments.is_unanswered(attempt)
    frozen.at = attempt.live_until
    assert [told(each) for each in (october, september, theirs)] == [attempt.started_at, None, None]
    assert payments.is_unanswered(attempt)


def test_of_two_the_last_is_told_and_none_that_was_answered(
    pay: Pay, frozen: Clock, october: Invoice
) -> None:
    first, _ = pay(october.family, october)
    frozen.advance(minutes=16)
    second, _ = pay(october.family, october)
    frozen.advance(minutes=16)
    assert told(october) == second.started_at
    with write():
        add_fact(second, "", AttemptState.EXPIRED, source=FactSource.BANK)
    assert told(october) == first.started_at
    assert (payments.is_unanswered(first), payments.is_unanswered(second)) == (True, False)


def test_it_is_told_for_thirty_days(pay: Pay, frozen: Clock, october: Invoice) -> None:
    attempt, _ = pay(october.family, october)
    frozen.advance(days=30, seconds=-1)
    assert told(october) == attempt.started_at
    frozen.advance(seconds=1)
    assert told(october) is None


def test_a_payment_is_given_up_by_its_payer_alone(
    pay: Pay, october: Invoice, september: Invoice
) -> None:
    hers, other = (pay(each.family, each)[0] for each in (october, september))
    with write():
        add_fact(hers, "", AttemptState.CANCELLED, source=FactSource.FAMILY)
        add_fact(other, "", AttemptState.CANCELLED, source=FactSource.BANK)
    assert (payments.was_given_up(hers), payments.was_given_up(other)) == (True, False)
