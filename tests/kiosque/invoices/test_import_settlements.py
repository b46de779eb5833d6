"""Payments taken at the counter load once, and all that is wrong in their file is said at once."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from peewee import fn

from kiosque import payments
from kiosque.db.models import ImportBatch, Invoice, JournalEntry
from kiosque.invoices import imports
from kiosque.invoices.imports import BadFile, Changed, Confirmed, FileSummary, undoing
from kiosque.payments import CounterPayment, Refused, journal, verification
from kiosque.settings import Regie
from tests import sentences
from tests.kiosque.invoices.files import ROW, SETTLEMENTS, Load, sheet, warned


def test_counter_payments_are_loaded_once(load: Load) -> None:
    load(sheet(ROW))
    assert load(SETTLEMENTS).added == 1
    assert load(SETTLEMENTS).added == 0
    assert Invoice.get().state == "paid"
    assert JournalEntry.select().count() == 1


def test_a_preview_of_counter_payments_tells_what_would_happen(load: Load) -> None:
    load(sheet(ROW))
    summary = load(SETTLEMENTS, preview=True)
    assert (summary.added, summary.total_cents) == (1, 4830)
    assert Invoice.get().state == "open"
    assert JournalEntry.select().count() == 0
    with pytest.raises(
        BadFile, match=rf"ligne 2 : Facture 2026-10-0002.*{sentences.NO_SUCH_INVOICE}"
    ):
        load(SETTLEMENTS.replace("0001", "0002"), preview=True)


def test_money_taken_while_a_file_is_loaded_has_it_judged_again(
    load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(sheet(ROW))
    agreed, fingerprint = load(SETTLEMENTS, preview=True), imports.fingerprint

    def taken_meanwhile(summary: FileSummary) -> str:
        cash = CounterPayment("2026-10-0001", 4000, "cash", date(2026, 11, 20), "D", "pièce 3")
        payments.settle_at_counter([cash])
        return fingerprint(summary)

    monkeypatch.setattr(imports, "fingerprint", taken_meanwhile)
    with pytest.raises(Changed):
        load(SETTLEMENTS, agreed=fingerprint(agreed))
    assert Invoice.get().paid_cents == 4000


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("48,30", "-48,30", "au-dessus de zéro"),
        ("cheque", "Wero", "mode « Wero » : attendu l’un de espèces, chèque, CESU"),
        ("0001", "0002", sentences.NO_SUCH_INVOICE),
        ("Dominique", "", "auteur est vide"),
    ],
)
def test_a_faulty_counter_payment_refuses_the_file(
    load: Load, old: str, new: str, fault: str
) -> None:
    load(sheet(ROW))
    with pytest.raises(BadFile, match=fault):
        load(SETTLEMENTS.replace(old, new))
    assert Invoice.get().state == "open"


def test_what_the_form_and_the_books_refuse_is_said_at_once_with_values_and_places(
    load: Load,
) -> None:
    load(sheet(ROW, ROW.replace("0001", "0002"), ROW.replace("0001", "0003")))
    paid = SETTLEMENTS.splitlines()[1]
    malformed = paid.replace("48,30", "x")
    unknown_too = malformed.replace("0001", "0009")
    twice_wrong = paid.replace("0001", "0002").replace("48,30", "0,00").replace("11-20", "12-31")
    twice = paid.replace("0001", "0003")
    nobody = paid.replace("Dominique", "DDDD\u200b").replace("chèque 123", "chèque\u200b123")
    rows = [malformed, unknown_too, twice_wrong, twice, f"{twice} bis", nobody]
    with pytest.raises(BadFile) as refused:
        load("\n".join([SETTLEMENTS.splitlines()[0], *rows]))
    told = [(fault.line, fault.text) for fault in refused.value.faults]
    for line, text in (
        (2, "montant « x »"),
        (3, "montant « x »"),
        (3, f"Facture 2026-10-0009\u00a0: elle {sentences.NO_SUCH_INVOICE}"),
        (4, "au-dessus de zéro"),
        (4, "31/12/2026"),
        (6, f"Facture 2026-10-0003\u00a0: elle n’est {sentences.NOT_TO_PAY}"),
        (7, "auteur « DDDD"),
        (7, "motif « chèque\\u200b123 »"),
    ):
        assert any(line == where and text in what for where, what in told), (line, text, told)
    assert len(told) == 8
    assert {invoice.state for invoice in Invoice.select()} == {"open"}
    assert JournalEntry.select().count() == 0


@pytest.mark.parametrize("mode", ["CESU", "espèces", "Carte bancaire", "prelevement", "Trésor"])
def test_a_mode_is_read_in_french_too(load: Load, mode: str) -> None:
    load(sheet(ROW))
    load(SETTLEMENTS.replace("cheque", mode))
    assert Invoice.get().state == "paid"


def test_an_invoice_is_paid_by_several_rows_and_what_is_over_is_told_by_row(load: Load) -> None:
    load(sheet(ROW))
    head, row = SETTLEMENTS.splitlines()
    rows = [row.replace("48,30", "20,00"), row.replace("48,30", "20,00"),
            row.replace("48,30", "10,00").replace("cheque", "CESU")]  # fmt: skip
    summary = load("\n".join([head, *rows]))
    assert (summary.added, summary.total_cents) == (3, 5000)
    told = warned(summary)
    assert any(text.startswith("ligne 3") and "ligne 2" in text for text in told)
    assert any(text.startswith("ligne 4") and "1,70\u00a0€ de trop-perçu" in text for text in told)
    assert Invoice.get().state == "paid"
    assert load("\n".join([head, *rows])).added == 0


def test_money_for_what_is_paid_already_is_let_in_by_who_confirms_it(load: Load) -> None:
    load(sheet(ROW))
    load(SETTLEMENTS)
    again = SETTLEMENTS.replace("chèque 123", "chèque 124")
    with pytest.raises(BadFile, match=sentences.NOT_TO_PAY):
        load(again)
    assert load(again, confirmed=Confirmed(overpayments=True)).added == 1
    assert [point.amount_cents for point in payments.open_anomalies()] == [4830]


def test_an_invoice_names_no_service_that_no_regie_collects_for(load: Load) -> None:
    """The deed of a régie lists what it may collect."""
    regie = Regie("Régie Enfance", "Dominique", services=("Restauration", "Périscolaire"))
    with pytest.raises(BadFile, match="n’est d’aucune régie"):
        load(sheet(ROW), regies={"": replace(regie, services=("Multi-accueil",))})
    assert load(sheet(ROW), regies={"": regie}).added == 1
    with pytest.raises(BadFile, match="carte"):
        load(SETTLEMENTS.replace("cheque", "carte"), regies={"": replace(regie, modes=("cash",))})


@pytest.mark.parametrize(
    ("total", "said"),
    [("96,60", ""), ("48,30", ""), ("100,00", "96,60\u00a0€, 3,40\u00a0€ de moins")],
)
def test_a_total_of_payments_is_compared_with_them(load: Load, total: str, said: str) -> None:
    load(sheet(ROW, ROW.replace("0001", "0002")))
    paid = SETTLEMENTS.splitlines()[1]
    rows = [SETTLEMENTS.strip(), f"Total;;;{total};;" if total == "48,30" else "",
            paid.replace("0001", "0002"), f"Total;;;{total};;"]  # fmt: skip
    told = warned(load("\n".join(rows)))
    assert [text for text in told if sentences.TOTAL_LEFT_OUT not in text] == (
        [f"ligne 5 : total « 100,00 » : les lignes font {said}"] if said else []
    )


CREDIT_ROW = (
    "F1001;AV-1;2026-11-05;2026-11-30;2026-10;Restauration;Zoé Œuf;Annulation;-2;3,45;-6,90;"
)
WITH_CREDITS = (
    "numero_facture;date_encaissement;mode;montant;auteur;motif;avoir\n"
    "2026-10-0001;2026-11-20;avoir;6,90;Dominique;absence d’octobre;AV-1\n"
    "2026-10-0001;2026-11-20;cheque;41,40;Dominique;chèque 123;\n"
)


def test_a_file_says_which_invoice_a_credit_note_pays(load: Load) -> None:
    load(sheet(ROW, CREDIT_ROW))
    before = load(WITH_CREDITS, preview=True)
    summary = load(WITH_CREDITS)
    assert (summary.added, summary.total_cents) == (2, 4140)  # the rest is no money
    assert (before.added, before.total_cents) == (2, 4140)
    assert load(WITH_CREDITS).added == 0
    found = {each.number: (each.state, each.paid_cents) for each in Invoice.select()}
    assert found == {"2026-10-0001": ("paid", 4830), "AV-1": ("nothing_due", -690)}
    assert journal.balances() == {"counter:cheque": 4140, "credits": 690, "invoices": -4830}
    assert verification.faults() == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (";AV-1", ";AV-2", "aucun avoir"),
        (";AV-1", ";", "nomme un avoir"),
        (";chèque 123;", ";chèque 123;AV-1", "nomme un avoir"),
        ("6,90", "6,91", "il reste 6,90"),
    ],
)
def test_a_credit_note_that_cannot_pay_refuses_the_file(
    load: Load, old: str, new: str, fault: str
) -> None:
    load(sheet(ROW, CREDIT_ROW))
    with pytest.raises(BadFile, match=fault):
        load(WITH_CREDITS.replace(old, new))
    assert JournalEntry.select().count() == 0


def test_a_load_whose_credit_note_pays_is_not_undone(load: Load) -> None:
    load(sheet(CREDIT_ROW))
    note_load = ImportBatch.select(fn.MAX(ImportBatch.id)).scalar()
    load(sheet(ROW))
    load(WITH_CREDITS)
    with pytest.raises(Refused, match="AV-1"):
        undoing.undo(note_load, "Dominique", "mauvais fichier", Path("pdf"))
