"""Lyra's REST service is asked what became of an order, and told to give money back."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from gateways.base import Declined, Outcome, RefundRequest, Unreachable
from gateways.lyra import LyraGateway, rest
from tests import sentences
from tests.bank import ORDER, envelope, error_envelope, order_answer, transaction
from tests.gateways.rest_shop import OTHER_UUID, PASSWORD, TABLE, UUID, credit


@pytest.fixture
def lyra() -> LyraGateway:
    return LyraGateway.configure("banque", TABLE, environment="test")


class Bank:
    """Answers in the order written; keeps what was asked."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, dict[str, object]]] = []

    def __call__(
        self, endpoint: Any, path: str, body: dict[str, object], *, seconds: float
    ) -> dict[str, Any]:
        assert (endpoint.origin, endpoint.user) == ("https://api.systempay.fr", "12345678")
        assert (endpoint.password, endpoint.in_clear) == (PASSWORD, False)
        assert 0 < seconds <= 25
        service = path.removeprefix("/api-payment/V4/")
        self.asked.append((service, dict(body)))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, str):
            return error_envelope(service, answer)
        return envelope(service, answer)


@pytest.fixture
def says(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Bank]:
    def prepare(*answers: Any) -> Bank:
        bank = Bank(*answers)
        monkeypatch.setattr(rest, "post_json", bank)
        return bank

    return prepare


CAPTURED = transaction(ORDER, detailedStatus="CAPTURED")
REQUEST = RefundRequest(UUID, 1000, 0, "remboursement-7")
DOWN = Unreachable("la banque est en panne")


def test_an_order_the_bank_does_not_know_has_no_report(
    lyra: Any, says: Callable[..., Bank]
) -> None:
    bank = says("PSP_010")
    assert lyra.poll(ORDER) == []
    assert bank.asked == [("Order/Get", {"orderId": ORDER.reference})]


@pytest.mark.parametrize("code", ["PSP_015", "PSP_100", "INT_905", "ACQ_999", "n’importe quoi"])
def test_any_other_error_makes_nothing_known(
    lyra: Any, says: Callable[..., Bank], code: str
) -> None:
    says(code)
    with pytest.raises(Unreachable, match="erreur"):
        lyra.poll(ORDER)


def test_the_shop_is_live_when_the_service_echoes(
    lyra: Any, says: Callable[..., Bank], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rest.secrets, "token_hex", lambda _: "mot")
    says({"value": "mot"}, {"value": "autre"}, "INT_905", DOWN)
    assert lyra.check() == []
    for words in ("essai", "INT_905", "panne"):
        (fault,) = lyra.check()
        assert fault.startswith("gateways.banque : ")
        assert words in fault


def test_part_of_a_captured_debit_is_given_back(lyra: Any, says: Callable[..., Bank]) -> None:
    bank = says(order_answer(ORDER, CAPTURED), credit(), order_answer(ORDER, CAPTURED, credit()))
    reports = lyra.refund(ORDER, REQUEST)
    assert [(it.outcome, it.cents) for it in reports] == [("paid", 8745), ("refunded", 1000)]
    assert bank.asked[1] == (
        "Transaction/CancelOrRefund",
        {
            "uuid": UUID,
            "amount": 1000,
            "currency": "EUR",
            "resolutionMode": "AUTO",
            "comment": "remboursement-7",
        },
    )


def test_the_whole_of_a_debit_not_captured_is_cancelled(
    lyra: Any, says: Callable[..., Bank]
) -> None:
    cancelled = transaction(ORDER, detailedStatus="CANCELLED", status="UNPAID")
    says(order_answer(ORDER, transaction(ORDER)), cancelled, order_answer(ORDER, cancelled))
    (report,) = lyra.refund(ORDER, replace(REQUEST, cents=8745))
    assert (report.outcome, report.transaction_id) == (Outcome.REVERSED, UUID)


def test_part_of_a_debit_not_captured_waits(lyra: Any, says: Callable[..., Bank]) -> None:
    bank = says(order_answer(ORDER, transaction(ORDER)))
    with pytest.raises(Declined, match=sentences.NOT_YET_CAPTURED):
        lyra.refund(ORDER, REQUEST)
    assert len(bank.asked) == 1


@pytest.mark.parametrize(
    "known",
    [
        [CAPTURED, credit()],
        [CAPTURED, credit(detailedStatus="INITIAL", status="RUNNING")],
        [CAPTURED, credit(transactionDetails__parentTransactionUuid=None)],
        [transaction(ORDER, detailedStatus="CANCELLED", status="UNPAID")],
    ],
)
def test_what_the_bank_has_done_already_is_not_asked_again(
    lyra: Any, says: Callable[..., Bank], known: list[object]
) -> None:
    bank = says(order_answer(ORDER, *known))
    assert len(lyra.refund(ORDER, REQUEST)) == len(known)
    assert [service for service, _ in bank.asked] == ["Order/Get"]


def test_a_refund_known_to_us_or_refused_or_of_another_debit_does_not_stop_the_next(
    lyra: Any, says: Callable[..., Bank]
) -> None:
    second = credit(uuid="2" * 32)
    refused = credit(detailedStatus="REFUSED", status="UNPAID")
    other = credit(transactionDetails__parentTransactionUuid="3" * 32)
    for known, returned in ((credit(), 1000), (refused, 0), (other, 0)):
        before, after = (CAPTURED, known), (CAPTURED, known, second)
        bank = says(order_answer(ORDER, *before), second, order_answer(ORDER, *after))
        reports = lyra.refund(ORDER, replace(REQUEST, returned_cents=returned))
        assert [it.transaction_id for it in reports] == [UUID, OTHER_UUID, "2" * 32]
        assert len(bank.asked) == 3


def test_what_was_made_is_reported_though_the_bank_is_slow_to_list_it_or_silent_after(
    lyra: Any, says: Callable[..., Bank]
) -> None:
    known = order_answer(ORDER, CAPTURED)
    says(known, credit(), known)
    assert [it.outcome for it in lyra.refund(ORDER, REQUEST)] == ["paid", "refunded"]
    says(known, credit(), DOWN)
    assert [it.outcome for it in lyra.refund(ORDER, REQUEST)] == ["refunded"]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("PSP_010", "ne connaît pas"),
        ("PSP_011", "ne permet pas"),
        ("PSP_020", "dépasse"),
        ("PSP_043", "n’autorise pas"),
        ("PSP_075", "ne peut plus être annulé"),
        ("PSP_083", "contesté"),
        ("PSP_100", "contrat"),
        ("PSP_105", "déjà annulé"),
        ("PSP_999", "refuse ce remboursement"),
    ],
)
def test_the_banks_no_is_said_in_french(
    lyra: Any, says: Callable[..., Bank], code: str, words: str
) -> None:
    says(order_answer(ORDER, CAPTURED), code)
    with pytest.raises(Declined, match=words) as caught:
        lyra.refund(ORDER, REQUEST)
    assert str(caught.value).endswith(f"({code}).")


@pytest.mark.parametrize("answer", ["INT_001", "INT_905", "ACQ_001", DOWN, {}, "?"])
def test_an_answer_that_is_neither_yes_nor_no_leaves_it_unknown(
    lyra: Any, says: Callable[..., Bank], answer: object
) -> None:
    says(order_answer(ORDER, CAPTURED), answer)
    with pytest.raises(Unreachable):
        lyra.refund(ORDER, REQUEST)


def test_a_refund_of_another_debit_is_not_the_one_asked_for(
    lyra: Any, says: Callable[..., Bank]
) -> None:
    other = credit(transactionDetails__parentTransactionUuid="3" * 32)
    says(order_answer(ORDER, CAPTURED), other)
    with pytest.raises(Unreachable, match=sentences.ANOTHER_OPERATION):
        lyra.refund(ORDER, REQUEST)


def test_a_debit_the_bank_does_not_list_is_not_refunded(
    lyra: Any, says: Callable[..., Bank]
) -> None:
    for known in ("PSP_010", order_answer(ORDER, credit())):
        bank = says(known)
        with pytest.raises(Declined, match=sentences.DEBIT_UNKNOWN):
            lyra.refund(ORDER, REQUEST)
        assert len(bank.asked) == 1
