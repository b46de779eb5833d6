"""Kiosque Famille: families pay their town's invoices online."""

import os
import sys
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, request
from peewee import DatabaseError
from werkzeug.exceptions import BadRequest, HTTPException, SecurityError

from gateways import registry
from gateways.base import ConfigError
from kiosque import db, payments
from kiosque.language import templates
from kiosque.outbox import addresses
from kiosque.settings import Settings, loading
from kiosque.web import (
    access,
    assets,
    cookies,
    errors,
    headers,
    language,
    legal,
    proxy,
    templating,
    views,
)

#: No form of ours, and no notification of a bank's, comes near this.
MAX_REQUEST_BYTES = 64 * 1024
#: Posted by a bank, by a browser it sends back and by mail programs, which have no page of ours to
#: take a token from; none uses a session, and what counts is proved otherwise.
NO_CSRF_TOKEN = (
    "kiosque.web.views.payment.notification",
    "kiosque.web.views.payment.sent_back",
    "kiosque.web.views.mails.stop",
)


class _Site(Flask):
    """Flask, which would look at each function it calls, several a request, for a coroutine."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """None of ours is one."""
        return func


class CannotStart(SystemExit):
    """Said on the error output. Its status, 3, makes gunicorn stop, where another would make it
    start new workers for ever."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.code = 3
        print(text, file=sys.stderr)


def create_app(settings: Settings | None = None) -> Flask:
    """Assemble the site. Without settings, they are read from the environment, and what is
    wrong with them is said in French instead of starting."""
    try:
        settings, own_texts = _read(settings)
        gateways = registry.configure_all(settings.gateways, environment=settings.environment)
        db.configure(settings.database_location, durable=settings.environment == "production")
    except ConfigError as error:
        raise CannotStart("Réglages refusés :\n- " + "\n- ".join(error.faults)) from None
    app = _Site(__name__, template_folder=str(templates.TEMPLATES), static_folder=None)
    app.jinja_environment = templating.Pages
    app.config.from_mapping(_flask_config(settings))
    app.url_map.strict_slashes = False
    # A redirected notification is a lost one: not even `//` is corrected by a redirect.
    app.url_map.merge_slashes = False
    app.extensions.update(
        settings=settings,
        gateways=gateways,
        assets=assets.build(settings.town),
        texts=own_texts,
    )
    _release_each_connection(app)
    language.init_app(app)
    _answer_under_one_name(app, settings)
    _prepare_templates(app, settings)
    _read_forms_first(app)
    cookies.init_app(app, NO_CSRF_TOKEN)
    access.init_app(app)
    errors.init_app(app)
    views.init_app(app)
    headers.init_app(app)
    proxy.init_app(app, settings.proxies)
    if settings.environment == "production" and (lacking := legal.missing(settings, own_texts)):
        app.logger.warning("pages légales incomplètes, réglages absents : %s", ", ".join(lacking))
    _warn_of_what_was_removed_too_early(app, settings)
    return app


def _warn_of_what_was_removed_too_early(app: Flask, settings: Settings) -> None:
    """Nobody hears of a gateway's payments any more, nobody pays a *régie*'s invoices. A base
    that is not there yet has none."""
    if not (settings.on_postgresql or settings.database_path.exists()):
        return
    try:
        with db.connection():
            for removed in payments.unserved(list(settings.gateways)):
                app.logger.warning("%s", payments.words(removed))
            for words in payments.closed_regies(list(settings.regies)):
                app.logger.warning("%s", words)
    except DatabaseError:
        app.logger.warning("la base ne répond pas encore : « migrate » a-t-il été lancé ?")


def _read(settings: Settings | None) -> tuple[Settings, dict[str, str]]:
    """The settings, unless given, and the town's own texts. Raises ConfigError naming the
    faults of both."""
    faults, own_texts = [], {}
    data = settings.data if settings else loading.data_directory(os.environ)
    try:
        own_texts = legal.load(data / "texts")
    except ConfigError as error:
        faults = error.faults
    try:
        settings = settings or loading.load(os.environ)
    except ConfigError as error:
        raise ConfigError([*error.faults, *faults]) from None
    if faults:
        raise ConfigError(faults)
    return settings, own_texts


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
        # The token is enough; some browsers and guards take the Referer out of every request.
        "WTF_CSRF_SSL_STRICT": False,
    }


def _release_each_connection(app: Flask) -> None:
    """Peewee connects at a thread's first query: error pages and files need no base."""

    @app.teardown_request
    def release(error: BaseException | None) -> None:
        if error is None:
            db.release()
        elif not db.database.is_closed():
            db.database.close()


def _read_forms_first(app: Flask) -> None:
    """A form that breaks off on its way is a bad request, not a fault of ours. A notification
    reads its own body."""

    @app.before_request
    def read() -> None:
        if request.content_type and request.endpoint != "payment.notification":
            try:
                _ = request.form
            except HTTPException:
                raise
            except Exception as error:  # each server's parser has exceptions of its own
                raise BadRequest from error


def _answer_under_one_name(app: Flask, settings: Settings) -> None:
    """In production the site's own name only; this machine's is for a health check made from
    it. `TRUSTED_HOSTS` has refused every other before."""
    if settings.environment != "production":
        return
    name = urlsplit(settings.public_url).hostname

    @app.before_request
    def check() -> None:
        if request.host.partition(":")[0] != name and request.endpoint != "site.health":
            raise SecurityError


def _prepare_templates(app: Flask, settings: Settings) -> None:
    app.jinja_env.filters.update(
        templates.FILTERS, french=templates.french, address=addresses.shown
    )
    app.jinja_env.constants["town"] = settings.town  # type: ignore[attr-defined]  # it is a Pages
    templates.translate(app.jinja_env)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(
        settings=settings,
        town=settings.town,
        assets=app.extensions["assets"],
        signed_in_family=access.signed_in_family,
        accessibility_words=lambda: legal.accessibility_words(settings),
    )
