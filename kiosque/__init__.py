"""Kiosque Famille: families pay their town's invoices online."""

import sys

from flask import Flask

from gateways.base import ConfigError
from kiosque import db
from kiosque.settings import Settings, loading
from kiosque.web import (
    access,
    errors,
    every_request,
    forms,
    headers,
    language,
    legal,
    log,
    pages,
    proxy,
    start,
    town,
    views,
)


def create_app(settings: Settings | None = None) -> Flask:
    """Assemble the site. Settings that are not given are read from the environment.

    Raises `start.CannotStart`, after printing every fault of the settings on the error output, and
    `start.NotNow` while a command is alone on the database.
    """
    log.init_app()
    try:
        settings, own_texts = start.read_settings(settings)
        gateways = loading.gateways_of(settings)
        db.configure(settings.database_location, durable=settings.environment == "production")
    except ConfigError as error:
        refused = start.CannotStart(error)
        print(refused, file=sys.stderr)
        raise refused from None
    app = start.at_work(settings)
    shown = town.TownInForce(settings, own_texts, gateways)
    app.extensions.update(gateways=gateways, town=shown)
    shown.put_in_force(app, settings)
    language.init_app(app)
    every_request.init_app(app)
    town.init_app(app)
    pages.init_app(app)
    forms.csrf.init_app(app)
    access.init_app(app)
    errors.init_app(app)
    views.init_app(app)
    headers.init_app(app)
    proxy.init_app(app, settings.proxies)
    start.look_at_database(app, settings)
    texts = app.extensions["legal"]
    lacking = legal.missing(texts.settings, texts.own_texts)
    if lacking and settings.environment == "production":
        app.logger.warning("pages légales incomplètes, réglages absents : %s", ", ".join(lacking))
    return app
