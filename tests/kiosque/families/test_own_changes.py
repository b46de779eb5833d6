"""A family's way in, made and changed by itself, and the mails that tell of it."""

import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from peewee import ModelDelete

from kiosque import db
from kiosque.db import write
from kiosque.db.models import (
    Child,
    Family,
    Guardian,
    OutboxMail,
    ResetRequest,
    SecurityEvent,
    Session,
    Token,
)
from kiosque.db.states import MailState
from kiosque.families import accounts, contacts, hashing, own_changes, sessions, signin, tokens
from kiosque.families.passwords import Unsuitable
from kiosque.families.signin import Visitor
from kiosque.families.throttle import TooManyTries
from kiosque.families.tokens import Purpose, Spent
from kiosque.invoices import imports
from kiosque.invoices.imports import Confirmed
from kiosque.mails import delivery
from kiosque.outbox import queue
from kiosque.settings import Mail, Settings
from tests import sentences
from tests.conftest import PASSWORD, PUBLIC_URL, TOWN, Clock, choose_password, dump, free_port
from tests.mailbox import plain_of, text_of

STRANGER = Visitor("203.0.113.9")
OTHER = "une tout autre phrase"


@pytest.fixture
def parents(alices_family: Family, charlies_family: Family) -> None:
    for family, name, email in (
        (alices_family, "Alice", "alice@example.org"),
        (alices_family, "Bob", "bob@example.org"),
        (charlies_family, "Charlie", "charlie@example.org"),
    ):
        Guardian.create(family=family, first_name=name, last_name="", email=email)
    Child.create(family=alices_family, name="Léa Martin")


@pytest.fixture
def mailbox(settings: Settings) -> Iterator[list[EmailMessage]]:
    """Return the mails that a real SMTP server receives; `settings.mail` points to it."""
    received: list[EmailMessage] = []

    class Keep:
        async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
            message = message_from_bytes(envelope.content, policy=policy.default)
            message["X-RcptTo"] = ", ".join(envelope.rcpt_tos)
            received.append(message)  # type: ignore[arg-type]
            return "250 OK"

    port = free_port()
    server = Controller(Keep(), hostname="127.0.0.1", port=port)
    server.start()
    smtp = Mail(settings.mail.sender, host="127.0.0.1", port=port, security="none")
    object.__setattr__(settings, "mail", smtp)
    yield received
    server.stop()


def post(settings: Settings) -> None:
    """Do what the timer does."""
    own_changes.answer_resets()
    assert delivery.deliver(settings)[1] == 0


def link_in(message: EmailMessage) -> str:
    """The secret of the link of a mail."""
    (secret,) = re.findall(
        rf"^{re.escape(PUBLIC_URL)}/lien/([\w-]+)\r?$", plain_of(message), re.MULTILINE
    )
    return str(secret)


def opened(secret: str, purpose: Purpose = Purpose.RESET) -> Token:
    token = tokens.find_link(secret, purpose)
    assert token
    return token


def recipients(messages: list[EmailMessage]) -> list[str]:
    return sorted(str(message["To"]) for message in messages)


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


def test_no_mail_holds_a_password_a_code_or_a_childs_name(
    parents: None, settings: Settings, mailbox: list[EmailMessage], alices_family: Family
) -> None:
    with write():
        tokens.issue_code(alices_family, "abcde-fghjk-mnpqr")
    own_changes.ask_reset("alice@example.org", STRANGER)
    own_changes.ask_email(alices_family, "martin@example.org", "")
    post(settings)
    (reset,) = [each for each in mailbox if "choisissez" in str(each["Subject"])]
    own_changes.reset(opened(link_in(reset)), PASSWORD, TOWN, "")
    own_changes.change_password(accounts.account_of(alices_family), PASSWORD, OTHER, TOWN, "")
    own_changes.ask_email(alices_family, "martin@example.org", "")
    post(settings)
    confirmation = [each for each in mailbox if each["To"] == "martin@example.org"][-1]
    own_changes.confirm_email(opened(link_in(confirmation), Purpose.EMAIL), "")
    post(settings)
    subjects = {str(each["Subject"]) for each in mailbox}
    assert len(subjects) == 5
    for message in mailbox:
        text = f"{message['Subject']} {plain_of(message)}"
        for private in (PASSWORD, OTHER, "F1001", "abcde", "Léa", "Martin", "martin@"):
            assert private not in text
        assert not re.search(r"\w [:;?!»]|« ", text.replace("http:", ""))


def test_links_for_one_address_are_counted_however_it_is_typed(base: None, frozen: Clock) -> None:
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


def test_links_from_one_network_are_delayed_whatever_for(base: None, frozen: Clock) -> None:
    for number in range(10):
        own_changes.ask_reset(f"{number}@example.org", STRANGER)
    with pytest.raises(TooManyTries):
        own_changes.ask_reset("alice@example.org", STRANGER)
    own_changes.ask_reset("alice@example.org", Visitor("192.0.2.77"))


def test_a_letters_code_opens_the_account_and_tells_the_family(
    parents: None, alices_family: Family, settings: Settings, mailbox: list[EmailMessage]
) -> None:
    with write():
        tokens.issue_code(alices_family, "abcde-fghjk-mnpqr")
    token = own_changes.find_activation("f 1001", "ABCDE FGHJK MNPQR", STRANGER)
    assert token
    account = own_changes.activate(token, PASSWORD, TOWN, STRANGER.address)
    assert accounts.authenticate("F1001", PASSWORD) == account
    assert not account.must_change_password
    assert [line.kind for line in SecurityEvent.select()] == ["activated"]
    post(settings)
    assert recipients(mailbox) == ["alice@example.org", "bob@example.org"]


def test_a_stranger_who_knows_the_code_famille_cannot_delay_a_first_sign_in(
    alices_family: Family, frozen: Clock
) -> None:
    with write():
        tokens.issue_code(alices_family, "abcde-fghjk-mnpqr")
    for _ in range(5):
        signin.attempt("F1001", "essai", STRANGER)
    assert own_changes.find_activation("F1001", "abcde-fghjk-mnpqr", Visitor("198.51.100.7"))


def test_codes_are_guessed_at_the_pace_of_one_address_and_stop_no_right_one(
    alices_family: Family, frozen: Clock
) -> None:
    with write():
        tokens.issue_code(alices_family, "abcde-fghjk-mnpqr")
    for _ in range(200):
        assert own_changes.find_activation("F1001", "essai", STRANGER) is None
    with pytest.raises(TooManyTries):
        own_changes.find_activation("F1001", "essai", STRANGER)
    assert SecurityEvent.select().count() == 200
    assert own_changes.find_activation("F1001", "abcde-fghjk-mnpqr", STRANGER)


def test_a_family_whose_place_was_taken_gets_it_back_for_good(
    alices_family: Family, frozen: Clock
) -> None:
    thief = choose_password(alices_family, "la phrase du voleur")
    session = sessions.start(thief)
    Family.update(email="thief@example.org").where(Family.id == alices_family.id).execute()
    own_changes.issue_codes([(alices_family, "abcde-fghjk-mnpqr")], forget_email=True)
    assert sessions.signed_in(session) is None
    assert accounts.authenticate("F1001", "la phrase du voleur") is None
    assert Family.get_by_id(alices_family.id).email == ""
    token = own_changes.find_activation("F1001", "abcde-fghjk-mnpqr", STRANGER)
    assert own_changes.activate(token, PASSWORD, TOWN, "")
    assert accounts.authenticate("F1001", PASSWORD)


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


def test_checking_a_code_does_the_same_work_for_an_unknown_family(
    alices_family: Family, charlies_family: Family, queries: list[str], frozen: Clock
) -> None:
    with write():
        tokens.issue_code(alices_family, "abcde-fghjk-mnpqr")
        used = tokens.issue_code(charlies_family, "zzzzz-zzzzz-zzzzz")
        tokens.redeem(used)
    work = []
    for code, activation in (("F1001", "faux"), ("F9999", "faux"), ("F2002", "zzzzzzzzzzzzzzz")):
        queries.clear()
        assert own_changes.find_activation(code, activation, Visitor(code)) is None
        work.append([str(query).partition("',")[0] for query in queries])
    assert work[0] == work[1] == work[2]


def test_a_new_password_ends_every_session(parents: None, alices_family: Family) -> None:
    account = choose_password(alices_family)
    sessions.start(account)
    with write():
        token = tokens.prepare_link(Purpose.RESET, alices_family, "alice@example.org")
    secret = tokens.draw_link(token.id)
    assert secret
    own_changes.reset(opened(secret), OTHER, TOWN, "")
    assert not Session.select().exists()


def test_of_two_parents_at_once_one_chooses_and_the_other_is_told(
    parents: None, alices_family: Family
) -> None:
    with write():
        tokens.issue_code(alices_family, "abcde-fghjk-mnpqr")
    outcomes: list[str] = []
    ready = threading.Barrier(2)

    def choose(password: str) -> None:
        with db.connection():
            token = tokens.find_code("F1001", "abcde-fghjk-mnpqr")
            assert token
            ready.wait()
            try:
                own_changes.activate(token, password, TOWN, "")
                outcomes.append(password)
            except Spent:
                outcomes.append("")

    threads = [threading.Thread(target=choose, args=(each,)) for each in (PASSWORD, OTHER)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(bool, outcomes)) == [False, True]
    assert accounts.authenticate("F1001", max(outcomes))
    assert SecurityEvent.select().count() == 1
    assert OutboxMail.select().count() == 2


def test_a_change_of_address_waits_for_its_confirmation(
    parents: None, alices_family: Family, settings: Settings, mailbox: list[EmailMessage]
) -> None:
    own_changes.ask_email(alices_family, "martin@example.org", STRANGER.address)
    post(settings)
    assert recipients(mailbox) == ["alice@example.org", "bob@example.org", "martin@example.org"]
    assert tokens.pending_email(alices_family) == "martin@example.org"
    assert contacts.addresses(alices_family) == ["alice@example.org", "bob@example.org"]
    (confirmation,) = [each for each in mailbox if each["To"] == "martin@example.org"]
    secret = link_in(confirmation)
    assert not any(secret in text_of(each) for each in mailbox if each is not confirmation)
    mailbox.clear()
    own_changes.confirm_email(opened(secret, Purpose.EMAIL), STRANGER.address)
    post(settings)
    family = Family.get_by_id(alices_family.id)
    assert contacts.addresses(family) == ["martin@example.org"]
    assert tokens.pending_email(family) == ""
    assert recipients(mailbox) == ["alice@example.org", "bob@example.org", "martin@example.org"]
    assert [line.kind for line in SecurityEvent.select()] == ["email_asked", "email_changed"]
    with pytest.raises(Spent):
        own_changes.confirm_email(
            Token(id=1, digest="", family=family, email="x@example.org"), STRANGER.address
        )


def test_links_sent_to_the_old_address_die_with_it(
    parents: None, alices_family: Family, settings: Settings, mailbox: list[EmailMessage]
) -> None:
    own_changes.ask_reset("bob@example.org", STRANGER)
    own_changes.ask_email(alices_family, "martin@example.org", "")
    post(settings)
    links = {str(each["To"]): each for each in mailbox if "/lien/" in text_of(each)}
    own_changes.confirm_email(
        opened(link_in(links["martin@example.org"]), Purpose.EMAIL), STRANGER.address
    )
    assert tokens.find_link(link_in(links["bob@example.org"]), Purpose.RESET) is None


def test_a_family_does_not_flood_somebody_elses_mailbox(alices_family: Family) -> None:
    for _ in range(3):
        own_changes.ask_email(alices_family, "victim@example.org", "")
    with pytest.raises(TooManyTries):
        own_changes.ask_email(alices_family, "victim@example.org", "")
    assert OutboxMail.select().count() == 3


def test_the_town_can_take_back_an_address_somebody_else_chose(
    parents: None, alices_family: Family, settings: Settings, mailbox: list[EmailMessage]
) -> None:
    Family.update(email="thief@example.org").where(Family.id == alices_family.id).execute()
    own_changes.ask_reset("thief@example.org", STRANGER)
    post(settings)
    own_changes.issue_codes([(alices_family, "abcde-fghjk-mnpqr")], forget_email=True)
    assert tokens.find_link(link_in(mailbox[0]), Purpose.RESET) is None
    own_changes.ask_reset("thief@example.org", STRANGER)
    mailbox.clear()
    post(settings)
    assert mailbox == []
    assert tokens.find_code("F1001", "abcde-fghjk-mnpqr")


def test_a_flood_of_one_link_hashes_one_at_a_time(
    alices_family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    with write():
        token = tokens.issue_code(alices_family, "abcde-fghjk-mnpqr")
    monkeypatch.setattr(hashing, "changes", hashing.Gate(at_once=1, waiting=0))
    with hashing.changes.enter(), pytest.raises(hashing.Busy):
        own_changes.activate(token, PASSWORD, TOWN, "")
    assert own_changes.activate(token, PASSWORD, TOWN, "")


def test_weak_new_passwords_are_judged_ten_times_then_wait_before_any_gate(
    alices_family: Family, frozen: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By one who knows the present password, and by one who holds an activation code."""
    account = choose_password(alices_family)
    with write():
        token = tokens.issue_code(alices_family, "abcde-fghjk-mnpqr")
    for _ in range(5):
        with pytest.raises(Unsuitable):
            own_changes.change_password(account, PASSWORD, "motdepasse123", TOWN, "")
        with pytest.raises(Unsuitable):
            own_changes.activate(token, "motdepasse123", TOWN, "")
    monkeypatch.setattr(hashing, "changes", hashing.Gate(at_once=0, waiting=0))
    with pytest.raises(TooManyTries):
        own_changes.change_password(account, PASSWORD, OTHER, TOWN, "")
    with pytest.raises(TooManyTries):
        own_changes.activate(token, OTHER, TOWN, "")
    frozen.advance(minutes=1)
    with pytest.raises(hashing.Busy):
        own_changes.activate(token, OTHER, TOWN, "")


def test_a_new_password_not_judged_because_of_a_crowd_is_not_counted(
    alices_family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    with write():
        token = tokens.issue_code(alices_family, "abcde-fghjk-mnpqr")
    with monkeypatch.context() as patch:
        patch.setattr(hashing, "changes", hashing.Gate(at_once=0, waiting=0))
        for _ in range(20):
            with pytest.raises(hashing.Busy):
                own_changes.activate(token, OTHER, TOWN, "")
    assert own_changes.activate(token, OTHER, TOWN, "")


def test_a_change_under_way_does_not_undo_a_reset_just_made(alices_family: Family) -> None:
    verified = choose_password(alices_family)
    choose_password(alices_family, OTHER)
    with pytest.raises(sessions.Stale):
        own_changes.change_password(verified, PASSWORD, "la phrase du voleur", TOWN, "")
    assert accounts.authenticate("F1001", OTHER)


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
