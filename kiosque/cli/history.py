"""A command: read what became of a payment."""

import click

from kiosque.cli.entry import CommandFault, main, with_database
from kiosque.language import formats
from kiosque.payments import history as payment_history
from kiosque.settings import Settings


@main.command()
@click.argument("name")
@with_database
def history(_settings: Settings, name: str) -> None:
    """Raconte un paiement : ce qui s’est passé, quand, et qui l’a dit.

    NAME est le numéro d’une facture, celui d’un reçu (R000123), ou la référence d’un paiement.
    """
    events = payment_history.events_of(name.strip())
    if not events:
        raise CommandFault(f"Aucun paiement pour {name[:40]}.")
    for event in events:
        click.echo(f"{formats.long_instant(event.at)}  {event.who} : {event.text}")
