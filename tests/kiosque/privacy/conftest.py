"""Alice's family, of whom every table says something; nothing is due of it either way."""

from collections.abc import Callable
from datetime import date

import pytest

from gateways.base import Callback, Gateway, Handoff
from kiosque import payments
from kiosque.db import write
from kiosque.db.models import (
    Attempt,
    Child,
    Debtor,
    Enrolment,
    Family,
    FamilyNotice,
    FamilyNoticeItem,
    Guardian,
    ImportChange,
    Invoice,
    LineMatch,
    ResetRequest,
    Service,
    Settlement,
    Statement,
    StatementFile,
    StatementLine,
)
from kiosque.db.statement_words import MatchKind
from kiosque.db.states import NoticeKind, RequestTopic
from kiosque.families import new_browsers, own_changes, requests, security_log, sessions
from kiosque.families.security_log import Event
from kiosque.language import clock
from kiosque.outbox import queue
from kiosque.payments import polling, verification
from kiosque.settings import Settings
from tests.bank import notice
from tests.conftest import ISSUERS, TOWN, choose_password
from tests.kiosque.payments.conftest import at_counter

#: What names Alice's family, wherever it stands.
NAMES = ("Martin", "Alice", "alice@", "02 61 91", "Lilas", "Léa", "Mon adresse change", "tapee@")


def _named_by_files(family: Family, october: Invoice) -> None:
    ImportChange.create(
        batch=october.batch, family=family, table_name="guardian", row_id=1,
        former='{"first_name": "Alice", "last_name": "Martin", "phone": "02 61 91 00 02"}',
    )  # fmt: skip
    Debtor.create(
        family=family, key="martinalice", reference="M1", name="MARTIN ALICE",
        address="1 RUE DES LILAS", author="Dominique", made_at=clock.now(),
    )  # fmt: skip


@pytest.fixture
def whole_family(
    settings: Settings,
    alices_family: Family,
    october: Invoice,
    september: Invoice,
    gateway: Gateway,
    pay: Callable[..., tuple[Attempt, Handoff]],
) -> Family:
    """All that a family leaves behind; what it owes is paid, online and to the Treasury."""
    family = alices_family
    Guardian.create(
        family=family, first_name="Alice", last_name="Martin", email="alice@example.org",
        phone="02 61 91 00 01",
    )  # fmt: skip
    child = Child.create(family=family, name="Léa Martin", born_on=date(2019, 5, 1))
    Enrolment.create(child=child, service=Service.get())
    _named_by_files(family, october)
    _paid_online(gateway, pay(family, october, email="alice@example.org")[1])
    payments.transmit([september.number], "B-12", clock.today(), "Dominique", "impayée")
    at_counter(september, mode="treasury")
    account = choose_password(family)
    sessions.start(account)
    (settings.data / "pdf").mkdir(exist_ok=True)
    (settings.data / "pdf" / "abc.pdf").write_bytes(b"%PDF-1.7")
    Invoice.update(pdf_name="abc.pdf").where(Invoice.id == october.id).execute()
    with write():
        new_browsers.tell(family, "192.0.2.1")
    security_log.note(Event.SIGNED_IN, family, "192.0.2.1")
    own_changes.ask_email(family, "alice.tapee@example.org", "192.0.2.1")
    requests.ask(family, RequestTopic.ADDRESS, "Mon adresse change", TOWN, october)
    ResetRequest.create(email="Alice@example.org", address="192.0.2.1", asked_at=clock.now())
    _told(family, october)
    assert verification.faults() == []
    return family


def _paid_online(gateway: Gateway, handoff: Handoff) -> None:
    said = Callback.of_form(notice(handoff).items())
    payments.record("banque", gateway.read_notification(said), ISSUERS)
    polling.stop_asking(Attempt.get())  # the debit is final


def _told(family: Family, invoice: Invoice) -> None:
    told = FamilyNotice.create(kind=NoticeKind.NEW_INVOICES, family=family, made_at=clock.now())
    FamilyNoticeItem.create(notice=told, invoice=invoice, kind=NoticeKind.NEW_INVOICES)
    with write():
        queue.add("notice:1", NoticeKind.NEW_INVOICES, told.id, "alice@example.org")


def told(label: str, *payments_: Settlement) -> None:
    """The bank's statement has a line of so many payments."""
    number = StatementFile.select().count()
    with write():
        file = StatementFile.create(
            sha256=str(number), name="releve", kind="csv", loaded_at=clock.now(), author="Dominique"
        )
        line = StatementLine.create(
            statement=Statement.create(file=file, regie=""), regie="", booked_on=clock.today(),
            amount_cents=4520, label=label, reference="", occurrence=1,
        )  # fmt: skip
        for each in payments_:
            LineMatch.create(
                line=line, kind=MatchKind.SETTLEMENT, settlement=each, rule="person",
                amount_cents=4520, matched_at=clock.now(), author="Dominique", reason="",
            )  # fmt: skip
