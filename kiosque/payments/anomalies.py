"""The régisseur's list: what a human must look at, and what there is to do about it."""

from collections.abc import Mapping

from peewee import JOIN

from kiosque.db import write
from kiosque.db.models import Anomaly, Attempt, Invoice, Receipt, Settlement
from kiosque.language import clock
from kiosque.payments.ledger import Refused

#: What to do about each kind of entry, for the régisseur.
ADVICE: Mapping[str, str] = {
    "overpayment": "Trop-perçu : rendez-le (refund), ou convenez d’un emploi avec la famille.",
    "mismatch": "Comparez avec le back office de la banque, puis corrigez ou remboursez.",
    "unknown_order": "Cherchez cette commande à la banque : une opération faite à la main ?",
    "reversed": "La facture est de nouveau à régler : dites-le à la famille.",
    "refunded": "La facture est de nouveau à régler : annulez-la si rien n’est plus dû.",
    "partial_refund": "La facture reste payée : gardez la raison de ce remboursement.",
    "unmatched_refund": "Aucun paiement connu ne correspond : voyez lequel avec la banque.",
    "uncaptured": "L’argent n’est pas arrivé : voyez avec la banque pourquoi.",
    "unsettled": "La banque ne conclut pas : demandez-lui, puis close-attempt si rien n’est dû.",
    "silent": "Voyez à la banque ce qu’est devenu ce paiement ; close-attempt libère la facture.",
    "unserved": "Remettez-la jusqu’à ce que « gateways » dise qu’elle peut être retirée.",
    "declined": "La banque n’a pas remboursé : voyez pourquoi, rendez autrement (--elsewhere).",
}


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
