"""Who did what: the log of the area."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from peewee import JOIN, ModelSelect

from kiosque.db.models import Staff, StaffEvent
from kiosque.language.formats import long_instant
from kiosque.staff import events as log
from kiosque.staff.events import Action
from kiosque.web import spreadsheets
from kiosque.web.office import exports, lists
from kiosque.web.office.access import NotOpen, actor, own_agent
from kiosque.web.office.filters import EventFilters
from kiosque.web.office.lists import RowOrder
from kiosque.web.views.office.area import Answer

_BY_NUMBER = RowOrder(StaffEvent.id, StaffEvent.id)
_COLUMNS = ("instant", "agent", "reseau", "action", "objet", "motif")


class EventLine(NamedTuple):
    """A line of the log; `email` is its agent's."""

    id: int
    at: datetime
    action: str
    object: str
    reason: str
    network: str
    email: str | None

    @property
    def who(self) -> str:
        return self.email or ("inconnu" if self.network else "au terminal")


def events() -> Answer:
    form = _filters()
    return lists.show("office/events.html", form, lambda: _page(form), _written)


def _page(form: EventFilters) -> lists.ListPage:
    page = lists.read_page(
        lambda: _lines(form),
        _BY_NUMBER,
        lambda: _found(form),
        kind=EventLine,
        kept_as=None if form.chosen else "acts",
    )
    log.note(Action.LOG_READ, actor(), reason=" ".join(form.chosen.values()))
    return page


def _written(found: Iterable[EventLine]) -> Iterator[tuple[str, ...]]:
    """Write the lines with their words, so that the template calls little."""
    for it in found:
        yield (
            log.WORDS[Action(it.action)], it.object, it.reason, long_instant(it.at), it.who,
            it.network,
        )  # fmt: skip


@exports.as_file
def events_table() -> exports.Export:
    form = _filters().required()
    every = lists.every(_lines(form).objects(EventLine), _BY_NUMBER)
    return exports.Export("journal des actions", _COLUMNS, map(_row, every), form.chosen)


def _row(it: EventLine) -> spreadsheets.Row:
    return (
        exports.instant(it.at),
        it.who,
        it.network,
        log.WORDS[Action(it.action)],
        it.object,
        it.reason,
    )


def _filters() -> EventFilters:
    if not own_agent().reads_log:
        raise NotOpen
    return EventFilters()


def _found(form: EventFilters) -> "ModelSelect[StaffEvent]":
    return lists.narrow(StaffEvent.select(StaffEvent.id), form.conditions())


def _lines(form: EventFilters) -> "ModelSelect[StaffEvent]":
    return (
        _found(form)
        .select(*lists.columns(EventLine, StaffEvent, Staff))
        .join(Staff, JOIN.LEFT_OUTER)
    )
