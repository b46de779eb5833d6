"""What a restoration lost: the receipts that each régie may have given, and what its bank took."""

from dataclasses import replace
from datetime import timedelta

from kiosque import payments
from kiosque.db import write
from kiosque.db.models import Anomaly, OutboxMail
from kiosque.payments.queries import last_receipt_number
from kiosque.settings import OtherRegie, Settings
from tests.conftest import Clock

CRECHE = OtherRegie("Crèche", "A. Roy", "creche@example.org", ("Multi-accueil",), "creche")


def two_regies(settings: Settings) -> Settings:
    gateways = {**settings.gateways, "creche": settings.gateways["banque"]}
    return replace(settings, regies={"creche": CRECHE}, gateways=gateways)


def test_each_regie_skips_its_own_numbers_and_has_its_bank_to_look_at(
    base: None, settings: Settings, frozen: Clock
) -> None:
    with write():
        payments.note_restoration(
            two_regies(settings), frozen.at - timedelta(hours=30), {"creche": 40_500, "fermee": 3}
        )
    numbers = {name: last_receipt_number(name) for name in ("", "creche", "fermee", "jamais")}
    assert numbers == {"": 30_000, "creche": 41_000, "fermee": 30_000, "jamais": 0}
    told = {point.gateway: point for point in Anomaly.select()}
    assert {name: point.regie for name, point in told.items()} == {"banque": "", "creche": "creche"}
    assert "R041001-creche" in told["creche"].detail
    assert OutboxMail.select().count() == 2


def test_two_restorations_are_one_time_until_both_are_looked_at(
    base: None, settings: Settings, frozen: Clock
) -> None:
    first = frozen.at
    for _ in range(2):
        frozen.advance(days=2)
        with write():
            payments.note_restoration(settings, frozen.at - timedelta(days=1), {})
    since = first + timedelta(days=1)
    assert payments.lost_times() == {"banque": (since, frozen.at)}
    one, other = Anomaly.select().order_by(Anomaly.id)
    payments.resolve_anomaly(one.id, "Dominique", "pointé")
    assert payments.lost_times() == {"banque": (frozen.at - timedelta(days=1), frozen.at)}
    payments.resolve_anomaly(other.id, "Dominique", "pointé")
    assert payments.lost_times() == {}
