"""The letters that give families their activation codes: one PDF, one page a family.

A letter in hand always works: its code counts only once the file is whole on the disk, and
where it cannot be written the codes of earlier letters go on.
"""

import os
import tempfile
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from kiosque.db.models import Family, Guardian
from kiosque.families import accounts, own_changes, tokens
from kiosque.language import clock
from kiosque.papers import letter_sheets
from kiosque.settings import Settings


class CannotWrite(Exception):  # said to a person as it is
    """The file cannot be written; no code was changed. The text says why, in French."""


def write(
    settings: Settings, families: Sequence[Family], output: Path, *, forget_email: bool = False
) -> None:
    """Draw a new activation code for each family and write its letter. The file, which opens
    accounts, is for its owner's eyes only. Raises CannotWrite."""
    if output.exists():
        raise CannotWrite(f"{output} existe déjà : donnez un autre nom avec --output.")
    codes = [(family, accounts.random_code()) for family in families]
    document = letter_sheets.letters(settings, [_letter(settings, *pair) for pair in codes])
    draft = _draft(output, document)
    try:
        own_changes.issue_codes(codes, forget_email=forget_email)
    except BaseException:
        draft.unlink()
        raise
    # Should this fail, the letters are whole under the draft's name, and their codes count.
    draft.replace(output)


def _draft(output: Path, document: bytes) -> Path:
    """The document, safe on the disk beside where it will be, under a name of its own."""
    try:
        descriptor, name = tempfile.mkstemp(".pdf", f"{output.stem}-", output.parent)
    except OSError as error:
        raise CannotWrite(f"{output} ne peut pas être écrit ({error.strerror}).") from None
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(document)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        draft.unlink()
        raise CannotWrite(f"{output} ne peut pas être écrit ({error.strerror}).") from None
    return draft


def _letter(settings: Settings, family: Family, code: str) -> letter_sheets.Letter:
    ends = clock.now() + tokens.LIFETIMES[tokens.Purpose.ACTIVATION]
    address = (family.address, f"{family.postcode} {family.city}".strip())
    return letter_sheets.Letter(
        recipient=_recipient(family),
        address=tuple(filter(None, address)),
        family_code=family.code,
        activation_code=code,
        # The last day on which it works until midnight.
        expires_on=clock.paris_date(ends) - timedelta(days=1),
        site=f"{settings.public_url.removeprefix('https://')}/activer",
        language=family.language,
    )


def _recipient(family: Family) -> str:
    """Who the letter is for: the parents that the town knows, else the family."""
    names = [
        f"{guardian.first_name} {guardian.last_name}".strip()
        for guardian in Guardian.select().where(Guardian.family == family).order_by(Guardian.id)
    ]
    return ", ".join(filter(None, names)) or f"Famille {family.name or family.code}"
