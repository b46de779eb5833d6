"""How a deposit is called."""


def title_of(year: int, number: int, regie: str) -> str:
    """Write a deposit's number: `2026-003`, `2026-003-creche` for another *régie*."""
    return f"{year}-{number:03d}-{regie}" if regie else f"{year}-{number:03d}"
