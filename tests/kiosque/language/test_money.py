"""Text becomes cents, cents become text, and nothing is ever a float."""

from fractions import Fraction
from math import ceil, floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosque.language import formats, parsing


@pytest.mark.parametrize(
    ("text", "cents"),
    [
        ("48,30 €", 4830), ("48,30€", 4830), ("48.30 EUR", 4830), ("44,0000", 4400),
        ("1 234,50", 123450), ("1\u00a0234,50", 123450), ("1\u202f234,50\u00a0€", 123450),
        ("123\u2009456,5", 12345650), ("'-3,45", -345), ("\u22123,45", -345), ("- 3,45", -345),
    ],
)  # fmt: skip
def test_amounts_are_read_as_people_and_spreadsheets_write_them(text: str, cents: int) -> None:
    assert parsing.parse_hundredths(text) == cents


@pytest.mark.parametrize(
    ("text", "hundredths"),
    [("1:30", 150), ("1h30", 150), ("1 H 30", 150), ("2h", 200), ("1:20", 133), ("-1h30", -150),
     ("0:45", 75), ("1,5", 150), ("-0h30", -50)],
)  # fmt: skip
def test_a_quantity_may_be_hours_and_minutes(text: str, hundredths: int) -> None:
    assert parsing.rounded_hundredths(parsing.parse_quantity(text)) == hundredths


@pytest.mark.parametrize("text", ["1:60", "1:3", ":30", "h30", "1h30m"])
def test_what_is_neither_a_number_nor_hours_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="nombre"):
        parsing.parse_quantity(text)


@pytest.mark.parametrize("text", ["1,234", "0,005"])
def test_an_amount_is_whole_cents(text: str) -> None:
    with pytest.raises(ValueError, match="décimales"):
        parsing.parse_hundredths(text)


@pytest.mark.parametrize(
    ("text", "cents"),
    [("12,34", 1234), ("12.34", 1234), ("12,3", 1230), ("12", 1200), ("0,05", 5), ("-3,50", -350)],
)
def test_comma_or_point_with_at_most_two_decimals_is_read(text: str, cents: int) -> None:
    assert parsing.parse_hundredths(text) == cents


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1e3",
        "1,2345678",
        "1 00",
        "1 0000",
        "3,45-",
        "12 €uros",
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
        parsing.parse_hundredths(text)


def test_amounts_are_written_as_cldr_says() -> None:
    assert formats.format_euros(123456) == "1\u202f234,56\u00a0€"
    assert formats.format_euros(-5) == "-0,05\u00a0€"
    assert formats.format_hundredths(250) == "2,5"
    assert formats.format_hundredths(1700) == "17"


@given(st.integers(-parsing.MAX_CENTS, parsing.MAX_CENTS))
def test_what_is_written_reads_back_the_same(cents: int) -> None:
    text = formats.format_euros(cents).removesuffix("\u00a0€").replace("\u202f", "")
    assert parsing.parse_hundredths(text) == cents


@given(st.integers(-10_000, 10_000), st.integers(0, 10_000))
def test_a_product_may_be_rounded_to_the_nearest_cent_either_way_on_a_half(
    quantity: int, price: int
) -> None:
    exact = Fraction(quantity * price, 100)
    for cents in (floor(exact + Fraction(1, 2)), ceil(exact - Fraction(1, 2))):
        assert parsing.is_product(Fraction(quantity, 100), Fraction(price, 100), cents)


@pytest.mark.parametrize(
    ("quantity", "price", "cents", "rounded", "cut"),
    [
        ("3", "3.33", 1000, True, True),
        ("3", "3.33", 1001, False, True),
        ("3", "3.33", 1003, False, False),
        ("3", "3.3333", 1000, True, True),
        ("3", "3.3333", 1001, False, False),
        ("6", "0.83", 500, True, True),
        ("14", "3.45", 4831, True, True),
        ("1", "3.45", 345, True, True),
        ("1", "3.45", 346, False, True),
        ("1", "3.45", 347, False, False),
        ("0", "3.45", 1, False, False),
        ("1.33", "4.50", 600, True, True),
        ("-3", "3.33", -1000, True, True),
        ("-3", "3.33", 1000, False, False),
    ],
)
def test_an_amount_is_a_product_but_for_the_rounding_of_what_was_multiplied(
    quantity: str, price: str, cents: int, rounded: bool, cut: bool
) -> None:
    factors = Fraction(quantity), Fraction(price)
    assert parsing.is_product(*factors, cents) is rounded
    assert parsing.is_product(*factors, cents, price_off=Fraction(1)) is cut
