"""Commands: invoices that the Treasury collects."""

from datetime import date

import click

from kiosque import payments
from kiosque.cli.author import AUTHOR
from kiosque.cli.entry import main, with_database
from kiosque.cli.moments import Day
from kiosque.language import clock
from kiosque.language.formats import counted, format_euros
from kiosque.settings import Settings


@main.command()
@click.argument("numbers", nargs=-1, required=True)
@click.option("--list", "list_name", required=True, help="Nom ou numéro de la liste.")
@click.option("--on", "on", type=Day(), help="Jour ; aujourd’hui.")
@AUTHOR
@click.option("--reason", required=True, help="Motif, par exemple « impayée au 30 octobre ».")
@with_database
def transmit(
    _settings: Settings,
    numbers: tuple[str, ...],
    list_name: str,
    on: date | None,
    author: str,
    reason: str,
) -> None:
    """Note que des factures sont transmises au Trésor public, toutes ou aucune.

    Elles ne se paient plus ici, et la famille lit où les payer. Ce qui en est payé le reste. Ce que
    le Trésor en reçoit se note par « settle --mode treasury ».
    """
    new = payments.transmit(numbers, list_name, on or clock.today(), author, reason)
    known = len(set(numbers)) - len(new)
    more = f" ; {known} déjà sur cette liste" if known else ""
    click.echo(f"Liste {list_name.strip()} : {counted(len(new), 'facture')}{more}.")


@main.command()
@click.argument("number")
@AUTHOR
@click.option("--reason", required=True, help="Pourquoi.")
@with_database
def untransmit(_settings: Settings, number: str, author: str, reason: str) -> None:
    """Reprend une facture transmise au Trésor public par erreur : elle se paie de nouveau ici.

    Un trop-perçu venu pour elle depuis la paie.
    """
    invoice = payments.take_back(number, author, reason)
    left = invoice.remaining_cents
    click.echo(
        f"Facture {invoice.number} : {f'reste {format_euros(left)} à régler' if left else 'payée'}."
    )
