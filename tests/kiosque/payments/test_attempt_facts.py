"""A fact learnt of an attempt is kept once; it decides its state, and what it holds."""

from datetime import timedelta

import pytest

from kiosque.db import write
from kiosque.db.models import Attempt, AttemptItem, Fact, Family, Invoice
from kiosque.db.states import AttemptState, FactSource
from kiosque.payments.attempt_facts import PENDING_DAYS, add_fact
from tests.conftest import NOW, Clock, make_invoice
from tests.kiosque.payments.conftest import Pay, state_of


def learn(
    attempt: Attempt, transaction: str, state: str, *, source: str = "bank"
) -> tuple[list[Fact], Attempt]:
    with write():
        facts = add_fact(attempt, transaction, AttemptState(state), source=FactSource(source))
    return facts, Attempt.get_by_id(attempt.id)


def held(attempt: Attempt) -> list[str]:
    """The numbers of the invoices that nobody else may pay now."""
    items = AttemptItem.select().where(AttemptItem.attempt == attempt, AttemptItem.live == 1)
    return sorted(item.invoice.number for item in items)


@pytest.fixture
def attempt(go: Pay, october: Invoice, september: Invoice) -> Attempt:
    return go(october, september)[0]


def test_a_fact_is_kept_as_it_was_said_and_when(attempt: Attempt, frozen: Clock) -> None:
    before = len(Fact.select())
    frozen.advance(minutes=3)
    with write():
        facts = add_fact(attempt, "a", AttemptState.PENDING, "VERIFYING",
                         source=FactSource.BANK, cents=8745, parent_id="b")  # fmt: skip
    assert len(facts) == before + 1
    fact = Fact.select().order_by(Fact.id.desc()).get()
    assert (fact.attempt_id, fact.at) == (attempt.id, NOW + timedelta(minutes=3))
    assert (fact.transaction_id, fact.state, fact.status) == ("a", "pending", "VERIFYING")
    assert (fact.source, fact.amount_cents, fact.parent_id) == ("bank", 8745, "b")


def test_what_nobody_said_of_a_fact_is_empty(attempt: Attempt) -> None:
    learn(attempt, "a", "refused")
    fact = Fact.select().order_by(Fact.id.desc()).get()
    assert (fact.status, fact.amount_cents, fact.parent_id) == ("", 0, "")


def test_what_was_known_changes_nothing(attempt: Attempt, frozen: Clock) -> None:
    _, known = learn(attempt, "a", "pending")
    frozen.advance(hours=1)
    facts, now = learn(attempt, "a", "pending")
    assert facts == []
    assert (now.state, now.live_until) == ("pending", known.live_until)


def test_a_fact_belongs_to_a_write(attempt: Attempt) -> None:
    with pytest.raises(RuntimeError, match="inside"):
        add_fact(attempt, "a", AttemptState.PAID, source=FactSource.BANK)


def test_a_state_that_another_changed_meanwhile_is_not_written_over(attempt: Attempt) -> None:
    before = Fact.select().count()
    Attempt.update(state="pending").where(Attempt.id == attempt.id).execute()
    with pytest.raises(RuntimeError, match="outside"), write():
        add_fact(attempt, "a", AttemptState.REFUSED, source=FactSource.BANK)
    assert (state_of(attempt), Fact.select().count()) == ("pending", before)


def test_what_is_decided_holds_no_invoice_and_what_is_not_holds_all(attempt: Attempt) -> None:
    assert held(attempt) == ["2026-09-0001", "2026-10-0001"]
    _, now = learn(attempt, "a", "pending")
    assert (now.state, attempt.state) == ("pending", "pending")
    assert held(attempt) == ["2026-09-0001", "2026-10-0001"]
    assert now.live_until == attempt.live_until == NOW + timedelta(days=PENDING_DAYS)
    learn(attempt, "a", "refused")
    assert (attempt.state, held(attempt)) == ("refused", [])


def test_a_payment_examined_after_a_refusal_takes_back_what_no_other_holds(
    attempt: Attempt, go: Pay, october: Invoice, charlies_family: Family
) -> None:
    learn(attempt, "a", "refused")
    other, _ = go(october)
    charlies, _ = go(make_invoice(charlies_family, "2026-10-0002"))
    learn(charlies, "c", "refused")
    learn(attempt, "b", "pending")
    assert (state_of(attempt), held(attempt)) == ("pending", ["2026-09-0001"])
    assert (held(other), held(charlies)) == (["2026-10-0001"], [])
    assert Attempt.get_by_id(other.id).live_until == other.live_until


def test_money_given_back_makes_what_is_examined_wait_no_longer(
    attempt: Attempt, frozen: Clock
) -> None:
    learn(attempt, "a", "pending")
    frozen.advance(days=1)
    _, now = learn(attempt, "b", "refunded")
    assert (now.state, now.live_until) == ("pending", NOW + timedelta(days=PENDING_DAYS))
    _, now = learn(attempt, "c", "pending")
    assert now.live_until == NOW + timedelta(days=1 + PENDING_DAYS)
