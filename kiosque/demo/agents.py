"""The demo's agents of the town hall: their passwords and telephone secrets are printed for
anybody."""

import json
from pathlib import Path

import pyotp

from kiosque.db import write
from kiosque.db.models import StaffInvitation
from kiosque.families.codes import random_code
from kiosque.language import clock
from kiosque.settings import Settings
from kiosque.staff import accounts, invitations, roles, second_factor
from kiosque.staff.events import TERMINAL
from kiosque.staff.invitations import WrongCode
from kiosque.staff.roles import HeldRole, Role

ROLES = (Role.REGISSEUR, Role.FACTURATION, Role.ADMINISTRATION)


def load(settings: Settings) -> list[str]:
    """Make the agents on the first run; return a line for each, in French."""
    kept = settings.data / "demo-agents.json"
    if not kept.exists():
        made = {_email(role): _make(settings, role) for role in ROLES}
        write_secrets(kept, made)
    passwords = json.loads(kept.read_text(encoding="utf-8"))
    return [_line(settings, email, password) for email, password in passwords.items()]


def write_secrets(path: Path, content: object) -> None:
    """Write what opens accounts for its owner's eyes only, whole or not at all."""
    draft = path.with_suffix(".part")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(content), encoding="utf-8")
    draft.replace(path)


def _email(role: Role) -> str:
    return f"{role}@clairvigne.example.org"


def _make(settings: Settings, role: Role) -> str:
    """Make an agent by the link that all are sent; return the password. One that an interrupted
    first run made begins again."""
    with write():
        agent, held = accounts.obtain(_email(role)), HeldRole(role, "")
        if held not in roles.in_force(agent):
            roles.add(agent, held, clock.today(), None, TERMINAL)
        invitations.forget_telephone(agent, TERMINAL)
        invitation = invitations.prepare(agent, TERMINAL)
    found = invitations.find(invitations.draw_link(invitation.id) or "")
    password = random_code()
    if found:
        try:
            _take(settings, found, password)
        except WrongCode:  # the code's half-minute ended meanwhile: take the next one
            _take(settings, found, password)
    return password


def _take(settings: Settings, found: StaffInvitation, password: str) -> None:
    key = second_factor.secret(found.staff, settings.secret_key)
    # Use the code of half a minute ago: somebody who signs in at once needs the present one.
    code = pyotp.TOTP(key).at(clock.now(), counter_offset=-1)
    invitations.take(found, password, code, settings, network="")


def _line(settings: Settings, email: str, password: str) -> str:
    agent = accounts.authenticate(email, password)
    note = "" if agent else "  (changé depuis)"
    known = agent or accounts.find(email)
    key = second_factor.secret(known, settings.secret_key) if known else ""
    return f"mairie : {email}  mot de passe : {password}  clé TOTP : {key}{note}"
