"""A file that a command cannot read or write is one French line, never the system's own words."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import Result

from kiosque.cli import main
from kiosque.settings import Settings
from tests import sentences
from tests.kiosque.conftest import Run

ENGLISH = (
    "No such", "Errno", "irectory", "File ", "denied", "Traceback", "unable to", "%Y", "invalid",
    "Expected", "codec",
)  # fmt: skip
#: Those ask the network, and are tried by the tests of their own room.
COMMANDS = sorted(main.commands.keys() - {"alert", "check"})


def needed(command: click.Command) -> Iterator[str]:
    """Give a value to all that a command demands; its files are in a folder that is not there."""
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            if not parameter.required:
                continue
            yield parameter.opts[0]
        if isinstance(parameter.type, click.Choice):
            yield str(parameter.type.choices[0])
        elif isinstance(parameter.type, click.Path):
            yield "absent/x.csv"
        elif parameter.name in ("paid_on", "settled_on"):
            yield "2026-11-24"
        else:
            yield "2026-11-24 12:00" if parameter.name == "until" else "1"


def said_in_french(result: Result) -> bool:
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert not [words for words in ENGLISH if words in result.output], result.output
    return result.exit_code != 0


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_without_its_settings_says_so(
    run: Run, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIOSQUE_CONFIG", "absent/kiosque.toml")
    confirmed = ["--yes"] if name == "reset" else []
    refused = said_in_french(run(name, *needed(main.commands[name]), *confirmed))
    assert refused or name == "reset", "nothing to erase"


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - {"demo", "reset"}))
@pytest.mark.parametrize("database", ["under a file", "a folder", "no database", "empty"])
def test_a_command_without_its_database_says_so(
    run: Run, settings: Settings, name: str, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, folder = settings.data / "file", settings.data / "folder"
    file.write_text("no database " * 500, encoding="utf-8")
    folder.mkdir()
    places = {
        "under a file": file / "x.sqlite3",
        "a folder": folder,
        "no database": file,
        "empty": settings.data / "empty.sqlite3",
    }
    monkeypatch.setenv("KIOSQUE_DATABASE", str(places[database]))
    monkeypatch.chdir(settings.data)  # some make the folder that they are given
    refused = said_in_french(run(name, *needed(main.commands[name])))
    assert refused or database == "empty"


@pytest.mark.parametrize("name", ["import", "letters", "text", "demo"])
def test_a_command_that_lacks_a_file_or_its_folder_says_so(
    run: Run, settings: Settings, name: str, alices_family: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    (settings.data / "texts").write_text("in the way", encoding="utf-8")
    arguments = {
        "import": ["absent/x.csv"],
        "letters": ["F1001", "--output", "absent/x.pdf"],
        "text": ["accessibilite"],
        "demo": ["--port", "1", "--bank-port", "2"],
    }
    if name == "demo":
        monkeypatch.delenv("KIOSQUE_CONFIG")
        monkeypatch.setenv("KIOSQUE_DATA", str(settings.data / "texts"))
        monkeypatch.setattr("kiosque.demo.processes.require_free", lambda *_: None)
    assert said_in_french(run(name, *arguments[name]))


@pytest.mark.parametrize(
    "typed", [["restore", "absent.tar.gz"], ["backup", "file"], ["drill", "."]]
)
def test_a_path_that_is_not_what_is_asked_is_refused(
    run: Run, typed: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    assert said_in_french(run(*typed))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a = \n", sentences.MALFORMED_TOML + ", ligne 1, colonne 5"),
        (b"a = '", sentences.MALFORMED_TOML),
        (b"a = '\xe9'\n", sentences.NOT_UTF8),
    ],
)
def test_settings_that_cannot_be_read_are_explained(
    run: Run, settings: Settings, content: bytes, said: str
) -> None:
    (settings.data / "kiosque.toml").write_bytes(content)
    result = run("todo")
    assert said_in_french(result)
    assert said in result.output


@pytest.mark.parametrize(
    "arguments",
    [
        "settle 1 --mode cash --author A --reason B --on 24/13/2026",
        "enter-payment 1 --amount 1 --author A --reason B --on demain",
        "close-bank banque --author A --until demain",
    ],
)
def test_a_day_mistyped_is_answered_by_an_example(run: Run, arguments: str) -> None:
    result = run(*arguments.split())
    assert said_in_french(result)
    assert re.search("comme (« )?2026-11-29", result.output)
    assert said_in_french(run(arguments.split(maxsplit=1)[0], "--help")) is False


@pytest.mark.parametrize("number", ["0", "-1", "9" * 30, "x"])
@pytest.mark.parametrize("arguments", ["todo --author A --resolution B --resolve", "mails --retry"])
def test_a_number_that_no_row_has_is_said_so(run: Run, arguments: str, number: str) -> None:
    assert said_in_french(run(*arguments.split(), number))


def test_a_file_that_is_not_there_is_named_and_no_line_of_it(run: Run) -> None:
    output = run("import", "absent/x.csv").output
    assert output.startswith(f"x.csv : ce fichier {sentences.NOT_READABLE}")
    assert "ligne" not in output


def test_a_folder_of_the_town_is_named(run: Run, settings: Settings) -> None:
    folder = Path(settings.data / "texts")
    folder.write_text("in the way", encoding="utf-8")
    assert str(folder) in run("text", "accessibilite").output
