"""A payment of an invoice is shared between its lines, to the cent."""

import pytest

from kiosque.payments.shares import share


@pytest.mark.parametrize(
    ("cents", "lines", "parts"),
    [
        (4520, [3000, 1520], [3000, 1520]),  # the whole: the very lines
        (1000, [3000, 1520], [664, 336]),
        (1, [100, 100, 100], [1, 0, 0]),  # the first of those that lost as much
        (2, [100, 100, 100], [1, 1, 0]),
        (1, [100, 200], [0, 1]),  # the line that lost the most
        (700, [1000, -200], [875, -175]),  # a discount is a line too
        (0, [3000, 1520], [0, 0]),
        (1, [1], [1]),
    ],
)
def test_each_line_has_its_part_and_the_cents_left_go_one_by_one(
    cents: int, lines: list[int], parts: list[int]
) -> None:
    assert share(cents, lines) == parts
    assert sum(parts) == cents


@pytest.mark.parametrize("lines", [[], [0], [500, -500], [100, -101]])
def test_lines_that_add_up_to_nothing_or_less_share_nothing(lines: list[int]) -> None:
    with pytest.raises(ValueError, match="nothing to share"):
        share(100, lines)
