"""A backup holds the town, whole, or there is none; only what is ours and too old goes."""

import io
import json
import subprocess
import sys
import tarfile
import tomllib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import apsw
import pytest

from kiosque import backups
from kiosque.backups import archive, databases, making, rotation, settings_copy
from kiosque.backups.archive import BadBackup
from kiosque.db import leases
from kiosque.payments import journal
from kiosque.settings import Backup
from tests import fresh_databases
from tests.conftest import Clock
from tests.kiosque.backups.conftest import Town, read
from tests.kiosque.settings.test_settings import TOML

#: A pair of keys of age's, made for these tests.
PUBLIC = "age1vtqw9fkrugzkdzwj00vpv0hmdhh4c8svdvhylrgjgrp8v2tdnvzs4v5mgn"

PASSWORD = "testpassword_canari0123456789abc"


def names(path: Path) -> set[str]:
    with tarfile.open(path) as tar:
        return set(tar.getnames())


def settings_file(town: Town, more: str = "", toml: str = TOML) -> None:
    (town.settings.data / "kiosque.toml").write_text(toml + more, encoding="utf-8")


def test_a_backup_is_one_dated_file_with_all_that_makes_the_town(
    town: Town, tmp_path: Path, frozen: Clock
) -> None:
    path = town.backup(str(tmp_path / "ailleurs"))
    assert path == tmp_path / "ailleurs" / "kiosque-2026-11-24T193000Z.tar.gz"
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    assert names(path) >= {"pdf/N0001.pdf", "texts/confidentialite.md", "settings/kiosque.toml"}
    manifest = read(path)
    assert manifest.entry == journal.last()
    assert (manifest.environment, manifest.faults) == ("test", [])
    assert manifest.receipts == {"": 1}
    assert manifest.sums["settled_cents"] == 1001
    assert path.stat().st_mode & 0o077 == 0
    assert leases.finished_at(backups.MADE) == frozen.at


@pytest.mark.parametrize("blank", ["", "  "])
@pytest.mark.parametrize(
    "command",
    [("backup",), ("restore",), ("drill",), ("export-family", "F1001", "--output"),
     ("letters", "F1001", "--output")],
)  # fmt: skip
def test_a_blank_name_is_refused_not_taken_for_the_current_folder(
    town: Town,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: tuple[str, ...],
    blank: str,
) -> None:
    """As by a variable of the shell that was never set."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    result = town.run(*command, blank)
    assert result.exit_code == 2
    assert "nom vide" in result.output
    assert list(here.iterdir()) == []


def test_no_secret_is_in_clear_and_the_command_says_that_they_are_not_there(town: Town) -> None:
    settings_file(town, toml=f'{TOML}password = "{PASSWORD}"\n')
    output = town.run("backup").output
    assert "secrets ne sont pas dans cette sauvegarde" in output
    with tarfile.open(output.splitlines()[-1]) as tar:
        file = tar.extractfile("settings/kiosque.toml")
        text = file.read().decode() if file else ""
    told = tomllib.loads(text)
    assert told["town"]["name"] == "Ville de Sautron"
    secrets = (
        tomllib.loads(TOML)["secret_key"],
        "testpassword_canari0123456789abc",
        "ABCDEFGHIJKLMNOPQRSTUVWX",
    )
    assert not [secret for secret in secrets if secret in text]


def test_settings_of_every_kind_are_written_as_toml() -> None:
    toml = TOML + '[legal]\ndeclared_on = 2026-11-24\n[attestation]\nservices = ["Été \\"a\\""]\n'
    read_back = tomllib.loads(settings_copy.without_secrets(toml))
    wanted = tomllib.loads(toml)
    wanted["secret_key"] = wanted["gateways"]["banque"]["key"] = "à remettre"
    assert read_back == wanted


@pytest.mark.parametrize("key", ["passphrase", "api_key_id", "credentials", "hmac_salt", "pin"])
def test_a_secret_of_a_strangers_adapter_is_told_by_its_name(key: str) -> None:
    toml = f'[gateways.lilas]\nadapter = "lilas"\nsite_id = "12345"\n{key} = "u7Kp2MBd5yHs"\n'
    text = settings_copy.without_secrets(toml)
    assert "u7Kp2MBd5yHs" not in text
    assert "12345" in text


def test_the_command_that_takes_backups_away_is_told_to_nobody() -> None:
    toml = '[backup]\nkeep_days = 7\noffsite = ["curl", "-u", "ville:u7Kp2MBd5yHs", "-T", "{}"]\n'
    text = settings_copy.without_secrets(toml)
    assert "u7Kp2MBd5yHs" not in text
    assert "keep_days = 7" in text


@fresh_databases.on_sqlite
def test_a_disk_that_fills_up_is_said_and_leaves_nothing(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = SimpleNamespace(
        Error=apsw.Error,
        SQLITE_OPEN_READWRITE=apsw.SQLITE_OPEN_READWRITE,
        Connection=Mock(side_effect=apsw.FullError),
    )
    monkeypatch.setattr(databases, "apsw", full)
    result = town.run("backup")
    assert isinstance(result.exception, SystemExit)
    assert "Le disque est plein" in result.output
    assert list((town.settings.data / "backups").iterdir()) == []


@pytest.mark.skipif(not making.shutil.which("age"), reason="age is not installed")
def test_secrets_are_there_for_who_has_the_key(town: Town, tmp_path: Path) -> None:
    key = tmp_path / "key.txt"
    made = subprocess.run(["age-keygen", "-o", key], capture_output=True, check=True, text=True)
    public = made.stderr.rpartition(" ")[2].strip()
    settings_file(town, f'[backup]\nrecipient = "{public}"\n')
    read(town.backup(), tmp_path / "out")
    opened = subprocess.run(
        ["age", "--decrypt", "-i", key, tmp_path / "out" / "settings" / "kiosque.toml.age"],
        capture_output=True, check=True, text=True,
    )  # fmt: skip
    assert opened.stdout.startswith((town.settings.data / "kiosque.toml").read_text())


@fresh_databases.on_sqlite  # whose copy needs no program
def test_a_backup_without_its_secrets_is_made_all_the_same_and_that_is_told(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings_file(town, f'[backup]\nrecipient = "{PUBLIC}"\n')
    monkeypatch.setenv("PATH", "/nulle-part")
    result = town.run("backup")
    assert result.exit_code == 1
    assert "age n’est pas installé" in result.output
    (path,) = (town.settings.data / "backups").glob("*.tar.gz")
    assert not read(path).secrets


def test_what_is_too_old_goes_and_nothing_else(town: Town, frozen: Clock) -> None:
    folder = town.settings.data / "backups"
    folder.mkdir()
    for days in range(1, 500):
        at = frozen.at - timedelta(days=days)
        (folder / rotation.name("kiosque", at)).touch()
    others = ["photo.jpg", "kiosque-autre-2020-01-01T000000Z.tar.gz", "kiosque-2020.tar.gz"]
    for name in others:
        (folder / name).touch()
    settings_file(town, "[backup]\nkeep_days = 7\nkeep_weeks = 3\nkeep_months = 4\n")
    newest = town.backup()
    kept = {path.name for path in folder.iterdir()} - set(others)
    days = ("11-24", "11-23", "11-22", "11-21", "11-20", "11-19", "11-18")
    weeks, months = ("11-15",), ("10-31", "09-30", "08-31")
    assert kept == {f"kiosque-2026-{day}T193000Z.tar.gz" for day in (*days, *weeks, *months)}
    assert newest.name in kept
    assert {path.name for path in folder.iterdir()} >= set(others)


def test_the_newest_is_never_taken_off(tmp_path: Path, frozen: Clock) -> None:
    """Whatever the rules, even where the clock was wrong one day."""
    future = frozen.at + timedelta(days=4000)
    for at in (frozen.at, future):
        (tmp_path / rotation.name("kiosque", at)).touch()
    old = rotation.too_old(tmp_path, "kiosque", Backup(keep_days=1, keep_weeks=0, keep_months=0))
    assert [path.name for path in old] == [rotation.name("kiosque", frozen.at)]


def test_the_towns_own_command_takes_it_elsewhere(town: Town, tmp_path: Path) -> None:
    away = tmp_path / "a b;$(touch x)"
    away.mkdir()
    settings_file(town, f'[backup]\noffsite = ["cp", "{{}}", "{away}"]\n')
    path = town.backup()
    assert (away / path.name).read_bytes() == path.read_bytes()
    assert leases.finished_at(backups.SENT)


@pytest.mark.parametrize("words", ['["false"]', '["/nulle/part"]'])
def test_a_backup_that_does_not_leave_is_made_and_that_is_told(town: Town, words: str) -> None:
    settings_file(town, f"[backup]\noffsite = {words}\n")
    result = town.run("backup")
    assert result.exit_code == 1
    assert "pas partie ailleurs" in result.output
    assert leases.finished_at(backups.MADE)
    assert leases.finished_at(backups.SENT) is None


def test_what_the_command_says_of_its_failure_is_for_the_owner_of_the_files_only(
    town: Town,
) -> None:
    """The journal of a unit that failed goes into a mail."""
    secret = "https://nas:motdepasse@nas.example.org"
    settings_file(town, f'[backup]\noffsite = ["sh", "-c", "echo {secret} >&2; exit 7"]\n')
    result = town.run("backup")
    assert secret not in result.output
    assert "code 7" in result.output
    log = town.settings.data / "offsite.log"
    assert str(log) in result.output
    assert log.read_text() == f"{secret}\n"
    assert log.stat().st_mode & 0o077 == 0


def test_a_command_that_is_a_whole_line_is_refused_with_the_settings(town: Town) -> None:
    settings_file(town, '[backup]\noffsite = ["rclone copy"]\n')
    result = town.run("backup")
    assert result.exit_code == 1
    assert "backup.offsite" in result.output


def test_a_command_that_does_not_end_is_ended_with_all_that_it_started() -> None:
    script = "sleep 30 & wait"
    with pytest.raises(making.ProgramFailed, match="n’a pas fini"):
        making.programs.run(["sh", "-c", script], seconds=0.2)


def test_books_that_are_wrong_are_backed_up_and_nothing_is_taken_off(
    town: Town, frozen: Clock
) -> None:
    folder = town.settings.data / "backups"
    folder.mkdir()
    old = folder / rotation.name("kiosque", frozen.at - timedelta(days=900))
    old.touch()
    settings_file(town, "[backup]\nkeep_days = 1\nkeep_weeks = 0\nkeep_months = 0\n")
    fresh_databases.damage("UPDATE journal_entry SET amount_cents = 1")
    result = town.run("backup")
    assert result.exit_code == 1
    assert old.exists()
    assert leases.finished_at(backups.MADE) is None
    assert read(Path(result.stdout.splitlines()[-1])).faults


def test_two_backups_at_once_are_one(town: Town) -> None:
    folder = town.settings.data / "backups"
    with making.alone_in(folder, ".kiosque-en-cours"):
        result = town.run("backup")
    assert result.exit_code == 1
    assert "en cours" in result.output
    assert town.backup().exists()


def test_a_full_disk_leaves_no_file_and_says_so(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(archive.Writer, "close_with", full)
    result = town.run("backup")
    assert result.exit_code == 1
    assert "disque est plein" in result.output
    assert not list((town.settings.data / "backups").iterdir())


KILLED = """
import os, signal, sys
from kiosque.backups import archive
from kiosque.cli import main
def kill(*_): os.kill(os.getpid(), signal.SIGKILL)
setattr(archive.Writer, sys.argv.pop(1), kill) if sys.argv[1] != "read" else (
    sys.argv.pop(1), setattr(archive, "read", kill))
main()
"""


@pytest.mark.parametrize("moment", ["add_file", "close_with", "read"])
def test_a_backup_killed_half_way_leaves_nothing_under_its_name(town: Town, moment: str) -> None:
    folder = town.settings.data / "backups"
    killed = subprocess.run([sys.executable, "-c", KILLED, moment, "backup"], check=False)
    assert killed.returncode == -9
    assert not list(folder.glob("*.tar.gz"))
    town.backup()
    assert len(list(folder.iterdir())) == 1


def test_a_folder_whose_turn_has_just_ended_is_not_taken_for_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(*_words: object) -> None:
        (tmp_path / "work").rename(tmp_path / "gone")
        (tmp_path / "work").mkdir()
        (tmp_path / "work" / "another's").touch()

    monkeypatch.setattr("fcntl.flock", late)
    with pytest.raises(making.FolderInUse), making.alone_in(tmp_path, "work"):
        pass
    assert (tmp_path / "work" / "another's").exists()


Spoil = Callable[[bytes], bytes]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda whole: whole[:0],
        lambda whole: whole[: len(whole) // 2],
        lambda whole: whole[: -len(whole) // 10],
        lambda whole: whole[:-4],
        lambda whole: whole[:-8] + bytes(8),
        lambda whole: whole[:5000] + bytes(8) + whole[5008:],
        lambda whole: b"no archive" + whole,
    ],
)
def test_an_archive_that_is_not_whole_is_refused(town: Town, spoil: Spoil) -> None:
    path = town.backup()
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(BadBackup):
        archive.read(path)


@pytest.mark.parametrize(
    "name",
    ["../x", "/etc/x", "pdf/../../x", "pdf//x", "pdf", "x", "pdf/N0001.pdf", "texts/./x"],
)
def test_names_that_are_not_ours_are_refused(town: Town, tmp_path: Path, name: str) -> None:
    path, other = town.backup(), tmp_path / "other.tar.gz"
    with tarfile.open(path) as tar, tarfile.open(other, "w:gz") as copy:
        for member in tar:
            copy.addfile(member, tar.extractfile(member))
        copy.addfile(tarfile.TarInfo(name))
    with pytest.raises(BadBackup):
        archive.read(other, tmp_path / "out")
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE]
)
def test_only_plain_files_are_taken(town: Town, tmp_path: Path, kind: bytes) -> None:
    path, other = town.backup(), tmp_path / "other.tar.gz"
    with tarfile.open(path) as tar, tarfile.open(other, "w:gz") as copy:
        odd = tarfile.TarInfo("pdf/odd")
        odd.type, odd.linkname = kind, "/etc/passwd"
        copy.addfile(odd)
        for member in tar:
            copy.addfile(member, tar.extractfile(member))
    with pytest.raises(BadBackup):
        archive.read(other, tmp_path / "out")


Told = dict[str, Any]


@pytest.mark.parametrize(
    "change",
    [
        {"created_at": "2026-13-45T25:61:61Z"},
        {"created_at": "0001-01-01T00:00:00Z"},
        {"created_at": "9999-12-31T23:59:59Z"},
        {"created_at": 5},
        {"schema": [[1]]},
        {"schema": 5},
        {"faults": "abc"},
        {"faults": None},
        {"entry": [float("inf"), "x"]},
        {"rows": None},
        {"sums": {"settled_cents": "z"}},
        {"environment": ["test"]},
        {"members": {"kiosque.sqlite3": [float("inf"), "x"]}},
    ],
    ids=str,
)
def test_a_manifest_of_another_shape_is_refused(town: Town, tmp_path: Path, change: Told) -> None:
    path, other = town.backup(), tmp_path / "other.tar.gz"
    with tarfile.open(path) as tar, tarfile.open(other, "w:gz") as copy:
        for member in tar:
            file = tar.extractfile(member)
            assert file
            if member.name == archive.MANIFEST:
                content = json.dumps({**json.load(file), **change}).encode()
                member.size, file = len(content), io.BytesIO(content)
            copy.addfile(member, file)
    with pytest.raises(BadBackup):
        archive.read(other)


@pytest.mark.parametrize(
    "content", [b"[" * 200_000, b'{"a":' * 200_000, b"1" * 100_000, b"[]", b"\xff"], ids=len
)
def test_a_manifest_that_is_none_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        odd = tarfile.TarInfo(archive.MANIFEST)
        odd.size = len(content)
        tar.addfile(odd, io.BytesIO(content))
    with pytest.raises(BadBackup):
        archive.read(path)


@pytest.mark.parametrize("said", [{"GNU.sparse.map": "1,2,x"}, {"GNU.sparse.major": "1"}], ids=str)
def test_a_header_that_nobody_wrote_so_is_refused(tmp_path: Path, said: dict[str, str]) -> None:
    path = tmp_path / "other.tar.gz"
    with tarfile.open(path, "w:gz", format=tarfile.PAX_FORMAT) as tar:
        odd = tarfile.TarInfo("pdf/odd")
        odd.pax_headers = {"GNU.sparse.minor": "0", **said}
        tar.addfile(odd)
    with pytest.raises(BadBackup):
        archive.read(path)
