"""Agents of the town hall, and how a test makes them come in."""

import re
from datetime import date, timedelta

import pyotp
from flask import Flask
from flask.testing import FlaskClient

from kiosque.db import write
from kiosque.db.models import Staff
from kiosque.families import hashing
from kiosque.language import clock
from kiosque.settings import Settings
from kiosque.staff import accounts, roles, second_factor, sessions
from kiosque.staff.events import TERMINAL
from kiosque.staff.roles import HeldRole, Role
from tests.conftest import csrf_token

PASSWORD = "la mairie ouvre a huit heures"


def make_agent(
    role: Role | None, email: str = "", regie: str = "", ends_on: date | None = None
) -> Staff:
    """An agent who has chosen a password and associated a telephone."""
    with write():
        staff = accounts.obtain(email or f"{role or 'personne'}@sautron.example.org")
        if role and HeldRole(role, regie) not in roles.in_force(staff):
            roles.add(staff, HeldRole(role, regie), clock.today(), ends_on, TERMINAL)
    Staff.update(password_hash=hashing.hash_password(PASSWORD), enrolled_at=clock.now()).where(
        Staff.id == staff.id
    ).execute()
    return staff


def telephone_of(settings: Settings, staff: Staff, steps: int = 0) -> str:
    """Return what the agent's telephone shows now, or so many times thirty seconds from now."""
    secret = second_factor.secret(Staff.get_by_id(staff.id), settings.secret_key)
    return pyotp.TOTP(secret).at(clock.now() + timedelta(seconds=30 * steps))


def send(client: FlaskClient, page: str, to: str = "", **fields: str):
    """Fill the form of a page and send it."""
    token = csrf_token(client.get(page).text)
    headers = {"Referer": f"http://localhost{page}"}
    return client.post(to or page, data={"csrf_token": token, **fields}, headers=headers)


def begin(app: Flask, staff: Staff) -> FlaskClient:
    """A browser in which the agent has typed the password, and no code yet."""
    client = app.test_client()
    answer = send(client, "/mairie/connexion", email=staff.email, password=PASSWORD)
    assert answer.location == "/mairie/code"
    return client


def enter(app: Flask, staff: Staff) -> FlaskClient:
    """A browser of its own, signed in: the session that the code opens, without typing it."""
    client = app.test_client()
    with app.app_context(), write():
        number = sessions.begin(staff, proved=True)
    with client.session_transaction(path="/mairie") as session:
        session["agent"] = number
    return client


def sign_in(app: Flask, staff: Staff) -> FlaskClient:
    """A browser of its own, in which the agent has typed the password and the code."""
    client = begin(app, staff)
    # Each code serves once: an agent who comes in twice waits for the next.
    Staff.update(last_counter=0).where(Staff.id == staff.id).execute()
    answer = send(client, "/mairie/code", code=telephone_of(app.extensions["settings"], staff))
    assert answer.location == "/mairie"
    return client


def fill(client: FlaskClient, page: str, **fields: str):
    """Fill the form of an act: the answer tells what it will do."""
    return send(client, page, **fields)


def shown(page: str) -> dict[str, str]:
    """Return what the form of a deposit to make final bears of what is shown."""
    return {
        name: re.findall(f'name="{name}" value="([^"]*)"', page)[0]
        for name in ("up_to", "fingerprint")
    }


def confirm(client: FlaskClient, page: str, *, anyway: bool = False, **fields: str):
    """Fill the form of an act, read what it will do, and have it done."""
    told = fill(client, page, **fields)
    assert told.status_code == 200, told.text
    (fingerprint,) = re.findall('name="fingerprint" value="([^"]*)"', told.text)
    boxes = {"seen": "y", **({"anyway": "y"} if anyway else {})}
    return send(client, page, **fields, fingerprint=fingerprint, **boxes)
