"""The timers' chores: what goes wrong in one costs the others nothing, and is told."""

import pytest
from peewee import IntegrityError, OperationalError

from kiosque import chores
from kiosque.db import leases
from kiosque.invoices import announcements
from kiosque.mails import delivery
from kiosque.settings import Settings


@pytest.mark.parametrize("error", [KeyError("x"), IntegrityError("x")])
def test_a_notice_that_cannot_be_made_keeps_no_other_mail_from_leaving_and_is_told(
    empty_database: None, settings: Settings, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def broken(_settings: Settings) -> int:
        raise error

    sent: list[Settings] = []
    monkeypatch.setattr(announcements, "queue_due", broken)
    monkeypatch.setattr(delivery, "deliver", lambda settings, **_: sent.append(settings))
    with pytest.raises(type(error)):
        chores.send_mail(settings)
    assert sent == [settings]
    assert leases.finished_at(delivery.LEASE)


def test_a_database_that_does_not_answer_ends_the_chore(
    empty_database: None, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(_settings: Settings) -> int:
        raise OperationalError("locked")

    monkeypatch.setattr(announcements, "queue_due", locked)
    with pytest.raises(OperationalError):
        chores.send_mail(settings)
    assert leases.finished_at(delivery.LEASE) is None
