"""The contract of `gateways.base` as a suite of tests that any adapter runs.

    from gateways.testing import GatewayContract

    class TestMine(GatewayContract):
        table = {"adapter": "mine", "key": "..."}

        def notice(self, order, handoff, said): ...

Fill in the attributes and the hooks of `hooks.Hooks`; pytest does the rest. Tests of what an
adapter cannot do are skipped. Only tests import this package: it needs pytest.
"""

from gateways.testing.hooks import (
    NAME,
    NOTHING,
    ON_THE_PAGE,
    OTHER_ORDER,
    PAID,
    REFUSED,
    UNKNOWN_STATUS,
    UNREACHABLE,
)
from gateways.testing.key_change import KeyChangeTests
from gateways.testing.notifications import NotificationTests
from gateways.testing.optional import (
    CheckTests,
    ListTests,
    PollTests,
    RefundTests,
    ResumeTests,
)
from gateways.testing.settings import SettingsTests
from gateways.testing.start import StartTests

__all__ = [
    "NAME",
    "NOTHING",
    "ON_THE_PAGE",
    "OTHER_ORDER",
    "PAID",
    "REFUSED",
    "UNKNOWN_STATUS",
    "UNREACHABLE",
    "GatewayContract",
]


class GatewayContract(
    SettingsTests,
    StartTests,
    NotificationTests,
    KeyChangeTests,
    PollTests,
    ListTests,
    ResumeTests,
    CheckTests,
    RefundTests,
):
    """The whole contract. Subclass it, with a name that begins with `Test`."""
