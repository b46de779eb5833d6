"""Find the families of the debtors named in files of other software.

PES, JVS and Magnus give the debtor's name and address, and seldom the *code famille*. A person says
once which family a debtor is; the debtor is then recognised by all that the file says of him,
folded. A reference is taken for a code if the family of that code has the debtor's name. For other
debtors a family is proposed, by name and address, and nothing is loaded until a person has decided.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from kiosque.db import write
from kiosque.db.models import Debtor, Family, Guardian
from kiosque.invoices.imports.reading import DEBTORS, BadFile, Fault, NumberedLine, Row
from kiosque.invoices.imports.tables import SourceTable
from kiosque.language import clock
from kiosque.spelling import child_key, fold

#: The columns of a debtor, which a format gives in place of `code_famille`.
COLUMNS = ("tiers_reference", "tiers_nom", "tiers_adresse", "tiers_ville")
_CODE = "code_famille"
#: If more families have the same address or name, propose none of them.
MAX_CANDIDATES = 5
#: Families that are neither archived nor forgotten.
_PRESENT = Family.archived_at.is_null(), Family.forgotten_at.is_null()
#: Characters of a street that suffice to tell houses apart: some programs cut it.
_ENOUGH = 12
#: Longest text of a debtor that is looked at, in characters.
_LONGEST = 200


@dataclass(frozen=True)
class Named:
    """Who owes, as a file names him."""

    reference: str
    name: str
    street: str
    town: str

    @property
    def address(self) -> str:
        return f"{self.street} {self.town}".strip()

    @property
    def key(self) -> str:
        whole = "|".join(map(plain, (self.reference, self.name, self.address)))
        return hashlib.sha256(whole.encode()).hexdigest()

    def __str__(self) -> str:
        return ", ".join(filter(None, (self.name, self.address, self.reference)))


@dataclass(frozen=True)
class FoundDebtor:
    """A debtor of a file: his first line there, and the code of his family if it is known.
    Otherwise `candidates` are the possible codes, and `proposed` is the only one that fits best, if
    any."""

    line: int
    named: Named
    code: str = ""
    candidates: tuple[str, ...] = ()
    proposed: str = ""


class Unknown(Exception):
    """No such debtor in the file, or no such family. Nothing was changed."""


def plain(text: str) -> str:
    """Return the letters and digits of a text, folded. Some programs drop `œ`: so does this."""
    bare = text.replace("œ", "").replace("Œ", "")
    return "".join(letter for letter in fold(bare) if letter.isalnum())


def resolved(table: SourceTable) -> SourceTable:
    """Replace what a file says of the debtors by the *code famille*. Add a fault to the table for
    each unknown debtor."""
    if _CODE in table.columns or "tiers_nom" not in table.columns:
        return table
    kept = [name for name in table.columns if name not in COLUMNS]
    return replace(table, columns=[_CODE, *kept], lines=_resolved(table, kept))


def _resolved(table: SourceTable, kept: list[str]) -> Iterator[NumberedLine]:
    at = [table.columns.index(name) for name in kept]
    known_debtors, known = KnownDebtors(), dict[Named, str]()
    for line, cells in table.lines:
        if not _is_of_invoice(table, cells):
            yield line, [cells[table.columns.index("tiers_nom")], *[cells[place] for place in at]]
            continue
        named = named_in(table.columns, cells)
        if named not in known:
            found = known_debtors.find(line, named)
            known[named] = found.code
            if not found.code:
                table.faults.add(line, _fault(found), needs=DEBTORS)
        if known[named]:
            yield line, [known[named], *[cells[place] for place in at]]


def debtors(table: SourceTable) -> list[FoundDebtor]:
    """Return the debtors of a file, each once, in their order."""
    if "tiers_nom" not in table.columns:
        raise BadFile([Fault(0, "ce fichier ne demande aucun code famille.")])
    known_debtors, found = KnownDebtors(), dict[Named, FoundDebtor]()
    for line, cells in table.lines:
        named = named_in(table.columns, cells)
        if named not in found and _is_of_invoice(table, cells):
            found[named] = known_debtors.find(line, named)
    table.faults.raise_any()
    return list(found.values())


def _is_of_invoice(table: SourceTable, cells: list[str]) -> bool:
    """Tell whether a line of an invoices file has a number; without one it is a total, or
    faulty."""
    column = "numero_facture"
    return column not in table.columns or bool(cells[table.columns.index(column)])


def named_in(columns: list[str], cells: list[str]) -> Named:
    """Return the debtor of a line. A spreadsheet's apostrophe, or a dash, is no reference."""
    values = dict(zip(columns, cells, strict=False))
    bare = [values.get(name, "").removeprefix("'")[:_LONGEST] for name in COLUMNS]
    texts = [" ".join(text.split()) for text in bare]
    return Named(texts[0].strip("-"), *texts[1:])


def _fault(found: FoundDebtor) -> str:
    if found.proposed:
        advice = f"C’est sans doute {found.proposed} : confirmez-le"
    elif found.candidates:
        advice = f"Peut-être {' ou '.join(found.candidates)} : dites lequel"
    else:
        advice = "Dites de quelle famille il s’agit"
    return f"débiteur inconnu : {found.named}. {advice}."


def present(asked: Iterable[str]) -> dict[str, Family]:
    """Return the families of these codes, without those archived or forgotten."""
    found = Family.select().where(Family.code.in_(set(asked)), *_PRESENT)
    return {each.code: each for each in found}


def confirm(said: Mapping[Named, str], author: str) -> None:
    """Keep which family each debtor is. Raise Unknown for a code that no family has."""
    with write():
        families = present(said.values())
        if missing := sorted(set(said.values()) - families.keys()):
            raise Unknown(f"Famille inconnue : {', '.join(missing)}. Chargez d’abord sa fiche.")
        if not all(plain(named.name) for named in said):
            raise Unknown("Un débiteur sans nom ne peut pas être reconnu.")
        for named, code in said.items():
            values = {
                "family": families[code], "reference": named.reference, "name": named.name,
                "address": named.address, "author": author, "made_at": clock.now(),
            }  # fmt: skip
            changed = Debtor.update(values).where(Debtor.key == named.key).execute()
            if not changed:
                Debtor.create(key=named.key, **values)


def forget(number: int) -> None:
    """Forget what was said of a debtor. Raise Unknown."""
    with write():
        if not Debtor.delete().where(Debtor.id == number).execute():
            raise Unknown(f"Il n’y a pas de débiteur n° {number}.")


class KnownDebtors:
    """The debtors and the families that are known, looked up as a file asks."""

    def __init__(self) -> None:
        self._kept: dict[str, str] = {}
        #: Codes by reference and name, to recognise a family that has moved.
        self._moved: dict[tuple[str, str], set[str]] = {}
        for each in Debtor.select(Debtor, Family).join(Family):
            self._kept[each.key] = each.family.code
            if each.reference:
                same = plain(each.reference), plain(each.name)
                self._moved.setdefault(same, set()).add(each.family.code)

    def find(self, line: int, named: Named) -> FoundDebtor:
        """Return the family of a debtor, or what it may be."""
        if named.key in self._kept:
            return FoundDebtor(line, named, self._kept[named.key])
        code = self._code(named)
        if code and self._records.bears(code, named.name):
            return FoundDebtor(line, named, code)
        same = self._moved.get((plain(named.reference), plain(named.name)), set())
        by_name = self._records.of_name(named.name)
        by_address = self._records.of_address(named)
        nameless = {code} if self._records.is_nameless(code) else set()
        fit = by_name & by_address or same or nameless or (set() if named.address else by_name)
        proposed = min(fit) if len(fit) == 1 and plain(named.name) else ""
        candidates = fit or by_name or by_address
        shown = tuple(sorted(candidates)) if len(candidates) <= MAX_CANDIDATES else ()
        return FoundDebtor(line, named, "", shown, proposed)

    def _code(self, named: Named) -> str:
        """Return the reference if it can be a code, else ""."""
        try:
            return Row(0, {_CODE: named.reference}).code()
        except ValueError:
            return ""

    @cached_property
    def _records(self) -> "_Records":
        return _Records()


class _Records:
    """The families on record, by what their names and addresses fold to."""

    def __init__(self) -> None:
        self._surnames: dict[str, set[str]] = {}
        self._names: dict[str, set[str]] = {}
        self._streets: list[tuple[str, str, str]] = []
        columns = Family.code, Family.name, Family.address, Family.postcode
        for each in Family.select(*columns).where(*_PRESENT):
            self._surnames[each.code] = {plain(each.name)} - {""}
            if street := plain(each.address):
                self._streets.append((street, each.postcode.strip(), each.code))
        people = Guardian.first_name, Guardian.last_name, Guardian.family, Family.code
        for person in Guardian.select(*people).join(Family).where(*_PRESENT):
            code, whole = person.family.code, f"{person.first_name} {person.last_name}"
            self._surnames[code] |= {plain(person.last_name)} - {""}
            self._names.setdefault(child_key(plain(whole)), set()).add(code)

    def bears(self, code: str, name: str) -> bool:
        """Tell whether this name has the surname of the family of this code."""
        said = plain(name)
        return any(each in said for each in self._surnames.get(code, ()))

    def is_nameless(self, code: str) -> bool:
        """Tell whether a family of this code is known by its invoices only."""
        return self._surnames.get(code) == set()

    def of_name(self, name: str) -> set[str]:
        """Return the codes of the families of somebody of this name, whichever comes first."""
        found: set[str] = set()
        for part in name.split(" et "):
            found |= self._names.get(child_key(plain(part)), set())
        return found

    def of_address(self, named: Named) -> set[str]:
        """Return the codes of the families of this address, which a program may have cut."""
        street, town = plain(named.street), named.town.strip()
        if not street:
            return set()
        return {
            code
            for each, postcode, code in self._streets
            if _is_same(street, each) and (not postcode or not town or town.startswith(postcode))
        }


def _is_same(street: str, other: str) -> bool:
    short, long = sorted((street, other), key=len)
    return short == long or (len(short) >= _ENOUGH and long.startswith(short))
