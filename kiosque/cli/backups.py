"""Commands: back the town up, put a backup in its place, try one."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import click
from peewee import DatabaseError

from kiosque import db, os_errors, resources
from kiosque.backups import drill, making, restoring
from kiosque.backups.archive import BadBackup
from kiosque.backups.making import CannotBackUp
from kiosque.backups.programs import ProgramFailed
from kiosque.backups.restoring import CannotRestore, HalfRestored, Restored
from kiosque.cli.entry import (
    CommandFault,
    NamedPath,
    main,
    read_settings,
    require_yes,
    with_database,
)
from kiosque.db import deployment, presence
from kiosque.language import formats
from kiosque.language.formats import counted, format_euros
from kiosque.settings import Settings

#: Names shown of a long list.
_MOST = 10


@main.command()
@click.argument("folder", required=False, type=NamedPath(file_okay=False))
@with_database
def backup(settings: Settings, folder: Path | None) -> None:
    """Sauvegarde la ville dans un fichier daté, pendant que le site tourne.

    La base, les PDF, les textes et les réglages ; vérifiés, relus, puis seulement nommés. FOLDER
    est par défaut celui des réglages ([backup] folder). Les sauvegardes trop anciennes de ce
    dossier sont ôtées. La dernière ligne est le chemin du fichier (docs/exploitation.md).
    """
    with faults_said("Rien n’a été sauvegardé"):
        made = making.make(settings, os.environ, (folder or settings.backups_folder).resolve())
    held = counted(made.manifest.entry[0], "écriture")
    click.echo(f"Base vérifiée : {held} au journal.")
    if made.removed:
        click.echo(f"Sauvegardes anciennes ôtées : {len(made.removed)}.")
    if not made.manifest.secrets:
        click.echo(
            "Les secrets ne sont pas dans cette sauvegarde : gardez ailleurs le fichier de "
            "réglages ([backup] recipient les y met, chiffrés)."
        )
    click.echo(made.path)
    if made.troubles:
        raise CommandFault("La sauvegarde est faite, mais " + " ; ".join(made.troubles))


@main.command()
@click.argument("file", type=NamedPath(exists=True, dir_okay=False))
@click.option("--despite-faults", is_flag=True, help="Même si ses comptes ont des défauts.")
@click.option("--yes", is_flag=True, help="Ne pas demander de confirmation.")
def restore(file: Path, *, despite_faults: bool, yes: bool) -> None:
    """Met la sauvegarde FILE à la place de la base et des fichiers, qui sont gardés à part.

    Arrêtez d’abord le site et ses minuteries. Ce qui suit la sauvegarde est perdu : les numéros de
    reçus sautent, les banques sont interrogées, « todo » et les pages des familles disent ce qui
    reste à retrouver (docs/exploitation.md).
    """
    settings = read_settings()
    settings.data.mkdir(parents=True, exist_ok=True, mode=0o750)
    with faults_said("Rien n’a été changé"), presence.alone(settings):
        if not yes:
            require_yes("Mettre cette sauvegarde à la place de la base et des fichiers du site ?")
        started = time.monotonic()
        done = restoring.restore(settings, file.resolve(), despite_faults=despite_faults)
    _tell(done, time.monotonic() - started)


def _tell(done: Restored, seconds: float) -> None:
    at = formats.long_instant(datetime.fromisoformat(done.manifest.created_at))
    number, fingerprint = done.now.entry
    click.echo(f"Rétablie en {seconds:.0f} s, telle qu’elle était le {at}.")
    click.echo(f"Dernière écriture : {number}, empreinte {fingerprint}")
    click.echo(f"L’état d’avant est dans {done.aside}")
    if done.missing:
        click.echo(f"Attention : {counted(len(done.missing), 'PDF')} de factures y manquent :")
        click.echo("\n".join(f"  {name}" for name in done.missing[:_MOST]))
    click.echo("Ensuite :")
    steps = (
        f"remettez le site en route, puis « {resources.typed('reconcile')} » : les banques sont "
        "interrogées",
        f"« {resources.typed('todo')} » : ce que seul le relevé de chaque banque peut dire",
        f"refaites ce qui a été fait depuis le {at} : fichiers chargés, encaissements au guichet, "
        "lettres, annulations, familles effacées, rôles retirés à des agents",
    )
    click.echo("\n".join(f"- {step}" for step in steps))


@main.command("drill")
@click.argument("file", required=False, type=NamedPath(exists=True, dir_okay=False))
@with_database
def drill_(settings: Settings, file: Path | None) -> None:
    """Essaie une sauvegarde, la dernière par défaut : la rétablit ailleurs et la vérifie.

    Le site tourne et n’est que lu. Dit en combien de temps, et ce qui serait perdu aujourd’hui.
    """
    with faults_said("La sauvegarde n’a pas pu être rétablie"):
        tried = drill.drill(settings, os.environ, file.resolve() if file else None)
    at = formats.long_instant(datetime.fromisoformat(tried.manifest.created_at))
    click.echo(f"{tried.file}, telle que la ville était le {at}")
    click.echo(f"Rétablie ailleurs et vérifiée en {tried.seconds:.1f} s.".replace(".", ",", 1))
    if tried.faults:
        raise CommandFault("\n".join(["Ses comptes ont des défauts :", *tried.faults[:_MOST]]))
    if tried.entries < 0:
        behind = counted(-tried.entries, "écriture")
        click.echo(f"La base a {behind} de moins : une sauvegarde plus ancienne l’a remplacée.")
        return
    click.echo(
        f"Seraient perdus : {counted(tried.entries, 'écriture')} au journal, "
        f"{counted(tried.receipts, 'reçu')}, {format_euros(tried.cents)} encaissés."
    )


@contextmanager
def faults_said(what: str) -> Iterator[None]:
    """Turn the expected errors into a CommandFault, whose text begins with what was not done."""
    try:
        yield
    except (BadBackup, ProgramFailed) as error:
        raise CommandFault(f"{what}\u00a0: {error}.") from None
    except (CannotBackUp, CannotRestore) as error:
        raise CommandFault(f"{what}. {error}") from None
    except (HalfRestored, presence.InUse, db.NewerDatabase, deployment.OtherEnvironment) as error:
        raise CommandFault(str(error)) from None
    except db.OUR_FAULTS:
        raise
    except DatabaseError as error:
        if db.is_full(error):
            raise CommandFault(f"{what}. Le disque est plein.") from None
        raise CommandFault(f"{what}. La base ne répond pas ({db.why(error)}).") from None
    except OSError as error:
        raise CommandFault(f"{what}. {error.filename or ''} : {os_errors.why(error)}.") from None
