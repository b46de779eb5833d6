"""Lyra's REST service: what its answers are worth, and which shops have it."""

import copy
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateways.base import (
    Callback,
    Checks,
    ConfigError,
    Gateway,
    Handoff,
    Outcome,
    Polls,
    Refunds,
    Report,
    Unreachable,
)
from gateways.lyra import BRANDS, LyraGateway
from gateways.lyra.orders import BankError, read_envelope, read_order, read_transaction
from gateways.registry import configure
from tests import sentences
from tests.bank import (
    ABANDONED,
    KEY,
    ORDER,
    REFERENCE,
    REFUSED,
    envelope,
    error_envelope,
    notice,
    order_answer,
    transaction,
)
from tests.gateways.rest_shop import OTHER_UUID, PASSWORD, SHOP, TABLE, UUID, credit


@pytest.fixture
def lyra() -> LyraGateway:
    return LyraGateway.configure("banque", TABLE, environment="test")


@pytest.fixture
def handoff(lyra: LyraGateway) -> Handoff:
    return lyra.start(ORDER)


def read(*transactions: object) -> list[Report]:
    return read_order(order_answer(ORDER, *transactions), ORDER, SHOP)


# --- The same decision as the notice's ---

#: detailedStatus: (outcome, simplified status, final), from the protocol notes, 4.3 and 6.
TABLE_4_3 = {
    "AUTHORISED": ("paid", "PAID", False),
    "CAPTURED": ("paid", "PAID", True),
    "ACCEPTED": ("pending", "PAID", False),
    "PARTIALLY_AUTHORISED": ("pending", "PAID", False),
    "AUTHORISED_TO_VALIDATE": ("pending", "RUNNING", False),
    "WAITING_AUTHORISATION": ("pending", "RUNNING", False),
    "WAITING_AUTHORISATION_TO_VALIDATE": ("pending", "RUNNING", False),
    "UNDER_VERIFICATION": ("pending", "RUNNING", False),
    "INITIAL": ("pending", "RUNNING", False),
    "PRE_AUTHORISED": ("pending", "RUNNING", False),
    "WAITING_FOR_PAYMENT": ("pending", "RUNNING", False),
    "PENDING": ("pending", "RUNNING", False),
    "SUSPENDED": ("pending", "RUNNING", False),
    "REFUND_TO_RETRY": ("pending", "RUNNING", False),
    "REFUSED": ("refused", "UNPAID", True),
    "ABANDONED": ("cancelled", "UNPAID", True),
    "NOT_CREATED": ("cancelled", "UNPAID", True),
    "CANCELLED": ("reversed", "UNPAID", True),
    "EXPIRED": ("reversed", "UNPAID", True),
    "CAPTURE_FAILED": ("reversed", "UNPAID", False),
    "INVENTED_TOMORROW": ("pending", "RUNNING", False),
}
SAME = (
    "reference", "outcome", "cents", "currency", "transaction_id", "gateway_reference", "status",
    "authorisation", "card_brand", "card_last4", "final", "ask", "anomaly",
)  # fmt: skip


@pytest.mark.parametrize("operation", ["DEBIT", "CREDIT", "VERIFICATION"])
@pytest.mark.parametrize(("status", "expected"), TABLE_4_3.items())
def test_a_notice_and_the_rest_service_decide_alike(
    lyra: Gateway, handoff: Handoff, status: str, expected: tuple[str, str, bool], operation: str
) -> None:
    outcome, simplified, final = expected
    told = notice(handoff, trans_status=status, operation_type=operation)
    noticed = lyra.read_notification(Callback.of_form(told.items()))
    changes = {"detailedStatus": status, "operationType": operation, "status": simplified}
    (asked,) = read(transaction(ORDER, **changes))
    for name in SAME:
        assert getattr(asked, name) == getattr(noticed, name), name
    if operation == "DEBIT":
        assert (asked.outcome, asked.final) == (outcome, final)


def test_a_status_and_its_summary_that_disagree_are_not_a_payment() -> None:
    for simplified in ("UNPAID", "RUNNING", "", "PAID_TOMORROW"):
        (report,) = read(transaction(ORDER, status=simplified))
        assert report.outcome is Outcome.PENDING
        assert sentences.FAILURE_CODE in report.anomaly


def test_a_refund_is_reported_under_the_order_with_the_debit_it_gives_back() -> None:
    debit, refund = read(transaction(ORDER, detailedStatus="CAPTURED"), credit())
    assert (debit.outcome, debit.cents, debit.parent_id) == (Outcome.PAID, 8745, "")
    assert (refund.outcome, refund.cents) == (Outcome.REFUNDED, 1000)
    assert (refund.parent_id, refund.transaction_id) == (UUID, OTHER_UUID)
    assert refund.gateway_reference == debit.gateway_reference == REFERENCE
    (orphan,) = read(credit(transactionDetails__parentTransactionUuid=None))
    assert (orphan.outcome, orphan.parent_id) == (Outcome.REFUNDED, "")


def test_a_refund_that_failed_is_another_matter_for_a_human() -> None:
    (report,) = read(credit(detailedStatus="REFUSED", status="UNPAID"))
    assert (report.outcome, report.parent_id) == (Outcome.PENDING, UUID)
    assert report.anomaly == sentences.REFUND_FAILED
    assert report.gateway_reference == "20260701233000-900123"


@pytest.mark.parametrize(
    "date",
    [
        "2026-07-01T23:30:00+00:00",
        "2026-07-01T23:30:00Z",
        "2026-07-01T23:30:00",
        "2026-07-01T00:00:00.000+00:00",
        "2026-07-02T01:30:00+02:00",
        "2026-07-02T01:30:00+0200",
        "2026-07-01T19:30:00-04:00",
        "20260701233000",
        "20260701000000",
    ],
)
def test_a_debit_of_our_number_and_utc_day_is_ours_however_its_date_is_written(date: str) -> None:
    (report,) = read(transaction(ORDER, transactionDetails__cardDetails__legacyTransDate=date))
    assert report.gateway_reference == REFERENCE
    unset = replace(ORDER, gateway_reference="")
    told = transaction(ORDER, transactionDetails__cardDetails__legacyTransDate=date)
    assert read_transaction(told, unset, SHOP).gateway_reference == REFERENCE


@pytest.mark.parametrize(
    ("changes", "reference"),
    [
        ({"legacyTransId": "000422"}, "20260701233000-000422"),
        ({"legacyTransDate": "2026-07-02T00:00:00Z"}, "20260702000000-000421"),
        ({"legacyTransDate": "2026-07-02T01:30:00Z"}, "20260702013000-000421"),
        ({"legacyTransDate": "20260630235959"}, "20260630235959-000421"),
        ({"legacyTransId": None}, UUID),
        ({"legacyTransDate": None}, UUID),
    ],
)
def test_a_debit_of_another_number_or_day_keeps_its_own_name(
    changes: dict[str, object], reference: str
) -> None:
    placed = {f"transactionDetails__cardDetails__{name}": it for name, it in changes.items()}
    (report,) = read(transaction(ORDER, **placed))
    assert report.outcome is Outcome.PAID
    assert report.gateway_reference == reference


def test_several_transactions_of_one_order_are_all_reported() -> None:
    refused = transaction(ORDER, uuid="0" * 32, status="UNPAID", detailedStatus="REFUSED")
    reports = read(refused, transaction(ORDER))
    assert [report.outcome for report in reports] == [Outcome.REFUSED, Outcome.PAID]


def test_the_amount_really_debited_is_what_counts() -> None:
    changes = {"effectiveAmount": 9000, "effectiveCurrency": "USD"}
    placed = {f"transactionDetails__{name}": value for name, value in changes.items()}
    (report,) = read(transaction(ORDER, **placed))
    assert (report.cents, report.currency) == (9000, "USD")
    placed = dict.fromkeys(placed)
    (report,) = read(transaction(ORDER, amount=8744, currency="CHF", **placed))
    assert (report.cents, report.currency) == (8744, "CHF")


def test_the_audit_keeps_no_card_data_and_only_flat_text() -> None:
    (report,) = read(transaction(ORDER))
    kept = dict(report.raw)
    assert kept["detailedStatus"] == "AUTHORISED"
    assert kept["cardDetails.legacyTransId"] == "000421"
    assert all(type(value) is str for value in kept.values())
    shown = json.dumps(kept)
    assert not [word for word in ("497010", "XXXX", "0001", "2030") if word in shown]
    assert report.card_last4 == "0001"


def test_fields_of_tomorrow_and_absent_ones_of_no_importance_are_taken() -> None:
    told = transaction(ORDER, field_of_tomorrow={"é": [1, None]}, metadata={"x": "y"})
    told["transactionDetails"]["cardDetails"]["authorizationResponse"] = None
    told["transactionDetails"]["cardDetails"]["pan"] = None
    for name in ("customer", "errorCode", "creationDate", "orderDetails"):
        del told[name]
    answer = {**order_answer(ORDER, told), "fraud": None}
    del answer["shopId"]
    (report,) = read_order(answer, ORDER, SHOP)
    assert (report.outcome, report.authorisation, report.card_last4) == (Outcome.PAID, "", "")


# --- What is not believed ---


@pytest.mark.parametrize(
    "changes",
    [
        {"shopId": "87654321"},
        {"shopId": None},
        {"shopId": 12345678},
        {"orderDetails__orderId": "KFffffffffffffffffff"},
        {"orderDetails__orderId": 1},
        {"orderDetails__mode": "PRODUCTION"},
        {"orderDetails": "KF"},
        {"uuid": None},
        {"uuid": UUID.upper() + "0"},
        {"uuid": "F" * 32},
        {"uuid": "g" * 32},
        {"uuid": UUID + "\n"},
        {"uuid": 1},
        {"detailedStatus": None},
        {"detailedStatus": ""},
        {"detailedStatus": ["AUTHORISED"]},
        {"detailedStatus": "AUTHORISED\n"},
        {"detailedStatus": "authorised"},
        {"status": 1},
        {"operationType": 1},
        {"operationType": "DEBIT\0"},
        {"amount": "8745"},
        {"amount": 87.45},
        {"amount": True},
        {"amount": -8745},
        {"amount": 10**12},
        {"amount": 10**5000},
        {"amount": None},
        {"currency": "978"},
        {"currency": "eur"},
        {"currency": None},
        {"transactionDetails__effectiveAmount": "8745"},
        {"transactionDetails__effectiveAmount": 8745.0},
        {"transactionDetails__effectiveAmount": 0},
        {"transactionDetails__effectiveCurrency": "978"},
        {"transactionDetails__effectiveCurrency": ["EUR"]},
        {"transactionDetails__parentTransactionUuid": "x"},
        {"transactionDetails__parentTransactionUuid": 0},
        {"transactionDetails": []},
        {"transactionDetails__cardDetails": "CB"},
        {"transactionDetails__cardDetails__legacyTransId": 421},
        {"transactionDetails__cardDetails__legacyTransId": "42 421"},
        {"transactionDetails__cardDetails__legacyTransDate": 20260701233000},
        {"transactionDetails__cardDetails__legacyTransDate": "hier"},
        {"transactionDetails__cardDetails__legacyTransDate": "20260231000000"},
        {"transactionDetails__cardDetails__legacyTransDate": "2026-07-01T25:00:00Z"},
        {"transactionDetails__cardDetails__legacyTransDate": "0001-01-01T00:00:00+14:00"},
        {"transactionDetails__cardDetails__effectiveBrand": {"brand": "CB"}},
        {"transactionDetails__cardDetails__effectiveBrand": "\ud800"},
        {"transactionDetails__cardDetails__pan": 4970100000000001},
        {"transactionDetails__cardDetails__authorizationResponse": "3fe69a"},
        {"transactionDetails__cardDetails__authorizationResponse__authorizationNumber": 3},
    ],
)
def test_a_transaction_that_does_not_hold_together_makes_nothing_known(
    changes: dict[str, object],
) -> None:
    with pytest.raises(Unreachable) as caught:
        read(transaction(ORDER, uuid="0" * 32), transaction(ORDER, **changes))
    assert len(str(caught.value)) < 60


@pytest.mark.parametrize(
    "changes",
    [
        {"orderDetails": None},
        {"orderDetails": {"orderId": "KFffffffffffffffffff"}},
        {"orderDetails": {"orderId": None}},
        {"orderDetails": {"orderId": ORDER.reference, "mode": "PRODUCTION"}},
        {"shopId": "87654321"},
        {"shopId": 12345678},
        {"transactions": None},
        {"transactions": {}},
        {"transactions": [None]},
        {"transactions": [[]]},
        {"transactions": ["x"]},
        {"transactions": [transaction(ORDER), transaction(ORDER)]},
        {"transactions": [transaction(ORDER, uuid=f"{n:032x}") for n in range(31)]},
    ],
)
def test_an_answer_for_another_order_or_without_its_list_makes_nothing_known(
    changes: dict[str, object],
) -> None:
    with pytest.raises(Unreachable):
        read_order({**order_answer(ORDER, transaction(ORDER)), **changes}, ORDER, SHOP)


@pytest.mark.parametrize(
    "changes",
    [
        {"mode": "PRODUCTION"},
        {"mode": None},
        {"mode": 1},
        {"webService": "Transaction/Get"},
        {"webService": None},
        {"status": "OK"},
        {"status": None},
        {"status": True},
        {"answer": []},
        {"answer": "x"},
    ],
)
def test_an_envelope_of_another_mode_or_service_makes_nothing_known(
    changes: dict[str, object],
) -> None:
    with pytest.raises(Unreachable):
        read_envelope({**envelope("Order/Get", {}), **changes}, "Order/Get", SHOP)


def test_an_error_of_another_mode_is_not_our_answer() -> None:
    told = error_envelope("Order/Get", "PSP_010")
    with pytest.raises(BankError) as caught:
        read_envelope({**told, "mode": None}, "Order/Get", SHOP)
    assert caught.value.code == "PSP_010"
    with pytest.raises(Unreachable):
        read_envelope({**told, "mode": "PRODUCTION"}, "Order/Get", SHOP)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def places(value: object, path: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    """Where something stands in an answer: every table, list and leaf."""
    found = [path]
    if isinstance(value, dict):
        for name, inner in value.items():
            found += places(inner, (*path, name))
    if isinstance(value, list):
        for number, inner in enumerate(value):
            found += places(inner, (*path, number))
    return found


WHOLE = envelope("Order/Get", order_answer(ORDER, transaction(ORDER), credit()))


@pytest.mark.slow
@given(st.sampled_from(places(WHOLE)), JSON)
def test_whatever_stands_in_an_answer_it_is_read_or_refused(
    place: tuple[Any, ...], thing: object
) -> None:
    """Any other error would fail here; so would text that no database could keep."""
    told = copy.deepcopy(WHOLE)
    if place:
        table: Any = told
        for step in place[:-1]:
            table = table[step]
        table[place[-1]] = thing
    else:
        told = thing  # type: ignore[assignment]
    try:
        reports = read_order(read_envelope(told, "Order/Get", SHOP), ORDER, SHOP)
    except (Unreachable, BankError):
        return
    for report in reports:
        assert report.reference == ORDER.reference
        assert type(report.cents) is int
        texts = [it for it in vars(report).values() if isinstance(it, str)]
        "".join([*texts, *report.raw.values()]).encode()


# --- A shop that has the service, and one that has not ---


def test_only_a_shop_with_a_password_can_be_asked(lyra: LyraGateway) -> None:
    without = LyraGateway.configure(
        "b", {name: it for name, it in TABLE.items() if name != "test_password"}, environment="test"
    )
    sandbox = {"adapter": "sandbox", "url": "http://127.0.0.1:8001", "key": KEY}
    mute = configure("b", sandbox, environment="test")
    open_ = configure("b", {**sandbox, "password": PASSWORD}, environment="test")
    for protocol in (Polls, Refunds, Checks):
        assert isinstance(lyra, protocol)
        assert isinstance(open_, protocol)
        assert not isinstance(without, protocol)
        assert not isinstance(mute, protocol)
    assert all(isinstance(it, Gateway) for it in (lyra, open_, without, mute))


def test_a_paid_notice_is_only_a_reason_to_ask_where_the_shop_confirms(handoff: Handoff) -> None:
    cautious = LyraGateway.configure("b", {**TABLE, "confirm": True}, environment="test")
    trusting = LyraGateway.configure("b", TABLE, environment="test")

    def told(gateway: LyraGateway, **changes: str | None) -> Report:
        return gateway.read_notification(Callback.of_form(notice(handoff, **changes).items()))

    assert told(cautious) == replace(told(trusting), ask=True)
    for changes in (REFUSED, ABANDONED, {"trans_status": "CANCELLED"}):
        assert told(cautious, **changes) == told(trusting, **changes)
        assert not told(cautious, **changes).ask


LIVE = {
    "adapter": "lyra",
    "site_id": "12345678",
    "mode": "PRODUCTION",
    "production_key": "Xq8wLz3RvT6nKp2M",
}


@pytest.mark.parametrize(
    ("change", "environment", "fault"),
    [
        ({"test_password": "Xq8wLz3RvT6nKp2MBd5yHs9J"}, "test", "test_password"),
        ({"test_password": "testpassword_court"}, "test", "test_password"),
        ({"test_password": "testpassword_" + "0" * 20}, "test", "test_password"),
        ({"test_password": "testpassword_avec espace 0123456789"}, "test", "test_password"),
        ({"test_password": "prodpassword_Xq8wLz3RvT6nKp2M"}, "test", "test_password"),
        ({"test_password": " "}, "test", "test_password"),
        ({"production_password": PASSWORD, **LIVE}, "production", "production_password"),
        ({"production_password": PASSWORD}, "test", "production_password"),
        ({"test_password": "", "confirm": True}, "test", "confirm"),
        ({**LIVE, "confirm": True}, "production", "confirm"),
        ({"confirm": "oui"}, "test", "confirm"),
        ({"api_host": "https://api.example.org"}, "test", "api_host"),
        ({"brand": "osb"}, "test", "api_host"),
    ],
)
def test_wrong_settings_of_the_service_refuse_to_start_without_telling_the_password(
    change: dict[str, object], environment: str, fault: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        LyraGateway.configure("b", {**TABLE, **change}, environment=environment)
    (said,) = caught.value.faults
    assert said.startswith(f"gateways.b.{fault} : ")
    for secret in (PASSWORD, *filter(None, map(str, change.values()))):
        assert len(secret) < 13 or secret not in said


def test_each_brand_has_its_rest_host_and_a_setting_can_replace_it() -> None:
    for name, brand in BRANDS.items():
        if brand.api_host:
            gateway = LyraGateway.configure("b", {**TABLE, "brand": name}, environment="test")
            assert gateway._shop.api_origin == f"https://{brand.api_host}"
    own = {**TABLE, "brand": "osb", "api_host": "api.example.org"}
    gateway = LyraGateway.configure("b", own, environment="test")
    assert gateway._shop.api_origin == "https://api.example.org"
    assert not gateway._shop.in_clear


def test_the_password_shows_in_no_representation(lyra: LyraGateway) -> None:
    assert PASSWORD not in repr(lyra) + repr(lyra._shop) + repr(vars(lyra))
