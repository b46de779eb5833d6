"""Lyra's REST service, version V4: ask about an order, give money back, try the settings.

Sources: docs.lyra.com, REST V4: Charge/SDKTest, Order/Get, Transaction/CancelOrRefund, and the
references of statuses and of PSP errors. The service answers HTTP 200 to nearly everything: the
real outcome is in the envelope.
"""

import secrets

from gateways.base import Declined, Order, Outcome, Polling, RefundRequest, Report, Unreachable
from gateways.deadline import ANSWER_SECONDS
from gateways.http import Endpoint, post_json
from gateways.lyra.form import HostedForm
from gateways.lyra.orders import BankError, Table, read_envelope, read_order, read_transaction
from gateways.lyra.statuses import NOTHING_DONE

#: Seconds that the service has to give money back: it may have to ask the card's bank.
REFUND_SECONDS = 25.0

_NOTHING_FOUND = "PSP_010"
_REASONS = {
    "PSP_010": "La banque ne connaît pas ce débit",
    "PSP_011": "L’état de ce paiement à la banque ne permet pas de le rembourser",
    "PSP_020": "Le montant dépasse ce qui peut encore être rendu",
    "PSP_043": "La banque n’autorise pas le remboursement de ce paiement",
    "PSP_075": "Ce paiement ne peut plus être annulé à la banque",
    "PSP_083": "Ce paiement est contesté par le porteur de la carte",
    "PSP_100": "Votre contrat avec la banque ne comprend pas cette opération",
    "PSP_105": "Ce paiement est déjà annulé à la banque",
}
_UNKNOWN_DEBIT = "La banque ne connaît pas ce débit."
_NOT_CAPTURED = (
    "Ce paiement n’est pas encore remis en banque : rendez-en la totalité, ou attendez sa remise "
    "(le lendemain en général)."
)


class RestShop(HostedForm):
    """The hosted form of a shop that also has the REST service."""

    polling = Polling()

    def poll(self, order: Order) -> list[Report]:
        """Report all the bank knows of this order. Raises Unreachable within ANSWER_SECONDS."""
        try:
            answer = self._ask("Order/Get", {"orderId": order.reference}, ANSWER_SECONDS)
        except BankError as error:
            if error.code == _NOTHING_FOUND:
                return []
            raise Unreachable(str(error)) from None
        return read_order(answer, order, self._shop)

    def refund(self, order: Order, request: RefundRequest) -> list[Report]:
        """Cancel a debit that is not captured yet, or give back all or part of one that is.

        Ask the bank first: if it has already given back more than we know, send nothing. Raises
        Declined, Unreachable.
        """
        reports = self.poll(order)
        debit = next((it for it in reports if it.transaction_id == request.transaction_id), None)
        if debit is None:
            raise Declined(_UNKNOWN_DEBIT)
        done = debit.outcome is Outcome.REVERSED
        if done or _returned_cents(reports, debit) > request.returned_cents:
            return reports
        if not debit.final and request.cents != debit.cents:
            raise Declined(_NOT_CAPTURED)
        made = self._send_back(order, request)
        try:
            reports = self.poll(order)
        except Unreachable:
            return [made]
        known = {report.transaction_id for report in reports}
        return reports if made.transaction_id in known else [*reports, made]

    def check(self) -> list[str]:
        """Return the fault, in French, if the service refuses our credentials or stays silent."""
        word = secrets.token_hex(8)
        try:
            answer = self._ask("Charge/SDKTest", {"value": word}, ANSWER_SECONDS)
        except (BankError, Unreachable) as error:
            return [f"gateways.{self.name} : {error}"]
        if answer.get("value") != word:
            return [f"gateways.{self.name} : la banque ne répond pas à l’essai"]
        return []

    def _send_back(self, order: Order, request: RefundRequest) -> Report:
        """Tell the bank, and report what it made: the debit cancelled, or a refund of it."""
        body = {
            "uuid": request.transaction_id,
            "amount": request.cents,
            "currency": "EUR",
            "resolutionMode": "AUTO",
            "comment": request.key,
        }
        try:
            answer = self._ask("Transaction/CancelOrRefund", body, REFUND_SECONDS)
        except BankError as error:
            if error.code.startswith("PSP_"):
                reason = _REASONS.get(error.code, "La banque refuse ce remboursement")
                raise Declined(f"{reason} ({error.code}).") from None
            raise Unreachable(str(error)) from None
        made = read_transaction(answer, order, self._shop)
        if request.transaction_id not in (made.transaction_id, made.parent_id):
            raise Unreachable("la banque répond pour une autre opération")
        return made

    def _ask(self, service: str, body: Table, seconds: float) -> Table:
        """Return the answer of a service. Raises BankError, Unreachable."""
        shop = self._shop
        endpoint = Endpoint(shop.api_origin, shop.site_id, shop.password, in_clear=shop.in_clear)
        envelope = post_json(endpoint, f"/api-payment/V4/{service}", body, seconds=seconds)
        return read_envelope(envelope, service, shop)


def _returned_cents(reports: list[Report], debit: Report) -> int:
    """Return the cents that the bank has given back of a debit, or is about to.

    A failed refund does not count. One that names no debit does, so that no refund is made twice.
    """
    return sum(
        report.cents
        for report in reports
        if report.status.startswith("CREDIT ")
        and report.status.removeprefix("CREDIT ") not in NOTHING_DONE
        and report.parent_id in ("", debit.transaction_id)
    )
