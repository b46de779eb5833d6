"""Commands: check everything, and mail what has changed."""

import os

from kiosque.checkup import alerts
from kiosque.cli.entry import CommandFault, main, say_unless_idle
from kiosque.mails import direct


@main.command()
def alert() -> None:
    """Vérifie tout, et prévient par courriel de ce qui a changé. Chaque heure, par une minuterie.

    À l’adresse technique des réglages, sans passer par la base : chaque ennui une fois, puis une
    fois qu’il est fini ; et chaque semaine que tout va bien (docs/exploitation.md).
    """
    try:
        news = alerts.alert(os.environ)
    except alerts.NobodyToTell:
        raise CommandFault(
            "Les réglages ne disent pas à qui écrire, ou par quel serveur : voyez « check »."
        ) from None
    except direct.NotSent as error:
        raise CommandFault(f"Le courriel d’alerte n’est pas parti ({error}).") from None
    words = f"Ennuis nouveaux : {len(news.fresh)}, finis : {len(news.over)}, "
    say_unless_idle(f"{words}en cours : {len(news.still)}.", idle=not news.is_due)
