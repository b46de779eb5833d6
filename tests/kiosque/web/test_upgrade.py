"""An upgrade replaces the files under a site that runs."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[3]


@pytest.mark.slow
@pytest.mark.proof
def test_a_site_that_runs_needs_no_template_that_an_upgrade_replaces(tmp_path: Path) -> None:
    """In a process of its own, on the same code: nothing else here sees the spoilt files."""
    for name in ("app.py", "data", "gateways", "kiosque", "pyproject.toml", "tests"):
        (tmp_path / name).symlink_to(PROJECT / name)
    shutil.copytree(PROJECT / "templates", tmp_path / "templates")
    played = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"),
            "tests/kiosque/web/upgraded.py",
        ],
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
    )
    assert played.returncode == 0, played.stdout
