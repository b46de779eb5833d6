"""Taking mails about invoices, or not: by the link in each of them, or in the family's account."""

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from kiosque import languages, notices, security
from kiosque.access import family_only, own_family, remote_address
from kiosque.forms import NoticesForm
from kiosque.i18n import gettext as _
from kiosque.models import Family
from kiosque.security import Event

blueprint = Blueprint("mails", __name__)


@blueprint.route("/courriels/arret/<token>", methods=["GET", "POST"])
def stop(token: str) -> str | tuple[str, int]:
    """Stop the notices of a family, signed out. Mail scanners follow links: only the button of
    the page, or the mail program's own (RFC 8058), stops anything."""
    languages.lead_home()
    family = notices.read_stop_token(current_app.config["SECRET_KEY"], token)
    if family is None:
        return render_template("mails/unknown.html"), 404
    if request.method == "POST":
        _choose(family, wanted=False)
    return render_template("mails/stop.html", stopped=request.method == "POST")


@blueprint.post("/compte/avis")
@family_only
def choose() -> Response:
    form = NoticesForm()
    if form.validate():
        wanted = form.wanted.data == "yes"
        _choose(own_family(), wanted=wanted)
        flash(
            _("Vous recevrez les avis de factures par courriel.")
            if wanted
            else _("Vous ne recevrez plus les avis de factures par courriel.")
        )
    return redirect(url_for("account.show"))


def _choose(family: Family, *, wanted: bool) -> None:
    if notices.choose(family, wanted=wanted):
        event = Event.NOTICES_RESUMED if wanted else Event.NOTICES_STOPPED
        security.note(event, family, remote_address())
