"""The time between a backup and its restoration, of which the database knows nothing.

The numbers of receipts issued in that time must not be given again. The banks are asked about the
payments opened before it; the régisseur looks for those opened in it. Families are warned until the
régisseur says that all the payments of a bank are entered.
"""

import math
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta

from peewee import fn

from kiosque.db import leases, require_write
from kiosque.db.models import (
    Anomaly,
    Attempt,
    Deposit,
    DepositGap,
    Family,
    Invoice,
    ReceiptGap,
    Restoration,
)
from kiosque.db.prepared import PreparedQuery
from kiosque.db.states import AnomalyKind
from kiosque.language import clock, formats
from kiosque.language.formats import receipt_title
from kiosque.payments.anomalies import flag_anomaly
from kiosque.payments.queries import last_receipt_number
from kiosque.payments.receipts import Issuers
from kiosque.settings import Settings

#: A payment opened less than this before the backup may have ended after it.
_STILL_OPEN = timedelta(days=3)
#: Receipts that an hour may bring: at least so many, and so many a family if that is more. Both are
#: more than any town has seen.
_AN_HOUR, _AN_HOUR_AND_FAMILY = 1000, 1
#: Numbering goes on after a multiple of this, so that a reader sees that something happened.
_ROUND = 1000


def note_restoration(
    settings: Settings,
    backup_at: datetime,
    known: Mapping[str, int],
    skipped: Mapping[str, tuple[int, datetime]] | None = None,
) -> None:
    """Mark the database as restored, as it was at `backup_at`. By sequence, `known` is the last
    receipt number of the database that it replaces, as far as known; `skipped` is the last number
    that earlier restorations of that database skipped, and when. Belongs inside `write()`."""
    require_write()
    now = clock.now()
    restoration = Restoration.create(backup_at=backup_at, restored_at=now)
    of_invoices = {each.regie for each in Invoice.select(Invoice.regie).distinct()}
    skipped = skipped or {}
    for sequence in sorted({"", *settings.regies, *known, *skipped, *of_invoices}):
        _leave_gap(restoration, sequence, known.get(sequence, 0), skipped.get(sequence))
    for regie in sorted({"", *settings.regies, *of_invoices}):
        _ask_last_deposit(restoration, regie)
    Attempt.update(ask_at=now).where(
        Attempt.ask_at.is_null(False) | (Attempt.started_at > backup_at - _STILL_OPEN)
    ).execute()
    for gateway in settings.gateways:
        _tell(settings, restoration, gateway)


def _leave_gap(
    restoration: Restoration, sequence: str, known: int, skipped: tuple[int, datetime] | None
) -> None:
    """Skip the receipt numbers that may have been given in the time lost: up to the last one known,
    and at least so many an hour since the backup, since that database may be lost too. If that
    database had itself been restored, count on from the numbers that it had skipped."""
    last, now = last_receipt_number(sequence), restoration.restored_at
    beyond = max(last + _most_given(restoration.backup_at, now), known)
    if skipped:
        beyond = max(beyond, skipped[0] + _most_given(skipped[1], now))
    ReceiptGap.create(
        restoration=restoration,
        sequence=sequence,
        first=last + 1,
        last=math.ceil(beyond / _ROUND) * _ROUND,
    )


def _ask_last_deposit(restoration: Restoration, regie: str) -> None:
    """Ask which deposit was the last of each year of the time lost: the *comptable* may have its
    paper, and its number must not be given again."""
    years = (clock.paris_date(at).year for at in (restoration.backup_at, restoration.restored_at))
    first, last = years
    for year in range(first, last + 1):
        of_year = Deposit.regie == regie, Deposit.year == year
        known = Deposit.select(fn.MAX(Deposit.number)).where(*of_year).scalar() or 0
        gaps = DepositGap.regie == regie, DepositGap.year == year
        lost = DepositGap.select(fn.MAX(DepositGap.last)).where(*gaps).scalar() or 0
        DepositGap.create(
            restoration=restoration, regie=regie, year=year, first=max(known, lost) + 1
        )


def _most_given(since: datetime, until: datetime) -> int:
    """Return how many receipts at most were given in a time, which counts as an hour at least."""
    hours = math.ceil((until - since) / timedelta(hours=1))
    an_hour = max(_AN_HOUR, _AN_HOUR_AND_FAMILY * Family.select().count())
    return an_hour * max(hours, 1)


def _tell(settings: Settings, restoration: Restoration, gateway: str) -> None:
    """Ask the régisseur to look for the lost payments in this bank's own records."""
    regie = Issuers.from_settings(settings).regie_of_gateway(gateway)
    since, until = map(formats.long_instant, (restoration.backup_at, restoration.restored_at))
    flag_anomaly(
        f"restored:{restoration.id}:{gateway}",
        AnomalyKind.RESTORED,
        0,
        f"base rétablie : paiements du {since} au {until} à chercher à la banque {gateway} ; "
        f"prochain reçu {receipt_title(last_receipt_number(regie) + 1, regie)}",
        regie=regie,
        gateway=gateway,
    )


def to_list(gateway: str) -> list[Anomaly]:
    """Return the open anomalies about a lost time for which this bank has not yet listed what it
    did, the oldest first."""
    every = Anomaly.select().where(
        Anomaly.gateway == gateway,
        Anomaly.kind == AnomalyKind.RESTORED,
        Anomaly.resolved_at.is_null(),
    )
    return [
        each for each in every.order_by(Anomaly.id) if leases.finished_at(_listing(each)) is None
    ]


def note_listed(point: Anomaly) -> None:
    """Note that the bank has listed all that it did in the lost time of this anomaly."""
    leases.note_done(_listing(point))


def time_of(point: Anomaly) -> tuple[datetime, datetime]:
    """Return the time to ask a bank about: it begins before the backup, since payments begun then
    may have ended after it."""
    number = int(point.key.split(":")[1])
    restoration = Restoration.get_by_id(number)
    return restoration.backup_at - _STILL_OPEN, restoration.restored_at


def _listing(point: Anomaly) -> str:
    return f"list:{point.key}"


def lost_times() -> dict[str, tuple[datetime, datetime]]:
    """Return the lost time of each gateway, as long as the payments made in it are not all entered:
    from the oldest backup to the last restoration."""
    times = {number: (since, until) for number, since, until in _RESTORATIONS.rows()}
    found: dict[str, tuple[datetime, datetime]] = {}
    for gateway, key in _OPEN.rows() if times else ():
        since, until = times[int(key.split(":")[1])]
        known = found.get(gateway, (since, until))
        found[gateway] = min(since, known[0]), max(until, known[1])
    return found


def lost_time_of(
    invoices: Iterable[tuple[str | None, date]],
) -> tuple[datetime, datetime] | None:
    """Return the lost time in which one of these invoices may have been paid without our knowing
    it, or None. Each invoice is given as the name of its gateway and the day it was issued."""
    lost = lost_times()
    found = [
        lost[gateway]
        for gateway, issued_on in invoices
        if gateway in lost and issued_on <= clock.paris_date(lost[gateway][1])
    ]
    if not found:
        return None
    return min(since for since, _ in found), max(until for _, until in found)


_RESTORATIONS = PreparedQuery(
    lambda: Restoration.select(Restoration.id, Restoration.backup_at, Restoration.restored_at)
)
_OPEN = PreparedQuery(
    lambda: Anomaly.select(Anomaly.gateway, Anomaly.key).where(
        Anomaly.resolved_at.is_null(), Anomaly.kind == AnomalyKind.RESTORED
    )
)
