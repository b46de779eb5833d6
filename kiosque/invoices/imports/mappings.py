"""Which columns of another software's table are the town's own: data, kept by the table's columns.

A mapping makes one or more rows from each line. A source is one of these: the name of a column (`?`
before it if the column is optional); a list of names whose cells are joined; `=` and a text for all
lines. In tables with one column for each service, the sources `*colonne` and `*valeur` are the name
and the cell of each column that nothing else names; `total` names the column that must be their
sum. `joins` bring the columns of neighbouring files, as `FILE/COLUMN`. Presets are the files of
`presets/`.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

from kiosque.db import write
from kiosque.db.models import ColumnMapping
from kiosque.invoices.imports import codes
from kiosque.invoices.imports.kinds import KINDS, NAMES
from kiosque.invoices.imports.reading import quoted
from kiosque.language import clock
from kiosque.spelling import fold

PRESETS = Path(__file__).with_name("presets")
#: Each column that no other source names: its name, its cell.
COLUMN, VALUE = "*colonne", "*valeur"
CONSTANT, OPTIONAL, OF_FILE = "=", "?", "/"
#: Columns that an invoices mapping may leave out, with the source that stands for each.
_INVOICES = {
    "quantite": "=1", "prix_unitaire": "montant", "enfant": "=", "libelle": "service",
    "periode": "date_emission",
}  # fmt: skip
#: Columns that no mapping needs: the settings or an agent's answers give them.
_NOT_NEEDED = frozenset({"code_famille", "date_echeance"})
#: Columns that a families mapping may leave out.
_OF_PERSONS = frozenset(
    {"courriel", "telephone", "adresse", "code_postal", "ville", "date_naissance", "services"}
)

#: Columns that a mapping may give.
ALLOWED = NAMES | set(codes.COLUMNS)

Source = str | Sequence[str]
Row = Mapping[str, Source]


class Unusable(Exception):
    """A mapping that does not suit a table. `faults` say why, in French."""

    def __init__(self, faults: Sequence[str]):
        super().__init__(" ".join(faults))
        self.faults = list(faults)


@dataclass(frozen=True)
class Join:
    """The lines of a neighbouring file whose column `of` has the value of the line's `column`."""

    column: str
    file: str
    of: str


@dataclass(frozen=True)
class Columns:
    """A mapping. `also` are columns that its tables have besides those that it names; `ignored` are
    columns that are not services."""

    name: str
    rows: tuple[Row, ...]
    total: str = ""
    ignored: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    joins: tuple[Join, ...] = ()

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Self:
        rows = tuple(_whole(row) for row in data["rows"])
        return cls(
            data["name"],
            rows,
            data.get("total", ""),
            tuple(data.get("ignored", ())),
            tuple(data.get("also", ())),
            tuple(Join(**each) for each in data.get("joins", ())),
        )

    @property
    def targets(self) -> list[str]:
        """Return the town's own columns that it fills, in their order."""
        return list(dict.fromkeys(name for row in self.rows for name in row))

    @property
    def named(self) -> frozenset[str]:
        """Return every column that it names, folded."""
        return frozenset(fold(each.removeprefix(OPTIONAL)) for each in self._named())

    @property
    def needed(self) -> list[str]:
        """Return the columns that a table must have."""
        bare = [each for each in self._named() if not each.startswith(OPTIONAL)]
        return list(dict.fromkeys(each for each in bare if not self.is_joined(each)))

    def _named(self) -> list[str]:
        named = [name for row in self.rows for source in row.values() for name in names_in(source)]
        named += [self.total, *self.ignored, *self.also, *[each.column for each in self.joins]]
        return list(filter(None, named))

    def is_joined(self, name: str) -> bool:
        """Tell whether a column is in a neighbouring file."""
        return any(name.startswith(each.file + OF_FILE) for each in self.joins)

    @property
    def key(self) -> frozenset[str]:
        return frozenset(map(fold, self.needed))


def names_in(source: Source) -> list[str]:
    """Return the columns that a source names."""
    every = [source] if isinstance(source, str) else list(source)
    return [each for each in every if not each.startswith((CONSTANT, "*"))]


def _whole(row: Row) -> Row:
    """Complete what a row of an invoices mapping leaves out."""
    if "numero_facture" not in row or "service" not in row:
        return row
    more = {name: row.get(source, source) for name, source in _INVOICES.items() if name not in row}
    return {**row, **more}


@lru_cache(maxsize=1)
def presets() -> tuple[Columns, ...]:
    """Return the mappings that ship with the site, those of most columns first."""
    files = sorted(PRESETS.glob("*.json"))
    found = [Columns.of(json.loads(each.read_text("utf-8"))) for each in files]
    return tuple(sorted(found, key=lambda each: -len(each.needed)))


#: Prefix of the signatures of mappings for the banks' tables, which `statements` reads.
OF_BANKS = "bank:"
_OURS = ~ColumnMapping.signature.startswith(OF_BANKS)


def signature(columns: Sequence[str]) -> str:
    """Return the key shared by all tables of these columns, however spelt."""
    return hashlib.sha256("|".join(map(fold, columns)).encode()).hexdigest()


def kept() -> list[ColumnMapping]:
    """Return the mappings that the town's people made, the oldest first, but those of the banks'
    tables."""
    return list(ColumnMapping.select().where(_OURS).order_by(ColumnMapping.id))


def keys() -> list[frozenset[str]]:
    """Return the sets of columns by which a table that is mapped is known, folded."""
    said = [frozenset(json.loads(each.mapping)["columns"]) for each in kept()]
    return [*said, *[each.key for each in presets()]]


def find(columns: Sequence[str]) -> Columns | None:
    """Return the mapping of a table of these columns: the one that people made, else a preset."""
    said = ColumnMapping.get_or_none(ColumnMapping.signature == signature(columns))
    if said:
        return Columns.of(json.loads(said.mapping))
    once = {name for name, count in Counter(map(fold, columns)).items() if count == 1}
    return next((each for each in presets() if each.key <= once), None)


def keep(name: str, columns: Sequence[str], row: Row, author: str) -> Columns:
    """Remember which of the columns of a table are the town's own. Raise Unusable."""
    data = {"name": name, "rows": [row], "columns": sorted(set(map(fold, columns)))}
    mapping = Columns.of(data)
    if faults := list(_faults(mapping, columns)):
        raise Unusable(faults)
    values = {
        "name": name, "author": author, "made_at": clock.now(),
        "mapping": json.dumps(data, ensure_ascii=False),
    }  # fmt: skip
    with write():
        same = ColumnMapping.signature == signature(columns)
        if not ColumnMapping.update(values).where(same).execute():
            ColumnMapping.create(signature=signature(columns), **values)
    return mapping


def forget(columns: Sequence[str]) -> bool:
    """Forget the mapping that people made for these columns. Return False if there was none."""
    with write():
        same = ColumnMapping.signature == signature(columns)
        return bool(ColumnMapping.delete().where(same).execute())


def forget_kept(number: int) -> ColumnMapping | None:
    """Forget one of those `kept`, by the number of its row. Return it, None if it is not there."""
    with write():
        found: ColumnMapping | None = ColumnMapping.get_or_none(_OURS, ColumnMapping.id == number)
        if found:
            found.delete_instance()
        return found


def sources(kept_one: ColumnMapping) -> Row:
    """Return which of the columns of a table are ours."""
    return Columns.of(json.loads(kept_one.mapping)).rows[0]


def _faults(mapping: Columns, columns: Sequence[str]) -> Iterator[str]:
    for target in mapping.targets:
        if target not in ALLOWED:
            yield f"{quoted(target)} n’est pas une de nos colonnes."
    known = Counter(map(fold, columns))
    for name in mapping.needed:
        if not known[fold(name)]:
            yield f"Le tableau n’a pas de colonne {quoted(name)}."
        elif known[fold(name)] > 1:
            yield f"Le tableau a deux colonnes {quoted(name)}. Renommez-en une."
    targets = set(mapping.targets)
    kind = next((kind for kind in KINDS if targets >= kind.KEY_COLUMNS), None)
    if kind is None:
        yield "Dites au moins numero_facture, service et montant, ou role, nom et prenom."
        return
    absent = set(kind.COLUMNS) - targets - kind.OPTIONAL - _NOT_NEEDED - _OF_PERSONS
    if "code_famille" in kind.COLUMNS and not targets & {"code_famille", "tiers_nom"}:
        absent.add("code_famille (ou tiers_nom)")
    for name in sorted(absent):
        yield f"Il manque {name}."


__all__ = [
    "ALLOWED", "COLUMN", "VALUE", "Columns", "Join", "Row", "Source", "Unusable", "find",
    "forget", "keep", "kept", "keys", "names_in", "presets", "signature",
]  # fmt: skip
