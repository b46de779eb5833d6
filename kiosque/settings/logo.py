"""The town's logo, on pages and papers: the one that the town hall chose, else the file's."""

from pathlib import Path
from typing import NamedTuple

from kiosque.settings.defaults import Settings

#: Limits of a logo that the town hall chooses: bytes, and pixels of each side.
MOST_BYTES, FEWEST_PIXELS, MOST_PIXELS = 100_000, 32, 2000
_SIGNATURE, _HEADER = b"\x89PNG\r\n\x1a\n", b"\x00\x00\x00\rIHDR"


class Logo(NamedTuple):
    """An image, and the ending of its file's name, which says its format."""

    suffix: str
    content: bytes


def logo_of(settings: Settings) -> Logo | None:
    """Return the town's logo. Raises OSError where its file cannot be read."""
    if settings.own_logo:
        return Logo(".png", settings.own_logo)
    if not settings.town.logo:
        return None
    path = Path(settings.town.logo)
    return Logo(path.suffix, path.read_bytes())


def fault(content: bytes) -> str:
    """Say in French why a file cannot be the logo that the town hall chooses, from its first bytes
    alone; nothing when it may. Only PNG: an SVG may hold more than an image."""
    start = _SIGNATURE + _HEADER
    if not content.startswith(start) or len(content) < len(start) + 8:
        return "Choisissez une image PNG."
    if len(content) > MOST_BYTES:
        return f"Cette image dépasse {MOST_BYTES // 1000} ko. Réduisez-la."
    sides = [int.from_bytes(content[at : at + 4], "big") for at in (len(start), len(start) + 4)]
    if not all(FEWEST_PIXELS <= side <= MOST_PIXELS for side in sides):
        return f"Attendu de {FEWEST_PIXELS} à {MOST_PIXELS} pixels de côté."
    return ""
