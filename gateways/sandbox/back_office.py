"""The mock bank's back office: operations on transactions, chosen faults, the key of the shop."""

import re

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from gateways.sandbox import extensions, words
from gateways.sandbox.extensions import bank, courier, session_or_404
from gateways.sandbox.faults import FAULTS, LOST, SCOPES, ChosenFault
from gateways.sandbox.movements import CHANGES, AgainstRules, CardMovement, changed, refunded

_REFUSALS = {
    "PSP_011": "l’état de cette transaction ne le permet pas",
    "PSP_020": "le montant dépasse ce qui peut être rendu",
    "PSP_043": "seul un débit remis peut être remboursé",
    "PSP_075": "un débit remis ne s’annule plus, il se rembourse",
    "PSP_105": "elle est déjà annulée",
}

Answer = str | tuple[str, int] | Response

pages = Blueprint("back_office", __name__)


@pages.get("/")
def home() -> Answer:
    return _home()


@pages.post("/operations/<uuid>/<operation>")
def operate(uuid: str, operation: str) -> Answer:
    """Do an operation of the back office or of the night, and send its notification."""
    try:
        movement, source = _operate(uuid, operation)
    except KeyError:
        abort(404)
    except AgainstRules as refusal:
        return _home(f"Opération refusée : {_REFUSALS[refusal.code]} ({refusal.code})."), 409
    except ValueError:
        return _home("Écrivez un montant en euros, par exemple 12,50.", wrong_amount=uuid), 422
    courier().deliver(session_or_404(movement.token), movement.notice, "normal", source)
    return redirect(url_for(".home"), 303)


def _operate(uuid: str, operation: str) -> tuple[CardMovement, str]:
    """Return the resulting transaction, and the source of its notification.

    Raises KeyError, AgainstRules, and ValueError for an amount that cannot be read.
    """
    if operation == "resend":
        return bank().movement(uuid), "BO"
    if operation == "refund":
        cents = words.cents(request.form.get("amount", ""))
        return bank().operate(uuid, lambda debit: refunded(debit, cents)), "MERCH_BO"
    source = CHANGES[operation].source
    return bank().operate(uuid, lambda movement: changed(movement, operation)), source


def _home(message: str = "", wrong_amount: str = "") -> str:
    """Show the back office; `wrong_amount` is the transaction whose amount cannot be read."""
    movements = bank().movements()
    field = next((it.uuid for it in movements if it.uuid == wrong_amount and it.left_cents), "")
    return render_template(
        "bank_home.html",
        movements=movements,
        deliveries=bank().deliveries(),
        message=message,
        wrong_amount=field,
    )


@pages.get("/pannes")
def faults() -> Answer:
    return _faults_page()


@pages.post("/pannes")
def choose_fault() -> Answer:
    """Choose how the REST service behaves from now on."""
    form = request.form
    name, scope, calls = form.get("fault", ""), form.get("scope", ""), form.get("calls", "").strip()
    if name not in FAULTS or scope not in SCOPES:
        abort(404)
    if calls and not re.fullmatch("[1-9][0-9]{0,2}", calls, re.ASCII):
        message = "Écrivez un nombre d’appels de 1 à 999, ou rien."
        return _faults_page(message, ChosenFault(name, scope)), 422
    extensions.faults().choose(ChosenFault(name, scope, int(calls) if calls else None))
    return redirect(url_for(".faults"), 303)


def _faults_page(message: str = "", chosen: ChosenFault | None = None) -> str:
    current = extensions.faults().current()
    return render_template(
        "bank_faults.html",
        current=current,
        chosen=chosen or current,
        message=message,
        faults=FAULTS,
        scopes=SCOPES,
        lost=LOST,
        calls=extensions.faults().calls(),
    )


@pages.get("/cle")
def key() -> Answer:
    return render_template("bank_key.html", key=bank().key().decode())


@pages.post("/cle")
def change_key() -> Answer:
    """Change the key at once and for good, as a real back office does."""
    bank().change_key()
    return redirect(url_for(".key"), 303)
