"""The bank's voice, for tests: notices as Lyra's platform posts and signs them."""

import hashlib
from pathlib import Path

from gateways.base import Handoff
from gateways.lyra import sign

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
