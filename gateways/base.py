"""The gateway contract: one payment attempt goes out, verified facts come back.

A gateway turns an `Order` into a `Handoff` (where to send the payer), and a message of the bank
(`Callback`) into a `Report` that it vouches for. It knows nothing of the database, of the web
framework or of sessions, and decides nothing about invoices.

Every gateway has the methods of `Gateway`; those of `Polls`, `Resumes`, `Refunds` and `Checks` are
optional, and found by `isinstance`. Each process makes its gateways once, at start. Their methods
run in several threads and processes at once, and more than once for one order: a gateway keeps no
state between two calls, and each call ends within a bounded time. An error that is not named here
is a fault of the adapter: the site changes nothing, and tells somebody.

Standard library only. How to write a gateway: docs/gateways.md.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol, runtime_checkable

from gateways.errors import (
    BadCallback,
    ConfigError,
    Declined,
    Garbled,
    GatewayError,
    Unreachable,
    Unreadable,
    WrongEmail,
    proved,
)
from gateways.notification import Callback
from gateways.records import (
    PARIS,
    Handoff,
    Limits,
    Mode,
    Order,
    Outcome,
    Polling,
    RefundRequest,
    Report,
    SigningKey,
)

__all__ = [
    "PARIS",
    "BadCallback",
    "Callback",
    "Checks",
    "ConfigError",
    "Declined",
    "Garbled",
    "Gateway",
    "GatewayError",
    "Handoff",
    "Limits",
    "Lists",
    "Mode",
    "Order",
    "Outcome",
    "Polling",
    "Polls",
    "RefundRequest",
    "Refunds",
    "Report",
    "Resumes",
    "SigningKey",
    "Unreachable",
    "Unreadable",
    "WrongEmail",
    "proved",
]


@runtime_checkable
class Gateway(Protocol):
    """A bank, as every adapter presents it.

    `name` is the NAME of its table `[gateways.NAME]`, `label` the bank's name as the payer reads
    it, `form_origin` the scheme and host of the page where the payer is sent.
    """

    @property
    def name(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def form_origin(self) -> str: ...
    @property
    def limits(self) -> Limits: ...

    @classmethod
    def configure(cls, name: str, table: Mapping[str, object], *, environment: str) -> "Gateway":
        """Make the gateway of one `[gateways.NAME]` table. Raises ConfigError naming every fault.

        `environment` is demo, test or production. The gateway has only the optional capabilities
        that its settings allow. Pure: it asks no bank, opens no file, changes nothing, since every
        process and command does it again.
        """
        ...

    def start(self, order: Order) -> Handoff:
        """Prepare the payment; return where to send the payer. Raises Unreachable, WrongEmail.

        The payer waits meanwhile. The order is in the database already: if the bank opens the
        payment but its answer is lost, `order.reference` still identifies that payment.
        """
        ...

    def read_notification(self, callback: Callback) -> Report:
        """Verify a message of the bank and translate it. Raises BadCallback; or Unreadable if the
        bank surely wrote it but it cannot be read, since it may be about money (see `proved`).

        Do not ask the bank here: if only the bank can tell, set `ask` in the report.
        """
        ...


@runtime_checkable
class Polls(Protocol):
    """A gateway whose bank can be asked about an order.

    polling = Polling(ages_minutes=(5, 20, 60), expires_minutes=30)

    def poll(self, order):
        told = get_json(self._bank, f"/v1/payments/{order.gateway_reference}")
        return [] if told.get("status") == "open" else self._reports(told)
    """

    @property
    def polling(self) -> Polling: ...

    def poll(self, order: Order) -> list[Report]:
        """Ask the bank for everything it knows of an order. Return an empty list if it knows
        nothing, or has decided nothing yet.

        A report counts as much as one of a notification. A timer, a payer who comes back and a
        second payment may ask at once: it must be safe to call from several threads. Raises
        Unreachable, within a bounded time whatever the bank does.
        """
        ...


@runtime_checkable
class Lists(Protocol):
    """A gateway whose bank can list all its payments of a period, even those unknown to the site.

    def list_reports(self, since, until):
        asked = {"from": since.isoformat(), "to": until.isoformat()}
        told = get_json(self._bank, "/v1/payments", asked)
        return [report for each in tables(told.get("data")) for report in self._reports(each)]
    """

    def list_reports(self, since: datetime, until: datetime) -> list[Report]:
        """Return everything that the bank knows of the payments begun between two instants, in UTC:
        debits, refunds, refusals, also of orders that the site has lost.

        The site calls it once after the database was restored from a backup, and again until there
        is an answer. If the bank answers in several pages, return all of them. Raises Unreachable.
        """
        ...


@runtime_checkable
class Resumes(Protocol):
    """A gateway whose bank keeps one page for each payment, and shows it again to a payer who left.

    def resume(self, order):
        url = f"{self.form_origin}/pay/{order.gateway_reference}"
        return Handoff(url, order.gateway_reference)
    """

    def resume(self, order: Order) -> Handoff:
        """Return the way back to the page opened by `start`: the same payment, never another one.

        The payer waits meanwhile. Raises Unreachable. If the bank's page can be opened only once,
        do not write this method: the site then asks what became of the payment (`Polls`), and opens
        another in its place.
        """
        ...


@runtime_checkable
class Refunds(Protocol):
    """A gateway whose bank can be told to give money back.

    def refund(self, order, request):
        body = {"amount": request.cents, "payment": request.transaction_id}
        again = {"Idempotency-Key": request.key}
        made = post_json(self._bank, "/v1/refunds", body, headers=again, accepts={201, 422})
        if made.status != 201:
            raise Declined("La banque refuse ce remboursement.")
        return self.poll(order)
    """

    def refund(self, order: Order, request: RefundRequest) -> list[Report]:
        """Give money back, and return what the bank then says of the order.

        The site may repeat a request whose answer was lost: if the bank has already given back
        more than `returned_cents`, send nothing and only report. Raises Declined if the bank did
        not do it, Unreachable if nobody knows whether it did.
        """
        ...


@runtime_checkable
class Checks(Protocol):
    """A gateway whose settings can be tried at the bank.

    def check(self):
        try:
            get_json(self._bank, "/v1/shop")
        except Unreachable as error:
            return [f"gateways.{self.name} : {error}"]
        return []
    """

    def check(self) -> list[str]:
        """Return the faults found, in French; an empty list if the bank accepts the settings.

        The command `check` calls it; it neither pays nor changes anything at the bank.
        """
        ...
