"""For what watches the site: its state, to who holds the token of the settings."""

import hmac
from typing import Any

from flask import Blueprint, abort, current_app, request
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Unauthorized
from werkzeug.wrappers import Response

from kiosque.monitoring import exposition, state
from kiosque.web import current

blueprint = Blueprint("monitoring", __name__)


@blueprint.before_request
def require_token() -> None:
    """Answer as if nothing were here where the town set no token; refuse any other token."""
    wanted = current.settings().monitoring.token
    if not wanted:
        abort(404)
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    same = hmac.compare_digest(given.strip().encode(), wanted.encode())
    if scheme.lower() != "bearer" or not same:
        raise Unauthorized(www_authenticate=WWWAuthenticate("bearer", {"realm": "kiosque"}))


@blueprint.get("/sante/detail")
def detail() -> tuple[dict[str, Any], int]:
    """Answer 503 when the site cannot serve, as the health check does."""
    found = state.gather(current.settings())
    return exposition.as_json(found), 503 if found.fault else 200


@blueprint.get("/metriques")
def metrics() -> Response:
    """Answer 200 whatever the state: Prometheus reads no metric of another status."""
    text = exposition.as_metrics(state.gather(current.settings()))
    return current_app.response_class(text, content_type=exposition.CONTENT_TYPE)
