"""Check that the town is backed up, that backups leave this machine, and that one was tried."""

from datetime import datetime, timedelta

from kiosque import backups, db, resources
from kiosque.checkup.database import DatabaseUnreadable, reading
from kiosque.checkup.findings import Findings, Result
from kiosque.checkup.installation import Installation
from kiosque.db import leases
from kiosque.language import clock, formats
from kiosque.settings import Settings

#: A timer makes one each night, and tries one each month.
MADE_LOOK, MADE_BROKEN = timedelta(hours=30), timedelta(days=4)
TRIED_LOOK = timedelta(days=40)
_MAKE = (
    f"« {resources.typed('backup')} » dit ce qui l’empêche ; sa minuterie : « systemctl "
    "list-timers 'kiosque-backup*' » (docs/exploitation.md)."
)
_SEND = f"Voyez la commande de [backup] offsite, puis relancez « {resources.typed('backup')} »."
_SET_OFFSITE = (
    "Le disque perdu, elles le seraient aussi : donnez à [backup] offsite une commande qui les "
    "emporte (docs/exploitation.md)."
)
_CLOCKS_DIFFER = timedelta(minutes=10)
_CLOCK = (
    f"L’horloge a reculé : relancez « {resources.typed('backup')} » et "
    f"« {resources.typed('drill')} »."
)
_TRY = f"« {resources.typed('drill')} », ou sa minuterie chaque mois (docs/exploitation.md)."


def check_backups(installation: Installation) -> Result:
    found = Findings()
    try:
        with reading(installation):
            made, sent, tried = map(leases.finished_at, (backups.MADE, backups.SENT, backups.TRIED))
            since = db.created_at() or clock.now()
    except DatabaseUnreadable:
        found.unknown("la date de la dernière n’a pas pu être lue", "Voyez « Base ».")
        return found.result("Sauvegarde")
    _check_made(made, since, found)
    if installation.settings:
        _check_sent(installation.settings, made, sent, found)
    _check_tried(tried, since, found)
    return found.result("Sauvegarde")


def _check_made(made: datetime | None, since: datetime, found: Findings) -> None:
    age = clock.now() - (made or since)
    words = f"dernière il y a {formats.duration(age)}" if made else "aucune encore"
    if age < -_CLOCKS_DIFFER:
        found.look("la dernière est dans l’avenir", _CLOCK)
    elif age > MADE_BROKEN:
        found.broken(words, _MAKE)
    elif age > MADE_LOOK:
        found.look(words, _MAKE)
    else:
        found.see(words)


def _check_sent(
    settings: Settings, made: datetime | None, sent: datetime | None, found: Findings
) -> None:
    if not settings.backup.offsite:
        if settings.environment == "production":
            found.look("elles restent sur cette machine", _SET_OFFSITE)
    elif made and (sent is None or sent < made):
        found.broken("la dernière n’est pas partie de cette machine", _SEND)


def _check_tried(tried: datetime | None, since: datetime, found: Findings) -> None:
    age = clock.now() - (tried or since)
    if age < -_CLOCKS_DIFFER:
        found.look("le dernier essai est dans l’avenir", _CLOCK)
    elif tried:
        found.see(f"essayée il y a {formats.duration(age)}")
    if age > TRIED_LOOK:
        found.look("aucune n’a été essayée depuis longtemps", _TRY)
