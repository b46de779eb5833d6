"""The state of the site, in the two formats that monitoring reads."""

from typing import Any

from flask import current_app
from werkzeug.wrappers import Response

from kiosque.monitoring import exposition, state
from kiosque.web import current


def detail() -> tuple[dict[str, Any], int]:
    """Answer 503 when the site cannot serve, as the health check does."""
    found = state.gather(current.settings())
    return exposition.as_json(found), 503 if found.fault else 200


def metrics() -> Response:
    """Answer 200 whatever the state: Prometheus reads no metric of another status."""
    text = exposition.as_metrics(state.gather(current.settings()))
    return current_app.response_class(text, content_type=exposition.CONTENT_TYPE)
