"""The blueprint of the town hall's area, the checks before each of its pages, and how its forms are
answered."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from flask import Blueprint, abort, flash, redirect, render_template, request
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response

from kiosque.db.models import BaseModel
from kiosque.invalid_values import InvalidValues
from kiosque.payments import Refused
from kiosque.web import cookies, headers
from kiosque.web.office import access as office_access

Answer = str | Response | tuple[str, int]
Row = TypeVar("Row", bound=BaseModel)

blueprint = Blueprint("office", __name__, url_prefix=cookies.OFFICE)


@blueprint.before_request
def come_in() -> str | None:
    """Keep other networks out. Show an intermediate page to somebody who comes from another site,
    such as a webmail: the browser withheld the cookie (SameSite=Strict), and will send it when the
    next page is reached from one of ours."""
    office_access.require_network()
    if request.method == "GET" and request.headers.get("Sec-Fetch-Site") == "cross-site":
        headers.hide_address()
        return render_template("office/from_elsewhere.html", page=request.full_path.rstrip("?"))
    return None


def done(form: FlaskForm, act: Callable[[], Answer | None]) -> Answer | None:
    """Do what a form asks, and return the answer. Return None if the form was not sent, is not
    valid, or was refused; it then says why."""
    if form.validate_on_submit():
        try:
            return act()
        except Refused as refused:
            form.form_errors += refused.reasons
        except InvalidValues as refused:
            _say(form, refused.faults)
    return None


def _say(form: FlaskForm, faults: Mapping[str, str]) -> None:
    """Say beside each value what is wrong with it, above the form where it has no field."""
    for name, fault in faults.items():
        if name in form:
            form[name].errors = [fault]
        else:
            form.form_errors.append(fault)


def said(act: Callable[[], str], back: str) -> Response:
    """Do what a button asks, say what it did, or why not, and go back to this page."""
    try:
        flash(act())
    except Refused as refused:
        for reason in refused.reasons:
            flash(reason)
    return redirect(back)


def form_page(template: str, form: FlaskForm, **shown: Any) -> Answer:
    """Show a form, with the status 422 where something of it is wrong."""
    page = render_template(template, form=form, **shown)
    return page, 422 if form.errors else 200


def row(model: type[Row], number: int) -> Row:
    """Return the row of this number, else 404."""
    found: Row | None = model.get_or_none(id=known(number))
    return found or abort(404)


def known(number: int) -> int:
    """Return an id, or answer 404 if it is larger than any database has."""
    return number if number < 2**63 else abort(404)
