"""Check our clock against those of the banks, and Paris time."""

import http.client
from collections.abc import Iterator
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from importlib.metadata import version

from kiosque.checkup import http_client
from kiosque.checkup.findings import Findings, Result
from kiosque.checkup.installation import Installation
from kiosque.language import clock, formats

#: A machine that asks the time of the network is within a tenth of a second; a bank's `Date`
#: counts whole seconds.
LOOK_SECONDS = 10
#: Lyra refuses a form whose `vads_trans_date` is more than about half an hour off (error 04), and
#: we ourselves a result of PayFiP's that is ten minutes older than its payment.
BROKEN_SECONDS = 600
_SET = (
    "Mettez l’horloge à l’heure du réseau : « timedatectl set-ntp true », puis « timedatectl » "
    "(System clock synchronized: yes)."
)


def check_clock(installation: Installation) -> Result:
    found = Findings()
    _check_paris(found)
    offsets = list(_offsets(installation))
    for host, off in offsets[:1]:
        found.see(f"{_seconds(off)} d’écart avec {host}")
    for host, off in offsets:
        way = "en avance" if off > 0 else "en retard"
        words = f"horloge {way} de {_seconds(abs(off))} sur celle de {host}"
        if abs(off) >= BROKEN_SECONDS:
            found.broken(f"{words}\u00a0: la banque refuserait les paiements", _SET)
        elif abs(off) >= LOOK_SECONDS:
            found.look(words, _SET)
    if not offsets:
        found.unknown("aucune banque ne donne l’heure", f"Voyez « Banque ». {_SET}")
    return found.result("Horloge")


def _check_paris(found: Findings) -> None:
    """Report a time zone file that is missing or false: every payment would be dated wrongly."""
    winter, summer = (datetime(2026, month, 1, 12, tzinfo=clock.PARIS) for month in (1, 7))
    if (winter.utcoffset(), summer.utcoffset()) != (timedelta(hours=1), timedelta(hours=2)):
        found.broken(
            "l’heure de Paris est fausse sur cette machine",
            "Réinstallez les fuseaux : « .venv/bin/pip install -r requirements.txt » (tzdata).",
        )
    found.see(f"{formats.paris_hour(clock.now())} à Paris (tzdata {version('tzdata')})")


def _offsets(installation: Installation) -> Iterator[tuple[str, float]]:
    """Yield (host, seconds by which we are ahead) for each bank that gives the time.

    The bank in force comes first.
    """
    names = sorted(installation.gateways, key=lambda name: name not in installation.in_force)
    for origin in dict.fromkeys(installation.gateways[name].form_origin for name in names):
        try:
            reply = http_client.ask("HEAD", f"{origin}/", seconds=5, network=installation.network)
            theirs = parsedate_to_datetime(reply.header("Date"))
        except (OSError, http.client.HTTPException, ValueError, TypeError):
            continue
        ours = reply.asked_at + (reply.told_at - reply.asked_at) / 2
        # `Date` is cut to the second: half a second late on average.
        off = (ours - theirs).total_seconds() - 0.5
        yield origin.partition("://")[2], off


def _seconds(off: float) -> str:
    seconds = abs(off)
    if seconds < 2:
        return "moins de 2 s"
    if seconds < 120:
        return f"{seconds:.0f}\u00a0s"
    minutes = seconds / 60
    return f"{minutes:.0f}\u00a0min" if minutes < 120 else f"{minutes / 60:.0f}\u00a0h"
