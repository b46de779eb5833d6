"""The acquirer's journals: JRB, JO and JT."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest

from kiosque.statements.reading import read
from kiosque.statements.records import Direction, FileKind, Operation, Unit, UnreadableFile
from tests.kiosque.invoices.workbooks import number, text, xlsx
from tests.kiosque.invoices.workbooks import rows as sheet
from tests.statement_files import JT_COLUMNS, jo, jrb, jt, operation

PAID = operation(45_25, fee=23)
REFUNDED = operation(-45_25, transaction="900001", fee=0)
WAITING = operation(12_00, transaction="000124", fee=None, remitted_on=None, remittance="")
PAYMENTS = (PAID, REFUNDED, WAITING)


def refusal(content: bytes, **answers: Unit) -> UnreadableFile:
    with pytest.raises(UnreadableFile) as caught:
        read("journal.csv", content, **answers)  # type: ignore[arg-type]
    return caught.value


@pytest.mark.parametrize("version", [1, 2, 3])
@pytest.mark.parametrize("euros", [False, True])
def test_each_version_of_the_jrb_says_the_same_in_cents_and_in_euros(
    version: int, euros: bool
) -> None:
    found = read("x", jrb(PAYMENTS, version, euros=euros))
    assert found.kind is FileKind.JRB
    assert found.operations == PAYMENTS


def test_a_comma_before_the_cents_is_as_good_as_a_point() -> None:
    content = jrb(PAYMENTS, euros=True).replace(b".25", b",25").replace(b".02", b",02")
    assert read("x", content).operations == PAYMENTS


def test_columns_are_found_by_their_names_in_any_order() -> None:
    rows = [line.split(";") for line in jrb(PAYMENTS).decode().splitlines()]
    order = [0, *reversed(range(1, len(rows[1])))]
    turned = [[row[at] for at in order] for row in rows[1:-1]]
    lines = [";".join(cells) for cells in (rows[0], *turned, rows[-1])]
    assert read("x", "\n".join(lines).encode()).operations == PAYMENTS


@pytest.mark.parametrize("version", [2, 3])
def test_a_jo_is_not_taken_for_the_jrb_that_has_its_version(version: int) -> None:
    captured = replace(PAID, status="CAPTURE", fee_cents=None, remitted_on=None, remittance="")
    refunded = replace(REFUNDED, status="REFUND", fee_cents=None, remitted_on=None, remittance="")
    found = read("x", jo((captured, refunded), version))
    assert found.kind is FileKind.JO
    assert found.operations == (captured, refunded)


def of_jt(told: Operation, status: str = "CAPTURED") -> Operation:
    return replace(told, status=status, fee_cents=None, remitted_on=None, remittance="")


def test_a_jt_is_read_by_the_names_that_the_shop_gave_its_columns() -> None:
    payments = (of_jt(PAID), of_jt(REFUNDED), of_jt(WAITING, "REFUSED"))
    assert read("x", jt(payments), unit=Unit.CENTS).operations == payments
    names = {
        "PAYMENT_DATE": "Date du paiement", "ORDER_ID": "Commande", "CONTRACT": "Contrat",
        "TRANSACTION_TYPE": "Type", "ORIGIN_AMOUNT": "Montant total",
        "TRANSACTION_STATUS": "Statut",
    }  # fmt: skip
    found = read("x", jt(payments, names), unit=Unit.CENTS)
    assert found.kind is FileKind.JT
    assert found.operations == tuple(replace(each, transaction_id="") for each in payments)


def test_a_card_that_was_only_tried_is_no_payment() -> None:
    content = jt([of_jt(PAID), of_jt(PAID)]).replace(b"DEBIT", b"VERIFICATION", 1)
    assert len(read("x", content, unit=Unit.CENTS).operations) == 1


@pytest.mark.parametrize("empty", [jrb([]), jo([]), jo([], 2), jt([])])
def test_an_empty_journal_is_one(empty: bytes) -> None:
    assert read("x", empty).operations == ()
    assert read("x", jrb([])).kind is FileKind.JRB
    assert read("x", jt([])).kind is FileKind.JT
    assert read("x", jo([])).kind is FileKind.JO


def test_what_may_tell_of_a_person_is_not_kept() -> None:
    assert b"F1001" in jrb(PAYMENTS)
    found = repr(read("x", jrb(PAYMENTS)))
    assert "F1001" not in found
    assert "note" not in found


# --- cents or euros ---------------------------------------------------------------------------

ROUND = (operation(45_00, fee=None), operation(30_00, fee=None, transaction="000124"))


def test_round_amounts_that_may_be_cents_or_euros_are_refused_until_somebody_says_it() -> None:
    assert refusal(jrb(ROUND)).wants_unit
    assert refusal(jt([of_jt(PAID)])).wants_unit
    assert read("x", jrb(ROUND), unit=Unit.CENTS).operations == ROUND
    in_euros = jrb(ROUND, euros=True).replace(b".00", b"")
    assert refusal(in_euros).wants_unit
    assert read("x", in_euros, unit=Unit.EUROS).operations == ROUND


@pytest.mark.parametrize("content", [jrb(ROUND), jrb(ROUND, euros=True).replace(b".00", b"")])
def test_a_payment_of_ours_tells_whether_amounts_are_cents_or_euros(content: bytes) -> None:
    def known(day: date, transaction: str) -> int | None:
        return 30_00 if (day, transaction) == (ROUND[1].gateway_day, "000124") else None

    assert read("x", content, known=known).operations == ROUND


def test_a_payment_of_another_amount_tells_nothing() -> None:
    with pytest.raises(UnreadableFile):
        read("x", jrb(ROUND), known=lambda _day, _transaction: 31_00)


def test_a_fee_tells_that_amounts_are_cents() -> None:
    assert read("x", jrb([PAID])).operations == (PAID,)
    small = replace(PAID, fee_cents=4)
    assert refusal(jrb([small])).wants_unit


def test_a_journal_half_of_whose_amounts_have_decimals_is_refused() -> None:
    mixed = jrb(ROUND, euros=True).replace(b"30.00", b"3000")
    assert refusal(mixed).wants_unit
    assert refusal(mixed, unit=Unit.CENTS)
    whole_euros = jrb(ROUND, euros=True).replace(b"30.00", b"30")
    assert read("x", whole_euros, unit=Unit.EUROS).operations == ROUND
    assert read("x", whole_euros, known=lambda _day, _transaction: 30_00).operations == ROUND


def test_whole_euros_are_proven_by_a_net_that_has_decimals() -> None:
    paid = replace(PAID, cents=45_00)
    content = jrb([paid], euros=True).replace(b"45.00", b"45")
    assert read("x", content).operations == (paid,)
    assert "4\u202f500,00" in str(refusal(content.replace(b";45;", b";4500;")))


def test_a_unit_that_the_file_contradicts_is_refused() -> None:
    assert "45.25" in str(refusal(jrb([PAID], euros=True), unit=Unit.CENTS))


# --- what is refused --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("was", "becomes", "said"),
    [
        ("20261005", "20261305", "20261305"),
        ("20261006", "demain", "demain"),
        (";DT;", ";XX;", "« XX »"),
        ("000123", "00 123", "00 123"),
        (";978;CB", ";840;CB", "840"),
        (";4525;MATCH_OK", ";0;MATCH_OK", "« 0 »"),
        (";4525;MATCH_OK", ";1e999;MATCH_OK", "1e999"),
        (";4525;MATCH_OK", ";-4525;MATCH_OK", "-4525"),
        (";4525;MATCH_OK", ";9999999999999;MATCH_OK", "9999999999999"),
        (";4502;", ";4501;", "45,01"),
    ],
)
def test_each_value_that_cannot_be_is_quoted_with_its_line(
    was: str, becomes: str, said: str
) -> None:
    content = jrb([PAID, WAITING]).replace(was.encode(), becomes.encode(), 1)
    text = str(refusal(content))
    assert "ligne 3" in text
    assert said in text


def test_every_fault_is_said_at_once() -> None:
    content = jrb(PAYMENTS).replace(b"20261005", b"demain").replace(b";DT;", b";XX;")
    faults = refusal(content).faults
    assert [fault.partition(" :")[0] for fault in faults] == [
        "ligne 3", "ligne 3", "ligne 4", "ligne 5", "ligne 5",
    ]  # fmt: skip


@pytest.mark.parametrize("journal", [jrb, jo])
def test_a_journal_without_its_last_line_was_cut(
    journal: Callable[[list[Operation]], bytes],
) -> None:
    cut = journal([PAID, PAID]).rpartition(b"FIN")[0]
    assert "FIN" in str(refusal(cut))
    assert "FIN" in str(refusal(journal([PAID]) + cut))


def test_a_journal_of_another_kind_is_refused() -> None:
    assert "CHARGEBACK" in str(refusal(jrb([PAID]).replace(b"MATCHING", b"CHARGEBACK")))
    both = jrb([PAID, PAID]).replace(b"MATCHING", b"OPERATION", 1)
    assert "MATCHING, OPERATION" in str(refusal(both))


def test_the_journal_of_chargebacks_is_refused_in_one_sentence_that_says_what_to_do() -> None:
    lines = ("TITRE;200109;JRI;TABLE_V1", "ENTETE;SHOP;DAY;SUM", *["UNPAID;1;2;3"] * 30, "FIN;30")
    (said,) = refusal("\n".join(lines).encode()).faults
    assert "JRI" in said
    assert "impayé" in said


@pytest.mark.parametrize("name", ["TRANSACTION_TYPE", "ORIGIN_AMOUNT", "PAYMENT_DATE"])
def test_a_column_that_a_shop_left_out_is_named(name: str) -> None:
    names = {each: each for each in JT_COLUMNS if each != name}
    assert "ligne 2" in str(refusal(jt([PAID], names)))


def test_a_payment_needs_a_name_in_the_journal() -> None:
    names = {each: each for each in JT_COLUMNS if each not in {"TRANSACTION_ID", "ORDER_ID"}}
    assert "TRANSACTION_ID" in str(refusal(jt([PAID], names)))


def test_a_file_without_the_names_of_its_columns_is_refused() -> None:
    title, _header, *rest = jrb([PAID]).splitlines(keepends=True)
    assert "ligne 2" in str(refusal(b"".join((title, *rest))))
    assert "ENTETE" in str(refusal(title))


def test_a_refund_whose_fee_is_given_back_costs_less_than_nothing() -> None:
    back = replace(REFUNDED, fee_cents=-23)
    assert read("x", jrb([PAID, back])).operations == (PAID, back)
    assert back.direction is Direction.CREDIT


def test_the_day_of_an_instant_is_the_utc_one() -> None:
    content = jrb([PAID], 3).replace(b"2026-10-05T13:33Z", b"2026-10-06T01:30+02:00")
    assert read("x", content).operations == (PAID,)
    assert "25:61" in str(refusal(content.replace(b"01:30+", b"25:61+")))


def test_zeros_that_a_spreadsheet_took_from_a_number_are_given_back() -> None:
    content = jrb([PAID]).replace(b"000123", b"123").replace(b";", b"\t")
    assert read("x", content).operations == (PAID,)


def test_a_journal_that_was_saved_by_a_spreadsheet_is_still_one() -> None:
    rows = [line.rstrip(";").split(";") for line in jrb([PAID, REFUNDED]).decode().splitlines()]
    as_numbers = {"000123": number(123), "4525": number(4525), "20261005": number(20261005)}
    cells = [[as_numbers.get(cell, text(cell)) for cell in row] for row in rows]
    assert read("x", xlsx(sheet(*cells))).operations == (PAID, REFUNDED)
