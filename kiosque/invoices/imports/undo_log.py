"""The changes made by each load, kept for a time so that it can be undone: new rows by their ids,
changed rows as they were."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from peewee import Expression, ModelDelete, fn

from kiosque.db import database, execute_many, require_write, write
from kiosque.db.models import (
    Child,
    Enrolment,
    Family,
    Guardian,
    ImportBatch,
    ImportChange,
    NumberedModel,
    Service,
)
from kiosque.invoices.imports.already_loaded import chunks
from kiosque.language import clock

#: How long a load can be undone. It is short, since what it changed names families.
KEPT = timedelta(days=30)

Model = type[NumberedModel]

#: The columns that files write; the other columns of a family are never touched by a load.
COLUMNS: Mapping[Model, tuple[str, ...]] = {
    Family: (
        "name", "address", "postcode", "city", "updated_on", "digest", "seen_on", "forgotten_at",
        "words", "archived_at",
    ),
    Guardian: ("family_id", "first_name", "last_name", "email", "phone"),
    Child: ("family_id", "name", "born_on"),
    Enrolment: ("child_id", "service_id"),
}  # fmt: skip
#: The column that says whose record a row belongs to, and the join that it needs.
_OWNERS: Mapping[Model, tuple[str, str]] = {
    Family: ("t.id", ""),
    Guardian: ("t.family_id", ""),
    Child: ("t.family_id", ""),
    Enrolment: ("child.family_id", " JOIN child ON child.id = t.child_id"),
    Service: ("CAST(NULL AS INTEGER)", ""),
}
#: The tables of a record that a families file replaces; a table comes before those that refer to
#: it.
RECORD: tuple[Model, ...] = (Guardian, Child, Enrolment)
_ROWS = "SELECT t.id, {owner}, {columns} FROM {table} t{join} WHERE {owner} IN ({places})"
_CHANGED = """
    INSERT INTO import_change (batch_id, table_name, row_id, family_id, former)
    VALUES (?, ?, ?, ?, ?)
"""
_ADDED = """
    INSERT INTO import_change (batch_id, table_name, row_id, family_id)
    SELECT {batch}, '{table}', t.id, {owner} FROM {table} t{join} WHERE {which}
"""


def table(model: Model) -> str:
    return str(model._meta.table_name)  # noqa: SLF001  # Peewee's own


class Changes:
    """The changes of one load, noted in the transaction that makes them."""

    def __init__(self, batch: ImportBatch) -> None:
        """Begin before the load writes anything else."""
        require_write()
        self._batch = batch
        ImportBatch.update(can_undo=True).where(ImportBatch.id == batch.id).execute()
        self._last = {model: _last_id(model) for model in _OWNERS}

    def keep(self, families: Iterable[int], *models: Model) -> None:
        """Keep the rows of these families as they are before they change."""
        for model in models:
            for part in chunks(families):
                self._keep(model, COLUMNS[model], _rows(model, part))

    def keep_days(self, families: Iterable[int], today: date) -> None:
        """Keep the day when these families were last seen, unless it is today already."""
        for part in chunks(families):
            found = Family.select(Family.id, Family.seen_on).where(
                Family.id.in_(part), (Family.seen_on != today) | Family.seen_on.is_null()
            )
            days = [(each.id, each.id, each.seen_on and str(each.seen_on)) for each in found]
            self._keep(Family, ("seen_on",), days)

    def _keep(
        self, model: Model, columns: tuple[str, ...], rows: Iterable[tuple[Any, ...]]
    ) -> None:
        execute_many(
            _CHANGED,
            [
                (self._batch.id, table(model), row, family, _json(columns, values))
                for row, family, *values in rows
            ],
        )

    def note_new(self, *models: Model) -> None:
        """Note the rows added since the load began, in tables where it deletes nothing."""
        for model in models:
            self._note(model, "t.id > {}", [self._last[model]])

    def note_record(self, families: Iterable[int]) -> None:
        """Note the rows that now make up the record of these families: the load wrote them all."""
        for model in RECORD:
            for part in chunks(families):
                places = ", ".join(["{}"] * len(part))
                self._note(model, f"{_OWNERS[model][0]} IN ({places})", part)

    def _note(self, model: Model, which: str, values: list[int]) -> None:
        owner, join = _OWNERS[model]
        statement = _ADDED.format(
            batch=self._batch.id,
            table=table(model),
            owner=owner,
            join=join,
            which=which.format(*[database.param] * len(values)),
        )
        database.execute_sql(statement, values)


def _json(columns: Sequence[str], values: Sequence[object]) -> str:
    return json.dumps(dict(zip(columns, values, strict=True)), ensure_ascii=False)


def _last_id(model: Model) -> int:
    return int(model.select(fn.MAX(model.id)).scalar() or 0)


def _rows(model: Model, families: list[int]) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of families as the database holds them, after their ids and families."""
    owner, join = _OWNERS[model]
    statement = _ROWS.format(
        owner=owner,
        columns=", ".join(f"t.{column}" for column in COLUMNS[model]),
        table=table(model),
        join=join,
        places=", ".join([database.param] * len(families)),
    )
    return iter(database.execute_sql(statement, families).fetchall())


def forget(family: Family) -> None:
    """Erase what loads kept of a family, as part of the transaction that erases the family: they
    can no longer be undone."""
    require_write()
    batches = ImportChange.select(ImportChange.batch).where(ImportChange.family == family)
    ImportBatch.update(can_undo=False).where(ImportBatch.id.in_(batches)).execute()
    ImportChange.update(former=None).where(ImportChange.family == family).execute()


def is_kept(batch: ImportBatch) -> bool:
    """Tell whether what a load changed is still there, so that it can be undone."""
    return batch.can_undo and batch.imported_at >= clock.now() - KEPT


def past() -> Expression:
    """Select what was changed by loads older than KEPT."""
    old = ImportBatch.select(ImportBatch.id).where(ImportBatch.imported_at < clock.now() - KEPT)
    return ImportChange.batch.in_(old)


def purge() -> None:
    """Erase what was changed by loads older than KEPT, which can no longer be undone."""
    with write():
        ModelDelete(ImportChange).where(past()).execute()
