"""Two cookies on one site: the families', and that of the town hall's area.

Each area reads and writes its own cookie only, so that all that Flask, Flask-Login and Flask-WTF
keep in the session (who is signed in, the token of forms, messages) belongs to one area. Each is
signed with its own salt: the value of one is not valid as the other.
"""

from typing import Any

from flask import Flask, Request, Response, request
from flask.sessions import SecureCookieSessionInterface, SessionInterface, SessionMixin

#: Where the addresses of the town hall's area begin.
OFFICE = "/mairie"


def is_office(path: str) -> bool:
    """Tell whether an address, known to the site or not, is of the town hall's area."""
    return path == OFFICE or path.startswith(f"{OFFICE}/")


def flask_config(*, https: bool) -> dict[str, Any]:
    """Return the settings of Flask for the families' cookie, which the area's follows but for its
    name and its `SameSite`."""
    return {
        "SESSION_COOKIE_NAME": "__Host-kiosque" if https else "kiosque",
        "SESSION_COOKIE_SECURE": https,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
    }


class _OfficeCookie(SecureCookieSessionInterface):
    salt = "mairie-session"

    def get_cookie_name(self, app: Flask) -> str:
        return "__Host-mairie" if app.config["SESSION_COOKIE_SECURE"] else "mairie"

    def get_cookie_samesite(self, app: Flask) -> str:  # noqa: ARG002  # Flask gives it
        return "Strict"


class Sessions(SessionInterface):
    """Flask's session: that of the area whose page is asked for."""

    _families = SecureCookieSessionInterface()
    _office = _OfficeCookie()

    def open_session(self, app: Flask, request: Request) -> SessionMixin | None:
        return self._of(request.path).open_session(app, request)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        self._of(request.path).save_session(app, session, response)

    def _of(self, path: str) -> SecureCookieSessionInterface:
        return self._office if is_office(path) else self._families
