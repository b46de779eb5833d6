"""Payments to receive, and files of the bank's about them, made by hand."""

from collections.abc import Sequence
from datetime import date, timedelta
from hashlib import sha256
from itertools import count

from kiosque.db import database, write
from kiosque.db.models import (
    Allocation,
    Attempt,
    Family,
    LineMatch,
    Repayment,
    Settlement,
    StatementFile,
    StatementLine,
)
from kiosque.language import clock
from kiosque.payments import accounting_rules, journal
from kiosque.payments.verification import statements, sums
from kiosque.statements import loading, undoing
from kiosque.statements.accounts import AccountHolder, is_aside
from kiosque.statements.records import (
    Direction,
    FileKind,
    Movement,
    Operation,
    ParsedFile,
    Period,
)

ACCOUNT = "FR7630001000010000000000001"
ONE: dict[str, AccountHolder] = {"": AccountHolder("Régie Enfance", "banque")}
TWO = {**ONE, "creche": AccountHolder("Régie Petite enfance", "creche")}
NOVEMBER = date(2026, 11, 1)
#: Beyond the short numbers that tests give to transactions of their own.
_numbers = count(100_000)


def day(number: int) -> date:
    """A day of November 2026."""
    return NOVEMBER + timedelta(days=number - 1)


def paid(
    family: Family, cents: int, on: date, *, gateway: str = "banque", regie: str = ""
) -> Settlement:
    """A payment by card that the account has not received."""
    number = next(_numbers)
    at = clock.noon_in_paris(on)
    attempt = Attempt.create(
        reference=f"KF{number:018x}", family=family, gateway=gateway, started_at=at,
        day=on.strftime("%Y%m%d"), number=number, amount_cents=cents, state="paid",
        live_until=at, regie=regie,
    )  # fmt: skip
    settlement = Settlement.create(
        attempt=attempt, family=family, gateway=gateway, transaction_id=f"{number:032x}",
        mode="card", amount_cents=cents, settled_at=at, state="counted", regie=regie,
    )  # fmt: skip
    Allocation.create(settlement=settlement, kind="unmatched", amount_cents=cents)
    _book(settlement)
    return settlement


def given_back(settlement: Settlement, cents: int, on: date, kind: str = "refund") -> Repayment:
    """Money of a payment that was given back."""
    at = clock.noon_in_paris(on)
    repayment = Repayment.create(
        settlement=settlement, kind=kind, state="done", amount_cents=cents,
        key=f"test:{next(_numbers)}", asked_at=at, done_at=at,
        author="Dominique", reason="essai",
    )  # fmt: skip
    Settlement.update(returned_cents=Settlement.returned_cents + cents).where(
        Settlement.id == settlement.id
    ).execute()
    _book(settlement)
    return repayment


def _book(settlement: Settlement) -> None:
    with write():
        accounting_rules.book(settlement, "essai")


def reference(settlement: Settlement) -> str:
    assert settlement.attempt
    return settlement.attempt.reference


def movement(on: date, cents: int, label: str = "VIR", reference: str = "") -> Movement:
    return Movement(on, on, cents, label, reference)


def period(
    movements: Sequence[Movement],
    opening: int | None = 0,
    *,
    since: date | None = None,
    until: date | None = None,
    account: str = ACCOUNT,
) -> Period:
    """A statement that begins with this balance, the day before its first movement by default."""
    days = [each.booked_on for each in movements]
    closing = None if opening is None else opening + sum(each.cents for each in movements)
    return Period(
        account, since or min(days) - timedelta(days=1), opening, until or max(days), closing,
        tuple(movements),
    )  # fmt: skip


def statement(*periods: Period, kind: FileKind = FileKind.CFONB) -> ParsedFile:
    return ParsedFile(kind, periods=periods)


def operation(settlement: Settlement, fee: int | None = None, **changes: object) -> Operation:
    """Return what the acquirer's journal says of a payment."""
    assert settlement.attempt
    on = clock.paris_date(settlement.settled_at)
    values: dict[str, object] = {
        "gateway_day": on,
        "transaction_id": f"{settlement.attempt.number:06d}",
        "order_reference": settlement.attempt.reference,
        "cents": settlement.amount_cents,
        "fee_cents": fee,
        "remitted_on": on,
        "remittance": "",
        "direction": Direction.DEBIT,
        "status": "MATCH_OK",
        **changes,
    }
    return Operation(**values)  # type: ignore[arg-type]


def jrb(*operations: Operation) -> ParsedFile:
    return ParsedFile(FileKind.JRB, operations=operations)


def load(
    file: ParsedFile,
    regie: str | None = None,
    regies: dict[str, AccountHolder] = ONE,  # never changed
) -> loading.Loaded:
    """Load a file; one that says the same is the same."""
    digest = sha256(repr(file).encode()).hexdigest()
    return loading.load(file, "releve", digest, regie=regie, regies=regies, author="Dominique")


def lines() -> list[tuple[date, int, str, str, int]]:
    """The lines, by what they say, but for those set aside."""
    return sorted(
        (each.booked_on, each.amount_cents, each.label, each.reference, each.occurrence)
        for each in StatementLine.select()
        if not is_aside(each)
    )


def undo_last() -> StatementFile:
    """Undo the last load."""
    last = undoing.files().where(StatementFile.undone_at.is_null()).get()
    return undoing.undo(last.id, "Dominique", "mauvais fichier")


def matches() -> list[tuple[str, int, int, str, int | None]]:
    """The matches in force: of which line, what, and by what rule."""
    found = LineMatch.select(LineMatch, StatementLine).join(StatementLine)
    return sorted(
        (
            f"{each.line.booked_on} {each.line.label}",
            each.line.amount_cents,
            each.amount_cents,
            each.kind,
            each.settlement_id or each.repayment_id or each.deposit_id,
        )
        for each in found.where(LineMatch.undone_at.is_null())
    )


def balances(regie: str = "") -> dict[str, int]:
    """The accounts that statements move, and what waits at the bank."""
    held = journal.balances(regie=regie)
    return {name: cents for name, cents in sorted(held.items()) if cents and name != "unmatched"}


def faults() -> list[str]:
    """Return what `verify` says of the statements and of the journal."""
    checks = (
        statements.lines,
        statements.told,
        statements.matches,
        statements.entries,
        statements.balances,
        sums.corrections,
    )
    return [*journal.verify(), *(fault for check in checks for fault in check())]


def rows(table: str) -> list[tuple[object, ...]]:
    return sorted(map(tuple, database.execute_sql(f"SELECT * FROM {table}").fetchall()))
