"""Sign in and out, and change one's account once signed in."""

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from kiosque.db.models import Account
from kiosque.families import contacts, own_changes, sessions, signin, tokens
from kiosque.families.passwords import Unsuitable
from kiosque.language.catalogue import N_
from kiosque.language.catalogue import gettext as _
from kiosque.outbox import addresses
from kiosque.web import access, current, headers
from kiosque.web.access import family_only, own_account, own_session
from kiosque.web.forms import EmailForm, PasswordForm, SignInForm

blueprint = Blueprint("account", __name__)

WRONG = N_(
    "Code famille ou mot de passe incorrect. Le code famille figure au bas de votre facture."
)
EXPIRED = N_(
    "Ce mot de passe provisoire n’est plus valable. Demandez-en un autre au service famille, ou "
    "choisissez le vôtre par «\u00a0Mot de passe oublié\u00a0»."
)


@blueprint.route("/connexion", methods=["GET", "POST"])
def sign_in() -> str | Response | tuple[str, int]:
    if access.signed_in_family():
        return redirect(access.safe_next())
    form = SignInForm()
    if not form.is_submitted():
        return render_template("account/sign_in.html", form=form)
    try:
        entry = _entry(form) if form.validate() else None
    except sessions.Stale:
        access.flash_stale()
        return redirect(url_for("account.sign_in"))
    if entry is None:
        return render_template("account/sign_in.html", form=form), 422
    access.enter(entry)
    leads_on = redirect(access.safe_next())
    return access.remember_browser(leads_on, entry.account.family, shared=form.shared.data)


def _entry(form: SignInForm) -> signin.Entry | None:
    """Return what opens the session. Return None when the password does not, and say why in the
    form. Raises Stale."""
    code, why = form.code.data, WRONG
    try:
        if entry := signin.attempt(code, form.password.data, access.visitor(code)):
            return entry
    except signin.Expired:
        why = EXPIRED
    form.form_errors.append(_(why))
    return None


@blueprint.post("/deconnexion")
def sign_out() -> Response:
    access.sign_out()
    flash(_("Vous êtes déconnecté."))
    return headers.forget_pages(redirect(url_for("account.sign_in")))


@blueprint.get("/compte")
@family_only
def show() -> str:
    account = own_account()
    return render_template(
        "account/account.html",
        family=account.family,
        addresses=contacts.addresses(account.family),
        pending=tokens.pending_email(account.family),
        others=sessions.others(account, own_session()),
    )


@blueprint.post("/compte/appareils")
@family_only
def end_others() -> Response:
    sessions.end_others(own_account(), own_session())
    flash(_("Les autres appareils sont déconnectés."))
    return redirect(url_for("account.show"))


@blueprint.route("/compte/adresse", methods=["GET", "POST"])
@family_only
def email() -> str | Response | tuple[str, int]:
    form, account = EmailForm(), own_account()
    if not form.is_submitted():
        return render_template("account/email.html", form=form)
    if form.validate() and _may_ask(form):
        own_changes.ask_email(account.family, form.email.data, access.remote_address())
        flash(_("Un courriel part à cette adresse. Ouvrez son lien pour la confirmer."))
        return redirect(url_for("account.show"))
    return render_template("account/email.html", form=form), 422


def _may_ask(form: EmailForm) -> bool:
    """Tell whether the password is right and the address another; if not, say why in the form."""
    account = own_account()
    if not signin.confirm_password(account, form.current.data):
        form.current.errors = [_("Le mot de passe actuel est incorrect.")]
    elif addresses.key(form.email.data) == addresses.key(account.family.email):
        form.email.errors = [_("C’est déjà votre adresse.")]
    return not form.errors


@blueprint.route("/compte/mot-de-passe", methods=["GET", "POST"])
@family_only
def password() -> str | Response | tuple[str, int]:
    form = PasswordForm()
    if not form.is_submitted():
        return _password_page(form)
    if form.validate() and (account := _changed(form)):
        shared = access.is_shared()
        access.sign_in(account)
        flash(_("Votre mot de passe est changé."))
        leads_on = redirect(url_for("family.invoices"))
        return access.remember_browser(leads_on, account.family, shared=shared)
    return _password_page(form), 422


def _changed(form: PasswordForm) -> Account | None:
    """Change the password of who is signed in. Return None when one of the two will not do, and
    say why in the form."""
    town, address = current.settings().town, access.remote_address()
    try:
        return own_changes.change_password(
            own_account(), form.current.data, form.new.data, town, address
        )
    except (own_changes.WrongPassword, sessions.Stale):
        form.current.errors = [_("Le mot de passe actuel est incorrect.")]
    except Unsuitable as refused:
        form.new.errors = [str(refused)]
    return None


def _password_page(form: PasswordForm) -> str:
    first = own_account().must_change_password
    return render_template("account/password.html", form=form, first=first)
