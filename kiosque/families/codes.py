"""The codes that people read on paper and type: a family's own, those that are drawn for it."""

import secrets

# No 0/o, 1/l/i: these are read on paper and typed on a phone.
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


def normalise_family_code(text: str) -> str:
    """Return a *code famille* as stored: people type it with spaces and in either case."""
    return "".join(text.split()).upper()


def random_code() -> str:
    """Return fifteen letters and figures, 74 bits, grouped to be read on paper and typed: an
    activation code, or a provisional password."""
    return grouped("".join(secrets.choice(_LETTERS) for _ in range(15)))


def normalise_random_code(text: str) -> str:
    """Return a code that was drawn without what people change of it: dashes, spaces, capitals."""
    return "".join(character for character in text.lower() if character.isalnum())


def grouped(letters: str) -> str:
    return "-".join(letters[at : at + 5] for at in range(0, len(letters), 5))
