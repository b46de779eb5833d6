"""The code of the telephone and those of recovery: each once, and made of more than the
database."""

import base64
from datetime import UTC, datetime

import pyotp
import pytest

from kiosque.db import write
from kiosque.db.models import Staff
from kiosque.staff import second_factor
from kiosque.staff.events import Actor
from kiosque.staff.roles import Role
from tests.agents import make_agent
from tests.conftest import Clock, dump

KEY = "une-cle-du-site-assez-longue-pour-tous"


@pytest.fixture
def agent(empty_database: None, frozen: Clock) -> Staff:
    return make_agent(Role.REGISSEUR)


def shown(agent: Staff, clock: Clock, steps: int = 0) -> str:
    telephone = pyotp.parse_uri(second_factor.address(agent, KEY, "Ville de Sautron"))
    assert isinstance(telephone, pyotp.TOTP)
    return telephone.at(int(clock.at.timestamp()) + 30 * steps)


def opens(agent: Staff, code: str) -> bool:
    with write():
        return second_factor.take_code(agent, code, KEY)


@pytest.mark.parametrize(
    ("steps", "good"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)]
)
def test_a_code_is_good_half_a_minute_around_its_own(
    agent: Staff, frozen: Clock, steps: int, *, good: bool
) -> None:
    assert opens(agent, shown(agent, frozen, steps)) is good


def test_a_code_serves_once_and_none_before_it_does_after(agent: Staff, frozen: Clock) -> None:
    now, before = shown(agent, frozen), shown(agent, frozen, -1)
    assert opens(agent, f"{now[:3]} {now[3:]}")
    assert not opens(agent, now)
    assert not opens(agent, before)
    frozen.advance(seconds=30)
    assert opens(agent, shown(agent, frozen))


@pytest.mark.parametrize("typed", ["", "000000", "é", "\ud800", "1" * 1000, "١٢٣٤٥٦"])
def test_anything_else_is_no_code(agent: Staff, typed: str) -> None:
    assert not opens(agent, typed)


def test_the_codes_are_those_of_the_standard(empty_database: None) -> None:
    """RFC 6238, appendix B: the last six figures of its first line for SHA-1."""
    secret = base64.b32encode(b"12345678901234567890").decode()
    assert pyotp.TOTP(secret).at(datetime.fromtimestamp(59, UTC)) == "287082"


def test_the_database_alone_makes_no_code(agent: Staff, frozen: Clock) -> None:
    assert second_factor.secret(agent, KEY) not in dump()
    assert second_factor.secret(agent, KEY) != second_factor.secret(agent, KEY + "x")


def test_each_agent_has_a_secret_of_his_own(agent: Staff) -> None:
    other = make_agent(Role.CONTROLE)
    assert second_factor.secret(agent, KEY) != second_factor.secret(other, KEY)


def test_ten_recovery_codes_serve_once_each_however_they_are_typed(agent: Staff) -> None:
    codes = second_factor.renew_recovery_codes(agent, Actor(agent))
    assert len(set(codes)) == 10
    assert not any(code in dump() for code in codes)
    typed = codes[0].replace("-", " ").upper()
    with write():
        assert second_factor.take_recovery_code(agent, typed)
        assert not second_factor.take_recovery_code(agent, typed)
    assert second_factor.recovery_codes_left(agent) == 9


def test_new_recovery_codes_end_the_former_and_open_nobody_elses_door(agent: Staff) -> None:
    other = make_agent(Role.CONTROLE)
    former = second_factor.renew_recovery_codes(agent, Actor(agent))
    codes = second_factor.renew_recovery_codes(agent, Actor(agent))
    with write():
        assert not second_factor.take_recovery_code(agent, former[0])
        assert not second_factor.take_recovery_code(other, codes[0])
