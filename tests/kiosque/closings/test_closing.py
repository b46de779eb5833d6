"""A month is closed once all is proven, for good; nothing is dated in it after that."""

import json
from datetime import date

import pytest

from kiosque import payments
from kiosque.closings import closed_state, closing
from kiosque.closings.closing import Request
from kiosque.closings.months import Month
from kiosque.closings.steps import points_left, steps
from kiosque.db import write
from kiosque.db.models import (
    Anomaly,
    Family,
    Invoice,
    JournalEntry,
    KeptBack,
    MonthClosing,
    Revenue,
)
from kiosque.language import clock
from kiosque.papers import month as papers
from kiosque.payments import CounterPayment, Refused, journal, verification
from kiosque.settings import Settings
from tests import fresh_databases, pdfs
from tests.conftest import Clock, make_invoice
from tests.kiosque.closings.conftest import NOVEMBER, Online, Told, in_december

DOMINIQUE = Request("Dominique")


def missing() -> list[str]:
    return [step.key for step in steps("", NOVEMBER) if not step.done]


def keep_all_back() -> None:
    """In the place of a deposit."""
    with write():
        for revenue in Revenue.select().where(Revenue.id.not_in(KeptBack.select(KeptBack.revenue))):
            KeptBack.create(
                revenue=revenue, noted_at=clock.now(), author="Dominique", reason="régularisation"
            )


@pytest.fixture
def proven(online: Online, told: Told, alices_family: Family, frozen: Clock) -> None:
    """A payment of November, credited, on a whole statement; it is December."""
    told(lines=[(25, 4520, online(alices_family, "A", 4520))])
    keep_all_back()
    in_december(frozen)


def test_each_step_is_proven_or_says_what_is_missing(
    online: Online, told: Told, alices_family: Family, frozen: Clock
) -> None:
    payment = online(alices_family, "A", 4520)
    assert missing() == ["ended", "statements", "position", "deposits"]
    told(lines=[(25, 4520, payment)])
    in_december(frozen)
    assert missing() == ["deposits"]
    keep_all_back()
    assert missing() == []


def test_a_month_is_closed_with_its_balances_and_last_hash_in_the_journal(proven: None) -> None:
    last, known = journal.last()
    closed = closing.close("", NOVEMBER, DOMINIQUE)
    assert (closed.up_to, closed.last_hash, closed.gap_cents) == (last, known, 0)
    balances = {name: cents for name, cents in json.loads(closed.balances).items() if cents}
    assert balances == {"account": 4520, "invoices": -4520}
    entry = JournalEntry.select().order_by(JournalEntry.number.desc()).get()
    assert (entry.closing_id, entry.amount_cents, entry.debit) == (closed.id, 0, "")
    assert verification.faults() == []


def test_nothing_is_closed_twice_nor_out_of_order(proven: None) -> None:
    closing.close("", NOVEMBER, DOMINIQUE)
    for month in (NOVEMBER, Month(2026, 10), Month(2027, 1)):
        with pytest.raises(Refused):
            closing.close("", month, DOMINIQUE)
    assert MonthClosing.select().count() == 1


def test_a_step_not_done_refuses_and_changes_nothing(proven: None) -> None:
    KeptBack.update(ended_at=clock.now()).execute()
    before = journal.last()
    with pytest.raises(Refused, match="Bordereau"):
        closing.close("", NOVEMBER, DOMINIQUE)
    assert (journal.last(), MonthClosing.select().count()) == (before, 0)


def test_a_gap_wants_a_reason_which_is_kept(proven: None, told: Told) -> None:
    told(lines=[(26, 1240, None)], opening=0, closing=5760)
    with pytest.raises(Refused, match="motif"):
        closing.close("", NOVEMBER, DOMINIQUE)
    closed = closing.close("", NOVEMBER, Request("Dominique", "virement à identifier"))
    assert (closed.gap_cents, closed.gap_reason) == (-1240, "virement à identifier")
    assert "virement à identifier" in JournalEntry.get(JournalEntry.closing == closed).label


def test_a_gap_stays_to_treat_until_it_is_said_what_it_was(proven: None, told: Told) -> None:
    told(lines=[(26, 1240, None)], opening=0, closing=5760)
    closing.close("", NOVEMBER, Request("Dominique", "virement à identifier"))
    (point,) = payments.open_anomalies([""])
    assert (point.amount_cents, "virement à identifier" in point.detail) == (1240, True)
    assert payments.advice(point).steps
    assert [it.id for it in points_left("", Month(2026, 12))] == [point.id]
    payments.resolve_anomaly(point.id, "Dominique", "loyer versé par erreur, rendu")
    assert not points_left("", Month(2026, 12))


def test_a_month_that_is_proven_leaves_nothing_to_treat(proven: None) -> None:
    closing.close("", NOVEMBER, DOMINIQUE)
    assert not payments.open_anomalies([""])


def test_what_is_to_treat_is_carried_over_with_a_reason(
    proven: None, online: Online, frozen: Clock
) -> None:
    Anomaly.update(resolved_at=None).execute()
    point = Anomaly.create(
        key="x", kind="silent", noted_at=frozen.at.replace(month=11), amount_cents=0, detail="?"
    )
    assert missing() == ["points"]
    with pytest.raises(Refused):
        closing.carry_over(point.id, NOVEMBER, "Dominique", " ")
    closing.carry_over(point.id, NOVEMBER, "Dominique", "la banque est interrogée")
    assert missing() == []
    with pytest.raises(Refused):
        closing.carry_over(point.id, NOVEMBER, "Dominique", "encore")


def settle(invoice: Invoice, on: date) -> None:
    payment = CounterPayment(
        invoice.number, invoice.total_cents, "cash", on, "Dominique", "guichet"
    )
    payments.settle_at_counter([payment])


def test_nothing_is_dated_in_a_closed_month(proven: None, october: Invoice) -> None:
    closing.close("", NOVEMBER, DOMINIQUE)
    with pytest.raises(Refused, match="mois arrêté"):
        settle(october, date(2026, 11, 30))
    settle(october, date(2026, 12, 1))
    assert verification.faults() == []


def test_the_next_month_begins_where_this_one_ended(
    proven: None, online: Online, told: Told, alices_family: Family, frozen: Clock
) -> None:
    closing.close("", NOVEMBER, DOMINIQUE)
    online(alices_family, "B", 1000)
    keys = [step.key for step in steps("", Month(2026, 12)) if not step.done]
    assert keys == ["ended", "statements", "deposits", "year"]


DAMAGE = {
    "a balance": ("UPDATE month_closing SET balances = '{}'", "ses soldes"),
    "a hash": ("UPDATE month_closing SET last_hash = 'x'", "l’empreinte"),
    "its entry": ("DELETE FROM journal_entry WHERE closing_id IS NOT NULL", "sans écriture"),
    "a balance printed": (
        "UPDATE month_closing SET content = replace(content, '4520', '4521')",
        "rapprochement n’est",
    ),
    "a gap": ("UPDATE month_closing SET gap_cents = 1", "rapprochement n’est"),
    "what was paid over": ("DELETE FROM kept_back", "dans aucun bordereau"),
    "what was taken up again": (
        "UPDATE kept_back SET ended_at = '2026-11-30T11:00:00.000000Z'",
        "dans aucun bordereau",
    ),
}


@pytest.mark.parametrize(("damage", "fault"), DAMAGE.values(), ids=DAMAGE)
def test_a_closing_that_is_no_longer_true_is_found(proven: None, damage: str, fault: str) -> None:
    closing.close("", NOVEMBER, DOMINIQUE)
    fresh_databases.damage(damage)
    assert fault in "\n".join(verification.faults())


def test_an_entry_dated_in_a_month_closed_before_is_found(proven: None, october: Invoice) -> None:
    closing.close("", NOVEMBER, DOMINIQUE)
    settle(october, date(2026, 12, 1))
    last, _hash = journal.last()
    fresh_databases.damage(
        f"UPDATE journal_entry SET at = '2026-11-30T22:59:59.000000Z' WHERE number = {last}"
    )
    assert f"écriture {last} : datée de 2026-11" in "\n".join(verification.faults())


def test_a_payment_dated_in_a_month_closed_before_is_found(proven: None, october: Invoice) -> None:
    closing.close("", NOVEMBER, DOMINIQUE)
    settle(october, date(2026, 12, 1))
    fresh_databases.damage(
        "UPDATE settlement SET settled_at = '2026-11-30T11:00:00.000000Z' WHERE gateway IS NULL"
    )
    assert "daté de 2026-11" in "\n".join(verification.faults())


def test_at_the_years_end_all_is_paid_over_or_a_reason_is_given(
    proven: None, frozen: Clock, settings: Settings
) -> None:
    closing.close("", NOVEMBER, DOMINIQUE)
    december = Month(2026, 12)
    frozen.at = frozen.at.replace(year=2027, month=1)
    year = [step for step in steps("", december) if step.key == "year"]
    assert [(step.done, "45,20" in step.words) for step in year] == [(False, True)]
    assert "year" not in [step.key for step in steps("", december.following)]
    with pytest.raises(Refused, match="Recettes de 2026 versées"):
        closing.close("", december, DOMINIQUE)
    closed = closing.close("", december, Request("Dominique", "versé en janvier"))
    assert closed.gap_reason == "versé en janvier"
    assert "en chemin au 31 décembre" in pdfs.text(
        papers.bank_position(settings, closed, closed_state.position_of(closed))
    )


@pytest.fixture
def two_months(proven: None, october: Invoice, frozen: Clock) -> None:
    """November and December are closed, each with a payment of its own; it is January."""
    closing.close("", NOVEMBER, DOMINIQUE)
    settle(october, date(2026, 12, 1))
    keep_all_back()
    frozen.at = frozen.at.replace(year=2027, month=1)
    closing.close("", Month(2026, 12), Request("Dominique", "versé en janvier"))


def test_of_two_months_closed_the_one_that_is_no_longer_true_is_named(two_months: None) -> None:
    assert verification.faults() == []
    fresh_databases.damage("UPDATE month_closing SET balances = '{}', last_hash = 'x' WHERE id = 2")
    named = [fault for fault in verification.faults() if fault.startswith("mois ")]
    assert len(named) == 2
    assert all(fault.startswith("mois 2026-12 : ") for fault in named)


def test_of_two_months_closed_the_one_that_an_entry_is_dated_in_is_named(
    two_months: None, september: Invoice
) -> None:
    settle(september, date(2027, 1, 2))
    last, _hash = journal.last()
    for at, said in (
        ("2026-12-31T23:00:00", []),
        ("2026-12-31T22:59:59", ["2026-12"]),
        ("2026-11-30T22:59:59", ["2026-11", "2026-12"]),
    ):
        fresh_databases.damage(
            f"UPDATE journal_entry SET at = '{at}.000000Z' WHERE number = {last}"
        )
        found = {each for each in verification.faults() if "datée" in each}
        assert found == {f"écriture {last} : datée de {month}, arrêté avant elle" for month in said}


@pytest.fixture
def two_regies(
    online: Online, told: Told, alices_family: Family, charlies_family: Family, frozen: Clock
) -> None:
    """November of two régies is closed, each with a payment; a second one was paid in December."""
    told(lines=[(25, 4520, online(alices_family, "A", 4520))])
    settle(make_invoice(charlies_family, "C", 700, regie="creche"), clock.today())
    keep_all_back()
    in_december(frozen)
    for regie in ("", "creche"):
        closing.close(regie, NOVEMBER, Request("Dominique", "sans compte"))
    settle(make_invoice(charlies_family, "D", 800, regie="creche"), clock.today())


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("UPDATE month_closing SET balances = '{}'", "ses soldes"),
        ("DELETE FROM kept_back", "dans aucun bordereau"),
    ],
    ids=["balances", "deposits"],
)
def test_of_two_regies_that_closed_a_month_each_is_named(
    two_regies: None, damage: str, said: str
) -> None:
    assert verification.faults() == []
    fresh_databases.damage(damage)
    found = [each for each in verification.faults() if said in each]
    assert [each.partition(" : ")[0] for each in found] == [
        "mois 2026-11",
        "mois 2026-11 de la régie creche",
    ]


def test_an_entry_dated_in_a_month_that_its_own_regie_closed_is_found_once(
    two_regies: None,
) -> None:
    last, _hash = journal.last()
    fresh_databases.damage(
        f"UPDATE journal_entry SET at = '2026-11-30T22:59:59.000000Z' WHERE number = {last}"
    )
    found = [each for each in verification.faults() if "datée" in each]
    assert found == [f"écriture {last} : datée de 2026-11 de la régie creche, arrêté avant elle"]


def test_a_month_before_the_first_entry_of_all_is_closed_and_proven(
    empty_database: None, frozen: Clock
) -> None:
    in_december(frozen)
    closed = closing.close("", NOVEMBER, Request("Dominique", "rien encore"))
    assert (closed.up_to, closed.last_hash) == (0, journal.GENESIS)
    assert verification.faults() == []
