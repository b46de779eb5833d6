"""Commands: back the town up, put a backup in its place, try one."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from kiosque import system
from kiosque.backups import making
from kiosque.backups.making import CannotBackUp
from kiosque.backups.programs import ProgramFailed
from kiosque.cli.entry import Fault, main, with_database
from kiosque.language.formats import counted
from kiosque.settings import Settings


@main.command()
@click.argument("folder", required=False, type=click.Path(file_okay=False, path_type=Path))
@with_database
def backup(settings: Settings, folder: Path | None) -> None:
    """Sauvegarde la ville dans un fichier daté, pendant que le site tourne.

    La base, les PDF, les textes et les réglages ; vérifiés, relus, puis seulement nommés. FOLDER
    est par défaut celui des réglages ([backup] folder). Les sauvegardes trop anciennes de ce
    dossier sont ôtées. La dernière ligne est le chemin du fichier (docs/exploitation.md).
    """
    with _faults("Rien n’a été sauvegardé"):
        made = making.make(settings, os.environ, (folder or settings.backups_folder).resolve())
    held = counted(made.manifest.entry[0], "écriture")
    click.echo(f"Base vérifiée : {held} au journal. Ôtées : {len(made.removed)}.")
    if not made.manifest.secrets:
        click.echo(
            "Les secrets ne sont pas dans cette sauvegarde : gardez ailleurs le fichier de "
            "réglages ([backup] recipient les y met, chiffrés)."
        )
    click.echo(made.path)
    if made.troubles:
        raise Fault("La sauvegarde est faite, mais " + " ; ".join(made.troubles))


@contextmanager
def _faults(what: str) -> Iterator[None]:
    """Turn what may go wrong into a Fault that begins by saying what was not done."""
    try:
        yield
    except (CannotBackUp, ProgramFailed) as error:
        raise Fault(f"{what}. {error}") from None
    except OSError as error:
        raise Fault(f"{what}. {error.filename or ''} : {system.why(error)}.") from None
