"""One session of the mock bank's payment page, and the options in its form."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

#: Time for which the page stays open.
SESSION = timedelta(minutes=10)


@dataclass(frozen=True)
class PaymentSession:
    """One session of the payment page."""

    token: str
    opened_at: datetime
    fields: Mapping[str, str]
    state: str
    tries: int

    @property
    def cents(self) -> int:
        return int(self.fields["vads_amount"])

    @property
    def theme(self) -> Mapping[str, str]:
        """The town's theme of the page. Its files (logo, styles) are not fetched here."""
        pairs = self.fields.get("vads_theme_config", "").split(";")
        return dict(pair.split("=", 1) for pair in pairs if "=" in pair)

    @property
    def seconds(self) -> int | None:
        """Seconds after which a payer who has paid is sent back; None to wait for a click."""
        told = self.fields.get("vads_redirect_success_timeout", "")
        return int(told) if told else None

    @property
    def is_open(self) -> bool:
        return self.state == "open" and datetime.now(UTC) - self.opened_at < SESSION
