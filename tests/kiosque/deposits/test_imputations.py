"""Each service's revenue has its place in the town's accounts, by the day of its entry."""

from datetime import date, timedelta

import pytest

from kiosque import deposits, payments
from kiosque.db.models import Imputation, Invoice
from kiosque.deposits import Imputed
from kiosque.language import clock
from kiosque.payments.refusals import Refused
from tests.conftest import Clock
from tests.kiosque.deposits.conftest import MEALS, Final, now
from tests.kiosque.payments.conftest import at_counter

NEW = Imputed("7067", "20")


def articles() -> list[str]:
    return [line.article for line in now().lines]


def test_the_first_holds_for_all_that_came_before(october: Invoice) -> None:
    at_counter(october)
    assert articles() == [""]
    deposits.set_imputation("", "restauration  SCOLAIRE", MEALS, "Dominique")
    assert articles() == ["70632"]


def test_a_day_is_of_the_last_that_was_set_before_it(
    october: Invoice, september: Invoice, frozen: Clock
) -> None:
    deposits.set_imputation("", "Restauration scolaire", MEALS, "Dominique")
    tomorrow = clock.today() + timedelta(days=1)
    deposits.set_imputation("", "Restauration scolaire", NEW, "Dominique", tomorrow)
    at_counter(october)
    frozen.advance(days=1)
    at_counter(september)
    assert articles() == ["70632", "7067"]


def test_another_regie_has_its_own(october: Invoice) -> None:
    deposits.set_imputation("creche", "Restauration scolaire", NEW, "Dominique")
    at_counter(october)
    assert articles() == [""]


def test_it_may_be_mended_until_a_final_deposit_uses_it(october: Invoice, final: Final) -> None:
    deposits.set_imputation("", "Restauration scolaire", NEW, "Dominique", date(2026, 1, 1))
    deposits.set_imputation("", "Restauration scolaire", MEALS, "Camille", date(2026, 1, 1))
    assert [(it.article, it.author) for it in Imputation.select()] == [("70632", "Camille")]
    at_counter(october)
    final()
    for day in (date(2026, 1, 1), clock.today()):
        with pytest.raises(Refused):
            deposits.set_imputation("", "Restauration scolaire", NEW, "Dominique", day)
    deposits.set_imputation("", "Restauration scolaire", MEALS, "Dominique")  # it is that already
    later = clock.today() + timedelta(days=1)
    deposits.set_imputation("", "Restauration scolaire", NEW, "Dominique", later)
    assert Imputation.select().count() == 2


@pytest.mark.parametrize(
    ("service", "imputed", "author"),
    [
        ("Restauration scolaire", Imputed(" "), "Dominique"),
        ("Restauration scolaire", Imputed("7" * 21), "Dominique"),
        ("Restauration scolaire", Imputed("7", "\x1b"), "Dominique"),
        ("Restauration scolaire", NEW, " "),
        ("Piscine", NEW, "Dominique"),
    ],
)
def test_what_cannot_be_is_refused(
    october: Invoice, service: str, imputed: Imputed, author: str
) -> None:
    with pytest.raises(payments.Refused):
        deposits.set_imputation("", service, imputed, author)
    assert not Imputation.select().exists()
