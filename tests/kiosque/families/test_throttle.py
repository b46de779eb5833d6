"""Delays that grow with failures, counted before the work and shared through the database."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from kiosque import db
from kiosque.db.models import Throttle
from kiosque.families import throttle
from kiosque.families.throttle import Bucket, Limit, TooManyTries
from tests.conftest import Clock
from tests.threads import at_once

LIMIT = Limit("test", 3, timedelta(minutes=1), timedelta(minutes=5))
DOOR = Bucket(LIMIT, "door")
OTHER = Bucket(LIMIT, "other")

pytestmark = pytest.mark.usefixtures("empty_database", "frozen")


def fail(times: int, *buckets: Bucket) -> None:
    for _ in range(times):
        throttle.count_try(*buckets)


def wait_for(bucket: Bucket) -> timedelta:
    """Return how long the next try must wait; count it if it need not."""
    try:
        throttle.count_try(bucket)
    except TooManyTries as refusal:
        return refusal.wait
    return timedelta()


def test_the_first_tries_are_free_and_each_failure_after_doubles_the_pause(frozen: Clock) -> None:
    fail(3, DOOR)
    pauses = []
    for _ in range(5):
        pause = wait_for(DOOR)
        pauses.append(pause)
        frozen.at += pause
        throttle.count_try(DOOR)
    assert pauses == [timedelta(minutes=m) for m in (1, 2, 4, 5, 5)]


def test_a_try_made_too_soon_is_not_counted(frozen: Clock) -> None:
    fail(3, DOOR)
    for _ in range(50):
        assert wait_for(DOOR) == timedelta(minutes=1)
    frozen.advance(minutes=1)
    assert wait_for(DOOR) == timedelta()


def test_when_one_of_two_must_wait_neither_is_counted() -> None:
    fail(3, DOOR)
    with pytest.raises(TooManyTries):
        throttle.count_try(OTHER, DOOR)
    assert Throttle.select().count() == 1


def test_success_forgets_failures() -> None:
    fail(2, DOOR)
    with db.write():
        throttle.count_success(reset=[DOOR])
    fail(2, DOOR)
    assert wait_for(DOOR) == timedelta()


def test_success_gives_back_one_try_and_no_more() -> None:
    fail(3, DOOR)
    with db.write():
        throttle.count_success(refund=[DOOR])
    throttle.count_try(DOOR)
    assert wait_for(DOOR) == timedelta(minutes=1)


def test_a_day_of_calm_forgets_a_series_and_the_purge_erases_it(frozen: Clock) -> None:
    fail(3, DOOR)
    frozen.advance(hours=23, minutes=59)
    throttle.purge()
    assert Throttle.select().count() == 1
    frozen.advance(minutes=2)
    fail(2, DOOR)
    assert Throttle.get().failures == 2
    frozen.advance(days=1)
    throttle.purge()
    assert not Throttle.select().count()


def test_nothing_readable_is_kept() -> None:
    throttle.count_try(DOOR)
    assert "door" not in Throttle.get().key


def let_through(count: Callable[[Bucket], None]) -> int:
    """Count those of twenty tries made at the same instant that pass a limit of three."""
    passed, start = [], threading.Barrier(20)

    def attempt() -> None:
        with db.connection():
            start.wait()
            try:
                count(DOOR)
            except TooManyTries:
                return
            passed.append(1)

    at_once(*[attempt] * 20)
    return len(passed)


def test_a_burst_at_the_same_instant_does_not_pass_together() -> None:
    assert let_through(throttle.count_try) == 3


def test_and_the_burst_would_see_a_limit_checked_before_it_is_counted() -> None:
    endless = replace(DOOR, limit=replace(LIMIT, free=100))  # the same counter
    all_have_looked = threading.Barrier(20)

    def check_then_count(door: Bucket) -> None:
        throttle.require_free(door)
        all_have_looked.wait()
        throttle.count_try(endless)

    assert let_through(check_then_count) == 20
    assert Throttle.get().failures == 20
