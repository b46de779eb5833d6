"""Copy a town's database aside before its tables are changed, and put it back. `steps` runs this as
the town's own account, with its settings, while nobody else uses the database. A backup does more,
but needs the present tables; here they may be of any earlier version.

`python -m kiosque.upgrade.copies save NAME` prints where the copy is, then how much money had left
there; `put-back FILE`; `count`.
"""

import os
import sys
from pathlib import Path

import apsw

from kiosque import db
from kiosque.backups import databases
from kiosque.settings import Settings, loading

#: Rows are only ever added to these tables.
_MONEY = "SELECT (SELECT COUNT(*) FROM journal_entry) + (SELECT COUNT(*) FROM attempt)"


def main(what: str, argument: str = "") -> None:
    settings = loading.load(os.environ)
    if what == "save":
        print(save(settings, argument))
    elif what == "put-back":
        restore_copy(settings, Path(argument))
        return
    print(count(settings))


def save(settings: Settings, name: str) -> Path:
    """Copy the database under `upgrade/` of KIOSQUE_DATA, whole or not at all; an earlier copy of
    that name is replaced."""
    folder = settings.data / "upgrade"
    folder.mkdir(mode=0o700, exist_ok=True)
    file, draft = folder / name, folder / f"{name}.part"
    draft.unlink(missing_ok=True)
    try:
        _copy(settings, draft)
    except BaseException:
        draft.unlink(missing_ok=True)  # free the room, which the site needs
        raise
    draft.replace(file)
    return file


def _copy(settings: Settings, draft: Path) -> None:
    if settings.on_postgresql:
        databases.dump(settings.database, draft)
        return
    base = apsw.Connection(str(settings.database_path), flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        base.execute("VACUUM INTO ?", (str(draft),))
    except apsw.FullError:
        sys.exit("Erreur : la base n’a pas pu être copiée : le disque est plein.")
    finally:
        base.close()
    _sync(draft)


def restore_copy(settings: Settings, file: Path) -> None:
    """Put a copy in place of the database. Move SQLite's old file aside with its `-wal` and `-shm`:
    beside another database, the `-wal` would wreck it."""
    if settings.on_postgresql:
        db.configure(settings.database_location)
        with db.connection():
            db.database.erase()
        databases.load(file, settings.database)
        return
    base, draft = settings.database_path, Path(f"{file}.part")
    draft.write_bytes(file.read_bytes())
    _sync(draft)
    for suffix in ("-wal", "-shm", ""):
        if (old := Path(f"{base}{suffix}")).exists():
            old.replace(f"{file}-replaced{suffix}")
    draft.replace(base)


def count(settings: Settings) -> int:
    """Count the journal entries and the payment attempts in the database."""
    db.configure(settings.database_location)
    with db.connection():
        return int(db.database.execute_sql(_MONEY).fetchone()[0])


def _sync(file: Path) -> None:
    with file.open("rb") as written:
        os.fsync(written.fileno())


if __name__ == "__main__":
    main(*sys.argv[1:])
