"""The stylesheet (Pico, ours and the town's colour), the script and the logo.

Each is served under a name that changes with its content, so that browsers may keep it for ever.
"""

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from kiosque.settings import Settings
from kiosque.settings.colours import readable_on
from kiosque.settings.logo import logo_of
from kiosque.settings.rules import LOGO_TYPES

STATIC = Path(__file__).parent / "static"
STYLESHEETS = ("vendor/pico/pico.fluid.classless.min.css", "kiosque.css")
SCRIPT = "kiosque.js"
#: The backgrounds of kiosque.css, --ground and --wash, on which the town's colour must be readable.
LIGHT_GROUNDS = ("#ffffff", "#f4f5f7")
DARK_GROUNDS = ("#16181c", "#23262c")
#: In the browser's tab, for a town without a logo: a square of its colour.
PLAIN_ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8">'
    '<rect width="8" height="8" rx="2" fill="{}"/></svg>'
)
#: Written out, since the standard library's own table depends on the machine's files.
TYPES = {".css": "text/css", ".js": "text/javascript", **LOGO_TYPES}


@dataclass(frozen=True)
class Asset:
    """A file served as it is. `name` carries a digest of `content`; `compressed` is its gzip form,
    for the browsers that take it: all do."""

    name: str
    content: bytes
    compressed: bytes
    mimetype: str

    @classmethod
    def of(cls, content: bytes, suffix: str) -> "Asset":
        digest = hashlib.sha256(content).hexdigest()[:16]
        return cls(f"{digest}{suffix}", content, gzip.compress(content, mtime=0), TYPES[suffix])


@dataclass(frozen=True)
class Assets:
    """The files that every page links to. `plain_icon` is an address that holds its image."""

    stylesheet: Asset
    script: Asset
    logo: Asset | None
    plain_icon: str

    def find(self, name: str) -> Asset | None:
        every = (self.stylesheet, self.script, self.logo)
        return next((asset for asset in every if asset and asset.name == name), None)


def build(settings: Settings) -> Assets:
    """Read the files once, at start."""
    town, logo = settings.town, logo_of(settings)
    parts = [(STATIC / name).read_bytes() for name in STYLESHEETS]
    parts.append(_town_colour(town.colour).encode())
    return Assets(
        stylesheet=Asset.of(b"\n".join(parts), ".css"),
        script=Asset.of((STATIC / SCRIPT).read_bytes(), ".js"),
        logo=Asset.of(logo.content, logo.suffix) if logo else None,
        plain_icon=f"data:image/svg+xml,{quote(PLAIN_ICON.format(town.ink))}",
    )


def _town_colour(colour: str) -> str:
    """Return the town's colour in CSS: one shade readable on light grounds, one on dark."""
    light = readable_on(colour, LIGHT_GROUNDS, towards="#000000")
    dark = readable_on(colour, DARK_GROUNDS, towards="#ffffff")
    return f":root{{--town-on-light:{light};--town-on-dark:{dark}}}"
