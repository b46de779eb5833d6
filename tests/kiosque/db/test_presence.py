"""A running site is known for sure, and a command that must be alone on its data is."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result

from kiosque import create_app
from kiosque.db import presence
from kiosque.settings import Settings
from kiosque.web.start import NotNow
from tests import fresh_databases, sentences
from tests.sites import settle

PROJECT = Path(__file__).parents[3]
_SITE = """
import sys, app
site = app.create_app()
print("here", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def site(settings: Settings) -> Iterator[subprocess.Popen[str]]:
    """The site, in a process of its own, on the test's data."""
    settle(settings.data, "http://127.0.0.1:8000", database=settings.database)
    clean = {name: it for name, it in os.environ.items() if not name.startswith("KIOSQUE_")}
    with subprocess.Popen(
        [sys.executable, "-c", _SITE],
        cwd=PROJECT,
        env={**clean, "KIOSQUE_DATA": str(settings.data)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "here\n"
        yield process
        process.kill()


@pytest.mark.usefixtures("empty_database")
def test_nothing_is_alone_beside_the_site_until_it_is_killed(
    settings: Settings, site: subprocess.Popen[str]
) -> None:
    with pytest.raises(presence.InUse), presence.alone(settings):
        pass
    site.kill()
    site.wait()
    with presence.alone(settings):
        pass


@pytest.mark.usefixtures("empty_database")
def test_several_are_at_work_together(settings: Settings) -> None:
    with (
        presence.at_work(settings),
        presence.at_work(settings),
        pytest.raises(presence.InUse),
        presence.alone(settings),
    ):
        pass
    with presence.alone(settings):
        pass


@pytest.mark.usefixtures("empty_database")
def test_the_site_does_not_start_while_another_is_alone(settings: Settings) -> None:
    """systemd starts it again: the status is not that of settings that are refused."""
    with presence.alone(settings), pytest.raises(NotNow) as refused:
        create_app(settings)
    assert refused.value.code not in (0, 3)
    assert create_app(settings)


def test_a_command_waits_for_nobody_and_says_that_another_is_alone(
    run: Callable[..., Result], settings: Settings
) -> None:
    with presence.alone(settings):
        result = run("verify")
    assert result.exit_code == 1
    assert sentences.COMMAND_ALONE in result.output
    assert run("verify").exit_code == 0


@pytest.mark.usefixtures("site")
def test_the_database_does_not_move_while_the_site_runs(run: Callable[..., Result]) -> None:
    result = run("move-database", "postgresql://nobody@127.0.0.1:1/nowhere")
    assert result.exit_code == 1
    assert sentences.SITE_RUNS in result.output


@fresh_databases.on_postgresql
@pytest.mark.usefixtures("empty_database")
def test_the_site_of_another_machine_is_known_by_its_sessions(settings: Settings) -> None:
    """It has a folder of its own there."""
    import psycopg  # noqa: PLC0415

    with (
        psycopg.connect(settings.database, application_name="kiosque"),
        pytest.raises(presence.InUse),
        presence.alone(settings),
    ):
        pass
    with presence.alone(settings):
        pass
