"""The forms that complete a file: the families of its debtors, the meanings of its columns."""

from collections.abc import Mapping, Sequence
from typing import Any

from wtforms import StringField
from wtforms.validators import Length

from kiosque.invoices.imports import FoundDebtor, codes, mappings
from kiosque.invoices.imports.mappings import Source, Unusable
from kiosque.invoices.imports.reading import quoted
from kiosque.invoices.imports.sheet import MAX_CELL
from kiosque.web.forms import Form
from kiosque.web.office.forms import OneOf

#: Debtors on one page; the next ones are asked after these.
DEBTORS = 50
#: The French names of the town's own columns, the most frequent ones first.
WORDS: Mapping[str, str] = {
    "numero_facture": "numéro de facture",
    "code_famille": "code famille",
    "date_emission": "date d’émission",
    "date_echeance": "date d’échéance",
    "periode": "période",
    "service": "prestation",
    "enfant": "enfant",
    "libelle": "libellé",
    "quantite": "quantité",
    "prix_unitaire": "prix unitaire",
    "montant": "montant",
    "tiers_nom": "nom de qui doit",
    "tiers_adresse": "rue de qui doit",
    "tiers_ville": "code postal et ville de qui doit",
    "tiers_reference": "référence de qui doit",
    "role": "rôle, responsable ou enfant",
    "nom": "nom",
    "prenom": "prénom",
    "courriel": "courriel",
    "telephone": "téléphone",
    "adresse": "adresse",
    "code_postal": "code postal",
    "ville": "ville",
    "date_naissance": "date de naissance",
    "services": "prestations où il est inscrit",
    "date_encaissement": "date d’encaissement",
    "mode": "moyen de paiement",
    "auteur": "auteur",
    "motif": "motif",
}
_ROLES = [
    ("", "ce ne sont pas des personnes, ou une colonne le dit"),
    ("responsable", "des responsables"),
    ("enfant", "des enfants"),
]


class DebtorsForm(Form):
    """A field for each debtor that is not known: the code of his family."""

    found: Sequence[FoundDebtor] = ()

    @staticmethod
    def of(unknown: Sequence[FoundDebtor]) -> "DebtorsForm":
        """Return the form of the first of these debtors, with what is proposed."""
        asked = unknown[:DEBTORS]
        fields: dict[str, Any] = {
            f"debtor_{at}": StringField(str(each.named), default=each.proposed)
            for at, each in enumerate(asked)
        }
        form: DebtorsForm = type("DebtorsForm", (DebtorsForm,), fields)()
        form.found = asked
        return form

    @property
    def asked(self) -> list[tuple[Any, FoundDebtor]]:
        return [(self[f"debtor_{at}"], each) for at, each in enumerate(self.found)]

    def keep(self, author: str) -> bool:
        """Store what was typed. If a code is not a family's, store nothing, say so in the form and
        return False."""
        typed = {each: (field.data or "").strip().upper() for field, each in self.asked}
        said = {each.named: code for each, code in typed.items() if code}
        known = codes.present(said.values())
        for field, each in self.asked:
            if typed[each] and typed[each] not in known:
                field.errors = [f"Aucune famille n’a le code {quoted(typed[each])}."]
        if not said:
            self.form_errors.append("Indiquez au moins un code famille.")
        if self.errors:
            return False
        codes.confirm(said, author)
        return True


class ColumnsForm(Form):
    """A choice for each column of a table, which of ours it is; and values for all its lines."""

    service = StringField(
        "La prestation, pour toutes les lignes",
        [Length(max=MAX_CELL, message="Ce nom est trop long.")],
    )
    role = OneOf("Qui sont ces personnes", default="")
    columns: Sequence[str] = ()

    @staticmethod
    def of(columns: Sequence[str]) -> "ColumnsForm":
        """Return the form of a table of these columns."""
        fields: dict[str, Any] = {
            f"column_{at}": OneOf(name, default="") for at, name in enumerate(columns)
        }
        form: ColumnsForm = type("ColumnsForm", (ColumnsForm,), fields)()
        form.columns = columns
        form.role.choices = _ROLES
        for field in form.asked:
            field.choices = [("", "rien"), *WORDS.items()]
        return form

    @property
    def asked(self) -> list[Any]:
        return [self[f"column_{at}"] for at in range(len(self.columns))]

    def keep(self, name: str, author: str) -> bool:
        """Store what was chosen. If it is not valid, return False and say why in the form."""
        row: dict[str, Source] = {}
        for column, field in zip(self.columns, self.asked, strict=True):
            if ours := field.data:
                row[ours] = column if ours not in row else [*_listed(row[ours]), column]
        for ours in ("service", "role"):
            if text := (self[ours].data or "").strip():
                row[ours] = f"={text}"
        try:
            mappings.keep(name, self.columns, row, author)
        except Unusable as refusal:
            self.form_errors += refusal.faults
            return False
        return True


def _listed(source: Source) -> list[str]:
    return [source] if isinstance(source, str) else list(source)
