"""Commands: create the base, load files, write the legal texts."""

from pathlib import Path

import click

from gateways.base import ConfigError
from kiosque import db
from kiosque.cli.entry import Fault, main, progress_bar, with_database
from kiosque.cli.relocation import CannotMove, move
from kiosque.invoices import imports
from kiosque.language.formats import counted, format_euros
from kiosque.settings import Settings, loading
from kiosque.web import legal


@main.command()
@with_database
def migrate(_settings: Settings) -> None:
    """Crée la base ou la met à jour. Sans effet si elle est à jour."""
    done = db.migrate()
    click.echo("\n".join(f"appliquée : {name}" for name in done) or "La base est à jour.")


@main.command("move-database")
@click.argument("address")
@with_database
def move_database(settings: Settings, address: str) -> None:
    """Copie la base SQLite dans la base PostgreSQL vide à l’adresse ADDRESS.

    Arrêtez d’abord le site et ses minuteries. Tout est copié et comparé, ou rien ne l’est ; le
    fichier SQLite n’est pas modifié. Écrivez ensuite « database = "postgresql://..." » dans les
    réglages. Le mot de passe peut venir de PGPASSWORD ou de ~/.pgpass (docs/postgresql.md).
    """
    if settings.on_postgresql:
        raise Fault("Les réglages désignent déjà une base PostgreSQL, et non le fichier à copier.")
    try:
        moved = move(
            settings.database_path,
            loading.postgresql_address(address),
            durable=settings.environment == "production",
            progress=lambda table: click.echo(f"{table}...", err=True),
        )
    except CannotMove as error:
        raise Fault(f"{error}\nRien n’a été copié.") from None
    except ConfigError as error:
        raise Fault("\n".join([*error.faults, "Rien n’a été copié."])) from None
    for table in moved.tables:
        sums = ", ".join(f"{name} {format_euros(cents)}" for name, cents in table.cents.items())
        click.echo(f"{table.name} : {counted(table.count, 'ligne')}{f' ({sums})' if sums else ''}")
    number, fingerprint = moved.last_entry
    click.echo(f"Dernière écriture : {number}, empreinte {fingerprint}")
    click.echo("Tout est arrivé : mêmes lignes, mêmes sommes, même journal.")


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
            regies=settings.regies,
            preview=preview,
            progress=progress_bar,
        )
    except imports.BadFile as error:
        for fault in error.faults:
            click.echo(f"{file.name}, {fault}", err=True)
        raise Fault("Rien n’a été chargé.") from None
    click.echo(describe(file, summary, preview=preview))
    for key, cents in sorted(summary.regies.items()) if settings.regies else ():
        click.echo(f"{settings.regie_named(key).name} : {format_euros(cents)}")


def describe(file: Path, summary: imports.Summary, *, preview: bool) -> str:
    """What a file brought, in one or two lines."""
    amount = f" ({format_euros(summary.total_cents)})" if summary.total_cents else ""
    text = (
        f"{file.name} : fichier de {summary.kind}, {counted(summary.rows, 'ligne')}. "
        f"{'À charger' if preview else 'Chargé'} : {summary.added}{amount}. "
        f"Déjà là : {summary.unchanged}."
    )
    if summary.new_families:
        text += f"\nFamilles nouvelles : {summary.new_families}"
    if summary.new_services:
        text += f"\nPrestations nouvelles : {', '.join(summary.new_services)}"
    return text


@main.command("text")
@click.argument("name", type=click.Choice(list(legal.TITLES)))
@with_database
def text_(settings: Settings, name: str) -> None:
    """Écrit le texte d’une page légale dans KIOSQUE_DATA/texts, pour le modifier.

    Le site montre ce fichier dès son prochain démarrage. Le supprimer rend le texte d’origine.
    """
    path = settings.data / "texts" / f"{name}.md"
    if path.exists():
        raise Fault(f"{path} existe déjà.")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(legal.default(name, settings), encoding="utf-8")
    click.echo(path)
