"""The errors of the contract. The class of an error says what the site must do."""

from collections.abc import Iterator
from contextlib import contextmanager


class GatewayError(Exception):
    """Base of the errors of this contract."""


class ConfigError(GatewayError):
    """Wrong settings: the site refuses to start. `faults` names each in French, without secrets."""

    def __init__(self, faults: list[str]):
        super().__init__("\n".join(faults))
        self.faults = faults


class BadCallback(GatewayError):
    """Forged or garbled message: the site changes nothing, answers 4xx. No value is repeated."""


class Unreadable(BadCallback):
    """The bank proves that it wrote a message, and the gateway cannot read it: there may be money
    in it. The site changes nothing, tells a human, and answers that it has the message.

    `reference` (`Order.reference`) and `transaction_id` are what could be read of it, as the bank
    wrote it; another type than a text counts as nothing. Never card data.
    """

    def __init__(self, text: str, *, reference: object = "", transaction_id: object = ""):
        super().__init__(text)
        self.reference = reference if isinstance(reference, str) else ""
        self.transaction_id = transaction_id if isinstance(transaction_id, str) else ""


class Unreachable(GatewayError):
    """The bank gave no answer that can be believed: nothing is known, the site asks again later.

    An answer about another shop or order, or a web page in place of data, counts as none. The text
    is short, in French, and repeats no value of the answer.
    """


class Declined(GatewayError):
    """The bank refused, and did nothing. The text says why, in French."""


class WrongEmail(Declined):
    """The bank refuses the payer's e-mail address: the site asks the payer for another one."""


class Garbled(BadCallback, Unreachable):
    """A value that is not of its kind: in a notification, the site takes it as BadCallback; in an
    answer, as Unreachable."""


@contextmanager
def proved(*, reference: object = "", transaction_id: object = "") -> Iterator[None]:
    """Read what the bank has proved to have written: BadCallback becomes Unreadable."""
    try:
        yield
    except Unreadable:
        raise
    except BadCallback as error:
        raise Unreadable(str(error), reference=reference, transaction_id=transaction_id) from error
