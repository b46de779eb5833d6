"""The texts of the mock bank's pages in English, and amounts as people write them.

A payer reads French or English; the back office is in French only. The real page speaks thirteen
languages: here, a payer of any language but French reads English.
"""

import re
from collections.abc import Callable, Mapping

_ENGLISH = {
    "Aller au contenu": "Skip to content",
    "Banque de démonstration": "Demonstration bank",
    "Banque de démonstration\u00a0: aucun argent ne circule": "Demonstration bank: no money moves",
    "Cette banque n’existe pas. Elle sert à essayer le site de la ville.": (
        "This bank does not exist. It is here to try the town’s site."
    ),
    "Paiement sécurisé": "Secure payment",
    "Erreur\u00a0: ": "Error: ",
    "Paiement": "Payment",
    "Paiement par carte": "Payment by card",
    "Votre paiement": "Your payment",
    "Montant": "Amount",
    "Détail": "Details",
    "Référence": "Reference",
    "Boutique": "Shop",
    "Transaction": "Transaction",
    "Cartes acceptées": "Cards accepted",
    "Cartes de test": "Test cards",
    "Paiement accepté": "Payment accepted",
    "Refus : provision insuffisante": "Refused: not enough money",
    "Refus : cryptogramme faux": "Refused: wrong security code",
    "Accepté, à valider par la banque": "Accepted, for the bank to validate",
    "Numéro de carte": "Card number",
    "16 chiffres. Aucune vraie carte\u00a0: choisissez-en une ci-dessus.": (
        "16 digits. No real card: choose one above."
    ),
    "Notification à la ville": "Notice to the town",
    "Normale": "Normal",
    "En retard, après le retour du payeur": "Late, after the payer is back",
    "Perdue": "Lost",
    "Envoyée deux fois": "Sent twice",
    "Montant faux": "With a wrong amount",
    "Signée d’une autre clé": "Signed with another key",
    "Valider": "Pay",
    "Abandonner": "Cancel",
    "Laisser expirer": "Let it expire",
    "Revenir au site": "Back to the site",
    "Carte refusée. Essayez une autre carte, ou revenez au site.": (
        "Card refused. Try another card, or go back to the site."
    ),
    "Ce numéro n’est pas celui d’une carte de test.": "This is not the number of a test card.",
    "La boutique n’accepte pas cette carte.": "The shop does not accept this card.",
    "Page expirée": "Page expired",
    "Cette page de paiement n’est plus active": "This payment page is no longer active",
    "Paiement enregistré": "Payment recorded",
    "Vous allez être ramené au site.": "You are about to be taken back to the site.",
    "Demande refusée": "Request refused",
    "Demande de paiement refusée": "Payment request refused",
    "La banque n’accepte pas ce formulaire. Aucune transaction n’a été créée.": (
        "The bank does not accept this form. No transaction was created."
    ),
}


def language_of(fields: Mapping[str, str], preferred: str | None) -> str:
    """Return the language of a payer's page, `fr` or `en`: that of the form, else `preferred`."""
    asked = fields.get("vads_language") or preferred or "fr"
    return "fr" if asked == "fr" else "en"


def speaker(language: str) -> Callable[[str], str]:
    """Return the function that translates French texts; it raises KeyError for an unknown one."""
    return _ENGLISH.__getitem__ if language == "en" else str


def euros(cents: int, language: str = "fr") -> str:
    """Write an amount in euros, as people do."""
    if language == "en":
        return f"€{cents // 100}.{cents % 100:02d}"
    return f"{cents // 100},{cents % 100:02d}\u00a0€"


def cents(text: str) -> int:
    """Read an amount in euros, as people write it; return cents. Raises ValueError."""
    found = re.fullmatch(r"([0-9]{1,7})(?:[.,]([0-9]{1,2}))?\s*€?", text.strip(), re.ASCII)
    if not found:
        raise ValueError(text)
    return int(found[1]) * 100 + int((found[2] or "0").ljust(2, "0"))
