"""The same messages, in two orders, with repetitions, end in the same books."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosque import payments
from kiosque.db.models import Family
from kiosque.payments import Purchase, verification
from tests.conftest import PUBLIC_URL, make_family, make_invoice
from tests.proof.bank import STANDING, STORIES, Message
from tests.proof.settings import QUICK
from tests.proof.stage import Stage, balances, rows

#: One card: the order it is for, what becomes of it, by how much it is off, the cents given back.
card = st.tuples(
    st.integers(0, 1),
    st.sampled_from(STORIES),
    st.sampled_from([0, 0, 0, 480]),
    st.sampled_from([None, None, "whole", 1000]),
)


def _messages(stage: Stage, cards: list, references: list[str]) -> list[Message]:
    """Return what the bank says of these cards; it names the debit that a credit gives back."""
    bank = stage.bank
    for which, way, off, back in cards:
        reference = references[which]
        cents = bank.accounts[reference].cents + off
        bank.debit(reference, way[0], cents)
        uuid = bank.sent[-1].uuid
        for status in way[1:]:
            bank.advance(reference, uuid, status)
        # What is given back of a debit that was undone in between is for a human, either way.
        if back and way[-1] in STANDING and "CAPTURE_FAILED" not in way:
            bank.credit(reference, uuid, cents if back == "whole" else back)
            bank.sent[-1] = replace(bank.sent[-1], parent=uuid)
    return bank.sent


def _open_two(stage: Stage) -> list[str]:
    family = make_family("F1001", "Martin")
    references = []
    for number, cents, regie in (("A1", 4520, ""), ("B1", 3000, "creche")):
        make_invoice(family, number, cents, regie=regie)
    for number, cents, gateway in (
        ("A1", 4520, stage.gateways["banque"]),
        ("B1", 3000, stage.gateways["tresor"]),
    ):
        purchase = Purchase(Family.get(), [number], cents, "alice@example.org")
        references.append(payments.start(purchase, gateway, PUBLIC_URL)[0].reference)
    return references


def _ending(cards: list, shuffle: Callable[[list[int]], list[int]]) -> dict[str, object]:
    """The books once the messages about two payments have been heard, in that order."""
    stage = Stage()
    try:
        references = _open_two(stage)
        messages = _messages(stage, cards, references)
        for place in shuffle(list(range(len(messages)))):
            message = messages[place]
            report = stage.gateways[message.gateway].report(message)
            payments.record(message.gateway, report, stage.issuers)
        assert verification.faults() == []
        held = balances()
        # A debit heard of only after it was undone is not booked at all.
        settled = rows(
            """
            SELECT attempt_id, amount_cents, state, returned_cents, receipt.number IS NOT NULL
            FROM settlement LEFT JOIN receipt ON settlement_id = settlement.id
            WHERE state <> 'reversed'
            """
        )
        return {
            "invoices": rows("SELECT number, state FROM invoice ORDER BY number"),
            "attempts": rows("SELECT id, state FROM attempt ORDER BY id"),
            "balances": [held.get(reference, {}) for reference in references],
            "settlements": Counter(settled),
            "overpayments": Counter(
                rows(
                    "SELECT invoice_id, amount_cents FROM anomaly "
                    "WHERE kind = 'overpayment' AND resolved_at IS NULL"
                )
            ),
        }
    finally:
        stage.close()


def any_order_ends_the_same() -> Callable[[], None]:
    @given(cards=st.lists(card, min_size=1, max_size=4), data=st.data())
    def check(cards: list, data: st.DataObject) -> None:
        def draw(places: list[int]) -> list[int]:
            again = data.draw(st.lists(st.sampled_from(places), max_size=4))
            return data.draw(st.permutations([*places, *again]))

        assert _ending(cards, draw) == _ending(cards, draw)

    return check


@pytest.mark.slow
@pytest.mark.proof
def test_the_same_messages_in_two_orders_end_in_the_same_books() -> None:
    QUICK(any_order_ends_the_same())()
