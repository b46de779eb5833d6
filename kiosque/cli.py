"""The command line: one door for every chore. `python app.py COMMAND --help` explains each."""

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import IO, Any, TypeVar

import click
from peewee import OperationalError

from gateways.base import ConfigError
from kiosque import (
    accounts,
    clock,
    config,
    credentials,
    database,
    demo,
    documents,
    imports,
    issuer,
    journal,
    letters,
    mail,
    notices,
    outbox,
    payments,
    security,
    sessions,
    texts,
    throttle,
    tokens,
)
from kiosque.config import Settings
from kiosque.models import Family, Invoice
from kiosque.money import format_euros
from kiosque.security import Event
from kiosque.states import MailState
from kiosque.usage import FrenchGroup


class Fault(click.ClickException):
    """What went wrong, said in French on one line or a few."""

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(f"Erreur : {self.message}", err=True, file=file)


Command = TypeVar("Command", bound=Callable[..., Any])
#: Below this many rows, a progress bar is only noise.
LONG_FILE = 2000
PORT = click.IntRange(1, 65535)


@click.group(
    cls=FrenchGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
)
def main() -> None:
    """Kiosque Famille : les commandes de la mairie."""


def with_database(command: Command) -> Command:
    """Give the command its settings, and the base for its length; faults become one line."""

    @wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        try:
            settings = config.load(os.environ)
        except ConfigError as error:
            raise Fault("Réglages refusés :\n- " + "\n- ".join(error.faults)) from None
        database.configure(settings.database_path)
        try:
            with database.connection(), issuer.using(settings):
                return command(settings, *args, **kwargs)
        except OperationalError as error:
            raise Fault(
                f"La base ne répond pas ({error}). A-t-elle été créée par « migrate » ?"
            ) from None
        except payments.Refused as refusal:
            raise Fault("\n".join(refusal.reasons)) from None

    return wrapped  # type: ignore[return-value]  # the settings are given here, not by click


@main.command()
@with_database
def migrate(_settings: Settings) -> None:
    """Crée la base ou la met à jour. Sans effet si elle est à jour."""
    done = database.migrate()
    click.echo("\n".join(f"appliquée : {name}" for name in done) or "La base est à jour.")


@main.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--preview", is_flag=True, help="Vérifie et dit ce qui serait fait, sans rien écrire."
)
@with_database
def import_(settings: Settings, file: Path, *, preview: bool) -> None:
    """Charge un fichier CSV : factures, familles ou encaissements.

    Tout ou rien : une seule ligne fausse et rien n’est chargé. Recharger le même fichier est
    sans effet. Les formats sont décrits dans docs/import.md.
    """
    try:
        summary = imports.load(
            file,
            pdf_folder=settings.data / "pdf",
            closes_after_days=settings.payment.closes_after_days,
            preview=preview,
            progress=progress_bar,
        )
    except imports.BadFile as error:
        for fault in error.faults:
            click.echo(f"{file.name}, {fault}", err=True)
        raise Fault("Rien n’a été chargé.") from None
    click.echo(describe(file, summary, preview=preview))


def progress_bar(items: Sequence[Any], what: str) -> Iterable[Any]:
    """Show progress over a long sequence, on a terminal."""
    if len(items) < LONG_FILE or not sys.stdout.isatty():
        yield from items
        return
    with click.progressbar(items, label=what, width=30) as bar:
        yield from bar


def describe(file: Path, summary: imports.Summary, *, preview: bool) -> str:
    """What a file brought, in one or two lines."""
    amount = f" ({format_euros(summary.total_cents)})" if summary.total_cents else ""
    text = (
        f"{file.name} : fichier de {summary.kind}, {summary.rows} lignes. "
        f"{'À charger' if preview else 'Chargé'} : {summary.added}{amount}. "
        f"Déjà là : {summary.unchanged}."
    )
    if summary.new_families:
        text += f"\nFamilles nouvelles : {summary.new_families}"
    if summary.new_services:
        text += f"\nPrestations nouvelles : {', '.join(summary.new_services)}"
    return text


@main.command()
@click.argument("codes", nargs=-1)
@click.option("--all", "everyone", is_flag=True, help="Toutes les familles sans mot de passe.")
@click.option("--final", is_flag=True, help="Ne pas en demander un autre à la première connexion.")
@with_database
def password(settings: Settings, codes: tuple[str, ...], *, everyone: bool, final: bool) -> None:
    """Donne un nouveau mot de passe à des familles et l’affiche, cette seule fois.

    L’ancien ne sert plus et les sessions ouvertes sont fermées.
    """
    families = _families(codes, everyone=everyone)
    if final and settings.environment == "production":
        raise Fault("--final est réservé à la démonstration et aux essais.")
    for family in families:
        secret = accounts.issue_password(family, must_change=not final)
        security.note(Event.PASSWORD_ISSUED, family, address="")
        click.echo(f"code famille : {family.code}  mot de passe : {secret}")


def _families(codes: Iterable[str], *, everyone: bool) -> list[Family]:
    """The families of these codes, and with `everyone` those that never had a way in."""
    wanted = [accounts.normalise_code(code) for code in codes]
    families = list(Family.select().where(Family.code.in_(wanted)).order_by(Family.code))
    unknown = set(wanted) - {family.code for family in families}
    if unknown:
        raise Fault(f"Code famille inconnu : {', '.join(sorted(unknown))}")
    if everyone:
        without = accounts.families_without_password()
        families += [family for family in without if family not in families]
    return families


@main.command("letters")
@click.argument("codes", nargs=-1)
@click.option("--all", "everyone", is_flag=True, help="Toutes les familles sans mot de passe.")
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Le PDF à écrire ; par défaut lettres-AAAA-MM-JJ.pdf, dans le dossier courant.",
)
@click.option(
    "--forget-email",
    is_flag=True,
    help="Quelqu’un a pris la place de la famille : son mot de passe, ses sessions et l’adresse "
    "choisie en ligne ne servent plus.",
)
@with_database
def letters_(
    settings: Settings,
    codes: tuple[str, ...],
    *,
    everyone: bool,
    output: Path | None,
    forget_email: bool,
) -> None:
    """Écrit les lettres qui donnent à des familles leur code d’activation, en un seul PDF.

    Le code d’une lettre précédente ne sert plus. Le mot de passe en cours, lui, sert toujours
    (sauf avec --forget-email), jusqu’à ce que la famille en choisisse un autre avec sa lettre.
    Un PDF qui existe déjà n’est jamais remplacé.
    """
    families = _families(codes, everyone=everyone)
    if not families:
        raise Fault("Aucune famille. Donnez des codes famille, ou --all.")
    output = output or Path(f"lettres-{clock.today()}.pdf")
    try:
        letters.write(settings, families, output, forget_email=forget_email)
    except letters.CannotWrite as error:
        raise Fault(str(error)) from None
    count = f"{len(families)} lettres" if len(families) > 1 else "1 lettre"
    click.echo(f"{output} : {count}. Imprimez-le, puis effacez-le : il ouvre des comptes.")


@main.command()
@click.argument("number")
@click.option("--mode", required=True, type=click.Choice(list(payments.COUNTER_MODES)))
@click.option("--on", "settled_on", type=click.DateTime(["%Y-%m-%d"]), help="Jour ; aujourd’hui.")
@click.option("--author", required=True, help="Qui encaisse.")
@click.option("--reason", required=True, help="Motif ou pièce, par exemple « chèque 123 ».")
@with_database
def settle(
    _settings: Settings,
    number: str,
    mode: str,
    settled_on: datetime | None,
    author: str,
    reason: str,
) -> None:
    """Enregistre le paiement au guichet d’une facture entière."""
    invoice = Invoice.get_or_none(Invoice.number == number)
    payment = payments.CounterPayment(
        invoice_number=number,
        amount_cents=invoice.total_cents if invoice else 0,
        mode=mode,
        settled_on=settled_on.date() if settled_on else clock.today(),
        author=author,
        reason=reason,
    )
    added = payments.settle_at_counter([payment])
    click.echo(f"Facture {number} : {'payée' if added else 'déjà enregistrée'}.")


@main.command("cancel-invoice")
@click.argument("number")
@click.option("--author", required=True, help="Qui annule.")
@click.option("--reason", required=True, help="Pourquoi.")
@with_database
def cancel_invoice(_settings: Settings, number: str, author: str, reason: str) -> None:
    """Annule une facture à régler."""
    payments.cancel_invoice(number, author, reason)
    click.echo(f"Facture {number} : annulée.")


@main.command()
@click.option("--resolve", type=int, help="Numéro du point traité.")
@click.option("--author", default="", help="Qui l’a traité.")
@click.option("--resolution", default="", help="Ce qui a été fait.")
@with_database
def todo(_settings: Settings, resolve: int | None, author: str, resolution: str) -> None:
    """Liste ce que le régisseur doit traiter : trop-perçus, écarts, annulations."""
    if resolve is not None:
        payments.resolve(resolve, author, resolution)
    points = payments.todo()
    for point in points:
        about = point.invoice.number if point.invoice else ""
        attempt = point.attempt.reference if point.attempt else ""
        day = clock.short_date(clock.paris_date(point.noted_at))
        amount = format_euros(point.amount_cents)
        click.echo(f"{point.id}\t{day}\t{amount}\t{point.detail}\t{about}\t{attempt}")
    click.echo(f"{len(points)} à traiter.")
    if lost := outbox.given_up():
        click.echo(f"Et {lost} courriels abandonnés : « python app.py mails » les liste.")


@main.command()
@with_database
def verify(_settings: Settings) -> None:
    """Vérifie le journal : numéros, chaînage, contenu. Affiche les soldes."""
    faults = journal.verify()
    for account, cents in sorted(journal.balances().items()):
        click.echo(f"{account:30} {format_euros(cents)}")
    if faults:
        raise Fault("\n".join(faults))
    click.echo("Le journal est intact.")


@main.command("send-mail")
@with_database
def send_mail(settings: Settings) -> None:
    """Envoie les courriels en attente. À lancer chaque minute par une minuterie.

    Prépare d’abord les avis, rappels et relances dont c’est le moment (docs/mail.md).
    """
    _forget_what_is_old()
    credentials.answer_resets()
    notices.plan(settings)
    sent, failed = mail.deliver(settings)
    click.echo(f"{sent} envoyés, {failed} en échec, {outbox.waiting()} en attente.")
    if lost := outbox.given_up():
        click.echo(f"{lost} abandonnés : « python app.py mails » les liste.")
    if failed:
        raise SystemExit(1)


def _forget_what_is_old() -> None:
    """Erase what is kept for a time only."""
    payments.forget_old_addresses()
    outbox.forget_old_addresses()
    sessions.purge()
    throttle.purge()
    tokens.purge()
    security.purge()


@main.command("mails")
@click.option("--retry", "ids", type=int, multiple=True, help="Numéro d’un courriel à renvoyer.")
@click.option("--retry-all", is_flag=True, help="Renvoyer tous ceux qui sont abandonnés.")
@with_database
def mails(_settings: Settings, ids: tuple[int, ...], *, retry_all: bool) -> None:
    """Liste les courriels qui ne sont pas partis, et pourquoi. Aucune adresse n’est affichée.

    Corrigez d’abord ce qui est en cause : l’adresse de la famille, ou les réglages [mail].
    """
    if ids or retry_all:
        click.echo(f"{outbox.retry(None if retry_all else ids)} remis en attente.")
    for row in outbox.troubled():
        family = documents.mail_family(row)
        state = "abandonné" if row.state == MailState.FAILED else "en attente"
        day = clock.short_date(clock.paris_date(row.queued_at))
        code = family.code if family else ""
        cells = (row.id, day, state, row.template, code, f"{row.tries} essais", row.last_error)
        click.echo("\t".join(map(str, cells)))
    click.echo(f"{outbox.given_up()} abandonnés, {outbox.waiting()} en attente.")


@main.command("text")
@click.argument("name", type=click.Choice(list(texts.TITLES)))
@with_database
def text_(settings: Settings, name: str) -> None:
    """Écrit le texte d’une page légale dans KIOSQUE_DATA/texts, pour le modifier.

    Le site montre ce fichier dès son prochain démarrage. Le supprimer rend le texte d’origine.
    """
    path = settings.data / "texts" / f"{name}.md"
    if path.exists():
        raise Fault(f"{path} existe déjà.")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(texts.default(name, settings), encoding="utf-8")
    click.echo(path)


@main.command("demo")
@click.option("--port", type=PORT, default=8000, show_default=True, help="Port du portail.")
@click.option("--bank-port", type=PORT, default=8001, show_default=True, help="Port de la banque.")
def demo_(port: int, bank_port: int) -> None:
    """Lance la démonstration : le portail, et la banque dans un autre processus.

    Au premier lancement, crée les réglages et la base et y charge data/demo. Ctrl-C arrête tout.
    """
    try:
        demo.run(port, bank_port, progress=progress_bar)
    except (demo.CannotStart, ConfigError, imports.BadFile) as error:
        raise Fault(str(error)) from None
    except KeyboardInterrupt:
        raise Fault(
            "Interrompu. Le prochain lancement reprendra où celui-ci s’est arrêté."
        ) from None


@main.command()
@click.confirmation_option(
    help="Ne pas demander de confirmation.",
    prompt="Effacer la base et les fichiers de la démonstration ?",
)
def reset() -> None:
    """Efface ce que la démonstration a écrit, pour recommencer."""
    try:
        demo.reset()
    except (demo.CannotStart, ConfigError) as error:
        raise Fault(str(error)) from None
    click.echo("La démonstration est effacée.")
