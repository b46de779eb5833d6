"""Mails about invoices: each once, when it is true and wanted, to the family and nobody else."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from peewee import IntegrityError

from gateways.base import Callback, Gateway
from kiosque import payments
from kiosque.db import write
from kiosque.db.models import (
    Child,
    Family,
    FamilyNotice,
    FamilyNoticeItem,
    Guardian,
    ImportBatch,
    Invoice,
    OutboxMail,
    Token,
)
from kiosque.db.states import InvoiceState, NoticeKind
from kiosque.families import accounts, new_browsers, own_changes, tokens
from kiosque.families.signin import Visitor
from kiosque.invoices import announcements
from kiosque.language import catalogue, templates
from kiosque.mails import delivery, rendering
from kiosque.outbox import queue
from kiosque.settings import Settings
from tests import sentences
from tests.bank import notice
from tests.conftest import (
    ISSUERS,
    PASSWORD,
    TOWN,
    Clock,
    choose_password,
    make_family,
    make_invoice,
)
from tests.mailbox import Mailbox, html_of, plain_of, text_of

Post = tuple[Mailbox, Settings]
Run = Callable[[], list[EmailMessage]]
ANNOUNCED = datetime(2026, 11, 6, 10, 0, tzinfo=UTC)
LOADED = datetime(2026, 11, 6, 8, 0, tzinfo=UTC)


def at(day: int, hour: int = 10, *, month: int = 11) -> datetime:
    """Paris time, in winter."""
    return datetime(2026, month, day, hour - 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _one_morning(empty_database: None, frozen: Clock) -> None:
    frozen.at = ANNOUNCED


@pytest.fixture
def alices(alices_family: Family) -> Family:
    """Alice's family, with her address and Bob's."""
    Child.create(family=alices_family, name="Léa Martin")
    for name in ("Alice", "Bob"):
        Guardian.create(
            family=alices_family,
            first_name=name,
            last_name="Martin",
            email=f"{name.lower()}@example.org",
        )
    return alices_family


@pytest.fixture
def charlies(charlies_family: Family) -> Family:
    Guardian.create(
        family=charlies_family, first_name="Charlie", last_name="Petit", email="charlie@example.org"
    )
    return charlies_family


@pytest.fixture
def october(alices: Family) -> Invoice:
    return invoice(alices, "2026-10-0001")


def invoice(family: Family, number: str, cents: int = 4520, **values: object) -> Invoice:
    made = make_invoice(family, number, cents, **values)
    ImportBatch.update(imported_at=LOADED).execute()
    return made


@pytest.fixture
def run(mailbox: Post) -> Run:
    """Do what the timer does each minute. Returns the mails that this run brought."""

    def go() -> list[EmailMessage]:
        box, settings = mailbox
        before = len(box.messages)
        announcements.queue_due(settings)
        delivery.deliver(settings)
        return box.messages[before:]

    return go


def to(messages: list[EmailMessage]) -> list[str]:
    return sorted(message["To"] for message in messages)


def test_new_invoices_are_announced_once_to_each_parent_in_one_mail(
    alices: Family, october: Invoice, run: Run
) -> None:
    invoice(alices, "2026-10-0002", 4225, due_on=date(2026, 12, 15))
    first, second = run()
    assert to([first, second]) == ["alice@example.org", "bob@example.org"]
    assert first["Subject"].startswith(f"2 {sentences.NEW_INVOICES}")
    assert first["Subject"].endswith("30\u00a0novembre\u00a02026")
    text = plain_of(first)
    for words in (
        "Facture 2026-10-0001, 45,20\u00a0€, à régler au plus tard le 30\u00a0novembre\u00a02026.",
        "Facture 2026-10-0002, 42,25\u00a0€, à régler au plus tard le 15\u00a0décembre\u00a02026.",
        "Total\u00a0: 87,45\u00a0€",
        "http://127.0.0.1:8000/factures",
        "parce que votre adresse figure dans le dossier",
    ):
        assert words in text
    assert "87,45\u00a0€" in html_of(first)
    assert not re.search(r"\w [:;?!»]|« ", text.replace("https:", ""))
    assert run() == []


def test_no_parent_reads_the_address_of_the_other(october: Invoice, run: Run) -> None:
    for message in run():
        others = {"alice@example.org", "bob@example.org"} - {message["To"]}
        assert not [other for other in others if other in message.as_string()]


def test_the_address_the_family_confirmed_takes_the_place_of_the_towns(
    alices: Family, october: Invoice, run: Run
) -> None:
    Family.update(email="us@example.org").execute()
    assert to(run()) == ["us@example.org"]


def test_a_file_just_loaded_may_yet_be_found_wrong(
    october: Invoice, frozen: Clock, run: Run
) -> None:
    frozen.at = LOADED + timedelta(minutes=59)
    assert run() == []
    frozen.advance(minutes=1)
    assert len(run()) == 2


@pytest.mark.parametrize(
    ("moment", "told"),
    [
        (at(24, 18), 0),
        (at(25, 8), 0),
        (at(25, 9), 2),
        (at(28), 2),
        (at(30, 18), 2),
        (at(30, 19), 0),
        (at(1, month=12), 0),
    ],
)
def test_the_reminder_leaves_five_days_before_the_limit_in_the_daytime(
    october: Invoice, frozen: Clock, mailbox: Post, moment: datetime, told: int
) -> None:
    box, settings = mailbox
    frozen.at = moment
    announcements.queue_due(replace(settings, notices=replace(settings.notices, relance=False)))
    delivery.deliver(settings)
    assert len(box.messages) == told
    assert {message["Subject"] for message in box.messages} <= {
        f"{sentences.REMINDER} 30\u00a0novembre\u00a02026"
    }


@pytest.mark.parametrize(
    ("moment", "told"),
    [
        (at(6, month=12), 0),
        (at(7, month=12), 2),
        (at(14, month=12), 2),
        (at(15, month=12), 0),
    ],
)
def test_the_relance_leaves_seven_days_after_the_limit_and_not_weeks_later(
    october: Invoice, frozen: Clock, run: Run, moment: datetime, told: int
) -> None:
    frozen.at = moment
    messages = run()
    assert len(messages) == told
    for message in messages:
        assert message["Subject"] == sentences.RELANCE
        assert sentences.IN_DIFFICULTY in plain_of(message)


@pytest.mark.slow
def test_a_whole_season_brings_one_mail_of_each_kind(
    charlies: Family, frozen: Clock, run: Run
) -> None:
    invoice(charlies, "2026-10-0009")
    subjects = []
    for _ in range(8 * 60):
        frozen.advance(hours=3)
        subjects += [message["Subject"].partition(" ")[0] for message in run()]
    assert subjects == ["Une", "Rappel\u00a0:", "Relance\u00a0:"]


def test_days_and_kinds_are_the_towns_choice(
    october: Invoice, frozen: Clock, mailbox: Post
) -> None:
    _, settings = mailbox
    frozen.at = at(20)
    early = replace(settings, notices=replace(settings.notices, reminder_days=10))
    assert (
        announcements.queue_due(replace(early, notices=replace(early.notices, reminder=False))) == 0
    )
    assert announcements.queue_due(early) == 1


def test_a_town_that_starts_or_was_down_for_long_reminds_nobody_of_the_past(
    alices: Family, frozen: Clock, run: Run
) -> None:
    for month in range(1, 12):
        invoice(alices, f"2026-{month}-0001", due_on=date(2026, month, 4))
    for days in range(1, 30):
        frozen.at = LOADED + timedelta(days=days)
        assert run() == []
    invoice(alices, "2026-12-0001", due_on=date(2026, 11, 25))
    frozen.at = at(30, month=12)
    assert run() == []


def test_an_invoice_that_came_yesterday_needs_no_reminder_yet(
    alices: Family, frozen: Clock, run: Run
) -> None:
    invoice(alices, "2026-10-0003", due_on=date(2026, 11, 10))
    assert [message["Subject"][:4] for message in run()] == ["Une ", "Une "]
    frozen.at = at(9)
    assert [message["Subject"][:6] for message in run()] == ["Rappel", "Rappel"]


def paid_at_the_counter(invoice: Invoice) -> None:
    payments.settle_at_counter(
        [
            payments.CounterPayment(
                invoice.number, invoice.total_cents, "cash", date(2026, 11, 6), "D. Aubry", "régie"
            )
        ]
    )


def cancelled(invoice: Invoice) -> None:
    payments.cancel_invoice(invoice.number, "D. Aubry", "erreur")


def transmitted(invoice: Invoice) -> None:
    Invoice.update(closes_on=date(2026, 11, 5)).where(Invoice.id == invoice.id).execute()


@pytest.mark.parametrize("change", [paid_at_the_counter, cancelled, transmitted])
@pytest.mark.parametrize("queued", [False, True])
def test_what_is_settled_is_not_told_even_when_the_mail_was_queued(
    october: Invoice,
    mailbox: Post,
    change: Callable[[Invoice], None],
    *,
    queued: bool,
) -> None:
    box, settings = mailbox
    if queued:
        assert announcements.queue_due(settings) == 1
    change(october)
    assert announcements.queue_due(settings) == 0
    assert delivery.deliver(settings) == (0, 0)
    assert box.messages == []
    assert {(row.state, row.recipient) for row in OutboxMail.select()} <= {("dropped", "")}
    assert queue.count_waiting() == 0


@pytest.mark.parametrize("queued", [False, True])
def test_a_family_at_the_bank_now_is_not_reminded(
    alices: Family, october: Invoice, pay: Any, mailbox: Post, frozen: Clock, *, queued: bool
) -> None:
    box, settings = mailbox
    if queued:
        announcements.queue_due(settings)
    pay(alices, october)
    announcements.queue_due(settings)
    delivery.deliver(settings)
    assert box.messages == []


def test_the_mail_lists_only_what_is_still_to_pay(
    alices: Family, october: Invoice, mailbox: Post
) -> None:
    box, settings = mailbox
    invoice(alices, "2026-10-0002", 4225)
    announcements.queue_due(settings)
    paid_at_the_counter(october)
    delivery.deliver(settings)
    assert len(box.messages) == 2
    for message in box.messages:
        assert "2026-10-0001" not in text_of(message)
        assert "42,25\u00a0€" in text_of(message)


def test_charlies_mail_holds_nothing_of_alices(
    alices: Family, charlies: Family, october: Invoice, run: Run
) -> None:
    invoice(charlies, "2026-10-0777", 1111, children="Nour")
    (charlies_mail,) = [each for each in run() if each["To"] == "charlie@example.org"]
    whole = f"{charlies_mail}{text_of(charlies_mail)}"
    for alices_own in ("2026-10-0001", "45,20", "alice@", "bob@", "Martin", "F1001"):
        assert alices_own not in whole
    assert "2026-10-0777" in whole


def test_the_address_given_for_a_receipt_is_used_for_nothing_else(
    alices: Family, october: Invoice, pay: Any, gateway: Gateway, run: Run
) -> None:
    Guardian.delete().execute()
    other = invoice(alices, "2026-10-0002")
    _, handoff = pay(alices, other, email="grandpa@example.org")
    fields = notice(handoff)
    payments.record("banque", gateway.read_notification(Callback.of_form(fields.items())), ISSUERS)
    (receipt,) = run()
    assert (receipt["To"], receipt["Subject"][:4]) == ("grandpa@example.org", "Reçu")
    assert FamilyNotice.select().count() == 0
    Guardian.create(family=alices, first_name="A", last_name="B", email="alice@example.org")
    assert to(run()) == ["alice@example.org"]


def test_a_family_without_an_address_is_passed_over_and_keeps_no_other_waiting(
    alices: Family, charlies: Family, october: Invoice, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    Guardian.delete().where(Guardian.family == alices).execute()
    invoice(charlies, "2026-10-0009")
    monkeypatch.setattr(announcements, "FAMILIES_A_RUN", 1)
    assert to(run()) == ["charlie@example.org"]


def test_many_families_are_written_to_in_several_runs(
    alices: Family, charlies: Family, october: Invoice, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoice(charlies, "2026-10-0009")
    monkeypatch.setattr(announcements, "FAMILIES_A_RUN", 1)
    assert [len(run()), len(run()), len(run())] == [2, 1, 0]


def test_somebody_no_longer_of_the_family_gets_nothing_of_what_was_queued(
    alices: Family, october: Invoice, mailbox: Post
) -> None:
    box, settings = mailbox
    announcements.queue_due(settings)
    Guardian.delete().where(Guardian.email == "bob@example.org").execute()
    delivery.deliver(settings)
    assert box.recipients() == ["alice@example.org"]


def test_a_family_that_wants_none_gets_none_and_one_that_stops_gets_no_more(
    alices: Family, october: Invoice, mailbox: Post
) -> None:
    _, settings = mailbox
    announcements.queue_due(settings)
    assert announcements.set_wanted(alices, wanted=False)
    assert not announcements.set_wanted(alices, wanted=False)
    assert delivery.deliver(settings) == (0, 0)
    invoice(alices, "2026-10-0002")
    assert announcements.queue_due(settings) == 0
    announcements.set_wanted(alices, wanted=True)
    assert announcements.queue_due(settings) == 1


def test_a_notice_that_could_not_leave_in_the_day_waits_for_the_morning_and_not_for_weeks(
    october: Invoice, mailbox: Post, frozen: Clock
) -> None:
    _, settings = mailbox
    announcements.queue_due(settings)
    frozen.at = at(6, 22)
    assert delivery.deliver(settings) == (0, 0)
    frozen.at = at(7, 9)
    assert delivery.deliver(settings) == (2, 0)
    OutboxMail.update(state="waiting", recipient="alice@example.org").execute()
    frozen.at = at(14)
    assert delivery.deliver(settings) == (0, 0)
    assert queue.count_waiting() == 0


def test_a_reminder_that_missed_the_limit_is_dropped(
    october: Invoice, mailbox: Post, frozen: Clock
) -> None:
    box, settings = mailbox
    frozen.at = at(30, 18)
    announcements.queue_due(settings)
    frozen.at = at(1, 9, month=12)
    delivery.deliver(settings)
    assert box.messages == []


def test_what_somebody_waits_for_leaves_before_the_notices(
    october: Invoice, mailbox: Post, pay: Any, gateway: Gateway, frozen: Clock
) -> None:
    box, settings = mailbox
    announcements.queue_due(settings)
    frozen.advance(minutes=1)
    other = make_family("F3003", "Durand")
    _, handoff = pay(other, invoice(other, "2026-10-0003"), email="durand@example.org")
    fields = notice(handoff)
    payments.record("banque", gateway.read_notification(Callback.of_form(fields.items())), ISSUERS)
    delivery.deliver(settings)
    assert box.messages[0]["To"] == "durand@example.org"
    assert len(box.messages) == 3


def test_the_database_itself_refuses_to_tell_a_thing_twice(
    alices: Family, october: Invoice
) -> None:
    with write():
        announcements.queue_notice(NoticeKind.REMINDER, alices, [october])
    with pytest.raises(IntegrityError), write():
        announcements.queue_notice(NoticeKind.REMINDER, alices, [october])
    assert (FamilyNotice.select().count(), OutboxMail.select().count()) == (1, 2)


@pytest.mark.parametrize("name", ["x.fr", "www.une-adresse-tres-longue.une-commune-au-nom-long.fr"])
def test_notices_carry_the_one_click_to_stop_them(
    october: Invoice, mailbox: Post, name: str
) -> None:
    box, settings = mailbox
    announcements.queue_due(settings)
    sender = replace(settings.mail, sender=f"kiosque@{name}")
    delivery.deliver(replace(settings, mail=sender, public_url=f"https://{name}"))
    assert len(box.messages) == 2
    for message, raw in zip(box.messages, box.raw, strict=True):
        link = message["List-Unsubscribe"].strip("<>")
        assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert link.startswith(f"https://{name}/courriels/arret/")
        assert f"List-Unsubscribe: <{link}>".encode() in raw
        assert re.search(f"(?m)^Message-ID: <[0-9a-f]{{40}}@{re.escape(name)}>\r$".encode(), raw)
        assert link in plain_of(message)
        assert link in html_of(message)
        assert message["Auto-Submitted"] == "auto-generated"


def test_a_mail_is_in_the_language_of_the_family(
    alices: Family, charlies: Family, october: Invoice, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoice(charlies, "2026-10-0009")
    Family.update(language="en").where(Family.id == charlies.id).execute()
    french = catalogue.gettext

    def either(message: str) -> str:
        known = {"Bonjour,": "Good morning,", "Facture": "Invoice"}
        return known.get(message, message) if catalogue.language() == "en" else french(message)

    monkeypatch.setattr(rendering, "_environment", rendering._environment.overlay())
    rendering._environment.install_gettext_callables(either, catalogue.ngettext, newstyle=True)  # type: ignore[attr-defined]
    try:
        by_address = {message["To"]: message for message in run()}
    finally:
        templates.translate(rendering._environment)
    english, own = by_address["charlie@example.org"], by_address["alice@example.org"]
    assert "Good morning," in plain_of(english)
    assert '<html lang="en">' in html_of(english)
    assert "Bonjour," in plain_of(own)
    assert '<html lang="fr">' in html_of(own)
    assert catalogue.language() == "fr"


def test_a_period_typed_with_tags_stays_text(alices: Family, run: Run) -> None:
    invoice(alices, "2026-10-0004", period="<img src=//evil.example> & co")
    for message in run():
        assert "<img" not in html_of(message)
        assert "&lt;img src=//evil.example&gt; &amp; co" in html_of(message)
        assert "<img src=//evil.example> & co" in plain_of(message)


#: How each kind of mail comes to be queued. A new template needs its line here.
def _receipt(family: Family, due: Invoice, pay: Any, gateway: Gateway) -> None:
    _, handoff = pay(family, due, email="alice@example.org")
    fields = notice(handoff)
    payments.record("banque", gateway.read_notification(Callback.of_form(fields.items())), ISSUERS)


def _anomaly(family: Family, due: Invoice, pay: Any, gateway: Gateway) -> None:
    _, handoff = pay(family, due)
    fields = notice(handoff, amount="9999", effective_amount="9999")
    payments.record("banque", gateway.read_notification(Callback.of_form(fields.items())), ISSUERS)


def _telling(kind: NoticeKind) -> Callable[..., None]:
    def tell(family: Family, due: Invoice, pay: Any, gateway: Gateway) -> None:
        with write():
            announcements.queue_notice(kind, family, [due])

    return tell


def _reset(family: Family, *_others: Any) -> None:
    own_changes.ask_reset("alice@example.org", Visitor("203.0.113.9"))
    own_changes.answer_resets()


def _new_email(family: Family, *_others: Any) -> None:
    own_changes.ask_email(family, "new@example.org", "")


def _confirmed_email(family: Family, *_others: Any) -> None:
    with write():
        token = tokens.prepare_link(tokens.Purpose.EMAIL, family, "new@example.org")
    tokens.draw_link(token.id)
    own_changes.confirm_email(Token.get_by_id(token.id), "")


def _new_password(family: Family, *_others: Any) -> None:
    account = choose_password(family)
    own_changes.change_password(account, "une tout autre phrase", TOWN, "")


def _new_browser(family: Family, *_others: Any) -> None:
    with write():
        new_browsers.tell(family, "192.0.2.1")


CAUSES = {
    "receipt": _receipt,
    "anomaly": _anomaly,
    "reset": _reset,
    "email_asked": _new_email,
    "email_confirm": _new_email,
    "email_changed": _confirmed_email,
    "password_changed": _new_password,
    "new_browser": _new_browser,
    **{kind: _telling(kind) for kind in NoticeKind},
}


#: What a family wrote itself, with its code for the service: see test_family_requests.py.
REQUESTS = {"request", "request_copy", "request_answer"}
#: The link of an agent, about no family: see test_agents.py.
AGENTS = {"staff_invitation"}


def test_every_kind_of_mail_is_searched_for_secrets() -> None:
    folder = Path(templates.TEMPLATES) / "mail"
    searched = {str(kind) for kind in CAUSES} | REQUESTS | AGENTS
    assert {path.stem for path in folder.glob("[a-z]*.txt")} == searched


def test_every_mail_to_a_family_is_in_text_and_in_html() -> None:
    folder = Path(templates.TEMPLATES) / "mail"
    in_html = {path.stem for path in folder.glob("[a-z]*.html")}
    assert in_html == {str(kind) for kind in CAUSES} - {"anomaly"} | REQUESTS - {"request"}


@pytest.mark.parametrize("kind", sorted(CAUSES))
def test_no_mail_holds_a_secret_and_only_those_of_invoices_say_what_was_bought(
    alices: Family, october: Invoice, mailbox: Post, pay: Any, gateway: Gateway, kind: str
) -> None:
    box, settings = mailbox
    password = accounts.issue_password(alices, must_change=False)
    CAUSES[kind](alices, october, pay, gateway)
    assert OutboxMail.select().where(OutboxMail.template == kind).exists()
    delivery.deliver(settings)
    assert box.messages
    for message in box.messages:
        whole = message.as_string() + text_of(message)
        for secret in (
            password,
            PASSWORD,
            "une tout autre phrase",
            "F1001",
            settings.secret_key,
        ):
            assert secret not in whole
        of_invoices = kind in (*NoticeKind, "receipt")
        for bought in ("Léa", "Restauration"):
            assert (bought in whole) == of_invoices


def test_a_notice_never_changes_an_invoice(october: Invoice, run: Run) -> None:
    run()
    assert Invoice.get().state == InvoiceState.OPEN
    assert [item.invoice_id for item in FamilyNoticeItem.select()] == [october.id]


# --- Sent again by hand ---


def send_again(of: Invoice) -> int:
    with write():
        return announcements.tell_again(of)


def test_a_parent_who_did_not_receive_it_is_told_once_more(
    october: Invoice, frozen: Clock, run: Run
) -> None:
    first = run()
    frozen.advance(days=12)  # when the mail of then would be too late
    assert send_again(october) == 2
    again = run()
    assert to(again) == to(first)
    assert {message["Subject"] for message in again} == {message["Subject"] for message in first}


def test_past_the_limit_what_is_sent_again_is_not_the_reminder(
    october: Invoice, frozen: Clock, run: Run
) -> None:
    run()
    frozen.at = at(26)
    assert run()[0]["Subject"].startswith("Rappel")
    frozen.at = at(2, month=12)
    send_again(october)
    assert [message["Subject"].partition(" ")[0] for message in run()] == ["Une", "Une"]


def test_an_invoice_that_was_never_told_of_is_announced_and_not_again_by_the_timer(
    october: Invoice, frozen: Clock, run: Run
) -> None:
    frozen.at = LOADED
    assert send_again(october) == 2
    frozen.at = ANNOUNCED
    assert len(run()) == 2
    assert run() == []


def test_it_is_not_sent_twice_while_it_waits(october: Invoice, run: Run) -> None:
    send_again(october)
    with pytest.raises(payments.Refused):
        send_again(october)
    assert len(run()) == 2


@pytest.mark.parametrize("why", ["paid", "unwanted", "no address", "restored"])
def test_nothing_is_sent_again_that_is_not_true_or_not_wanted(
    alices: Family, october: Invoice, settings: Settings, why: str
) -> None:
    if why == "paid":
        Invoice.update(state=InvoiceState.PAID, paid_cents=4520).execute()
    elif why == "unwanted":
        announcements.set_wanted(alices, wanted=False)
    elif why == "no address":
        Guardian.update(email="").execute()
    else:
        with write():
            payments.note_restoration(settings, ANNOUNCED, {})
    with pytest.raises(payments.Refused):
        send_again(october)
    assert OutboxMail.select().where(OutboxMail.template == NoticeKind.NEW_INVOICES).count() == 0
