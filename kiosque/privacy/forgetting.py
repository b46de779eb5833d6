"""Forget what is past its time: families that have gone, what is kept for a time only, and the
names in the oldest accounts."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field

from kiosque.db import leases, write
from kiosque.db.models import Family, Invoice, Settlement, StatementLine
from kiosque.db.states import PrivacyActKind
from kiosque.language.formats import counted
from kiosque.privacy import acts, retention, ten_year_accounts
from kiosque.privacy.dues import dues
from kiosque.privacy.erasure import reduce
from kiosque.privacy.inactive_families import gone
from kiosque.settings import Settings

#: The name of the chore, to note when it last ended.
LEASE = "forget"


@dataclass
class Forgotten:
    """The families forgotten, or that would be, by their codes; those kept, with the reasons; the
    number of other rows erased, by their French name."""

    families: list[str] = field(default_factory=list)
    kept: dict[str, list[str]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)


def forget(settings: Settings, *, really: bool) -> Forgotten:
    """Forget what is past its time, or only say what it is. Safe to cut short and to run again:
    each family and each kind of thing is a short transaction of its own."""
    found = Forgotten(counts=dict(_aged(settings, really=really)))
    for family in list(gone(settings.legal.forget_after_years)):
        if due := dues(family):
            found.kept[family.code] = due
        elif not really or _forget_family(family, settings.legal.forget_after_years):
            found.families.append(family.code)
    if really:
        leases.note_done(LEASE)
    return found


def _forget_family(family: Family, years: int) -> bool:
    """Forget a family unless something happened meanwhile; tell whether it was."""
    with write():
        again = gone(years).where(Family.id == family.id).first()
        if again is None or dues(again):
            return False
        reduce(again)
        acts.note(PrivacyActKind.FORGOTTEN, again, reason=f"partie depuis {counted(years, 'an')}")
    return True


def _aged(settings: Settings, *, really: bool) -> Iterator[tuple[str, int]]:
    for thing in retention.AGEING:
        yield thing.words, thing.count()
        if really:
            thing.erase()
    files = list(retention.old_files(settings))
    yield "lettres, exports et dépôts de plus de trente jours", len(files)
    for path in files if really else []:
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    invoices, payments, lines, families = (
        ten_year_accounts.close(settings.data / "pdf") if really else _old_accounts()
    )
    yield (
        f"factures de plus de {ten_year_accounts.YEARS} ans, sans nom d’enfant ni PDF désormais",
        invoices,
    )
    yield (
        f"paiements de plus de {ten_year_accounts.YEARS} ans, sans chiffre de carte désormais",
        payments,
    )
    yield (
        f"lignes de relevé de plus de {ten_year_accounts.YEARS} ans, sans libellé désormais",
        lines,
    )
    yield f"familles oubliées, sans code après {ten_year_accounts.YEARS} ans", families


def _old_accounts() -> tuple[int, int, int, int]:
    return (
        Invoice.select().where(ten_year_accounts.old_invoices()).count(),
        Settlement.select().where(ten_year_accounts.old_payments()).count(),
        StatementLine.select().where(ten_year_accounts.old_statement_lines()).count(),
        Family.select().where(ten_year_accounts.unnamed_families()).count(),
    )
