"""All the papers of a month closed, each under its file's name."""

from collections.abc import Iterator

from kiosque import deposits
from kiosque.closings import contents
from kiosque.db.models import MonthClosing
from kiosque.papers import books
from kiosque.papers import deposits as bordereaux
from kiosque.settings import Settings


def papers(settings: Settings, closed: MonthClosing) -> Iterator[tuple[str, bytes]]:
    """Give the PDFs of a month, one after the other: they may be large."""
    entries, carried = contents.entries_of(closed), contents.carried_cents(closed)
    yield "journal.pdf", books.month_journal(settings, closed, entries, carried)
    position = contents.position_of(closed)
    yield "rapprochement.pdf", books.bank_position(settings, closed, position)
    yield "impayes.pdf", books.unpaid(settings, closed, contents.unpaid_of(closed.regie))
    for deposit in contents.deposits_of(closed):
        title = deposits.titled(deposit)
        yield f"bordereau-{title}.pdf", bordereaux.bordereau(deposits.bordereau_of(deposit))
        yield f"liste-{title}.pdf", bordereaux.payers(settings, deposit)
