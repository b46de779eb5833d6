"""The payments as another software of the town receives them, each as it is now."""

import pytest

from kiosque.db.models import Invoice
from kiosque.payments import Refused, outgoing
from kiosque.payments.outgoing import Use
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
