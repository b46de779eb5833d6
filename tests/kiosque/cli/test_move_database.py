"""A town moves from SQLite to PostgreSQL: all of it arrives, or nothing does."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import apsw
import pytest
from click.testing import CliRunner, Result

from gateways.base import Callback, Gateway, Handoff
from kiosque import db, deposits, payments
from kiosque.cli import main, move_database
from kiosque.closings import closing as month_closing
from kiosque.closings.months import Month
from kiosque.db import database
from kiosque.db.models import Attempt, Family, Invoice, JournalEntry, Token
from kiosque.db.statement_words import MatchKind
from kiosque.families import accounts
from kiosque.payments import journal, verification
from kiosque.settings import Settings
from kiosque.statements import loading, matching
from kiosque.statements.accounts import AccountHolder
from kiosque.statements.records import FileKind, Movement, ParsedFile, Period
from tests import fresh_databases, sentences
from tests.bank import notice
from tests.conftest import ISSUERS, NOW, PASSWORD, Clock, choose_password, make_family, make_invoice
from tests.kiosque.settings.test_settings import TOML

pytestmark = fresh_databases.on_postgresql

Pay = Callable[..., tuple[Attempt, Handoff]]


@pytest.fixture
def town(tmp_path: Path, frozen: Clock, pay: Pay, gateway: Gateway) -> Path:
    """A town on SQLite: accents, what is empty, money that came, a token erased."""
    path = tmp_path / "town" / "kiosque.sqlite3"
    path.parent.mkdir()
    shutil.copyfile(fresh_databases.template(), path)
    with db.elsewhere(path):
        family = make_family("F1001", "Œuvrard-Ñandú ’ \\ \t “é”")
        make_family("F2002", "Petit")
        choose_password(family)
        for number in range(3):
            make_invoice(family, f"N{number}", 4520 + number)
            hear(gateway, pay(family, Invoice.get(Invoice.number == f"N{number}"))[1], number)
        make_invoice(family, "N9", 1)
        token(family)
    with closing(apsw.Connection(str(path))) as file:
        file.execute("DELETE FROM token; UPDATE sqlite_sequence SET seq = 41 WHERE name = 'token'")
    return path


def token(family: Family) -> Token:
    return Token.create(
        digest="0" * 64, purpose="reset", family=family, issued_at=NOW, expires_at=NOW
    )


def hear(gateway: Gateway, handoff: Handoff, number: int) -> None:
    fields = notice(handoff, trans_uuid=f"{number}" * 32)
    payments.record(
        gateway.name, gateway.read_notification(Callback.of_form(fields.items())), ISSUERS
    )


@pytest.fixture
def target(tmp_path: Path) -> Iterator[str]:
    with fresh_databases.bare(tmp_path) as location:
        yield str(location)


@pytest.fixture
def run(town: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    path = settings.data / "kiosque.toml"
    path.write_text(TOML, encoding="utf-8")
    monkeypatch.setenv("KIOSQUE_CONFIG", str(path))
    monkeypatch.setenv("KIOSQUE_DATA", str(settings.data))
    monkeypatch.setenv("KIOSQUE_DATABASE", str(town))
    return lambda *arguments: CliRunner().invoke(main, ["move-database", *arguments])


def contents(location: fresh_databases.Location) -> dict[str, Any]:
    with db.elsewhere(location):
        return fresh_databases.rows(without=("schema_migration", "sqlite_sequence"))


def test_a_town_moves_whole_and_goes_on_from_where_it_was(
    run: Callable[..., Result], town: Path, target: str, pay: Pay, gateway: Gateway
) -> None:
    before = contents(town)
    result = run(target)
    assert result.exit_code == 0, result.output
    assert "journal_entry : 3 lignes (amount_cents 135,63" in result.output
    assert sentences.ALL_ARRIVED in result.output
    assert contents(target) == before == contents(town)
    with db.elsewhere(target):
        assert verification.faults() == []
        assert f"{sentences.LAST_ENTRY} : 3, empreinte {journal.last()[1]}" in result.output
        family = Family.get(Family.code == "F1001")
        assert accounts.authenticate("F1001", PASSWORD)
        hear(gateway, pay(family, Invoice.get(Invoice.number == "N9"))[1], 9)
        assert JournalEntry.select().count() == 4
        assert verification.faults() == []
        assert make_family("F3003", "Durand").id == 3
        assert token(family).id == 42


def test_the_statement_the_deposit_and_the_month_closed_move_too(
    run: Callable[..., Result], town: Path, target: str, settings: Settings, frozen: Clock
) -> None:
    with db.elsewhere(town):
        close_the_month(settings, frozen)
        faults = verification.faults()
    result = run(target)
    assert result.exit_code == 0, result.output
    with db.elsewhere(target):
        about = JournalEntry.statement, JournalEntry.line, JournalEntry.deposit
        for field in (*about, JournalEntry.closing, JournalEntry.settlement):
            assert JournalEntry.select().where(field.is_null(False)).exists()
        assert verification.faults() == faults


def close_the_month(settings: Settings, frozen: Clock) -> None:
    """The statement tells of a balance and of fees; all that came is paid over; it is December."""
    fees = Movement(NOW.date(), None, -100, "COMMISSION", "")
    period = Period("FR76", date(2026, 10, 31), 500, date(2026, 11, 30), 400, (fees,))
    file = ParsedFile(FileKind.CFONB, (period,))
    holders = AccountHolder.all_of(settings)
    loading.load(file, "releve", "0" * 64, regie="", regies=holders, author="Dominique")
    for line in list(matching.open_lines("")):
        matching.classify(line.id, MatchKind.FEE, "Dominique", "frais")
    deposits.set_imputation("", "Restauration scolaire", deposits.Imputed("7067"), "Dominique")
    draft = deposits.draft("", journal.last()[0])
    asked = settings, "", draft.up_to, "Dominique", draft.fingerprint
    deposits.finalize(*asked, lambda made: made.written.encode())
    frozen.at = datetime(2026, 12, 3, tzinfo=UTC)
    month_closing.close("", Month(2026, 11), month_closing.Request("Dominique", "essai"))


def test_nothing_is_copied_into_a_database_that_holds_something(
    run: Callable[..., Result], town: Path, target: str
) -> None:
    with db.elsewhere(target):
        db.migrate()
        make_family("F9", "Déjà")
    result = run(target)
    assert result.exit_code == 1
    assert f"family {sentences.NOT_EMPTY}\n{sentences.NOTHING_COPIED}" in result.output
    with db.elsewhere(target):
        assert [family.code for family in Family.select()] == ["F9"]


def test_a_database_whose_tables_were_made_before_is_empty_all_the_same(
    run: Callable[..., Result], town: Path, target: str
) -> None:
    with db.elsewhere(target):
        db.migrate()
    assert run(target).exit_code == 0


def test_an_older_database_is_brought_up_to_date_first(
    run: Callable[..., Result], town: Path, target: str
) -> None:
    with closing(apsw.Connection(str(town))) as file:
        file.execute("DELETE FROM schema_migration WHERE name LIKE '0008%'")
    assert sentences.MIGRATE_FIRST in run(target).output
    assert contents(target) == {}


def test_a_site_that_still_writes_is_to_be_stopped_first(
    run: Callable[..., Result], town: Path, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(move_database, "PATIENCE_MILLISECONDS", 1)
    with closing(apsw.Connection(str(town))) as site:
        site.execute("BEGIN IMMEDIATE")
        result = run(target)
    assert sentences.STOP_THE_SITE in result.output
    assert contents(target) == {}


@pytest.mark.parametrize("damage", ["a row less", "another amount", "a NUL", "another end"])
def test_what_does_not_arrive_as_it_was_undoes_everything(
    run: Callable[..., Result],
    town: Path,
    target: str,
    damage: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from kiosque.db import postgresql  # noqa: PLC0415

    copy_in = postgresql.Postgresql.copy_in

    def lossy(self: Any, table: str, columns: list[str], rows: Any) -> None:
        kept = [list(row) for row in rows]
        if table == "allocation" and damage == "a row less":
            del kept[0]
        if table == "allocation" and damage == "another amount":
            kept[0][columns.index("amount_cents")] += 1
        copy_in(self, table, columns, kept)

    monkeypatch.setattr(postgresql.Postgresql, "copy_in", lossy)
    if damage == "a NUL":
        with closing(apsw.Connection(str(town))) as file:
            file.execute("UPDATE family SET name = ?", ("a\0b",))
    if damage == "another end":
        monkeypatch.setattr(move_database, "_last_entry", lambda _file: (3, "x"))
    result = run(target)
    assert result.exit_code == 1
    assert sentences.NOTHING_COPIED in result.output
    assert contents(target) == {}


def test_what_cannot_be_reached_or_read_is_said_without_the_password(
    run: Callable[..., Result], town: Path, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = [
        run("mysql://u:tr3s-secret@x/base"),
        run("postgresql://u:tr3s-secret@127.0.0.1:1/base"),
        run("postgresql://u:tr3s-secret@/base?sslmod=x"),
    ]
    town.write_bytes(b"x" * 5000)
    results.append(run(target))
    monkeypatch.setenv("KIOSQUE_DATABASE", target)
    results.append(run(target))
    monkeypatch.setenv("KIOSQUE_DATABASE", str(town.parent / "absent" / "x.sqlite3"))
    results.append(run(target))
    for result in results:
        assert result.exit_code == 1, result.output
        assert "Erreur : " in result.output
        assert "secret" not in result.output
        assert "Traceback" not in result.output
    assert database.is_closed()
