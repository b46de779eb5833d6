"""The bank's voice, for tests: notices as Lyra's platform posts and signs them, and what its REST
service answers."""

import hashlib
import html
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gateways.base import Handoff, Order
from gateways.lyra import sign

KEY = "0123456789abcdef0123456789abcdef"
#: The town's papers and the banks' protocols, where they are beside the project.
SHARED = Path(__file__).parents[2] / "shared"
#: What a family is about to pay.
NEW_ORDER = Order(
    reference="KF0123456789abcdef01",
    number=421,
    cents=8745,
    description="Factures 2026-09-0012, 2026-10-0340",
    started_at=datetime(2026, 7, 1, 23, 30, tzinfo=UTC),
    return_url="https://kiosque.example.org/paiement/retour/KF0123456789abcdef01",
    notification_url="https://kiosque.example.org/paiement/notification/banque",
)
#: The transaction's date and number, as they are written on the form.
REFERENCE = "20260701233000-000421"
#: The same, once the family has been handed over to the bank.
ORDER = replace(NEW_ORDER, gateway_reference=REFERENCE)


def notice(handoff: Handoff, key: str = KEY, **changes: str | None) -> dict[str, str]:
    """Return what the bank posts about a handed-over form: a card accepted, unless changed.

    A change to None takes the field out. Every field is signed, as the bank does. What was debited
    is what was asked, unless it is changed too.
    """
    sent = dict(handoff.fields or ())
    asked = {name: changes.get(name) or sent[f"vads_{name}"] for name in ("amount", "currency")}
    fields: dict[str, str | None] = {
        **{name: value for name, value in sent.items() if name.startswith("vads_")},
        "vads_auth_number": "3fe69a",
        "vads_auth_result": "00",
        "vads_card_brand": "CB",
        "vads_card_number": "497010XXXXXX0001",
        "vads_effective_amount": asked["amount"],
        "vads_effective_currency": asked["currency"],
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


def handed_over(page: str) -> Handoff:
    """The form that leads to the bank, as a page of ours has it."""
    fields = re.findall(r'<input type="hidden" name="(vads_\w+|signature)" value="([^"]*)">', page)
    (url,) = re.findall(r'<form method="post" action="(http[^"]+)"', page)
    return Handoff(url, "", tuple((name, html.unescape(value)) for name, value in fields))


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


def transaction(order: Order, **changes: object) -> dict[str, Any]:
    """A debit of this order as the bank's REST service tells it, authorised unless changed.

    A change's name says where it goes: `transactionDetails__effectiveAmount`.
    """
    told: dict[str, Any] = {
        "shopId": "12345678",
        "uuid": hashlib.md5(order.reference.encode()).hexdigest(),
        "amount": order.cents,
        "currency": "EUR",
        "paymentMethodType": "CARD",
        "paymentMethodToken": None,
        "status": "PAID",
        "detailedStatus": "AUTHORISED",
        "operationType": "DEBIT",
        "effectiveStrongAuthentication": "ENABLED",
        "creationDate": f"{order.started_at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}+00:00",
        "errorCode": None,
        "errorMessage": None,
        "detailedErrorCode": None,
        "detailedErrorMessage": None,
        "metadata": None,
        "orderDetails": _order_details(order),
        "customer": {"reference": None, "email": None, "_type": "V4/Customer/Customer"},
        "transactionDetails": _transaction_details(order),
        "_type": "V4/PaymentTransaction",
    }
    for path, value in changes.items():
        *above, name = path.split("__")
        table = told
        for step in above:
            table = table[step]
        table[name] = value
    return told


def _order_details(order: Order) -> dict[str, Any]:
    return {
        "orderTotalAmount": order.cents,
        "orderCurrency": "EUR",
        "mode": "TEST",
        "orderId": order.reference,
        "_type": "V4/OrderDetails",
    }


def _transaction_details(order: Order) -> dict[str, Any]:
    return {
        "liabilityShift": "YES",
        "effectiveAmount": order.cents,
        "effectiveCurrency": "EUR",
        "creationContext": "CHARGE",
        "mid": "5785350",
        "sequenceNumber": 1,
        "parentTransactionUuid": None,
        "cardDetails": _card_details(order),
        "_type": "V4/TransactionDetails",
    }


def _card_details(order: Order) -> dict[str, Any]:
    return {
        "paymentSource": "EC",
        "effectiveBrand": "CB",
        "pan": "497010XXXXXX0001",
        "expiryMonth": 6,
        "expiryYear": 2030,
        "expectedCaptureDate": f"{order.started_at:%Y-%m-%dT%H:%M:%S}+00:00",
        "legacyTransId": f"{order.number:06d}",
        "legacyTransDate": f"{order.started_at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}+00:00",
        "authorizationResponse": {
            "amount": order.cents,
            "currency": "EUR",
            "authorizationDate": f"{order.started_at:%Y-%m-%dT%H:%M:%S}+00:00",
            "authorizationNumber": "3fe69a",
            "authorizationResult": "0",
            "authorizationMode": "FULL",
            "_type": "V4/PaymentMethod/Details/Cards/CardAuthorizationResponse",
        },
        "captureResponse": {"refundAmount": None, "captureDate": None},
        "_type": "V4/PaymentMethod/Details/CardDetails",
    }


def order_answer(order: Order, *transactions: object) -> dict[str, Any]:
    """Return what `Order/Get` answers of an order."""
    return {
        "shopId": "12345678",
        "orderCycle": "CLOSED",
        "orderStatus": "PAID",
        "orderDetails": {
            "orderTotalAmount": order.cents,
            "orderEffectiveAmount": order.cents,
            "orderCurrency": "EUR",
            "mode": "TEST",
            "orderId": order.reference,
            "_type": "V4/OrderDetails",
        },
        "transactions": list(transactions),
        "_type": "V4/OrderTransactions",
    }


def envelope(service: str, answer: object, **changes: object) -> dict[str, Any]:
    """Return what the REST service wraps around its answers."""
    return {
        "webService": service,
        "version": "V4",
        "applicationVersion": "6.24.0",
        "status": "SUCCESS",
        "answer": answer,
        "ticket": "a1b2c3d4e5f64a5b8c9d0e1f2a3b4c5d",
        "serverDate": "2026-11-24T19:35:00+00:00",
        "applicationProvider": "SYSTEMPAY",
        "metadata": None,
        "mode": "TEST",
        "_type": "V4/WebService/Response",
        **changes,
    }


def error_envelope(service: str, code: str) -> dict[str, Any]:
    """Return what the REST service answers when it does not do what was asked."""
    answer = {
        "errorCode": code,
        "errorMessage": "refused",
        "detailedErrorCode": None,
        "detailedErrorMessage": None,
        "_type": "V4/WebService/WebServiceError",
    }
    return envelope(service, answer, status="ERROR")
