"""A shop that has the password of Lyra's REST service, and a refund as the service tells it."""

from typing import Any

from gateways.lyra.settings import Shop
from tests.bank import KEY, ORDER, transaction

PASSWORD = "testpassword_Xq8wLz3RvT6nKp2MBd5yHs9J"
TABLE = {
    "adapter": "lyra",
    "site_id": "12345678",
    "test_key": KEY,
    "test_password": PASSWORD,
}
SHOP = Shop("12345678", "TEST", KEY.encode(), "https://form.example.org", password=PASSWORD)
UUID = transaction(ORDER)["uuid"]
OTHER_UUID = "f" * 32


def credit(cents: int = 1000, **changes: object) -> dict[str, Any]:
    """A refund of part of the debit, under a number of the bank's own."""
    return transaction(
        ORDER,
        **{
            "uuid": OTHER_UUID,
            "operationType": "CREDIT",
            "amount": cents,
            "transactionDetails__effectiveAmount": cents,
            "transactionDetails__parentTransactionUuid": UUID,
            "transactionDetails__cardDetails__legacyTransId": "900123",
            **changes,
        },
    )
