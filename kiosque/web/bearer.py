"""The token by which another program is let in: one of the settings, sent with each request."""

import hmac

from flask import abort, request
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Unauthorized


def require(*wanted: str) -> str:
    """Return which of the town's tokens was sent; refuse any other. Answer as if nothing were here
    where the town set none."""
    known = [token for token in wanted if token]
    if not known:
        abort(404)
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    sent = given.strip().encode()
    same = [token for token in known if hmac.compare_digest(sent, token.encode())]
    if scheme.lower() != "bearer" or not same:
        raise Unauthorized(www_authenticate=WWWAuthenticate("bearer", {"realm": "kiosque"}))
    return same[0]
