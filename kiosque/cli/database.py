"""Commands: create or update the database, and move it to PostgreSQL."""

import click

from gateways.base import ConfigError
from kiosque import db
from kiosque.cli.entry import CommandFault, main, with_database, with_database_alone
from kiosque.cli.move_database import CannotMove, move
from kiosque.db import deployment
from kiosque.language.formats import counted, format_euros
from kiosque.settings import Settings, loading


@main.command()
@with_database
def migrate(settings: Settings) -> None:
    """Crée la base ou la met à jour. Sans effet si elle est à jour."""
    done = db.migrate()
    deployment.note(settings.environment)
    click.echo("\n".join(f"appliquée : {name}" for name in done) or "La base est à jour.")


@main.command("move-database")
@click.argument("address")
@with_database_alone
def move_database(settings: Settings, address: str) -> None:
    """Copie la base SQLite dans la base PostgreSQL vide à l’adresse ADDRESS.

    Arrêtez d’abord le site et ses minuteries : elle est refusée tant qu’ils tournent. Tout est
    copié et comparé, ou rien ne l’est ; le fichier SQLite n’est pas modifié. Écrivez ensuite
    « database = "postgresql://..." » dans les réglages. Le mot de passe peut venir de PGPASSWORD
    ou de ~/.pgpass (docs/postgresql.md).
    """
    if settings.on_postgresql:
        raise CommandFault(
            "Les réglages désignent déjà une base PostgreSQL, et non le fichier à copier."
        )
    try:
        moved = move(
            settings.database_path,
            loading.postgresql_address(address),
            durable=settings.environment == "production",
            progress=lambda table: click.echo(f"{table}...", err=True),
        )
    except CannotMove as error:
        raise CommandFault(f"{error}\nRien n’a été copié.") from None
    except ConfigError as error:
        raise CommandFault("\n".join([*error.faults, "Rien n’a été copié."])) from None
    for table in moved.tables:
        sums = ", ".join(f"{name} {format_euros(cents)}" for name, cents in table.cents.items())
        click.echo(f"{table.name} : {counted(table.count, 'ligne')}{f' ({sums})' if sums else ''}")
    number, fingerprint = moved.last_entry
    click.echo(f"Dernière écriture : {number}, empreinte {fingerprint}")
    click.echo("Tout est arrivé : mêmes lignes, mêmes sommes, même journal.")
