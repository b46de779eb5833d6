"""What the site answers to a probe of its own town's (`kiosque.web.probe`)."""

from flask import current_app, request

from kiosque.web import probe


def token_in_header(door: str) -> str:
    """The token of ours that the request under way carries, else nothing."""
    text = request.headers.get(probe.HEADER, "")
    return text if probe.is_ours(_secret_key(), door, text) else ""


def token_in_form(door: str, fields: tuple[tuple[str, str], ...]) -> str:
    """The same, of a form that was read already."""
    return probe.in_form(_secret_key(), door, fields)


def proof(token: str) -> str:
    """Our proof, and what the site sees of who asks."""
    chain, address = request.headers.get("X-Forwarded-For", ""), request.remote_addr or ""
    believed = "believed" if address and address in chain else "ignored"
    seen = {
        "address": address,
        "forwarded": believed if chain else "none",
        "scheme": request.scheme,
    }
    return probe.answer(_secret_key(), token, seen)


def _secret_key() -> str:
    secret_key: str = current_app.extensions["settings"].secret_key
    return secret_key
