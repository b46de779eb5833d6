"""Commands: put the books right where only a human knows what became of the money."""

from datetime import date

import click

from gateways.base import Mode
from kiosque import payments
from kiosque.cli.author import AUTHOR
from kiosque.cli.entry import CommandFault, cents_typed, main, with_database
from kiosque.cli.moments import Day
from kiosque.cli.refunds import WHOLE, warn_of_the_rest
from kiosque.db.models import Attempt, Family, Invoice, Settlement
from kiosque.language.formats import format_euros
from kiosque.payments.receipts import receipt_of
from kiosque.settings import Settings


@main.command("restore-payment")
@click.argument("payment")
@click.option(
    "--amount", help="Montant en euros de ce qui n’est pas reparti, s’il y en a plusieurs."
)
@AUTHOR
@click.option("--reason", required=True, help="Ce que la banque a montré.")
@WHOLE
@with_database
def restore_payment(
    _settings: Settings, payment: str, amount: str | None, author: str, reason: str, *, yes: bool
) -> None:
    """Rétablit un paiement noté comme reparti, dont l’argent est bien là.

    Un remboursement annulé par la banque, une remise échouée puis passée, un impayé contesté avec
    succès. PAYMENT est un reçu, une facture que ce paiement payait, ou l’identifiant du débit à la
    banque. Ce qu’il payait est payé de nouveau, ou devient un trop-perçu si c’est payé autrement
    depuis.
    """
    cents = cents_typed(amount)
    settlement = payments.find_departed(payment, cents)
    if amount is None and not settlement.remaining_cents:
        warn_of_the_rest(settlement, payment, settlement.amount_cents, yes=yes)
    repayment = payments.restore(settlement, cents, author, reason)
    click.echo(f"{payment} : {format_euros(repayment.amount_cents)} rétablis.")


@main.command("apply-overpayment")
@click.argument("payment")
@click.argument("invoice")
@click.option("--amount", help="Montant en euros ; par défaut, tout ce qui se peut.")
@AUTHOR
@click.option(
    "--reason", required=True, help="Accord de la famille, par exemple « courriel du 3 »."
)
@with_database
def apply_overpayment(
    settings: Settings, payment: str, invoice: str, amount: str | None, author: str, reason: str
) -> None:
    """Paie une facture, ou une partie, avec l’argent d’un paiement qui ne paie rien.

    Un trop-perçu, ou un débit sans emploi, et une facture de la même famille et de la même régie.
    PAYMENT est un reçu, ou l’identifiant du débit à la banque. Le reste demeure dû.
    """
    settlement = payments.find_settlement(payment)
    issuers = payments.Issuers.from_settings(settings)
    paid = payments.apply_overpayment(
        settlement, invoice, author, reason, issuers, cents_typed(amount)
    )
    left = paid.remaining_cents
    more = f", en partie : reste {format_euros(left)}" if left else ""
    click.echo(f"Facture {paid.number} : payée par {payment}{more}.")


@main.command("enter-payment")
@click.argument("transaction")
@click.option("--amount", required=True, help="Montant du débit, en euros.")
@click.option("--on", "paid_on", required=True, type=Day(), help="Jour.")
@click.option("--attempt", "reference", help="Paiement ouvert ici dont c’est le débit.")
@click.option("--invoice", "number", help="Facture qu’il paie, en tout ou en partie.")
@click.option("--family", "code", help="Famille pour qui le garder, en attendant un emploi.")
@click.option("--family-unknown", is_flag=True, help="Personne ne sait à qui : gardé, au journal.")
@click.option("--gateway", "name", help="Passerelle ; par défaut celle du paiement ou de la régie.")
@click.option("--mode", type=click.Choice([mode.value for mode in Mode]), default=Mode.CARD.value)
@AUTHOR
@click.option("--reason", required=True, help="Ce que la banque a montré.")
@with_database
def enter_payment(  # noqa: PLR0913  # its options
    settings: Settings,
    transaction: str,
    amount: str,
    paid_on: date,
    *,
    reference: str | None,
    number: str | None,
    code: str | None,
    family_unknown: bool,
    name: str | None,
    mode: str,
    author: str,
    reason: str,
) -> None:
    """Enregistre un débit que seule la banque connaît.

    Fait à son back office, ou perdu avec la base qu’une sauvegarde a remplacée. TRANSACTION est son
    identifiant à la banque. Donnez l’un de --attempt, --invoice, --family et --family-unknown.
    """
    about = _about(reference, number, code, family_unknown=family_unknown)
    payment = payments.BankPayment(
        gateway=_gateway_of(settings, about, name),
        transaction_id=payments.bank_name(transaction),
        amount_cents=cents_typed(amount) or 0,
        paid_on=paid_on,
        author=author,
        reason=reason,
        mode=Mode(mode),
    )
    issuers = payments.Issuers.from_settings(settings)
    if payments.was_said_undone(payment):
        click.echo(
            "Attention : la banque a dit ce débit annulé ou refusé. Voyez s’il y est encore."
        )
    click.echo(_said(transaction, payments.enter(payment, about, issuers)))


def _gateway_of(
    settings: Settings, about: Attempt | Invoice | Family | None, name: str | None
) -> str:
    """Return the gateway named, else that of the payment or of the *régie*. Raises CommandFault."""
    if isinstance(about, Attempt):
        usual: str | None = about.gateway
    else:
        usual = settings.gateway_of(about.regie if isinstance(about, Invoice) else "")
    gateway = name or usual
    if not gateway or gateway not in {*settings.gateways, usual}:
        raise CommandFault(f"Aucune passerelle {name or 'en service'} : voyez « gateways ».")
    return gateway


def _about(
    reference: str | None, number: str | None, code: str | None, *, family_unknown: bool
) -> Attempt | Invoice | Family | None:
    """Return the one that is named; None for nobody known. Raises CommandFault."""
    named = [
        (Attempt, Attempt.reference, reference),
        (Invoice, Invoice.number, number),
        (Family, Family.code, code),
    ]
    given = [each for each in named if each[2]]
    if len(given) + family_unknown != 1:
        raise CommandFault("Donnez l’un de --attempt, --invoice, --family et --family-unknown.")
    if family_unknown:
        return None
    ((model, field, name),) = given
    found = model.get_or_none(field == name)
    if not isinstance(found, Attempt | Invoice | Family):
        raise CommandFault(f"Rien ne s’appelle {name[:30] if name else ''} ici.")
    return found


def _said(transaction: str, settlement: Settlement) -> str:
    cents = format_euros(settlement.amount_cents)
    receipt = receipt_of(settlement)
    made = (
        f", reçu {receipt.title}" if receipt else ", sans emploi : apply-overpayment lui en donne"
    )
    return f"Débit {transaction} : {cents} enregistrés{made}."
