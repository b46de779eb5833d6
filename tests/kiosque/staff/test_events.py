"""The log of what agents do only grows, and forgets after a year."""

from datetime import UTC, datetime, timedelta

import pytest
from peewee import IntegrityError, ModelDelete

from kiosque.db import write
from kiosque.db.models import StaffEvent
from kiosque.staff import events
from kiosque.staff.events import TERMINAL, Action
from tests.conftest import Clock


@pytest.fixture
def line(empty_database: None, frozen: Clock) -> StaffEvent:
    frozen.at = datetime.now(UTC)  # the database looks at its own clock
    events.note(Action.FAMILY_READ, TERMINAL, "F1001")
    return StaffEvent.get()


def test_nobody_changes_a_line_nor_erases_a_recent_one(line: StaffEvent) -> None:
    for change in (StaffEvent.update(object="F2002"), ModelDelete(StaffEvent)):
        with pytest.raises(IntegrityError, match="append-only"), write():
            change.execute()
    assert StaffEvent.get().object == "F1001"


def test_a_line_is_erased_after_twelve_months(line: StaffEvent, frozen: Clock) -> None:
    today = frozen.at
    for age in (364, 366):
        frozen.at = today - timedelta(days=age)
        events.note(Action.FAMILY_READ, TERMINAL, f"{age}")
    frozen.at = today
    events.purge()
    assert {line.object for line in StaffEvent.select()} == {"F1001", "364"}
