"""Secrets that serve once: for whom, for how long, and never twice."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest

from kiosque import db
from kiosque.db import write
from kiosque.db.models import Family, Token
from kiosque.families import tokens
from kiosque.families.tokens import Purpose, Spent
from tests.conftest import Clock, choose_password, dump
from tests.threads import at_once

LINKS = (Purpose.RESET, Purpose.EMAIL)
HOSTILE = ("", "\0", "x" * 10_240, "é😀", "\udc80", "' OR 1=1 --", "../..", "%00")


def letter(family: Family, code: str = "abcde-fghjk-mnpqr") -> Token:
    with write():
        return tokens.issue_code(family, code)


def link(family: Family, purpose: Purpose = Purpose.RESET, email: str = "") -> tuple[Token, str]:
    with write():
        token = tokens.prepare_link(purpose, family, email)
    secret = tokens.draw_link(token.id)
    assert secret
    return token, secret


def test_only_a_hash_is_kept(alices_family: Family) -> None:
    letter(alices_family)
    _, secret = link(alices_family)
    assert secret not in dump()
    assert "abcde" not in dump()
    assert all(len(token.digest) == 64 for token in Token.select())


def test_a_link_is_long_and_random(alices_family: Family) -> None:
    secrets = {link(alices_family)[1] for _ in range(10)}
    assert len(secrets) == 10
    assert all(len(secret) == 43 for secret in secrets)  # 256 bits, 6 to a character


@pytest.mark.parametrize(
    "typed", ["abcde-fghjk-mnpqr", "ABCDEFGHJKMNPQR", " abcde fghjk–mnpqr ", "Abcde.Fghjk_Mnpqr"]
)
def test_a_code_opens_however_it_is_typed(alices_family: Family, typed: str) -> None:
    token = letter(alices_family)
    assert tokens.find_code("F1001", typed) == token


def test_a_code_opens_its_own_familys_door_only(
    alices_family: Family, charlies_family: Family
) -> None:
    letter(alices_family)
    letter(charlies_family, "zzzzz-zzzzz-zzzzz")
    assert tokens.find_code("F1001", "zzzzz-zzzzz-zzzzz") is None
    assert tokens.find_code("F2002", "abcde-fghjk-mnpqr") is None


@pytest.mark.parametrize("code", [*HOSTILE, "abcde-fghjk-mnpq", "abcde-fghjk-mnpqrs"])
def test_a_hostile_or_truncated_code_opens_nothing(alices_family: Family, code: str) -> None:
    letter(alices_family)
    assert tokens.find_code("F1001", code) is None


@pytest.mark.parametrize("secret", HOSTILE)
def test_a_hostile_link_opens_nothing(alices_family: Family, secret: str) -> None:
    link(alices_family)
    assert tokens.find_link(secret, *LINKS) is None


def test_a_truncated_link_opens_nothing(alices_family: Family) -> None:
    _, secret = link(alices_family)
    for other in (secret[:-1], secret[1:], secret + "A", secret.swapcase(), f" {secret}"):
        assert tokens.find_link(other, *LINKS) is None
    assert tokens.find_link(secret, *LINKS)


def test_a_token_serves_its_own_purpose_only(alices_family: Family) -> None:
    letter(alices_family)
    _, secret = link(alices_family, Purpose.EMAIL)
    assert tokens.find_link(secret, Purpose.RESET) is None
    assert tokens.find_link("abcdefghjkmnpqr", *LINKS) is None
    assert tokens.find_code("F1001", secret) is None


@pytest.mark.parametrize(
    ("purpose", "life"),
    [(Purpose.RESET, timedelta(hours=1)), (Purpose.EMAIL, timedelta(hours=1))],
)
def test_a_link_lives_an_hour(
    alices_family: Family, frozen: Clock, purpose: Purpose, life: timedelta
) -> None:
    token, secret = link(alices_family, purpose)
    found = tokens.find_link(secret, purpose)
    frozen.at += life - timedelta(seconds=1)
    assert tokens.find_link(secret, purpose) == token
    frozen.advance(seconds=1)
    assert tokens.find_link(secret, purpose) is None
    assert found
    with pytest.raises(Spent), write():
        tokens.redeem(found)


def test_a_letters_code_lives_thirty_days(alices_family: Family, frozen: Clock) -> None:
    letter(alices_family)
    frozen.advance(days=29, hours=23)
    assert tokens.find_code("F1001", "abcde-fghjk-mnpqr")
    frozen.advance(hours=1)
    assert tokens.find_code("F1001", "abcde-fghjk-mnpqr") is None


def test_a_new_one_cancels_the_earlier_of_its_purpose_and_family_only(
    alices_family: Family, charlies_family: Family
) -> None:
    letter(alices_family)
    _, first = link(alices_family)
    _, confirmation = link(alices_family, Purpose.EMAIL)
    _, charlies = link(charlies_family)
    _, second = link(alices_family)
    assert tokens.find_link(first, *LINKS) is None
    assert all(tokens.find_link(secret, *LINKS) for secret in (second, confirmation, charlies))
    assert tokens.find_code("F1001", "abcde-fghjk-mnpqr")


def test_a_link_sent_again_replaces_the_one_sent_before(alices_family: Family) -> None:
    token, first = link(alices_family)
    second = tokens.draw_link(token.id)
    assert second
    assert tokens.find_link(first, *LINKS) is None
    assert tokens.find_link(second, *LINKS)


def test_the_hour_of_a_link_begins_when_its_mail_leaves(
    alices_family: Family, frozen: Clock
) -> None:
    with write():
        token = tokens.prepare_link(Purpose.RESET, alices_family, "")
    frozen.advance(hours=5)
    secret = tokens.draw_link(token.id)
    assert secret
    frozen.advance(minutes=59)
    assert tokens.find_link(secret, *LINKS)


def test_a_link_cancelled_used_or_a_day_late_is_not_drawn(
    alices_family: Family, frozen: Clock
) -> None:
    cancelled, _ = link(alices_family)
    used, secret = link(alices_family)
    found = tokens.find_link(secret, *LINKS)
    assert found
    with write():
        tokens.redeem(found)
        late = tokens.prepare_link(Purpose.EMAIL, alices_family, "")
    frozen.advance(days=1)
    assert [tokens.draw_link(token.id) for token in (cancelled, used, late)] == [None] * 3
    assert tokens.draw_link(2**62) is None


def test_the_number_of_a_cancelled_link_is_never_that_of_another_family(
    alices_family: Family, charlies_family: Family
) -> None:
    """Or a mail to Alice that was late would carry the link of Charlie."""
    cancelled, _ = link(alices_family)
    with write():
        tokens.cancel(alices_family)
    link(charlies_family)
    assert tokens.draw_link(cancelled.id) is None


def test_one_used_does_not_serve_again(alices_family: Family) -> None:
    token = letter(alices_family)
    with write():
        tokens.redeem(token)
    assert tokens.find_code("F1001", "abcde-fghjk-mnpqr") is None
    with pytest.raises(Spent), write():
        tokens.redeem(token)


def test_a_change_that_fails_leaves_it_to_serve_again(alices_family: Family) -> None:
    token = letter(alices_family)
    with pytest.raises(ZeroDivisionError), write():
        tokens.redeem(token)
        _ = 1 / 0
    assert tokens.find_code("F1001", "abcde-fghjk-mnpqr") == token


def test_it_is_used_only_as_part_of_what_it_does(alices_family: Family) -> None:
    token = letter(alices_family)
    with pytest.raises(RuntimeError):
        tokens.redeem(token)


def test_what_can_no_longer_serve_is_erased(
    alices_family: Family, charlies_family: Family, frozen: Clock
) -> None:
    token = letter(alices_family)
    letter(charlies_family, "zzzzz-zzzzz-zzzzz")
    with write():
        tokens.redeem(token)
    frozen.advance(days=29)
    link(charlies_family)
    tokens.purge()
    assert {each.family_id for each in Token.select()} == {charlies_family.id}
    assert Token.select().count() == 2
    frozen.advance(days=1)
    tokens.purge()
    assert not Token.select().exists()


def test_a_link_that_waits_for_the_mail_server_is_not_erased(
    alices_family: Family, frozen: Clock
) -> None:
    with write():
        token = tokens.prepare_link(Purpose.RESET, alices_family, "")
    frozen.advance(hours=23)
    tokens.purge()
    assert tokens.draw_link(token.id)


def winners(token: Token, redeem: Callable[[Token], None]) -> int:
    """Count those of eight that found the token alive at the same instant that get to use it."""
    won, found = [], threading.Barrier(8)

    def use() -> None:
        with db.connection():
            seen = tokens.find_code("F1001", "abcde-fghjk-mnpqr")
            assert seen
            found.wait()
            try:
                with write():
                    redeem(seen)
            except Spent:
                return
            won.append(1)

    at_once(*[use] * 8)
    return len(won)


def test_of_eight_at_once_one_wins(alices_family: Family) -> None:
    assert winners(letter(alices_family), tokens.redeem) == 1


def test_and_the_race_would_see_a_token_checked_before_it_is_used(alices_family: Family) -> None:
    def check_then_use(seen: Token) -> None:
        if seen.used_at:  # the fault to see: what was read before is believed
            raise Spent
        Token.update(used_at=seen.issued_at).where(Token.id == seen.id).execute()

    assert winners(letter(alices_family), check_then_use) == 8


def test_a_new_password_cancels_whatever_would_open_the_account(
    alices_family: Family, charlies_family: Family
) -> None:
    letter(alices_family)
    link(alices_family)
    link(alices_family, Purpose.EMAIL)
    _, charlies = link(charlies_family)
    choose_password(alices_family, "une phrase assez longue")
    assert not Token.select().where(Token.family == alices_family).exists()
    assert tokens.find_link(charlies, *LINKS)
