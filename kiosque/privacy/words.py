"""The French words of an export: its columns and the machine's values."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from kiosque.db.models import (
    Allocation,
    Anomaly,
    Attempt,
    BankMessage,
    BaseModel,
    Fact,
    FamilyRequest,
    ImportChange,
    Invoice,
    PrivacyAct,
    Repayment,
    SecurityEvent,
)
from kiosque.db.states import AllocationKind
from kiosque.families import audit, requests
from kiosque.language import formats
from kiosque.payments import words
from kiosque.privacy import acts

COLUMNS: Mapping[str, str] = {
    "accepted": "vérifié",
    "address": "adresse",
    "amount_cents": "montant",
    "answered_at": "dernière réponse",
    "asked_at": "demandé le",
    "at": "date",
    "attempt": "paiement",
    "author": "auteur",
    "authorisation": "autorisation",
    "born_on": "date de naissance",
    "card_brand": "carte",
    "card_last4": "quatre derniers chiffres",
    "child": "enfant",
    "children": "enfants",
    "city": "ville",
    "closes_on": "fin du paiement en ligne",
    "code": "code famille",
    "counts": "compte",
    "credit": "crédit",
    "debit": "débit",
    "detail": "détail",
    "done_at": "fait le",
    "due_on": "échéance",
    "email": "courriel",
    "entered_at": "première connexion",
    "expires_at": "jusqu’au",
    "fields": "message",
    "final_at": "définitif le",
    "first_name": "prénom",
    "forgotten_at": "oubliée le",
    "former": "ce qu’il y avait avant",
    "gateway": "banque",
    "gateway_reference": "référence de la banque",
    "id": "n°",
    "invoice": "facture",
    "issued_at": "émis le",
    "issued_on": "émise le",
    "kind": "nature",
    "label": "libellé",
    "language": "langue",
    "last_error": "dernier échec",
    "last_name": "nom",
    "live_until": "délai jusqu’au",
    "made_at": "fait le",
    "message": "texte",
    "mode": "moyen",
    "must_change_password": "mot de passe provisoire",
    "name": "nom",
    "noted_at": "noté le",
    "notice": "avis n°",
    "number": "numéro",
    "opened_at": "ouverte le",
    "outcome": "issue",
    "parent_id": "débit concerné",
    "password_set_at": "mot de passe du",
    "pdf_name": "fichier PDF",
    "period": "période",
    "phone": "téléphone",
    "postcode": "code postal",
    "proved_at": "mot de passe montré le",
    "purpose": "pour",
    "quantity_hundredths": "quantité",
    "queued_at": "écrit le",
    "reason": "motif",
    "received_at": "reçu le",
    "receipt_email": "adresse du reçu",
    "recipient": "destinataire",
    "reference": "référence",
    "regie": "régie",
    "regie_name": "nom de la régie",
    "regisseur": "régisseur",
    "resolution": "ce qui a été fait",
    "resolved_at": "réglé le",
    "resolved_by": "réglé par",
    "returned_cents": "rendu",
    "seen_at": "vue le",
    "seen_on": "dernier fichier",
    "sent_at": "parti le",
    "sequence": "suite",
    "service": "prestation",
    "services": "prestations",
    "settled_at": "encaissé le",
    "settlement": "encaissement n°",
    "signed_in_on": "dernière connexion",
    "source": "dit par",
    "started_at": "commencé le",
    "state": "état",
    "state_reason": "raison",
    "status": "mot de la banque",
    "table_name": "au sujet de",
    "template": "modèle",
    "topic": "sujet",
    "total_cents": "total",
    "paid_cents": "payé",
    "town_name": "ville",
    "transaction_id": "opération de la banque",
    "tries": "essais",
    "unit_price_cents": "prix unitaire",
    "updated_on": "mise à jour",
    "used_at": "servi le",
    "verdict": "jugement",
    "wants_mail": "accepte les avis",
}
#: The French words of the values of a column.
VALUES: Mapping[tuple[type[BaseModel], str], Mapping[Any, str]] = {
    (Allocation, "kind"): {
        AllocationKind.INVOICE: "paie la facture",
        AllocationKind.OVERPAYMENT: "trop-perçu",
        AllocationKind.UNMATCHED: "sans emploi",
    },
    (Anomaly, "outcome"): words.ATTEMPT_STATES,
    (Attempt, "state"): words.ATTEMPT_STATES,
    (BankMessage, "verdict"): words.VERDICTS,
    (Fact, "source"): words.FACT_SOURCES,
    (Fact, "state"): words.ATTEMPT_STATES,
    (FamilyRequest, "topic"): requests.TOPICS,
    (ImportChange, "table_name"): {
        "family": "la famille",
        "guardian": "un responsable",
        "child": "un enfant",
        "enrolment": "une inscription",
    },
    (Invoice, "state"): words.INVOICE_STATES,
    (PrivacyAct, "kind"): acts.WORDS,
    (Repayment, "kind"): words.REPAYMENT_KINDS,
    (Repayment, "state"): words.REPAYMENT_STATES,
    (SecurityEvent, "kind"): audit.WORDS,
}


def shown(model: type[BaseModel], column: str, value: object) -> str:
    """Return a value as a family reads it."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return "oui" if value else "non"
    if isinstance(value, datetime):
        return formats.long_instant(value)
    if isinstance(value, date):
        return formats.short_date(value)
    if isinstance(value, int) and column.endswith("_cents"):
        return formats.format_euros(value)
    if isinstance(value, int) and column.endswith("_hundredths"):
        return formats.format_hundredths(value)
    return VALUES.get((model, column), {}).get(str(value), str(value))
