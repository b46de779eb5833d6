"""Bring the catalogues up to date with the sources: `make messages`.

`make messages NEW=de` begins the one of another language. What is new comes untranslated, what
is no longer said goes; no guess is made of a changed sentence.
"""

import sys
from io import BytesIO
from pathlib import Path

from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parents[1]
LOCALES = ROOT / "kiosque" / "language" / "locales"
#: Click's own texts in French, read by the standard library, which wants it compiled.
COMMANDS = "fr/LC_MESSAGES/click.po"
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
    """Every text marked for translation, without translation."""
    catalogue = Catalog(project="Kiosque Famille", charset="utf-8")
    for folder, methods in SOURCES.items():
        found = extract_from_dir(ROOT / folder, methods, OPTIONS, comment_tags=("Translators:",))
        for name, _line, message, comments, context in sorted(found, key=lambda item: item[:2]):
            place = (f"{folder}/{name}", 1)
            catalogue.add(message, None, [place], auto_comments=comments, context=context)
    return catalogue


def updated(path: Path, found: Catalog) -> bytes:
    """A catalogue's file as it should be, with the translations it has."""
    with path.open("rb") as file:
        catalogue = read_po(file, abort_invalid=True)
    found.creation_date = catalogue.creation_date
    catalogue.update(found, no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    return written(catalogue)


def written(catalogue: Catalog) -> bytes:
    buffer = BytesIO()
    write_po(buffer, catalogue, width=100, sort_by_file=True, include_lineno=False)
    return buffer.getvalue()


def compiled(path: Path) -> bytes:
    """The catalogue as the standard library's gettext reads it."""
    with path.open("rb") as file:
        catalogue = read_po(file, abort_invalid=True)
    catalogue.fuzzy = False
    buffer = BytesIO()
    write_mo(buffer, catalogue)
    return buffer.getvalue()


def begin(code: str) -> None:
    """An empty catalogue for this language (BCP 47), which `make messages` then fills."""
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
        with path.open("rb") as file:
            missing = [message for message in read_po(file) if message.id and not message.string]
        print(f"{path.relative_to(ROOT)} : {len(missing)} texte(s) à traduire.")
    for path in LOCALES.glob(COMMANDS):
        path.with_suffix(".mo").write_bytes(compiled(path))


if __name__ == "__main__":
    main(sys.argv[1:])
