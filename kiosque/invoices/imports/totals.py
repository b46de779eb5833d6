"""Lines of totals among the rows of a file, compared with them."""

from bisect import bisect
from collections.abc import Sequence
from itertools import accumulate

from kiosque.invoices.imports.reading import quoted
from kiosque.invoices.imports.sheet import Sheet
from kiosque.language.formats import format_euros
from kiosque.language.parsing import parse_hundredths


def compare(sheet: Sheet, lines: Sequence[int], cents: Sequence[int]) -> None:
    """Warn of each total that is neither the sum of the rows before it nor of those since the
    total before. `lines` and `cents` are those of each row, in their order."""
    if not sheet.totals or not lines:
        return
    sums, column, last = [0, *accumulate(cents)], sheet.columns.index("montant"), 0
    for number, cells in sheet.totals:
        whole = sums[bisect(lines, number)]
        part, last = whole - last, whole
        text = cells[column] if column < len(cells) else ""
        try:
            gap = whole - parse_hundredths(text)
        except ValueError:  # not a total in euros
            continue
        if gap and whole - gap != part:
            more = "plus" if gap > 0 else "moins"
            sheet.warn(
                number,
                f"total {quoted(text.strip())} : les lignes font {format_euros(whole)}, "
                f"{format_euros(abs(gap))} de {more}",
            )
