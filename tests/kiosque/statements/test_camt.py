"""CAMT.053, in the versions that banks send."""

from datetime import date

import pytest

from kiosque.statements.reading import read
from kiosque.statements.records import FileKind, UnreadableFile
from tests import sentences
from tests.statement_files import camt, movement, period

REMITTANCE = movement(date(2026, 10, 5), 87_45, "REMISE CB ÉTÉ & CIE", "000042")
FEES = movement(date(2026, 10, 6), -12_07, "COMMISSIONS")
OCTOBER = period(REMITTANCE, FEES, opening=-100_00)


def refusal(content: bytes) -> str:
    with pytest.raises(UnreadableFile) as caught:
        read("releve.xml", content)
    return str(caught.value)


@pytest.mark.parametrize("version", ["02", "08", "13"])
def test_each_version_says_the_same(version: str) -> None:
    found = read("x", camt(OCTOBER, OCTOBER, version=version))
    assert found.kind is FileKind.CAMT
    assert found.periods == (OCTOBER, OCTOBER)


def test_utf_16_is_read_too() -> None:
    text = camt(OCTOBER).decode().replace("UTF-8", "UTF-16")
    assert read("x", text.encode("utf-16")).periods == (OCTOBER,)


@pytest.mark.parametrize("status", ["PDNG", "INFO"])
def test_what_is_not_booked_yet_is_no_movement(status: str) -> None:
    waiting = camt(OCTOBER).replace(b"BOOK", status.encode(), 1)
    waiting = waiting.replace(b'<Amt Ccy="EUR">24.62', b'<Amt Ccy="EUR">112.07')
    assert read("x", waiting).periods[0].movements == (FEES,)


def test_a_reversal_has_the_sign_that_the_bank_writes() -> None:
    content = camt(OCTOBER).replace(
        b"</CdtDbtInd><Sts>", b"</CdtDbtInd><RvslInd>true</RvslInd><Sts>"
    )
    assert read("x", content).periods == (OCTOBER,)


def test_the_bank_s_reference_stands_for_one_that_nobody_gave() -> None:
    content = camt(OCTOBER).replace(b"<BkTxCd/>", b"<AcctSvcrRef>B77</AcctSvcrRef><BkTxCd/>")
    first, second = read("x", content).periods[0].movements
    assert (first.reference, second.reference) == ("000042", "B77")


def test_what_a_payer_wrote_is_kept_but_not_his_iban() -> None:
    parties = (
        b"</Refs><RltdPties><Dbtr><Nm>M DUPONT</Nm></Dbtr><DbtrAcct><Id><IBAN>FR7630006000011234"
        b"567890189</IBAN></Id></DbtrAcct></RltdPties><RmtInf><Ustrd>CANTINE 2026-10-0001</Ustrd>"
        b"</RmtInf>"
    )
    found = read("x", camt(OCTOBER).replace(b"</Refs>", parties, 1))
    assert "M DUPONT CANTINE 2026-10-0001" in found.periods[0].movements[0].label
    assert "FR7630006000011234567890189" not in repr(found)


def test_a_first_balance_dated_of_the_first_day_is_that_of_the_day_before() -> None:
    told = period(REMITTANCE, FEES, opened_on=REMITTANCE.booked_on)
    (found,) = read("x", camt(told)).periods
    assert found == period(REMITTANCE, FEES, opened_on=date(2026, 10, 4))


def test_balances_that_do_not_add_up_are_told_with_the_difference() -> None:
    assert "12,07" in refusal(camt(OCTOBER).replace(b">12.07<", b">0.00<"))


@pytest.mark.parametrize(
    ("was", "becomes", "said"),
    [
        (b">87.45<", b">1e999<", "1e999"),
        (b">87.45<", b"><", "montant"),
        (b">87.45<", b">87.455<", "87.455"),
        (b'"EUR">87', b'"USD">87', "USD"),
        (b"87.45</Amt><CdtDbtInd>CRDT", b"87.45</Amt><CdtDbtInd>X", "« X »"),
        (b"<BookgDt><Dt>2026-10-05", b"<BookgDt><Dt>9999-10-05", "9999-10-05"),
        (b"<BookgDt><Dt>2026-10-05</Dt></BookgDt>", b"", "date"),
    ],
)
def test_each_value_that_cannot_be_is_quoted_with_its_line(
    was: bytes, becomes: bytes, said: str
) -> None:
    text = refusal(camt(OCTOBER).replace(was, becomes, 1))
    assert "ligne 3" in text
    assert said in text


def test_a_dtd_is_refused_before_what_it_declares_is_used() -> None:
    laughs = "".join(f'<!ENTITY l{at} "{f"&l{at - 1};" * 10}">' for at in range(1, 10))
    dtd = f'<!DOCTYPE x [<!ENTITY l0 "ha">{laughs}]>'.encode()
    content = camt(OCTOBER).replace(b"<Document", dtd + b"<Document").replace(b"B1", b"&l9;")
    assert sentences.NO_DTD in refusal(content)


@pytest.mark.parametrize("cut", [60, 300, 900])
def test_a_file_that_is_cut_is_refused(cut: int) -> None:
    assert "banque" in refusal(camt(OCTOBER)[:-cut])


def test_an_intraday_report_is_no_statement() -> None:
    assert "camt.052" in refusal(camt(OCTOBER).replace(b"camt.053", b"camt.052"))
    assert "Stmt" in refusal(camt())


def test_elements_nested_without_end_are_refused() -> None:
    assert refusal(camt(OCTOBER).replace(b"<BkTxCd/>", b"<a>" * 100_000))
