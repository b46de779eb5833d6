"""Take a family's record away, and reduce its names in the accounts, which stay.

The journal names nobody, and no amount, number, date or state changes: the books stay whole.
"""

import re
from typing import Any

from peewee import Expression, ModelDelete, ModelSelect

from kiosque.db import require_write, write
from kiosque.db.models import (
    Account,
    Attempt,
    Child,
    Debtor,
    Enrolment,
    Family,
    FamilyMerge,
    FamilyNotice,
    FamilyNoticeItem,
    FamilyRequest,
    Guardian,
    Invoice,
    InvoiceLine,
    NumberedModel,
    OutboxMail,
    ResetRequest,
    Session,
    Token,
)
from kiosque.db.states import PrivacyActKind
from kiosque.invoices.imports import undo_log
from kiosque.language import clock
from kiosque.payments.refusals import require_author_and_reason
from kiosque.privacy import acts
from kiosque.privacy.dues import dues
from kiosque.privacy.mails import mails_of, requests_typed_by


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


def initials(names: str) -> str:
    """Reduce each word to its initial: `Martin - Le Goff` becomes `M. - L. G.`"""
    return re.sub(r"\w[^\s,]*", lambda word: f"{word[0][0].upper()}.", names)


def reduce(family: Family) -> None:
    """Erase all that is held about a family but its accounts, where its names are reduced, as part
    of the transaction under way."""
    require_write()
    for model, which in _erased(family):
        ModelDelete(model).where(which).execute()
    undo_log.forget(family)
    Attempt.update(receipt_email=None).where(Attempt.family == family).execute()
    _reduce_children(family)
    reduced = {
        "name": initials(family.name),
        "address": "",
        "postcode": "",
        "city": "",
        "digest": "",
        "email": "",
        "language": "fr",
        "wants_mail": True,
        "seen_on": None,
        "words": "",
        "archived_at": None,
        "forgotten_at": clock.now(),
    }
    Family.update(reduced).where(Family.id == family.id).execute()


def _erased(family: Family) -> list[tuple[type[NumberedModel] | type[Session], Expression]]:
    """Return the tables to erase from; those that refer to others come first."""
    accounts = Account.select(Account.id).where(Account.family == family)
    children = Child.select(Child.id).where(Child.family == family)
    notices = FamilyNotice.select(FamilyNotice.id).where(FamilyNotice.family == family)
    return [
        (OutboxMail, mails_of(family)),
        (ResetRequest, requests_typed_by(family)),
        (Session, Session.account.in_(accounts)),
        (Token, Token.family == family),
        (Account, Account.family == family),
        (Guardian, Guardian.family == family),
        (Debtor, Debtor.family == family),
        (Enrolment, Enrolment.child.in_(children)),
        (Child, Child.family == family),
        (FamilyRequest, FamilyRequest.family == family),
        (FamilyMerge, (FamilyMerge.kept == family) | (FamilyMerge.gone == family)),
        (FamilyNoticeItem, FamilyNoticeItem.notice.in_(notices)),
        (FamilyNotice, FamilyNotice.family == family),
    ]


def _reduce_children(family: Family) -> None:
    own = Invoice.family == family
    for children in _distinct(Invoice.select(Invoice.children).where(own)):
        named = Invoice.children == children
        Invoice.update(children=initials(children)).where(own, named).execute()
    lines = InvoiceLine.invoice.in_(Invoice.select(Invoice.id).where(own))
    for child in _distinct(InvoiceLine.select(InvoiceLine.child).where(lines)):
        named = InvoiceLine.child == child
        InvoiceLine.update(child=initials(child)).where(lines, named).execute()


def _distinct(query: "ModelSelect[Any]") -> list[str]:
    return [text for (text,) in list(query.distinct().tuples()) if text]
