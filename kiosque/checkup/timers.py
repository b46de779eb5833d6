"""Check that the timers run, and that no mail waits for too long."""

from datetime import datetime, timedelta

from peewee import fn

from kiosque import chores, db, privacy, resources
from kiosque.checkup.database import DatabaseUnreadable, reading
from kiosque.checkup.findings import Findings, Result
from kiosque.checkup.installation import Installation
from kiosque.db import leases
from kiosque.db.models import OutboxMail
from kiosque.db.states import MailState
from kiosque.language import clock, formats
from kiosque.language.formats import counted
from kiosque.mails import rendering
from kiosque.monitoring import memory
from kiosque.outbox import queue

#: Greatest age of the last run; a chore is called each minute, and may take one.
LOOK_AFTER = timedelta(minutes=10)
BROKEN_AFTER = timedelta(hours=2)
#: Greatest age of the last run of a nightly chore.
NIGHTLY_LOOK, NIGHTLY_BROKEN = timedelta(hours=30), timedelta(days=4)
#: Greatest age of a waiting mail, which somebody awaits; then of a notice, which may wait for the
#: morning and its turn.
MAIL_AFTER = timedelta(hours=1)
NOTICE_AFTER = timedelta(days=1)


def check_timers(installation: Installation) -> Result:
    found = Findings()
    nightly = {"verify": memory.read(installation.data).verified_at}
    try:
        with reading(installation):
            nightly[privacy.LEASE] = leases.finished_at(privacy.LEASE)
            for command in chores.EACH_MINUTE:
                _check_timer(command, leases.finished_at(command), found)
            for command, finished in nightly.items():
                _check_timer(command, finished, found, nightly=True)
            _check_outbox(found)
    except DatabaseUnreadable:
        found.unknown("les minuteries n’ont pas pu être lues", "Voyez « Base ».")
    return found.result("Minuteries")


def _check_timer(
    command: str, finished: datetime | None, found: Findings, *, nightly: bool = False
) -> None:
    often = "chaque nuit" if nightly else "chaque minute"
    advice = (
        f"Créez ou relancez la minuterie qui appelle « {resources.typed(command)} » {often} "
        "(« systemctl list-timers 'kiosque-*' », « journalctl -u » son service), sous le compte "
        "du site."
    )
    words = f"{command} jamais mené à son terme"
    since = finished or db.created_at() or clock.now()
    age = clock.now() - since
    if finished:
        words = f"dernier {command} il y a {formats.duration(age)}"
    # One that is new with a version has no past: that alone must not undo the upgrade.
    if age > (NIGHTLY_BROKEN if nightly else BROKEN_AFTER) and (finished or not nightly):
        found.broken(words, advice)
    elif age > (NIGHTLY_LOOK if nightly else LOOK_AFTER):
        found.look(words, advice)
    elif age < -LOOK_AFTER:
        found.look(f"dernier {command} dans l’avenir", "Voyez « Horloge » : elle a reculé.")
    else:
        found.see(words)


def _check_outbox(found: Findings) -> None:
    now = clock.now()
    wanted = _waiting_since(now - MAIL_AFTER, optional=False)
    notices = _waiting_since(now - NOTICE_AFTER, optional=True)
    mails = resources.typed("mails")
    advice = f"« {mails} » dit pourquoi, et comment les renvoyer (docs/mail.md)."
    if late := wanted + notices:
        found.look(f"{counted(late, 'courriel')} en attente depuis trop longtemps", advice)
    if lost := queue.count_given_up():
        found.look(counted(lost, "courriel abandonné"), advice)
    if not late and not lost:
        found.see(f"{counted(queue.count_waiting(), 'courriel')} en attente")


def _waiting_since(before: datetime, *, optional: bool) -> int:
    which = OutboxMail.template.in_(list(rendering.OPTIONAL))
    found: int = (
        OutboxMail.select(fn.COUNT(OutboxMail.id))
        .where(
            OutboxMail.state == MailState.WAITING,
            OutboxMail.queued_at < before,
            which if optional else ~which,
        )
        .scalar()
    )
    return found
