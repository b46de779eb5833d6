"""The command line, as staff use it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kiosque import accounts, payments
from kiosque.cli import main
from kiosque.config import Settings
from kiosque.models import Family, Invoice, JournalEntry
from tests.conftest import make_family, make_invoice
from tests.kiosque.test_config import TOML
from tests.kiosque.test_imports import ROW, sheet

Run = Callable[..., Result]


@pytest.fixture
def run(base: None, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command on the test's own base."""
    path = settings.data / "kiosque.toml"
    path.write_text(TOML, encoding="utf-8")
    monkeypatch.setenv("KIOSQUE_CONFIG", str(path))
    monkeypatch.setenv("KIOSQUE_DATA", str(settings.data))
    return lambda *arguments: CliRunner().invoke(main, list(arguments))


def test_every_command_explains_itself_in_french(run: Run) -> None:
    for name, command in main.commands.items():
        result = run(name, "--help")
        assert result.exit_code == 0
        assert command.help, name
    assert set(main.commands) >= {"import", "migrate", "demo", "todo", "verify", "send-mail"}


def test_importing_says_what_was_loaded(run: Run, settings: Settings) -> None:
    path = settings.data / "octobre.csv"
    path.write_text(sheet(ROW), encoding="utf-8")
    preview = run("import", str(path), "--preview")
    assert "fichier de factures, 1 lignes. À charger : 1 (48,30\u00a0€)" in preview.output
    assert Invoice.select().count() == 0
    result = run("import", str(path))
    assert (result.exit_code, Invoice.select().count()) == (0, 1)
    assert "Familles nouvelles : 1" in result.output
    assert "Chargé : 0. Déjà là : 1." in run("import", str(path)).output


def test_a_faulty_file_is_reported_line_by_line(run: Run, settings: Settings) -> None:
    path = settings.data / "octobre.csv"
    path.write_text(sheet(ROW.replace("48,30", "x")), encoding="utf-8")
    result = run("import", str(path))
    assert result.exit_code == 1
    assert "octobre.csv, ligne 2 : montant" in result.output
    assert "Rien n’a été chargé." in result.output


def test_a_family_receives_a_password_shown_once(run: Run, alices_family: Family) -> None:
    result = run("password", "f1001")
    code, password = result.output.split("  mot de passe : ")
    assert code == "code famille : F1001"
    account = accounts.authenticate("F1001", password.strip())
    assert account
    assert account.must_change_password
    assert run("password", "--all").output == ""
    make_family("F3003", "Neuf")
    assert run("password", "F3003", "--all").output.count("F3003") == 1
    assert run("password", "inconnu").exit_code == 1


def test_the_counter_is_recorded_with_a_name_and_a_reason(run: Run, alices_family: Family) -> None:
    make_invoice(alices_family, "2026-10-0001")
    arguments = ("settle", "2026-10-0001", "--mode", "cash", "--author", "Dominique")
    assert run(*arguments).exit_code == 2
    assert "payée" in run(*arguments, "--reason", "espèces").output
    assert JournalEntry.get().debit == "counter:cash"
    refused = run("settle", "absente", "--mode", "cash", "--author", "D", "--reason", "x")
    assert refused.exit_code == 1
    assert "n’existe pas" in refused.output


def test_an_invoice_is_cancelled_with_a_name_and_a_reason(run: Run, alices_family: Family) -> None:
    make_invoice(alices_family, "2026-10-0001")
    assert (
        "annulée"
        in run(
            "cancel-invoice", "2026-10-0001", "--author", "Dominique", "--reason", "double"
        ).output
    )
    assert Invoice.get().state_reason == "Dominique : double"


def test_the_list_of_what_is_to_be_done_is_shown_and_shortened(
    run: Run, alices_family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoice = make_invoice(alices_family, "2026-10-0001")
    from kiosque.database import write  # noqa: PLC0415
    from kiosque.payments.ledger import note  # noqa: PLC0415

    with write():
        note("k", "overpayment", 4520, "facture déjà payée", invoice=invoice)
    result = run("todo")
    assert "45,20\u00a0€\tfacture déjà payée\t2026-10-0001" in result.output
    number = str(payments.todo()[0].id)
    done = run("todo", "--resolve", number, "--author", "Dominique", "--resolution", "remboursé")
    assert "0 à traiter." in done.output


def test_the_journal_is_verified_and_its_balances_shown(run: Run, alices_family: Family) -> None:
    make_invoice(alices_family, "2026-10-0001")
    run("settle", "2026-10-0001", "--mode", "cash", "--author", "D", "--reason", "x")
    result = run("verify")
    assert "Le journal est intact." in result.output
    assert "counter:cash" in result.output


def test_a_base_that_is_not_there_is_said_so_and_made_by_migrate(
    run: Run, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kiosque.database import db  # noqa: PLC0415

    db.close()
    monkeypatch.setenv("KIOSQUE_DATABASE", str(tmp_path / "neuve" / "base.sqlite3"))
    assert "migrate" in run("todo").output
    assert "appliquée : 0001_initial" in run("migrate").output
    assert "à jour" in run("migrate").output
    assert "0 à traiter." in run("todo").output


def test_wrong_settings_are_one_message_not_a_traceback(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIOSQUE_PUBLIC_URL", "x")
    result = run("todo")
    assert result.exit_code == 1
    assert "Réglages refusés" in result.output


def test_waiting_mail_is_sent(run: Run) -> None:
    assert "0 envoyés, 0 en échec, 0 en attente." in run("send-mail").output


def test_a_legal_text_is_written_out_once_to_be_changed(run: Run, settings: Settings) -> None:
    path = settings.data / "texts" / "confidentialite.md"
    assert str(path) in run("text", "confidentialite").output
    assert path.read_text(encoding="utf-8").startswith("# Confidentialité")
    path.write_text("# À nous", encoding="utf-8")
    again = run("text", "confidentialite")
    assert again.exit_code != 0
    assert "existe déjà" in again.output
    assert path.read_text(encoding="utf-8") == "# À nous"
