"""PayFiP, by which the French Treasury (DGFiP) takes payments for a town, by web service.

`settings` holds what a town writes, `soap` speaks to the service, `orders` writes its questions and
reads its answers. Sources: the DGFiP's integration guide (V19), the service's WSDL.

Nothing is signed: trust rests on asking the DGFiP's own service over HTTPS. So a notification only
makes us ask, and the answer is the only proof. The service neither cancels nor gives back.
"""

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from gateways.base import (
    BadCallback,
    Callback,
    Handoff,
    Limits,
    Order,
    Outcome,
    Polling,
    Report,
    Unreachable,
    WrongEmail,
)
from gateways.payfip import orders, soap
from gateways.payfip.settings import Contract, PayfipSettings
from gateways.settings import read_checked

__all__ = ["Contract", "PayfipGateway", "PayfipSettings"]

#: Seconds that PayFiP has to answer, in place of `gateways.deadline.ANSWER_SECONDS`.
PAYFIP_SECONDS = 15.0
PAGE = "/tpa/paiementws.web"

#: Ages of an attempt, in minutes, at which to ask: often at first while the payer may be there,
#: since the notification may never come; at 20 minutes, when an unopened idop is dead (15, and a
#: margin); after 24 hours, when the night has purged the idops that never reached the bank; and up
#: to a week, for unexpected delays.
_AGES = (3, 6, 10, 15, 20, 30, 45, 60, 120, 240, 480, 24 * 60, 48 * 60, 72 * 60, 7 * 24 * 60)
_EMAIL_REFUSED = frozenset({"A1", "A2"})
_NO_RESULT, _UNKNOWN_IDOP = "P5", "P1"

_logger = logging.getLogger(__name__)


class PayfipGateway:
    """One *régie* at PayFiP, in one mode."""

    # P5 means no result yet, for an abandoned payment as for one just made.
    polling = Polling(ages_minutes=_AGES, expires_minutes=20, silence_proves_unpaid=False)

    def __init__(self, name: str, label: str, contract: Contract) -> None:
        self.name = name
        self.label = label
        self.form_origin = contract.origin
        self.limits = Limits(
            minimum_cents=100,
            maximum_cents=contract.maximum_cents,
            session_minutes=20,
            requires_email=True,
            longest_email=80,
            cards=("CB", "Visa", "Mastercard"),
        )
        self._contract = contract
        self._now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, {self.form_origin!r})"

    @classmethod
    def configure(
        cls, name: str, table: Mapping[str, object], *, environment: str
    ) -> "PayfipGateway":
        settings = read_checked(
            PayfipSettings,
            table,
            f"gateways.{name}.",
            environment=environment,
            stand_ins={"adapter": "payfip", "numcli": ""},
        )
        return PayfipGateway(name, settings.label, settings.contract())

    def start(self, order: Order) -> Handoff:
        """Create the payment; the payer must open its page within 15 minutes, and only once."""
        values = orders.creation(order, self._contract)
        try:
            answer = self._ask("creerPaiementSecurise", values)
        except soap.FunctionalFault as fault:
            # Nearly always a fault of the town's settings: families can do nothing about it.
            _logger.error("%s refuse de créer un paiement : %s", self.name, fault)
            if fault.code in _EMAIL_REFUSED:
                raise WrongEmail("PayFiP n’accepte pas cette adresse électronique.") from None
            raise Unreachable(f"PayFiP refuse de créer le paiement ({fault.code})") from None
        idop = orders.read_idop(answer.get("idop", ""))
        if idop is None:
            raise Unreachable("PayFiP ne donne pas d’identifiant")
        return Handoff(f"{self.form_origin}{PAGE}?idop={idop}", idop)

    def read_notification(self, callback: Callback) -> Report:
        """Return a report that is only a reason to ask: anyone may have written this message.

        Its one field comes in upper or lower case. Raises BadCallback.
        """
        values = callback.form()
        found = [value for name, value in values.items() if name.lower() == "idop"]
        idop = orders.read_idop(found[0]) if len(found) == 1 else None
        if idop is None:
            raise BadCallback("idop absent ou mal formé")
        return Report(
            reference="",
            outcome=Outcome.PENDING,
            cents=0,
            currency="EUR",
            gateway_reference=idop,
            ask=True,
            raw={"idop": idop},
        )

    def poll(self, order: Order) -> list[Report]:
        """Report the result, once there is one. Raises Unreachable within PAYFIP_SECONDS."""
        if not order.gateway_reference:
            return []
        try:
            answer = self._ask("recupererDetailPaiementSecurise", {"idOp": order.gateway_reference})
        except soap.FunctionalFault as fault:
            if fault.code == _NO_RESULT:
                return []
            if fault.code == _UNKNOWN_IDOP and orders.is_purged(order, self._now()):
                return []
            # An idop unknown on its own day, among others, is a fault of ours or of theirs: it does
            # not prove that nobody paid.
            _logger.error("%s refuse de dire un résultat : %s", self.name, fault)
            raise Unreachable(f"PayFiP ne dit rien de ce paiement ({fault.code})") from None
        return orders.read_detail(answer, order, self._contract, self._now())

    def check(self) -> list[str]:
        """Return the fault, in French, if the service stays silent or does not know our numcli."""
        where = f"gateways.{self.name}"
        try:
            answer = self._ask("recupererDetailClient", {"numCli": self._contract.numcli})
        except (soap.FunctionalFault, Unreachable) as error:
            return [f"{where} : {error}"]
        if answer.get("numcli") != self._contract.numcli:
            return [f"{where} : PayFiP répond pour un autre numcli"]
        return []

    def _ask(self, operation: str, values: Mapping[str, str]) -> dict[str, str]:
        return soap.call(self._contract.service, operation, values, seconds=PAYFIP_SECONDS)
