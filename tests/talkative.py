"""A bank that can be asked, for tests of the core: it answers as told."""

from dataclasses import replace

from gateways.base import Callback, Gateway, Handoff, Order, Polling, RefundRequest, Report
from kiosque.db import database
from tests.bank import notice


class TalkativeBank:
    """A gateway that can be asked, and answers as told: `answers` are given one a question, the
    last one for ever; an exception is raised. What is sent to it is kept."""

    polling = Polling()

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self.name, self.label = gateway.name, gateway.label
        self.form_origin, self.limits = gateway.form_origin, gateway.limits
        self.answers: list[list[Report] | Exception] = [[]]
        self.asked: list[Order] = []
        self.refunds: list[RefundRequest] = []

    def start(self, order: Order) -> Handoff:
        return self._gateway.start(order)

    def read_notification(self, callback: Callback) -> Report:
        return self._gateway.read_notification(callback)

    def report(self, handoff: Handoff, *, final: bool = False, **changes: str | None) -> Report:
        """What it would say of a form handed over, in the words of a notice."""
        said = Callback(tuple(notice(handoff, **changes).items()))
        parent = {"parent_id": str(changes["parent"])} if changes.get("parent") else {}
        return replace(self._gateway.read_notification(said), final=final, **parent)

    def poll(self, order: Order) -> list[Report]:
        assert not database.in_transaction(), "asked inside a transaction"
        self.asked.append(order)
        return self._answer()

    def refund(self, _order: Order, request: RefundRequest) -> list[Report]:
        assert not database.in_transaction(), "asked inside a transaction"
        self.refunds.append(request)
        return self._answer()

    def _answer(self) -> list[Report]:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer
