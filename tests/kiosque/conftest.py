"""Share between tests of several packages: commands, run as staff run them."""

from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from kiosque.cli import main
from kiosque.settings import Settings
from tests.kiosque.settings.test_settings import TOML

Run = Callable[..., Result]


@pytest.fixture
def run(empty_database: None, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command on the test's own database."""
    path = settings.data / "kiosque.toml"
    path.write_text(TOML, encoding="utf-8")
    monkeypatch.setenv("KIOSQUE_CONFIG", str(path))
    monkeypatch.setenv("KIOSQUE_DATA", str(settings.data))
    if settings.database:
        monkeypatch.setenv("KIOSQUE_DATABASE", settings.database)
    return lambda *arguments: CliRunner().invoke(main, list(arguments))
