"""Commands: the gateways, and which of them are still needed."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime

import click

from gateways.base import SigningKey
from kiosque import payments
from kiosque.cli.author import AUTHOR
from kiosque.cli.entry import CommandFault, main, with_database
from kiosque.cli.moments import Hour
from kiosque.db.models import BankMessage
from kiosque.language import clock, formats
from kiosque.language.formats import counted
from kiosque.payments import GatewayUsage
from kiosque.settings import Settings


@main.command()
@with_database
def gateways(settings: Settings) -> None:
    """Dit de chaque passerelle si elle est en service, et si elle peut être retirée.

    Une passerelle qui n’est plus en service reste dans les réglages, notifiée et interrogée, tant
    qu’un de ses paiements est ouvert : la banque peut encore en dire quelque chose.
    """
    lost, closed = False, payments.closed_banks()
    for use in payments.gateway_usages(list(settings.gateways)):
        table = settings.gateways.get(use.name)
        lost = lost or (table is None and use.open > 0)
        click.echo(f"{use.name} : {_state(use, settings)}.")
        if closure := closed.get(use.name):
            until = formats.long_instant(closure.until_at)
            click.echo(f"\tFermée aux familles jusqu’au {until}, par {closure.author} (open-bank).")
        for line in (*_refunds(use, settings), *_old_key(use.name, table or {})):
            click.echo(f"\t{line}")
    for words in payments.describe_closed_regies(list(settings.regies)):
        click.echo(f"Attention : {words}.")
        lost = True
    if lost:
        raise SystemExit(1)


@main.command("close-bank")
@click.argument("name")
@click.option(
    "--until",
    required=True,
    type=Hour(),
    help="Fin, à Paris, par exemple « 2026-11-29 20:00 ».",
)
@click.option("--sentence", default="", help="Ce que lisent les familles, à la place du bouton.")
@AUTHOR
@with_database
def close_bank(settings: Settings, name: str, until: datetime, sentence: str, author: str) -> None:
    """Suspend le paiement en ligne par une passerelle : maintenance de la banque.

    Sans redémarrage, et jusqu’à l’heure dite au plus. Les paiements déjà partis à la banque suivent
    leur cours.
    """
    _require_gateway(settings, name)
    ends_at = until.replace(tzinfo=clock.PARIS).astimezone(UTC)
    closure = payments.close_bank(name, sentence, ends_at, author)
    ends = formats.long_instant(closure.until_at)
    click.echo(f"{name} : aucun nouveau paiement jusqu’au {ends}. Les familles lisent :")
    click.echo(payments.closure_words()[name])


@main.command("open-bank")
@click.argument("name")
@with_database
def open_bank(settings: Settings, name: str) -> None:
    """Rouvre le paiement en ligne par une passerelle, avant l’heure dite par close-bank."""
    _require_gateway(settings, name)
    was_closed = payments.open_bank(name)
    click.echo(f"{name} : {'rouverte' if was_closed else 'elle n’était pas fermée'}.")


def _require_gateway(settings: Settings, name: str) -> None:
    if name not in settings.gateways:
        known = ", ".join(settings.gateways)
        raise CommandFault(f"Aucune passerelle {name[:30]}. Il y a : {known}.")


def _state(use: GatewayUsage, settings: Settings) -> str:
    still = counted(use.open, "paiement ouvert") if use.open else "aucun paiement ouvert"
    if use.name in settings.gateways_in_force:
        regie = settings.regie_named(settings.regie_of_gateway(use.name)).name
        return f"en service{f' ({regie})' if settings.regies else ''}, {still}"
    if use.name not in settings.gateways:
        return (
            payments.describe_removed_gateway(use)
            if use.open
            else "retirée des réglages, plus rien d’ouvert"
        )
    if use.open:
        return f"n’est plus en service, mais {still} : à garder dans les réglages"
    if use.last_news_at is None:
        return "n’a jamais servi"
    last = formats.long_instant(use.last_news_at)
    return f"n’est plus en service ; rien d’ouvert, dernière nouvelle le {last} : peut être retirée"


def _refunds(use: GatewayUsage, settings: Settings) -> Iterator[str]:
    """Say how many payments it could still give back, where it is no longer in force."""
    if use.refundable and use.name not in settings.gateways_in_force:
        yield (
            f"{counted(use.refundable, 'encaissement')} de moins d’un an, sans elle à rembourser "
            "hors du site seulement (refund --elsewhere)."
        )


def _old_key(name: str, table: Mapping[str, object]) -> Iterator[str]:
    """Say until when the previous key is accepted, and when the bank last signed with it."""
    if "previous_key_until" not in table:
        return
    try:
        until = date.fromisoformat(str(table["previous_key_until"]).strip())
    except ValueError:  # a stranger's adapter may write it in another way
        return
    if until < clock.today():
        yield "L’ancienne clé n’est plus acceptée : retirez previous_key et previous_key_until."
        return
    yield f"L’ancienne clé est acceptée jusqu’au {formats.long_date(until)} inclus."
    signed = BankMessage.select().where(
        BankMessage.gateway == name, BankMessage.signing_key == SigningKey.PREVIOUS
    )
    if last := signed.order_by(BankMessage.id.desc()).first():
        yield f"Dernier avis qu’elle a signé : le {formats.long_instant(last.received_at)}."
