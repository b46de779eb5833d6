"""The error raised when `payments` refuses what it is asked, and its French reasons."""

from collections.abc import Sequence

from kiosque.outbox import addresses


class Refused(Exception):
    """A request that cannot be carried out: nothing was changed.

    `reasons` are French sentences; `positions`, when given, are the indexes of the requests that
    they are about.
    """

    def __init__(self, reasons: Sequence[str], positions: Sequence[int] = ()) -> None:
        super().__init__("\n".join(reasons))
        self.reasons = list(reasons)
        self.positions = list(positions)


#: The effect would no longer be the one shown before.
CHANGED = "Entre-temps la situation a changé\u00a0: vérifiez encore."
#: In characters: a name and a service, or an agent's address; a sentence or two.
LONGEST_AUTHOR, LONGEST_REASON = addresses.LONGEST, 500


def why_not_answered_for(author: str, reason: str) -> str:
    """Return in French why this author and reason cannot stand for a decision; nothing if they
    can."""
    if not author.strip() or not reason.strip():
        return "L’auteur et le motif sont obligatoires."
    if len(author) > LONGEST_AUTHOR or len(reason) > LONGEST_REASON:
        return (
            f"L’auteur tient en {LONGEST_AUTHOR} caractères au plus, le motif en {LONGEST_REASON}."
        )
    if not (author + reason).isprintable():  # an escape code could rewrite a terminal
        return "L’auteur et le motif tiennent sur une ligne, sans caractère invisible."
    return ""


def why_no_author(author: str) -> str:
    """Return in French why this author cannot stand for a decision that needs no reason; nothing if
    it can."""
    if not author.strip():
        return "L’auteur est obligatoire."
    if len(author) > LONGEST_AUTHOR or not author.isprintable():
        return (
            f"L’auteur tient sur une ligne de {LONGEST_AUTHOR} lettres, sans caractère invisible."
        )
    return ""


def require_author_and_reason(author: str, reason: str) -> None:
    """Raise Refused unless a valid author and reason are given for the decision."""
    if fault := why_not_answered_for(author, reason):
        raise Refused([fault])
