"""Numbers of deposits that were given, and lost when the database was restored from a backup. Until
a person says which was the last, no deposit is made final: it might get the number of another."""

from kiosque.db import write
from kiosque.db.models import DepositGap
from kiosque.deposits.titles import title_of
from kiosque.language import clock
from kiosque.payments.refusals import Refused, why_no_author

#: Most deposits lost at once: a larger number must be a typing error.
MOST = 100


def unsaid(regie: str) -> list[DepositGap]:
    """Return the years of a *régie* whose last number nobody has given yet."""
    return [each for each in _gaps(regie) if each.last is None]


def lost(regie: str) -> list[DepositGap]:
    """Return the numbers of a *régie* that are lost."""
    return [each for each in _gaps(regie) if each.last is not None and each.last >= each.first]


def say_last(regie: str, year: int, last: int, author: str) -> str:
    """Note the last number that a *régie* gave in a year; those after the last one known here are
    lost. Return these, as papers write them. Raises Refused."""
    if fault := why_no_author(author):
        raise Refused([fault])
    with write():
        asked = [each for each in unsaid(regie) if each.year == year]
        if not asked:
            raise Refused([f"Le dernier bordereau de {year} est déjà connu."])
        *others, gap = asked
        if not 0 <= last - gap.first + 1 <= MOST:
            known = title_of(year, gap.first - 1, regie)
            raise Refused(
                [f"Le dernier que ce site connaît est {known}\u00a0: vérifiez le numéro."]
            )
        said = {"noted_at": clock.now(), "author": author.strip()}
        for each in others:
            DepositGap.update(last=each.first - 1, **said).where(DepositGap.id == each.id).execute()
        DepositGap.update(last=last, **said).where(DepositGap.id == gap.id).execute()
    return named(DepositGap.get_by_id(gap.id))


def named(gap: DepositGap) -> str:
    """Return the lost numbers in words: `2026-004 à 2026-006`; "" for none."""
    if gap.last is None or gap.last < gap.first:
        return ""
    first, last = (title_of(gap.year, each, gap.regie) for each in (gap.first, gap.last))
    return first if first == last else f"{first} à {last}"


def lost_before(regie: str, year: int, number: int) -> str:
    """Return the numbers that are lost just before this one."""
    before = (each for each in lost(regie) if (each.year, each.last) == (year, number - 1))
    return next((named(each) for each in before), "")


def require_said(regie: str) -> None:
    """Raise Refused while a restoration may have lost deposits."""
    if gaps := unsaid(regie):
        years = " et ".join(sorted({str(each.year) for each in gaps}))
        raise Refused(
            [
                "La base a été rétablie d’une sauvegarde\u00a0: dites d’abord le dernier bordereau "
                f"donné en {years} (« Bordereaux », ou « deposit resume »)."
            ]
        )


def _gaps(regie: str) -> list[DepositGap]:
    found = DepositGap.select().where(DepositGap.regie == regie)
    return list(found.order_by(DepositGap.year, DepositGap.id))
