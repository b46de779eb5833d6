"""The state of an attempt is a function of what is known of it, whatever the order."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosque.db.states import AttemptState, FactSource, attempt_state

FACTS = st.lists(
    st.tuples(
        st.sampled_from(["", "t1", "t2"]),
        st.sampled_from(list(AttemptState)),
        st.sampled_from(list(FactSource)),
    ),
    max_size=6,
).map(lambda facts: [*facts, ("", AttemptState.CREATED, FactSource.PORTAL)])


@given(FACTS, st.randoms())
def test_neither_order_nor_repetition_matters(
    facts: list[tuple[str, AttemptState, FactSource]], random: object
) -> None:
    shuffled = facts + facts
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert attempt_state(shuffled) == attempt_state(facts)


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        ([("", "handed_off"), ("t1", "refused"), ("t2", "paid")], "paid"),
        ([("", "handed_off"), ("t1", "paid"), ("", "cancelled")], "paid"),
        ([("", "expired"), ("t1", "paid")], "paid"),
        ([("t1", "refused"), ("t2", "pending")], "pending"),
        ([("t1", "pending"), ("t1", "refused")], "refused"),
        ([("t1", "paid"), ("t1", "reversed")], "reversed"),
        ([("t1", "paid"), ("t1", "reversed"), ("t2", "paid")], "paid"),
        ([("t1", "paid"), ("t1", "refunded")], "refunded"),
    ],
)
def test_what_parents_and_banks_do_ends_where_it_should(
    facts: list[tuple[str, str]], state: str
) -> None:
    known = [
        (
            transaction,
            AttemptState(name),
            FactSource.BANK if name == "pending" else FactSource.PORTAL,
        )
        for transaction, name in facts
    ]
    for order in permutations(known):
        assert attempt_state(order) == state


def test_a_banks_word_of_a_refund_decides_nothing() -> None:
    facts = [("t1", AttemptState.PAID, FactSource.BANK)]
    for name in ("t1", "c1"):
        assert attempt_state([*facts, (name, AttemptState.REFUNDED, FactSource.BANK)]) == "paid"
    assert attempt_state([*facts, ("t1", AttemptState.REFUNDED, FactSource.PORTAL)]) == "refunded"


@pytest.mark.parametrize("denied", ["refused", "cancelled", "expired"])
@pytest.mark.parametrize("source", [FactSource.PORTAL, FactSource.REGISSEUR])
def test_money_that_is_held_is_denied_by_no_word_of_a_refusal(
    denied: str, source: FactSource
) -> None:
    held = ("t1", AttemptState.PENDING, source)
    facts = [held, ("t1", AttemptState(denied), FactSource.BANK)]
    assert attempt_state(facts) == "pending"
    assert attempt_state([*facts, ("t1", AttemptState.PAID, FactSource.BANK)]) == "paid"
    assert attempt_state([*facts, ("t1", AttemptState.REVERSED, FactSource.BANK)]) == "reversed"


def test_knowing_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="empty"):
        attempt_state([])
