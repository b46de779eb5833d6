"""A database knows of which environment it is from its first day, and serves in no other."""

from pathlib import Path

import pytest

from kiosque import create_app, db
from kiosque.checkup import runner
from kiosque.db import deployment
from kiosque.db.models import Deployment
from kiosque.settings import Settings
from tests import fresh_databases
from tests.kiosque.conftest import Run
from tests.kiosque.settings.test_settings import TOML


@pytest.fixture
def trial(run: Run) -> None:
    """A database made for a trial."""
    assert run("migrate").exit_code == 0


def turn(settings: Settings, environment: str) -> None:
    text = TOML.replace('environment = "test"', f'environment = "{environment}"')
    (settings.data / "kiosque.toml").write_text(text, encoding="utf-8")


@pytest.mark.usefixtures("trial")
def test_the_first_migrate_notes_it_once_for_all(run: Run, settings: Settings) -> None:
    assert [row.environment for row in Deployment.select()] == ["test"]
    assert run("migrate").exit_code == 0
    assert Deployment.select().count() == 1


@pytest.mark.usefixtures("trial")
@pytest.mark.parametrize("command", ["migrate", "verify", "reconcile", "backup", "drill"])
def test_every_command_refuses_it_elsewhere_and_says_the_way_out(
    run: Run, settings: Settings, command: str
) -> None:
    turn(settings, "demo")
    before = fresh_databases.rows()
    result = run(command)
    assert result.exit_code == 1
    assert "base neuve" in result.output
    assert len(result.output.strip().splitlines()) == 1
    assert fresh_databases.rows() == before


@pytest.mark.usefixtures("trial")
def test_the_site_shows_no_page_on_it_and_says_why(run: Run, settings: Settings) -> None:
    elsewhere = Settings(**{**vars(settings), "environment": "demo"})
    client = create_app(elsewhere).test_client()
    assert client.get("/connexion").status_code == 503
    health = client.get("/sante")
    assert (health.status_code, "base neuve" in health.json["etat"]) == (503, True)
    assert create_app(settings).test_client().get("/connexion").status_code == 200


@pytest.mark.usefixtures("trial")
def test_check_says_so(run: Run, settings: Settings) -> None:
    turn(settings, "demo")
    environ = {"KIOSQUE_DATA": str(settings.data), "KIOSQUE_DATABASE": settings.database}
    told = {result.subject: result for result in runner.run(environ)}
    assert any("base neuve" in trouble.what for trouble in told["Base"].troubles)


def test_a_database_from_before_takes_the_environment_of_its_settings(tmp_path: Path) -> None:
    with fresh_databases.bare(tmp_path) as location, db.elsewhere(location):
        db.migrate("0026_family_requests")
        assert deployment.environment() == ""
        deployment.require("production")
        db.migrate()
        deployment.note("production")
        assert deployment.environment() == "production"
        with pytest.raises(deployment.OtherEnvironment):
            deployment.require("test")
