"""The walk from the trial to the opening goes on where the town is, and never on a trial's
database."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from click.testing import CliRunner

from gateways.base import Callback, Gateway, Handoff
from kiosque import backups, db, payments
from kiosque.cli import main, opening
from kiosque.db import deployment, leases
from kiosque.db.models import Attempt, Family, Invoice, Settlement
from kiosque.db.states import RepaymentKind
from kiosque.families import own_changes
from kiosque.invoices import trial
from kiosque.settings import OtherRegie, Settings
from tests.bank import notice
from tests.conftest import ISSUERS, Clock, make_invoice
from tests.kiosque.conftest import Run
from tests.kiosque.settings.test_settings import TOML
from tests.kiosque.test_newer_database import LATER

Pay = Callable[..., tuple[Attempt, Handoff]]
REAL = f"""
environment = "production"
secret_key = "Vq7mZc2Xn9TbRk4WsYd6HgJp3LfNx8Ae"
public_url = "https://kiosque.sautron.fr"
{TOML.partition("8000" + chr(34))[2].partition("[mail]")[0]}
[mail]
sender = "kiosque@sautron.example.org"
host = "smtp.sautron.example.org"
[gateways.banque]
adapter = "lyra"
brand = "systempay"
site_id = "83746501"
mode = "PRODUCTION"
production_key = "Xk9tQw3zRv7nPb5m"
"""


@pytest.fixture
def real(run: Run, settings: Settings) -> Run:
    """A machine whose database is a trial's, and whose settings are now those of the real site."""
    assert run("migrate").exit_code == 0
    file = settings.data / "kiosque.toml"
    file.write_text(REAL, encoding="utf-8")
    file.chmod(0o640)
    settings.data.chmod(0o750)
    return run


def test_a_trial_s_settings_open_nothing(run: Run) -> None:
    result = run("open", "--yes")
    assert result.exit_code == 1
    assert "environment" in result.output


def test_a_trial_s_database_is_put_aside_and_a_new_one_is_made(
    real: Run, settings: Settings, alices_family: Family
) -> None:
    assert real("open", "--yes").exit_code == opening.NOT_YET
    assert deployment.environment() == "production"
    assert not Family.select().exists()
    (aside,) = settings.data.glob("avant-2*")
    if not settings.on_postgresql:
        with db.elsewhere(aside / "kiosque.sqlite3"):
            assert Family.get().code == "F1001"
    # Again: nothing is put aside any more.
    assert real("open").exit_code == opening.NOT_YET
    assert list(settings.data.glob("avant-2*")) == [aside]


@pytest.mark.parametrize(
    ("answer", "done"), [("o", True), ("Oui", True), ("non", False), ("", False)]
)
def test_the_question_is_answered_in_french(
    real: Run, settings: Settings, answer: str, done: bool
) -> None:
    CliRunner().invoke(main, ["open"], input=f"{answer}\n")
    assert bool(list(settings.data.glob("avant-2*"))) == done


def test_nobody_s_database_is_put_aside_without_a_word(real: Run, settings: Settings) -> None:
    assert real("open").exit_code == 1
    assert not list(settings.data.glob("avant-2*"))
    assert deployment.environment() == "test"


def test_a_database_that_does_not_say_what_it_is_is_left_alone(
    real: Run, settings: Settings
) -> None:
    db.database.execute_sql("DELETE FROM deployment")
    result = real("open", "--yes")
    assert result.exit_code == 1
    assert "migrate" in result.output
    assert not list(settings.data.glob("avant-2*"))


def test_a_database_of_a_later_version_is_left_alone(real: Run, settings: Settings) -> None:
    db.database.execute_sql(LATER)
    result = real("open", "--yes")
    assert result.exit_code == 1
    assert "9999_later" in result.output
    assert not list(settings.data.glob("avant-2*"))


@pytest.fixture
def left(run: Run, settings: Settings, capsys: pytest.CaptureFixture[str]) -> Callable[[], str]:
    """Return what the walk says is left to do now."""

    def go() -> str:
        with pytest.raises(SystemExit) as stopped:
            opening.walk(settings)
        assert stopped.value.code == opening.NOT_YET
        return capsys.readouterr().out.rpartition("→ ")[2]

    return go


def test_each_step_leads_to_the_next_until_one_euro_has_come_and_gone(
    left: Callable[[], str],
    settings: Settings,
    gateway: Gateway,
    pay: Pay,
    alices_family: Family,
) -> None:
    assert "factures.csv" in left()
    make_invoice(alices_family, "2026-10-0001")
    assert "letters --all" in left()
    own_changes.issue_codes([(alices_family, "ABCD-EFGH")])
    assert "vraie carte" in left()
    invoice = Invoice.get(Invoice.number == "OUVERTURE-banque")
    assert (invoice.total_cents, invoice.family.code) == (100, trial.CODE)
    assert "vraie carte" in left()
    _, handoff = pay(invoice.family, invoice)
    said = Callback.of_form(notice(handoff).items())
    payments.record("banque", gateway.read_notification(said), ISSUERS)
    assert "refund OUVERTURE-banque" in left()
    payments.record_repayment(Settlement.get(), RepaymentKind.REFUND, 100, "D. Aubry", "essai")
    assert "cancel-invoice OUVERTURE-banque" in left()
    payments.cancel_invoice("OUVERTURE-banque", "D. Aubry", "essai")
    assert "En panne" in left()  # no site runs here
    assert leases.finished_at(backups.MADE)
    assert leases.finished_at(backups.TRIED)


def test_each_regie_has_its_own_euro(
    settings: Settings, empty_database: None, frozen: Clock
) -> None:
    """By its own contract, of a service of its own."""
    creche = OtherRegie("Crèche", "A. Roy", services=("Multi-accueil",), gateway="creche")
    gateways = {**settings.gateways, "creche": settings.gateways["banque"]}
    two = replace(settings, regies={"creche": creche}, gateways=gateways)
    euros = [step for step in opening.steps(two) if "1 €" in step.title]
    assert all(step.left() for step in euros)
    made = {invoice.number: invoice.regie for invoice in Invoice.select()}
    assert made == {"OUVERTURE-banque": "", "OUVERTURE-creche": "creche"}
