"""Pages for everybody: the entrance, the legal texts, the health check, the files of style."""

from flask import Blueprint, abort, current_app, redirect, render_template, request, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response

from kiosque import backups, db
from kiosque.db import deployment, leases
from kiosque.db.fields import to_text
from kiosque.language import catalogue
from kiosque.language.catalogue import gettext as _
from kiosque.version import VERSION
from kiosque.web import access, current, legal, probe, town
from kiosque.web import language as browser_language
from kiosque.web.views.probes import proof, token_in_header

blueprint = Blueprint("site", __name__)


@blueprint.get("/")
def index() -> Response:
    family = access.signed_in_family()
    return redirect(url_for("family.invoices" if family else "account.sign_in"))


@blueprint.get("/mentions-legales")
def legal_notice() -> str:
    return _text("mentions-legales")


@blueprint.get("/accessibilite")
def accessibility() -> str:
    return _text("accessibilite")


@blueprint.get("/confidentialite")
def privacy() -> str:
    return _text("confidentialite")


@blueprint.get("/paiement-securise")
def secure() -> str:
    return _text("paiement-securise")


def _text(name: str) -> str:
    # Safe: it comes from Markdown in which HTML is not obeyed.
    body = Markup(current.legal_pages().html(name))  # noqa: S704
    return render_template("site/text.html", title=_(legal.TITLES[name]), body=body)


@blueprint.post("/langue")
def language() -> Response:
    """The switch: the same page in another language."""
    code = request.form.get("language", "")
    if code not in catalogue.languages():
        abort(400)
    browser_language.set_language(code, access.signed_in_family())
    return redirect(access.page_of_ours(request.form.get("next", "")) or url_for("site.index"))


@blueprint.get("/robots.txt")
def robots() -> Response:
    """Let search engines list the entrance, but no page about a family or a payment."""
    closed = (
        "/lien/", "/courriels/", "/paiement/", "/factures", "/famille", "/compte", "/recus/",
        "/mairie",
    )  # fmt: skip
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in closed)]
    return current_app.response_class("\n".join([*lines, ""]), mimetype="text/plain")


@blueprint.get("/sante")
def health() -> tuple[dict[str, str | None], int, dict[str, str]]:
    """Answer 200 if the database answers, can be written and is of this version, else 503; and say
    when it was last backed up. For a probe of the town's own, also prove which site answers."""
    fault = db.fault() or deployment.fault(current.settings().environment)
    made_at = None if fault else leases.finished_at(backups.MADE)
    asked = token_in_header(probe.HEALTH)
    extra = {probe.HEADER: proof(asked)} if asked else {}
    told = {
        "etat": fault or "ok",
        "version": VERSION,
        "sauvegarde": to_text(made_at) if made_at else None,
    }
    return told, 503 if fault else 200, extra


@blueprint.get("/fichiers/<name>")
def asset(name: str) -> Response:
    found = current.assets().find(name)
    if found is None:  # the name may be that of a new colour, which only another process has yet
        town.refresh()
        found = current.assets().find(name) or abort(404)
    small = request.accept_encodings.quality("gzip") > 0
    response = current_app.response_class(
        found.compressed if small else found.content, mimetype=found.mimetype
    )
    if small:
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Vary"] = "Accept-Encoding"
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response
