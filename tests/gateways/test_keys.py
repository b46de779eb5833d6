"""A key changes: the bank and the town do not do it at the same instant, and nothing is lost."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateways.base import BadCallback, Callback, ConfigError, Handoff, SigningKey
from gateways.lyra import LyraGateway, sign
from gateways.registry import configure
from gateways.sandbox import server
from gateways.sandbox.bank import Bank
from gateways.sandbox.store import Store
from tests import sentences
from tests.bank import KEY, NEW_ORDER, notice
from tests.gateways.test_lyra import TABLE

NEW_KEY = "Qd7rVn2LxBw9TgKc4PzMh6Ys"
LAST_DAY = date(2026, 12, 31)
#: Paris is an hour ahead in winter.
MIDNIGHT = datetime(2026, 12, 31, 23, 0, tzinfo=UTC)
CHANGED: dict[str, object] = {
    **TABLE,
    "test_key": NEW_KEY,
    "previous_key": KEY,
    "previous_key_until": "2026-12-31",
}


@pytest.fixture(autouse=True)
def _in_december(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the date of the portal; with the mock bank, whose clock is the real one, leave it."""
    if "town" in request.fixturenames:
        return

    class Today(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime(2026, 12, 1, 12, tzinfo=tz)

    monkeypatch.setattr("gateways.lyra.settings.datetime", Today)


def shop(table: dict[str, object] = CHANGED, *, now: datetime = MIDNIGHT) -> LyraGateway:
    gateway = LyraGateway.configure("banque", table, environment="test")
    gateway._now = lambda: now
    return gateway


@pytest.fixture
def handoff() -> Handoff:
    """A form on a payer's screen, signed before the change."""
    return shop(TABLE).start(NEW_ORDER)


def said(handoff: Handoff, key: str, **changes: str | None) -> Callback:
    return Callback.of_form(notice(handoff, key, **changes).items())


def test_the_new_key_signs_and_both_are_believed_until_the_last_paris_instant(
    handoff: Handoff,
) -> None:
    before = shop(now=MIDNIGHT - timedelta(microseconds=1))
    fields = dict(before.start(NEW_ORDER).fields or ())
    assert fields["signature"] == sign(fields, NEW_KEY.encode())
    assert before.read_notification(said(handoff, KEY)).signing_key is SigningKey.PREVIOUS
    assert before.read_notification(said(handoff, NEW_KEY)).signing_key is SigningKey.CURRENT


def test_after_the_last_day_only_the_new_key_is_believed(handoff: Handoff) -> None:
    after = shop(now=MIDNIGHT)
    with pytest.raises(BadCallback, match=sentences.OLD_KEY):
        after.read_notification(said(handoff, KEY))
    assert after.read_notification(said(handoff, NEW_KEY)).signing_key is SigningKey.CURRENT


def test_the_day_ends_in_paris_in_summer_too(handoff: Handoff) -> None:
    summer = {**CHANGED, "previous_key_until": "2027-07-31"}
    end = datetime(2027, 7, 31, 22, 0, tzinfo=UTC)
    before = shop(summer, now=end - timedelta(seconds=1))
    assert before.read_notification(said(handoff, KEY)).signing_key
    with pytest.raises(BadCallback):
        shop(summer, now=end).read_notification(said(handoff, KEY))


@pytest.mark.parametrize("now", [MIDNIGHT - timedelta(days=9), MIDNIGHT + timedelta(days=9)])
def test_what_neither_key_signed_is_refused_before_and_after(
    handoff: Handoff, now: datetime
) -> None:
    for key in (KEY[::-1], KEY + NEW_KEY, ""):
        with pytest.raises(BadCallback, match="signature fausse"):
            shop(now=now).read_notification(said(handoff, key))


def test_the_previous_key_is_of_the_same_shop_and_mode(handoff: Handoff) -> None:
    gateway = shop(now=MIDNIGHT - timedelta(days=1))
    for change in ({"site_id": "87654321"}, {"ctx_mode": "PRODUCTION"}):
        with pytest.raises(BadCallback, match="boutique ou mode"):
            gateway.read_notification(said(handoff, KEY, **change))


def test_every_key_is_tried_whichever_is_right(
    handoff: Handoff, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[bytes] = []

    def counted(fields: Any, key: bytes) -> str:
        tried.append(key)
        return sign(fields, key)

    monkeypatch.setattr("gateways.lyra.form.sign", counted)
    gateway = shop(now=MIDNIGHT - timedelta(days=1))
    for key in (NEW_KEY, KEY):
        tried.clear()
        gateway.read_notification(said(handoff, key))
        assert tried == [NEW_KEY.encode(), KEY.encode()]


def test_a_shop_whose_key_never_changed_says_nothing_of_it(handoff: Handoff) -> None:
    assert shop(TABLE).read_notification(said(handoff, KEY)).signing_key is None


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"previous_key_until": None}, "previous_key_until : attendu le dernier jour"),
        ({"previous_key": None}, "previous_key : attendu l’ancienne clé"),
        ({"previous_key": ""}, "previous_key : attendu l’ancienne clé"),
        ({"previous_key": "court"}, "previous_key : trop courte"),
        ({"previous_key": "a" * 32}, "previous_key : écrite à la main"),
        ({"previous_key": f" {NEW_KEY}\n"}, "previous_key : c’est la clé en service"),
        ({"previous_key_until": "2027-12-03"}, "previous_key_until : attendu un jour à moins"),
        ({"previous_key_until": "9999-12-31"}, "previous_key_until : attendu un jour à moins"),
        ({"previous_key_until": "31/12/2026"}, "previous_key_until : attendu une date"),
        ({"previous_key_until": 20261231}, "previous_key_until : attendu une date"),
        ({"previous_key_until": MIDNIGHT}, "previous_key_until : attendu une date"),
    ],
)
def test_half_a_change_or_one_for_ever_refuses_to_start(
    changes: dict[str, object], fault: str
) -> None:
    table = {name: it for name, it in {**CHANGED, **changes}.items() if it is not None}
    with pytest.raises(ConfigError) as refused:
        shop(table)
    assert len(refused.value.faults) == 1
    assert refused.value.faults[0].startswith(f"gateways.banque.{fault}")
    assert not [key for key in (KEY, NEW_KEY) if key in str(refused.value)]


def test_in_production_the_test_key_cannot_be_the_previous_one() -> None:
    live = {
        "adapter": "lyra",
        "site_id": "12345678",
        "mode": "PRODUCTION",
        "production_key": NEW_KEY,
        "test_key": KEY,
        "previous_key": KEY,
        "previous_key_until": "2026-12-31",
    }
    with pytest.raises(ConfigError) as refused:
        LyraGateway.configure("banque", live, environment="production")
    assert refused.value.faults == [f"gateways.banque.previous_key : {sentences.TEST_KEY}"]


def test_in_production_a_key_takes_the_place_of_another() -> None:
    live = {
        "adapter": "lyra",
        "site_id": "12345678",
        "mode": "PRODUCTION",
        "production_key": NEW_KEY,
        "previous_key": KEY,
        "previous_key_until": "2026-12-31",
    }
    assert LyraGateway.configure("banque", live, environment="production").name == "banque"


def test_a_day_long_past_or_a_year_away_or_written_as_a_toml_date_starts() -> None:
    for until in (LAST_DAY, date(2020, 1, 1), " 2026-12-31 ", "2027-12-02"):
        assert shop({**CHANGED, "previous_key_until": until}).name == "banque"


# --- The mock bank changes its key ---


@pytest.fixture
def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Bank]:
    """The mock bank, started with the key that the town's settings hold."""

    def start(key: str = KEY) -> Bank:
        monkeypatch.setenv("SANDBOX_KEY", key)
        monkeypatch.setenv("SANDBOX_NOTIFY_URL", "http://127.0.0.1:9/")
        monkeypatch.setenv("SANDBOX_DATABASE", str(tmp_path / "bank.sqlite3"))
        found: Bank = server.create_bank().extensions["bank"]
        return found

    return start


def sandbox(key: str, **values: object) -> Any:
    table = {"adapter": "sandbox", "url": "http://127.0.0.1:8001", "key": key, **values}
    return configure("banque", table, environment="test")


def opened(bank: Bank, gateway: Any) -> Any:
    order = replace(NEW_ORDER, started_at=datetime.now(UTC))
    return bank.open_session(dict(gateway.start(order).fields))


def test_the_town_changes_after_the_bank_and_what_was_refused_is_heard_when_sent_again(
    town: Callable[..., Bank],
) -> None:
    bank, before = town(), sandbox(KEY)
    session = opened(bank, before)
    bank.change_key()
    new = bank.key().decode()
    assert new != KEY
    told = bank.pay(session, "4970100000000000")
    signed = Callback.of_form(bank.signed(told, "PAY", forged=False).items())
    with pytest.raises(BadCallback):
        before.read_notification(signed)
    until = (datetime.now(UTC).date() + timedelta(days=3)).isoformat()
    after = sandbox(new, previous_key=KEY, previous_key_until=until)
    assert after.read_notification(signed).signing_key is SigningKey.CURRENT


def test_the_town_changes_before_the_bank_and_what_the_bank_still_signs_is_heard(
    town: Callable[..., Bank],
) -> None:
    bank = town()
    session = opened(bank, sandbox(KEY))
    told = bank.pay(session, "4970100000000000")
    until = (datetime.now(UTC).date() + timedelta(days=3)).isoformat()
    ahead = sandbox(NEW_KEY, previous_key=KEY, previous_key_until=until)
    signed = Callback.of_form(bank.signed(told, "PAY", forged=False).items())
    assert ahead.read_notification(signed).signing_key is SigningKey.PREVIOUS


def test_the_bank_refuses_forms_signed_with_the_key_before(town: Callable[..., Bank]) -> None:
    bank = town()
    bank.change_key()
    with pytest.raises(Exception, match="error-00"):
        opened(bank, sandbox(KEY))
    assert opened(bank, sandbox(bank.key().decode())).is_open


def test_a_changed_key_outlives_the_bank_and_another_shared_since_is_believed(
    town: Callable[..., Bank], tmp_path: Path
) -> None:
    bank = town()
    bank.change_key()
    bank.change_key()
    new = bank.key()
    assert new != KEY.encode()
    assert town().key() == town(new.decode()).key() == new
    assert town(NEW_KEY).key() == NEW_KEY.encode()
    assert Bank(Store(tmp_path / "other.sqlite3"), KEY.encode()).key() == KEY.encode()


def test_the_back_office_changes_it_and_shows_it(town: Callable[..., Bank]) -> None:
    town()
    client = server.create_bank().test_client()
    assert KEY in client.get("/cle").text
    page = client.post("/cle", follow_redirects=True).text
    assert KEY not in page
    assert server.create_bank().extensions["bank"].key().decode() in page
