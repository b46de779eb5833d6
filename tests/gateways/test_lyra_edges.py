"""Lyra's adapter at its edges: what exactly is sent, kept and said."""

import time
from typing import Any

import pytest

from gateways.base import (
    BadCallback,
    Callback,
    ConfigError,
    RefundRequest,
    Report,
    Unreachable,
    Unreadable,
)
from gateways.lyra import LyraGateway, LyraRestGateway, Shop, rest
from gateways.lyra.orders import BankError, read_envelope, read_order, read_transaction
from tests import sentences
from tests.bank import (
    ABANDONED,
    KEY,
    REFUSED,
    envelope,
    error_envelope,
    notice,
    order_answer,
    transaction,
)
from tests.fuzz.targets import ORDER, SHOP
from tests.gateways.rest_shop import PASSWORD

TABLE = {"adapter": "lyra", "site_id": "12345678", "test_key": KEY}
#: The bank is asked about each payment that it announces.
ASKED = {"confirm": True, "test_password": PASSWORD}


@pytest.mark.parametrize(
    "table",
    [
        {"adapter": "lyra"},
        {"adapter": "lyra", "site_id": 12, "mode": 3, "confirm": "oui"},
        {**TABLE, "site_id": "1"},
        {**TABLE, "brand": "inconnue", "host": "https://x"},
    ],
)
def test_each_wrong_setting_is_named_once(table: dict[str, object]) -> None:
    with pytest.raises(ConfigError) as caught:
        LyraGateway.configure("b", table, environment="test")
    named = [fault.partition(" : ")[0] for fault in caught.value.faults]
    assert len(named) == len(set(named)), caught.value.faults
    assert all(name.startswith("gateways.b.") for name in named)


def test_an_adapter_says_its_kind_and_its_bank() -> None:
    gateway = LyraGateway.configure("banque", TABLE, environment="test")
    assert repr(gateway) == "LyraGateway('banque', 'https://paiement.systempay.fr')"


def test_a_shop_checks_that_its_own_word_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Any] = []

    def echo(_endpoint: object, path: str, body: dict[str, str], *, seconds: float) -> object:
        sent.append((path, body, seconds))
        return envelope("Charge/SDKTest", {"value": body["value"]})

    monkeypatch.setattr(rest, "post_json", echo)
    shop = LyraRestGateway("banque", "Banque", SHOP)
    assert shop.check() == []
    assert shop.check() == []
    (path, first, seconds), (_, second, _) = sent
    assert (path, seconds) == ("/api-payment/V4/Charge/SDKTest", rest.ANSWER_SECONDS)
    assert len(first["value"]) == 16
    assert first != second


def test_what_the_bank_answers_to_a_refund_by_a_fault_of_its_own_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    services = iter(("order", "error"))

    def answer(_endpoint: object, path: str, _body: object, *, seconds: float) -> object:
        if next(services) == "error":
            return error_envelope(path.removeprefix("/api-payment/V4/"), "INT_902")

        told = transaction(ORDER, detailedStatus="CAPTURED")
        return envelope("Order/Get", order_answer(ORDER, told))

    monkeypatch.setattr(rest, "post_json", answer)

    request = RefundRequest(str(transaction(ORDER)["uuid"]), 100, 0, "KFR1")
    with pytest.raises(Unreachable, match="INT_902"):
        LyraRestGateway("banque", "Banque", SHOP).refund(ORDER, request)


@pytest.mark.parametrize("in_clear", [True, False])
def test_a_shop_speaks_in_clear_only_where_it_was_told_to(
    monkeypatch: pytest.MonkeyPatch, in_clear: bool
) -> None:
    seen: list[Any] = []

    def listen(endpoint: object, *_: object, **__: object) -> object:
        seen.append(endpoint)
        raise Unreachable("fin")

    monkeypatch.setattr(rest, "post_json", listen)
    shop = Shop("12345678", "TEST", b"k", "http://f", "http://a", "secret", in_clear=in_clear)
    with pytest.raises(Unreachable):
        LyraRestGateway("banque", "Banque", shop).poll(ORDER)
    assert [each.in_clear for each in seen] == [in_clear]


# --- Reading an answer ---

UNREADABLE = "la réponse de la banque est illisible"
SHOP_OF_ANOTHER = "la banque répond pour une autre boutique"
CARD = "transactionDetails__cardDetails__"


def read(**changes: object) -> Any:
    """The report made of our debit, changed."""
    return read_transaction(transaction(ORDER, **changes), ORDER, SHOP)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"shopId": "87654321"}, SHOP_OF_ANOTHER),
        ({"orderDetails__orderId": "KF1"}, "la banque répond pour une autre commande"),
        ({"orderDetails__mode": "PRODUCTION"}, "la banque répond dans un autre mode"),
        ({"orderDetails": []}, UNREADABLE),
        ({"amount": "8745"}, UNREADABLE),
        ({"transactionDetails__effectiveAmount": 0}, UNREADABLE),
        ({"transactionDetails__effectiveCurrency": "euro"}, UNREADABLE),
        ({"transactionDetails__parentTransactionUuid": "x"}, UNREADABLE),
        ({"detailedStatus": "payé"}, UNREADABLE),
        ({"operationType": "D" * 256}, UNREADABLE),
        ({f"{CARD}legacyTransId": "1"}, UNREADABLE),
        ({f"{CARD}legacyTransDate": "hier"}, UNREADABLE),
        ({f"{CARD}effectiveBrand": 3}, UNREADABLE),
    ],
)
def test_what_cannot_be_believed_of_a_transaction_is_said(
    changes: dict[str, object], said: str
) -> None:
    with pytest.raises(Unreachable) as caught:
        read(**changes)
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"webService": "Charge/SDKTest"}, UNREADABLE),
        ({"mode": "PRODUCTION"}, "la banque répond dans un autre mode"),
        ({"status": "PEUT-ÊTRE"}, UNREADABLE),
        ({"answer": []}, UNREADABLE),
        ({"answer": {**order_answer(ORDER), "shopId": "87654321"}}, SHOP_OF_ANOTHER),
        ({"answer": {**order_answer(ORDER), "transactions": {}}}, UNREADABLE),
        ({"answer": order_answer(ORDER, *[transaction(ORDER)] * 2)}, UNREADABLE),
    ],
)
def test_what_cannot_be_believed_of_an_answer_is_said(
    changes: dict[str, object], said: str
) -> None:
    told = {**envelope("Order/Get", order_answer(ORDER)), **changes}
    with pytest.raises(Unreachable) as caught:
        read_order(read_envelope(told, "Order/Get", SHOP), ORDER, SHOP)
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("told", "code"), [("PSP_010", "PSP_010"), ("INT_123456", "sans code"), ("<b>", "sans code")]
)
def test_only_a_code_of_the_platforms_is_repeated(told: str, code: str) -> None:
    with pytest.raises(BankError) as caught:
        read_envelope(error_envelope("Order/Get", told), "Order/Get", SHOP)
    assert (caught.value.code, str(caught.value)) == (
        code,
        f"{sentences.BANK_ERROR} ({code})",
    )


def test_an_order_may_have_thirty_transactions_and_no_more() -> None:
    many = [transaction(ORDER, uuid=f"{number:032x}") for number in range(31)]
    assert len(read_order(order_answer(ORDER, *many[:30]), ORDER, SHOP)) == 30
    with pytest.raises(Unreachable):
        read_order(order_answer(ORDER, *many), ORDER, SHOP)


def test_texts_are_cut_where_the_database_is_and_long_ones_are_refused() -> None:
    report = read(
        **{
            f"{CARD}authorizationResponse__authorizationNumber": "a" * 255,
            f"{CARD}effectiveBrand": "b" * 255,
        }
    )
    assert (report.authorisation, report.card_brand) == ("a" * 20, "b" * 20)
    assert report.raw["cardDetails.effectiveBrand"] == "b" * 255
    with pytest.raises(Unreachable):
        read(**{f"{CARD}effectiveBrand": "b" * 256})


def test_amounts_go_from_nothing_to_ten_billion() -> None:
    """A refusal moves nothing; a debit of nothing is none."""
    nothing = {"amount": 0, "transactionDetails__effectiveAmount": None}
    assert read(**nothing, detailedStatus="REFUSED", status="UNPAID").cents == 0
    with pytest.raises(Unreachable):
        read(**nothing)
    most = {"amount": 10**12 - 1, "transactionDetails__effectiveAmount": None}
    assert read(**most).cents == 10**12 - 1
    with pytest.raises(Unreachable):
        read(amount=10**12)


def test_only_a_refund_names_a_parent() -> None:
    parent = {"transactionDetails__parentTransactionUuid": "A" * 32}
    assert read(**parent).parent_id == ""
    assert read(**parent, operationType="CREDIT").parent_id == "a" * 32


def test_a_transaction_that_names_no_order_is_of_the_order_asked_about() -> None:
    assert read(orderDetails=None).reference == ORDER.reference


@pytest.mark.parametrize(
    "date",
    [
        "20260701233000",
        "2026-07-01T23:30:00",
        "2026-07-01T23:30:00Z",
        "2026-07-02T01:30:00+02:00",
        "2026-07-01T13:30:00-10:00",
    ],
)
@pytest.mark.parametrize("zone", ["UTC", "Pacific/Noumea"])
def test_a_date_is_the_same_instant_however_it_is_written_and_wherever_the_machine_is(
    date: str, zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    report = read(**{f"{CARD}legacyTransDate": date, f"{CARD}legacyTransId": "999999"})
    monkeypatch.undo()
    time.tzset()
    assert report.gateway_reference == "20260701233000-999999"


def test_the_audit_keeps_what_identifies_and_explains_and_nothing_of_the_card() -> None:
    parent = "b" * 32
    told = transaction(
        ORDER,
        transactionDetails__parentTransactionUuid=parent,
        errorCode="ACQ_001",
        detailedErrorCode="51",
    )
    told["transactionDetails"]["sequenceNumber"] = 10**12
    assert read_transaction(told, ORDER, SHOP).raw == {
        "shopId": "12345678",
        "uuid": told["uuid"],
        "amount": "8745",
        "currency": "EUR",
        "status": "PAID",
        "detailedStatus": "AUTHORISED",
        "operationType": "DEBIT",
        "creationDate": "2026-07-01T23:30:00+00:00",
        "errorCode": "ACQ_001",
        "detailedErrorCode": "51",
        "paymentMethodType": "CARD",
        "transactionDetails.effectiveAmount": "8745",
        "transactionDetails.effectiveCurrency": "EUR",
        "transactionDetails.parentTransactionUuid": parent,
        "cardDetails.effectiveBrand": "CB",
        "cardDetails.legacyTransId": "000421",
        "cardDetails.legacyTransDate": "2026-07-01T23:30:00+00:00",
        "cardDetails.expectedCaptureDate": "2026-07-01T23:30:00+00:00",
    }
    told["transactionDetails"]["sequenceNumber"] = 2
    told["creationDate"] = "x" * 300
    kept = read_transaction(told, ORDER, SHOP).raw
    assert kept["transactionDetails.sequenceNumber"] == "2"
    assert kept["creationDate"] == "x" * 255


# --- Reading a notice ---


def told(**changes: str | None) -> Report:
    gateway = LyraGateway.configure("banque", TABLE, environment="test")
    fields = notice(gateway.start(ORDER), **changes)
    return gateway.read_notification(Callback.of_form(fields.items()))


@pytest.mark.parametrize("changes", [REFUSED, ABANDONED, {"trans_status": "UNDER_VERIFICATION"}])
@pytest.mark.parametrize("amount", ["1x", "-1", "1.5", "²", "1" * 13, " 1"])
def test_an_amount_that_is_none_is_refused_where_no_money_moves(
    changes: dict[str, str | None], amount: str
) -> None:
    with pytest.raises(BadCallback, match=f"vads_effective_amount {sentences.ABSENT_OR_MALFORMED}"):
        told(**{**changes, "effective_amount": amount})


@pytest.mark.parametrize("absent", ["", None])
def test_what_the_bank_does_not_say_is_empty(absent: str | None) -> None:
    silent = ("auth_number", "card_brand", "card_number", "operation_type", "trans_uuid")
    said = told(**REFUSED, **dict.fromkeys(silent, absent))
    assert (said.authorisation, said.card_brand, said.card_last4) == ("", "", "")
    assert (said.transaction_id, said.status) == ("", "REFUSED")
    whole = told(effective_amount=absent, effective_currency=absent)
    assert (whole.outcome, whole.cents, whole.currency) == ("paid", ORDER.cents, "EUR")


@pytest.mark.parametrize(
    "name", ["amount", "hash", "order_id", "trans_date", "trans_status", "url_check_src"]
)
def test_a_notice_has_all_that_only_a_notice_has(name: str) -> None:
    with pytest.raises(BadCallback, match=f"vads_{name} {sentences.ABSENT_OR_MALFORMED}"):
        told(**{**REFUSED, name: None})


MONEY: list[dict[str, str | None]] = [
    {},
    {"trans_status": "CAPTURED"},
    {"trans_status": "CANCELLED"},
    {"operation_type": "CREDIT"},
]


@pytest.mark.parametrize("said", MONEY)
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("payment_config", "MULTI:first=4520;count=3;period=30"),
        ("page_action", "REGISTER_PAY"),
        ("version", "V3"),
        ("trans_uuid", ""),
        ("trans_uuid", None),
        ("hash", ""),
        ("hash", None),
        ("amount", "87,45"),
        ("effective_amount", "0"),
        ("effective_amount", "1.5"),
        ("effective_amount", "-1"),
        ("order_id", "../../etc"),
        ("trans_date", "hier"),
        ("trans_id", "1"),
        ("effective_currency", "EUR"),
    ],
)
def test_money_that_the_bank_signed_in_another_shape_pays_nothing_and_is_told(
    said: dict[str, str | None], name: str, value: str | None
) -> None:
    report = told(**{**said, name: value})
    assert (report.outcome, report.final) == ("pending", False)
    assert f"vads_{name}" in report.anomaly
    assert report.transaction_id in report.anomaly
    unread = {"order_id": "reference", "trans_uuid": "transaction_id"}.get(name)
    unread = "gateway_reference" if name in ("trans_date", "trans_id") else unread
    for part in ("reference", "transaction_id", "gateway_reference"):
        assert getattr(report, part) == ("" if part == unread else getattr(told(), part))
    assert report.cents in (ORDER.cents, 0)
    assert len(report.anomaly) < 200


def test_what_does_not_say_that_money_came_or_why_it_was_sent_is_refused_for_its_shape() -> None:
    """None of the values that we sign is one of these words: nobody can make them of our form."""
    for changes in ({"trans_status": "INVENTED", "hash": ""}, {"url_check_src": None, "hash": ""}):
        with pytest.raises(BadCallback):
            told(**changes)


@pytest.mark.parametrize(
    ("settings", "changes", "lost"),
    [
        ({}, {**REFUSED, "hash": ""}, "hash"),
        ({}, {"trans_status": "INVENTED", "hash": None}, "hash"),
        (ASKED, {"trans_id": "1"}, "trans_id"),
        (ASKED, {"order_id": "../etc"}, "order_id"),
    ],
    ids=["no money moves", "nobody knows whether it does", "of no number", "of no order"],
)
def test_what_cannot_be_read_nor_asked_about_says_what_it_names(
    settings: dict[str, object], changes: dict[str, str | None], lost: str
) -> None:
    gateway = LyraGateway.configure("banque", {**TABLE, **settings}, environment="test")
    fields = notice(gateway.start(ORDER), **changes)
    with pytest.raises(Unreadable) as caught:
        gateway.read_notification(Callback.of_form(fields.items()))
    assert str(caught.value) == f"vads_{lost} {sentences.ABSENT_OR_MALFORMED}"
    assert caught.value.reference == ("" if lost == "order_id" else ORDER.reference)
    assert caught.value.transaction_id == told().transaction_id


def test_money_of_which_the_bank_says_no_transaction_is_told_by_its_number() -> None:
    numbered = told(trans_uuid="")
    assert f"transaction {numbered.gateway_reference}" in numbered.anomaly
    assert "transaction inconnue" in told(trans_uuid="", trans_id="").anomaly


def test_a_notice_is_cut_where_the_database_is() -> None:
    said = told(auth_number="a" * 21, card_brand="b" * 21)
    assert (said.authorisation, said.card_brand) == ("a" * 20, "b" * 20)


def test_a_message_of_another_shop_is_said_to_be_so() -> None:
    with pytest.raises(BadCallback, match="boutique ou mode inattendu"):
        told(site_id="87654321")


def test_a_payment_that_failed_may_have_an_effective_amount_of_nothing() -> None:
    assert told(**{**REFUSED, "effective_amount": "0"}).cents == 0
    assert told(**{**REFUSED, "effective_amount": ""}).cents == ORDER.cents
