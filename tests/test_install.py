"""`deploy/install` under another root: a version in a folder of its own, and a link to it.

The libraries are those of the tests (see `tests/test_upgrade.py`); `tests/machine/try` has Debian's
packages, pip and systemd do their part.
"""

import subprocess
import tarfile
from pathlib import Path

import pytest

from kiosque.version import VERSION
from tests.load.process import PROJECT
from tests.test_upgrade import Stage, a_release, a_stage


@pytest.fixture
def machine(tmp_path: Path) -> Stage:
    stage = a_stage(tmp_path)
    (stage.root / "srv").mkdir(parents=True)
    return stage


CHANGED = "# the town's own"


@pytest.fixture
def release(tmp_path: Path) -> Path:
    return a_release(tmp_path)


def install(machine: Stage, *arguments: object) -> "subprocess.CompletedProcess[str]":
    return machine.run("sh", PROJECT / "deploy/install", *arguments, cwd=machine.folder)


def files(machine: Stage) -> dict[str, bytes]:
    """Return what is there, but for what Python compiles."""
    found = [path for path in machine.root.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    return {str(path): path.read_bytes() for path in found}


def test_a_bare_machine_has_the_version_in_force_and_nothing_is_done_twice(
    machine: Stage,
) -> None:
    done = install(machine)
    assert done.returncode == 0, done.stderr
    assert (machine.root / "srv/kiosque").is_symlink()
    assert machine.in_force == VERSION
    assert (machine.root / "srv/kiosque/.venv/bin/python").exists()
    assert not (machine.root / "srv/kiosque/tests").exists()
    before = files(machine)
    assert install(machine).returncode == 0
    assert files(machine) == before


def test_an_installation_that_was_interrupted_is_begun_again(machine: Stage) -> None:
    half = machine.root / "opt/kiosque" / VERSION
    half.mkdir(parents=True)
    (half / "app.py").write_text("half of it")
    assert install(machine).returncode == 0
    assert (half / "app.py").read_bytes() == (PROJECT / "app.py").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("packed", [True, False])
def test_another_version_comes_from_a_folder_or_an_archive(
    machine: Stage, release: Path, packed: bool
) -> None:
    """Its files take the place of the ones before, of which it lacks one."""
    install(machine)
    (release / "deploy/systemd/kiosque-verify@.timer").unlink()
    source = release
    if packed:
        source = machine.folder / "release.tar.gz"
        with tarfile.open(source, "w:gz") as archive:
            archive.add(release, release.name)
    units = machine.root / "etc/systemd/system"
    (units / "kiosque-web@.service.d").mkdir()
    (units / "kiosque-web@.service.d/town.conf").write_text(CHANGED)
    done = install(machine, source)
    assert done.returncode == 0, done.stderr
    assert machine.in_force == "9.0.0"
    assert not (units / "kiosque-verify@.timer").exists()
    assert (units / "kiosque-web@.service.d/town.conf").exists()


def test_where_a_town_runs_another_version_it_is_put_beside_only(
    machine: Stage, release: Path
) -> None:
    install(machine)
    settings = machine.root / "etc/kiosque/sautron.toml"
    settings.write_text(CHANGED)
    done = install(machine, release)
    assert "deploy/kiosque upgrade 9.0.0" in done.stdout
    assert machine.in_force == VERSION
    assert settings.read_text() == CHANGED


def test_a_file_of_nginxs_that_the_town_changed_stays(machine: Stage, release: Path) -> None:
    install(machine)
    general = machine.root / "etc/nginx/nginx.conf"
    ours = release / "deploy/nginx/nginx.conf"
    ours.write_text(ours.read_text() + "# later\n")
    install(machine, release)
    assert general.read_text().endswith("# later\n"), "nobody had touched it"
    general.write_text(CHANGED)
    done = install(machine)
    assert general.read_text() == CHANGED
    assert "nginx.conf" in done.stdout


def test_what_is_no_version_changes_nothing(machine: Stage, release: Path) -> None:
    install(machine)
    before = files(machine)
    (machine.folder / "page.tar.gz").write_text("<html>404")
    (machine.folder / "empty").mkdir()
    (release / "app.py").write_text("another 0.3.0")
    (release / "kiosque/version.py").write_text((PROJECT / "kiosque/version.py").read_text())
    for named in ("page.tar.gz", "empty", "9.9.9", "../nowhere", release, "--all"):
        done = install(machine, named)
        assert done.returncode == 1
        assert done.stderr.rpartition("Erreur : ")[2]
    assert files(machine) == before
