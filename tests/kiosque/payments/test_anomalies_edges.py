"""The régisseur's list at its edges: what joins what, how much an entry holds, whose it is."""

from typing import Any

import pytest

from gateways.base import Outcome, Report
from kiosque import payments
from kiosque.db import write
from kiosque.db.models import Anomaly, Attempt, Family, Invoice, OutboxMail, Settlement
from kiosque.db.states import AnomalyKind
from kiosque.payments import Refused, anomalies
from tests.conftest import make_invoice
from tests.kiosque.payments.conftest import Hear, Pay, at_counter

ODD = "d" * 32


def put(key: str, detail: str = "essai", *, cents: int = 1, **values: Any) -> None:
    """Put an odd transaction on the list."""
    with write():
        anomalies.flag_anomaly(key, AnomalyKind.MISMATCH, cents, detail, **{"regie": "", **values})


def put_transaction(key: str, more: str, cents: int = 100) -> None:
    """Tell of one transaction of an order of nobody: at first by a text of 900 letters."""
    report = Report("SITE-7", Outcome.PAID, cents, "EUR", ODD)
    with write():
        anomalies.flag_transaction(key, report, "a" * 900, more, gateway="banque", regie="")


def keys() -> list[str]:
    """Return the keys of what is to be treated."""
    return [point.key for point in payments.open_anomalies()]


def test_a_point_is_of_the_list_and_of_the_mail_of_its_own_regie(empty_database: None) -> None:
    for key, regie in (("1", ""), ("2", "creche"), ("3", "creche"), ("4", "port")):
        put(key, regie=regie)
    payments.resolve_anomaly(Anomaly.get(Anomaly.key == "2").id, "Dominique", "vu")
    assert [point.key for point in payments.open_anomalies(["creche", ""])] == ["1", "3"]
    assert [payments.count_open_anomalies(of) for of in (["creche"], ["port", ""], [], None)] == [
        1, 2, 0, 3]  # fmt: skip
    assert {(point.gateway, point.transaction_id) for point in Anomaly.select()} == {("", "")}
    mails = OutboxMail.select().order_by(OutboxMail.id)
    points = Anomaly.select().order_by(Anomaly.id)
    assert [mail.object_id for mail in mails] == [point.id for point in points]
    assert {mail.template for mail in mails} == {"anomaly"}
    assert len({mail.recipient for mail in mails}) == 3


def test_a_point_of_no_said_regie_is_of_that_of_the_first_thing_it_is_about(
    go: Pay, october: Invoice
) -> None:
    Invoice.update(regie="creche").execute()
    put("1", regie=None, attempt=None, invoice=Invoice.get())
    assert Anomaly.get().regie == "creche"


def test_each_point_names_its_family_and_its_invoices(
    go: Pay, hear: Hear, october: Invoice, september: Invoice, charlies_family: Family
) -> None:
    _, of_charlie = go(*(make_invoice(charlies_family, f"2026-11-{number}") for number in "21"))
    hear(of_charlie, amount="100")
    hear(of_charlie, order_id="SITE-7", trans_uuid=ODD)
    _, of_alice = go(september, october)
    at_counter(october)
    hear(of_alice)
    points = payments.open_anomalies()
    expected = [("F2002", ["2026-11-1", "2026-11-2"]), ("", []), ("F1001", [october.number])]
    assert anomalies.concerned_by(points) == expected
    assert [payments.concerned(point) for point in points] == expected


def test_a_debit_without_use_is_told_by_its_name_where_it_has_one(
    go: Pay, hear: Hear, october: Invoice, september: Invoice
) -> None:
    attempt, handoff = go(october)
    hear(handoff, trans_uuid=ODD)
    at_counter(september)
    for settlement in Settlement.select().order_by(Settlement.id):
        Settlement.update(regie="creche").execute()
        with write():
            anomalies.flag_kept(Settlement.get_by_id(settlement.id), "sans emploi")
    online, cash = payments.open_anomalies()
    assert (online.gateway, online.transaction_id, online.attempt) == ("banque", ODD, attempt)
    assert (cash.gateway, cash.transaction_id, cash.attempt) == ("", "", None)
    for point, invoice in ((online, october), (cash, september)):
        assert (point.kind, point.detail, point.regie) == ("mismatch", "sans emploi", "creche")
        assert point.amount_cents == point.settlement.amount_cents == invoice.total_cents
        assert point.key == anomalies.kept_key(point.settlement)


def test_two_odd_transactions_of_one_payment_are_two_entries(
    go: Pay, hear: Hear, october: Invoice
) -> None:
    _, handoff = go(october)
    for uuid, cents in (("d", "100"), ("e", "200"), ("d", "300")):
        hear(handoff, trans_uuid=uuid * 32, amount=cents)
    first, second = payments.open_anomalies()
    assert (first.amount_cents, "3,00" in first.detail) == (100, True)
    assert (second.amount_cents, "3,00" in second.detail) == (200, False)


@pytest.mark.parametrize(
    "statuses",
    [("CANCELLED", "AUTHORISED"), ("AUTHORISED", "CANCELLED"), ("AUTHORISED", "REFUSED")],
)
def test_an_entry_bears_the_last_fate_that_its_transaction_can_have(
    go: Pay, hear: Hear, october: Invoice, statuses: tuple[str, ...]
) -> None:
    _, handoff = go(october)
    hear(handoff, order_id="SITE-8", trans_uuid="e" * 32)
    for status in statuses:
        hear(handoff, order_id="SITE-7", trans_uuid=ODD, trans_status=status)
    other, point = payments.open_anomalies()
    assert other.outcome == "paid"
    assert point.outcome == ("reversed" if "CANCELLED" in statuses else "paid")


def test_what_the_bank_says_of_a_debit_told_before_is_in_its_entry(empty_database: None) -> None:
    put("1", gateway="banque", transaction_id=ODD)
    put_transaction("2", "annoncé")
    assert keys() == ["1"]
    assert Anomaly.get().outcome == "paid"


@pytest.mark.parametrize(("letters", "entries"), [(0, ["1"]), (1, ["1", "2"])])
def test_what_fills_an_entry_to_its_last_letter_is_in_it_and_no_letter_more(
    empty_database: None, letters: int, entries: list[str]
) -> None:
    put_transaction("1", "")
    fits = anomalies.LONGEST_DETAIL - len("a" * 900 + " ;  (1,00\u00a0€)")
    put_transaction("2", "b" * (fits + letters))
    assert keys() == entries
    assert all(len(point.detail) <= anomalies.LONGEST_DETAIL for point in Anomaly.select())


def test_what_is_open_and_fits_goes_with_the_departure_of_its_money(
    go: Pay, october: Invoice
) -> None:
    attempt, _ = go(october)
    own = {"gateway": "banque", "transaction_id": ODD, "attempt": attempt}
    put("done", "vu", **own)
    payments.resolve_anomaly(Anomaly.get().id, "Dominique", "vu")
    put("of another", **{**own, "transaction_id": "e" * 32})
    put("first", "montant", **own)
    put("fills", "b" * (anomalies.LONGEST_DETAIL - len("départ ; montant ; ")), **own)
    put("too long", "c", **own)
    with write():
        detail = anomalies.take_over("banque", ODD, Attempt.get(), "départ")
    assert detail.rstrip("b") == "départ ; montant ; "
    assert len(detail) == anomalies.LONGEST_DETAIL
    assert keys() == ["of another", "too long"]
    assert Anomaly.get(Anomaly.key == "done").resolved_by == "Dominique"


@pytest.mark.parametrize(("author", "reason"), [("", "vu"), ("Dominique", " ")])
def test_a_point_is_treated_by_somebody_who_says_what_was_done(
    empty_database: None, author: str, reason: str
) -> None:
    put("1")
    with pytest.raises(Refused):
        payments.resolve_anomaly(Anomaly.get().id, author, reason)
    assert keys() == ["1"]


def test_a_point_that_is_not_there_is_said_not_to_be(empty_database: None) -> None:
    with pytest.raises(Refused, match="99"):
        payments.resolve_anomaly(99, "Dominique", "vu")


def test_what_sorted_itself_out_is_listed_again_and_the_rest_if_more_is_at_stake(
    empty_database: None,
) -> None:
    for key, cents in (("ours", 5), ("nothing", 0), ("theirs", 5)):
        put(key, cents=cents)
        if key != "ours":
            payments.resolve_anomaly(Anomaly.get(Anomaly.key == key).id, "Dominique", "vu")
    with write():
        assert anomalies.resolve_by_itself(Anomaly.id > 0, "passé") == 1
        anomalies.list_again(Anomaly.id > 0)
    assert keys() == ["ours"]
    for more_than, listed in ((5, ["ours", "nothing"]), (6, ["ours", "nothing", "theirs"])):
        with write():
            anomalies.list_again(Anomaly.id > 0, more_than=more_than)
        assert keys() == listed
    assert {(point.resolved_by, point.resolution) for point in Anomaly.select()} == {("", "")}
