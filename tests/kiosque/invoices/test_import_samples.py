"""A preview shows what a person judges a file by: surprises, outliers, some invoices."""

from kiosque.db.models import Family, Guardian
from kiosque.invoices.imports.reading import EVERYTHING
from tests.conftest import make_family
from tests.kiosque.invoices.files import FAMILIES, ONE_LINE, ROW, ROW2, Load, sheet, warned


def test_what_was_confirmed_is_told_by_kind_and_line(load: Load) -> None:
    load(FAMILIES, name="familles.csv")
    unknown = ROW.replace("F1001", "F9999")
    told = load(sheet(ROW, unknown.replace("0001", "0002")), preview=True, confirmed=EVERYTHING)
    assert [(fault.line, fault.needs) for fault in told.to_confirm] == [(3, "new_families")]
    gone = load(ONE_LINE, preview=True, confirmed=EVERYTHING)
    assert {fault.needs for fault in gone.to_confirm} == {"removals"}
    assert load(sheet(ROW), preview=True, confirmed=EVERYTHING).to_confirm == ()


def test_a_line_far_above_what_is_usual_of_its_service_is_looked_at(load: Load) -> None:
    usual = [ROW.replace("0001", f"1{number:03d}") for number in range(12)]
    large = ROW.replace("0001", "2000").replace("14;3,45;48,30", "140;3,45;483,00")
    (text,) = warned(load(sheet(*usual, large), preview=True))
    assert text.startswith("ligne 14 : facture 2026-10-2000")
    assert "483,00" in text
    assert warned(load(sheet(*usual[:5], large), preview=True)) == []


def test_some_invoices_are_shown_the_doubtful_and_the_extreme_ones_first(load: Load) -> None:
    rows = [ROW.replace("0001", f"1{number:03d}") for number in range(12)]
    large = ROW.replace("0001", "2000").replace("14;3,45;48,30", "28;3,45;96,60")
    twice = ROW.replace("0001", "3000")
    shown = load(sheet(*rows, large, twice, twice, ROW2), preview=True).samples
    assert [each.number[-4:] for each in shown] == ["3000", "0001", "1000", "1001", "1002"]
    assert [line.label for line in shown[1].lines] == ["Garderie"]
    assert shown[1].total_cents == 588


def test_the_totals_are_told_by_service_and_the_mails_by_family(load: Load) -> None:
    family = make_family("F1001", "Martin")
    summary = load(sheet(ROW, ROW2), preview=True)
    assert summary.services == {"Périscolaire": 588, "Restauration": 4830}
    assert (str(summary.issued_on), summary.told) == ("2026-11-05", 0)
    Guardian.create(family=family, first_name="Alice", last_name="Martin", email="a@example.org")
    assert load(sheet(ROW, ROW2), preview=True).told == 1
    Family.update(wants_mail=False).execute()
    assert load(sheet(ROW, ROW2), preview=True).told == 0


def test_a_plan_changes_with_the_database_and_with_nothing_else(load: Load) -> None:
    before = load(sheet(ROW, ROW2), preview=True)
    assert load(sheet(ROW, ROW2), preview=True) == before
    load(sheet(ROW.replace("0001", "0002")))
    assert load(sheet(ROW, ROW2), preview=True).plan != before.plan
