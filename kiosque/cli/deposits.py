"""Commands: what is paid over to the *comptable*, and where it goes in his accounts."""

import csv
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

import click

from kiosque import deposits, os_errors
from kiosque.cli.author import AUTHOR
from kiosque.cli.entry import ROW, CommandFault, NamedPath, main, with_database
from kiosque.cli.moments import Day
from kiosque.deposits import DepositDraft, Imputed, tables
from kiosque.deposits.sums import RevenueLine, table
from kiosque.language.formats import decimal, format_euros, long_date
from kiosque.papers import deposits as papers
from kiosque.payments import journal
from kiosque.payments.payment_names import find_settlement
from kiosque.settings import Settings

_REGIE = click.option("--regie", default="", help="La clé de la régie ; vide, la première.")
_UP_TO = click.option(
    "--up-to", type=ROW, help="Jusqu’à quelle écriture du journal, par son numéro ; la dernière."
)


@main.command("imputation")
@click.argument("service")
@click.option("--article", required=True, help="L’article (compte) du budget, par exemple 70632.")
@click.option("--fonction", default="", help="La fonction, par exemple 281.")
@click.option("--antenne", default="", help="L’antenne, si la ville en a.")
@click.option(
    "--from", "since", type=Day(), help="Depuis ce jour ; la première fois, depuis toujours."
)
@_REGIE
@AUTHOR
@with_database
def imputation(  # noqa: PLR0913  # its options
    settings: Settings,
    service: str,
    *,
    article: str,
    fonction: str,
    antenne: str,
    since: date | None,
    regie: str,
    author: str,
) -> None:
    """Dit où vont les recettes d’une prestation dans les comptes de la ville.

    Ce qu’un bordereau définitif a employé ne change plus : donnez alors une date plus tardive.
    """
    _require_regie(settings, regie)
    imputed = Imputed(article, fonction, antenne)
    row = deposits.set_imputation(regie, service, imputed, author, since)
    words = Imputed(row.article, row.fonction, row.antenne).words
    click.echo(f"{row.service.name} : {words}, depuis le {long_date(row.valid_from)}.")


@main.group()
def deposit() -> None:
    """Les bordereaux de versement : ce qui est versé au comptable."""


@deposit.command("draft")
@_REGIE
@_UP_TO
@with_database
def draft(settings: Settings, regie: str, up_to: int | None) -> None:
    """Montre ce qui est à verser, par mode et imputation. Ne change rien."""
    _require_regie(settings, regie)
    found = _draft(regie, up_to)
    name = settings.regie_named(regie).name
    click.echo(f"Brouillon, {name}, écriture {found.up_to} : {format_euros(found.amount_cents)}")
    for words in _told(found):
        click.echo(words)


@deposit.command("final")
@_REGIE
@_UP_TO
@AUTHOR
@with_database
def final(settings: Settings, regie: str, up_to: int | None, author: str) -> None:
    """Rend définitif ce que « deposit draft » montre : numéroté, figé, porté au journal.

    Rien ne le défait : ce qui est rendu ensuite va au bordereau suivant, en moins.
    """
    _require_regie(settings, regie)
    found = _draft(regie, up_to)
    asked = (settings, regie, found.up_to, author, found.fingerprint)
    made = deposits.finalize(*asked, papers.bordereau)
    click.echo(f"Bordereau {deposits.titled(made)} : {format_euros(made.amount_cents)}, définitif.")
    for words in _told(found):
        click.echo(words)


@deposit.command("list")
@_REGIE
@with_database
def list_(settings: Settings, regie: str) -> None:
    """Montre les bordereaux définitifs, le dernier d’abord, et la réponse du comptable."""
    _require_regie(settings, regie)
    for gap in deposits.lost(regie):
        click.echo(f"{deposits.named(gap)}  perdu à la restauration, dit par {gap.author}")
    for each in deposits.latest(regie):
        found = deposits.answer_of(each)
        said = f"{found.reference}, le {long_date(found.answered_on)}" if found else "sans réponse"
        amount = format_euros(each.amount_cents)
        click.echo(f"{deposits.titled(each)}  {amount}  écriture {each.up_to}  {said}")


@deposit.command("answer")
@click.argument("number")
@click.option("--on", "on", type=Day(), required=True, help="Jour de l’accusé de réception.")
@click.option("--reference", required=True, help="Numéro donné par le comptable (P503, titre).")
@_REGIE
@AUTHOR
@with_database
def answer(
    settings: Settings, number: str, on: date, reference: str, regie: str, author: str
) -> None:
    """Note l’accusé de réception du comptable."""
    _require_regie(settings, regie)
    found = deposits.find(number, regie)
    row = deposits.answer(found, on, reference, author)
    click.echo(f"Bordereau {deposits.titled(found)} : {row.reference}.")


@deposit.command("resume")
@click.argument("number")
@_REGIE
@AUTHOR
@with_database
def resume(settings: Settings, number: str, regie: str, author: str) -> None:
    """Dit le dernier bordereau donné, NUMBER, après une restauration ; 2026-000 : aucun en 2026.

    D’ici là aucun ne devient définitif : son numéro serait peut-être celui d’un papier perdu.
    """
    _require_regie(settings, regie)
    year, last = deposits.parse(number)
    lost = deposits.say_last(regie, year, last, author)
    click.echo(f"Perdu : {lost}." if lost else "Aucun numéro n’est perdu.")


@deposit.command("keep")
@click.argument("payment")
@AUTHOR
@click.option("--reason", required=True, help="Pourquoi ce n’est pas encore à verser.")
@with_database
def keep(_settings: Settings, payment: str, author: str, reason: str) -> None:
    """Garde hors des bordereaux ce que l’encaissement PAYMENT apporte, jusqu’à « take-up ».

    Son reçu (R000123), sa facture, ou son nom à la banque.
    """
    cents = deposits.keep_back(find_settlement(payment), author, reason)
    click.echo(f"{payment} : {format_euros(cents)} gardés hors du bordereau.")


@deposit.command("take-up")
@click.argument("payment")
@AUTHOR
@with_database
def take_up(_settings: Settings, payment: str, author: str) -> None:
    """Reprend ce qui est gardé de l’encaissement PAYMENT : le bordereau suivant le verse."""
    cents = deposits.take_up(find_settlement(payment), author)
    click.echo(f"{payment} : {format_euros(cents)} iront au bordereau suivant.")


@deposit.command("papers")
@click.argument("number")
@click.argument("folder", type=NamedPath(file_okay=False))
@_REGIE
@with_database
def papers_(settings: Settings, number: str, folder: Path, regie: str) -> None:
    """Écrit dans un dossier un bordereau en PDF, sa liste nominative et sa table CSV."""
    _require_regie(settings, regie)
    found = deposits.find(number, regie)
    made = deposits.bordereau_of(found)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"bordereau-{made.title}.pdf").write_bytes(papers.kept(found))
        (folder / f"liste-{made.title}.pdf").write_bytes(papers.payers(settings, found))
        with (folder / f"bordereau-{made.title}.csv").open("w", encoding="utf-8") as file:
            rows = csv.writer(file, delimiter=";", lineterminator="\n")
            rows.writerow(tables.COLUMNS)
            rows.writerows([*row[:-1], decimal(int(row[-1]))] for row in tables.rows(found))
    except OSError as error:
        raise CommandFault(f"{folder} ne peut pas être écrit ({os_errors.why(error)}).") from None
    click.echo(str(folder))


def _require_regie(settings: Settings, regie: str) -> None:
    if regie not in settings.regies_by_key:
        known = ", ".join(settings.regies) or "il n’y en a qu’une"
        raise CommandFault(f"Régie inconnue : {regie[:30]} ({known}).")


def _draft(regie: str, up_to: int | None) -> DepositDraft:
    return deposits.draft(regie, min(up_to or journal.last()[0], journal.last()[0]))


def _told(found: DepositDraft) -> Iterator[str]:
    yield from _rows(found.paid_over, "")
    yield from _rows(found.memo, "pour mémoire, ")
    for name in found.missing:
        yield f"{name} n’a pas d’imputation."
    for line, row in deposits.kept_back(found.regie):
        yield f"gardé : {line.paid_by}, {format_euros(line.cents)} ({row.author} : {row.reason})"


def _rows(lines: Sequence[RevenueLine], before: str) -> Iterator[str]:
    for mode, imputed, it in table(lines):
        apart = f"encaissé {format_euros(it.collected)}"
        apart += f", annulé {format_euros(it.cancelled)}" if it.cancelled else ""
        apart += f", remboursé {format_euros(it.refunded)}" if it.refunded else ""
        yield f"{before}{mode}, {imputed} : {format_euros(it.cents)} ({apart})"
