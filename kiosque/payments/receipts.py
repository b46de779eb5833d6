"""Receipts, numbered without gaps by *régie*, and the names they are issued in.

The names of the town, its *régies* and their régisseurs change over the years; a receipt keeps
those of the day it was issued.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from peewee import ModelSelect

from kiosque.db import require_write
from kiosque.db.models import Receipt, Settlement
from kiosque.db.prepared import PreparedInsert
from kiosque.language import clock
from kiosque.payments.queries import last_receipt_number, last_regie_of
from kiosque.settings import Regie, Settings


@dataclass(frozen=True)
class Issuers:
    """The town; its *régies* by key, the first one's being empty; and, for each gateway in force,
    the key of the *régie* whose contract it is."""

    town_name: str
    regies: Mapping[str, Regie]
    regie_by_gateway: Mapping[str, str]

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        return cls(
            settings.town.name,
            settings.regies_by_key,
            {
                settings.payment.gateway: "",
                **{regie.gateway: key for key, regie in settings.regies.items()},
            },
        )

    def regie_named(self, key: str) -> Regie:
        """Return the *régie* of this key; the first one if the key is no longer in the settings."""
        return self.regies.get(key, self.regies[""])

    def regie_of_gateway(self, name: str) -> str:
        """Return the key of the *régie* that this gateway serves, or served last if it is no longer
        in force; the first one's by default."""
        served = self.regie_by_gateway.get(name)
        return last_regie_of(name) if served is None else served


def issue_receipt(settlement: Settlement, issuers: Issuers) -> Receipt:
    """Issue the receipt of a settlement. Belongs inside `write()`, which is what numbers it."""
    require_write()
    regie = issuers.regie_named(settlement.regie)
    receipt = Receipt(
        number=last_receipt_number(settlement.regie) + 1,
        sequence=settlement.regie,
        settlement=settlement,
        issued_at=clock.now(),
        town_name=issuers.town_name,
        regie_name=regie.name,
        regisseur=regie.regisseur,
    )
    _RECEIPTS.add(receipt)
    return receipt


def receipts_named(name: str) -> "ModelSelect[Receipt]":
    """Return a query of the receipt of this title (`R000123`, `R123`, `R123-creche`); it finds
    nothing for another text."""
    match = _TITLE.fullmatch(name.strip())
    number, sequence = (int(match[1]), (match[2] or "").lower()) if match else (0, "")
    return Receipt.select().where(Receipt.number == number, Receipt.sequence == sequence)


_TITLE = re.compile(r"R([0-9]{1,9})(?:-([a-z0-9]{1,20}))?", re.ASCII | re.IGNORECASE)


def receipt_of(settlement: Settlement) -> Receipt | None:
    """Return the receipt of a settlement; None for one that paid nothing, or at the counter."""
    found: Receipt | None = Receipt.get_or_none(Receipt.settlement == settlement)
    return found


_RECEIPTS = PreparedInsert(Receipt)
