"""Archives of PDFs: what they may hold, and what is refused before anything of them is written."""

import io
import stat
import zipfile
from pathlib import Path

import pytest

from kiosque.invoices.uploads import archives
from kiosque.invoices.uploads.archives import BadArchive
from tests.uploads import PDF, zipped


def at(folder: Path, content: bytes) -> Path:
    path = folder / "depot"
    path.write_bytes(content)
    return path


def test_an_archive_of_pdfs_is_known_and_its_files_are_taken_out(tmp_path: Path) -> None:
    content = zipped({"octobre/a.pdf": PDF, "octobre/B.PDF": PDF, "__MACOSX/octobre/._a.pdf": b"x"})
    path, folder = at(tmp_path, content), tmp_path / "out"
    folder.mkdir()
    assert archives.holds_pdfs(path)
    archives.take_out(path, folder)
    assert sorted(each.name for each in folder.iterdir()) == ["B.PDF", "a.pdf"]
    assert (folder / "a.pdf").read_bytes() == PDF


@pytest.mark.parametrize(
    "content",
    [b"code_famille;role\n", b"", zipped({"[Content_Types].xml": b""})],
    ids=["a table", "nothing", "a spreadsheet"],
)
def test_what_is_no_archive_of_pdfs_is_another_kind_of_file(tmp_path: Path, content: bytes) -> None:
    assert not archives.holds_pdfs(at(tmp_path, content))


def linked() -> bytes:
    entry = zipfile.ZipInfo("a.pdf")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return zipped({}, {entry: b"/etc/passwd"})


def with_password() -> bytes:
    whole = bytearray(zipped({"a.pdf": PDF}))
    whole[6] |= 1
    whole[whole.index(b"PK\x01\x02") + 8] |= 1
    return bytes(whole)


HOSTILE = {
    "a bomb": zipped({"a.pdf": PDF + b"\0" * 20_000_000}),
    "a folder above": zipped({"../../a.pdf": PDF}),
    "an absolute name": zipped({"/etc/a.pdf": PDF}),
    "a name of Windows": zipped({"C:\\a.pdf": PDF}),
    "a link": linked(),
    "something else than a PDF": zipped({"a.pdf": PDF, "b.pdf": b"MZ\x90"}),
    "a program beside": zipped({"a.pdf": PDF, "b.exe": PDF}),
    "one name twice": zipped({"x/a.pdf": PDF, "y/a.pdf": PDF}),
    "too many files": zipped({f"{number}.pdf": PDF for number in range(501)}),
    "a list too long": zipped({f"{'x' * 180}{number}.pdf": PDF for number in range(4000)}),
    "a long name": zipped({f"{'x' * 250}.pdf": PDF}),
    "cut short": zipped({"a.pdf": PDF})[:-30],
    "its end alone": b"PK\x05\x06" + b"\0" * 10,
    "a garbled middle": zipped({"a.pdf": PDF}).replace(b"PK\x01\x02", b"PK\x01\x03"),
    "a password": with_password(),
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_archive_is_refused_with_a_sentence(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(BadArchive) as refused:
        archives.holds_pdfs(at(tmp_path, content))
    assert str(refused.value).endswith(".")
    assert [each.name for each in tmp_path.iterdir()] == ["depot"]


def test_an_archive_that_lies_about_its_sizes_fills_no_disk(tmp_path: Path) -> None:
    whole = zipped({"a.pdf": PDF + b"\0" * 900_000})
    size = (len(PDF) + 900_000).to_bytes(4, "little")
    path, folder = at(tmp_path, whole.replace(size, (8).to_bytes(4, "little"))), tmp_path / "out"
    folder.mkdir()
    try:
        archives.holds_pdfs(path)
        archives.take_out(path, folder)
    except BadArchive:
        pass
    assert sum(each.stat().st_size for each in folder.iterdir()) <= 8


def test_a_large_spreadsheet_of_like_cells_is_no_bomb(tmp_path: Path) -> None:
    small = io.BytesIO(zipped({"xl/sheet.xml": b"<c/>" * 200_000}))
    assert not archives.holds_pdfs(at(tmp_path, small.getvalue()))
