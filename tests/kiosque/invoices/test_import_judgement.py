"""One thing under many spellings, and what is loaded but wants to be looked at."""

from datetime import date

import pytest

from kiosque.db.models import (
    Child,
    Enrolment,
    Invoice,
    Service,
)
from kiosque.invoices.imports.drafts import Draft, DraftLine
from tests import sentences
from tests.kiosque.invoices.files import FAMILIES, ROW, ROW2, Load, faults, sheet, warned

# --- One thing, many spellings ---


def test_a_service_spelt_in_many_ways_is_one_and_the_preview_says_what_was_joined(
    load: Load,
) -> None:
    load(sheet(ROW.replace("Restauration", "Multi-accueil")))
    spelt = ["MULTI-ACCUEIL", "Multi accueil", "multi\u2011accueil", "Multi\u00adaccueil"]
    rows = [
        ROW.replace("0001", f"1{number}").replace("Restauration", name)
        for number, name in enumerate(spelt)
    ]
    summary = load(sheet(*rows), preview=True)
    assert summary.joined_services == tuple((name, "Multi-accueil") for name in sorted(spelt))
    assert summary.new_services == ()
    load(sheet(*rows))
    assert [service.name for service in Service.select()] == ["Multi-accueil"]
    assert {invoice.services for invoice in Invoice.select()} == {"Multi-accueil"}
    assert load(sheet(*rows)).added == 0


def test_a_child_spelt_in_many_ways_is_one_and_the_preview_says_so(load: Load) -> None:
    load(FAMILIES, name="familles.csv")
    spelt = ["ZOE MARTIN", "MARTIN Zoé", "Zoe Martin", "Zoé\u00a0Martin", "Zoé", "Noé Petit"]
    rows = [
        ROW.replace("0001", f"1{number}").replace("Zoé Œuf", name)
        for number, name in enumerate(spelt)
    ]
    summary = load(sheet(*rows))
    assert sorted(summary.joined_children) == sorted(
        ("F1001", name, "Zoé Martin") for name in spelt[:4]
    )
    assert sorted(child.name for child in Child.select()) == ["Noé Petit", "Zoé Martin"]


def test_one_child_spelt_in_two_ways_by_one_file_is_one(load: Load) -> None:
    load(sheet(ROW.replace("Zoé Œuf", "Zoé"), ROW2, ROW2.replace("Zoé Œuf", "OEUF ZOE")))
    assert [child.name for child in Child.select()] == ["Zoé Œuf"]
    assert Enrolment.select().count() == 2


def test_a_child_listed_twice_under_two_spellings_is_named(load: Load) -> None:
    other = FAMILIES.splitlines()[-1].replace("Martin;Zoé", "MARTIN;ZOE")
    assert f"ligne 5 : ZOE MARTIN {sentences.LISTED_TWICE}" in faults(load, FAMILIES + other + "\n")


# --- What is loaded and wants to be looked at ---


@pytest.mark.parametrize("preview", [True, False])
def test_what_is_no_address_is_left_out_and_said_and_families_without_one_are_listed(
    load: Load, preview: bool
) -> None:
    other = FAMILIES.splitlines()[1].replace("F1001", "F2002")
    two = other.replace("F2002", "F3003").replace("alice@", "a@example.org alice@")
    content = FAMILIES.replace("alice@example.org", "néant") + other + "\n" + two + "\n"
    summary = load(content, preview=preview)
    left_out, kept = warned(summary)
    assert left_out.startswith(f"ligne 2 : courriel « néant » {sentences.NO_ADDRESS}")
    assert kept.startswith("ligne 6 : courriel « a@example.org alice@example.org »")
    assert f"a@example.org {sentences.IS_KEPT}, « alice@example.org »" in kept
    assert summary.without_email == ("F1001",)


@pytest.mark.parametrize(
    "content",
    [
        sheet(ROW.replace("Œuf", "Petit")).encode().decode("cp1252").encode(),
        sheet(ROW.replace("Zoé Œuf", "Théo Petit")).encode("mac_roman"),
        sheet(ROW).encode("iso8859-15"),
        sheet(ROW.replace("Zoé Œuf", "Cœur")).encode("iso8859-15"),
        *(
            sheet(ROW.replace("Zoé Œuf", name)).encode("cp850")
            for name in (
                "Zoé",
                "éloi",
                "Thérèse",
                "PÈRE Gaëlle",
                "François",
                "Jérôme",
                "Anaïs",
                "âge",
                "Maître",
                "Fête",
                "FRANÇOISE",
                "Goûter en août",
                "Repas à midi",
                "jusqu'à 18 h",
                "Où manger",
                "CRÈCHE",
                "RIVIÈRE",
            )
        ),
    ],
)
def test_accents_read_wrong_are_said(load: Load, content: bytes) -> None:
    (warning,) = warned(load(content))
    assert warning.startswith(f"ligne 2 : {sentences.MISREAD_ACCENTS}")


def test_accents_read_right_are_not_said_to_be_wrong(load: Load) -> None:
    names = "Žofia Éloïse Ångström Çelik œuf à l’été – 5 ‰ São, ‚bis‘ “soir” Cœur 3 € etc… a–b 1½h"
    assert warned(load(sheet(ROW.replace("Zoé Œuf", names)))) == []


def test_a_line_that_is_there_twice_is_loaded_and_said(load: Load) -> None:
    summary = load(sheet(ROW, ROW2, ROW))
    (warning,) = warned(summary)
    assert warning.startswith(f"ligne 4 : {sentences.REPEATED_LINE} 2026-10-0001")
    assert Invoice.get().total_cents == 4830 * 2 + 588


def test_two_services_in_one_cell_are_said_once_while_they_are_new(load: Load) -> None:
    both = ROW.replace("Restauration", "Restauration, Périscolaire")
    (warning,) = warned(load(sheet(both)))
    assert warning.startswith(f"ligne 2 : {sentences.NEW_SERVICE} « Restauration, Périscolaire »")
    assert warned(load(sheet(both.replace("0001", "0002")))) == []


# --- Dates ---


@pytest.mark.parametrize(
    ("issued", "due", "fault"),
    [
        ("2026-11-05", "2026-11-04", "précède"),
        ("2026-11-05", "2027-11-07", "plus d’un an après"),
        ("2026-11-05", "2100-12-31", "plus d’un an après"),
        ("2027-12-01", "2027-12-31", "dans plus d’un an"),
    ],
)
def test_dates_that_cannot_be_are_refused(load: Load, issued: str, due: str, fault: str) -> None:
    row = ROW.replace("2026-11-05", issued).replace("2026-11-30", due)
    assert "ligne 2 : " in (found := faults(load, sheet(row)))
    assert fault in found


@pytest.mark.parametrize(
    ("issued", "due", "closes_after", "said"),
    [
        ("2026-11-05", "2026-11-24", None, ""),
        ("2026-11-05", "2027-11-05", 0, ""),
        ("2026-12-05", "2026-12-31", None, ""),
        ("2026-11-05", "2026-11-23", None, "23/11/2026 déjà passée"),
        ("2025-11-05", "2025-11-30", 400, "30/11/2025 déjà passée"),
        ("2026-10-05", "2026-10-31", 20, "personne ne pourra payer"),
        ("2026-11-05", "2026-11-24", 0, "ferme aujourd’hui même"),
        ("2027-03-20", "2027-03-31", None, "dans l’avenir"),
        ("11/05/2026", "12/05/2026", None, "inversés, pour le 05/11/2026 et le 05/12/2026"),
        ("11/05/2026", "12/05/2026", 0, "inversés"),
        ("01/12/2026", "12/12/2026", None, ""),
    ],
)
def test_dates_that_are_odd_are_loaded_and_said(
    load: Load, issued: str, due: str, closes_after: int | None, said: str
) -> None:
    """It is 24 November 2026."""
    row = ROW.replace("2026-11-05", issued).replace("2026-11-30", due)
    summary = load(sheet(row), closes_after_days=closes_after)
    assert Invoice.select().count() == 1
    assert [said in warning for warning in warned(summary)] == ([True] if said else [])
    assert warned(load(sheet(row), closes_after_days=closes_after)) == [], "known: said before"


def test_dates_that_many_invoices_share_are_said_once_with_their_number(load: Load) -> None:
    old = ROW.replace("2026-11-30", "2026-11-10")
    rows = [old.replace("0001", f"{number:04d}") for number in range(1, 400)]
    assert warned(load(sheet(ROW.replace("0001", "0500"), *rows))) == [
        f"ligne 3 : échéance 10/11/2026 {sentences.DUE_DATE_PAST} (399 factures)"
    ]


def test_an_invoice_loaded_before_its_dates_were_judged_may_come_again(load: Load) -> None:
    load(sheet(ROW))
    drafted = Draft(2, "F1001", "N9", date(2026, 1, 5), date(2030, 1, 5), "octobre 2026", "")
    row = "F1001;N9;2026-01-05;2030-01-05;2026-10;Restauration;Zoé Œuf;Repas;1;3,45;3,45;"
    drafted.lines.append(
        DraftLine(
            amount_cents=345, child="Zoé Œuf", label="Repas", quantity_hundredths=100,
            service="Restauration", unit_price_cents=345,
        )
    )  # fmt: skip
    Invoice.update(number="N9", digest=drafted.digest).execute()
    assert load(sheet(row)).unchanged == 1


def test_a_child_is_not_born_in_the_future(load: Load) -> None:
    family = FAMILIES.replace("2019-05-01", "2026-11-25")
    assert family != FAMILIES
    assert "pas encore passée" in faults(load, family)
    load(FAMILIES.replace("2019-05-01", "2026-11-24"))
