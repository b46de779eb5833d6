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

    def report(
        self, handoff: Handoff, *, final: bool | None = None, **changes: str | None
    ) -> Report:
        """Say something of a form handed over, in the words of a notice. `final` and `parent`
        are what an answer tells and a notice does not."""
        said = Callback.of_form(notice(handoff, **changes).items())
        report = self._gateway.read_notification(said)
        if final is not None:
            report = replace(report, final=final)
        return replace(report, parent_id=changes.get("parent") or report.parent_id)

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
