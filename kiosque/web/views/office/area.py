"""The blueprint of the town hall's area, and what happens before each of its pages."""

from flask import Blueprint, abort, render_template, request
from werkzeug.wrappers import Response

from kiosque.web import cookies, headers
from kiosque.web.office import access as office_access

Answer = str | Response | tuple[str, int]

blueprint = Blueprint("office", __name__, url_prefix=cookies.OFFICE)


@blueprint.before_request
def come_in() -> str | None:
    """Keep other networks out. Stop who comes from another site, a webmail: the browser has kept
    the cookie (SameSite=Strict), and gives it to the next page, which our own page leads to."""
    office_access.require_network()
    if request.method == "GET" and request.headers.get("Sec-Fetch-Site") == "cross-site":
        headers.hide_address()
        return render_template("office/from_elsewhere.html", page=request.full_path.rstrip("?"))
    return None


def known(number: int) -> int:
    """Return a number of a row, else 404: no database counts further."""
    return number if number < 2**63 else abort(404)
