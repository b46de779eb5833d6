"""OFX: SGML or XML, whatever charset it declares."""

from dataclasses import replace
from datetime import date

import pytest

from kiosque.statements.reading import read
from kiosque.statements.records import FileKind, UnreadableFile
from tests.statement_files import movement, ofx, period

REMITTANCE = movement(date(2026, 10, 5), 87_45, "REMISE CB ÉTÉ & CIE", "000042")
FEES = movement(date(2026, 10, 6), -12_07, "COMMISSIONS")
OCTOBER = period(REMITTANCE, FEES, opening=100_00)


def refusal(content: bytes) -> str:
    with pytest.raises(UnreadableFile) as caught:
        read("releve.ofx", content)
    return str(caught.value)


@pytest.mark.parametrize(
    ("charset", "encoding"),
    [("1252", "cp1252"), ("1252", "utf-8"), ("UTF-8", "cp1252"), ("NONE", "utf-8")],
)
def test_a_file_is_read_by_what_it_holds_not_by_the_charset_it_declares(
    charset: str, encoding: str
) -> None:
    found = read("x", ofx(OCTOBER, charset=charset, encoding=encoding))
    assert found.kind is FileKind.OFX
    assert found.periods == (OCTOBER,)


def test_xml_is_read_as_sgml_is() -> None:
    text = ofx(OCTOBER).decode("cp1252").partition("<OFX>")[2]
    lines = [
        f"{line}</{line[1:].partition('>')[0]}>" if not line.endswith(">") else line
        for line in text.splitlines()
    ]
    head = '<?xml version="1.0" encoding="UTF-8"?><?OFX OFXHEADER="200" VERSION="220"?><OFX>'
    assert read("x", (head + "".join(lines)).encode()).periods == (OCTOBER,)


def test_several_accounts_are_several_statements() -> None:
    assert read("x", ofx(OCTOBER, OCTOBER)).periods == (OCTOBER, OCTOBER)


@pytest.mark.parametrize("written", ["+ 87.45", "87,45", "+87.45", "87.4500"])
def test_amounts_are_read_as_banks_write_them(written: str) -> None:
    content = ofx(OCTOBER).replace(b"<TRNAMT>87.45", f"<TRNAMT>{written}".encode())
    assert read("x", content).periods == (OCTOBER,)


def test_the_balance_of_another_day_is_not_that_of_the_statement() -> None:
    content = ofx(OCTOBER).replace(b"<DTASOF>20261031", b"<DTASOF>20261103")
    [found] = read("x", content).periods
    assert (found.opening_cents, found.closing_cents) == (None, None)
    assert found.movements == OCTOBER.movements


def test_what_a_bank_draws_anew_at_each_download_is_not_kept() -> None:
    again = ofx(OCTOBER).replace(b"<FITID>1", b"<FITID>7X")
    assert read("x", again) == read("x", ofx(OCTOBER))


def test_the_account_of_who_paid_is_not_kept() -> None:
    to = b"<BANKACCTTO><BANKID>30004<ACCTID>99999999999</BANKACCTTO></STMTTRN>"
    content = ofx(OCTOBER).replace(b"</STMTTRN>", to)
    assert read("x", content).periods == (OCTOBER,)


def test_a_name_and_a_memo_are_one_label() -> None:
    content = ofx(OCTOBER).replace(b"</STMTTRN>", b"<MEMO><![CDATA[KF0001]]></STMTTRN>")
    first, _second = read("x", content).periods[0].movements
    assert first == replace(REMITTANCE, label="REMISE CB ÉTÉ & CIE KF0001")


@pytest.mark.parametrize(
    ("was", "becomes", "said"),
    [
        (b"<TRNAMT>87.45", b"<TRNAMT>1e999", "1e999"),
        (b"<TRNAMT>87.45", b"<TRNAMT>1.234", "1.234"),
        (b"<TRNAMT>87.45\r\n", b"", "montant"),
        (b"<DTPOSTED>20261005", b"<DTPOSTED>20269905", "20269905"),
        (b"<DTPOSTED>20261005", b"<DTPOSTED>10000101", "10000101"),
        (b"<TRNTYPE>CREDIT", b"<CURRENCY><CURSYM>USD</CURRENCY>", "USD"),
    ],
)
def test_each_value_that_cannot_be_is_quoted_with_its_line(
    was: bytes, becomes: bytes, said: str
) -> None:
    text = refusal(ofx(OCTOBER).replace(was, becomes, 1))
    assert "ligne 3" in text  # thirty and some
    assert said in text


def test_another_currency_is_refused() -> None:
    assert "CHF" in refusal(ofx(OCTOBER).replace(b"<CURDEF>EUR", b"<CURDEF>CHF"))


def test_a_file_that_is_cut_is_refused() -> None:
    assert "coupé" in refusal(ofx(OCTOBER).partition(b"</BANKTRANLIST>")[0])
    assert "coupé" in refusal(ofx())


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        (b"</STMTTRN>", b"</STMTTRN></STMTTRN>"),
        (b"</STMTTRN>", b""),
        (b"<STMTTRN>", b""),
        (b"<STMTRS>", b""),
        (b"<STMTRS>", b"<STMTRS><STMTRS>"),
        (b"</STMTRS>", b"</STMTRS></STMTRS>"),
    ],
)
def test_a_movement_or_a_statement_that_begins_or_ends_twice_is_refused(
    was: bytes, becomes: bytes
) -> None:
    assert refusal(ofx(OCTOBER).replace(was, becomes, 1))
