"""The Bank of the Lilacs: what it says is signed, by a key that it shares with us."""

import hashlib
import hmac
from dataclasses import dataclass, field

from gateways.base import BadCallback, ConfigError, Handoff, Limits, Outcome, Report, proved
from gateways.reading import cents
from gateways.settings import read_table

FIELDS = {"cents", "mode", "order", "signature", "status", "transaction"}
OUTCOMES = {"accepted": Outcome.PAID, "refused": Outcome.REFUSED, "left": Outcome.CANCELLED}


@dataclass(frozen=True)
class Settings:
    adapter: str
    key: str = field(repr=False)
    mode: str = "test"


class LilasGateway:
    label = "Banque des Lilas"
    form_origin = "https://paiement.banque-des-lilas.example"
    limits = Limits(minimum_cents=50, maximum_cents=500_000)

    def __init__(self, name, settings):
        self.name, self._settings = name, settings

    @classmethod
    def configure(cls, name, table, *, environment):
        settings = read_table(Settings, table, f"gateways.{name}.")
        wanted = "live" if environment == "production" else "test"
        if settings.mode != wanted or len(settings.key) < 16:
            raise ConfigError([f"gateways.{name}.mode : attendu {wanted}, et une clé de la banque"])
        return cls(name, settings)

    def start(self, order):
        fields = {"cents": str(order.cents), "mode": self._settings.mode, "order": order.reference}
        fields |= {"notify": order.notification_url, "return": order.return_url}
        signed = (*fields.items(), ("signature", self.sign(fields)))
        return Handoff(f"{self.form_origin}/pay", order.reference, signed)

    def read_notification(self, callback):
        values = callback.form()
        if set(values) != FIELDS or values["mode"] != self._settings.mode:
            raise BadCallback("champs ou mode inattendus")
        signature = values.pop("signature")
        if not hmac.compare_digest(self.sign(values).encode(), signature.encode()):
            raise BadCallback("signature fausse")
        order, status, name = (values[key] for key in ("order", "status", "transaction"))
        outcome = OUTCOMES.get(status, Outcome.PENDING)
        told = {"status": status, "raw": values, "gateway_reference": order}
        told["anomaly"] = "" if status in OUTCOMES else "état inconnu"
        with proved(reference=order, transaction_id=name):
            return Report(order, outcome, cents(values["cents"]), "EUR", name, **told)

    def sign(self, values):
        text = "\n".join(f"{name}={values[name]}" for name in sorted(values))
        return hmac.new(self._settings.key.encode(), text.encode(), hashlib.sha256).hexdigest()
