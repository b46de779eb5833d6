"""Pages for everybody: the entrance, the legal texts, the health check, the files of style."""

from flask import Blueprint, abort, current_app, redirect, render_template, url_for
from werkzeug.wrappers import Response

from kiosque import access
from kiosque.database import db, pending_migrations

blueprint = Blueprint("site", __name__)


@blueprint.get("/")
def index() -> Response:
    family = access.signed_in_family()
    return redirect(url_for("family.invoices" if family else "account.sign_in"))


@blueprint.get("/mentions-legales")
def legal_notice() -> str:
    return render_template("site/legal_notice.html")


@blueprint.get("/accessibilite")
def accessibility() -> str:
    return render_template("site/accessibility.html")


@blueprint.get("/confidentialite")
def privacy() -> str:
    return render_template("site/privacy.html")


@blueprint.get("/sante")
def health() -> tuple[dict[str, str], int]:
    """200 when the base answers and its tables are those of this version, else 503."""
    db.execute_sql("SELECT 1 FROM invoice LIMIT 1")
    if pending_migrations():
        return {"etat": "migrations en attente"}, 503
    return {"etat": "ok"}, 200


@blueprint.get("/fichiers/<name>")
def asset(name: str) -> Response:
    found = current_app.extensions["assets"].find(name) or abort(404)
    response = current_app.response_class(found.content, mimetype=found.mimetype)
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response
