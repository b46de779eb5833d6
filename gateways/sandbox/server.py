"""The mock bank's web site: a process of its own, that speaks to the portal over HTTP only.

`payment_page` is for payers, `back_office` for whoever tries the site; `rest` is the REST service,
`payfip_server` the mock PayFiP.

Settings, by environment: SANDBOX_KEY (shared with the portal), SANDBOX_PASSWORD (of the REST
service; without it there is none), SANDBOX_NOTIFY_URL (where notifications go, as entered in a
bank's back office), SANDBOX_DATABASE, SANDBOX_LATE_SECONDS, SANDBOX_DRIP_SECONDS.
"""

import os
from pathlib import Path

from flask import Flask, Response, render_template
from werkzeug.exceptions import HTTPException

from gateways.sandbox import back_office, payfip_server, payment_page, rest, words
from gateways.sandbox.bank import Bank
from gateways.sandbox.faults import ChosenFaults
from gateways.sandbox.notifications import Courier
from gateways.sandbox.payfip_payments import Treasury
from gateways.sandbox.store import Store


def create_bank() -> Flask:
    """Return the mock bank, configured by the environment."""
    environ = os.environ
    store = Store(Path(environ["SANDBOX_DATABASE"]))
    bank = Bank(store, environ["SANDBOX_KEY"].encode())
    late_seconds = float(environ.get("SANDBOX_LATE_SECONDS", "6"))
    app = Flask(__name__)
    app.extensions["bank"] = bank
    app.extensions["courier"] = Courier(bank, environ["SANDBOX_NOTIFY_URL"], late_seconds)
    app.extensions["faults"] = ChosenFaults(store)
    app.extensions["treasury"] = Treasury(store, late_seconds)
    app.extensions["rest_password"] = environ.get("SANDBOX_PASSWORD", "")
    app.extensions["drip_seconds"] = float(environ.get("SANDBOX_DRIP_SECONDS", "1"))
    app.jinja_env.filters["euros"] = words.euros
    app.jinja_env.globals.update(lang="fr", say=words.speaker("fr"), theme={})
    for pages in (payment_page.pages, back_office.pages, rest.api, payfip_server.pages):
        app.register_blueprint(pages)
    app.add_url_rule("/sante", "health", _health)
    app.register_error_handler(404, _missing)
    app.after_request(_secure)
    return app


def _health() -> str:
    return "ok"


def _missing(_error: HTTPException) -> tuple[str, int]:
    return render_template("bank_missing.html"), 404


def _secure(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src data:; "
        "form-action 'self' http: https:; base-uri 'none'; frame-ancestors 'none'"
    )
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
