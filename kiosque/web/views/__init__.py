"""Thin views: load, authorise, call, answer. One blueprint per audience.

Views hold no rule: these are in the packages of each subject. The addresses of the town hall are
listed in `office/`; what a family may see is decided in `kiosque.web.access`.
"""

from flask import Flask

from kiosque.web.views import (
    account,
    bank_return,
    credentials,
    exchange,
    family,
    family_requests,
    monitoring,
    notification,
    office,
    papers,
    payment,
    site,
    unsubscribe,
)

BLUEPRINTS = (
    site.blueprint,
    monitoring.blueprint,
    exchange.blueprint,
    account.blueprint,
    credentials.blueprint,
    family.blueprint,
    family_requests.blueprint,
    unsubscribe.blueprint,
    papers.blueprint,
    payment.blueprint,
    bank_return.blueprint,
    notification.blueprint,
    office.blueprint,
)


def init_app(app: Flask) -> None:
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
