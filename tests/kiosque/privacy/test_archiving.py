"""A family put away: not looked up, not written to, nobody in; all of it back by a file, by money
or at a click."""

from collections.abc import Callable
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from kiosque import payments
from kiosque.db.models import (
    Family,
    Guardian,
    ImportBatch,
    Invoice,
    OutboxMail,
    Session,
    Settlement,
    Token,
)
from kiosque.db.states import RepaymentKind
from kiosque.families import accounts, own_changes, records, signin
from kiosque.families.signin import Visitor
from kiosque.invoices import imports
from kiosque.invoices.imports import undoing
from kiosque.payments import Refused
from kiosque.privacy import archiving
from tests import fresh_databases
from tests.conftest import PASSWORD, Clock, choose_password
from tests.kiosque.conftest import Run
from tests.kiosque.invoices.files import FAMILIES, ROW, sheet
from tests.kiosque.payments.conftest import at_counter

HOME = Visitor("203.0.113.9")
Load = Callable[[str], int]


@pytest.fixture
def gone(alices_family: Family) -> Family:
    """Alice's family, put away."""
    Guardian.create(
        family=alices_family, first_name="Alice", last_name="Martin", email="alice@example.org"
    )
    choose_password(alices_family)
    archiving.archive(alices_family)
    return alices_family


@pytest.fixture
def load(empty_database: None, tmp_path: Path) -> Load:
    def go(content: str) -> int:
        path = tmp_path / "fichier.csv"
        path.write_text(content, encoding="utf-8")
        imports.load(path, pdf_folder=tmp_path / "pdf", confirmed=imports.Confirmed(removals=True))
        return int(ImportBatch.select().count())

    return go


def is_away() -> bool:
    return Family.get(Family.code == "F1001").archived_at is not None


def test_it_is_found_among_those_put_away_only(gone: Family) -> None:
    for words in ("martin", "F1001"):
        assert records.search(words) == []
        assert [each.code for each in records.search(words, archived=True)] == [gone.code]


def test_nobody_signs_in_for_it_and_a_wrong_password_learns_nothing(gone: Family) -> None:
    with pytest.raises(signin.Archived):
        signin.attempt("F1001", PASSWORD, HOME)
    assert signin.attempt("F1001", "faux", HOME) is None
    assert Session.select().count() == 0


def test_its_sessions_letters_and_links_end(
    alice: FlaskClient, alices_family: Family, frozen: Clock
) -> None:
    own_changes.issue_codes([(alices_family, "abc")])
    own_changes.send_link(alices_family, "alice@example.org", "")
    archiving.archive(alices_family)
    assert Token.select().count() == 0
    assert alice.get("/factures").location.startswith("/connexion")


def test_no_link_and_no_letter_is_made_for_it(gone: Family) -> None:
    own_changes.ask_reset("alice@example.org", HOME)
    own_changes.answer_resets()
    assert OutboxMail.select().count() == 0
    assert accounts.families_without_password() == []


def test_it_is_kept_while_something_is_due_either_way(
    alices_family: Family, october: Invoice
) -> None:
    before = fresh_databases.rows()
    with pytest.raises(Refused):
        archiving.archive(alices_family)
    assert fresh_databases.rows() == before
    at_counter(october)
    at_counter(october, is_extra=True, reason="en trop")
    with pytest.raises(Refused):  # a trop-perçu
        archiving.archive(alices_family)


def test_it_comes_back_as_it_was(gone: Family) -> None:
    archiving.bring_back(gone)
    assert [each.code for each in records.search("martin")] == [gone.code]
    assert signin.attempt("F1001", PASSWORD, HOME)


@pytest.mark.parametrize("content", [FAMILIES, sheet(ROW)])
def test_a_file_brings_it_back_and_undone_puts_it_away_again(load: Load, content: str) -> None:
    load(FAMILIES)
    archiving.archive(Family.get())
    left = {"import_batch", "import_change", "sqlite_sequence"}
    before = fresh_databases.rows(without=left)
    load(content)
    assert not is_away()
    undoing.undo(2, "Dominique", "mauvais fichier", Path("/nowhere"))
    assert is_away()
    assert fresh_databases.rows(without=left) == before


def test_money_that_leaves_again_brings_it_back(alices_family: Family, october: Invoice) -> None:
    at_counter(october)
    archiving.archive(alices_family)
    payments.record_repayment(
        Settlement.get(), RepaymentKind.CHARGEBACK, 4520, "Dominique", "chèque sans provision"
    )
    assert Invoice.get().remaining_cents == 4520
    assert not is_away()


@pytest.mark.parametrize("command", ["letters", "password"])
def test_no_command_opens_it_either(run: Run, gone: Family, command: str) -> None:
    before = fresh_databases.rows()
    result = run(command, "F1001")
    assert (result.exit_code, "Famille archivée : F1001" in result.output) == (1, True)
    assert fresh_databases.rows() == before
