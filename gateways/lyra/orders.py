"""Turn the answers of the REST service about an order into reports: no network, no state.

No field of an answer is trusted. An answer that is inconsistent, about another shop, mode or order,
or of another type than documented raises Unreachable: the bank is asked again, and nothing doubtful
is booked. Source: docs.lyra.com, REST V4, Order/Get and Transaction.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from gateways.base import GatewayError, Order, Outcome, Report, Unreachable
from gateways.lyra.form import card_last4, trans_date_and_id
from gateways.lyra.settings import Shop
from gateways.lyra.statuses import decide, is_approved, is_final

Table = Mapping[str, object]
#: Cents, and a currency.
Money = tuple[int, str]

#: Most transactions that the service lists for one order.
MAX_TRANSACTIONS = 30
_MAX_CENTS = 10**12
_UNREADABLE = "la réponse de la banque est illisible"
_UUID = re.compile(r"[0-9a-f]{32}", re.ASCII)
_CODE = re.compile(r"[A-Z]{2,10}_[0-9]{1,5}", re.ASCII)
_STATUS = re.compile(r"[A-Z_]{1,40}", re.ASCII)
_OPERATION = re.compile(r"[A-Z_]{0,30}", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)
_TRANS_ID = re.compile(r"[0-9A-Za-z]{6}", re.ASCII)


class BankError(GatewayError):
    """The service understood the question and answered with an error, the platform's `code`."""

    def __init__(self, code: str):
        super().__init__(f"la banque répond par une erreur ({code})")
        self.code = code


def read_envelope(envelope: object, service: str, shop: Shop) -> Table:
    """Return the answer inside an envelope.

    Raises BankError if it is an error, Unreachable if it is of another service or mode.
    """
    envelope = _is_table(envelope)
    status, mode = _text(envelope, "status"), _text(envelope, "mode")
    answer = _table(envelope, "answer")
    if _text(envelope, "webService") != service:
        raise Unreachable(_UNREADABLE)
    # An error raised before the shop is known comes without a mode.
    if mode != shop.mode and not (status == "ERROR" and not mode):
        raise Unreachable("la banque répond dans un autre mode")
    if status == "ERROR":
        code = _text(answer, "errorCode")
        raise BankError(code if _CODE.fullmatch(code) else "sans code")
    if status != "SUCCESS":
        raise Unreachable(_UNREADABLE)
    return answer


def read_order(answer: object, order: Order, shop: Shop) -> list[Report]:
    """Report every transaction of an `Order/Get` answer. Raises Unreachable."""
    answer = _is_table(answer)
    _demand_order(_table(answer, "orderDetails"), order, shop, always=True)
    if _text(answer, "shopId") not in ("", shop.site_id):
        raise Unreachable("la banque répond pour une autre boutique")
    found = answer.get("transactions")
    if not isinstance(found, list) or len(found) > MAX_TRANSACTIONS:
        raise Unreachable(_UNREADABLE)
    reports = [read_transaction(transaction, order, shop) for transaction in found]
    if len({report.transaction_id for report in reports}) != len(reports):
        raise Unreachable(_UNREADABLE)
    return reports


def read_transaction(transaction: object, order: Order, shop: Shop) -> Report:
    """Report one transaction of this order, as its notification would. Raises Unreachable."""
    transaction = _is_table(transaction)
    if _text(transaction, "shopId") != shop.site_id:
        raise Unreachable("la banque répond pour une autre boutique")
    _demand_order(_table(transaction, "orderDetails"), order, shop, always=False)
    details = _table(transaction, "transactionDetails")
    card = _table(details, "cardDetails")
    outcome, anomaly, (cents, currency) = _decide(transaction, details, card)
    parent = _text(details, "parentTransactionUuid").lower()
    uuid = _shaped(transaction, "uuid", _UUID)
    if parent and not _UUID.fullmatch(parent):
        raise Unreachable(_UNREADABLE)
    status, operation = _text(transaction, "detailedStatus"), _text(transaction, "operationType")
    # A refund has a number of its own at the bank: take the reference of its debit's attempt.
    refunded = outcome is Outcome.REFUNDED
    return Report(
        reference=order.reference,
        outcome=outcome,
        cents=cents,
        currency=currency,
        transaction_id=uuid,
        gateway_reference=_own(order) if refunded else _reference(card, order) or uuid,
        status=f"{operation} {status}".strip(),
        authorisation=_text(_table(card, "authorizationResponse"), "authorizationNumber")[:20],
        card_brand=_text(card, "effectiveBrand")[:20],
        card_last4=card_last4(_text(card, "pan")),
        parent_id=parent if operation == "CREDIT" else "",
        final=is_final(status, outcome),
        anomaly=anomaly,
        raw=_kept(transaction, details, card),
    )


def _decide(transaction: Table, details: Table, card: Table) -> tuple[Outcome, str, Money]:
    """Return the outcome, why a human must look at it ("" if none must), and the amount with its
    currency."""
    asked, debited = _amounts(transaction, details)
    approved = is_approved(_text(_table(card, "authorizationResponse"), "authorizationResult"))
    outcome, anomaly = decide(
        _shaped(transaction, "detailedStatus", _STATUS),
        _shaped(transaction, "operationType", _OPERATION),
        succeeded=_text(transaction, "status") == "PAID" and approved,
        consistent=debited in (asked, (0, asked[1])),
    )
    if debited[0] == 0 and outcome in (Outcome.PAID, Outcome.REFUNDED):
        raise Unreachable(_UNREADABLE)
    # A cancellation may say that nothing was debited in the end.
    return outcome, anomaly, asked if outcome is Outcome.REVERSED else debited


def _demand_order(details: Table, order: Order, shop: Shop, *, always: bool) -> None:
    """Verify that the order and mode are ours; with `always`, that the order is named."""
    reference, mode = _text(details, "orderId"), _text(details, "mode")
    if reference != order.reference and (always or reference):
        raise Unreachable("la banque répond pour une autre commande")
    if mode not in ("", shop.mode):
        raise Unreachable("la banque répond dans un autre mode")


def _amounts(transaction: Table, details: Table) -> tuple[Money, Money]:
    """Return the amounts asked and debited, each in cents with its currency; the former twice if
    the bank does not give the latter."""
    asked = _cents(transaction, "amount"), _shaped(transaction, "currency", _CURRENCY)
    spent = _text(details, "effectiveCurrency") or asked[1]
    if not _CURRENCY.fullmatch(spent):
        raise Unreachable(_UNREADABLE)
    if details.get("effectiveAmount") is None:
        return asked, (asked[0], spent)
    return asked, (_cents(details, "effectiveAmount"), spent)


def _own(order: Order) -> str:
    return order.gateway_reference or "-".join(trans_date_and_id(order))


def _reference(card: Table, order: Order) -> str:
    """Return the bank's reference of the attempt of a transaction; "" if the bank does not give it.

    It equals the order's own reference if the number and the UTC day are those of the order.
    """
    number, date = _text(card, "legacyTransId"), _text(card, "legacyTransDate")
    if not number or not date:
        return ""
    if not _TRANS_ID.fullmatch(number):
        raise Unreachable(_UNREADABLE)
    at = _instant(date)
    own_date, own_number = trans_date_and_id(order)
    if number == own_number and at[:8] == own_date[:8]:
        return _own(order)
    return f"{at}-{number}"


def _instant(text: str) -> str:
    """Convert a date, in ISO 8601 or in 14 digits, to 14 digits in UTC; without zone, it is UTC."""
    try:
        if re.fullmatch(r"[0-9]{14}", text, re.ASCII):
            at = datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
        else:
            at = datetime.fromisoformat(text)
        at = at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise Unreachable(_UNREADABLE) from None
    return at.strftime("%Y%m%d%H%M%S").zfill(14)


def _kept(transaction: Table, details: Table, card: Table) -> dict[str, str]:
    """Return the fields kept for the audit, as flat text, without any digit of the card."""
    wanted = {
        "": (transaction, (
            "shopId", "uuid", "amount", "currency", "status", "detailedStatus", "operationType",
            "creationDate", "errorCode", "detailedErrorCode", "paymentMethodType",
        )),
        "transactionDetails.": (details, (
            "effectiveAmount", "effectiveCurrency", "parentTransactionUuid", "sequenceNumber",
        )),
        "cardDetails.": (card, (
            "effectiveBrand", "legacyTransId", "legacyTransDate", "expectedCaptureDate",
        )),
    }  # fmt: skip
    return {
        f"{where}{name}": str(table[name])[:255]
        for where, (table, names) in wanted.items()
        for name in names
        if _is_plain(table.get(name))
    }


def _is_plain(value: object) -> bool:
    """Return True for printable text, or for a number of an ordinary size."""
    if type(value) is int:
        return abs(value) < _MAX_CENTS
    return isinstance(value, str) and value.isprintable()


def _table(table: Table, name: str) -> Table:
    """Return a table inside another; an empty one if it is absent or null."""
    value = table.get(name)
    return {} if value is None else _is_table(value)


def _is_table(value: object) -> Table:
    if not isinstance(value, Mapping):
        raise Unreachable(_UNREADABLE)
    return value


def _text(table: Table, name: str) -> str:
    """Return a short printable text; "" if it is absent or null."""
    value = table.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > 255 or not value.isprintable():
        raise Unreachable(_UNREADABLE)
    return value


def _shaped(table: Table, name: str, shape: re.Pattern[str]) -> str:
    text = _text(table, name)
    if not shape.fullmatch(text):
        raise Unreachable(_UNREADABLE)
    return text


def _cents(table: Table, name: str) -> int:
    value = table.get(name)
    if type(value) is not int or not 0 <= value < _MAX_CENTS:
        raise Unreachable(_UNREADABLE)
    return value
