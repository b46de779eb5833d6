"""A family makes and changes its own way in: with the code of a letter, with the link of a mail,
or signed in. It is told of every change by mail, at every address known.

No page lets a stranger learn which e-mail addresses are known: pages only note what is asked,
and the timer looks the addresses up.
"""

from collections.abc import Iterable

from peewee import ModelDelete

from kiosque.db import require_write, write
from kiosque.db.models import Account, Family, ResetRequest, Token
from kiosque.families import (
    accounts,
    contacts,
    hashing,
    security_log,
    sessions,
    signin,
    throttle,
    tokens,
)
from kiosque.families.codes import normalise_family_code
from kiosque.families.passwords import NewPassword, Unsuitable
from kiosque.families.security_log import Event
from kiosque.families.signin import Visitor
from kiosque.families.throttle import Bucket
from kiosque.families.tokens import Purpose, Spent
from kiosque.language import clock
from kiosque.language.catalogue import gettext as _
from kiosque.outbox import addresses, queue
from kiosque.settings import Town


def find_activation(code: str, activation_code: str, visitor: Visitor) -> Token | None:
    """Return the activation token that these codes open, or None. It is not used up yet.

    Raises TooManyTries for wrong codes only, counted by network address: nobody guesses 74 bits,
    whatever the pace, and the limit bounds what the log holds. A right code opens even where
    others have failed, and no count by account lets a stranger keep a family from its first
    sign-in. An unknown family costs the same look-up.
    """
    token = tokens.find_code(normalise_family_code(code), activation_code)
    if token is None:
        throttle.count_try(*visitor.buckets(throttle.ADDRESS))
        signin.note_refusal(code, visitor)
    return token


def find_link(secret: str, *purposes: Purpose) -> Token | None:
    """Return the token, with its family, of a link that can still serve.

    A link that leads to a new password serves as long as the family is written to at the address
    that the link was sent to.
    """
    token = tokens.find_link(secret, *purposes)
    return token if token and _is_welcome(token) else None


def activate(token: Token, password: str, town: Town, address: str) -> Account:
    """Open the family's account with the password it chooses. Raises Unsuitable, Spent,
    TooManyTries, Busy."""
    return _choose_password(token, password, town, Event.ACTIVATED, address)


def reset(token: Token, password: str, town: Town, address: str) -> Account:
    """Replace the password by means of a link. Raises Unsuitable, Spent, TooManyTries, Busy."""
    return _choose_password(token, password, town, Event.PASSWORD_RESET, address)


def change_password(account: Account, password: str, town: Town, address: str) -> Account:
    """Replace the password of a signed-in family, which has just given the present one.

    Raises Unsuitable if the new one is refused; TooManyTries, Busy; Stale if another was chosen
    meanwhile, which stays.
    """
    family = account.family
    throttle.require_free(_proposals(family))
    with hashing.changes.enter():
        same = accounts.verify_password(account, password)
    if same:
        throttle.count_try(_proposals(family))
        raise Unsuitable(_("Choisissez un mot de passe différent de l’actuel."))
    new = _judge(password, family, town)

    def tell() -> None:
        sessions.require_current(account)
        security_log.add(Event.PASSWORD_CHANGED, family, address)
        _warn(family, "password_changed", contacts.every_address(family))

    with hashing.changes.enter():
        return accounts.set_password(new, before=tell)


def ask_reset(email: str, visitor: Visitor) -> None:
    """Note that a link is asked for this address; nothing is looked up. Raises TooManyTries."""
    bucket = Bucket(throttle.RESET_EMAIL, addresses.key(email))
    throttle.count_try(bucket, *visitor.buckets(throttle.RESET_NETWORK))
    with write():
        ResetRequest.create(email=email, address=visitor.address, asked_at=clock.now())


def answer_resets() -> None:
    """Queue the links asked for since the last time, one for each family of each address.

    Safe to run twice at once. A request older than a link may be is dropped.
    """
    oldest = clock.now() - tokens.LINK_LEAVES_WITHIN
    for request in list(ResetRequest.select().order_by(ResetRequest.id)):
        with write():
            taken = ModelDelete(ResetRequest).where(ResetRequest.id == request.id).execute()
            if taken and request.asked_at > oldest:
                _answer(request)


def ask_email(family: Family, email: str, address: str) -> None:
    """Send a link to the address that the family wants, which has just shown its password, and
    warn those known. Nothing changes until the link is confirmed. Raises TooManyTries."""
    throttle.count_try(Bucket(throttle.EMAIL_CHANGE, str(family.id)))
    with write():
        token = tokens.prepare_link(Purpose.EMAIL, family, email)
        queue.add(queue.new_key("email-confirm"), "email_confirm", token.id, email)
        _warn(family, "email_asked", contacts.every_address(family))
        sessions.forget_proofs(family)
        security_log.add(Event.EMAIL_ASKED, family, address)


def confirm_email(token: Token, address: str) -> None:
    """Make the confirmed address the family's only one, and tell it and the old ones. Links sent
    to the old ones no longer open. Raises Spent."""
    with write():
        tokens.redeem(token)
        family = Family.get_by_id(token.family_id)
        before = contacts.every_address(family)
        Family.update(email=token.email).where(Family.id == family.id).execute()
        tokens.cancel(family, Purpose.RESET)
        _warn(family, "email_changed", addresses.distinct([*before, token.email]))
        security_log.add(Event.EMAIL_CHANGED, family, address)


def issue_codes(codes: Iterable[tuple[Family, str]], *, forget_email: bool = False) -> None:
    """Make these activation codes the families' only ones: all of them or none.

    `forget_email` shuts out somebody who took over a family's account: the address chosen online no
    longer receives anything, the password no longer works, and every session ends.
    """
    closed = hashing.unknowable_hash()
    with write():
        for family, code in codes:
            tokens.issue_code(family, code)
            security_log.add(Event.ACTIVATION_ISSUED, family, address="")
            if forget_email:
                Family.update(email="").where(Family.id == family.id).execute()
                accounts.disable(family, closed)
                tokens.cancel(family, Purpose.RESET, Purpose.EMAIL, Purpose.NOT_ME)


def send_link(family: Family, email: str, address: str) -> None:
    """Send a link to choose a password, maybe the first one, to an address known of the family, at
    the town hall's request."""
    with write():
        _send_link(family, email, address)


def give_password(family: Family, address: str) -> str:
    """Give a family a provisional password at the town hall's request, and tell it by mail. Return
    it in clear, this once."""

    def tell() -> None:
        security_log.add(Event.PASSWORD_ISSUED, family, address)
        _warn(family, "password_changed", contacts.every_address(family))

    return accounts.issue_password(family, must_change=True, before=tell)


def _choose_password(
    token: Token, password: str, town: Town, event: Event, address: str
) -> Account:
    family = token.family
    new = _judge(password, family, town)

    def spend() -> None:
        tokens.redeem(token)
        if not _is_welcome(token):
            raise Spent
        security_log.add(event, family, address)
        _warn(family, "password_changed", contacts.every_address(family))

    with hashing.changes.enter():
        return accounts.set_password(new, before=spend)


def _judge(password: str, family: Family, town: Town) -> NewPassword:
    """Judge the password proposed, and count it unless the gate was full. Raises Unsuitable,
    TooManyTries, Busy."""
    throttle.require_free(_proposals(family))
    try:
        new = NewPassword(password, family, town)
    except Unsuitable:
        throttle.count_try(_proposals(family))
        raise
    throttle.count_try(_proposals(family))
    return new


def _proposals(family: Family) -> Bucket:
    return Bucket(throttle.NEW_PASSWORD, str(family.id))


def _is_welcome(token: Token) -> bool:
    """Tell whether the address that a link was sent to is still the family's: the town may have
    removed it, or the family chosen another. A link that confirms a new address needs no such
    check."""
    if token.purpose not in (Purpose.RESET, Purpose.NOT_ME):
        return True
    return contacts.is_written_to_at(Family.get_by_id(token.family_id), token.email)


def _answer(request: ResetRequest) -> None:
    found = contacts.families_written_to_at(request.email)
    for family, email in found:
        _send_link(family, email, request.address)
    if not found:
        security_log.add(Event.RESET_ASKED, None, request.address)


def _send_link(family: Family, email: str, address: str) -> None:
    token = tokens.prepare_link(Purpose.RESET, family, email)
    queue.add(queue.new_key("reset"), "reset", token.id, email)
    security_log.add(Event.RESET_ASKED, family, address)


def _warn(family: Family, template: str, addresses: list[str]) -> None:
    require_write()
    for email in addresses:
        queue.add(queue.new_key(template), template, family.id, email)
