"""The errors of the contract. The class of an error says what the site must do."""

from collections.abc import Iterator
from contextlib import contextmanager


class GatewayError(Exception):
    """Base of the errors of this contract."""


class ConfigError(GatewayError):
    """Wrong settings: the site refuses to start. `faults` says each fault in French, no secrets."""

    def __init__(self, faults: list[str]):
        super().__init__("\n".join(faults))
        self.faults = faults


class BadCallback(GatewayError):
    """Forged or garbled message: the site changes nothing and answers 4xx. The text must repeat no
    value of the message."""


class Unreadable(BadCallback):
    """The bank surely wrote the message, but the gateway cannot read it: it may be about money. The
    site changes nothing, tells a human, and answers the bank that it has the message.

    `reference` (`Order.reference`) and `transaction_id` are what could be read, as the bank wrote
    it; a value that is no text is ignored. Never card data.
    """

    def __init__(self, text: str, *, reference: object = "", transaction_id: object = ""):
        super().__init__(text)
        self.reference = reference if isinstance(reference, str) else ""
        self.transaction_id = transaction_id if isinstance(transaction_id, str) else ""


class Unreachable(GatewayError):
    """The bank gave no credible answer: nothing is known, and the site asks again later.

    An answer about another shop or order, or a web page in place of data, counts as none. The text
    is short, in French, and repeats no value of the answer.
    """


class Declined(GatewayError):
    """The bank refused, and did nothing. The text says why, in French."""


class WrongEmail(Declined):
    """The bank refuses the payer's e-mail address: the site asks the payer for another one."""


class Garbled(BadCallback, Unreachable):
    """A value of the wrong kind. The site takes it as BadCallback in a notification, as Unreachable
    in an answer."""


@contextmanager
def proved(*, reference: object = "", transaction_id: object = "") -> Iterator[None]:
    """Turn BadCallback into Unreadable in the block: the bank has proved that it wrote the
    message."""
    try:
        yield
    except Unreadable:
        raise
    except BadCallback as error:
        raise Unreadable(str(error), reference=reference, transaction_id=transaction_id) from error
