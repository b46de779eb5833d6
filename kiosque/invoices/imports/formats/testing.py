"""The contract of formats as a suite of tests that any of them runs.

    from kiosque.invoices.imports.formats.testing import FormatContract

    class TestMine(FormatContract):
        format_class = Mine
        sample = Path("sample.txt")
        columns = {"numero_facture", "montant"}

Only tests import this module: it needs no more than they have.
"""

from collections.abc import Collection, Iterator
from itertools import islice
from pathlib import Path
from typing import ClassVar

from kiosque.invoices.imports.formats import Format
from kiosque.invoices.imports.reading import BadFile, NumberedLine
from kiosque.invoices.imports.receiving import File, receive

#: Beginnings of files that no format of a stranger may claim.
OTHERS = (
    b"", b"\0" * 100, b"code_famille;numero_facture\nF1;2\n", b"<a/>", b"PK\x03\x04", b"%PDF-1.7",
    "accentué".encode("utf-16"), b"\xff" * 70_000,
)  # fmt: skip
#: At how many places the sample is cut, or spoilt.
CUTS = 40
MAX_ROWS = 100_000


class FormatContract:
    """The whole contract. Subclass it, with a name that begins with `Test`."""

    format_class: ClassVar[type]
    #: A file of the format; its neighbours lie beside.
    sample: ClassVar[Path]
    #: Columns that it gives at least.
    columns: ClassVar[Collection[str]]

    def make(self) -> Format:
        made: Format = self.format_class()
        return made

    def given(self) -> File:
        made = self.make()
        return receive(self.sample, made.recognises)

    def spoilt(self) -> Iterator[File]:
        """Yield the sample cut short, then with a byte changed."""
        whole = self.given()
        for at in range(0, len(whole.data), max(len(whole.data) // CUTS, 1)):
            for data in (whole.data[:at], whole.data[:at] + b"\xfe" + whole.data[at + 1 :]):
                yield File(whole.name, data, whole.path, whole.neighbours)

    def test_it_is_a_format(self) -> None:
        made = self.make()
        assert isinstance(made, Format)
        assert made.unit

    def test_it_knows_its_sample_by_content_and_nothing_else(self) -> None:
        made, file = self.make(), self.given()
        assert made.recognises(file.head, file.name)
        assert made.recognises(file.head, "x")
        for head in OTHERS:
            assert not made.recognises(head, file.name), head[:20]

    def test_its_first_row_names_columns_and_the_others_are_texts(self) -> None:
        first, *rows = self.make().read(self.given())
        assert set(first[1]) >= set(self.columns)
        assert len(set(first[1])) == len(first[1])
        assert rows
        for row in rows:
            assert self.is_sound(row), row
            assert len(row[1]) <= len(first[1])

    def test_it_reads_the_same_twice(self) -> None:
        made = self.make()
        assert list(made.read(self.given())) == list(made.read(self.given()))

    def test_a_file_cut_or_spoilt_is_read_or_refused_in_good_order(self) -> None:
        for file in self.spoilt():
            try:
                rows = list(islice(self.make().read(file), MAX_ROWS))
            except BadFile as refusal:
                assert refusal.faults
                assert all(each.text for each in refusal.faults)
            else:
                assert all(map(self.is_sound, rows))

    @staticmethod
    def is_sound(row: NumberedLine) -> bool:
        number, cells = row
        return type(number) is int and number >= 0 and all(type(cell) is str for cell in cells)
