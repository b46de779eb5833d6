"""Sign in and out, and change one's account once signed in."""

from collections.abc import Callable

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from kiosque import payments
from kiosque.db.models import Account
from kiosque.families import contacts, own_changes, sessions, signin, tokens
from kiosque.families.passwords import Unsuitable
from kiosque.language.catalogue import N_
from kiosque.language.catalogue import gettext as _
from kiosque.outbox import addresses
from kiosque.web import access, current, headers, remembered_browsers
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

ARCHIVED = N_(
    "Votre dossier est archivé, et rien n’y est à payer. Pour le rouvrir, écrivez au service "
    "famille."
)


@blueprint.route("/connexion", methods=["GET", "POST"])
def sign_in() -> str | Response | tuple[str, int]:
    if access.signed_in_family():
        return redirect(access.safe_next())
    form = SignInForm(code=access.code_in_address())
    if not form.is_submitted():
        return render_template("account/sign_in.html", form=form)
    entry = _entry(form) if form.validate() else None
    if entry is None:
        return render_template("account/sign_in.html", form=form), 422
    access.enter(entry)
    leads_on = redirect(access.safe_next())
    return remembered_browsers.remember(leads_on, entry.account.family, shared=form.shared.data)


def _entry(form: SignInForm) -> signin.Entry | None:
    """Check the password and return the entry that opens a session. If it is refused, return None
    and say why in the form. Raises Stale."""
    code, why = form.code.data, WRONG
    try:
        if entry := signin.attempt(code, form.password.data, access.visitor(code)):
            return entry
    except signin.Expired:
        why = EXPIRED
    except signin.Archived:
        why = ARCHIVED
    form.form_errors.append(_(why))
    return None


@blueprint.errorhandler(sessions.Stale)
def sign_in_again(_error: sessions.Stale) -> Response:
    access.flash_stale()
    return redirect(url_for("account.sign_in"))


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
        overpaid_cents=payments.overpaid_to(account.family),
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
    form, account = EmailForm(_confirmation()), own_account()
    if not form.is_submitted():
        return render_template("account/email.html", form=form)
    if form.validate() and _is_another(form):
        own_changes.ask_email(account.family, form.email.data, access.remote_address())
        flash(_("Un courriel part à cette adresse. Ouvrez son lien pour la confirmer."))
        return redirect(url_for("account.show"))
    return render_template("account/email.html", form=form), 422


def _is_another(form: EmailForm) -> bool:
    """Tell whether the address differs from the present one; if not, say so in the form."""
    if addresses.key(form.email.data) == addresses.key(own_account().family.email):
        form.email.errors = [_("C’est déjà votre adresse.")]
    return not form.errors


def _confirmation() -> Callable[[str], bool] | None:
    """Return a function that verifies the present password and remembers for a moment that it was
    right; None if it was given a moment ago."""
    if sessions.is_proved(own_session()):
        return None

    def confirm(password: str) -> bool:
        if right := signin.confirm_password(own_account(), password):
            sessions.prove(own_session())
        return right

    return confirm


@blueprint.route("/compte/mot-de-passe", methods=["GET", "POST"])
@family_only
def password() -> str | Response | tuple[str, int]:
    form = PasswordForm(_confirmation())
    if not form.is_submitted():
        return _password_page(form)
    if form.validate() and (account := _changed(form)):
        shared = remembered_browsers.is_shared()
        access.sign_in(account)
        flash(_("Votre mot de passe est changé."))
        leads_on = redirect(url_for("family.invoices"))
        return remembered_browsers.remember(leads_on, account.family, shared=shared)
    return _password_page(form), 422


def _changed(form: PasswordForm) -> Account | None:
    """Change the password of the signed-in account. If it is refused, return None and say why in
    the form. Raises Stale."""
    town, address = current.settings().town, access.remote_address()
    try:
        return own_changes.change_password(own_account(), form.new.data, town, address)
    except Unsuitable as refused:
        form.new.errors = [str(refused)]
    return None


def _password_page(form: PasswordForm) -> str:
    return render_template(
        "account/password.html",
        form=form,
        provisional=own_account().must_change_password,
        first=sessions.is_first(own_session()),
    )
