"""Find the mails of the outbox and the new passwords asked for that are about a family: neither
names it."""

from collections.abc import Callable, Mapping
from typing import Any

from peewee import Expression, ModelSelect

from kiosque.db.models import (
    Family,
    FamilyNotice,
    FamilyRequest,
    OutboxMail,
    Receipt,
    ResetRequest,
    Settlement,
    Token,
)
from kiosque.db.states import NoticeKind
from kiosque.families import contacts
from kiosque.outbox import addresses

#: Finds the ids of the rows of a family.
Find = Callable[[Family], "ModelSelect[Any]"]


def _receipts(family: Family) -> "ModelSelect[Receipt]":
    return Receipt.select(Receipt.id).join(Settlement).where(Settlement.family == family)


def _tokens(family: Family) -> "ModelSelect[Token]":
    return Token.select(Token.id).where(Token.family == family)


def _requests(family: Family) -> "ModelSelect[FamilyRequest]":
    return FamilyRequest.select(FamilyRequest.id).where(FamilyRequest.family == family)


def _notices(family: Family) -> "ModelSelect[FamilyNotice]":
    return FamilyNotice.select(FamilyNotice.id).where(FamilyNotice.family == family)


def _itself(family: Family) -> "ModelSelect[Family]":
    return Family.select(Family.id).where(Family.id == family.id)


#: The objects of a family by kind of mail; `anomaly` is to the régisseur, about a payment.
OBJECTS: Mapping[str, Find] = {
    "receipt": _receipts,
    "request": _requests,
    "request_copy": _requests,
    "request_answer": _requests,
    "reset": _tokens,
    "email_confirm": _tokens,
    "new_browser": _tokens,
    "email_asked": _itself,
    "email_changed": _itself,
    "password_changed": _itself,
    **dict.fromkeys(NoticeKind, _notices),
}


def mails_of(family: Family) -> Expression:
    """Select the mails that are about a family, whatever became of them."""
    which = OutboxMail.id.is_null()  # none
    for kind, objects in OBJECTS.items():
        which |= (OutboxMail.template == kind) & OutboxMail.object_id.in_(objects(family))
    return which


def latest_mails_of(family: Family, most: int, *which: Expression) -> list[OutboxMail]:
    """Return the latest mails about a family that meet these conditions, whatever became of
    them."""
    found = OutboxMail.select().where(mails_of(family), *which)
    return list(found.order_by(OutboxMail.id.desc()).limit(most))


def requests_typed_by(family: Family) -> Expression:
    """Select the new passwords asked for by typing an address of the family, not answered yet."""
    known = {addresses.key(each) for each in contacts.every_address(family)}
    found = [each.id for each in ResetRequest.select() if addresses.key(each.email) in known]
    return ResetRequest.id.in_(found)
