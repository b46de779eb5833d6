"""The sums that count for the taxes: really paid in the year, for young children, without meals."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from gateways.base import Callback, Gateway
from kiosque import payments
from kiosque.db.models import Child, Family, Guardian, Invoice, InvoiceLine, Service, Settlement
from kiosque.invoices import attestation
from kiosque.invoices.attestation import is_young, share
from kiosque.payments import CounterPayment
from kiosque.settings import AttestationRules
from tests.bank import notice
from tests.conftest import ISSUERS, Clock, make_invoice

RULES = AttestationRules(
    services=("Multi-accueil", "Périscolaire"), meal_labels=("repas", "goûter")
)


def invoice(family: Family, number: str, *lines: tuple[str, str, str, int]) -> Invoice:
    """An open invoice of lines (child, service, label, cents)."""
    made = make_invoice(
        family, number, sum(cents for *_, cents in lines), issued_on=date(2024, 1, 5)
    )
    InvoiceLine.delete().where(InvoiceLine.invoice == made).execute()
    for child, service, label, cents in lines:
        InvoiceLine.create(
            invoice=made,
            child=child,
            service=Service.get_or_create(name=service)[0],
            label=label,
            quantity_hundredths=100,
            unit_price_cents=cents,
            amount_cents=cents,
        )
    return made


def pay_at_counter(found: Invoice, on: date, cents: int | None = None) -> None:
    payment = CounterPayment(found.number, cents, "cash", on, "D. Aubry", "guichet")
    payments.settle_at_counter([payment])


@pytest.fixture
def martins(alices_family: Family) -> Family:
    Guardian.create(family=alices_family, first_name="Alice", last_name="Martin")
    Guardian.create(family=alices_family, first_name="Bob", last_name="Martin")
    Child.create(family=alices_family, name="Léa Martin", born_on=date(2022, 3, 1))
    Child.create(family=alices_family, name="Paul Martin", born_on=date(2015, 3, 1))
    Child.create(family=alices_family, name="Tom Martin", born_on=None)
    return alices_family


def sums(family: Family, year: int, rules: AttestationRules = RULES) -> list[tuple[str, str, int]]:
    found = attestation.attest(family, year, rules).counted
    return [(each.child, each.service, each.cents) for each in found]


def test_only_marked_services_of_young_children_count_without_their_meals(martins: Family) -> None:
    pay_at_counter(
        invoice(
            martins,
            "1",
            ("Léa Martin", "Multi-accueil", "Heures d’accueil", 10000),
            ("Léa Martin", "Multi-accueil", "Repas de midi", 3000),
            ("Léa Martin", "Périscolaire", "Garderie, GOÛTER compris", 500),
            ("Léa Martin", "Périscolaire", "Garderie", 700),
            ("Léa Martin", "Restauration scolaire", "Forfait", 4000),
            ("Paul Martin", "Périscolaire", "Garderie", 800),
        ),
        date(2026, 3, 1),
    )
    assert sums(martins, 2026) == [
        ("Léa Martin", "Multi-accueil", 10000),
        ("Léa Martin", "Périscolaire", 700),
    ]
    found = attestation.attest(martins, 2026, RULES)
    assert found.total_cents == 10700
    assert found.payers == ["Alice Martin", "Bob Martin"]


def test_sums_of_the_year_add_up_and_credits_come_off(martins: Family) -> None:
    pay_at_counter(
        invoice(martins, "1", ("Léa", "Périscolaire", "Garderie", 700)), date(2026, 3, 1)
    )
    pay_at_counter(
        invoice(
            martins,
            "2",
            ("Léa Martin", "Périscolaire", "Garderie", 900),
            ("Léa Martin", "Périscolaire", "Régularisation", -200),
        ),
        date(2026, 4, 1),
    )
    assert sums(martins, 2026) == [("Léa Martin", "Périscolaire", 1400)]


@pytest.mark.parametrize(
    ("paid_at", "year"),
    [
        (datetime(2025, 12, 31, 22, 59, 59, tzinfo=UTC), 2025),
        (datetime(2025, 12, 31, 23, 0, 0, tzinfo=UTC), 2026),  # already 2026 in Paris
    ],
)
def test_the_year_is_that_of_the_payment_in_paris(
    martins: Family, paid_at: datetime, year: int
) -> None:
    found = invoice(martins, "1", ("Léa Martin", "Périscolaire", "Garderie", 700))
    pay_at_counter(found, date(2025, 12, 31))
    Settlement.update(settled_at=paid_at).execute()
    assert [each.year for each in attestation.years(martins, RULES)] == [year]


@pytest.mark.parametrize(
    ("born_on", "young"),
    [
        (date(2020, 1, 1), False),  # turns six on the first of January 2026
        (date(2020, 1, 2), True),
        (date(2019, 12, 31), False),
        (date(2026, 6, 1), True),
    ],
)
def test_young_is_under_six_on_the_first_of_january(born_on: date, young: bool) -> None:
    assert is_young(born_on, 2026) is young


def test_what_was_invoiced_and_not_paid_does_not_count(martins: Family) -> None:
    invoice(martins, "1", ("Léa Martin", "Périscolaire", "Garderie", 700))
    assert sums(martins, 2026) == []
    assert attestation.years(martins, RULES) == []


def test_a_payment_cancelled_at_the_bank_does_not_count_any_more(
    martins: Family, pay: Any, gateway: Gateway
) -> None:
    found = invoice(martins, "1", ("Léa Martin", "Périscolaire", "Garderie", 700))
    _, handoff = pay(martins, found)
    paid = tuple(notice(handoff).items())
    payments.record(gateway.name, gateway.read_notification(Callback.of_form(paid)), ISSUERS)
    assert sums(martins, 2026) == [("Léa Martin", "Périscolaire", 700)]
    undone = tuple(notice(handoff, trans_status="CANCELLED").items())
    payments.record(gateway.name, gateway.read_notification(Callback.of_form(undone)), ISSUERS)
    assert sums(martins, 2026) == []


def test_a_child_of_unknown_age_is_told_apart_and_never_counted(martins: Family) -> None:
    pay_at_counter(
        invoice(
            martins,
            "1",
            ("Tom Martin", "Périscolaire", "Garderie", 700),
            ("Zoé", "Périscolaire", "Garderie", 300),
        ),
        date(2026, 3, 1),
    )
    found = attestation.attest(martins, 2026, RULES)
    assert found.counted == []
    assert [(each.child, each.cents) for each in found.without_birth_date] == [
        ("Tom Martin", 700),
        ("Zoé", 300),
    ]


def test_nothing_counts_where_the_town_marked_no_service(martins: Family) -> None:
    pay_at_counter(
        invoice(martins, "1", ("Léa Martin", "Périscolaire", "G", 700)), date(2026, 3, 1)
    )
    assert sums(martins, 2026, AttestationRules()) == []
    assert attestation.years(martins, AttestationRules()) == []


def test_charlies_payments_are_not_alices(martins: Family, charlies_family: Family) -> None:
    Child.create(family=charlies_family, name="Léa Martin", born_on=date(2022, 3, 1))
    theirs = invoice(charlies_family, "1", ("Léa Martin", "Périscolaire", "Garderie", 700))
    pay_at_counter(theirs, date(2026, 3, 1))
    assert sums(martins, 2026) == []
    assert sums(charlies_family, 2026) == [("Léa Martin", "Périscolaire", 700)]


def test_the_years_go_from_the_first_payment_to_this_one(martins: Family, frozen: Clock) -> None:
    for number, year in (("1", 2024), ("2", 2026)):
        found = invoice(martins, number, ("Léa Martin", "Périscolaire", "Garderie", 700))
        pay_at_counter(found, date(year, 3, 1))
    every = attestation.years(martins, RULES)
    assert [(each.year, each.is_provisional) for each in every] == [(2026, True), (2024, False)]


def test_a_child_counts_once_however_the_invoices_spell_it(martins: Family) -> None:
    spelt = ["Léa Martin", "LEA MARTIN", "MARTIN Léa", "Lea\u00a0Martin", "Léa Mar\u00adtin"]
    lines = [(name, "Périscolaire", "Garderie", 100) for name in spelt]
    Child.create(family=martins, name="LEA MARTIN", born_on=None)
    pay_at_counter(invoice(martins, "1", *lines), date(2026, 3, 1))
    assert sums(martins, 2026) == [("Léa Martin", "Périscolaire", 500)]
    rules = AttestationRules(services=("PERISCOLAIRE",), meal_labels=("GOUTER",))
    assert sums(martins, 2026, rules) == [("Léa Martin", "Périscolaire", 500)]


def test_a_child_the_record_lacks_is_one_however_spelt(martins: Family) -> None:
    lines = [(name, "Périscolaire", "Garderie", 100) for name in ("Noé Petit", "PETIT NOE")]
    pay_at_counter(invoice(martins, "1", *lines), date(2026, 3, 1))
    (found,) = attestation.attest(martins, 2026, RULES).without_birth_date
    assert found.cents == 200


@pytest.mark.parametrize(
    ("amounts", "cents", "shares"),
    [
        ([1000, 2000], 1500, [500, 1000]),
        ([1000, 1000, 1000], 100, [34, 33, 33]),
        ([3000, -500], 1250, [1500, -250]),
        ([999, 1], 1000, [999, 1]),
        ([999, 1], 0, [0, 0]),
    ],
)
def test_a_part_of_an_invoice_pays_each_line_in_proportion_to_the_cent(
    amounts: list[int], cents: int, shares: list[int]
) -> None:
    assert share(amounts, cents) == shares


def test_an_invoice_paid_over_two_years_counts_in_each_for_what_was_paid_in_it(
    martins: Family,
) -> None:
    found = invoice(
        martins,
        "1",
        ("Léa Martin", "Périscolaire", "Garderie", 1000),
        ("Paul Martin", "Périscolaire", "Garderie", 2000),
    )
    pay_at_counter(found, date(2025, 12, 20), 1000)
    pay_at_counter(found, date(2026, 1, 20), 2000)
    assert sums(martins, 2025) == [("Léa Martin", "Périscolaire", 333)]
    assert sums(martins, 2026) == [("Léa Martin", "Périscolaire", 667)]


def test_what_a_credit_note_paid_is_no_money_that_the_family_paid(martins: Family) -> None:
    found = invoice(martins, "A", ("Léa Martin", "Périscolaire", "Soir", 5000))
    make_invoice(martins, "AV-1", -1200, state="nothing_due")
    payments.apply_credit("AV-1", "A", None, "D. Aubry", "accord")
    assert sums(martins, 2026) == []
    pay_at_counter(found, date(2026, 11, 20), 3800)
    assert sums(martins, 2026) == [("Léa Martin", "Périscolaire", 3800)]
