"""Post the mock bank's notifications to the shop: well, or badly as chosen on its page."""

import threading
from collections.abc import Mapping

import requests

from gateways.sandbox.bank import Bank
from gateways.sandbox.session import PaymentSession

#: Time that the platform gives the shop to answer.
TIMEOUT_SECONDS = 10

#: Ways to deliver a notification, chosen on the payment page: {name: words}.
DELIVERIES = {
    "normal": "Normale",
    "late": "En retard, après le retour du payeur",
    "lost": "Perdue",
    "twice": "Envoyée deux fois",
    "amount": "Montant faux",
    "key": "Signée d’une autre clé",
}


class Courier:
    """Post notifications to the shop at `url`; a late one comes after `late_seconds`."""

    def __init__(self, bank: Bank, url: str, late_seconds: float) -> None:
        self._bank = bank
        self._url = url
        self._late_seconds = late_seconds

    def deliver(
        self, session: PaymentSession, notice: Mapping[str, str], how: str, source: str = "PAY"
    ) -> None:
        """Sign and post the notification of a session; `how` is one of DELIVERIES."""
        if how == "amount":
            wrong = str(session.cents + 100)
            notice = {**notice, "vads_amount": wrong, "vads_effective_amount": wrong}
        fields = self._bank.signed(notice, source, forged=how == "key")
        self.carry(session.token, self._url, fields, how, source)

    def carry(self, token: str, url: str, fields: Mapping[str, str], how: str, source: str) -> None:
        """Post these fields at once, late, twice or never; `how` is one of DELIVERIES."""
        if how == "lost":
            self._bank.log_delivery(token, source, "perdue", "")
            return
        if how == "late":
            post = (token, url, source, fields)
            timer = threading.Timer(self._late_seconds, self._post, post)
            timer.daemon = True
            timer.start()
            return
        for _ in range(2 if how == "twice" else 1):
            self._post(token, url, source, fields)

    def _post(self, token: str, url: str, source: str, fields: Mapping[str, str]) -> None:
        try:
            with requests.Session() as http:
                http.trust_env = False  # no proxy on the way to a town on this machine
                answer = http.post(
                    url, data=dict(fields), timeout=TIMEOUT_SECONDS, allow_redirects=False
                )
        except requests.RequestException as error:
            self._bank.log_delivery(token, source, "échec", type(error).__name__)
        else:
            self._bank.log_delivery(token, source, str(answer.status_code), answer.text)
