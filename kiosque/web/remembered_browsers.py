"""The browsers from which a family has signed in, remembered by a mark in a cookie."""

import hashlib
import hmac
import secrets

from flask import current_app, request, session
from itsdangerous import BadData, URLSafeTimedSerializer
from werkzeug.wrappers import Response

from kiosque.db.models import Account, Family

#: How long a browser is remembered as one from which a family signed in.
BROWSER_SECONDS = 90 * 24 * 3600
#: Key in the browser's session: the family said that others use this computer.
_SHARED = "shared"


def is_shared() -> bool:
    """Tell whether the family signed in from a computer that it shares with others."""
    return bool(session.get(_SHARED))


def remember(response: Response, family: Family, *, shared: bool) -> Response:
    """Mark the browser as one from which this family has signed in, or erase its mark if the
    computer is shared. The mark opens nothing and tells nobody whose it is. It has two uses:
    failures of strangers do not delay the family, and the family gets no mail about its own
    sign-ins."""
    session[_SHARED] = shared
    if shared:
        response.delete_cookie(
            _mark_name(),
            secure=current_app.config["SESSION_COOKIE_SECURE"],
            httponly=True,
            samesite="Lax",
        )
        return response
    identity = secrets.token_urlsafe(12)
    mark = _marks().dumps([identity, _proof(family.code, identity)])
    response.set_cookie(
        _mark_name(),
        mark,
        max_age=BROWSER_SECONDS,
        secure=current_app.config["SESSION_COOKIE_SECURE"],
        httponly=True,
        samesite="Lax",
    )
    return response


def recognised(code: str) -> str:
    """Return the identity of this browser if this code has signed in from it, else ""."""
    try:
        identity, proof = _marks().loads(
            request.cookies.get(_mark_name(), ""), max_age=BROWSER_SECONDS
        )
    except (BadData, ValueError):
        return ""
    return identity if proof == _proof(code, identity) else ""


def _proof(code: str, identity: str) -> str | None:
    """Return the signature that ties a browser to a family, made with our key; None for no family.

    It changes with the family's password, which ends all marks: otherwise whoever once knew the
    password could gather marks and use each to guess the next password. It does not change when the
    same password is only hashed again.
    """
    account = Account.select().join(Family).where(Family.code == code).first()
    if account is None:
        return None
    text = f"{identity}:{account.id}:{account.password_set_at.isoformat()}"
    key: str = current_app.config["SECRET_KEY"]
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()


def _marks() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.config["SECRET_KEY"], salt="browser")


def _mark_name() -> str:
    return f"{current_app.config['SESSION_COOKIE_NAME']}-navigateur"
