"""Erase a family that asks for it, when nothing is due either way."""

from kiosque.db import write
from kiosque.db.models import Family
from kiosque.db.states import PrivacyActKind
from kiosque.payments.refusals import require_author_and_reason
from kiosque.privacy import acts
from kiosque.privacy.dues import dues
from kiosque.privacy.erased_rows import reduce


class CannotErase(Exception):
    """Something is due: nothing was changed. `reasons` say what, in French."""

    def __init__(self, reasons: list[str]) -> None:
        super().__init__("\n".join(reasons))
        self.reasons = reasons


def erase(family: Family, author: str, reason: str, *, credit_notes: bool = True) -> None:
    """Erase a family's record and way in, reduce its names in the accounts, and remember who asked.
    `credit_notes` is that of `dues`. Raises Refused without author and reason, CannotErase."""
    require_author_and_reason(author, reason)
    with write():
        family = Family.get_by_id(family.id)
        if due := dues(family, credit_notes=credit_notes):
            raise CannotErase(due)
        reduce(family)
        acts.note(PrivacyActKind.ERASED, family, author, reason)
