"""Start the site: read its settings, announce its presence, check its database."""

import os
import sys
import weakref

from flask import Flask
from peewee import DatabaseError

from gateways.base import ConfigError
from kiosque import db, payments
from kiosque.db import deployment, presence
from kiosque.settings import Settings, loading
from kiosque.web import every_request, legal


class CannotStart(SystemExit):
    """The settings are refused; the text says why in French. The exit status 3 makes gunicorn stop;
    with any other it would start new workers for ever."""

    def __init__(self, error: ConfigError) -> None:
        super().__init__(loading.refusal(error))
        self.code = 3


class NotNow(SystemExit):
    """A command needs the database for itself. The exit status makes systemd start the site again,
    a few seconds later."""

    def __init__(self, error: presence.InUse) -> None:
        super().__init__(str(error))
        self.code = os.EX_TEMPFAIL


def at_work(settings: Settings) -> Flask:
    """Return a bare Flask application. Its presence is announced as long as it lives, or until its
    `at_work` is called. Raises NotNow."""
    try:
        leave = presence.announce(settings)
    except presence.InUse as error:
        print(error, file=sys.stderr)
        raise NotNow(error) from None
    app = Flask("kiosque", template_folder=None, static_folder=None)
    app.extensions["at_work"] = weakref.finalize(app, leave)
    return app


def read_settings(settings: Settings | None) -> tuple[Settings, dict[str, str]]:
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


def look_at_database(app: Flask, settings: Settings) -> None:
    """Close every page if a later version has changed the tables, or if the database belongs to
    another environment. Log each gateway and each *régie* that left the settings while payments or
    invoices still depend on it. Do nothing if there is no database yet."""
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
    except (db.NewerDatabase, deployment.OtherEnvironment) as error:
        app.logger.error("%s", error)
        every_request.close_every_page(app)
    except DatabaseError:
        app.logger.warning("la base ne répond pas encore : « migrate » a-t-il été lancé ?")
