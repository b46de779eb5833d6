"""Flask's own settings, and what happens around every request."""

from typing import Any
from urllib.parse import urlsplit

from flask import Flask, request
from werkzeug.exceptions import BadRequest, HTTPException, SecurityError, ServiceUnavailable

from kiosque import db
from kiosque.settings import Settings
from kiosque.web import cookies
from kiosque.web.limits import MAX_LOGO_BYTES, MAX_REQUEST_BYTES
from kiosque.web.office import access as office_access

#: When to come back to a site that is closed until somebody mends it.
CLOSED_SECONDS = 600


def init_app(app: Flask) -> None:
    settings: Settings = app.extensions["settings"]
    app.config.from_mapping(_flask_config(settings))
    app.session_interface = cookies.Sessions()
    app.url_map.strict_slashes = False
    # A redirected notification would be lost: do not redirect, not even to correct `//`.
    app.url_map.merge_slashes = False
    app.teardown_request(_release_connection)
    if settings.environment == "production":
        _answer_under_one_name(app, settings)
    app.before_request(_read_form)


def _flask_config(settings: Settings) -> dict[str, Any]:
    return {
        "SECRET_KEY": settings.secret_key,
        # The site's own name, and this machine's for a health check made from it.
        "TRUSTED_HOSTS": [urlsplit(settings.public_url).hostname, "127.0.0.1", "localhost"],
        "MAX_CONTENT_LENGTH": MAX_REQUEST_BYTES,
        **cookies.flask_config(https=settings.https),
        "WTF_CSRF_TIME_LIMIT": None,
        # The token is enough; some browsers and privacy tools remove the Referer from requests.
        "WTF_CSRF_SSL_STRICT": False,
    }


def _release_connection(error: BaseException | None) -> None:
    """Give the connection back. Peewee connects at a thread's first query: error pages and files
    need no database."""
    if error is None:
        db.release()
    elif not db.database.is_closed():
        db.database.close()


def _answer_under_one_name(app: Flask, settings: Settings) -> None:
    """In production, refuse the host names that `TRUSTED_HOSTS` admits only for a health check."""
    name = urlsplit(settings.public_url).hostname

    @app.before_request
    def refuse_other_names() -> None:
        if request.host.partition(":")[0] != name and request.endpoint != "site.health":
            raise SecurityError


def close_every_page(app: Flask) -> None:
    """Answer 503 to all but the health check, which says why, and the files that the error page
    needs. A bank sends its message again."""

    @app.before_request
    def close() -> None:
        if request.endpoint not in ("site.health", "site.asset"):
            raise ServiceUnavailable(retry_after=CLOSED_SECONDS)


def _read_form() -> None:
    """Read a form before its view does: a connection that breaks off is then a bad request, not an
    error of ours. The view of notifications reads its own body."""
    if request.endpoint in ("office.deposit", "office.load_statement"):
        request.max_content_length = office_access.most_bytes()
    if request.endpoint == "office.change_logo":
        request.max_content_length = MAX_LOGO_BYTES
    if request.content_type and request.endpoint != "notification.receive":
        try:
            _ = request.form
        except HTTPException:
            raise
        except Exception as error:  # each server's parser has exceptions of its own
            raise BadRequest from error
