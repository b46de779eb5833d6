"""Households, and how they sign in."""

from collections.abc import Iterable
from typing import Any

from peewee import ForeignKeyField, IntegerField, TextField

from kiosque.db.fields import DateField, TruthField, UtcDateTimeField
from kiosque.db.models.base import BaseModel, NumberedModel
from kiosque.spelling import child_key, fold


class Family(NumberedModel):
    """One household. A child of separated parents is in two, which see nothing of each other.

    `digest` tells whether a file brings its record again unchanged. `email` is the address the
    family chose and confirmed, empty until then; `language` is the one it reads; `wants_mail`
    whether it takes the mails it may refuse. No file changes these three. `seen_on` is the day of
    the last families file that listed it. `forgotten_at` is when its record was erased and its
    name reduced, `archived_at` when an agent put it away; both are None otherwise, and again once
    the family has come back. `words` are the names of the household, folded, for searching.
    """

    code = TextField(unique=True)
    name = TextField(default="")
    address = TextField(default="")
    postcode = TextField(default="")
    city = TextField(default="")
    updated_on = DateField()
    digest = TextField(default="")
    email = TextField(default="")
    language = TextField(default="fr")
    wants_mail = TruthField(default=True)
    seen_on = DateField(null=True)
    forgotten_at = UtcDateTimeField(null=True)
    words = TextField(default="")
    archived_at = UtcDateTimeField(null=True)


class FamilyMerge(NumberedModel):
    """A merge of the duplicate family `gone` into the family `kept`, which got its rows. `moved`
    holds the ids of these rows by table, as JSON, so that the merge can be undone."""

    kept = ForeignKeyField(Family, backref="doubles")
    kept_id: int
    gone = ForeignKeyField(Family, backref="merges")
    gone_id: int
    moved = TextField()
    merged_at = UtcDateTimeField()
    author = TextField()
    reason = TextField()
    undone_at = UtcDateTimeField(null=True)


class Account(NumberedModel):
    """A family's way in. `entered_at` is when it first came in, None before; `signed_in_on`, the
    last day that it did."""

    family = ForeignKeyField(Family, unique=True)
    password_hash = TextField()
    must_change_password = TruthField()
    password_set_at = UtcDateTimeField()
    entered_at = UtcDateTimeField(null=True)
    signed_in_on = DateField(null=True)


class Session(BaseModel):
    """A browser signed in. Its cookie holds the number of which `digest` is the hash. `proved_at`
    is when it last showed the password, if that still counts."""

    digest = TextField(primary_key=True)
    account = ForeignKeyField(Account)
    account_id: int
    opened_at = UtcDateTimeField()
    seen_at = UtcDateTimeField()
    proved_at = UtcDateTimeField(null=True)


class Throttle(BaseModel):
    """The failed tries in a row, and until when the next try must wait.

    `key` names what is tried, hashed: an account, a browser's address.
    """

    key = TextField(primary_key=True)
    failures = IntegerField()
    tried_at = UtcDateTimeField()
    next_try_at = UtcDateTimeField()


class Token(NumberedModel):
    """Something that opens a door once, known by its hash. `email` is the address to confirm."""

    digest = TextField(unique=True)
    purpose = TextField()
    family = ForeignKeyField(Family)
    family_id: int
    email = TextField(default="")
    issued_at = UtcDateTimeField()
    expires_at = UtcDateTimeField()
    used_at = UtcDateTimeField(null=True)


class ResetRequest(NumberedModel):
    """Somebody typed this e-mail address to choose a new password. The family that has it is
    looked up by the timer, never by the page; the row is then erased. `address` is the network
    address of the browser."""

    email = TextField()
    address = TextField()
    asked_at = UtcDateTimeField()


class SecurityEvent(NumberedModel):
    """A line of the security log: sign-ins, refusals, changes of password... Purged with age.

    `address` is the network address of the browser. Apart from the accounts' journal.
    """

    at = UtcDateTimeField()
    kind = TextField()
    family = ForeignKeyField(Family, null=True)
    address = TextField()


class Guardian(NumberedModel):
    """A parent or whoever answers for the children."""

    family = ForeignKeyField(Family, backref="guardians")
    first_name = TextField()
    last_name = TextField()
    email = TextField(default="")
    phone = TextField(default="")


class Service(NumberedModel):
    """A service that families are invoiced for: restauration, périscolaire, multi-accueil...

    `name` is the spelling shown. `key` is the name folded: one service has one, whatever the
    spelling of a file.
    """

    name = TextField(unique=True)
    key = TextField(unique=True)

    def save(self, *args: Any, **kwargs: Any) -> Any:
        """Store the service, its key with it."""
        self.key = fold(self.name)
        return super().save(*args, **kwargs)


class Child(NumberedModel):
    family = ForeignKeyField(Family, backref="children")
    family_id: int
    name = TextField()
    born_on = DateField(null=True)

    class Meta:
        indexes = ((("family", "name"), True),)


def known_child(known: Iterable[str], name: str) -> str | None:
    """Return the name under which a family's record knows the child, or None.

    Another spelling, or the name before the first name, is the same child; the first name or the
    name alone is enough where one child of the family has it.
    """
    names = sorted(known)
    if name in names:
        return name
    key = child_key(name)
    if same := next((full for full in names if child_key(full) == key), None):
        return same
    alone = fold(name)
    found = [full for full in names if alone in _parts(full)]
    return found[0] if len(found) == 1 else None


def _parts(full: str) -> set[str]:
    """Return the first and the last words of a full name, folded, one, two or more of them."""
    words = full.split()
    ends = range(1, len(words))
    return {fold("".join(words[:at])) for at in ends} | {fold("".join(words[at:])) for at in ends}


class Enrolment(NumberedModel):
    """The enrolment of a child in a service."""

    child = ForeignKeyField(Child, backref="enrolments")
    service = ForeignKeyField(Service)

    class Meta:
        indexes = ((("child", "service"), True),)
