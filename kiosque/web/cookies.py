"""What a browser carries from page to page: the session's cookie, and the token that shows that a
form was ours. Both are signed; neither is verified or signed again at each page."""

import time
from collections.abc import Iterable
from copy import deepcopy
from functools import lru_cache

from flask import Flask, Request, g, request, session
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask_wtf import CSRFProtect
from flask_wtf.csrf import generate_csrf
from itsdangerous import BadData, URLSafeTimedSerializer

#: How many browsers' cookies and tokens a process has at hand.
_AT_HAND = 1000


def init_app(app: Flask, without_token: Iterable[str]) -> None:
    """Keep sessions in cookies, and refuse forms without their token but for the views named."""
    app.session_interface = _Cookies(app)
    guard = _FormGuard(app)
    for view in without_token:
        guard.exempt(view)
    tokens = _FormTokens(app.config["SECRET_KEY"])
    app.context_processor(lambda: {"csrf_token": tokens.current})


class _Cookies(SecureCookieSessionInterface):
    """Flask's session cookies. A browser sends the same one with each page: its signature is
    verified the first time."""

    def __init__(self, app: Flask) -> None:
        signer = super().get_signing_serializer(app)
        if signer is None:
            raise RuntimeError("a secret key is needed")
        self._signer, self._name = signer, self.get_cookie_name(app)
        self._seconds = app.permanent_session_lifetime.total_seconds()
        self._verified = lru_cache(_AT_HAND)(lambda text: signer.loads(text, return_timestamp=True))

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:  # noqa: ARG002
        return self._signer

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession:  # noqa: ARG002
        """What the cookie holds; nothing when we did not sign it, or too long ago."""
        text = request.cookies.get(self._name)
        if not text:
            return self.session_class()
        try:
            content, signed_at = self._verified(text)
        except BadData:
            return self.session_class()
        if time.time() - signed_at.timestamp() > self._seconds:
            return self.session_class()
        # A page may add to what it finds there.
        return self.session_class(
            {name: each if type(each) is str else deepcopy(each) for name, each in content.items()}
        )


class _FormGuard(CSRFProtect):  # type: ignore[misc]  # Flask-WTF carries no types
    """Flask-WTF's guard against forged requests, for what may change something: it would first
    look up what a page to be read belongs to."""

    def protect(self, apply_exemptions: bool = False) -> None:
        """Refuse a form without its token."""
        if request.method not in ("GET", "HEAD", "OPTIONS"):
            super().protect(apply_exemptions=apply_exemptions)


class _FormTokens:
    """Flask-WTF's tokens, signed once a session: they have no limit in time but the session's."""

    def __init__(self, secret_key: str) -> None:
        signer = URLSafeTimedSerializer(secret_key, salt="wtf-csrf-token")
        self._signed = lru_cache(_AT_HAND)(signer.dumps)

    def current(self) -> str:
        """The token of this page's forms. Flask-WTF gives a new session its secret."""
        secret = session.get("csrf_token")
        if not isinstance(secret, str):
            return str(generate_csrf())
        # Where Flask-WTF, for a form of its own, looks first.
        token = g.csrf_token = str(self._signed(secret))
        return token
