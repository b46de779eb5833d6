"""The link that opens an account: once, for a day, by mail or at a terminal."""

import pytest
from peewee import IntegrityError

from kiosque.db import database, write
from kiosque.db.models import RecoveryCode, Staff, StaffInvitation
from kiosque.families.passwords import Unsuitable
from kiosque.families.throttle import TooManyTries
from kiosque.families.tokens import Spent
from kiosque.mails import delivery
from kiosque.settings import Settings
from kiosque.staff import accounts, invitations, second_factor
from kiosque.staff.events import TERMINAL
from kiosque.staff.invitations import WrongCode
from kiosque.staff.roles import Role
from tests.agents import PASSWORD, make_agent, telephone_of
from tests.conftest import Clock
from tests.mailbox import Mailbox, text_of

HERE = "198.51.100.7"
NEW = "un parapluie vert dans la cour"


@pytest.fixture
def newcomer(empty_database: None, frozen: Clock) -> Staff:
    with write():
        return accounts.obtain("marie.dupont@sautron.example.org")


def invite(staff: Staff) -> str:
    with write():
        invitation = invitations.prepare(staff, TERMINAL)
    return invitations.draw_link(invitation.id) or ""


def take(link: str, settings: Settings, password: str = NEW, code: str = "") -> list[str]:
    invitation = invitations.find(link)
    if invitation is None:
        raise Spent
    code = code or telephone_of(settings, invitation.staff)
    return invitations.take(invitation, password, code, settings, HERE)


def test_a_password_and_a_telephone_open_the_account(newcomer: Staff, settings: Settings) -> None:
    codes = take(invite(newcomer), settings)
    assert len(codes) == 10
    assert accounts.authenticate(newcomer.email, NEW) == newcomer
    assert RecoveryCode.select().count() == 10


def test_a_link_serves_once(newcomer: Staff, settings: Settings, frozen: Clock) -> None:
    link = invite(newcomer)
    take(link, settings)
    frozen.advance(minutes=1)
    with pytest.raises(Spent):
        take(link, settings)


def test_a_link_serves_for_a_day(newcomer: Staff, settings: Settings, frozen: Clock) -> None:
    link = invite(newcomer)
    frozen.advance(hours=24)
    with pytest.raises(Spent):
        take(link, settings)
    invitations.purge()
    assert StaffInvitation.select().count() == 0


def test_a_new_link_ends_the_former(newcomer: Staff, settings: Settings) -> None:
    former = invite(newcomer)
    link = invite(newcomer)
    with pytest.raises(Spent):
        take(former, settings)
    assert take(link, settings)


@pytest.mark.parametrize("password", ["court", "marie.dupont1", "motdepassemairie", "x" * 1001])
def test_a_weak_password_is_refused_and_the_link_still_serves(
    newcomer: Staff, settings: Settings, password: str
) -> None:
    link = invite(newcomer)
    with pytest.raises(Unsuitable):
        take(link, settings, password)
    assert take(link, settings)


def test_a_wrong_code_changes_nothing(newcomer: Staff, settings: Settings) -> None:
    link = invite(newcomer)
    with pytest.raises(WrongCode):
        take(link, settings, code="000000")
    assert accounts.authenticate(newcomer.email, NEW) is None
    assert take(link, settings)


def test_tries_of_one_link_grow_slower(newcomer: Staff, settings: Settings) -> None:
    link = invite(newcomer)
    for _ in range(10):
        with pytest.raises(Unsuitable):
            take(link, settings, "court")
    with pytest.raises(TooManyTries):
        take(link, settings)


def test_another_password_keeps_the_telephone_and_the_recovery_codes(
    newcomer: Staff, settings: Settings, frozen: Clock
) -> None:
    take(invite(newcomer), settings)
    before = telephone_of(settings, newcomer)
    invitations.renew(newcomer, TERMINAL)
    assert accounts.authenticate(newcomer.email, NEW)
    assert telephone_of(settings, newcomer) == before
    frozen.advance(minutes=1)
    assert take(invite(newcomer), settings, PASSWORD) == []
    assert accounts.authenticate(newcomer.email, NEW) is None
    assert second_factor.recovery_codes_left(newcomer) == 10


def test_a_telephone_dissociated_shows_no_code_that_opens(
    newcomer: Staff, settings: Settings, frozen: Clock
) -> None:
    take(invite(newcomer), settings)
    former = telephone_of(settings, newcomer)
    invitations.dissociate(Staff.get_by_id(newcomer.id), TERMINAL)
    frozen.advance(minutes=1)
    assert accounts.authenticate(newcomer.email, NEW) is None
    assert telephone_of(settings, newcomer) != former
    link = invite(newcomer)
    with pytest.raises(WrongCode):
        take(link, settings, code=former)
    assert len(take(link, settings)) == 10


def test_a_closed_account_has_no_link(newcomer: Staff, settings: Settings) -> None:
    make_agent(Role.ADMINISTRATION)
    link = invite(newcomer)
    accounts.close(newcomer, TERMINAL)
    with pytest.raises(Spent):
        take(link, settings)


def test_the_mail_carries_the_link_drawn_as_it_leaves(
    newcomer: Staff, mailbox: tuple[Mailbox, Settings]
) -> None:
    box, settings = mailbox
    invitations.renew(newcomer, TERMINAL)
    assert delivery.deliver(settings) == (1, 0)
    (message,) = box.messages
    assert message["To"] == newcomer.email
    link = text_of(message).partition("/mairie/invitation/")[2].split()[0]
    assert len(take(link, settings)) == 10


def test_a_link_whose_mail_is_late_is_not_sent(
    newcomer: Staff, mailbox: tuple[Mailbox, Settings], frozen: Clock
) -> None:
    box, settings = mailbox
    invitations.renew(newcomer, TERMINAL)
    frozen.advance(days=1)
    delivery.deliver(settings)
    assert box.messages == []


def test_one_address_is_one_agent(newcomer: Staff) -> None:
    with write():
        assert accounts.obtain("Marie.Dupont@sautron.example.org") == newcomer
    with pytest.raises(IntegrityError), write():
        database.execute_sql(
            "INSERT INTO staff (email, totp_nonce, added_at) "
            "VALUES ('marie.dupont@sautron.example.org', 'x', '2026')"
        )
