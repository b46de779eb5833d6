"""The mock bank: this adapter, and beside it (`server.py`) the bank itself, a process of its own.

The adapter is Lyra's with another address, so that the demo exercises the real protocol.
It exists outside production only.
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
#: A secret of the mock bank's is where it was started, and not in a back office.
_WHERE = {
    "key": "la clé donnée à la banque de démonstration (SANDBOX_KEY)",
    "password": "le mot de passe donné à la banque de démonstration (SANDBOX_PASSWORD)",
}


@dataclass(frozen=True)
class SandboxSettings:
    """`[gateways.NAME]` with `adapter = "sandbox"`: where the mock bank is, and the secrets it
    shares with the portal. With a `password` it can be asked and told to give money back, as
    Lyra's; what follows is Lyra's, but that by default the payer is sent back at once."""

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
        """The same shop, in the words of Lyra's adapter."""
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
        """Every fault, in French, without the secrets' text."""
        return [*filter(None, [url_fault(self.url)]), *self._lyra_faults(environment)]

    def _lyra_faults(self, environment: str) -> Iterator[str]:
        for fault in self.lyra.faults(environment):
            name, _, expected = fault.removeprefix("test_").partition(" : ")
            expected = expected.partition(" (back office")[0]
            where = _WHERE.get(name)
            yield f"{name} : {expected}" + (f" ; c’est {where}" if where else "")


def url_fault(url: str) -> str:
    """Why this cannot be the address of the mock bank's process, in French, or nothing."""
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
    """The checked settings of an adapter of the mock bank's, as `read_checked` reads them.

    Raises ConfigError for every fault, and in production whatever the table holds.
    """
    where = f"gateways.{name}."
    if environment not in ("demo", "test"):
        raise ConfigError([where + _FORBIDDEN])
    return read_checked(cls, table, where, environment=environment, stand_ins=stand_ins)


class SandboxGateway(HostedForm):
    """Lyra's form, at the mock bank, in TEST mode; `configure` makes one with the REST service
    where a password is set."""

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
    """The mock bank when it can be asked."""
