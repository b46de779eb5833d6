"""The one stylesheet: Pico, ours, and the town's colour, served under a name that changes
with its content so that browsers may keep it for ever."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from kiosque.checks import LOGO_TYPES
from kiosque.config import Town

STATIC = Path(__file__).parent / "static"
STYLESHEETS = ("vendor/pico/pico.min.css", "kiosque.css")
SCRIPT = "kiosque.js"
#: Written out: the standard library's own table depends on the machine's files.
TYPES = {".css": "text/css", ".js": "text/javascript", **LOGO_TYPES}


@dataclass(frozen=True)
class Asset:
    """A file served as it is. `name` carries a digest of `content`."""

    name: str
    content: bytes
    mimetype: str

    @classmethod
    def of(cls, content: bytes, suffix: str) -> "Asset":
        digest = hashlib.sha256(content).hexdigest()[:16]
        return cls(f"{digest}{suffix}", content, TYPES[suffix])


@dataclass(frozen=True)
class Assets:
    """What every page links to."""

    stylesheet: Asset
    script: Asset
    logo: Asset | None

    def find(self, name: str) -> Asset | None:
        every = (self.stylesheet, self.script, self.logo)
        return next((asset for asset in every if asset and asset.name == name), None)


def build(town: Town) -> Assets:
    """Read the files once, at start."""
    parts = [(STATIC / name).read_bytes() for name in STYLESHEETS]
    parts.append(f":root{{--town-colour:{town.colour}}}".encode())
    logo = Path(town.logo) if town.logo else None
    return Assets(
        stylesheet=Asset.of(b"\n".join(parts), ".css"),
        script=Asset.of((STATIC / SCRIPT).read_bytes(), ".js"),
        logo=Asset.of(logo.read_bytes(), logo.suffix) if logo else None,
    )
