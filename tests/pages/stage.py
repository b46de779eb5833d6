"""The portal and the bank, and the hands that lead somebody to a page in one of its states."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from flask import Flask, abort
from flask.testing import FlaskClient
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from gateways.base import Handoff
from kiosque.db.models import (
    Attempt,
    Family,
    Invoice,
    Receipt,
)
from tests.bank import notice
from tests.conftest import NOW, PUBLIC_URL, Clock, csrf_token, make_family, make_invoice
from tests.stage import PAGES

BANK_URL = "http://127.0.0.1:8001"
NOTIFY_URL = f"{PUBLIC_URL}/paiement/notification/banque"

#: Answers to a GET that are no page to look at: redirects, files, a health check, a bank's message.
NO_PAGE = {
    *("notification.receive", "monitoring.detail", "monitoring.metrics", "exchange.payments"),
    *("site.index", "site.health", "site.asset", "site.robots"),
    *(
        "papers.invoice",
        "papers.receipt",
        "papers.yearly",
        "office.go",
        "office.invoice_paper",
        "office.months",
        "office.month_papers",
        "office.receipt_paper",
        "office.bordereau_paper",
        "office.bordereau_payers",
    ),
    *(name for name in PAGES if name.endswith("_table")),
}
BANK_NO_PAGE = {"static", "health"}

LONG_NAME = "de Montmorency-Bouteville-Luxembourg Andriamanantsilavonirina"
LONG_WORD = "Rakotomalalarivelomanantsoandrianarisonandriamanitra"
LONG_EMAIL = f"{LONG_WORD.lower()}.{LONG_WORD.lower()}@exemple-de-nom-de-domaine-tres-long.example"
LONG_NUMBER = "2026-10-0001-FACTURE-COMPLEMENTAIRE-DU-SERVICE-ENFANCE-JEUNESSE"


@dataclass(frozen=True)
class Seen:
    """A page that somebody sees: its `state` in words, and what its server, `app`, sent."""

    state: str
    endpoint: str | None
    url: str
    status: int
    html: str
    headers: dict[str, str]
    app: Flask


@dataclass
class Stage:
    """The portal, the bank, and the hands that lead people to a state."""

    app: Flask
    clock: Clock
    enter: Callable[[Family], FlaskClient]
    open_payment: Callable[..., tuple[Attempt, Handoff]]
    families: int = 0

    @property
    def stranger(self) -> FlaskClient:
        return self.app.test_client()

    def family(self, name: str = "Martin") -> Family:
        self.families += 1
        return make_family(f"F{3000 + self.families}", name)

    def invoice(self, family: Family, cents: int = 4520, **values: object) -> Invoice:
        number = str(values.pop("number", "")) or f"2026-10-{Invoice.select().count() + 1:04d}"
        return make_invoice(family, number, cents, **values)

    def credit(self, family: Family, cents: int) -> Invoice:
        """A credit note."""
        return self.invoice(family, cents, state="nothing_due")

    def look_at(self, invoice: Invoice) -> TestResponse:
        """Open an invoice's page, as its family."""
        return self.enter(invoice.family).get(f"/factures/{invoice.number}")

    def look_at_last_receipt(self, family: Family) -> TestResponse:
        receipt = Receipt.select().order_by(Receipt.id.desc()).get()
        return self.enter(family).get(f"/recus/{receipt.id}")

    def send(self, client: FlaskClient, form: str, to: str = "", **values: object) -> TestResponse:
        """Fill the form of a page and send it."""
        token = csrf_token(client.get(form).text)
        return client.post(to or form, data={"csrf_token": token, **values})

    def confirm(self, family: Family, invoice: Invoice, **values: object) -> TestResponse:
        """Press the button of the summary."""
        sent = {"invoice": invoice.number, "expected_cents": invoice.total_cents, **values}
        address = f"/paiement/recapitulatif?invoice={invoice.number}"
        return self.send(self.enter(family), address, "/paiement/banque", **sent)

    def hear(self, handoff: Handoff, **changes: str | None) -> None:
        answer = self.stranger.post(urlsplit(NOTIFY_URL).path, data=notice(handoff, **changes))
        assert answer.status_code == 200, answer.text

    def back(self, *news: dict[str, str | None], after: timedelta = timedelta()) -> TestResponse:
        """The page one returns to, after the bank has said this."""
        family = self.family()
        attempt, handoff = self.open_payment(family, self.invoice(family))
        for changes in news:
            self.hear(handoff, **changes)
        self.clock.at += after
        page = self.enter(family).get(f"/paiement/retour/{attempt.reference}")
        self.clock.at = NOW
        return page

    def paid(self, family: Family, *invoices: Invoice, **changes: str | None) -> Receipt:
        _, handoff = self.open_payment(family, *invoices)
        self.hear(handoff, **changes)
        return Receipt.select().order_by(Receipt.id.desc()).get()

    def broken(self, error: HTTPException | int) -> TestResponse:
        """A page that fails in this way."""
        whole = self.app.view_functions["site.privacy"]
        self.app.view_functions["site.privacy"] = lambda: abort(error)
        page = self.stranger.get("/confidentialite")
        self.app.view_functions["site.privacy"] = whole
        return page


Scene = Callable[[Stage], TestResponse]
SCENES: list[Scene] = []


def scene(function: Scene) -> Scene:
    SCENES.append(function)
    return function
