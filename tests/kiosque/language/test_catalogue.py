"""Catalogues: complete, sound, one file a language; and how each language writes figures."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import click
import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir

from kiosque.language import catalogue, formats
from scripts import messages

CATALOGUES = sorted(catalogue.LOCALES.glob("*.po"))
ANYTHING_FILLED_IN = re.compile(r"%\(\w+\)[sd]|<[^>]*>|&\w+;")


@pytest.fixture
def locales(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of catalogues of the test's own."""
    monkeypatch.setattr(catalogue, "LOCALES", tmp_path)
    catalogue.languages.cache_clear()
    catalogue._catalogue.cache_clear()
    yield tmp_path
    catalogue.languages.cache_clear()
    catalogue._catalogue.cache_clear()


def wrong_with(catalogue: Catalog) -> list[str]:
    """List what a reader of this language would stumble on, text by text."""
    return [f"{message.id!r} : {fault}" for message in catalogue for fault in _faults(message)]


def _faults(message: Message) -> Iterator[str]:
    if not message.id:
        return
    sources = [message.id] if isinstance(message.id, str) else list(message.id)
    texts = [message.string] if isinstance(message.string, str) else list(message.string)
    if not all(texts):
        yield "not translated"
        return
    if message.fuzzy:
        yield "to be read again"
    for form, text in enumerate(texts):
        # The singular may say "one" where the plural says how many.
        allowed = sources if form == 0 else sources[-1:]
        if _filled_in(text) not in [_filled_in(source) for source in allowed]:
            yield "not the same values or tags"
        if '"' in re.sub(r"<[^>]*>", "", text):
            yield "a straight quote would end an attribute"


def _filled_in(text: str) -> Counter[str]:
    found = Counter(ANYTHING_FILLED_IN.findall(text))
    # Typography differs from a language to another.
    return found - Counter({"&nbsp;": found["&nbsp;"]})


def test_english_is_there() -> None:
    assert "en.po" in [path.name for path in CATALOGUES]


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.name)
def test_a_catalogue_says_all_that_the_sources_say_and_nothing_else(path: Path) -> None:
    assert messages.updated(path, messages.extract()) == path.read_bytes(), "run `make messages`"
    assert wrong_with(messages.read(path)) == []


def test_every_kind_of_source_is_extracted() -> None:
    found = {place for message in messages.extract() for place, _line in message.locations}
    assert {Path(name).suffix for name in found} == {".py", ".html", ".txt"}


@pytest.mark.parametrize(
    ("source", "translation", "fault"),
    [
        ("Bonjour", "", "not translated"),
        ("Payer %(amount)s", "Pay", "not the same values"),
        ("Payer %(amount)s", "Pay %(sum)s", "not the same values"),
        ("<a href='%(a)s'>ici</a>", "here", "not the same values"),
        ("Menu", 'The "menu"', "straight quote"),
        (("%(count)s facture", "%(count)s factures"), ("one", "%(count)s invoices"), "values"),
        (("%(count)s facture", "%(count)s factures"), ("", ""), "not translated"),
    ],
)
def test_a_faulty_translation_is_found(source: object, translation: object, fault: str) -> None:
    catalogue = Catalog(locale="en")
    catalogue.add(source, translation)
    (found,) = wrong_with(catalogue)
    assert fault in found


def test_a_text_marked_as_doubtful_is_found() -> None:
    catalogue = Catalog(locale="en")
    catalogue.add("Bonjour", "Hello", flags=["fuzzy"])
    assert "to be read again" in wrong_with(catalogue)[0]


@pytest.mark.parametrize(
    ("code", "amount", "quantity", "short", "long", "hour", "period"),
    [
        ("fr", "1\u202f234,50\u00a0€", "12,5", "01/10/2026", "1er\u00a0octobre\u00a02026",
         "7\u00a0h\u00a005", "octobre 2026"),
        ("en", "€1,234.50", "12.5", "01/10/2026", "1\u00a0October\u00a02026", "07:05",
         "October 2026"),
    ],
)  # fmt: skip
def test_each_language_writes_figures_in_its_own_way(
    code: str, amount: str, quantity: str, short: str, long: str, hour: str, period: str
) -> None:
    on, at = date(2026, 10, 1), datetime(2026, 10, 1, 5, 5, tzinfo=UTC)
    with catalogue.using(code):
        assert formats.format_euros(123_450) == amount
        assert formats.format_hundredths(1250) == quantity
        assert (formats.short_date(on), formats.long_date(on)) == (short, long)
        assert formats.paris_hour(at) == hour
        assert formats.period("octobre 2026") == period
        for other in ("", "octobre", "automne 2026", "octobre 26", "octobre 0000", "2e trimestre"):
            assert formats.period(other) == other


def test_nothing_is_singular_in_french_and_plural_in_english() -> None:
    forms = "%(num)d minute", "%(num)d minutes"
    assert [catalogue.ngettext(*forms, count) for count in (0, 1, 2)] == [
        forms[0],
        forms[0],
        forms[1],
    ]
    with catalogue.using("en"):
        assert [catalogue.ngettext(*forms, count) for count in (0, 1)] == [forms[1], forms[0]]


def test_the_language_is_that_of_the_block_and_of_no_other() -> None:
    with catalogue.using("en"):
        with catalogue.using("fr"):
            assert catalogue.gettext("Payée") == "Payée"
        assert catalogue.gettext("Payée") == "Paid"
        assert catalogue.gettext("") == ""
    assert catalogue.gettext("Payée") == "Payée"


def test_another_language_is_one_file(locales: Path) -> None:
    header = 'msgid ""\nmsgstr "Language: pl\\nPlural-Forms: nplurals=3; plural=(n==1 ? 0 : n%10>=2 && n%10<=4 && (n%100<12 || n%100>14) ? 1 : 2);\\nContent-Type: text/plain; charset=utf-8\\n"\n'  # noqa: E501
    minutes = 'msgid "%(num)d minute"\nmsgid_plural "%(num)d minutes"\n' + "".join(
        f'msgstr[{i}] "%(num)d {word}"\n' for i, word in enumerate(("minuta", "minuty", "minut"))
    )
    (locales / "pl.po").write_text(
        f'{header}\nmsgid "Payée"\nmsgstr "Zapłacona"\n\n{minutes}', encoding="utf-8"
    )
    (locales / "ar.po").write_text(header, encoding="utf-8")
    assert {each.code: (each.name, each.direction) for each in catalogue.languages().values()} == {
        "fr": ("Français", "ltr"),
        "ar": ("العربية", "rtl"),
        "pl": ("Polski", "ltr"),
    }
    with catalogue.using("pl"):
        assert catalogue.gettext("Payée") == "Zapłacona"
        assert catalogue.gettext("Annulée") == "Annulée"  # not said yet: stays French
        words = [catalogue.ngettext("%(num)d minute", "%(num)d minutes", n) for n in (1, 2, 5)]
        assert words == ["%(num)d minuta", "%(num)d minuty", "%(num)d minut"]
        assert formats.format_euros(4520) == "45,20\u00a0€"
        assert formats.long_date(date(2026, 10, 3)) == "3\u00a0października\u00a02026"


@pytest.mark.parametrize("text", [b"not a catalogue", b'msgid "a"\nmsgstr "b', b"\xff\xfe", b""])
def test_a_catalogue_that_cannot_be_read_leaves_all_in_french(
    locales: Path, text: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    (locales / "en.po").write_bytes(text)
    with catalogue.using("en"):
        assert catalogue.gettext("Payée") == "Payée"
        assert catalogue.ngettext("un", "des", 2) == "des"


def test_a_file_not_named_after_a_language_is_left_aside(
    locales: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("notes.po", "x y.po", "zz.po"):
        (locales / name).write_bytes(b"")
    assert list(catalogue.languages()) == ["fr"]
    assert "zz.po is not named after a language" in caplog.text


def test_a_new_catalogue_is_begun_by_a_command_and_read_at_once(
    locales: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(messages, "LOCALES", locales)
    monkeypatch.setattr(messages, "ROOT", locales)
    found = messages.extract()
    monkeypatch.setattr(messages, "extract", lambda: found)
    messages.main(["de"])
    assert f"de.po : {len(found)} texte(s) à traduire." in capsys.readouterr().out
    assert catalogue.languages()["de"].name == "Deutsch"
    with catalogue.using("de"):
        assert catalogue.gettext("Payée") == "Payée"
    with pytest.raises(SystemExit, match="existe déjà"):
        messages.main(["de"])


def test_clicks_own_words_are_those_of_the_version_in_use_and_compiled() -> None:
    """A word that Click no longer says, or says in another way, would come out in English."""
    path = messages.LOCALES / messages.COMMANDS
    assert path.with_suffix(".mo").read_bytes() == catalogue.compiled(messages.read(path)), (
        "run `make messages`"
    )
    keywords = {"_": None, "ngettext": (1, 2)}
    folder = Path(click.__file__).parent
    said = {
        found[2] for found in extract_from_dir(folder, [("**.py", "python")], keywords=keywords)
    }
    written = {message.id: message.string for message in messages.read(path) if message.id}
    assert written.keys() <= said
    assert all(written.values())
