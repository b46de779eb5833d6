"""Commands: what a credit note pays."""

import click

from kiosque import payments
from kiosque.cli.author import AUTHOR
from kiosque.cli.entry import cents_typed, main, with_database
from kiosque.cli.payments import YES, warn_at_bank
from kiosque.db.models import Invoice
from kiosque.language.formats import format_euros
from kiosque.settings import Settings

_INVOICE = click.option("--invoice", required=True, help="Numéro de la facture.")


@main.command("apply-credit")
@click.argument("credit")
@_INVOICE
@click.option("--amount", help="Montant en euros ; par défaut, tout ce qui se peut.")
@AUTHOR
@click.option("--reason", required=True, help="Accord, par exemple « courriel du 3 ».")
@YES
@with_database
def apply_credit(
    _settings: Settings,
    credit: str,
    invoice: str,
    amount: str | None,
    author: str,
    reason: str,
    *,
    yes: bool,
) -> None:
    """Paie une facture, ou une partie, avec un avoir de la même famille et de la même régie.

    CREDIT est le numéro de l’avoir. Ce qui en reste demeure dû à la famille.
    """
    warn_at_bank(invoice, yes=yes)
    cents = payments.apply_credit(credit, invoice, cents_typed(amount), author, reason)
    if not cents:
        click.echo(f"Facture {invoice} : déjà fait.")
        return
    click.echo(
        f"Facture {invoice} : {format_euros(cents)} par l’avoir, reste "
        f"{format_euros(_found(invoice).remaining_cents)} ; sur l’avoir, reste "
        f"{format_euros(_found(credit).credit_cents)}."
    )


@main.command("unapply-credit")
@click.argument("credit")
@_INVOICE
@AUTHOR
@click.option("--reason", required=True, help="Pourquoi.")
@with_database
def unapply_credit(
    _settings: Settings, credit: str, invoice: str, author: str, reason: str
) -> None:
    """Reprend ce qu’un avoir a payé d’une facture par erreur : elle est de nouveau à régler."""
    cents = payments.unapply_credit(credit, invoice, author, reason)
    left = _found(credit).credit_cents
    click.echo(f"Avoir {credit} : {format_euros(cents)} repris, reste {format_euros(left)}.")


def _found(number: str) -> Invoice:
    found: Invoice = Invoice.get(Invoice.number == number.strip())
    return found
