"""The régisseur's list: what a human must look at, and what there is to do about it."""

from peewee import JOIN

from kiosque.db import write
from kiosque.db.models import Anomaly, Attempt, Invoice, Receipt, Settlement
from kiosque.language import clock
from kiosque.payments.ledger import Refused


def todo() -> list[Anomaly]:
    """The régisseur's list, oldest first, with the receipts of what it is about."""
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


def resolve(anomaly_id: int, author: str, resolution: str) -> None:
    """Take an entry off the list, saying what was done. Raises Refused when it is not there."""
    if not author.strip() or not resolution.strip():
        raise Refused(["L’auteur et ce qui a été fait sont obligatoires."])
    with write():
        changed = (
            Anomaly.update(resolved_at=clock.now(), resolved_by=author, resolution=resolution)
            .where(Anomaly.id == anomaly_id, Anomaly.resolved_at.is_null())
            .execute()
        )
        if not changed:
            raise Refused([f"Aucun point à traiter n°\u00a0{anomaly_id}."])
