"""Write the papers of a month closed: its journal, how it stands at the bank, what is unpaid; give
them with those of its deposits."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict

from kiosque import deposits
from kiosque.closings import closed_state
from kiosque.closings.bank_position import Position
from kiosque.closings.differences import Item
from kiosque.closings.months import Month
from kiosque.db.models import Invoice, JournalEntry, MonthClosing
from kiosque.language import clock, formats
from kiosque.language.formats import capital, format_euros, short_date
from kiosque.papers import deposits as bordereaux
from kiosque.papers.receipts_and_invoices import Column, Paper, PaperTable
from kiosque.papers.typesetting import CELL_WORD, breakable, typeset
from kiosque.payments.account_words import labelled, named
from kiosque.settings import Settings

_AMOUNT = Column("Montant", figures=True)


def papers(settings: Settings, closed: MonthClosing) -> Iterator[tuple[str, bytes]]:
    """Yield the PDFs of a month with their files' names, one at a time since they may be large."""
    entries, carried = closed_state.entries_of(closed), closed_state.carried_cents(closed)
    yield "journal.pdf", month_journal(settings, closed, entries, carried)
    yield "rapprochement.pdf", bank_position(settings, closed, closed_state.position_of(closed))
    yield "impayes.pdf", unpaid(settings, closed, closed_state.unpaid_of(closed))
    for deposit in closed_state.deposits_of(closed):
        title = deposits.titled(deposit)
        yield f"bordereau-{title}.pdf", bordereaux.kept(deposit)
        yield f"liste-{title}.pdf", bordereaux.payers(settings, deposit)


def month_journal(
    settings: Settings,
    closing: MonthClosing,
    entries: Iterable[JournalEntry],
    carried_cents: int,
) -> bytes:
    """Return the PDF of the journal of a month. `carried_cents` is the sum of all earlier entries,
    carried forward from the month before, as each page does to the next."""
    rows, running, total = [], [], carried_cents
    for entry in entries:
        total += entry.amount_cents
        rows.append(_entry_row(entry))
        running.append(format_euros(total))
    columns = (
        Column("N°"),
        Column("Jour"),
        Column("Libellé", share=3),
        Column("Débit ← crédit", share=2),
        _AMOUNT,
    )
    start, end = format_euros(carried_cents), format_euros(total)
    rows = rows or [("", "", "Report", "", start)]
    table = PaperTable(columns, rows, ("À reporter", end), start=start, running=running)
    return _paper(settings, closing, "Journal des encaissements", [table])


def _entry_row(entry: JournalEntry) -> tuple[str, str, str, str, str]:
    accounts = f"{named(entry.debit)} ← {named(entry.credit)}" if entry.amount_cents else ""
    return (
        str(entry.number),
        short_date(clock.paris_date(entry.at)),
        breakable(labelled(entry), CELL_WORD),
        breakable(accounts, CELL_WORD),
        format_euros(entry.amount_cents),
    )


def bank_position(settings: Settings, closing: MonthClosing, found: Position) -> bytes:
    """Return the PDF of the *état de rapprochement*, as it was when the month was closed."""
    month, told = Month.named(closing.month), found.statement_cents
    last = short_date(month.last_on)
    facts = [
        (f"A, solde des livres au {last}", format_euros(found.books_cents)),
        (f"B, solde du relevé au {last}", "sans relevé" if told is None else format_euros(told)),
    ]
    tables = [
        _items(f"Différences expliquées{_in_transit(month)}", found.explained),
        _items("Différences non expliquées", found.unexplained),
    ]
    gap = f"Écart non expliqué : {format_euros(found.gap_cents)}." if found.gap_cents else ""
    reason = f"Motif : {closing.gap_reason}" if closing.gap_reason else ""
    words = [each for each in (*found.causes, reason) if each]
    return _paper(
        settings, closing, "État de rapprochement", tables, facts=facts, words=words, warning=gap
    )


def _in_transit(month: Month) -> str:
    """Say of the year's last month that this is the list of what is in transit."""
    return ", en chemin au 31 décembre" if month.number == 12 else ""


def _items(title: str, items: Sequence[Item]) -> PaperTable:
    rows = [
        (short_date(item.on), breakable(item.words, CELL_WORD), format_euros(item.cents))
        for item in items
    ]
    total = format_euros(sum(item.cents for item in items))
    columns = (Column("Jour"), Column("Différence", share=1), _AMOUNT)
    return PaperTable(columns, rows or [("", "aucune", "")], ("Total", total), title)


def unpaid(settings: Settings, closing: MonthClosing, invoices: Iterable[Invoice]) -> bytes:
    """Return the PDF of the invoices due by the end of a month and not paid, as they are today."""
    found = list(invoices)
    rows = [
        (
            breakable(each.number, CELL_WORD),
            breakable(f"{each.family.name}, {each.family.code}", CELL_WORD),
            short_date(each.due_on),
            format_euros(each.remaining_cents),
        )
        for each in found
    ]
    total = format_euros(sum(each.remaining_cents for each in found))
    columns = (
        Column("Facture", share=1),
        Column("Famille", share=2),
        Column("Échéance"),
        Column("Reste dû", figures=True),
    )
    table = PaperTable(columns, rows or [("", "aucune", "", "")], ("Total", total))
    opening = [f"Situation au {formats.long_instant(clock.now())}."]
    return _paper(settings, closing, "Impayés", [table], words=opening)


def _paper(
    settings: Settings,
    closing: MonthClosing,
    title: str,
    tables: Sequence[PaperTable],
    *,
    facts: Sequence[tuple[str, str]] = (),
    words: Sequence[str] = (),
    warning: str = "",
) -> bytes:
    month, regie = Month.named(closing.month), settings.regies_by_key[closing.regie]
    paper = Paper(
        title=f"{title}, {month.words}",
        warning=warning,
        facts=[("Régie", regie.name), *facts],
        tables=tables,
        closing=words,
        signed=[
            f"{capital(month.words)} arrêté le {formats.long_instant(closing.closed_at)},",
            f"à l’écriture {closing.up_to} du journal.",
            f"Le régisseur, {regie.regisseur}",
        ],
    )
    return typeset("paper", settings, {"numbered": True, **asdict(paper)})
