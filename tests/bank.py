"""The bank's voice, for tests: notices as Lyra's platform posts and signs them."""

import hashlib
from dataclasses import replace
from pathlib import Path

from gateways.base import Callback, Gateway, Handoff, Order, Polling, RefundRequest, Report
from gateways.lyra import sign
from kiosque.database import db

KEY = "0123456789abcdef0123456789abcdef"
#: The town's papers and the banks' protocols, where they are beside the project.
SHARED = Path(__file__).parents[2] / "shared"


def notice(handoff: Handoff, key: str = KEY, **changes: str | None) -> dict[str, str]:
    """What the bank posts about a handed-over form: a card accepted, unless changed.

    A change to None takes the field out. Every field is signed, as the bank does.
    """
    sent = dict(handoff.fields or ())
    fields: dict[str, str | None] = {
        **{name: value for name, value in sent.items() if name.startswith("vads_")},
        "vads_auth_number": "3fe69a",
        "vads_auth_result": "00",
        "vads_card_brand": "CB",
        "vads_card_number": "497010XXXXXX0001",
        "vads_effective_amount": sent["vads_amount"],
        "vads_effective_currency": "978",
        "vads_hash": hashlib.sha256(b"stamp").hexdigest(),
        "vads_operation_type": "DEBIT",
        "vads_result": "00",
        "vads_sequence_number": "1",
        "vads_trans_status": "AUTHORISED",
        "vads_trans_uuid": hashlib.md5(sent["vads_order_id"].encode()).hexdigest(),
        "vads_url_check_src": "PAY",
        **{f"vads_{name}": value for name, value in changes.items()},
    }
    kept = {name: value for name, value in fields.items() if value is not None}
    return {**kept, "signature": sign(kept, key.encode())}


REFUSED = {"trans_status": "REFUSED", "result": "05", "auth_result": "51"}
ABANDONED = {
    "trans_status": "ABANDONED",
    "result": "17",
    "operation_type": None,
    "trans_uuid": "",
    "effective_amount": "",
    "effective_currency": "",
    "card_number": "",
}


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
        assert not db.in_transaction(), "asked inside a transaction"
        self.asked.append(order)
        return self._answer()

    def refund(self, _order: Order, request: RefundRequest) -> list[Report]:
        assert not db.in_transaction(), "asked inside a transaction"
        self.refunds.append(request)
        return self._answer()

    def _answer(self) -> list[Report]:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer
