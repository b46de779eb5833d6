"""The journal of what was done with families' data: by whom, when and why. It only grows."""

from collections.abc import Mapping

from kiosque.db import require_write
from kiosque.db.models import Family, PrivacyAct
from kiosque.db.states import PrivacyActKind
from kiosque.language import clock

WORDS: Mapping[PrivacyActKind, str] = {
    PrivacyActKind.FORGOTTEN: "oubliée",
    PrivacyActKind.ERASED: "effacée à sa demande",
    PrivacyActKind.EXPORTED: "données exportées",
    PrivacyActKind.UNNAMED: "code effacé des comptes",
}


def note(kind: PrivacyActKind, family: Family, author: str = "", reason: str = "") -> None:
    """Write a line as part of the transaction that does it."""
    require_write()
    PrivacyAct.create(
        at=clock.now(), kind=kind, family=family, author=author.strip(), reason=reason.strip()
    )


def read() -> list[PrivacyAct]:
    """Return the lines, the oldest first, with their families."""
    return list(PrivacyAct.select(PrivacyAct, Family).join(Family).order_by(PrivacyAct.id))
