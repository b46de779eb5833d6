"""Kiosque Famille: families pay their town's invoices online."""

import os
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, g, request
from flask_wtf import CSRFProtect

from gateways.base import ConfigError, Gateway
from gateways.registry import configure as configure_gateway
from kiosque import access, assets, config, database, documents, errors, languages, views
from kiosque.config import Settings

#: No form of ours, and no notification of a bank's, comes near this.
MAX_REQUEST_BYTES = 64 * 1024


def create_app(settings: Settings | None = None) -> Flask:
    """Assemble the site. Without settings, they are read from the environment, and what is
    wrong with them is said in French instead of starting."""
    try:
        settings = settings or config.load(os.environ)
        gateways = load_gateways(settings)
    except ConfigError as error:
        raise SystemExit("Réglages refusés :\n- " + "\n- ".join(error.faults)) from None
    app = Flask(__name__, template_folder=str(documents.TEMPLATES), static_folder=None)
    app.config.from_mapping(_flask_config(settings))
    app.url_map.strict_slashes = False
    # A redirected notification is a lost one: not even `//` is corrected by a redirect.
    app.url_map.merge_slashes = False
    app.extensions.update(settings=settings, gateways=gateways, assets=assets.build(settings.town))
    database.configure(settings.database_path)
    _connect_each_request(app)
    languages.init_app(app)
    _prepare_templates(app, settings)
    CSRFProtect(app).exempt("kiosque.views.payment.notification")
    access.init_app(app)
    errors.init_app(app)
    views.init_app(app)
    app.after_request(_secure)
    return app


def load_gateways(settings: Settings) -> dict[str, Gateway]:
    """Every gateway the settings name. Raises ConfigError naming the faults of all of them."""
    gateways, faults = {}, []
    for name, table in settings.gateways.items():
        try:
            gateways[name] = configure_gateway(name, table, environment=settings.environment)
        except ConfigError as error:
            faults += error.faults
    if faults:
        raise ConfigError(faults)
    return gateways


def _flask_config(settings: Settings) -> dict[str, Any]:
    return {
        "SECRET_KEY": settings.secret_key,
        # The site's own name, and this machine's for a health check made from it.
        "TRUSTED_HOSTS": [urlsplit(settings.public_url).hostname, "127.0.0.1", "localhost"],
        "MAX_CONTENT_LENGTH": MAX_REQUEST_BYTES,
        "SESSION_COOKIE_NAME": "__Host-kiosque" if settings.https else "kiosque",
        "SESSION_COOKIE_SECURE": settings.https,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "WTF_CSRF_TIME_LIMIT": None,
    }


def _connect_each_request(app: Flask) -> None:
    @app.before_request
    def connect() -> None:
        database.db.connect(reuse_if_open=True)

    @app.teardown_request
    def disconnect(_error: BaseException | None) -> None:
        if not database.db.is_closed():
            database.db.close()


def _prepare_templates(app: Flask, settings: Settings) -> None:
    app.jinja_env.filters.update(documents.FILTERS, french=documents.french)
    documents.translate(app.jinja_env)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(
        settings=settings,
        town=settings.town,
        assets=app.extensions["assets"],
        signed_in_family=access.signed_in_family,
    )


def _secure(response: Response) -> Response:
    """Only what is used is allowed; a form goes nowhere but here, or to the bank from the page
    that hands over to it."""
    form_action = f"'self' {g.get('form_origin', '')}".strip()
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
        f"form-action {form_action}; base-uri 'none'; frame-ancestors 'none'"
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    if request.endpoint != "site.asset":
        response.headers["Cache-Control"] = "no-store"
    return response
