"""Turn words and figures into PDF, by Typst: tagged, its fonts embedded, PDF/UA-1 and PDF/A-2a.

Typst refuses to make a file that breaks these norms: a fault of a template is an error of ours,
seen by the tests; names that people write are made harmless by `printable`.
"""

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from kiosque import resources
from kiosque.language import catalogue, clock
from kiosque.settings import Settings
from kiosque.settings.logo import logo_of

if TYPE_CHECKING:
    from typst import Fonts

_TEMPLATES = resources.find("templates/documents")
# Read at start: an upgrade may replace the files under a site that runs.
_SOURCES = {path.name: path.read_text("utf-8") for path in _TEMPLATES.glob("*.typ")}
_IMPORT = re.compile(r'^#import "(.+?)".*$', re.MULTILINE)
FONTS = Path(__file__).parent / "fonts"
#: PDF/UA to be read aloud, PDF/A to be readable in ten years.
STANDARDS: tuple[Literal["ua-1"], Literal["a-2a"]] = ("ua-1", "a-2a")

#: Stands for a character that our fonts do not draw.
UNKNOWN = "\ufffd"
# The characters that Noto Sans and DejaVu Sans draw together; a test asks Typst for each of them.
# Besides Latin: Greek, Cyrillic, Armenian, Hebrew, Arabic, Georgian, and a few signs.
_DRAWN = (
    (0x20, 0x7E), (0xA0, 0x52F), (0x531, 0x556), (0x559, 0x55F), (0x561, 0x587), (0x5D0, 0x5EA),
    (0x621, 0x63A), (0x640, 0x652), (0x660, 0x669), (0x679, 0x6BF), (0x6CC, 0x6CC), (0x6F0, 0x6F9),
    (0x10D0, 0x10FC), (0x1E00, 0x1FFF), (0x2000, 0x2027), (0x202F, 0x205E), (0x20A0, 0x20B5),
    (0x2100, 0x214F), (0x2190, 0x22FF), (0x25A0, 0x25FF), (0x1F600, 0x1F623), (0xFFFD, 0xFFFD),
)  # fmt: skip
_LINE_ENDS = re.compile("[\t\n\v\f\r\x85\u2028\u2029]+")
#: Longer words may be broken, since they do not fit on a line; the second limit is for a column of
#: names.
LINE_WORD, CELL_WORD = 40, 16
# Characters: twice what the post office recommends.
_POSTAL_LENGTH = 76
_ZERO_WIDTH_SPACE = "\u200b"


def typeset(template: str, settings: Settings, content: Mapping[str, object]) -> bytes:
    """Return the PDF of a template of `templates/documents`, on the town's letterhead."""
    data = {
        "town": settings.town.letterhead,
        "language": catalogue.language(),
        **content,
    }
    return _compile(template, _cleaned(data), _logo(settings))


def typeset_again(template: str, content: Mapping[str, object], at: datetime) -> bytes:
    """Return the PDF of a template dated at this instant, identical to the byte each time: in
    French, and without the logo, whose file may change. `content` has the letterhead of that time
    as its `town`."""
    return _compile(template, _cleaned({"language": catalogue.SOURCE, **content}), None, at)


def printable(text: str) -> str:
    """Return a text as our fonts can draw it: composed, on one line, without control characters."""
    composed = unicodedata.normalize("NFC", _LINE_ENDS.sub(" ", text))
    drawn = "".join(_drawn(character) for character in composed)
    return breakable(drawn, LINE_WORD)


def undrawn(texts: Iterable[str]) -> str:
    """Return the characters of these texts that our fonts lack, each once: they are printed as
    boxes."""
    composed = unicodedata.normalize("NFC", _LINE_ENDS.sub(" ", " ".join(texts)))
    return "".join(
        dict.fromkeys(
            character
            for character in composed
            if _drawn(character) == UNKNOWN and character != UNKNOWN
        )
    )


def breakable(text: str, longest: int) -> str:
    """Add places where words longer than `longest` may be broken. Addresses of sites stay whole,
    to be copied."""
    long_word = rf"https?://\S+|[^\s{_ZERO_WIDTH_SPACE}-]{{{longest + 1},}}"
    return re.sub(long_word, _broken, text)


def postal(lines: Iterable[str]) -> list[str]:
    """Return the lines of a postal address that are not empty, cut to what fits on an envelope."""
    return [
        line if len(line) <= _POSTAL_LENGTH else f"{line[:_POSTAL_LENGTH]}…"
        for line in lines
        if line
    ]


def _broken(word: re.Match[str]) -> str:
    if "://" in word[0]:
        return word[0]
    return re.sub(r".{10}(?=.)", rf"\g<0>{_ZERO_WIDTH_SPACE}", word[0])


def _drawn(character: str) -> str:
    if unicodedata.category(character) in ("Cc", "Cf") and character != _ZERO_WIDTH_SPACE:
        return ""  # among them the marks that reverse the direction of text
    code = ord(character)
    known = unicodedata.category(character) != "Cn"
    return character if known and any(first <= code <= last for first, last in _DRAWN) else UNKNOWN


def _cleaned(value: object) -> object:
    """Return the content with every text of it printable."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, Mapping):
        return {key: _cleaned(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(item) for item in value]
    return value


def _compile(
    template: str, data: object, logo: list[int] | None, at: datetime | None = None
) -> bytes:
    import typst  # noqa: PLC0415  # 12 MiB, for those pages only that give a PDF

    return typst.compile(
        _source(f"{template}.typ").encode(),
        font_paths=_fonts(),
        sys_inputs={"data": json.dumps(data), "logo": json.dumps(logo)},
        pdf_standards=list(STANDARDS),
        timestamp=(at or clock.now()).replace(microsecond=0),
    )


@cache
def _fonts() -> "Fonts":
    import typst  # noqa: PLC0415

    return typst.Fonts(include_system_fonts=False, font_paths=[FONTS])


@cache
def _source(name: str) -> str:
    """Return a template with, in place of each `#import`, what it imports."""
    return _IMPORT.sub(lambda found: _source(found[1]), _SOURCES[name])


def _logo(settings: Settings) -> list[int] | None:
    """Return the bytes of the town's logo, or None when it has none that can be drawn."""
    try:
        logo = logo_of(settings)
    except OSError:
        return None
    return list(logo.content) if logo and is_drawn(logo.content) else None


@lru_cache(4)
def is_drawn(logo: bytes) -> bool:
    """Tell whether papers can show this image."""
    import typst  # noqa: PLC0415

    try:
        _compile("logo", None, list(logo))
    except typst.TypstError:
        return False
    return True
