"""A credit note (*avoir*) pays each cent once, of one family and régie, until taken off."""

from datetime import date

import pytest
from peewee import IntegrityError

from kiosque import payments
from kiosque.db.models import (
    Anomaly,
    Family,
    Invoice,
    JournalEntry,
    Receipt,
    Repayment,
    Settlement,
)
from kiosque.db.states import RepaymentKind
from kiosque.payments import (
    CounterPayment,
    Refused,
    credit_notes,
    history,
    journal,
    verification,
)
from kiosque.payments.credit_notes import find_credit_note
from tests.conftest import ISSUERS, NOW, make_invoice
from tests.kiosque.payments.conftest import Hear, Pay, at_counter, state_of

pytestmark = pytest.mark.usefixtures("sound_books")
WHO = ("Dominique", "courriel du 3")


@pytest.fixture
def note(alices_family: Family) -> Invoice:
    """A credit note of 12 €."""
    return make_invoice(alices_family, "AV-1", -1200, state="nothing_due")


def apply(note: Invoice, invoice: Invoice, cents: int | None = None, reason: str = "accord") -> int:
    return payments.apply_credit(note.number, invoice.number, cents, "Dominique", reason)


def left(note: Invoice) -> int:
    return Invoice.get_by_id(note.id).credit_cents


def test_a_credit_note_pays_a_part_of_an_invoice_and_is_no_money(
    note: Invoice, october: Invoice
) -> None:
    assert apply(note, october, 700) == 700
    assert (left(note), Invoice.get_by_id(october.id).remaining_cents) == (500, 3820)
    assert journal.balances() == {"credits": 700, "invoices": -700}
    assert Receipt.select().count() == 0
    assert apply(note, october, 700) == 0  # the command typed twice
    assert apply(note, october) == 500
    assert left(note) == 0
    with pytest.raises(Refused, match="employé en entier"):
        apply(note, october, reason="encore")


def test_what_is_left_of_an_invoice_is_paid_online(
    note: Invoice, october: Invoice, go: Pay, hear: Hear
) -> None:
    apply(note, october)
    _, handoff = go(Invoice.get_by_id(october.id))
    hear(handoff)
    assert state_of(october) == "paid"
    assert sum(each.amount_cents for each in payments.credit_uses(note)) == 1200


def test_a_credit_note_larger_than_an_invoice_pays_several(
    alices_family: Family, october: Invoice, september: Invoice
) -> None:
    note = make_invoice(alices_family, "AV-2", -6000, state="nothing_due")
    assert apply(note, october) == 4520
    assert state_of(october) == "paid"
    assert apply(note, september) == 1480
    assert [each.invoice.number for each in payments.credit_uses(note)] == [
        october.number,
        september.number,
    ]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"credit_number": "nul" * 11}, f"aucun avoir ne porte le numéro {'nul' * 10}\\."),
        ({"credit_number": ""}, "nomme un avoir"),
        ({"mode": "cash"}, "nomme un avoir"),
        ({"amount_cents": 1201}, "12,00"),
        ({"amount_cents": 0}, "au-dessus de zéro"),
        ({"invoice_number": "nulle"}, "n’existe pas"),
        ({"invoice_number": "C-1"}, "autre famille"),
        ({"invoice_number": "B-1"}, "autre régie"),
        ({"invoice_number": "AV-1"}, "pas à régler"),
        ({"settled_on": date(2026, 11, 4)}, "après ce jour"),
        ({"author": ""}, "auteur"),
    ],
)
def test_what_a_credit_note_cannot_pay_changes_nothing(
    note: Invoice,
    october: Invoice,
    charlies_family: Family,
    changes: dict[str, object],
    why: str,
) -> None:
    make_invoice(charlies_family, "C-1")
    make_invoice(note.family, "B-1", regie="creche")
    values = {
        "invoice_number": october.number, "amount_cents": 1200, "mode": "credit",
        "settled_on": NOW.date(), "author": "Dominique", "reason": "accord",
        "credit_number": note.number, **changes,
    }  # fmt: skip
    with pytest.raises(Refused, match=why):
        payments.settle_at_counter([CounterPayment(**values)])  # type: ignore[arg-type]
    assert (left(note), Settlement.select().count()) == (1200, 0)


def test_another_credit_note_of_the_same_cents_the_same_day_is_not_taken_for_the_first(
    note: Invoice, october: Invoice, alices_family: Family
) -> None:
    other = make_invoice(alices_family, "AV-2", -1200, state="nothing_due")
    assert [apply(each, october, 700) for each in (note, other, note, other)] == [700, 700, 0, 0]


def test_a_credit_note_pays_only_what_was_agreed_to(note: Invoice, october: Invoice) -> None:
    with pytest.raises(Refused):
        payments.apply_credit(note.number, october.number, None, *WHO, agreed=[])
    assert left(note) == 1200


def test_the_last_cent_of_a_credit_note_pays_from_the_day_of_the_note(
    note: Invoice, october: Invoice
) -> None:
    apply(note, october, 1199)
    last = CounterPayment(
        october.number, None, "credit", note.issued_on, *WHO, credit_number=note.number
    )
    assert [each.cents for each in payments.settle_at_counter([last])] == [1]


def test_a_credit_note_pays_no_more_than_is_left(note: Invoice, october: Invoice) -> None:
    at_counter(october, amount_cents=4000)
    with pytest.raises(Refused, match="5,20"):
        apply(note, october, 600)
    assert apply(note, october, 520) == 520
    with pytest.raises(Refused, match="pas à régler"):
        apply(note, october, 100, "en plus")


def test_a_mistake_is_taken_off_and_the_invoice_is_to_pay_again(
    note: Invoice, october: Invoice
) -> None:
    apply(note, october)
    assert payments.unapply_credit(note.number, october.number, *WHO) == 1200
    assert (left(note), Invoice.get_by_id(october.id).paid_cents) == (1200, 0)
    assert journal.balances() == {"credits": 0, "invoices": 0}
    assert payments.open_anomalies() == []
    with pytest.raises(Refused, match="ne paie rien"):
        payments.unapply_credit(note.number, october.number, *WHO)
    assert apply(note, october, reason="cette fois") == 1200
    said = " / ".join(event.text for event in history.events_of(note.number))
    assert "avoir AV-1 affecté" in said
    assert "reprise de l’avoir" in said
    assert history.events_of(october.number) == history.events_of(note.number)


def test_what_is_taken_off_is_kept_with_who_when_and_why(note: Invoice, october: Invoice) -> None:
    apply(note, october, 700)
    for who in ((" ", "erreur"), ("Dominique", "")):
        with pytest.raises(Refused):
            payments.unapply_credit(note.number, october.number, *who)
    with pytest.raises(Refused):
        payments.unapply_credit(note.number, october.number, *WHO, agreed=699)
    assert (left(note), Repayment.select().count()) == (500, 0)
    numbers = (f" {each.number} " for each in (note, october))
    assert payments.unapply_credit(*numbers, " Dominique ", " courriel ", agreed=700) == 700
    kept = Repayment.get()
    assert (kept.kind, kept.state, kept.amount_cents) == ("reversal", "done", 700)
    assert (kept.author, kept.reason) == ("Dominique", "courriel")
    assert kept.asked_at == kept.done_at == NOW
    last = JournalEntry.select().order_by(JournalEntry.number.desc()).get()
    assert "(Dominique : courriel)" in last.label


def test_what_a_credit_note_is_worth_changes_with_what_it_pays_or_not_at_all(
    note: Invoice, october: Invoice
) -> None:
    apply(note, october, 700)
    with pytest.raises(RuntimeError):
        credit_notes.use(note, 1)
    with pytest.raises(RuntimeError):
        credit_notes.take_off_credit(Settlement.get(), *WHO)
    assert left(note) == 500


def test_only_what_is_worth_something_and_stands_is_a_credit_note(
    note: Invoice, october: Invoice
) -> None:
    assert find_credit_note(" AV-1 ") == note
    make_invoice(note.family, "Z-1", 0, state="nothing_due")
    payments.cancel_invoice(note.number, *WHO)
    for number in (note.number, "Z-1", october.number, "nul"):
        assert find_credit_note(number) is None


def test_what_does_not_pay_an_invoice_is_not_taken_off_it(
    note: Invoice, october: Invoice, september: Invoice
) -> None:
    apply(note, october, 700)
    at_counter(october, amount_cents=100)
    for named, number in (
        (note.number, september.number),
        ("n" * 31, "o" * 31),
        ("nul", october.number),
    ):
        with pytest.raises(Refused, match=f"L’avoir {named[:30]} .* {number[:30]}\\."):
            payments.unapply_credit(named, number, *WHO)
    apply(note, september, 500)
    assert payments.unapply_credit(note.number, september.number, *WHO) == 500
    assert left(note) == 500


def test_no_credit_note_pays_what_is_paid_nor_is_it_offered_to(
    note: Invoice, october: Invoice
) -> None:
    at_counter(october)
    with pytest.raises(Refused) as refused:
        apply(note, october, 700)
    assert "--yes" not in str(refused.value)
    assert left(note) == 1200


def test_it_is_given_back_by_no_other_way(note: Invoice, october: Invoice) -> None:
    apply(note, october, 700)
    used = Settlement.get()
    for kind in (RepaymentKind.REFUND, RepaymentKind.CHARGEBACK):
        for cents in (None, 100):
            with pytest.raises(Refused, match="unapply-credit"):
                payments.record_repayment(used, kind, cents, *WHO)
    with pytest.raises(Refused):
        payments.apply_overpayment(used, october.number, *WHO, ISSUERS)
    payments.unapply_credit(note.number, october.number, *WHO)
    with pytest.raises(Refused, match="apply-credit"):
        payments.restore(used, None, *WHO)
    with pytest.raises(Refused):
        payments.find_settlement(october.number)


def test_an_invoice_that_a_credit_note_and_money_pay_is_called_by_the_money(
    note: Invoice, october: Invoice
) -> None:
    apply(note, october)
    at_counter(october, amount_cents=3320)
    assert payments.find_settlement(october.number).mode == "cash"


def test_a_cancelled_invoice_gives_back_to_the_credit_note_what_it_paid(
    note: Invoice, october: Invoice
) -> None:
    apply(note, october)
    at_counter(october, amount_cents=1000)
    with pytest.raises(Refused, match="unapply-credit"):
        payments.cancel_invoice(note.number, *WHO)
    payments.cancel_invoice(october.number, "Dominique", "double")
    assert (state_of(october), left(note)) == ("cancelled", 1200)
    assert [each.amount_cents for each in Anomaly.select()] == [1000]
    payments.cancel_invoice(note.number, *WHO)
    assert (state_of(note), left(note)) == ("cancelled", 0)


def test_what_a_credit_note_paid_stays_when_the_treasury_collects_the_rest(
    note: Invoice, october: Invoice, september: Invoice
) -> None:
    apply(note, october, 700)
    payments.transmit([october.number], "B-12", NOW.date(), *WHO)
    assert Invoice.get_by_id(october.id).treasury_cents == 3820
    with pytest.raises(Refused, match="untransmit"):
        apply(note, october, 500)
    payments.unapply_credit(note.number, october.number, *WHO)
    assert (state_of(october), Invoice.get_by_id(october.id).treasury_cents) == (
        "transmitted",
        4520,
    )


def test_the_database_lets_no_cent_pay_twice(note: Invoice, october: Invoice) -> None:
    apply(note, october, 700)
    for cents in (-1201, 1):
        with pytest.raises(IntegrityError):
            Invoice.update(paid_cents=cents).where(Invoice.id == note.id).execute()
    for changes in ({"mode": "cash"}, {"credit_note": None}):
        with pytest.raises(IntegrityError):
            Settlement.update(changes).execute()


def test_verify_names_a_credit_note_that_is_worth_more_or_less_than_is_left(
    note: Invoice, october: Invoice
) -> None:
    apply(note, october, 700)
    Invoice.update(paid_cents=-600).where(Invoice.id == note.id).execute()
    assert any("AV-1" in fault for fault in verification.faults())
    Invoice.update(paid_cents=-700).where(Invoice.id == note.id).execute()
    Settlement.update(regie="creche").execute()
    assert any("avoir" in fault for fault in verification.faults())
    Settlement.update(regie="").execute()
