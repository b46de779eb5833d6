"""Commands: run the demo, or erase it."""

import click

from gateways.base import ConfigError
from kiosque import db, demo
from kiosque.cli.entry import CommandFault, main, progress_bar, require_yes
from kiosque.invoices import imports

PORT = click.IntRange(1, 65535)


@main.command("demo")
@click.option("--port", type=PORT, default=8000, show_default=True, help="Port du portail.")
@click.option("--bank-port", type=PORT, default=8001, show_default=True, help="Port de la banque.")
@click.option(
    "--bank", default="", help="La passerelle : banque ou payfip.  [par défaut : le réglage]"
)
def demo_(port: int, bank_port: int, bank: str) -> None:
    """Lance la démonstration : le portail, et la banque dans un autre processus.

    Au premier lancement, crée les réglages et la base et y charge data/demo. Ctrl-C arrête tout.
    """
    try:
        demo.run(port, bank_port, bank, progress=progress_bar)
    except (demo.DemoError, ConfigError, imports.BadFile, db.NewerDatabase) as error:
        raise CommandFault(str(error)) from None
    except KeyboardInterrupt:
        raise CommandFault(
            "Interrompu. Le prochain lancement reprendra où celui-ci s’est arrêté."
        ) from None


@main.command()
@click.option("--yes", is_flag=True, help="Ne pas demander de confirmation.")
def reset(*, yes: bool) -> None:
    """Efface ce que la démonstration a écrit, pour recommencer."""
    if not yes:
        require_yes("Effacer la base et les fichiers de la démonstration ?")
    try:
        demo.reset()
    except (demo.DemoError, ConfigError) as error:
        raise CommandFault(str(error)) from None
    click.echo("La démonstration est effacée.")
