"""The state of an attempt is a function of what is known of it, whatever the order."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosque.db.states import AttemptState, attempt_state

FACTS = st.lists(
    st.tuples(st.sampled_from(["", "t1", "t2"]), st.sampled_from(list(AttemptState))),
    min_size=1,
    max_size=6,
)


@given(FACTS, st.randoms())
def test_neither_order_nor_repetition_matters(
    facts: list[tuple[str, AttemptState]], random: object
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
    known = [(transaction, AttemptState(name)) for transaction, name in facts]
    for order in permutations(known):
        assert attempt_state(order) == state


def test_knowing_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="empty"):
        attempt_state([])
