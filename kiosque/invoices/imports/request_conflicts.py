"""Warnings of a families file that overwrites a change made at a family's request."""

from collections.abc import Iterator, Mapping

from kiosque.families import answers
from kiosque.invoices.imports.households import Household, full_name
from kiosque.invoices.imports.reading import quoted
from kiosque.spelling import fold

#: The column of each value that an answer changes.
_COLUMNS: Mapping[str, str] = {
    "address": "adresse",
    "postcode": "code_postal",
    "city": "ville",
    "phone": "telephone",
    "email": "courriel",
}


def overruled(households: Mapping[str, Household]) -> Iterator[tuple[int, str]]:
    """Yield a line of the file and the change that it overwrites, in French. The file wins."""
    latest: dict[tuple[str, str, str], str] = {}
    for code, applied in answers.applied_to(households):
        parent = applied.pop("parent", None) or ""
        for name, value in applied.items():
            if value is not None:
                latest.setdefault((code, parent, name), value)
    for (code, parent, name), value in latest.items():
        home = households[code]
        said = _said(home, parent, _COLUMNS[name])
        if said and fold(said) != fold(value):
            yield (
                home.first_line,
                f"famille {code} : {quoted(said)} remplacera {quoted(value)}, inscrit à la demande "
                "de la famille",
            )


def _said(home: Household, parent: str, column: str) -> str:
    """Return what the file says of a parent, the first by default, "" for nothing."""
    rows = (row for row in home.guardians if parent in ("", full_name(row)))
    row = next(rows, None)
    return row.get(column) if row else ""
