"""Files as a town's software writes them, and what a test reads of their loading."""

from collections.abc import Callable

import pytest

from kiosque.db.models import Family, Invoice
from kiosque.invoices.imports import BadFile, Confirmed, FileSummary

COLUMNS = (
    "code_famille;numero_facture;date_emission;date_echeance;periode;service;enfant;libelle;"
    "quantite;prix_unitaire;montant;fichier_pdf"
)
ROW = "F1001;2026-10-0001;2026-11-05;2026-11-30;2026-10;Restauration;Zoé Œuf;Repas;14;3,45;48,30;"
ROW2 = "F1001;2026-10-0001;2026-11-05;2026-11-30;2026-10;Périscolaire;Zoé Œuf;Garderie;6;0,98;5,88;"

Load = Callable[..., FileSummary]


def sheet(*rows: str) -> str:
    return "\n".join((COLUMNS, *rows)) + "\n"


def faults(load: Load, content: str | bytes) -> str:
    with pytest.raises(BadFile) as caught:
        load(content)
    assert Invoice.select().count() == 0
    assert Family.select().count() == 0
    return str(caught.value)


FAMILIES = (
    "code_famille;role;nom;prenom;courriel;telephone;adresse;code_postal;ville;date_naissance;"
    "services\n"
    "F1001;responsable;Martin;Alice;alice@example.org;02 61 91 00 01;1 rue;44880;Sautron;;\n"
    "F1001;responsable;Petit;Bob;;;;;;;\n"
    "F1001;enfant;Martin;Zoé;;;;;;2019-05-01;Restauration|Périscolaire\n"
)
SETTLEMENTS = (
    "numero_facture;date_encaissement;mode;montant;auteur;motif\n"
    "2026-10-0001;2026-11-20;cheque;48,30;Dominique;chèque 123\n"
)
ONE_LINE = "\n".join(FAMILIES.splitlines()[:2]) + "\n"
CONFIRMED = Confirmed(new_families=True)


def warned(summary: FileSummary) -> list[str]:
    return [str(warning) for warning in summary.warnings]
