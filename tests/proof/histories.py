"""Short histories of payments, told step by step; the books are compared after each step.

The random machine of `machine.py` meets such histories by luck. These make sure of it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from kiosque.db.statement_words import MatchKind
from tests.proof import (
    bank_statements,
    closing_months,
    corrections,
    elsewhere,
    loads,
    merging,
    paying_over,
)
from tests.proof.accounts import KINDS
from tests.proof.machine import Town
from tests.proof.stage import rows


@dataclass(frozen=True)
class Story:
    """The steps of a town's history, in words. `order` and `message` count from 0, as they came."""

    town: Town

    def opens(self, *numbers: str) -> None:
        """Alice goes to the bank with these invoices."""
        self.town.alice_or_bob_pays(numbers=list(numbers), at_once="", email=True)
        self._compare()

    def card(
        self,
        status: str,
        *,
        order: int = 0,
        off: int = 0,
        dollars: bool = False,
        by_hand: bool = False,
        heard: int = 1,
    ) -> None:
        """A card is presented, for `off` cents more than awaited; the notice arrives so often."""
        self.town.a_card_is_presented(
            which=order, status=status, off=off, dollars=dollars, by_hand=by_hand, heard=heard
        )
        self._compare()

    def goes_astray(self, message: int) -> None:
        """A message arrives by the other gateway."""
        self.town.a_notice_goes_astray(which=message)
        self._compare()

    def leaves(self) -> None:
        """The payer leaves the bank's page."""
        self.town.the_payer_leaves(which=0, timed_out=False, heard=1)
        self._compare()

    def bank_cancels(self) -> None:
        """The bank cancels the first debit, which was authorised."""
        self.town.the_bank_decides(which=0, choice=1, heard=1)
        self._compare()

    def credit(self, cents: int | None = None) -> None:
        """The bank's back office gives back a part of the first debit, or all of it."""
        self.town.the_back_office_gives_back(which=0, cents=cents, status="CAPTURED", heard=1)
        self._compare()

    def names_its_debit(self) -> None:
        """The bank gives the first debit back, under the very name of that debit."""
        self.town.a_credit_is_named_as_its_debit(which=0)
        self._compare()

    def arrives(self, message: int) -> None:
        """A message of the bank's arrives, again or at last."""
        self.town.a_message_arrives_again_or_at_last(which=message, times=1)
        self._compare()

    def wait(self, minutes: int) -> None:
        self.town.time_passes(seconds=60 * minutes)

    def check(self, what: Callable[[Town], object]) -> None:
        """Take any other step of the machine's."""
        what(self.town)
        self._compare()

    def _compare(self) -> None:
        self.town.the_books_are_right()


History = Callable[[Story], None]


def play(history: History) -> None:
    """Tell it to its end, all that was lost having arrived. Raises AssertionError."""
    town = Town()
    try:
        history(Story(town))
    finally:
        town.teardown()


def one_debit(story: Story) -> None:
    story.opens("A1")
    story.card("CAPTURED")
    assert rows("SELECT number FROM invoice WHERE state = 'paid'") == [("A1",)]


def two_debits(story: Story) -> None:
    one_debit(story)
    story.card("CAPTURED")


def notice_repeated(story: Story) -> None:
    story.opens("A1")
    story.card("AUTHORISED")
    story.wait(1)
    story.arrives(0)


def amount_changed_meanwhile(story: Story) -> None:
    story.opens("A1")
    story.check(lambda town: town.an_open_invoice_changes_its_amount("A1", 4600))
    story.card("CAPTURED")


def debit_cancelled_then_told_of_another_amount(story: Story) -> None:
    story.opens("A1")
    story.card("AUTHORISED")
    story.bank_cancels()
    story.check(lambda town: town.the_bank_contradicts_itself(which=0, how="amount"))


def given_back_while_another_debit_is_examined(story: Story) -> None:
    one_debit(story)
    story.card("AUTHORISED_TO_VALIDATE")
    story.credit()


def debit_of_another_amount(story: Story) -> None:
    story.opens("A1")
    story.card("CAPTURED", off=480)


def given_back_once_closed(story: Story) -> None:
    debit_of_another_amount(story)
    story.check(lambda town: town.an_attempt_is_closed(which=0))
    story.credit(1000)
    story.opens("A1")


def debit_of_another_amount_then_refused(story: Story) -> None:
    debit_of_another_amount(story)
    story.check(lambda town: town.the_bank_contradicts_itself(which=0, how="refusal"))


def debit_undone_before_it_was_entered_by_hand(story: Story) -> None:
    story.opens("A1")
    story.card("AUTHORISED", heard=0)
    for choice in (3, 0):  # the remittance failed; it passes, and nobody hears of it
        story.check(
            lambda town, choice=choice: town.the_bank_decides(
                which=0, choice=choice, heard=int(choice == 3)
            )
        )
    put_right(story, "enter")
    story.arrives(1)
    story.arrives(2)


def debit_in_dollars(story: Story) -> None:
    story.opens("A1")
    story.card("CAPTURED", dollars=True)


def debit_made_again_by_hand(story: Story) -> None:
    story.opens("A1")
    story.card("CAPTURED")
    story.card("AUTHORISED", by_hand=True)
    story.card("REFUSED", by_hand=True)


def payer_left_then_paid(story: Story) -> None:
    story.opens("A1")
    story.leaves()
    story.card("CAPTURED")


def debit_undone(story: Story) -> None:
    story.opens("A1")
    story.card("AUTHORISED")
    story.bank_cancels()


def debit_undone_before_it_is_heard_of(story: Story) -> None:
    story.opens("A1")
    story.card("AUTHORISED", heard=0)
    story.bank_cancels()
    story.arrives(0)


def one_of_two_debits_undone(story: Story) -> None:
    story.opens("A1")
    story.card("AUTHORISED")
    story.card("AUTHORISED")
    story.bank_cancels()


def two_credits_of_one_debit(story: Story) -> None:
    one_debit(story)
    story.credit(1000)
    story.credit(520)


def credit_before_its_debit_of_another_amount(story: Story) -> None:
    story.opens("A1")
    story.card("CAPTURED", off=480, heard=0)
    story.credit()
    story.arrives(0)


def too_large_a_refund(story: Story) -> None:
    one_debit(story)
    story.check(
        lambda town: town.a_refund_is_asked(which=0, cents=7521, reason="erreur", mood="true")
    )


def opened_in_two_tabs(story: Story) -> None:
    story.opens("A1")
    story.opens("A1")


def opened_again_unanswered(story: Story) -> None:
    story.opens("A1")
    story.wait(16)
    story.opens("A1")


def opened_again_after_leaving(story: Story) -> None:
    story.opens("A1")
    story.leaves()
    story.opens("A1")
    assert len(story.town.books.orders) == 2


def answer_about_another_order(story: Story) -> None:
    story.opens("A1")
    story.opens("A2")
    story.card("CAPTURED", heard=0)
    story.wait(16)
    story.check(lambda town: town.the_timer_asks(mood="other order"))


def debit_claimed_for_another_order(story: Story) -> None:
    one_debit(story)
    story.opens("A2")
    story.check(lambda town: town.the_bank_contradicts_itself(which=0, how="order"))


def paid_again_at_the_counter(story: Story) -> None:
    one_debit(story)
    story.check(lambda town: town.the_counter_is_paid("A1"))


def paid_once_cancelled(story: Story) -> None:
    story.opens("A1")
    story.check(lambda town: town.an_invoice_is_cancelled("A1"))
    story.card("CAPTURED")


def more_than_is_due_at_the_counter(story: Story) -> None:
    story.check(lambda town: town.the_counter_is_paid("A1", 3000))
    story.check(lambda town: town.the_counter_is_paid("A1", 3000))
    story.check(lambda town: town.the_counter_is_paid("A1", 1000, extra=True))


def paid_in_parts(story: Story) -> None:
    story.check(lambda town: town.the_counter_is_paid("A1", 3000))
    story.opens("A1")
    story.card("CAPTURED")


def _bounces(story: Story, cheque: int) -> None:
    """The counter's payment of that place is an *impayé*."""
    leaves = {"cents": None, "kind": "chargeback", "reason": "erreur"}
    story.check(lambda town: town.money_leaves_elsewhere(which=cheque, **leaves))


def a_part_bounces_after_the_whole_came(story: Story) -> None:
    """The excess pays what the other part no longer does; the rest is still owed."""
    story.opens("A1")
    for cents in (1000, 1520):
        story.check(lambda town, cents=cents: town.the_counter_is_paid("A1", cents))
    story.card("CAPTURED")
    _bounces(story, 0)
    _bounces(story, 1)


def a_part_restored_once_paid_otherwise(story: Story) -> None:
    story.check(lambda town: town.the_counter_is_paid("A1", 3000))
    _bounces(story, 0)
    story.check(lambda town: town.the_counter_is_paid("A1", 4000))
    story.check(lambda town: corrections.restore(town, town.books.counter[0], None))


def cancelled_once_paid_in_part(story: Story) -> None:
    story.check(lambda town: town.the_counter_is_paid("A1", 1000))
    story.check(lambda town: town.the_counter_is_paid("A1", 1520))
    story.check(lambda town: town.an_invoice_is_cancelled("A1"))


def more_is_owed_than_was_dealt_with(story: Story) -> None:
    story.check(lambda town: town.the_counter_is_paid("A1", 1520))
    story.check(lambda town: town.the_counter_is_paid("A1", 4000))
    story.check(lambda town: town.what_came_twice_is_dealt_with(0))
    _bounces(story, 1)
    story.check(lambda town: town.the_counter_is_paid("A1"))
    story.check(lambda town: corrections.restore(town, town.books.counter[1], None))


def credit_named_as_its_debit(story: Story) -> None:
    one_debit(story)
    story.names_its_debit()


def credit_of_nothing(story: Story) -> None:
    story.opens("A1")
    story.card("CAPTURED", heard=0)
    story.credit()


def credit_of_one_of_two_debits(story: Story) -> None:
    two_debits(story)
    story.credit(1000)


def given_by_hand_then_cancelled(story: Story) -> None:
    story.opens("A1")
    story.card("AUTHORISED")
    story.check(
        lambda town: town.money_leaves_elsewhere(
            which=0, cents=520, kind="refund", reason="absence"
        )
    )
    story.bank_cancels()


def charlie_pays_at_the_counter(story: Story) -> None:
    story.check(lambda town: town.the_counter_is_paid("C1"))


def a_cent_of_a_debit_cancelled(story: Story) -> None:
    one_debit(story)
    story.check(lambda town: town.the_bank_contradicts_itself(which=0, how="cent"))
    assert rows("SELECT number FROM invoice WHERE state = 'paid'") == [("A1",)]


def cancelled_before_a_debit_of_another_amount(story: Story) -> None:
    story.opens("A1")
    story.card("AUTHORISED", off=480, heard=0)
    story.bank_cancels()
    story.arrives(0)


def put_right(
    story: Story, what: str, number: str = "A1", which: int = 0, cents: int | None = None
) -> None:
    story.check(
        lambda town: town.something_is_put_right(what, number=number, which=which, cents=cents)
    )


def remittance_failed_then_passed(story: Story) -> None:
    story.opens("A1")
    story.card("AUTHORISED")
    story.check(lambda town: town.the_bank_decides(which=0, choice=3, heard=1))
    story.check(lambda town: town.the_bank_decides(which=0, choice=0, heard=1))
    put_right(story, "restore")
    assert rows("SELECT number FROM invoice WHERE state = 'paid'") == [("A1",)]


def given_back_in_vain(story: Story) -> None:
    two_debits(story)
    for cents in (1000, None):
        story.check(
            lambda town, cents=cents: town.money_leaves_elsewhere(
                which=1, cents=cents, kind="refund", reason="absence"
            )
        )
    put_right(story, "restore", which=1)
    put_right(story, "restore", which=1, cents=1000)
    put_right(story, "restore", which=1, cents=3520)
    put_right(story, "restore", which=1, cents=1000)


def restored_once_settled_otherwise(story: Story) -> None:
    one_debit(story)
    story.check(
        lambda town: town.money_leaves_elsewhere(
            which=0, cents=None, kind="chargeback", reason="erreur"
        )
    )
    story.check(lambda town: town.the_counter_is_paid("A1"))
    put_right(story, "restore")
    put_right(story, "apply", "A2")


def what_came_twice_pays_another_invoice(story: Story) -> None:
    two_debits(story)
    put_right(story, "apply", "C1", which=1)
    put_right(story, "apply", "A3", which=1)
    assert ("A3",) in rows("SELECT number FROM invoice WHERE state = 'paid'")
    put_right(story, "apply", "A5", which=1)
    put_right(story, "apply", "A2", which=1)
    story.credit(520)


def what_came_twice_paid_the_wrong_invoice(story: Story) -> None:
    two_debits(story)
    put_right(story, "apply", "A3", which=1)
    put_right(story, "withdraw", "A3")
    assert ("A3",) not in rows("SELECT number FROM invoice WHERE state = 'paid'")
    put_right(story, "withdraw", "A3", which=1)
    put_right(story, "apply", "A2", which=1)
    story.credit(520)
    put_right(story, "withdraw", "A2")
    put_right(story, "apply", "A2", which=1)


def what_matched_nothing_paid_the_wrong_invoice(story: Story) -> None:
    story.opens("A1")
    story.card("CAPTURED", off=480, heard=0)
    put_right(story, "enter")
    put_right(story, "apply", "A2")
    put_right(story, "withdraw", "A2")
    put_right(story, "apply", "A3")


def debit_entered_by_hand(story: Story) -> None:
    story.opens("A1")
    story.card("CAPTURED", heard=0)
    put_right(story, "enter")
    assert rows("SELECT number FROM invoice WHERE state = 'paid'") == [("A1",)]
    story.arrives(0)
    story.credit()


def debit_of_another_amount_pays_the_invoice_it_holds(story: Story) -> None:
    story.opens("A1")
    story.card("CAPTURED", off=480)
    put_right(story, "apply", "A1")
    assert rows("SELECT number FROM invoice WHERE state = 'paid'") == [("A1",)]


def debit_of_another_amount_entered_then_used(story: Story) -> None:
    story.opens("A1")
    story.card("CAPTURED", off=480, heard=0)
    put_right(story, "enter")
    put_right(story, "apply", "A2")
    assert ("A2",) in rows("SELECT number FROM invoice WHERE state = 'paid'")


def one_debit_of_each_regie(story: Story) -> None:
    one_debit(story)
    story.opens("B1")
    story.card("CAPTURED", order=1)
    assert rows("SELECT sequence, number FROM receipt ORDER BY id") == [("", 1), ("creche", 1)]


def two_regies_in_one_payment(story: Story) -> None:
    story.opens("A1", "B1")
    assert not story.town.books.orders


def notice_by_the_other_gateway(story: Story) -> None:
    story.opens("A1")
    story.card("CAPTURED", heard=0)
    story.check(lambda town: town.a_forged_message_arrives(which=0, how="other address"))
    story.goes_astray(0)
    assert rows("SELECT number FROM invoice WHERE state = 'paid'") == []
    story.arrives(0)


def what_came_twice_is_not_the_other_regies(story: Story) -> None:
    two_debits(story)
    put_right(story, "apply", "B1", which=1)
    assert rows("SELECT number FROM invoice WHERE state = 'paid'") == [("A1",)]


def given_back_where_the_bank_cannot_be_asked(story: Story) -> None:
    story.opens("B1")
    story.card("CAPTURED")
    story.check(
        lambda town: town.a_refund_is_asked(which=0, cents=None, reason="erreur", mood="true")
    )
    story.credit(1000)
    story.check(
        lambda town: town.money_leaves_elsewhere(
            which=0, cents=None, kind="chargeback", reason="erreur"
        )
    )
    story.check(lambda town: town.the_counter_is_paid("B1"))
    put_right(story, "restore")


def silent_where_the_bank_cannot_be_asked(story: Story) -> None:
    story.opens("B1")
    story.card("AUTHORISED", heard=0)
    story.wait(31)
    story.check(lambda town: town.the_timer_asks(mood="true"))
    put_right(story, "enter")
    assert rows("SELECT number FROM invoice WHERE state = 'paid'") == [("B1",)]
    story.bank_cancels()


def refund_dropped_then_asked_again(story: Story) -> None:
    one_debit(story)
    story.check(
        lambda town: town.a_refund_is_asked(which=0, cents=1000, reason="absence", mood="down")
    )
    story.check(lambda town: town.a_refund_is_dropped(which=0))
    story.wait(3)
    story.check(lambda town: town.a_refund_is_dropped(which=0))
    story.check(
        lambda town: town.a_refund_is_asked(which=0, cents=1000, reason="absence", mood="true")
    )


def refund_done_without_a_word_and_dropped(story: Story) -> None:
    one_debit(story)
    story.check(
        lambda town: town.a_refund_is_asked(which=0, cents=1000, reason="absence", mood="lost")
    )
    story.wait(3)
    story.check(lambda town: town.a_refund_is_dropped(which=0))
    story.arrives(1)


def bank_closed_then_open(story: Story) -> None:
    story.opens("A1")
    story.check(lambda town: town.a_bank_closes_or_opens("banque", hours=1))
    story.card("CAPTURED")
    story.opens("A3")
    story.opens("B1")
    assert len(story.town.books.orders) == 2
    story.wait(61)
    story.opens("A3")
    story.check(lambda town: town.a_bank_closes_or_opens("banque", hours=24))
    story.check(lambda town: town.a_bank_closes_or_opens("banque", hours=0))
    story.opens("A5")
    assert len(story.town.books.orders) == 4


def one_debit_under_two_numbers(story: Story) -> None:
    story.opens("A1")
    story.card("CAPTURED", heard=0)
    story.check(lambda town: town.a_debit_is_told_under_another_number(which=0))
    assert rows("SELECT number FROM invoice WHERE state = 'paid'") == []
    story.arrives(0)
    assert rows("SELECT number FROM invoice WHERE state = 'paid'") == [("A1",)]
    story.check(lambda town: town.a_debit_is_told_under_another_number(which=0))


# --- What the Treasury collects ---


def late_money_for_the_treasury(story: Story) -> None:
    """The bank tells of it once the invoice was transmitted; it pays once it is taken back."""
    story.opens("A1")
    story.leaves()
    story.check(lambda town: elsewhere.transmit(town, "A1"))
    story.card("CAPTURED")
    assert rows("SELECT state FROM invoice WHERE number = 'A1'") == [("transmitted",)]
    story.check(lambda town: elsewhere.take_back(town, "A1"))
    assert rows("SELECT state FROM invoice WHERE number = 'A1'") == [("paid",)]


def transmitted_while_at_the_bank(story: Story) -> None:
    story.opens("A1")
    story.check(lambda town: elsewhere.transmit(town, "A1"))
    story.card("CAPTURED")


def paid_to_the_treasury_in_parts(story: Story) -> None:
    """Money that it receives bounces, and is its own to collect again."""
    story.check(lambda town: town.the_counter_is_paid("A1", 1000))
    story.check(lambda town: elsewhere.transmit(town, "A1"))
    story.check(lambda town: town.the_counter_is_paid("A1", 520, mode="cash"))
    story.check(lambda town: town.the_counter_is_paid("A1", 1520, mode="treasury"))
    story.check(lambda town: town.the_counter_is_paid("A1", mode="treasury"))
    _bounces(story, 2)
    assert rows("SELECT state FROM invoice WHERE number = 'A1'") == [("transmitted",)]
    _bounces(story, 0)
    put_right(story, "restore", which=0)
    story.check(lambda town: town.an_invoice_is_cancelled("A1"))


# --- What credit notes pay ---


def a_credit_note_pays_twice_at_most_its_worth(story: Story) -> None:
    story.check(lambda town: elsewhere.deduct(town, "V1", "A1", 1000))
    story.check(lambda town: elsewhere.deduct(town, "V1", "A1", 1000))
    story.check(lambda town: elsewhere.deduct(town, "V1", "A2", None))
    story.check(lambda town: elsewhere.deduct(town, "V1", "A3", None))
    story.opens("A1")
    story.card("CAPTURED")


def a_credit_note_is_of_one_family_and_regie(story: Story) -> None:
    story.check(lambda town: elsewhere.deduct(town, "V1", "C1", 520))
    story.check(lambda town: elsewhere.deduct(town, "V1", "B1", 520))
    assert rows("SELECT id FROM settlement") == []


def a_credit_note_taken_off(story: Story) -> None:
    story.check(lambda town: elsewhere.deduct(town, "V2", "B1", None))
    story.check(lambda town: elsewhere.deduct(town, "V2", "B2", None))
    story.check(lambda town: town.the_counter_is_paid("B1", 1000, extra=True))
    story.check(lambda town: elsewhere.take_off(town, "V2", "B1"))
    story.check(lambda town: elsewhere.take_off(town, "V2", "B1"))
    story.check(lambda town: elsewhere.deduct(town, "V2", "B1", None))
    put_right(story, "restore")
    _bounces(story, 0)


def cancelled_once_a_credit_note_paid(story: Story) -> None:
    story.check(lambda town: elsewhere.deduct(town, "V1", "A1", 1000))
    story.check(lambda town: town.the_counter_is_paid("A1", 1520))
    story.check(lambda town: town.an_invoice_is_cancelled("V1"))
    story.check(lambda town: town.an_invoice_is_cancelled("A1"))
    story.check(lambda town: elsewhere.deduct(town, "V1", "A2", None))
    story.check(lambda town: elsewhere.take_off(town, "V1", "A2"))
    story.check(lambda town: town.an_invoice_is_cancelled("V1"))


# --- What is paid over ---


def _pays_over(story: Story, regie: str = "", how: str = "alone", which: int = 0) -> None:
    story.check(lambda town: paying_over.final(town, regie, how, which))


def paid_over_then_given_back(story: Story) -> None:
    one_debit(story)
    _pays_over(story)
    _pays_over(story)
    story.credit(1000)
    _pays_over(story)
    story.credit()
    story.check(lambda town: town.the_counter_is_paid("A2", 1520))
    _pays_over(story)
    assert rows("SELECT number FROM deposit ORDER BY id") == [(1,), (2,), (3,)]


def each_regie_pays_over_its_own(story: Story) -> None:
    one_debit_of_each_regie(story)
    _pays_over(story)
    _pays_over(story, "creche")


def kept_back_then_paid_over(story: Story) -> None:
    one_debit(story)
    story.check(lambda town: town.the_counter_is_paid("A2"))
    story.check(lambda town: paying_over.keep(town, 0))
    _pays_over(story)
    _pays_over(story)
    story.check(lambda town: paying_over.keep(town, 0))
    _pays_over(story)


def two_press_at_once(story: Story) -> None:
    one_debit(story)
    _pays_over(story, how="at once")
    story.check(lambda town: town.the_counter_is_paid("A2"))
    _pays_over(story, how="at once")
    assert rows("SELECT number FROM deposit ORDER BY id") == [(1,), (2,)]


def killed_while_it_is_paid_over(story: Story) -> None:
    one_debit(story)
    for statement, number in enumerate(("A2", "A3", "A4"), start=1):
        _pays_over(story, how="dying", which=10 * statement)
        story.check(lambda town, number=number: town.the_counter_is_paid(number))
    assert rows("SELECT number FROM deposit ORDER BY id") == [(1,), (2,), (3,)]


def kept_back_while_its_paper_is_made(story: Story) -> None:
    one_debit(story)
    story.check(lambda town: town.the_counter_is_paid("A2"))
    _pays_over(story, how="kept back meanwhile")
    assert rows("SELECT amount_cents FROM deposit") == [(4520,)]


def told_and_not_paid_over(story: Story) -> None:
    story.check(lambda town: elsewhere.deduct(town, "V1", "A1", 1000))
    story.check(lambda town: elsewhere.transmit(town, "A3"))
    story.check(lambda town: town.the_counter_is_paid("A3", mode="treasury"))
    _pays_over(story)
    story.check(lambda town: elsewhere.take_off(town, "V1", "A1"))
    _pays_over(story)


# --- What the bank's statement tells ---


def _statement(
    story: Story, *kinds: str, regie: str = "", how: str = "once", which: int = 0
) -> None:
    """The bank tells of what moved; the journal of a remittance comes first, or last (1)."""
    what = [KINDS.index(kind) for kind in kinds]
    story.check(lambda town: bank_statements.send(town, regie, what, how, which))


def told_by_the_statement_then_undone(story: Story) -> None:
    one_debit_of_each_regie(story)
    for regie in ("", "creche"):
        _statement(story, "ours", "fee", "again", regie=regie, how="twice")
        story.check(lambda town, regie=regie: bank_statements.say(town, regie, 0, MatchKind.FEE))
    story.check(lambda town: bank_statements.undo(town, "", 0))
    story.check(lambda town: bank_statements.undo(town, "", 1))
    story.check(lambda town: bank_statements.confirm(town, "", 0))
    _statement(story, "stranger", how="overlap")


def what_a_person_undid_stays_a_persons(story: Story) -> None:
    one_debit(story)
    _statement(story, "ours")
    story.check(lambda town: bank_statements.undo(town, "", 0))
    _statement(story, "stranger", how="overlap")
    story.check(lambda town: bank_statements.confirm(town, "", 0))


def told_again_of_one_debit(story: Story) -> None:
    """By a mistake of the bank's, a day later, and for a cent less at last."""
    one_debit(story)
    _statement(story, "stranger", "ours")
    story.wait(24 * 60)
    _statement(story, "again", how="overlap")
    story.opens("A3")
    story.card("CAPTURED", order=1)
    _statement(story, "cent off", "fee")


def two_lines_name_one_debit(story: Story) -> None:
    one_debit(story)
    _statement(story, "ours", "again")


def a_remittance_net_of_its_fees(story: Story) -> None:
    two_debits(story)
    _statement(story, "remittance", "fee", which=1)
    story.check(lambda town: bank_statements.undo(town, "", 0))
    story.check(lambda town: bank_statements.confirm(town, "", 0))


def the_rest_of_a_day(story: Story) -> None:
    """One of three debits is named; the sum of the others is found beside."""
    two_debits(story)
    story.card("CAPTURED")
    _statement(story, "bank's", "day")


def told_in_pieces_backwards(story: Story) -> None:
    one_debit(story)
    _statement(story, "fee", "stranger", "ours", "again", how="backwards")
    story.wait(24 * 60)
    _statement(story, "fee", "again", how="other words")
    _statement(story, "fee", "stranger", how="split")


def paid_over_as_the_statement_tells(story: Story) -> None:
    one_debit(story)
    _pays_over(story)
    _statement(story, "ours", "paid over")
    story.check(lambda town: bank_statements.undo(town, "", 1))
    story.check(lambda town: bank_statements.confirm(town, "", 0))
    story.credit(1000)
    _statement(story, "bank's")


# --- What is closed ---

_TEN_DAYS = 10 * 24 * 60


def closed_once_paid_over(story: Story) -> None:
    """It is the fourth of December when November is closed; money comes before, and after."""
    one_debit(story)
    story.wait(_TEN_DAYS)
    story.check(lambda town: town.the_counter_is_paid("A2"))
    for _ in range(3):
        story.check(lambda town: closing_months.close(town, ""))
        _pays_over(story)
    assert rows("SELECT month FROM month_closing ORDER BY id") == [("2026-11",)]
    story.check(lambda town: closing_months.pay_late(town, "A3", 10))
    story.check(lambda town: town.the_counter_is_paid("A3"))


def closed_while_something_is_kept_back(story: Story) -> None:
    one_debit_of_each_regie(story)
    story.check(lambda town: town.the_counter_is_paid("A2"))
    story.check(lambda town: paying_over.keep(town, 0))
    story.wait(_TEN_DAYS)
    story.check(lambda town: closing_months.close(town, "creche"))
    _pays_over(story)
    story.check(lambda town: closing_months.close(town, ""))
    story.credit(1000)
    _pays_over(story)


# --- Two codes of one household ---


def one_family_then_two(story: Story) -> None:
    story.check(lambda town: town.the_counter_is_paid("C1", 1000))
    story.check(lambda town: town.the_counter_is_paid("C2", 4520, extra=True))
    _merge(story)
    _merge(story)
    story.check(lambda town: town.charlie_pays(numbers=["A1"]))
    story.card("CAPTURED")
    _bounces(story, 0)
    story.check(merging.undo)
    _merge(story)
    story.wait(31 * 24 * 60)
    story.check(merging.undo)


def merged_while_at_the_bank(story: Story) -> None:
    story.opens("A1")
    _merge(story)
    story.card("CAPTURED")
    _merge(story)


def money_of_both(story: Story) -> None:
    story.check(lambda town: town.the_counter_is_paid("C1", 6000, extra=True))
    _merge(story)
    put_right(story, "apply", number="A5")
    story.check(merging.undo)
    story.check(lambda town: elsewhere.deduct(town, "V3", "A2", None))
    story.check(merging.undo)


def late_money_once_merged(story: Story) -> None:
    story.check(lambda town: town.charlie_pays(numbers=["C1"]))
    story.leaves()
    for _ in range(3):
        story.wait(3 * 24 * 60)
        story.check(lambda town: town.reconcile("true"))
    _merge(story)
    story.card("CAPTURED")
    story.check(merging.undo)


def _merge(story: Story) -> None:
    story.check(lambda town: merging.merge(town, "F1001", "F2002"))


def files_loaded_by_mistake(story: Story) -> None:
    """Of a family that has paid, and of one that is new."""
    one_debit(story)
    for kind in loads.KINDS:
        for code in ("F1001", "F2002"):
            story.check(lambda town, kind=kind, code=code: loads.load_by_mistake(town, kind, code))


HISTORIES: tuple[History, ...] = (
    one_debit,
    two_debits,
    notice_repeated,
    amount_changed_meanwhile,
    debit_cancelled_then_told_of_another_amount,
    given_back_while_another_debit_is_examined,
    debit_of_another_amount,
    given_back_once_closed,
    debit_of_another_amount_then_refused,
    debit_undone_before_it_was_entered_by_hand,
    debit_in_dollars,
    debit_made_again_by_hand,
    payer_left_then_paid,
    debit_undone,
    debit_undone_before_it_is_heard_of,
    one_of_two_debits_undone,
    two_credits_of_one_debit,
    credit_before_its_debit_of_another_amount,
    too_large_a_refund,
    opened_in_two_tabs,
    opened_again_unanswered,
    opened_again_after_leaving,
    answer_about_another_order,
    debit_claimed_for_another_order,
    paid_again_at_the_counter,
    credit_named_as_its_debit,
    credit_of_nothing,
    credit_of_one_of_two_debits,
    given_by_hand_then_cancelled,
    charlie_pays_at_the_counter,
    a_cent_of_a_debit_cancelled,
    cancelled_before_a_debit_of_another_amount,
    remittance_failed_then_passed,
    given_back_in_vain,
    restored_once_settled_otherwise,
    what_came_twice_pays_another_invoice,
    what_came_twice_paid_the_wrong_invoice,
    what_matched_nothing_paid_the_wrong_invoice,
    debit_entered_by_hand,
    debit_of_another_amount_pays_the_invoice_it_holds,
    debit_of_another_amount_entered_then_used,
    one_debit_of_each_regie,
    two_regies_in_one_payment,
    notice_by_the_other_gateway,
    what_came_twice_is_not_the_other_regies,
    given_back_where_the_bank_cannot_be_asked,
    silent_where_the_bank_cannot_be_asked,
    refund_dropped_then_asked_again,
    refund_done_without_a_word_and_dropped,
    bank_closed_then_open,
    one_debit_under_two_numbers,
    paid_once_cancelled,
    more_than_is_due_at_the_counter,
    paid_in_parts,
    a_part_bounces_after_the_whole_came,
    a_part_restored_once_paid_otherwise,
    cancelled_once_paid_in_part,
    more_is_owed_than_was_dealt_with,
    late_money_for_the_treasury,
    transmitted_while_at_the_bank,
    paid_to_the_treasury_in_parts,
    a_credit_note_pays_twice_at_most_its_worth,
    a_credit_note_is_of_one_family_and_regie,
    a_credit_note_taken_off,
    cancelled_once_a_credit_note_paid,
    paid_over_then_given_back,
    each_regie_pays_over_its_own,
    kept_back_then_paid_over,
    two_press_at_once,
    killed_while_it_is_paid_over,
    kept_back_while_its_paper_is_made,
    told_and_not_paid_over,
    told_by_the_statement_then_undone,
    what_a_person_undid_stays_a_persons,
    told_again_of_one_debit,
    two_lines_name_one_debit,
    a_remittance_net_of_its_fees,
    the_rest_of_a_day,
    told_in_pieces_backwards,
    paid_over_as_the_statement_tells,
    closed_once_paid_over,
    closed_while_something_is_kept_back,
    one_family_then_two,
    merged_while_at_the_bank,
    money_of_both,
    late_money_once_merged,
    files_loaded_by_mistake,
)
