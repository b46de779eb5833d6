"""Tell a family of a sign-in from a browser not seen before, and hear that it was not its own.

The mail goes where a link to a new password would. Its own link ends every session, and leads to
a new password at once: whoever came in knew the old one.
"""

from datetime import timedelta

from kiosque.db import require_write, write
from kiosque.db.models import Account, Family, SecurityEvent, Token
from kiosque.families import contacts, security_log, sessions, tokens
from kiosque.families.security_log import Event
from kiosque.families.tokens import Purpose, Spent
from kiosque.language import clock
from kiosque.outbox import queue

#: Most sign-ins a day that a family is told of. The first of a day always is; more than these
#: would teach it nothing new, and annoy a parent whose browser keeps no cookie.
TOLD_A_DAY = 3


def tell(family: Family, address: str) -> None:
    """Write to the family, if it has an address, as part of the transaction that signs in."""
    require_write()
    recipients = contacts.addresses(family)
    if not recipients or _told_lately(family) >= TOLD_A_DAY:
        return
    security_log.add(Event.NEW_BROWSER_TOLD, family, address)
    for email in recipients:
        token = tokens.prepare_link(Purpose.NOT_ME, family, email)
        queue.add(queue.new_key("new-browser"), "new_browser", token.id, email)


def disown(token: Token, address: str) -> Token:
    """End every session of the family that this link was sent to, and the change of address that
    may be under way. Returns the token of a link to a new password. Raises Spent."""
    family = token.family
    with write():
        tokens.redeem(token)
        if not contacts.is_written_to_at(Family.get_by_id(family.id), token.email):
            raise Spent
        sessions.end_all(Account.get(Account.family == family))
        tokens.cancel(family, Purpose.EMAIL)
        security_log.add(Event.DISOWNED, family, address)
        return tokens.prepare_link(Purpose.RESET, family, token.email)


def _told_lately(family: Family) -> int:
    """Count the sign-ins that the family was told of for a day."""
    return (
        SecurityEvent.select()
        .where(
            SecurityEvent.at > clock.now() - timedelta(days=1),
            SecurityEvent.kind == Event.NEW_BROWSER_TOLD,
            SecurityEvent.family == family,
        )
        .count()
    )
