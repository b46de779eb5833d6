"""Check a form before the mock bank opens its payment page, as the real platform does."""

import re
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from gateways.lyra import EURO, sign
from gateways.sandbox import SITE_ID
from gateways.sandbox.cards import CONTRACT

_LANGUAGE = "(de|en|es|fr|it|ja|nl|pl|pt|ru|sv|tr|zh)"
_CARD = f"({'|'.join(CONTRACT)})"
_SECONDS = "([0-9]{1,2}|[12][0-9]{2}|300)?"
_MESSAGE = "[^<>]{0,255}"

#: {field: (pattern, error code of the platform)}
_FORMATS = {
    "vads_version": (r"V2", "01"),
    "vads_site_id": (SITE_ID, "02"),
    "vads_trans_id": (r"[0-8][0-9]{5}", "03"),
    "vads_trans_date": (r"[0-9]{14}", "04"),
    "vads_payment_config": (r"SINGLE", "07"),
    "vads_amount": (r"[1-9][0-9]{0,11}", "09"),
    "vads_currency": (EURO, "10"),
    "vads_ctx_mode": (r"TEST", "11"),
    "vads_payment_cards": (f"({_CARD}(;{_CARD})*)?", "08"),
    "vads_language": (f"{_LANGUAGE}?", "12"),
    "vads_order_id": (r"[A-Za-z0-9_-]{0,64}", "13"),
    "vads_order_info": (r"[^<>]{0,255}", "14"),
    "vads_url_return": (r"(https?://[^<>\s]{1,1000})?", "28"),
    "vads_theme_config": (
        r"(?=.{0,255}$)([A-Z][A-Z0-9_]*=[^<>;]+(;[A-Z][A-Z0-9_]*=[^<>;]+)*)?",
        "32",
    ),
    "vads_redirect_success_timeout": (_SECONDS, "34"),
    "vads_redirect_success_message": (_MESSAGE, "35"),
    "vads_redirect_error_timeout": (_SECONDS, "36"),
    "vads_redirect_error_message": (_MESSAGE, "37"),
    "vads_page_action": (r"PAYMENT", "46"),
    "vads_action_mode": (r"INTERACTIVE", "47"),
    # The real platform also allows POST; no adapter of ours asks for it.
    "vads_return_mode": (r"(NONE|GET)?", "48"),
    "vads_available_languages": (f"({_LANGUAGE}(;{_LANGUAGE})*)?", "71"),
}
_MANDATORY = {
    "vads_version", "vads_site_id", "vads_trans_id", "vads_trans_date", "vads_payment_config",
    "vads_amount", "vads_currency", "vads_ctx_mode", "vads_page_action", "vads_action_mode",
}  # fmt: skip


class FormRejected(Exception):  # the word of the protocol
    """The form is refused before any page is shown: the platform's error `code`, and the field."""

    def __init__(self, code: str, field: str):
        super().__init__(f"error-{code}")
        self.code = code
        self.field = field


def check_form(fields: Mapping[str, str], key: bytes) -> dict[str, str]:
    """Return the signed fields of a form. Raises FormRejected."""
    signature = fields.get("signature", "")
    if not secrets.compare_digest(sign(fields, key).encode(), signature.encode()):
        raise FormRejected("00", "signature")
    for name, (pattern, code) in _FORMATS.items():
        value = fields.get(name, None if name in _MANDATORY else "")
        if value is None or not re.fullmatch(pattern, value, re.ASCII):
            raise FormRejected(code, name)
    try:
        sent_at = datetime.strptime(fields["vads_trans_date"], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        raise FormRejected("04", "vads_trans_date") from None
    if not timedelta(minutes=-150) < datetime.now(UTC) - sent_at < timedelta(minutes=60):
        raise FormRejected("04", "vads_trans_date")
    return {name: value for name, value in fields.items() if name.startswith("vads_")}
