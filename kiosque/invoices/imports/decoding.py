"""Decode a file whose encoding is not known beforehand, and see what was decoded wrongly."""

import codecs
import re
import unicodedata

from kiosque.invoices.imports.reading import BadFile, Fault, quoted

SEPARATORS = ";,\t"
#: Most accents on one letter; no language has so many. Composing n of them takes time in n squared.
MAX_MARKS = 30
#: Bytes that begin no combining accent in UTF-8: a text of these only needs no further search.
_BEFORE_MARKS = bytes(range(0xCC))
#: A possible run of accents: no combining accent is below U+0300.
_MAY_BE_MARKS = re.compile(rf"[^\0-\u02ff]{{{MAX_MARKS + 1},}}")
#: UTF-8 taken for Windows-1252 and encoded again; Mac Roman or CP850 taken for Windows-1252. The
#: expression begins with a class that few lines match, and looks behind afterwards: it is quicker.
_MISREAD = re.compile(
    "[ÃÂâÅŽˆ‰‚ŠŒ‡ƒ‹“€–…—Ô¼½](?:(?<=Ã)[\\u0080-\\u00bf\\u0152-\\u2122]|(?<=Â)[\\u00a0-\\u00bf]|(?<=â)€|(?<=Å)“"
    "|(?<=[a-z][ŽˆŠŒ‰])|(?<=[A-Z][ŽˆŠŒ])[a-z]|(?<=[A-Za-z]‚)|(?<=‚)[a-z]+(?![a-z‘])|(?<=ƒ)[a-z]"
    "|(?<=[A-Za-z][‡‹“])[a-z]|(?<=[A-Z]€)[A-Z]"
    # Août, à, où, CRÈCHE, PREMIÈRE: what they become is found elsewhere in sound text.
    "|(?<=[A-Za-z][a-z]–)[a-z]{1,4}(?![a-z])|(?<=[ '’]…)(?= [a-z0-9])|(?<=[Oo]—)(?![a-z])"
    "|(?<=Ô)(?:[RG]|CH)|(?<=IÔ)"
    "|(?<=[¼½])[A-Za-z]{2})"  # Œ and œ of ISO-8859-15
)
NO_CSV = "ce n’est pas un CSV. Enregistrez-le en CSV, en UTF-8."
SAVE_ANEW = "Enregistrez le fichier en UTF-8, depuis l’original"


def decode(data: bytes) -> str:
    """Decode UTF-8, UTF-16 with a byte order mark or, failing those, Windows-1252; turn line ends
    into `\\n`. Raise BadFile for anything else."""
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    at = 0
    for encoding in ("utf-16",) if wide else ("utf-8-sig", "cp1252"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError as error:
            at = error.start
            continue
        _require_few_marks(text)
        return _with_plain_ends(unicodedata.normalize("NFC", text))
    raise BadFile(
        [Fault(0, f"encodage inconnu. {SAVE_ANEW}") if wide else _unknown_encoding(data, at)]
    )


def _require_few_marks(text: str) -> None:
    """Raise BadFile for more accents on one letter than MAX_MARKS."""
    if not text.encode().translate(None, _BEFORE_MARKS):
        return
    for run in _MAY_BE_MARKS.finditer(text):
        marks = 0
        for at, sign in enumerate(run[0], run.start()):
            marks = marks + 1 if unicodedata.combining(sign) else 0
            if marks > MAX_MARKS:
                line = text.count("\n", 0, at) + 1
                raise BadFile([Fault(line, f"plus de {MAX_MARKS} accents sur une lettre")])


def _with_plain_ends(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _unknown_encoding(data: bytes, at: int) -> Fault:
    """Name the cell at this byte, which no encoding above reads, as CP850 would read it."""
    text = _with_plain_ends(data.decode("cp850"))
    before = _with_plain_ends(data[:at].decode("cp850"))
    start = re.split(rf"[\n{SEPARATORS}]", before)[-1]
    end = re.split(rf"[\n{SEPARATORS}]", text[len(before) : len(before) + 200])[0]
    return Fault(
        before.count("\n") + 1,
        f"encodage inconnu, CP850 (DOS) peut-être, à {quoted(start + end)}. {SAVE_ANEW}",
    )


def misread_word(text: str) -> str:
    """Return a word whose accents were read in the wrong encoding; nothing when there is none."""
    if not (found := _MISREAD.search(text)):
        return ""
    before, after = text[: found.start()], text[found.end() :]
    return f"{before.rpartition(' ')[2]}{found[0]}{after.partition(' ')[0]}"
