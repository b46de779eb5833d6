"""Signing in and out, and the family's password."""

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from kiosque import access, accounts
from kiosque.access import family_only, own_account
from kiosque.forms import PasswordForm, SignInForm

blueprint = Blueprint("account", __name__)


@blueprint.route("/connexion", methods=["GET", "POST"])
def sign_in() -> str | Response | tuple[str, int]:
    if access.signed_in_family():
        return redirect(access.safe_next())
    form = SignInForm()
    if not form.is_submitted():
        return render_template("account/sign_in.html", form=form)
    if form.validate():
        account = accounts.authenticate(form.code.data, form.password.data)
        if account:
            access.sign_in(account)
            return redirect(access.safe_next())
        form.form_errors.append(
            "Code famille ou mot de passe incorrect. "
            "Le code famille figure au bas de votre facture."
        )
    return render_template("account/sign_in.html", form=form), 422


@blueprint.post("/deconnexion")
def sign_out() -> Response:
    access.sign_out()
    flash("Vous êtes déconnecté.")
    return redirect(url_for("account.sign_in"))


@blueprint.get("/compte")
@family_only
def show() -> str:
    return render_template("account/account.html")


@blueprint.route("/compte/mot-de-passe", methods=["GET", "POST"])
@family_only
def password() -> str | Response | tuple[str, int]:
    form, account = PasswordForm(), own_account()
    if not form.is_submitted():
        return render_template("account/password.html", form=form)
    if form.validate() and _may_replace(form):
        access.sign_in(accounts.change_password(account, form.new.data))
        flash("Votre mot de passe est changé.")
        return redirect(url_for("family.invoices"))
    return render_template("account/password.html", form=form), 422


def _may_replace(form: PasswordForm) -> bool:
    """Whether the current password is right and the new one good; says why not in the form."""
    account = own_account()
    if not accounts.verify_password(account, form.current.data):
        form.current.errors = ["Le mot de passe actuel est incorrect."]
        return False
    form.new.errors = accounts.password_faults(form.new.data, account)
    return not form.new.errors
