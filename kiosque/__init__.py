"""Kiosque Famille: families pay their town's invoices online."""

import os
import sys
import weakref

from flask import Flask
from peewee import DatabaseError

from gateways.base import ConfigError
from kiosque import db, payments
from kiosque.db import deployment, presence
from kiosque.settings import Settings, loading
from kiosque.web import (
    access,
    errors,
    forms,
    headers,
    language,
    legal,
    log,
    pages,
    proxy,
    requests,
    town,
    views,
)


class CannotStart(SystemExit):
    """The settings are refused; the text says why in French. The exit status, 3, makes gunicorn
    stop: upon another it would start new workers for ever."""

    def __init__(self, error: ConfigError) -> None:
        super().__init__(loading.refusal(error))
        self.code = 3


class NotNow(SystemExit):
    """A command is alone on the database. Its exit status makes systemd start the site again, a
    few seconds later."""

    def __init__(self, error: presence.InUse) -> None:
        super().__init__(str(error))
        self.code = os.EX_TEMPFAIL


def create_app(settings: Settings | None = None) -> Flask:
    """Assemble the site. Settings that are not given are read from the environment.

    Raises CannotStart, after printing every fault of the settings on the error output, and NotNow
    while a command is alone on the database.
    """
    log.init_app()
    try:
        settings, own_texts = _read(settings)
        gateways = loading.gateways_of(settings)
        db.configure(settings.database_location, durable=settings.environment == "production")
    except ConfigError as error:
        refused = CannotStart(error)
        print(refused, file=sys.stderr)
        raise refused from None
    app = _at_work(settings)
    shown = town.Town(settings, own_texts, gateways)
    app.extensions.update(gateways=gateways, town=shown)
    shown.put_in_force(app, settings)
    language.init_app(app)
    requests.init_app(app)
    town.init_app(app)
    pages.init_app(app)
    forms.csrf.init_app(app)
    access.init_app(app)
    errors.init_app(app)
    views.init_app(app)
    headers.init_app(app)
    proxy.init_app(app, settings.proxies)
    _look_at_the_base(app, settings)
    texts = app.extensions["legal"]
    lacking = legal.missing(texts.settings, texts.own_texts)
    if lacking and settings.environment == "production":
        app.logger.warning("pages légales incomplètes, réglages absents : %s", ", ".join(lacking))
    return app


def _at_work(settings: Settings) -> Flask:
    """Return a bare site, which is known to run as long as it lives, or until its `at_work` is
    called. Raises NotNow."""
    try:
        leave = presence.announce(settings)
    except presence.InUse as error:
        print(error, file=sys.stderr)
        raise NotNow(error) from None
    app = Flask(__name__, template_folder=None, static_folder=None)
    app.extensions["at_work"] = weakref.finalize(app, leave)
    return app


def _read(settings: Settings | None) -> tuple[Settings, dict[str, str]]:
    """Return the settings, read unless given, and the town's own texts. Raises ConfigError
    naming the faults of both."""
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


def _look_at_the_base(app: Flask, settings: Settings) -> None:
    """Close every page where a later version has changed the tables, or where the database is of
    another environment. Log each gateway and each
    *régie* that left the settings while payments or invoices still depend on it. A database that
    is not there yet has none."""
    if not (settings.on_postgresql or settings.database_path.exists()):
        return
    try:
        with db.connection():
            db.require_known()
            deployment.require(settings.environment)
            app.extensions["town"].refresh(app)
            for removed in payments.gateways_removed_too_early(list(settings.gateways)):
                app.logger.warning("%s", payments.describe_removed_gateway(removed))
            for words in payments.describe_closed_regies(list(settings.regies)):
                app.logger.warning("%s", words)
    except (db.NewerBase, deployment.OtherEnvironment) as error:
        app.logger.error("%s", error)
        requests.close_every_page(app)
    except DatabaseError:
        app.logger.warning("la base ne répond pas encore : « migrate » a-t-il été lancé ?")
