"""The payments as another software of the town receives them, each as it is now."""

import pytest

from kiosque.db.models import Invoice
from kiosque.payments import Refused, by_hand, outgoing
from kiosque.payments.by_hand import BankPayment
from kiosque.payments.outgoing import Use
from tests.conftest import ISSUERS, NOW, make_invoice
from tests.kiosque.payments.conftest import Hear, Pay, at_counter

pytestmark = pytest.mark.usefixtures("sound_books")


def test_money_without_a_use_leaves_without_an_invoice(
    go: Pay, hear: Hear, october: Invoice, september: Invoice
) -> None:
    at_counter(october)
    hear(go(september)[1], amount="5000", effective_amount="5000")
    first, second = outgoing.since(0).payments
    assert (first.family, first.uses) == ("F1001", [Use(october.number, "facture", 4520)])
    assert second.uses == [Use("", "sans emploi", 5000)]


def test_many_are_read_some_at_a_time(
    october: Invoice, september: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outgoing, "ENTRIES", 1)
    for invoice in (october, september):
        at_counter(invoice)
    batch = outgoing.since(0)
    assert ([each.uses[0].invoice for each in batch.payments], batch.more) == (
        [october.number],
        True,
    )
    assert len(list(outgoing.every(0, 2, ""))) == 2
    assert len(list(outgoing.every(0, 1, ""))) == 1


def test_a_software_receives_what_is_new_once_unless_it_asks_again(
    october: Invoice, september: Invoice
) -> None:
    with pytest.raises(Refused):
        outgoing.advance("Compta", "", "Dominique", again=True)
    at_counter(october)
    first = outgoing.advance(" Compta ", "", "Dominique")
    assert (first.consumer, first.former, first.author) == ("Compta", 0, "Dominique")
    with pytest.raises(Refused):
        outgoing.advance("Compta", "", "Dominique")
    at_counter(september)
    again = outgoing.advance("Compta", "", "Camille", again=True)
    assert (again.former, again.reached, again.author) == (0, first.reached, "Dominique")
    assert outgoing.advance("Compta", "", "Camille").former == first.reached


def test_each_payment_leaves_with_its_receipt_and_its_family_where_it_has_them(
    go: Pay, hear: Hear, october: Invoice, september: Invoice
) -> None:
    hear(go(october)[1])
    at_counter(september)
    debit = BankPayment("banque", "e" * 32, 700, NOW.date(), "Dominique", "vu à la banque")
    by_hand.enter(debit, None, ISSUERS)
    told = outgoing.since(0).payments
    assert [(each.settlement.id, each.receipt, each.family) for each in told] == [
        (1, "R000001", "F1001"),
        (2, "", "F1001"),
        (3, "", ""),
    ]
    assert [use.invoice for each in told for use in each.uses] == [
        october.number,
        september.number,
        "",
    ]


def test_the_uses_of_a_payment_leave_in_the_order_of_what_it_pays(
    go: Pay, hear: Hear, october: Invoice, september: Invoice
) -> None:
    hear(go(october, september)[1])
    (told,) = outgoing.since(0).payments
    assert [each.invoice for each in told.uses] == [october.number, september.number]


def test_each_regie_has_its_payments_and_how_far_each_software_received_them(
    october: Invoice, september: Invoice
) -> None:
    creche = make_invoice(october.family, "2026-11-0011", 700, regie="creche")
    at_counter(october)
    assert outgoing.advance("Compta", "", "Dominique").reached == 1
    with pytest.raises(Refused, match="Rien de nouveau"):
        outgoing.advance("Compta", "creche", "Dominique")
    at_counter(creche)
    with pytest.raises(Refused, match="Rien de nouveau"):
        outgoing.advance("Compta", "", "Dominique")
    reached = outgoing.advance("Compta", "creche", "Dominique")
    assert (reached.former, reached.reached) == (0, 2)
    for regie, paid in (("", october), ("creche", creche)):
        (told,) = outgoing.since(0, regie=regie).payments
        assert [each.invoice for each in told.uses] == [paid.number]
        assert len(list(outgoing.every(0, 2, regie))) == 1
    assert [each.regie for each in outgoing.exports()] == ["", "creche"]
    assert [each.regie for each in outgoing.exports(["creche"])] == ["creche"]


def test_the_entries_of_each_are_read_in_their_order(
    october: Invoice, september: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outgoing, "ENTRIES", 2)
    for invoice in (october, september):
        at_counter(invoice, amount_cents=1000)
        at_counter(invoice, amount_cents=500)
    assert outgoing.since(0).cursor == 2


@pytest.mark.parametrize("name", ["", " ", "x" * 61, "a\nb"])
def test_a_software_has_a_name_of_sixty_visible_letters_at_most(
    october: Invoice, name: str
) -> None:
    at_counter(october)
    with pytest.raises(Refused, match="60"):
        outgoing.advance(name, "", "Dominique")
    assert outgoing.advance("x" * 60, "", "Dominique").consumer == "x" * 60
