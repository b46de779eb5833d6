"""CFONB 120: what a statement says, and what is said of one that is broken."""

from collections.abc import Sequence
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosque.statements.reading import read
from kiosque.statements.records import FileKind, Movement, Period, UnreadableFile
from tests.bank import SHARED
from tests.statement_files import ACCOUNT, cfonb, movement, overpunched, period

SAMPLES = SHARED / "samples" / "cfonb"
with_samples = pytest.mark.skipif(not SAMPLES.exists(), reason="../shared est absent")

REMITTANCE = movement(date(2026, 10, 5), 904_50, "REMISE CB 000042 DU 04/10")
FEES = movement(date(2026, 10, 6), -12_07, "COMMISSIONS REMISE CB 000042", "000042")


def periods(*lines: str) -> tuple[Period, ...]:
    return read("releve.txt", "\n".join(lines).encode("cp1252")).periods


def faults(content: bytes) -> str:
    with pytest.raises(UnreadableFile) as caught:
        read("releve.txt", content)
    return "\n".join(caught.value.faults)


def lines_of(*told: Period) -> list[str]:
    return cfonb(*told).decode("cp1252").splitlines()


@with_samples
def test_a_published_file_says_two_statements_of_two_accounts() -> None:
    found = read("example.txt", (SAMPLES / "example.txt").read_bytes())
    first, second = found.periods
    assert found.kind is FileKind.CFONB
    assert (first.opening_cents, first.closing_cents) == (-190_40, -241_21)
    assert [each.cents for each in first.movements] == [-32_21, -10_70, -7_90]
    assert [each.cents for each in second.movements] == [97_49, -12_10, -7_90]
    assert (second.opened_on, second.closed_on) == (date(2019, 5, 16), date(2019, 5, 17))
    assert "MENSUEAUHTR13133" in first.movements[0].label
    assert first.movements[0].reference == "REFERENCE"


@with_samples
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("end_of_statement_without_beginning", ["ligne 6", "40,11", "ligne 9", "(01)"]),
        ("invalid_date", ["ligne 1", "CART", "ligne 9"]),
        ("new_statement_without_previous_ended", ["ligne 1", "(07)"]),
        ("operation", ["ligne 1", "(04)", "(01)"]),
        ("operation_already_defined", ["ligne 1", "(04)", "(01)"]),
        ("operation_detail_without_operation", ["ligne 3", "(05)", "(04)"]),
        ("operation_out_of_statement", ["ligne 1", "(04)", "(01)"]),
        ("operation_unstarted", ["ligne 1", "(05)", "(01)"]),
    ],
)
def test_each_broken_file_is_refused_with_its_sentence(name: str, said: Sequence[str]) -> None:
    text = faults((SAMPLES / f"{name}.txt").read_bytes())
    assert all(words in text for words in said)


def test_what_is_written_is_read_whatever_ends_the_lines() -> None:
    october = period(REMITTANCE, FEES, opening=100_00)
    content = cfonb(october)
    for each in (content, content.replace(b"\r\n", b"\n"), content.replace(b"\r\n", b"")):
        assert read("x", each).periods == (october,)


def test_a_month_without_movement_is_a_statement() -> None:
    assert read("x", cfonb(period(opening=-5))).periods == (period(opening=-5),)


def test_the_account_is_named_by_its_iban() -> None:
    assert ACCOUNT.startswith("FR76")
    assert read("x", cfonb(period())).periods[0].account == ACCOUNT


def test_a_long_label_goes_on_in_complements() -> None:
    said = "VIR SEPA M DUPONT POUR LA CANTINE D OCTOBRE ET LE CENTRE DE LOISIRS DE LA TOUSSAINT"
    october = period(movement(date(2026, 10, 5), 1, said))
    assert read("x", cfonb(october)).periods == (october,)


def test_the_iban_of_who_paid_is_not_kept() -> None:
    old, moved, new = lines_of(period(REMITTANCE))
    detail = f"05{moved[2:45]}IPYFR7612345678901234567890185".ljust(120)
    [found] = periods(old, moved, detail, new)
    assert "FR7612345678901234567890185" not in repr(found)


def test_the_number_of_a_card_is_not_kept() -> None:
    october = period(movement(date(2026, 10, 5), -5, "CB 4970 1012 3456 7890 X"))
    paid = movement(date(2026, 10, 5), -5, "CB 4970101234567893 LECLERC")
    assert read("x", cfonb(october)).periods == (october,)
    [found] = read("x", cfonb(period(paid))).periods
    assert "4970101234567893" not in repr(found)
    assert "7893" in found.movements[0].label


def test_a_movement_of_nothing_is_left_out() -> None:
    october = period(movement(date(2026, 10, 5), 0, "INFORMATION"), REMITTANCE)
    assert read("x", cfonb(october)).periods[0].movements == (REMITTANCE,)


def test_balances_that_do_not_add_up_are_told_with_the_difference() -> None:
    old, moved, _fees, new = lines_of(period(REMITTANCE, FEES))
    text = faults(f"{old}\n{moved}\n{new}".encode())
    assert "ligne 3" in text
    assert "12,07" in text


def test_a_movement_of_another_account_is_refused() -> None:
    old, moved, new = lines_of(period(REMITTANCE))
    text = faults("\n".join((old, moved.replace("00001234567", "00007654321"), new)).encode())
    assert "ligne 2" in text
    assert "00007654321" in text


def test_a_file_that_is_cut_is_refused() -> None:
    assert "ligne 1" in faults("\n".join(lines_of(period(REMITTANCE))[:2]).encode())


@pytest.mark.parametrize(
    ("was", "becomes", "said"),
    [
        ("EUR2", "USD2", "USD2"),
        ("EUR2", "EUR3", "EUR3"),
        ("0000000009045{", "000000000904XX", "000000000904XX"),
        ("0000000009045{", "9999999999999{", "9999999999999{"),
        ("051026", "311126", "311126"),
        ("051026", "      ", "caractères 35"),
        ("0410071", "0910071", "09"),
        ("{               ", "{                 X", "122"),
    ],
)
def test_each_value_that_cannot_be_is_quoted(was: str, becomes: str, said: str) -> None:
    old, moved, new = lines_of(period(REMITTANCE))
    text = faults("\n".join((old, moved.replace(was, becomes, 1), new)).encode())
    assert "ligne 2" in text
    assert said in text


def test_every_fault_is_said_at_once() -> None:
    old, moved, new = lines_of(period(REMITTANCE))
    broken = moved.replace("051026", "991026", 1)
    text = faults(f"{old}\n{broken}\n{moved}\n{broken}\n{new}".encode())
    assert "ligne 2" in text
    assert "ligne 4" in text
    assert "ligne 3" not in text


@given(st.integers(-(10**12), 10**12))
def test_any_amount_is_read_as_it_is_written(cents: int) -> None:
    assert len(overpunched(cents)) == 14
    [found] = read("x", cfonb(period(opening=cents))).periods
    assert found.opening_cents == found.closing_cents == cents


moved = st.builds(
    Movement,
    st.dates(date(2026, 10, 1), date(2026, 10, 31)),
    st.none() | st.dates(date(2026, 10, 1), date(2026, 10, 31)),
    st.integers(-(10**9), 10**9).filter(bool),
    st.lists(st.text("ABCDÉ", min_size=1, max_size=20), max_size=12).map(" ".join),
    st.text("ABC0123", max_size=16),
)


@given(st.lists(moved, max_size=8), st.integers(0, 8), st.integers(-(10**9), 10**9))
def test_statements_split_anywhere_say_the_same_movements(
    all_moved: list[Movement], at: int, opening: int
) -> None:
    whole = period(*all_moved, opening=opening)
    before = period(*all_moved[:at], opening=opening, closed_on=date(2026, 10, 15))
    after = period(*all_moved[at:], opening=before.closing_cents or 0, opened_on=date(2026, 10, 15))
    one, two = read("x", cfonb(before, after)).periods
    assert read("x", cfonb(whole)).periods == (whole,)
    assert one.movements + two.movements == whole.movements
    assert (one.closed_on, one.closing_cents) == (two.opened_on, two.opening_cents)
