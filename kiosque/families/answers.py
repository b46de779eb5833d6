"""The town's answers to families' requests: accept one, with the values that it changes in the
record, or refuse it. A mail tells the family."""

import json
import re
import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass

from peewee import JOIN

from kiosque.db import require_write, write
from kiosque.db.models import Family, FamilyRequest, Guardian, Invoice
from kiosque.db.states import RequestState
from kiosque.families import contacts
from kiosque.invalid_values import InvalidValues
from kiosque.language import clock
from kiosque.outbox import addresses, queue

#: Characters of the longest sentence of an answer, and of a value of the record.
LONGEST = 500
LONGEST_VALUE = 200
_PHONE = re.compile(r"\+?[0-9][0-9 ().-]{5,19}", re.ASCII)
_POSTCODE = re.compile(r"[0-9A-Z][0-9A-Z -]{2,9}", re.ASCII)


@dataclass(frozen=True)
class Home:
    """The address of a household."""

    address: str
    postcode: str
    city: str

    def fault_of(self, name: str) -> str:
        """Return what is wrong with a value, "" for nothing."""
        text = getattr(self, name)
        if not _is_text(text):
            return "Indiquez-le, en 200 lettres au plus."
        if name == "postcode" and not _POSTCODE.fullmatch(text):
            return "Ce code postal est illisible. Exemple\u00a0: 44880."
        return ""

    def apply(self, family: Family) -> None:
        Family.update(asdict(self), updated_on=clock.today()).where(
            Family.id == family.id
        ).execute()


@dataclass(frozen=True)
class Contact:
    """The telephone or the e-mail address of one parent, `parent` as `parents` names them."""

    parent: str
    phone: str | None = None
    email: str | None = None

    def fault_of(self, name: str) -> str:
        """Return what is wrong with a value, "" for nothing."""
        if name == "phone" and self.phone is not None and not _PHONE.fullmatch(self.phone):
            return "Ce numéro est illisible. Exemple\u00a0: 06 12 34 56 78."
        if name == "email" and self.email is not None and addresses.normal(self.email) is None:
            return "Cette adresse électronique n’est pas complète. Exemple\u00a0: nom@exemple.fr"
        return ""

    def apply(self, family: Family) -> None:
        parent = parents(family).get(self.parent)
        if parent is None:
            raise InvalidValues({"parent": "Ce parent n’est plus dans le dossier."})
        if self.phone is not None:
            parent.phone = self.phone
        if self.email is not None:
            parent.email = addresses.kept(self.email)
        parent.save()
        Family.update(updated_on=clock.today()).where(Family.id == family.id).execute()


Change = Home | Contact


def count_waiting() -> int:
    """Return the number of unanswered requests."""
    number: int = FamilyRequest.select().where(FamilyRequest.state == RequestState.OPEN).count()
    return number


def waiting() -> list[FamilyRequest]:
    """Return the requests that nobody has answered, the oldest first."""
    every = (
        FamilyRequest.select(FamilyRequest, Family, Invoice)
        .join(Family)
        .switch(FamilyRequest)
        .join(Invoice, JOIN.LEFT_OUTER)
    )
    return list(every.where(FamilyRequest.state == RequestState.OPEN).order_by(FamilyRequest.id))


def parents(family: Family) -> dict[str, Guardian]:
    """Return the parents of a family by full name."""
    found = Guardian.select().where(Guardian.family == family).order_by(Guardian.id)
    return {f"{each.first_name} {each.last_name}".strip(): each for each in found}


def applied_to(codes: Collection[str]) -> Iterator[tuple[str, dict[str, str | None]]]:
    """Yield what accepted requests changed of these families' records, by code, the latest first:
    the values of a Home or of a Contact."""
    every = FamilyRequest.select(FamilyRequest, Family).join(Family)
    for each in every.where(FamilyRequest.applied != "").order_by(FamilyRequest.id.desc()):
        if each.family.code in codes:
            yield each.family.code, json.loads(each.applied)


def accept(request: FamilyRequest, change: Change | None, by: str, words: str) -> None:
    """Apply a change to the record, if there is one, and tell the family. Raises InvalidValues."""
    if change:
        faults = {name: change.fault_of(name) for name in asdict(change)}
        if found := {name: fault for name, fault in faults.items() if fault}:
            raise InvalidValues(found)
    with write():
        request = _open(request, words)
        told = contacts.every_address(request.family)  # before: one of them may change
        if change:
            change.apply(request.family)
        applied = json.dumps(asdict(change), ensure_ascii=False) if change else ""
        _answer(request, RequestState.ACCEPTED, by, words, applied)
        _tell(request, [*told, *contacts.every_address(request.family)])


def refuse(request: FamilyRequest, by: str, words: str) -> None:
    """Leave the record as it is, and tell the family why. Raises InvalidValues."""
    with write():
        request = _open(request, words)
        _answer(request, RequestState.REFUSED, by, words, "")
        _tell(request, contacts.every_address(request.family))


def _open(request: FamilyRequest, words: str) -> FamilyRequest:
    """Return the request as it is now, if it may be answered with these words."""
    require_write()
    if not _is_text(words, LONGEST):
        raise InvalidValues(
            {"words": f"Écrivez une phrase à la famille, en {LONGEST} lettres au plus."}
        )
    found: FamilyRequest = FamilyRequest.get_by_id(request.id)
    if found.state != RequestState.OPEN:
        raise InvalidValues({"": "Un autre agent a répondu entre-temps."})
    return found


def _answer(request: FamilyRequest, state: str, by: str, words: str, applied: str) -> None:
    FamilyRequest.update(
        state=state, answered_at=clock.now(), answered_by=by, answer=words, applied=applied
    ).where(FamilyRequest.id == request.id).execute()


def _tell(request: FamilyRequest, every: list[str]) -> None:
    for number, address in enumerate(addresses.distinct(every), 1):
        queue.add(f"request-answer:{request.id}:{number}", "request_answer", request.id, address)


def _is_text(text: str, longest: int = LONGEST_VALUE) -> bool:
    """Tell whether a text is visible, on one line and not too long."""
    shows = any(unicodedata.category(sign)[0] in "LNPS" for sign in text)
    return shows and text.isprintable() and len(text) <= longest
