"""The adapter of the mock PayFiP: the real adapter at another address, in test mode."""

from collections.abc import Mapping
from dataclasses import dataclass

from gateways.payfip import Contract, PayfipGateway
from gateways.payfip.settings import label_fault
from gateways.sandbox import read_demo, url_fault

NUMCLI = "006382"
MAXIMUM_CENTS = 999_999


@dataclass(frozen=True)
class SandboxPayfipSettings:
    """The table `[gateways.NAME]` with `adapter = "sandbox-payfip"`; `url` is the service's."""

    adapter: str
    url: str
    label: str = "PayFiP de démonstration"

    def faults(self, _environment: str) -> list[str]:
        return [fault for fault in (url_fault(self.url), label_fault(self.label)) if fault]


class SandboxPayfipGateway(PayfipGateway):
    """PayFiP as the mock bank's process plays it. It is refused in production."""

    @classmethod
    def configure(
        cls, name: str, table: Mapping[str, object], *, environment: str
    ) -> "SandboxPayfipGateway":
        stand_ins = {"adapter": "sandbox-payfip", "url": ""}
        settings = read_demo(SandboxPayfipSettings, name, table, environment, stand_ins)
        contract = Contract(NUMCLI, "T", "", MAXIMUM_CENTS, origin=settings.url, in_clear=True)
        return cls(name, settings.label, contract)
