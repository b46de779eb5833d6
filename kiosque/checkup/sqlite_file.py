"""Check an SQLite file without changing it.

Our own connections write nothing: they take the writers' lock, then give it back. The last
connection to close would move the WAL into the file; a WAL that was there before us is left.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import apsw
from peewee import OperationalError

from kiosque import db, resources
from kiosque.checkup.findings import Findings
from kiosque.language.formats import counted

#: Suffixes of the site's files: the database, SQLite's WAL and its index, the lock of writers.
BESIDE = ("", "-wal", "-shm", ".lock")
#: Time to wait for another writer.
_PATIENCE_MS = 3000
#: File systems on which a WAL cannot work: its index is memory shared by processes of one machine.
NETWORK_FILE_SYSTEMS = frozenset(
    {
        "afs", "ceph", "cifs", "fuse.glusterfs", "fuse.sshfs", "glusterfs", "lustre", "ncpfs",
        "nfs", "nfs4", "smb3", "smbfs",
    }
)  # fmt: skip
MOUNTS = Path("/proc/self/mounts")


def check_files(path: Path, found: Findings, *, live: bool) -> None:
    """Report wrong owners, wrong permissions, and a network file system."""
    there = _states(path)
    who = "le compte du site"
    closed = [file.name for file in there if _is_closed(file)]
    if not os.access(path.parent, os.R_OK | os.W_OK | os.X_OK):
        closed.append(str(path.parent))
    if closed:
        found.broken(
            f"écriture interdite à ce compte\u00a0: {', '.join(closed)}",
            f"Donnez-les au compte du site (chown), et lancez « check » sous {who}.",
        )
    if os.geteuid() == 0 and there[path].st_uid != 0:
        found.look(
            "« check » est lancé par root : les droits du site n’ont pas été vérifiés",
            f"Relancez-le sous {who} (« sudo -u »).",
        )
    owners = {state.st_uid for state in (*there.values(), path.parent.stat())}
    if len(owners) > 1:
        found.look(
            f"les fichiers de {path.parent} sont à plusieurs comptes",
            f"« chown -R » à celui du site : une commande a été lancée sous un autre que {who}.",
        )
    if live and there[path].st_mode & stat.S_IROTH and path.parent.stat().st_mode & stat.S_IXOTH:
        found.broken(
            "la base est lisible par tous les comptes de la machine",
            f"« chmod 640 {path.name} », et « chmod 750 » sur son dossier.",
        )
    kind = file_system(path)
    if kind in NETWORK_FILE_SYSTEMS:
        found.broken(
            f"la base est sur un disque du réseau ({kind})",
            "Mettez KIOSQUE_DATA sur un disque de cette machine : SQLite s’y abîmerait.",
        )


def _states(path: Path) -> dict[Path, os.stat_result]:
    """Return the state of each of the site's files that is there. SQLite's own come and go with
    its connections: each file is looked at once."""
    found = {}
    for suffix in BESIDE:
        with suppress(FileNotFoundError):
            file = Path(f"{path}{suffix}")
            found[file] = file.stat()
    return found


def _is_closed(file: Path) -> bool:
    """Return True if this account may not write to the file. Ask several times: a file that has
    just been deleted also answers no, and may be made again at once."""
    return all(not os.access(file, os.R_OK | os.W_OK) and file.exists() for _ in range(5))


def file_system(path: Path) -> str:
    """Return the type of the file system of a path, as Linux names it; empty if unknown."""
    try:
        lines = MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    # proc(5): a space is written in octal.
    mounts = [(fields[1].replace("\\040", " "), fields[2]) for fields in map(str.split, lines)]
    place = path.resolve()
    holding = [(len(where), kind) for where, kind in mounts if place.is_relative_to(where)]
    return max(holding)[1] if holding else ""


def check_content(path: Path, found: Findings, *, files_open: bool) -> bool:
    """Read the whole file and take the lock; return False if the site cannot open it."""
    try:
        with closing(_connect(path, files_open=files_open)) as connection:
            mode = connection.pragma("journal_mode")
            if mode != "wal":
                migrate = resources.typed("migrate")
                advice = f"« {migrate} » la prépare ; relancez ensuite « check »."
                found.broken(f"la base n’est pas prête (journal_mode vaut {mode})", advice)
                return False
            _check_pages(connection, found)
            _check_lock(connection, found)
    except (apsw.NotADBError, apsw.CorruptError):
        found.broken("la base est abîmée, ou n’est pas une base", _restore())
        return False
    except apsw.Error as error:
        found.broken(
            f"la base ne s’ouvre pas ({type(error).__name__})",
            "Voyez les droits du fichier et de son dossier, et la place sur le disque.",
        )
        return False
    return True


def _check_pages(connection: apsw.Connection, found: Findings) -> None:
    rows = [str(row[0]) for row in connection.execute("PRAGMA quick_check(5)")]
    if rows != ["ok"]:
        found.broken(
            f"la base est abîmée (quick_check\u00a0: {len(rows)} défauts ou plus)", _restore()
        )
    orphans = connection.execute("PRAGMA foreign_key_check").fetchall()
    if orphans:
        tables = ", ".join(sorted({str(row[0]) for row in orphans}))
        found.broken(f"{counted(len(orphans), 'ligne orpheline')} ({tables})", _restore())


def _check_lock(connection: apsw.Connection, found: Findings) -> None:
    """Take the writers' lock and give it back, so that nothing is written."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
    except apsw.BusyError:
        found.broken(
            "une autre écriture n’en finit pas",
            "Trouvez qui tient la base (« fuser -v kiosque.sqlite3 ») : une commande arrêtée à "
            "moitié, un outil ouvert dessus.",
        )
    except apsw.ReadOnlyError:
        found.broken(
            "la base ne peut pas être écrite",
            "Donnez-la au compte du site (chown), et voyez si le disque est en lecture seule.",
        )


def _connect(path: Path, *, files_open: bool) -> apsw.Connection:
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
    connection.set_busy_timeout(_PATIENCE_MS)
    connection.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 1)
    _leave_files(connection, files_open=files_open)
    return connection


def _leave_files(connection: apsw.Connection, *, files_open: bool) -> None:
    connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, int(files_open))


@contextmanager
def connected(path: Path, *, files_open: bool) -> Iterator[None]:
    """Connect to the database as the site does, to read it. Raises OperationalError.

    Refuse a file that is not in WAL mode, since connecting would change its mode.
    """
    try:
        with closing(_connect(path, files_open=files_open)) as connection:
            mode = connection.pragma("journal_mode")
    except apsw.Error as error:
        raise OperationalError(type(error).__name__) from None
    if mode != "wal":
        raise OperationalError(f"journal_mode vaut {mode}")
    with db.connection():
        _leave_files(db.database.connection(), files_open=files_open)
        yield


def describe(path: Path) -> str:
    """Return the version of SQLite and the size of the files."""
    size = sum(state.st_size for state in _states(path).values())
    megabytes = f"{size / 1_000_000:.1f}".replace(".", ",")
    return f"SQLite {apsw.sqlite_lib_version()}, {megabytes}\u00a0Mo"


def _restore() -> str:
    return (
        "Ne remplacez aucun fichier à la main. Arrêtez le site et ses minuteries, puis "
        f"« {resources.typed('restore')} SAUVEGARDE », qui garde de côté ce qu’elle remplace."
    )
