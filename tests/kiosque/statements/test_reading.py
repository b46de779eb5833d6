"""Any file: told apart by its content, and refused with a sentence where it is none of a bank's."""

import random
import time
from contextlib import suppress
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosque.statements import reading
from kiosque.statements.cells import french_iban
from kiosque.statements.reading import read
from kiosque.statements.records import FileKind, Unit, UnreadableFile
from tests.statement_files import camt, cfonb, csv, jo, jrb, jt, movement, ofx, operation, period

OCTOBER = period(
    movement(date(2026, 10, 5), 45_25, "REMISE CB 000042"),
    movement(date(2026, 10, 5), 45_25, "REMISE CB 000042"),
    movement(date(2026, 10, 6), -12_07, "COMMISSIONS"),
)
FILES = {
    FileKind.CFONB: cfonb(OCTOBER),
    FileKind.OFX: ofx(OCTOBER),
    FileKind.CAMT: camt(OCTOBER),
    FileKind.CSV: csv(OCTOBER),
    FileKind.JRB: jrb([operation()]),
    FileKind.JO: jo([operation()]),
    FileKind.JT: jt([operation()]),
}


def refusal(content: bytes) -> str:
    with pytest.raises(UnreadableFile) as caught:
        read("releve", content)
    assert caught.value.faults
    return str(caught.value)


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("name", ["releve.csv", "x.ofx", "../../etc/passwd", "", "a\0b"])
def test_a_file_is_told_by_its_content_whatever_its_name(kind: FileKind, name: str) -> None:
    assert read(name, FILES[kind], unit=Unit.CENTS).kind is kind


@pytest.mark.parametrize("kind", [FileKind.CFONB, FileKind.OFX, FileKind.CAMT, FileKind.CSV])
def test_two_identical_movements_of_one_day_are_two(kind: FileKind) -> None:
    [found] = read("x", FILES[kind]).periods
    assert found.movements == OCTOBER.movements


@pytest.mark.parametrize("kind", [FileKind.CFONB, FileKind.OFX, FileKind.CAMT])
def test_every_format_names_an_account_alike_and_chains_by_its_balances(kind: FileKind) -> None:
    [found] = read("x", FILES[kind]).periods
    assert (found.account, found.opening_cents) == (OCTOBER.account, OCTOBER.opening_cents)
    assert (found.closed_on, found.closing_cents) == (OCTOBER.closed_on, OCTOBER.closing_cents)


def test_the_iban_is_that_of_the_bank_the_branch_and_the_number() -> None:
    assert french_iban("20041", "01005", "0500013M026") == "FR1420041010050500013M02606"
    assert french_iban("", "", "0500013M026") == "0500013M026"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b" \r\n \n",
        b"\0" * 5000,
        b"%PDF-1.7\n",
        b"\x89PNG\r\n\x1a\n\0\0",
        b"PK\x03\x04 and no zip",
        b"<html><body>Connexion</body></html>",
        b"<PES_Retour/>",
        b"bonjour",
        b"a;b;c\n\0;1;2\n",
        b"\xff\xfe\xff",
        b"\x81\x8d\x8f",
        b"TITRE",
        b"x" * 1_000_000,
        b'"' * 1_000_000,
        b"Date;Montant;Solde;" * 50_000,
        b";" * 2_000_000,
        b";".join(b"c%d" % number for number in range(200_000)),
        b"\n" * 10_000_000,
        ("e" + "\u0315\u0300" * 80_000).encode(),
        b"<OFX>" + b"<A>" * 100_000,
        b"<OFX>" + b"<![CDATA[" * 100_000,
        b"<?xml version='1.0' encoding='utf-7'?><a>camt.053.001.08</a>",
        b"<a>camt.053.001.08",
        b"0110071    44000EUR2 00001234567  300926" + b" " * 2_000_000,
        b"Date;Libelle;Montant\n05/10/2026;X;1" + b" " * 100_000 + b"x",
        b"Date;Libelle;Montant\n05/10/2026" + b" " * 100_000 + b"x;X;1",
    ],
    ids=lambda content: repr(content[:20]),
)
def test_what_is_no_statement_is_refused_soon_with_a_sentence(content: bytes) -> None:
    began = time.process_time()
    assert refusal(content)
    assert time.process_time() - began < 5


def test_a_file_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_BYTES", 100)
    assert "20 Mo" in refusal(FILES[FileKind.CFONB])


@pytest.mark.parametrize("kind", [FileKind.CFONB, FileKind.CSV, FileKind.OFX, FileKind.JRB])
def test_a_file_of_too_many_lines_is_refused(
    kind: FileKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MAX_LINES", 2)
    assert "lignes" in refusal(FILES[kind])


def spoilt(content: bytes, seed: int) -> bytes:
    """Cut, repeat, or change some bytes or some parts of a file, a few times."""
    draw = random.Random(seed)
    for _ in range(draw.randint(1, 4)):
        if draw.random() < 0.5:
            mark = draw.choice([b"\n", b"<", b";"])
            parts = content.split(mark)
            at = draw.randrange(len(parts))
            parts[at : at + 1] = draw.choice([[], [parts[at]] * 2, [draw.choice(parts)]])
            content = mark.join(parts)
        else:
            at, length = draw.randrange(len(content) + 1), draw.randrange(40)
            noise = draw.choice([b"", draw.randbytes(length), content[at : at + length] * 2])
            content = content[:at] + noise + content[at + length :]
    return content


@pytest.mark.parametrize("kind", FILES)
def test_a_file_cut_or_spoilt_is_read_or_refused_in_good_order(kind: FileKind) -> None:
    for seed in range(300):
        check(spoilt(FILES[kind], seed), Unit.CENTS)


@given(st.binary(max_size=300), st.sampled_from(sorted(FILES)))
def test_any_bytes_are_read_or_refused_in_good_order(noise: bytes, kind: FileKind) -> None:
    check(noise)
    check(FILES[kind][:100] + noise)


def check(content: bytes, unit: Unit | None = None) -> None:
    """Check that a file which is read adds up, and that one which is not says why."""
    with suppress(UnreadableFile):
        for told in read("x", content, unit=unit).periods:
            if told.opening_cents is not None and told.closing_cents is not None:
                moved = sum(each.cents for each in told.movements)
                assert told.opening_cents + moved == told.closing_cents


def test_many_movements_are_read_in_some_seconds() -> None:
    moved = (movement(date(2026, 10, 1 + at // 800), at + 1, f"CB {at}") for at in range(20_000))
    many = period(*moved)
    for content in (cfonb(many), csv(many)):
        began = time.process_time()
        assert len(read("x", content).periods[0].movements) == 20_000
        assert time.process_time() - began < 5
