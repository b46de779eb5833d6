"""The mock bank: this adapter, and beside it (`server.py`) the bank itself, a process of its own.

The adapter is Lyra's with another address, so that the demo exercises the real protocol.
It exists outside production only.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from gateways.base import ConfigError
from gateways.lyra import LyraGateway, LyraSettings
from gateways.settings import read_table

SITE_ID = "12345678"


@dataclass(frozen=True)
class SandboxSettings:
    """`[gateways.NAME]` with `adapter = "sandbox"`: where the mock bank is, and the key it
    shares with the portal."""

    adapter: str
    url: str
    key: str = field(repr=False)
    label: str = "Banque de démonstration"


class SandboxGateway(LyraGateway):
    """Lyra's form, at the mock bank, in TEST mode."""

    @classmethod
    def configure(cls, name: str, table: Mapping[str, object], *, environment: str) -> Self:
        where = f"gateways.{name}."
        if environment not in ("demo", "test"):
            raise ConfigError([f"{where}adapter : la banque de démonstration est interdite ici"])
        settings = read_table(SandboxSettings, table, where)
        lyra = LyraSettings("lyra", SITE_ID, test_key=settings.key)
        faults = [where + fault.replace("test_key", "key") for fault in lyra.faults(environment)]
        if not re.fullmatch(r"https?://[a-z0-9.-]+(:[0-9]+)?", settings.url):
            faults.append(f"{where}url : attendue sous la forme http://hôte:port")
        if faults:
            raise ConfigError(faults)
        return cls(name, lyra, settings.url, settings.label)
