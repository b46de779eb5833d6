"""A command: read the security log."""

from datetime import timedelta

import click

from kiosque.cli.entry import Fault, main, with_database
from kiosque.db.models import Family
from kiosque.families import accounts, audit
from kiosque.families.audit import Event
from kiosque.language import clock, formats
from kiosque.settings import Settings

_WORDS = {
    Event.SIGNED_IN: "connexion",
    Event.REFUSED: "connexion ou activation refusée",
    Event.SIGNED_OUT: "déconnexion",
    Event.PASSWORD_CHANGED: "mot de passe changé",
    Event.PASSWORD_ISSUED: "mot de passe donné par la mairie",
    Event.ACTIVATION_ISSUED: "code d’activation donné par la mairie",
    Event.ACTIVATED: "compte ouvert avec la lettre",
    Event.RESET_ASKED: "lien demandé pour un nouveau mot de passe",
    Event.PASSWORD_RESET: "mot de passe remplacé par un lien",
    Event.EMAIL_ASKED: "changement d’adresse électronique demandé",
    Event.EMAIL_CHANGED: "adresse électronique changée",
    Event.NEW_BROWSER_TOLD: "connexion d’un nouveau navigateur, famille prévenue",
    Event.DISOWNED: "« ce n’était pas moi » : sessions fermées par la famille",
    Event.NOTICES_STOPPED: "avis par courriel arrêtés",
    Event.NOTICES_RESUMED: "avis par courriel repris",
}


@main.command("security-log")
@click.option("--family", "code", help="Le code d’une famille ; sinon toutes, et les inconnus.")
@click.option(
    "--days",
    type=click.IntRange(1, audit.KEPT.days),
    default=30,
    show_default=True,
    help="Les lignes de ces derniers jours.",
)
@with_database
def security_log(_settings: Settings, code: str | None, days: int) -> None:
    """Montre qui est entré ou a essayé, et ce qui a changé : date, famille, adresse réseau.

    Ces lignes sont effacées au bout d’un an.
    """
    family = None
    if code is not None:
        family = Family.get_or_none(Family.code == accounts.normalise_code(code))
        if family is None:
            raise Fault(f"Code famille inconnu : {code}")
    for line in audit.read(clock.now() - timedelta(days=days), family):
        who = line.family.code if line.family else "inconnu"
        address = line.address or "mairie"
        words = _WORDS[Event(line.kind)]
        click.echo(f"{formats.long_instant(line.at)}  {who}  {address}  {words}")
