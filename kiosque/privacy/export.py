"""Write all that is held about a family, for itself: a page to read, JSON for a machine, and the
PDFs of its invoices."""

import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from kiosque import os_errors
from kiosque.db import write
from kiosque.db.models import Family, Invoice
from kiosque.db.states import PrivacyActKind
from kiosque.language import clock, templates
from kiosque.privacy import acts
from kiosque.privacy.export_words import COLUMNS, shown
from kiosque.privacy.personal_data import PersonalRows, meta, tables
from kiosque.settings import Settings


class CannotExport(Exception):  # said to a person as it is
    """The files cannot be written; nothing was. The text says why, in French."""


def export(settings: Settings, family: Family, folder: Path, author: str) -> Path:
    """Write a family's files into a folder of their own, made in `folder`, that its owner alone
    may read. Return it. It is there whole or not at all. Raises CannotExport."""
    target = folder / f"{family.code}-{clock.now().astimezone(clock.PARIS):%Y-%m-%d-%Hh%Mm%S}"
    draft = None
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if target.exists():
            raise CannotExport(f"{target} existe déjà.")
        draft = Path(tempfile.mkdtemp(prefix=".export-", dir=folder))
        _copy_papers(draft, settings, family)
        with write():  # the export lists itself, and is recorded only if its files are there
            acts.note(PrivacyActKind.EXPORTED, family, author)
            _fill(draft, settings, family, list(tables(family)))
            draft.rename(target)
    except OSError as error:
        raise CannotExport(f"{folder} ne peut pas être écrit ({os_errors.why(error)}).") from None
    finally:
        if draft is not None and draft.exists():
            shutil.rmtree(draft)
    return target


def _copy_papers(draft: Path, settings: Settings, family: Family) -> None:
    """Copy the PDFs of the invoices, whose numbers may hold what a file's name may not."""
    for invoice in Invoice.select().where(Invoice.family == family, Invoice.pdf_name != ""):
        paper = settings.data / "pdf" / invoice.pdf_name
        if paper.is_file():
            _write(draft / f"facture-{quote(invoice.number, safe='')}.pdf", paper.read_bytes())


def _fill(draft: Path, settings: Settings, family: Family, found: Sequence[PersonalRows]) -> None:
    _write(draft / "famille.html", _page(settings, family, found).encode())
    _write(draft / "famille.json", _json(settings, family, found).encode())


def _write(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def _page(settings: Settings, family: Family, found: Sequence[PersonalRows]) -> str:
    template = templates.environment().get_template("privacy/family.html")
    return template.render(
        family=family,
        town=settings.town,
        sections=[_section(table) for table in found],
        made_at=clock.now(),
    )


def _section(table: PersonalRows) -> dict[str, object]:
    """Return a table as a person reads it, without its empty columns."""
    texts = {
        COLUMNS[name]: [shown(table.model, name, row[at]) for row in table.rows]
        for at, name in enumerate(table.columns)
    }
    told = {name: values for name, values in texts.items() if any(values)}
    return {
        "title": table.title,
        "columns": list(told),
        "rows": list(zip(*told.values(), strict=True)),
    }


def _json(settings: Settings, family: Family, found: Sequence[PersonalRows]) -> str:
    content = {
        "commune": settings.town.name,
        "code_famille": family.code,
        "fait_le": clock.now(),
        "tables": {
            meta(table.model).table_name: [
                dict(zip(table.columns, row, strict=True)) for row in table.rows
            ]
            for table in found
        },
    }
    return json.dumps(content, ensure_ascii=False, indent=1, default=_iso) + "\n"


def _iso(value: Any) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    raise TypeError(type(value).__name__)
