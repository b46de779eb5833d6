"""The mock bank: here its adapter; in `server` the bank itself, which runs as another process.

The adapter is Lyra's at another address, so that the demo exercises the real protocol. It is
refused in production. `payfip` is the adapter of the mock PayFiP, which the same process plays.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from gateways.base import ConfigError
from gateways.lyra import HostedForm, LyraSettings, RestShop
from gateways.settings import C, read_checked

SITE_ID = "12345678"
_FORBIDDEN = "adapter : la banque de démonstration est interdite en production"
_URL = re.compile(r"https?://[a-z0-9.-]+(:[0-9]+)?", re.ASCII)
#: Where to find a secret: with the command that started the mock bank, not in a back office.
_WHERE = {
    "key": "la clé donnée à la banque de démonstration (SANDBOX_KEY)",
    "password": "le mot de passe donné à la banque de démonstration (SANDBOX_PASSWORD)",
}


@dataclass(frozen=True)
class SandboxSettings:
    """The table `[gateways.NAME]` with `adapter = "sandbox"`.

    `url` is the address of the mock bank's process, `key` and `password` the secrets shared with
    it; with a password the bank can be asked and told to give money back. The other settings are
    those of Lyra, but by default the payer is sent back at once.
    """

    adapter: str
    url: str
    key: str = field(repr=False)
    label: str = "Banque de démonstration"
    password: str = field(default="", repr=False)
    confirm: bool = False
    previous_key: str = field(default="", repr=False)
    previous_key_until: date | None = None
    cards: tuple[str, ...] = ()
    theme: str = ""
    return_mode: str = "NONE"
    return_seconds: int = 0

    @property
    def lyra(self) -> LyraSettings:
        """The settings of this shop for Lyra's adapter."""
        return LyraSettings(
            "lyra",
            SITE_ID,
            test_key=self.key,
            test_password=self.password,
            confirm=self.confirm,
            label=self.label,
            cards=self.cards,
            theme=self.theme,
            return_mode=self.return_mode,
            return_seconds=self.return_seconds,
            previous_key=self.previous_key,
            previous_key_until=self.previous_key_until,
        )

    def faults(self, environment: str) -> list[str]:
        """Return every fault, in French, without any secret."""
        return [*filter(None, [url_fault(self.url)]), *self._lyra_faults(environment)]

    def _lyra_faults(self, environment: str) -> Iterator[str]:
        for fault in self.lyra.faults(environment):
            name, _, expected = fault.removeprefix("test_").partition(" : ")
            expected = expected.partition(" (back office")[0]
            where = _WHERE.get(name)
            yield f"{name} : {expected}" + (f" ; c’est {where}" if where else "")


def url_fault(url: str) -> str:
    """Say in French why this cannot be the mock bank's address; return "" if it can."""
    if _URL.fullmatch(url):
        return ""
    return "url : attendu http://hôte:port, où la banque de démonstration répond, sans chemin"


def read_demo(
    cls: type[C],
    name: str,
    table: Mapping[str, object],
    environment: str,
    stand_ins: Mapping[str, object],
) -> C:
    """Read the settings of an adapter of the mock bank by `read_checked`.

    Raises ConfigError for every fault, and in production whatever the table holds.
    """
    where = f"gateways.{name}."
    if environment not in ("demo", "test"):
        raise ConfigError([where + _FORBIDDEN])
    return read_checked(cls, table, where, environment=environment, stand_ins=stand_ins)


class SandboxGateway(HostedForm):
    """Lyra's form at the mock bank; `configure` makes one with REST if a password is set."""

    @classmethod
    def configure(
        cls, name: str, table: Mapping[str, object], *, environment: str
    ) -> "SandboxGateway":
        stand_ins = {"adapter": "sandbox", "url": "", "key": ""}
        settings = read_demo(SandboxSettings, name, table, environment, stand_ins)
        shop = replace(
            settings.lyra.shop(), form_origin=settings.url, api_origin=settings.url, in_clear=True
        )
        chosen = SandboxRestGateway if shop.password else SandboxGateway
        return chosen(name, settings.label, shop)


class SandboxRestGateway(RestShop, SandboxGateway):
    """The mock bank with its REST service: it can be asked, and told to give money back."""
