"""Commands: money that leaves again."""

import click

from kiosque import payments
from kiosque.cli.author import AUTHOR
from kiosque.cli.entry import CommandFault, cents_typed, main, with_database
from kiosque.db.models import Repayment, Settlement
from kiosque.db.states import RepaymentKind, RepaymentState
from kiosque.language.formats import format_euros
from kiosque.settings import Settings, loading

#: The option of commands that may move a whole payment, named by one of its invoices.
WHOLE = click.option("--yes", is_flag=True, help="Même si d’autres factures sont concernées.")


@main.command()
@click.argument("payment")
@click.option("--amount", help="Montant en euros ; par défaut tout ce qui reste.")
@click.option(
    "--elsewhere",
    is_flag=True,
    help="Rendu autrement que par la banque : noté, rien n’est demandé.",
)
@click.option(
    "--transaction", help="Avec --elsewhere : identifiant d’un remboursement fait à la banque."
)
@AUTHOR
@click.option("--reason", required=True, help="Pourquoi.")
@WHOLE
@with_database
def refund(  # noqa: PLR0913  # its options
    settings: Settings,
    payment: str,
    amount: str | None,
    *,
    elsewhere: bool,
    transaction: str | None,
    author: str,
    reason: str,
    yes: bool,
) -> None:
    """Rembourse un paiement, en entier ou en partie : PAYMENT est un reçu ou une facture payée.

    Demandé deux fois, du même montant et pour le même motif, il n’est fait qu’une fois. Remboursée
    en entier, une facture est de nouveau à régler ; en partie, elle reste payée. Si le paiement
    d’une facture portait aussi sur d’autres, la commande le dit et demande --amount ou --yes.
    """
    settlement = payments.find_settlement(payment)
    cents = _cents_leaving(settlement, payment, amount, yes=yes)
    if transaction is not None and not elsewhere:
        raise CommandFault("--transaction va avec --elsewhere : ce que la banque a déjà rendu.")
    if elsewhere:
        repayment = payments.record_repayment(
            settlement,
            RepaymentKind.REFUND,
            cents,
            author,
            reason,
            transaction_id=transaction if transaction is None else payments.bank_name(transaction),
        )
    else:
        gateway = loading.gateways_of(settings).get(settlement.gateway or "")
        repayment = payments.ask_refund(settlement, cents, author, reason, gateway)
        if gateway:
            issuers = payments.Issuers.from_settings(settings)
            repayment = payments.send_refund(repayment, gateway, settings.public_url, issuers)
    click.echo(f"{payment} : {_given(repayment)} remboursés.")


def _given(repayment: Repayment) -> str:
    """Return the amount given back. Raises CommandFault where it was not, or nobody knows."""
    given = format_euros(repayment.amount_cents)
    if repayment.state == RepaymentState.DECLINED:
        raise CommandFault(f"Rien n’a été remboursé. {repayment.reason}")
    if repayment.state == RepaymentState.ASKED:
        raise CommandFault(
            f"La banque n’a pas répondu : on ne sait pas si {given} ont été rendus. "
            "« reconcile » le lui redemandera, sans risque de rendre deux fois."
        )
    return given


@main.command()
@click.argument("payment")
@click.option("--amount", help="Montant en euros ; par défaut tout ce qui reste.")
@AUTHOR
@click.option("--reason", required=True, help="Pièce ou motif, par exemple « avis d’impayé 123 ».")
@WHOLE
@with_database
def chargeback(
    _settings: Settings, payment: str, amount: str | None, author: str, reason: str, *, yes: bool
) -> None:
    """Note un impayé : l’argent d’un paiement a été repris.

    Une carte contestée, un prélèvement ou un chèque rejeté.
    """
    settlement = payments.find_settlement(payment)
    cents = _cents_leaving(settlement, payment, amount, yes=yes)
    repayment = payments.record_repayment(
        settlement, RepaymentKind.CHARGEBACK, cents, author, reason
    )
    click.echo(f"{payment} : impayé de {format_euros(repayment.amount_cents)} enregistré.")


@main.command("drop-refund")
@click.argument("payment")
@AUTHOR
@click.option("--reason", required=True, help="Ce que la banque a montré ou dit.")
@with_database
def drop_refund(_settings: Settings, payment: str, author: str, reason: str) -> None:
    """Abandonne un remboursement dont la banque ne dit rien : PAYMENT est un reçu ou une facture.

    Voyez d’abord à la banque que rien n’a été rendu. Si elle annonce quand même ce remboursement,
    il est pris en compte.
    """
    dropped = payments.drop_refund(payments.find_settlement(payment), author, reason)
    click.echo(f"{payment} : remboursement de {format_euros(dropped.amount_cents)} abandonné.")


def _cents_leaving(
    settlement: Settlement, payment: str, amount: str | None, *, yes: bool
) -> int | None:
    """Return the cents typed, or all that is left. Raises CommandFault as `warn_of_the_rest`."""
    if amount is not None:
        return cents_typed(amount)
    warn_of_the_rest(settlement, payment, settlement.remaining_cents, yes=yes)
    return settlement.remaining_cents


def warn_of_the_rest(settlement: Settlement, payment: str, cents: int, *, yes: bool) -> None:
    """Warn that `cents` of a payment would move, which is more than its part for the invoice that
    it was named by. Raises CommandFault without `yes`."""
    if not (uses := payments.other_uses(settlement, payment, cents)):
        return
    gone = settlement.returned_cents
    words = (
        f"le paiement de cette facture est de {format_euros(settlement.amount_cents)} "
        f"({' ; '.join(uses)})"
        f"{f', dont {format_euros(gone)} sont déjà repartis' if gone else ''}. "
        f"Le tout : {format_euros(cents)}"
    )
    if not yes:
        raise CommandFault(
            f"{payment} : {words}. Rien n’a changé. Donnez --amount, ou --yes pour le tout."
        )
    click.echo(f"Attention, {payment} : {words}.")
