"""Files that agents deposit, read as the site reads them."""

import io
import zipfile

from kiosque.db.models import Upload
from kiosque.invoices.uploads import processing, storing
from kiosque.settings import Settings
from tests.kiosque.invoices.files import ROW, ROW2, sheet

MONTH = sheet(ROW, ROW2)
PDF = b"%PDF-1.7 " + bytes(range(64))


def make_upload(
    settings: Settings,
    content: str | bytes = MONTH,
    name: str = "octobre.csv",
    pdfs: bytes | None = None,
    author: str = "dominique@sautron.example.org",
) -> Upload:
    """A file deposited, and read."""
    data = content.encode() if isinstance(content, str) else content
    kept = storing.keep(io.BytesIO(data), name, settings.data)
    archive = storing.keep(io.BytesIO(pdfs), "pdf.zip", settings.data) if pdfs else None
    upload = storing.add(kept, archive, author)
    processing.advance(upload.id, settings)
    return Upload.get_by_id(upload.id)


def zipped(files: dict[str, bytes], more: dict[zipfile.ZipInfo, bytes] | None = None) -> bytes:
    """An archive of these files, by name, and of others with what only their entries say."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in [*files.items(), *(more or {}).items()]:
            archive.writestr(name, content)
    return whole.getvalue()
