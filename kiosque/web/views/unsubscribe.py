"""Start and stop the mails about invoices, by the link in each of them or in the account."""

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from kiosque.db.models import Family
from kiosque.families import security_log
from kiosque.families.security_log import Event
from kiosque.invoices import announcements
from kiosque.language.catalogue import gettext as _
from kiosque.web import headers, language
from kiosque.web.access import family_only, own_family, remote_address
from kiosque.web.forms import NoticesForm, csrf

blueprint = Blueprint("unsubscribe", __name__)


@blueprint.route("/courriels/arret/<token>", methods=["GET", "POST"])
@csrf.exempt  # type: ignore[untyped-decorator]  # Flask-WTF carries no types
def stop(token: str) -> str | tuple[str, int]:
    """Stop the notices of a family, signed out. Mail scanners follow links: only the button of
    the page, or the mail program's own (RFC 8058), stops anything."""
    language.lead_home()
    headers.hide_address()
    family = announcements.read_stop_token(current_app.config["SECRET_KEY"], token)
    if family is None:
        return render_template("unsubscribe/unknown.html"), 404
    if request.method == "POST":
        _record_wish(family, wanted=False)
    return render_template("unsubscribe/stop.html", stopped=request.method == "POST")


@blueprint.post("/compte/avis")
@family_only
def set_wanted() -> Response:
    form = NoticesForm()
    if form.validate():
        wanted = form.wanted.data == "yes"
        _record_wish(own_family(), wanted=wanted)
        flash(
            _("Vous recevrez les avis de factures par courriel.")
            if wanted
            else _("Vous ne recevrez plus les avis de factures par courriel.")
        )
    return redirect(url_for("account.show"))


def _record_wish(family: Family, *, wanted: bool) -> None:
    if announcements.set_wanted(family, wanted=wanted):
        event = Event.NOTICES_RESUMED if wanted else Event.NOTICES_STOPPED
        security_log.note(event, family, remote_address())
