"""Tell the town's technical address once what breaks, then that it is over; each week, that all is
well.

The mail goes straight to the server (`mails.direct`), and what was told is kept in a file
(`monitoring.memory`), since the outbox or the database may be what is broken. If that file cannot
be written, what is broken is told once a day. `alert_mails` writes the mail.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from kiosque.checkup import alert_mails, news, runner
from kiosque.checkup.findings import Result
from kiosque.checkup.installation import Installation, survey
from kiosque.checkup.news import News
from kiosque.language import clock
from kiosque.mails import direct
from kiosque.monitoring import memory
from kiosque.monitoring.memory import Memory

#: Seconds after which a trouble is checked again before it is told: a bank may fail for a moment.
PAUSE_SECONDS = 20.0


class NobodyToTell(Exception):
    """No address, or no mail server, can be read in the settings."""


def alert(environ: Mapping[str, str], *, pause: float = PAUSE_SECONDS) -> News:
    """Check everything, and mail what has changed since it was last told. Return it.

    Raises NobodyToTell or direct.NotSent: nothing is then recorded as told.
    """
    installation = survey(environ)
    results = runner.run(environ)
    if news.compare(installation, results, memory.read(installation.data)).fresh:
        time.sleep(pause)
        results = runner.run(environ)
    told: list[News] = []

    def tell(before: Memory) -> Memory:
        found = news.compare(installation, results, before)
        told.append(found)
        if found.is_due:
            _mail(installation, results, found)
        return _after(before, results, found)

    try:
        memory.change(installation.data, tell)
    except OSError:
        if not told:
            return _tell_unremembered(installation, results)
    return told[0]


def _tell_unremembered(installation: Installation, results: Sequence[Result]) -> News:
    """Tell what is wrong at one hour of the day only, since it cannot be recorded as told."""
    found = news.compare(installation, results, memory.read(installation.data))
    if not news.is_daily_hour():
        return News({}, {}, found.still, weekly=False)
    if found.is_due:
        _mail(installation, results, found)
    return found


def _mail(installation: Installation, results: Sequence[Result], found: News) -> None:
    if not (installation.mail and installation.technical_email):
        raise NobodyToTell
    message = alert_mails.write(installation, results, found)
    direct.send(installation.mail, installation.data, message)


def _after(before: Memory, results: Sequence[Result], found: News) -> Memory:
    """Return the memory once the news is told."""
    ends: list[datetime] = [it.certificate_ends_at for it in results if it.certificate_ends_at]
    return replace(
        before,
        told={**found.still, **found.fresh},
        checked_at=clock.now(),
        certificate_ends_at=ends[0] if ends else before.certificate_ends_at,
        weekly_on=clock.today() if found.weekly else before.weekly_on,
    )
