"""Why something asked of the payments is not done."""

from collections.abc import Sequence


class Refused(Exception):
    """What was asked cannot be done, and nothing was changed.

    `reasons` are French sentences; `numbers`, when given, are the invoices they are about, one
    a reason.
    """

    def __init__(self, reasons: Sequence[str], numbers: Sequence[str] = ()) -> None:
        super().__init__("\n".join(reasons))
        self.reasons = list(reasons)
        self.numbers = list(numbers)


def is_answered_for(author: str, reason: str) -> bool:
    """Return whether somebody answers for a decision, by a name and a reason."""
    return bool(author.strip() and reason.strip())


def require_author_and_reason(author: str, reason: str) -> None:
    """Raise Refused unless somebody answers for the decision."""
    if not is_answered_for(author, reason):
        raise Refused(["L’auteur et le motif sont obligatoires."])
