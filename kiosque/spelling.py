"""Decide when two spellings name the same thing. Nothing else may decide it.

Family software, spreadsheets and people write the same service or child in many ways. Compared
to the letter, each spelling would be another service, of another *régie*, or another child.
"""

import re
import unicodedata
from functools import lru_cache

_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae"})
#: Categories of characters that tell nothing apart: accents, invisible signs, controls, dashes,
#: underscores, spaces.
_SAYS_NOTHING = frozenset({"Mn", "Cf", "Cc", "Pd", "Pc", "Zs", "Zl", "Zp"})
#: Apostrophes, and signs of other categories that pass for a dash.
_MARKS = frozenset("'’‘ʼ´`\u2212\u00b7")


#: Most characters in a row that may be marks on one letter: normalising n marks takes time in n
#: squared, and no language has so many.
_MARKS_WITHOUT_END = re.compile(r"[^\0-\u02ff]{31,}")


def _unmarked(run: re.Match[str]) -> str:
    """Return a run of signs without marks: folding leaves none."""
    return "".join(sign for sign in run[0] if not unicodedata.combining(sign))


@lru_cache(maxsize=10_000)  # the same few names come again at every line of a file
def fold(text: str) -> str:
    """Return the text without case, accents, spaces, dashes, apostrophes and invisible signs.

    Two names of a service are one when they fold alike.
    """
    if not text.isascii():
        text = _MARKS_WITHOUT_END.sub(_unmarked, text)
    plain = unicodedata.normalize("NFKD", text).casefold().translate(_LIGATURES)
    # Casefolding may compose characters again, or introduce others.
    letters = unicodedata.normalize("NFKD", plain)
    return "".join(
        letter
        for letter in letters
        if letter not in _MARKS and unicodedata.category(letter) not in _SAYS_NOTHING
    )


@lru_cache(maxsize=10_000)
def child_key(name: str) -> str:
    """Return the same key for all spellings of a child's full name within a family, whichever of
    the name and the first name comes first: the least rotation of the folded name.
    """
    letters = fold(name)
    return min((letters[at:] + letters[:at] for at in range(len(letters))), default="")


def fold_words(text: str) -> str:
    """Return the words of a text, each folded: to look for one text inside another."""
    return " ".join(filter(None, map(fold, text.split())))
