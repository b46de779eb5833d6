"""What the mock bank demands of a form before it shows a payer anything."""

import re
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from gateways.lyra import EURO, sign
from gateways.sandbox import SITE_ID

# Field: (pattern, error code of the platform).
_FORMATS = {
    "vads_version": (r"V2", "01"),
    "vads_site_id": (SITE_ID, "02"),
    "vads_trans_id": (r"[0-8][0-9]{5}", "03"),
    "vads_trans_date": (r"[0-9]{14}", "04"),
    "vads_payment_config": (r"SINGLE", "07"),
    "vads_amount": (r"[1-9][0-9]{0,11}", "09"),
    "vads_currency": (EURO, "10"),
    "vads_ctx_mode": (r"TEST", "11"),
    "vads_language": (r"(de|en|es|fr|it|ja|nl|pl|pt|ru|sv|tr|zh)?", "12"),
    "vads_order_id": (r"[A-Za-z0-9_-]{0,64}", "13"),
    "vads_order_info": (r"[^<>]{0,255}", "14"),
    "vads_url_return": (r"(https?://[^<>\s]{1,1000})?", "28"),
    "vads_page_action": (r"PAYMENT", "46"),
    "vads_action_mode": (r"INTERACTIVE", "47"),
    "vads_return_mode": (r"(NONE)?", "48"),
}
_OPTIONAL = {
    "vads_language", "vads_order_id", "vads_order_info", "vads_url_return", "vads_return_mode",
}  # fmt: skip


class FormRejected(Exception):  # the word of the protocol
    """The form is refused before any page is shown; `code` is the platform's error code."""

    def __init__(self, code: str):
        super().__init__(f"error-{code}")
        self.code = code


def check_form(fields: Mapping[str, str], key: bytes) -> dict[str, str]:
    """The signed fields of a form. Raises FormRejected with the platform's code."""
    signature = fields.get("signature", "")
    if not secrets.compare_digest(sign(fields, key).encode(), signature.encode()):
        raise FormRejected("00")
    for name, (pattern, code) in _FORMATS.items():
        value = fields.get(name, "" if name in _OPTIONAL else None)
        if value is None or not re.fullmatch(pattern, value, re.ASCII):
            raise FormRejected(code)
    try:
        sent_at = datetime.strptime(fields["vads_trans_date"], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        raise FormRejected("04") from None
    if not timedelta(minutes=-150) < datetime.now(UTC) - sent_at < timedelta(minutes=60):
        raise FormRejected("04")
    return {name: value for name, value in fields.items() if name.startswith("vads_")}
