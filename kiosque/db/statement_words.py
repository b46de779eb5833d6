"""The machine words of the bank's statements: whether a line is explained, by what, and how."""

from enum import StrEnum


class LineState(StrEnum):
    """The state of a line of a statement: wholly explained, or not."""

    OPEN = "open"
    MATCHED = "matched"


class MatchKind(StrEnum):
    """The kind of what explains a part of a line of a statement."""

    SETTLEMENT = "settlement"
    REPAYMENT = "repayment"
    DEPOSIT = "deposit"
    FEE = "fee"
    OTHER = "other"


class MatchRule(StrEnum):
    """How what explains a line was found: our reference, or the bank's name of the payment; the sum
    of one remittance, or of one day of a gateway; the number of a receipt or of an invoice; the
    amount of a deposit; an amount and a day that are near; or a person, without our help."""

    REFERENCE = "reference"
    REMITTANCE = "remittance"
    DAY = "day"
    NUMBER = "number"
    DEPOSIT = "deposit"
    AMOUNT = "amount"
    PERSON = "person"
