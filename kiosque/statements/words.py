"""The French words about the lines of statements."""

from collections.abc import Mapping

from kiosque.db.statement_words import MatchKind, MatchRule
from kiosque.statements.coverage import Grade
from kiosque.statements.records import Meaning

#: How lines were matched, by rule.
RULES: Mapping[MatchRule, str] = {
    MatchRule.REFERENCE: "par notre référence",
    MatchRule.REMITTANCE: "par remise de cartes",
    MatchRule.DAY: "par jour de paiements",
    MatchRule.NUMBER: "par numéro de reçu ou de facture",
    MatchRule.DEPOSIT: "par bordereau de versement",
    MatchRule.AMOUNT: "par montant et jour",
    MatchRule.PERSON: "par un agent",
}
#: Kinds of matches.
KINDS: Mapping[MatchKind, str] = {
    MatchKind.SETTLEMENT: "paiement",
    MatchKind.REPAYMENT: "remboursement",
    MatchKind.DEPOSIT: "versement",
    MatchKind.FEE: "frais bancaires",
    MatchKind.OTHER: "sans rapport avec le kiosque",
}
#: How much the bank tells of a month.
GRADES: Mapping[Grade, str] = {
    Grade.JOURNAL: "Le journal de la banque dit chaque paiement, et ses frais.",
    Grade.STATEMENT: "Le relevé dit des sommes globales\u00a0: un jour de paiements s’explique par "
    "son total.",
    Grade.NONE: "Aucun fichier de la banque\u00a0: le kiosque ne sait que ce qu’elle a répondu à "
    "ses questions.",
}
#: Meanings of a table's columns.
MEANINGS: Mapping[Meaning, str] = {
    Meaning.BOOKED_ON: "Date de l’opération",
    Meaning.LABEL: "Libellé",
    Meaning.AMOUNT: "Montant, au-dessus de zéro pour un crédit",
    Meaning.DEBIT: "Débit",
    Meaning.CREDIT: "Crédit",
    Meaning.SIDE: "Sens (D ou C)",
    Meaning.BALANCE: "Solde après l’opération",
    Meaning.VALUE_ON: "Date de valeur",
    Meaning.REFERENCE: "Référence",
    Meaning.DETAILS: "Suite du libellé",
    Meaning.ACCOUNT: "Compte",
    Meaning.CURRENCY: "Devise",
}
