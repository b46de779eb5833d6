"""The agents of the town hall: who they are, what they may do, and what they did."""

from peewee import ForeignKeyField, IntegerField, TextField

from kiosque.db.fields import DateField, UtcDateTimeField
from kiosque.db.models.base import BaseModel, NumberedModel


class Staff(NumberedModel):
    """An agent, known by an address in small letters.

    `password_hash` is empty before the first password, `closed_at` None while the agent may come
    in.

    The secret of the second factor is made of `totp_nonce` and of the site's key; `enrolled_at` is
    when a telephone first showed a code of it, None before, and `last_counter` the last code used.
    """

    email = TextField(unique=True)
    password_hash = TextField(default="")
    totp_nonce = TextField()
    enrolled_at = UtcDateTimeField(null=True)
    last_counter = IntegerField(default=0)
    added_at = UtcDateTimeField()
    closed_at = UtcDateTimeField(null=True)


class StaffRole(NumberedModel):
    """A role of an agent, from one day to another, both included; without `ends_on`, until it is
    taken away, at `ended_at`. `regie` is the key of the one *régie* that it is for, empty for the
    first."""

    staff = ForeignKeyField(Staff)
    staff_id: int
    role = TextField()
    regie = TextField(default="")
    starts_on = DateField()
    ends_on = DateField(null=True)
    ended_at = UtcDateTimeField(null=True)


class StaffSession(BaseModel):
    """A browser in which an agent has typed the password. `digest` is the hash of the number in its
    cookie. `proved_at` is when it last gave a code of the second factor; while it is None, the
    session opens nothing."""

    digest = TextField(primary_key=True)
    staff = ForeignKeyField(Staff)
    staff_id: int
    opened_at = UtcDateTimeField()
    seen_at = UtcDateTimeField()
    proved_at = UtcDateTimeField(null=True)


class StaffInvitation(NumberedModel):
    """A link by which an agent chooses a password, known by its hash."""

    digest = TextField(unique=True)
    staff = ForeignKeyField(Staff)
    staff_id: int
    issued_at = UtcDateTimeField()
    expires_at = UtcDateTimeField()
    used_at = UtcDateTimeField(null=True)


class RecoveryCode(NumberedModel):
    """A code that replaces the telephone's code once, known by its hash."""

    staff = ForeignKeyField(Staff)
    staff_id: int
    digest = TextField()


class StaffEvent(NumberedModel):
    """A line of the log of what agents did and read. The database refuses to change it, or to erase
    it in its first year.

    `network` is the address of the browser, empty for a command; `object`, what it was done to, as
    people call it. `staff` is None for somebody unknown, and for a command.
    """

    at = UtcDateTimeField()
    staff = ForeignKeyField(Staff, null=True)
    network = TextField(default="")
    action = TextField()
    object = TextField(default="")
    reason = TextField(default="")
