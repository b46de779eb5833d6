"""The parts of the running mock bank, as its pages find them."""

from flask import abort, current_app

from gateways.sandbox.bank import Bank
from gateways.sandbox.faults import ChosenFaults
from gateways.sandbox.notifications import Courier
from gateways.sandbox.payfip_payments import Treasury
from gateways.sandbox.session import PaymentSession


def bank() -> Bank:
    found: Bank = current_app.extensions["bank"]
    return found


def courier() -> Courier:
    found: Courier = current_app.extensions["courier"]
    return found


def faults() -> ChosenFaults:
    found: ChosenFaults = current_app.extensions["faults"]
    return found


def treasury() -> Treasury:
    found: Treasury = current_app.extensions["treasury"]
    return found


def session_or_404(token: str) -> PaymentSession:
    try:
        return bank().session(token)
    except KeyError:
        abort(404)
