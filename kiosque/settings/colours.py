"""Make a colour readable: measure contrast as WCAG 2.1 does, and move the colour as little as
needed towards black or white."""

import re
from collections.abc import Iterable

#: WCAG's level AAA for text, which also holds for the parts of controls.
READABLE = 7.0


def is_colour(text: str) -> bool:
    """Tell whether a text is a colour, as `#rrggbb`."""
    return bool(re.fullmatch(r"#[0-9a-fA-F]{6}", text))


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, from 1 to 21."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def readable_on(colour: str, grounds: Iterable[str], *, towards: str) -> str:
    """Return the colour, or the nearest to it on the way to `towards` (black or white) whose
    contrast with each of the grounds is READABLE. `towards` itself must be readable on them."""
    grounds = tuple(grounds)
    for percent in range(100):
        mixed = _mix(colour, towards, percent)
        if all(contrast(mixed, ground) >= READABLE for ground in grounds):
            return mixed
    return towards


def _mix(colour: str, other: str, percent: int) -> str:
    pairs = zip(_channels(colour), _channels(other), strict=True)
    mixed = (round(a + (b - a) * percent / 100) for a, b in pairs)
    return "#" + "".join(f"{channel:02x}" for channel in mixed)


def _channels(colour: str) -> list[int]:
    return [int(colour[i : i + 2], 16) for i in (1, 3, 5)]


def _luminance(colour: str) -> float:
    parts = [channel / 255 for channel in _channels(colour)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
