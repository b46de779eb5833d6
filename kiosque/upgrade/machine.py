"""The machine as `deploy/install` lays it out: versions, towns, the programs that run them."""

import fcntl
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kiosque import os_errors

#: Prefix of our own faults, removed here since the outermost command prints it.
_OURS = "Erreur : "


class Failed(Exception):
    """A step cannot be done; the text says which and why, in French."""


@dataclass(frozen=True)
class Version:
    """A version in its folder, with its own environment."""

    folder: Path

    @property
    def name(self) -> str:
        text = (self.folder / "kiosque" / "version.py").read_text(encoding="utf-8")
        return text.rpartition(' = "')[2].partition('"')[0]

    @property
    def python(self) -> str:
        return str(self.folder / ".venv" / "bin" / "python")

    @property
    def migrations(self) -> frozenset[str]:
        folder = self.folder / "kiosque" / "db" / "migrations"
        return frozenset(path.stem for path in folder.glob("[0-9]*.py"))


@dataclass(frozen=True)
class InstalledTown:
    """A town: a file of settings, a folder of data, an account that may read them."""

    name: str
    settings: Path
    data: Path

    def run(self, version: Version, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the Python of a version, in its folder, as the town's account."""
        environment = (
            f"KIOSQUE_CONFIG={self.settings}",
            f"KIOSQUE_DATA={self.data}",
            "PYTHONDONTWRITEBYTECODE=1",
        )
        as_town = ("runuser", "-u", f"kiosque-{self.name}", "--", "env", *environment)
        return run([*as_town, version.python, *arguments], cwd=version.folder)

    def must(self, version: Version, *arguments: str) -> str:
        """Run it and return what it prints. Raise Failed with what it says."""
        done = self.run(version, *arguments)
        if done.returncode:
            raise Failed(f"{self.name} : {said(done)}")
        return done.stdout

    def broken_subjects(self, version: Version) -> dict[str, str]:
        """Return what is broken in each subject of `check`, in French, "" for nothing; no subject
        at all if the answer of `check` cannot be read."""
        try:
            told = json.loads(self.run(version, "app.py", "check", "--json").stdout)
        except ValueError:
            return {}
        return {
            each["sujet"]: " ; ".join(
                trouble["constat"] for trouble in each["ennuis"] if trouble["etat"] == "en-panne"
            )
            for each in told["sujets"]
        }


@dataclass(frozen=True)
class Machine:
    """Where things are, under `root`: `/`, but for packagers and tests."""

    root: Path

    @property
    def versions(self) -> Path:
        return self.root / "opt" / "kiosque"

    @property
    def link(self) -> Path:
        return self.root / "srv" / "kiosque"

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep another upgrade from this machine, for the block. Raise Failed while there is
        one."""
        with open_folder(self.versions) as folder:
            try:
                fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Failed("Une mise à jour est en cours sur cette machine.") from None
            yield

    def require(self) -> None:
        """Raise Failed where the site was not installed as `deploy/install` does."""
        if not (self.link / "app.py").exists():
            raise Failed(
                "Ceci n’est pas une machine où le site est dans /srv/kiosque (docs/install.md)."
            )

    @property
    def in_force(self) -> Version:
        """Return the version that towns run: the one linked, or on older machines the folder
        itself."""
        return Version(self.link.resolve())

    def version(self, name: str) -> Version:
        """Return a version that is there whole. Raise Failed."""
        folder = self.versions / name
        if not (folder / ".whole").exists():
            raise Failed(f"La version {name} n’est pas entière dans {self.versions}.")
        return Version(folder)

    def towns(self) -> list[InstalledTown]:
        files = sorted((self.root / "etc" / "kiosque").glob("*.toml"))
        data = self.root / "var" / "lib" / "kiosque"
        return [InstalledTown(file.stem, file, data / file.stem) for file in files]

    def bring(self, by: Version, what: str) -> str:
        """Install a version, given as a folder, an archive or a number, beside the others, by the
        script of the version `by`. Return its name. Raise Failed."""
        return self._script(by, "install", "--beside", what).splitlines()[-1]

    def install(self, version: Version, *arguments: str) -> None:
        """Run the script of a version that puts files in place. Raise Failed."""
        self._script(version, "install", *arguments)

    def stop(self, version: Version, town: str) -> None:
        self._script(version, "kiosque", "stop", town)

    def start(self, version: Version, town: str) -> None:
        self._script(version, "kiosque", "start", town)

    def serves(self, town: str) -> bool:
        """Tell whether the town's site is meant to run, even if it failed; False if `kiosque stop`
        stopped it."""
        door = f"kiosque-web@{town}.socket"
        enabled = not run(["systemctl", "is-enabled", "--quiet", door]).returncode
        stopped = (self.root / "run" / "kiosque" / f"{town}.stopped").exists()
        return enabled and not (
            stopped and run(["systemctl", "is-active", "--quiet", door]).returncode
        )

    def _script(self, version: Version, name: str, *arguments: str) -> str:
        done = run(["sh", str(version.folder / "deploy" / name), *arguments])
        if done.returncode:
            raise Failed(said(done))
        return done.stdout


@contextmanager
def open_folder(folder: Path) -> Iterator[int]:
    """Open a folder. Raise Failed where it is not there."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise Failed(f"{folder} : {os_errors.why(error)}") from None
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def run(command: list[str], cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a program. Raise Failed where it is not there."""
    try:
        return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)  # noqa: S603
    except OSError as error:
        raise Failed(f"{command[0]} : {os.strerror(error.errno or 0)}") from None


def said(done: subprocess.CompletedProcess[str]) -> str:
    """Return the last lines in which a program said why it failed: our own message before those of
    programs that it ran; the last line of a traceback."""
    told = done.stderr.strip() or done.stdout.strip()
    lines = told.splitlines()[-1 if "Traceback (" in told else -8 :]
    ours = next((at for at, line in enumerate(lines) if line.startswith(_OURS)), 0)
    lines = [line.removeprefix(_OURS) for line in lines[ours:] + lines[:ours]]
    return "\n".join(lines) or f"code de sortie {done.returncode}"
