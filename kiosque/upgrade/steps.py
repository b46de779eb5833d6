"""The steps of an upgrade, each undone if a later one fails.

The towns' sites are stopped meanwhile: families read that the site is in maintenance, and a bank
sends its messages again. Each step done is written in `upgrade.json` beside the versions, so that
`back` can also undo an interrupted upgrade.
"""

import json
import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from kiosque.upgrade.machine import Failed, InstalledTown, Machine, Version

Say = Callable[[str], None]
_COPIES = ("-m", "kiosque.upgrade.copies")


@dataclass
class Saved:
    """A town's database before the upgrade: its copy, the `count` of its rows about money, and the
    town's backup if the earlier version makes them."""

    copy: str
    money: int
    backup: str = ""


@dataclass
class UpgradeRecord:
    """The course of an upgrade, in a file, for whoever must undo it. `served` names the towns whose
    site was open; `saved` gives the copy of each database that may have been changed."""

    old: str
    new: str
    served: list[str]
    saved: dict[str, Saved] = field(default_factory=dict)
    ended: bool = False

    @staticmethod
    def file(machine: Machine) -> Path:
        return machine.versions / "upgrade.json"

    @classmethod
    def read(cls, machine: Machine) -> "UpgradeRecord | None":
        try:
            told = json.loads(cls.file(machine).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        saved = {name: Saved(**each) for name, each in told.pop("saved").items()}
        return cls(**told, saved=saved)

    def write(self, machine: Machine) -> None:
        draft = self.file(machine).with_suffix(".part")
        with draft.open("w", encoding="utf-8") as file:
            json.dump(asdict(self), file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.file(machine))


def upgrade(machine: Machine, name: str, say: Say) -> None:
    """Pass every town to a version that is installed already. Raise Failed with the reason; the
    earlier version is then in force again, with the databases as they were."""
    old, new = machine.in_force, machine.version(name)
    if (last := UpgradeRecord.read(machine)) and not last.ended:
        raise Failed("Une mise à jour s’est interrompue : « kiosque upgrade --back » d’abord.")
    if old.folder == new.folder:
        raise Failed(f"La version {name} est déjà en service.")
    towns = machine.towns()
    backups = _look_before(old, new, towns, say)
    well = {town.name: _well(town, old) for town in towns}
    record = UpgradeRecord(old.name, new.name, [it.name for it in towns if machine.serves(it.name)])
    record.write(machine)
    # A terminal that closes interrupts nothing; SIGTERM ends it as Ctrl-C does.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        _go(machine, record, well, backups, say)
        _open(machine, record, well, say)
    except BaseException as error:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        say(f"Retour à la version {old.name}...")
        undone = _undo(machine, record, towns)
        if isinstance(error, Failed):
            raise Failed(f"{error}\n{undone}") from None
        raise
    record.ended = True
    record.write(machine)
    say(f"La version {new.name} est en service.")


def _look_before(
    old: Version, new: Version, towns: list[InstalledTown], say: Say
) -> dict[str, str]:
    """Look for what would fail later, before anything is changed, and make a backup of each
    town, if the earlier version can. Return the backups by town. Raise Failed."""
    backups = {}
    for town in towns:
        say(f"{town.name} : réglages, sauvegarde...")
        if "/srv/kiosque/" in town.settings.read_text(encoding="utf-8"):
            raise Failed(
                f"{town.settings} nomme un fichier de /srv/kiosque, où il n’y a que le programme : "
                f"mettez-le dans {town.data}, ou dans /etc/kiosque, et écrivez où."
            )
        town.must(new, "-c", "import app; app.create_app()")
        if (old.folder / "kiosque" / "backups").is_dir():
            backups[town.name] = town.must(old, "app.py", "backup").splitlines()[-1]
            say(backups[town.name])
    return backups


def _go(
    machine: Machine,
    record: UpgradeRecord,
    well: Mapping[str, set[str]],
    backups: Mapping[str, str],
    say: Say,
) -> None:
    """Stop the sites, copy the databases and change them, put the new version in force."""
    new, towns = machine.version(record.new), machine.towns()
    for name in record.served:
        machine.stop(new, name)
    for town in towns:
        say(f"{town.name} : copie de la base...")
        copy, money = town.must(new, *_COPIES, "save", f"before-{new.name}").split("\n")[:2]
        record.saved[town.name] = Saved(copy, int(money), backups.get(town.name, ""))
        record.write(machine)
    for town in towns:
        say(f"{town.name} : migrations...")
        town.must(new, "app.py", "migrate")
        if "Comptes" in well[town.name]:
            town.must(new, "app.py", "verify")
    machine.install(new, "--switch", new.name)


def _open(machine: Machine, record: UpgradeRecord, well: Mapping[str, set[str]], say: Say) -> None:
    """Start the sites. Raise Failed if something is broken that was not before."""
    new = machine.version(record.new)
    for name in record.served:
        machine.start(new, name)
    for town in machine.towns():
        say(f"{town.name} : vérification...")
        found = town.broken_subjects(new)
        broken = [f"{it} ({found[it]})" for it in sorted(well[town.name]) if found.get(it)]
        if broken or not found:
            raise Failed(f"{town.name} : en panne : {', '.join(broken) or 'check'}.")


def _well(town: InstalledTown, version: Version) -> set[str]:
    """Return the subjects of `check` that are not broken."""
    return {subject for subject, broken in town.broken_subjects(version).items() if not broken}


def back(machine: Machine, say: Say, *, losing: bool = False) -> None:
    """Undo the last upgrade, complete or not. Raise Failed if money was recorded since, which would
    be lost, unless `losing`."""
    record = UpgradeRecord.read(machine)
    if record is None:
        raise Failed("Aucune mise à jour à défaire.")
    say(_undo(machine, record, machine.towns(), losing=losing))


def _undo(
    machine: Machine, record: UpgradeRecord, towns: list[InstalledTown], *, losing: bool = False
) -> str:
    """Put back the earlier databases and version, and start the sites that were running. Return
    what to say about it. If money was recorded since, keep the version in force and raise Failed,
    unless `losing`."""
    new = machine.version(record.new)
    switched = machine.link.resolve() == new.folder or not machine.link.exists()
    old = machine.version(record.old) if switched else machine.in_force
    for name in record.served:
        machine.stop(new, name)
    changed = new.migrations > old.migrations
    saved = {it: record.saved[it.name] for it in towns if changed and it.name in record.saved}
    since = [town.name for town, copy in saved.items() if _money(town, new) != copy.money]
    if since and not losing:
        _start(machine, record)
        if switched:  # it stays, opened: the next upgrade goes from there
            record.ended = True
            record.write(machine)
        raise Failed(
            f"Des paiements sont venus depuis ({', '.join(since)}) : la version "
            f"{machine.in_force.name} reste en service, pour ne pas les perdre. « kiosque upgrade "
            "--back --losing » revient quand même aux bases d’avant."
        )
    for town, copy in saved.items():
        town.must(new, *_COPIES, "put-back", copy.copy)
    if switched:
        machine.install(new, "--switch", old.name)
    for town, copy in saved.items():
        if town.name in since and copy.backup:
            # Then banks are asked for what is lost, and no receipt number is given twice.
            town.must(old, "app.py", "restore", copy.backup, "--yes")
    closed = _start(machine, record)
    UpgradeRecord.file(machine).unlink()
    said = f"La version {record.old} est en service, sur les bases d’avant."
    return said + (f" Mais le site ne démarre pas : {', '.join(closed)}." if closed else "")


def _start(machine: Machine, record: UpgradeRecord) -> list[str]:
    """Start each site that was running, even if another does not start. Return those that do
    not."""
    version, closed = machine.version(record.new), []
    for name in record.served:
        try:
            machine.start(version, name)
        except Failed:
            closed.append(name)
    return closed


def _money(town: InstalledTown, version: Version) -> int:
    return int(town.must(version, *_COPIES, "count"))
