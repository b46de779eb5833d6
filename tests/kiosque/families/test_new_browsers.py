"""A sign-in from a browser not seen before: who is told, how often, and what the answer does."""

from email.message import EmailMessage

import pytest

from kiosque.db.models import Family, Guardian, OutboxMail, SecurityEvent, Session
from kiosque.families import accounts, new_browsers, own_changes, sessions, signin, tokens
from kiosque.families.signin import Visitor
from kiosque.families.tokens import Purpose, Spent
from kiosque.settings import Settings
from tests import sentences
from tests.conftest import PASSWORD, TOWN, Clock, choose_password
from tests.kiosque.families.mailed import OTHER, STRANGER, link_in, opened, post, recipients
from tests.mailbox import text_of

ALICES_PHONE = Visitor("198.51.100.7", browser="F1001.phone")
TOLD = ["alice@example.org", "bob@example.org"]


def enter(visitor: Visitor = STRANGER, password: str = PASSWORD) -> str:
    entry = signin.attempt("F1001", password, visitor)
    assert entry
    return entry.session


@pytest.fixture
def household(parents: None, alices_family: Family) -> Family:
    """Alice and Bob have come in before."""
    sessions.start(choose_password(alices_family))
    return alices_family


def test_both_parents_are_told_of_a_sign_in_from_a_browser_not_seen_before(
    household: Family, settings: Settings, mailbox: list[EmailMessage]
) -> None:
    enter()
    post(settings)
    assert recipients(mailbox) == TOLD
    assert len({link_in(message) for message in mailbox}) == 2
    for message in mailbox:
        assert "24\u00a0novembre\u00a02026 à 20\u00a0h\u00a030" in text_of(message)
        for private in ("F1001", PASSWORD, "Martin", "Léa", STRANGER.address):
            assert private not in text_of(message)
    assert "new_browser_told" in {line.kind for line in SecurityEvent.select()}


def test_nobody_is_told_of_the_first_sign_in_of_a_known_browser_nor_of_a_refusal(
    parents: None, alices_family: Family
) -> None:
    given = accounts.issue_password(alices_family, must_change=True)
    enter(password=given)
    assert not OutboxMail.select().exists()
    enter(ALICES_PHONE, given)
    assert signin.attempt("F1001", "essai", STRANGER) is None
    assert not OutboxMail.select().exists()
    enter(password=given)
    assert OutboxMail.select().count() == 2


def test_a_family_without_an_address_is_not_told(
    alices_family: Family, charlies_family: Family
) -> None:
    Guardian.create(
        family=charlies_family, first_name="", last_name="", email="charlie@example.org"
    )
    sessions.start(choose_password(alices_family))
    enter()
    assert not OutboxMail.select().exists()


def test_three_sign_ins_a_day_are_told_and_the_next_day_again(
    household: Family, frozen: Clock
) -> None:
    for _ in range(5):
        enter()
        frozen.advance(hours=1)
    assert OutboxMail.select().count() == 3 * len(TOLD)
    frozen.advance(hours=20)
    enter()
    assert OutboxMail.select().count() == 4 * len(TOLD)


def test_it_was_not_me_ends_every_session_and_leads_to_a_new_password(
    household: Family, settings: Settings, mailbox: list[EmailMessage]
) -> None:
    thief, alice = enter(), enter(ALICES_PHONE)
    post(settings)
    secret = link_in(mailbox[0])
    token = opened(secret, Purpose.NOT_ME)
    link = new_browsers.disown(token, "")
    assert [sessions.signed_in(number) for number in (thief, alice)] == [None, None]
    new = tokens.draw_link(link.id)
    assert new
    own_changes.reset(opened(new), OTHER, TOWN, "")
    assert accounts.authenticate("F1001", PASSWORD) is None
    with pytest.raises(Spent):
        new_browsers.disown(token, "")
    assert tokens.find_link(secret, Purpose.NOT_ME) is None


def test_whoever_came_in_does_not_silence_the_answer(
    household: Family, settings: Settings, mailbox: list[EmailMessage]
) -> None:
    """By another sign-in, a new password, or another address that is asked for."""
    enter()
    post(settings)
    secret = link_in(mailbox[0])
    enter()
    account = own_changes.change_password(accounts.account_of(household), OTHER, TOWN, "")
    thief = sessions.start(account)
    own_changes.ask_email(household, "thief@example.org", "")
    new_browsers.disown(opened(secret, Purpose.NOT_ME), "")
    assert sessions.signed_in(thief) is None
    assert tokens.pending_email(household) == ""


def test_another_familys_sessions_stay(
    household: Family, settings: Settings, mailbox: list[EmailMessage], charlies_family: Family
) -> None:
    charlie = sessions.start(choose_password(charlies_family))
    enter()
    post(settings)
    new_browsers.disown(opened(link_in(mailbox[0]), Purpose.NOT_ME), "")
    assert sessions.signed_in(charlie)
    assert Session.select().count() == 1


def test_the_answer_opens_for_a_day_and_only_where_the_family_is_still_written_to(
    household: Family, settings: Settings, mailbox: list[EmailMessage], frozen: Clock
) -> None:
    enter()
    post(settings)
    kept, gone = (link_in(each) for each in sorted(mailbox, key=lambda each: str(each["To"])))
    token = opened(gone, Purpose.NOT_ME)
    Guardian.update(email="").where(Guardian.email == "bob@example.org").execute()
    assert own_changes.find_link(gone, Purpose.NOT_ME) is None
    with pytest.raises(Spent):
        new_browsers.disown(token, "")
    frozen.advance(hours=23, minutes=59)
    assert own_changes.find_link(kept, Purpose.NOT_ME)
    frozen.advance(minutes=1)
    assert own_changes.find_link(kept, Purpose.NOT_ME) is None


def test_an_address_that_the_town_takes_back_answers_nothing(
    household: Family, settings: Settings, mailbox: list[EmailMessage]
) -> None:
    Family.update(email="thief@example.org").where(Family.id == household.id).execute()
    enter()
    post(settings)
    own_changes.issue_codes([(household, "abcde-fghjk-mnpqr")], forget_email=True)
    assert tokens.find_link(link_in(mailbox[0]), Purpose.NOT_ME) is None


def test_mails_of_two_families_at_one_address_say_whose_they_are(
    household: Family, charlies_family: Family, settings: Settings, mailbox: list[EmailMessage]
) -> None:
    """Separated parents who bear one name; never by the code of either."""
    Family.update(name="Martin").where(Family.id == charlies_family.id).execute()
    Guardian.create(family=charlies_family, first_name="", last_name="", email="alice@example.org")
    own_changes.ask_reset("alice@example.org", STRANGER)
    enter()
    own_changes.ask_email(household, "new@example.org", "")
    post(settings)
    said = {
        (str(each["To"]), "Famille\u00a0: Martin (Alice, Bob)" in text_of(each))
        for each in mailbox
        if opened_family(each) != charlies_family.code
    }
    assert said == {
        ("alice@example.org", True),
        ("bob@example.org", False),
        ("new@example.org", False),
    }
    subjects = [
        str(each["Subject"]) for each in mailbox if sentences.CHOOSE_BY_MAIL in str(each["Subject"])
    ]
    assert sorted(subject.partition(" – ")[2] for subject in subjects) == [
        "Martin (Alice, Bob)",
        "Martin (Charlie)",
    ]
    assert not any(code in text_of(each) for each in mailbox for code in ("F1001", "F2002"))


def opened_family(message: EmailMessage) -> str:
    """The code of the family that a mail's link is for; nothing when it has none."""
    if "/lien/" not in text_of(message):
        return ""
    token = tokens.find_link(link_in(message), *Purpose)
    assert token
    return token.family.code
