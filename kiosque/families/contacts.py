"""The e-mail addresses that a family is written to at, and the families of an address."""

from collections.abc import Collection

from peewee import Expression, TextField, fn

from kiosque.db.models import Family, Guardian
from kiosque.outbox.addresses import distinct, key


def addresses(family: Family) -> list[str]:
    """Return the address that the family confirmed, else those that the town holds of its
    parents; none when the town knows none."""
    return distinct([family.email] if family.email else _held(family))


def reached(codes: Collection[str]) -> int:
    """Return how many of the families of these codes want mails, and have an address for them."""
    has_address = Guardian.select(Guardian.family).where(Guardian.email != "")
    found = Family.select(Family.code).where(
        Family.wants_mail == True,  # noqa: E712  # an SQL expression
        (Family.email != "") | Family.id.in_(has_address),
    )
    return len({family.code for family in found} & set(codes))


def every_address(family: Family) -> list[str]:
    """Return every address known of the family, to warn it of what changes its way in."""
    return distinct([*filter(None, [family.email]), *_held(family)])


def is_written_to_at(family: Family, email: str) -> bool:
    """Tell whether `addresses` still gives this one."""
    return key(email) in {key(each) for each in addresses(family)}


def families_written_to_at(email: str) -> list[tuple[Family, str]]:
    """Return the families that are written to at this address, however it is spelt; not those
    archived.

    Each comes with the address as it is stored: write to that one, never to what was typed.
    """
    typed = key(email)
    guardians = Guardian.select(Guardian.family).where(_may_be(Guardian.email, typed))
    candidates = Family.select().where(
        _may_be(Family.email, typed) | Family.id.in_(guardians), Family.archived_at.is_null()
    )
    found = []
    for family in candidates.order_by(Family.code):
        held = (each for each in addresses(family) if key(each) == typed)
        if address := next(held, None):
            found.append((family, address))
    return found


def told_apart(family: Family, email: str) -> str:
    """Return words that tell the family from the others written to at this address: its name, and
    the first names of its parents. Return "" if there are no others.

    Never use the *code famille*, half of what opens an account: the town may have the address
    wrong. Nor a child, who may be in both families of separated parents, and whom no mail names.
    The name is on the receipts already; alone it is not enough, as two such families may share it.
    """
    if all(other == family for other, _email in families_written_to_at(email)):
        return ""
    guardians = Guardian.select().where(Guardian.family == family).order_by(Guardian.id)
    parents = ", ".join(each.first_name for each in guardians if each.first_name)
    return f"{family.name} ({parents})" if parents else family.name


def _held(family: Family) -> list[str]:
    guardians = Guardian.select().where(Guardian.family == family, Guardian.email != "")
    return [guardian.email for guardian in guardians.order_by(Guardian.id)]


def _may_be(column: TextField, typed: str) -> Expression:
    """Return the condition of the addresses that may have the same key as `typed`.

    The database lowercases ASCII letters only. Addresses with other letters, which are longer in
    bytes than in characters, are few: select them all, for the caller to compare one by one.
    """
    return (fn.LOWER(column) == typed) | (fn.OCTET_LENGTH(column) > fn.LENGTH(column))
