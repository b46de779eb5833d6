"""`make` installs what it needs, and says what it cannot do."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
#: As Debian's without python3-venv: it makes half of the folder, then fails.
WITHOUT_VENV = """#!/bin/sh
if [ "$1" = -c ]; then
    exec {python} -c "import sys; sys.modules['ensurepip'] = None
$2"
fi
mkdir -p .venv/bin && touch .venv/bin/python && exit 1
"""
#: Makes the folder as `python -m venv --clear`, without the seconds that pip takes.
WHOLE = """#!/bin/sh
[ "$1" = -c ] && exec {python} "$@"
rm -rf .venv && mkdir -p .venv/bin && touch .venv/bin/python .venv/bin/pip
"""


def make(folder: Path, python: str) -> "subprocess.CompletedProcess[str]":
    program = folder / "python"
    program.write_text(python.format(python=sys.executable), encoding="utf-8")
    program.chmod(0o755)
    return subprocess.run(
        ["make", "-f", ROOT / "Makefile", ".venv/bin/pip", f"PYTHON={program}"],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_python_that_lacks_venv_is_told_by_the_name_of_the_package(tmp_path: Path) -> None:
    done = make(tmp_path, WITHOUT_VENV)
    assert done.returncode != 0
    assert f"apt-get install python3.{sys.version_info.minor}-venv" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / ".venv").exists()


@pytest.mark.parametrize("made", [[], ["python"], ["python", "python3"]])
def test_an_environment_that_is_half_made_is_begun_again(tmp_path: Path, made: list[str]) -> None:
    for name in made:
        (tmp_path / ".venv" / "bin").mkdir(parents=True, exist_ok=True)
        (tmp_path / ".venv" / "bin" / name).touch()
    done = make(tmp_path, WHOLE)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Installation") == 1
    assert sorted(path.name for path in (tmp_path / ".venv" / "bin").iterdir()) == ["pip", "python"]
    assert make(tmp_path, WITHOUT_VENV).returncode == 0, "whole: nothing more to do"
