"""The chores of the timers, each one function: the command of its name and the demo call it.

Each is safe to call at any moment and twice at once.
"""

from collections.abc import Callable
from functools import partial

from peewee import DatabaseError

from kiosque import db, payments
from kiosque.db import leases
from kiosque.families import own_changes, requests, security_log, sessions, throttle, tokens
from kiosque.invoices import announcements
from kiosque.invoices.imports import undo_log
from kiosque.invoices.uploads import inbox, processing, storing
from kiosque.mails import delivery
from kiosque.outbox import queue
from kiosque.payments import reconcile
from kiosque.privacy import merging
from kiosque.settings import Settings, loading
from kiosque.staff import events, invitations
from kiosque.staff import sessions as staff_sessions

#: The commands to call each minute; each keeps under its name the time of its last run (`leases`).
EACH_MINUTE = (reconcile.LEASE, delivery.LEASE)


def ask_banks(settings: Settings, *, seconds: float = reconcile.RUN_SECONDS) -> reconcile.Summary:
    """Ask the banks about every payment without a final answer, for `seconds` at most.

    Raises ConfigError when a gateway's settings are wrong.
    """
    gateways = loading.gateways_of(settings)
    issuers = payments.Issuers.from_settings(settings)
    return reconcile.run(gateways, settings.public_url, issuers, seconds=seconds)


def send_mail(
    settings: Settings, *, stopped: Callable[[], bool] = lambda: False
) -> tuple[int, int]:
    """Erase what has passed its time, load the files that wait, queue the notices that are due,
    send the mails that wait.

    Return (sent, failed). Stop between two mails once `stopped()` is true. An error in an earlier
    step is raised only after the mails have been sent.
    """
    before = (
        *_ERASERS,
        own_changes.answer_resets,
        partial(inbox.take, settings),
        partial(processing.run, settings),
        partial(announcements.queue_due, settings),
    )
    errors = [error for step in before if (error := _error_of(step))]
    counts = delivery.deliver(settings, stopped=stopped)
    leases.note_done(delivery.LEASE)
    if errors:
        raise errors[0]
    return counts


#: Erasers of rows that are kept for a time only.
_ERASERS = (
    payments.forget_old_addresses,
    payments.forget_refused_messages,
    queue.forget_old_addresses,
    sessions.purge,
    throttle.purge,
    tokens.purge,
    security_log.purge,
    requests.purge,
    staff_sessions.purge,
    invitations.purge,
    events.purge,
    undo_log.purge,
    storing.purge,
    merging.purge,
)


def _error_of(step: Callable[[], object]) -> Exception | None:
    """Do a step, and return its error. Raise instead if the database does not answer, since nothing
    else can be done either."""
    try:
        step()
    except Exception as error:
        if isinstance(error, DatabaseError) and not isinstance(error, db.OUR_FAULTS):
            raise
        return error
    return None
