"""Let a family in by itself, by the code of its letter or the link of a mail.

A link's secret is moved at once from the address to the browser's session, and only sending the
form uses it up: a mail filter that opens every link spends none.
"""

from collections.abc import Callable
from contextlib import suppress

from flask import Blueprint, flash, redirect, render_template, session, url_for
from werkzeug.wrappers import Response

from kiosque.db.models import Account, Token
from kiosque.families import new_browsers, own_changes, tokens
from kiosque.families.passwords import Unsuitable
from kiosque.families.signin import Visitor
from kiosque.families.tokens import Purpose, Spent
from kiosque.language.catalogue import gettext as _
from kiosque.settings import Town
from kiosque.web import access, current, headers, language, remembered_browsers
from kiosque.web.forms import ActivationForm, ConfirmForm, NewPasswordForm, ResetRequestForm

blueprint = Blueprint("credentials", __name__)

Answer = str | Response | tuple[str, int]

#: Key in the browser's session for the secret of an opened link.
_LINK = "link"
_FORMS = {
    Purpose.RESET: "credentials.reset",
    Purpose.EMAIL: "credentials.confirm_email",
    Purpose.NOT_ME: "credentials.disown",
}


@blueprint.route("/activer", methods=["GET", "POST"])
def activate() -> Answer:
    if access.signed_in_family():
        return redirect(url_for("family.invoices"))
    form = ActivationForm(code=access.code_in_address())
    if not form.is_submitted():
        return render_template("account/activate.html", form=form)
    if form.validate() and (account := _activated(form)):
        return _let_in(form, account, _("Bienvenue. Votre espace est ouvert."))
    return render_template("account/activate.html", form=form), 422


def _activated(form: ActivationForm) -> Account | None:
    """Open the account by the letter's codes. If these or the password are refused, return None and
    say why in the form."""
    visitor = access.visitor(form.code.data)
    token = own_changes.find_activation(form.code.data, form.activation.data, visitor)
    with suppress(Spent):
        if token:
            return _choose_password(form, token, own_changes.activate)
    form.form_errors.append(
        _(
            "Ces codes ne vont pas ensemble, ou le code d’activation a déjà servi, ou il "
            "est trop ancien. Recopiez-les de la dernière lettre reçue."
        )
    )
    return None


@blueprint.route("/mot-de-passe/oublie", methods=["GET", "POST"])
def ask_reset() -> Answer:
    form = ResetRequestForm()
    if not form.is_submitted():
        return render_template("account/ask_reset.html", form=form)
    if not form.validate():
        return render_template("account/ask_reset.html", form=form), 422
    own_changes.ask_reset(form.email.data, Visitor(access.remote_address()))
    return redirect(url_for("credentials.reset_asked"))


@blueprint.get("/mot-de-passe/envoye")
def reset_asked() -> str:
    return render_template("account/reset_asked.html")


@blueprint.get("/lien/<secret>")
def open_link(secret: str) -> Answer:
    headers.hide_address()
    token = own_changes.find_link(secret, *_FORMS)
    if token is None:
        return _dead_link()
    session[_LINK] = secret
    return redirect(url_for(_FORMS[Purpose(token.purpose)]))


@blueprint.route("/mot-de-passe/nouveau", methods=["GET", "POST"])
def reset() -> Answer:
    token = _opened(Purpose.RESET)
    if token is None:
        return _dead_link()
    form = NewPasswordForm()
    if not form.is_submitted():
        return render_template("account/reset.html", form=form, token=token)
    if form.validate():
        try:
            account = _choose_password(form, token, own_changes.reset)
        except Spent:
            return _dead_link()
        if account:
            return _let_in(form, account, _("Votre mot de passe est enregistré."))
    return render_template("account/reset.html", form=form, token=token), 422


@blueprint.route("/adresse/confirmer", methods=["GET", "POST"])
def confirm_email() -> Answer:
    token, form = _opened(Purpose.EMAIL), ConfirmForm()
    if token is None:
        return _dead_link()
    if not form.is_submitted():
        return render_template("account/confirm_email.html", form=form, token=token)
    try:
        own_changes.confirm_email(token, access.remote_address())
    except Spent:
        return _dead_link()
    session.pop(_LINK, None)
    flash(_("Votre adresse électronique est confirmée."))
    return redirect(url_for("account.show" if access.signed_in_family() else "account.sign_in"))


@blueprint.route("/connexion/inconnue", methods=["GET", "POST"])
def disown() -> Answer:
    token, form = _opened(Purpose.NOT_ME), ConfirmForm()
    if token is None:
        return _dead_link()
    if not form.is_submitted():
        return render_template("account/disown.html", token=token)
    try:
        link = new_browsers.disown(token, access.remote_address())
    except Spent:
        return _dead_link()
    session[_LINK] = tokens.draw_link(link.id) or ""
    flash(_("Tous les appareils sont déconnectés."))
    return redirect(url_for("credentials.reset"))


def _opened(purpose: Purpose) -> Token | None:
    """Return the token of the link that this browser has opened, if it is still valid."""
    return own_changes.find_link(session.get(_LINK, ""), purpose)


def _dead_link() -> Answer:
    session.pop(_LINK, None)
    language.lead_home()
    return render_template("account/dead_link.html"), 404


def _choose_password(
    form: ActivationForm | NewPasswordForm,
    token: Token,
    choose: Callable[[Token, str, Town, str], Account],
) -> Account | None:
    """Set the family's password. If it is refused, return None and say why in the form."""
    try:
        return choose(token, form.new.data, current.settings().town, access.remote_address())
    except Unsuitable as refused:
        form.new.errors = [str(refused)]
        return None


def _let_in(form: ActivationForm | NewPasswordForm, account: Account, message: str) -> Response:
    access.sign_in(account)
    flash(message)
    leads_on = redirect(url_for("family.invoices"))
    return remembered_browsers.remember(leads_on, account.family, shared=form.shared.data)
