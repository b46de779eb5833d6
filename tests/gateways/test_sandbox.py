"""The mock bank is as strict as the real one, and as unreliable as chosen."""

import hashlib
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from gateways.base import Callback, Gateway, Order, Outcome
from gateways.lyra import sign
from gateways.registry import configure
from gateways.sandbox import notifications, server
from gateways.sandbox.bank import Bank
from gateways.sandbox.store import Store
from tests import sentences
from tests.bank import KEY

ACCEPTED, REFUSED, TO_VALIDATE = "4970100000000000", "4970100000000055", "4970100000000001"


@pytest.fixture
def gateway() -> Gateway:
    table = {"adapter": "sandbox", "url": "http://127.0.0.1:8001", "key": KEY}
    return configure("banque", table, environment="test")


@pytest.fixture
def form(gateway: Gateway) -> dict[str, str]:
    order = Order(
        reference="KF0123456789abcdef01",
        number=421,
        cents=8745,
        description="Factures A, B",
        started_at=datetime.now(UTC),
        return_url="http://127.0.0.1:8000/paiement/retour/KF0123456789abcdef01",
        notification_url="http://127.0.0.1:8000/paiement/notification/banque",
    )
    return dict(gateway.start(order).fields or ())


@pytest.fixture
def posted(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
    """Collect the notifications of the bank, to which the town answers OK."""
    sent: list[dict[str, str]] = []

    class Answer:
        status_code, text = 200, "OK"

    def post(_self: object, url: str, *, data: dict[str, str], **options: Any) -> Answer:
        assert options == {"timeout": 10, "allow_redirects": False}
        assert url.endswith("/paiement/notification/banque")
        sent.append(data)
        return Answer()

    monkeypatch.setattr(notifications.requests.Session, "post", post)
    return sent


@pytest.fixture
def bank(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, posted: object) -> Iterator[FlaskClient]:
    monkeypatch.setenv("SANDBOX_KEY", KEY)
    monkeypatch.setenv("SANDBOX_NOTIFY_URL", "http://127.0.0.1:8000/paiement/notification/banque")
    monkeypatch.setenv("SANDBOX_DATABASE", str(tmp_path / "bank.sqlite3"))
    return server.create_bank().test_client()


def resigned(form: dict[str, str], **changes: str | None) -> dict[str, str]:
    fields = {**form, **{f"vads_{name}": value for name, value in changes.items()}}
    kept = {name: value for name, value in fields.items() if value is not None}
    return kept | {"signature": sign(kept, KEY.encode())}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"version": "V1"}, "01"),
        ({"site_id": "87654321"}, "02"),
        ({"trans_id": "900001"}, "03"),
        ({"trans_id": "1"}, "03"),
        ({"trans_date": "20260230000000"}, "04"),
        ({"trans_date": "20200101000000"}, "04"),
        ({"payment_config": "MULTI"}, "07"),
        ({"amount": "0"}, "09"),
        ({"amount": "10.00"}, "09"),
        ({"amount": None}, "09"),
        ({"currency": "840"}, "10"),
        ({"ctx_mode": "PRODUCTION"}, "11"),
        ({"language": "xx"}, "12"),
        ({"order_id": "a b"}, "13"),
        ({"order_info": "<b>"}, "14"),
        ({"url_return": "javascript:alert(1)"}, "28"),
        ({"page_action": "REGISTER"}, "46"),
        ({"action_mode": "SILENT"}, "47"),
        ({"return_mode": "POST"}, "48"),
        ({"payment_cards": "CB;AMEX"}, "08"),
        ({"payment_cards": "ALL"}, "08"),
        ({"payment_cards": "CB;"}, "08"),
        ({"payment_cards": "CB,VISA"}, "08"),
        ({"theme_config": "SECURE_MESSAGE"}, "32"),
        ({"theme_config": "SECURE_MESSAGE=<b>"}, "32"),
        ({"theme_config": "A=" + "b" * 254}, "32"),
        ({"redirect_success_timeout": "301"}, "34"),
        ({"redirect_success_timeout": "-1"}, "34"),
        ({"redirect_success_message": "<"}, "35"),
        ({"redirect_error_timeout": "1e1"}, "36"),
        ({"redirect_error_message": "x" * 256}, "37"),
        ({"available_languages": "fr;xx"}, "71"),
    ],
)
def test_a_form_with_a_fault_is_refused_with_the_platforms_code(
    bank: FlaskClient, form: dict[str, str], changes: dict[str, str | None], code: str
) -> None:
    answer = bank.post("/vads-payment/", data=resigned(form, **changes))
    assert answer.status_code == 400
    (name,) = changes
    assert f"error-{code} (vads_{name})" in answer.text


@pytest.mark.parametrize(
    "changes",
    [
        dict.fromkeys(("payment_cards", "theme_config", "redirect_success_timeout"), ""),
        {"language": "", "available_languages": "fr;en", "redirect_error_timeout": "0"},
        {"payment_cards": "CB;VISA;MASTERCARD;E-CARTEBLEUE", "redirect_success_timeout": "300"},
        {"theme_config": "A=" + "é" * 253, "redirect_success_message": "À bientôt"},
        {"language": None, "order_id": None, "url_return": None, "return_mode": None},
    ],
)
def test_what_is_optional_may_be_empty_absent_or_long(
    bank: FlaskClient, form: dict[str, str], changes: dict[str, str | None]
) -> None:
    assert bank.post("/vads-payment/", data=resigned(form, **changes)).status_code == 303


def test_a_form_wrongly_signed_is_refused(bank: FlaskClient, form: dict[str, str]) -> None:
    for signature in ("", "é", hashlib.sha1(b"x").hexdigest()):
        answer = bank.post("/vads-payment/", data=form | {"signature": signature})
        assert "error-00" in answer.text


def test_an_identifier_serves_once_a_day(bank: FlaskClient, form: dict[str, str]) -> None:
    assert bank.post("/vads-payment/", data=form).status_code == 303
    assert "error-03" in bank.post("/vads-payment/", data=form).text


@pytest.fixture
def page(bank: FlaskClient, form: dict[str, str]) -> str:
    """The address of an open payment page."""
    return str(bank.post("/vads-payment/", data=form).location)


Read = Callable[[dict[str, str]], Any]


@pytest.fixture
def read(gateway: Gateway) -> Read:
    return lambda fields: gateway.read_notification(Callback.of_form(fields.items()))


def test_the_page_shows_the_detail_on_the_left_and_the_test_cards(
    bank: FlaskClient, page: str
) -> None:
    text = bank.get(page).text
    assert sentences.NO_MONEY_MOVES in text
    assert text.index("87,45\u00a0€") < text.index(sentences.CARD_NUMBER)
    assert "Factures A, B" in text
    assert text.count("data-card=") == 6


def test_an_accepted_card_is_notified_before_the_browser_goes_back(
    bank: FlaskClient, page: str, posted: list[dict[str, str]], read: Read
) -> None:
    answer = bank.post(f"{page}/carte", data={"card": ACCEPTED})
    assert answer.location == "http://127.0.0.1:8000/paiement/retour/KF0123456789abcdef01"
    report = read(posted[0])
    assert (report.outcome, report.cents, report.card_last4) == (Outcome.PAID, 8745, "0000")
    assert posted[0]["vads_url_check_src"] == "PAY"
    assert "<" not in posted[0]["vads_brand_management"]


def test_a_refused_card_may_be_followed_by_an_accepted_one(
    bank: FlaskClient, page: str, posted: list[dict[str, str]], read: Read
) -> None:
    answer = bank.post(f"{page}/carte", data={"card": REFUSED})
    assert sentences.CARD_REFUSED in answer.text
    bank.post(f"{page}/carte", data={"card": ACCEPTED})
    first, second = map(read, posted)
    assert (first.outcome, second.outcome) == (Outcome.REFUSED, Outcome.PAID)
    assert first.transaction_id != second.transaction_id
    assert [fields["vads_sequence_number"] for fields in posted] == ["1", "2"]


def test_a_payment_to_validate_is_pending(
    bank: FlaskClient, page: str, posted: list[dict[str, str]], read: Read
) -> None:
    bank.post(f"{page}/carte", data={"card": TO_VALIDATE})
    assert read(posted[0]).outcome is Outcome.PENDING


@pytest.mark.parametrize(
    ("end", "outcome"), [("abandon", Outcome.CANCELLED), ("expiration", Outcome.EXPIRED)]
)
def test_a_payer_who_leaves_is_notified_as_such_once(
    bank: FlaskClient,
    page: str,
    posted: list[dict[str, str]],
    read: Read,
    end: str,
    outcome: Outcome,
) -> None:
    for _ in range(2):
        assert "/paiement/retour/" in bank.post(f"{page}/{end}").location
    assert [read(fields).outcome for fields in posted] == [outcome]
    assert sentences.PAGE_OVER in bank.get(page).text
    assert sentences.PAGE_OVER in bank.post(f"{page}/carte", data={"card": ACCEPTED}).text


@pytest.mark.parametrize("card", ["", "4111111111111111", "x" * 5000, "4970100000000000 0"])
def test_a_card_that_is_not_a_test_card_is_never_taken_nor_kept(
    bank: FlaskClient, page: str, posted: list[dict[str, str]], card: str, tmp_path: Path
) -> None:
    assert bank.post(f"{page}/carte", data={"card": card}).status_code == 422
    assert posted == []
    if card:
        assert card.encode() not in (tmp_path / "bank.sqlite3").read_bytes()


def test_no_whole_card_number_is_kept(bank: FlaskClient, page: str, tmp_path: Path) -> None:
    bank.post(f"{page}/carte", data={"card": ACCEPTED})
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("bank.sqlite3*"))
    assert ACCEPTED.encode() not in kept


@pytest.mark.parametrize(("how", "count"), [("normal", 1), ("twice", 2), ("lost", 0)])
def test_a_notice_may_be_sent_once_twice_or_never(
    bank: FlaskClient, page: str, posted: list[dict[str, str]], how: str, count: int
) -> None:
    bank.post(f"{page}/carte", data={"card": ACCEPTED, "delivery": how})
    assert len(posted) == count


def test_a_late_notice_leaves_after_the_browser(
    bank: FlaskClient,
    page: str,
    posted: list[dict[str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waiting: list[Callable[[], None]] = []

    class Timer:
        daemon = False

        def __init__(self, seconds: float, function: Any, arguments: Any) -> None:
            assert seconds == 6
            waiting.append(lambda: function(*arguments))

        def start(self) -> None:
            pass

    monkeypatch.setattr(notifications.threading, "Timer", Timer)
    assert bank.post(f"{page}/carte", data={"card": ACCEPTED, "delivery": "late"}).location
    assert posted == []
    waiting[0]()
    assert len(posted) == 1


def test_a_notice_may_carry_a_wrong_amount_or_another_keys_signature(
    bank: FlaskClient, form: dict[str, str], posted: list[dict[str, str]], read: Read
) -> None:
    for number, how in (("000001", "amount"), ("000002", "key")):
        page = bank.post("/vads-payment/", data=resigned(form, trans_id=number)).location
        bank.post(f"{page}/carte", data={"card": ACCEPTED, "delivery": how})
    assert read(posted[0]).cents == 8845
    with pytest.raises(Exception, match="signature fausse"):
        read(posted[1])


# --- The back office ---

Operate = Callable[..., Any]


@pytest.fixture
def operate(bank: FlaskClient) -> Operate:
    """Press a button of the back office, found on its page by the operation it stands for."""

    def press(operation: str, status: str = "", **fields: str) -> Any:
        for row in bank.get("/").text.split("<tr>"):
            address = re.search(rf'"(/operations/\w+/{operation})"', row)
            if address and f"<td>{status}" in row:
                return bank.post(address[1], data=fields)
        raise LookupError(operation)

    return press


@pytest.mark.parametrize(
    ("card", "operations", "outcome", "source"),
    [
        (ACCEPTED, ["resend"], Outcome.PAID, "BO"),
        (ACCEPTED, ["capture"], Outcome.PAID, "BATCH"),
        (ACCEPTED, ["cancel"], Outcome.REVERSED, "MERCH_BO"),
        (ACCEPTED, ["expire"], Outcome.REVERSED, "BATCH"),
        (ACCEPTED, ["fail"], Outcome.REVERSED, "BATCH"),
        (TO_VALIDATE, ["validate"], Outcome.PAID, "MERCH_BO"),
        (TO_VALIDATE, ["expire"], Outcome.REVERSED, "BATCH"),
        (TO_VALIDATE, ["cancel"], Outcome.REVERSED, "MERCH_BO"),
        (ACCEPTED, ["capture", "refund"], Outcome.REFUNDED, "MERCH_BO"),
    ],
)
def test_the_back_office_resends_captures_cancels_and_refunds(
    bank: FlaskClient,
    page: str,
    posted: list[dict[str, str]],
    read: Read,
    operate: Operate,
    card: str,
    operations: list[str],
    outcome: Outcome,
    source: str,
) -> None:
    bank.post(f"{page}/carte", data={"card": card})
    for operation in operations:
        assert operate(operation, amount="87,45").status_code == 303
    assert read(posted[-1]).outcome is outcome
    assert len(posted) == 1 + len(operations)
    assert posted[-1]["vads_url_check_src"] == source


def test_an_operation_or_a_transaction_that_does_not_exist_is_not_found(
    bank: FlaskClient, page: str, posted: list[dict[str, str]]
) -> None:
    bank.post(f"{page}/carte", data={"card": ACCEPTED})
    uuid = posted[0]["vads_trans_uuid"]
    for address in (f"{uuid}/nothing", "absent/resend", "absent/cancel", "absent/refund"):
        assert bank.post(f"/operations/{address}", data={"amount": "1"}).status_code == 404
    assert len(posted) == 1


def test_a_debit_is_given_back_in_parts_and_never_beyond_its_amount(
    bank: FlaskClient, page: str, posted: list[dict[str, str]], read: Read, operate: Operate
) -> None:
    bank.post(f"{page}/carte", data={"card": ACCEPTED})
    operate("capture")
    operate("refund", amount="20,00")
    assert (read(posted[-1]).outcome, read(posted[-1]).cents) == (Outcome.REFUNDED, 2000)
    assert 'value="67,45"' in bank.get("/").text
    refused = operate("refund", amount="67.46")
    assert refused.status_code == 409
    assert f"{sentences.BEYOND_THE_REST} (PSP_020)" in refused.text
    operate("refund", amount="67.45")
    assert [read(fields).cents for fields in posted] == [8745, 8745, 2000, 6745]
    assert "/refund" not in bank.get("/").text


@pytest.mark.parametrize("amount", ["", "douze", "-1", "1,234", "1e3", "é", "9" * 30, "1\0"])
def test_an_amount_that_is_none_is_asked_again(
    bank: FlaskClient, page: str, posted: list[dict[str, str]], operate: Operate, amount: str
) -> None:
    bank.post(f"{page}/carte", data={"card": ACCEPTED})
    operate("capture")
    answer = operate("refund", amount=amount)
    assert answer.status_code == 422
    assert sentences.AMOUNT_WANTED in answer.text
    assert len(posted) == 2


@pytest.mark.parametrize(
    ("before", "operation", "code"),
    [
        ("", "validate", "PSP_011"),
        ("", "refund", "PSP_043"),
        ("capture", "cancel", "PSP_075"),
        ("capture", "expire", "PSP_075"),
        ("capture", "capture", "PSP_075"),
        ("cancel", "cancel", "PSP_105"),
        ("cancel", "capture", "PSP_105"),
        ("cancel", "refund", "PSP_105"),
        ("fail", "cancel", "PSP_011"),
        ("fail", "refund", "PSP_011"),
        ("expire", "capture", "PSP_011"),
    ],
)
def test_what_the_rules_forbid_is_refused_by_a_page_left_open_too(
    bank: FlaskClient,
    page: str,
    posted: list[dict[str, str]],
    operate: Operate,
    before: str,
    operation: str,
    code: str,
) -> None:
    bank.post(f"{page}/carte", data={"card": ACCEPTED})
    if before:
        operate(before)
    sent = len(posted)
    uuid = posted[0]["vads_trans_uuid"]
    refused = bank.post(f"/operations/{uuid}/{operation}", data={"amount": "87,45"})
    assert refused.status_code == 409
    assert code in refused.text
    assert len(posted) == sent
    with pytest.raises(LookupError):
        operate(operation)


def test_a_refund_is_a_transaction_that_cannot_be_refunded(
    bank: FlaskClient, page: str, posted: list[dict[str, str]], operate: Operate
) -> None:
    bank.post(f"{page}/carte", data={"card": ACCEPTED})
    operate("capture")
    operate("refund", amount="10")
    uuid = posted[-1]["vads_trans_uuid"]
    assert posted[-1]["vads_trans_id"].startswith("9")
    refused = bank.post(f"/operations/{uuid}/refund", data={"amount": "5"})
    assert "PSP_043" in refused.text
    # Cancelled before it is captured, it gives nothing back.
    bank.post(f"/operations/{uuid}/cancel")
    assert 'value="87,45"' in bank.get("/").text


def test_the_file_of_an_older_demo_is_still_read(
    tmp_path: Path, bank: FlaskClient, page: str, posted: object
) -> None:
    bank.post(f"{page}/carte", data={"card": ACCEPTED})
    path = tmp_path / "bank.sqlite3"
    with closing(sqlite3.connect(path)) as database:
        database.executescript("ALTER TABLE movement DROP COLUMN parent; DROP TABLE fault;")
    assert server.create_bank().test_client().get("/").text.count("AUTHORISED") >= 1


def test_a_session_lasts_ten_minutes(
    bank: FlaskClient, page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = Bank(Store(tmp_path / "bank.sqlite3"), KEY.encode()).session(page.rpartition("/")[2])
    assert session.is_open
    old = session.opened_at - timedelta(minutes=10)
    assert not type(session)(session.token, old, session.fields, "open", 0).is_open


def test_a_town_that_is_down_is_logged_and_the_payer_sent_back(
    bank: FlaskClient, page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_: object, **__: object) -> None:
        raise notifications.requests.ConnectionError

    monkeypatch.setattr(notifications.requests.Session, "post", down)
    assert bank.post(f"{page}/carte", data={"card": ACCEPTED}).status_code == 303
    assert "ConnectionError" in bank.get("/").text


def test_an_unknown_page_is_not_found(bank: FlaskClient) -> None:
    for address in ("/paiement/x", "/paiement/%00", "/nulle-part"):
        assert bank.get(address).status_code == 404
