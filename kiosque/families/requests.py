"""Requests of families to the town: to change their record, or about an error on an invoice.

A request changes nothing by itself. It leaves as a mail to the service, with a copy to the family,
and its row waits for the town.
"""

from collections.abc import Mapping
from datetime import timedelta

from peewee import Expression, ModelDelete

from kiosque.db import write
from kiosque.db.models import Family, FamilyRequest, Invoice
from kiosque.db.states import RequestState, RequestTopic
from kiosque.families import contacts
from kiosque.families.throttle import TooManyTries
from kiosque.language import clock
from kiosque.language.catalogue import N_
from kiosque.outbox import queue
from kiosque.settings import Town

#: Characters of the longest request.
LONGEST = 1000
#: Requests that a family may make in any DAY; the same one again is none.
A_DAY = 10
DAY = timedelta(days=1)
KEPT = timedelta(days=365)

#: Subjects of a change of the record.
CHANGES: Mapping[RequestTopic, str] = {
    RequestTopic.ADDRESS: N_("L’adresse du foyer"),
    RequestTopic.PHONE: N_("Le téléphone d’un parent"),
    RequestTopic.EMAIL: N_("L’adresse électronique d’un parent"),
    RequestTopic.CHILD_LEAVES: N_("Le départ d’un enfant"),
    RequestTopic.OTHER: N_("Autre chose"),
}
#: Errors that an invoice may have.
ERRORS: Mapping[RequestTopic, str] = {
    RequestTopic.ABSENCE: N_("Mon enfant n’était pas là"),
    RequestTopic.QUANTITY: N_("Le nombre de repas, de jours ou d’heures"),
    RequestTopic.PRICE: N_("Le tarif"),
    RequestTopic.PAID: N_("Je l’ai déjà payée"),
    RequestTopic.OTHER_ERROR: N_("Une autre erreur"),
}
TOPICS: Mapping[RequestTopic, str] = {**CHANGES, **ERRORS}
#: States of a request, in French.
STATES: Mapping[RequestState, str] = {
    RequestState.OPEN: "sans réponse",
    RequestState.ACCEPTED: "acceptée",
    RequestState.REFUSED: "refusée",
}


def ask(
    family: Family,
    topic: RequestTopic,
    message: str,
    town: Town,
    invoice: Invoice | None = None,
) -> None:
    """Keep the request and queue its mails; do nothing when it was made within a DAY already.

    Raises TooManyTries after A_DAY of them.
    """
    now = clock.now()
    with write():
        recent = list(
            FamilyRequest.select()
            .where(FamilyRequest.family == family, FamilyRequest.asked_at > now - DAY)
            .order_by(FamilyRequest.asked_at)
        )
        asked = (topic, message, invoice.id if invoice else None)
        if any((each.topic, each.message, each.invoice_id) == asked for each in recent):
            return
        if len(recent) >= A_DAY:
            raise TooManyTries(recent[0].asked_at + DAY)
        request = FamilyRequest.create(
            family=family, invoice=invoice, topic=topic, message=message, asked_at=now
        )
        _queue_mails(request, town)


def past() -> Expression:
    """Select the requests older than KEPT."""
    return FamilyRequest.asked_at <= clock.now() - KEPT


def purge() -> None:
    """Erase the requests older than KEPT."""
    with write():
        ModelDelete(FamilyRequest).where(past()).execute()


def _queue_mails(request: FamilyRequest, town: Town) -> None:
    queue.add(f"request:{request.id}", "request", request.id, town.contact_email)
    for number, address in enumerate(contacts.addresses(request.family), 1):
        queue.add(f"request-copy:{request.id}:{number}", "request_copy", request.id, address)
