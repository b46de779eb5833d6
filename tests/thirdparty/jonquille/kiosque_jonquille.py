"""The Bank of the Daffodils: JSON both ways, messages sealed in a header, questions, refunds."""

import hashlib
import hmac
import re
import time
from dataclasses import dataclass, field, replace

from gateways import base
from gateways.base import BadCallback, ConfigError, Declined, Handoff, Outcome, Report, Unreachable
from gateways.http import Endpoint, get_json, post_json
from gateways.reading import cents, tables, word
from gateways.settings import read_table

OUTCOMES = {
    "paid": Outcome.PAID,
    "examined": Outcome.PENDING,
    "refused": Outcome.REFUSED,
    "left": Outcome.CANCELLED,
    "expired": Outcome.EXPIRED,
}
SEAL = "Jonquille-Signature"
PATIENCE_SECONDS = 300


@dataclass(frozen=True)
class Settings:
    adapter: str
    token: str = field(repr=False)
    secret: str = field(repr=False)
    url: str = "https://banque-des-jonquilles.example"


class JonquilleGateway:
    label = "Banque des Jonquilles"
    limits = base.Limits(minimum_cents=50, maximum_cents=500_000, session_minutes=20)
    polling = base.Polling(ages_minutes=(5, 20, 60), expires_minutes=30)

    def __init__(self, name, settings, bank):
        self.name, self.form_origin = name, settings.url
        self._settings, self._bank = settings, bank

    @classmethod
    def configure(cls, name, table, *, environment):
        where = f"gateways.{name}."
        settings = read_table(Settings, table, where)
        live = environment == "production"
        kind = "live_" if live else "test_"
        checks = {
            f"token : attendu un jeton en {kind}": settings.token.startswith(kind),
            "secret : copiez celui de la banque, 32 caractères": len(settings.secret) >= 32,
            "url : attendu https://": settings.url.startswith("https://") or not live,
        }
        if faults := [where + fault for fault, holds in checks.items() if not holds]:
            raise ConfigError(faults)
        return cls(name, settings, Endpoint(settings.url, token=settings.token, in_clear=not live))

    def start(self, order):
        body = {"amount": order.cents, "currency": "EUR", "order": order.reference}
        body |= {"webhook": order.notification_url, "return": order.return_url}
        again = {"Idempotency-Key": order.reference}
        made = post_json(self._bank, "/v1/payments", body, headers=again, accepts={201})
        name = word(made.get("id"))
        return Handoff(f"{self.form_origin}/pay/{name}", name)

    def resume(self, order):
        if not order.gateway_reference:
            raise Unreachable("la banque n’a pas ouvert de page")
        return Handoff(f"{self.form_origin}/pay/{order.gateway_reference}", order.gateway_reference)

    def read_notification(self, callback):
        found = re.fullmatch("t=([0-9]{1,12}),v1=([0-9a-f]{64})", callback.header(SEAL))
        if not found or not hmac.compare_digest(self.seal(found[1], callback.body), found[2]):
            raise BadCallback("signature fausse")
        if abs(time.time() - int(found[1])) > PATIENCE_SECONDS:
            raise BadCallback("signature trop ancienne")
        with base.proved():
            told = callback.json()
        with base.proved(reference=told.get("order"), transaction_id=told.get("id")):
            debit, *refunds = read(told)
        if refunds or debit.status == "open":  # more than one thing to say, or nothing yet
            return replace(debit, outcome=Outcome.PENDING, ask=True)
        return debit

    def poll(self, order):
        if not order.gateway_reference:
            return []
        told = get_json(self._bank, f"/v1/payments/{order.gateway_reference}", accepts={200, 404})
        if told.status == 404:
            return []
        debit, *refunds = read(told)
        if (debit.reference, debit.transaction_id) != (order.reference, order.gateway_reference):
            raise Unreachable("la banque répond pour une autre commande")
        return [] if debit.status == "open" else [debit, *refunds]

    def list_reports(self, since, until):
        asked = {"from": since.isoformat(), "to": until.isoformat()}
        told = get_json(self._bank, "/v1/payments", asked)
        every = [read(each) for each in tables(told.get("payments"))]
        return [report for found in every if found[0].status != "open" for report in found]

    def refund(self, order, request):
        debit, *refunds = self.poll(order) or [None]
        if debit is None or debit.transaction_id != request.transaction_id:
            raise Declined("La banque ne connaît pas ce débit.")
        if sum(each.cents for each in refunds) > request.returned_cents:
            return [debit, *refunds]
        path = f"/v1/payments/{debit.transaction_id}/refunds"
        body, again = {"amount": request.cents}, {"Idempotency-Key": request.key}
        if post_json(self._bank, path, body, headers=again, accepts={201, 422}).status == 422:
            raise Declined("La banque refuse ce remboursement.")
        return self.poll(order)

    def check(self):
        try:
            get_json(self._bank, "/v1/shop")
        except Unreachable as error:
            return [f"gateways.{self.name} : {error}"]
        return []

    def seal(self, stamp, body):
        text = f"{stamp}.".encode() + body
        return hmac.new(self._settings.secret.encode(), text, hashlib.sha256).hexdigest()


def read(told):
    """Return the debit that a payment of the bank's is, then each refund of it. Raises Garbled."""
    order, name, status = (word(told.get(key)) for key in ("order", "id", "status"))
    currency = word(told.get("currency"), "[A-Z]{3}")
    outcome = OUTCOMES.get(status, Outcome.PENDING)
    debit = Report(order, outcome, cents(told.get("amount")), currency, name, name, status)
    if status not in (*OUTCOMES, "open"):
        debit = replace(debit, anomaly="état inconnu")
    refunds = [
        replace(
            debit,
            outcome=Outcome.REFUNDED,
            cents=cents(each.get("amount")),
            transaction_id=word(each.get("id")),
            parent_id=name,
        )
        for each in tables(told.get("refunds"))
    ]
    return [debit, *refunds]
