"""The checks run side by side, each in a thread that is left alone at one deadline; whatever
happens in one, the others tell what they found."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from gateways.base import ConfigError
from kiosque.checkup import (
    bank_pages,
    clocks,
    database,
    disk,
    notification,
    public_address,
    settings,
    smtp,
    timers,
)
from kiosque.checkup.findings import Level, Result, Trouble
from kiosque.checkup.installation import Ground, survey

Check = Callable[[Ground], Result]
#: In the order they are told, what the later ones need first; then each bank's.
CHECKS: Mapping[str, Check] = {
    "Réglages": settings.settings,
    "Clés": settings.keys,
    "Horloge": clocks.check,
    "Base": database.check,
    "Comptes": database.books,
    "Disque": disk.check,
    "Courriel": smtp.check,
    "Minuteries": timers.check,
    "Adresse publique": public_address.check,
}
#: For all of them together. Each wait on the network has a shorter bound of its own.
SECONDS = 40.0


@dataclass
class _Run:
    """One check under way."""

    subject: str
    thread: threading.Thread = field(init=False)
    result: Result | None = None


def run(environ: Mapping[str, str], *, seconds: float = SECONDS) -> Sequence[Result]:
    """Look at everything, for `seconds` at most. Raises nothing."""
    try:
        ground = survey(environ)
    except Exception as error:  # noqa: BLE001  # a stranger's adapter may raise anything
        return [_failed("Réglages", error)]
    with contextlib.suppress(ConfigError):  # told by the check of the base
        database.configure(ground)
    end = time.monotonic() + seconds
    runs = [_start(subject, check, ground) for subject, check in _checks(ground)]
    for each in runs:
        each.thread.join(max(end - time.monotonic(), 0))
    return [each.result or _too_slow(each.subject, seconds) for each in runs]


def _checks(ground: Ground) -> Iterator[tuple[str, Check]]:
    yield from CHECKS.items()
    for subject, check in (("Notification", notification.check), ("Banque", bank_pages.check)):
        for name in ground.gateways:
            yield f"{subject} {name}", partial(check, name=name)


def fails(results: Sequence[Result], *, strict: bool) -> bool:
    """Whether a script should stop: something is broken; with `strict`, or is not good."""
    least = Level.UNKNOWN if strict else Level.BROKEN
    return any(result.level >= least for result in results)


def _start(subject: str, check: Check, ground: Ground) -> _Run:
    under_way = _Run(subject)

    def work() -> None:
        try:
            under_way.result = check(ground)
        except Exception as error:  # noqa: BLE001  # the others still have something to say
            under_way.result = _failed(subject, error)

    under_way.thread = threading.Thread(target=work, name=f"check {subject}", daemon=True)
    under_way.thread.start()
    return under_way


def _failed(subject: str, error: Exception) -> Result:
    """Without the error's own words, which may hold a secret."""
    what = f"la vérification elle-même échoue ({type(error).__name__})"
    return Result(subject, "", (Trouble(Level.BROKEN, what, "Signalez-le : c’est un défaut."),))


def _too_slow(subject: str, seconds: float) -> Result:
    what = f"pas de réponse en {seconds:.0f}\u00a0s"
    advice = "Relancez ; si cela dure, la machine ou le réseau est trop lent, ou bloqué."
    return Result(subject, "", (Trouble(Level.BROKEN, what, advice),))
