"""A forgotten password: who receives a link, how often, and until when it opens."""

from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from peewee import ModelDelete

from kiosque.db.models import Family, Guardian, OutboxMail, ResetRequest, Token
from kiosque.db.states import MailState
from kiosque.families import accounts, own_changes, tokens
from kiosque.families.signin import Visitor
from kiosque.families.throttle import TooManyTries
from kiosque.families.tokens import Purpose, Spent
from kiosque.invoices import imports
from kiosque.invoices.imports import Confirmed
from kiosque.mails import delivery
from kiosque.outbox import queue
from kiosque.settings import Settings
from tests import sentences
from tests.conftest import PASSWORD, TOWN, Clock, choose_password, dump, free_port
from tests.kiosque.families.mailed import OTHER, STRANGER, link_in, opened, post, recipients
from tests.mailbox import text_of


def test_a_forgotten_password_is_replaced_through_a_real_mail(
    parents: None, settings: Settings, mailbox: list[EmailMessage]
) -> None:
    choose_password(Family.get(Family.code == "F1001"))
    own_changes.ask_reset("bob@example.org", STRANGER)
    post(settings)
    (message,) = mailbox
    assert message["To"] == "bob@example.org"
    token = opened(link_in(message))
    own_changes.reset(token, OTHER, TOWN, STRANGER.address)
    assert accounts.authenticate("F1001", OTHER)
    assert accounts.authenticate("F1001", PASSWORD) is None
    mailbox.clear()
    post(settings)
    assert recipients(mailbox) == ["alice@example.org", "bob@example.org"]
    assert all(sentences.JUST_CHANGED in text_of(each) for each in mailbox)


def test_links_for_one_address_are_counted_however_it_is_typed(
    empty_database: None, frozen: Clock
) -> None:
    for number, email in enumerate(("p@école.fr", "p@xn--cole-9oa.fr", "P@École.fr")):
        own_changes.ask_reset(email, Visitor(f"192.0.2.{number}"))
    with pytest.raises(TooManyTries):
        own_changes.ask_reset("p@XN--cole-9oa.fr", Visitor("192.0.2.77"))


def test_a_link_waiting_to_leave_still_leaves_once_its_address_is_kept_in_our_form(
    alices_family: Family, settings: Settings, mailbox: list[EmailMessage]
) -> None:
    """The address is loaded again while the mail waits, in the outbox as it once was."""
    Guardian.create(
        family=alices_family, first_name="", last_name="", email="parent@xn--cole-9oa.fr"
    )
    own_changes.ask_reset("parent@école.fr", STRANGER)
    own_changes.answer_resets()
    OutboxMail.update(recipient="parent@École.fr").execute()
    post(settings)
    assert mailbox[0]["X-RcptTo"] == "parent@xn--cole-9oa.fr"


def test_nobody_is_written_to_at_an_unknown_address(
    parents: None, settings: Settings, mailbox: list[EmailMessage]
) -> None:
    for email in ("nobody@example.org", "alice@example.com", "alice", "%@example.org"):
        own_changes.ask_reset(email, Visitor(email))
    post(settings)
    assert mailbox == []
    assert not Token.select().exists()
    assert not ResetRequest.select().exists()


def test_asking_does_the_same_work_for_an_unknown_address(
    parents: None, queries: list[str]
) -> None:
    asked = []
    for email in ("alice@example.org", "nobody@example.org"):
        queries.clear()
        own_changes.ask_reset(email, Visitor(email))
        asked.append([str(query).partition("',")[0] for query in queries])
    assert asked[0] == asked[1]
    assert not any("guardian" in query or '"family"' in query for query in asked[0])


def test_two_households_of_one_address_receive_a_link_each(
    parents: None, settings: Settings, mailbox: list[EmailMessage], charlies_family: Family
) -> None:
    """Separated parents: each link opens one household, and the other stays as it was."""
    Guardian.create(
        family=charlies_family, first_name="Alice", last_name="", email="Alice@Example.org"
    )
    own_changes.ask_reset("alice@example.ORG", STRANGER)
    post(settings)
    assert recipients(mailbox) == ["Alice@example.org", "alice@example.org"]
    codes = {opened(link_in(message)).family.code for message in mailbox}
    assert codes == {"F1001", "F2002"}


def test_an_address_held_twice_by_a_family_receives_one_link(
    parents: None, settings: Settings, mailbox: list[EmailMessage], alices_family: Family
) -> None:
    Guardian.create(family=alices_family, first_name="", last_name="", email="ALICE@example.org")
    own_changes.ask_reset("alice@example.org", STRANGER)
    post(settings)
    assert len(mailbox) == 1


def test_only_the_confirmed_address_receives_links_once_there_is_one(
    parents: None, settings: Settings, mailbox: list[EmailMessage], alices_family: Family
) -> None:
    Family.update(email="martin@example.org").where(Family.id == alices_family.id).execute()
    own_changes.ask_reset("alice@example.org", STRANGER)
    own_changes.ask_reset("martin@example.org", STRANGER)
    post(settings)
    assert recipients(mailbox) == ["martin@example.org"]


def test_an_address_that_only_looks_the_same_is_another(
    alices_family: Family, settings: Settings, mailbox: list[EmailMessage]
) -> None:
    for email in ("alıce@example.org", "ſam@example.org", "\uff4bate@example.org"):
        Guardian.create(family=alices_family, first_name="", last_name="", email=email)
    for typed in ("alice@example.org", "sam@example.org", "kate@example.org"):
        own_changes.ask_reset(typed, STRANGER)
    post(settings)
    assert mailbox == []


@pytest.mark.parametrize(
    "held", ["Parent@École.fr", "parent@e\u0301cole.fr", "parent@XN--cole-9oa.FR"]
)
@pytest.mark.parametrize("typed", ["parent@école.fr", "PARENT@xn--cole-9oa.fr"])
def test_an_accented_domain_receives_its_link_however_it_was_loaded_or_typed(
    alices_family: Family, settings: Settings, mailbox: list[EmailMessage], held: str, typed: str
) -> None:
    """Held as the town's file had it: the server is given the domain in ASCII all the same."""
    Guardian.create(family=alices_family, first_name="", last_name="", email=held)
    own_changes.ask_reset(typed, STRANGER)
    post(settings)
    (message,) = mailbox
    assert str(message["To"]).lower() == "parent@xn--cole-9oa.fr"
    assert message["X-RcptTo"].lower() == "parent@xn--cole-9oa.fr"
    assert opened(link_in(message)).family == alices_family


def test_an_address_with_accents_before_its_at_sign_receives_its_link(
    alices_family: Family, settings: Settings, mailbox: list[EmailMessage]
) -> None:
    """By a server that takes them (SMTPUTF8)."""
    Guardian.create(
        family=alices_family, first_name="", last_name="", email="He\u0301lène@école.fr"
    )
    own_changes.ask_reset("hélène@École.fr", STRANGER)
    post(settings)
    (message,) = mailbox
    assert message["X-RcptTo"] == "Hélène@xn--cole-9oa.fr"
    assert opened(link_in(message)).family == alices_family


def test_a_mail_server_that_was_down_shortens_nobodys_hour(
    parents: None, settings: Settings, mailbox: list[EmailMessage], frozen: Clock
) -> None:
    own_changes.ask_reset("alice@example.org", STRANGER)
    own_changes.answer_resets()
    smtp = replace(settings.mail, port=free_port())
    assert delivery.deliver(replace(settings, mail=smtp)) == (0, 1)
    frozen.advance(hours=3)
    assert delivery.deliver(settings) == (1, 0)
    frozen.advance(minutes=59)
    assert opened(link_in(mailbox[0]))


def test_a_link_asked_for_yesterday_is_no_longer_sent(
    parents: None, settings: Settings, mailbox: list[EmailMessage], frozen: Clock
) -> None:
    own_changes.ask_reset("alice@example.org", STRANGER)
    own_changes.answer_resets()
    own_changes.ask_reset("bob@example.org", STRANGER)
    frozen.advance(days=1)
    post(settings)
    assert mailbox == []
    assert (queue.count_waiting(), ResetRequest.select().count()) == (0, 0)


def test_of_two_links_asked_for_the_last_serves(
    parents: None, settings: Settings, mailbox: list[EmailMessage]
) -> None:
    for email in ("alice@example.org", "bob@example.org"):
        own_changes.ask_reset(email, STRANGER)
        post(settings)
    assert tokens.find_link(link_in(mailbox[0]), Purpose.RESET) is None
    assert opened(link_in(mailbox[1]))


def test_asked_for_again_before_the_timer_one_mail_leaves(
    parents: None, settings: Settings, mailbox: list[EmailMessage]
) -> None:
    own_changes.ask_reset("alice@example.org", STRANGER)
    own_changes.ask_reset("alice@example.org", STRANGER)
    post(settings)
    assert len(mailbox) == 1
    assert opened(link_in(mailbox[0]))


def test_nothing_readable_waits_in_the_database(parents: None, settings: Settings) -> None:
    """Between the request and the mail there is no secret; afterwards no address either."""
    own_changes.ask_reset("alice@example.org", STRANGER)
    post(settings)
    assert not OutboxMail.select().where(OutboxMail.recipient != "").exists()
    (path,) = (settings.data / "outbox").iterdir()
    secret = link_in(message_from_bytes(path.read_bytes(), policy=policy.default))  # type: ignore[arg-type]
    assert secret not in dump()


def test_links_for_one_address_are_delayed_whoever_asks(parents: None, frozen: Clock) -> None:
    for email in ("alice@example.org", "nobody@example.org"):
        for number in range(3):
            own_changes.ask_reset(email, Visitor(f"192.0.2.{number}"))
        with pytest.raises(TooManyTries) as refused:
            own_changes.ask_reset(email.upper(), Visitor("192.0.2.77"))
        assert refused.value.wait.total_seconds() == 300
    frozen.advance(minutes=5)
    own_changes.ask_reset("alice@example.org", Visitor("192.0.2.77"))


def test_links_from_one_network_are_delayed_whatever_for(
    empty_database: None, frozen: Clock
) -> None:
    for number in range(10):
        own_changes.ask_reset(f"{number}@example.org", STRANGER)
    with pytest.raises(TooManyTries):
        own_changes.ask_reset("alice@example.org", STRANGER)
    own_changes.ask_reset("alice@example.org", Visitor("192.0.2.77"))


def test_a_link_is_not_sent_to_an_address_the_town_has_removed(
    parents: None, settings: Settings, mailbox: list[EmailMessage]
) -> None:
    own_changes.ask_reset("bob@example.org", STRANGER)
    own_changes.answer_resets()
    Guardian.update(email="").where(Guardian.email == "bob@example.org").execute()
    post(settings)
    assert mailbox == []


ANOTHER_FILE = (
    "code_famille;role;nom;prenom;courriel;adresse;code_postal;ville\n"
    "F1001;responsable;Martin;Alice;alice@École.fr;;;\n"
)


@pytest.mark.parametrize("way", ["a file", "by hand", "the family's own address"])
def test_a_link_sent_dies_with_the_address_it_was_sent_to(
    parents: None, settings: Settings, mailbox: list[EmailMessage], way: str, tmp_path: Path
) -> None:
    own_changes.ask_reset("bob@example.org", STRANGER)
    post(settings)
    secret = link_in(mailbox[0])
    token = own_changes.find_link(secret, Purpose.RESET)
    assert token
    if way == "a file":
        file = tmp_path / "familles.csv"
        file.write_text(ANOTHER_FILE)
        imports.load(file, pdf_folder=tmp_path, confirmed=Confirmed(removals=True))
    elif way == "by hand":
        ModelDelete(Guardian).where(Guardian.email == "bob@example.org").execute()
    else:
        Family.update(email="martin@example.org").where(Family.code == "F1001").execute()
    assert own_changes.find_link(secret, *Purpose) is None
    with pytest.raises(Spent):  # opened before, its form sent after
        own_changes.reset(token, OTHER, TOWN, "")
    assert accounts.authenticate("F1001", OTHER) is None


@pytest.mark.parametrize("email", ["alice@École.fr", "ALICE@xn--cole-9oa.fr"])
def test_a_link_sent_to_an_address_that_remains_still_opens(
    parents: None, settings: Settings, mailbox: list[EmailMessage], tmp_path: Path, email: str
) -> None:
    """Even if the file writes the address in another way."""
    Guardian.update(email=email).where(Guardian.email == "alice@example.org").execute()
    own_changes.ask_reset(email, STRANGER)
    post(settings)
    (tmp_path / "familles.csv").write_text(ANOTHER_FILE)
    imports.load(tmp_path / "familles.csv", pdf_folder=tmp_path, confirmed=Confirmed(removals=True))
    assert [guardian.email for guardian in Family.get(code="F1001").guardians] == [
        "alice@xn--cole-9oa.fr"
    ]
    token = own_changes.find_link(link_in(mailbox[0]), Purpose.RESET)
    assert token
    assert own_changes.reset(token, OTHER, TOWN, "")


def test_a_link_drawn_anew_is_in_a_mail_of_its_own(
    parents: None, settings: Settings, mailbox: list[EmailMessage]
) -> None:
    """Readers show one of two mails with the same number: it could be the one with a dead link."""
    own_changes.ask_reset("alice@example.org", STRANGER)
    post(settings)
    OutboxMail.update(
        state=MailState.WAITING, recipient="alice@example.org", next_try_at=OutboxMail.queued_at
    ).execute()
    post(settings)
    first, second = mailbox
    assert link_in(first) != link_in(second)
    assert first["Message-ID"] != second["Message-ID"]
