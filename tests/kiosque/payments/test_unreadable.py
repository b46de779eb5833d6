"""A message that the bank proves to have written, and that nobody can read, is never hidden."""

import pytest
from flask.testing import FlaskClient

from gateways.base import Callback, Gateway, Unreadable, proved
from gateways.errors import BadCallback
from kiosque import payments
from kiosque.db.models import Anomaly, BankMessage, Invoice, OutboxMail
from kiosque.payments import bank_messages
from tests.bank import notice
from tests.conftest import ISSUERS, Clock
from tests.kiosque.conftest import Run
from tests.kiosque.payments.conftest import Pay, state_of

pytestmark = pytest.mark.usefixtures("sound_books")
NOTIFY = "/paiement/notification/banque"
#: A status that nobody knows, and a field out of shape besides.
ODD = {"trans_status": "SOMETHING_NEW", "hash": ""}
CALLBACK = Callback.of_json({"payment": {"id": "x"}})


def hear(reference: object = "", transaction_id: object = "", text: str = "montant") -> None:
    error = Unreadable(text, reference=reference, transaction_id=transaction_id)
    payments.record_unreadable("banque", error, CALLBACK, ISSUERS)


def test_one_about_our_order_is_taken_and_told_with_family_and_invoice(
    stranger: FlaskClient, pay: Pay, run: Run, october: Invoice
) -> None:
    attempt, handoff = pay(october.family, october)
    for _ in range(2):
        answer = stranger.post(NOTIFY, data=notice(handoff, **ODD))
        assert (answer.status_code, answer.text) == (200, "OK")
    assert (state_of(attempt), state_of(october)) == ("handed_off", "open")
    (point,) = payments.open_anomalies()
    assert point.attempt == attempt
    assert payments.concerned(point) == (october.family.code, [october.number])
    assert "enter-payment" in run("todo").output
    assert OutboxMail.select().count() == 1
    kept = BankMessage.select().order_by(BankMessage.id).get()
    assert (kept.accepted, kept.reference) == (True, attempt.reference)
    assert kept.verdict == "mismatch"


def test_unsigned_it_is_refused_and_told_to_nobody(
    stranger: FlaskClient, pay: Pay, october: Invoice
) -> None:
    _, handoff = pay(october.family, october)
    said = {**notice(handoff), "vads_trans_status": "SOMETHING_NEW", "vads_hash": ""}
    assert stranger.post(NOTIFY, data=said).status_code == 400
    assert Anomaly.select().count() == 0


def test_our_own_form_sent_back_is_no_message_of_the_banks(
    stranger: FlaskClient, pay: Pay, october: Invoice
) -> None:
    _, handoff = pay(october.family, october)
    assert stranger.post(NOTIFY, data=dict(handoff.fields or ())).status_code == 400
    assert Anomaly.select().count() == 0


def test_one_of_an_order_of_nobody_is_told_by_its_name(empty_database: None, run: Run) -> None:
    hear("SITE-7", "pi_123")
    (point,) = payments.open_anomalies()
    assert (point.kind, point.transaction_id) == ("unknown_order", "pi_123")
    assert "SITE-7" in point.detail
    assert point.detail.endswith("(montant)"), "no amount is known, so no currency either"
    kept = BankMessage.get()
    assert (kept.verdict, kept.accepted, kept.reference) == ("unknown_order", True, "SITE-7")
    assert "(montant)" in kept.detail
    assert "enter-payment pi_123 --gateway banque --amount MONTANT" in run("todo").output


def test_those_that_name_nothing_are_told_once_a_day(frozen: Clock, empty_database: None) -> None:
    for _ in range(2):
        for _ in range(3):
            hear()
        frozen.advance(days=1)
    assert len(payments.open_anomalies()) == 2


@pytest.mark.parametrize("name", ["4970101234567890", "x" * 65, "a b", "\x1b[2J", None, 12, {}])
def test_a_name_that_is_none_is_not_kept(empty_database: None, name: object) -> None:
    hear(name, name)
    (point,) = payments.open_anomalies()
    assert point.transaction_id == ""
    assert BankMessage.get().reference == ""
    assert "4970" not in point.detail + BankMessage.get().fields


def test_of_its_words_and_fields_so_many_are_kept_and_no_value(empty_database: None) -> None:
    many = Callback.of_form((f"{number:02}" + "é" * 40, "secret") for number in range(40))
    payments.record_unreadable("banque", Unreadable("m" * 200), many, ISSUERS)
    kept = BankMessage.get()
    names = " ".join(f"{number:02}" + "é" * 28 for number in range(30))
    assert kept.fields == f'{{"champs": "{names}"}}'
    assert "m" * 80 in kept.detail
    assert "m" * 81 not in kept.detail


def test_of_a_flood_the_first_of_an_hour_are_told(
    empty_database: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bank_messages, "ROWS_AN_HOUR", 5)
    for number in range(20):
        hear(f"SITE-{number}")
    assert len(payments.open_anomalies()) == BankMessage.select().count() == 5


def test_what_is_read_once_proved_is_unreadable_and_not_forged() -> None:
    with pytest.raises(Unreadable) as raised, proved(reference="KF1", transaction_id="T1"):
        raise BadCallback("montant illisible")
    assert (raised.value.reference, raised.value.transaction_id) == ("KF1", "T1")
    with pytest.raises(Unreadable, match="dedans"), proved(reference="KF1"), proved():
        raise BadCallback("dedans")


def test_a_gateway_tells_the_two_apart(gateway: Gateway, pay: Pay, october: Invoice) -> None:
    _, handoff = pay(october.family, october)
    said = notice(handoff, **ODD)
    with pytest.raises(Unreadable) as raised:
        gateway.read_notification(Callback.of_form(said.items()))
    assert raised.value.reference == said["vads_order_id"]
    with pytest.raises(BadCallback) as forged:
        gateway.read_notification(Callback.of_form({**said, "signature": "x"}.items()))
    assert not isinstance(forged.value, Unreadable)
