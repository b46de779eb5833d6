"""Follow what each régie pays over and keeps back, on the portal and in the books."""

import contextlib
import hashlib
from collections import Counter
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from kiosque import deposits
from kiosque.db.models import Deposit, Service, Settlement
from kiosque.deposits import Bordereau, DepositDraft, Imputed
from kiosque.deposits.sums import RevenueLine, sums
from kiosque.payments import Refused, journal
from kiosque.settings import Settings
from tests.proof.books import Debit
from tests.proof.stage import Crash, crash_at, dump, rows

if TYPE_CHECKING:
    from tests.proof.machine import Town

#: The payment of each settlement, as the books call it.
PAYMENTS = """
    SELECT settlement.id, COALESCE(attempt.reference, CAST(settlement.id AS TEXT))
    FROM settlement LEFT JOIN attempt ON attempt.id = attempt_id
"""


#: Whoever presses is alone; or another does at once; or dies on the way, and presses again; or
#: something is kept back while the paper is made.
HOWS = ("alone", "at once", "dying", "kept back meanwhile")


def final(town: "Town", regie: str, how: str = "alone", which: int = 0) -> None:
    """Make final all that a régie has to pay over: of each payment, what it pays of invoices and
    was not paid over before. Refused exactly where there is nothing."""
    _impute(regie)
    if how == "kept back meanwhile":
        _keep_meanwhile(town, regie, which)
    found = deposits.draft(regie, journal.last()[0])
    due = _by_payment(found.lines)
    assert due == _wanted(town, regie), "what is to be paid over is not what came"
    before = dump()
    try:
        made = _press(town, found, how, which)
    except Refused:
        assert not found.lines
        assert dump() == before
        return
    _require_refused(town, found, "one draft made two deposits")
    for name, cents in due.items():
        town.paid_over[name] += cents
    told = sum(due[name] for name in due if name in _told_only(town))
    printed = deposits.bordereau_of(made).lines
    for by in (lambda line: line.source, lambda line: line.imputed):
        by_part = sums(printed, by).values()
        assert sum(sum(it) for it in by_part) == sum(due.values()), "sums of the paper differ"
    assert made.amount_cents == sum(due.values()) - told
    if made.amount_cents:
        town.deposits[regie].append(("deposit", str(made.id), -made.amount_cents))
    online = sum(town.paid_over[_name(it)] for it in _payments(town, regie) if it[0].owner)
    seen = sum(
        part[2]
        for line in town.accounts[regie].lines.values()
        for part in line.parts
        if part[0] == "deposit"
    )
    held = journal.balances(regie=regie)
    assert held.get(journal.account(journal.PAID_OVER, regie), 0) == -online - seen


def _press(town: "Town", found: DepositDraft, how: str, which: int) -> Deposit:
    before = dump()
    if how == "dying":
        with contextlib.suppress(Crash), crash_at(which + 1):
            return deposits.finalize(*_asked(town, found), _paper)
        town.stage.restart()
        assert dump() == before, "half a deposit was kept"
    pressed: list[Deposit] = []

    def paper(made: Bordereau) -> bytes:
        if how == "at once" and not pressed:
            pressed.append(deposits.finalize(*_asked(town, found), _paper))
        return _paper(made)

    try:
        made = deposits.finalize(*_asked(town, found), paper)
    except Refused:
        if not pressed:
            raise
        return pressed[0]
    assert not pressed, "two who pressed at once made two deposits"
    return made


def _keep_meanwhile(town: "Town", regie: str, which: int) -> None:
    """While the paper is made, a payment of it is kept back: nothing is final."""
    found = deposits.draft(regie, journal.last()[0])
    due = _by_payment(found.lines)
    mine = [at for at, it in enumerate(town.books.payments()) if _name(it) in due]
    if mine:
        at = mine[which % len(mine)]
        why = "what was kept back meanwhile is paid over"
        _require_refused(town, found, why, meanwhile=lambda: keep(town, at))


def _require_refused(
    town: "Town", found: DepositDraft, why: str, meanwhile: Callable[[], None] = lambda: None
) -> None:
    """A draft that is no more what there is to pay over makes no deposit."""

    def paper(made: Bordereau) -> bytes:
        meanwhile()
        return _paper(made)

    before = rows("SELECT * FROM deposit")
    with contextlib.suppress(Refused):
        deposits.finalize(*_asked(town, found), paper)
    assert rows("SELECT * FROM deposit") == before, why


def _asked(town: "Town", found: DepositDraft) -> tuple[Settings, str, int, str, str]:
    return (town.stage.settings, found.regie, found.up_to, "Dominique", found.fingerprint)


def compare_papers() -> None:
    """Each paper is in the database, and would be made the same from it: who was killed before he
    had it lost nothing. The journal cites it."""
    for deposit in Deposit.select():
        kept = hashlib.sha256(deposit.pdf).hexdigest()
        assert kept == deposit.pdf_sha256, "another paper is kept"
        sha256 = hashlib.sha256(_paper(deposits.bordereau_of(deposit))).hexdigest()
        assert sha256 == deposit.pdf_sha256, "a paper is not made again the same"
        cited = rows(f"SELECT label FROM journal_entry WHERE deposit_id = {deposit.id}")
        assert all(label.endswith(sha256) for (label,) in cited)


def keep(town: "Town", which: int) -> None:
    """Keep a payment back, or take it up again."""
    payments = town.books.payments()
    if not payments:
        return
    together = payments[which % len(payments)]
    name, regie = _name(together), town.books.regie_of(together[0])
    mine = [number for number, payment in rows(PAYMENTS) if payment == name]
    for settlement in Settlement.select().where(Settlement.id.in_(mine)):
        act = deposits.take_up if deposits.kept_of(settlement) else _keep
        try:
            town.kept[name] += act(settlement, "Dominique") * (1 if act is _keep else -1)
        except Refused:
            assert not deposits.to_pay_over(settlement)
    assert (
        _by_payment(each.line for each in deposits.kept_back(regie)).get(name, 0)
        == (town.kept[name])
    )


def _keep(settlement: Settlement, author: str) -> int:
    return deposits.keep_back(settlement, author, "contestée")


def _impute(regie: str) -> None:
    for service in Service.select():
        deposits.set_imputation(regie, service.name, Imputed("70632"), "Dominique")


def _paper(made: Bordereau) -> bytes:
    return made.written.encode()


def _wanted(town: "Town", regie: str) -> dict[str, int]:
    found = {}
    for together in _payments(town, regie):
        name, accounts = _name(together), town.books.accounts(together)
        brought = -sum(
            cents
            for account, cents in accounts.items()
            if account.partition("/")[0] in ("invoices", "refunds")
        )
        if cents := brought - town.paid_over[name] - town.kept[name]:
            found[name] = cents
    return found


def _by_payment(lines: Iterable[RevenueLine]) -> dict[str, int]:
    names, found = dict(rows(PAYMENTS)), Counter[str]()
    for line in lines:
        found[names[line.settlement]] += line.cents
    return {name: cents for name, cents in found.items() if cents}


def _payments(town: "Town", regie: str) -> list[list[Debit]]:
    return [it for it in town.books.payments() if town.books.regie_of(it[0]) == regie]


def _told_only(town: "Town") -> set[str]:
    """The payments that are no money of a régie: credit notes, and what the Treasury had."""
    return {it.name for it in town.books.counter if it.note or it.mode == "treasury"}


def _name(together: list[Debit]) -> str:
    owner = together[0].owner
    return owner.reference if owner else together[0].name
