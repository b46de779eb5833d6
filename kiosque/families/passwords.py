"""Judge a new password: long, and not what anyone would try first. No composition rule."""

import unicodedata
from collections.abc import Iterable
from dataclasses import InitVar, dataclass, field

from kiosque.db.models import Child, Family, Guardian
from kiosque.families import hashing
from kiosque.language.catalogue import gettext as _
from kiosque.settings import Town

MINIMUM_LENGTH = 12
#: Guesses that a password must withstand. Common passwords, keyboard walks, dates, repeats and
#: the family's own words, alone or together, fall below it; a phrase is far above.
MINIMUM_GUESSES = 10**9
#: Letters and figures that a password must hold beside the words of this site, of the town and of
#: the family, however many of these it joins.
MINIMUM_OWN_LENGTH = 5
#: Characters of a long password that are judged: more could only make it better, and slower to
#: judge.
_JUDGED_LENGTH = 32
#: Signs that stand for the same letter of a word, the figure first.
_SAME_LETTER = ("4@", "({[<", "5$", "7+", "1|")
#: The words of this site, tried first by whoever wants in.
_SITE_WORDS = (
    "kiosque", "famille", "kiosquefamille", "cantine", "facture", "factures", "mairie", "ville",
    "commune", "ecole", "creche", "periscolaire", "motdepasse", "mdp", "azerty", "restauration",
    "scolaire", "multiaccueil", "enfance", "regie", "garderie", "mercredi", "paiement",
)  # fmt: skip


class Unsuitable(ValueError):
    """A password that cannot be taken; the text says why, in French, to who chose it."""


@dataclass(frozen=True)
class NewPassword:
    """A password that a family may take. It is judged when it is constructed.

    Raises Unsuitable when it is too short, too long or easy to guess for somebody who knows the
    family and the town; Busy when too many are being judged.
    """

    text: str = field(repr=False)
    family: Family
    town: InitVar[Town]

    def __post_init__(self, town: Town) -> None:
        code = self.family.code.lower()
        if why := fault(self.text, _context(self.family), town, never=code):
            raise Unsuitable(why)


def fault(password: str, own: Iterable[str], town: Town, *, never: str = "") -> str:
    """Return why a password is refused, or nothing when it is good. Raises Busy.

    `own` are words that somebody who knows its owner would try, beside those of the town and of
    this site; `never` is the *code famille*, which it may not hold at all.
    """
    if len(password) > hashing.LONGEST_PASSWORD:
        return _("Le mot de passe doit compter au plus %(count)d caractères.") % {
            "count": hashing.LONGEST_PASSWORD
        }
    password = hashing.normalise(password)
    if len(password) < MINIMUM_LENGTH:
        return _("Le mot de passe doit compter au moins %(count)d caractères.") % {
            "count": MINIMUM_LENGTH
        }
    if never and never in password.lower():
        return _("Le mot de passe ne doit pas contenir votre code famille.")
    words = [*_SITE_WORDS, *_words([*own, *_of_town(town)])]
    bare = _bare(password)
    if (
        _own_length(bare, words) < MINIMUM_OWN_LENGTH
        or _guesses(password, words) < MINIMUM_GUESSES
        or _guesses(bare, words) < MINIMUM_GUESSES
    ):
        return _(
            "Ce mot de passe est trop facile à deviner : trop courant, ou fait de mots qui "
            "vous désignent. Choisissez par exemple une phrase de quatre ou cinq mots."
        )
    return ""


def _bare(password: str) -> str:
    """Return a password in the form that a guesser would use: words joined by a sign, a space or a
    capital are the same words."""
    return "".join(
        character
        for character in _without_accents(password.casefold())
        if character.isalnum() or not (character.isascii() or _is_sign_or_space(character))
    )


def _is_sign_or_space(character: str) -> bool:
    """Return True for punctuation, spaces and invisible characters; False for symbols and pictures,
    which do strengthen a password."""
    return unicodedata.category(character)[0] in "PZC"


def _own_length(bare: str, words: list[str]) -> int:
    """Return how many characters are left once every known word is taken out."""
    for word in sorted({_bare(word) for word in words}, key=len, reverse=True):
        if len(word) > 2:
            bare = bare.replace(word, "")
    return len(bare)


def _guesses(password: str, words: list[str]) -> float:
    from zxcvbn import zxcvbn  # noqa: PLC0415  # 14 MiB and 45 ms, for this page only

    # zxcvbn takes tens of milliseconds of a processor, and keeps the words of one call in a place
    # that the next call overwrites.
    with hashing.changes.enter():
        found = zxcvbn(_judged(password), user_inputs=words, max_length=_JUDGED_LENGTH)
    return float(found["guesses"])


def _judged(password: str) -> str:
    """Return the form of a password that is given to zxcvbn.

    Signs that stand for the same letter become one of them: zxcvbn searches its dictionaries
    once for each way to read `@4{[<...` together, which took forty times as long.
    """
    text = password[:_JUDGED_LENGTH]
    for signs in _SAME_LETTER:
        there = [sign for sign in signs if sign in text]
        for sign in there[1:]:
            text = text.replace(sign, there[0])
    return text


def _of_town(town: Town) -> list[str]:
    return [
        town.name, town.city, town.postcode, town.service, town.phone, town.contact_email,
        town.technical_email,
    ]  # fmt: skip


def _context(family: Family) -> list[str]:
    """Return what somebody who knows the family would try."""
    names = [family.code, family.name, family.city, family.address, family.postcode]
    for guardian in Guardian.select().where(Guardian.family == family):
        names += [guardian.first_name, guardian.last_name, guardian.phone, guardian.email]
    for child in Child.select().where(Child.family == family):
        names.append(child.name)
        if child.born_on:
            names += [child.born_on.strftime(form) for form in ("%d%m%Y", "%d%m%y", "%Y")]
    return names


def _words(names: Iterable[str]) -> list[str]:
    """Return these names, addresses and figures, and the words of each."""
    parts = [part for name in names for part in (name, *name.split("@"))]
    words = {word.lower() for part in parts for word in (part, *part.split())}
    words |= {_without_accents(word) for word in words}
    return sorted(word for word in words if len(word) > 2)


def _without_accents(word: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFD", word) if not unicodedata.combining(c))
