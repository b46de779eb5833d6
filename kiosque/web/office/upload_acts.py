"""Take in a file to load, and read it."""

from typing import IO

from kiosque.db.models import Upload
from kiosque.invoices.uploads import processing, storing
from kiosque.invoices.uploads.storing import BadUpload
from kiosque.staff import events
from kiosque.staff.events import Action
from kiosque.web import current
from kiosque.web.office.access import actor, author

TOO_MANY = f"Déjà {storing.MOST} fichiers attendent\u00a0: chargez-les ou retirez-les d’abord."


def take_in(stream: IO[bytes], name: str) -> Upload:
    """Keep one file, note whose it is, and read it where it is small. Raises BadUpload."""
    if storing.is_full():
        raise BadUpload(TOO_MANY)
    kept = storing.keep(stream, name, current.settings().data)
    upload = storing.add(kept, None, author())
    begin(upload)
    return upload


def begin(upload: Upload) -> None:
    """Note that a file came, and read it where it is small."""
    events.note(Action.UPLOADED, actor(), upload.file_name)
    advance(upload)


def advance(upload: Upload) -> None:
    """Read or load a file at once where it is small; the timer does the others."""
    if processing.is_small(upload, current.settings()):
        processing.advance(upload.id, current.settings())
