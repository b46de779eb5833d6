"""Check the free space of the disks that are written to."""

import os
import tempfile
from pathlib import Path

from kiosque.checkup.findings import Findings, Result
from kiosque.checkup.installation import Installation
from kiosque.db.sqlite import MINIMUM_FREE_BYTES
from kiosque.monitoring import memory

#: Below this, `/sante` answers 503.
BROKEN_BYTES = MINIMUM_FREE_BYTES
#: Below this, or twice the database, there may be no room for a month of work and a backup.
LOOK_BYTES = 500 * 1024 * 1024
#: Share of a file system's inodes below which to report.
LOOK_INODES, BROKEN_INODES = 0.05, 0.01
LOGS = Path("/var/log")
_ROOM = (
    "Faites de la place : vieilles sauvegardes, journaux (« journalctl --vacuum-size=200M », "
    "logrotate), ou agrandissez le disque."
)
_MEMORY = (
    "Ce qui a été dit par courriel ne peut pas être retenu : rendez le dossier et ce fichier au "
    "compte de la ville, ou effacez le fichier (docs/exploitation.md)."
)
_FILES = "Supprimez les dossiers qui contiennent le plus de petits fichiers (« du --inodes -x / »)."


def check_disk(installation: Installation) -> Result:
    """Report the space left for data, temporary files and logs, once for each file system."""
    found, base = Findings(), installation.database_path
    places = {
        "données": installation.data,
        "base": base.parent if base else installation.data,
        "fichiers temporaires": Path(tempfile.gettempdir()),
        "journaux": LOGS,
    }
    wanted = max(LOOK_BYTES, 2 * base.stat().st_size if base and base.exists() else 0)
    seen: set[int] = set()
    for name, path in places.items():
        if path.is_dir() and (device := path.stat().st_dev) not in seen:
            seen.add(device)
            _check_one(name, path, wanted, found)
    if installation.data.is_dir() and (why := memory.refusal(installation.data)):
        found.broken(f"{installation.data / memory.NAME} ne s’écrit pas ({why})", _MEMORY)
    return found.result("Disque")


def _check_one(name: str, path: Path, wanted: int, found: Findings) -> None:
    state = os.statvfs(path)
    free = state.f_bavail * state.f_frsize
    found.see(f"{name} : {_size(free)} libres")
    if state.f_flag & os.ST_RDONLY:
        found.broken(
            f"{name} : disque en lecture seule ({path})",
            "Voyez « dmesg » : un disque malade est souvent remonté ainsi par le système.",
        )
    if free < BROKEN_BYTES:
        found.broken(f"{name} : disque plein ({path})", _ROOM)
    elif free < wanted:
        found.look(f"{name} : plus que {_size(free)} ({path})", _ROOM)
    # A file system without a fixed number of inodes gives 0.
    left = state.f_favail / state.f_files if state.f_files else 1.0
    if left < BROKEN_INODES:
        found.broken(f"{name} : plus d’inodes, aucun fichier ne peut être créé ({path})", _FILES)
    elif left < LOOK_INODES:
        found.look(f"{name} : bientôt plus d’inodes ({path})", _FILES)


def _size(count: float) -> str:
    for unit, size in (("To", 1e12), ("Go", 1e9)):
        if count >= size:
            return f"{count / size:.1f}\u00a0{unit}".replace(".", ",")
    return f"{count / 1e6:.0f}\u00a0Mo"
