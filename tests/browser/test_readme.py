"""The examples of README.md and LISEZMOI.md, run as they stand on a fresh demo."""

import re
import shlex
import shutil
from contextlib import closing
from pathlib import Path

import apsw
import pytest
from click.testing import CliRunner

from kiosque.cli import main
from tests.browser.conftest import ROOT, Demo

pytestmark = pytest.mark.browser
BEGINNING = [".venv/bin/python", "app.py"]


def examples(name: str) -> list[list[str]]:
    """The commands of a document, in words as a shell would read them."""
    text = (ROOT / name).read_text(encoding="utf-8")
    lines = re.findall(r"^(\.venv/bin/python .*)$", text, re.MULTILINE)
    return [shlex.split(line, comments=True) for line in lines]


@pytest.fixture
def copy(town: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The demo's data, apart: what the commands change there, the other tests do not meet."""
    with closing(apsw.Connection(str(town.data / "kiosque.sqlite3"))) as database:
        database.execute("VACUUM INTO ?", (str(tmp_path / "kiosque.sqlite3"),))
    with closing(apsw.Connection(str(tmp_path / "kiosque.sqlite3"))) as database:
        database.execute("PRAGMA journal_mode = wal")
    shutil.copy(town.data / "kiosque.toml", tmp_path)
    (tmp_path / "data").symlink_to(ROOT / "data")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KIOSQUE_DATA", str(tmp_path))
    return tmp_path


def test_the_families_that_the_documents_show_are_those_of_the_demo(town: Demo) -> None:
    shown = r"^code famille : (F\d+)"
    met = re.findall(shown, town.output, re.MULTILINE)
    for name in ("README.md", "LISEZMOI.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert re.findall(shown, text, re.MULTILINE) == met


def test_the_two_documents_give_the_same_commands() -> None:
    assert len(examples("README.md")) >= 10
    assert examples("README.md") == examples("LISEZMOI.md")


def test_every_command_works_as_it_stands_beside_the_demo(copy: Path) -> None:
    for words in examples("README.md"):
        assert words[:2] == BEGINNING
        done = CliRunner().invoke(main, words[2:])
        assert done.exit_code == 0, f"{words}: {done.output}"
    assert list(copy.glob("**/lettres-*.pdf"))
