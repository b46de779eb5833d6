"""The régisseur's list: what a human must look at, each thing once."""

from peewee import JOIN, Expression

from kiosque.db import require_write, write
from kiosque.db.models import Anomaly, Attempt, Invoice, Receipt, Settlement
from kiosque.db.states import AnomalyKind
from kiosque.language import clock
from kiosque.outbox import queue
from kiosque.payments.queries import numbers_of
from kiosque.payments.refusals import Refused, require_author_and_reason

#: Who resolved an anomaly that sorted itself out.
OURSELVES = "Kiosque Famille"


def flag_anomaly(
    key: str,
    kind: AnomalyKind,
    cents: int,
    detail: str,
    *,
    regie: str | None = None,
    gateway: str = "",
    transaction_id: str = "",
    **about: Attempt | Settlement | Invoice | None,
) -> None:
    """Put something on the list and tell the régisseur by mail, unless `key` was there before.

    `regie` is the key of the *régie* whose list it is; by default, that of what it is about. The
    bank calls it `transaction_id`, if it has a name for it.
    Belongs inside `write()`.
    """
    require_write()
    if Anomaly.select().where(Anomaly.key == key).exists():
        return
    if regie is None:
        regie = next(each.regie for each in about.values() if each)
    anomaly = Anomaly.create(
        key=key,
        kind=kind,
        noted_at=clock.now(),
        amount_cents=cents,
        detail=detail,
        regie=regie,
        gateway=gateway,
        transaction_id=transaction_id,
        **about,
    )
    queue.add(f"anomaly:{anomaly.id}", "anomaly", anomaly.id, queue.regisseur_of(regie))


def resolve_by_itself(which: Expression, resolution: str) -> int:
    """Take off the list, in our own name, what has sorted itself out. Return how many."""
    return resolve(which, OURSELVES, resolution)


def kept_key(settlement: Settlement) -> str:
    """Return the key of the anomaly about a debit entered by hand that has no use."""
    return f"kept:{settlement.id}"


def open_anomalies() -> list[Anomaly]:
    """Return the list, oldest first, with the receipts of what it is about."""
    return list(
        Anomaly.select(Anomaly, Attempt, Invoice, Settlement, Receipt)
        .join(Attempt, JOIN.LEFT_OUTER)
        .switch(Anomaly)
        .join(Invoice, JOIN.LEFT_OUTER)
        .switch(Anomaly)
        .join(Settlement, JOIN.LEFT_OUTER)
        .join(Receipt, JOIN.LEFT_OUTER)
        .where(Anomaly.resolved_at.is_null())
        .order_by(Anomaly.id)
    )


def concerned(anomaly: Anomaly) -> tuple[str, list[str]]:
    """Return the code of the family that it is about, "" if of none, and the numbers of the
    invoices."""
    about = anomaly.invoice or anomaly.attempt or anomaly.settlement
    if anomaly.invoice:
        numbers = [anomaly.invoice.number]
    else:
        numbers = numbers_of(anomaly.attempt) if anomaly.attempt else []
    return (about.family.code if about else "", numbers)


def resolve_anomaly(anomaly_id: int, author: str, resolution: str) -> None:
    """Take an entry off the list, saying what was done. Raises Refused when it is not there."""
    require_author_and_reason(author, resolution)
    with write():
        if not resolve(Anomaly.id == anomaly_id, author, resolution):
            raise Refused([f"Aucun point à traiter n°\u00a0{anomaly_id}."])


def list_again(which: Expression) -> None:
    """Put back on the list what had sorted itself out; what a human took off it stays off."""
    Anomaly.update(resolved_at=None, resolved_by="", resolution="").where(
        which, Anomaly.resolved_by == OURSELVES
    ).execute()


def resolve(which: Expression, author: str, resolution: str) -> int:
    """Take entries off the list, saying who did what. Return how many. Belongs inside `write()`."""
    resolved: int = (
        Anomaly.update(resolved_at=clock.now(), resolved_by=author, resolution=resolution)
        .where(which, Anomaly.resolved_at.is_null())
        .execute()
    )
    return resolved
