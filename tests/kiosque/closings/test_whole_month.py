"""October of the demo, from its files to the month closed, agrees with books kept apart."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from kiosque import deposits
from kiosque.closings import bank_position, closed_state, closing
from kiosque.closings.closing import Request
from kiosque.closings.months import Month, last_number
from kiosque.closings.steps import steps
from kiosque.db.models import Deposit, MonthClosing
from kiosque.db.statement_words import MatchKind
from kiosque.demo import past_month, town
from kiosque.deposits import tables
from kiosque.invoices import imports
from kiosque.language import clock
from kiosque.papers import deposits as papers
from kiosque.papers import month as month_papers
from kiosque.payments import journal, verification
from kiosque.settings import Settings
from kiosque.statements import loading, matching
from kiosque.statements.accounts import AccountHolder
from kiosque.statements.reading import read
from tests import bookkeeping, pdfs
from tests.bookkeeping import Books
from tests.kiosque.conftest import Run

OCTOBER = Month(2026, 10)
AUTHOR = "Dominique Aubry"
FILES = ("familles.csv", "factures-2026-09.csv")


@pytest.fixture
def played(settings: Settings, empty_database: None) -> Iterator[None]:
    """October was lived; it is the fifth of November."""
    with clock.held_at(datetime(2026, 10, 5, 8, tzinfo=UTC)):
        for name in FILES:
            imports.load(town.FILES / name, pdf_folder=settings.data / "pdf")
    past_month.impute()
    past_month.play(settings, town.FILES / "paiements-2026-10.csv")
    with clock.held_at(datetime(2026, 11, 5, 9, tzinfo=UTC)):
        yield


@pytest.fixture
def books() -> Books:
    return bookkeeping.keep()


def load_statement(settings: Settings) -> None:
    """The statement is loaded, and what the bank says without doubt is matched; a person does the
    rest."""
    content = (town.FILES / "releve-2026-10.cfonb").read_bytes()
    known = hashlib.sha256(content).hexdigest()
    regies = AccountHolder.all_of(settings)
    loading.load(read("releve", content), "releve", known, regie="", regies=regies, author=AUTHOR)
    matching.match_all("")
    for line in list(matching.open_lines("")):
        if proposed := matching.proposals(line):
            matching.confirm(line.id, proposed[0].key, AUTHOR)
        else:
            matching.classify(line.id, MatchKind.FEE, AUTHOR, "commissions d’octobre")


def pay_over(settings: Settings) -> Deposit:
    up_to = last_number(OCTOBER)
    agreed = deposits.draft("", up_to).fingerprint
    return deposits.finalize(settings, "", up_to, AUTHOR, agreed, papers.bordereau)


def close(settings: Settings) -> tuple[Deposit, MonthClosing]:
    load_statement(settings)
    deposit = pay_over(settings)
    return deposit, closing.close("", OCTOBER, Request(AUTHOR))


def test_the_month_has_four_hundred_families_and_all_that_makes_one_hard() -> None:
    assert bookkeeping.families() == 400
    assert bookkeeping.what_happened() == {
        "in part",
        "given back",
        "authorised, then late",
        "contested",
        "a notice lost",
        "twice",
        "fees",
        "of the next month",
    }


def test_the_month_says_what_is_missing_until_it_is_all_proven(
    played: None, settings: Settings
) -> None:
    assert [it.key for it in steps("", OCTOBER) if not it.done] == [
        "statements",
        "position",
        "deposits",
    ]
    load_statement(settings)
    assert [it.key for it in steps("", OCTOBER) if not it.done] == ["deposits"]
    pay_over(settings)
    assert [it.key for it in steps("", OCTOBER) if not it.done] == []
    closing.close("", OCTOBER, Request(AUTHOR))
    assert verification.faults() == []


def test_the_deposit_is_what_the_books_kept_apart_say_by_mode_and_service(
    played: None, settings: Settings, books: Books
) -> None:
    deposit, _closed = close(settings)
    made = deposits.bordereau_of(deposit)
    found: Counter[tuple[str, str]] = Counter()
    for line in made.lines:
        found[line.mode, line.service] += line.cents
    assert found == books.revenue
    assert deposit.amount_cents == books.total


def test_its_table_says_the_same_cents(played: None, settings: Settings, books: Books) -> None:
    deposit, _closed = close(settings)
    rows = list(tables.rows(deposit))
    assert sum(int(row[-1]) for row in rows) == books.total


def test_the_position_at_the_bank_is_what_the_books_kept_apart_say(
    played: None, settings: Settings, books: Books
) -> None:
    _deposit, closed = close(settings)
    position = closed_state.position_of(closed)
    assert position.books_cents == books.at_bank
    assert position.statement_cents == books.at_bank - books.in_transit
    assert [item.cents for item in position.explained] == [books.in_transit]
    assert (position.unexplained, position.gap_cents) == ([], 0)
    assert position == bank_position.position("", OCTOBER)


def test_the_journal_holds_what_is_paid_over_and_nothing_is_left_to_pay_over(
    played: None, settings: Settings, books: Books
) -> None:
    close(settings)
    balances = journal.balances()
    online = books.by_mode["card"]
    assert -balances["paid_over"] == online
    assert balances["fees"] == bookkeeping.FEES
    november = sum(
        bookkeeping.in_cents(act["montant"])
        for act in bookkeeping.acts()
        if act["instant"].startswith("2026-11") and act["acte"] == "paie"
    )
    assert -balances["invoices"] - balances["refunds"] == november
    assert sum(balances.values()) == 0


def test_the_journal_as_csv_says_the_same_cents(
    played: None, settings: Settings, books: Books, run: Run
) -> None:
    close(settings)
    books.require_journal(run("journal", "--csv").stdout)


def test_the_papers_say_the_cents_of_the_books_kept_apart(
    played: None, settings: Settings, books: Books
) -> None:
    deposit, closed = close(settings)
    given = dict(month_papers.papers(settings, closed))
    title = deposits.titled(deposit)
    assert hashlib.sha256(given[f"bordereau-{title}.pdf"]).hexdigest() == deposit.pdf_sha256
    books.require_papers(given, books.unpaid)


def test_each_line_of_the_papers_is_of_the_cents_of_the_tables(
    played: None, settings: Settings, run: Run
) -> None:
    deposit, closed = close(settings)
    papers = dict(month_papers.papers(settings, closed))
    said = {name.split("-")[0]: pdfs.text(pdf) for name, pdf in papers.items()}
    table = run("journal", "--csv").stdout
    assert bookkeeping.entries_of(said["journal.pdf"]) == bookkeeping.amounts_of(table, "2026-10")
    run("deposit", "papers", deposits.titled(deposit), str(settings.data / "papers"))
    (csv_file,) = (settings.data / "papers").glob("*.csv")
    paid = bookkeeping.paid_of(csv_file.read_text("utf-8-sig"))
    assert bookkeeping.cents_by_invoice(said["liste"]) == paid
    assert bookkeeping.cents_by_invoice(said["impayes.pdf"]) == bookkeeping.unpaid_by_invoice()
