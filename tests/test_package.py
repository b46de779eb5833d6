"""The distribution, built and installed for real: it works away from the source tree, and a
stranger's adapter and tests need nothing but its version."""

import json
import re
import shutil
import subprocess
import sysconfig
import venv
from dataclasses import dataclass
from pathlib import Path

import pytest

from kiosque.version import VERSION
from tests.installation import SETTINGS, environment

ROOT = Path(__file__).parents[1]
PAGE = "from kiosque import create_app; print(create_app().test_client().get('/connexion').text)"


@dataclass
class Home:
    """A folder outside the sources, and an environment of its own in it."""

    folder: Path

    def run(self, program: str, *arguments: object) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment, as a user would from this folder."""
        return subprocess.run(
            [str(self.folder / "venv" / "bin" / program), *map(str, arguments)],
            cwd=self.folder,
            env=environment(self.folder),
            capture_output=True,
            text=True,
            check=False,
        )

    def install(self, source: Path) -> None:
        """Install by pip, without a network: everything needed is there, or it fails."""
        options = ("--quiet", "--no-index", "--no-build-isolation", "--no-cache-dir")
        done = self.run("python", "-m", "pip", "install", *options, source)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The wheel and a stranger's adapter are installed; the libraries are those of the tests."""
    folder = tmp_path_factory.mktemp("home")
    sources, home = folder / "sources", Home(folder)
    for name in ("kiosque", "gateways", "templates", "data/demo", "deploy"):
        shutil.copytree(ROOT / name, sources / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, sources)
    venv.create(folder / "venv")
    (packages,) = (folder / "venv").glob("lib/python*/site-packages")
    (packages / "libraries.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    home.install(sources)
    home.install(shutil.copytree(ROOT / "tests" / "thirdparty" / "lilas", folder / "stranger"))
    shutil.rmtree(sources)
    (folder / "kiosque.toml").write_text(SETTINGS, encoding="utf-8")
    return home


def test_the_command_of_an_installed_site_says_its_version(home: Home) -> None:
    assert home.run("kiosque", "--version").stdout == f"Kiosque Famille {VERSION}\n"


@pytest.mark.slow
def test_an_installed_site_makes_its_database_checks_itself_and_shows_its_pages(
    home: Home,
) -> None:
    made = home.run("kiosque", "migrate")
    assert made.returncode == 0, made.stderr
    told = json.loads(home.run("kiosque", "check", "--json").stdout)
    states = {each["sujet"]: each["etat"] for each in told["sujets"]}
    assert (told["version"], states["Réglages"], states["Base"]) == (VERSION, "bon", "bon")
    page = home.run("python", "-c", PAGE)
    assert "Ville de Sautron" in page.stdout, page.stderr


def test_every_file_beside_the_code_is_installed_with_it(home: Home) -> None:
    (packages,) = home.folder.glob("venv/lib/python*/site-packages")
    for name in ("kiosque", "gateways", "templates", "data/demo"):
        target = packages / (name if name in ("kiosque", "gateways") else f"kiosque/{name}")
        for path in (ROOT / name).rglob("*"):
            if path.is_file() and path.suffix != ".pyc":
                copy = target / path.relative_to(ROOT / name)
                assert copy.read_bytes() == path.read_bytes(), path


def test_a_stranger_tests_an_adapter_against_the_installed_contract(home: Home) -> None:
    page = (ROOT / "docs" / "gateways.md").read_text(encoding="utf-8")
    (written,) = re.findall(r"^```python\n(from gateways.*?)^```$", page, re.DOTALL | re.MULTILINE)
    (home.folder / "test_lilas.py").write_text(written, encoding="utf-8")
    done = home.run("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_lilas.py")
    assert done.returncode == 0, done.stdout
    assert "passed" in done.stdout
