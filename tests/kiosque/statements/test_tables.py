"""CSV and workbooks of any bank."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosque.statements.cells import cents_in
from kiosque.statements.reading import read
from kiosque.statements.records import (
    FileKind,
    Meaning,
    Movement,
    Period,
    UnknownColumns,
    UnreadableFile,
)
from tests.kiosque.invoices.workbooks import DATE, number, rows, text, xlsx
from tests.statement_files import csv, movement, period

REMITTANCE = movement(date(2026, 10, 5), 87_45, "REMISE CB ÉTÉ", "000042")
AGAIN = movement(date(2026, 10, 5), 87_45, "REMISE CB ÉTÉ", "000042")
FEES = movement(date(2026, 10, 6), -12_07, "COMMISSIONS")
MOVED = (REMITTANCE, AGAIN, FEES)
OCTOBER = period(*MOVED, opening=-100_00)
#: A CSV names no account, and tells no day before its first.
READ = replace(OCTOBER, account="", opened_on=None, closed_on=date(2026, 10, 6))

PLAIN = "Date;Libellé;Montant\n05/10/2026;REMISE CB;{}\n"


def one(content: str) -> Period:
    [found] = read("x", content.encode()).periods
    return found


def refusal(content: str | bytes) -> str:
    with pytest.raises(UnreadableFile) as caught:
        read("x", content.encode() if isinstance(content, str) else content)
    return str(caught.value)


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("backwards", [False, True])
def test_a_table_is_read_in_the_order_of_time(encoding: str, backwards: bool) -> None:
    found = read("x", csv(OCTOBER, backwards=backwards, encoding=encoding))
    assert found.kind is FileKind.CSV
    assert found.periods == (READ,)


def test_movements_of_one_day_are_put_in_the_order_of_their_balances() -> None:
    day = period(*(movement(date(2026, 10, 5), cents, str(cents)) for cents in (5, -3, 7)))
    for backwards in (False, True):
        [found] = read("x", csv(day, backwards=backwards)).periods
        assert found.movements == day.movements


@pytest.mark.parametrize("separator", [";", ",", "\t", "|"])
def test_any_separator_is_understood(separator: str) -> None:
    head = separator.join(("Date", "Libellé", "Montant"))
    line = separator.join(("2026-10-05", '"REMISE, CB; 1|2"', "87.45"))
    assert one(f"{head}\n{line}\n").movements[0].cents == 87_45


@pytest.mark.parametrize(
    ("header", "line"),
    [
        (
            "Date d'opération,Date de valeur,Montant,Libellé,Solde",
            "05/10/2026,05/10/2026,-4.00,X,9",
        ),
        ("Date opération;Date valeur;libellé;Débit;Crédit", "05/10/2026;05/10/2026;X;-4,00;"),
        ("Date;Libellé;Débit euros;Crédit euros", "05/10/2026;X;4,00;"),
        ("Date;Libellé;Montant(EUROS)", "05/10/26;X;-4"),
        ("DATE COMPTABLE;INTITULE;MONTANT (€);SENS", "20261005;X;4,00;D"),
        ("Booking date;Value date;Description;Amount;Currency", "2026-10-05;;X;-4.00;EUR"),
    ],
)
def test_columns_are_guessed_from_their_names(header: str, line: str) -> None:
    [found] = one(f"{header}\n{line}\n").movements
    assert (found.booked_on, found.cents, found.label) == (date(2026, 10, 5), -4_00, "X")


def test_what_precedes_and_ends_a_table_is_no_movement() -> None:
    found = one(
        "Téléchargement du 01/11/2026\n\nCompte courant n° 00001234567\n"
        "Solde au 31/10/2026;1 234,56\n" + PLAIN.format("1 087,45") + ";TOTAL;1 087,45\n\nFin\n"
    )
    assert found.account == "00001234567"
    assert [each.cents for each in found.movements] == [1_087_45]


def test_accounts_in_a_column_are_as_many_statements() -> None:
    head = "Compte;Date;Libellé;Montant;Solde\n"
    lines = "A1;05/10/2026;X;1;1\nB2;05/10/2026;Y;2;7\nA1;06/10/2026;Z;3;4\n"
    found = read("x", (head + lines).encode()).periods
    assert [(each.account, each.opening_cents, each.closing_cents) for each in found] == [
        ("A1", 0, 4_00), ("B2", 5_00, 7_00),
    ]  # fmt: skip


# --- columns that nobody knows ----------------------------------------------------------------

STRANGE = "Quand;Quoi;Combien\n05/10/2026;REMISE CB;87,45\n"
ANSWERS = {Meaning.BOOKED_ON: "Quand", Meaning.LABEL: "Quoi", Meaning.AMOUNT: "Combien"}


def question(content: str) -> UnknownColumns:
    with pytest.raises(UnknownColumns) as caught:
        read("x", content.encode())
    return caught.value


def test_columns_that_cannot_be_guessed_are_asked_for_once() -> None:
    asked = question(STRANGE)
    assert asked.header == ("Quand", "Quoi", "Combien")
    assert asked.proposal == {}
    known = {asked.signature: ANSWERS}
    assert question(STRANGE.replace("05/10", "06/10")).signature == asked.signature
    [found] = read("x", STRANGE.encode(), known).periods
    assert found.movements == (Movement(date(2026, 10, 5), None, 87_45, "REMISE CB", ""),)


def test_what_could_be_guessed_is_proposed() -> None:
    asked = question("Date;Quoi;Débit\n05/10/2026;X;4\n")
    assert asked.proposal == {Meaning.BOOKED_ON: "Date", Meaning.DEBIT: "Débit"}
    assert len(asked.faults) == 2


def test_what_a_person_answered_goes_before_what_is_guessed() -> None:
    content = "Date;Libellé;Montant;Net\n05/10/2026;X;9;4\n"
    signature = question(content.replace("Libellé", "Quoi")).signature
    header = {Meaning.BOOKED_ON: "Date", Meaning.LABEL: "Quoi", Meaning.AMOUNT: "Net"}
    found = read("x", content.replace("Libellé", "Quoi").encode(), {signature: header})
    assert found.periods[0].movements[0].cents == 4_00


def test_an_answer_that_names_no_column_of_the_file_is_asked_for_again() -> None:
    answers = {question(STRANGE).signature: {**ANSWERS, Meaning.AMOUNT: "Autre"}}
    with pytest.raises(UnknownColumns):
        read("x", STRANGE.encode(), answers)


def test_a_table_without_names_of_columns_is_understood_once_they_are_told() -> None:
    lines = "05/10/2026;REMISE CB;87,45\n06/10/2026;FRAIS;-12,07\n"
    asked = question(lines)
    assert len(asked.header) == 3
    answers = dict(zip(ANSWERS, asked.header, strict=True))
    [found] = read("x", lines.encode(), {asked.signature: answers}).periods
    assert [each.cents for each in found.movements] == [87_45, -12_07]


# --- what is refused --------------------------------------------------------------------------


def test_a_balance_that_does_not_follow_is_told_with_its_line_and_the_difference() -> None:
    lines = csv(OCTOBER).splitlines(keepends=True)
    text = refusal(b"".join((*lines[:2], *lines[3:])))
    assert "ligne 3" in text
    assert "87,45" in text


def test_an_iban_above_the_table_names_the_account() -> None:
    found = one("IBAN : FR14 2004 1010 0505 0001 3M02 606\n" + PLAIN.format("4"))
    assert found.account == "FR1420041010050500013M02606"


@pytest.mark.parametrize("hour", [" 14:05", "T14:05:00", " 14:05:00.123"])
def test_the_hour_of_a_movement_does_not_change_its_day(hour: str) -> None:
    for day in ("05/10/2026", "2026-10-05"):
        content = PLAIN.format("4").replace("05/10/2026", day + hour)
        assert one(content).movements[0].booked_on == date(2026, 10, 5)


@pytest.mark.parametrize(
    "written",
    [
        "",
        "9" * 15,
        "1e999",
        "1.234",
        "1,2,3",
        "12,345",
        "--4",
        "(4)",
        "=4+4",
        "nan",
        "∞",
        "9" * 16,
        "4" * 9000,
    ],
)
def test_an_amount_that_cannot_be_read_is_never_zero(written: str) -> None:
    assert "ligne 2" in refusal(PLAIN.format(f'"{written}"'))


@pytest.mark.parametrize(
    ("header", "line"),
    [
        ("Date;Libellé;Débit;Crédit", "05/10/2026;X;4;4"),
        ("Date;Libellé;Débit;Crédit", "05/10/2026;X;;"),
        ("Date;Libellé;Débit;Crédit", "05/10/2026;X;;-4"),
        ("Date;Libellé;Montant", ";X;4"),
        ("Date;Libellé;Montant", "31/02/2026;X;4"),
        ("Date;Libellé;Montant", "05/10/1926;X;4"),
        ("Date;Libellé;Montant;Devise", "05/10/2026;X;4;USD"),
        ("Date;Libellé;Montant;Sens", "05/10/2026;X;4;?"),
        ("Date;Libellé;Montant;Sens", "05/10/2026;X;4;"),
        ("Date;Libellé;Montant", '05/10/2026;"X;4'),
    ],
)
def test_a_line_that_cannot_be_is_refused(header: str, line: str) -> None:
    assert "ligne" in refusal(f"{header}\n{line}\n")


def test_every_fault_is_said_at_once() -> None:
    text = refusal("Date;Libellé;Montant\nhier;X;1\n05/10/2026;Y;2\nhier;Z;trois\n")
    assert text.count("ligne 2") == 1
    assert text.count("ligne 4") == 2
    assert "ligne 3" not in text


def test_a_table_without_movement_is_refused() -> None:
    assert refusal("Date;Libellé;Montant\n")


# --- workbooks --------------------------------------------------------------------------------


def book(*lines: Sequence[str]) -> bytes:
    return xlsx(rows(*lines))


def test_a_workbook_is_read_as_the_table_that_it_is() -> None:
    head = [text(name) for name in ("Date", "Libellé", "Débit", "Crédit")]
    content = book(
        [text("Compte courant")],
        head,
        [number(46300, DATE), text("REMISE CB"), text(""), number(87.45)],
        [text("07/10/2026"), text("FRAIS"), number(12.07), text("")],
    )
    [found] = read("x", content).periods
    assert [each.cents for each in found.movements] == [87_45, -12_07]


def test_a_workbook_of_nothing_is_refused() -> None:
    assert refusal(book([text("")]))


# --- amounts ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "cents"),
    [
        ("87,45", 87_45), ("+ 87.45", 87_45), ("-87,45 €", -87_45), ("87,45-", -87_45),
        ("1 234,50", 1_234_50), ("1\u202f234,5", 1_234_50), ("1.234,50", 1_234_50),
        ("1,234.50", 1_234_50), ("1.234.567", 1_234_567_00), ("12", 12_00), ("0,00", 0),
        ("12.5000", 12_50), ("−4", -4_00),
    ],
)  # fmt: skip
def test_an_amount_is_read_as_people_write_it(written: str, cents: int) -> None:
    assert cents_in(written) == cents


moved = st.builds(
    Movement,
    st.just(date(2026, 10, 5)),
    st.just(date(2026, 10, 5)),
    st.integers(-(10**9), 10**9).filter(bool),
    st.text("ABCÉ;\"'", max_size=30),
    st.text("ABC0123", max_size=16),
)


@given(st.lists(moved, min_size=1, max_size=8), st.integers(-(10**9), 10**9))
def test_any_movements_are_read_as_they_are_written(
    all_moved: list[Movement], opening: int
) -> None:
    told = period(*all_moved, opening=opening)
    [found] = read("x", csv(told)).periods
    assert found.movements == told.movements
    assert (found.opening_cents, found.closing_cents) == (told.opening_cents, told.closing_cents)
