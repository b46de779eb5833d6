"""Look up the pinned packages in a list of security advisories on this disk.

Exit with 1 if an advisory is about a pinned version; with 0 only if none is and the list is
complete and recent; with 2, «non vérifié», otherwise. The list is OSV's: a folder or a zip of its
JSON files (https://ossf.github.io/osv-schema/).
"""

import json
import re
import sys
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

#: Fewest advisories: OSV has some twenty thousand for PyPI, so far fewer are only a part of the
#: list.
WHOLE = 1000
#: The list changes each day: an older one is not recent.
RECENT = timedelta(days=30)
FOUND, NOT_VERIFIED = 1, 2


@dataclass
class Read:
    """The list of advisories as read: their count, the last change, those about our pinned
    versions."""

    count: int = 0
    last: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    faults: tuple[str, ...] = ()


def main(requirements: str, advisories: str) -> int:
    pins = pinned(Path(requirements).read_text(encoding="utf-8"))
    try:
        read = look(pins, every(Path(advisories)) if advisories else ())
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        print(f"non vérifié : {advisories} ne se lit pas ({type(error).__name__})")
        return NOT_VERIFIED
    if read.faults:
        print("\n".join(read.faults))
        return FOUND
    if not pins or read.count < WHOLE:
        print(f"non vérifié : {read.count} avis lus, pour {len(pins)} paquets")
        return NOT_VERIFIED
    if datetime.now(UTC) - read.last > RECENT:
        print(f"non vérifié : le dernier avis est du {read.last:%Y-%m-%d}")
        return NOT_VERIFIED
    print(f"{len(pins)} paquets, {read.count} avis, le dernier du {read.last:%Y-%m-%d} : rien.")
    return 0


def pinned(text: str) -> dict[str, Version]:
    found = re.findall(r"(?m)^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", text)
    return {canonicalize_name(name): Version(version) for name, version in found}


def every(place: Path) -> Iterator[Mapping[str, Any]]:
    """Give the advisories of a folder or of a zip. Raises OSError, ValueError and BadZipFile."""
    if place.is_dir():
        yield from (json.loads(file.read_bytes()) for file in place.rglob("*.json"))
        return
    with zipfile.ZipFile(place) as packed:
        yield from (json.loads(packed.read(it)) for it in packed.namelist() if it[-5:] == ".json")


def look(pins: Mapping[str, Version], advisories: Iterable[Mapping[str, Any]]) -> Read:
    read, faults = Read(), []
    for advisory in advisories:
        touched = [it for it in advisory.get("affected", ()) if _package(it)]
        if not touched or "withdrawn" in advisory:
            continue
        read.count += 1
        read.last = max(read.last, datetime.fromisoformat(advisory["modified"]))
        for each in touched:
            version = pins.get(_package(each))
            if version is not None and is_touched(version, each):
                faults.append(f"{_package(each)} {version} : {advisory['id']}")
    read.faults = tuple(dict.fromkeys(faults))
    return read


def _package(affected: Mapping[str, Any]) -> str:
    named = affected.get("package", {})
    return canonicalize_name(named["name"]) if named.get("ecosystem") == "PyPI" else ""


def is_touched(version: Version, affected: Mapping[str, Any]) -> bool:
    """Tell whether a version is named, or lies in an affected range."""
    if version in map(_version, affected.get("versions", ())):
        return True
    ranges = [it for it in affected.get("ranges", ()) if it["type"] == "ECOSYSTEM"]
    return any(_within(version, each["events"]) for each in ranges)


def _within(version: Version, events: Iterable[Mapping[str, str]]) -> bool:
    """Tell whether a version lies in a range. Events are sorted by version: the last one that is
    not after ours decides."""
    within = False
    for event in events:
        ((kind, at),) = event.items()
        named = Version("0.dev0") if at == "0" else _version(at)
        if named is None:
            continue
        if kind == "introduced" and version >= named:
            within = True
        elif (kind == "fixed" and version >= named) or (
            kind == "last_affected" and version > named
        ):
            within = False
    return within


def _version(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
