"""Where the revenue of each service goes in the town's accounts, for one *régie*, from a day on.

An imputation that a final deposit has used is never changed: set another one from a later day.
"""

from bisect import bisect_right
from collections.abc import Callable, Mapping
from datetime import date
from operator import attrgetter
from typing import NamedTuple

from peewee import fn

from kiosque.db import require_write, write
from kiosque.db.models import DepositLine, Imputation, JournalEntry, Revenue, Service, Settlement
from kiosque.language import clock, formats
from kiosque.payments.refusals import Refused, why_no_author
from kiosque.spelling import fold

#: The first imputation of a service applies to all earlier revenue, unless a day is given.
ALWAYS = date(2000, 1, 1)
#: Most characters of an article, a *fonction* or an *antenne*.
LONGEST = 20


class Imputed(NamedTuple):
    """An imputation, as papers write it; `article` is empty where there is none."""

    article: str = ""
    fonction: str = ""
    antenne: str = ""

    @property
    def words(self) -> str:
        """Return it in French: `70632, fonction 281, antenne 3`."""
        if not self.article:
            return "sans imputation"
        fonction = f"fonction {self.fonction}" if self.fonction else ""
        antenne = f"antenne {self.antenne}" if self.antenne else ""
        return ", ".join(filter(None, (self.article, fonction, antenne)))


def set_imputation(
    regie: str, service: str, imputed: Imputed, author: str, valid_from: date | None = None
) -> Imputation:
    """Set the imputation of a service, by its name, from a day; by default today, or ALWAYS for the
    first one. Raises Refused if a final deposit has used another for that day or later."""
    imputed = Imputed(*(each.strip() for each in imputed))
    if fault := _fault(imputed) or why_no_author(author):
        raise Refused([fault])
    with write():
        found = _service(service)
        mine = Imputation.regie == regie, Imputation.service == found
        known = list(Imputation.select().where(*mine).order_by(Imputation.valid_from))
        since = valid_from or (clock.today() if known else ALWAYS)
        before = next((each for each in reversed(known) if each.valid_from <= since), None)
        if before and _imputed(before) == imputed:
            return before
        _require_unused(regie, found, since)
        row = Imputation(regie=regie, service=found, valid_from=since)
        if before and before.valid_from == since:
            row = before
        row.article, row.fonction, row.antenne = imputed
        row.noted_at, row.author = clock.now(), author.strip()
        row.save()
    return Imputation.get_by_id(row.id)


def imputations(regie: str) -> Mapping[int, list[Imputation]]:
    """Return the imputations of a *régie* by service, the first in time first."""
    found: dict[int, list[Imputation]] = {}
    every = Imputation.select().where(Imputation.regie == regie)
    for each in every.order_by(Imputation.valid_from):
        found.setdefault(each.service_id, []).append(each)
    return found


def reader(regie: str) -> Callable[[int, date], Imputed]:
    """Return a function that gives the imputation of a service on a day."""
    known = imputations(regie)

    def on(service: int, day: date) -> Imputed:
        of_service = known.get(service, [])
        place = bisect_right(of_service, day, key=attrgetter("valid_from"))
        return _imputed(of_service[place - 1]) if place else Imputed()

    return on


def _imputed(row: Imputation) -> Imputed:
    return Imputed(row.article, row.fonction, row.antenne)


def _fault(imputed: Imputed) -> str:
    if not imputed.article:
        return "L’article est obligatoire."
    if any(len(each) > LONGEST or not each.isprintable() for each in imputed):
        return f"L’article, la fonction et l’antenne tiennent en {LONGEST} lettres chacun."
    return ""


def _service(name: str) -> Service:
    """Return the service of this name, however it is spelt. Raises Refused."""
    every = list(Service.select().order_by(Service.name))
    found: Service | None = next((it for it in every if fold(it.name) == fold(name)), None)
    if found is None:
        known = " ; ".join(each.name for each in every) or "aucune"
        raise Refused([f"Prestation inconnue\u00a0: {name[:60]}. Celles du site\u00a0: {known}."])
    return found


def _require_unused(regie: str, service: Service, since: date) -> None:
    require_write()
    used = (
        DepositLine.select(fn.MAX(JournalEntry.at))
        .join(Revenue)
        .join(JournalEntry)
        .switch(Revenue)
        .join(Settlement)
        .where(Revenue.service == service, Settlement.regie == regie)
    )
    last = used.scalar()
    if last and (day := clock.paris_date(last)) >= since:
        raise Refused(
            [
                f"Un bordereau définitif emploie l’imputation de «\u00a0{service.name}\u00a0» "
                f"jusqu’au {formats.long_date(day)}\u00a0: donnez une date plus tardive."
            ]
        )
