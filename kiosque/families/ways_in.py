"""Where a family's way in stands, for the town hall that is asked «je n’arrive pas à entrer»; and
the families that have none yet."""

from datetime import datetime
from functools import reduce
from operator import and_
from typing import NamedTuple

from peewee import JOIN, Expression, ModelSelect

from kiosque.db.models import Account, Family, Token
from kiosque.families import accounts, signin
from kiosque.families.tokens import Purpose
from kiosque.language import clock


class WayIn(NamedTuple):
    """A family's way in. `account` is None if it never had a password. `provisional_until` is when
    the town hall's provisional password expires or expired, None if the family chose its own;
    `letter_until` is when the code of its letter expires; `waits_until` is when a new browser may
    try a password again, None for now."""

    account: Account | None
    provisional_until: datetime | None
    letter_until: datetime | None
    waits_until: datetime | None

    @property
    def is_over(self) -> bool:
        """Tell whether the provisional password opens nothing any more."""
        return self.account is not None and accounts.has_expired(self.account)


def read(family: Family) -> WayIn:
    account: Account | None = Account.get_or_none(Account.family == family)
    provisional = account and account.must_change_password
    letter = Token.get_or_none(Token.family == family, *_is_letter())
    return WayIn(
        account,
        account.password_set_at + accounts.PROVISIONAL if account and provisional else None,
        letter.expires_at if letter else None,
        signin.waits_until(family),
    )


def without(*, with_letter: bool = False, with_address: bool = True) -> "ModelSelect[Family]":
    """Select the families that never had a way in. `with_letter` chooses those whose letter is
    still valid, the oldest letters first, or those that wait for one; `with_address` chooses those
    with a postal address, or the others."""
    is_whole = (Family.address != "") & (Family.postcode != "") & (Family.city != "")
    letter = (Token.family == Family.id, *_is_letter())
    return (
        Family.select()
        .join(Token, JOIN.LEFT_OUTER, on=reduce(and_, letter))
        .where(
            Family.id.not_in(Account.select(Account.family)),
            Family.forgotten_at.is_null(),
            Family.archived_at.is_null(),
            Token.id.is_null(not with_letter),
            is_whole if with_address else ~is_whole,
        )
        .order_by(Token.issued_at, Family.code)
    )


def _is_letter() -> tuple[Expression, ...]:
    """Select the tokens of letters whose code still serves: one a family."""
    return (
        Token.purpose == Purpose.ACTIVATION,
        Token.used_at.is_null(),
        Token.expires_at > clock.now(),
    )
