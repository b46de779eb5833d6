"""Thin views: load, authorise, call, answer. One blueprint per audience."""

from flask import Flask

from kiosque.views import account, family, mails, payment, site

BLUEPRINTS = (
    site.blueprint,
    account.blueprint,
    family.blueprint,
    mails.blueprint,
    payment.blueprint,
)


def init_app(app: Flask) -> None:
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
