"""Who may see what, decided in this one place.

A family's own invoices and receipts are found by a query that names the family: there is no
check afterwards to forget.
"""

import re
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from flask import Flask, abort, current_app, flash, redirect, request, session, url_for
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user
from werkzeug.wrappers import Response

from kiosque.db.models import Account, Attempt, Family, Invoice, Receipt, Settlement
from kiosque.families import security_log, sessions
from kiosque.families.codes import normalise_family_code
from kiosque.families.security_log import Event
from kiosque.families.signin import Entry, Visitor
from kiosque.language.catalogue import gettext as _
from kiosque.web import language, remembered_browsers

View = TypeVar("View", bound=Callable[..., Any])

#: Key in the browser's session, kept from sign-in to sign-out, even if our session ends meanwhile.
_WAS_SIGNED_IN = "was_signed_in"
login_manager = LoginManager()
# The server's own sessions say who is signed in; a fingerprint of the browser adds nothing.
login_manager.session_protection = None


class SignedIn(UserMixin):
    """The signed-in family, known by the number of a session that the server keeps."""

    def __init__(self, account: Account, number: str) -> None:
        self.account = account
        self.family: Family = account.family
        self.number = number

    def get_id(self) -> str:
        return self.number


@login_manager.user_loader  # type: ignore[untyped-decorator]  # flask-login carries no types
def load_signed_in(number: str) -> SignedIn | None:
    account = sessions.signed_in(number)
    return SignedIn(account, number) if account else None


def init_app(app: Flask) -> None:
    # We never give a "remember me" cookie. A cookie's name cannot hold a semicolon, so that no
    # cookie sent by a visitor can be read as one.
    app.config["REMEMBER_COOKIE_NAME"] = ";"
    login_manager.init_app(app)


def sign_in(account: Account) -> None:
    """Begin a session of this account, whose password was just chosen, and enter it."""
    try:
        number = sessions.start(account)
    except sessions.Stale:
        flash_stale()
    else:
        enter(Entry(account, number))


def enter(entry: Entry) -> None:
    """Give the browser this session, under an identity of its own; end the one it had."""
    _end_session()
    language.begin_session(entry.account.family)
    login_user(SignedIn(entry.account, entry.session))
    session[_WAS_SIGNED_IN] = True


def flash_stale() -> None:
    flash(_("Votre mot de passe vient d’être changé. Connectez-vous avec le nouveau."))


def sign_out() -> None:
    if family := signed_in_family():
        security_log.note(Event.SIGNED_OUT, family, remote_address())
    _end_session()
    logout_user()
    language.clear_session()


def _end_session() -> None:
    if current_user.is_authenticated:
        sessions.end(current_user.number)


def remote_address() -> str:
    """Return the browser's network address; behind the configured proxy, the one it names."""
    return request.remote_addr or ""


def visitor(code: str) -> Visitor:
    """Return who is trying to sign in with this code."""
    return Visitor(remote_address(), remembered_browsers.recognised(normalise_family_code(code)))


def code_in_address() -> str:
    """Return the code famille in the address, where the QR code of a paper puts it. Ignore more
    than a hundred characters: no code is as long."""
    return request.args.get("code", "")[:100]


def signed_in_family() -> Family | None:
    """Return the family signed in, or None. For pages that a stranger may also see."""
    return current_user.family if current_user.is_authenticated else None


def own_account() -> Account:
    """Return the account signed in, on a page behind `family_only`."""
    return cast("Account", current_user.account)


def own_family() -> Family:
    """Return the family signed in, on a page behind `family_only`."""
    return cast("Family", current_user.family)


def own_session() -> str:
    """Return the number of the session, on a page behind `family_only`."""
    return cast("str", current_user.number)


def family_only(view: View) -> View:
    """Reserve a page for a signed-in family whose password is its own choice."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        if not current_user.is_authenticated:
            return to_sign_in()
        if own_account().must_change_password and request.endpoint != "account.password":
            return redirect(url_for("account.password"))
        return view(*args, **kwargs)

    guarded.family_only = True  # type: ignore[attr-defined]  # `is_for_families` reads it
    return cast("View", guarded)


def is_for_families() -> bool:
    """Tell whether the page asked for is reserved for a signed-in family."""
    view = current_app.view_functions.get(request.endpoint or "")
    return bool(getattr(view, "family_only", False))


def own_invoice(number: str) -> Invoice:
    """Return the family's invoice of that number, else 404, also when another family has it."""
    return Invoice.get_or_none(Invoice.number == number, Invoice.family == own_family()) or abort(
        404
    )


def own_attempt(reference: str) -> Attempt:
    """Return the family's payment of that reference, else 404."""
    mine = Attempt.reference == reference, Attempt.family == own_family()
    return Attempt.get_or_none(*mine) or abort(404)


def own_receipt(receipt_id: int) -> Receipt:
    """Return the family's receipt of that id, else 404."""
    found: Receipt | None = (
        Receipt.select(Receipt, Settlement)
        .join(Settlement)
        .where(Receipt.id == receipt_id, Settlement.family == own_family())
        .first()
    )
    return found or abort(404)


def safe_next() -> str:
    """Return where to go after signing in: a page of ours that was asked for, else the invoices."""
    return page_of_ours(request.args.get("next", "")) or url_for("family.invoices")


def page_of_ours(target: str) -> str:
    """Return the address if it leads to this site only, else "". Refuse more than 2,000 bytes: ours
    are far shorter, and a longer one would not fit in the headers of an answer."""
    ours = re.fullmatch(r"/(?!/)[^\\]*", target) and target.isprintable()
    return target if ours and len(target.encode()) <= 2000 else ""


def to_sign_in(*, was_signed_in: bool = False) -> Response:
    """Lead to the page for signing in, and from there to the page asked for. Say that the session
    is over if there was one: a form of a family's page proves it too."""
    if was_signed_in or _WAS_SIGNED_IN in session:
        language.clear_session()
        flash(_("Par sécurité, votre session est terminée. Connectez-vous de nouveau."))
    return redirect(url_for("account.sign_in", next=page_of_ours(_page_asked_for()) or None))


def _page_asked_for() -> str:
    """Return the page to come back to; for a posted form, the page that showed it, if known."""
    if request.method == "GET":
        return request.full_path.rstrip("?")
    if request.endpoint == "payment.bank":
        return url_for("payment.summary", invoice=request.form.getlist("invoice"))
    return ""
