"""The letters that give families their activation codes: one PDF, one page a family, for window
envelopes.

A printed letter always works: its code becomes valid only once the file is completely on the disk;
if the file cannot be written, the codes of earlier letters stay valid.
"""

import os
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import BinaryIO

from kiosque import os_errors
from kiosque.db.models import Family, Guardian
from kiosque.families import own_changes, tokens
from kiosque.families.codes import random_code
from kiosque.language import catalogue, clock, formats
from kiosque.language.catalogue import gettext as _
from kiosque.papers import qr_code
from kiosque.papers.typesetting import postal, typeset, undrawn
from kiosque.settings import Settings


class CannotWrite(Exception):  # said to a person as it is
    """The file cannot be written; no code was changed. The text says why, in French."""


@dataclass(frozen=True)
class Letter:
    """One family's letter. `activation_code` is written as it is to be typed; it works until the
    end of `expires_on` (a Paris date). `site` is the address to type in a browser."""

    recipient: str
    address: tuple[str, ...]
    family_code: str
    activation_code: str
    expires_on: date
    site: str
    language: str = catalogue.SOURCE


def issue(
    settings: Settings,
    families: Sequence[Family],
    output: Path | BinaryIO,
    *,
    forget_email: bool = False,
) -> list[tuple[Letter, str]]:
    """Draw a new activation code for each family and write its letter to `output`. Return the
    letters with characters that our fonts lack, and those.

    A file, which opens accounts, can be read by its owner only. `forget_email` is for
    `own_changes.issue_codes`. Raises CannotWrite.
    """
    codes = [(family, random_code()) for family in families]
    written = [_letter(settings, *pair) for pair in codes]
    document = letters(settings, written)
    if isinstance(output, Path):
        _write_file(output, document, codes, forget_email=forget_email)
    else:
        _write_stream(output, document)
        own_changes.issue_codes(codes, forget_email=forget_email)
    lacking = [(letter, undrawn([letter.recipient, *letter.address])) for letter in written]
    return [(letter, characters) for letter, characters in lacking if characters]


def _write_stream(stream: BinaryIO, document: bytes) -> None:
    try:
        stream.write(document)
        stream.flush()
    except OSError as error:
        raise CannotWrite(f"sortie interrompue ({os_errors.why(error)}).") from None


def _write_file(
    output: Path, document: bytes, codes: Sequence[tuple[Family, str]], *, forget_email: bool
) -> None:
    """Write the file; its codes become valid once it is complete."""
    try:
        is_taken = output.exists()
    except OSError as error:
        raise CannotWrite(f"{output} ne peut pas être écrit ({os_errors.why(error)}).") from None
    if is_taken:
        raise CannotWrite(f"{output} existe déjà : donnez un autre nom avec --output.")
    draft = _draft(output, document)
    try:
        own_changes.issue_codes(codes, forget_email=forget_email)
    except BaseException:
        draft.unlink()
        raise
    # If this fails, the letters are complete under the draft's name, and their codes are valid.
    draft.replace(output)


def letters(settings: Settings, to_write: Iterable[Letter]) -> bytes:
    """Return these letters as one PDF, a page each. Raises ValueError when there is none."""
    written = [_words(settings, letter) for letter in to_write]
    if not written:
        raise ValueError("aucune lettre")
    return typeset(
        "letters",
        settings,
        {"title": _("Codes d’activation"), "numbered": False, "letters": written},
    )


def _draft(output: Path, document: bytes) -> Path:
    """Write the document beside where it will be, under a name of its own, safe on the disk."""
    try:
        descriptor, name = tempfile.mkstemp(".pdf", f"{output.stem}-", output.parent)
    except OSError as error:
        raise CannotWrite(f"{output} ne peut pas être écrit ({os_errors.why(error)}).") from None
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(document)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        draft.unlink()
        raise CannotWrite(f"{output} ne peut pas être écrit ({os_errors.why(error)}).") from None
    return draft


def _letter(settings: Settings, family: Family, code: str) -> Letter:
    ends = clock.now() + tokens.LIFETIMES[tokens.Purpose.ACTIVATION]
    address = (family.address, f"{family.postcode} {family.city}".strip())
    return Letter(
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
    """Return the names of the parents that the town knows, else the family's."""
    names = [
        f"{guardian.first_name} {guardian.last_name}".strip()
        for guardian in Guardian.select().where(Guardian.family == family).order_by(Guardian.id)
    ]
    return ", ".join(filter(None, names)) or f"Famille {family.name or family.code}"


def _words(settings: Settings, letter: Letter) -> dict[str, object]:
    """Return the words of a letter, in its reader's language, under the names that
    `templates/documents/letters.typ` gives them."""
    with catalogue.using(letter.language):
        return {
            "language": letter.language,
            "recipient": postal([letter.recipient, *letter.address]),
            "dated": _("%(city)s, le %(date)s")
            % {
                "city": settings.town.city or settings.town.name,
                "date": formats.long_date(clock.today()),
            },
            "title": _("Votre espace Kiosque Famille"),
            "opening": [
                _("Madame, Monsieur,"),
                _(
                    "Un espace en ligne vous est ouvert, à vous seuls. Vous y voyez vos factures, "
                    "vous les réglez par carte bancaire sur la page de la banque, et vous y "
                    "gardez vos reçus."
                ),
            ],
            "codes": [
                [_("Votre code famille\u00a0: "), letter.family_code],
                [_("Votre code d’activation\u00a0: "), letter.activation_code],
            ],
            "steps_title": _("Pour ouvrir votre espace"),
            "steps": _steps(letter),
            "closing": _closing(settings, letter),
            "qr_code": qr_code.sign_in(settings, letter.family_code),
            "signed": settings.town.service,
        }


def _steps(letter: Letter) -> list[list[str]]:
    """Return what to do, in order, each step with the address to type or nothing."""
    browse = _("Dans un navigateur, sur un téléphone ou un ordinateur, tapez l’adresse\u00a0:")
    return [
        [browse, letter.site],
        [_("Recopiez votre code famille et votre code d’activation."), ""],
        [_("Choisissez votre mot de passe. Vous seuls le connaîtrez."), ""],
    ]


def _closing(settings: Settings, letter: Letter) -> list[str]:
    town = settings.town
    contacts = ", ".join(filter(None, (town.phone, town.contact_email)))
    return [
        _(
            "Le code d’activation sert une seule fois, jusqu’au %(date)s. "
            "Ne le donnez à personne\u00a0: la mairie ne vous le demandera jamais."
        )
        % {"date": formats.long_date(letter.expires_on)},
        _("Une question, un code perdu ou dépassé\u00a0? Contactez-nous\u00a0: %(contacts)s.")
        % {"contacts": contacts},
    ]
