"""Acts on the data of families, at their request or with age."""

from peewee import ForeignKeyField, TextField

from kiosque.db.fields import UtcDateTimeField
from kiosque.db.models.base import NumberedModel
from kiosque.db.models.families import Family


class PrivacyAct(NumberedModel):
    """A family's data was exported, erased or forgotten; the database never changes such a row.

    `kind` is a `PrivacyActKind`. It has no name of the family. `author` is empty where age alone
    decided.
    """

    at = UtcDateTimeField()
    kind = TextField()
    family = ForeignKeyField(Family)
    family_id: int
    author = TextField(default="")
    reason = TextField(default="")
