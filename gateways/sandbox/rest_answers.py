"""Write the mock bank's transactions as its REST service does, with every field.

Source: docs.lyra.com, REST V4, the Transaction and OrderTransactions objects.
"""

from datetime import UTC, datetime
from typing import Any

from gateways.sandbox import SITE_ID
from gateways.sandbox.movements import CardMovement

_PAID = frozenset({"AUTHORISED", "CAPTURED"})
_RUNNING = frozenset({"AUTHORISED_TO_VALIDATE"})
_REFUSED = {
    "errorCode": "ACQ_001",
    "errorMessage": "Payment refused.",
    "detailedErrorMessage": "Refused by the issuer.",
}
_NO_ERROR = {"errorCode": None, "errorMessage": None, "detailedErrorMessage": None}


def order_answer(movements: list[CardMovement]) -> dict[str, Any]:
    """Return `OrderTransactions`, for the transactions of one order: at least one."""
    debits = [it for it in movements if it.operation == "DEBIT"]
    effective = sum(it.cents for it in debits if it.status in _PAID)
    states = {_simple(it) for it in debits}
    return {
        "shopId": SITE_ID,
        "orderCycle": "CLOSED",
        "orderStatus": next((it for it in ("PAID", "RUNNING") if it in states), "UNPAID"),
        "orderDetails": {
            **_order_details(movements[0]),
            "orderEffectiveAmount": effective,
        },
        "transactions": [transaction_answer(it) for it in movements],
        "_type": "V4/OrderTransactions",
    }


def transaction_answer(movement: CardMovement) -> dict[str, Any]:
    """Write a transaction as Lyra does, under `PaymentTransaction`."""
    refused = movement.status == "REFUSED"
    return {
        "shopId": SITE_ID,
        "uuid": movement.uuid,
        "amount": movement.cents,
        "currency": "EUR",
        "paymentMethodType": "CARD",
        "paymentMethodToken": None,
        "status": _simple(movement),
        "detailedStatus": movement.status,
        "operationType": movement.operation,
        "effectiveStrongAuthentication": "ENABLED",
        "creationDate": _iso(movement.created_at),
        **(_REFUSED if refused else _NO_ERROR),
        "detailedErrorCode": movement.notice["vads_auth_result"] if refused else None,
        "metadata": None,
        "orderDetails": _order_details(movement),
        "customer": {"reference": None, "email": None, "_type": "V4/Customer/Customer"},
        "transactionDetails": _details(movement),
        "_type": "V4/PaymentTransaction",
    }


def _order_details(movement: CardMovement) -> dict[str, Any]:
    return {
        "orderTotalAmount": movement.cents,
        "orderCurrency": "EUR",
        "mode": "TEST",
        "orderId": movement.order_id,
        "metadata": None,
        "_type": "V4/OrderDetails",
    }


def _details(movement: CardMovement) -> dict[str, Any]:
    return {
        "liabilityShift": movement.notice.get("vads_warranty_result") or "NO",
        "effectiveAmount": movement.cents,
        "effectiveCurrency": "EUR",
        "creationContext": "REFUND" if movement.operation == "CREDIT" else "CHARGE",
        "mid": movement.notice["vads_contract_used"],
        "sequenceNumber": int(movement.notice["vads_sequence_number"]),
        "parentTransactionUuid": movement.parent or None,
        "fieldOfTomorrow": {"unheard": ["of"]},
        "cardDetails": _card(movement),
        "_type": "V4/TransactionDetails",
    }


def _card(movement: CardMovement) -> dict[str, Any]:
    notice = movement.notice
    presented = notice.get("vads_presentation_date")
    planned = _iso(_parse(presented) if presented else movement.created_at)
    captured = movement.status == "CAPTURED"
    return {
        "paymentSource": "EC",
        "effectiveBrand": notice["vads_card_brand"],
        "pan": notice["vads_card_number"],
        "expiryMonth": 6,
        "expiryYear": 2030,
        "country": notice["vads_card_country"],
        "expectedCaptureDate": planned,
        "legacyTransId": notice["vads_trans_id"],
        "legacyTransDate": _iso(_parse(notice["vads_trans_date"])),
        "authorizationResponse": _authorisation(movement),
        "captureResponse": {
            "refundAmount": movement.returned_cents if captured else None,
            "refundCurrency": "EUR" if captured else None,
            "captureDate": planned if captured else None,
            "captureFileNumber": "177" if captured else None,
            "_type": "V4/PaymentMethod/Details/Cards/CardCaptureResponse",
        },
        "_type": "V4/PaymentMethod/Details/CardDetails",
    }


def _authorisation(movement: CardMovement) -> dict[str, Any] | None:
    """Return the answer of the card's bank; a refund asks it nothing."""
    if movement.operation == "CREDIT":
        return None
    return {
        "amount": movement.cents,
        "currency": "EUR",
        "authorizationDate": _iso(movement.created_at),
        "authorizationNumber": movement.notice["vads_auth_number"] or None,
        "authorizationResult": movement.notice["vads_auth_result"],
        "authorizationMode": movement.notice["vads_auth_mode"],
        "_type": "V4/PaymentMethod/Details/Cards/CardAuthorizationResponse",
    }


def _simple(movement: CardMovement) -> str:
    if movement.status in _PAID:
        return "PAID"
    return "RUNNING" if movement.status in _RUNNING else "UNPAID"


def _parse(digits: str) -> datetime:
    return datetime.strptime(digits, "%Y%m%d%H%M%S").replace(tzinfo=UTC)


def _iso(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}+00:00"
