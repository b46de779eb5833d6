"""Answer the probes of the site's own town (`kiosque.web.probe`)."""

from flask import request

from gateways.base import BadCallback, Callback
from kiosque.web import current, probe


def token_in_header(door: str) -> str:
    """Return the token of ours that the request under way carries, else nothing."""
    text = request.headers.get(probe.HEADER, "")
    return text if probe.is_ours(current.settings().secret_key, door, text) else ""


def token_in_form(door: str, callback: Callback) -> str:
    """Return the token of ours that a form carries, else nothing."""
    if probe.FIELD.encode() not in callback.body:
        return ""  # do not parse a bank's own message here: its gateway does
    try:
        fields = callback.pairs()
    except BadCallback:
        return ""
    return probe.in_form(current.settings().secret_key, door, fields)


def proof(token: str) -> str:
    """Return our proof, and what the site sees of the caller."""
    chain, address = request.headers.get("X-Forwarded-For", ""), request.remote_addr or ""
    believed = "believed" if address and address in chain else "ignored"
    seen = {
        "address": address,
        "forwarded": believed if chain else "none",
        "scheme": request.scheme,
    }
    return probe.answer(current.settings().secret_key, token, seen)
