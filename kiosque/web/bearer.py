"""Check the token of another program: it is in the settings, and sent with each request."""

import hmac

from flask import abort, request
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Unauthorized


def require(*wanted: str) -> str:
    """Return which of the town's tokens was sent. Answer 401 to any other; 404 if the town set
    none, as if there were no such page."""
    known = [token for token in wanted if token]
    if not known:
        abort(404)
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    sent = given.strip().encode()
    same = [token for token in known if hmac.compare_digest(sent, token.encode())]
    if scheme.lower() != "bearer" or not same:
        raise Unauthorized(www_authenticate=WWWAuthenticate("bearer", {"realm": "kiosque"}))
    return same[0]
