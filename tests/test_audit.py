"""The audit of our pins is green only when it read a whole and recent list, for nothing."""

import json
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from scripts import audit

NOW = datetime.now(UTC)
PINS = "flask==3.1.3 \\\n    --hash=sha256:00\npsycopg[binary]==3.3.1\n"


def advisory(number: int, package: str = "another", **affected: Any) -> dict[str, Any]:
    kept = {"package": {"ecosystem": "PyPI", "name": package}, "versions": [], **affected}
    return {"id": f"PYSEC-{number}", "modified": NOW.isoformat(), "affected": [kept]}


def ask(folder: Path, *more: dict[str, Any], count: int = audit.WHOLE, packed: bool = True) -> int:
    requirements, names = folder / "requirements.txt", folder / "list"
    requirements.write_text(PINS, encoding="utf-8")
    names.mkdir()
    listed = [*map(advisory, range(count)), *more]
    if not packed:
        for number, each in enumerate(listed):
            (names / f"{number}.json").write_text(json.dumps(each))
        return audit.main(str(requirements), str(names))
    with zipfile.ZipFile(names / "all.zip", "w") as archive:
        for number, each in enumerate(listed):
            archive.writestr(f"{number}.json", json.dumps(each))
    return audit.main(str(requirements), str(names / "all.zip"))


@pytest.mark.parametrize("packed", [True, False])
def test_a_whole_and_recent_list_that_names_nothing_of_ours_is_green(
    tmp_path: Path, packed: bool
) -> None:
    assert ask(tmp_path, packed=packed) == 0


def between(*events: dict[str, str]) -> dict[str, Any]:
    return {"ranges": [{"type": "ECOSYSTEM", "events": list(events)}]}


@pytest.mark.parametrize(
    "fault",
    [
        advisory(7, "Flask", versions=["3.1.2", "3.1.3"]),
        advisory(7, "flask", **between({"introduced": "0"})),
        advisory(7, "flask", **between({"introduced": "3.0"}, {"fixed": "3.1.4"})),
        advisory(7, "flask", **between({"introduced": "3.0"}, {"last_affected": "3.1.3"})),
        advisory(7, "psycopg", versions=["3.3.1"]),
    ],
)
@pytest.mark.parametrize("count", [audit.WHOLE, 0])
def test_a_fault_of_ours_is_found_in_a_list_of_any_length(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], fault: dict[str, Any], count: int
) -> None:
    assert ask(tmp_path, fault, count=count) == audit.FOUND
    assert "PYSEC-7" in capsys.readouterr().out


@pytest.mark.parametrize(
    "other",
    [
        advisory(7, "flask", versions=["3.1.2"]),
        advisory(7, "flask", **between({"introduced": "2.0"}, {"fixed": "3.1.3"})),
        advisory(7, "flask", **between({"introduced": "3.2"})),
        advisory(7, "flask", **between({"introduced": "0"}, {"last_affected": "3.1.2"})),
        {**advisory(7, "flask", versions=["3.1.3"]), "withdrawn": NOW.isoformat()},
    ],
)
def test_a_fault_of_other_versions_is_none_of_ours(tmp_path: Path, other: dict[str, Any]) -> None:
    assert ask(tmp_path, other) == 0


def test_what_was_not_read_is_never_green(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No list, an empty folder, a file that is none, a part of a list, an old one."""
    requirements = tmp_path / "requirements.txt"
    requirements.write_text(PINS, encoding="utf-8")
    (tmp_path / "empty").mkdir()
    (tmp_path / "page.zip").write_text("<html>404")
    for place in ("", tmp_path / "nowhere", tmp_path / "empty", tmp_path / "page.zip"):
        assert audit.main(str(requirements), str(place)) == audit.NOT_VERIFIED
    assert ask(tmp_path, count=audit.WHOLE - 1) == audit.NOT_VERIFIED
    monkeypatch.setattr(audit, "RECENT", timedelta(0))
    whole = tmp_path / "old"
    whole.mkdir()
    assert ask(whole) == audit.NOT_VERIFIED
    assert capsys.readouterr().out.count("non vérifié") == 6
