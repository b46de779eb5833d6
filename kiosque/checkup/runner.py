"""Run the checks side by side, each in a thread abandoned at one common deadline.

Whatever happens in one, the others report what they found.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from gateways.base import ConfigError
from kiosque.checkup import (
    backups,
    banks,
    clocks,
    database,
    disk,
    notification,
    public_address,
    services,
    settings,
    smtp,
    timers,
)
from kiosque.checkup.findings import Level, Result, Trouble
from kiosque.checkup.installation import Installation, survey

Check = Callable[[Installation], Result]
#: In the order of the report: the causes before their consequences. Those of each bank come after.
CHECKS: Mapping[str, Check] = {
    "Réglages": settings.check_settings,
    "Clés": settings.check_keys,
    "Horloge": clocks.check_clock,
    "Base": database.check_database,
    "Comptes": database.check_books,
    "Disque": disk.check_disk,
    "Courriel": smtp.check_smtp,
    "Services": services.check_services,
    "Minuteries": timers.check_timers,
    "Sauvegarde": backups.check_backups,
    "Adresse publique": public_address.check_public_address,
}
#: Deadline of all checks together. Each wait on the network has a shorter one of its own.
SECONDS = 40.0


@dataclass
class _Run:
    """One check in progress."""

    subject: str
    thread: threading.Thread = field(init=False)
    result: Result | None = None


def run(environ: Mapping[str, str], *, seconds: float = SECONDS) -> Sequence[Result]:
    """Run every check, for `seconds` at most, and return their results. Raises nothing."""
    try:
        installation = survey(environ)
    except Exception as error:  # noqa: BLE001  # a stranger's adapter may raise anything
        return [_failed("Réglages", error)]
    with contextlib.suppress(ConfigError):  # reported by the check of the database
        database.configure(installation)
    end = time.monotonic() + seconds
    runs = [_start(subject, check, installation) for subject, check in _checks(installation)]
    for each in runs:
        each.thread.join(max(end - time.monotonic(), 0))
    return [each.result or _too_slow(each.subject, seconds) for each in runs]


def _checks(installation: Installation) -> Iterator[tuple[str, Check]]:
    yield from CHECKS.items()
    for subject, check in (
        ("Notification", notification.check_notification),
        ("Banque", banks.check_bank),
    ):
        for name in installation.gateways:
            yield f"{subject} {name}", partial(check, name=name)


def fails(results: Sequence[Result], *, strict: bool) -> bool:
    """Return True if a script should stop: something is broken or, with `strict`, not good."""
    least = Level.UNKNOWN if strict else Level.BROKEN
    return any(result.level >= least for result in results)


def _start(subject: str, check: Check, installation: Installation) -> _Run:
    under_way = _Run(subject)

    def work() -> None:
        try:
            under_way.result = check(installation)
        except Exception as error:  # noqa: BLE001  # the others still have something to say
            under_way.result = _failed(subject, error)

    under_way.thread = threading.Thread(target=work, name=f"check {subject}", daemon=True)
    under_way.thread.start()
    return under_way


def _failed(subject: str, error: Exception) -> Result:
    """Report a check that raised, without the text of its error, which may hold a secret."""
    what = f"la vérification elle-même échoue ({type(error).__name__})"
    trouble = Trouble(Level.BROKEN, what, "Signalez-le : c’est un défaut.")
    return Result(subject, "", (trouble,), whole=False)


def _too_slow(subject: str, seconds: float) -> Result:
    what = f"pas de réponse en {seconds:.0f}\u00a0s"
    advice = "Relancez ; si cela dure, la machine ou le réseau est trop lent, ou bloqué."
    return Result(subject, "", (Trouble(Level.BROKEN, what, advice),), whole=False)
