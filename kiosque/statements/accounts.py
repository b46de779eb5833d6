"""Find the *régie* of the account in a file: the first statement of a *régie* sets its account."""

from collections.abc import Mapping
from typing import Any, NamedTuple, Self

from kiosque.db.models import Attempt, BankAccount, StatementLine
from kiosque.language import clock
from kiosque.payments.refusals import Refused
from kiosque.settings import Settings
from kiosque.statements.records import Operation

#: The shortest number of an account that may be written without the codes of its bank.
_NUMBER_SIGNS = 10
#: Enough payments to tell which *régie* a journal belongs to.
_SAMPLE = 200
#: Suffix of the *régie* of a line whose load was undone; no real key ends so.
ASIDE = "!"


class WhichRegie(Refused):
    """Nothing in the file tells which *régie* its account belongs to: a person has to say."""

    def __init__(self) -> None:
        super().__init__(["Rien ne dit de quelle régie est ce fichier : choisissez-la."])


class AccountHolder(NamedTuple):
    """A *régie* that a file may belong to: its name, and its gateway."""

    name: str
    gateway: str

    @classmethod
    def all_of(cls, settings: Settings) -> Mapping[str, Self]:
        """Return all those of a town by their keys."""
        return {
            key: cls(regie.name, settings.gateway_of(key) or "")
            for key, regie in settings.regies_by_key.items()
        }


def holder_of_account(
    number: str, chosen: str | None, regies: Mapping[str, AccountHolder], author: str
) -> str:
    """Return the key of the *régie* of an account, and store the account if it is the *régie*'s
    first. Belongs inside `write()`. Raises Refused if it is another *régie*'s, WhichRegie if
    several are possible."""
    known = {each.regie: each.number for each in BankAccount.select()}
    owners = [regie for regie, own in known.items() if number and _is_same(number, own)]
    regie = owners[0] if owners else _chosen(chosen, regies)
    if regie not in regies or (chosen is not None and chosen != regie):
        raise Refused([f"Le compte {number} est celui d’une autre régie."])
    if number and not owners:
        if regie in known:
            raise Refused(
                [
                    f"Ce fichier est du compte {number}. Celui de la régie {regies[regie].name} "
                    f"est le compte {known[regie]}."
                ]
            )
        BankAccount.create(regie=regie, number=number, noted_at=clock.now(), author=author)
    return regie


def holder_of_operations(
    operations: tuple[Operation, ...], chosen: str | None, regies: Mapping[str, AccountHolder]
) -> tuple[str, str]:
    """Return the key of the *régie* of an acquirer's journal, and its gateway: those of our
    payments in it, else as chosen. Raises Refused, WhichRegie."""
    named = [each.order_reference for each in operations[:_SAMPLE]]
    query: Any = (
        Attempt.select(Attempt.regie, Attempt.gateway)
        .where(Attempt.reference.in_(named))
        .distinct()
    )
    found = list(query.tuples())
    if len(found) > 1:
        raise Refused(["Ce fichier parle des paiements de plusieurs contrats de banque."])
    if not found:
        regie = _chosen(chosen, regies)
        return regie, regies[regie].gateway
    regie, gateway = found[0]
    if regie not in regies or (chosen is not None and chosen != regie):
        raise Refused(["Ce fichier est d’une autre régie."])
    return regie, gateway


def is_aside(line: StatementLine) -> bool:
    """Tell whether a line is of a load that was undone: it stays only because the journal cites
    it."""
    return line.regie.endswith(ASIDE)


def owner_of(line: StatementLine) -> str:
    """Return the key of the *régie* of a line, even if its load was undone."""
    return line.regie.removesuffix(ASIDE)


def _chosen(chosen: str | None, regies: Mapping[str, AccountHolder]) -> str:
    if chosen is not None and chosen in regies:
        return chosen
    if chosen is not None or len(regies) != 1:
        raise WhichRegie
    return next(iter(regies))


def _is_same(one: str, other: str) -> bool:
    """Tell whether two numbers are of one account: some files give the account's number, others the
    IBAN, which ends with it or with it and a key of two digits."""
    short, long = sorted((one, other), key=len)
    ends = (long, long[:-2])
    return short == long or (len(short) >= _NUMBER_SIGNS and any(e.endswith(short) for e in ends))
