"""Who may see what: the one place where access is decided.

A family's own invoices and receipts are found by a query that names the family: there is no
check afterwards to forget.
"""

import re
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from flask import Flask, abort, redirect, request, session, url_for
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user
from werkzeug.wrappers import Response

from kiosque import accounts
from kiosque.models import Account, Family, Invoice, Receipt, Settlement

View = TypeVar("View", bound=Callable[..., Any])


class SessionOnly(LoginManager):
    """Flask-Login without its "remember me" cookie, which we never give: one that a visitor
    invents is not even read."""

    def _load_user_from_remember_cookie(self, _cookie: str) -> None:
        return None


login_manager = SessionOnly()


class SignedIn(UserMixin):
    """The signed-in family. Its identity carries the account's session key, so that a new
    password ends every other session."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.family: Family = account.family

    def get_id(self) -> str:
        return f"{self.account.id}.{self.account.session_key}"


@login_manager.user_loader  # type: ignore[untyped-decorator]  # flask-login carries no types
def load_signed_in(identity: str) -> SignedIn | None:
    account_id, _, session_key = identity.partition(".")
    account = (
        Account.select(Account, Family).join(Family).where(Account.id == int(account_id)).first()
    )
    return SignedIn(account) if account and accounts.is_current(account, session_key) else None


def init_app(app: Flask) -> None:
    login_manager.init_app(app)


def sign_in(account: Account) -> None:
    """Open a session, under an identity of its own."""
    session.clear()
    login_user(SignedIn(account))


def sign_out() -> None:
    logout_user()
    session.clear()


def signed_in_family() -> Family | None:
    """The family signed in, or None. For pages that a stranger may also see."""
    return current_user.family if current_user.is_authenticated else None


def own_account() -> Account:
    """The account signed in, on a page behind `family_only`."""
    return cast("Account", current_user.account)


def own_family() -> Family:
    """The family signed in, on a page behind `family_only`."""
    return cast("Family", current_user.family)


def family_only(view: View) -> View:
    """The page is for a signed-in family whose password is its own choice."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        if not current_user.is_authenticated:
            return _to_sign_in()
        if current_user.account.must_change_password and request.endpoint != "account.password":
            return redirect(url_for("account.password"))
        return view(*args, **kwargs)

    return cast("View", guarded)


def own_invoice(number: str) -> Invoice:
    """The family's invoice of that number, else 404: whether another has it is not told."""
    return Invoice.get_or_none(Invoice.number == number, Invoice.family == own_family()) or abort(
        404
    )


def own_receipt(number: int) -> Receipt:
    """The family's receipt of that number, else 404."""
    found: Receipt | None = (
        Receipt.select(Receipt, Settlement)
        .join(Settlement)
        .where(Receipt.number == number, Settlement.family == own_family())
        .first()
    )
    return found or abort(404)


def safe_next() -> str:
    """Where to go after signing in: a page of ours that was asked for, else the invoices."""
    target = request.args.get("next", "")
    ours = re.fullmatch(r"/(?!/)[^\\]*", target) and target.isprintable()
    return target if ours else url_for("family.invoices")


def _to_sign_in() -> Response:
    wanted = request.full_path.rstrip("?") if request.method == "GET" else None
    return redirect(url_for("account.sign_in", next=wanted))
