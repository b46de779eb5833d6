"""Commands: the agents of the town hall. The first administrator can be made here only."""

from datetime import date

import click

from kiosque.cli.entry import CommandFault, main, with_database
from kiosque.cli.moments import Day
from kiosque.db import write
from kiosque.db.models import Staff
from kiosque.language import clock, formats
from kiosque.outbox import addresses
from kiosque.payments import Refused
from kiosque.settings import Settings
from kiosque.staff import accounts, invitations, roles
from kiosque.staff.events import TERMINAL
from kiosque.staff.roles import HeldRole, Role


@main.group()
def staff() -> None:
    """Les agents qui entrent dans l’espace mairie."""


@staff.command()
@click.argument("email")
@click.option("--role", type=click.Choice([str(role) for role in Role]), required=True)
@click.option("--regie", default="", help="La clé de sa régie, s’il y en a plusieurs.")
@click.option("--until", type=Day(), help="Le dernier jour du rôle.  [par défaut : sans fin]")
@click.option("--new-phone", is_flag=True, help="Il n’a plus ni téléphone ni codes de secours.")
@with_database
def add(
    settings: Settings, email: str, role: str, regie: str, until: date | None, *, new_phone: bool
) -> None:
    """Donne un rôle à un agent et affiche le lien par lequel il choisit son mot de passe.

    Le lien sert une fois, pendant un jour. Un agent déjà connu garde ses autres rôles, et son
    téléphone sauf avec --new-phone.
    """
    if (known := addresses.normal(email)) is None or not known.isascii():
        raise CommandFault(f"Adresse électronique inutilisable : {email[:60]}")
    if regie and regie not in settings.regies:
        raise CommandFault(f"Régie inconnue : {regie[:30]}")
    try:
        link = _invite(known, HeldRole(Role(role), regie), until, new_phone=new_phone)
    except Refused as refusal:
        raise CommandFault(str(refusal)) from None
    click.echo(f"{known}, {role} : {settings.public_url}/mairie/invitation/{link}")
    click.echo("Ce lien sert une seule fois, pendant un jour. Ne le donnez qu’à cette personne.")


@staff.command("list")
@with_database
def list_(_settings: Settings) -> None:
    """Montre les agents, leurs rôles en cours, et s’ils se sont déjà connectés."""
    for each in accounts.every():
        held = ", ".join(f"{role} {regie}".strip() for role, regie in sorted(roles.in_force(each)))
        click.echo(f"{each.email}  {held or 'aucun rôle'}  {_standing(each)}")


def _invite(email: str, held: HeldRole, until: date | None, *, new_phone: bool) -> str:
    with write():
        agent = accounts.obtain(email)
        if held not in roles.in_force(agent):
            roles.add(agent, held, clock.today(), until, TERMINAL)
        if new_phone:
            invitations.forget_telephone(agent, TERMINAL)
        invitation = invitations.prepare(agent, TERMINAL)
    return invitations.draw_link(invitation.id) or ""


def _standing(agent: Staff) -> str:
    if agent.closed_at:
        return f"accès fermé le {formats.long_instant(agent.closed_at)}"
    return "se connecte" if agent.enrolled_at else "ne s’est pas encore connecté"
