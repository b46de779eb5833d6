"""In whose name receipts are issued: the town's, its *régies*' and their régisseurs' names.

They change from one year to the next; a receipt keeps those of the day it was issued.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from kiosque.settings import Regie, Settings


@dataclass(frozen=True)
class Issuers:
    """The town and its *régies* by key, the first one's empty; and the key of the *régie* whose
    contract each gateway in force is."""

    town_name: str
    regies: Mapping[str, Regie]
    regie_by_gateway: Mapping[str, str]

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        return cls(
            settings.town.name,
            {"": settings.regie, **settings.regies},
            {regie.gateway: key for key, regie in settings.regies.items()},
        )

    def regie_named(self, key: str) -> Regie:
        """Return the *régie* of this key; the first one for one no longer in the settings."""
        return self.regies.get(key, self.regies[""])

    def regie_of_gateway(self, name: str) -> str:
        """Return the key of the *régie* that this gateway serves; the first one's by default."""
        return self.regie_by_gateway.get(name, "")
