"""Match the services and children that a file names with those of the database, however spelt."""

from collections.abc import Iterable, Mapping

from kiosque.db.models import Family, Service, known_child
from kiosque.invoices.imports.reading import quoted
from kiosque.settings import OtherRegie
from kiosque.spelling import child_key, fold

#: (family code, child's name in the file, child's name kept).
JoinedChild = tuple[str, str, str]


class Services:
    """The one name for all spellings of each service in a file: the database's, else the settings',
    else the first in the file. `new` are those that the database lacks."""

    def __init__(
        self,
        spellings: Iterable[str],
        regies: Mapping[str, OtherRegie],
        own_services: Iterable[str] = (),
    ) -> None:
        """Take the services listed by the other *régies*, and by the first one if it lists its
        own."""
        known = {service.key: service.name for service in Service.select()}
        listed = {fold(name): name for each in regies.values() for name in each.services}
        own = {fold(name): name for name in own_services}
        listed |= own
        kept = listed | known
        self.of = {spelt: kept.setdefault(fold(spelt), spelt) for spelt in spellings}
        self.new = {name for name in self.of.values() if fold(name) not in known}
        #: New services that are in no *régie*'s list; empty in a town of one *régie*.
        self.unseen = {name for name in self.new if regies and fold(name) not in listed}

        #: Services whose money no *régie* may take.
        self._uncollected = {name for name in self.of.values() if own and fold(name) not in listed}

    def several_in_one(self, spelt: str) -> str:
        """Say in French that a new name looks like several services; nothing when it does not."""
        if self.of[spelt] not in self.new or not any(sign in spelt for sign in ",;|"):
            return ""
        return f"la prestation nouvelle {quoted(spelt)} en réunit-elle plusieurs ?"

    @property
    def joined(self) -> tuple[tuple[str, str], ...]:
        """Return each spelling that differs from the name kept, with that name."""
        return tuple((spelt, name) for spelt, name in sorted(self.of.items()) if spelt != name)

    def fault(self, spelt: str) -> str:
        """Say in French why nothing may be collected for a service; nothing when it may."""
        if self.of[spelt] not in self._uncollected:
            return ""
        return (
            f"la prestation « {spelt} » n’est d’aucune régie. Corrigez-la, ou ajoutez-la aux "
            "réglages (services)."
        )

    def unseen_fault(self, spelt: str) -> str:
        """Say in French why a service waits to be confirmed; nothing when it need not be."""
        if self.of[spelt] not in self.unseen:
            return ""
        return (
            f"la prestation « {spelt} » n’a jamais été vue et n’est d’aucune liste [regies.…] : "
            "elle irait au compte de la première régie. Corrigez-la, ou confirmez."
        )


class Children:
    """The one name of each child of the families of a file."""

    def __init__(self, told: Iterable[tuple[str, str]], known: Mapping[str, Iterable[str]]) -> None:
        """Take the (family code, child) pairs of a file, and the names in the database."""
        names = {code: set(found) for code, found in known.items()}
        self.of: dict[tuple[str, str], str] = {}
        self.new: list[tuple[str, str]] = []
        # Full names first, so that a first name alone can then be matched with one of them.
        for code, child in sorted(told, key=lambda each: -len(each[1].split())):
            own = names.setdefault(code, set())
            if (name := known_child(own, child)) is None:
                own.add(name := child)
                self.new.append((code, name))
            self.of[code, child] = name

    @property
    def joined(self) -> tuple[JoinedChild, ...]:
        """Return the full names that are not spelt as the name kept."""
        return tuple(
            (code, child, name)
            for (code, child), name in sorted(self.of.items())
            if child != name and child_key(child) == child_key(name)
        )


def forgotten(codes: Iterable[str]) -> list[str]:
    """Return those of these codes whose families were forgotten, in order."""
    found = Family.select(Family.code).where(Family.forgotten_at.is_null(False))
    return sorted({family.code for family in found} & set(codes))


def away(codes: Iterable[str]) -> list[str]:
    """Return those of these codes whose families were forgotten or archived, in order."""
    is_away = Family.forgotten_at.is_null(False) | Family.archived_at.is_null(False)
    return sorted(
        {family.code for family in Family.select(Family.code).where(is_away)} & set(codes)
    )


def forgotten_fault(code: str) -> str:
    """Say in French that a file would bring back a family that was forgotten."""
    return (
        f"famille {code} oubliée ou effacée d’ici. Retirez-la du fichier ou, si elle revient, "
        "confirmez."
    )


class Codes:
    """The codes on record, compared without their leading zeros."""

    def __init__(self, codes: Iterable[str]) -> None:
        self._known: dict[str, list[str]] = {}
        for code in sorted(codes):
            self._known.setdefault(code.lstrip("0"), []).append(code)

    def nearly(self, code: str) -> str:
        """Say in French which other family has this code but for zeros; nothing if none has."""
        bare = code.lstrip("0")
        twins = [each for each in self._known.get(bare, []) if each != code]
        return f" (mais {', '.join(twins)} existe)" if bare and twins else ""

    def unknown_fault(self, code: str) -> str:
        """Say in French that a code is not in the record."""
        return f"famille {code} inconnue{self.nearly(code)}. Corrigez le code, ou confirmez."
