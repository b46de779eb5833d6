"""The meanings of a bank table's columns: guessed by their names, or given by a person."""

import hashlib
from collections.abc import Mapping, Sequence

from kiosque.statements.cells import column_key
from kiosque.statements.records import Meaning, TableReading, UnknownColumns

#: The names of columns, the surest first of each meaning. Banks add «(EUR)», accents or not.
_NAMES: Mapping[Meaning, Sequence[str]] = {
    Meaning.BOOKED_ON: (
        "Date de comptabilisation", "Date comptable", "Date d’opération", "Date opération",
        "Date de l’opération", "Date d’écriture", "Date opé", "Booking date", "Date",
    ),
    Meaning.VALUE_ON: ("Date de valeur", "Date valeur", "Valeur", "Value date"),
    Meaning.LABEL: (
        "Libellé de l’opération", "Libellé opération", "Libellé complet", "Libellé",
        "Libellé simplifié", "Libellé de l’écriture", "Intitulé", "Nature de l’opération",
        "Description", "Détail de l’opération", "Nature", "Opération", "Label",
    ),
    Meaning.DETAILS: (
        "Informations complémentaires", "Information complémentaire", "Complément",
        "Libellé complémentaire", "Détail", "Détails", "Commentaire",
    ),
    Meaning.REFERENCE: (
        "Référence", "Réf", "Référence de l’opération", "Référence opération", "N° de pièce",
        "Numéro de pièce", "N° pièce", "Numéro d’opération", "N° d’opération", "Reference",
    ),
    Meaning.AMOUNT: ("Montant", "Montant de l’opération", "Montant opération", "Amount"),
    Meaning.DEBIT: ("Débit", "Débits", "Montant débit", "Montant au débit", "Debit"),
    Meaning.CREDIT: ("Crédit", "Crédits", "Montant crédit", "Montant au crédit", "Credit"),
    Meaning.BALANCE: (
        "Solde", "Solde comptable", "Solde progressif", "Solde après opération", "Nouveau solde",
        "Balance",
    ),
    Meaning.SIDE: ("Sens", "Sens de l’opération", "Débit/Crédit", "D/C"),
    Meaning.ACCOUNT: (
        "IBAN", "Compte", "N° de compte", "Numéro de compte", "Numéro compte", "RIB", "Account",
    ),
    Meaning.CURRENCY: ("Devise", "Devise du compte", "Monnaie", "Currency"),
}  # fmt: skip
_KEYS = {meaning: [column_key(name) for name in names] for meaning, names in _NAMES.items()}

#: The name of a column by its meaning.
Columns = Mapping[Meaning, str]


def named(cells: Sequence[str]) -> list[str]:
    """Return unique names for the columns of a header: a column without a name, or with the name of
    another, gets its number."""
    names: list[str] = []
    for at, cell in enumerate(cells, 1):
        name = " ".join(cell.split())[:60]
        names.append(name if name and name not in names else f"{name or 'colonne'} ({at})")
    return names


def signature(header: Sequence[str]) -> str:
    """Return a key that identifies this header."""
    return hashlib.sha256("\n".join(map(column_key, header)).encode()).hexdigest()[:32]


def guessed(header: Sequence[str]) -> dict[Meaning, str]:
    """Return the columns whose name tells their meaning."""
    by_key = {column_key(name): name for name in reversed(header)}
    found = {
        meaning: next((by_key[key] for key in keys if key in by_key), "")
        for meaning, keys in _KEYS.items()
    }
    return {meaning: name for meaning, name in found.items() if name}


def missing(columns: Columns) -> list[str]:
    """Ask in French for each meaning that a table must have, and has no column for."""
    has_amount = Meaning.AMOUNT in columns
    has_amount |= Meaning.DEBIT in columns and Meaning.CREDIT in columns
    needed = {
        "la date de l’opération": Meaning.BOOKED_ON in columns,
        "le libellé": Meaning.LABEL in columns,
        "le montant, ou le débit et le crédit": has_amount,
    }
    return [f"quelle colonne dit {what} ?" for what, is_told in needed.items() if not is_told]


def chosen(header: Sequence[str], answers: Mapping[str, Columns]) -> TableReading | None:
    """Return the meanings of a header's columns: those that a person gave, else those guessed by
    name; None if these do not suffice."""
    answered = answers.get(signature(header))
    if answered is not None and set(answered.values()) <= set(header) and not missing(answered):
        return TableReading(tuple(header), answered, is_answered=True)
    columns = guessed(header)
    return None if missing(columns) else TableReading(tuple(header), columns, is_answered=False)


def unknown(header: Sequence[str], faults: Sequence[str] = ()) -> UnknownColumns:
    """Return the question to a person. `faults` are those of the lines when read by guess."""
    proposal = guessed(header)
    return UnknownColumns(header, signature(header), proposal, faults or missing(proposal))
