"""Bring the catalogues up to date with the sources: `make messages`.

`make messages NEW=de` begins the catalogue of another language. New texts are added untranslated,
unused ones removed; no translation is guessed for a changed sentence.
"""

import sys
from io import BytesIO
from pathlib import Path

from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from kiosque.language.catalogue import LOCALES, compiled

ROOT = Path(__file__).parents[1]
#: Click's own texts in French; the standard library reads this catalogue compiled.
COMMANDS = ROOT / "kiosque" / "cli" / "locales" / "fr" / "LC_MESSAGES" / "click.po"
#: Where families' texts are, and how each kind of file is read.
SOURCES = {
    "kiosque": [("**.py", "python")],
    "templates": [("**.html", "jinja2"), ("**.txt", "jinja2")],
}
OPTIONS = {
    "**.html": {"trimmed": "true", "newstyle_gettext": "true", "silent": "false"},
    "**.txt": {"trimmed": "true", "newstyle_gettext": "true", "silent": "false"},
}


def extract() -> Catalog:
    """Return every text marked for translation, without translation."""
    catalogue = Catalog(project="Kiosque Famille", charset="utf-8")
    for folder, methods in SOURCES.items():
        found = extract_from_dir(ROOT / folder, methods, OPTIONS, comment_tags=("Translators:",))
        for name, _line, message, comments, context in sorted(found, key=lambda item: item[:2]):
            place = (f"{folder}/{name}", 1)
            catalogue.add(message, None, [place], auto_comments=comments, context=context)
    return catalogue


def read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, abort_invalid=True)


def updated(path: Path, found: Catalog) -> bytes:
    """Return the content of a catalogue brought up to date, with its present translations."""
    catalogue = read(path)
    found.creation_date = catalogue.creation_date
    catalogue.update(found, no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    return written(catalogue)


def written(catalogue: Catalog) -> bytes:
    buffer = BytesIO()
    write_po(buffer, catalogue, width=100, sort_by_file=True, include_lineno=False)
    return buffer.getvalue()


def begin(code: str) -> None:
    """Write an empty catalogue for this language (BCP 47), which `make messages` then fills."""
    locale = Locale.parse(code, sep="-")
    path = LOCALES / f"{code}.po"
    if path.exists():
        raise SystemExit(f"{path} existe déjà.")
    empty = Catalog(locale=locale, project="Kiosque Famille", charset="utf-8", fuzzy=False)
    path.write_bytes(written(empty))


def main(new: list[str]) -> None:
    for code in new:
        begin(code)
    for path in sorted(LOCALES.glob("*.po")):
        path.write_bytes(updated(path, extract()))
        missing = [message for message in read(path) if message.id and not message.string]
        print(f"{path.relative_to(ROOT)} : {len(missing)} texte(s) à traduire.")
    COMMANDS.with_suffix(".mo").write_bytes(compiled(read(COMMANDS)))


if __name__ == "__main__":
    main(sys.argv[1:])
