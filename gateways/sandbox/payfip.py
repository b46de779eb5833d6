"""The adapter of the mock PayFiP: the real one, at another address, in test mode."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from gateways.base import ConfigError
from gateways.payfip import Contract, PayfipGateway
from gateways.settings import read_table

NUMCLI = "006382"
MAXIMUM_CENTS = 999_999


@dataclass(frozen=True)
class SandboxPayfipSettings:
    """`[gateways.NAME]` with `adapter = "sandbox-payfip"`: where the mock service is."""

    adapter: str
    url: str
    label: str = "PayFiP de démonstration"


class SandboxPayfipGateway(PayfipGateway):
    """PayFiP as the mock bank's process plays it. It exists outside production only."""

    @classmethod
    def configure(
        cls, name: str, table: Mapping[str, object], *, environment: str
    ) -> "SandboxPayfipGateway":
        where = f"gateways.{name}."
        if environment not in ("demo", "test"):
            raise ConfigError([f"{where}adapter : la banque de démonstration est interdite ici"])
        settings = read_table(SandboxPayfipSettings, table, where)
        if not re.fullmatch(r"https?://[a-z0-9.-]+(:[0-9]+)?", settings.url):
            raise ConfigError([f"{where}url : attendue sous la forme http://hôte:port"])
        contract = Contract(NUMCLI, "T", "", MAXIMUM_CENTS, origin=settings.url, in_clear=True)
        return cls(name, settings.label, contract)
