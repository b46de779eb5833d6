"""The records of a bank's file, the same for every format: movements, periods, operations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class FileKind(StrEnum):
    """`JRB`, `JO` and `JT` are the acquirer's journals: what reached the bank with its fees
    (*rapprochement bancaire*), each operation, each transaction. The others are statements of an
    account; `CSV` is any table, a spreadsheet too."""

    JRB = "jrb"
    JO = "jo"
    JT = "jt"
    CFONB = "cfonb"
    OFX = "ofx"
    CAMT = "camt"
    CSV = "csv"


class Direction(StrEnum):
    """`DEBIT` takes the payer's money, `CREDIT` gives it back."""

    DEBIT = "debit"
    CREDIT = "credit"


class Unit(StrEnum):
    """The unit of the amounts of an acquirer's journal: its back office lets a shop choose."""

    CENTS = "cents"
    EUROS = "euros"


class Meaning(StrEnum):
    """The meaning of a table's column. `AMOUNT` is signed, or takes its sign from `SIDE` (`D` or
    `C`) where the table has one; `DEBIT` and `CREDIT` are an amount in two columns; `BALANCE` is
    that of the account after the line; `DETAILS` complete the `LABEL`."""

    BOOKED_ON = "booked_on"
    VALUE_ON = "value_on"
    LABEL = "label"
    DETAILS = "details"
    REFERENCE = "reference"
    AMOUNT = "amount"
    DEBIT = "debit"
    CREDIT = "credit"
    BALANCE = "balance"
    SIDE = "side"
    ACCOUNT = "account"
    CURRENCY = "currency"


@dataclass(frozen=True, slots=True)
class Movement:
    """A line of a statement, in the order of time; those of zero are left out. What enters the
    account is above zero.

    `label` is all that the bank says of it, in one line; `reference` what it calls the reference of
    the operation, empty where it gives none."""

    booked_on: date
    value_on: date | None
    cents: int
    label: str
    reference: str


@dataclass(frozen=True, slots=True)
class Period:
    """A statement of one account, in euros.

    `account` is its IBAN or number as the file writes it, without spaces; empty if the file has
    none, as most tables. If both balances are given, `opening_cents` plus the movements must equal
    `closing_cents`, else the file is refused. The account held `opening_cents` at the end of
    `opened_on`, and `closing_cents` at the end of `closed_on`: the next statement begins with that
    day and balance."""

    account: str
    opened_on: date | None
    opening_cents: int | None
    closed_on: date | None
    closing_cents: int | None
    movements: tuple[Movement, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """A line of the acquirer's journal: a payment, or money given back, below zero.

    `gateway_day` (UTC) and `transaction_id` name the payment at the gateway, as its own messages
    do; `order_reference` is the one that we gave it. `fee_cents` is what the bank keeps of it,
    above zero; None if the journal does not say. It was remitted to the bank on `remitted_on`, in
    the remittance of the number `remittance`; these are None and empty if it was not, or if the
    journal does not say. `status` is the journal's own word: a JT has refused payments too, a JO
    names each step of a payment."""

    gateway_day: date
    transaction_id: str
    order_reference: str
    cents: int
    fee_cents: int | None
    remitted_on: date | None
    remittance: str
    direction: Direction
    status: str


@dataclass(frozen=True, slots=True)
class TableReading:
    """How a table was understood: the names of its columns, and which one has each meaning, as a
    person answered or as guessed from the names."""

    header: tuple[str, ...]
    columns: Mapping[Meaning, str]
    is_answered: bool


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """All that a file says: `operations` for an acquirer's journal, `periods` for any other
    file."""

    kind: FileKind
    periods: tuple[Period, ...] = ()
    operations: tuple[Operation, ...] = ()
    table: TableReading | None = None


class UnreadableFile(Exception):  # the word of the domain
    """The file cannot be read; nothing of it was kept. `faults` are French sentences that quote the
    line and the value. `wants_unit` if a person has to say whether its amounts are cents or euros:
    then pass `unit` to `reading.read`."""

    def __init__(self, faults: Sequence[str], *, wants_unit: bool = False):
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)
        self.wants_unit = wants_unit


class OfInvoices(UnreadableFile):
    """The file is not a bank's: it is loaded as invoices or *encaissements* are, such as a PES."""


class UnknownColumns(UnreadableFile):
    """A table whose columns a person has to identify. `header` are their names, `proposal` the
    meanings that could be guessed; `faults` tell of lines that could not be read by that guess. The
    answer, the name of a column by its meaning, is remembered under `signature`, the same for every
    file with this header."""

    def __init__(
        self,
        header: Sequence[str],
        signature: str,
        proposal: Mapping[Meaning, str],
        faults: Sequence[str],
    ):
        super().__init__(faults)
        self.header = tuple(header)
        self.signature = signature
        self.proposal = dict(proposal)
