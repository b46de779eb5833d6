"""Money that the Treasury says it received pays what it collects, each *encaissement* once."""

from datetime import date
from pathlib import Path

import pytest

from kiosque import payments
from kiosque.closings import closing
from kiosque.closings.closing import Request
from kiosque.db.models import Anomaly, Family, ImportBatch, Invoice, Settlement
from kiosque.db.states import RepaymentKind
from kiosque.invoices import imports
from kiosque.invoices.imports import BadFile, FileSummary
from kiosque.language import clock
from kiosque.payments import journal, verification
from tests import sentences
from tests.conftest import Clock, make_invoice
from tests.kiosque.closings.conftest import NOVEMBER, in_december
from tests.kiosque.invoices import treasury
from tests.kiosque.invoices.files import Load, warned
from tests.kiosque.invoices.samples import SAMPLES, with_samples
from tests.kiosque.invoices.treasury import piece, received, returned

SAMPLE = "1_PES_RecetteRetour_s2low_PES_Exemple_Retour.xml"
ISSUED = {"issued_on": date(2006, 1, 13), "due_on": date(2006, 2, 13)}


@pytest.fixture
def titre(empty_database: None, alices_family: Family) -> Invoice:
    return treasury.titre(alices_family)


def put(load: Load, *pieces: str, on: str = "2026-11-21", kind: str = "0") -> FileSummary:
    return load(returned(*pieces, on=on, kind=kind), name="retour.xml")


def state() -> tuple[str, int]:
    invoice = Invoice.get(Invoice.number == "2026-12-1")
    return invoice.state, invoice.paid_cents


@with_samples
def test_the_sample_of_a_return_pays_its_titres_to_the_cent(
    empty_database: None, alices_family: Family, tmp_path: Path
) -> None:
    numbers = {"2005-44-1449": 27405, "2005-44-1456": 43051}
    for number, cents in numbers.items():
        make_invoice(alices_family, number, cents, **ISSUED)
    payments.transmit(list(numbers), "bordereau 44", date(2006, 1, 16), "D", "titres")
    summary = imports.load(SAMPLES / SAMPLE, pdf_folder=tmp_path)
    assert (summary.rows, summary.added, summary.total_cents) == (4, 4, 58207)
    found = {each.number: (each.state, each.paid_cents) for each in Invoice.select()}
    assert found == {"2005-44-1449": ("transmitted", 15156), "2005-44-1456": ("paid", 43051)}
    assert journal.balances() == {"counter:treasury": 58207, "invoices": -58207}
    again = imports.load(SAMPLES / SAMPLE, pdf_folder=tmp_path)
    assert (again.added, again.unchanged) == (0, 4)
    assert verification.faults() == []


def test_each_statement_adds_what_the_one_before_lacked(load: Load, titre: Invoice) -> None:
    first = piece(received("15.20"))
    assert put(load, first).added == 1
    both = piece(received("15.20"), received("30", name="8"))
    summary = put(load, both, on="2026-11-22")
    assert (summary.added, summary.unchanged) == (1, 1)
    assert state() == ("paid", 4520)
    assert {each.reason for each in Settlement.select()} == {
        "PES retour 123/00 2026-0012-0001-1-7",
        "PES retour 123/00 2026-0012-0001-1-8",
    }


def test_money_received_in_a_month_closed_since_is_dated_of_the_day(
    load: Load, titre: Invoice, frozen: Clock
) -> None:
    in_december(frozen)
    closing.close("", NOVEMBER, Request("Dominique", "aucun relevé"))
    summary = put(load, piece(received("45.20")), on="2026-12-02")
    assert "20/11/2026" in warned(summary)[0]
    assert state() == ("paid", 4520)
    assert Settlement.get().settled_at.date() == clock.today()
    assert put(load, piece(received("45.20")), on="2026-12-03").unchanged == 1
    assert verification.faults() == []


def test_an_older_statement_after_a_newer_one_changes_nothing(load: Load, titre: Invoice) -> None:
    put(load, piece(received("15.20")))
    odd = piece(received("15.20"), received("9.99", name="taken back since"))
    summary = put(load, odd, on="2026-11-20")
    assert summary.added == 0
    assert sentences.OLDER_STATEMENT in warned(summary)[0]
    assert state() == ("transmitted", 1520)
    assert put(load, piece(received("1", name="9")), on="2026-11-19", kind="2").added == 1
    batches = ImportBatch.select().order_by(ImportBatch.id)
    dates = [each.statement_on for each in batches if each.statement]
    assert dates == [date(2026, 11, 21), date(2026, 11, 20)]


def test_what_is_not_ours_or_cannot_be_noted_is_told_and_refuses_nothing(
    load: Load, titre: Invoice, alices_family: Family
) -> None:
    make_invoice(alices_family, "2026-12-2", state="cancelled")
    summary = put(
        load,
        piece(received("15.20"), received("1", name="8", kind="02"), received("-1", name="9")),
        piece(received("20")),  # the same name again
        piece(received("45.20"), number="2"),
        piece(received("99"), received("1", name="8"), number="3"),
    )
    assert (summary.added, summary.total_cents) == (1, 1520)
    told = " / ".join(warned(summary))
    for words in ("type « 02 »", "« -1 »", "deux fois", "2026-12-2", "2026-12-3", "100,00"):
        assert words in told
    assert state() == ("transmitted", 1520)


def test_what_changed_since_it_was_noted_is_told_and_what_left_is_not_noted_again(
    load: Load, titre: Invoice
) -> None:
    put(load, piece(received("15.20")))
    payments.record_repayment(Settlement.get(), RepaymentKind.CHARGEBACK, None, "D", "rejet")
    later = put(load, piece(received("15.20", on="2026-11-21")), on="2026-11-22")
    assert (later.added, later.unchanged) == (0, 1)
    other = put(load, piece(received("16.20")), on="2026-11-23")
    assert (other.added, "15,20" in " ".join(warned(other))) == (0, True)
    assert state() == ("transmitted", 0)


def test_more_than_is_to_pay_is_a_trop_percu(load: Load, titre: Invoice) -> None:
    put(load, piece(received("50")))
    put(load, piece(received("50"), received("3", name="8")), on="2026-11-22")
    assert state() == ("paid", 4520)
    assert sorted(each.amount_cents for each in Anomaly.select()) == [300, 480]


@pytest.mark.parametrize(
    "content",
    [
        returned(piece(received("douze"))),
        returned(piece(received("1", on="2026-13-40"))),
        returned(piece(received("1")))[:-60],
        returned(piece(received("1")), before='<!DOCTYPE x [<!ENTITY a "b">]>'),
        returned(),
    ],
    ids=["amount", "day", "cut", "dtd", "empty"],
)
def test_a_return_that_cannot_be_read_changes_nothing(
    load: Load, titre: Invoice, content: bytes
) -> None:
    with pytest.raises(BadFile):
        load(content, name="retour.xml")
    assert state() == ("transmitted", 0)
