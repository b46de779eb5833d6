"""A family's way in, made and changed by itself: by the code of a letter, by a link in a mail,
or signed in. The family is told by mail of every change, at every address known.

Whether an e-mail address is known is never learnt from a page: pages only note what is asked,
and the timer looks.
"""

import secrets
from collections.abc import Iterable
from datetime import timedelta

from peewee import ModelDelete

from kiosque.db import require_write, write
from kiosque.db.models import Account, Family, ResetRequest, Token
from kiosque.families import accounts, audit, sessions, signin, throttle, tokens
from kiosque.families.audit import Event
from kiosque.families.signin import Visitor
from kiosque.families.throttle import Bucket, Limit
from kiosque.families.tokens import Purpose, Spent
from kiosque.language import clock
from kiosque.outbox import addresses, queue

#: Links asked for one address. The longest pause is the life of a link: whoever asks in the
#: family's place only keeps it supplied with one that opens.
RESET_EMAIL = Limit("reset-email", 3, timedelta(minutes=5), timedelta(hours=1))
#: Links asked from one network address, whatever for.
RESET_NETWORK = Limit("reset-network", 10, timedelta(minutes=1), timedelta(minutes=15))
#: Changes of address asked by one family: each one writes to whom it names.
EMAIL_CHANGE = Limit("email-change", 3, timedelta(minutes=5), timedelta(hours=1))


def check_code(code: str, activation_code: str, visitor: Visitor) -> Token | None:
    """The activation token, if the code opens one for this *code famille*. It is not used yet.

    Counted by network address only, raises TooManyTries: the code's 74 bits need no count by
    account, by which a stranger could keep a family from its first sign-in. An unknown family
    costs the same look-up.
    """
    network = Bucket(signin.ADDRESS, visitor.network)
    throttle.spend(network)
    token = tokens.find_code(accounts.normalise_code(code), activation_code)
    if token is None:
        signin.refuse(code, visitor)
        return None
    throttle.settle(give_back=[network])
    return token


def find_link(secret: str, *purposes: Purpose) -> Token | None:
    """The token, with its family, of a link that can still serve. One to choose a password
    serves as long as the family is written to at the address it was sent to."""
    token = tokens.find_link(secret, *purposes)
    return token if token and _is_welcome(token) else None


def activate(token: Token, password: str, address: str) -> Account:
    """Open the family's account with the password it chooses. Raises Spent, Busy."""
    return _choose_password(token, password, Event.ACTIVATED, address)


def reset(token: Token, password: str, address: str) -> Account:
    """Replace the password by means of a link. Raises Spent, Busy."""
    return _choose_password(token, password, Event.PASSWORD_RESET, address)


def change_password(account: Account, password: str, address: str) -> Account:
    """Replace the password of a family that has just given its present one, which `account`
    holds. Raises Busy; Stale when another was chosen meanwhile, which stays."""
    family = account.family

    def tell() -> None:
        sessions.require_current(account)
        audit.add(Event.PASSWORD_CHANGED, family, address)
        _warn(family, "password_changed", accounts.every_address(family))

    with signin.own_browsers.enter():
        return accounts.set_password(family, password, also=tell)


def ask_reset(email: str, visitor: Visitor) -> None:
    """Note that a link is asked for this address; nothing is looked up. Raises TooManyTries."""
    throttle.spend(
        Bucket(RESET_EMAIL, addresses.key(email)), Bucket(RESET_NETWORK, visitor.network)
    )
    with write():
        ResetRequest.create(email=email, address=visitor.address, asked_at=clock.now())


def answer_resets() -> None:
    """Queue the links asked for since the last time, one a family of each address. Safe to run
    twice at once. What waited for longer than a link may is for nobody any more."""
    oldest = clock.now() - tokens.LINK_LEAVES_WITHIN
    for request in list(ResetRequest.select().order_by(ResetRequest.id)):
        with write():
            taken = ModelDelete(ResetRequest).where(ResetRequest.id == request.id).execute()
            if taken and request.asked_at > oldest:
                _answer(request)


def ask_email(family: Family, email: str, address: str) -> None:
    """Send a link to the address the family wants, and warn those known. Nothing changes until
    the link is confirmed. Raises TooManyTries."""
    throttle.spend(Bucket(EMAIL_CHANGE, str(family.id)))
    with write():
        token = tokens.prepare_link(Purpose.EMAIL, family, email)
        queue.add(_key("email-confirm"), "email_confirm", token.id, email)
        _warn(family, "email_asked", accounts.every_address(family))
        audit.add(Event.EMAIL_ASKED, family, address)


def confirm_email(token: Token, address: str) -> None:
    """Make the confirmed address the family's one, and tell the old ones and the new. Links
    sent to the old ones no longer open. Raises Spent."""
    with write():
        tokens.redeem(token)
        family = Family.get_by_id(token.family_id)
        before = accounts.every_address(family)
        Family.update(email=token.email).where(Family.id == family.id).execute()
        tokens.cancel(family, Purpose.RESET)
        _warn(family, "email_changed", addresses.distinct([*before, token.email]))
        audit.add(Event.EMAIL_CHANGED, family, address)


def issue_codes(codes: Iterable[tuple[Family, str]], *, forget_email: bool = False) -> None:
    """Make these activation codes the families' ones, all or none. With `forget_email`, whoever
    took a family's place is out: the address chosen no longer receives anything, the password no
    longer opens, every session ends."""
    closed = accounts.unknowable_hash()
    with write():
        for family, code in codes:
            tokens.issue_code(family, code)
            audit.add(Event.ACTIVATION_ISSUED, family, address="")
            if forget_email:
                Family.update(email="").where(Family.id == family.id).execute()
                accounts.disable(family, closed)
                tokens.cancel(family, Purpose.RESET, Purpose.EMAIL)


def _choose_password(token: Token, password: str, event: Event, address: str) -> Account:
    family = token.family

    def spend() -> None:
        tokens.redeem(token)
        if not _is_welcome(token):
            raise Spent
        audit.add(event, family, address)
        _warn(family, "password_changed", accounts.every_address(family))

    with signin.own_browsers.enter():
        return accounts.set_password(family, password, also=spend)


def _is_welcome(token: Token) -> bool:
    """Whether the address that a link to a new password went to is still the family's: the town
    may have taken it off, or the family chosen another."""
    if token.purpose != Purpose.RESET:
        return True
    return accounts.is_written_to_at(Family.get_by_id(token.family_id), token.email)


def _answer(request: ResetRequest) -> None:
    found = accounts.families_written_to_at(request.email)
    for family, email in found:
        token = tokens.prepare_link(Purpose.RESET, family, email)
        queue.add(_key("reset"), "reset", token.id, email)
        audit.add(Event.RESET_ASKED, family, request.address)
    if not found:
        audit.add(Event.RESET_ASKED, None, request.address)


def _warn(family: Family, template: str, addresses: list[str]) -> None:
    require_write()
    for email in addresses:
        queue.add(_key(template), template, family.id, email)


def _key(template: str) -> str:
    """Each mail of these is one of its own, whatever was sent before."""
    return f"{template}:{secrets.token_hex(8)}"
