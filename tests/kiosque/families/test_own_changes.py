"""A family's way in, made and changed by itself, and the mails that tell of it."""

import re
import threading
from email.message import EmailMessage

import pytest

from kiosque import db
from kiosque.db import write
from kiosque.db.models import Family, OutboxMail, SecurityEvent, Session, Token
from kiosque.families import accounts, contacts, hashing, own_changes, sessions, signin, tokens
from kiosque.families.passwords import Unsuitable
from kiosque.families.signin import Visitor
from kiosque.families.throttle import TooManyTries
from kiosque.families.tokens import Purpose, Spent
from kiosque.settings import Settings
from tests.conftest import PASSWORD, TOWN, Clock, choose_password
from tests.kiosque.families.mailed import OTHER, STRANGER, link_in, opened, post, recipients
from tests.mailbox import plain_of, text_of
from tests.threads import at_once


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
    own_changes.change_password(accounts.account_of(alices_family), OTHER, TOWN, "")
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

    at_once(lambda: choose(PASSWORD), lambda: choose(OTHER))
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
    assert sorted(line.kind for line in SecurityEvent.select()) == ["email_asked", "email_changed"]
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
            own_changes.change_password(account, "motdepasse123", TOWN, "")
        with pytest.raises(Unsuitable):
            own_changes.activate(token, "motdepasse123", TOWN, "")
    monkeypatch.setattr(hashing, "changes", hashing.Gate(at_once=0, waiting=0))
    with pytest.raises(TooManyTries):
        own_changes.change_password(account, OTHER, TOWN, "")
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
        own_changes.change_password(verified, "la phrase du voleur", TOWN, "")
    assert accounts.authenticate("F1001", OTHER)
