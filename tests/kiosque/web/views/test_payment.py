"""The three screens, the way back, and the bank's notifications."""

import io
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from gateways.base import Handoff
from kiosque import db
from kiosque.db.models import (
    Attempt,
    BankMessage,
    Fact,
    Family,
    Invoice,
    JournalEntry,
    OutboxMail,
    Receipt,
    Settlement,
)
from kiosque.payments import Refused
from tests import sentences
from tests.bank import ABANDONED, KEY, REFUSED, notice
from tests.conftest import Clock, csrf_token, make_invoice

NOTIFY = "/paiement/notification/banque"
Pay = Callable[..., tuple[Attempt, Handoff]]


def confirm(client: FlaskClient, *numbers: str, **changes: str) -> TestResponse:
    """Read the summary and press its button."""
    page = client.get("/paiement/recapitulatif", query_string={"invoice": numbers}).text
    expected = re.search(r'name="expected_cents" value="(\d+)"', page)
    data = {
        "csrf_token": csrf_token(client.get("/famille").text),
        "invoice": list(numbers),
        "expected_cents": expected[1] if expected else "",
        **changes,
    }
    return client.post("/paiement/banque", data=data)


def hear(client: FlaskClient, handoff: Handoff, **changes: str | None) -> TestResponse:
    return client.post(NOTIFY, data=notice(handoff, **changes))


# --- Screen 2: the summary ---


def test_the_summary_shows_each_invoice_the_total_and_what_the_address_is_for(
    alice: FlaskClient, october: Invoice, september: Invoice
) -> None:
    page = alice.get("/paiement/recapitulatif?invoice=2026-10-0001&invoice=2026-09-0001").text
    for words in ("2026-10-0001", "2026-09-0001", "87,45\u00a0€", "(facultatif)"):
        assert words in page
    assert sentences.EMAIL_FOR_RECEIPT_ONLY in page
    assert sentences.PAY_ONLINE in page
    assert "Banque de démonstration" in page


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("2026-10-0002", sentences.NOT_YOURS),
        ("PAID", "déjà payée"),
        ("CANCELLED", "annulée"),
        ("", "ne figure pas"),
        ("<script>alert(1)</script>", "ne figure pas"),
    ],
)
def test_what_cannot_be_paid_is_refused_in_plain_words_and_nothing_is_half_done(
    alice: FlaskClient,
    alices_family: Family,
    charlies_family: Family,
    october: Invoice,
    number: str,
    words: str,
) -> None:
    make_invoice(charlies_family, "2026-10-0002")
    make_invoice(alices_family, "PAID", state="paid")
    make_invoice(alices_family, "CANCELLED", state="cancelled")
    numbers = [october.number, number]
    shown = alice.get("/paiement/recapitulatif", query_string={"invoice": numbers})
    pressed = confirm(alice, *numbers, expected_cents="9040")
    for answer in (shown, pressed):
        assert answer.status_code == 409
        assert words in answer.text
        assert "<script>alert" not in answer.text
    assert Attempt.select().count() == 0


@pytest.mark.parametrize(
    "email",
    [
        "alice",
        "a@b",
        "a b@example.org",
        "a@example.org\r\nBcc: x@y.z",
        "=?utf-8?q??=@x.fr",
        "=?utf-8?q?a=2Cvictim=40y.fr?=@x.fr",
    ],
)
def test_a_wrong_address_is_said_beside_the_field_and_opens_nothing(
    alice: FlaskClient, october: Invoice, email: str
) -> None:
    answer = confirm(alice, october.number, email=email)
    assert answer.status_code == 422
    assert sentences.EMAIL_INCOMPLETE in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert Attempt.select().count() == 0


def test_a_receipt_is_for_an_address_that_every_mail_server_takes(
    alice: FlaskClient, october: Invoice
) -> None:
    answer = confirm(alice, october.number, email="zoé@example.org")
    assert answer.status_code == 422
    assert sentences.EMAIL_ACCENTED in answer.text
    assert Attempt.select().count() == 0


@pytest.mark.parametrize("expected", ["", "4519", "-4520", "4520.0", "x", "٤٥٢٠", "9" * 5000])
def test_a_total_that_is_not_the_one_read_is_refused(
    alice: FlaskClient, october: Invoice, expected: str
) -> None:
    answer = confirm(alice, october.number, expected_cents=expected)
    assert answer.status_code == 409
    assert Attempt.select().count() == 0


def test_missing_fields_and_files_in_their_place_are_no_fault_of_ours(
    alice: FlaskClient, october: Invoice
) -> None:
    token = csrf_token(alice.get("/paiement/recapitulatif?invoice=2026-10-0001").text)
    answer = alice.post("/paiement/banque", data={"csrf_token": token})
    assert answer.status_code == 409
    for name in ("expected_cents", "email", "invoice"):
        data = {"csrf_token": token, name: (io.BytesIO(b"x"), "x.txt")}
        with alice.post("/paiement/banque", data=data) as answer:
            assert answer.status_code == 409
    assert Attempt.select().count() == 0


# --- Screen 3: the way to the bank ---


def test_the_way_to_the_bank_is_a_signed_form_with_a_button(
    alice: FlaskClient, october: Invoice
) -> None:
    answer = confirm(alice, october.number, email="alice+recu@example.org")
    page = answer.text
    assert '<form method="post" action="http://127.0.0.1:8001/vads-payment/" data-way-out=' in page
    assert sentences.GO_ON in page
    assert sentences.LEAVING in page
    fields = dict(re.findall(r'name="(vads_\w+)" value="([^"]*)"', page))
    assert (fields["vads_amount"], fields["vads_ctx_mode"]) == ("4520", "TEST")
    assert "alice" not in str(fields)
    assert Attempt.get().receipt_email == "alice+recu@example.org"
    assert KEY not in page


def test_an_international_domain_is_kept_as_mail_servers_take_it(
    alice: FlaskClient, october: Invoice
) -> None:
    confirm(alice, october.number, email="alice@éxample.org")
    assert Attempt.get().receipt_email == "alice@xn--xample-9ua.org"


def test_only_that_page_may_send_a_form_to_the_bank(alice: FlaskClient, october: Invoice) -> None:
    answer = confirm(alice, october.number)
    assert "form-action 'self' http://127.0.0.1:8001;" in answer.headers["Content-Security-Policy"]
    other = alice.get("/factures")
    assert "form-action 'self';" in other.headers["Content-Security-Policy"]


def test_a_double_click_opens_one_payment_and_says_until_when_to_wait(
    alice: FlaskClient, bob: FlaskClient, october: Invoice
) -> None:
    assert confirm(alice, october.number).status_code == 200
    for client in (alice, bob):
        answer = confirm(client, october.number, expected_cents="4520")
        page = client.get(answer.location).text
        assert f"{sentences.PAYABLE_AGAIN} 20\u00a0h\u00a045" in page
    assert Attempt.select().count() == 1


def test_charlie_cannot_pay_alices_invoice(charlie: FlaskClient, october: Invoice) -> None:
    answer = confirm(charlie, october.number, expected_cents="4520")
    assert answer.status_code == 409
    assert "Martin" not in answer.text
    assert Attempt.select().count() == 0


def test_a_stranger_cannot_pay(stranger: FlaskClient, october: Invoice) -> None:
    token = csrf_token(stranger.get("/connexion").text)
    answer = stranger.post(
        "/paiement/banque", data={"csrf_token": token, "invoice": october.number}
    )
    assert answer.location.startswith("/connexion")
    assert Attempt.select().count() == 0


# --- The way back ---

RETURNS = [
    ({}, "Paiement effectué"),
    (REFUSED, sentences.REFUSED_BY_BANK),
    (ABANDONED, "Paiement abandonné\u00a0: aucun débit n’a été effectué"),
    ({**ABANDONED, "payment_error": "149"}, "Le délai pour payer est dépassé"),
    ({"trans_status": "UNDER_VERIFICATION"}, sentences.WAITING),
    ({"trans_status": "CANCELLED"}, "La banque a annulé ce paiement"),
    (None, sentences.WAITING),
]


@pytest.mark.parametrize(("message", "title"), RETURNS)
def test_the_return_greets_with_our_own_state_in_the_first_line(
    alice: FlaskClient,
    stranger: FlaskClient,
    charlie: FlaskClient,
    pay: Pay,
    alices_family: Family,
    october: Invoice,
    message: dict[str, str | None] | None,
    title: str,
) -> None:
    attempt, handoff = pay(alices_family, october)
    if message is not None:
        assert hear(stranger, handoff, **message).status_code == 200
    address = f"/paiement/retour/{attempt.reference}"
    assert f"<h1>{title}</h1>" in alice.get(address).text
    assert "2026-10-0001" in alice.get(address).text
    for client in (stranger, charlie):
        page = client.get(address).text
        assert f"<h1>{title}</h1>" in page
        assert not [w for w in ("2026-10", "45,20", "Martin", "F1001", "/recus/") if w in page]


def test_a_return_decides_nothing_whatever_it_carries(
    alice: FlaskClient, pay: Pay, alices_family: Family, october: Invoice
) -> None:
    attempt, handoff = pay(alices_family, october)
    address = f"/paiement/retour/{attempt.reference}"
    alice.get(address, query_string=notice(handoff))
    assert alice.post(address, data=notice(handoff)).status_code == 303
    assert Attempt.get().state == "handed_off"
    assert Fact.select().count() == 2


def test_the_page_refreshes_by_itself_a_few_times_then_stops(
    alice: FlaskClient, pay: Pay, alices_family: Family, october: Invoice
) -> None:
    attempt, _ = pay(alices_family, october)
    address, visits = f"/paiement/retour/{attempt.reference}", 0
    while found := re.search(r'data-refresh-to="([^"]+)"', alice.get(address).text):
        address = found[1]
        visits += 1
    assert visits == 10
    assert "Actualiser" in alice.get(address).text
    for nonsense in ("-1", "x", "99999999999"):
        page = alice.get(f"/paiement/retour/{attempt.reference}?essai={nonsense}")
        assert page.status_code == 200


def test_a_bank_that_stays_silent_is_never_called_a_refusal(
    alice: FlaskClient, pay: Pay, frozen: Clock, alices_family: Family, october: Invoice
) -> None:
    attempt, _ = pay(alices_family, october)
    frozen.advance(minutes=20)
    page = alice.get(f"/paiement/retour/{attempt.reference}").text
    assert sentences.NEVER_ANSWERED in page
    assert "refusé" not in page


def test_a_refused_parent_can_try_again_from_the_return(
    alice: FlaskClient, pay: Pay, alices_family: Family, october: Invoice
) -> None:
    attempt, handoff = pay(alices_family, october)
    hear(alice, handoff, **REFUSED)
    page = alice.get(f"/paiement/retour/{attempt.reference}").text
    assert 'href="/paiement/recapitulatif?invoice=2026-10-0001"' in page


def test_what_has_been_paid_since_is_not_offered_again(
    alice: FlaskClient, pay: Pay, alices_family: Family, october: Invoice
) -> None:
    attempt, handoff = pay(alices_family, october)
    hear(alice, handoff, **REFUSED)
    _, second = pay(alices_family, october)
    hear(alice, second)
    page = alice.get(f"/paiement/retour/{attempt.reference}").text
    assert sentences.PAYMENT_REFUSED in page
    assert "/paiement/recapitulatif" not in page


def test_a_debit_of_another_amount_is_told_to_the_family_as_it_is(
    alice: FlaskClient, pay: Pay, alices_family: Family, october: Invoice
) -> None:
    attempt, handoff = pay(alices_family, october)
    hear(alice, handoff, amount="9999", effective_amount="9999")
    page = alice.get(f"/paiement/retour/{attempt.reference}").text
    assert re.search("99,99.*45,20", page)


def test_a_paid_twice_parent_is_told_the_money_is_theirs(
    alice: FlaskClient, pay: Pay, frozen: Clock, alices_family: Family, october: Invoice
) -> None:
    first, handoff = pay(alices_family, october)
    frozen.advance(minutes=16)
    _, second = pay(alices_family, october)
    hear(alice, second)
    hear(alice, handoff)
    page = alice.get(f"/paiement/retour/{first.reference}").text
    assert f"45,20\u00a0€ {sentences.PAID_TOO_MUCH}" in page
    assert sentences.OWED_TO_YOU in alice.get("/recus/2").text


@pytest.mark.parametrize("reference", ["KF000000000000000000", "x", "%00", "..%2f", "9" * 500])
def test_an_unknown_return_is_not_found(stranger: FlaskClient, reference: str) -> None:
    assert stranger.get(f"/paiement/retour/{reference}").status_code == 404


# --- The notification ---


def test_a_genuine_notice_is_answered_ok_once_committed(
    stranger: FlaskClient, pay: Pay, alices_family: Family, october: Invoice
) -> None:
    _, handoff = pay(alices_family, october)
    for _ in range(10):
        answer = hear(stranger, handoff)
        assert (answer.status_code, answer.text) == (200, "OK")
        assert "Set-Cookie" not in answer.headers
    assert Invoice.get().state == "paid"
    assert JournalEntry.select().count() == 1
    assert BankMessage.select().count() == 10


def test_the_same_notice_many_times_at_once_counts_once(
    app: Flask, pay: Pay, alices_family: Family, october: Invoice
) -> None:
    _, handoff = pay(alices_family, october, email="alice@example.org")
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: hear(app.test_client(), handoff).status_code, range(24)))
    assert answers == [200] * 24
    assert (Settlement.select().count(), JournalEntry.select().count()) == (1, 1)
    assert (Receipt.select().count(), OutboxMail.select().count()) == (1, 1)
    assert BankMessage.select().count() == 24


def test_many_browsers_confirming_at_once_open_one_payment(
    app: Flask, pay: Pay, alices_family: Family, october: Invoice
) -> None:
    def confirm_once(_: int) -> bool:
        with db.connection():
            try:
                pay(alices_family, october)
            except Refused:
                return False
            return True

    with ThreadPoolExecutor(12) as pool:
        opened = list(pool.map(confirm_once, range(24)))
    assert opened.count(True) == Attempt.select().count() == 1


def untouched(october: Invoice) -> bool:
    return (
        Invoice.get_by_id(october.id).state == "open"
        and Settlement.select().count() == 0
        and JournalEntry.select().count() == 0
        and OutboxMail.select().count() == 0
        and Attempt.get().state == "handed_off"
    )


FORGERIES: dict[str, Callable[[dict[str, str]], dict[str, str]]] = {
    "another key": lambda f: f | {"signature": "A" * 44},
    "no signature": lambda f: {name: f[name] for name in f if name != "signature"},
    "a changed amount": lambda f: f | {"vads_amount": "1"},
    "another mode": lambda f: f | {"vads_ctx_mode": "PRODUCTION"},
    "a name in brackets": lambda f: {f"{name}[]": value for name, value in f.items()},
    "not a signature": lambda f: f | {"signature": "é\r\n\0"},
    "nothing": lambda _: {},
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_notice_is_refused_changes_nothing_and_leaves_its_audit(
    stranger: FlaskClient, pay: Pay, alices_family: Family, october: Invoice, forgery: str
) -> None:
    _, handoff = pay(alices_family, october)
    answer = stranger.post(NOTIFY, data=FORGERIES[forgery](notice(handoff)))
    assert answer.status_code == 400
    assert len(answer.data) < 256
    assert untouched(october)
    assert BankMessage.get().accepted is False
    assert "497010" not in BankMessage.get().fields


def test_garbled_requests_are_refused_and_change_nothing(
    stranger: FlaskClient, pay: Pay, alices_family: Family, october: Invoice
) -> None:
    _, handoff = pay(alices_family, october)
    good = notice(handoff)
    form = "application/x-www-form-urlencoded"
    answers = [
        stranger.post(NOTIFY, json=good),
        stranger.post(NOTIFY, data=good, content_type="multipart/form-data"),
        stranger.post(NOTIFY, data=b"\xff\xfe", content_type=form),
        stranger.post(NOTIFY, data="&".join(f"a{i}=1" for i in range(5000)), content_type=form),
        stranger.post(NOTIFY, data={**good, "vads_amount": ["4520", "4520"]}),
        stranger.post(NOTIFY, query_string=good),
        stranger.post(
            NOTIFY, data=b"\x1f\x8b", content_type=form, headers={"Content-Encoding": "gzip"}
        ),
    ]
    assert [answer.status_code for answer in answers] == [400] * 7
    too_long = stranger.post(NOTIFY, data={**good, "x": "x" * 65_536})
    assert (too_long.status_code, too_long.text) == (413, "KO message trop long")
    assert stranger.get(NOTIFY, query_string=good).status_code == 400
    assert BankMessage.select().count() == 9
    assert stranger.put(NOTIFY).status_code == 405
    assert stranger.put(NOTIFY).text.startswith("KO Action impossible ici (")
    assert untouched(october)


def test_a_notice_to_an_unknown_gateway_is_refused(
    stranger: FlaskClient, pay: Pay, alices_family: Family, october: Invoice
) -> None:
    _, handoff = pay(alices_family, october)
    answer = stranger.post("/paiement/notification/autre", data=notice(handoff))
    assert (answer.status_code, answer.text) == (404, "KO passerelle inconnue")
    assert untouched(october)


@pytest.mark.parametrize(
    "address",
    [NOTIFY, NOTIFY + "/", "/paiement//notification/banque"],
)
def test_the_notification_address_never_redirects(
    stranger: FlaskClient, pay: Pay, alices_family: Family, october: Invoice, address: str
) -> None:
    _, handoff = pay(alices_family, october)
    forged = stranger.post(address, data=notice(handoff), headers={"Host": "evil.example.org"})
    assert forged.status_code == 400
    answer = stranger.post(address, data=notice(handoff), headers={"X-Forwarded-For": "1.2.3.4"})
    assert answer.status_code == (404 if "//" in address else 200)


def test_a_body_that_breaks_off_is_garbled_not_a_fault_of_ours(
    app: Flask, empty_database: None
) -> None:
    class Broken(io.BytesIO):
        def read(self, *_size: object) -> bytes:
            raise OSError("invalid chunk size")

        def readinto(self, _buffer: object) -> int:
            raise OSError("invalid chunk size")

    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = app.test_client().post(NOTIFY, input_stream=Broken(b"a=1"), headers=form)
    assert (answer.status_code, answer.text) == (400, "KO corps illisible")


def test_a_fault_of_ours_is_a_5xx_and_the_bank_may_try_again(
    stranger: FlaskClient,
    pay: Pay,
    alices_family: Family,
    october: Invoice,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    _, handoff = pay(alices_family, october)

    def broken(*_: object, **__: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("kiosque.payments.incoming.issue_receipt", broken)
    fault = hear(stranger, handoff)
    assert fault.status_code == 500
    assert fault.text.startswith("KO ")
    assert untouched(october)
    assert KEY not in caplog.text
    monkeypatch.undo()
    assert hear(stranger, handoff).status_code == 200
    assert Invoice.get().state == "paid"


def test_no_session_is_needed_nor_opened_for_a_notice(
    app: Flask, pay: Pay, alices_family: Family, october: Invoice, queries: list[str]
) -> None:
    _, handoff = pay(alices_family, october)
    hear(app.test_client(), handoff)
    assert not [query for query in queries if '"account"' in query]


def test_the_gateway_refuses_a_summary_it_could_not_take(
    app: Flask, alice: FlaskClient, october: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gateways.base import Limits, Unreachable  # noqa: PLC0415

    gateway: Any = app.extensions["gateways"]["banque"]

    def down(_order: object) -> None:
        raise Unreachable

    monkeypatch.setattr(gateway, "start", down)
    answer = confirm(alice, october.number)
    assert answer.status_code == 503
    assert sentences.BANK_SILENT in answer.text
    monkeypatch.setattr(gateway, "limits", Limits(minimum_cents=5000))
    assert (
        f"{sentences.BANK_TAKES} 50,00"
        in alice.get("/paiement/recapitulatif?invoice=2026-10-0001").text
    )
