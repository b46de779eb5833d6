"""Invoices that the Treasury collects: transmitted, paid there, taken back."""

from datetime import date

import pytest

from kiosque import payments
from kiosque.db.models import Anomaly, Family, Invoice, Settlement, Transmission
from kiosque.db.states import RepaymentKind
from kiosque.payments import Refused, history, journal, verification
from kiosque.settings import Regie
from tests.conftest import ISSUERS, NOW, Clock, make_invoice
from tests.kiosque.payments.conftest import Hear, Pay, at_counter, state_of

pytestmark = pytest.mark.usefixtures("sound_books")
ON = date(2026, 11, 20)
WHO = ("Dominique", "impayée")


def transmit(*invoices: Invoice, name: str = "B-12") -> list[str]:
    return payments.transmit([each.number for each in invoices], name, ON, *WHO)


def by_treasury(invoice: Invoice, **changes: object) -> list[int]:
    return at_counter(invoice, mode="treasury", reason="P503 n° 4", **changes)


def test_an_invoice_of_the_treasurys_is_not_payable_here_and_what_was_paid_of_it_stays(
    october: Invoice,
) -> None:
    at_counter(october, amount_cents=1520)
    assert transmit(october) == [october.number]
    assert state_of(october) == "transmitted"
    chosen = payments.select_invoices(october.family, [october.number])
    assert not chosen.invoices
    assert "Trésor public" in chosen.reasons[0]
    with pytest.raises(Refused, match="Trésor public"):
        at_counter(october, reason="autre")
    with pytest.raises(Refused, match="untransmit"):
        payments.cancel_invoice(october.number, *WHO)
    assert Invoice.get_by_id(october.id).treasury_cents == 3000


def test_what_the_treasury_receives_pays_it(october: Invoice) -> None:
    """In parts too, whatever modes its régie takes: it is not the régie that takes it."""
    transmit(october)
    regie = Regie("Enfance", "Dominique", modes=("cash",))
    payment = payments.CounterPayment(
        october.number, 1520, "treasury", NOW.date(), "Dominique", "P503 n° 3"
    )
    payments.settle_at_counter([payment], {"": regie})
    assert state_of(october) == "transmitted"
    assert by_treasury(october, amount_cents=None) == [3000]
    assert state_of(october) == "paid"
    assert journal.balances() == {"counter:treasury": 4520, "invoices": -4520}


def test_what_the_treasury_loses_again_is_still_its_own_to_collect(october: Invoice) -> None:
    transmit(october)
    by_treasury(october)
    payments.record_repayment(Settlement.get(), RepaymentKind.CHARGEBACK, None, *WHO)
    assert state_of(october) == "transmitted"
    payments.restore(Settlement.get(), None, "Dominique", "passé")
    assert state_of(october) == "paid"


def test_money_that_came_before_and_leaves_is_the_treasurys_to_collect_too(
    october: Invoice,
) -> None:
    at_counter(october, amount_cents=1520)
    transmit(october)
    payments.record_repayment(Settlement.get(), RepaymentKind.CHARGEBACK, None, *WHO)
    assert (state_of(october), Invoice.get_by_id(october.id).paid_cents) == ("transmitted", 0)
    payments.restore(Settlement.get(), None, "Dominique", "passé")
    assert (state_of(october), Invoice.get_by_id(october.id).paid_cents) == ("transmitted", 0)
    assert Anomaly.get(Anomaly.kind == "overpayment").resolved_at is None


def test_late_money_of_the_banks_is_told_and_pays_once_the_invoice_is_taken_back(
    go: Pay, hear: Hear, frozen: Clock, october: Invoice
) -> None:
    attempt, handoff = go(october)
    with pytest.raises(Refused, match=attempt.reference):
        transmit(october)
    frozen.advance(minutes=16)
    payments.close_attempt(attempt.reference, "Dominique", "vu à la banque")
    transmit(october)
    hear(handoff)
    assert (state_of(attempt), state_of(october)) == ("paid", "transmitted")
    point = Anomaly.get(Anomaly.kind == "overpayment")
    assert "Trésor public" in point.detail
    words, steps = payments.advice(point)
    assert october.number in words
    assert [step.act for step in steps] == ["refund", "apply-overpayment", "untransmit"]
    with pytest.raises(Refused):
        payments.apply_overpayment(Settlement.get(), october.number, *WHO, ISSUERS)
    payments.take_back(october.number, "Dominique", "accord du Trésor")
    assert state_of(october) == "paid"
    assert payments.open_anomalies() == []


def test_a_mistake_is_taken_back_and_told(october: Invoice) -> None:
    transmit(october)
    payments.take_back(october.number, "Dominique", "erreur de liste")
    assert state_of(october) == "open"
    transmit(october, name="B-13")
    assert state_of(october) == "transmitted"
    said = [event.text for event in history.events_of(october.number)]
    assert [each.split(" : ")[0] for each in said] == [
        "transmise au Trésor public le 20/11/2026, liste B-12",
        "reprise du Trésor public",
        "transmise au Trésor public le 20/11/2026, liste B-13",
    ]
    assert Transmission.select().count() == 2


def test_what_was_said_of_a_transmission_that_has_ended_stays_said(october: Invoice) -> None:
    for name, reason in (("B-12", "erreur de liste"), ("B-13", "accord du Trésor")):
        transmit(october, name=name)
        payments.take_back(october.number, "Dominique", reason)
    said = Transmission.select().order_by(Transmission.id)
    assert [each.end_reason for each in said] == ["erreur de liste", "accord du Trésor"]


def test_the_treasury_collects_that_invoice_alone_and_no_longer_once_it_is_taken_back(
    october: Invoice, september: Invoice
) -> None:
    transmit(september, name="B-11")
    assert payments.transmission_of(october) is None
    transmit(october)
    for invoice, name in ((october, "B-12"), (september, "B-11")):
        since = payments.transmission_of(invoice)
        assert since is not None
        assert since.list_name == name
    payments.take_back(september.number, "Dominique", "erreur")
    assert payments.transmission_of(september) is None


def test_other_cents_than_those_agreed_to_are_not_transmitted(october: Invoice) -> None:
    asked = ([october.number], "B" * 60, october.issued_on, *WHO)  # the very limits
    at_counter(october, amount_cents=1000)
    with pytest.raises(Refused):
        payments.transmit(*asked, agreed=4520)
    assert state_of(october) == "open"
    assert payments.transmit(*asked, agreed=3520) == [october.number]
    with pytest.raises(Refused, match="auteur"):
        payments.take_back(october.number, "", "erreur")
    assert payments.take_back(october.number, *WHO).state == "open"


def test_what_is_on_a_list_is_not_put_on_another(october: Invoice) -> None:
    transmit(october)
    with pytest.raises(Refused, match="pas à régler"):
        transmit(october, name="B-13")


def test_the_same_list_again_changes_nothing(october: Invoice, september: Invoice) -> None:
    assert transmit(october) == [october.number]
    assert transmit(october, september) == [september.number]
    assert transmit(october, september) == []
    assert Transmission.select().count() == 2
    payments.take_back(october.number, "Dominique", "erreur")
    assert transmit(october, september) == [october.number]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"list_name": " "}, "un nom"),
        ({"list_name": "B" * 61}, "un nom"),
        ({"on": date(2027, 1, 1)}, "pas encore passé"),
        ({"on": date(2026, 11, 1)}, "du 05/11/2026, après sa transmission"),
        ({"author": ""}, "auteur"),
        ({"numbers": ["nulle" * 9]}, f"Facture {'nulle' * 6}\u00a0: elle n’existe pas"),
        ({"numbers": [str(number) for number in range(500)]}, "n’existe pas"),
        ({"numbers": []}, "1 à 500"),
        ({"numbers": [str(number) for number in range(501)]}, "1 à 500"),
    ],
)
def test_a_list_that_cannot_be_changes_nothing(
    october: Invoice, september: Invoice, changes: dict[str, object], why: str
) -> None:
    asked = {
        "numbers": [september.number, october.number], "list_name": "B-12", "on": ON,
        "author": "Dominique", "reason": "impayées", **changes,
    }  # fmt: skip
    with pytest.raises(Refused, match=why):
        payments.transmit(**asked)  # type: ignore[arg-type]
    assert (state_of(october), state_of(september)) == ("open", "open")


def test_only_what_is_to_pay_is_transmitted_and_only_what_is_transmitted_taken_back(
    alices_family: Family, october: Invoice
) -> None:
    at_counter(october)
    credit = make_invoice(alices_family, "AV-1", -1200, state="nothing_due")
    for invoice in (october, credit):
        with pytest.raises(Refused, match="pas à régler"):
            transmit(invoice)
        with pytest.raises(Refused, match="ne l’a pas"):
            payments.take_back(invoice.number, *WHO)
    with pytest.raises(Refused, match="n’existe pas"):
        payments.take_back("nulle", *WHO)
    with pytest.raises(Refused, match=f"Facture {'x' * 30}\u00a0:"):
        payments.take_back("x" * 31, *WHO)


def test_verify_names_an_invoice_that_no_list_took_to_the_treasury(october: Invoice) -> None:
    Invoice.update(state="transmitted").where(Invoice.id == october.id).execute()
    assert any(october.number in fault for fault in verification.faults())
    Invoice.update(state="open").where(Invoice.id == october.id).execute()
