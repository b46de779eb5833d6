"""The command line, as staff use it."""

import gettext
import os
import re
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from peewee import OperationalError

from gateways.base import Handoff
from kiosque import payments
from kiosque.cli import main
from kiosque.db import write
from kiosque.db.models import (
    Attempt,
    Family,
    Guardian,
    ImportBatch,
    Invoice,
    JournalEntry,
    OutboxMail,
    SecurityEvent,
    Session,
    Settlement,
    Throttle,
    Token,
)
from kiosque.db.states import AnomalyKind, NoticeKind
from kiosque.families import accounts, own_changes, security_log, sessions, signin, tokens
from kiosque.families.security_log import Event
from kiosque.families.signin import Visitor
from kiosque.invoices import announcements
from kiosque.outbox import queue
from kiosque.papers import activation_letters
from kiosque.settings import Settings
from tests import fresh_databases, pdfs, sentences
from tests.conftest import (
    NOW,
    PASSWORD,
    TOWN,
    Clock,
    choose_password,
    make_family,
    make_invoice,
)
from tests.kiosque.conftest import Run
from tests.kiosque.invoices.files import ROW, sheet

Pay = Callable[..., tuple[Attempt, Handoff]]
ROOT = Path(__file__).parents[3]


def test_every_command_explains_itself_in_french(run: Run) -> None:
    for name, command in main.commands.items():
        result = run(name, "--help")
        assert result.exit_code == 0
        assert command.help, name
    assert set(main.commands) >= {"import", "migrate", "demo", "todo", "verify", "send-mail"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("verfy", "Erreur : Commande inconnue : 'verfy'. Est-ce 'verify' ?"),
        ("import", "Erreur : Argument manquant 'FILE'."),
        ("import a b", "Erreur : Argument en trop : b"),
        ("letters --tous", "Erreur : Option inconnue : '--tous'."),
        ("letters --all=1", "Erreur : L’option '--all' n’attend pas de valeur."),
        ("mails --retry", "Erreur : L’option '--retry' attend une valeur."),
        ("demo --port x", "Erreur : Valeur refusée pour '--port' : 'x' n’est pas un nombre"),
        ("demo --port 0", "Erreur : Valeur refusée pour '--port' : 0 n’est pas dans"),
        ("settle 1 --mode or", "Valeur refusée pour '--mode' : 'or' n’est pas l’un de 'cash'"),
        ("settle 1", "Erreur : Option manquante '--mode'. Au choix :"),
    ],
)
def test_a_command_mistyped_is_explained_in_french(
    run: Run, monkeypatch: pytest.MonkeyPatch, arguments: str, words: str
) -> None:
    """Whatever the language of the terminal, which is left as it was."""
    monkeypatch.setenv("LANGUAGE", "en")
    result = run(*arguments.split())
    assert result.exit_code == 2
    assert words in result.output.replace("\u00a0", " ")
    assert "Usage" not in result.output or "Usage\u00a0:" in result.output
    assert (os.environ["LANGUAGE"], gettext.textdomain()) == ("en", "messages")


def test_usage_names_the_command_as_it_is_typed_on_a_town_s_machine(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIOSQUE_COMMAND", "kiosque sautron")
    for mistyped in ((), ("letters", "--tous")):
        assert "kiosque sautron" in run(*mistyped).output.splitlines()[0]


def test_importing_wants_what_would_surprise_to_be_confirmed(
    run: Run, settings: Settings, alices_family: Family
) -> None:
    Family.update(digest="x").execute()
    path = settings.data / "factures.csv"
    path.write_text(sheet(ROW.replace("F1001", "f-1001")), encoding="utf-8")
    refused = run("import", str(path))
    assert (refused.exit_code, Invoice.select().count()) == (1, 0)
    assert "ligne 2 : famille F-1001 inconnue" in refused.output
    assert "--new-families." in refused.output
    assert run("import", str(path), "--new-families").exit_code == 0
    record = settings.data / "familles.csv"
    record.write_text(
        "code_famille;role;nom;prenom;adresse;code_postal;ville\nF1001;responsable;Martin;Bob;;;\n",
        encoding="utf-8",
    )
    refused = run("import", str(record), "--preview")
    assert f"famille F1001, {sentences.REMOVAL} : l’adresse" in refused.output
    assert "--allow-removals." in refused.output
    shown = run("import", str(record), "--preview", "--allow-removals")
    assert "Retraits : 1\nF1001 : l’adresse" in shown.output


def test_importing_says_what_was_loaded(run: Run, settings: Settings) -> None:
    path = settings.data / "octobre.csv"
    path.write_text(sheet(ROW), encoding="utf-8")
    preview = run("import", str(path), "--preview")
    assert "48,30" in preview.output
    assert Invoice.select().count() == 0
    result = run("import", str(path))
    assert (result.exit_code, Invoice.select().count()) == (0, 1)
    assert "Familles nouvelles : 1" in result.output
    assert sentences.numbers(run("import", str(path)).output.splitlines()[-1])[-2:] == [0, 1]


def test_a_load_is_listed_and_undone_in_the_name_of_who_types(
    run: Run, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = settings.data / "octobre.csv"
    path.write_text(sheet(ROW), encoding="utf-8")
    assert run("import", str(path), "--author", "Alice").exit_code == 0
    assert "octobre.csv" in run("imports").output
    assert "Alice" in run("imports").output
    monkeypatch.setenv("SUDO_USER", "d.aubry")
    undone = run("undo-import", "1", "--reason", "mauvais mois")
    assert (undone.exit_code, Invoice.select().count()) == (0, 0)
    listed = run("imports").output
    assert "d.aubry" in listed
    assert "mauvais mois" in listed
    assert "Traceback" not in (again := run("undo-import", "1", "--reason", "mauvais mois")).output
    assert again.exit_code == 1
    assert run("verify").exit_code == 0


def test_a_faulty_file_is_reported_line_by_line(run: Run, settings: Settings) -> None:
    path = settings.data / "octobre.csv"
    path.write_text(sheet(ROW.replace("48,30", "x")), encoding="utf-8")
    result = run("import", str(path))
    assert result.exit_code == 1
    assert "octobre.csv, ligne 2 : montant" in result.output
    assert sentences.NOTHING_LOADED in result.output


def test_the_security_log_says_who_came_in_and_who_tried(
    run: Run, alices_family: Family, charlies_family: Family, frozen: Clock
) -> None:
    security_log.note(Event.SIGNED_IN, alices_family, "203.0.113.9")
    frozen.advance(days=20)
    security_log.note(Event.REFUSED, None, "192.0.2.44")
    security_log.note(Event.PASSWORD_ISSUED, charlies_family, "")
    everyone = run("security-log").output.splitlines()
    assert [line.split("  ", 1)[1] for line in everyone] == [
        "F1001  203.0.113.9  connexion",
        f"inconnu  192.0.2.44  {sentences.SIGN_IN_REFUSED}",
        f"F2002  mairie  {sentences.PASSWORD_BY_THE_TOWN}",
    ]
    assert run("security-log", "--family", "f 1001").output.splitlines() == everyone[:1]
    assert run("security-log", "--days", "5").output.splitlines() == everyone[1:]
    assert run("security-log", "--family", "F9").exit_code == 1


def test_the_security_log_has_words_for_every_event() -> None:
    assert set(security_log.WORDS) == set(Event)


def test_a_family_receives_a_password_shown_once(run: Run, alices_family: Family) -> None:
    result = run("password", "f1001")
    code, password = result.output.splitlines()[0].split("  mot de passe : ")
    assert code == "code famille : F1001"
    assert sentences.VALID_UNTIL in result.output
    account = accounts.authenticate("F1001", password)
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
    again = (*arguments, "--reason", "espèces")
    assert run(*again).exit_code == 0
    unpaid = ("--author", "Dominique", "--reason", "fausse monnaie")
    assert run("chargeback", "2026-10-0001", *unpaid).exit_code == 0
    assert run(*again).exit_code == 1  # a monitor sees that nothing was booked
    assert Invoice.get().state == "open"
    assert "payée" in run(*arguments, "--reason", "espèces, le lendemain").output
    refused = run("settle", "absente", "--mode", "cash", "--author", "D", "--reason", "x")
    assert refused.exit_code == 1
    assert sentences.NO_SUCH_INVOICE in refused.output


def test_an_invoice_is_cancelled_with_a_name_and_a_reason(run: Run, alices_family: Family) -> None:
    make_invoice(alices_family, "2026-10-0001")
    assert (
        "annulée"
        in run(
            "cancel-invoice", "2026-10-0001", "--author", "Dominique", "--reason", "double"
        ).output
    )
    assert Invoice.get().state_reason == "Dominique : double"


SETTLE = ("settle", "2026-10-0001", "--mode", "cash", "--author", "D. Aubry", "--reason", "espèces")
CANCEL = ("cancel-invoice", "2026-10-0001", "--author", "D. Aubry", "--reason", "double")


@pytest.mark.parametrize(("command", "state"), [(SETTLE, "paid"), (CANCEL, "cancelled")])
def test_what_alice_may_be_paying_online_is_taken_or_cancelled_only_if_confirmed(
    run: Run, pay: Pay, alices_family: Family, command: tuple[str, ...], state: str
) -> None:
    attempt, _ = pay(alices_family, make_invoice(alices_family, "2026-10-0001"))
    make_invoice(alices_family, "2026-10-0002")
    before = fresh_databases.rows()
    refused = run(*command)
    assert (refused.exit_code, fresh_databases.rows()) == (1, before)
    assert attempt.reference in refused.output
    assert "--yes" in refused.output
    elsewhere = [word.replace("0001", "0002") for word in command]
    assert run(*elsewhere).exit_code == 0
    confirmed = run(*command, "--yes")
    assert confirmed.exit_code == 0
    assert attempt.reference in confirmed.output
    assert Invoice.get(Invoice.number == "2026-10-0001").state == state
    again = run(*SETTLE)  # the same again is no new payment, whatever the family does
    assert (again.exit_code == 0) == (state == "paid")


def test_a_part_is_taken_at_the_counter_then_the_rest_then_what_is_over_if_confirmed(
    run: Run, october: Invoice
) -> None:
    part = run(*SETTLE, "--amount", "30,00")
    assert (part.exit_code, "reste 15,20\u00a0€" in part.output) == (0, True)
    assert run(*SETTLE, "--amount", "30,00").exit_code == 0
    assert Invoice.get().remaining_cents == 1520
    over = run(*SETTLE, "--amount", "20,00")
    assert "4,80\u00a0€ de trop-perçu" in over.output
    again = (*SETTLE[:-1], "par erreur", "--amount", "1,00")
    refused = run(*again)
    assert (refused.exit_code, "--yes" in refused.output) == (1, True)
    assert run(*again, "--yes").exit_code == 0
    assert sorted(point.amount_cents for point in payments.open_anomalies()) == [100, 480]
    assert run(*SETTLE, "--amount", "beaucoup").exit_code == 1
    assert run("verify").exit_code == 0
    name = f"encaissement-{Settlement.get(Settlement.amount_cents == 2000).id}"
    other = make_invoice(october.family, "2026-11-0001", 1000)
    applied = run("apply-overpayment", name, other.number, "--amount", "4,00", "--author", "D",
                  "--reason", "accord")  # fmt: skip
    assert (applied.exit_code, "reste 6,00\u00a0€" in applied.output) == (0, True)


def test_a_credit_note_pays_an_invoice_or_is_taken_off(
    run: Run, pay: Pay, october: Invoice, september: Invoice
) -> None:
    make_invoice(october.family, "AV-1", -1200, state="nothing_due")
    who = ("--author", "D. Aubry", "--reason", "courriel du 3")
    apply = ("apply-credit", "AV-1", "--invoice", october.number)
    part = run(*apply, "--amount", "7,00", *who)
    assert (part.exit_code, sentences.amounts(part.output)) == (0, ["7,00", "38,20", "5,00"])
    assert run(*apply, "--amount", "7,00", *who).exit_code == 0
    assert run(*apply, "--amount", "6,00", *who).exit_code == 1
    pay(september.family, september)
    held = ("apply-credit", "AV-1", "--invoice", september.number, *who)
    assert "--yes" in run(*held).output
    assert run(*held, "--yes").exit_code == 0
    assert run("history", "AV-1").output.count("affecté") == 4
    back = run("unapply-credit", "AV-1", "--invoice", october.number, *who)
    assert (back.exit_code, "7,00\u00a0€ repris" in back.output) == (0, True)
    assert run("unapply-credit", "AV-1", "--invoice", october.number, *who).exit_code == 1
    assert run("verify").exit_code == 0


def test_an_invoice_goes_to_the_treasury_is_paid_there_or_is_taken_back(
    run: Run, october: Invoice, september: Invoice
) -> None:
    who = ("--author", "D. Aubry", "--reason", "impayée")
    both = ("transmit", october.number, september.number, "--list", "B-12", *who)
    assert "2 factures" in run(*both).output
    assert run(*both, "--on", "2026-11-20").exit_code == 0
    assert run(*SETTLE).exit_code == 1
    paid = run("settle", october.number, "--mode", "treasury", *who)
    assert (paid.exit_code, "payée" in paid.output) == (0, True)
    assert run("untransmit", october.number, *who).exit_code == 1
    back = run("untransmit", september.number, *who)
    assert (back.exit_code, "42,25\u00a0€" in back.output) == (0, True)
    assert "B-12" in run("history", september.number).output
    assert run("verify").exit_code == 0


def test_a_file_of_the_counter_names_by_line_what_is_being_paid_online(
    run: Run, pay: Pay, alices_family: Family, tmp_path: Path
) -> None:
    attempt, _ = pay(alices_family, make_invoice(alices_family, "2026-10-0001"))
    make_invoice(alices_family, "2026-10-0002")
    file = tmp_path / "encaissements.csv"
    row = "2026-11-24;cash;45,20;D. Aubry;espèces"
    header = "numero_facture;date_encaissement;mode;montant;auteur;motif"
    lines = [header, f"2026-10-0002;{row}", f"2026-10-0001;{row}"]
    file.write_text("\n".join(lines), encoding="utf-8")
    for options in (("--preview",), ()):
        done = run("import", str(file), *options)
        assert done.exit_code == 0
        assert "ligne 3 : facture 2026-10-0001\u00a0: la famille est à la banque" in done.output
        assert attempt.reference in done.output
        assert "facture 2026-10-0002" not in done.output
    assert run("import", str(file)).output.count(attempt.reference) == 0


def test_the_list_of_what_is_to_be_done_is_shown_and_shortened(
    run: Run, alices_family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoice = make_invoice(alices_family, "2026-10-0001")
    from kiosque.db import write  # noqa: PLC0415
    from kiosque.payments.anomalies import flag_anomaly  # noqa: PLC0415

    with write():
        flag_anomaly("k", AnomalyKind.OVERPAYMENT, 4520, sentences.PAID_TWICE, invoice=invoice)
    result = run("todo")
    assert f"45,20\u00a0€\t{sentences.PAID_TWICE}\t2026-10-0001" in result.output
    number = str(payments.open_anomalies()[0].id)
    done = run("todo", "--resolve", number, "--author", "Dominique", "--resolution", "remboursé")
    assert sentences.numbers(done.output.splitlines()[-1]) == [0]


def test_the_journal_is_verified_and_its_balances_shown(run: Run, alices_family: Family) -> None:
    make_invoice(alices_family, "2026-10-0001")
    run("settle", "2026-10-0001", "--mode", "cash", "--author", "D", "--reason", "x")
    result = run("verify")
    assert sentences.BOOKS_INTACT in result.output
    assert "counter:cash" in result.output


def test_a_database_that_is_not_there_is_said_so_and_made_by_migrate(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with fresh_databases.bare(tmp_path / "neuve") as location:
        monkeypatch.setenv("KIOSQUE_DATABASE", str(location))
        assert "migrate" in run("todo").output
        assert f"{sentences.APPLIED} : 0001_initial" in run("migrate").output
        assert sentences.UP_TO_DATE in run("migrate").output
        assert sentences.numbers(run("todo").output.splitlines()[-1]) == [0]


def test_wrong_settings_are_one_message_not_a_traceback(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIOSQUE_PUBLIC_URL", "x")
    result = run("todo")
    assert result.exit_code == 1
    assert sentences.SETTINGS_REFUSED in result.output


def test_a_timer_that_finds_nothing_to_do_says_nothing(run: Run) -> None:
    """Or the journal would hold it each minute."""
    for command in ("send-mail", "reconcile"):
        result = run(command)
        assert (result.exit_code, result.output) == (0, "")


def test_what_is_kept_for_a_time_only_is_then_erased(
    run: Run, alices_family: Family, frozen: Clock
) -> None:
    account = choose_password(alices_family)
    kept = (Session, Throttle, SecurityEvent, Token)
    sessions.start(account)
    own_changes.issue_codes([(alices_family, "abcde-fghjk-mnpqr")])
    signin.attempt("F1001", "essai", Visitor("203.0.113.9"))
    run("send-mail")
    assert all(table.select().exists() for table in kept)
    frozen.advance(days=366)
    run("send-mail")
    assert not any(table.select().exists() for table in kept)


def test_a_password_issued_by_staff_is_in_the_security_log(run: Run, alices_family: Family) -> None:
    run("password", "f1001")
    assert [line.kind for line in SecurityEvent.select()] == ["password_issued"]


def letter_codes(path: Path) -> list[str]:
    """The activation codes that one reads in a PDF of letters."""
    return re.findall(r"\b[a-z0-9]{5}-[a-z0-9]{5}-[a-z0-9]{5}\b", pdfs.text(path.read_bytes()))


def test_letters_give_one_or_all_families_a_code_that_opens(
    run: Run, settings: Settings, alices_family: Family, charlies_family: Family, frozen: Clock
) -> None:
    path = settings.data / "une.pdf"
    result = run("letters", "f1001", "--output", str(path))
    assert (result.exit_code, path.stat().st_mode & 0o777) == (0, 0o600)
    (code,) = letter_codes(path)
    assert code not in result.output
    text = pdfs.text(path.read_bytes())
    for words in ("Famille Martin", "1 rue des Lilas", "44880 Sautron", "F1001", "/activer"):
        assert words in text
    assert "23 décembre 2026" in text  # thirty days, the last of which is whole
    token = tokens.find_code("F1001", code)
    assert token
    own_changes.activate(token, PASSWORD, TOWN, "")
    both = settings.data / "toutes.pdf"
    assert "1 lettre." in run("letters", "--all", "--output", str(both)).output
    assert "Famille Petit" in pdfs.text(both.read_bytes())
    assert tokens.find_code("F2002", *letter_codes(both))
    assert [line.kind for line in SecurityEvent.select()].count("activation_issued") == 2


def test_letters_for_all_name_the_families_without_an_address_and_the_status_tells(
    run: Run, settings: Settings, alices_family: Family, charlies_family: Family
) -> None:
    Family.update(address="").where(Family.code == "F2002").execute()
    path = settings.data / "toutes.pdf"
    result = run("letters", "--all", "--output", str(path))
    assert result.exit_code == 3
    assert "F2002 Petit" in result.output
    assert len(letter_codes(path)) == 1
    Family.update(city="").where(Family.code == "F1001").execute()
    nobody = run("letters", "--all", "--output", str(settings.data / "x.pdf"))
    assert (nobody.exit_code, nobody.output.count(sentences.NO_LETTER)) == (3, 2)
    assert not (settings.data / "x.pdf").exists()
    assert run("letters", "F2002", "--output", str(settings.data / "y.pdf")).exit_code == 0


def test_letters_go_to_the_sites_own_folder_for_its_owner_only(
    run: Run, settings: Settings, alices_family: Family, frozen: Clock,
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
) -> None:  # fmt: skip
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    assert run("letters", "F1001").exit_code == 0
    path = settings.data / "letters" / "lettres-2026-11-24.pdf"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert list(elsewhere.iterdir()) == []
    assert tokens.find_code("F1001", *letter_codes(path))


def test_letters_may_go_to_standard_output(
    run: Run, settings: Settings, alices_family: Family, tmp_path: Path
) -> None:
    result = run("letters", "F1001", "--output", "-")
    path = tmp_path / "copie.pdf"
    path.write_bytes(result.stdout_bytes)
    assert result.stdout_bytes.startswith(b"%PDF")
    assert "1 lettre" in result.stderr
    assert tokens.find_code("F1001", *letter_codes(path))
    assert not Path("-").exists()


def test_a_folder_that_may_not_be_written_is_one_line_in_french(
    run: Run, settings: Settings, alices_family: Family
) -> None:
    (settings.data / "letters").write_text("in the way", encoding="utf-8")
    result = run("letters", "F1001")
    assert (result.exit_code, result.output.count("\n")) == (1, 1)
    assert sentences.CANNOT_BE_MADE in result.output
    result = run("letters", "F1001", "--output", str(settings.data / "letters" / "x.pdf"))
    assert (result.exit_code, result.output.count("\n")) == (1, 1)


def test_letters_that_our_fonts_lack_are_named(
    run: Run, settings: Settings, alices_family: Family
) -> None:
    Guardian.create(family=alices_family, first_name="王", last_name="Martin")
    result = run("letters", "F1001", "--output", str(settings.data / "x.pdf"))
    assert result.exit_code == 0
    assert f"{sentences.NO_FONT} « 王 » : F1001 王 Martin" in result.output


def test_a_file_may_come_from_standard_input(run: Run) -> None:
    result = CliRunner().invoke(main, ["import", "-"], input=sheet(ROW).encode())
    assert result.output.startswith(f"{sentences.STANDARD_INPUT} : ")
    assert Invoice.select().count() == 1
    wrong = CliRunner().invoke(main, ["import", "-"], input=b"a;b\n1;2\n")
    assert wrong.exit_code == 1
    assert f"{sentences.STANDARD_INPUT}, ligne 1 : {sentences.UNKNOWN_COLUMNS}" in wrong.output


def test_a_file_that_this_account_may_not_read_is_named_once_with_what_to_do(
    run: Run, tmp_path: Path
) -> None:
    for path in (tmp_path / "x.csv", tmp_path):
        said = run("import", str(path)).output
        assert said.count(path.name) == 1
        assert sentences.NOT_READABLE in said


def test_a_letter_is_for_the_parents_that_the_town_knows(
    run: Run, settings: Settings, alices_family: Family
) -> None:
    for name in ("Alice", "Bob"):
        Guardian.create(family=alices_family, first_name=name, last_name="Martin")
    path = settings.data / "une.pdf"
    run("letters", "F1001", "--output", str(path))
    assert "Alice Martin, Bob Martin" in pdfs.text(path.read_bytes())


def test_letters_that_cannot_be_written_leave_the_earlier_ones_good(
    run: Run,
    settings: Settings,
    alices_family: Family,
    frozen: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = settings.data / "premiere.pdf"
    run("letters", "F1001", "--output", str(path))
    (code,) = letter_codes(path)
    before = path.read_bytes()

    def full(_file: int) -> None:
        raise OSError(28, "No space left on device")

    refused = [
        run("letters", "F1001", "--output", str(path)),
        run("letters", "F1001", "--output", str(settings.data / "absent" / "x.pdf")),
        run("letters", "F1001", "inconnu"),
        run("letters"),
    ]
    monkeypatch.setattr(activation_letters.os, "fsync", full)
    refused.append(run("letters", "F1001", "--output", str(settings.data / "x.pdf")))
    assert all(result.exit_code == 1 for result in refused)
    assert all("Erreur" in result.output for result in refused)
    assert tokens.find_code("F1001", code)
    assert path.read_bytes() == before
    assert [each.name for each in settings.data.glob("*.pdf")] == ["premiere.pdf"]


def test_codes_that_cannot_be_kept_leave_no_letter_behind(
    run: Run, settings: Settings, alices_family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object, **__: object) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(activation_letters.own_changes, "issue_codes", busy)
    result = run("letters", "F1001", "--output", str(settings.data / "x.pdf"))
    assert result.exit_code == 1
    assert list(settings.data.glob("*.pdf")) == []


def test_the_timer_sends_the_links_asked_for(run: Run, alices_family: Family) -> None:
    Guardian.create(family=alices_family, first_name="", last_name="", email="alice@example.org")
    own_changes.ask_reset("alice@example.org", Visitor("203.0.113.9"))
    assert sentences.numbers(run("send-mail").output) == [1, 0, 0]


def test_mails_that_were_given_up_are_listed_without_their_address_and_can_be_sent_again(
    run: Run, alices_family: Family, frozen: Clock
) -> None:
    frozen.at = NOW - timedelta(hours=9)
    with write():
        invoice = make_invoice(alices_family, "2026-10-0001")
        alices_family.email = "alice@example.org\r\n"
        alices_family.save()
        announcements.queue_notice(NoticeKind.REMINDER, alices_family, [invoice])
    result = run("send-mail")
    assert (result.exit_code, "1 abandonné" in result.output) == (3, True)
    assert "1 courriel" in run("todo").output
    listed = run("mails").output
    assert "\trappel\tF1001\t1 " in listed
    assert "alice" not in listed + result.output
    assert f"1 {sentences.WAITS_AGAIN}" in run("mails", "--retry", str(OutboxMail.get().id)).output
    assert queue.count_waiting() == 1


def test_sending_mail_announces_what_is_due(run: Run, alices_family: Family, frozen: Clock) -> None:
    frozen.at = NOW - timedelta(hours=9)
    Guardian.create(family=alices_family, first_name="A", last_name="B", email="a@example.org")
    make_invoice(alices_family, "2026-10-0001", due_on=date(2026, 11, 28))
    ImportBatch.update(imported_at=NOW - timedelta(days=4)).execute()
    result = run("send-mail")
    assert sentences.numbers(result.output) == [2, 0, 0]


def test_a_legal_text_is_written_out_once_to_be_changed(run: Run, settings: Settings) -> None:
    path = settings.data / "texts" / "confidentialite.md"
    assert str(path) in run("text", "confidentialite").output
    assert path.read_text(encoding="utf-8").startswith("# Confidentialité")
    path.write_text("# À nous", encoding="utf-8")
    again = run("text", "confidentialite")
    assert again.exit_code != 0
    assert sentences.EXISTS_ALREADY in again.output
    assert path.read_text(encoding="utf-8") == "# À nous"
