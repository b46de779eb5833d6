"""Text becomes cents, cents become text, and nothing is ever a float."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosque.language import amounts, formats


@pytest.mark.parametrize(
    ("text", "cents"),
    [("12,34", 1234), ("12.34", 1234), ("12,3", 1230), ("12", 1200), ("0,05", 5), ("-3,50", -350)],
)
def test_comma_or_point_with_at_most_two_decimals_is_read(text: str, cents: int) -> None:
    assert amounts.parse_hundredths(text) == cents


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1e3",
        "1,234",
        "1 000",
        "1.000,00",
        "+1",
        "--1",
        "1,",
        ",5",
        "NaN",
        "١٢",
        "9" * 9,
        "1,2,3",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="nombre"):
        amounts.parse_hundredths(text)


def test_amounts_are_written_as_cldr_says() -> None:
    assert formats.format_euros(123456) == "1\u202f234,56\u00a0€"
    assert formats.format_euros(-5) == "-0,05\u00a0€"
    assert formats.format_hundredths(250) == "2,5"
    assert formats.format_hundredths(1700) == "17"


@given(st.integers(-amounts.MAX_CENTS, amounts.MAX_CENTS))
def test_what_is_written_reads_back_the_same(cents: int) -> None:
    text = formats.format_euros(cents).removesuffix("\u00a0€").replace("\u202f", "")
    assert amounts.parse_hundredths(text) == cents


@given(st.integers(-10_000, 10_000), st.integers(0, 10_000))
def test_a_product_is_rounded_to_the_nearest_cent_either_way_on_a_half(
    quantity: int, price: int
) -> None:
    for cents in amounts.product_cents(quantity, price):
        assert abs(cents * 100 - quantity * price) <= 50
