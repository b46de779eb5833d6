"""The journal of a month on paper: each page carries its sum to the next."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from kiosque.db.models import JournalEntry, MonthClosing
from kiosque.language.formats import format_euros
from kiosque.papers import month
from kiosque.settings import Settings
from tests import pdfs

CLOSED = MonthClosing(
    regie="", month="2026-11", up_to=60, closed_at=datetime(2026, 12, 3, tzinfo=UTC),
    author="Dominique", gap_cents=0, gap_reason="",
)  # fmt: skip
_SUM = r"{} ([\d\s]+,\d\d)\s€"


def entries(number: int) -> Iterator[JournalEntry]:
    for each in range(1, number + 1):
        yield JournalEntry(
            number=each, at=datetime(2026, 11, 1 + each % 28, tzinfo=UTC), label="paiement " * 9,
            debit="bank:banque", credit="invoices", amount_cents=each * 100,
        )  # fmt: skip


def sums(words: str, pages: list[str]) -> list[str]:
    found = [re.findall(_SUM.format(words), page) for page in pages]
    assert all(len(each) == 1 for each in found), found
    return [re.sub(r"\D", "", each[0]) for each in found]


def test_each_page_begins_with_the_sum_of_the_one_before(settings: Settings) -> None:
    pdf = month.month_journal(settings, CLOSED, entries(40), 12_34)
    pages = [page.extract_text() for page in pdfs.reader(pdf).pages]
    assert len(pages) > 2
    begun, ended = sums("\nReport", pages), sums("À reporter", pages)
    assert begun == ["1234", *ended[:-1]]
    assert ended[-1] == str(12_34 + 100 * sum(range(41)))
    assert pdfs.faults(pdf) == []


def test_an_entry_that_corrects_another_cites_it(settings: Settings) -> None:
    first, second = entries(2)
    second.label, second.corrects = "impayé", 1
    text = " ".join(pdfs.text(month.month_journal(settings, CLOSED, [first, second], 0)).split())
    assert text.count("impayé (corrige l’écriture 1)") == 1
    assert text.count("corrige") == 1


@pytest.mark.parametrize("carried", [0, 12_34])
def test_a_month_without_entries_carries_what_was_before(settings: Settings, carried: int) -> None:
    text = pdfs.text(month.month_journal(settings, CLOSED, [], carried))
    assert text.count(" ".join(format_euros(carried).split())) == 2
