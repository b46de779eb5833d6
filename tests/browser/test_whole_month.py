"""The régisseur closes the demo's October in a browser alone, to the cent of books kept apart."""

import csv
import io
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from kiosque.language.formats import format_euros
from tests import bookkeeping
from tests.bookkeeping import Books
from tests.browser.conftest import Demo, Visitor, open_context
from tests.browser.test_office_imports import come_in

pytestmark = [pytest.mark.browser, pytest.mark.slow]

STATEMENT = bookkeeping.FILES / "releve-2026-10.cfonb"
MONTH = "/mairie/mois/2026-10"
MOST_CLICKS = 30
MODES = {"card": "carte bancaire en ligne", "cesu": "CESU"}


class Counting:
    """A browser whose clicks are counted, from the month's page."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor, self.page, self.clicks = visitor, visitor.page, 0

    def click(self, selector: str) -> None:
        self.page.locator(selector).first.click()
        self.page.wait_for_load_state()
        self.visitor.look()
        self.clicks += 1

    def back_to_the_month(self) -> None:
        self.page.goto(f"{self.visitor.town.url}{MONTH}")
        self.visitor.look()
        self.clicks += 1

    def download(self, selector: str) -> bytes:
        with self.page.expect_download() as given:
            # A link on two lines has its middle outside of it.
            self.page.locator(selector).first.press("Enter")
        self.clicks += 1
        return Path(given.value.path()).read_bytes()


@pytest.fixture
def regisseur(browser: Browser, town: Demo) -> Iterator[Counting]:
    context = open_context(browser, accept_downloads=True)
    visitor = Visitor(context.new_page(), town)
    come_in(visitor, town, "regisseur")
    yield Counting(visitor)
    context.close()


def test_october_is_closed_in_few_clicks_and_agrees_with_books_kept_apart(
    regisseur: Counting,
) -> None:
    books = bookkeeping.keep()
    regisseur.back_to_the_month()
    explain_the_statement(regisseur)
    made = pay_over(regisseur, books)
    papers = close(regisseur, books)
    books.require_journal(journal_of(regisseur))
    assert regisseur.clicks <= MOST_CLICKS
    assert sum(made.values()) == books.total
    for (mode, service), cents in books.revenue.items():
        assert made[MODES[mode], service] == cents
    books.require_papers(papers, bookkeeping.unpaid_in_the_demo())


def explain_the_statement(regisseur: Counting) -> None:
    """Say what two payments and the fees are; the rest leaves no doubt, and is matched at once."""
    regisseur.click("main a:has-text('Charger un relevé')")
    regisseur.page.set_input_files("[name=file]", STATEMENT)
    regisseur.click("text=Charger ce fichier")
    for _ in range(2):
        regisseur.click("main button:has-text('Confirmer')")
    regisseur.click("main a:has-text('18,74')")
    regisseur.page.select_option("[name=kind]", "fee")
    regisseur.page.fill("[name=reason]", "commissions d’octobre")
    regisseur.click("main button:has-text('Expliquer')")
    regisseur.back_to_the_month()


def pay_over(regisseur: Counting, books: Books) -> Counter[tuple[str, str]]:
    """Make the deposit final; return its cents by mode and service, as its CSV has them."""
    regisseur.click("main a:has-text('Voir le bordereau')")
    expect(regisseur.page.locator("main")).to_contain_text(format_euros(books.total))
    regisseur.click("[name=seen]")
    regisseur.click("main button:has-text('Rendre définitif')")
    table = regisseur.download("main a:has-text('CSV')").decode("utf-8-sig")
    found: Counter[tuple[str, str]] = Counter()
    for row in csv.DictReader(io.StringIO(table), delimiter=";"):
        mode = next(words for words in MODES.values() if words in row["mode"])
        found[mode, row["prestation"]] += bookkeeping.in_cents(row["montant"])
    regisseur.back_to_the_month()
    return found


def close(regisseur: Counting, books: Books) -> dict[str, bytes]:
    """Close the month; return its papers by name."""
    main = regisseur.page.locator("main")
    expect(main).to_contain_text(format_euros(books.at_bank))
    expect(main).to_contain_text(format_euros(books.at_bank - books.in_transit))
    expect(main).to_contain_text("Le compte est juste")
    regisseur.click("main a:has-text('Arrêter octobre 2026')")
    regisseur.click("[name=seen]")
    regisseur.click("main form button:has-text('Arrêter')")
    expect(main).to_contain_text(re.compile("Arrêté le .* du journal"))
    papers = regisseur.download("main a:has-text('Télécharger les papiers')")
    archive = zipfile.ZipFile(io.BytesIO(papers))
    return {name: archive.read(name) for name in archive.namelist()}


def journal_of(regisseur: Counting) -> str:
    """Return the journal as the page gives it, as CSV."""
    regisseur.click("nav a:has-text('Journal')")
    return regisseur.download("main a:has-text('CSV')").decode("utf-8-sig")
