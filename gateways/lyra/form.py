"""Lyra's hosted form, `vads_*` fields version V2, as sold by French banks under many names.

Systempay (Caisse d'Epargne, Banque Populaire), PayZen, Scellius, Sogecommerce... speak the
same protocol on different hosts. Sources: paiement.systempay.fr/doc (form-payment: quick
start guide, standard payment, reference, error codes) and docs.lyra.com/en/collect.

The signature covers only the *values*, joined by `+` in the order of their names. Somebody able
to put a `+` into a signed value could move the others under different names, and turn the form that
we signed into a "paid" notification. Hence two rules: nothing that a payer types is signed, and
no value with a `+` is ever sent (`_SENT`); a notification must carry, in their exact shape, the
fields that only a notification has (`_NOTICE`).

If the bank signed a message and its status says that money came or went, it is never refused for
the shape of its other fields (a payment by instalments, another version, an empty hash): it pays
nothing, and a human is told. None of these statuses is a value that we send.

A payer sent back by GET has a message signed by the bank, which may repeat what was typed on its
page. So a shop with this option (`page` demands `confirm`) always asks the bank before it believes
that money came or went; by default the return carries no data at all.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from gateways.base import (
    BadCallback,
    Callback,
    Handoff,
    Limits,
    Order,
    Outcome,
    Report,
    SigningKey,
    Unreadable,
)
from gateways.lyra.settings import Shop
from gateways.lyra.statuses import STATUSES, decide, is_approved, is_final

SESSION_EXPIRED = "149"
EURO = "978"

# Fields of our form. No pattern admits a `+`: see the docstring of the module.
_URL = re.compile(r"https?://[A-Za-z0-9.:/_-]{1,200}", re.ASCII)
_SENT = {
    "vads_action_mode": re.compile("INTERACTIVE"),
    "vads_amount": re.compile(r"[1-9][0-9]{0,11}", re.ASCII),
    "vads_ctx_mode": re.compile("TEST|PRODUCTION"),
    "vads_currency": re.compile(EURO),
    "vads_language": re.compile("[a-z]{2}", re.ASCII),
    "vads_order_id": re.compile(r"[A-Za-z0-9-]{1,20}", re.ASCII),
    "vads_order_info": re.compile(r"[A-Za-z0-9 ,.:/_-]{0,255}", re.ASCII),
    "vads_page_action": re.compile("PAYMENT"),
    "vads_payment_cards": re.compile("[A-Z_;-]{1,127}", re.ASCII),
    "vads_payment_config": re.compile("SINGLE"),
    "vads_redirect_success_timeout": re.compile("[0-9]{1,3}", re.ASCII),
    "vads_return_mode": re.compile("NONE|GET"),
    "vads_site_id": re.compile(r"[0-9]{8}", re.ASCII),
    "vads_theme_config": re.compile("[^+<>]{1,255}"),
    "vads_trans_date": re.compile(r"[0-9]{14}", re.ASCII),
    "vads_trans_id": re.compile(r"[0-8][0-9]{5}", re.ASCII),
    "vads_url_return": _URL,
    "vads_version": re.compile("V2"),
}

# Fields of every notification. A form or a browser's return lacks some (hash, source).
_NOTICE = {
    "vads_amount": re.compile(r"[1-9][0-9]{0,11}", re.ASCII),
    "vads_currency": re.compile(r"[0-9]{3}", re.ASCII),
    "vads_effective_amount": re.compile(r"[0-9]{0,12}", re.ASCII),
    "vads_effective_currency": re.compile(r"([0-9]{3})?", re.ASCII),
    "vads_hash": re.compile(r"[0-9A-Za-z]{64}", re.ASCII),
    "vads_order_id": re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII),
    "vads_trans_date": re.compile(r"[0-9]{14}", re.ASCII),
    "vads_trans_id": re.compile(r"[0-9A-Za-z]{6}", re.ASCII),
    "vads_trans_status": re.compile(r"[A-Z_]{1,40}", re.ASCII),
    "vads_url_check_src": re.compile(r"[A-Z_]{1,30}", re.ASCII),
}

# Further fields of a notification that says that money came or went.
_MONEY = {
    "vads_effective_amount": re.compile(r"([1-9][0-9]{0,11})?", re.ASCII),
    "vads_effective_currency": re.compile(r"([0-9]{3})?", re.ASCII),
    "vads_page_action": re.compile("PAYMENT"),
    "vads_payment_config": re.compile("SINGLE"),
    "vads_trans_uuid": re.compile(r"[0-9A-Fa-f]{32}", re.ASCII),
    "vads_version": re.compile("V2"),
}
#: The field that says why the bank wrote: neither a form nor a browser's return has it.
ONLY_A_NOTICE = "vads_url_check_src"
_MOVES_MONEY = {Outcome.PAID, Outcome.REVERSED, Outcome.REFUNDED}

# Fields kept for the audit: neither card number, expiry, names, addresses nor the payer's country.
_KEPT = frozenset(
    {
        "vads_amount", "vads_auth_mode", "vads_auth_number", "vads_auth_result",
        "vads_card_brand", "vads_contract_used", "vads_ctx_mode", "vads_currency",
        "vads_effective_amount", "vads_effective_creation_date", "vads_effective_currency",
        "vads_extra_result", "vads_operation_type", "vads_order_id", "vads_payment_error",
        "vads_presentation_date", "vads_result", "vads_sequence_number", "vads_site_id",
        "vads_trans_date", "vads_trans_id", "vads_trans_status", "vads_trans_uuid",
        "vads_url_check_src", "vads_warranty_result",
    }
)  # fmt: skip


class HostedForm:
    """The hosted form of one shop, in one mode."""

    def __init__(self, name: str, label: str, shop: Shop) -> None:
        self.name = name
        self.label = label
        self.form_origin = shop.form_origin
        # The bank's page lives 10 minutes; its message may come a few minutes later.
        self.limits = Limits(
            maximum_cents=99_999_999, session_minutes=15, cards=shop.page.card_names
        )
        self._shop = shop
        self._now: Callable[[], datetime] = lambda: datetime.now(UTC)
        self._by_get = shop.page.return_mode == "GET"
        self._doubted = _MOVES_MONEY if self._by_get else {Outcome.PAID}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, {self.form_origin!r})"

    def start(self, order: Order) -> Handoff:
        """Sign the form that the payer's browser posts; nothing is asked of the bank.

        Raises ValueError for a value that the protocol does not allow, which is a fault of ours.
        """
        trans_date, trans_id = trans_date_and_id(order)
        fields = {
            "vads_action_mode": "INTERACTIVE",
            "vads_amount": str(order.cents),
            "vads_ctx_mode": self._shop.mode,
            "vads_currency": EURO,
            "vads_order_id": order.reference,
            "vads_order_info": order.description[:255],
            "vads_page_action": "PAYMENT",
            "vads_payment_config": "SINGLE",
            "vads_site_id": self._shop.site_id,
            "vads_trans_date": trans_date,
            "vads_trans_id": trans_id,
            "vads_url_return": order.return_url,
            "vads_version": "V2",
            **self._shop.page.fields(order.language),
        }
        for name, value in fields.items():
            if not _SENT[name].fullmatch(value):
                raise ValueError(f"{name} ne peut pas être envoyé")
        signed = (*fields.items(), ("signature", sign(fields, self._shop.key)))
        return Handoff(f"{self.form_origin}/vads-payment/", f"{trans_date}-{trans_id}", signed)

    def read_notification(self, callback: Callback) -> Report:
        """Verify the shop and mode, then the signature, then the shape. Raises BadCallback,
        Unreadable.

        With `confirm`, a message that says that money came or went is only a reason to ask the
        bank.
        """
        values = callback.form()
        signing_key = self._authenticate(values)
        readable, misshapen = _read(values)
        report = self._report(readable, signing_key)
        kept = {name: value[:255] for name, value in values.items() if name in _KEPT}
        if misshapen:
            report = _doubt(replace(report, ask=report.ask or self._by_get), misshapen)
        return replace(report, raw=kept)

    def _report(self, values: Mapping[str, str], signing_key: SigningKey | None) -> Report:
        """Translate a message; a field that cannot be read is empty."""
        status = values["vads_trans_status"]
        operation = values.get("vads_operation_type", "")
        outcome, anomaly = decide(
            status,
            operation,
            succeeded=values.get("vads_result") == "00"
            and is_approved(values.get("vads_auth_result", "")),
            consistent=_is_consistent(values),
            timed_out=values.get("vads_payment_error") == SESSION_EXPIRED,
        )
        currency = values.get("vads_effective_currency") or values["vads_currency"]
        number = (values["vads_trans_date"], values["vads_trans_id"])
        return Report(
            reference=values["vads_order_id"],
            outcome=outcome,
            cents=int(values.get("vads_effective_amount") or values["vads_amount"] or 0),
            currency="EUR" if currency == EURO else currency,
            transaction_id=values.get("vads_trans_uuid", "").lower(),
            gateway_reference="-".join(number) if all(number) else "",
            status=f"{operation} {status}".strip(),
            authorisation=values.get("vads_auth_number", "")[:20],
            card_brand=values.get("vads_card_brand", "")[:20],
            card_last4=card_last4(values.get("vads_card_number", "")),
            final=is_final(status, outcome),
            ask=self._shop.confirm and outcome in self._doubted,
            anomaly=anomaly,
            signing_key=signing_key,
        )

    def _authenticate(self, values: Mapping[str, str]) -> SigningKey | None:
        """Verify that the bank wrote the message, for our shop, in our mode. Raises BadCallback.

        Return which of our two keys signed it; None if we have only one.
        """
        expected = (self._shop.site_id, self._shop.mode)
        if (values.get("vads_site_id"), values.get("vads_ctx_mode")) != expected:
            raise BadCallback("boutique ou mode inattendu")
        # compare_digest raises on text that is not ASCII: it is given bytes.
        given = values.get("signature", "").encode()
        # Both keys are always tried, so that the time it takes tells nothing.
        proved = [
            which
            for which, key in self._keys()
            if hmac.compare_digest(sign(values, key).encode(), given)
        ]
        if not proved:
            raise BadCallback("signature fausse")
        if proved == [SigningKey.PREVIOUS] and self._now() >= self._shop.previous_until:
            raise BadCallback("signée de l’ancienne clé, qui n’est plus acceptée")
        return proved[0] if self._shop.previous_key else None

    def _keys(self) -> list[tuple[SigningKey, bytes]]:
        """Return the keys that the bank may sign with."""
        shop = self._shop
        previous = [(SigningKey.PREVIOUS, shop.previous_key)] if shop.previous_key else []
        return [(SigningKey.CURRENT, shop.key), *previous]


def sign(fields: Mapping[str, str], key: bytes) -> str:
    """Return the HMAC-SHA-256 signature of the `vads_` fields, in Base64.

    The key serves twice: as the key of the HMAC and as the last value signed.
    Source: form-payment/quick-start-guide/computing-the-signature.
    """
    values = [fields[name].encode() for name in sorted(fields) if name.startswith("vads_")]
    digest = hmac.new(key, b"+".join([*values, key]), hashlib.sha256).digest()
    return base64.b64encode(digest).decode("ascii")


def trans_date_and_id(order: Order) -> tuple[str, str]:
    """Return the two fields that name an attempt: its instant in UTC, its number of the day."""
    return order.started_at.astimezone(UTC).strftime("%Y%m%d%H%M%S"), f"{order.number:06d}"


def card_last4(masked: str) -> str:
    """Return the last four digits of a card number masked as the bank does; "" for another text."""
    found = re.fullmatch(r"[0-9]{4,6}X+([0-9]{4})", masked, re.ASCII)
    return found[1] if found else ""


def _is_consistent(values: Mapping[str, str]) -> bool:
    """Return whether the amount and currency debited, where the bank gives any, are those asked."""
    return all(
        values.get(f"vads_effective_{name}", "") in ("", values[f"vads_{name}"])
        for name in ("amount", "currency")
    )


def _read(values: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Return (the values, malformed ones being empty; the names of the malformed ones).

    Raises BadCallback if the values do not prove to be a notification, Unreadable if some are
    malformed and none says that money came or went.
    """
    moves_money = STATUSES.get(values.get("vads_trans_status", "")) in _MOVES_MONEY
    shapes = {**_NOTICE, **_MONEY} if moves_money else _NOTICE
    # An absent field counts as an empty one, which only some shapes allow.
    misshapen = [name for name, it in shapes.items() if not it.fullmatch(values.get(name, ""))]
    if ONLY_A_NOTICE in misshapen:
        raise BadCallback(f"{misshapen[0]} absent ou mal formé")
    if misshapen and not moves_money:
        raise Unreadable(
            f"{misshapen[0]} absent ou mal formé",
            reference=values.get("vads_order_id"),
            transaction_id=values.get("vads_trans_uuid"),
        )
    return {**values, **dict.fromkeys(misshapen, "")}, misshapen


def _doubt(report: Report, misshapen: list[str]) -> Report:
    """Turn a message that cannot be read completely into a report that pays nothing and that a
    human must look at. Raises Unreadable if only the bank could confirm it and it names no
    payment."""
    if report.ask and not (report.reference and report.gateway_reference):
        raise Unreadable(
            f"{misshapen[0]} absent ou mal formé",
            reference=report.reference,
            transaction_id=report.transaction_id,
        )
    transaction = report.transaction_id or report.gateway_reference or "inconnue"
    unread = ", ".join(misshapen)
    words = f"message signé d’une forme inattendue ({unread}), transaction {transaction}"
    return replace(report, outcome=Outcome.PENDING, anomaly=words, final=False)
