"""The demo's settings follow its ports, and its data is erased only when nothing stands on it."""

import fcntl
import re
from pathlib import Path

import pyotp
import pytest
from click.testing import CliRunner, Result

from kiosque.cli import main
from kiosque.demo import DemoError, agents
from kiosque.demo import settings as demo_settings
from kiosque.demo.agents import ROLES
from kiosque.families import hashing
from kiosque.language import clock
from kiosque.settings import Settings, loading
from kiosque.staff import sessions, signin
from tests import sentences
from tests.conftest import Clock, free_port


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("KIOSQUE_CONFIG", raising=False)
    monkeypatch.setenv("KIOSQUE_DATA", str(tmp_path))
    return tmp_path


def addresses(data: Path) -> set[str]:
    """Where a command finds the portal and the banks."""
    settings = loading.load({"KIOSQUE_DATA": str(data)})
    return {settings.public_url, *(str(table["url"]) for table in settings.gateways.values())}


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def test_a_command_finds_the_demo_at_the_ports_of_its_last_run(data: Path) -> None:
    for port, bank_port in ((8000, 8001), (8110, 8111), (9000, 9001)):
        prepared = demo_settings.prepare(
            {"KIOSQUE_DATA": str(data)}, port=port, bank_port=bank_port
        )
        assert addresses(data) == {f"http://127.0.0.1:{each}" for each in (port, bank_port)}
        assert prepared["KIOSQUE_PUBLIC_URL"] in addresses(data)
    assert (data / "kiosque.toml").stat().st_mode & 0o077 == 0
    assert [path.name for path in data.iterdir()] == ["kiosque.toml"]


def test_a_bank_that_is_not_there_is_answered_by_those_that_are(data: Path) -> None:
    with pytest.raises(DemoError, match=r"foo.*banque, payfip"):
        demo_settings.prepare({"KIOSQUE_DATA": str(data)}, port=8000, bank_port=8001, bank="foo")


def test_an_agent_signs_in_in_the_very_half_minute_of_the_first_run(
    empty_database: None, settings: Settings, frozen: Clock
) -> None:
    line = agents.load(settings)[0]
    email, password, key = re.findall(r" : (\S+)", line)
    session = sessions.running(signin.attempt(email, password, "192.0.2.1") or "")
    assert session
    code = pyotp.TOTP(key).at(clock.now())
    assert signin.finish(session, code, settings.secret_key, "192.0.2.1")[1] == "telephone"


def test_its_agents_are_made_though_a_half_minute_ends_meanwhile(
    empty_database: None, settings: Settings, frozen: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    hash_password, waits = hashing.hash_password, iter([29])

    def slowly(password: str) -> str:
        frozen.advance(seconds=next(waits, 0))
        return hash_password(password)

    frozen.at = frozen.at.replace(second=10, microsecond=0)
    monkeypatch.setattr(hashing, "hash_password", slowly)
    assert len(agents.load(settings)) == len(ROLES)


def test_a_towns_settings_are_left_as_they_are(data: Path) -> None:
    demo_settings.prepare({"KIOSQUE_DATA": str(data)}, port=8000, bank_port=8001)
    path = data / "kiosque.toml"
    content = path.read_text(encoding="utf-8").replace(
        'environment = "demo"', 'environment = "test"'
    )
    path.write_text(content, encoding="utf-8")
    with pytest.raises(DemoError):
        demo_settings.prepare({"KIOSQUE_DATA": str(data)}, port=8110, bank_port=8111)
    assert path.read_text(encoding="utf-8") == content


def test_data_on_which_a_demo_runs_is_neither_erased_nor_shared(data: Path) -> None:
    demo_settings.prepare({"KIOSQUE_DATA": str(data)}, port=8000, bank_port=8001)
    with (data / "demo.lock").open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # as the demo that runs
        before = addresses(data)
        other = ["demo", "--port", str(free_port()), "--bank-port", str(free_port())]
        for arguments in (["reset", "--yes"], other):
            refused = run(*arguments)
            assert refused.exit_code == 1
            assert sentences.DEMO_RUNS in refused.output
        assert addresses(data) == before
    assert run("reset", "--yes").exit_code == 0
    assert list(data.iterdir()) == []
