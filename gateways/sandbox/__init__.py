"""The mock bank: this adapter, and beside it (`server.py`) the bank itself, a process of its own.

The adapter is Lyra's with another address, so that the demo exercises the real protocol.
It exists outside production only.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from gateways.base import ConfigError
from gateways.lyra import HostedForm, LyraSettings, RestShop
from gateways.settings import read_table

SITE_ID = "12345678"


@dataclass(frozen=True)
class SandboxSettings:
    """`[gateways.NAME]` with `adapter = "sandbox"`: where the mock bank is, and the secrets it
    shares with the portal. With a `password` it can be asked and told to give money back, as
    Lyra's; `confirm`, `previous_key` and `previous_key_until` are Lyra's."""

    adapter: str
    url: str
    key: str = field(repr=False)
    label: str = "Banque de démonstration"
    password: str = field(default="", repr=False)
    confirm: bool = False
    previous_key: str = field(default="", repr=False)
    previous_key_until: date | None = None


class SandboxGateway(HostedForm):
    """Lyra's form, at the mock bank, in TEST mode; `configure` makes one with the REST service
    where a password is set."""

    @classmethod
    def configure(
        cls, name: str, table: Mapping[str, object], *, environment: str
    ) -> "SandboxGateway":
        where = f"gateways.{name}."
        if environment not in ("demo", "test"):
            raise ConfigError([f"{where}adapter : la banque de démonstration est interdite ici"])
        settings = read_table(SandboxSettings, table, where)
        lyra = LyraSettings(
            "lyra",
            SITE_ID,
            test_key=settings.key,
            test_password=settings.password,
            confirm=settings.confirm,
            previous_key=settings.previous_key,
            previous_key_until=settings.previous_key_until,
        )
        faults = [where + fault.removeprefix("test_") for fault in lyra.faults(environment)]
        if not re.fullmatch(r"https?://[a-z0-9.-]+(:[0-9]+)?", settings.url):
            faults.append(f"{where}url : attendue sous la forme http://hôte:port")
        if faults:
            raise ConfigError(faults)
        shop = replace(
            lyra.shop(), form_origin=settings.url, api_origin=settings.url, in_clear=True
        )
        chosen = SandboxRestGateway if lyra.password else SandboxGateway
        return chosen(name, settings.label, shop)


class SandboxRestGateway(RestShop, SandboxGateway):
    """The mock bank when it can be asked."""
