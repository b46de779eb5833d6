"""Commands: money at the counter and at the banks, and what the régisseur must look at."""

from collections.abc import Sequence
from datetime import date

import click

from kiosque import chores, payments, resources
from kiosque.cli.author import AUTHOR
from kiosque.cli.entry import ROW, CommandFault, cents_typed, main, say_unless_idle, with_database
from kiosque.cli.moments import Day
from kiosque.db.models import Anomaly, Invoice
from kiosque.db.states import CounterMode
from kiosque.language import clock, formats
from kiosque.language.formats import counted, format_euros
from kiosque.monitoring import memory
from kiosque.outbox import queue
from kiosque.payments import journal, reconcile, verification
from kiosque.settings import Settings

#: Exit statuses of `reconcile`, for monitors: a bank or its adapter gave no answer; time ran out.
NO_ANSWER = 3
OUT_OF_TIME = 4
YES = click.option(
    "--yes", is_flag=True, help="Même si la famille est à la banque, ou si tout est déjà payé."
)


@main.command()
@click.argument("number")
@click.option("--mode", required=True, type=click.Choice([mode.value for mode in CounterMode]))
@click.option("--amount", help="Montant en euros ; par défaut, tout ce qui reste à régler.")
@click.option("--on", "settled_on", type=Day(), help="Jour ; aujourd’hui.")
@AUTHOR
@click.option("--reason", required=True, help="Motif ou pièce, par exemple « chèque 123 ».")
@YES
@with_database
def settle(
    settings: Settings,
    number: str,
    mode: str,
    amount: str | None,
    settled_on: date | None,
    *,
    yes: bool,
    **answer: str,
) -> None:
    """Enregistre le paiement au guichet d’une facture, ou d’une partie d’une facture.

    Ce qui dépasse ce qui reste à régler est un trop-perçu. D’une facture déjà payée, c’est le
    paiement entier, avec --yes.
    """
    warn_at_bank(number, yes=yes)
    invoice = Invoice.get_or_none(Invoice.number == number)
    left = invoice.remaining_cents or invoice.treasury_cents if invoice else 0
    payment = payments.CounterPayment(
        invoice_number=number,
        amount_cents=cents_typed(amount) if amount else left or None,
        mode=mode,
        settled_on=settled_on or clock.today(),
        **answer,
        is_extra=yes,
    )
    added = payments.settle_at_counter([payment], settings.regies_by_key)
    if not added and payments.left_since([payment]):
        raise CommandFault(
            f"Facture {number} : cet encaissement est déjà enregistré, et son argent ne la paie "
            "plus (remboursement, impayé, ou trop-perçu employé autrement ou à employer). Rien n’a "
            "changé. Pour un nouvel encaissement, donnez un autre motif, par exemple le numéro du "
            "nouveau chèque."
        )
    regie = settings.regie_named(invoice.regie) if invoice and settings.regies else None
    of = f", {regie.name}" if regie else ""
    click.echo(f"Facture {number}{of} : {_taken(number, added)}.")


def _taken(number: str, added: Sequence[payments.Taken]) -> str:
    """Say in French what a payment at the counter made of its invoice."""
    if not added:
        return "déjà enregistrée"
    invoice = Invoice.get(Invoice.number == number)
    left = invoice.remaining_cents or invoice.treasury_cents
    said = f"{format_euros(added[0].cents)}, reste {format_euros(left)}" if left else "payée"
    over = added[0].extra_cents
    return f"{said} ; {format_euros(over)} de trop-perçu, voir todo" if over else said


@main.command("cancel-invoice")
@click.argument("number")
@AUTHOR
@click.option("--reason", required=True, help="Pourquoi.")
@YES
@with_database
def cancel_invoice(
    _settings: Settings, number: str, author: str, reason: str, *, yes: bool
) -> None:
    """Annule une facture à régler."""
    warn_at_bank(number, yes=yes)
    payments.cancel_invoice(number, author, reason)
    click.echo(f"Facture {number} : annulée.")


@main.command("close-attempt")
@click.argument("reference")
@AUTHOR
@click.option("--reason", required=True, help="Ce que la banque a montré ou dit.")
@with_database
def close_attempt(_settings: Settings, reference: str, author: str, reason: str) -> None:
    """Libère les factures d’un paiement dont la banque ne dit rien.

    Voyez d’abord à la banque qu’aucun débit n’a été fait. S’il en vient un quand même, il est
    pris en compte.
    """
    payments.close_attempt(reference, author, reason)
    click.echo(f"Paiement {reference} : sans suite. Ses factures peuvent être payées.")


@main.command("reconcile")
@click.option(
    "--seconds",
    type=click.IntRange(1, 3600),
    default=reconcile.RUN_SECONDS,
    show_default=True,
    help="Durée au plus.",
)
@with_database
def reconcile_(settings: Settings, seconds: int) -> None:
    """Demande aux banques ce que sont devenus les paiements et remboursements sans réponse.

    Chaque minute. Lancé deux fois à la fois, il ne travaille qu’une fois.

    Code de sortie : 0, tout ce qui était à demander a sa réponse ; 1, rien n’a pu être demandé ;
    3, une banque n’a pas répondu ou sa passerelle a un défaut, nommée ; 4, le temps a manqué, la
    suite au prochain passage.
    """
    summary = chores.ask_banks(settings, seconds=seconds)
    if summary.busy:
        click.echo("Un autre rapprochement est en cours : rien à faire.")
        return
    done = (summary.answered, summary.unanswered, summary.expired, summary.refunds, summary.left)
    say_unless_idle(
        f"Réponses\u00a0: {summary.answered} ; sans réponse\u00a0: {summary.unanswered} ; "
        f"expirés\u00a0: {summary.expired} ; remboursements conclus\u00a0: {summary.refunds} ; "
        f"restent à demander\u00a0: {summary.left}.",
        idle=not any(done),
    )
    troubles = [
        *(f"la banque de la passerelle {name} n’a pas répondu" for name in summary.silent),
        *(f"la passerelle {name} a un défaut, voir le journal" for name in summary.broken),
        *summary.removed_gateways,
    ]
    for words in troubles:
        click.echo(f"Attention : {words}.")
    if troubles:
        raise SystemExit(NO_ANSWER)
    if summary.left:
        raise SystemExit(OUT_OF_TIME)


@main.command()
@click.option("--resolve", type=ROW, help="Numéro du point traité.")
@AUTHOR
@click.option("--resolution", default="", help="Ce qui a été fait.")
@with_database
def todo(settings: Settings, resolve: int | None, author: str, resolution: str) -> None:
    """Liste ce que le régisseur doit traiter : trop-perçus, écarts, annulations."""
    if resolve is not None:
        payments.resolve_anomaly(resolve, author, resolution)
    points = payments.open_anomalies()
    for point in points:
        regie = (settings.regie_named(point.regie).name,) if settings.regies else ()
        click.echo("\t".join((*_cells(point), *regie)))
        advised = payments.advice(point)
        for line in (advised.sentence, *(resources.typed(each.command) for each in advised.steps)):
            click.echo(f"\t{line}")
    click.echo(f"{len(points)} à traiter.")
    if lost := queue.count_given_up():
        mails = resources.typed("mails")
        click.echo(f"Et {counted(lost, 'courriel abandonné')} : « {mails} » les liste.")


def _cells(point: Anomaly) -> tuple[str, ...]:
    receipt = getattr(point.settlement, "receipt", None) if point.settlement else None
    family, numbers = payments.concerned(point)
    return (
        str(point.id),
        formats.short_date(clock.paris_date(point.noted_at)),
        format_euros(point.amount_cents),
        point.detail,
        ", ".join(numbers),
        receipt.title if receipt else "",
        point.attempt.reference if point.attempt else "",
        f"famille {family}" if family else "",
    )


@main.command()
@with_database
def verify(settings: Settings) -> None:
    """Vérifie le journal et les comptes, sans rien changer. Affiche les soldes.

    Notez hors de cette machine le numéro et l’empreinte de la dernière écriture : ils prouveront
    que rien n’a été retiré de la fin du journal.
    """
    faults = verification.faults()
    memory.note_verified(settings.data, len(faults))
    for account, cents in sorted(journal.balances().items()):
        click.echo(f"{account:30} {format_euros(cents)}")
    number, fingerprint = journal.last()
    click.echo(f"Dernière écriture : {number}, empreinte {fingerprint}")
    if ended := reconcile.last_finished_at():
        click.echo(f"Dernier rapprochement : {formats.long_instant(ended)}")
    if faults:
        raise CommandFault("\n".join(faults))
    click.echo("Le journal et les comptes sont intacts.")


def warn_at_bank(number: str, *, yes: bool) -> None:
    """Warn that its family may be paying an invoice online. Raises CommandFault without `yes`."""
    if words := payments.at_bank([number]).get(number):
        if not yes:
            raise CommandFault(
                f"Facture {number} : {words}. Rien n’a changé. Pour continuer : --yes."
            )
        click.echo(f"Attention, facture {number} : {words}.")
