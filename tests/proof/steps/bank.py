"""Steps at the bank, and the messages that leave it for the portal."""

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.proof.bank import DOLLAR, EURO, NEXT, STANDING, STORIES, Message
from tests.proof.steps.common import Steps, one, pick

part = st.sampled_from([None, 1000, 3000, 520])


class BankSteps(Steps):
    @precondition(lambda self: self.books.orders)
    @rule(
        which=pick,
        status=st.sampled_from(
            ["AUTHORISED"] * 4
            + ["CAPTURED", "REFUSED", "UNDER_VERIFICATION", "AUTHORISED_TO_VALIDATE", "INVENTED"]
        ),
        off=st.sampled_from([0] * 6 + [-1, 480]),
        dollars=st.sampled_from([False] * 9 + [True]),
        by_hand=st.sampled_from([False] * 7 + [True]),
        heard=st.sampled_from([1, 1, 2, 0]),
    )
    def a_card_is_presented(
        self, which: int, status: str, off: int, *, dollars: bool, by_hand: bool, heard: int
    ) -> None:
        order = one(list(self.books.orders.values()), which)
        currency = DOLLAR if dollars and status in STANDING else EURO
        self.bank.debit(order.reference, status, order.cents + off, currency, by_hand=by_hand)
        self.deliver_last(heard)

    @precondition(lambda self: self.books.orders)
    @rule(which=pick, timed_out=st.booleans(), heard=st.sampled_from([1, 0]))
    def the_payer_leaves(self, which: int, *, timed_out: bool, heard: int) -> None:
        order = one(list(self.books.orders.values()), which)
        self.bank.leave(order.reference, timed_out=timed_out)
        self.deliver_last(heard)

    @precondition(lambda self: self._movable())
    @rule(which=pick, choice=pick, heard=st.sampled_from([1, 1, 2, 0]))
    def the_bank_decides(self, which: int, choice: int, heard: int) -> None:
        message = one(self._movable(), which)
        status = one(list(NEXT[message.status]), choice)
        self.bank.advance(message.reference, message.uuid, status)
        self.deliver_last(heard)

    @precondition(lambda self: self._captured())
    @rule(
        which=pick,
        cents=part,
        status=st.sampled_from(["CAPTURED", "CAPTURED", "AUTHORISED", "REFUSED"]),
        heard=st.sampled_from([1, 2, 0]),
    )
    def the_back_office_gives_back(
        self, which: int, cents: int | None, status: str, heard: int
    ) -> None:
        debit = one(self._captured(), which)
        left = debit.cents - self.bank.accounts[debit.reference].given_back(debit.uuid)
        self.bank.credit(debit.reference, debit.uuid, min(cents or left, left), status)
        self.deliver_last(heard)

    @precondition(lambda self: self.books.orders)
    @rule(
        which=pick,
        story=st.sampled_from(STORIES),
        off=st.sampled_from([0, 0, 480]),
        back=st.sampled_from([None, 1000, 3000]),
        order=st.permutations(range(4)),
    )
    def a_whole_story_arrives_in_any_order(
        self, which: int, story: tuple[str, ...], off: int, back: int | None, order: list[int]
    ) -> None:
        opened = one(list(self.books.orders.values()), which)
        reference, first = opened.reference, len(self.bank.sent)
        self.bank.debit(reference, story[0], opened.cents + off)
        uuid = self.bank.sent[-1].uuid
        for status in story[1:]:
            self.bank.advance(reference, uuid, status)
        if back and story[-1] == "CAPTURED":
            self.bank.credit(reference, uuid, back)
        messages = self.bank.sent[first:]
        for place in order:
            if place < len(messages):
                self.deliver(messages[place])

    def _movable(self) -> list[Message]:
        return [
            each
            for each in self._transactions()
            if each.operation == "DEBIT" and each.status in NEXT
        ]

    def _captured(self) -> list[Message]:
        return [
            each
            for each in self._transactions()
            if (each.operation, each.status) == ("DEBIT", "CAPTURED")
            and each.currency != DOLLAR
            and self.bank.accounts[each.reference].given_back(each.uuid) < each.cents
        ]

    def _transactions(self) -> list[Message]:
        accounts = self.bank.accounts.values()
        return [each for account in accounts for each in account.transactions.values()]
