"""After a restoration no number of a deposit is given twice: the comptable may have its paper."""

from dataclasses import replace
from datetime import timedelta

import pytest

from kiosque import deposits, payments
from kiosque.db import write
from kiosque.db.models import Deposit, Family, JournalEntry
from kiosque.papers.deposits import bordereau
from kiosque.payments import verification
from kiosque.payments.refusals import Refused
from kiosque.settings import OtherRegie, Settings
from tests import fresh_databases, pdfs
from tests.conftest import Clock, make_invoice
from tests.kiosque.deposits.conftest import Final, make_final, services_of
from tests.kiosque.payments.conftest import at_counter

BY = "Dominique"


@pytest.fixture
def restored(settings: Settings, imputed: None, alices_family: Family, frozen: Clock) -> None:
    """A deposit was made; then the database was put back as it was yesterday. There is more to
    pay."""
    for number in ("A", "B"):
        at_counter(services_of(make_invoice(alices_family, number, 1000), Repas=1000))
        if number == "A":
            make_final(settings)
    put_back(settings, frozen)


def put_back(settings: Settings, frozen: Clock, days: int = 1) -> None:
    with write():
        payments.note_restoration(settings, frozen.at - timedelta(days=days), {})


def test_none_is_made_final_until_the_last_that_was_given_is_said(
    restored: None, final: Final
) -> None:
    with pytest.raises(Refused, match="rétablie"):
        final()
    assert Deposit.select().count() == 1
    assert deposits.say_last("", 2026, 3, BY) == "2026-002 à 2026-003"
    made = final()
    assert deposits.titled(made) == "2026-004"
    paper = pdfs.text(bordereau(deposits.bordereau_of(made)))
    assert "2026-002 à 2026-003" in paper
    said = JournalEntry.get(JournalEntry.deposit == made)
    assert "2026-002 à 2026-003" in said.label
    assert [deposits.named(each) for each in deposits.lost("")] == ["2026-002 à 2026-003"]


def test_where_none_was_lost_the_next_number_follows(restored: None, final: Final) -> None:
    assert deposits.say_last("", 2026, 1, BY) == ""
    made = final()
    assert deposits.titled(made) == "2026-002"
    assert "perdu" not in pdfs.text(bordereau(deposits.bordereau_of(made)))
    assert deposits.lost("") == []


@pytest.mark.parametrize("last", [0, 5000, -1])
def test_a_number_that_cannot_be_is_refused(restored: None, last: int) -> None:
    with pytest.raises(Refused, match="2026-001"):
        deposits.say_last("", 2026, last, BY)
    assert deposits.unsaid("")


def test_it_is_asked_once_of_each_year_even_put_back_twice(
    restored: None, settings: Settings, frozen: Clock, final: Final
) -> None:
    put_back(settings, frozen, days=365)
    assert deposits.say_last("", 2026, 2, BY) == "2026-002"
    with pytest.raises(Refused, match="2025"):
        final()
    deposits.say_last("", 2025, 0, BY)
    with pytest.raises(Refused, match="déjà connu"):
        deposits.say_last("", 2026, 2, BY)
    assert deposits.titled(final()) == "2026-003"
    put_back(settings, frozen)
    assert deposits.say_last("", 2026, 3, BY) == ""


def test_each_regie_is_asked_after_the_last_number_known_of_each_year_of_the_time_lost(
    restored: None, settings: Settings, frozen: Clock
) -> None:
    creche = OtherRegie("Crèche", "A. Roy", "creche@example.org", ("Multi-accueil",), "creche")
    deposits.say_last("", 2026, 3, BY)
    put_back(replace(settings, regies={"creche": creche}), frozen, days=365)
    asked = {
        regie: [(each.year, each.first) for each in deposits.unsaid(regie)]
        for regie in ("", "creche")
    }
    assert asked == {"": [(2025, 1), (2026, 4)], "creche": [(2025, 1), (2026, 1)]}


def test_a_number_that_is_missing_without_being_lost_is_found(restored: None, final: Final) -> None:
    deposits.say_last("", 2026, 2, BY)
    final()
    fresh_databases.damage("UPDATE deposit SET number = 9 WHERE number = 3")
    assert any("bordereaux de 2026" in each for each in verification.faults())
