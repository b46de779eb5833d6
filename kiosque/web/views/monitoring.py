"""Give the state of the site to monitoring, which must send the token of the settings."""

from flask import Blueprint

from kiosque.web import bearer, current
from kiosque.web.lazy_views import Later

blueprint = Blueprint("monitoring", __name__)


@blueprint.before_request
def require_token() -> None:
    bearer.require(current.settings().monitoring.token)


_STATE = "kiosque.web.views.state"
blueprint.add_url_rule("/sante/detail", "detail", Later(_STATE, "detail"))
blueprint.add_url_rule("/metriques", "metrics", Later(_STATE, "metrics"))
