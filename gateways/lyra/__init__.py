"""Lyra's hosted payment page, as French banks sell it under many names, and its REST service.

`form` signs the way out and verifies notifications, `rest` asks the bank and gives money back,
`orders` reads its answers, `statuses` translates its words, `page` holds the options of the payment
page, `settings` describes a shop and `credentials` checks its keys.
"""

from collections.abc import Mapping

from gateways.lyra.form import EURO, SESSION_EXPIRED, HostedForm, sign
from gateways.lyra.rest import RestShop
from gateways.lyra.settings import BRANDS, LyraSettings, Shop
from gateways.lyra.statuses import STATUSES
from gateways.settings import read_checked

__all__ = [
    "BRANDS",
    "EURO",
    "SESSION_EXPIRED",
    "STATUSES",
    "HostedForm",
    "LyraGateway",
    "LyraRestGateway",
    "LyraSettings",
    "RestShop",
    "Shop",
    "sign",
]


class LyraGateway(HostedForm):
    """A shop without the REST service. If a password is set, `configure` makes a
    LyraRestGateway."""

    @classmethod
    def configure(
        cls, name: str, table: Mapping[str, object], *, environment: str
    ) -> "LyraGateway":
        settings = read_checked(
            LyraSettings,
            table,
            f"gateways.{name}.",
            environment=environment,
            stand_ins={"adapter": "lyra", "site_id": ""},
        )
        chosen = LyraRestGateway if settings.password else LyraGateway
        return chosen(name, settings.bank, settings.shop())


class LyraRestGateway(RestShop, LyraGateway):
    """A shop with the REST service: it can be asked, and told to give money back."""
