"""The outbox: mails queued in the transaction that needs them, and what became of each.

`mails.delivery` sends them; `mails.rendering` declares their kinds.
"""

import secrets
from collections.abc import Collection
from datetime import timedelta

from peewee import Expression, ModelDelete, fn

from kiosque.db import require_write, write
from kiosque.db.models import OutboxMail
from kiosque.db.states import MailState
from kiosque.language import clock, formats

#: Placeholder for the régisseur's address, which is read from the settings when the mail leaves.
REGIE = "regie"


def regisseur_of(regie: str) -> str:
    """Return the placeholder for the address of the régisseur of the *régie* of this key."""
    return f"{REGIE}:{regie}" if regie else REGIE


def regie_in(recipient: str) -> str | None:
    """Return the key of the *régie* of such a placeholder; None for an address."""
    name, _, regie = recipient.partition(":")
    return regie if name == REGIE else None


#: A mail taken by a process that died is taken again after this.
LEASE = timedelta(minutes=5)
#: A mail that the server keeps putting off is given up after this, as mail servers do (RFC 5321
#: 4.5.4.1: four to five days).
PATIENCE = timedelta(days=5)
#: A mail that left less than this ago is not sent again: it would only arrive twice.
JUST_SENT = timedelta(minutes=10)
#: How long an address is kept: after that, not even a new try is possible.
ADDRESS_KEPT = timedelta(days=30)
#: Nothing of a mail is kept longer.
KEPT = timedelta(days=365)


def new_key(name: str) -> str:
    """Return a unique key for a mail, so that it leaves whatever was sent before."""
    return f"{name}:{secrets.token_hex(8)}"


def add(key: str, template: str, object_id: int, recipient: str) -> None:
    """Queue a mail once for its key, as part of the transaction under way.

    `template` is a kind that `mails.rendering` declares; `object_id` the number of what the mail is
    about, in the table that the kind says.
    """
    require_write()
    now = clock.now()
    OutboxMail.insert(
        key=key,
        template=template,
        object_id=object_id,
        recipient=recipient,
        queued_at=now,
        next_try_at=now,
    ).on_conflict("NOTHING").execute()


def due(limit: int, *, last: Collection[str], without: Collection[str] = ()) -> list[OutboxMail]:
    """Return the mails that may leave now, at most `limit`: those of the kinds in `last` after all
    others, those of the kinds in `without` not at all."""
    return list(
        OutboxMail.select()
        .where(
            OutboxMail.state == MailState.WAITING,
            OutboxMail.next_try_at <= clock.now(),
            OutboxMail.template.not_in(list(without)),
        )
        .order_by(OutboxMail.template.in_(list(last)), OutboxMail.next_try_at, OutboxMail.id)
        .limit(limit)
    )


def take(row: OutboxMail) -> bool:
    """Reserve the mail for this run, for the time of LEASE. Returns False if another run has it."""
    with write():
        taken: int = (
            OutboxMail.update(next_try_at=clock.now() + LEASE, tries=row.tries + 1)
            .where(
                OutboxMail.id == row.id,
                OutboxMail.state == MailState.WAITING,
                OutboxMail.next_try_at == row.next_try_at,
            )
            .execute()
        )
    return taken == 1


def release(row: OutboxMail, error: str) -> None:
    """Leave the mail to the next run: the server was down, and the mail is not to blame."""
    _change(row, next_try_at=clock.now() + timedelta(minutes=1), tries=row.tries, last_error=error)


def retry_later(row: OutboxMail, error: str) -> None:
    """Try again after 1, 2, 4... minutes, at most every 6 hours; after PATIENCE, give up."""
    if clock.now() - row.queued_at >= PATIENCE:
        give_up(row, error)
        return
    pause = min(timedelta(minutes=2 ** min(row.tries, 9)), timedelta(hours=6))
    _change(row, next_try_at=clock.now() + pause, last_error=error)


def give_up(row: OutboxMail, error: str) -> None:
    """Stop trying: it would fail again until somebody corrects what is wrong."""
    _change(row, state=MailState.FAILED, last_error=error)


def drop(row: OutboxMail) -> None:
    """Forget a mail that is no longer true, or no longer wanted."""
    _change(row, state=MailState.DROPPED, recipient="", last_error="")


def mark_sent(row: OutboxMail) -> None:
    _change(row, state=MailState.SENT, sent_at=clock.now(), recipient="", last_error="")


def why_not_again(template: str, object_id: int) -> str:
    """Say in French why the mail of this kind about this object must not be sent again now: it
    waits to leave, or has just left."""
    about = (OutboxMail.template == template) & (OutboxMail.object_id == object_id)
    if OutboxMail.select().where(about, OutboxMail.state == MailState.WAITING).exists():
        return "Ce courriel attend déjà de partir."
    late = OutboxMail.sent_at > clock.now() - JUST_SENT
    last = OutboxMail.select().where(about, late).order_by(OutboxMail.sent_at.desc()).first()
    hour = formats.paris_hour(last.sent_at) if last else ""
    return (
        f"Ce courriel est parti à {hour}\u00a0: attendez un peu pour le renvoyer." if last else ""
    )


def count_waiting() -> int:
    """Count the mails still to be sent."""
    return OutboxMail.select().where(OutboxMail.state == MailState.WAITING).count()


def count_given_up(*which: Expression) -> int:
    """Count the mails given up, of those that meet these conditions."""
    return OutboxMail.select().where(OutboxMail.state == MailState.FAILED, *which).count()


def count_retriable(*which: Expression) -> int:
    """Count the mails that `requeue` can queue again."""
    return OutboxMail.select().where(_retriable(), *which).count()


def _retriable() -> Expression:
    found: Expression = (OutboxMail.state == MailState.FAILED) & (OutboxMail.recipient != "")
    return found


def given_up(most: int | None, *which: Expression) -> list[OutboxMail]:
    """Return the mails given up that meet these conditions, the oldest first: all, or `most` of
    them."""
    lost = OutboxMail.select().where(OutboxMail.state == MailState.FAILED, *which)
    return list(lost.order_by(OutboxMail.id).limit(most))


def troubled() -> list[OutboxMail]:
    """Return the mails given up, then those that wait after a failure; the oldest first."""
    waits = (OutboxMail.state == MailState.WAITING) & (OutboxMail.last_error != "")
    return list(
        OutboxMail.select()
        .where((OutboxMail.state == MailState.FAILED) | waits)
        .order_by(OutboxMail.state, OutboxMail.id)
    )


def requeue(ids: Collection[int] | None = None, *which: Expression) -> int:
    """Queue again the mails given up that meet the conditions: all of them, or these. Returns how
    many.

    A mail whose address is erased stays given up; one past PATIENCE has a single try.
    """
    chosen = [_retriable(), *which]
    if ids is not None:
        chosen.append(OutboxMail.id.in_(list(ids)))
    with write():
        changed: int = (
            OutboxMail.update(state=MailState.WAITING, tries=0, next_try_at=clock.now())
            .where(*chosen)
            .execute()
        )
    return changed


def past_addresses() -> Expression:
    """Select the mails queued ADDRESS_KEPT ago that still hold an address."""
    old: Expression = OutboxMail.queued_at < clock.now() - ADDRESS_KEPT
    return old & (OutboxMail.recipient != "") & (OutboxMail.state != MailState.SENT)


def forget_old_addresses() -> None:
    """Give up the mails queued ADDRESS_KEPT ago, and erase their addresses."""
    late = fn.COALESCE(fn.NULLIF(OutboxMail.last_error, ""), "TooLate")
    with write():
        OutboxMail.update(state=MailState.FAILED, recipient="", last_error=late).where(
            past_addresses()
        ).execute()


def past() -> Expression:
    """Select the mails queued KEPT ago, whatever became of them."""
    return OutboxMail.queued_at <= clock.now() - KEPT


def purge() -> None:
    """Erase what is left of the mails older than KEPT: which, about what, when."""
    with write():
        ModelDelete(OutboxMail).where(past()).execute()


def _change(row: OutboxMail, **values: object) -> None:
    with write():
        OutboxMail.update(values).where(OutboxMail.id == row.id).execute()
