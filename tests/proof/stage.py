"""A database of its own for each run of the machine, and what is read of it to be compared."""

import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from gateways.registry import configure as configure_gateway
from kiosque import db
from kiosque.language import clock
from kiosque.mails import delivery
from kiosque.payments import Issuers, reconcile
from kiosque.settings import Mail, OtherRegie, Payment, Regie, Settings, Town
from tests import fresh_databases
from tests.bank import KEY
from tests.conftest import NOW, PUBLIC_URL, Clock
from tests.proof.bank import Bank, Contract, FullContract

#: In memory where the system has such a folder: the same calls, without the disk's patience.
_FOLDER = next((path for path in ("/dev/shm",) if Path(path).is_dir()), None)
SANDBOX = {"adapter": "sandbox", "url": "http://127.0.0.1:8001"}
KEYS = {"banque": KEY, "tresor": KEY[::-1]}
#: The gateway of each régie.
GATEWAYS = {"": "banque", "creche": "tresor"}
#: What the proof calls a debit: the bank's name of it, or the number of a counter payment.
NAME = (
    "COALESCE(settlement.gateway || ':' || settlement.transaction_id, CAST(settlement.id AS TEXT))"
)


def _settings(folder: Path, location: str, tables: Mapping[str, Mapping[str, object]]) -> Settings:
    return Settings(
        environment="test",
        secret_key="s" * 43,
        public_url=PUBLIC_URL,
        database=location,
        data=folder,
        town=Town("Ville de Sautron", "enfance@sautron.example.org", "i@sautron.example.org"),
        regie=Regie("Régie Enfance", "Dominique Aubry", "regie@sautron.example.org"),
        payment=Payment(gateway="banque"),
        mail=Mail(sender="kiosque@sautron.example.org"),
        gateways=tables,
        regies={
            "creche": OtherRegie(
                "Régie de la crèche",
                "Camille Roy",
                "creche@sautron.example.org",
                services=("Multi-accueil",),
                gateway="tresor",
            )
        },
    )


class Stage:
    """The portal on an empty database, its clock held by hand, its bank ours, its mails counted.
    The first régie's contract is whole; the crèche's bank cannot be asked, and gives nothing
    back."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(dir=_FOLDER)))
        location = self._stack.enter_context(fresh_databases.ready(folder))
        self._stack.enter_context(db.elsewhere(location))
        self.clock = Clock(NOW)
        tables = {name: {**SANDBOX, "key": key} for name, key in KEYS.items()}
        self.bank = Bank(KEYS)
        self.gateways: dict[str, Contract] = {
            name: kind(self.bank, configure_gateway(name, tables[name], environment="test"))
            for name, kind in (("banque", FullContract), ("tresor", Contract))
        }
        self.carried: Counter[str] = Counter()
        self.settings = _settings(folder, str(location), tables)
        self.issuers = Issuers.from_settings(self.settings)
        for target, name, value in (
            (clock, "now", lambda: self.clock.at),
            (delivery, "_carrier", lambda _settings: _Carrier(self.carried)),
            (reconcile, "AT_ONCE", 1),  # answers come in the order of the questions
        ):
            self._stack.enter_context(mock.patch.object(target, name, value))

    def restart(self) -> None:
        db.database.close()
        db.database.connect()

    def close(self) -> None:
        self._stack.close()


class _Carrier:
    """Takes every mail away, and counts it."""

    def __init__(self, carried: "Counter[str]") -> None:
        self._carried = carried

    def send(self, row: Any, recipient: str, _message: object) -> None:
        self._carried[f"{row.key} {recipient}"] += 1

    def close(self) -> None:
        pass


def rows(sql: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in db.database.execute_sql(sql)]


def debit_of(credit: str) -> str | None:
    """Return the debit that the portal takes this credit to give back."""
    found = rows(
        f"""
        SELECT {NAME} FROM repayment JOIN settlement ON settlement.id = settlement_id
        WHERE repayment.gateway || ':' || repayment.transaction_id = '{credit}'
        """
    )
    return found[0][0] if found else None


_TABLES = ("family", "family_merge", "invoice", "transmission", "attempt", "attempt_item", "fact",
           "settlement", "repayment", "allocation", "receipt", "journal_entry", "anomaly",
           "outbox_mail", "revenue", "deposit", "deposit_line", "kept_back", "month_closing",
           "bank_account", "statement_file", "statement", "statement_line", "line_match",
           "bank_operation", "told_line", "told_operation")  # fmt: skip


def dump() -> dict[str, list[tuple[Any, ...]]]:
    """Every table that money or families are in, the audit excepted."""
    return {table: rows(f"SELECT * FROM {table}") for table in _TABLES}


def balances() -> dict[str, dict[str, int]]:
    """The journal's accounts that are not zero, of each payment: an order's reference, or the
    number of a payment at the counter."""
    found: dict[str, Counter[str]] = {}
    for name, debit, credit, cents in rows(
        """
        SELECT COALESCE(attempt.reference, CAST(settlement.id AS TEXT)), debit, credit,
            journal_entry.amount_cents
        FROM journal_entry JOIN settlement ON settlement.id = settlement_id
            LEFT JOIN attempt ON attempt.id = attempt_id
        """
    ):
        accounts = found.setdefault(name, Counter())
        accounts[debit] += cents
        accounts[credit] -= cents
    return {name: {a: c for a, c in each.items() if c} for name, each in found.items()}


class Crash(Exception):
    """The process dies here."""


@contextmanager
def crash_at(statement: int) -> Iterator[None]:
    """Die at the nth statement sent to the database from now on."""
    execute, count = db.database.execute_sql, 0

    def counted(*args: Any, **kwargs: Any) -> Any:
        nonlocal count
        count += 1
        if count == statement:
            raise Crash
        return execute(*args, **kwargs)

    with mock.patch.object(db.database.obj, "execute_sql", counted):
        yield
