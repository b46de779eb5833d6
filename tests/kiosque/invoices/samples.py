"""Read files that Noethysweb wrote of a town that nobody lives in, and its database's totals."""

import json
from datetime import date
from typing import Any

import pytest

from kiosque.db.models import Family, Guardian, Invoice
from tests.bank import SHARED

SAMPLES = SHARED / "samples"
NOETHYSWEB = SAMPLES / "noethysweb"
with_samples = pytest.mark.skipif(not NOETHYSWEB.exists(), reason="../shared est absent")


def truth() -> list[dict[str, Any]]:
    """The invoices of October, as the database of Noethysweb holds them."""
    content = json.loads((NOETHYSWEB / "truth.json").read_text("utf-8"))
    found: list[dict[str, Any]] = content["lots"]["A"]["factures"]
    return found


def code(invoice: dict[str, Any]) -> str:
    return f"F{invoice['idfamille']}"


def make_families() -> None:
    """The record of every family, as the town would have loaded it."""
    for each in {code(each): each for each in truth()}.values():
        payer = each["titulaire"]
        family = Family.create(
            code=code(each), name=payer["nom"], address=payer["rue"], postcode=payer["cp"],
            city=payer["ville"], updated_on=date(2026, 10, 1), digest="x",
        )  # fmt: skip
        for person in filter(None, (payer, each["tiers_solidaire"])):
            Guardian.create(family=family, first_name=person["prenom"], last_name=person["nom"])


def loaded() -> dict[str, tuple[str, int]]:
    """The family and the total of each invoice in the database."""
    found = Invoice.select(Invoice, Family).join(Family)
    return {each.number: (each.family.code, each.total_cents) for each in found}


def expected() -> dict[str, tuple[str, int]]:
    return {str(each["numero"]): (code(each), each["total_cents"]) for each in truth()}
